"""Which programs need an interpreter that starts anew, and can't run in one that has its libraries loaded already."""

from __future__ import annotations

import io
import os
import re
import sys
import tokenize
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path

# Read only when an interpreter or a library starts: with one of these set, the script needs a start of its own.
_STARTUP = ("PYTHONHASHSEED", "PYTHONOPTIMIZE", "PYTHONWARNINGS", "PYTHONDEVMODE", "PYTHONINSPECT", "PYTHONVERBOSE",
            "PYTHONFAULTHANDLER", "PYTHONTRACEMALLOC", "PYTHONMALLOC", "PYTHONIOENCODING", "PYTHONUTF8", "PYTHONHOME",
            "PYTHONINTMAXSTRDIGITS", "LD_PRELOAD", "LD_LIBRARY_PATH")  # fmt: skip
_STARTUP_PREFIXES = ("OMP_", "KMP_", "GOMP_", "OPENBLAS_", "MKL_", "BLIS_", "NUMEXPR_", "ARROW_")

_COMMENT = re.compile(rb"#[^\n]*")
_LAYOUT = (tokenize.ENCODING, tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT)
_LONGEST_READ = 1 << 18  # bytes whose docstrings are looked for, which takes a tenth of a second or two
_PIP = re.compile(rb"\bpip3?\b|\bensurepip\b|\beasy_install\b")
_CODE = (".py", ".sh")
_LOOK_AT = 64  # files of a program's folder that are searched for an installation; each up to _LONGEST bytes
_LONGEST = 1 << 20
_FOLDERS = 64


def variables_require_it(variables: Mapping[str, str], outer: Mapping[str, str]) -> bool:
    """Whether the given variables hold one that this interpreter has already read differently."""
    return any(
        (name in _STARTUP or name.startswith(_STARTUP_PREFIXES)) and outer.get(name) != value
        for name, value in variables.items()
    )


def speaks_of_pip(text: bytes, *, python: bool = True) -> bool:
    """Whether a program installs packages, as far as its text shows: not what comments and docstrings say."""
    if not _PIP.search(text) or not _PIP.search(_COMMENT.sub(b"", text)):
        return False
    return not python or len(text) > _LONGEST_READ or bool(_PIP.search(_statements(text)))


def _statements(text: bytes) -> bytes:
    """The words of Python code without comments and strings that are statements; as it stands where it is no Python."""
    kept: list[str] = []
    strings: list[str] | None = []  # those that the statement has so far; None once there is anything else in it
    try:
        for token in tokenize.tokenize(io.BytesIO(text).readline):
            if token.type in _LAYOUT:
                continue
            if token.type == tokenize.NEWLINE or token.string == ";":
                strings = []
            elif strings is not None and token.type == tokenize.STRING:
                strings.append(token.string)
            else:
                kept += [*(strings or ()), token.string]
                strings = None
    except (tokenize.TokenError, SyntaxError, ValueError):
        return text
    return "\n".join(kept).encode("utf-8", "surrogateescape")


def script_requires_it(script: Path, folder: Path) -> bool:
    """Whether a script of the code in `folder` can't run in this process, which has read its variables long ago.

    It may install what is loaded, have modules of the same names, or be given a variable that only a start reads.
    """
    if not script.is_file():
        return False
    first = _first_variables()
    read = first is not None and variables_require_it(os.environ, first)
    return read or installs(folder, script) or shadows(str(script.parent))


def _first_variables() -> dict[str, str] | None:
    """Those that this process's program was started with; None where the machine does not show them."""
    try:
        text = Path("/proc/self/environ").read_text("utf-8", "surrogateescape")
    except OSError:
        return None
    return {name: value for name, _, value in (entry.partition("=") for entry in text.split("\0"))}


def installs(folder: Path, script: Path | None = None) -> bool:
    """Whether a script, or code in a folder or below, speaks of pip.

    What it installs would not replace a library that is loaded already.
    """
    beside = islice((path for path in _code(folder) if path != script), _LOOK_AT)
    first = [script] if script else []
    return any(speaks_of_pip(head(path), python=path.suffix != ".sh") for path in chain(first, beside))


def _code(folder: Path) -> Iterator[Path]:
    """The files of code in a folder and below, but of packages that were installed into it."""
    for place, below, names in islice(os.walk(folder), _FOLDERS):
        installed = any(name.endswith(".dist-info") for name in below)
        below[:] = [] if installed else [name for name in below if not name.startswith(".")]
        yield from (Path(place, name) for name in names if name.endswith(_CODE))


def head(path: Path) -> bytes:
    """The beginning of a file, nothing where it can't be read."""
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST)
    except OSError:
        return b""


def shadows(folder: str) -> bool:
    """Whether a file in the folder, or archive, has the name of a module that is already loaded from elsewhere."""
    return any(name in sys.modules and name != "__main__" for name in _modules(folder))


def _modules(folder: str) -> Iterable[str]:
    if not Path(folder).is_dir():  # an archive
        with zipfile.ZipFile(folder) as archive:
            return {name.partition("/")[0].removesuffix(".py") for name in archive.namelist()}
    names = []
    with os.scandir(folder) as entries:
        for entry in entries:
            name, _, suffix = entry.name.partition(".")
            if suffix == "py" or (not suffix and Path(entry.path, "__init__.py").exists()):
                names.append(name)
    return names
