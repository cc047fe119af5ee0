"""The whole delivery: what ``make tour`` shows, from the first commits to the end of the project."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support import ROOT, Service

STORY = (
    "three repositories, three pipelines, their rules",
    "modeldeploy waits: its stages are skipped, nothing is red",
    "modelmonitor waits: its stages are skipped, nothing is red",
    "the first commit led to version 1, PendingManualApproval",
    "the first executions of the three pipelines have succeeded",  # DEL-2
    "abalone-staging serves version 1 and its test has passed",
    "abalone-prod serves version 1",
    "staging is monitored: abalone-staging-data-quality",
    "prod is monitored: abalone-prod-data-quality",
    "led to version 2, PendingManualApproval",
    "abalone-prod serves version 2",
    "requests to production during the update, none was lost",
    "staging is monitored: abalone-staging-data-quality",
    "prod is monitored: abalone-prod-data-quality",
    "the last stage of version 2 is Production, Approved",
    "model-registry lineage leads from abalone-prod back to commit",
    "the monitor abalone-staging-data-quality reports: baseline_drift_check of _c7",
    "the alarm abalone-staging-drift was raised, and has started a retraining",
    "the retraining led to version 3, PendingManualApproval",
    "version 3 is Rejected",
    "the rejected version started nothing",
    "the project is deleted, and nothing is left of it",
)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_the_tour_comes_to_its_end(own_service: Service) -> None:
    """On a service of its own, whose clock the tour may move; it also runs a monitor by the command."""
    environment = own_service.environment(LOCAL_SAGEMAKER_HOME=str(own_service.home))
    done = subprocess.run(
        [sys.executable, "-m", "delivery.project.tour"], env=environment, cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=2900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    place = 0
    for line in STORY:
        found = done.stdout.find(line, place)
        assert found >= 0, f"{line!r} is missing, or not in its place:\n{done.stdout}"
        place = found
