"""Ways out of a job's folder: what lies outside is neither read nor moved nor changed by the service.

A folder beside the state folder is the canary. Each script is a job that tries to have the service read it; under
mount namespaces of root, under those of user namespaces, and under path rewriting.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.config import Settings
from local_sagemaker.files.removal import discard, remove
from local_sagemaker.processes import ForkedProcesses
from local_sagemaker.processes.isolation import MOUNT, REWRITE, USER, VARIABLE
from tests.component.jobs.world import BUCKET, World, new_world, processing_outputs
from tests.support import until

SECRET = b"the canary's secret"
RAN = ("AlgorithmError", "ClientError: Data upload failed: ")
"""How reasons begin of jobs whose program ran."""


@dataclass
class Canary:
    """A folder outside of every job, and what it was like."""

    folder: Path

    def __post_init__(self) -> None:
        """Writes two files, one of them deep."""
        (self.folder / "deep").mkdir(parents=True)
        for name in ("secret", "deep/secret"):
            (self.folder / name).write_bytes(SECRET)
            (self.folder / name).chmod(0o640)
        self.before = self.state()

    def state(self) -> dict[str, Any]:
        """Every path with what a service could change."""
        found = {}
        for path in [self.folder, *sorted(self.folder.rglob("*"))]:
            status = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            found[str(path)] = (status.st_ino, status.st_mode, status.st_mtime_ns, content)
        return found

    def check(self, world: World) -> None:
        """It is as it was, and nothing of it is in the bucket."""
        assert self.state() == self.before
        inodes = {entry[0] for entry in self.before.values()}
        for key in world.keys(""):
            path = world.objects.path(BUCKET, key)
            assert path is not None
            assert path.stat().st_ino not in inodes
            if not key.startswith("code/"):
                assert SECRET not in path.read_bytes(), key


@pytest.fixture(scope="module", params=["", "user", "rewrite"])
def contained(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world for each way of keeping jobs apart."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv(VARIABLE, request.param)
        home = Path(tempfile.mkdtemp(prefix="containment-"))
        stack.callback(discard, home)
        processes = ForkedProcesses(settings=Settings(home=home), keep=[Path(tempfile.gettempdir())], load=False)
        stack.callback(processes.close)
        ways = {"": (MOUNT, USER), "user": (USER,), "rewrite": (REWRITE,)}
        if processes.isolation.way not in ways[request.param] or (request.param == "user" and os.geteuid() != 0):
            pytest.skip(f"not possible here, or tried already: {processes.isolation}")
        yield stack.enter_context(new_world(processes))


@pytest.fixture
def canary() -> Iterator[Canary]:
    """A folder outside of the state folder, and outside of /tmp, which each job has of its own."""
    folder = Path(tempfile.mkdtemp(prefix="canary-", dir=Path(__file__).parent))
    made = Canary(folder)
    yield made
    remove(folder)


def left(world: World, job: str) -> list[Path]:
    """What is left of a job's folder: it is removed after the end has been recorded."""
    return [path for path in world.settings.jobs.iterdir() if path.name == f"processing-job-{job}"]


