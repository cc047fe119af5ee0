"""Hyperparameter tuning jobs through boto3: real training jobs, their order, their best, and what is refused."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_sagemaker.tuning.bayesian import best
from local_sagemaker.tuning.ranges import parse
from local_sagemaker.tuning.sampling import Observation, SearchState
from tests.integration import tuning
from tests.support import SCIKIT_LEARN, XGBOOST, Service, until

SQUARE = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("-x", type=float)
parser.add_argument("--fail", default="")
arguments = parser.parse_args()
assert not arguments.fail, "asked to fail"
print(f"loss={(arguments.x - 0.3) ** 2}")
"""


@pytest.fixture(scope="module")
def bucket(service: Service) -> str:
    """Data for the algorithm."""
    return tuning.bucket(service)


@pytest.fixture(scope="module")
def random_job(service: Service, bucket: str) -> dict[str, Any]:
    """A finished tuning job of five training jobs at random."""
    tags = [{"Key": "team", "Value": "red"}]
    name = tuning.tune(
        service,
        HyperParameterTuningJobConfig=tuning.config(5, RandomSeed=3),
        TrainingJobDefinition=tuning.definition(bucket),
        Tags=tags,
    )
    return tuning.ended(service, name)


def test_a_random_search(service: Service, random_job: dict[str, Any]) -> None:
    name = random_job["HyperParameterTuningJobName"]
    assert random_job["HyperParameterTuningJobStatus"] == "Completed"
    assert random_job["HyperParameterTuningJobArn"].endswith(f":hyper-parameter-tuning-job/{name}")
    assert random_job["TrainingJobStatusCounters"] == {
        "Completed": 5, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 0,
    }  # fmt: skip
    assert random_job["ObjectiveStatusCounters"] == {"Succeeded": 5, "Pending": 0, "Failed": 0}
    jobs = tuning.training_jobs(service, name)
    assert [job["TrainingJobName"].rsplit("-", 1)[0] for job in jobs] == [f"{name}-00{n}" for n in range(1, 6)]
    for job in jobs:
        assert 0.01 <= float(job["TunedHyperParameters"]["eta"]) <= 0.9
        assert 1 <= int(job["TunedHyperParameters"]["max_depth"]) <= 6
    assert len({job["TunedHyperParameters"]["eta"] for job in jobs}) == 5
    best = random_job["BestTrainingJob"]
    values = [job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for job in jobs]
    final = best["FinalHyperParameterTuningJobObjectiveMetric"]
    assert final == {"Type": "Minimize", "MetricName": "validation:rmse", "Value": min(values)}
    ranked = tuning.training_jobs(service, name, SortBy="FinalObjectiveMetricValue", SortOrder="Ascending")
    assert ranked[0] == best
    assert [job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for job in ranked] == sorted(values)


def test_the_training_jobs_are_real(service: Service, random_job: dict[str, Any], bucket: str) -> None:
    sagemaker = tuning.client(service)
    best = random_job["BestTrainingJob"]
    job = sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert job["TuningJobArn"] == random_job["HyperParameterTuningJobArn"]
    assert job["HyperParameters"] == {
        "_tuning_objective_metric": "validation:rmse", "num_round": "5", "objective": "reg:squarederror",
        "nthread": "1", **best["TunedHyperParameters"],
    }  # fmt: skip
    metrics = {one["MetricName"]: one["Value"] for one in job["FinalMetricDataList"]}
    assert metrics["validation:rmse"] == best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{bucket}/")
    assert service.client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"] > 0
    for arn in (job["TrainingJobArn"], random_job["HyperParameterTuningJobArn"]):
        assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "red"}]


