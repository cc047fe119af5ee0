"""InvokeEndpoint beside other model servers and a bare uvicorn handler with the same model; the cold start.

Signed and verified on our side, on no other. Each has one worker process, then one for each core. The load is closed,
every response is compared with the model's own, and all are asked in turn in each round: generator and servers share
the cores, so what counts are ratios within a round. See `benchmarks.peers` for how to have the others measured.
"""

from __future__ import annotations

import io
import os
import statistics
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import xgboost as xgb

from benchmarks import peers
from benchmarks.executions import ROLE, client
from benchmarks.http_load import Clients, Figures, requests, signer
from benchmarks.measure import Pairs, command, in_turn, report
from benchmarks.own_service import OwnService, own_service
from benchmarks.peers import BARE, COLUMNS, Peer

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
BUCKET = "benchmark-endpoints"
OURS = "endpoint"
LOADS = [(1, 1), (1, 8), (1, 64), (1000, 1), (1000, 8), (1000, 64)]
"""Rows in a request, and clients."""
SECONDS, ROUNDS = 2.0, 3
OF_BEST_PEER, OF_BARE = 1.5, 0.9
"""Targets: so many times the best peer's requests per second, or of the bare handler's where no peer exceeds it."""
ONCE = f"""
import sys, xgboost as xgb, numpy as np
booster = xgb.Booster(model_file=sys.argv[1])
booster.inplace_predict(np.zeros((1, {COLUMNS}), dtype=np.float32))
"""


def model(seed: int = 0) -> tuple[xgb.Booster, Any]:
    """A regression of 50 trees, and rows to ask it. Models of other seeds give other responses."""
    rows = np.random.default_rng(0).uniform(size=(4000, COLUMNS)).astype(np.float32)
    settings = {"objective": "reg:squarederror", "max_depth": 5, "nthread": 1}
    return xgb.train(settings, xgb.DMatrix(rows, rows[:, 0] * 3 - rows[:, 1] + 10 * seed), 50), rows


def archive(booster: xgb.Booster) -> bytes:
    """The model.tar.gz of a booster."""
    buffer, data = io.BytesIO(), bytes(booster.save_raw())
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        info = tarfile.TarInfo("xgboost-model")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def target(peer: Peer, url: str, booster: xgb.Booster, rows: Any, size: int, headers: Any) -> Clients:
    """The clients that ask with this many rows and check each response."""
    starts = range(0, len(rows) - size + 1, max(size, len(rows) // 64))
    parts = [rows[start : start + size] for start in starts]
    expected = [booster.inplace_predict(part) for part in parts]
    known: dict[int, bytes] = {}

    def answered(turn: int, status: int, body: bytes) -> None:
        if body == known.get(turn):
            return
        if status != 200 or not np.allclose(peer.decode(body), expected[turn], rtol=2e-6):
            raise SystemExit(f"{peer.name} answers {status} {body[:300]!r}")
        known[turn] = body

    made = requests(url, [peer.encode(part.tolist()).encode() for part in parts], headers)
    return Clients(url, made, answered)


def deploy(sagemaker: Any, name: str, workers: int) -> float:
    """Makes an endpoint; the seconds until it is in service."""
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz",
                 "Environment": {"SAGEMAKER_MODEL_SERVER_WORKERS": str(workers)}}  # fmt: skip
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    started = time.perf_counter()
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    while (status := sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]) == "Creating":
        time.sleep(0.005)
    if status != "InService":
        raise SystemExit(f"the endpoint is {status}")
    return time.perf_counter() - started


def compare(service: OwnService, sagemaker: Any, booster: xgb.Booster, rows: Any) -> list[bool]:
    """Our endpoint, the bare handler and the peers in turn, under each load."""
    others = [(BARE, Path(sys.executable)), *peers.available()]
    results = []
    for workers in sorted({1, os.cpu_count() or 1}):
        name = f"workers-{workers}"
        deploy(sagemaker, name, workers)
        url = f"{service.url}/endpoints/{name}/invocations"
        signed = signer(service.settings, url)
        with ExitStack() as held:
            served = [(Peer(OURS, ""), url, signed)]
            for peer, python in others:
                address = held.enter_context(peers.serving(peer, python, booster, workers))
                served.append((peer, address, _plain(peer)))
            for size, clients in LOADS:
                asked = {
                    peer.name: target(peer, address, booster, rows, size, headers) for peer, address, headers in served
                }
                figures = _measured(asked, clients)
                title = f"{size} {'row' if size == 1 else 'rows'}, {clients} clients, {workers} workers"
                results.append(_judged(title, figures))
        sagemaker.delete_endpoint(EndpointName=name)
    return results


def _plain(peer: Peer) -> Callable[[bytes], dict[str, str]]:
    return lambda _body: {"Content-Type": peer.content_type}


def _measured(asked: dict[str, Clients], clients: int) -> dict[str, list[Figures]]:
    """The figures of each, round by round; another one begins each round."""
    figures: dict[str, list[Figures]] = {name: [] for name in asked}
    for number in range(ROUNDS):
        names = list(asked)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            figures[name].append(asked[name].measure(clients, SECONDS))
    return figures


def _judged(title: str, figures: dict[str, list[Figures]]) -> bool:
    """Prints medians, and the endpoint's ratios to the bare handler and to the best peer; whether the target is met."""
    print(f"\n{title}{'requests/s':>{45 - len(title)}}   p50 ms   p99 ms")
    medians = {}
    for name, rounds in figures.items():
        speed, p50, p99 = (
            statistics.median(getattr(one, field) for one in rounds) for field in ("requests_per_second", "p50", "p99")
        )
        medians[name] = speed
        print(f"  {name:33}{speed:10.1f}{p50:9.2f}{p99:9.2f}")
    of_bare = _ratio(figures, BARE.name)
    best = max((name for name in medians if name not in (OURS, BARE.name)), key=medians.__getitem__, default=None)
    if best is None:
        print(f"  ratio to bare {of_bare:.2f} (no peer to compare with)", flush=True)
        return True
    of_best = _ratio(figures, best)
    met = of_best >= OF_BEST_PEER or (of_bare >= OF_BARE and medians[best] <= medians[BARE.name])
    print(f"  ratio to bare {of_bare:.2f}, to {best} {of_best:.2f} (target: {'met' if met else 'MISSED'})", flush=True)
    return met


def _ratio(figures: dict[str, list[Figures]], other: str) -> float:
    pairs = zip(figures[OURS], figures[other], strict=True)
    return statistics.median(ours.requests_per_second / theirs.requests_per_second for ours, theirs in pairs)


def cold_start(sagemaker: Any, booster: xgb.Booster) -> bool:
    """CreateEndpoint to InService, against a process that imports, loads and responds once."""
    with tempfile.TemporaryDirectory() as folder:
        booster.save_model(f"{folder}/model.ubj")
        numbers = iter(range(100))
        pairs: Pairs = in_turn(
            lambda: deploy(sagemaker, f"cold-{next(numbers)}", 1),
            lambda: command(sys.executable, "-c", ONCE, f"{folder}/model.ubj"),
        )
    return report("endpoint: CreateEndpoint to InService / a bare process", pairs, 0.5)


def main() -> bool:
    """Prints the figures; says whether all targets are met."""
    booster, rows = model()
    with own_service() as service:
        sagemaker, s3 = client(service.settings, "sagemaker"), client(service.settings, "s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=archive(booster))
        return all([cold_start(sagemaker, booster), *compare(service, sagemaker, booster, rows)])
