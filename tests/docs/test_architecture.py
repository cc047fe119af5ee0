"""docs/architecture.md against the code: the floors against the imports, the walks against its functions."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import grimp
import pytest

from tests.docs.blocks import blocks
from tests.support import ROOT

PACKAGE = ROOT / "local-sagemaker" / "local_sagemaker"
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
WALK = re.compile(r"^\d+\. `(?P<file>[\w/]+\.py)` `(?P<name>[\w.]+)`: (?P<what>.+)$", re.MULTILINE)
REFERENCE = re.compile(r"`(?P<file>[\w/]+\.py)` `(?P<name>[\w.]+)`")


def floors() -> list[list[str]]:
    """The modules of each floor, from the top. A line that begins with spaces is the comment of the one before."""
    (picture,) = [block.text for block in blocks("architecture.md") if block.language == "floors"]
    lines = [line.split("  ")[0].strip() for line in picture.splitlines() if not line.startswith(" ")]
    return [line.split(" . ") for line in lines]


def top(module: str) -> str:
    """The module below the package that a module belongs to."""
    parts = module.split(".")
    return parts[0] if parts[0] != PACKAGE.name else ".".join(parts[1:2])


@cache
def imports() -> set[tuple[str, str, str]]:
    """(floor's module, floor's module that it imports, importing module), without those within one of them."""
    graph = grimp.build_graph("local_sagemaker", "model_checks")
    found = set()
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            if top(module) != top(imported) and top(module) and top(imported):
                found.add((top(module), top(imported), module))
    return found


def test_every_module_is_on_one_floor() -> None:
    drawn = [module for floor in floors() for module in floor]
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == children(PACKAGE) | {"model_checks"}


def test_imports_go_down() -> None:
    level = {module: number for number, floor in enumerate(floors()) for module in floor}
    wrong = [f"{by}: {a} imports {b}" for a, b, by in imports() if level[a] >= level[b]]
    assert not wrong, "\n".join(sorted(wrong))


def contract(name: str) -> dict[str, Any]:
    """A contract of import-linter by its name."""
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (one,) = [contract for contract in linter["contracts"] if contract["name"] == name]
    return dict(one)


def children(package: Path) -> set[str]:
    """The modules and packages directly in a package."""
    modules = {path.stem for path in package.glob("*.py") if path.stem != "__init__"}
    return modules | {path.parent.name for path in package.glob("*/__init__.py")}


def layers(name: str) -> list[set[str]]:
    """The layers of a contract, from the top, by the last part of their modules' names."""
    rows = [row.split(" | ") for row in contract(name)["layers"]]
    return [{module.removeprefix(f"{PACKAGE.name}.") for module in row} for row in rows]


def test_every_package_is_named_in_a_contract_of_layers() -> None:
    own = layers("The service's layers")
    assert own == [floor for row in floors() if (floor := set(row) - {"model_checks"})], "as the picture has them"
    assert set().union(*own) == children(PACKAGE)
    assert set().union(*layers("The services' layers")) == children(PACKAGE / "services")


def test_all_that_is_above_the_containers_imports_none_of_them() -> None:
    own = layers("The service's layers")
    (place,) = [number for number, layer in enumerate(own) if "containers" in layer]
    above = set().union(*own[:place]) | own[place] - {"containers"}
    sources = contract("The server never imports the programs of containers")["source_modules"]
    users_own = {"pytest_plugin", "testing"}
    assert {module.removeprefix(f"{PACKAGE.name}.") for module in sources} == above - users_own


@pytest.mark.parametrize("walk", list(REFERENCE.finditer(PAGE)), ids=lambda match: match["name"])
def test_a_walk_names_existing_functions(walk: re.Match[str]) -> None:
    tree: ast.AST = ast.parse((PACKAGE / walk["file"]).read_text("utf-8"))
    for name in walk["name"].split("."):
        found = [
            node
            for node in ast.iter_child_nodes(tree)
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
        ]
        assert found, f"{walk['file']} has no {walk['name']}"
        tree = found[0]


def test_there_are_five_walks_of_a_line_each_step() -> None:
    walks = PAGE.partition("## Five walks")[2].split("\n### ")[1:]
    assert len(walks) == 5
    for walk in walks:
        numbered = [line for line in walk.splitlines() if re.match(r"\d+\. ", line)]
        assert len(numbered) >= 5
        assert all(WALK.match(line) and len(line) <= 125 for line in numbered), walk


def test_the_page_names_existing_files() -> None:
    for name in re.findall(r"`((?:\w+/)+\w+\.py)`", PAGE):
        assert (PACKAGE / name).exists() or Path(ROOT / name).exists(), name
