"""The wheels: what is in them, and the service's in a fresh environment beside the SageMaker SDK v2.

The environment comes from a package index; where none can be reached, the tests that need it are skipped by that name.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SOURCES = {"model_checks": "model-checks", "local_sagemaker": "local-sagemaker", "sagemaker_pipelines_project": "."}
PREPARE = """
import random
rows = [[random.random() for _ in range(3)] for _ in range(200)]
with open("/opt/ml/processing/train/rows.csv", "w") as file:
    file.writelines(f"{sum(row)},{','.join(map(str, row))}\\n" for row in rows)
"""
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
"""What pip calls to build a wheel, in the folder of the sources; pip itself takes as long again."""
SDK_V2 = "sagemaker>=2.257,<3"
A_PART = """
NUMBERS = {"containers", "monitors", "tuning"}

def pytest_collection_modifyitems(config, items):
    first = {}
    for item in items:
        first.setdefault(item.path, {}).setdefault(getattr(item, "originalname", item.name), item)
    kept = set()
    for path, cases in first.items():
        kept.update([*cases.values()][: None if NUMBERS & {*path.parts} else 2])
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]
"""
"""A plugin: of the files whose numbers other versions of libraries could change, the first case of each test function,
of every other file those of two, which import what it is about. The rest they show of the same code in the tree."""
TEST_TOOLS = (
    "pytest",
    "pytest-timeout",
    "hypothesis",
    "shap",
    "smclarify",
    "datasketches",
    "setuptools",
)


def plain_environment() -> dict[str, str]:
    """This process's environment without what leads to its own packages."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


