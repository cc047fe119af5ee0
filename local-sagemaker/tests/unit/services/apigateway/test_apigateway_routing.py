"""Which deployed method serves a path."""

from __future__ import annotations

import pytest

from local_sagemaker.services.apigateway.execute_api import Address
from local_sagemaker.services.apigateway.routing import find

PATHS = ("/", "/a", "/a/b", "/a/{x}", "/a/{x}/c", "/{any+}", "/p/{rest+}")
RESOURCES = {path: {"path": path, "resourceMethods": {"GET": {"m": "GET"}, "ANY": {"m": "ANY"}}} for path in PATHS}


@pytest.mark.parametrize(
    ("path", "resource", "labels"),
    [
        ("", "/", {}),
        ("/", "/", {}),
        ("/a", "/a", {}),
        ("/a/", "/a", {}),
        ("/a/b", "/a/b", {}),
        ("/a/z%2Fy", "/a/{x}", {"x": "z/y"}),
        ("/a/b/c", "/a/{x}/c", {"x": "b"}),
        ("/a/b/d", "/{any+}", {"any": "a/b/d"}),
        ("/p/1/2", "/p/{rest+}", {"rest": "1/2"}),
    ],
)
def test_the_most_literal_resource_serves(path: str, resource: str, labels: dict[str, str]) -> None:
    found = find(RESOURCES, "GET", path)
    assert found is not None
    assert (found.resource["path"], found.labels, found.method["m"]) == (resource, labels, "GET")
    other = find(RESOURCES, "POST", path)
    assert other is not None
    assert other.method["m"] == "ANY"


def test_a_path_or_method_that_nothing_serves() -> None:
    one = {"x": {"path": "/a", "resourceMethods": {"GET": {}}}}
    assert find(one, "GET", "/b") is None
    assert find({"x": {"path": "/a", "resourceMethods": {"GET": {"m": 1}}}}, "POST", "/a") is None


@pytest.mark.parametrize(
    ("host", "path", "address"),
    [
        ("127.0.0.1:80", "/_aws/execute-api/abc/test/x/y", Address("abc", "test", "/x/y")),
        ("127.0.0.1", "/_aws/execute-api/abc/test", Address("abc", "test", "/")),
        ("ABC.execute-api.eu-west-1.amazonaws.com:443", "/test/x", Address("abc", "test", "/x", "eu-west-1")),
        ("abc.execute-api.eu-west-1.amazonaws.com", "/test", Address("abc", "test", "/", "eu-west-1")),
        ("s3.us-east-1.amazonaws.com", "/test/x", None),
        ("abc.execute-api.evil.example", "/test/x", None),
        ("127.0.0.1", "/bucket/_aws/execute-api/abc/test", None),
    ],
)
def test_addresses_of_apis(host: str, path: str, address: Address | None) -> None:
    assert Address.of(host, path) == address