# Each is run with `out` (the output's folder), `canary`, and the modules that it needs.
WAYS = {
    "a link instead of the folder": "shutil.rmtree(out); os.symlink(canary, out)",
    "a link instead of the folder above": (
        "shutil.rmtree('/opt/ml/processing/result'); os.symlink(canary, '/opt/ml/processing/result')"
    ),
    "a link to the folder's parent": "shutil.rmtree(out); os.symlink(canary + '/deep/..', out)",
    "a chain of links": (
        "shutil.rmtree(out); os.symlink(canary, '/opt/ml/processing/a'); os.symlink('/opt/ml/processing/a', out)"
    ),
    "a relative link": "shutil.rmtree(out); os.symlink(os.path.relpath(canary, os.path.dirname(out)), out)",
    "a link through /proc": "shutil.rmtree(out); os.symlink('/proc/self/root' + canary, out)",
    "a link through /proc/1": "shutil.rmtree(out); os.symlink('/proc/1/root' + canary, out)",
    "links inside": (
        "os.symlink(canary, out + '/folder'); os.symlink(canary + '/secret', out + '/file');"
        "os.symlink('/proc/self/root' + canary, out + '/proc'); os.symlink(out, out + '/loop')"
    ),
    "a link deep inside": "os.makedirs(out + '/a/b/c'); os.symlink(canary, out + '/a/b/c/d')",
    "a name with dots": "open(out + '/..secret', 'w').write('own'); os.symlink('../' * 20 + canary, out + '/...')",
    "a hard link": "link(canary + '/secret', out + '/secret')",
    "a hard link of a link": "os.symlink(canary + '/secret', out + '/s'); link(out + '/s', out + '/t')",
    "upwards": "shutil.rmtree(out); os.symlink('../' * 40 + canary[1:], out)",
    "a hard link at the place of an output of one file": "shutil.rmtree(out); link(canary + '/secret', out)",
    "a pipe instead of the folder": "shutil.rmtree(out); os.mkfifo(out)",
    "a socket instead of the folder": (
        "shutil.rmtree(out); socket.socket(socket.AF_UNIX).bind('/tmp/s'); os.rename('/tmp/s', out)"
    ),
    "the root of the job, by its process": (
        "helper = subprocess.Popen(['sleep', '5'], start_new_session=True); shutil.rmtree(out);"
        "os.symlink(f'/proc/{helper.pid}/root' + canary, out)"
    ),
    "an open folder of another process": (
        "opened = os.open('/', os.O_RDONLY); shutil.rmtree(out);"
        "os.symlink(f'/proc/{os.getpid()}/fd/{opened}' + canary, out)"
    ),
    "a file of the folder's name above": "os.rename(out, out + '-old'); open(out, 'w').write('own')",
    "a link instead of all of it": (
        "os.rename('/opt/ml/processing', '/opt/ml/p'); os.symlink(canary, '/opt/ml/processing')"
    ),
    "a mount": "mount(canary, out)",
    "a mount inside": "os.mkdir(out + '/inner'); mount(canary, out + '/inner')",
    "a link swapped until the end": "swap(0)",
    "a link swapped beyond the end": "swap(None)",
    "pipes and sockets": (
        "os.mkfifo(out + '/pipe'); socket.socket(socket.AF_UNIX).bind('/tmp/s'); os.rename('/tmp/s', out + '/socket')"
    ),
    "the root of a process outside": "shutil.rmtree(out); os.symlink(outside('root') + canary, out)",
    "files that a process outside has open": "take(outside('fd'), outside('map_files')); look()",
    "signals to other processes and a look at their memory": "signal_all(); trace_all()",
    "sockets without a file": "call_all()",
    "a device and a file of another user": (
        "attempt(os.mknod, out + '/disk', 0o60666, os.makedev(8, 0)); attempt(os.mknod, out + '/m', 0o20666, 257);"
        "shutil.copy('/bin/cat', out + '/cat'); attempt(os.chmod, out + '/cat', 0o4755)"
    ),
    "a long chain of links": (
        "shutil.rmtree(out); names = [f'/opt/ml/processing/l{n}' for n in range(39)] + [canary];"
        "[os.symlink(there, here) for here, there in zip(names, names[1:])]; os.symlink(names[0], out)"
    ),
    "a file system of its own over it": (
        "ctypes.CDLL(None).unshare(0x10020000); mount(canary, out); mount('/proc', '/opt/ml/processing'); look()"
    ),
    "a link instead of the failure file": (
        "os.symlink(canary + '/secret', '/opt/ml/output/failure'); os.symlink(canary + '/secret', "
        "'/opt/ml/output/message'); code = 1"
    ),
    "a link instead of /opt/ml/output": (
        "os.rename('/opt/ml/output', '/opt/ml/old'); os.symlink(canary, '/opt/ml/output'); "
        "os.symlink('secret', '/opt/ml/old/failure'); code = 1"
    ),
}

DURING = (
    "a link instead of the folder", "a link instead of the folder above", "links inside", "a hard link",
    "a mount inside", "a link swapped until the end", "a link swapped beyond the end", "pipes and sockets",
)  # fmt: skip
"""Those that are tried while the service uploads during the job, too."""

