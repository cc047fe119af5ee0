"""What each known image holds, as data: one table a family (``*.toml`` beside this file).

A table names the image's repository and, for each tag, the Python and the libraries in the versions of the real image.
``same_libraries`` are other Pythons for which the same versions are published; ``instead`` are rows of what differs on
yet others, the nearest first (with ``generation`` a row starts from ``generations.toml``, which also has what is taken
where a tag says nothing of a Python). ``packages`` are further packages of the image, whose exact versions matter to
nobody, with those of a table's ``miniconda`` where a tag is built in it; ``left_out`` those that would need a GPU or
hundreds of megabytes, and are not installed here.

A table may stand for further repositories (``stands_for``), have one row for all tags (``any_tag``), take no other
Pythons than its rows name (``generations = false``), and name packages beside this one that its programs are made of
(``own_packages``): they are imported from where they are installed, and their own requirements are in the table.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

_TABLES = ("scikit_learn", "analyzers", "xgboost", "lambda_python")
"""In the order in which the default pipeline needs them."""
FUNCTIONS = "lambda-python"
"""The repository that stands for the runtimes of Lambda."""
_SUFFIX = re.compile(r"(-cpu)?(-py3)?$")
ANALYZERS = "analyzers"
"""The one that stands for Clarify's images and Model Monitor's."""
_LAYOUT = 3
"""Raised when sets are to be made anew although nothing in the tables has changed."""

Versions = Mapping[str, str]


@dataclass(frozen=True)
class ImageLibraries:
    """The content of one image. `instead` maps a Python to what differs on it, in the order of preference."""

    repository: str
    tag: str
    python: str
    libraries: Versions
    packages: tuple[str, ...] = ()
    same_libraries: tuple[str, ...] = ()
    instead: Mapping[str, Versions] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    published_helpers: tuple[str, ...] = ()
    """Packages of the containers that are published as sources; what can't be built here is a difference."""
    warm: tuple[str, ...] = ()
    """Modules that its fork server loads ahead of the first job; those that an older library lacks are left out."""
    notes: tuple[str, ...] = ()
    serves: bool = True
    """Whether model servers run on it, which need more than the image has."""
    stands_for: tuple[str, ...] = ()
    """Further repositories whose images it is."""
    own_packages: tuple[str, ...] = ()
    """Packages of this installation, besides the service, that its programs import."""

    @property
    def name(self) -> str:
        """``repository:tag``, as commands take it."""
        return f"{self.repository}:{self.tag}"

    @property
    def digest(self) -> str:
        """Changes with the content of the table, so that a set made from an older one is made anew."""
        content = [_LAYOUT, self.python, sorted(self.libraries.items()), self.packages, self.published_helpers,
                   {python: dict(row) for python, row in self.instead.items()}, self.same_libraries]  # fmt: skip
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]

    def versions_on(self, python: str) -> Versions:
        """The libraries that a Python gets. KeyError for one that has no row."""
        if python == self.python or python in self.same_libraries:
            return self.libraries
        return {**self.libraries, **self.instead[python]}

    @property
    def pythons(self) -> list[str]:
        """The Pythons on which it can be had, the most faithful first."""
        return list(dict.fromkeys([self.python, *self.same_libraries, *self.instead]))


def find(repository: str, tag: str) -> ImageLibraries | None:
    """The content of an image, None for a repository that has no table.

    A tag that has no row gets the one before it, with a note that says so.
    """
    repository = _stand_in(repository)
    images = _family(repository)
    if not images:
        return None
    wanted = _SUFFIX.sub("", tag)
    if wanted in images:
        return images[wanted]
    if not wanted or _tables()[repository].get("any_tag"):
        return images[_tables()[repository]["default"]]
    nearest = _nearest(wanted, images)
    note = f"tag {tag or 'latest'} is not known here, the libraries are those of {nearest.tag}"
    return ImageLibraries(**{**vars(nearest), "notes": (note,)})


def list_images() -> list[ImageLibraries]:
    """All images of the tables."""
    return [image for repository in _tables() for image in _family(repository).values()]


def defaults() -> list[ImageLibraries]:
    """The images that the default pipeline uses."""
    return [image for image in installed() if image.repository != FUNCTIONS]


def installed() -> list[ImageLibraries]:
    """The images that an installation prepares: one of each table."""
    return [_family(repository)[table["default"]] for repository, table in _tables().items()]


@cache
def _tables() -> dict[str, dict[str, Any]]:
    tables = [tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text("utf-8")) for name in _TABLES]
    return {table["repository"]: table for table in tables}


@cache
def _stand_in(repository: str) -> str:
    """The repository whose table has another one's images, too."""
    names = (name for name, table in _tables().items() if repository in table.get("stands_for", ()))
    return next(names, repository)


@cache
def _generations() -> dict[str, dict[str, Versions]]:
    return {
        name: {python: row["libraries"] for python, row in rows.items()}
        for name, rows in tomllib.loads(Path(__file__).with_name("generations.toml").read_text("utf-8")).items()
    }


@cache
def _family(repository: str) -> dict[str, ImageLibraries]:
    table = _tables().get(repository)
    return {tag: _image(table, tag, row) for tag, row in table["tags"].items()} if table else {}


def _image(table: Mapping[str, Any], tag: str, row: Mapping[str, Any]) -> ImageLibraries:
    libraries: Versions = row["libraries"]
    image_python: str = row["python"]
    same = tuple(row.get("same_libraries", ()))
    generation = _generation(libraries) if table.get("generations", True) else {}
    instead: dict[str, Versions] = {}
    for other in row.get("instead", []):
        for python in other["python"]:
            base = _shared(generation[python], libraries) if other.get("generation") else {}
            instead[python] = {**base, **other["libraries"]}
    for python in generation:
        instead.setdefault(python, _shared(generation[python], libraries))
    return ImageLibraries(
        repository=table["repository"],
        tag=tag,
        python=image_python,
        libraries=libraries,
        packages=(*row.get("packages", table["packages"]), *(table["miniconda"] if row.get("miniconda") else ())),
        same_libraries=same,
        instead={python: row for python, row in instead.items() if python != image_python and python not in same},
        left_out=tuple(table.get("left_out", ())),
        warm=tuple(table["warm"]),
        serves=table.get("serves", True),
        stands_for=tuple(table.get("stands_for", ())),
        own_packages=tuple(table.get("own_packages", ())),
        published_helpers=tuple(row.get("published_helpers", table.get("published_helpers", ()))),
    )


def _generation(libraries: Versions) -> Mapping[str, Versions]:
    """What replaces the libraries on other Pythons, by the pandas that the image has."""
    if "pandas" not in libraries:
        return {}
    return _generations()["pandas 1" if int(libraries["pandas"].partition(".")[0]) < 2 else "pandas 2"]


def _shared(generation: Versions, libraries: Versions) -> Versions:
    return {name: version for name, version in generation.items() if name in libraries}


def _nearest(tag: str, images: Mapping[str, ImageLibraries]) -> ImageLibraries:
    """The newest image that is not newer than the tag, else the oldest."""
    wanted = _number(tag)
    older = [image for name, image in images.items() if _number(name) <= wanted]
    return max(older, key=lambda image: _number(image.tag)) if older and wanted else next(iter(images.values()))


def _number(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))
