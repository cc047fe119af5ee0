"""A kill -9 of the service loses no tuning job and makes no training job twice."""

from __future__ import annotations

import pytest

from tests.integration import tuning
from tests.support import Service, until

SLOW = """
import argparse, time
parser = argparse.ArgumentParser()
parser.add_argument("-x", type=float)
time.sleep(0.3)
print(f"loss={parser.parse_args().x}")
"""


@pytest.mark.parametrize("wanted", ["Completed", "Stopped"])
def test_a_tuning_job_goes_on_after_a_kill(own_service: Service, wanted: str) -> None:
    bucket = tuning.bucket(own_service)
    name = tuning.tune(
        own_service,
        HyperParameterTuningJobConfig=tuning.loss(4, 2),
        TrainingJobDefinition=tuning.script(own_service, bucket, SLOW),
    )
    until(lambda: len(tuning.training_jobs(own_service, name)) >= 2, "two training jobs")
    before = [job["TunedHyperParameters"] for job in tuning.training_jobs(own_service, name)]
    if wanted == "Stopped":
        tuning.client(own_service).stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    own_service.kill()
    own_service.up()
    found = tuning.ended(own_service, name)
    assert found["HyperParameterTuningJobStatus"] == wanted, found.get("FailureReason")
    jobs = tuning.training_jobs(own_service, name)
    assert [job["TunedHyperParameters"] for job in jobs[: len(before)]] == before
    listed = tuning.client(own_service).list_training_jobs(NameContains=name)["TrainingJobSummaries"]
    assert {job["TrainingJobName"] for job in listed} == {job["TrainingJobName"] for job in jobs}
    if wanted == "Completed":
        assert found["ObjectiveStatusCounters"] == {"Succeeded": 4, "Pending": 0, "Failed": 0}
    else:
        assert found["TrainingJobStatusCounters"]["InProgress"] == 0
