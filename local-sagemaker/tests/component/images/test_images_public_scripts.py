"""What public scripts rely on in the scikit-learn images: pandas 1, and the framework of the containers."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from local_sagemaker.config import find_cache
from local_sagemaker.images.image import ImageUri, Program
from local_sagemaker.images.libraries import catalogue
from local_sagemaker.images.libraries.store import LibrarySets
from local_sagemaker.images.sklearn import ScikitLearn
from tests.component.conftest import ProgramRun
from tests.component.containers.test_containers_toolkit import ask, serving
from tests.component.images.test_images_library_sets import script

PANDAS_1 = """
    import json
    import numpy, pandas
    table = pandas.DataFrame({"a": [1.0, None], "b": ["x", None], "c": [1, 2]})
    table["a"].fillna(0, inplace=True)
    table["b"].fillna("none", inplace=True)
    print(json.dumps({
        "version": pandas.__version__[0], "filled": table[["a", "b"]].values.tolist(),
        "texts": table.columns[table.dtypes == "object"].tolist(),
        "numbers": table.select_dtypes(numpy.number).columns.tolist(),
    }))
"""
FEATURIZER = """
import json
from sagemaker_containers.beta.framework import content_types, encoders, worker

def model_fn(model_dir): return 10
def input_fn(data, content_type): return encoders.decode(data, content_type)
def predict_fn(data, model): return data * model
def output_fn(prediction, accept):
    if accept == content_types.JSON:
        return worker.Response(json.dumps({"instances": prediction.tolist()}), mimetype=accept)
    return worker.Response(encoders.encode(prediction, accept), mimetype=accept)
"""


class OfTag(ScikitLearn):
    """The image of one tag, whatever the URI that a fixture gives."""

    def serve(self, _uri: Any, environment: Any) -> Program:
        return super().serve(ImageUri("", "sagemaker-scikit-learn", "1.4-2-cpu-py3"), environment)


def _prepared(tag: str) -> bool:
    image = catalogue.find("sagemaker-scikit-learn", tag)
    return image is not None and LibrarySets(find_cache(os.environ)).find(image) is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    "tag",
    [
        pytest.param(tag, marks=pytest.mark.skipif(not _prepared(tag), reason="not prepared: make check-images"))
        for tag in ("0.23-1", "1.0-1", "1.2-1")
    ],
)
def test_columns_are_filled_in_place_and_texts_are_objects(program_run: ProgramRun, tag: str) -> None:
    lines = script(program_run, f"sagemaker-scikit-learn:{tag}-cpu-py3", PANDAS_1).splitlines()
    assert json.loads(lines[-1]) == {
        "version": "1", "filled": [[1.0, "x"], [0.0, "none"]], "texts": ["b"], "numbers": ["a", "c"],
    }  # fmt: skip


def test_a_response_of_the_containers_framework_is_the_answer(program_run: ProgramRun) -> None:
    """As the featurizers of public inference pipelines return it."""
    program_run.write("model/code/inference.py", FEATURIZER)
    with serving(program_run, OfTag(), {"SAGEMAKER_PROGRAM": "inference.py"}) as connection:
        status, kind, body = ask(connection, b"1,2\n3,4", "text/csv", "application/json")
        assert (status, kind) == (200, "application/json"), program_run.log
        assert json.loads(body) == {"instances": [[10.0, 20.0], [30.0, 40.0]]}
        status, _, body = ask(connection, b"[[1, 2]]", "application/json", "text/csv")
        assert (status, body.strip()) == (200, b"10,20"), program_run.log
