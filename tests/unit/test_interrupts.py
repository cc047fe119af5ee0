"""Ctrl-C in a place where Python ignores exceptions."""

from __future__ import annotations

import signal
import weakref
from collections.abc import Iterator

import pytest

from pipelines import interrupts


@pytest.fixture(autouse=True)
def _own_handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
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