def test_a_seed_gives_the_same_points_again(service: Service, random_job: dict[str, Any], bucket: str) -> None:
    name = tuning.tune(
        service,
        HyperParameterTuningJobConfig=tuning.config(5, 5, RandomSeed=3),
        TrainingJobDefinition=tuning.definition(bucket),
    )
    again = tuning.ended(service, name)
    first = tuning.training_jobs(service, random_job["HyperParameterTuningJobName"])
    assert [job["TunedHyperParameters"] for job in tuning.training_jobs(service, name)] == [
        job["TunedHyperParameters"] for job in first
    ]
    value = random_job["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    assert again["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == value


def test_lists_search_and_delete(service: Service, random_job: dict[str, Any]) -> None:
    sagemaker, name = tuning.client(service), random_job["HyperParameterTuningJobName"]
    (summary,) = sagemaker.list_hyper_parameter_tuning_jobs(NameContains=name)["HyperParameterTuningJobSummaries"]
    assert summary["Strategy"] == "Random"
    assert summary["TrainingJobStatusCounters"]["Completed"] == 5
    assert summary["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 5, "MaxParallelTrainingJobs": 2}
    filters = [{"Name": "HyperParameterTuningJobName", "Operator": "Equals", "Value": name}]
    found = sagemaker.search(Resource="HyperParameterTuningJob", SearchExpression={"Filters": filters})["Results"]
    assert found[0]["HyperParameterTuningJob"]["BestTrainingJob"] == random_job["BestTrainingJob"]


def test_parallel_jobs_are_limited_and_stop_stops_them(service: Service, bucket: str) -> None:
    waiting = "import time\nprint('loss=1', flush=True)\ntime.sleep(600)"
    name = tuning.tune(
        service,
        HyperParameterTuningJobConfig=tuning.loss(6, 2),
        TrainingJobDefinition=tuning.script(service, bucket, waiting),
    )
    until(lambda: sum("TrainingStartTime" in job for job in tuning.training_jobs(service, name)) == 2, "two run")
    running = tuning.described(service, name)
    assert running["TrainingJobStatusCounters"]["InProgress"] == 2
    assert running["ObjectiveStatusCounters"] == {"Succeeded": 0, "Pending": 2, "Failed": 0}
    sagemaker = tuning.client(service)
    with pytest.raises(ClientError, match="is in status InProgress"):
        sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    stopped = tuning.ended(service, name)
    assert stopped["HyperParameterTuningJobStatus"] == "Stopped"
    assert stopped["TrainingJobStatusCounters"]["Stopped"] == 2
    jobs = tuning.training_jobs(service, name)
    for job in jobs:
        status = sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"])["TrainingJobStatus"]
        assert status == "Stopped"
    sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    with pytest.raises(ClientError) as error:
        tuning.described(service, name)
    assert error.value.response["Error"]["Code"] == "ResourceNotFound"
    assert "Amazon SageMaker can't find a tuning job" in error.value.response["Error"]["Message"]
    sagemaker.describe_training_job(TrainingJobName=jobs[0]["TrainingJobName"])  # which stays


def test_a_tuning_job_fails_after_five_attempts(service: Service, bucket: str) -> None:
    definition = tuning.script(service, bucket, SQUARE)
    definition["StaticHyperParameters"]["fail"] = "yes"
    name = tuning.tune(
        service, HyperParameterTuningJobConfig=tuning.loss(20, 5), TrainingJobDefinition=definition
    )  # fmt: skip
    failed = tuning.ended(service, name)
    assert failed["HyperParameterTuningJobStatus"] == "Failed"
    assert failed["FailureReason"].startswith("No training job succeeded after 5 attempts. ")
    assert 5 <= failed["TrainingJobStatusCounters"]["NonRetryableError"] < 10
    assert "BestTrainingJob" not in failed
    (job, *_) = tuning.training_jobs(service, name, StatusEquals="Failed")
    assert "asked to fail" in job["FailureReason"]
    assert job["ObjectiveStatus"] == "Failed"
    assert tuning.training_jobs(service, name, SortBy="FinalObjectiveMetricValue") == []


def test_a_grid_tries_each_combination_once(service: Service, bucket: str) -> None:
    ranges = {
        "CategoricalParameterRanges": [
            {"Name": "max_depth", "Values": ["2", "4"]},
            {"Name": "eta", "Values": ["0.1", "0.5"]},
        ]
    }
    limits = {"MaxParallelTrainingJobs": 4}
    name = tuning.tune(
        service,
        HyperParameterTuningJobConfig=tuning.config(0, Strategy="Grid", ParameterRanges=ranges, ResourceLimits=limits),
        TrainingJobDefinition=tuning.definition(bucket),
    )
    assert tuning.ended(service, name)["HyperParameterTuningJobStatus"] == "Completed"
    jobs = tuning.training_jobs(service, name)
    tried = [(job["TunedHyperParameters"]["max_depth"], job["TunedHyperParameters"]["eta"]) for job in jobs]
    assert tried == [("2", "0.1"), ("2", "0.5"), ("4", "0.1"), ("4", "0.5")]


def test_a_script_in_the_image_of_xgboost_has_its_metrics(service: Service, bucket: str) -> None:
    """Accepted without metric definitions, as a tuning job of XGBoost in script mode was on AWS."""
    code = "print('[0]\\tvalidation-rmse:1.5')"
    definition = tuning.script(service, bucket, code)
    definition["AlgorithmSpecification"] = {"TrainingImage": XGBOOST, "TrainingInputMode": "File"}
    objective = {"Type": "Minimize", "MetricName": "validation:rmse"}
    name = tuning.tune(
        service,
        HyperParameterTuningJobConfig=tuning.loss(1, 1, HyperParameterTuningJobObjective=objective),
        TrainingJobDefinition=definition,
    )
    assert tuning.ended(service, name)["HyperParameterTuningJobStatus"] == "Completed"
    (job,) = tuning.training_jobs(service, name)
    assert job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 1.5


CONTINUOUS = {"ContinuousParameterRanges": [tuning.ETA]}
FEW = {"IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "1", "MaxValue": "3"}]}
REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:nothing"}}, {},
     "A metric is required for this hyperparameter tuning job objective."),
    ({"ParameterRanges": FEW}, {},
     r"provided ranges \[3.0\] must be equal or greater than the value of MaxNumberOfJobs, \[5\]"),
    ({"ParameterRanges": CONTINUOUS, "Strategy": "Grid"}, {}, "categorical hyperparameters only"),
    ({"ParameterRanges": {"ContinuousParameterRanges": [{**tuning.ETA, "MinValue": "0"}]}}, {}, "greater than 0"),
    ({"ParameterRanges": {"ContinuousParameterRanges": [{**tuning.ETA, "MinValue": "1"}]}}, {}, "MinValue of"),
    ({"ParameterRanges": {}}, {}, "At least one hyperparameter range"),
    ({"Strategy": "Hyperband", "TrainingJobEarlyStoppingType": "Auto"}, {}, "must be Off"),
    ({"Strategy": "Hyperband"}, {}, "needs MaxResource"),
    ({}, {"StaticHyperParameters": {"eta": "0.1"}}, "both a range and a static value"),
    ({}, {"InputDataConfig": [tuning.channel("nowhere-at-all", "train")]}, "No S3 objects found under S3 URL"),
    ({}, {"AlgorithmSpecification": {"TrainingImage": "unheard-of:1", "TrainingInputMode": "File"}}, "not known here"),
    ({}, {"AlgorithmSpecification": {"TrainingImage": SCIKIT_LEARN, "TrainingInputMode": "File"}}, "Provide a metric"),
]  # fmt: skip


def test_what_is_refused(service: Service, bucket: str) -> None:
    for config, definition, text in REFUSED:
        with pytest.raises(ClientError, match=text) as error:
            tuning.tune(
                service,
                HyperParameterTuningJobConfig=tuning.config(5, **config),
                TrainingJobDefinition=tuning.definition(bucket, **definition),
            )
        assert error.value.response["Error"]["Code"] == "ValidationException"


def test_a_name_is_taken_once(service: Service, bucket: str, random_job: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as error:
        tuning.client(service).create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=random_job["HyperParameterTuningJobName"],
            HyperParameterTuningJobConfig=tuning.config(1),
            TrainingJobDefinition=tuning.definition(bucket),
        )
    assert error.value.response["Error"]["Code"] == "ResourceInUse"
    name = f"gone-{uuid.uuid4().hex[:8]}"
    for operation in ("stop", "delete", "describe", "list_training_jobs_for"):
        call = getattr(tuning.client(service), f"{operation}_hyper_parameter_tuning_job")
        with pytest.raises(ClientError, match="can't find a tuning job"):
            call(HyperParameterTuningJobName=name)


def tried(jobs: list[dict[str, Any]]) -> list[Observation]:
    """Training jobs as a model sees them."""
    return [
        Observation(job["TunedHyperParameters"], job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])
        for job in jobs
    ]


