"""A short run of the campaign of kills, for every change; `make check-hostile` is the long one."""

from __future__ import annotations

import pytest

from tests.hostile import kills
from tests.support import Service


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_whatever_is_killed(own_service: Service) -> None:
    own_service.start_environment["LOCAL_SAGEMAKER_PRELOAD"] = "yes"  # as users have it
    summary = kills.run(own_service, 6, seed=3)
    assert not summary.faults, f"{summary}\n" + "\n".join(summary.faults)
