"""What a notebook shows while an execution runs, and how a pipeline is started from it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pipelines.display import views
from pipelines.display.views import ExecutionView
from pipelines.parameters import ParameterError
from pipelines.session import AwsClients
from tests.support import Service, create_pipeline, script_step, start


def definition(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2020-12-01", "Parameters": [], "Steps": list(steps)}


class Handle:
    """What IPython's display answers, keeping every picture."""

    def __init__(self, first: ExecutionView) -> None:
        self.pictures = [first._repr_html_()]

    def update(self, shown: ExecutionView) -> None:
        self.pictures.append(shown._repr_html_())


@pytest.fixture
def clients(service: Service, monkeypatch: pytest.MonkeyPatch) -> AwsClients:
    """The project's own clients, which find the service by the environment."""
    from pipelines import session

    for name, value in service.environment().items():
        monkeypatch.setenv(name, value)
    session.boto_session.cache_clear()
    return AwsClients("us-east-1")


def test_waiting_shows_the_steps_as_they_run(clients: AwsClients, monkeypatch: pytest.MonkeyPatch) -> None:
    import IPython.display

    handles: list[Handle] = []

    def display(shown: ExecutionView, display_id: bool) -> Handle:
        handles.append(Handle(shown))
        return handles[0]

    monkeypatch.setattr(IPython.display, "display", display)
    first, second = script_step("First", "import time; time.sleep(1)"), script_step("Second", "1 / 0", "First")
    create_pipeline(clients.sagemaker, "DisplayWaits", first, second)
    arn = start(clients.sagemaker, "DisplayWaits")
    made = ExecutionView(clients, "DisplayWaits", arn, definition(first, second))
    assert made.wait() is made

    assert made.status == "Failed" and made.steps["Second"]["StepStatus"] == "Failed"
    pictures = handles[0].pictures
    seen = [tuple(re.findall(r'white-space:nowrap">(\w+(?: \w+)?)</span>', picture)) for picture in pictures]
    assert seen[0] == ("Executing", "waiting", "waiting")
    assert ("Executing", "Executing", "waiting") in seen
    assert seen[-1] == ("Failed", "Succeeded", "Failed")
    assert "AlgorithmError" in pictures[-1]
    with pytest.raises(KeyError):
        made.report("NoSuchReport")


def test_waiting_ends_when_it_takes_too_long(clients: AwsClients) -> None:
    slow = script_step("Slow", "import time; time.sleep(60)")
    create_pipeline(clients.sagemaker, "DisplayTimesOut", slow)
    arn = start(clients.sagemaker, "DisplayTimesOut")
    try:
        with pytest.raises(TimeoutError, match="still Executing"):
            ExecutionView(clients, "DisplayTimesOut", arn, definition(slow)).wait(timeout=0)
    finally:
        clients.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="x" * 32)


def test_a_pipeline_starts_only_when_it_is_there_and_with_parameters_it_has(clients: AwsClients) -> None:
    from pipelines.loader import Built

    shape = {**definition(script_step("Quick", "pass")), "Parameters": [
        {"Name": "Word", "Type": "String", "DefaultValue": "<b>"}]}  # fmt: skip
    role = "arn:aws:iam::123456789012:role/LocalSageMakerRole"
    pipeline = views.PipelineView(clients, Built("DisplayStarts", shape, "us-east-1", role))
    assert "&lt;b&gt;" in pipeline._repr_html_() and "<b>&lt;" not in pipeline._repr_html_()
    with pytest.raises(ValueError, match="upsert"):
        pipeline.start()
    pipeline.upsert()
    with pytest.raises(ParameterError, match="did you mean Word"):
        pipeline.start(Wrod="x")
    assert pipeline.start(Word="x").wait().status == "Succeeded"
    pipeline.delete()
    assert not clients.sagemaker.list_pipelines(PipelineNamePrefix="DisplayStarts")["PipelineSummaries"]
