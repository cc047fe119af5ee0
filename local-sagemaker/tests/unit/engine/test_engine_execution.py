"""Executions from start to end: order, parallelism, failure, triggers, branches, retry policies."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from local_sagemaker.engine import retry
from local_sagemaker.engine.definition import RetryPolicy
from local_sagemaker.errors import ServiceError, ValidationError
from tests.unit.engine.world import World, fails, get, hang, processing, training, until


def fail_step(name: str, message: Any = "no", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **more}


def condition(name: str, left: Any, right: Any, yes: list[Any], no: list[Any], kind: str = "Equals") -> dict[str, Any]:
    test = {"Type": kind, "LeftValue": left, "RightValue": right}
    return {"Name": name, "Type": "Condition", "Arguments": {"Conditions": [test], "IfSteps": yes, "ElseSteps": no}}


def test_steps_run_in_the_order_of_the_graph_not_of_the_document(world: World) -> None:
    uses = {"Input": get("Steps.A.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri")}
    arn = world.run([processing("C", DependsOn=["B"]), processing("B", Environment=uses), processing("A")])
    assert world.status(arn) == "Succeeded"
    assert list(world.steps(arn)) == ["A", "B", "C"]
    assert world.processing.requests[1]["Environment"] == {"Input": "s3://bucket/A/out"}


def test_a_step_record_has_the_recorded_form(world: World) -> None:
    arn = world.run([processing("A", DisplayName="First", Description="does it")])
    step = world.steps(arn)["A"]
    assert set(step) == {
        "StepName", "StepDisplayName", "StepDescription", "StartTime", "EndTime", "StepStatus", "AttemptCount",
        "Metadata",
    }  # fmt: skip
    assert (step["StepDisplayName"], step["StepDescription"], step["AttemptCount"]) == ("First", "does it", 1)
    name = world.job_of(arn, "A")
    assert name.startswith(f"pipelines-{arn.rsplit('/', 1)[-1]}-A-") and len(name.rsplit("-", 1)[-1]) == 10


def test_job_names_cut_the_step_to_twenty_characters(world: World) -> None:
    arn = world.run([processing("abcdefghijklmnopqrstuvwxyz_0123456789")])
    assert f"{arn.rsplit('/', 1)[-1]}-abcdefghijklmnopqrst-" in world.job_of(
        arn, "abcdefghijklmnopqrstuvwxyz_0123456789"
    )


def test_a_custom_job_prefix_is_kept_and_made_unique(world: World) -> None:
    arn = world.run([processing("A", ProcessingJobName="my-prefix")])
    name = world.job_of(arn, "A")
    assert name.startswith(f"my-prefix-{arn.rsplit('/', 1)[-1]}-") and len(name) <= 63


@pytest.mark.parametrize(("limit", "listed"), [(1, 1), (2, 2), (None, 3)])
def test_parallelism_hides_the_steps_that_wait(world: World, limit: int | None, listed: int) -> None:
    world.plan = dict.fromkeys("ABC", hang)
    world.create([processing(name) for name in "ABC"])
    more = {"ParallelismConfiguration": {"MaxParallelExecutionSteps": limit}} if limit else {}
    arn = world.start(**more)
    until(lambda: list(world.statuses(arn).values()) == ["Executing"] * listed)
    if limit:
        assert world.describe(arn)["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": limit}
        world.sagemaker(
            "UpdatePipelineExecution",
            PipelineExecutionArn=arn,
            ParallelismConfiguration={"MaxParallelExecutionSteps": 3},
        )
        until(lambda: len(world.steps(arn)) == 3)


def test_a_failed_step_fails_the_execution_but_not_what_is_independent(world: World) -> None:
    world.plan = {"Bad": fails("AlgorithmError: RuntimeError('x')")}
    arn = world.run([processing("Bad"), processing("After", DependsOn=["Bad"]), processing("Other")])
    assert world.statuses(arn) == {"Bad": "Failed", "Other": "Succeeded"}
    assert world.steps(arn)["Bad"]["FailureReason"] == "ClientError: AlgorithmError: RuntimeError('x')"
    assert world.describe(arn)["FailureReason"] == "Step failure: One or multiple steps failed."
    summary = world.sagemaker("ListPipelineExecutions", PipelineName="P")["PipelineExecutionSummaries"][0]
    assert summary["PipelineExecutionFailureReason"] == "Step failure: One or multiple steps failed."


def test_a_long_reason_is_cut(world: World) -> None:
    world.plan = {"Bad": fails("x" * 3000)}
    arn = world.run([processing("Bad")])
    assert len(world.steps(arn)["Bad"]["FailureReason"]) == 1024


def test_a_refused_create_names_the_operation(world: World) -> None:
    world.refuse["Bad"] = [ValidationError('No S3 objects found under S3 URL "s3://b/x".')]
    arn = world.run([processing("Bad")])
    assert world.steps(arn)["Bad"]["FailureReason"] == (
        "ClientError: Failed to invoke sagemaker:CreateProcessingJob. "
        'Error Details: No S3 objects found under S3 URL "s3://b/x".'
    )


@pytest.mark.parametrize(
    ("trigger", "work", "ran", "status"),
    [
        ("Failed", fails("x"), True, "CompletedWithFailures"),
        ("Any", fails("x"), True, "CompletedWithFailures"),
        ("Stopped", fails("x"), False, "Failed"),
        ("Completed", fails("x"), False, "Failed"),
        ("Failed", None, False, "Succeeded"),
        ("Any", None, True, "Succeeded"),
    ],
)
def test_triggers(world: World, trigger: str, work: Any, ran: bool, status: str) -> None:
    world.plan = {"A": work} if work else {}
    arn = world.run([processing("A"), processing("B", DependsOn=[{"Step": "A", "Trigger": trigger}])])
    assert ("B" in world.steps(arn), world.status(arn)) == (ran, status)


def handler(path: str) -> list[dict[str, Any]]:
    """A step, and one that runs whatever becomes of it and reads a property of it."""
    uses = {"E": get(f"Steps.A.{path}")}
    return [processing("A"), processing("B", DependsOn=[{"Step": "A", "Trigger": "Any"}], Environment=uses)]


def test_the_handler_of_a_failure_sees_the_job_that_failed(world: World) -> None:
    world.plan = {"A": fails("x")}
    arn = world.run(handler("ProcessingJobName"))
    assert world.statuses(arn) == {"A": "Failed", "B": "Succeeded"}
    assert world.processing.requests[1]["Environment"] == {"E": world.job_of(arn, "A")}
    assert world.status(arn) == "CompletedWithFailures"


def test_the_handler_of_a_failure_fails_for_what_the_job_lacks(world: World) -> None:
    world.plan = {"A": fails("x")}
    arn = world.run(handler("ExitMessage"))
    assert world.statuses(arn) == {"A": "Failed", "B": "Failed"}
    assert "ExitMessage" in world.steps(arn)["B"]["FailureReason"]
    assert world.status(arn) == "Failed"


def test_a_step_that_made_no_job_has_no_properties(world: World) -> None:
    world.refuse["A"] = [ValidationError("no")]
    arn = world.run(handler("ProcessingJobName"))
    assert world.steps(arn)["B"]["FailureReason"].endswith("Step 'A' has no properties, since it did not succeed.")


@pytest.mark.parametrize(("value", "taken", "untaken"), [("1", "Yes", "No"), ("2", "No", "Yes")])
def test_only_the_taken_branch_runs(world: World, value: str, taken: str, untaken: str) -> None:
    branches = condition("If", get("Parameters.X"), 1, [processing("Yes")], [processing("No")])
    steps = [branches, *(processing(f"After{name}", DependsOn=[name]) for name in ("Yes", "No"))]
    arn = world.run(steps, {"X": value}, Parameters=[{"Name": "X", "Type": "Integer"}])
    assert world.statuses(arn) == dict.fromkeys(["If", taken, f"After{taken}"], "Succeeded")
    assert world.steps(arn)["If"]["Metadata"] == {"Condition": {"Outcome": str(value == "1")}}
    assert world.status(arn) == "Succeeded"


def test_nested_conditions_and_the_outcome_in_a_join(world: World) -> None:
    outcome = {"Std:Join": {"On": "", "Values": [get("Steps.If.Outcome"), "/", get("Parameters.B"), "/", 1.5]}}
    inner = condition("Inner", "a", "b", [], [processing("Deep", Environment={"E": outcome})])
    steps = [condition("If", 1, 1.0, [inner], [])]
    arn = world.run(steps, Parameters=[{"Name": "B", "Type": "Boolean", "DefaultValue": False}])
    assert list(world.steps(arn)) == ["If", "Inner", "Deep"]
    assert world.processing.requests[0]["Environment"] == {"E": "true/false/1.5"}


def test_incomparable_values_fail_the_condition(world: World) -> None:
    arn = world.run([condition("If", "text", 1, [processing("A")], [processing("B")], "LessThan")])
    assert world.statuses(arn) == {"If": "Failed"}
    assert "types of the values differ" in world.steps(arn)["If"]["FailureReason"]


def test_a_fail_step_ends_the_execution_after_what_runs(world: World) -> None:
    world.plan = {"Slow": hang}
    message = {"Std:Join": {"On": " ", "Values": ["Execution failed due to MSE >", get("Parameters.T")]}}
    steps = [processing("Slow"), processing("Next", DependsOn=["Slow"]), fail_step("Stop", message)]
    world.create(steps, Parameters=[{"Name": "T", "Type": "Float", "DefaultValue": 6.0}])
    arn = world.start(parameters={"T": "3.0"})
    until(lambda: world.statuses(arn) == {"Slow": "Executing", "Stop": "Failed"})
    assert world.status(arn) == "Executing"
    world.processing.end(world.job_of(arn, "Slow"), "Completed")
    world.wait(arn)
    assert (world.status(arn), world.statuses(arn)) == ("Failed", {"Slow": "Succeeded", "Stop": "Failed"})
    step = world.steps(arn)["Stop"]
    assert step["FailureReason"] == step["Metadata"]["Fail"]["ErrorMessage"] == "Execution failed due to MSE > 3.0"


def test_an_empty_fail_message_gives_no_reason(world: World) -> None:
    step = world.steps(world.run([fail_step("Stop", "")]))["Stop"]
    assert "FailureReason" not in step and step["Metadata"] == {"Fail": {"ErrorMessage": ""}}


def test_property_files_and_both_forms_of_json_get(world: World) -> None:
    world.put("A/out/report.json", {"m": {"mse": {"value": 4.9}}, "list": [1, {"x": "y"}]})
    file = {"PropertyFileName": "Report", "OutputName": "out", "FilePath": "report.json"}
    first = {"Std:JsonGet": {"PropertyFile": get("Steps.A.PropertyFiles.Report"), "Path": "m.mse.value"}}
    uri = {"Std:Join": {"On": "/", "Values": ["s3:/", "bucket", "A/out", "report.json"]}}
    second = {"Std:JsonGet": {"S3Uri": uri, "Path": "$.list[1]['x']"}}
    steps = [
        processing("A", PropertyFiles=[file]),
        condition("If", first, 6, [processing("B", Environment={"E": second, "F": first})], [], "LessThanOrEqualTo"),
    ]
    arn = world.run(steps)
    assert world.steps(arn)["If"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    assert world.processing.requests[1]["Environment"] == {"E": "y", "F": "4.9"}


@pytest.mark.parametrize(
    ("content", "path", "text"),
    [
        (None, "a", "there is no such object"),
        (b"{", "a", "does not hold JSON"),
        ({"b": 1}, "a.x", "Unable to resolve JSON path 'a.x'"),
    ],
)
def test_json_get_that_finds_nothing_fails_the_consumer(world: World, content: Any, path: str, text: str) -> None:
    if content is not None:
        world.put("x.json", content)
    expression = {"Std:JsonGet": {"S3Uri": "s3://bucket/x.json", "Path": path}}
    arn = world.run([processing("A", Environment={"E": expression})])
    assert world.statuses(arn) == {"A": "Failed"} and text in world.steps(arn)["A"]["FailureReason"]


@pytest.mark.parametrize("content", [b"[" * 5000 + b"]" * 5000, b'{"a":' * 300 + b"1" + b"}" * 300, b"1" * 5000])
def test_json_that_is_not_read_fails_the_consumer_at_once(world: World, content: bytes) -> None:
    world.put("deep.json", content)
    expression = {"Std:JsonGet": {"S3Uri": "s3://bucket/deep.json", "Path": "a"}}
    arn = world.run([processing("B", Environment={"E": expression})])
    step = world.steps(arn)["B"]
    assert step["FailureReason"].startswith("ClientError: s3://bucket/deep.json does not hold JSON: ")
    assert step["AttemptCount"] == 1 and world.status(arn) == "Failed"


def test_a_property_that_is_not_there_fails_the_consumer(world: World) -> None:
    arn = world.run([processing("A"), processing("B", Environment={"E": get("Steps.A.ExitMessage")})])
    assert "Unable to resolve 'Steps.A.ExitMessage'" in world.steps(arn)["B"]["FailureReason"]
    assert world.status(arn) == "Failed"


def test_arguments_get_the_types_of_the_api(world: World) -> None:
    def read(path: str) -> dict[str, Any]:
        return {"Std:JsonGet": {"S3Uri": "s3://bucket/values.json", "Path": path}}

    world.put("values.json", {"whole": 2, "text": "30", "real": 6.0, "truth": True})
    resources = {"ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": get("Parameters.N")}}
    resources["ClusterConfig"]["VolumeSizeInGB"] = read("text")
    parameters = [{"Name": "N", "Type": "Integer", "DefaultValue": 2}]
    variables = {name: read(name) for name in ("whole", "text", "real", "truth")}
    steps = [
        processing("A", ProcessingResources=resources, Environment=variables),
        training("T", HyperParameters={"depth": "5", "eta": read("real")}, EnableNetworkIsolation=read("truth")),
    ]
    world.run(steps, Parameters=parameters)
    cluster = world.processing.requests[0]["ProcessingResources"]["ClusterConfig"]
    assert (cluster["InstanceCount"], cluster["VolumeSizeInGB"]) == (2, 30)
    assert world.processing.requests[0]["Environment"] == {"whole": "2", "text": "30", "real": "6.0", "truth": "true"}
    assert world.training.requests[0]["HyperParameters"] == {"depth": "5", "eta": "6.0"}
    assert world.training.requests[0]["EnableNetworkIsolation"] is True


def test_execution_variables(world: World) -> None:
    names = ["PipelineName", "PipelineArn", "PipelineExecutionId", "PipelineExecutionArn", "ProcessingJobName"]
    arn = world.run([processing("A", Environment={name: get(f"Execution.{name}") for name in names})])
    assert world.processing.requests[0]["Environment"] == {
        "PipelineName": "P",
        "PipelineArn": arn.split("/execution")[0],
        "PipelineExecutionId": arn.rsplit("/", 1)[-1],
        "PipelineExecutionArn": arn,
        "ProcessingJobName": world.job_of(arn, "A"),
    }


def test_experiment_and_trial_are_made_once_and_given_to_jobs(world: World) -> None:
    config = {"ExperimentName": get("Execution.PipelineName"), "TrialName": get("Execution.PipelineExecutionId")}
    steps = [processing("A", ExperimentConfig={"TrialComponentDisplayName": "shown"})]
    world.run(steps, PipelineExperimentConfig=config)
    arn = world.run(steps, PipelineExperimentConfig=config)
    named = {"ExperimentName": "p", "TrialName": arn.rsplit("/", 1)[-1]}
    assert world.describe(arn)["PipelineExperimentConfig"] == named
    assert world.processing.requests[-1]["ExperimentConfig"] == {**named, "TrialComponentDisplayName": "shown"}
    assert [body["ExperimentName"] for body in world.records.list("experiment")] == ["p"]
    assert len(world.records.list("experiment-trial")) == 2


def test_an_internal_job_error_is_retried_by_policy(world: World) -> None:
    tries: list[str] = []

    def work(job: dict[str, Any]) -> None:
        tries.append(job["ProcessingJobName"])
        if len(tries) < 3:
            raise RuntimeError("InternalServerError: try again.")

    world.plan = {"A": work}
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": 1, "BackoffRate": 0.01}
    arn = world.run([processing("A", RetryPolicies=[policy]), processing("B", DependsOn=["A"])])
    assert world.statuses(arn) == {"A": "Succeeded", "B": "Succeeded"}
    assert world.steps(arn)["A"]["AttemptCount"] == 3 and len(set(tries)) == 3


def test_a_service_fault_is_retried_without_a_policy(world: World) -> None:
    world.refuse["A"] = [ServiceError("out of order")]
    arn = world.run([processing("A")])
    assert (world.status(arn), world.steps(arn)["A"]["AttemptCount"]) == ("Succeeded", 2)


FAULT, LIMIT = "Step.SERVICE_FAULT", "SageMaker.RESOURCE_LIMIT"


@pytest.mark.parametrize(
    ("policies", "cause", "retries", "elapsed", "expected"),
    [
        ((), FAULT, 0, 0, 1.0),
        ((), FAULT, 2, 3, 4.0),
        ((), FAULT, 3, 7, None),
        ((), LIMIT, 0, 0, None),
        ((), None, 0, 0, None),
        ((RetryPolicy((FAULT,), max_attempts=0),), FAULT, 0, 0, None),
        ((RetryPolicy((LIMIT,), 30, 1.5),), LIMIT, 1, 0, 45.0),
        ((RetryPolicy((LIMIT,), 30, 1.5),), LIMIT, 5, 0, None),
        ((RetryPolicy((LIMIT,), 30, 1.0, None, 60),), LIMIT, 1, 30, 30.0),
        ((RetryPolicy((LIMIT,), 30, 1.0, None, 60),), LIMIT, 1, 31, None),
        ((RetryPolicy((LIMIT,)),), FAULT, 0, 0, 1.0),
    ],
)
def test_retry_decision(
    policies: tuple[RetryPolicy, ...], cause: str | None, retries: int, elapsed: float, expected: float | None
) -> None:
    assert retry.delay(policies, cause, retries, elapsed) == expected


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("ThrottlingException", "Step.THROTTLING"),
        ("InternalFailure", "Step.SERVICE_FAULT"),
        ("ResourceLimitExceeded", "SageMaker.RESOURCE_LIMIT"),
        ("ValidationException", None),
    ],
)
def test_causes_of_refusals(code: str, cause: str | None) -> None:
    assert retry.cause_of_error(ServiceError("x", code=code)) == cause


def test_a_job_that_ran_too_long_is_a_stopped_step_that_says_so(world: World) -> None:
    def work(job: dict[str, Any]) -> None:
        job.update(ProcessingStartTime=1.0, ProcessingEndTime=9.0, ProcessingJobStatus="Stopped")
        world.records.put("processing-job", job["ProcessingJobName"], job)

    world.plan = {"A": work}
    world.processing.last = "Stopped"
    arn = world.run([processing("A", StoppingCondition={"MaxRuntimeInSeconds": 5}), processing("B", DependsOn=["A"])])
    step = world.steps(arn)["A"]
    assert (step["StepStatus"], world.status(arn)) == ("Stopped", "Failed")
    assert (
        step["FailureReason"] == "ClientError: ProcessingJob exceeded its MaxRuntimeInSeconds of 5 s and was stopped."
    )
    assert list(world.steps(arn)) == ["A"]


def test_a_defect_in_an_operation_fails_the_step_only(world: World) -> None:
    policy = {"ExceptionType": ["Step.SERVICE_FAULT"], "MaxAttempts": 0}
    world.refuse["Bad"] = [KeyError("oops")]
    arn = world.run([processing("Bad", RetryPolicies=[policy]), processing("Other")])
    assert world.statuses(arn) == {"Bad": "Failed", "Other": "Succeeded"}
    assert world.steps(arn)["Bad"]["FailureReason"] == "InternalServerError: KeyError('oops')"


def test_two_hundred_independent_steps_all_run(world: World) -> None:
    arn = world.run([processing(f"S{number}") for number in range(200)])
    assert world.status(arn) == "Succeeded"
    first = world.sagemaker("ListPipelineExecutionSteps", PipelineExecutionArn=arn)
    second = world.sagemaker("ListPipelineExecutionSteps", PipelineExecutionArn=arn, NextToken=first["NextToken"])
    names = {step["StepName"] for page in (first, second) for step in page["PipelineExecutionSteps"]}
    assert len(names) == 200 and "NextToken" not in second


def test_no_thread_is_left(world: World) -> None:
    arn = world.run([processing("A")])
    name = f"execution-p/{arn.rsplit('/', 1)[-1]}"
    until(lambda: name not in [thread.name for thread in threading.enumerate()])
