"""Measures the structure of the code: `make structure` prints the figures and fails where a limit is passed.

It reads the sources as text and syntax trees; nothing of the project is imported.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHIPPED = ("local-sagemaker/local_sagemaker", "model-checks/model_checks", "pipelines", "delivery")
LONGEST_FUNCTION = 40  # lines, docstring included
LONGEST_FILE = 400
PARTICIPLES = 0.01
"""The share of functions that may be named by a participle: names of functions are verbs, of values nouns."""
NO_NOUNS = frozenset(["found", "given"])
"""Participles that no value is named by: they say how it came, not what it is."""
TEXTS_OF_ERRORS = 9
"""Places that tell errors apart by their text: of the disk, and of services of which only the text is known."""
STATUSES = tuple(ROOT / SHIPPED[0] / "records" / name for name in ("status.py", "delivery_status.py"))
"""The types of statuses; what they have is written as text nowhere else in the service."""
NAMES_OF_IMAGES = f"{SHIPPED[0]}/containers/packages/"
"""Stand-ins for packages of AWS's images, which have fixed the names in them."""
OWN_MEMBERS = tuple(ROOT / SHIPPED[0] / "records" / name for name in ("own_members.py", "delivery_members.py"))
"""The types of the service's own members of records, and the views through which they are read and set."""
TEXTS_OF_OWN_MEMBERS = 4
"""Underscored keys that are in no record: of a queue's messages, of a row to be filtered, of a hyperparameter."""
EARLIER_RECORDS = "records/earlier_tokens.py"
"""Reads members that records of earlier versions had; today's types do not have them."""
READERS = ("cli/", "containers/", "studio/", "testing/", "codebuild/")
"""Parts of the service that read statuses from responses, as any client does, or run in a job's process."""
BROAD_EXCEPTS = ROOT / "tools" / "broad_excepts.txt"
"""The boundaries where any exception may become a status or a response, one ``file:function`` a line."""

_IRREGULAR_WORDS = """
found given told kept shown made chosen held gone built bound brought caught cut done drawn fed gotten heard hidden
known laid led left lent lost meant met paid put read said seen sent set shut sold spent split spoken taken taught
thought thrown understood woken won worn written
"""
_IRREGULAR = frozenset(_IRREGULAR_WORDS.split()) - frozenset(
    ["cut", "lent", "put", "read", "set", "shut", "split"]
)  # these are verbs as well
_NO_PARTICIPLE_WORDS = """
bring embed exceed feed need ping proceed ring seed sing speed spring string succeed swing thing bleed breed red bed
listing heading warning setting reading meaning training processing serving streaming scaling hidden bearing ceiling
encoding string binding
"""
_NO_PARTICIPLE = frozenset(_NO_PARTICIPLE_WORDS.split())
_OWN_NAME = re.compile(r"_[a-z]")
_STATUS_NAME = re.compile(r"(?:[sS]tatus|[sS]tate)$")


@dataclass
class Figures:
    """What was counted."""

    files: int = 0
    functions: int = 0
    participles: list[str] = field(default_factory=list)
    no_nouns: list[str] = field(default_factory=list)
    long_functions: list[str] = field(default_factory=list)
    long_files: list[str] = field(default_factory=list)
    classes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    broad: list[str] = field(default_factory=list)
    texts_of_errors: list[str] = field(default_factory=list)
    texts_of_statuses: list[str] = field(default_factory=list)
    untyped_members: list[str] = field(default_factory=list)
    documents: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def repeated_documents(self) -> dict[str, list[str]]:
        """Names of documents (``Report = dict[str, Any]``) that stand in more than one module, with their files."""
        return {name: files for name, files in self.documents.items() if len(files) > 1}

    @property
    def repeated_classes(self) -> dict[str, list[str]]:
        """Class names that stand for more than one thing, with their files."""
        return {name: files for name, files in self.classes.items() if len(files) > 1}


def sources() -> Iterator[Path]:
    """The shipped modules."""
    folders = []
    for folder, names, _ in os.walk(ROOT):
        names[:] = [name for name in names if name not in (".git", ".venv", "build", "tests")]
        folders.append(Path(folder))
    for package in SHIPPED:
        for path in folders:
            if path.relative_to(ROOT).match(package):  # the checkout itself may have a package's name
                yield from sorted(path.rglob("*.py"))


def tests() -> Iterator[Path]:
    """The modules of all tests, and of what is beside them: they are not shipped, but no longer either."""
    for folder in ("tests", "local-sagemaker/tests", "model-checks/tests", "benchmarks", "tools"):
        yield from sorted((ROOT / folder).rglob("*.py"))


def is_participle(name: str) -> bool:
    """Whether a function's name begins with a participle (``found_in``, ``counted``) instead of a verb."""
    first = name.strip("_").split("_")[0].lower()
    if not first or first in _NO_PARTICIPLE:
        return False
    return first in _IRREGULAR or bool(re.fullmatch(r"[a-z]{2,}(ed|ing)", first))


