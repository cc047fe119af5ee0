"""Regions: one service answers for all of them, and each is a world of its own."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_sagemaker import lifecycle
from local_sagemaker.config import Settings
from tests.integration.endpoint_models import BUCKET, script
from tests.integration.rest_apis import send
from tests.support import (
    ROLE,
    SCIKIT_LEARN,
    Service,
    create_function,
    create_pipeline,
    finished,
    script_step,
    start,
    steps_of,
    until,
)

HOME, AWAY = "us-east-1", "eu-west-1"
SHOW_REGION = "import os; print('in', os.environ['AWS_REGION'], flush=True)"
WAIT = (
    "f=boto3.client('s3','us-east-1').list_objects_v2; "
    "[*iter(lambda: time.sleep(.1) or 'Contents' in f(Bucket='{bucket}',Prefix='go'), True)]"
)
"""A program's line that waits until there is a key ``go``."""
FIRST_LAYOUT = Path(__file__).parents[1] / "unit" / "records" / "first_layout.sql"


def clients(service: Service, name: str) -> tuple[Any, Any]:
    return service.client(name, region_name=HOME), service.client(name, region_name=AWAY)


def test_resources_of_one_name_are_two_in_two_regions(service: Service) -> None:
    for region, sagemaker in zip((HOME, AWAY), clients(service, "sagemaker"), strict=True):
        arn = sagemaker.create_model_package_group(ModelPackageGroupName="worlds")["ModelPackageGroupArn"]
        assert arn == f"arn:aws:sagemaker:{region}:123456789012:model-package-group/worlds"
        create_pipeline(sagemaker, "worlds", script_step("Work", "pass"))
        [pipeline] = sagemaker.list_pipelines(PipelineNamePrefix="worlds")["PipelineSummaries"]
        assert f":{region}:" in pipeline["PipelineArn"]
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "where", "Value": region}])
        assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "where", "Value": region}]
    home, away = clients(service, "sagemaker")
    away.delete_model_package_group(ModelPackageGroupName="worlds")
    home.describe_model_package_group(ModelPackageGroupName="worlds")
    with pytest.raises(ClientError, match=f"arn:aws:sagemaker:{AWAY}:.*does not exist"):
        away.describe_model_package_group(ModelPackageGroupName="worlds")


def test_an_arn_of_another_region_is_not_found(service: Service) -> None:
    home, away = clients(service, "sagemaker")
    create_pipeline(home, "elsewhere", script_step("Work", "pass"))
    arn = home.describe_pipeline(PipelineName="elsewhere")["PipelineArn"]
    with pytest.raises(ClientError, match="does not exist"):
        away.describe_pipeline(PipelineName=arn)


def test_executions_of_one_name_run_side_by_side_with_logs_of_their_own(service: Service) -> None:
    home, away = clients(service, "sagemaker")
    executions = []
    for sagemaker in (home, away):
        create_pipeline(sagemaker, "side-by-side", script_step("Show", SHOW_REGION))
        executions.append(start(sagemaker, "side-by-side"))
    for region, sagemaker, execution in zip((HOME, AWAY), (home, away), executions, strict=True):
        assert finished(sagemaker, execution)["PipelineExecutionStatus"] == "Succeeded"
        job = steps_of(sagemaker, execution)["Show"]["Metadata"]["ProcessingJob"]["Arn"]
        assert f":{region}:" in job
        logs = service.client("logs", region_name=region)
        group, name = "/aws/sagemaker/ProcessingJobs", job.rsplit("/", 1)[-1]
        events = logs.filter_log_events(logGroupName=group, logStreamNamePrefix=name)["events"]
        assert [event["message"] for event in events][-1:] == [f"in {region}"]  # after what differs from the image
        shown = service.run("local-sagemaker", "logs", name, check=False)
        assert f"in {region}" in shown.stdout, shown


