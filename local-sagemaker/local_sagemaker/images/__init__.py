"""What a container image URI means on this machine: one registered instance per kind of image.

Jobs and endpoints look up by `find` which image a URI names, and the image says which `Program` to run. Adding an image
is one file in this package and one line in `RUNTIMES`; users add their own without code (see `custom`).
"""

from __future__ import annotations

from pathlib import Path

from local_sagemaker.errors import ValidationError
from local_sagemaker.images.clarify import Clarify
from local_sagemaker.images.custom import Custom
from local_sagemaker.images.ground_truth_merger import GroundTruthMerger
from local_sagemaker.images.image import Image, ImageUri
from local_sagemaker.images.libraries import ImageLibraries, catalogue
from local_sagemaker.images.model_monitor import ModelMonitor
from local_sagemaker.images.sklearn import ScikitLearn
from local_sagemaker.images.xgboost import XGBoost

CUSTOM = Custom()

RUNTIMES: tuple[Image, ...] = (
    XGBoost(),
    ScikitLearn(),
    ModelMonitor(),
    GroundTruthMerger(),
    Clarify(),
    CUSTOM,
)


def configure(file: Path) -> None:
    """Says where the user's own images are listed: ``Settings.home / "images.json"`` (format: module `custom`)."""
    CUSTOM.file = file


def find(uri: str, program: str) -> tuple[Image, ImageUri]:
    """The image that a URI names, by its repository: any registry account, region and partition will do.

    `program` is what will be run: ``train``, ``serve`` or ``process``. Raises ValidationError for an image that is not
    known here, with those that are and how to add one.
    """
    parsed = ImageUri.parse(uri)
    for image in RUNTIMES:
        if parsed.repository in image.repositories:
            return image, parsed
    known = ", ".join(name for image in RUNTIMES for name in image.repositories)
    raise ValidationError(
        f"The image '{uri}' is not known here. Known repositories: {known}. To add your own, write a line "
        f'"{parsed.repository or "REPOSITORY"}": "FOLDER" into {CUSTOM.file or "images.json of the state folder"}, '
        f"where FOLDER holds {_PROGRAMS[program]} and, if needed, a requirements.txt."
    )


def libraries_of(uri: ImageUri) -> ImageLibraries | None:
    """What an image holds, None for one that nothing is known of."""
    return catalogue.find(uri.repository, uri.tag)


def known_libraries() -> list[ImageLibraries]:
    """The images whose libraries are known."""
    return catalogue.list_images()


def default_libraries() -> list[ImageLibraries]:
    """The images that an installation prepares: those of the default pipeline first, in the order of their use."""
    return catalogue.installed()


_PROGRAMS = {
    "train": "the program train",
    "serve": "the program serve",
    "process": "the program process (or what the job's ContainerEntrypoint names)",
}
