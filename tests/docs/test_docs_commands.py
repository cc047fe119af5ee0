"""Every command, option, make verb and extra that README, how-tos and messages name exists."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support_distribution import commands, extras

PAGES = sorted(
    file.relative_to(ROOT)
    for file in [
        *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("local-sagemaker/*.md"),
        *ROOT.glob("model-checks/*.md"),
        ROOT / "codebuild-buildspec.yml",
    ]
)  # fmt: skip
SOURCES = [
    file
    for folder in ("pipelines", "delivery", "benchmarks", "local-sagemaker/local_sagemaker")
    for file in (ROOT / folder).rglob("*.py")
]
EXTRA = re.compile(r"(?<![\w/])(?:\.|\./local-sagemaker|local-sagemaker|model-checks)\[([a-z,]+)\]")
CODE = re.compile(r"^(?:    |\t)[^\n]*$|```.*?```|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def code_of(text: str) -> Iterator[str]:
    """The pieces of code on a page, continued lines joined."""
    for piece in CODE.findall(text.replace("\\\n", " ")):
        for line in piece.strip("`").splitlines():
            yield line.strip()


def command_lines(text: str) -> Iterator[list[str]]:
    """The words of each command line on a page that begins with a command of ours, or with make."""
    for line in code_of(text):
        command = ""
        for part in re.split(r"&&|\|| ;|\$\(|\)\"", line):
            try:
                words = shlex.split(part, comments=True)
            except ValueError:  # prose, or a part of another language
                continue
            if command == "local-sagemaker" and len(words) == 1:  # local-sagemaker status | logs
                words = [command, *words]
            command = words[0] if words else ""
            while words[:3] == ["local-sagemaker", "exec", "--"] and len(words) > 3:
                words = words[3:]
            if words and words[0].removeprefix(".venv/bin/") in {*commands(), "make"}:
                yield [words[0].removeprefix(".venv/bin/"), *words[1:]]


def verbs() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def parser_of(command: str) -> argparse.ArgumentParser:
    module = importlib.import_module(commands()[command].partition(":")[0])
    parser: argparse.ArgumentParser = module.parser()
    return parser


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_command_line_is_accepted(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in command_lines((ROOT / page).read_text("utf-8")):
        command, *arguments = words
        if command == "make":
            assert {word for word in arguments if "=" not in word and word != "..."} <= verbs(), words
        elif arguments and arguments != ["--help"]:
            try:
                parser_of(command).parse_args([word for word in arguments if word != "..."])
            except SystemExit:
                said = capsys.readouterr().err
                if "arguments are required" not in said:  # prose may name a command and one of its options
                    pytest.fail(f"{page}: {shlex.join(words)}: {said}")


def test_command_lines_are_found() -> None:
    """So that the test above can't pass for want of input."""
    lines = [shlex.join(words) for words in command_lines((ROOT / "README.md").read_text("utf-8"))]
    assert {"make run", "local-sagemaker up", "local-sagemaker doctor", "local-model --local tour"} <= set(lines)
    assert len(lines) > 15


def test_every_extra_exists() -> None:
    texts = {str(page): (ROOT / page).read_text("utf-8") for page in [*PAGES, Path("Makefile"), Path("setup.py")]}
    texts.update({str(file): file.read_text("utf-8") for file in SOURCES})
    named = {(page, name) for page, text in texts.items() for names in EXTRA.findall(text) for name in names.split(",")}
    assert {name for _, name in named} >= {"test", "bench", "local", "delivery"}
    assert [(page, name) for page, name in named if name not in extras()] == []
