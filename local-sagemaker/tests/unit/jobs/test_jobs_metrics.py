"""Metrics read from logs."""

from __future__ import annotations

import time

import pytest

from local_sagemaker.jobs import metrics

AUC = r".*\[[0-9]+\].*#011validation-auc:([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*"


@pytest.mark.parametrize(
    ("regex", "line", "value"),
    [
        (AUC, "[3]\ttrain-auc:0.9\tvalidation-auc:0.75", 0.75),
        (AUC, "[3]#011train-auc:0.9#011validation-auc:0.75", 0.75),
        (r"validation-auc:(\S+)", "[3]\tvalidation-auc:1e-3", 0.001),
        (r"\tvalidation-auc:(\S+)", "[3]\tvalidation-auc:0.5", 0.5),
        (r"loss: (\S+)", "the loss: nan?", None),
        (r"loss: (\S+)", "nothing", None),
        (r"loss: \S+", "loss: 3", None),
        (r"loss(?:: (\S+))?", "loss", None),
    ],
)
def test_values(regex, line, value):
    assert metrics.MetricPatterns([{"Name": "m", "Regex": regex}]).read(line).get("m") == value


def test_the_last_value_counts_as_a_32_bit_number(tmp_path):
    log = tmp_path / "log"
    log.write_text("loss=0.5\nacc=1\nloss=0.12345\nnoise \u00e9\n")
    definitions = [
        {"Name": "loss", "Regex": "loss=([0-9.]+)"},
        {"Name": "acc", "Regex": "acc=(.*)"},
        {"Name": "absent", "Regex": "absent=(.*)"},
    ]
    found = metrics.final(definitions, [log, tmp_path / "missing"], 12.5)
    statistics = [one.pop("Statistics") for one in found]
    assert found == [
        {"MetricName": "loss", "Value": 0.12345000356435776, "Timestamp": 12.5},
        {"MetricName": "acc", "Value": 1.0, "Timestamp": 12.5},
    ]
    assert statistics[0] == pytest.approx({"Count": 2, "Min": 0.12345, "Max": 0.5, "Avg": 0.311725, "StdDev": 0.188275})
    assert statistics[1] == {"Count": 1, "Min": 1.0, "Max": 1.0, "Avg": 1.0, "StdDev": 0.0}


def test_a_line_without_end_costs_no_memory(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"x" * 3_000_000 + b"\nloss=2\n")
    assert max(len(line) for line in metrics.lines(log)) <= 1 << 16
    assert metrics.final([{"Name": "loss", "Regex": "^loss=(.*)"}], [log], 0.0)[0]["Value"] == 2.0


SLOW = r"(a|aa)+$"
"""Takes about 1.6 to the power of the number of letters."""


def test_an_expression_that_takes_for_ever_is_given_up(tmp_path, caplog):
    log = tmp_path / "log"
    log.write_text("".join(f"{'a' * 60}! loss={number}\n" for number in range(50)))
    definitions = [{"Name": "slow", "Regex": SLOW}, {"Name": "loss", "Regex": "loss=(.*)"}]
    start = time.thread_time()
    found = metrics.final(definitions, [log], 0.0)
    assert time.thread_time() - start < 5
    assert [(one["MetricName"], one["Value"]) for one in found] == [("loss", 49.0)]
    assert "metric slow is given up" in caplog.text


def test_an_expression_that_is_always_slow_is_given_up(tmp_path):
    log = tmp_path / "log"
    log.write_text("".join(f"{'a' * 21}! loss={number}\n" for number in range(5000)))
    start = time.thread_time()
    metrics.final([{"Name": "slow", "Regex": SLOW}], [log], 0.0)
    assert time.thread_time() - start < 10


@pytest.mark.parametrize(
    ("regex", "line", "value"),
    [
        ("(?i)LOSS=(.*)", "loss=1", 1.0),
        ("lo(ss)?=(?:1)|x=(2)", "x=2", None),
        ("(?:lo|x)=(2)", "x=2", 2.0),
        ("los*=(2)", "lo=2", 2.0),
        ("a{0}b=(2)", "b=2", 2.0),
        ("(?x) l o s s = (2)", "loss=2", 2.0),
    ],
)
def test_what_a_line_must_have_is_seen_in_the_expression(regex, line, value):
    assert metrics.MetricPatterns([{"Name": "m", "Regex": regex}]).read(line).get("m") == value
