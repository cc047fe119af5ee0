"""Which paths are addresses of git repositories."""

from __future__ import annotations

import pytest

from local_sagemaker.services.codecommit.git_http import GitAddress

CONNECTION = "/v1/connections/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"


@pytest.mark.parametrize("name", ["owner/name", "owner/.github", "owner/name.js", ".owner/name", "owner/..name"])
def test_a_repository_behind_a_connection_has_any_name_that_its_host_allows(name: str) -> None:
    for ending in ("", ".git"):
        address = GitAddress.of(f"{CONNECTION}/{name}{ending}/info/refs")
        assert address is not None and address.name == name


@pytest.mark.parametrize("name", ["owner/..", "owner/.", "../name", "./name", "owner/..git", "owner/...git"])
def test_no_address_leaves_its_place(name: str) -> None:
    assert GitAddress.of(f"{CONNECTION}/{name}/info/refs") is None
    assert GitAddress.of(f"{CONNECTION}/owner/name/objects/../../config") is None
