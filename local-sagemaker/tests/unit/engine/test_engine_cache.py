"""Step caching: the key of each type member by member, expiry, lost results, and the explanations."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.engine.cache import EarlierRun, differences, look_up
from local_sagemaker.masking import MASK
from tests.unit.engine.test_engine_checks import check
from tests.unit.engine.world import World, fails, get, processing, training, tuning

ON = {"Enabled": True, "ExpireAfter": "P30D"}
CHANNEL = {
    "ChannelName": "train",
    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/data/1"}},
}
SOURCE = {"S3Uri": "s3://bucket/data/1", "LocalPath": "/opt/ml/processing/input", "S3DataType": "S3Prefix"}
INPUT = {"InputName": "data", "S3Input": {**SOURCE, "S3InputMode": "File"}}


def transform(**more: Any) -> dict[str, Any]:
    arguments = {
        "ModelName": "model-1",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/data/1"}},
            "ContentType": "text/csv",
        },
        "TransformOutput": {"S3OutputPath": "s3://bucket/transformed"},
        "TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
        **more,
    }
    return {"Name": "S", "Type": "Transform", "Arguments": arguments}


def deep(value: Any, path: str, new: Any) -> Any:
    """A copy with the member at a dotted path replaced."""
    head, _, rest = path.partition(".")
    if isinstance(value, list):
        return [deep(value[0], path, new), *value[1:]]
    return {**value, head: deep(value[head], rest, new) if rest else new}


PROCESSING = processing("S", Environment={"A": "1"}, ProcessingInputs=[INPUT])
TRAINING = training(
    "S",
    HyperParameters={"depth": "5"},
    InputDataConfig=[CHANNEL],
    Environment={"A": "1"},
    CheckpointConfig={"S3Uri": "s3://bucket/check/1"},
    DebugHookConfig={"S3OutputPath": "s3://bucket/debug/1"},
    DebugRuleConfigurations=[{"RuleConfigurationName": "r1", "RuleEvaluatorImage": "image"}],
)
TRANSFORM = transform(Environment={"A": "1"}, DataProcessing={"InputFilter": "$[1:]"})
OBJECTIVE = {"Type": "Minimize", "MetricName": "loss"}
TUNING = tuning("S", StaticHyperParameters={"depth": "5"}, InputDataConfig=[CHANNEL], TuningObjective=OBJECTIVE)
JOB, CONFIG = "Arguments.TrainingJobDefinition", "HyperParameterTuningJobConfig"
SOURCE_URI = "InputDataConfig.DataSource.S3DataSource.S3Uri"
CLUSTER = "Arguments.ProcessingResources.ClusterConfig"
CHECK = {**check("DATA_QUALITY", SkipCheck=True, RegisterNewBaseline=True, ModelPackageGroupName="G"), "Name": "S"}
CHECK["Arguments"]["ProcessingInputs"] = [INPUT]
BASELINE = {"SuppliedBaselineStatistics": "s3://bucket/s.json", "SuppliedBaselineConstraints": "s3://bucket/c.json"}
CHECK |= BASELINE

KEYS: list[tuple[dict[str, Any], str, Any, str | None]] = [
    (PROCESSING, "Arguments.AppSpecification.ImageUri", "other", "AppSpecification"),
    (PROCESSING, "Arguments.AppSpecification.ContainerEntrypoint", ["x"], "AppSpecification"),
    (PROCESSING, "Arguments.Environment", {"A": "2"}, "Environment"),
    (PROCESSING, "Arguments.ProcessingInputs.S3Input.S3Uri", "s3://bucket/data/2", "ProcessingInputs"),
    (PROCESSING, f"{CLUSTER}.InstanceType", "ml.m5.large", None),
    (PROCESSING, f"{CLUSTER}.InstanceCount", 2, None),
    (PROCESSING, "Arguments.RoleArn", "arn:aws:iam::123456789012:role/Other", None),
    (PROCESSING, "Arguments.ProcessingOutputConfig.Outputs.S3Output.S3Uri", "s3://bucket/elsewhere", None),
    (TRAINING, "Arguments.AlgorithmSpecification.TrainingImage", "other", "AlgorithmSpecification"),
    (TRAINING, "Arguments.CheckpointConfig.S3Uri", "s3://bucket/check/2", "CheckpointConfig"),
    (TRAINING, "Arguments.DebugHookConfig.S3OutputPath", "s3://bucket/debug/2", "DebugHookConfig"),
    (TRAINING, "Arguments.DebugRuleConfigurations.RuleConfigurationName", "r2", "DebugRuleConfigurations"),
    (TRAINING, "Arguments.Environment", {"A": "1", "B": "2"}, "Environment"),
    (TRAINING, "Arguments.HyperParameters.depth", "6", "HyperParameters"),
    (TRAINING, "Arguments.InputDataConfig.DataSource.S3DataSource.S3Uri", "s3://bucket/data/2", "InputDataConfig"),
    (TRAINING, "Arguments.ResourceConfig.InstanceType", "ml.m5.large", None),
    (TRAINING, "Arguments.OutputDataConfig.S3OutputPath", "s3://bucket/other", None),
    (TRAINING, "Arguments.StoppingCondition.MaxRuntimeInSeconds", 60, None),
    (TRANSFORM, "Arguments.DataProcessing.InputFilter", "$", "DataProcessing"),
    (TRANSFORM, "Arguments.Environment", {"A": "2"}, "Environment"),
    (TRANSFORM, "Arguments.ModelName", "model-2", "ModelName"),
    (TRANSFORM, "Arguments.TransformInput.ContentType", "text/plain", "TransformInput"),
    (TRANSFORM, "Arguments.TransformResources.InstanceType", "ml.m5.large", None),
    (TRANSFORM, "Arguments.TransformOutput.S3OutputPath", "s3://bucket/other", None),
    (TUNING, f"Arguments.{CONFIG}.Strategy", "Bayesian", CONFIG),
    (TUNING, f"Arguments.{CONFIG}.ResourceLimits.MaxNumberOfTrainingJobs", 3, CONFIG),
    (TUNING, f"{JOB}.AlgorithmSpecification.TrainingImage", "other", "TrainingJobDefinition"),
    (TUNING, f"{JOB}.StaticHyperParameters.depth", "6", "TrainingJobDefinition"),
    (TUNING, f"{JOB}.{SOURCE_URI}", "s3://bucket/data/2", "TrainingJobDefinition"),
    (TUNING, f"{JOB}.TuningObjective.Type", "Maximize", "TrainingJobDefinition"),
    (TUNING, f"{JOB}.OutputDataConfig.S3OutputPath", "s3://bucket/other", None),
    (TUNING, f"{JOB}.ResourceConfig.InstanceType", "ml.m5.large", None),
    (CHECK, "Arguments.ProcessingInputs.S3Input.S3Uri", "s3://bucket/data/2", "ProcessingInputs"),
    (CHECK, "Arguments.Environment", {"A": "2"}, "Environment"),
    (CHECK, "CheckType", "MODEL_QUALITY", "CheckType"),
    (CHECK, "SkipCheck", False, "SkipCheck"),
    (CHECK, "RegisterNewBaseline", False, "RegisterNewBaseline"),
    (CHECK, "ModelPackageGroupName", "H", "ModelPackageGroupName"),
    (CHECK, "SuppliedBaselineStatistics", "s3://bucket/t.json", "SuppliedBaselineStatistics"),
    (CHECK, "SuppliedBaselineConstraints", "s3://bucket/d.json", "SuppliedBaselineConstraints"),
    (CHECK, "Arguments.ProcessingOutputConfig.Outputs.S3Output.S3Uri", "s3://bucket/elsewhere", None),
    (CHECK, f"{CLUSTER}.InstanceType", "ml.m5.large", None),
]


@pytest.mark.parametrize(("step", "path", "new", "member"), KEYS)
def test_each_row_of_the_keys(world: World, step: dict[str, Any], path: str, new: Any, member: str | None) -> None:
    step = {**step, "CacheConfig": ON}
    first = world.run([step])
    assert world.status(first) == "Succeeded"
    assert world.cache_text(first, "S") == "Cache miss: no earlier run of this step has succeeded."
    second = world.run([deep(step, path, new)])
    told, record = world.cache_text(second, "S"), world.steps(second)["S"]
    if member is None:
        assert told.startswith(f"Cache hit: execution {first.rsplit('/', 1)[-1]} ran this step")
        assert record["CacheHitResult"] == {"SourcePipelineExecutionArn": first}
        assert record["Metadata"] == world.steps(first)["S"]["Metadata"]
    else:
        assert told.startswith(f"Cache miss: {member} differs from the newest run (execution ")
        assert "CacheHitResult" not in record and record["Metadata"] != world.steps(first)["S"]["Metadata"]


def test_the_explanation_says_from_what_to_what(world: World) -> None:
    world.run([{**PROCESSING, "CacheConfig": ON}])
    arn = world.run([{**deep(PROCESSING, "Arguments.Environment", {"A": "2", "B": "x"}), "CacheConfig": ON}])
    assert world.cache_text(arn, "S").endswith('Environment.A was "1", is "2"; Environment.B was absent, is "x".')


def test_the_explanation_has_no_secret(world: World) -> None:
    """Of a variable that changed, that came, and that came with all the others."""
    bare = processing("S", ProcessingInputs=[INPUT])
    versions = ({"A_KEY": "s3cr3t", "B": "1"}, {"A_KEY": "s3cr3t2", "B": "1"}, {"B_TOKEN": "s3cr3t"})
    texts = []
    for step in (bare, *(deep(PROCESSING, "Arguments.Environment", item) for item in versions)):
        arn = world.run([{**step, "CacheConfig": ON}])
        texts.append(world.cache_text(arn, "S"))
    assert "s3cr3t" not in "".join(texts)
    assert texts[2].endswith(f'Environment.A_KEY was "{MASK}", is "{MASK}".')
    assert f'Environment.A_KEY was "{MASK}", is absent' in texts[3]
    assert "Environment" in texts[1]


def test_a_hit_makes_no_job_and_hands_on_the_old_properties(world: World) -> None:
    uses = {"E": get("Steps.S.ProcessingJobName")}
    steps = [{**PROCESSING, "CacheConfig": ON}, processing("Use", Environment=uses)]
    first, second = world.run(steps), world.run(steps)
    assert len(world.processing.requests) == 3
    assert world.processing.requests[-1]["Environment"] == {"E": world.job_of(first, "S")}
    third = world.run(steps)
    assert world.steps(third)["S"]["CacheHitResult"] == {"SourcePipelineExecutionArn": first}
    assert world.steps(second)["S"]["AttemptCount"] == 1


def test_a_failed_run_is_not_used(world: World) -> None:
    world.plan = {"S": fails("x")}
    steps = [{**PROCESSING, "CacheConfig": ON}]
    world.run(steps)
    world.plan = {}
    assert "no earlier run" in world.cache_text(world.run(steps), "S")


def test_without_cache_config_nothing_is_reused_but_a_later_run_may(world: World) -> None:
    world.run([PROCESSING])
    assert "CacheHitResult" not in world.steps(world.run([PROCESSING]))["S"]
    assert "CacheHitResult" in world.steps(world.run([{**PROCESSING, "CacheConfig": ON}]))["S"]


def test_other_pipelines_are_not_asked(world: World) -> None:
    steps = [{**PROCESSING, "CacheConfig": ON}]
    world.run(steps)
    world.create(steps, name="Q")
    arn = world.wait(world.start("Q"))
    assert "CacheHitResult" not in world.steps(arn)["S"]


def test_lost_outputs_make_a_miss_that_says_so(world: World) -> None:
    def work(_: dict[str, Any]) -> None:
        world.put("S/out/part-0.csv", b"1")

    world.plan = {"S": work}
    steps = [{**PROCESSING, "CacheConfig": ON}]
    world.run(steps)
    assert "CacheHitResult" in world.steps(world.run(steps))["S"]
    world.objects.delete("bucket", "S/out/part-0.csv")
    arn = world.run(steps)
    assert "its output s3://bucket/S/out no longer exists" in world.cache_text(arn, "S")


def test_a_changed_clarify_configuration_is_another_check(world: World) -> None:
    step = {**check("DATA_BIAS", SkipCheck=True, RegisterNewBaseline=True), "CacheConfig": ON}
    world.put("conf/analysis_config.json", {"label": "y"})
    world.run([step])
    assert "CacheHitResult" in world.steps(world.run([step]))["Check"]
    world.put("conf/analysis_config.json", {"label": "z"})
    assert 'AnalysisConfig.label was "y", is "z"' in world.cache_text(world.run([step]), "Check")


def run(ended: float, value: int, execution: str = "arn:x/execution/e1") -> EarlierRun:
    return EarlierRun(execution, ended, {"A": value}, {})


def test_the_newest_run_within_its_age_wins() -> None:
    runs = [run(200, 2, "e3"), run(100, 1, "e2"), run(50, 1, "e1")]
    answer = look_up({"A": 1}, runs, now=300, expire_after=250, lost=lambda _: None)
    assert answer.run is runs[1]
    expired = look_up({"A": 1}, runs, now=300, expire_after=150, lost=lambda _: None)
    assert expired.run is None and "has expired (200 s old, ExpireAfter is 150 s)" in expired.text


def test_a_run_whose_results_are_lost_gives_way_to_an_older_one() -> None:
    runs = [run(100, 1, "e2"), run(50, 1, "e1")]
    answer = look_up({"A": 1}, runs, now=300, expire_after=None, lost=lambda item: "gone" if item is runs[0] else None)
    assert answer.run is runs[1]


def test_differences_name_list_members() -> None:
    old = {"L": [{"ChannelName": "a", "X": 1}], "M": {"x": 1}}
    new = {"L": [{"ChannelName": "a", "X": 2}, {"ChannelName": "b"}], "M": {"x": 1}}
    assert list(differences(old, new)) == [("L['a'].X", 1, 2), ("L['b']", None, {"ChannelName": "b"})]
