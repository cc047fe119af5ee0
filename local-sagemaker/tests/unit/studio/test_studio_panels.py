"""What the panel of a step says besides states and logs: evaluated arguments, outputs, answers, masked values."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from local_sagemaker.config import Settings
from local_sagemaker.engine.definition import parse
from local_sagemaker.masking import MASK, mask_document
from local_sagemaker.records import Records
from local_sagemaker.studio.charts.line import Series
from local_sagemaker.studio.local_data import StudioReads
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.condition_decisions import decisions
from local_sagemaker.studio.pages.job_details import Artifact, load_job
from local_sagemaker.studio.pages.last_success import add_baseline, find_execution, find_job
from local_sagemaker.studio.pages.step_panel import load_panel
from local_sagemaker.studio.views.argument_values import EvaluatedArgument, evaluate_arguments
from local_sagemaker.studio.views.step_states import StepView

TUNING: dict[str, Any] = {
    "HyperParameterTuningJobName": "tune", "HyperParameterTuningJobStatus": "Completed", "CreationTime": 1.0,
    "HyperParameterTuningJobConfig": {
        "ParameterRanges": {
            "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.01", "MaxValue": "0.9"}],
            "CategoricalParameterRanges": [{"Name": "booster", "Values": ["gbtree", "dart"]}],
        },
    },
    "TrainingJobDefinition": {
        "AlgorithmSpecification": {"TrainingImage": "image:1"}, "StaticHyperParameters": {"num_round": "5"},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": "s3://b/train/"}}}],
        "OutputDataConfig": {"S3OutputPath": "s3://b/models"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
    },
    "BestTrainingJob": {"FinalHyperParameterTuningJobObjectiveMetric": {"MetricName": "rmse", "Value": 0.5}},
}  # fmt: skip


def visit_of(answers: dict[str, dict[str, Any]], **query: str) -> Visit:
    values = {name: [value] for name, value in query.items()}
    return Visit({}, values, lambda name, _request: answers.get(name, {}), None, "", 5.0)  # type: ignore[arg-type]


def test_expressions_stand_beside_their_values() -> None:
    """By the place in what Describe says; of a parameter alone, by the execution's value."""
    uri = {"Std:Join": {"On": "/", "Values": ["s3:/", {"Get": "Parameters.Bucket"}, "in"]}}
    arguments = {
        "ProcessingInputs": [{"InputName": "a"}, {"InputName": "b", "S3Input": {"S3Uri": uri}}],
        "Environment": {"MODE": {"Get": "Parameters.Mode"}}, "RoleArn": "r",
    }  # fmt: skip
    described = {"ProcessingInputs": [{}, {"S3Input": {"S3Uri": "s3://data/in"}}]}
    assert evaluate_arguments(arguments, described, {"Mode": "fast"}) == [
        EvaluatedArgument("ProcessingInputs[1].S3Input.S3Uri", "s3://{Parameters.Bucket}/in", "s3://data/in"),
        EvaluatedArgument("Environment.MODE", "Parameters.Mode", "fast"),
    ]


def test_expressions_of_secrets_have_their_references_only() -> None:
    """Before and after the job is there; in every container; all of it where the address wants it."""
    secret = {
        "Std:Join": {"On": "-", "Values": ["s3cr3t", {"Std:Join": {"Values": ["inner"]}}, {"Get": "Parameters.P"}]}
    }
    arguments = {
        "Environment": {"API_TOKEN": secret, "MODE": {"Get": "Parameters.P"}},
        "Containers": [{"Environment": {"A_KEY": {"Get": "Parameters.P"}}}],
    }  # fmt: skip
    described = {"Environment": {"API_TOKEN": "s3cr3t-inner-pw"}}
    for known in ({}, described):
        token, mode, key = evaluate_arguments(arguments, known, {"P": "pw"})
        assert token.expression == f"{MASK}-{{{MASK}}}-{{Parameters.P}}"
        assert token.value == (MASK if known else "")
        assert (mode.expression, mode.value) == ("Parameters.P", "pw")
        assert (key.expression, key.value) == ("Parameters.P", MASK)
    token, _, key = evaluate_arguments(arguments, described, {"P": "pw"}, is_masked=False)
    assert (token.expression, token.value) == ("s3cr3t-{inner}-{Parameters.P}", "s3cr3t-inner-pw")
    assert key.value == "pw"


def test_a_tuning_job_shows_what_it_varies_and_its_best() -> None:
    job = load_job(visit_of({"sagemaker:DescribeHyperParameterTuningJob": TUNING}), "tuning", "tune", tab="io")
    assert job.parameters == {"num_round": "5", "eta": "0.01 to 0.9", "booster": "gbtree, dart"}
    assert (job.image, job.instance, job.metrics) == ("image:1", "1 x ml.m5.large", {"best rmse": 0.5})
    assert [(item.name, item.uri) for item in (*job.inputs, *job.outputs)] == [
        ("train", "s3://b/train/"), ("models", "s3://b/models"),
    ]  # fmt: skip


