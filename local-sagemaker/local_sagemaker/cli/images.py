"""``local-sagemaker images``: the libraries of container images on this machine: list, prepare, remove."""

from __future__ import annotations

import argparse

from local_sagemaker import images
from local_sagemaker.cli import lines
from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError
from local_sagemaker.images.image import ImageUri
from local_sagemaker.images.libraries import ImageLibraries, LibrarySets, interpreters, plan
from local_sagemaker.images.libraries.store import own_size
from local_sagemaker.lifecycle import LifecycleError

_SHOWN = ("xgboost", "scikit-learn", "pandas", "numpy", "scipy", "pyarrow", "boto3")
_WIDE = 160
"""Columns of a terminal that has room for libraries beside an image."""
EPILOG = """\
Jobs and endpoints run with the Python and the libraries of their image. What is not prepared is installed when a job
first needs it (from the package index, by uv). Pythons are never downloaded: what this machine has is used, the nearest
where it lacks the image's own; `uv python install 3.10` is one way to get another, `prepare` then makes the set anew.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and with which images."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listing = actions.add_parser("list", help="what is prepared and what can be (without an action: the same)")
    listing.add_argument("image", nargs="?", metavar="REPOSITORY:TAG", help="one image, with all that it holds")
    prepare = actions.add_parser("prepare", help="install the libraries of images ahead of their first job")
    prepare.add_argument(
        "image", nargs="*", metavar="REPOSITORY:TAG", help="left out: the default pipeline's, and that of functions"
    )
    remove = actions.add_parser("remove", help="remove the libraries of images; they are installed again when needed")
    remove.add_argument("image", nargs="+", metavar="REPOSITORY:TAG", help="or 'all'")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Does it; errors of installations are one message."""
    images.configure(settings.home / "images.json")
    sets = LibrarySets(settings.cache)
    try:
        if options.action == "prepare":
            return _prepare(sets, options.image)
        if options.action == "remove":
            return _remove(sets, options.image)
        named = getattr(options, "image", None)
        return _show(sets, _find(named)) if named else _list(sets)
    except ServiceError as error:
        raise LifecycleError(error.message) from error


def _find(name: str) -> ImageLibraries:
    """The image of a name, a whole URI included."""
    uri = ImageUri.parse(name)
    libraries = images.libraries_of(uri)
    if libraries is None:
        known = ", ".join(sorted({image.repository for image in images.known_libraries()}))
        raise LifecycleError(f"No libraries are known for '{name}'. Known repositories: {known}.")
    return libraries


def _prepare(sets: LibrarySets, names: list[str]) -> int:
    wanted = [_find(name) for name in names] or images.default_libraries()
    for image in wanted:
        library_set = sets.prepare(image, lambda line: print(line, flush=True))
        for note in (*image.notes, *library_set.differences):
            print(f"  {note}")
    print(f"Prepared: {', '.join(image.name for image in wanted)}, in {sets.folder}.")
    return 0


def _remove(sets: LibrarySets, names: list[str]) -> int:
    every = names == ["all"]
    wanted = images.known_libraries() if every else [_find(name) for name in names]
    count = sum(sets.remove(image) for image in wanted)
    if every:
        count += sets.remove_all()
    print(f"Removed {count} set{'' if count == 1 else 's'}." if count else "None of them was prepared.")
    return 0


def _list(sets: LibrarySets) -> int:
    others = sets.all()
    print(f"Folder: {sets.folder}")
    _print_row(f"{'IMAGE':38} {'STATE':12} {'PYTHON':8} {'SIZE':>8}", "LIBRARIES", [])
    for image in images.known_libraries():
        item = sets.find(image)
        if item:
            others = [other for other in others if other.folder != item.folder]
            size, versions, python = f"{item.size / 1e6:.0f} MB", item.versions, item.manifest["python"]
            state, differences = "prepared", item.differences
        else:
            size, state = "-", "not prepared"
            try:
                planned = plan.make(image)
            except ServiceError:
                print(f"{image.name:38} {'no Python':12} {image.python:8} {'-':>8}")
                continue
            versions, python, differences = (
                dict(planned.versions),
                planned.interpreter.version,
                list(planned.differences),
            )
        held = ", ".join(f"{name} {versions[name]}" for name in _SHOWN if name in versions)
        details = [f"for {', '.join(image.stands_for)}"] if image.stands_for else []
        if differences or image.notes:
            details.append(f"not as in the image: {'; '.join(dict.fromkeys([*image.notes, *differences]))}")
        _print_row(f"{image.name:38} {state:12} {python:8} {size:>8}", held, details)
    for other in others:
        size = f"{other.size / 1e6:.0f} MB"
        _print_row(f"{other.name:38} {'out of date':12} {other.manifest['python']:8} {size:>8}", str(other.folder), [])
    print("One image with all that it holds: local-sagemaker images list REPOSITORY:TAG")
    return 0


def _print_row(head: str, held: str, details: list[str]) -> None:
    """An image's line and what is said of it; on a narrow terminal all but the head is below it."""
    width = lines.terminal_width()
    narrow = width is not None and width < _WIDE
    print(head if narrow else f"{head}  {held}")
    indent = 4 if narrow else 39
    for detail in [held, *details] if narrow else details:
        print(lines.fit(f"{'':{indent}}{detail}", indent, width))


def _show(sets: LibrarySets, image: ImageLibraries) -> int:
    item = sets.find(image)
    print(f"{image.name}: {'prepared' if item else 'not prepared'}")
    if image.stands_for:
        print(f"For images of {', '.join(image.stands_for)}")
    print(
        f"Python of the image {image.python}, found on this machine: {_pythons(image) or 'none of those that it takes'}"
    )
    if item:
        print(
            f"Folder: {item.folder} ({item.size / 1e6:.0f} MB, of which its removal frees "
            f"{own_size(item.folder) / 1e6:.0f} MB)"
        )
        differences, versions = item.differences, item.versions
    else:
        planned = plan.make(image)
        differences, versions = list(planned.differences), dict(planned.versions)
    for note in dict.fromkeys([*image.notes, *differences]):
        print(f"Not as in the image: {note}")
    if image.left_out:
        print(f"In the image, but left out here: {', '.join(image.left_out)}")
    for name in sorted(versions, key=str.lower):
        print(f"  {name}=={versions[name]}")
    if not item:
        print(f"Further packages are installed with them: local-sagemaker images prepare {image.name}")
    return 0


def _pythons(image: ImageLibraries) -> str:
    installations = [interpreters.find(python) for python in image.pythons]
    return ", ".join(f"{item.version} ({item.path})" for item in installations if item)