def run(*words: object, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a command that knows nothing of this process's environment of packages."""
    return subprocess.run(
        [str(word) for word in words],
        env={**plain_environment(), **variables}, cwd=cwd, text=True, capture_output=True, timeout=1200, check=False,
    )  # fmt: skip


def installer(python: Path) -> list[object]:
    """The command that installs packages for a Python: uv where there is one, else pip."""
    uv = shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--quiet", "--python", python]
    return [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheels of the three distributions, built from copies of their sources without a network."""
    folder = tmp_path_factory.mktemp("wheels")
    built = {}
    for name, source in SOURCES.items():
        copy = folder / name
        ignored = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "tests")
        shutil.copytree(ROOT / source, copy, ignore=ignored)
        done = run(sys.executable, "-c", BUILD, folder / "dist", cwd=copy)
        assert done.returncode == 0, done.stderr
        (built[name],) = (folder / "dist").glob(f"{name}-*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheels: dict[str, Path]) -> Iterator[Path]:
    """The Python of a fresh environment with the service's wheel and SDK v2; neither the project nor this checkout.

    Outside of /tmp, which each job has for itself.
    """
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        yield make_environment(wheels, Path(folder))


def make_environment(wheels: dict[str, Path], folder: Path) -> Path:
    """The Python of a new environment in a folder."""
    venv.create(folder, with_pip=not shutil.which("uv"))
    python = folder / "bin" / "python"
    install = installer(python)
    if run(*install, SDK_V2).returncode:
        pytest.skip("no package index can be reached, or it has no SageMaker SDK v2")
    done = run(*install, wheels["model_checks"], wheels["local_sagemaker"], SDK_V2)
    assert done.returncode == 0, done.stderr
    return python


def files_of(package: Path) -> set[str]:
    """The files of a package in the tree, as a wheel names them."""
    found = (file for file in package.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return {str(file.relative_to(package.parent)) for file in found}


def test_wheels_hold_their_package_and_its_licence_only(wheels: dict[str, Path]) -> None:
    for name, packages in (
        ("model_checks", {"model_checks"}),
        ("local_sagemaker", {"local_sagemaker"}),
        ("sagemaker_pipelines_project", {"pipelines", "delivery"}),
    ):
        with zipfile.ZipFile(wheels[name]) as archive:
            names = archive.namelist()
            (metadata,) = [archive.read(file).decode() for file in names if file.endswith(".dist-info/METADATA")]
        assert {file.split("/")[0] for file in names if ".dist-info/" not in file} == packages
        assert any(file.endswith(".dist-info/licenses/LICENSE") for file in names), name
        assert re.search(r"^License(-Expression)?: Apache-2.0$", metadata, re.MULTILINE)
        assert not any("__pycache__" in file for file in names)
        for package in packages:
            assert files_of(ROOT / SOURCES[name] / package) <= {*names}, "a file of the tree is not in the wheel"
    assert "pipelines/datasets/abalone.csv" in names


def test_the_services_wheel_is_typed_and_a_pytest_plugin(wheels: dict[str, Path]) -> None:
    with zipfile.ZipFile(wheels["local_sagemaker"]) as archive:
        names = archive.namelist()
        (entries,) = [archive.read(file).decode() for file in names if file.endswith("entry_points.txt")]
        (metadata,) = [archive.read(file).decode() for file in names if file.endswith("METADATA")]
    assert "local_sagemaker/py.typed" in names
    assert "local_sagemaker = local_sagemaker.pytest_plugin" in entries
    assert "Classifier: Framework :: Pytest" in metadata
    required = {
        line.split()[1] for line in metadata.splitlines() if line.startswith("Requires-Dist") and "extra" not in line
    }
    assert not required & {"sagemaker", "mlflow", "pydantic", "smclarify", "s3fs", "pytest"}


def test_the_wheel_beside_sdk_v2_is_small(python: Path, record_property: Callable[[str, object], None]) -> None:
    packages = next((python.parent.parent / "lib").glob("python*/site-packages"))
    size = sum(file.stat().st_size for file in packages.rglob("*") if file.is_file()) / 1e6
    count = len(list(packages.glob("*.dist-info")))
    record_property("figure", f"local-sagemaker beside sagemaker<3: {count} packages, {size:,.0f} MB")
    assert not list(packages.glob("nvidia*"))
    assert not list(packages.glob("pipelines*"))


def test_a_script_with_sdk_v2_runs_against_the_wheel(python: Path, tmp_path: Path) -> None:
    (tmp_path / "prepare.py").write_text(PREPARE)
    script = Path(__file__).with_name("quick_start_sdk_v2.py")
    shutil.copy(script, tmp_path / "script.py")
    assert len([line for line in script.read_text("utf-8").splitlines() if line.strip()]) < 40
    command = python.parent / "local-sagemaker"
    variables = {"LOCAL_SAGEMAKER_HOME": str(tmp_path / "state"), "PATH": f"{python.parent}:{os.environ['PATH']}"}
    try:
        assert run(command, "doctor", cwd=tmp_path, **variables).returncode == 0
        done = run(command, "exec", "--", "python", "script.py", cwd=tmp_path, **variables)
    finally:
        run(command, "down", cwd=tmp_path, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Model: s3://sagemaker-us-east-1-123456789012/" in done.stdout
    assert "Pipeline: Succeeded" in done.stdout


@pytest.mark.timeout(1500)
def test_the_services_unit_tests_pass_from_its_wheel(python: Path, tmp_path: Path) -> None:
    """With the libraries that the wheel asks for, which are not those of the project's environment."""
    uv = shutil.which("uv")
    install = (
        [uv, "pip", "install", "--quiet", "--python", python] if uv else [python, "-m", "pip", "install", "--quiet"]
    )
    done = run(*install, *TEST_TOOLS)
    assert done.returncode == 0, done.stderr
    shutil.copytree(ROOT / "local-sagemaker" / "tests", tmp_path / "tests")
    shutil.copy(ROOT / "local-sagemaker" / "pyproject.toml", tmp_path)
    (tmp_path / "a_part.py").write_text(A_PART)
    words = ("-m", "pytest", "-p", "a_part", "-m", "not slow and not hypothesis", "tests/unit")
    done = run(python, *words, cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    where = run(python, "-c", "import local_sagemaker; print(local_sagemaker.__file__)", cwd=tmp_path).stdout
    assert str(python.parent.parent) in where