def test_conditions_have_the_values_of_outputs() -> None:
    """Of a Lambda step; before it has run, the path alone."""
    path = "Steps.Call.OutputParameters['twice']"
    check = {"Type": "GreaterThan", "LeftValue": {"Get": path}, "RightValue": 3}
    outputs = [{"OutputName": "twice", "OutputType": "Integer"}]
    call = {"Name": "Call", "Type": "Lambda", "FunctionArn": "f", "Arguments": {}, "OutputParameters": outputs}
    arguments = {"Conditions": [check], "IfSteps": [], "ElseSteps": []}
    gate = {"Name": "Gate", "Type": "Condition", "Arguments": arguments}
    definition = parse(json.dumps({"Version": "2020-12-01", "Steps": [call, gate]}))
    steps: dict[str, Any] = {"Gate": {"Metadata": {"Condition": {"Outcome": "True"}}}}
    views = [StepView("Gate", "Condition", "Succeeded", "")]
    (before,), _ = decisions(visit_of({}), definition, views, {}, steps)
    steps["Call"] = {"Metadata": {"Lambda": {"OutputParameters": [{"Name": "twice", "Value": "4"}]}}}
    (after,), _ = decisions(visit_of({}), definition, views, {}, steps)
    assert (before.words, after.words) == ([f"{path} > 3"], [f"{path} 4 > 3"])


def test_a_callback_step_that_waits_is_answered_by_a_command() -> None:
    outputs = [{"OutputName": "good", "OutputType": "Boolean"}]
    definition = {"Steps": [{"Name": "Ask", "Type": "Callback", "Arguments": {}, "OutputParameters": outputs}]}
    steps = {"Ask": {"Metadata": {"Callback": {"CallbackToken": "t0ken", "SqsQueueUrl": "http://q"}}}}
    answers: dict[str, dict[str, Any]] = {"logs:GetLogEvents": {"events": []}}
    arn = "arn:aws:sagemaker:us-east-1:1:pipeline/p/execution/e"
    for state, names in (("Executing", ["succeed", "fail"]), ("Succeeded", [])):
        views = [StepView("Ask", "Callback", state, "")]
        panel = load_panel(visit_of(answers), views, steps, definition, arn, "Ask", {})
        assert panel is not None
        assert list(panel.callback_commands) == names
        for text in panel.callback_commands.values():
            words = shlex.split(text)
            assert words[words.index("--callback-token") + 1] == "t0ken"


def test_secrets_are_masked_unless_they_are_wanted() -> None:
    secret = {"API_KEY": "hidden", "MODE": "a"}
    job = {"ProcessingJobName": "p", "ProcessingJobStatus": "Completed", "CreationTime": 1.0, "Environment": secret}
    answers = {"sagemaker:DescribeProcessingJob": job, "logs:DescribeLogStreams": {"logStreams": []}}
    shown = load_job(visit_of(answers), "processing", "p", tab="parameters")
    assert shown.environment == {"API_KEY": MASK, "MODE": "a"}
    assert load_job(visit_of(answers, secrets="1"), "processing", "p", tab="parameters").environment == secret
    build = {"environmentVariables": [{"name": "A_TOKEN", "value": "hidden"}]}
    assert "hidden" not in json.dumps(mask_document([job, {"Environment": {"Variables": secret}}, build]))
    assert mask_document(job)["Environment"]["MODE"] == "a"


def test_curves_and_sizes_stand_beside_those_of_the_last_success(tmp_path: Path) -> None:
    """Of the newest execution that succeeded and was begun before: not the failed one, nor one begun later."""
    settings = Settings(home=tmp_path)
    records = Records(settings.records_file)
    arn, begun = (
        "arn:aws:sagemaker:us-east-1:1:pipeline/P/execution",
        {"old": 1.0, "good": 2.0, "bad": 3.0, "late": 9.0},
    )
    for name, created in begun.items():
        body = {"PipelineExecutionArn": f"{arn}/{name}", "CreationTime": created,
                "PipelineExecutionStatus": "Failed" if name == "bad" else "Succeeded"}  # fmt: skip
        records.put("pipeline-execution", f"p/{name}", body)

    def call(name: str, request: dict[str, Any]) -> dict[str, Any]:
        execution = str(request.get("PipelineExecutionArn", "")).rpartition("/")[2]
        if name == "sagemaker:DescribePipelineExecution":
            return {"CreationTime": begun[execution]}
        job = {"TrainingJob": {"Arn": f"arn:aws:sagemaker:us-east-1:1:training-job/{execution}-job"}}
        return {
            "sagemaker:ListPipelineExecutionSteps": {"PipelineExecutionSteps": [{"StepName": "T", "Metadata": job}]},
            "sagemaker:DescribeTrainingJob": {"TrainingJobStatus": "Completed", "CreationTime": 1.0},
            "logs:DescribeLogStreams": {"logStreams": []},
        }[name]  # fmt: skip

    visit = Visit({}, {}, call, StudioReads(settings, records, dict), "", 10.0)
    assert find_execution(visit, f"{arn}/now", 5.0) == f"{arn}/good"
    assert find_execution(visit, f"{arn}/old", 1.0) == ""
    before = find_job(visit, f"{arn}/good", "T", "training", "metrics")
    assert before is not None
    assert before.name == "good-job"
    assert find_job(visit, f"{arn}/good", "Other", "training", "metrics") is None
    curve = Series("rmse", ((0.0, 1.0), (1.0, 0.5)))
    then = replace(
        before, series=[curve], outputs=[Artifact("model", "s3://b/1", 1, 100), Artifact("same", "s3://b/s", 1, 5)]
    )
    now = replace(then, name="new", outputs=[Artifact("model", "s3://b/2", 1, 120), Artifact("same", "s3://b/s", 1, 5)])
    shown = add_baseline(now, then)
    assert [(item.name, item.kind) for item in shown.series] == [
        ("rmse", "current"),
        ("rmse, last success", "baseline"),
    ]
    assert [item.before for item in shown.outputs] == [100, None], "at one place S3 has the newest only"
    assert add_baseline(now, now) == now, "a result that was reused"
    records.close()
