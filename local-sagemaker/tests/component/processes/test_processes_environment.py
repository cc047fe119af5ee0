"""The user's keys, which the service's own environment may hold, are nowhere that a job can read."""

from __future__ import annotations

import os

import pytest

from local_sagemaker import environment_allowlist
from local_sagemaker.images.image import ImageUri, Program
from local_sagemaker.images.sklearn import ScikitLearn
from local_sagemaker.processes import ProcessSpec
from tests.component.processes.conftest import KEYS, SECRET

SECONDS = 300
SCRIPT = "/opt/ml/code/script.py"
LOOK = """
import glob, os, sys

secret, found, readable = sys.argv[1].encode(), [name for name in sys.argv[2:] if name in os.environ], 0
for file in ["/proc/self/environ", *glob.glob("/proc/[0-9]*/environ"), *glob.glob("/proc/[0-9]*/task/*/environ")]:
    try:
        with open(file, "rb") as variables:
            data = variables.read()
    except OSError:
        continue
    readable += bool(data)
    if secret in data:
        found.append(file)
print(found, readable > 0)
"""


def run(world, program):
    root = world.root()
    (root / "ml" / "code" / "script.py").write_text(LOOK)
    process = world.processes.start(ProcessSpec(program, root, root / "log"))
    assert process.wait(SECONDS) == 0, (root / "log").read_text()
    return (root / "log").read_text().splitlines()[-1]


IMAGE = ScikitLearn().process(ImageUri.parse("registry/sagemaker-scikit-learn:1.4-2-cpu-py3"), [], []).libraries


@pytest.mark.parametrize("libraries", [None, IMAGE], ids=["the service's Python", "an image's Python"])
@pytest.mark.parametrize("command", [["python3"], ["env", "python3"]], ids=["forked", "executed"])
def test_no_process_shows_the_users_keys(world, command, libraries):
    argv = (*command, SCRIPT, SECRET, *KEYS)
    assert run(world, Program(argv, libraries=libraries)) == "[] True"


def test_the_look_finds_what_there_is(best):
    """The check itself: a process whose variables hold the secret."""
    argv = ("env", f"OWN={SECRET}", "python3", SCRIPT, SECRET, "OWN")
    assert run(best, Program(argv)).startswith("['OWN', '/proc/self/environ', ")


@pytest.mark.parametrize(("libraries", "said"), [(None, "false"), (IMAGE, "ERROR: No such key")])
def test_pip_looks_for_conflicts_among_an_images_packages_only(best, libraries, said):
    """Those behind a build are the service's: no image has them, and to read their metadata takes pip seconds."""
    root = best.root()
    command = ("pip", "config", "get", "install.no-warn-conflicts")
    best.processes.start(ProcessSpec(Program(command, libraries=libraries), root, root / "log")).wait(SECONDS)
    assert said in (root / "log").read_text()


def test_what_is_needed_is_passed_on():
    machine = {
        "PATH": "/bin", "HOME": "/me", "LC_ALL": "C", "HTTPS_PROXY": "p", "PIP_INDEX_URL": "i", "OMP_NUM_THREADS": "1",
        "PYTHONPATH": "/p", "XDG_CACHE_HOME": "/c", "LOCAL_SAGEMAKER_CACHE": "/d", "AWS_REGION": "eu-west-1",
    }  # fmt: skip
    others = {"AWS_ACCESS_KEY_ID": "k", "AWS_PROFILE": "p", "AWS_ENDPOINT_URL": "u", "GITHUB_TOKEN": "t"}
    service = environment_allowlist.of_service({**machine, **others, "AWS_CONFIG_FILE": "/home/me/config"})
    assert {name: service[name] for name in machine} == machine
    assert not service.keys() & others.keys()
    assert service["AWS_CONFIG_FILE"] == service["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    fork_server = environment_allowlist.of_fork_servers(service, own_python=False)
    assert sorted(fork_server) == ["HOME", "HTTPS_PROXY", "LC_ALL", "OMP_NUM_THREADS", "PATH", "PIP_INDEX_URL"]
    assert sorted(environment_allowlist.of_jobs(fork_server)) == ["HTTPS_PROXY", "PIP_INDEX_URL"]
