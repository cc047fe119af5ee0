"""From a module's name and a dict literal to a pipeline's definition.

The SDK is imported here and nowhere earlier, so that ``--help`` and mistakes in arguments respond at once.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import gc
import importlib
import importlib.machinery
import importlib.util
import inspect
import json
import logging
import pkgutil
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pipelines
from pipelines import session
from pipelines.checks.preflight import AUTO, FlavourDecision, decide, probe
from pipelines.command_line import hint
from pipelines.definition import Definition
from pipelines.local import is_local

if TYPE_CHECKING:
    from sagemaker.mlops.workflow.pipeline import Pipeline


ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/?[\w+=,.@/-]+")  # CreatePipeline, RoleArn


class LoadError(Exception):
    """The arguments do not lead to a pipeline."""


@dataclass(frozen=True)
class Built:
    """A pipeline as it would go to AWS, and where."""

    name: str
    definition: Definition
    region: str
    role: str
    checks: FlavourDecision | None = None


def define(module_name: str, values: Mapping[str, Any], arguments: argparse.Namespace) -> Built:
    """Loads the module, calls its ``get_pipeline``, and compiles the pipeline once.

    Values that ``values`` lacks come from the command line, others from the caller's identity.

    :raises LoadError: if there is no such module or function, or if it does not accept what is given.
    """
    check_role(values.get("role") or arguments.role_arn)
    region = session.find_region(values.get("region") or arguments.region)
    with quick_and_quiet(arguments.debug):
        module = load(module_name)
        role = arguments.role_arn or values.get("role") or session.find_role(region)
        bucket = values.get("default_bucket") or arguments.bucket or session.find_bucket(region)
        identity = {"region": region, "role": role, "default_bucket": bucket}
        checks = _choose_checks(module, {**identity, **values}, arguments)
        defaults = {**identity, "checks": checks.flavour} if checks else identity
        pipeline = build(module, values, defaults)
        definition = json.loads(pipeline.definition())
    return Built(pipeline.name, definition, region, role, checks)


def _choose_checks(
    module: ModuleType, known: Mapping[str, Any], arguments: argparse.Namespace
) -> FlavourDecision | None:
    """The flavour of the checks, where the pipeline has two and the command decides; None leaves it to the pipeline.

    :param known: what ``get_pipeline`` is called with, as far as it is known.
    """
    accepted = inspect.signature(module.get_pipeline).parameters
    requested = getattr(arguments, "checks", None)
    if "checks" not in accepted or requested is None:
        return None
    if "checks" in known or requested != AUTO:
        return FlavourDecision(known.get("checks", requested), "as given")
    if is_local():
        return FlavourDecision("managed", "the local service has both")
    sagemaker = session.AwsClients(known["region"]).sagemaker
    if arguments.probe:
        from sagemaker.core import image_uris

        image = image_uris.retrieve("model-monitor", known["region"])
        return probe(sagemaker, image, known["role"], known["default_bucket"])
    name = known.get("pipeline_name") or accepted["pipeline_name"].default
    decision = decide(sagemaker, name)
    if decision.flavour == "managed":
        return decision
    return FlavourDecision(decision.flavour, f"{decision.reason}, --checks managed insists")


def check_role(arn: str | None) -> None:
    """:raises LoadError: for anything but None and the ARN of a role."""
    if arn and not ROLE.fullmatch(arn):
        raise LoadError(f"--role-arn: {arn} is no ARN of a role; one is like arn:aws:iam::123456789012:role/NAME")


def literal(text: str | None, kind: type, flag: str) -> Any:
    """A Python literal from the command line, empty if not given.

    :raises LoadError: if the text is no literal of that kind.
    """
    if not text:
        return kind()
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError) as error:
        raise LoadError(f"{flag}: not a Python literal: {text}") from error
    if not isinstance(value, kind):
        raise LoadError(f"{flag}: a {kind.__name__} is expected, not {text}")
    return value


def load(name: str) -> ModuleType:
    """The module that holds ``get_pipeline``, from the working directory or from what is installed.

    :raises LoadError: if there is no such module, with the names of those that exist, or if it has no ``get_pipeline``.
    """
    working = Path.cwd()
    _search(working, name)
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        known = list(list_modules(working))
        raise LoadError(
            f"there is no module {name}, neither in {working} nor installed{hint(name, known, 'none of them has one')}"
        ) from error
    if not callable(getattr(module, "get_pipeline", None)):
        raise LoadError(f"{name} has no function get_pipeline")
    return module


def _search(working: Path, name: str) -> None:
    """Lets the working directory count, as it does for ``python -m``; a console script has its own folder instead.

    A project of the SageMaker template has a package ``pipelines`` as this one has: of that, the folder of the wanted
    pipeline counts before ours, the rest behind.
    """
    if str(working) not in sys.path:
        sys.path.insert(0, str(working))
    own, folder = Path(pipelines.__path__[0]), working / "pipelines"
    if not name.startswith("pipelines.") or not folder.is_dir() or folder.samefile(own):
        return
    package = ".".join(name.split(".")[:2])
    spec = importlib.machinery.PathFinder.find_spec(package, [str(folder)])
    if str(folder) not in pipelines.__path__:
        pipelines.__path__.append(str(folder))
    if spec is not None and package not in sys.modules:
        module = importlib.util.module_from_spec(spec)
        sys.modules[package] = module
        if spec.loader is not None:
            spec.loader.exec_module(module)


def list_modules(working: Path) -> Iterator[str]:
    """The modules ``pipeline`` with a ``get_pipeline``: the working directory's, or those of this project."""
    files = [file for depth in (1, 2) for file in working.glob(f"{'*/' * depth}pipeline.py") if _defines(file)]
    if files:
        yield from (".".join(file.relative_to(working).with_suffix("").parts) for file in files)
        return
    for package in pkgutil.iter_modules(pipelines.__path__, "pipelines."):
        if package.ispkg and importlib.util.find_spec(f"{package.name}.pipeline"):
            yield f"{package.name}.pipeline"


