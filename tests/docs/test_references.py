"""What documents and docstrings refer to exists: links, headings, files, and the names in single backticks."""

from __future__ import annotations

import ast
import builtins
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support import ROOT
from tools.words import SHIPPED, modules

SERVICE = ROOT / SHIPPED[0]
PAGES = sorted({
    *ROOT.glob("*.md"), *ROOT.glob("*/*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "delivery").rglob("*.md"),
})  # fmt: skip
BASES = (
    ROOT, ROOT / "tests", ROOT / "local-sagemaker", ROOT / "local-sagemaker" / "tests", SERVICE / "studio",
    *(ROOT / name for name in SHIPPED),
)  # fmt: skip
"""Folders from which documents and docstrings name files, besides the folder of the text itself."""
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)\s#]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"(?<![\w/.<>*{}:~-])((?:[\w.-]+/)+[\w-]+\.(?:py|md|toml|yml|ipynb|html))(?![\w*])")
NAME = re.compile(r"(?<!`)`([A-Za-z_]\w*(?:\.\w+)*)(?:\(\))?`(?!`)")
EXAMPLES = frozenset(["algorithm_mode/train.py", "FOLDER/FILE.py"])
"""Files of AWS's containers, and of a reader."""


def slug(heading: str) -> str:
    """The anchor that GitHub gives to a heading."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of the docstrings and comments of a module."""
    source = path.read_text("utf-8")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def exists(name: str, beside: Path) -> bool:
    """Whether a file is where a text in the folder `beside` can mean it."""
    return any((base / name).exists() for base in (beside, *BASES))


@cache
def words_of(path: Path) -> frozenset[str]:
    """Every name and every word of a text in a module: what its docstrings may speak of."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        for field in ("id", "attr", "arg", "name", "module", "asname"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                found |= set(value.split("."))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 200:
            found |= set(re.findall(r"\w+", node.value))
    return frozenset(found)


@cache
def definitions() -> frozenset[str]:
    """The modules, classes, functions, constants and attributes of everything that is shipped, and Python's own."""
    found = {
        *dir(builtins),
        *sys.stdlib_module_names,
        *(name for base in (str, bytes, dict, list) for name in dir(base)),
    }
    for path in modules():
        found |= {path.stem, path.parent.name}
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(node.name)
            elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
                found.add(node.id if isinstance(node, ast.Name) else node.attr)
    return frozenset(found)


def undefined(name: str, path: Path) -> set[str]:
    """The parts of a name in single backticks that are neither in its module nor defined anywhere; none is right."""
    parts = name.removesuffix(".py").split(".")
    if parts[0] in sys.stdlib_module_names:
        return set()
    return set(parts) - words_of(path) - definitions()


def test_links_lead_to_files_and_headings() -> None:
    wrong = []
    for page in PAGES:
        for name, anchor in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
            target = page if not name else page.parent / name
            if not target.exists():
                wrong.append(f"{page.relative_to(ROOT)}: {name}")
            elif anchor and anchor not in map(slug, HEADING.findall(FENCE.sub("", target.read_text("utf-8")))):
                wrong.append(f"{page.relative_to(ROOT)}: {name}#{anchor}")
    assert not wrong, "\n".join(wrong)


def test_files_that_a_page_names_exist() -> None:
    wrong = [
        f"{page.relative_to(ROOT)}: {name}"
        for page in PAGES
        for name in FILE.findall(FENCE.sub("", page.read_text("utf-8")))
        if name not in EXAMPLES and not exists(name, page.parent)
    ]
    assert not wrong, "\n".join(wrong)


def test_files_that_code_names_exist() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in modules()
        for line, text in texts(path)
        for name in FILE.findall(text)
        if name not in EXAMPLES and not exists(name, path.parent)
    ]
    assert not wrong, "\n".join(wrong)


def test_names_in_docstrings_exist() -> None:
    """In its own module a name may be anything that stands in it; else it is defined somewhere in what is shipped."""
    wrong = []
    for path in modules():
        for line, text in texts(path):
            for name in NAME.findall(text):
                if absent := undefined(name, path):
                    wrong.append(f"{path.relative_to(ROOT)}:{line}: `{name}` ({', '.join(sorted(absent))})")
    assert not wrong, "\n".join(wrong)


def test_what_does_not_exist_is_found() -> None:
    here = Path(__file__)
    assert FILE.findall("see `no/such_file.py`, logs/<region>/x.md and https://example.com/a/b.html") == [
        "no/such_file.py"
    ]
    assert not exists("no/such_file.py", here.parent)
    assert NAME.findall("`no_such_name`, ``literal`` and `Path.exists()`") == ["no_such_name", "Path.exists"]
    assert undefined("no_such_name", ROOT / "setup.py") == {"no_such_name"}
    assert LINK.findall("[a](b.md#c), [d](https://example.com/e.md)") == [("b.md", "c")]
    assert slug("## `a.py` and [links](x.md), 2").strip("-") == "apy-and-links-2"
