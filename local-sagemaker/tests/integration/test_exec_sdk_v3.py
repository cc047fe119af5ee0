"""What SDK v3 and botocore do under `local-sagemaker exec`: they wait at a local pace, and take any role's ARN."""

from __future__ import annotations

import json
import sys

from tests.support import Service, create_pipeline, script_step

WAITS = """
import json, time
import boto3
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.resources import ProcessingJob
from sagemaker.mlops.workflow.pipeline import PipelineExecution

client, session, seconds = boto3.client('sagemaker'), Session(), {}
waiter = client.get_waiter('processing_job_completed_or_stopped')
assert waiter.config.delay >= 30

def start():
    arn = client.start_pipeline_execution(PipelineName='ExecPace')['PipelineExecutionArn']
    while True:
        for step in client.list_pipeline_execution_steps(PipelineExecutionArn=arn)['PipelineExecutionSteps']:
            if 'Arn' in step.get('Metadata', {}).get('ProcessingJob', {}):
                return arn, step['Metadata']['ProcessingJob']['Arn'].rpartition('/')[2]

for name, wait in {
    'sdk pipeline': lambda arn, job: PipelineExecution(arn=arn, sagemaker_session=session).wait(),
    'sdk job': lambda arn, job: ProcessingJob.get(processing_job_name=job).wait(poll=60),
    'boto3': lambda arn, job: waiter.wait(ProcessingJobName=job),
}.items():
    given = start()
    started = time.monotonic()
    wait(*given)
    seconds[name] = time.monotonic() - started
print()
print(json.dumps(seconds))
"""
ROLES = """
from sagemaker.core.helper.iam_role_resolver import resolve_and_validate_role
for role in ('arn:aws:iam::999988887777:role/TeamSageMakerRole', 'arn:aws-cn:iam::123456789012:role/service-role/Mine'):
    assert resolve_and_validate_role(role, 'training') == role
print('taken')
"""


def test_waits_look_again_soon(service: Service) -> None:
    """The SDK's pipelines wait 30 seconds between two looks by default, this waiter of botocore 60."""
    create_pipeline(service.client("sagemaker"), "ExecPace", script_step("Slow", "import time; time.sleep(3)"))
    done = service.run(sys.executable, "-W", "ignore", "-c", WAITS, check=False)
    assert done.returncode == 0, done.stderr
    seconds = json.loads(done.stdout.splitlines()[-1])
    assert set(seconds) == {"sdk pipeline", "sdk job", "boto3"}
    assert max(seconds.values()) < 25, seconds


def test_a_waiter_gives_up_after_the_time_that_was_asked_for(service: Service) -> None:
    program = (
        "import boto3, time; waiter = boto3.client('s3').get_waiter('bucket_exists'); started = time.monotonic()\n"
        "try: waiter.wait(Bucket='no-such-bucket-here', WaiterConfig={'Delay': 2, 'MaxAttempts': 2})\n"
        "except Exception as error: print(error); print(3 < time.monotonic() - started < 30)\n"
    )
    lines = service.run(sys.executable, "-c", program).stdout.splitlines()
    assert "Max attempts exceeded" in lines[-2] and lines[-1] == "True", lines


def test_any_roles_arn_is_taken(service: Service) -> None:
    done = service.run(sys.executable, "-W", "ignore", "-c", ROLES)
    assert done.stdout.splitlines()[-1] == "taken", done.stderr
