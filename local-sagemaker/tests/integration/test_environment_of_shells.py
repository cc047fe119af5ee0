"""`local-sagemaker env`: a shell that reads its lines runs programs as `local-sagemaker exec` does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker import lifecycle
from tests.support import COMMANDS, Service

SHOW = "import json, os, sys; json.dump(dict(os.environ), open(sys.argv[1], 'w'))"
OWN = ("SHLVL", "_", "PWD", "OLDPWD", "LINES", "COLUMNS", "PSModulePath", "POWERSHELL_DISTRIBUTION_CHANNEL")
"""Variables that shells keep for themselves."""
SHELLS = {
    "bash": 'eval "$(local-sagemaker env)"',
    "sh": 'eval "$(local-sagemaker env --format sh)"',
    "zsh": 'eval "$(local-sagemaker env)"',
    "fish": "local-sagemaker env --format fish | source",
    "pwsh": "local-sagemaker env --format powershell | Out-String | Invoke-Expression",
}


@pytest.fixture(scope="module")
def odd() -> Iterator[Service]:
    """A service whose state folder has what shells treat in their own way."""
    folder = Path(tempfile.mkdtemp(prefix="env-"))
    service = Service(folder / 'it\'s $HOME; \\here "now"')
    service.up()
    yield service
    service.down()
    shutil.rmtree(folder)


def own_environment(service: Service, **more: str) -> dict[str, str]:
    """A user's environment, with settings of their own that have to give way."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **plain, "PATH": f"{COMMANDS}:{os.environ['PATH']}", "LOCAL_SAGEMAKER_HOME": str(service.home),
        "AWS_PROFILE": "mine", "AWS_SESSION_TOKEN": "old", "PYTHONPATH": "/somewhere/of mine", **more,
    }  # fmt: skip


def environment_after(words: list[str], environment: dict[str, str], file: Path) -> dict[str, str]:
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return {name: value for name, value in json.loads(file.read_text()).items() if name not in OWN}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_that_reads_the_lines_is_as_exec(odd: Service, shell: str, tmp_path: Path) -> None:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    environment, file = own_environment(odd), tmp_path / "seen.json"
    (tmp_path / "show.py").write_text(SHOW)
    show = [sys.executable, str(tmp_path / "show.py"), str(file)]
    expected = environment_after(["local-sagemaker", "exec", "--", *show], environment, file)
    assert expected.pop("LOCAL_SAGEMAKER_COMMAND") == "local-sagemaker exec --"  # a shell needs no such prefix
    call = "& " if shell == "pwsh" else ""
    twice = f"{SHELLS[shell]}\n{SHELLS[shell]}\n{call}{' '.join(show)}"
    assert environment_after([found, "-c", twice], environment, file) == expected
    assert "AWS_PROFILE" not in expected and "/somewhere/of mine" in expected["PYTHONPATH"]


def test_files_of_variables_hold_the_same(odd: Service) -> None:
    environment = own_environment(odd)
    done = subprocess.run(
        ["local-sagemaker", "env", "--format", "dotenv"], env=environment, capture_output=True, text=True, check=True
    )
    lines = dict(line.split("=", 1) for line in done.stdout.splitlines() if not line.startswith("#"))
    show = "import json, os; print(json.dumps(dict(os.environ)))"
    words = ["local-sagemaker", "exec", "--", sys.executable, "-c", show]
    expected = json.loads(subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout)
    assert lines == {name: expected[name] for name in lines}
    other = {*lines, *OWN, "LOCAL_SAGEMAKER_COMMAND"}
    assert {name for name in expected if expected[name] != environment.get(name)} <= other
    assert "AWS_PROFILE AWS_SESSION_TOKEN" in done.stdout


def test_it_starts_the_service_as_exec_does(own_service: Service) -> None:
    own_service.down()
    subprocess.run(["local-sagemaker", "env"], env=own_environment(own_service), capture_output=True, check=True)
    assert lifecycle.find_running(own_service.settings)


def test_an_endpoint_given_in_the_program_reaches_the_service(service: Service, tmp_path: Path) -> None:
    """What AWS_ENDPOINT_URL alone does not do: the SDK makes its STS client so."""
    file = tmp_path / "seen.json"
    program = (
        "import boto3, json; s = boto3.client('sts', endpoint_url='https://sts.us-east-1.amazonaws.com')\n"
        f"json.dump({{'account': s.get_caller_identity()['Account']}}, open({str(file)!r}, 'w'))"
    )
    (tmp_path / "caller.py").write_text(program)
    script = f'eval "$(local-sagemaker env)"; {sys.executable} {tmp_path / "caller.py"}'
    assert environment_after(["bash", "-c", script], own_environment(service), file) == {"account": "123456789012"}


@pytest.mark.parametrize("region", [{"AWS_REGION": "eu-west-1"}, {"AWS_DEFAULT_REGION": "eu-west-1"}])
def test_the_users_region_counts(service: Service, region: dict[str, str], tmp_path: Path) -> None:
    environment = {**own_environment(service), **region}
    words = ["local-sagemaker", "exec", "--", "aws", "sagemaker", "create-model-package-group"]
    words += ["--model-package-group-name", f"Region{next(iter(region)).replace('_', '')}"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert ":eu-west-1:" in done.stdout, done.stderr


MISTAKES: dict[str, tuple[list[str], dict[str, str], str]] = {
    "port": (["status"], {"LOCAL_SAGEMAKER_PORT": "abc"}, "LOCAL_SAGEMAKER_PORT: 'abc' is no port"),
    "high port": (["up", "--port", "70000"], {}, "--port: '70000' is no port"),
    "negative port": (["up", "--port=-1"], {}, "--port: '-1' is no port"),
    "account": (["up", "--account", "12"], {}, "--account: '12' is no account"),
    "region": (["up", "--region", "Europe"], {}, "--region: 'Europe' is no region"),
    "region variable": (["exec", "--", "true"], {"AWS_REGION": "eu_west_1"}, "AWS_REGION: 'eu_west_1' is no region"),
    "seconds": (["status"], {"LOCAL_SAGEMAKER_STOP_GRACE": "long"}, "LOCAL_SAGEMAKER_STOP_GRACE: 'long' is no number"),
    "switch": (["status"], {"LOCAL_SAGEMAKER_PRELOAD": "maybe"}, "LOCAL_SAGEMAKER_PRELOAD: 'maybe' is neither"),
    "command": (["statsu"], {}, "statsu"),
    "nothing": ([], {}, "COMMAND"),
    "option": (["logs", "--lines", "many"], {}, "many"),
    "another region": (["up", "--region", "eu-west-1"], {}, "runs already, with region us-east-1"),
    "another account": (["up", "--account", "210987654321"], {}, "runs already, with account 123456789012"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line(service: Service, name: str) -> None:
    words, more, expected = MISTAKES[name]
    environment: dict[str, Any] = own_environment(service, **more)
    done = subprocess.run(["local-sagemaker", *words], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2) and not done.stdout
    assert expected in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
