"""Looks for words that the glossary replaces, in docstrings, comments and messages of shipped code, and in documents.

`python tools/words.py` prints each place with the word to use instead; `docs/glossary.md` says why.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHIPPED = ("local-sagemaker/local_sagemaker", "model-checks/model_checks", "pipelines", "delivery")
REPLACED = {
    r"(?:a|the|any|each|every|no) kill|kills? of": "crash, restart; end, stop",
    r"(?:go|goes|went|going) on": "resume, continue, proceed",
    r"(?:is|are|was|were|be)(?: not|n't)? there|that there (?:is|are)": "exists; there is ...",
    r"gone": "no longer exists, removed, ended",
    r"hears?|heard": "is notified, receives",
    r"told|tells": "is notified; says, states",
    r"asks|asked|asking": "requests, queries, calls",
    r"answers?|answered|answering": "response, result, outcome; returns, responds",
    r"whoever": "any caller, the user that ...",
    r"meanwhile": "while ..., in the meantime",
}

NO_NAMES = frozenset(
    ["answer", "answers", "answered", "asks", "asked", "hears", "heard", "told", "gone", "whoever", "meanwhile"]
)
"""Parts of names in code that are not used for the same reason."""
_ANY = re.compile(rf"\b(?:{'|'.join(REPLACED)})\b", re.IGNORECASE)
AWS_TEXTS = ("Please ensure that there is an",)
"""Parts of AWS's own messages, which clients match: they stay as they are."""


def matches(pattern: str, text: str) -> list[str]:
    """The words in a text that one of `REPLACED` stands for."""
    return [match.group() for match in re.finditer(rf"\b(?:{pattern})\b", text, re.IGNORECASE)]


@dataclass(frozen=True)
class Place:
    """A word where it stands."""

    module: str
    line: int
    word: str
    instead: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line}: '{self.word}' -> {self.instead}"


def modules() -> Iterator[Path]:
    """The shipped modules."""
    for package in SHIPPED:
        yield from sorted((ROOT / package).rglob("*.py"))


def documents() -> Iterator[Path]:
    """Pages for readers, tables, templates of web pages; without the glossary, which has the words."""
    yield from (page for page in sorted((ROOT / "docs").rglob("*.md")) if page.name != "glossary.md")
    yield from sorted([ROOT / "CONTRIBUTING.md", *ROOT.glob("README.md"), *ROOT.glob("*/README.md")])
    yield from sorted((ROOT / SHIPPED[0] / "api" / "members").glob("*.toml"))
    yield from sorted((ROOT / SHIPPED[0] / "studio" / "templates").glob("*.html"))


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of a document; of code its comments, docstrings, and other strings of several words."""
    source = path.read_text("utf-8")
    if path.suffix != ".py":
        yield from enumerate(source.splitlines(), 1)
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            for number, line in enumerate(node.value.splitlines()):
                yield node.lineno + number, _without_aws_texts(line)


def names(path: Path) -> Iterator[tuple[int, str]]:
    """(line, word) of the names in a module that have one of `NO_NAMES` as a part: ``custom_answers``."""
    if path.suffix != ".py":
        return
    for token in tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline):
        if token.type == tokenize.NAME:
            parts = {part.lower() for part in re.findall("[A-Z]?[a-z]+", token.string)}
            yield from ((token.start[0], word) for word in sorted(NO_NAMES & parts))


def _without_aws_texts(line: str) -> str:
    for text in AWS_TEXTS:
        line = line.replace(text, "")
    return line


def places(path: Path) -> list[Place]:
    """What a module or a document has of the replaced words, by line."""
    name = str(path.relative_to(ROOT))
    uses = [
        Place(name, line, word, instead)
        for line, text in prose(path)
        if _ANY.search(text)  # most lines have none of them
        for pattern, instead in REPLACED.items()
        for word in matches(pattern, text)
    ]
    uses += [Place(name, line, word, "a name that the glossary has") for line, word in names(path)]
    return sorted(set(uses), key=lambda place: place.line)


def main() -> int:
    """Prints all places; 1 where there are any."""
    uses = [place for path in (*modules(), *documents()) for place in places(path)]
    print("\n".join([*map(str, uses), f"{len(uses)} words"]))
    return 1 if uses else 0


if __name__ == "__main__":
    sys.exit(main())
