"""1,000 models of 20 MB behind one multi-model endpoint that may take 500 MB: all respond, memory stays within.

The archives are copies of a few, whose responses tell which one was asked. Every model is asked once by some clients at
a time, so each is loaded and, later, unloaded for others; then those asked last are asked again, which are in memory.
Peaks of resident memory are the kernel's own (VmHWM), so nothing between two looks is missed.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import uvloop
import xgboost as xgb

from benchmarks.endpoints import BUCKET, IMAGE, archive
from benchmarks.executions import ROLE, client
from benchmarks.http_load import Clients, requests, signer
from benchmarks.measure import report_limit
from benchmarks.own_service import own_service
from benchmarks.peers import COLUMNS, csv_text
from local_sagemaker.config import Settings

MODELS = int(os.environ.get("BENCHMARK_MODELS", "1000"))
DISTINCT, MEGABYTES, LIMIT_MB = 10, 20, 500
CSV = "text/csv"
CLIENTS, AGAIN = 8, 3
"""Clients at a time, and how many of the models asked last are asked again."""
NAME, PREFIX = "many-models", "many/"
SERVICE_MB = 200
"""The service must not hold the models that pass through it."""


def large_model() -> xgb.Booster:
    """A regression whose file is as large as wanted: one bushy tree, many times over."""
    generator = np.random.default_rng(0)
    data = xgb.DMatrix(generator.uniform(size=(10_000, COLUMNS)), generator.uniform(size=10_000))
    settings = {"max_depth": 18, "min_child_weight": 0, "lambda": 0, "objective": "reg:squarederror", "eta": 0.01}
    small = xgb.train(settings, data, 1)
    count = MEGABYTES * 1_000_000 // len(small.save_raw()) + 1
    document = json.loads(small.save_raw("json"))
    model = document["learner"]["gradient_booster"]["model"]
    model["trees"] = [{**model["trees"][0], "id": number} for number in range(count)]
    model["tree_info"], model["iteration_indptr"] = [0] * count, list(range(count + 1))
    model["gbtree_model_param"]["num_trees"] = str(count)
    booster = xgb.Booster()
    booster.load_model(bytearray(json.dumps(document).encode()))
    return booster


class Memory:
    """Resident memory of the endpoint's processes and of the service, in MB, looked at again and again."""

    def __init__(self, service: int) -> None:
        self._service = service
        self.over_time: list[tuple[float, float]] = []
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Begins to look."""
        self._thread.start()

    def _watch(self) -> None:
        began = time.monotonic()
        while not self.ended.wait(0.2):
            self.over_time.append((time.monotonic() - began, sum(_of(pid, "VmRSS") for pid in processes())))

    def peak(self) -> float:
        """The most that the endpoint's processes held, each at its worst moment."""
        return sum(_of(pid, "VmHWM") for pid in processes())

    def service(self) -> float:
        """The most that the service held."""
        return _of(self._service, "VmHWM")


def processes() -> list[int]:
    """The processes of the endpoint: they have its folders mounted."""
    pids = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and f"/{NAME}/" in (process / "mountinfo").read_text():
                pids.append(int(process.name))
        except OSError:
            continue
    return pids


def _of(pid: int, field: str) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(field)), 0.0)


def deploy(settings: Settings, booster: xgb.Booster) -> tuple[float, float]:
    """Archives of all models, and the endpoint; the sizes of a model and of its archive in MB."""
    sagemaker, s3 = client(settings, "sagemaker"), client(settings, "s3")
    s3.create_bucket(Bucket=BUCKET)
    for number in range(MODELS):
        if number < DISTINCT:
            booster.set_param({"base_score": float(number)})
            data = archive(booster)
            s3.put_object(Bucket=BUCKET, Key=f"{PREFIX}{number}.tar.gz", Body=data)
        else:
            source = {"Bucket": BUCKET, "Key": f"{PREFIX}{number % DISTINCT}.tar.gz"}
            s3.copy_object(Bucket=BUCKET, Key=f"{PREFIX}{number}.tar.gz", CopySource=source)
    booster.set_param({"base_score": 0.0})
    container = {"Image": IMAGE, "Mode": "MultiModel", "ModelDataUrl": f"s3://{BUCKET}/{PREFIX}",
                 "Environment": {"LOCAL_SAGEMAKER_MODEL_MEMORY_MB": str(LIMIT_MB)}}  # fmt: skip
    sagemaker.create_model(ModelName=NAME, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant = {"VariantName": "AllTraffic", "ModelName": NAME, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=NAME, WaiterConfig={"Delay": 1})
    return len(booster.save_raw()) / 1e6, len(data) / 1e6


class Round:
    """Some models, each asked once."""

    def __init__(self, settings: Settings, url: str, row: bytes, base: float, models: Sequence[int]) -> None:
        self._models, self._base = models, base
        self._left = len(models)
        self.wrong: list[str] = []
        made = [
            requests(url, [row], signer(settings, url, X_Amzn_SageMaker_Target_Model=f"{number}.tar.gz", Accept=CSV))[0]
            for number in models
        ]
        self._clients = Clients(url, made, self._answered)
        self._asked: set[int] = set()

    def run(self) -> float:
        """Asks; the seconds it took."""
        began = time.monotonic()
        uvloop.run(self._clients.run(CLIENTS))
        return time.monotonic() - began

    @property
    def silent(self) -> int:
        """How many models did not respond."""
        return len(self._models) - len(self._asked)

    def _answered(self, turn: int, status: int, body: bytes) -> None:
        number = self._models[turn]
        expected = self._base + number % DISTINCT
        if status == 200 and np.isclose(float(body), expected, atol=1e-3):
            self._asked.add(turn)
        else:
            self.wrong.append(f"model {number}: {status} {body[:200]!r} instead of {expected}")
        self._left -= 1
        self._clients.over = self._left <= 0


def main() -> bool:
    """Prints the figures; says whether all targets are met."""
    booster = large_model()
    row = np.full((1, COLUMNS), 0.5, dtype=np.float32)
    with own_service() as service:
        settings = service.settings
        size, packed = deploy(settings, booster)
        print(f"{MODELS} models of {size:.1f} MB ({packed:.1f} MB packed)", flush=True)
        base = float(booster.inplace_predict(row)[0])
        url, body = f"{service.url}/endpoints/{NAME}/invocations", csv_text(row.tolist()).encode()
        memory = Memory(service.pid)
        memory.start()
        every = Round(settings, url, body, base, range(MODELS))
        first = every.run()
        again = Round(settings, url, body, base, range(MODELS - AGAIN, MODELS))
        second = again.run()
        memory.ended.set()
        return _judged(memory, every, again, first, second)


def _judged(memory: Memory, every: Round, again: Round, first: float, second: float) -> bool:
    for example in [*every.wrong, *again.wrong][:5]:
        print(f"  {example}")
    step = max(1, len(memory.over_time) // 12)
    print("  resident, MB: " + ", ".join(f"{when:.0f} s {size:.0f}" for when, size in memory.over_time[::step]))
    print(
        f"  {1000 * first / MODELS:.0f} ms for each model's first response, {1000 * second / AGAIN:.0f} ms once loaded"
    )
    return all([
        report_limit("many models: responses that are wrong", len(every.wrong) + len(again.wrong), 0),
        report_limit("many models: models that do not respond", every.silent, 0),
        report_limit("many models: MB of the endpoint's processes at most", memory.peak(), LIMIT_MB),
        report_limit("many models: MB of the service at most", memory.service(), SERVICE_MB),
    ])  # fmt: skip
