"""``make check-moto``: moto's own tests of the services that are ours, run against the local service.

``python -m tests.moto [AREA ...] [-k EXPRESSION]``. moto's tests come with its source distribution, which is fetched
once for the version that is installed; where that cannot be, the check is skipped and says so. What does not pass
stands in `not_passing.toml` with its reason, by its name or by the text of its failure; the check ends with 1 when
another test fails, or one of those that are named passes.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from local_sagemaker.config import find_cache
from local_sagemaker.images.libraries.build import uv_command
from local_sagemaker.testing import temporary_service

AREAS = (
    "s3", "sagemaker", "sagemakerruntime", "sagemakermetrics", "cloudformation", "codebuild", "codecommit",
    "codepipeline", "events", "scheduler", "awslambda", "apigateway", "applicationautoscaling", "logs",
)  # fmt: skip
MOTO = version("moto")
NEEDED = (f"moto[s3,sagemaker,server]=={MOTO}", "boto3", "pytest", "pytest-timeout", "freezegun", "requests")
HERE = Path(__file__).parent


class Unavailable(Exception):
    """moto's tests are not on this machine and cannot be fetched; the text says why."""


def main() -> int:
    """Runs the tests of the named areas, or of all."""
    parser = argparse.ArgumentParser(prog="python -m tests.moto")
    parser.add_argument("areas", nargs="*", metavar="AREA", help=f"of {', '.join(AREAS)} (default: all)")
    parser.add_argument("-k", metavar="EXPRESSION", default="", help="only tests whose names match, as pytest takes it")
    options = parser.parse_args()
    try:
        folder = _prepare(find_cache(os.environ) / "moto-tests" / MOTO)
    except Unavailable as error:
        print(f"Skipped: moto's tests are not here. {error}")
        return 0
    results = _run(folder, options.areas or AREAS, options.k)
    return _judge(results, partial=bool(options.k or options.areas))


def _prepare(folder: Path) -> Path:
    """A folder with moto's ``tests`` and an environment to run them in, made once."""
    if (folder / "complete").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    python = folder / "env" / "bin" / "python"
    _fetch(uv_command(), "venv", "--seed", "--clear", "--python", sys.executable, str(folder / "env"))
    _fetch(uv_command(), "pip", "install", "--python", str(python), *NEEDED)
    download = ("-m", "pip", "download", "--no-deps", "--no-binary", ":all:", "-d", str(folder), f"moto=={MOTO}")
    _fetch(str(python), *download)
    with tarfile.open(folder / f"moto-{MOTO}.tar.gz") as archive:
        top = f"moto-{MOTO}/"
        wanted = [member for member in archive if member.name.startswith((f"{top}tests/", f"{top}other_langs/"))]
        archive.extractall(folder, wanted, filter="data")
    if not (folder / f"moto-{MOTO}" / "tests" / "test_s3").is_dir():
        raise Unavailable(f"The source distribution of moto {MOTO} has none.")
    (folder / "complete").touch()
    return folder


def _fetch(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"{' '.join(command[:3])} ...: {done.stderr.strip()[-300:]}")


def _run(folder: Path, areas: list[str] | tuple[str, ...], expression: str) -> dict[str, str]:
    """Each test's outcome: "" where it passed, else the first line of what was wrong."""
    report = folder / "report.xml"
    names = [f"tests/test_{area}" for area in areas]
    with temporary_service() as service:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))},
            **service.client_environment(), "PYTHONPATH": str(HERE), "AWS_DEFAULT_REGION": "us-east-1",
        }  # fmt: skip
        command = [folder / "env" / "bin" / "python", "-m", "pytest", "-q", "-p", "moto_on_local_sagemaker", "-p",
                   "no:cacheprovider", "--timeout", "60", "--tb=line", f"--junitxml={report}", "-k", expression,
                   "--continue-on-collection-errors", *names]  # fmt: skip
        subprocess.run(command, cwd=folder / f"moto-{MOTO}", env=environment, check=False)
    cases = [case for case in ElementTree.parse(report).iter("testcase") if case.find("skipped") is None]
    return dict(map(_outcome, cases))


def _outcome(case: ElementTree.Element) -> tuple[str, str]:
    name = f"{case.get('classname', '').removeprefix('tests.')}.{case.get('name', '')}"
    wrong = [child for child in case if child.tag in ("failure", "error")]
    return name, (wrong[0].get("message") or wrong[0].tag).split("\n", 1)[0] if wrong else ""


def _judge(results: Mapping[str, str], *, partial: bool) -> int:
    """Prints what passed and what did not; 1 when that is not what the list says."""
    listed = {test: kind for kind, entry in _not_passing().items() for test in entry.get("tests", ())}
    failed = {test: text for test, text in results.items() if text}
    reasons = {test: listed.get(test) or _by_text(text) for test, text in failed.items()}
    unexpected = {test: text for test, text in failed.items() if not reasons[test]}
    either = {kind for kind, entry in _not_passing().items() if entry.get("either")}
    mended = sorted(t for t in listed if t in results and t not in failed and listed[t] not in either)
    unknown = [] if partial else sorted(set(listed) - set(results))
    print(f"{len(results) - len(failed)} of {len(results)} tests pass (moto {MOTO}).")
    for area, count in Counter(map(_area, results)).items():
        print(f"  {count - sum(_area(test) == area for test in failed):4} of {count} of {area}")
    for kind, count in Counter(kind for kind in reasons.values() if kind).most_common():
        print(f"  {count:4}  {kind}: {_not_passing()[kind]['reason']}")
    for test, text in unexpected.items():
        print(f"FAILED {test}: {text}")
    for test in mended:
        print(f"PASSES, and is listed as not passing: {test}")
    for test in unknown:
        print(f"Listed, and is no test of this moto's: {test}")
    return 1 if unexpected or mended else 0


def _area(test: str) -> str:
    return test.partition(".")[0].removeprefix("test_")


def _by_text(text: str) -> str:
    """The kind of a failure by its text, or nothing."""
    kinds = _not_passing().items()
    return next((kind for kind, entry in kinds if any(re.search(part, text) for part in entry.get("texts", ()))), "")


@cache
def _not_passing() -> dict[str, dict[str, Any]]:
    return tomllib.loads((HERE / "not_passing.toml").read_text("utf-8"))


if __name__ == "__main__":
    sys.exit(main())
