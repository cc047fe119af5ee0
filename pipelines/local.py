"""``--local``: the same command again, with every AWS client in it pointed at the service on this machine.

The one place where project code names the service, and all it knows of it is one command. What the second process
needs to know beyond its arguments travels in ``COMMAND_VARIABLE``.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import site
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

COMMAND = ["local-sagemaker", "exec", "--"]
COMMAND_VARIABLE = "PIPELINES_COMMAND_PREFIX"  # what goes in front of the commands that messages suggest
SERVICE_VARIABLE = "LOCAL_SAGEMAKER_COMMAND"  # the same, where the user typed ``local-sagemaker exec`` and not --local
FLAG = "--local"


def hand_over(command: str, argv: Sequence[str], package: str = "pipelines") -> int:
    """Becomes ``local-sagemaker exec -- COMMAND ARGV`` without the flag. Returns (2) only without a service.

    :param package: where the command's module is, for an installation without console scripts.
    """
    service = _beside_python(COMMAND[0])
    if service is not None:
        own = _beside_python(command)
        again = [own] if own else [sys.executable, "-m", f"{package}.{command.replace('-', '_')}"]
        os.environ[COMMAND_VARIABLE] = " ".join(COMMAND)
        os.execv(service, [service, *COMMAND[1:], *again, *(word for word in argv if word != FLAG)])
    print(f"{command}: --local needs the local service: pip install ./model-checks ./local-sagemaker", file=sys.stderr)
    return 2


def join() -> None:
    """Points every AWS client of this process at the service, which is started if it does not run.

    For a process that cannot be started anew, such as a notebook's kernel. It gets what ``local-sagemaker exec`` gives
    to a process that it starts: the environment, and the hook that keeps the SDK's telemetry on this machine.

    :raises FileNotFoundError: if the service is not installed.
    """
    service = _beside_python(COMMAND[0])
    if service is None:
        raise FileNotFoundError("the local service is not installed: pip install ./model-checks ./local-sagemaker")
    show = [sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))"]
    output = subprocess.run([service, *COMMAND[1:], *show], stdout=subprocess.PIPE, check=True, text=True).stdout
    environment = json.loads(output.splitlines()[-1])
    os.environ.clear()
    os.environ.update(environment, **{COMMAND_VARIABLE: " ".join(COMMAND)})
    # Python loads the hook when it starts, as the sitecustomize of the first folder on PYTHONPATH.
    sys.path.insert(0, environment["PYTHONPATH"].split(os.pathsep)[0])
    sys.modules.pop("sitecustomize", None)
    site.execsitecustomize()
    del sys.path[0]


def is_local() -> bool:
    """Whether the AWS clients of this process talk to the service on this machine."""
    return COMMAND_VARIABLE in os.environ or "LOCAL_SAGEMAKER_URL" in os.environ


def next_command(words: str) -> str:
    """A command as the user has to type it to reach the same place that this process talks to."""
    prefix = os.environ.get(COMMAND_VARIABLE) or os.environ.get(SERVICE_VARIABLE)
    return " ".join(filter(None, [prefix, words]))


def page_command(execution_arn: str) -> str | None:
    """The command that opens an execution's page in the browser; None on AWS, where the console has one."""
    if not is_local():
        return None
    name, _, identifier = execution_arn.split(":", 5)[-1].partition("/execution/")
    return f"local-sagemaker studio pipelines/{name.removeprefix('pipeline/')}/executions/{identifier}"


def curl_command(url: str, body: str) -> str | None:
    """How curl posts JSON to a REST API of this machine, whose AWS name it can't look up; None on AWS, where it can."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if not is_local() or not endpoint:
        return None
    parts = urlsplit(url)
    headers = [f"Host: {parts.netloc}", "Content-Type: application/json"]
    words = ["curl", *(word for header in headers for word in ("-H", header)), "-d", body, f"{endpoint}{parts.path}"]
    return shlex.join(words)


def log_command(group: str, job: str) -> str:
    """The command that prints the whole log of a job."""
    if is_local():
        return f"local-sagemaker logs {job} --lines 0"
    return (
        f"aws logs filter-log-events --log-group-name {group} --log-stream-name-prefix {job}/ "
        "--query events[].message --output text"
    )


def debug_command(execution_arn: str, step: str) -> str | None:
    """The command that runs the job of a step again at this terminal; None on AWS, where nothing does."""
    return f"local-sagemaker debug {execution_arn.rpartition('/')[2]} {step}" if is_local() else None


def _beside_python(command: str) -> str | None:
    """A command of the environment that this Python belongs to, activated or not; else one on PATH."""
    beside = Path(sys.executable).with_name(command)
    return str(beside) if beside.exists() else shutil.which(command)
