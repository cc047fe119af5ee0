"""Stop, retry, and going on after the service was killed."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.engine.executions import Executions
from local_sagemaker.errors import Conflict, ValidationError
from local_sagemaker.logs import Logs
from tests.unit.engine.world import IMAGE, ROLE, World, fails, get, hang, processing, training, until

MODEL = {
    "Name": "Make",
    "Type": "Model",
    "Arguments": {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE, "Environment": {}}},
}
REGISTER = {
    "Name": "Register",
    "Type": "RegisterModel",
    "Arguments": {
        "ModelPackageGroupName": "Group",
        "InferenceSpecification": {
            "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://bucket/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "ModelMetrics": {"Bias": {}, "Explainability": {}},
    },
}


class Killed(BaseException):
    """Stands for kill -9 at one point of the execution's thread."""


def test_stop_stops_running_jobs_and_starts_nothing(world: World) -> None:
    world.plan = {"A": hang}
    world.create([processing("A"), processing("B", DependsOn=["A"])])
    arn = world.start()
    world.job_of(arn, "A")
    world.sagemaker("StopPipelineExecution", PipelineExecutionArn=arn)
    world.wait(arn)
    assert (world.status(arn), world.statuses(arn)) == ("Stopped", {"A": "Stopped"})
    assert "FailureReason" not in world.describe(arn)


def test_stop_is_answered_at_once_with_stopping(world: World) -> None:
    world.plan = {"A": hang}
    world.processing.deaf = True  # a job that takes its time to stop
    world.create([processing("A")])
    arn = world.start()
    name = world.job_of(arn, "A")
    world.sagemaker("StopPipelineExecution", PipelineExecutionArn=arn)
    assert world.status(arn) == "Stopping"
    until(lambda: world.statuses(arn) == {"A": "Stopping"})
    world.processing.end(name, "Stopped")
    assert world.status(world.wait(arn)) == "Stopped"


def test_a_terminal_execution_can_not_be_stopped(world: World) -> None:
    arn = world.run([processing("A")])
    with pytest.raises(ValidationError, match="Only pipelines with 'Executing' status can be stopped"):
        world.sagemaker("StopPipelineExecution", PipelineExecutionArn=arn)


def test_an_execution_that_is_stopping_can_not_be_stopped_again(world: World) -> None:
    world.plan = {"A": hang}
    world.processing.deaf = True
    world.create([processing("A")])
    arn = world.start()
    name = world.job_of(arn, "A")
    request = {"PipelineExecutionArn": arn, "ClientRequestToken": "t" * 32}
    first = world.sagemaker("StopPipelineExecution", **request)
    assert world.sagemaker("StopPipelineExecution", **request) == first  # the same request again
    with pytest.raises(ValidationError, match=r"has the status 'Stopping'\. Only pipelines with 'Executing' status"):
        world.sagemaker("StopPipelineExecution", PipelineExecutionArn=arn)
    until(lambda: world.statuses(arn) == {"A": "Stopping"})
    world.processing.end(name, "Stopped")
    world.wait(arn)


def test_retry_keeps_what_succeeded(world: World) -> None:
    world.plan = {"B": fails("x")}
    arn = world.run([processing("A"), processing("B", DependsOn=["A"]), processing("C", DependsOn=["B"])])
    first = world.steps(arn)["A"]
    world.plan = {}
    world.sagemaker("RetryPipelineExecution", PipelineExecutionArn=arn)
    world.wait(arn)
    assert (world.status(arn), world.statuses(arn)) == ("Succeeded", dict.fromkeys("ABC", "Succeeded"))
    assert world.steps(arn)["A"] == first
    assert {name: step["AttemptCount"] for name, step in world.steps(arn).items()} == {"A": 1, "B": 2, "C": 1}
    assert "FailureReason" not in world.describe(arn)


def test_logs_that_cannot_be_written_keep_no_retry_from_its_start(world: World) -> None:
    logs = Logs(world.home / "a-file")
    (world.home / "a-file").write_text("in the way")
    executions = Executions(records=world.records, objects=world.objects, logs=logs, call=world.call)
    step = {"StepName": "A", "AttemptCount": 1, "StartTime": 1.0, "EndTime": 2.0}
    executions.note_retried("arn:aws:sagemaker:us-east-1:123456789012:pipeline/P/execution/x", [step])
    executions.close()


def test_retry_uses_the_snapshot_of_the_start(world: World) -> None:
    world.plan = {"A": fails("x")}
    arn = world.run([processing("A", Environment={"V": "1"})])
    world.plan = {}
    world.create([processing("A", Environment={"V": "2"})])
    world.sagemaker("RetryPipelineExecution", PipelineExecutionArn=arn)
    world.wait(arn)
    assert world.processing.requests[-1]["Environment"] == {"V": "1"}


@pytest.mark.parametrize("how", ["succeeded", "fail step"])
def test_what_can_not_be_retried(world: World, how: str) -> None:
    fail = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
    arn = world.run([processing("A")] if how == "succeeded" else [fail])
    with pytest.raises(Conflict):
        world.sagemaker("RetryPipelineExecution", PipelineExecutionArn=arn)


def restarted(world: World) -> World:
    """The state folder in a new service, as after kill -9 and up."""
    world.close()
    world.calls.clear()
    world.before.clear()
    world.open()
    return world


