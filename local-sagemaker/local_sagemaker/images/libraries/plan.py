"""Which interpreter and which versions an image gets on this machine, and in what that differs from the image."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from local_sagemaker.errors import ServiceError
from local_sagemaker.images.libraries import interpreters
from local_sagemaker.images.libraries.catalogue import ImageLibraries
from local_sagemaker.images.libraries.interpreters import NEWEST, OLDEST, Interpreter


class NoPython(ServiceError):
    """None of this machine's interpreters can run an image."""

    code, status = "ValidationException", 400


@dataclass(frozen=True)
class Plan:
    """How an image's libraries are made here. `differences` are sentences for people."""

    image: ImageLibraries
    interpreter: Interpreter
    versions: Mapping[str, str]
    differences: tuple[str, ...]


def make(image: ImageLibraries, find: Callable[[str], Interpreter | None] = interpreters.find) -> Plan:
    """The most faithful plan. Raises NoPython when the machine has no interpreter for it."""
    for python in image.pythons:
        interpreter = find(python)
        if interpreter:
            versions = _reachable(image.versions_on(python))
            return Plan(image, interpreter, versions, differences(image, python, versions))
    wanted = " or ".join(python for python in image.pythons if OLDEST <= _numbers(python) <= NEWEST)
    raise NoPython(
        f"The image {image.name} needs Python {wanted}, and none of them was found on this machine. Install one "
        f"(for example: uv python install {image.pythons[0]}), then: local-sagemaker images prepare {image.name}"
    )


FIRST_BOTO3 = "1.28.57"
"""Of the versions that images hold, the first whose clients go where `AWS_ENDPOINT_URL` says."""


def _reachable(versions: Mapping[str, str]) -> Mapping[str, str]:
    """The versions, with a boto3 that knows `AWS_ENDPOINT_URL`: an older one would call AWS from inside of a job."""
    boto3 = versions.get("boto3")
    if boto3 is None or _numbers(boto3) >= _numbers(FIRST_BOTO3):
        return versions
    return {**versions, "boto3": FIRST_BOTO3}


def differences(image: ImageLibraries, python: str, versions: Mapping[str, str]) -> tuple[str, ...]:
    """In what a set on a Python differs from the image. What the image's `notes` say is no part of the set."""
    said = []
    if python != image.python:
        said.append(f"Python {python} (image: {image.python})")
    said += [
        f"{name} {version} (image: {image.libraries[name]})"
        for name, version in versions.items()
        if version != image.libraries[name]
    ]
    return tuple(said)


def select_for_log(image: ImageLibraries, differences: Sequence[str]) -> list[str]:
    """Of what differs, what a job's log says: everything that can change a result.

    boto3's version is this service's choice wherever an image holds an older one: the list of images says it.
    """
    chosen = f"boto3 {FIRST_BOTO3} (image: {image.libraries.get('boto3')})"
    return [text for text in dict.fromkeys([*image.notes, *differences]) if text != chosen]


def _numbers(python: str) -> tuple[int, ...]:
    return tuple(map(int, python.split(".")))
