"""`down`: everything is closed in order, nothing is left running, and interrupted work goes on at the next `up`."""

from __future__ import annotations

from pathlib import Path

from tests.support import Service, create_pipeline, finished, script_step, start, steps_of, until


def processes_of(service: Service) -> list[str]:
    """The command lines of processes that work on the service's state folder."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(service.home) in line:
            found.append(line)
    return found


def test_a_stopped_service_has_closed_its_files_and_ended_its_jobs(own_service: Service) -> None:
    sagemaker = own_service.client("sagemaker")
    waits = "import time; print('up', flush=True); time.sleep(300)"
    create_pipeline(sagemaker, "Stops", script_step("Waits", waits))
    execution = start(sagemaker, "Stops")
    job = until(lambda: steps_of(sagemaker, execution).get("Waits", {}).get("Metadata"), "the step has started")
    assert "ProcessingJob" in job
    own_service.down()
    assert "stopped after" in (own_service.home / "service.log").read_text()
    assert not (own_service.home / "records.sqlite-wal").exists()
    until(lambda: processes_of(own_service) == [], "its processes have ended", 10)

    own_service.up()
    sagemaker = own_service.client("sagemaker")
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
    assert described["PipelineExecutionStatus"] == "Executing"
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)
    assert finished(sagemaker, execution)["PipelineExecutionStatus"] == "Stopped"
