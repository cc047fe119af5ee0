"""A kill -9 of the service loses no tuning job and makes no training job twice."""

from __future__ import annotations

from tests.integration import tuning
from tests.support import Service, until

SLOW = """
import argparse, time
parser = argparse.ArgumentParser()
parser.add_argument("-x", type=float)
time.sleep(0.3)
print(f"loss={parser.parse_args().x}")
"""


def test_tuning_jobs_go_on_after_a_kill(own_service: Service) -> None:
    bucket = tuning.bucket(own_service)
    definition = tuning.script(own_service, bucket, SLOW)
    names = {
        wanted: tuning.tune(
            own_service, HyperParameterTuningJobConfig=tuning.loss(4, 2), TrainingJobDefinition=definition
        )
        for wanted in ("Completed", "Stopped")
    }
    for name in names.values():
        until(lambda name=name: len(tuning.training_jobs(own_service, name)) >= 2, "two training jobs")
    before = {name: tuning.training_jobs(own_service, name) for name in names.values()}
    tuning.client(own_service).stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=names["Stopped"])
    own_service.kill()
    own_service.up()
    for wanted, name in names.items():
        found = tuning.ended(own_service, name)
        assert found["HyperParameterTuningJobStatus"] == wanted, found.get("FailureReason")
        assert found["TrainingJobStatusCounters"]["InProgress"] == 0
        jobs = tuning.training_jobs(own_service, name)
        tuned = [job["TunedHyperParameters"] for job in before[name]]
        assert [job["TunedHyperParameters"] for job in jobs[: len(tuned)]] == tuned
        listed = tuning.client(own_service).list_training_jobs(NameContains=name)["TrainingJobSummaries"]
        assert {job["TrainingJobName"] for job in listed} == {job["TrainingJobName"] for job in jobs}
        if wanted == "Completed":
            assert found["ObjectiveStatusCounters"] == {"Succeeded": 4, "Pending": 0, "Failed": 0}