def test_a_killed_execution_goes_on_with_its_running_job(world: World) -> None:
    world.plan = {"A": hang}
    world.create([processing("A"), processing("B", DependsOn=["A"])])
    arn = world.start()
    name = world.job_of(arn, "A")
    restarted(world)
    world.executions.resume()
    until(lambda: "sagemaker:DescribeProcessingJob" in world.calls)
    world.processing.end(name, "Completed")
    world.wait(arn)
    assert world.statuses(arn) == {"A": "Succeeded", "B": "Succeeded"}
    assert world.job_of(arn, "A") == name and world.steps(arn)["A"]["AttemptCount"] == 1


@pytest.mark.parametrize("status", ["Completed", "Failed"])
def test_a_job_that_ended_while_the_service_was_down_counts(world: World, status: str) -> None:
    world.plan = {"A": hang}
    world.create([processing("A")])
    arn = world.start()
    name = world.job_of(arn, "A")
    restarted(world)
    world.processing.end(name, status, "AlgorithmError: x" if status == "Failed" else None)
    world.executions.resume()
    world.wait(arn)
    assert world.status(arn) == {"Completed": "Succeeded", "Failed": "Failed"}[status]


def kill_at(world: World, operation: str, *, after: bool) -> None:
    """The thread dies before or after this operation has done its work, as by kill -9."""
    real = world._call

    def call(name: str, request: dict[str, Any]) -> dict[str, Any]:
        if name == f"sagemaker:{operation}":
            if after:
                real(name, request)
            raise Killed
        return real(name, request)

    world._call = call


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("operation", "step"),
    [
        ("CreateProcessingJob", processing("S")),
        ("CreateTrainingJob", training("S")),
        ("CreateModel", {**MODEL, "Name": "S"}),
        ("CreateModelPackage", {**REGISTER, "Name": "S"}),
    ],
)
def test_a_kill_around_a_create_makes_it_exactly_once(
    world: World, operation: str, step: dict[str, Any], after: bool
) -> None:
    kill_at(world, operation, after=after)
    world.create([step])
    arn = world.start()
    until(lambda: f"sagemaker:{operation}" in world.calls)
    restarted(world)
    world.executions.resume()
    world.wait(arn)
    assert world.statuses(arn) == {"S": "Succeeded"}
    kind = {"CreateProcessingJob": "processing-job", "CreateTrainingJob": "training-job"}.get(
        operation, "model" if operation == "CreateModel" else "model-package"
    )
    assert len(world.records.list(kind)) == 1


def test_an_execution_that_was_stopping_is_stopped_after_a_kill(world: World) -> None:
    world.plan = {"A": hang}
    world.processing.deaf = True
    world.create([processing("A")])
    arn = world.start()
    world.job_of(arn, "A")
    world.sagemaker("StopPipelineExecution", PipelineExecutionArn=arn)
    restarted(world)
    world.executions.resume()
    world.wait(arn)
    assert (world.status(arn), world.statuses(arn)) == ("Stopped", {"A": "Stopped"})


def test_model_and_registration(world: World) -> None:
    world.put("model.tar.gz", b"x")
    uses = {"Model": get("Steps.Make.ModelName"), "Package": get("Steps.Register.ModelPackageArn")}
    arn = world.run([MODEL, REGISTER, processing("Use", Environment=uses)])
    steps = world.steps(arn)
    assert world.statuses(arn) == dict.fromkeys(["Make", "Register", "Use"], "Succeeded")
    assert set(steps["Make"]["Metadata"]) == {"Model"}
    package = steps["Register"]["Metadata"]["RegisterModel"]["Arn"]
    assert package == "arn:aws:sagemaker:us-east-1:123456789012:model-package/group/1"
    assert world.processing.requests[0]["Environment"]["Package"] == package
    described = world.sagemaker("DescribeModelPackage", ModelPackageName=package)
    assert described["MetadataProperties"] == {"GeneratedBy": arn}
    assert world.run([MODEL, REGISTER]) and len(world.records.list("model-package")) == 2


def test_what_a_definition_says_of_its_origin_wins(world: World) -> None:
    said = {"MetadataProperties": {"GeneratedBy": "me", "CommitId": "abc"}}
    arn = world.run([{**REGISTER, "Arguments": {**REGISTER["Arguments"], **said}}])
    package = world.steps(arn)["Register"]["Metadata"]["RegisterModel"]["Arn"]
    described = world.sagemaker("DescribeModelPackage", ModelPackageName=package)
    assert described["MetadataProperties"] == said["MetadataProperties"]


def test_resume_leaves_alone_what_was_started_after_the_service(world: World) -> None:
    world.plan = {"A": hang}
    world.create([processing("A")])
    arn = world.start()
    world.job_of(arn, "A")
    world.executions.resume()
    world.processing.end(world.job_of(arn, "A"), "Completed")
    world.wait(arn)
    assert world.calls.count("sagemaker:CreateProcessingJob") == 1
    assert world.calls.count("sagemaker:DescribeProcessingJob") <= 2


def test_an_execution_whose_definition_is_no_longer_accepted_ends(world: World) -> None:
    world.plan = {"A": hang}
    world.create([processing("A")])
    arn = world.start()
    world.job_of(arn, "A")
    world.close()
    world.open()
    for key, body in world.records.items("pipeline-version"):
        world.records.put("pipeline-version", key, {**body, "_definition": '{"Steps": [], "Colour": "red"}'})
    world.executions.resume()
    assert world.status(arn) == "Failed"
    assert "unknown property 'Colour'" in world.describe(arn)["FailureReason"]
