"""Unit tests that start a process or use a socket fail, also where the refusal is swallowed; other tiers may."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

UNIT = """
import contextlib, socket, subprocess, sys, threading

def run():
    with contextlib.suppress(AssertionError):
        subprocess.run([sys.executable, "-c", ""])

def test_process():
    subprocess.run([sys.executable, "-c", ""])

def test_socket():
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", 9), 1)

def test_swallowed():
    run()

def test_own_thread():
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

def test_pair():
    for end in socket.socketpair():
        end.close()
"""
LEFT_BEHIND = """
import contextlib, socket, threading

def test_leaves_a_thread():
    tries, threading.stop = [], False
    threading.tries = tries
    def knock():
        while len(tries) < 1000 and not threading.stop:
            with contextlib.suppress(OSError), socket.socket() as client:
                client.connect(("127.0.0.1", 9))
            tries.append(1)
    threading.Thread(target=knock, daemon=True).start()
"""
BESIDE = """
import threading, time

def test_beside_it():
    before, deadline = len(threading.tries), time.monotonic() + 20
    try:
        while len(threading.tries) < before + 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(threading.tries) >= before + 3
    finally:
        threading.stop = True
"""
GUARD = ("-p", "local_sagemaker.testing.unit_test_guard", "-p", "no:xdist")


def write(pytester: pytest.Pytester, tier: str, text: str) -> None:
    (pytester.mkdir(tier) / f"test_of_{tier}.py").write_text(text)


def test_a_unit_test_that_leaves_its_process_fails(pytester: pytest.Pytester) -> None:
    write(pytester, "unit", UNIT)
    done = pytester.runpytest_inprocess(*GUARD)
    done.assert_outcomes(passed=1, failed=4)
    done.stdout.fnmatch_lines(
        ["*a unit test starts a process (subprocess.Popen*", "*a unit test uses a socket (socket.*"]
    )


def test_other_tiers_may(pytester: pytest.Pytester) -> None:
    write(pytester, "component", UNIT)
    pytester.runpytest_inprocess(*GUARD).assert_outcomes(passed=5)


def test_what_an_earlier_thread_does_is_not_the_unit_tests(pytester: pytest.Pytester) -> None:
    write(pytester, "component", LEFT_BEHIND)
    write(pytester, "unit", BESIDE)
    pytester.runpytest_inprocess(*GUARD, "component", "unit").assert_outcomes(passed=2)
