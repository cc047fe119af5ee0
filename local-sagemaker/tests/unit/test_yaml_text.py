"""YAML of users: what a small text may not become."""

from __future__ import annotations

import pytest
import yaml

from local_sagemaker import yaml_text
from local_sagemaker.codebuild.batchspec import parse_batch
from local_sagemaker.codebuild.buildspec import parse
from local_sagemaker.codebuild.spec_values import BuildspecError
from local_sagemaker.services.moto_services.ssm_documents import BoundedYaml

LEVELS = range(1, 10)
LAUGHS = "\n".join(["l0: &l0 [a, b]", *(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in LEVELS)])
"""Two billion texts."""
MERGES = "\n".join(["l0: &l0 {a: 1}", *(f"l{n}: &l{n} {{<<: [{', '.join([f'*l{n - 1}'] * 10)}]}}" for n in LEVELS)])
MOST = 2_000
"""Values that a document of these tests may have: reading the 100,000 of the service takes seconds."""
BAD = {
    "laughs": LAUGHS, "merges": MERGES, "circle": "a: &a [*a]", "deep": "a: " + "[\n" * 5000 + "]" * 5000,
    "long": "a: " + "b" * yaml_text.LONGEST, "many": f"a: [{'1, ' * (MOST + 1)}]",
    "number": "a: !!int x", "day": "a: !!timestamp 2001-99-99", "time": "a: !!timestamp x",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _few_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_text, "MOST_VALUES", MOST)


def test_as_many_values_as_allowed_are_read() -> None:
    text = f"[{'1, ' * (MOST - 1)}]"
    assert yaml_text.load(text) == BoundedYaml().safe_load(text) == [1] * (MOST - 1)


@pytest.mark.parametrize("kind", BAD)
def test_what_stands_for_too_much_is_refused(kind: str) -> None:
    with pytest.raises(yaml.YAMLError):
        yaml_text.load(BAD[kind])
    with pytest.raises(yaml.YAMLError):
        BoundedYaml().safe_load(BAD[kind])


@pytest.mark.parametrize("kind", BAD)
def test_a_specification_of_it_fails_with_its_reason(kind: str) -> None:
    for read in (parse, parse_batch):
        with pytest.raises(BuildspecError, match="YAML file is not well-formed: ") as raised:
            read(f"version: 0.2\n{BAD[kind]}\nenv: {{variables: {{A: 1}}}}\n")
        assert len(str(raised.value)) < 300


def test_aliases_and_merges_are_read() -> None:
    text = "a: &a {x: 1, y: [1, 2]}\nb: {<<: *a, x: 2}\nc: [*a, *a]\n"
    assert yaml_text.load(text) == yaml.safe_load(text)
    assert yaml_text.load("") is None