def value_name(node: ast.AST) -> str:
    """The name that a node gives to a value: of a variable or a parameter, "" for any other node."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return node.id
    return node.arg if isinstance(node, ast.arg) else ""


def measure() -> Figures:
    """Counts over all shipped modules."""
    figures, statuses = Figures(), status_values()
    for path in sources():
        _add_file(path, figures, statuses)
    for path in tests():
        _add_length(path, path.read_text("utf-8"), figures)
    return figures


def status_values() -> frozenset[str]:
    """The texts of all statuses that have a type."""
    nodes = (node for path in STATUSES for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    return frozenset(
        node.value.value
        for node in nodes
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    )


def _add_file(path: Path, figures: Figures, statuses: frozenset[str]) -> None:
    text = path.read_text("utf-8")
    places = list(_walk(ast.parse(text)))
    nodes = [node for _, node in places]
    name = str(path.relative_to(ROOT))
    figures.files += 1
    inner = name.removeprefix(f"{SHIPPED[0]}/")
    if inner != name and path not in STATUSES and not inner.startswith(READERS):
        lines = {line for node in nodes for line in status_texts(node, statuses)}
        figures.texts_of_statuses += [f"{name}:{line}" for line in sorted(lines)]
        untyped = set[int]() if inner == EARLIER_RECORDS else untyped_members(nodes, own_members())
        figures.untyped_members += [f"{name}:{line}" for line in sorted(untyped)]
    _add_length(path, text, figures)
    for scope, node in places:
        if alias := document_alias(node):
            figures.documents[alias].append(name)
        if isinstance(node, ast.ClassDef) and not name.startswith(NAMES_OF_IMAGES):
            figures.classes[node.name].append(name)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            _add_function(name, node, figures)
        elif isinstance(node, ast.ExceptHandler) and _is_broad(node) and not _raises(node):
            figures.broad.append(f"{name}:{scope}")
        elif value_name(node) in NO_NOUNS:
            figures.no_nouns.append(f"{name}:{scope}")
        elif isinstance(node, ast.Compare) and compares_text_of_error(node):
            figures.texts_of_errors.append(f"{name}:{node.lineno}")


def _add_length(path: Path, text: str, figures: Figures) -> None:
    if (lines := text.count("\n")) > LONGEST_FILE:
        figures.long_files.append(f"{path.relative_to(ROOT)}: {lines} lines")


def _add_function(file: str, node: ast.FunctionDef | ast.AsyncFunctionDef, figures: Figures) -> None:
    figures.functions += 1
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if lines > LONGEST_FUNCTION:
        figures.long_functions.append(f"{file}:{node.name} ({lines} lines)")
    if is_participle(node.name) and not _is_property(node):
        figures.participles.append(f"{file}:{node.name}")


def _walk(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Every node, in the order of the text, with the function that it is in."""
    left = [("", tree)]
    while left:
        scope, node = left.pop()
        yield scope, node
        inner = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else scope
        left += [(inner, child) for child in ast.iter_child_nodes(node)][::-1]


def _is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = [ast.unparse(decorator) for decorator in node.decorator_list]
    return any(name.endswith(("property", "setter")) for name in names)


def _is_broad(node: ast.ExceptHandler) -> bool:
    return node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")


def _raises(node: ast.ExceptHandler) -> bool:
    return any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))


def compares_text_of_error(node: ast.Compare) -> bool:
    """``"exists" in error.message`` and the like, instead of an error's class."""
    sides = [ast.unparse(side) for side in (node.left, *node.comparators)]
    return any(re.match(r"(?:str\()?(?:error|caught|failure)(?:\.message|\))(?:\.lower\(\))?$", side) for side in sides)


def document_alias(node: ast.AST) -> str:
    """``Report`` of ``Report = dict[str, Any]`` or ``Mapping[str, Any]``; "" for any other node."""
    if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
        return ""
    return node.targets[0].id if ast.unparse(node.value) in ("dict[str, Any]", "Mapping[str, Any]") else ""


def status_texts(node: ast.AST, statuses: frozenset[str]) -> Iterator[int]:
    """The lines where a status is compared, or is a member's value, as a text instead of its type."""
    values: list[ast.expr] = []
    if isinstance(node, ast.Compare) and re.search("stat(?:e|us)", ast.unparse(node), re.IGNORECASE):
        values = [node.left, *node.comparators]
    elif isinstance(node, ast.Dict):
        values = [value for key, value in zip(node.keys, node.values, strict=True) if _is_status(key)]
    elif isinstance(node, ast.keyword):
        values = [node.value] if _STATUS_NAME.search(node.arg or "") else []
    elif isinstance(node, ast.Assign):
        values = [node.value] if any(map(_is_status, node.targets)) else []
    for value in values:
        inner = (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,)
        for one in inner:
            for item in one.elts if isinstance(one, ast.Tuple | ast.List | ast.Set) else (one,):
                if isinstance(item, ast.Constant) and item.value in statuses:
                    yield item.lineno


def _is_status(target: ast.expr | None) -> bool:
    key = target.slice if isinstance(target, ast.Subscript) else target
    text = key.id if isinstance(key, ast.Name) else key.value if isinstance(key, ast.Constant) else ""
    return isinstance(text, str) and bool(_STATUS_NAME.search(text))


