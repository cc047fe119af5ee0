"""What clients wrote is inflated and parsed within bounds: in a process that may fail, or by the functions for it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import local_sagemaker

ROOT = Path(local_sagemaker.__file__).parent
ELSEWHERE = ("containers", "images", "testing", "cli", "processes", "tuning", "functions", "batch", "codebuild")
"""Packages of programs that run in processes of their own, and of what starts them. `codebuild`: see below."""
INFLATING = frozenset(("zipfile", "tarfile", "gzip", "bz2", "lzma", "zlib", "shelve", "pickle"))
PARSING = frozenset(("yaml", "xml.etree", "xml.etree.ElementTree", "xml.dom", "xml.sax", "lxml", "xml.parsers.expat"))
ALLOWED = {
    "files/archive_extraction.py": "runs in the workers",
    "fresh_interpreter.py": "lists names, in the process of the job itself",
    "jobs/archive.py": "writes archives", "services/codebuild/batch_artifacts.py": "writes one",
    "services/codepipeline/actions/sources.py": "writes one",
    "services/codepipeline/actions/cloudformation.py": "writes one",
    "services/cloudformation/handlers/functions.py": "writes one",
    "jobs/channels.py": "inflates piece by piece into a job's folder, as far as the disk has room",
    "objects/checksums.py": "CRC-32",
    "yaml_text.py": "is the bound", "cloudformation/documents.py": "of 1 MiB at most, without aliases",
    "codebuild/spec_values.py": "by yaml_text", "codebuild/report_files.py": "runs in a worker",
    "codebuild/artifact_files.py": "runs in the build", "services/moto_services/ssm_documents.py": "by yaml_text",
    "wire/protocols/xml.py": "of 8 MiB at most, without entities",
}  # fmt: skip
OWN_JSON = {
    "services/apigateway/templates.py": "says what a RecursionError is",
    "services/apigateway/backends.py": "Lambda's own answer",
    "services/codebuild/agent_output.py": "takes any error for no message",
    "services/events/archive_store.py": "was checked when it was given",
    "services/moto_services/identities.py": "was checked when it was given",
    "services/moto_services/roles.py": "moto's own", "services/sns/topic_messages.py": "was checked when it was given",
    "wire/credentials.py": "the service's own file", "cloudformation/documents.py": "is bounded by itself",
    "cloudformation/resource_types.py": "a file of the package",
}  # fmt: skip
"""Where JSON that is not a client's, or is bounded otherwise, is read by `json.loads`."""


def _modules(words: Iterable[str], *packages: str) -> Iterator[tuple[str, ast.Module]]:
    """The modules whose text has one of the words: only those are worth parsing."""
    for file in sorted(ROOT.rglob("*.py")):
        name, text = file.relative_to(ROOT).as_posix(), file.read_text()
        if (not packages or name.partition("/")[0] in packages) and any(word in text for word in words):
            yield name, ast.parse(text)


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_archives_and_documents_are_read_where_that_is_bounded() -> None:
    found = {
        name
        for name, tree in _modules({name.partition(".")[0] for name in INFLATING | PARSING})
        if (INFLATING | PARSING) & set(_imports(tree))
        and (name.partition("/")[0] not in ELSEWHERE or name.startswith("codebuild/"))
    }
    assert found == set(ALLOWED)


def test_json_of_clients_is_read_with_a_bound_for_its_depth() -> None:
    packages = ("services", "eventbridge", "cloudformation", "codepipeline", "engine", "monitoring", "wire")
    found = {
        name
        for name, tree in _modules(["json"], *packages)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) == ("json", "loads")
    }  # fmt: skip
    assert found == set(OWN_JSON)
