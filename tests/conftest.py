"""Fixtures that all tests share; the service's are its own (`local_sagemaker.testing`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support import shared_file

pytest_plugins = ["local_sagemaker.testing.fixtures", "local_sagemaker.testing.unit_test_guard"]


@pytest.fixture(scope="session")
def abalone_csv() -> Path:
    """The published abalone file."""
    return shared_file("data/abalone.csv")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Prints the figures that tests have recorded: what a worker prints itself is lost."""
    figures = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "figure" and getattr(report, "when", "") == "call"
    ]
    for figure in dict.fromkeys(figures):
        terminalreporter.write_line(figure)