def test_a_model_chooses_points_and_parents_count(service: Service, bucket: str) -> None:
    definition = tuning.script(service, bucket, SQUARE)
    config = tuning.loss(5, 1, Strategy="Bayesian", RandomSeed=1)
    space = parse(config["ParameterRanges"])
    parent = tuning.ended(
        service, tuning.tune(service, HyperParameterTuningJobConfig=config, TrainingJobDefinition=definition)
    )
    name = parent["HyperParameterTuningJobName"]
    jobs = tuning.training_jobs(service, name)
    for number in (3, 4):
        asked = SearchState("Bayesian", space, 1, number, tried(jobs[:number]), True)
        assert jobs[number]["TunedHyperParameters"] == best(asked)
    warm = {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": name}],
        "WarmStartType": "IdenticalDataAndAlgorithm",
    }
    config = tuning.loss(1, 1, Strategy="Bayesian", RandomSeed=1)
    child = tuning.ended(
        service,
        tuning.tune(
            service, HyperParameterTuningJobConfig=config, TrainingJobDefinition=definition, WarmStartConfig=warm
        ),
    )
    assert child["WarmStartConfig"] == warm
    own = child["BestTrainingJob"]
    ranked = tuning.training_jobs(service, name, SortBy="FinalObjectiveMetricValue", SortOrder="Ascending")
    asked = SearchState("Bayesian", space, 1, 0, tried(ranked), True)
    assert own["TunedHyperParameters"] == best(asked), "the parent's training jobs count"
    both = [ranked[0] | {"TuningJobName": name}, own | {"TuningJobName": child["HyperParameterTuningJobName"]}]
    assert child["OverallBestTrainingJob"] == min(
        both, key=lambda job: job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    )


