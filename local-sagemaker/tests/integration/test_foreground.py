"""``debug``, ``shell`` and ``failed-jobs``: a failed step's job at a terminal, and its folder as it was left."""

from __future__ import annotations

import re
import socket
import subprocess

import pytest

from tests.integration.debug_adapter import Editor
from tests.integration.foreground import AtTerminal
from tests.support import COMMANDS, Service, create_pipeline, finished, script_step, start, steps_of, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SCRIPT = """import contextlib, os, sys
rows = [int(text) for text in open("/opt/ml/processing/input/code/rows.txt")]
total = sum(rows)
with open("/opt/ml/processing/left", "w") as file:
    file.write(f"left {total}")
with open("beside.txt", "w") as file:
    file.write(f"beside {total}")
with contextlib.suppress(OSError):  # without namespaces there is no view of the machine's folders
    os.symlink("/var", "/usr/local/share/elsewhere")
    os.mkdir("/opt/own")
    os.rename("/opt/own", "/opt/renamed")
breakpoint()
print("the total is", total)
sys.exit(total)
"""
FOLDER = "/opt/ml/processing/input/code"


@pytest.fixture(scope="module")
def failed(service: Service) -> str:
    """The name of a pipeline whose step failed: ``breakpoint()`` has no terminal in a job."""
    s3, sagemaker = service.client("s3"), service.client("sagemaker")
    s3.create_bucket(Bucket="foreground")
    s3.put_object(Bucket="foreground", Key="code/script.py", Body=SCRIPT.encode())
    s3.put_object(Bucket="foreground", Key="code/rows.txt", Body=b"1\n2\n4\n")
    step = script_step(
        "Sum", "", ProcessingInputs=[
            {"InputName": "code", "S3Input": {
                "S3Uri": "s3://foreground/code/", "LocalPath": FOLDER, "S3DataType": "S3Prefix",
                "S3InputMode": "File"}},
        ],
    )  # fmt: skip
    step["Arguments"]["AppSpecification"]["ContainerEntrypoint"] = ["python3", f"{FOLDER}/script.py"]
    create_pipeline(sagemaker, "Foreground", step)
    execution = start(sagemaker, "Foreground")
    assert finished(sagemaker, execution)["PipelineExecutionStatus"] == "Failed"
    job = steps_of(sagemaker, execution)["Sum"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    until(lambda: job in listed(service), "the folder of the failed job is kept")
    return job


def listed(service: Service) -> str:
    return service.run("local-sagemaker", "failed-jobs").stdout


def command(service: Service, *words: str) -> AtTerminal:
    return AtTerminal([str(COMMANDS / "local-sagemaker"), *words], service.environment())


def test_breakpoint_works_at_a_terminal(service: Service, failed: str) -> None:
    with command(service, "debug", "Foreground", "Sum") as terminal:
        terminal.expect("(Pdb)")
        terminal.type("p total, rows\n")
        terminal.expect("(7, [1, 2, 4])")
        terminal.type("total = 5\n")
        terminal.expect("(Pdb)")
        terminal.type("continue\n")
        terminal.expect("the total is 5")
        assert terminal.wait() == 5
    described = service.client("sagemaker").describe_processing_job(ProcessingJobName=failed)
    assert described["ProcessingJobStatus"] == "Failed", "the record stays as it was"


def test_an_editor_attaches(service: Service, failed: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with command(service, "debug", "Sum", "--listen", str(port)) as terminal:
        terminal.expect(f"waiting for a debugger on 127.0.0.1:{port}")
        editor = Editor(port)
        thread = editor.wait("stopped")["threadId"]
        frame = editor.ask("stackTrace", threadId=thread)["stackFrames"][0]
        assert frame["source"]["path"] == f"{FOLDER}/script.py"
        assert editor.ask("evaluate", expression="total", frameId=frame["id"])["result"] == "7"
        editor.ask("continue", threadId=thread)
        terminal.expect("the total is 7")
        assert terminal.wait() == 7
        editor.close()


def test_ctrl_c_ends_the_program(service: Service, failed: str) -> None:
    with command(service, "debug", failed) as terminal:
        terminal.expect("(Pdb)")
        terminal.type("import time; print('now' + '.'); time.sleep(1000)\n")
        terminal.expect("now.")
        terminal.type("\x03")
        terminal.expect("KeyboardInterrupt")
        terminal.expect("(Pdb)")
        terminal.type("quit\n")
        assert terminal.wait() == 1


def test_a_closed_terminal_ends_the_program(service: Service, failed: str) -> None:
    with command(service, "debug", "Sum") as terminal:
        terminal.expect("(Pdb)")
    folder = service.home / "jobs" / "us-east-1"
    until(lambda: not list(folder.glob("foreground-*")), "its folder is removed")


def test_a_shell_shows_what_the_job_left(service: Service, failed: str) -> None:
    with command(service, "shell", "Foreground") as terminal:
        terminal.expect("as the failed job left them")
        terminal.type("cat /opt/ml/processing/left; echo; pwd; python3 -c 'import sklearn; print(6 * 7)'; tty\n")
        terminal.expect("left 7")
        terminal.expect("42")
        terminal.type("test -t 0 && exit 4\n")
        assert terminal.wait() == 4
    assert failed in listed(service)


def test_changes_outside_of_its_folders_stay_for_the_next_shell(service: Service, failed: str) -> None:
    """The working directory is such a place. While one shell is open, another one gets no half of its changes."""
    with command(service, "shell", "Foreground") as terminal:
        terminal.expect("as the failed job left them")
        terminal.type("cat beside.txt; ls -d /opt/renamed; echo new >> beside.txt; echo more > more.txt; echo wrote\n")
        terminal.expect("beside 7")
        terminal.expect("wrote")
        second = service.run("local-sagemaker", "shell", "Foreground", check=False, stdin=subprocess.DEVNULL)
        assert (second.returncode, "Another shell is open" in second.stderr) == (1, True), second
        terminal.type("exit\n")
        assert terminal.wait() == 0
    for _ in range(2):
        with command(service, "shell", "Foreground") as terminal:
            terminal.expect("as the failed job left them")
            terminal.type("cat beside.txt more.txt; rm -f more.txt; touch more.txt; exit 3\n")
            terminal.expect("beside 7new")
            assert terminal.wait() == 3


def type_in(service: Service, text: str) -> subprocess.CompletedProcess[str]:
    """Runs the step with the text as its input."""
    with (service.home / "typed").open("w+") as typed:
        typed.write(text)
        typed.seek(0)
        return service.run("local-sagemaker", "debug", "Sum", check=False, stdin=typed)


def test_input_may_be_a_pipe(service: Service, failed: str) -> None:
    done = type_in(service, "p total\nc\n")
    assert (done.returncode, "the total is 7" in done.stdout) == (7, True), done
    assert re.search(r"\b7\b", done.stdout)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("debug", "None"), "There is no step with 'None' in its name that ran a job, and no such job"),
        (("shell", "Foreground", "Other"), "There is no step with 'Other' in its name that ran a job in arn:"),
        (("debug", "NoPipeline", "Sum"), "There is no execution 'NoPipeline' here."),
        (("debug", "Sum", "--listen", "x"), "--listen: 'x' is no port"),
        (("failed-jobs", "--remove", "other"), "No folder of 'other' is kept"),
    ],
)
def test_mistakes_are_said_in_a_line(service: Service, failed: str, words: tuple[str, ...], said: str) -> None:
    done = service.run("local-sagemaker", *words, check=False)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_kept_folders_are_removed(service: Service, failed: str) -> None:
    assert (
        service.run("local-sagemaker", "failed-jobs", "--remove", f"processing-job-{failed}").stdout == "Removed: 1\n"
    )
    assert failed not in listed(service)
    with command(service, "shell", failed) as terminal:
        terminal.expect("(loading the inputs)")
        terminal.type("cat /opt/ml/processing/input/code/rows.txt; exit 0\n")
        terminal.expect("4\n")
        assert terminal.wait() == 0
    assert type_in(service, "").returncode == 1, "pdb ends at the end of its input"
    assert failed in listed(service), "a failure in the foreground is kept, too"
