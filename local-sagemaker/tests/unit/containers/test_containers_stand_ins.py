"""What the stand-ins of the containers' packages load from the service by its name exists."""

from __future__ import annotations

import re
from pathlib import Path

from local_sagemaker import containers

FOLDER = Path(containers.__path__[0])
NAME = re.compile(r"""\bload\(["']([a-z_.0-9]+)["']\)""")


def test_every_module_that_a_stand_in_loads_exists() -> None:
    names = {name for file in (FOLDER / "packages").rglob("*.py") for name in NAME.findall(file.read_text("utf-8"))}
    assert {"failure", "xgboost.pipe_mode"} <= names
    modules = {name: FOLDER.joinpath(*name.split(".")) for name in names}
    assert [name for name, path in modules.items() if not path.with_suffix(".py").is_file() and not path.is_dir()] == []