PREFIX = """
import ctypes, os, shutil, socket, subprocess, sys, time
out, canary, code = '/opt/ml/processing/result/deep', '{canary}', 0
own_root, own_pids = {own_root}, {own_pids}
open(out + '/own', 'w').write('own')

def link(source, target):
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        print(error)

def mount(source, target):
    print(ctypes.CDLL(None).mount(source.encode(), target.encode(), None, 4096, None))

def attempt(function, *arguments):
    try:
        return function(*arguments)
    except (OSError, OverflowError) as error:
        print(error)

def others():
    return [int(name) for name in os.listdir('/proc') if name.isdigit() and int(name) != os.getpid()]

def outside(kind):
    for pid in others():
        try:
            if os.stat(f'/proc/{pid}/root/').st_ino != os.stat('/').st_ino:
                return f'/proc/{pid}/{kind}/'
        except OSError:
            continue
    return f'/proc/1/{kind}/'

def take(*folders):
    for folder in folders:
        for name in attempt(os.listdir, folder) or []:
            attempt(os.stat, os.path.join(folder, name))

def look():
    for path in (canary + '/secret', '/proc/1/root' + canary + '/secret') if own_root else ():
        content = attempt(lambda place: open(place, 'rb').read(), path)
        if content:
            open(out + '/seen', 'wb').write(content)

def signal_all():
    for pid in others() if own_pids else []:
        attempt(os.kill, pid, 9)

def trace_all():
    for pid in others() if own_pids else []:
        print(ctypes.CDLL(None).ptrace(16, pid, 0, 0))

def call_all():
    for line in open('/proc/net/unix').read().splitlines()[1:]:
        name = (line.split() + [''])[7]
        if name.startswith('@'):
            with socket.socket(socket.AF_UNIX) as peer:
                peer.settimeout(0.2)
                attempt(peer.connect, chr(0) + name[1:])

def swap(end):
    helper = '''
import os, sys, time
out, canary = sys.argv[1:]
until = time.monotonic() + 3
while time.monotonic() < until:
    os.rename(out, out + '-old'); os.symlink(canary, out); os.unlink(out); os.rename(out + '-old', out)
'''
    more = dict(start_new_session=True) if end is None else dict()
    process = subprocess.Popen([sys.executable, '-c', helper, out, canary], **more)
    time.sleep(0.3)
    if end is not None:
        process.wait()

"""


def prefix(world: World, canary: Canary) -> str:
    """The head of a script; what it may try depends on how jobs are kept apart."""
    way = world.processes.isolation
    values = {"canary": str(canary.folder), "own_root": str(way.namespaces), "own_pids": str(way.own_pids)}
    return re.sub(r"\{(canary|own_root|own_pids)\}", lambda found: values[found[1]], PREFIX)


@pytest.mark.parametrize(
    ("way", "mode"), [*((way, "EndOfJob") for way in WAYS), *((way, "Continuous") for way in DURING)]
)
def test_the_service_reads_nothing_outside_for_a_job(contained: World, canary: Canary, way: str, mode: str) -> None:
    name = f"{'-'.join(way.replace('/', '').split())}-{mode}".lower()
    script = prefix(contained, canary) + WAYS[way] + "\ntime.sleep(1.2 if code == 0 else 0)\nsys.exit(code)\n"
    if mode == "EndOfJob":
        script = script.replace("time.sleep(1.2", "time.sleep(0")
    outputs = processing_outputs("result", S3UploadMode=mode)
    outputs["Outputs"][0]["S3Output"] |= {
        "S3Uri": f"s3://{BUCKET}/{name}", "LocalPath": "/opt/ml/processing/result/deep",
    }  # fmt: skip
    job = contained.processed(name, script, ProcessingOutputConfig=outputs)
    assert job["ProcessingJobStatus"] in ("Completed", "Failed")
    assert job.get("FailureReason", "AlgorithmError").startswith(RAN), job["FailureReason"]
    assert SECRET.decode() not in str(job)
    canary.check(contained)
    until(lambda: not left(contained, name), "the job's folder is removed")


@pytest.mark.parametrize("way", ["a link instead of the folder", "a link instead of the folder above", "a hard link"])
def test_a_replaced_output_fails_the_job_in_words(contained: World, canary: Canary, way: str) -> None:
    name = "words-" + "-".join(way.split())
    outputs = processing_outputs("result")
    outputs["Outputs"][0]["S3Output"] |= {"LocalPath": "/opt/ml/processing/result/deep"}
    script = prefix(contained, canary) + WAYS[way]
    job = contained.processed(name, script, ProcessingOutputConfig=outputs)
    if "hard" in way and contained.processes.isolation.namespaces:  # the kernel makes no link from one mount to another
        assert job["ProcessingJobStatus"] == "Completed"
        return
    assert job["FailureReason"].startswith("ClientError: Data upload failed: ")
    assert "/opt/ml/processing/result/deep" in job["FailureReason"]


