"""What `make install` and `make bench` install: enough, and one XGBoost only; by uv, or without it by pip."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import ROOT
from tests.support_distribution import PLATFORMS, extras, project, requirements, table

BIN = "Scripts" if os.name == "nt" else "bin"


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda item: f"{item['sys_platform']}-{item['platform_machine']}")
def test_one_xgboost_on_every_platform(platform: dict[str, str]) -> None:
    """xgboost and xgboost-cpu hold the same files: together, removing or updating one breaks the other."""
    wanted = {
        item.name
        for item in requirements(*extras())
        if "xgboost" in item.name and (item.marker is None or item.marker.evaluate({**platform, "extra": ""}))
    }
    assert len(wanted) == 1


def test_both_distributions_allow_the_same_pythons() -> None:
    assert str(project().python_requires) == table()["requires-python"]


def test_the_benchmarks_have_what_they_import() -> None:
    """Of what `make bench` installs, not of what the tests happen to bring."""
    declared = {canonicalize_name(item.name) for item in requirements("bench")}
    reached = closure(declared)
    providers = importlib.metadata.packages_distributions()
    missing = {
        f"{file.name}: {name}"
        for file in (ROOT / "benchmarks").glob("*.py")
        for name in imports(file)
        - sys.stdlib_module_names
        - {"benchmarks", "delivery", "local_sagemaker", "model_checks", "pipelines"}
        if not {canonicalize_name(one) for one in providers.get(name, [name])} & reached
    }
    assert missing == set()


def imports(file: Path) -> set[str]:
    """The top names of all modules that a file imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def closure(names: set[str]) -> set[str]:
    """These distributions and all that they require, as far as they are installed here."""
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        found.add(name)
        try:
            texts = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        needed = (Requirement(text) for text in texts)
        required = (item for item in needed if item.marker is None or item.marker.evaluate({"extra": ""}))
        waiting |= {canonicalize_name(item.name) for item in required} - found
    return found


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """An empty virtual environment."""
    venv.create(tmp_path / "environment", with_pip=False)
    return tmp_path / "environment"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A distribution without requirements."""
    return distribution(tmp_path, "tiny")


def distribution(tmp_path: Path, name: str) -> Path:
    """A wheel that holds nothing."""
    stem = f"{name.replace('-', '_')}-3.0.5"
    metadata = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 3.0.5\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": f"{stem}.dist-info/METADATA,,\n{stem}.dist-info/WHEEL,,\n{stem}.dist-info/RECORD,,\n",
    }
    file = tmp_path / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        for member, text in metadata.items():
            archive.writestr(f"{stem}.dist-info/{member}", text)
    return file


def install(folder: Path, package: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """tools/install.py as the Makefile runs it: with the pip at hand, and without an index or a uv on PATH."""
    tools = folder.parent / "tools"
    tools.mkdir(exist_ok=True)
    if not (tools / "pip").exists():
        (tools / "pip").symlink_to(next(Path(entry, "pip") for entry in sys.path if Path(entry, "pip").is_dir()))
    words = [sys.executable, str(ROOT / "tools/install.py"), str(folder), "--no-index"]
    offline = {"PIP_NO_INDEX": "1", "PYTHONPATH": str(tools), "PATH": "/usr/bin:/bin"}
    environment = {**os.environ, **offline, **more}
    return subprocess.run([*words, str(package)], env=environment, capture_output=True, text=True, check=False)


def installed(folder: Path) -> list[str]:
    show = "import importlib.metadata as m; print(*sorted(one.metadata['Name'] for one in m.distributions()))"
    return subprocess.run(
        [folder / BIN / "python", "-I", "-c", show], capture_output=True, text=True, check=True
    ).stdout.split()


def put_uv(folder: Path, script: str) -> None:
    uv = folder / BIN / "uv"
    uv.write_text(f"#!/bin/sh\n{script}\n")
    uv.chmod(0o755)


def test_uv_installs_with_the_settings_of_pip(environment: Path, package: Path) -> None:
    log = environment / "uv.log"
    put_uv(environment, f'echo "$@ certs=$UV_SYSTEM_CERTS index=$UV_DEFAULT_INDEX" >> {log}')
    done = install(environment, package, PIP_INDEX_URL="https://index.example/simple")
    assert done.returncode == 0, done.stderr
    assert "by uv.\n" in done.stdout
    words = log.read_text()
    assert words.startswith("pip install") and str(package) in words
    assert f"--python {environment / BIN / 'python'}" in words
    assert words.endswith("certs=1 index=https://index.example/simple\n")


def test_without_uv_pip_installs_and_it_says_so(environment: Path, package: Path) -> None:
    done = install(environment, package)
    assert done.returncode == 0, done.stderr
    assert "uv can't be had by pip" in done.stderr and "Installing with pip instead" in done.stdout
    assert "by pip.\n" in done.stdout and installed(environment) == ["tiny"]


def test_a_uv_that_fails_leaves_the_work_to_pip(environment: Path, package: Path) -> None:
    put_uv(environment, "echo 'no such index' >&2; exit 2")
    done = install(environment, package)
    assert done.returncode == 0, done.stderr
    assert "no such index" in done.stderr and "its message is above" in done.stderr
    assert "by pip.\n" in done.stdout and installed(environment) == ["tiny"]


@pytest.mark.slow
def test_an_environment_whose_python_was_removed_is_made_anew(environment: Path, package: Path) -> None:
    (environment / BIN / "python").unlink()
    (environment / BIN / "python").symlink_to(environment / "removed")
    assert install(environment, package).returncode == 0
    assert "tiny" in installed(environment) and "pip" in installed(environment)


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has xgboost only")
def test_an_older_checkouts_xgboost_gives_way(environment: Path, tmp_path: Path) -> None:
    for name in ("xgboost", "xgboost-cpu"):
        done = install(environment, distribution(tmp_path, name))
        assert done.returncode == 0, done.stderr
    assert installed(environment) == ["xgboost-cpu"]
