"""Third-party style use: scripts that were written for AWS and know nothing of the service."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support import Service, create_pipeline, finished, script_step, start, steps_of


def test_a_job_that_hard_codes_paths_and_uses_boto3_inside(service: Service) -> None:
    sagemaker, s3 = service.client("sagemaker"), service.client("s3")
    s3.create_bucket(Bucket="third-party")
    script = """
import json, os, boto3
identity = boto3.client("sts", endpoint_url="https://sts.us-east-1.amazonaws.com").get_caller_identity()
with open("/opt/ml/config/resourceconfig.json") as file:
    hosts = json.load(file)["hosts"]
assert open("/opt/ml/processing/input/words.txt").read() == "words"
os.makedirs("/opt/ml/processing/output", exist_ok=True)
with open("/tmp/scratch.txt", "w") as file:
    file.write("mine")
with open("/opt/ml/processing/output/found.json", "w") as file:
    json.dump({"account": identity["Account"], "hosts": hosts}, file)
boto3.client("s3").put_object(Bucket="third-party", Key="by-the-job", Body=b"x")
"""
    s3.put_object(Bucket="third-party", Key="code/script.py", Body=script.encode())
    s3.put_object(Bucket="third-party", Key="data/words.txt", Body=b"words")

    def channel(name: str, uri: str, path: str) -> dict[str, object]:
        source = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
        return {"InputName": name, "S3Input": source}

    step = script_step("job", "")
    step["Arguments"]["AppSpecification"]["ContainerEntrypoint"] = [
        "python3",
        "/opt/ml/processing/input/code/script.py",
    ]
    step["Arguments"]["ProcessingInputs"] = [
        channel("code", "s3://third-party/code/script.py", "/opt/ml/processing/input/code"),
        channel("data", "s3://third-party/data/", "/opt/ml/processing/input"),
    ]
    output = {"S3Uri": "s3://third-party/out", "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "EndOfJob"}
    step["Arguments"]["ProcessingOutputConfig"] = {"Outputs": [{"OutputName": "out", "S3Output": output}]}
    create_pipeline(sagemaker, "ThirdParty", step)
    execution = start(sagemaker, "ThirdParty")
    assert finished(sagemaker, execution)["PipelineExecutionStatus"] == "Succeeded", steps_of(sagemaker, execution)
    found = json.loads(s3.get_object(Bucket="third-party", Key="out/found.json")["Body"].read())
    assert found == {"account": "123456789012", "hosts": ["algo-1"]}
    assert s3.head_object(Bucket="third-party", Key="by-the-job")
    assert not Path("/tmp/scratch.txt").exists(), "the job's /tmp is its own"


def test_sessions_built_without_arguments(service: Service) -> None:
    program = (
        "from sagemaker.core.helper.session_helper import Session, get_execution_role\n"
        "session = Session()\n"
        "print(session.default_bucket(), get_execution_role())\n"
        "from sagemaker.core.resources import Pipeline\n"
        "print(len(list(Pipeline.get_all())) >= 0)"
    )
    done = service.run("python", "-c", program, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        "sagemaker-us-east-1-123456789012", "arn:aws:iam::123456789012:role/LocalSageMakerRole", "True",
    ]  # fmt: skip


def test_the_aws_cli_reads_an_execution(service: Service) -> None:
    sagemaker = service.client("sagemaker")
    create_pipeline(sagemaker, "ForTheCli", script_step("one", "print('hello')"))
    execution = start(sagemaker, "ForTheCli")
    finished(sagemaker, execution)
    words = ("aws", "sagemaker", "--output", "json")
    listed = json.loads(
        service.run(*words, "list-pipeline-execution-steps", "--pipeline-execution-arn", execution).stdout
    )
    assert [step["StepName"] for step in listed["PipelineExecutionSteps"]] == ["one"]
    described = json.loads(
        service.run(*words, "describe-pipeline-execution", "--pipeline-execution-arn", execution).stdout
    )
    assert described["PipelineExecutionStatus"] == "Succeeded"


def test_exec_is_what_the_readme_says(service: Service) -> None:
    """``local-sagemaker exec`` in front of a plain command, from a shell with the user's own AWS settings."""
    home = str(service.home)
    import os
    import subprocess

    from tests.support import COMMANDS

    environment = {**os.environ, "AWS_PROFILE": "mine", "PATH": f"{COMMANDS}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["local-sagemaker", "--home", home, "exec", "--", "aws", "sts", "get-caller-identity", "--query", "Account"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == '"123456789012"', done.stderr
    lines = subprocess.run(
        ["local-sagemaker", "--home", home, "env"], env=environment, capture_output=True, text=True, check=True
    )
    script = f"{lines.stdout}\naws sts get-caller-identity --query Account"
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == '"123456789012"', done.stderr
