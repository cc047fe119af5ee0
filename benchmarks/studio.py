"""The web pages with 10,000 executions of a pipeline, 2,000 steps, a 1 GB log, a 200 MB CSV and 50 open pages.

First byte as a browser sees it, the part of a core that a page costs, and memory.

The executions are written as records, as the service writes them: starting 10,000 would measure something else.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.executions import client
from benchmarks.measure import report_limit
from local_sagemaker import lifecycle
from local_sagemaker.cli.control import post
from local_sagemaker.config import Settings
from local_sagemaker.logs import Logs
from local_sagemaker.records import Records

EXECUTIONS, STEPS, TRIES, OPEN = 10_000, 2_000, 15, 50
LOG_BYTES, CSV_BYTES = 1 << 30, 200 << 20
FIRST_BYTE = 0.2
PAGES = (
    "list of 10,000", "its last page", "filter by a parameter", "home", "pipelines", "execution of 2,000 steps",
    "a failed state's filter", "graph of 2,000 steps", "end of a 1 GB log", "top of a 1 GB log",
    "search in a 1 GB log, first part", "preview of a 200 MB CSV", "first MB of the 1 GB log's download",
    "first MB of the CSV's download",
)  # fmt: skip
"""What is measured; each has at most so many seconds to its first byte. A large page is sent in parts."""
PEAK_MB, MEMORY_MB, OPEN_MB, CHANGE_SECONDS, IDLE_SHARE = 40, 25, 50, 1.0, 0.05
GROUP, STREAM = "/aws/sagemaker/ProcessingJobs", "large/algo-1"
EQUAL = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
ROLE = "arn:aws:iam::123456789012:role/LocalSageMakerRole"


def definition(steps: int, width: int) -> str:
    """Steps in rows of `width`, each after two of the row before. Conditions: they need no job."""
    items = []
    for place in range(steps):
        row, column = divmod(place, width)
        after = {(row - 1) * width + column, (row - 1) * width + (column + 1) % width} if row else set()
        items.append(
            {
                "Name": f"Step{place}", "Type": "Condition",
                "Arguments": {"Conditions": [EQUAL], "IfSteps": [], "ElseSteps": []},
                **({"DependsOn": [f"Step{need}" for need in sorted(after)]} if after else {}),
            }
        )  # fmt: skip
    parameters = [{"Name": f"P{number}", "Type": "String", "DefaultValue": "x"} for number in range(22)]
    return json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": parameters, "Steps": items})


def fill(settings: Settings) -> None:
    """Copies the record of an execution 10,000 times. The service must not run."""
    records = Records(settings.records_file, settings.region)
    key, body = next((key, body) for key, body in records.items("pipeline-execution") if key.startswith("many/"))
    with records.transaction():
        for number in range(EXECUTIONS):
            identifier = f"{number:012d}"
            arn = body["PipelineExecutionArn"].rpartition("/")[0] + f"/{identifier}"
            copy = {**body, "PipelineExecutionArn": arn, "CreationTime": body["CreationTime"] - number - 1}
            copy["PipelineExecutionStatus"] = "Failed" if number % 7 == 0 else "Succeeded"
            records.put("pipeline-execution", f"{key.partition('/')[0]}/{identifier}", copy)
    records.close()


class Browser:
    """Requests pages as one browser does, and measures the first byte."""

    def __init__(self, settings: Settings) -> None:
        service = lifecycle.find_running(settings)
        assert service
        self.pid: int = service["pid"]
        self._port = service["port"]
        self._host = post(settings, service, "studio")["origin"].removeprefix("http://")
        self._secret = json.loads(settings.credentials_file.read_text())["secret_access_key"]

    def get(self, path: str, most: int = 1 << 30) -> tuple[float, bytes]:
        """Seconds to the first byte, and the body or the beginning of it."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        started = time.perf_counter()
        connection.request("GET", f"/_studio/{path}", headers={"Host": self._host, "X-Secret": self._secret})
        response = connection.getresponse()
        took = time.perf_counter() - started
        body = response.read(most)
        connection.close()
        assert response.status == 200, (path, response.status, body[:300])
        return took, body

    def open_stream(self, topics: str) -> http.client.HTTPResponse:
        """The stream of changes of an open page."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        path = f"/_studio/events/stream?topic={topics}"
        connection.request("GET", path, headers={"Host": self._host, "X-Secret": self._secret})
        return connection.getresponse()

    def seconds_of_cpu(self) -> float:
        """Seconds of a core that the service has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait_until_idle(self) -> None:
        """Until a second has cost the service less than a tenth: after a start it warms up in the background."""
        for _ in range(60):
            before = self.seconds_of_cpu()
            time.sleep(3)  # within which it gives back, too, what a large page needed
            if self.seconds_of_cpu() - before < 0.1:
                return

    def memory(self) -> float:
        """Resident MB of the service."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1e3


def measure(settings: Settings) -> bool:
    """The pages' times, memory, and 50 open pages; whether all targets are met."""
    browser = Browser(settings)
    client(settings, "iam").list_roles()  # waits for what each start loads in the background: not the pages' memory
    browser.wait_until_idle()
    browser.get("")
    before = peak = browser.memory()
    arn = client(settings, "sagemaker").list_pipeline_executions(PipelineName="wide")["PipelineExecutionSummaries"][0]
    wide = f"pipelines/wide/executions/{arn['PipelineExecutionArn'].rpartition('/')[2]}"
    log = f"group={quote(GROUP, safe='')}&stream={quote(STREAM, safe='')}"
    paths = (
        "pipelines/many", f"pipelines/many?page={EXECUTIONS // 50}", "pipelines/many?p.P3=x", "", "pipelines", wide,
        f"{wide}?state=Failed", f"{wide}?graph=1", f"logs?{log}", f"logs?{log}&at=top", f"logs?{log}&search=absent",
        "s3/object?bucket=large&key=table.csv", f"logs/download?{log}", "download?bucket=large&key=table.csv",
    )  # fmt: skip
    good = True
    for name, path in zip(PAGES, paths, strict=True):
        browser.get(path, 1 << 20)  # compiles the template
        used = browser.seconds_of_cpu()
        tries = [browser.get(path, 1 << 20) for _ in range(TRIES)]
        used = (browser.seconds_of_cpu() - used) / TRIES
        p95 = statistics.quantiles([took for took, _ in tries], n=20)[-1]
        text = f"studio: {name} ({len(tries[0][1]) / 1e3:.0f} kB, {used * 1e3:.0f} ms of a core), first byte (p95)"
        good &= report_limit(text, p95, FIRST_BYTE)
        peak = max(peak, browser.memory())
    good &= report_limit(f"studio: MB more at most between {len(paths) * TRIES} pages", peak - before, PEAK_MB)
    browser.wait_until_idle()
    good &= report_limit("studio: MB more after them", browser.memory() - before, MEMORY_MB)
    return measure_open_pages(settings, browser) and good


