"""What a host's failure file becomes in FailureReason."""

from pathlib import Path

import pytest

from local_sagemaker.images import find
from local_sagemaker.jobs.host import Host


@pytest.mark.parametrize(
    ("text", "client_errors", "reason"),
    [
        ("ClientError: No values", True, "ClientError: No values"),
        ("ClientError: No values", False, "AlgorithmError: ClientError: No values, exit code: 255"),
        ("Error: No values", True, "AlgorithmError: Error: No values, exit code: 255"),
        ("", True, "AlgorithmError: , exit code: 255"),
    ],
)
def test_the_client_errors_of_clarify_are_the_reason(
    tmp_path: Path, text: str, client_errors: bool, reason: str
) -> None:
    (tmp_path / "ml/output").mkdir(parents=True)
    (tmp_path / "ml/output/failure").write_text(text)
    host = Host("algo-1", tmp_path, "127.0.0.1", "job/algo-1", tmp_path / "log")
    assert host.reason(255, client_errors=client_errors) == reason


def test_it_is_clarify_that_words_client_errors() -> None:
    for repository, words in (("sagemaker-clarify-processing", True), ("sagemaker-model-monitor-analyzer", False)):
        image, uri = find(f"1.dkr.ecr.us-east-1.amazonaws.com/{repository}:1.0", "process")
        assert image.process(uri, None, None).client_errors is words
