"""What happens to jobs when the service ends, and in the mode without namespaces."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from local_sagemaker.config import Settings
from local_sagemaker.files.removal import discard
from local_sagemaker.processes import ForkedProcesses
from local_sagemaker.processes.isolation import VARIABLE
from tests.component.fork_servers import kill_servers
from tests.component.jobs.world import BUCKET, World, new_world, processing_outputs
from tests.support import until

ONCE = (
    "import pathlib, time\n"
    "pathlib.Path('/opt/ml/processing/result/a').write_text('x')\n"
    "print('up', flush=True)\n"
    "time.sleep({seconds})\n"
)


def test_unfinished_jobs_run_again_after_the_service_was_ended(processes):
    home = Path(tempfile.mkdtemp(prefix="jobs-"))
    first = World(Settings(home=home), processes)
    name = first.process("again", ONCE.format(seconds=300), ProcessingOutputConfig=processing_outputs("result"))
    training = first.train("again", "import time; print('up', flush=True); time.sleep(300)")
    stopping = first.process("stopping", ONCE.format(seconds=300).replace("result/a", ""))
    for group, job in (("ProcessingJobs", name), ("TrainingJobs", training)):
        until(lambda group=group, job=job: "up" in first.log(group, job), "the script runs")
    first.records.update("processing-job", stopping, lambda body: body.update(ProcessingJobStatus="Stopping"))
    first.close()
    left = Settings(home=home).jobs / "processing-job-forgotten" / "algo-1"
    left.mkdir(parents=True)

    second = World(Settings(home=home), processes)
    try:
        assert not left.exists()
        assert second.do("DescribeProcessingJob", ProcessingJobName=name)["ProcessingJobStatus"] == "InProgress"
        second.put(f"code/{name}/script.py", ONCE.format(seconds=0))
        second.put(f"code/{training}/train.py", "open('/opt/ml/model/m', 'w').write('m')")
        for resource in (second.processing, second.training, second.transform):
            resource.resume()
        assert second.ended("processing-job", name)["ProcessingJobStatus"] == "Completed"
        assert second.keys("result/") == ["result/a"]
        job = second.ended("training-job", training)
        assert job["TrainingJobStatus"] == "Completed"
        assert [t["Status"] for t in job["SecondaryStatusTransitions"]].count("Starting") == 2
        assert second.do("DescribeProcessingJob", ProcessingJobName=stopping)["ProcessingJobStatus"] == "Stopped"
    finally:
        second.close()
        discard(home)


def test_resume_leaves_alone_what_was_created_since_the_start(world):
    name = world.process("new", "print('up')")
    trained = world.train("new", "open('/opt/ml/model/m', 'w').write('m')")
    for resource in (world.processing, world.training, world.transform):
        resource.resume()
    assert world.ended("processing-job", name)["ProcessingJobStatus"] == "Completed"
    until(lambda: world.queue.running() == 0, "nothing is left in the queue")
    assert world.log("ProcessingJobs", name).count("up") == 1
    statuses = [t["Status"] for t in world.ended("training-job", trained)["SecondaryStatusTransitions"]]
    assert statuses.count("Starting") == 1


def test_a_job_that_cannot_go_on_fails_and_the_others_go_on(processes):
    home = Path(tempfile.mkdtemp(prefix="jobs-"))
    first = World(Settings(home=home), processes)
    names = [first.process(f"waits-{n}", "import time; print('up', flush=True); time.sleep(300)") for n in range(2)]
    until(lambda: all("up" in first.log("ProcessingJobs", name) for name in names), "the scripts run")

    def forget(body):
        body["AppSpecification"]["ImageUri"] = "gone:1"

    first.records.update("processing-job", names[0], forget)
    first.close()
    second = World(Settings(home=home), processes)
    try:
        second.put(f"code/{names[1]}/script.py", "pass")
        second.processing.resume()
        gone = second.ended("processing-job", names[0])
        assert gone["ProcessingJobStatus"] == "Failed"
        assert gone["FailureReason"].startswith("ClientError: The image 'gone:1' is not known here.")
        assert second.ended("processing-job", names[1])["ProcessingJobStatus"] == "Completed"
    finally:
        second.close()
        discard(home)


def test_reset_ends_all_jobs_at_once_and_says_nothing(make_world):
    world = make_world(grace=300.0, slots=2)
    names = [
        world.process(f"job-{n}", "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('up', flush=True)\n"
                      "time.sleep(300)") for n in range(3)
    ]  # fmt: skip
    until(lambda: "up" in world.log("ProcessingJobs", names[0]), "the first runs")
    world.do("StopProcessingJob", ProcessingJobName=names[0])
    world.queue.reset()
    assert world.queue.running() == 0
    statuses = [world.do("DescribeProcessingJob", ProcessingJobName=name)["ProcessingJobStatus"] for name in names]
    assert statuses == ["Stopping", "InProgress", "InProgress"]
    assert world.processed("after", "pass")["ProcessingJobStatus"] == "Completed"


def test_a_job_runs_again_when_its_fork_server_is_killed(make_world, caplog):
    world = make_world()
    script = (
        "import pathlib, sys, time\n"
        "place = pathlib.Path('/opt/ml/processing/result/a')\n"
        "assert not place.exists()\n"
        "place.write_text('x'); print('up', flush=True)\n"
        "time.sleep(2)\n"
    )
    name = world.process("lost", script, hosts=2, ProcessingOutputConfig=processing_outputs("result"))
    until(lambda: "up" in world.log("ProcessingJobs", name), "the script runs")
    kill_servers()
    job = world.ended("processing-job", name)
    assert job["ProcessingJobStatus"] == "Completed", job
    assert "it is run again" in caplog.text
    assert world.get("result/a") == b"x"


def test_a_lost_job_that_is_to_stop_is_stopped(make_world):
    world = make_world(grace=60.0)
    name = world.process("stopped", "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('up', flush=True)\n"
                         "time.sleep(300)")  # fmt: skip
    until(lambda: "up" in world.log("ProcessingJobs", name), "the script runs")
    world.do("StopProcessingJob", ProcessingJobName=name)
    kill_servers()
    assert world.ended("processing-job", name)["ProcessingJobStatus"] == "Stopped"


def test_jobs_without_namespaces(monkeypatch):
    monkeypatch.setenv(VARIABLE, "rewrite")
    home = Path(tempfile.mkdtemp(prefix="jobs-"))
    processes = ForkedProcesses(settings=Settings(home=home), load=False)
    script = (
        "import json, os, pathlib, sys\n"
        "config = json.load(open('/opt/ml/config/processingjobconfig.json'))\n"
        "path = config['ProcessingOutputConfig']['Outputs'][0]['S3Output']['LocalPath']\n"
        "pathlib.Path(path, 'a').write_text(sys.argv[1] + os.environ['PLACE'])\n"
    )
    try:
        with new_world(processes) as world:
            world.put("in/x", "1")
            job = world.processed(
                "rewritten", script, "/opt/ml/processing/x", Environment={"PLACE": "/opt/ml/y"},
                ProcessingOutputConfig=processing_outputs("result"),
            )  # fmt: skip
            assert job["ProcessingJobStatus"] == "Completed", world.log("ProcessingJobs", "rewritten")
            place = world.settings.jobs / "processing-job-rewritten" / "algo-1" / "ml"
            assert world.get("result/a") == f"{place}/processing/x{place}/y".encode()
            trained = world.trained("rewritten", "open('/opt/ml/model/m', 'w').write('m')", hosts=2)
            assert trained["TrainingJobStatus"] == "Completed", world.log("TrainingJobs", "rewritten")
            assert trained["ModelArtifacts"]["S3ModelArtifacts"].startswith(f"s3://{BUCKET}/out/")
    finally:
        processes.close()
        discard(home)


@pytest.mark.parametrize(("number", "name"), [(9, "SIGKILL"), (11, "SIGSEGV"), (35, "35")])
def test_a_job_whose_process_is_killed_fails_and_the_next_one_runs(world, number, name):
    job = world.processed(f"dies-{number}", f"import os; os.kill(os.getpid(), {number})")
    assert job["FailureReason"] == f"AlgorithmError: , exit code: {128 + number}"
    assert f"ended by a signal, {name}\n" in world.log("ProcessingJobs", job["ProcessingJobName"])
    assert world.processed(f"after-{number}", "pass")["ProcessingJobStatus"] == "Completed"
