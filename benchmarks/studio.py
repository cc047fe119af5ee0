"""The web pages with 10,000 executions of one pipeline and a pipeline of 2,000 steps: first byte, and memory.

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

from benchmarks.executions import client
from benchmarks.measure import report_limit
from local_sagemaker import lifecycle
from local_sagemaker.cli.control import post
from local_sagemaker.config import Settings
from local_sagemaker.records import Records

EXECUTIONS, STEPS, TRIES = 10_000, 2_000, 15
TARGETS = {"list": 0.2, "last page": 0.2, "home": 0.2, "execution of 2,000 steps": 0.4, "graph of 2,000 steps": 1.5}
"""Seconds to the first byte (studio specification 7.8); the drawn graph on request."""
MEMORY_MB = 150
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
        found = lifecycle.running(settings)
        assert found
        self.pid: int = found["pid"]
        self._port = found["port"]
        self._host = post(settings, found, "studio")["origin"].removeprefix("http://")
        self._secret = json.loads(settings.credentials_file.read_text())["secret_access_key"]

    def get(self, path: str) -> tuple[float, bytes]:
        """Seconds to the first byte, and the body."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        started = time.perf_counter()
        connection.request("GET", f"/_studio/{path}", headers={"Host": self._host, "X-Secret": self._secret})
        response = connection.getresponse()
        took = time.perf_counter() - started
        body = response.read()
        connection.close()
        assert response.status == 200, (path, response.status, body[:300])
        return took, body

    def memory(self) -> float:
        """Resident MB of the service."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1e3


def measure(settings: Settings) -> bool:
    """The pages' times; whether all targets are met."""
    browser = Browser(settings)
    browser.get("")
    before = browser.memory()
    arn = client(settings, "sagemaker").list_pipeline_executions(PipelineName="wide")["PipelineExecutionSummaries"][0]
    wide = f"pipelines/wide/executions/{arn['PipelineExecutionArn'].rpartition('/')[2]}"
    pages = {
        "list": "pipelines/many", "last page": "pipelines/many?sort=oldest", "home": "",
        "execution of 2,000 steps": wide, "graph of 2,000 steps": f"{wide}?graph=1",
    }  # fmt: skip
    good = True
    for name, path in pages.items():
        browser.get(path)  # compiles the template
        tries = [browser.get(path) for _ in range(TRIES)]
        p95 = statistics.quantiles([took for took, _ in tries], n=20)[-1]
        size = len(tries[0][1]) / 1e3
        good &= report_limit(f"studio: {name} ({size:.0f} kB), seconds to the first byte (p95)", p95, TARGETS[name])
    grown = browser.memory() - before
    return report_limit(f"studio: MB more after {len(pages) * TRIES} pages", grown, MEMORY_MB) and good


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
            lifecycle.start(settings)
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
