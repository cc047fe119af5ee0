"""The pure parts of the pages: step states, failures, cache decisions, commands, previews, times, layout."""

from __future__ import annotations

import json
import re
import shlex
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest

from local_sagemaker.engine.definition import parse
from local_sagemaker.engine.graph import graph
from local_sagemaker.masking import mask_document
from local_sagemaker.studio import rendering
from local_sagemaker.studio.charts import line
from local_sagemaker.studio.charts.curves import curves
from local_sagemaker.studio.charts.scale import log_ticks, ticks
from local_sagemaker.studio.graph.layout import GraphLayout, arrange, reduce
from local_sagemaker.studio.views import times
from local_sagemaker.studio.views.cache import read_decision
from local_sagemaker.studio.views.commands import aws_command, kebab
from local_sagemaker.studio.views.failure import explain
from local_sagemaker.studio.views.numbers import number, size
from local_sagemaker.studio.views.preview import make_preview
from local_sagemaker.studio.views.step_states import StepView, step_states


def step(name: str, *after: Any, kind: str = "Processing", **arguments: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "Arguments": arguments, **({"DependsOn": list(after)} if after else {})}


def states_of(steps: list[dict[str, Any]], status: str, *records: dict[str, Any]) -> dict[str, StepView]:
    definition = parse(json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": steps}))
    return {view.name: view for view in step_states(definition, graph(definition), status, records, 100.0)}


def record(name: str, status: str, **rest: Any) -> dict[str, Any]:
    return {"StepName": name, "StepStatus": status, "StartTime": 90.0, "EndTime": 95.0, **rest}


def test_states_of_steps_that_have_not_started() -> None:
    condition = step("Gate", "A", kind="Condition", Conditions=[], IfSteps=[step("Yes")], ElseSteps=[step("No")])
    steps = [step("A"), step("B", "A"), condition, step("OnFail", {"Step": "A", "Trigger": "Failed"})]
    running = states_of(steps, "Executing", {"StepName": "A", "StepStatus": "Executing", "StartTime": 90.0})
    assert (running["A"].state, running["A"].seconds) == ("Executing", 10.0)
    assert running["B"].words == "Waiting for A"
    done = {"Condition": {"Outcome": "True"}}
    decided = states_of(steps, "Executing", record("A", "Succeeded"), record("Gate", "Succeeded", Metadata=done))
    assert decided["B"].state == "Queued"
    assert decided["No"].words == "Not taken: Gate was True"
    assert decided["Yes"].state == "Queued"
    assert decided["OnFail"].words == "Runs only if A fails"
    failed = states_of(steps[:2], "Failed", record("A", "Failed", FailureReason="ValueError: no\nmore"))
    assert (failed["A"].words, failed["B"].words) == ("ValueError: no", "Never started: A failed")


def test_states_of_steps_that_have_started() -> None:
    steps = [step("A"), step("Notify", {"Step": "A", "Trigger": "Failed"})]
    tolerated = states_of(steps, "Succeeded", record("A", "Failed"), record("Notify", "Succeeded"))
    assert tolerated["A"].state == "FailedTolerated"
    source = {"SourcePipelineExecutionArn": "arn:aws:sagemaker:us-east-1:1:pipeline/P/execution/abc"}
    assert (
        states_of([step("A")], "Succeeded", record("A", "Succeeded", CacheHitResult=source))["A"].words
        == "Reused from abc"
    )
    again = {"StepName": "A", "StepStatus": "Executing", "StartTime": 1.0, "AttemptCount": 2}
    assert states_of([step("A")], "Executing", again)["A"].state == "Retrying"


LOG = """loading
Traceback (most recent call last):
  File "/opt/ml/code/train.py", line 12, in <module>
    main()
  File "/opt/ml/code/train.py", line 9, in main
    frame = pd.read_csv(path)["Age"]
  File "/usr/lib/python3.11/site-packages/pandas/core/frame.py", line 4090, in __getitem__
    indexer = self.columns.get_loc(key)
KeyError: 'Age'
""".splitlines()


def test_failure_names_the_users_own_frame() -> None:
    failure = explain("AlgorithmError: ExecuteUserScriptError, exit code: 1", LOG)
    assert failure.sentence == "KeyError: 'Age'"
    assert failure.frame is not None
    assert (failure.frame.file, failure.frame.line, failure.frame.source) == (
        "/opt/ml/code/train.py", 9, 'frame = pd.read_csv(path)["Age"]',
    )  # fmt: skip
    assert "no key or column Age" in failure.hint
    assert explain("").sentence == "No reason was given."
    quoted = (
        'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "ValueError: no rows"\nCommand "python a.py"'
    )
    assert explain(quoted).sentence == "ValueError: no rows", "a reason alone names the script's own error"
    silent = explain("ClientError: AlgorithmError: , exit code: 1", ["loading", "row 1: 2 columns, 9 are expected", ""])
    assert silent.sentence == "row 1: 2 columns, 9 are expected", "what a program said that ended by sys.exit"


MODULE = 'AlgorithmError: ExecuteUserScriptError:\nCommand "/miniconda3/bin/python -m {0}", exit code: 1'
REPORT = ["Reported training FAILURE", "ExecuteUserScriptError:", 'Command "/miniconda3/bin/python -m train"']
SUDDEN = 'AlgorithmError: ExecuteUserScriptError:\nExitCode {0}\nErrorMessage ""\nCommand "python t.py", exit code: 1'


@pytest.mark.parametrize(
    ("reason", "log", "sentence", "hint"),
    [
        (SUDDEN.format(7), ["started"], "The script ended with exit code 7, without a word.", ""),
        (
            SUDDEN.format(-9),
            ["local-sagemaker: the script was ended by a signal, SIGKILL: perhaps for want of memory", "Reported"],
            "local-sagemaker: the script was ended by a signal, SIGKILL: perhaps for want of memory",
            "The process ran out of memory",
        ),
        (MODULE.format("train"), ["reading", "no rows", *REPORT], "no rows", ""),
        (
            MODULE.format("train"),
            ["local-sagemaker: the script was ended by a signal, SIGKILL: perhaps for want of memory", *REPORT],
            "local-sagemaker: the script was ended by a signal, SIGKILL: perhaps for want of memory",
            "The process ran out of memory",
        ),
        (
            MODULE.format("src/train"),
            ["/miniconda3/bin/python: No module named src/train", *REPORT],
            "/miniconda3/bin/python: No module named src/train",
            "XGBoost's images run the script as a module: keep src/train.py beside",
        ),
        (
            "AlgorithmError: , exit code: 137",
            ["local-sagemaker: the program was ended by a signal, SIGKILL"],
            "local-sagemaker: the program was ended by a signal, SIGKILL",
            "The process ran out of memory",
        ),
    ],
)
def test_a_sudden_end_is_named(reason: str, log: Sequence[str], sentence: str, hint: str) -> None:
    failure = explain(reason, log)
    assert failure.sentence == sentence
    assert failure.hint.startswith(hint)
    assert bool(failure.hint) is bool(hint)


def test_cache_decisions_as_tables() -> None:
    line = (
        "Cache miss: HyperParameters differs from the newest run (execution ab12): "
        'HyperParameters.depth was "5", is "6"; HyperParameters.eta was "0.2", is "0.3".'
    )
    decision = read_decision(["x", line])
    assert decision is not None
    assert [(item.member, item.was, item.now) for item in decision.differences] == [
        ("HyperParameters.depth", '"5"', '"6"'), ("HyperParameters.eta", '"0.2"', '"0.3"'),
    ]  # fmt: skip
    assert (decision.hit, decision.source) == (False, "ab12")
    assert read_decision(["no decision"]) is None


def test_commands_are_quoted() -> None:
    command = aws_command(
        "sagemaker:StartPipelineExecution", {"PipelineName": "a b'c", "PipelineParameters": [{"Name": "x"}]}
    )
    words = shlex.split(command)
    assert words[3:] == [
        "aws", "sagemaker", "start-pipeline-execution", "--pipeline-name", "a b'c",
        "--pipeline-parameters", '[{"Name": "x"}]',
    ]  # fmt: skip
    assert kebab("HyperParameterTuningJobName") == "hyper-parameter-tuning-job-name"


def test_curves_of_xgboost_and_scripts() -> None:
    found = curves(["[0]\ttrain-rmse:3.5\tvalidation-rmse:4", "[1]\ttrain-rmse:3.1\tvalidation-rmse:3.9", "epoch 1"])
    assert {item.name: item.points for item in found}["train-rmse"] == ((0.0, 3.5), (1.0, 3.1))
    assert [item.name for item in curves(["epoch 1 loss=0.5", "epoch 2 loss=0.25"])] == ["loss"]


def test_previews() -> None:
    table = make_preview("a.csv", b"age;name\n1;x\n2;y\n", 17)
    assert (table.kind, table.header, table.rows) == ("table", ["age", "name"], [["1", "x"], ["2", "y"]])
    assert table.numeric == [True, False]
    assert make_preview("a.csv", b"1,2\n3,4\n", 8).header == ["column 0", "column 1"]
    file = b'{"Environment": {"API_TOKEN": "shown"}}'
    preview = make_preview("a.json", file, len(file))
    assert (preview.kind, json.loads(preview.text)) == ("json", json.loads(file))
    context = rendering.document({"preview": preview})
    assert mask_document(context) == context, "what a file has is shown, on the twin too"
    assert make_preview("a.bin", bytes(range(256)), 256).kind == "bytes"
    assert make_preview("a.html", b"<p>", 3).kind == "page"
    assert make_preview("a.txt", "ü".encode()[:1] + b"", 2).kind in ("text", "bytes")
    assert "about" in make_preview("a.csv", b"1,2\n" * 10, 4_000_000).note


def test_axes_of_one_value_and_of_whole_numbers() -> None:
    assert ticks(80, 80)[0] == 0
    assert ticks(0, 0) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    drawn = str(line.draw([line.Series("rmse", ((1, 0.3), (2, 0.2), (4, 0.1)), "points")], "round", "rmse"))
    assert re.findall(r'text-anchor="middle">([^<]*)<', drawn) == ["1", "2", "3", "4"], "there is no round 1.5"
    assert 'class="curve' not in drawn


def test_words_of_times_and_numbers() -> None:
    assert [times.duration(value) for value in (0.84, 192, 7500, None)] == ["0.8 s", "3 min 12 s", "2 h 05 min", "-"]
    assert times.stamp(0, "Asia/Tokyo") == "1970-01-01 09:00:00"
    assert times.ago(40, 160) == "2 min ago"
    assert (number(4.82119), number(12345), number(True)) == ("4.821", "12,345", "true")
    assert (size(999), size(191873)) == ("999 B", "192 kB")


def overlaps(layout: GraphLayout) -> list[tuple[str, str]]:
    rows: dict[float, list[Any]] = {}
    for box in layout.boxes:
        rows.setdefault(box.y, []).append(box)
    found = []
    for row in rows.values():
        row.sort(key=lambda box: box.x)
        found += [(a.name, b.name) for a, b in pairwise(row) if a.x + a.width > b.x]
    return found


def layers(count: int, width: int) -> dict[str, list[str]]:
    """A graph of `count` nodes in rows of `width`, each after two of the row before."""
    nodes: dict[str, list[str]] = {}
    for place in range(count):
        row, column = divmod(place, width)
        needs = {(row - 1) * width + column, (row - 1) * width + (column + 1) % width} if row else set()
        nodes[f"Step{place}"] = [f"Step{need}" for need in sorted(needs)]
    return nodes


FAN: Mapping[str, Sequence[str]] = {"Root": [], **{f"Leaf{place}": ["Root"] for place in range(2000)}}
ABALONE: Mapping[str, Sequence[str]] = {
    "Prep": [], "DQ": ["Prep"], "Bias": ["Prep"], "Train": ["Prep", "DQ", "Bias"], "Model": ["Train"],
    "Transform": ["Model", "Prep"], "MQ": ["Transform"], "MB": ["Model", "Prep"], "Explain": ["Model", "Prep"],
    "Eval": ["Train", "Prep"], "Check": ["Eval"], "Register": ["Check", "Train", "MQ", "MB", "Explain", "DQ", "Bias"],
}  # fmt: skip


@pytest.mark.parametrize("nodes", [ABALONE, layers(50, 6), layers(200, 10), FAN], ids=["abalone", "50", "200", "fan"])
def test_boxes_do_not_overlap_and_edges_go_down(nodes: Mapping[str, Sequence[str]]) -> None:
    layout = arrange(reduce(nodes))
    assert len(layout.boxes) == len(nodes)
    assert overlaps(layout) == []
    assert all(edge.points[0][1] < edge.points[-1][1] for edge in layout.edges)
    assert arrange(reduce(nodes)) == layout
    turned = arrange(reduce(nodes), sideways=True)
    assert overlaps(turned) == []
    assert all(edge.points[0][0] < edge.points[-1][0] for edge in turned.edges)
    assert turned.crossings == layout.crossings


def test_the_project_pipeline_has_no_crossing() -> None:
    assert arrange(reduce(ABALONE)).crossings == 0


def test_implied_edges_are_left_out() -> None:
    assert reduce({"A": [], "B": ["A"], "C": ["A", "B"]}) == {"A": [], "B": ["A"], "C": ["B"]}


def test_a_large_graph_is_arranged_in_bounded_time() -> None:
    started = time.perf_counter()
    arrange(reduce(layers(2000, 20)))
    assert time.perf_counter() - started < 60, "something is quadratic"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.03, 0.4, [0.02, 0.05, 0.1, 0.2, 0.5]), (1, 1, [1.0, 2.0]), (5, 1000, [1.0, 10.0, 100.0, 1000.0]),
        (1e-12, 1.0, [1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2, 1.0]),
    ],
)  # fmt: skip
def test_axes_of_powers_cover_the_values(low: float, high: float, expected: list[float]) -> None:
    assert log_ticks(low, high) == pytest.approx(expected)
    assert expected[0] <= low <= high <= expected[-1]


def test_a_curve_has_a_logarithmic_axis_where_all_is_positive_and_a_drawing_for_a_phone() -> None:
    """Equal factors are equal distances; of what is not positive the axis stays linear."""
    falls = line.Series("rmse", ((0, 100.0), (1, 10.0), (2, 1.0)))

    def heights(drawn: str) -> list[float]:
        return [float(text) for text in re.findall(r'<circle[^>]* cy="([\d.]+)"', drawn)]

    first, second, third = heights(str(line.draw([falls], scale="log")))
    assert second - first == pytest.approx(third - second)
    first, second, third = heights(str(line.draw([falls])))
    assert second - first > 5 * (third - second)
    zero = line.Series("rmse", ((0, 1.0), (1, 0.0)))
    assert line.draw([zero], scale="log") == line.draw([zero])
    assert (line.has_log([falls]), line.has_log([zero]), line.has_log([falls], [("bound", 0.0)])) == (
        True,
        False,
        False,
    )
    narrow = str(line.draw([falls], "round", look="narrow"))
    assert 'viewBox="0 0 300.0' in narrow
    assert max(float(text) for text in re.findall(r' (?:x|cx|x2)="([\d.]+)"', narrow)) <= 300