def test_jobs_of_one_name_at_once(service: Service) -> None:
    go = service.client("s3", region_name=HOME)
    go.create_bucket(Bucket="one-name")
    code = "import boto3, os, time; open('/opt/ml/processing/out/' + os.getenv('AWS_REGION'), 'w'); " + WAIT.format(
        bucket="one-name"
    )
    for region, sagemaker in zip((HOME, AWAY), clients(service, "sagemaker"), strict=True):
        output = {"S3Uri": f"s3://one-name/{region}/", "LocalPath": "/opt/ml/processing/out", "S3UploadMode":
                  "EndOfJob"}  # fmt: skip
        sagemaker.create_processing_job(
            ProcessingJobName="one-name",
            RoleArn=ROLE,
            AppSpecification={"ImageUri": SCIKIT_LEARN, "ContainerEntrypoint": ["python3", "-c", code]},
            ProcessingResources={
                "ClusterConfig": {"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}
            },
            ProcessingOutputConfig={"Outputs": [{"OutputName": "out", "S3Output": output}]},
        )
    go.put_object(Bucket="one-name", Key="go", Body=b"")
    for sagemaker in clients(service, "sagemaker"):
        ended = until(
            lambda s=sagemaker: (d := s.describe_processing_job(ProcessingJobName="one-name"))  # type: ignore[misc]
            and d["ProcessingJobStatus"] != "InProgress" and d, "the job ends",
        )  # fmt: skip
        assert ended["ProcessingJobStatus"] == "Completed", ended
    keys = {item["Key"] for item in go.list_objects_v2(Bucket="one-name")["Contents"]}
    assert keys == {"go", f"{HOME}/{HOME}", f"{AWAY}/{AWAY}"}


def test_functions_and_rest_apis(service: Service) -> None:
    code = "import os\ndef handler(event, context): return {'statusCode': 200, 'body': os.environ['AWS_REGION']}"
    for region in (HOME, AWAY):
        function = create_function(service.client("lambda", region_name=region), "where", code, Timeout=30)
        assert function.startswith(f"arn:aws:lambda:{region}:")
        api = service.client("apigateway", region_name=region)
        identity = api.create_rest_api(name="where")["id"]
        [root] = api.get_resources(restApiId=identity)["items"]
        method = {"restApiId": identity, "resourceId": root["id"], "httpMethod": "GET"}
        api.put_method(**method, authorizationType="NONE")
        uri = f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations"
        api.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
        api.create_deployment(restApiId=identity, stageName="test")
        by_host = send(f"{service.url}/test", method="GET", Host=f"{identity}.execute-api.{region}.amazonaws.com")
        assert by_host.body.decode() == region
        by_path = send(f"{service.url}/_aws/execute-api/{identity}/test", method="GET")
        assert by_path.body.decode() == region
    elsewhere = send(f"{service.url}/test", method="GET", Host=f"{identity}.execute-api.{HOME}.amazonaws.com")
    assert elsewhere.status == 403


def test_endpoints_of_one_name(service: Service) -> None:
    s3 = service.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    code = (
        "import os\ndef model_fn(folder): return None\ndef input_fn(body, kind): return body\n"
        "def predict_fn(data, model): return os.environ['AWS_REGION']\n"
        "def output_fn(text, accept): return text, accept\n"
    )
    s3.put_object(Bucket=BUCKET, Key="regions/model.tar.gz", Body=script(code))
    for sagemaker in clients(service, "sagemaker"):
        container = {
            "Image": SCIKIT_LEARN,
            "ModelDataUrl": f"s3://{BUCKET}/regions/model.tar.gz",
            "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
        }
        sagemaker.create_model(ModelName="one-name", ExecutionRoleArn=ROLE, PrimaryContainer=container)
        variant = {
            "VariantName": "A",
            "ModelName": "one-name",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        sagemaker.create_endpoint_config(EndpointConfigName="one-name", ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName="one-name", EndpointConfigName="one-name")
    for region in (HOME, AWAY):
        sagemaker = service.client("sagemaker", region_name=region)
        until(lambda s=sagemaker: s.describe_endpoint(EndpointName="one-name")["EndpointStatus"] == "InService",
              "in service")  # type: ignore[misc]  # fmt: skip
        runtime = service.client("sagemaker-runtime", region_name=region)
        answer = runtime.invoke_endpoint(EndpointName="one-name", Body=b"x", ContentType="text/csv", Accept="text/csv")
        assert answer["Body"].read().decode() == region
    home, away = clients(service, "sagemaker")
    home.delete_endpoint(EndpointName="one-name")
    runtime = service.client("sagemaker-runtime", region_name=AWAY)
    assert runtime.invoke_endpoint(EndpointName="one-name", Body=b"x", ContentType="text/csv")["Body"].read()
    away.delete_endpoint(EndpointName="one-name")


def test_work_of_every_region_is_resumed_after_a_kill(own_service: Service) -> None:
    s3 = own_service.client("s3")
    s3.create_bucket(Bucket="resumed")
    code = "import boto3, time; " + WAIT.format(bucket="resumed")
    executions = []
    for sagemaker in clients(own_service, "sagemaker"):
        create_pipeline(sagemaker, "resumed", script_step("Wait", code))
        executions.append(start(sagemaker, "resumed"))
        until(lambda s=sagemaker, e=executions[-1]: steps_of(s, e).get("Wait", {}).get("Metadata"), "its job runs")  # type: ignore[misc]
    own_service.kill()
    own_service.up()
    own_service.client("s3").put_object(Bucket="resumed", Key="go", Body=b"")
    for sagemaker, execution in zip(clients(own_service, "sagemaker"), executions, strict=True):
        assert finished(sagemaker, execution)["PipelineExecutionStatus"] == "Succeeded"


def test_reset_empties_every_region(own_service: Service) -> None:
    for sagemaker in clients(own_service, "sagemaker"):
        sagemaker.create_model_package_group(ModelPackageGroupName="gone")
    own_service.reset()
    for sagemaker in clients(own_service, "sagemaker"):
        assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []


def test_a_credential_scope_without_a_region_is_refused(service: Service) -> None:
    with pytest.raises(ClientError, match="Credential should be scoped to a valid region") as error:
        service.client("sagemaker", region_name="nowhere").list_models()
    assert error.value.response["Error"]["Code"] == "InvalidSignatureException"


def test_state_of_the_first_layout_is_in_the_region_of_its_arns(tmp_path: Path) -> None:
    home = tmp_path / "home"
    group = home / "logs" / "+old+group"
    (group / ".streams").mkdir(parents=True)
    (group / ".group.json").write_text(json.dumps({"name": "/old/group", "created": 0}))
    (home / "functions" / "code").mkdir(parents=True)
    with sqlite3.connect(home / "records.sqlite") as connection:
        connection.executescript(FIRST_LAYOUT.read_text())
    connection.close()
    service = Service(home)
    service.up()
    try:
        old = {"region_name": "eu-central-1"}
        assert service.client("sagemaker", **old).describe_model(ModelName="old-model")["ModelName"] == "Old-Model"
        [execution] = service.client("sagemaker", **old).list_pipeline_executions(PipelineName="Old-Pipeline")[
            "PipelineExecutionSummaries"
        ]
        assert execution["PipelineExecutionStatus"] == "Failed"
        groups = service.client("logs", **old).describe_log_groups()["logGroups"]
        assert [one["logGroupName"] for one in groups] == ["/old/group"]
        assert service.client("iam").get_role(RoleName="Old")["Role"]["RoleName"] == "Old"
        assert service.client("sagemaker").list_models()["Models"] == []
    finally:
        lifecycle.stop(Settings(home=home))
