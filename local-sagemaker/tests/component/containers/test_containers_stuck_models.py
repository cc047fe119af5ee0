"""A model that never answers: its client gets an error in time, its worker is replaced, and the server stays well."""

from __future__ import annotations

import http.client
import time
from typing import Any

import pytest

from local_sagemaker.containers.model_server import seconds_of
from local_sagemaker.images.sklearn import ScikitLearn
from tests.component.containers.test_containers_toolkit import ask, serving

PATIENCE = 120.0
SCRIPT = """
import multiprocessing, os, threading, time

def model_fn(folder):
    return threading.Lock()

def wait_for(lock):
    lock.acquire()

def predict_fn(data, lock):
    if data[0][0] == 1:
        time.sleep(3600)
    if data[0][0] == 2:  # as a lock that another thread holds while user code forks
        lock.acquire()
        process = multiprocessing.get_context("fork").Process(target=wait_for, args=(lock,))
        process.start()
        process.join()
    return [os.getpid()]

def output_fn(prediction, accept):
    return str(prediction[0])
"""


@pytest.mark.parametrize(("workers", "body"), [("1", b"[[1]]"), ("2", b"[[2]]")], ids=["sleeps", "forks with a lock"])
def test_a_model_that_hangs(program_run: Any, workers: str, body: bytes) -> None:
    program_run.write("model/code/inference.py", SCRIPT)
    variables = {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_MODEL_SERVER_WORKERS": workers,
        "SAGEMAKER_MODEL_SERVER_TIMEOUT": "1",
    }
    with serving(program_run, ScikitLearn(), variables) as connection:
        connection.timeout = PATIENCE
        for _ in range(2):
            status, _, page = ask(connection, body, "application/json")
            assert (status, b"504" in page) == (504, True), program_run.log
        deadline = time.monotonic() + PATIENCE
        while ask(connection, b"[[0]]", "application/json")[0] != 200:  # on a loaded machine it may be late itself
            assert time.monotonic() < deadline, program_run.log
    assert "WORKER TIMEOUT" in program_run.log


def test_a_model_that_hangs_longer_than_its_client_waits(program_run: Any) -> None:
    program_run.write("model/code/inference.py", SCRIPT)
    variables = {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
        "SAGEMAKER_MODEL_SERVER_TIMEOUT": "2",
    }
    with serving(program_run, ScikitLearn(), variables) as connection:
        assert ask(connection, b"[[0]]", "application/json")[0] == 200
        connection.close()
        connection.timeout = 0.5
        with pytest.raises(TimeoutError):
            ask(connection, b"[[1]]", "application/json")
        connection.close()
        connection.timeout = PATIENCE
        deadline = time.monotonic() + PATIENCE
        while _status(connection) != 200:
            assert time.monotonic() < deadline, program_run.log
    assert "WORKER TIMEOUT" in program_run.log


POOL = """
import json, multiprocessing, os

def double(number):
    return 2 * number

def model_fn(folder):
    return None

def predict_fn(data, model):
    with multiprocessing.get_context("fork").Pool(2) as pool:  # ends its processes by SIGTERM
        return sum(pool.map(double, [10, 11])), os.getpid()

def output_fn(prediction, accept):
    return json.dumps(prediction)
"""


def test_a_model_that_ends_the_processes_which_it_forked_goes_on(program_run: Any) -> None:
    program_run.write("model/code/inference.py", POOL)
    variables = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
    with serving(program_run, ScikitLearn(), variables) as connection:
        connection.timeout = PATIENCE
        answers = [ask(connection, b"[[1]]", "application/json") for _ in range(3)]
    assert [status for status, _, _ in answers] == [200] * 3, program_run.log
    assert len({body for _, _, body in answers}) == 1, "the same worker answers"
    assert b"[42, " in answers[0][2]


def _status(connection: http.client.HTTPConnection) -> int:
    """Of one more invocation, 0 where the worker was ended meanwhile."""
    try:
        return ask(connection, b"[[0]]", "application/json")[0]
    except (http.client.HTTPException, OSError):
        connection.close()
        return 0


@pytest.mark.parametrize(("value", "seconds"), [("", 60.0), ("5", 5.0), ("0", None)])
def test_the_seconds_of_an_invocation(value: str, seconds: float | None) -> None:
    assert seconds_of({"SAGEMAKER_MODEL_SERVER_TIMEOUT": value}) == seconds
