"""Datasets of Clarify in several places: facets, predictions; and members of the configuration that are not done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker import clarify_inputs
from local_sagemaker.containers import analyzers
from local_sagemaker.containers.analyzers import clarify_config
from local_sagemaker.images import clarify as images
from local_sagemaker.services.sagemaker import temporary_endpoints
from model_checks import clarify
from model_checks.clarify import data
from model_checks.clarify.data import ClarifyData
from model_checks.errors import AnalysisError

CONFIG: dict[str, Any] = {
    "dataset_type": "text/csv", "headers": ["y", "a", "id"], "label": "y", "facet_dataset_uri": "s3://b/facets",
    "facet_headers": ["group", "sex"], "predicted_label_dataset_uri": "s3://b/predictions",
    "predicted_label_headers": ["p"], "predicted_label": "p", "methods": {},
}  # fmt: skip
JOINED = {"facet_headers": ["id", "group", "sex"], "predicted_label_headers": ["id", "p"],
          "joinsource_name_or_index": "id"}  # fmt: skip


def load(folder: Path, facets: str, predictions: str, **more: Any) -> ClarifyData:
    """A dataset of three rows, whose facets and predictions are elsewhere."""
    (folder / "data.csv").write_text("1,5,30\n0,6,31\n1,7,32\n")
    for name, text in (("facets", facets), ("predictions", predictions)):
        (folder / name).mkdir()
        (folder / name / "part.csv").write_text(text)
    return data.load({**CONFIG, **more}, [folder / "data.csv"], lambda uri, _: folder / uri.rpartition("/")[2])


def test_facets_of_another_dataset_are_columns_that_the_model_does_not_see(tmp_path: Path) -> None:
    found = load(tmp_path, "x,0\ny,1\nz,1\n", "0\n0\n1\n")
    assert found.frame.to_dict("list") == {
        "y": [1, 0, 1], "a": [5, 6, 7], "id": [30, 31, 32], "group": ["x", "y", "z"], "sex": [0, 1, 1], "p": [0, 0, 1],
    }  # fmt: skip
    assert (found.features, found.predicted_label, found.column("sex")) == (["a", "id"], "p", "sex")


def test_facets_and_predictions_are_joined_by_a_column_in_any_order(tmp_path: Path) -> None:
    found = load(tmp_path, "32,z,1\n30,x,0\n31,y,1\n", "31,0\n32,1\n30,0\n", **JOINED)
    assert found.frame[["id", "group", "sex", "p"]].to_numpy().tolist() == [
        [30, "x", 0, 0], [31, "y", 1, 0], [32, "z", 1, 1],
    ]  # fmt: skip
    assert (found.features, found.joinsource) == (["a"], "id")


@pytest.mark.parametrize(
    ("facets", "more", "message"),
    [
        ("x,0\n", {}, "The facet dataset has 1 rows, the dataset 3"),
        ("1,2\n3,4\n5,6\n", {"facet_headers": ["a", "sex"]}, "The facet dataset has columns of the dataset: a"),
    ],
)
def test_facets_that_do_not_fit(tmp_path: Path, facets: str, more: dict[str, Any], message: str) -> None:
    with pytest.raises(AnalysisError, match=f"ClientError: {message}"):
        load(tmp_path, facets, "0\n0\n1\n", **more)


@pytest.mark.parametrize(
    "more",
    [
        {"segment_config": [{"name_or_index": "a", "segments": [[1]]}]},
        {"time_series_data_config": {"target_time_series": 1}},
        {"predictor": {"time_series_predictor_config": {"forecast": "x"}}},
    ],
)
def test_members_that_are_not_done_are_refused_by_name(more: dict[str, Any]) -> None:
    name = next(iter(more.get("predictor", more)))
    with pytest.raises(AnalysisError, match=rf"ClientError: .*{name} is not supported"):
        clarify_config.check_config({"dataset_type": "text/csv", "methods": {}, **more})


def names_of(schema: dict[str, Any]) -> Iterator[str]:
    """The members of a schema, at any depth."""
    for name, inner in schema.get("properties", {}).items():
        yield name
        yield from names_of(inner)
    yield from names_of(schema["items"]) if "items" in schema else ()


def test_every_member_of_the_configuration_is_read_or_refused() -> None:
    """Read where the analysis is, or where the platform makes the model's endpoint."""
    folders = [Path(module.__file__).parent for module in (analyzers, clarify) if module.__file__]
    files = [file for folder in folders for file in folder.rglob("*.py")]
    files += [Path(module.__file__) for module in (images, clarify_inputs, temporary_endpoints)]
    text = "".join(file.read_text("utf-8") for file in files).replace("'", '"')
    known = {name for path in clarify_config.REFUSED for name in path.split(".")}
    unread = {name for name in names_of(clarify_config.SCHEMA) if f'"{name}"' not in text} - known
    assert unread == {"accelerator_type"}, "its instances, of Elastic Inference, are gone from AWS"
