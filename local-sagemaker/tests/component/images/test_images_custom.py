"""The user's own images: their programs run with their own requirements, which are installed once."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from local_sagemaker.errors import ValidationError
from local_sagemaker.images.custom import Custom
from local_sagemaker.images.image import ImageUri


def _wheel(folder: Path) -> Path:
    file = folder / "tiny_answer-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as wheel:
        wheel.writestr("tiny_answer.py", "ANSWER = 42\n")
        wheel.writestr("tiny_answer-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-answer\nVersion: 1.0\n")
        tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr("tiny_answer-1.0.dist-info/WHEEL", tags)
        wheel.writestr("tiny_answer-1.0.dist-info/RECORD", "")
    return file


def test_own_image_trains_in_its_own_environment(tmp_path: Path, new_run) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "requirements.txt").write_text(f"{_wheel(tmp_path)}\n")
    (folder / "train").write_text(
        "import importlib.util, sys, numpy, tiny_answer\n"
        "assert not any(map(importlib.util.find_spec, ('starlette', 'moto', 'local_sagemaker')))\n"
        "open('/opt/ml/model/answer', 'w').write(f'{sys.argv[1]} {tiny_answer.ANSWER} {numpy.ones(2).sum()}')\n"
    )
    listing = tmp_path / "images.json"
    listing.write_text(json.dumps({"my-image": "mine"}))
    image, uri = Custom(listing), ImageUri.parse("host/team/my-image:1")
    assert image.repositories == ("my-image",)
    for _ in range(2):
        run = new_run()
        (run.ml / "model").mkdir()
        assert run.run(image.train(uri)) == 0, run.log
        assert (run.ml / "model" / "answer").read_text() == "train 42 2.0"
    assert len(list((tmp_path / "environments").glob("*/complete"))) == 1
    assert "Installing" not in run.log  # the second run found the environment made
    listing.write_text(json.dumps({"my-image": "mine", "other": "mine"}))
    assert image.repositories == ("my-image", "other")
    with pytest.raises(ValidationError, match="has no program 'serve'"):
        image.serve(uri, {})
