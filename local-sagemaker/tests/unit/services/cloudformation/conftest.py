"""What tests of stacks share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_sagemaker.arns import Arns
from local_sagemaker.records import Records
from local_sagemaker.services.cloudformation.stack_store import StackStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StackStore]:
    records = Records(tmp_path / "records.sqlite")
    yield StackStore(records, Arns("123456789012", "us-east-1"))
    records.close()