def test_several_definitions_take_turns(service: Service, bucket: str) -> None:
    def given(name: str, metric: str) -> dict[str, Any]:
        objective = {"Type": "Minimize", "MetricName": metric}
        return {"DefinitionName": name, "TuningObjective": objective, "HyperParameterRanges": tuning.RANGES}

    config = tuning.config(4, 2)
    for member in ("HyperParameterTuningJobObjective", "ParameterRanges"):
        del config[member]
    definitions = [
        tuning.definition(bucket, **given("one", "validation:rmse")),
        tuning.definition(bucket, **given("two", "validation:mae")),
    ]
    name = tuning.tune(service, HyperParameterTuningJobConfig=config, TrainingJobDefinitions=definitions)
    found = tuning.ended(service, name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    jobs = tuning.training_jobs(service, name)
    assert [job["TrainingJobDefinitionName"] for job in jobs] == ["one", "two", "one", "two"]
    metrics = {job["FinalHyperParameterTuningJobObjectiveMetric"]["MetricName"] for job in jobs[1::2]}
    assert metrics == {"validation:mae"}


def test_criteria_end_a_tuning_job(service: Service, bucket: str) -> None:
    config = tuning.loss(50, 1, TuningJobCompletionCriteria={"TargetObjectiveMetricValue": 0.2})
    name = tuning.tune(
        service,
        HyperParameterTuningJobConfig=config,
        TrainingJobDefinition=tuning.script(service, bucket, SQUARE),
    )
    found = tuning.ended(service, name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    values = [
        job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for job in tuning.training_jobs(service, name)
    ]
    assert min(values) <= 0.2
    assert all(value > 0.2 for value in values[:-1])


EPOCHS = """
import argparse, time
parser = argparse.ArgumentParser()
parser.add_argument("--kind")
first = {"good": 1.0, "bad": 5.0}[parser.parse_args().kind]
for epoch in range(3):
    print(f"loss={first - epoch / 10}", flush=True)
if first > 1:
    time.sleep(600)
"""


def test_a_job_that_does_worse_is_stopped_early(service: Service, bucket: str) -> None:
    ranges = {"CategoricalParameterRanges": [{"Name": "kind", "Values": ["good", "bad"]}]}
    config = tuning.loss(2, 1, Strategy="Grid", ParameterRanges=ranges, TrainingJobEarlyStoppingType="Auto")
    name = tuning.tune(
        service, HyperParameterTuningJobConfig=config, TrainingJobDefinition=tuning.script(service, bucket, EPOCHS)
    )
    found = tuning.ended(service, name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    jobs = tuning.training_jobs(service, name)
    assert [job["TrainingJobStatus"] for job in jobs] == ["Completed", "Stopped"]
    assert [job["ObjectiveStatus"] for job in jobs] == ["Succeeded", "Succeeded"]
    assert found["BestTrainingJob"]["TrainingJobName"] == jobs[0]["TrainingJobName"]


RUNGS = """
import argparse, time
parser = argparse.ArgumentParser()
parser.add_argument("--kind", type=int)
kind = parser.parse_args().kind
for epoch in range(3):
    print(f"loss={kind}", flush=True)
if kind > 1:
    time.sleep(600)
"""


def test_hyperband_stops_what_does_worse(service: Service, bucket: str) -> None:
    ranges = {"CategoricalParameterRanges": [{"Name": "kind", "Values": ["0", "1", "2", "3"]}]}
    strategy = {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 9}}
    config = tuning.loss(4, 4, Strategy="Hyperband", ParameterRanges=ranges, StrategyConfig=strategy)
    name = tuning.tune(
        service, HyperParameterTuningJobConfig=config, TrainingJobDefinition=tuning.script(service, bucket, RUNGS)
    )
    assert tuning.ended(service, name)["HyperParameterTuningJobStatus"] == "Completed"
    status = {
        job["TunedHyperParameters"]["kind"]: job["TrainingJobStatus"] for job in tuning.training_jobs(service, name)
    }
    assert (status["0"], status["2"], status["3"]) == ("Completed", "Stopped", "Stopped")
