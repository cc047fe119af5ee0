"""S3: 1 GiB in one object, 2,000 small objects, 100,000 keys; against moto's server and a plain file copy.

Both servers are asked by the same boto3, in turn. The keys to list are put into the store before the service starts:
what is timed is the listing.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import boto3

from benchmarks.executions import client
from benchmarks.measure import Pairs, report, seconds
from local_sagemaker import lifecycle
from local_sagemaker.config import Settings
from local_sagemaker.objects.disk import DiskObjects

MIB = 1 << 20
LARGE = 1024
SMALL = 2000
KEYS = 100_000
FLAT = 96
"""MB that the service may grow by while a GiB passes through it, whatever the way."""


@contextmanager
def moto() -> Iterator[Any]:
    """A boto3 client of moto's server in a process of its own."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "moto.server", "-p", str(port)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if time.monotonic() > deadline:
                raise SystemExit("moto's server did not start")
            time.sleep(0.05)
        session = boto3.Session("moto", "moto", region_name="us-east-1")
        yield session.client("s3", endpoint_url=f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()


def pairs_of(ours: Callable[[], object], floor: Callable[[], object], runs: int) -> Pairs:
    """Both in turn, each after the disk has taken what was written before."""

    def timed(work: Callable[[], object]) -> float:
        os.sync()
        return seconds(work)

    pairs = [(timed(ours), timed(floor)) for _ in range(runs)]
    return Pairs([a for a, _ in pairs], [b for _, b in pairs])


def put_large(s3: Any, source: Path) -> None:
    """One PutObject."""
    with source.open("rb") as body:
        s3.put_object(Bucket="bench", Key="large", Body=body)


def get_large(s3: Any) -> None:
    """One GetObject, read in pieces."""
    body = s3.get_object(Bucket="bench", Key="large")["Body"]
    size = 0
    while piece := body.read(MIB):
        size += len(piece)
    assert size == LARGE * MIB


def put_small(s3: Any) -> None:
    """Two thousand PutObject of 4 kB."""
    for number in range(SMALL):
        s3.put_object(Bucket="bench", Key=f"small/{number % 50}/{number}", Body=b"four" * 1000)


def get_small(s3: Any) -> None:
    """The same objects again."""
    for number in range(SMALL):
        s3.get_object(Bucket="bench", Key=f"small/{number % 50}/{number}")["Body"].read()


def copy_small(folder: Path) -> None:
    """The same bytes as plain files."""
    shutil.rmtree(folder, ignore_errors=True)
    for number in range(SMALL):
        file = folder / str(number % 50) / str(number)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"four" * 1000)


def against_moto(ours: Any, other: Any, source: Path) -> bool:
    """At least twice as fast as moto's server in each of these."""
    works: list[tuple[str, Callable[[Any], object], int]] = [
        (f"s3: put {SMALL} small objects / moto's server", put_small, 3),
        (f"s3: get {SMALL} small objects / moto's server", get_small, 3),
        (f"s3: put {LARGE} MiB in one object / moto's server", lambda s3: put_large(s3, source), 2),
        (f"s3: get {LARGE} MiB in one object / moto's server", get_large, 3),
        (
            f"s3: upload_file of {LARGE} MiB in parts / moto's server",
            lambda s3: s3.upload_file(str(source), "bench", "parts"),
            2,
        ),
    ]
    met = True
    for name, work, runs in works:
        pairs = pairs_of(lambda work=work: work(ours), lambda work=work: work(other), runs)
        met = report(name, pairs, 0.5) and met
    return met


def against_copies(s3: Any, source: Path, folder: Path) -> None:
    """How far from plain files; no target, since a client in another process can't be as fast."""
    copy = folder / "copy"
    works: list[tuple[str, Callable[[], object], Callable[[], object], int]] = [
        (f"put {LARGE} MiB", lambda: put_large(s3, source), lambda: shutil.copyfile(source, copy), 3),
        (f"get {LARGE} MiB", lambda: get_large(s3), lambda: shutil.copyfile(source, copy), 3),
        (f"put {SMALL} small objects", lambda: put_small(s3), lambda: copy_small(folder / "small"), 3),
    ]
    for name, ours, floor, runs in works:
        pairs = pairs_of(ours, floor, runs)
        print(f"{f's3: {name} / plain files':58} {sorted(pairs.ours)[1]:8.3f} s  ratio {pairs.ratio:6.2f}", flush=True)


def listing(s3: Any) -> None:
    """Every key in pages of a thousand, and the first level of folders only."""

    def pages(**more: str) -> int:
        count = 0
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket="many", **more):
            count += page["KeyCount"]
        return count

    for name, expected, more in (
        (f"s3: list {KEYS} keys", KEYS, {}),
        (f"s3: list the folders of {KEYS} keys", KEYS // 1000, {"Delimiter": "/"}),
    ):
        assert pages(**more) == expected
        took = sorted(seconds(lambda more=more: pages(**more)) for _ in range(3))[1]
        print(f"{name:58} {took:8.3f} s  {KEYS / took:12,.0f} keys a second", flush=True)


def resident(pid: int, what: str) -> float:
    """Resident memory in MB, now (VmRSS) or at its peak (VmHWM)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith(what))


def fill(settings: Settings) -> None:
    """The bucket with the keys to list."""
    with closing(DiskObjects(settings.objects)) as store:
        store.buckets.create("many")
        for number in range(KEYS):
            store.put("many", f"folder-{number // 1000:03}/file-{number:06}.csv", b"")


def main() -> bool:
    """Prints the figures; says whether all targets are met."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    settings = Settings(home=folder / "home")
    fill(settings)
    source = folder / "source"
    with source.open("wb") as file:
        for _ in range(LARGE):
            file.write(os.urandom(MIB))
    pid = lifecycle.start(settings)["pid"]
    try:
        s3 = client(settings, "s3")
        s3.create_bucket(Bucket="bench")
        listing(s3)
        before = resident(pid, "VmRSS")
        with moto() as other:
            other.create_bucket(Bucket="bench")
            met = against_moto(s3, other, source)
        against_copies(s3, source, folder)
        grown = resident(pid, "VmHWM") - before
        print(f"{'s3: growth of the service meanwhile':58} {grown:8.0f} MB (target {FLAT}: ", end="")
        print("met)" if grown <= FLAT else "MISSED)")
        return met and grown <= FLAT
    finally:
        lifecycle.stop(settings)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(not main())
