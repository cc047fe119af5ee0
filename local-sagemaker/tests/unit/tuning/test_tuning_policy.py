"""How a tuning job goes on, by its record and its training jobs; the median rule; counters."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.tuning import early_stopping, training_jobs
from local_sagemaker.tuning.policy import TuningDecision, decide, not_improving


def job(status: str = "InProgress", **limits: int) -> dict[str, Any]:
    return {
        "HyperParameterTuningJobStatus": status,
        "CreationTime": 1000.0,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 10, "MaxParallelTrainingJobs": 3, **limits},
        },
    }


def trial(status: str, value: float | None = None, **more: Any) -> dict[str, Any]:
    given = {"TrainingJobStatus": status, "ObjectiveStatus": "Pending" if status == "InProgress" else "Failed"}
    final = {"Type": "Minimize", "MetricName": "loss", "Value": value}
    found = {"FinalHyperParameterTuningJobObjectiveMetric": final, "ObjectiveStatus": "Succeeded"}
    return {**given, **(found if value is not None else {}), **more}


DONE, FAILED, RUNS = trial("Completed", 1.0), trial("Failed"), trial("InProgress")
CASES: list[tuple[str, dict[str, Any], list[dict[str, Any]], int, bool, str | None]] = [
    ("the beginning", job(), [], 3, False, None),
    ("one has ended", job(), [DONE, RUNS, RUNS], 1, False, None),
    ("all slots taken", job(), [RUNS] * 3, 0, False, None),
    ("the last ones", job(), [DONE] * 8 + [RUNS], 1, False, None),
    ("nothing left to start", job(), [DONE] * 9 + [RUNS], 0, False, "Completed"),
    ("the end", job(), [DONE] * 10, 0, False, "Completed"),
    ("asked to stop", job("Stopping"), [DONE, RUNS], 0, True, "Stopped"),
    ("four failures", job(), [FAILED] * 4, 3, False, None),
    ("five failures", job(), [FAILED] * 5 + [RUNS], 0, False, "Failed"),
    ("five failures and a success", job(), [FAILED] * 5 + [DONE], 3, False, None),
    ("few, all failed", job(MaxNumberOfTrainingJobs=2), [FAILED] * 2, 0, False, "Failed"),
    ("few, one of which failed", job(MaxNumberOfTrainingJobs=2), [FAILED, DONE], 0, False, "Completed"),
    ("no metric", job(), [trial("Completed")] * 5, 0, False, "Failed"),
    ("time is over", job(MaxRuntimeInSeconds=120), [DONE, RUNS], 0, True, "Completed"),
]


@pytest.mark.parametrize(("name", "body", "found", "launch", "stop", "status"), CASES)
def test_what_is_next(
    name: str, body: dict[str, Any], found: list[dict[str, Any]], launch: int, stop: bool, status: str | None
) -> None:
    answer = decide(body, found, 1120.0)
    assert (answer.launch, answer.stop, answer.status) == (launch, stop, status), name


def test_reasons() -> None:
    for found, text in (
        ([FAILED] * 7, "No training job succeeded after 5 attempts. "),
        ([FAILED] * 2, "No training job succeeded after 2 attempts. "),
        ([trial("Completed")] * 2, "No objective metrics found after running 2 training jobs. "),
    ):
        reason = decide(job(MaxNumberOfTrainingJobs=len(found)), found, 1001.0).reason
        assert reason and reason.startswith(text)


def test_no_improvement_ends_it() -> None:
    values = [3.0, 2.0, 1.995, 2.5, None]
    found = [trial("Completed", value, TrainingEndTime=float(at)) for at, value in enumerate(values)]
    assert not_improving(found) == 3, "less than 1 % is no improvement"
    body = job()
    limit = {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}
    body["HyperParameterTuningJobConfig"]["TuningJobCompletionCriteria"] = limit
    assert decide(body, found, 1001.0) == TuningDecision(stop=True, status="Completed")
    assert decide(body, found[:4], 1001.0).launch == 3


def test_the_median_rule() -> None:
    earlier = [[4.0, 2.0, 0.0], [2.0, 2.0], [9.0]]
    assert early_stopping.averages(earlier[0]) == [4.0, 3.0, 2.0]
    assert not early_stopping.worse([], earlier, minimise=True)
    assert not early_stopping.worse([5.0], [], minimise=True)
    assert early_stopping.worse([5.0], earlier, minimise=True), "the median of 4, 2 and 9"
    assert not early_stopping.worse([4.0], earlier, minimise=True)
    assert early_stopping.worse([9.0, 2.6], earlier, minimise=True), "the median of 3 and 2"
    assert early_stopping.worse([9.0, 2.4], earlier, minimise=False)
    assert not early_stopping.worse([9.0, 9.0, 9.0, 9.0], earlier, minimise=True), "no job came so far"


def test_hyperband_lets_a_third_go_on() -> None:
    others = [[5.0] * 9, [4.0] * 9, [3.0] * 2, [2.0] * 2, [1.0]]
    for values, stops in (([1.5], False), ([3.5], True), ([3.5, 3.5], True), ([3.5] * 3, False), ([4.5] * 3, True)):
        assert early_stopping.drops_out(values, others, (1, 27), minimise=True) == stops, values
    assert not early_stopping.drops_out([9.0], [], (1, 27), minimise=True), "the first that came so far"
    assert not early_stopping.drops_out([9.0, 9.0], others, (3, 27), minimise=True), "not before MinResource"
    assert early_stopping.drops_out([0.0] * 10, others, (1, 9), minimise=True), "beyond MaxResource"
    assert not early_stopping.drops_out([6.0] * 3, others, (1, 27), minimise=False)


def test_resources_of_hyperband() -> None:
    given = {"StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 2, "MaxResource": 8}}}
    assert early_stopping.resources(given, {"epochs": "5"}) == (2, 8)
    assert early_stopping.resources({}, {"n_epochs": '"5"'}) == (1, 5)
    assert early_stopping.resources({}, {"epochs": "many"}) is None


def test_what_describe_training_job_says_becomes_the_summary() -> None:
    given = {"TrainingJobName": "a", "TrainingJobStatus": "InProgress", "ObjectiveStatus": "Pending"}
    wanted = {"Type": "Minimize", "MetricName": "loss"}
    final = [{"MetricName": "loss", "Value": 0.5, "Timestamp": 1.0}]
    ended = training_jobs.update(given, {"TrainingJobStatus": "Completed", "FinalMetricDataList": final}, wanted)
    assert (training_jobs.value(ended), ended["ObjectiveStatus"]) == (0.5, "Succeeded")
    stopped = training_jobs.update(given, {"TrainingJobStatus": "Stopped", "FinalMetricDataList": final}, wanted)
    assert training_jobs.value(stopped) == 0.5, "as after an early stop"
    broken = [{"MetricName": "loss", "Value": float("nan"), "Timestamp": 1.0}]
    lost = training_jobs.update(given, {"TrainingJobStatus": "Completed", "FinalMetricDataList": broken}, wanted)
    assert (training_jobs.value(lost), lost["ObjectiveStatus"]) == (None, "Failed")
    inner = {"TrainingJobStatus": "Failed", "FailureReason": "InternalServerError: x", "FinalMetricDataList": final}
    failed = training_jobs.update(given, inner, wanted)
    assert training_jobs.value(failed) is None
    counted = training_jobs.status_counters([ended, stopped, failed, FAILED, RUNS, trial("Stopping")])
    assert counted == {"Completed": 1, "InProgress": 2, "RetryableError": 1, "NonRetryableError": 1, "Stopped": 1}
    best = [trial("Completed", value) for value in (2.0, 1.0)]
    assert [training_jobs.value(one) for one in training_jobs.best_first([*best, FAILED])] == [1.0, 2.0]
