"""What a project may name."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.errors import ServiceError
from local_sagemaker.services.codebuild.projects import check

PROJECT: dict[str, Any] = {
    "source": {"type": "NO_SOURCE", "buildspec": "x"}, "artifacts": {"type": "NO_ARTIFACTS"},
    "environment": {"type": "LINUX_CONTAINER"},
}  # fmt: skip


@pytest.mark.parametrize("name", ["../../elsewhere", "/tmp/x", "a.b", "", "a" * 128])
def test_a_secondary_source_s_name_is_no_path(name: str) -> None:
    source = {"type": "S3", "location": "b/k.zip"}
    check({**PROJECT, "secondarySources": [{**source, "sourceIdentifier": "one_2"}]})
    with pytest.raises(ServiceError, match="sourceIdentifier"):
        check({**PROJECT, "secondarySources": [{**source, "sourceIdentifier": name}]})
