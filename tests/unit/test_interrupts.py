"""Ctrl-C in a place where Python ignores exceptions."""

from __future__ import annotations

import signal
import weakref
from collections.abc import Iterator

import pytest

from pipelines import interrupts, run_pipeline
from pipelines.session import AwsClients


@pytest.fixture(autouse=True)
def _own_handler() -> Iterator[None]:
    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # ignored where a shell has tests in the background
    yield
    signal.signal(signal.SIGINT, before)


class Referent:
    """Something that weak references can have."""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_in_a_callback_is_raised_at_the_next_check() -> None:
    interrupts.remember()
    interrupts.check()
    referent = Referent()
    _reference = weakref.ref(referent, lambda _: signal.raise_signal(signal.SIGINT))
    del referent  # the callback raises KeyboardInterrupt, and Python ignores it
    with pytest.raises(KeyboardInterrupt):
        interrupts.check()


def test_ctrl_c_is_raised_at_once_elsewhere() -> None:
    interrupts.remember()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_an_older_one_is_forgotten() -> None:
    interrupts.remember()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    interrupts.remember()
    interrupts.check()


def test_it_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    interrupts.remember()
    signal.raise_signal(signal.SIGINT)
    interrupts.check()


def test_ctrl_c_while_an_execution_is_started_says_where_to_look(capsys: pytest.CaptureFixture[str]) -> None:
    clients = AwsClients("us-east-1")

    def interrupt(**_: object) -> None:
        raise KeyboardInterrupt

    clients.sagemaker.meta.events.register("before-call.sagemaker.StartPipelineExecution", interrupt)
    run = run_pipeline.PipelineRun(clients, "Abalone", {"Version": "2020-12-01", "Parameters": [], "Steps": []}, {})
    assert run_pipeline.watch_or_leave(run) == run_pipeline.INTERRUPTED
    assert "aws sagemaker list-pipeline-executions --pipeline-name Abalone" in capsys.readouterr().err
