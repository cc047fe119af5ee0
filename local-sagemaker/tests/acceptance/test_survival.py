"""A kill -9 of the service at any moment loses nothing that was acknowledged, and executions go on."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local_sagemaker import lifecycle
from tests.support import COMMANDS, Service, create_pipeline, finished, script_step, start, steps_of, until

WRITE = "import os, time, pathlib; time.sleep({0}); pathlib.Path('/opt/ml/processing/out/{1}').write_text('done')"


def writing_step(name: str, seconds: float, *after: str) -> dict[str, object]:
    """A step that takes a while and leaves a file."""
    output = {"S3Uri": "s3://survival/out", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    return script_step(
        name, WRITE.format(seconds, name), *after,
        ProcessingOutputConfig={"Outputs": [{"OutputName": "out", "S3Output": output}]},
    )  # fmt: skip


@pytest.mark.parametrize("moment", ["first step runs", "between", "second step runs"])
def test_an_execution_goes_on_after_a_kill(own_service: Service, moment: str) -> None:
    own_service.client("s3").create_bucket(Bucket="survival")
    sagemaker = own_service.client("sagemaker")
    create_pipeline(sagemaker, "Survivor", writing_step("one", 0.5), writing_step("two", 0.5, "one"))
    execution = start(sagemaker, "Survivor")
    if moment == "first step runs":
        until(lambda: "one" in steps_of(sagemaker, execution), "step one")
    elif moment == "between":
        until(lambda: steps_of(sagemaker, execution).get("one", {}).get("StepStatus") == "Succeeded", "end of one")
    else:
        until(lambda: "two" in steps_of(sagemaker, execution), "step two")
    own_service.kill()
    own_service.up()
    sagemaker = own_service.client("sagemaker")
    assert finished(sagemaker, execution)["PipelineExecutionStatus"] == "Succeeded"
    assert {name: step["StepStatus"] for name, step in steps_of(sagemaker, execution).items()} == {
        "one": "Succeeded",
        "two": "Succeeded",
    }
    for name in ("one", "two"):
        body = own_service.client("s3").get_object(Bucket="survival", Key=f"out/{name}")["Body"].read()
        assert body == b"done"
    assert len(sagemaker.list_processing_jobs()["ProcessingJobSummaries"]) == 2, "no step made its job twice"


def test_no_process_outlives_a_killed_service(own_service: Service) -> None:
    sagemaker = own_service.client("sagemaker")
    create_pipeline(sagemaker, "Sleeper", script_step("sleep", "import time; time.sleep(600)  # survivor-mark"))
    execution = start(sagemaker, "Sleeper")
    until(lambda: steps_of(sagemaker, execution).get("sleep", {}).get("StepStatus") == "Executing", "the step runs")

    def of_this_service() -> list[str]:
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
                if os.fsencode(own_service.home) in words and int(folder.name) != os.getpid():
                    found.append(folder.name)
        return found

    until(lambda: len(of_this_service()) >= 2, "the service and its processes")
    own_service.kill()
    until(lambda: not of_this_service(), "all processes of the killed service are gone", 20)


def test_roles_and_objects_survive_a_restart(own_service: Service) -> None:
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    iam, s3 = own_service.client("iam"), own_service.client("s3")
    iam.create_role(RoleName="mine", AssumeRolePolicyDocument=trust)
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="a/b.txt", Body=b"words", Metadata={"by": "me"})
    own_service.kill()
    own_service.up()
    assert own_service.client("iam").get_role(RoleName="mine")["Role"]["Arn"].endswith(":role/mine")
    found = own_service.client("s3").get_object(Bucket="kept", Key="a/b.txt")
    assert (found["Body"].read(), found["Metadata"]) == (b"words", {"by": "me"})


def test_a_second_start_finds_the_first(own_service: Service) -> None:
    again = own_service.run("local-sagemaker", "up")
    assert "Already running" in again.stdout
    starts = [
        subprocess.Popen([COMMANDS / "local-sagemaker", "--home", own_service.home, "up"], stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    assert {process.wait() for process in starts} == {0}
    for process in starts:
        assert process.stdout
        process.stdout.close()


def test_two_simultaneous_starts_make_one_service(own_service: Service) -> None:
    own_service.down()
    words = [str(COMMANDS / "local-sagemaker"), "--home", str(own_service.home), "up"]
    starts = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    printed = [process.communicate()[0] for process in starts]
    assert {process.returncode for process in starts} == {0}
    assert len({text.split("process ")[1].split(")")[0] for text in printed}) == 1


def test_the_next_service_is_never_taken_for_the_last(own_service: Service) -> None:
    killed = own_service.description
    own_service.kill()
    assert own_service.settings.service_file.exists(), "a killed service leaves its description"
    starting = subprocess.Popen([COMMANDS / "local-sagemaker", "--home", own_service.home, "up"])
    until(lambda: not own_service.settings.service_file.exists(), "the start forgets the killed service")
    assert lifecycle.find_running(own_service.settings) is None, "before another service can take the lock"
    with (own_service.home / "start.lock").open() as only, pytest.raises(BlockingIOError):
        fcntl.flock(only, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert starting.wait(60) == 0
    assert own_service.description["pid"] != killed["pid"]
    assert own_service.description["port"] == killed["port"], "clients find it where it was"


def test_a_service_whose_state_folder_was_removed_ends(own_service: Service) -> None:
    pid = own_service.description["pid"]
    shutil.rmtree(own_service.home)
    until(lambda: not Path(f"/proc/{pid}").exists(), "the end of a service without a state folder", 30)


def test_a_port_in_use_is_named(own_service: Service) -> None:
    taken = own_service.description["port"]
    own_service.down()
    import socket

    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", taken))
        other.listen()
        words = [COMMANDS / "local-sagemaker", "--home", own_service.home, "up", "--port", str(taken)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert f"Port {taken} on 127.0.0.1 can't be used" in done.stderr
        own_service.up()
        assert own_service.description["port"] != taken


def test_a_corrupted_state_file_is_named_and_left_alone(own_service: Service) -> None:
    own_service.down()
    records = own_service.settings.records_file
    for file in own_service.home.glob("records.sqlite*"):
        file.unlink()
    records.write_bytes(b"garbage" * 1000)
    with pytest.raises(lifecycle.LifecycleError, match=r"records\.sqlite can't be read"):
        own_service.up()
    assert records.read_bytes() == b"garbage" * 1000


def test_a_state_folder_that_cannot_be_made_is_named(tmp_path: object) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local_sagemaker.cli", "--home", "/proc/nowhere", "up"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "The state folder /proc/nowhere can't be used" in done.stderr
