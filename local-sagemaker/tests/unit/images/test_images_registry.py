"""Which image a URI names, by Docker's rules which command runs, and the user's own images."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_sagemaker import images
from local_sagemaker.containers.xgboost.image_tags import Behaviour
from local_sagemaker.errors import ValidationError
from local_sagemaker.images.custom import Custom
from local_sagemaker.images.image import ImageUri
from local_sagemaker.images.sklearn import ScikitLearn
from local_sagemaker.images.xgboost import XGBoost

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"


@pytest.mark.parametrize(
    ("uri", "kind", "tag"),
    [
        (XGBOOST, "XGBoost", "3.0-5"),
        ("141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1", "XGBoost", "1.7-1"),
        ("450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-xgboost:0.90-1-cpu-py3", "XGBoost",
         "0.90-1-cpu-py3"),
        ("811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:1", "XGBoost", "1"),
        ("246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3", "ScikitLearn",
         "1.4-2-cpu-py3"),
        ("156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer", "ModelMonitor", ""),
        ("205585389593.dkr.ecr.us-east-1.amazonaws.com/sagemaker-clarify-processing:1.0", "Clarify", "1.0"),
        (XGBOOST + "@sha256:0123", "XGBoost", "3.0-5"),
    ],
)  # fmt: skip
def test_known_images(uri: str, kind: str, tag: str) -> None:
    image, parsed = images.find(uri, "serve")
    assert type(image).__name__ == kind
    assert parsed.tag == tag


@pytest.mark.parametrize("program", ["train", "serve", "process"])
def test_unknown_image_is_refused_with_the_known_ones(program: str) -> None:
    with pytest.raises(ValidationError) as error:
        images.find("123456789012.dkr.ecr.us-east-1.amazonaws.com/my-image:latest", program)
    text = error.value.message
    for repository in ("sagemaker-xgboost", "sagemaker-scikit-learn", "sagemaker-clarify-processing"):
        assert repository in text
    assert '"my-image": "FOLDER"' in text
    assert "images.json" in text
    assert f"FOLDER holds the program {program}" in text


def test_no_repository_is_listed_twice() -> None:
    names = [name for image in images.RUNTIMES for name in image.repositories]
    assert len(names) == len(set(names))
    assert len({type(image) for image in images.RUNTIMES}) == len(images.RUNTIMES)


@pytest.mark.parametrize(
    ("tag", "differs"),
    [
        ("0.90-1", {"silent_accepted", "pickled_model", "binary_model", "comma_joined", "reads_pipes"}),
        ("0.90-2-cpu-py3", {"silent_accepted", "pickled_model", "binary_model", "comma_joined", "reads_pipes"}),
        ("1.0-1", {"silent_accepted", "pickled_model", "binary_model", "comma_joined", "reads_pipes"}),
        ("1.2-1", {"pickled_model", "binary_model", "comma_joined", "reads_pipes"}),
        ("1.2-2", {"pickled_model", "binary_model", "reads_pipes"}),
        ("1.3-1", {"binary_model", "reads_pipes"}),
        ("1.7-1", {"binary_model", "reads_pipes"}),
        ("3.0-5", {"reads_pipes"}),
        ("3.1-1", {"shifts_libsvm"}),
        ("", {"shifts_libsvm"}),
        ("latest", {"silent_accepted", "pickled_model", "comma_joined", "reads_pipes"}),
    ],
)
def test_what_tags_do_differently(tag: str, differs: set[str]) -> None:
    assert {name for name, differs_here in vars(Behaviour.of(tag)).items() if differs_here} == differs


@pytest.mark.parametrize(
    ("entrypoint", "arguments", "command"),
    [
        (None, None, ("/bin/bash",)),
        (["python3", "/a.py"], None, ("python3", "/a.py")),
        (None, ["python3", "/a.py"], ("python3", "/a.py")),
        (["python3", "/a.py"], ["--x", "1"], ("python3", "/a.py", "--x", "1")),
        (None, ["train"], ("train",)),
    ],
)
def test_command_of_a_processing_job(
    entrypoint: list[str] | None, arguments: list[str] | None, command: tuple[str, ...]
) -> None:
    for image in (XGBoost(), ScikitLearn()):
        program = image.process(ImageUri.parse(XGBOOST), entrypoint, arguments)
        assert program.argv == command
        assert (program.entry is not None) == (command == ("train",))


def test_default_metrics_match_a_log_line_as_cloudwatch_shows_it() -> None:
    import re

    line = "[12]#011train-rmse:1.50000#011train-mae:0.5#011validation-rmse:2.25000#011validation-mae:1.0e-05"
    found = {}
    for definition in XGBoost().default_metrics(ImageUri.parse(XGBOOST)):
        match = re.search(definition["Regex"], line)
        if match:
            found[definition["Name"]] = float(match[1])
    assert found == {"train:rmse": 1.5, "validation:rmse": 2.25, "train:mae": 0.5, "validation:mae": 1e-05}


def test_an_own_image_is_from_the_image_that_its_entry_names(tmp_path: Path) -> None:
    (tmp_path / "train").write_text("")
    listing = tmp_path / "images.json"
    listing.write_text('{"mine": ".", "other": {"folder": ".", "from": "sagemaker-scikit-learn:1.2-1-cpu-py3"}}')
    made = [Custom(listing).train(ImageUri.parse(name)).libraries for name in ("mine", "other")]
    assert [found and found.name for found in made] == ["sagemaker-xgboost:3.0-5", "sagemaker-scikit-learn:1.2-1"]
    listing.write_text('{"mine": {"folder": ".", "from": "ubuntu:24.04"}}')
    with pytest.raises(ValidationError, match=r"mine is from 'ubuntu:24\.04', whose libraries are not known\. Known: "):
        _ = Custom(listing).repositories


def test_malformed_list_of_own_images(tmp_path: Path) -> None:
    listing = tmp_path / "images.json"
    listing.write_text("{")
    with pytest.raises(ValidationError, match="is not JSON"):
        _ = Custom(listing).repositories
    listing.write_text('{"a": 1}')
    with pytest.raises(ValidationError, match="one JSON object"):
        _ = Custom(listing).repositories
