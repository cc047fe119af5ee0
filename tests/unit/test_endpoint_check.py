"""The test of an endpoint has a result for each check, whatever a check meets."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from delivery.modeldeploy import check_endpoint
from delivery.modeldeploy.check_endpoint import CheckResult, TestedEndpoint, run

LOST = ReadTimeoutError(endpoint_url="https://runtime.sagemaker")
DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListObjectsV2")


@pytest.mark.parametrize("error", [LOST, DENIED], ids=["lost connection", "no right"])
def test_a_check_that_cannot_be_made_has_failed(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def check_predictions(_endpoint: TestedEndpoint) -> CheckResult:
        raise error

    passed = CheckResult("another", True, "")
    for name in ("check_service", "check_content_type", "check_latency", "check_capture"):
        monkeypatch.setattr(check_endpoint, name, lambda _endpoint: passed)
    monkeypatch.setattr(check_endpoint, "check_predictions", check_predictions)
    results = list(run(TestedEndpoint("e", {}, None, None)))
    assert [result.passed for result in results] == [True, False, True, True, True]
    assert results[1] == CheckResult("predictions", False, str(error))
