"""The notebook: run from top to bottom as CI does, and what must hold for it as a file."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support import ROOT, Service

FILE = ROOT / "sagemaker-pipelines-project.ipynb"
ENGINES = re.compile(r"\bENGINE\b|local.sagemaker|\blocal\b|\baws\b|AWS_|ENDPOINT_URL|127\.0\.0\.1", re.IGNORECASE)


def read() -> Any:
    return nbformat.read(FILE, as_version=4)


def code_cells() -> list[Any]:
    return [cell for cell in read().cells if cell.cell_type == "code"]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A state folder without a service: the notebook starts it."""
    home = Path(tempfile.mkdtemp(prefix="service-"))
    monkeypatch.setenv("LOCAL_SAGEMAKER_HOME", str(home))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "jupyter"))
    yield home
    Service(home).down()
    shutil.rmtree(home, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_it_runs_from_top_to_bottom(home: Path) -> None:
    notebook = read()
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(ROOT)}}).execute()
    shown = {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}

    assert "<svg" in html(shown["define"]) and "RegisterAbaloneModel" in html(shown["define"])
    assert html(shown["run"]).count("Succeeded</span>") == 13  # twelve steps and the execution
    assert html(shown["again"]).count(">cache hit: reused") == 3
    assert "not run</span>" in html(shown["gate"])
    assert "that is false" in text(shown["gate-why"])
    assert images(shown["evaluation"]) and images(shown["compare"])
    for name in ("data-quality", "model-quality", "bias", "explainability"):
        assert "<svg" in html(shown[name]), name
    assert "InService" in "".join(output.data.get("text/markdown", "") for output in shown["deploy"])
    assert "of the evaluation" in text(shown["invoke"])
    assert "shell_weight" in html(shown["drift-report"])
    assert f"deleted: endpoint {name_of(shown)}" in text(shown["clean"])
    assert "Nothing of it is left" in text(shown["clean-pipeline"])
    nothing_is_left(Service(home), name_of(shown))


def name_of(shown: dict[str, Any]) -> str:
    return str(text(shown["setup"]).split()[0])


def nothing_is_left(service: Service, name: str) -> None:
    sagemaker = service.client("sagemaker")
    assert not sagemaker.list_models()["Models"]
    assert not sagemaker.list_endpoint_configs()["EndpointConfigs"]
    assert not sagemaker.list_model_packages(ModelPackageType="Both")["ModelPackageSummaryList"]
    buckets = service.client("s3").list_buckets()["Buckets"]
    keys = [
        item["Key"]
        for bucket in buckets
        for item in service.client("s3").list_objects_v2(Bucket=bucket["Name"]).get("Contents", [])
    ]
    assert [key for key in keys if name in key] == []


def html(outputs: Any) -> str:
    return "".join(output.data.get("text/html", "") for output in outputs if "data" in output)


def text(outputs: Any) -> str:
    return "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")


def images(outputs: Any) -> list[str]:
    return [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]


def test_it_is_committed_without_outputs() -> None:
    nbformat.validate(read())
    assert all(not cell.outputs and cell.execution_count is None for cell in code_cells())


def test_only_the_first_cell_names_an_engine() -> None:
    first, *others = code_cells()
    assert "ENGINE" in first.source
    assert [cell.id for cell in others if ENGINES.search(cell.source)] == []


def test_every_cell_asserts_its_outcome_and_none_swallows_an_error() -> None:
    _, *others = code_cells()
    for cell in others:
        nodes = list(ast.walk(ast.parse(cell.source)))
        assert any(isinstance(node, ast.Assert) for node in nodes), cell.id
        assert not any(isinstance(node, ast.Try) for node in nodes), cell.id
        assert "suppress" not in cell.source
    for cell in read().cells:
        assert not re.search(r"^\s*(%%|!)", cell.source, re.MULTILINE), cell.id  # magics that hide a failure
        assert "raises-exception" not in cell.metadata.get("tags", [])


def test_it_lints_as_code() -> None:
    """ruff leaves notebooks out in this project's settings, so the code is looked at as a file."""
    source = "\n\n".join(cell.source for cell in code_cells())
    command = [sys.executable, "-m", "ruff", "check", "--select", "F,E9,B", "--stdin-filename", "notebook.py", "-"]
    done = subprocess.run(command, check=False, input=source, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout


def test_its_links_lead_somewhere() -> None:
    links = [link for cell in read().cells for link in re.findall(r"\]\((?!https?:)([^)]+)\)", cell.source)]
    assert links and all((ROOT / link).exists() for link in links)