@cache
def own_members() -> frozenset[str]:
    """The names of the service's own members of records that have a type."""
    nodes = (node for path in OWN_MEMBERS for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    return frozenset(
        node.target.id for node in nodes if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    )


def untyped_members(nodes: Collection[ast.AST], members: Collection[str]) -> set[int]:
    """The lines that read or set a record's own member past its type: ``body["_due"]``, ``{"_due": 0}``, and those
    that change one that has none: ``change(_dew=0)``."""
    views = {name.id for node in nodes if isinstance(node, ast.Assign) and _is_view(node.value)
             for name in node.targets if isinstance(name, ast.Name)}  # fmt: skip
    views |= {node.arg for node in nodes if isinstance(node, ast.arg) and node.annotation
              and ast.unparse(node.annotation).endswith("Record")}  # fmt: skip
    lines = set[int]()
    for node in nodes:
        if isinstance(node, ast.Subscript) and _is_own(node.slice):
            lines |= {node.lineno} if not _is_view(node.value, views) else set()
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            known = node.func.attr not in ("get", "pop", "setdefault") or _is_view(node.func.value, views)
            lines |= {node.lineno} if _is_own(node.args[0]) and not known else set()
        elif isinstance(node, ast.Dict):
            lines |= {key.lineno for key in node.keys if key is not None and _is_own(key)}
        elif isinstance(node, ast.keyword) and _OWN_NAME.match(node.arg or "") and node.arg not in members:
            lines.add(node.value.lineno)
    return lines


def _is_own(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(_OWN_NAME.match(node.value))


def _is_view(node: ast.expr, names: Collection[str] = ()) -> bool:
    """``own_rule(rule)``, or a variable of that name."""
    name = node.func if isinstance(node, ast.Call) else node
    return isinstance(name, ast.Name) and (name.id in names or (name is not node and name.id.startswith("own_")))


def allowed_broad_excepts() -> list[str]:
    """The boundaries of `BROAD_EXCEPTS`."""
    lines = BROAD_EXCEPTS.read_text("utf-8").splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


def problems(figures: Figures) -> list[str]:
    """What passes a limit, one line each."""
    failures = [f"longer than {LONGEST_FUNCTION} lines: {function}" for function in figures.long_functions]
    failures += [f"longer than {LONGEST_FILE} lines: {file}" for file in figures.long_files]
    for name, files in sorted(figures.repeated_classes.items()):
        failures.append(f"class {name} is defined in {', '.join(files)}")
    for name, files in sorted(figures.repeated_documents.items()):
        failures.append(f"the type {name} of a document is defined in {', '.join(files)}")
    if len(figures.participles) > PARTICIPLES * figures.functions:
        failures += [f"named by a participle: {function}" for function in figures.participles]
    failures += [f"a value named {' or '.join(sorted(NO_NOUNS))}: {place}" for place in figures.no_nouns]
    if len(figures.texts_of_errors) > TEXTS_OF_ERRORS:
        failures += [f"tells an error by its text: {place}" for place in figures.texts_of_errors]
    failures += [f"a status as text instead of its type: {place}" for place in figures.texts_of_statuses]
    if len(figures.untyped_members) > TEXTS_OF_OWN_MEMBERS:
        failures += [f"a record's own member past its type: {place}" for place in figures.untyped_members]
    allowed = allowed_broad_excepts()
    failures += [
        f"broad except that {BROAD_EXCEPTS.name} does not name: {place}"
        for place in sorted({*figures.broad} - {*allowed})
    ]
    failures += [
        f"{BROAD_EXCEPTS.name} names {place}, where there is none" for place in sorted({*allowed} - {*figures.broad})
    ]
    return failures


def main() -> int:
    """Prints the figures; 1 when a limit is passed."""
    figures = measure()
    share = len(figures.participles) / max(1, figures.functions)
    print(f"{figures.files} modules, {figures.functions} functions, {len(figures.classes)} class names")
    print(f"class names defined more than once: {len(figures.repeated_classes)}")
    print(f"types of documents defined twice:   {len(figures.repeated_documents)} of {len(figures.documents)}")
    print(f"functions named by a participle:    {len(figures.participles)} ({share:.2%}, at most {PARTICIPLES:.0%})")
    print(f"values named found or given:        {len(figures.no_nouns)}")
    print(f"functions above {LONGEST_FUNCTION} lines:           {len(figures.long_functions)}")
    print(f"files above {LONGEST_FILE} lines, tests too:   {len(figures.long_files)}")
    print(f"broad excepts without re-raise:     {len(figures.broad)} ({len(allowed_broad_excepts())} boundaries)")
    print(f"errors told apart by their text:    {len(figures.texts_of_errors)} (at most {TEXTS_OF_ERRORS})")
    print(f"statuses as text:                   {len(figures.texts_of_statuses)}")
    untyped = len(figures.untyped_members)
    print(f"own members past their types:       {untyped} (at most {TEXTS_OF_OWN_MEMBERS}, none of a record)")
    lines = problems(figures)
    print("\n".join(["", *lines]) if lines else "no limit is passed")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
