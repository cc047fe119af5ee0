"""The rules that a bus keeps in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_sagemaker.arns import Arns
from local_sagemaker.records import Records
from local_sagemaker.services.events.rule_store import DEFAULT, RuleStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RuleStore]:
    records = Records(tmp_path / "records.sqlite")
    yield RuleStore(records, Arns("123456789012", "us-east-1"))
    records.close()


def rule(source: str) -> dict[str, str]:
    return {"Name": "all", "State": "ENABLED", "EventPattern": f'{{"source": ["{source}"]}}'}


def test_a_rule_that_is_put_or_deleted_is_matched_as_it_is_now(store: RuleStore) -> None:
    store.put(DEFAULT, rule("a"))
    assert [found["Name"] for found in store.matching(DEFAULT, {"source": "a"})] == ["all"]
    store.put(DEFAULT, rule("b"))
    assert store.matching(DEFAULT, {"source": "a"}) == []
    assert store.matching(DEFAULT, {"source": "b"}) == store.rules(DEFAULT)
    store.delete(DEFAULT, "all")
    assert store.matching(DEFAULT, {"source": "b"}) == store.rules(DEFAULT) == []


def test_a_rule_can_be_put_while_a_transaction_matches_events(store: RuleStore) -> None:
    """The events' thread matches inside its transaction; requests put rules at the same time."""
    putting = threading.Thread(target=store.put, args=(DEFAULT, rule("a")), daemon=True)

    def match() -> None:
        with store.records.transaction():
            putting.start()
            putting.join(timeout=0.2)  # it waits for the transaction, whatever else it holds
            store.matching(DEFAULT, {"source": "a"})

    matching = threading.Thread(target=match, daemon=True)
    matching.start()
    matching.join(timeout=60)
    assert not matching.is_alive()
    putting.join(timeout=60)
    assert len(store.matching(DEFAULT, {"source": "a"})) == 1