def measure_open_pages(settings: Settings, browser: Browser) -> bool:
    """50 open pages: memory, what they cost while nothing happens, and when the last of them knows of a change."""
    before = browser.memory()
    streams = [browser.open_stream("pipeline-execution:many/,pipeline-step:many/") for _ in range(OPEN)]
    for stream in streams:
        stream.readline()  # "retry": the stream is served
        stream.readline()
    used, started = browser.seconds_of_cpu(), time.perf_counter()
    time.sleep(5)
    share = (browser.seconds_of_cpu() - used) / (time.perf_counter() - started)
    started = time.perf_counter()
    client(settings, "sagemaker").start_pipeline_execution(PipelineName="many")
    for stream in streams:
        while not stream.readline().startswith(b"event: change"):
            pass
    took = time.perf_counter() - started
    grown = browser.memory() - before
    for stream in streams:
        stream.close()
    good = report_limit(f"studio: seconds until all {OPEN} open pages know of a change", took, CHANGE_SECONDS)
    good &= report_limit(f"studio: part of a core that {OPEN} open pages cost while nothing happens", share, IDLE_SHARE)
    return report_limit(f"studio: MB more for {OPEN} open pages", grown, OPEN_MB) and good


def add_large_things(settings: Settings) -> None:
    """A log of 1 GB as a job writes it, and a CSV of 200 MB. The log is written while the service does not run."""
    logs = Logs(settings.logs)
    file = logs.file(GROUP, STREAM)
    line = b"epoch 12 train-rmse 0.123456 validation-rmse 0.234567 and a text as programs write it\n"
    block = line * ((1 << 20) // len(line))
    with file.open("wb") as out:
        for _ in range(LOG_BYTES // len(block)):
            out.write(block)
    logs.mark(GROUP, STREAM, final=True)


def upload_table(settings: Settings) -> None:
    """The CSV."""
    s3 = client(settings, "s3")
    s3.create_bucket(Bucket="large")
    row = b"1.5,2.25,some text,2026-11-29T12:00:00,0.123456789\n"
    s3.put_object(Bucket="large", Key="table.csv", Body=b"a,b,text,time,value\n" + row * (CSV_BYTES // len(row)))


def main() -> bool:
    """Makes a state folder with the data, and measures."""
    with tempfile.TemporaryDirectory(prefix="bench-studio-") as folder:
        settings = Settings(home=Path(folder))
        os.environ["LOCAL_SAGEMAKER_HOME"] = folder
        lifecycle.start(settings)
        try:
            sagemaker = client(settings, "sagemaker")
            for name, steps, width in (("many", 12, 3), ("wide", STEPS, 20)):
                sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=definition(steps, width), RoleArn=ROLE)
                run(sagemaker, name)
            lifecycle.stop(settings)
            fill(settings)
            add_large_things(settings)
            lifecycle.start(settings)
            upload_table(settings)
            return measure(settings)
        finally:
            lifecycle.stop(settings)


def run(sagemaker: Any, name: str) -> None:
    """Starts an execution and waits for its end."""
    arn = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    while sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"] == "Executing":
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