def _defines(file: Path) -> bool:
    return "def get_pipeline(" in file.read_text("utf-8", errors="replace")


def build(module: ModuleType, values: Mapping[str, Any], defaults: Mapping[str, Any]) -> Pipeline:
    """Calls ``get_pipeline`` with what was given, and with those defaults that it has a parameter for.

    :raises LoadError: if it does not accept what was given.
    """
    signature = inspect.signature(module.get_pipeline)
    accepted = {name: value for name, value in defaults.items() if name in signature.parameters}
    arguments = {**accepted, **values}
    try:
        signature.bind(**arguments)
    except TypeError as error:
        unknown = [name for name in values if name not in signature.parameters]
        close = difflib.get_close_matches(unknown[0], signature.parameters, n=1) if unknown else []
        meant = f"; did you mean {close[0]}?" if close else f"; it takes {', '.join(signature.parameters)}"
        raise LoadError(f"--kwargs: get_pipeline: {error}{meant}") from error
    return module.get_pipeline(**arguments)


@contextmanager
def quick_and_quiet(debug: bool) -> Iterator[None]:
    """While the SDK is imported and a pipeline is built.

    Without Python's cycle collector, which would walk over the SDK's million objects again and again and takes half
    of the time; what there is afterwards is here to stay, and is frozen. With the SDK's models made ready when they
    are used: it has a thousand of them, and a pipeline uses few; and with boto's data files read once for the seven
    sessions that it makes. Without the notes to itself that it writes, and turns on for
    all libraries, unless ``debug``.
    """
    gc.disable()
    with warnings.catch_warnings(), _models_on_demand(), _data_read_once():
        if not debug:
            warnings.simplefilter("ignore")
            logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET if debug else logging.INFO)
            gc.freeze()
            gc.enable()


@contextmanager
def _models_on_demand() -> Iterator[None]:
    """Has the pydantic models that are defined in the meantime build their validators at their first use."""
    from pydantic import BaseModel

    before = BaseModel.model_config
    BaseModel.model_config = {**before, "defer_build": True}
    try:
        yield
    finally:
        BaseModel.model_config = before


@contextmanager
def _data_read_once() -> Iterator[None]:
    """Has the boto sessions that are made in the meantime share what they read of AWS's services and regions."""
    from botocore import loaders, session

    before = loaders.create_loader
    session.create_loader = loaders.create_loader = cache(before)  # type: ignore[attr-defined, unused-ignore]
    try:
        yield
    finally:
        session.create_loader = loaders.create_loader = before  # type: ignore[attr-defined, unused-ignore]
