"""Docker's rules for ENTRYPOINT and CMD (contracts: containers 1.2), as far as an image of this service needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from local_sagemaker.images.image import ImageUri, Program
from local_sagemaker.images.libraries import catalogue

SHELL = ("/bin/bash",)


def resolve(
    entrypoint: Sequence[str] | None,
    arguments: Sequence[str] | None,
    image_entrypoint: Sequence[str] = (),
    image_command: Sequence[str] = SHELL,
) -> tuple[str, ...]:
    """What a container started with this ENTRYPOINT and CMD would run; each list replaces the image's own.

    An ENTRYPOINT given alone drops the image's CMD, as Docker does.
    """
    if entrypoint:
        return (*entrypoint, *(arguments or ()))
    return (*image_entrypoint, *(arguments or image_command))


def program(uri: ImageUri, command: Sequence[str], verbs: Mapping[str, str], environment: Mapping[str, str]) -> Program:
    """The program of a command: one of the image's own verbs (``train``, ``serve``), else the command as it stands.

    `verbs` maps a verb to its "package.module:function".
    """
    entry = verbs.get(command[0].rsplit("/", 1)[-1])
    libraries = catalogue.find(uri.repository, uri.tag)
    return Program(tuple(command), entry, environment, libraries)
