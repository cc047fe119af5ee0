"""The service: what this machine has, disk, images, sessions, theme."""

from __future__ import annotations

import inspect
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker import __version__
from local_sagemaker.images import RUNTIMES
from local_sagemaker.images.image import Image
from local_sagemaker.studio.local_data import DiskUse
from local_sagemaker.studio.page import Page, Visit


@dataclass(frozen=True)
class ServiceContext:
    """What the page of the service shows."""

    facts: dict[str, str] = field(metadata={"help": "version, account, region, folders, machine"})
    holds: Mapping[str, Any] = field(metadata={"help": "what the service holds"})
    disk: list[DiskUse] = field(metadata={"help": "bytes of the state folder, by kind"})
    free: int = field(metadata={"help": "free bytes of the disk"})
    images: list[tuple[str, str]] = field(metadata={"help": "images by name, with what they do"})


def load(visit: Visit) -> ServiceContext:
    """The read port and the registry of images."""
    settings = visit.reads.settings
    disk, free = visit.reads.disk()
    facts = {
        "Version": __version__, "Address": visit.address, "Account": settings.account, "Region": visit.region,
        "State folder": str(settings.home), "Cache": str(settings.cache), "Python": platform.python_version(),
        "System": f"{platform.system()} {platform.release()}, {os.cpu_count()} processors",
        "Jobs at once": str(settings.job_slots),
    }  # fmt: skip
    known = [(", ".join(image.repositories), summary(image)) for image in RUNTIMES if image.repositories]
    return ServiceContext(facts, visit.reads.status(), disk, free, known)


def summary(image: Image) -> str:
    """The first sentence of the module that has the image."""
    module = inspect.getmodule(type(image))
    return " ".join((module.__doc__ or "").split("\n\n")[0].split()) if module else ""


PAGE = Page("/service", load, "service.html", "Service")