TRAINING = {
    "model": "os.rmdir('/opt/ml/model'); os.symlink(canary, '/opt/ml/model')",
    "data": "os.rmdir('/opt/ml/output/data'); os.symlink(canary, '/opt/ml/output/data')",
    "checkpoints": "os.rmdir('/opt/ml/checkpoints'); os.symlink(canary, '/opt/ml/checkpoints'); time.sleep(2.5)",
    "inside the model": "os.symlink(canary, '/opt/ml/model/x'); os.symlink(canary + '/secret', '/opt/ml/model/y')",
    "hard link": "link(canary + '/secret', '/opt/ml/model/y')",
    "failure": "os.symlink(canary + '/secret', '/opt/ml/output/failure'); sys.exit(1)",
}


@pytest.mark.parametrize("way", TRAINING)
@pytest.mark.parametrize("compression", ["GZIP", "NONE"])
def test_training_jobs_reach_nothing_outside(contained: World, canary: Canary, way: str, compression: str) -> None:
    name = f"train-{way.replace(' ', '-')}-{compression}".lower()
    head = prefix(contained, canary).replace("open(out + '/own', 'w').write('own')", "")
    script = head + "open('/opt/ml/output/own', 'w').write('own')\n" + TRAINING[way]
    contained.put(f"checks-{name}/kept", "1")
    job = contained.trained(
        name, script, output={"CompressionType": compression},
        CheckpointConfig={"S3Uri": f"s3://{BUCKET}/checks-{name}/", "LocalPath": "/opt/ml/checkpoints"}
        if way == "checkpoints" else {"S3Uri": f"s3://{BUCKET}/checks-{name}/"},
    )  # fmt: skip
    assert job.get("FailureReason", "AlgorithmError").startswith(RAN), job["FailureReason"]
    assert SECRET.decode() not in str(job)
    canary.check(contained)
    if way == "checkpoints":
        assert contained.get(f"checks-{name}/kept") == b"1"


def test_outputs_of_any_depth_and_with_any_permissions(contained: World) -> None:
    script = (
        "import os\n"
        "os.chdir('/opt/ml/processing/result')\n"
        "os.mkdir('shut'); open('shut/file', 'w').write('1'); os.chmod('shut/file', 0); os.chmod('shut', 0)\n"
        "for _ in range(1500):\n    os.mkdir('d'); os.chdir('d')\n"
    )
    outputs = processing_outputs("result")
    outputs["Outputs"][0]["S3Output"]["S3Uri"] = f"s3://{BUCKET}/any-depth"
    job = contained.processed("deep", script, ProcessingOutputConfig=outputs)
    assert job["ProcessingJobStatus"] == "Completed", job
    assert contained.keys("any-depth/") == ["any-depth/shut/file"]
    job = contained.processed(
        "deeper", script + "open('file', 'w').write('1')", ProcessingOutputConfig=processing_outputs("result")
    )
    assert job["FailureReason"].startswith("ClientError: Data upload failed: the key of the file 'd/d/d/")
    until(lambda: not left(contained, "deep") + left(contained, "deeper"), "the jobs' folders are removed")


def test_a_hard_link_inside_of_the_job_is_a_file(contained: World) -> None:
    script = (
        "import os\n"
        "open('/opt/ml/processing/own', 'w').write('own')\n"
        "os.link('/opt/ml/processing/own', '/opt/ml/processing/result/linked')\n"
    )
    job = contained.processed("linked", script, ProcessingOutputConfig=processing_outputs("result"))
    assert job["ProcessingJobStatus"] == "Completed", job
    assert contained.get("result/linked") == b"own"


def test_names_that_are_no_text_are_said(contained: World) -> None:
    script = "open(b'/opt/ml/processing/result/\\xff', 'w')"
    job = contained.processed("bytes", script, ProcessingOutputConfig=processing_outputs("result"))
    assert job["FailureReason"] == "ClientError: Data upload failed: the file name '\\udcff' is not UTF-8."


def test_the_canary_can_fail(contained: World, canary: Canary) -> None:
    """The check itself: it notices a copy, a change and a move."""
    contained.put("stolen", SECRET)
    with pytest.raises(AssertionError):
        canary.check(contained)
    contained.objects.delete(BUCKET, "stolen")
    canary.check(contained)
    os.utime(canary.folder / "secret", (1, 1))
    with pytest.raises(AssertionError):
        canary.check(contained)
