"""Metrics read from logs."""

from __future__ import annotations

import pytest

from local_sagemaker.jobs import metric_search, metrics
from local_sagemaker.jobs.metric_search import MetricSearch
from local_sagemaker.workers.pool import CallTimedOut

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
    assert dict(metrics.values_in([("m", regex)], [line])).get("m") == value


def test_the_last_value_counts_as_a_32_bit_number(tmp_path):
    log = tmp_path / "log"
    log.write_text("loss=0.5\nacc=1\nloss=0.12345\nnoise \u00e9\n")
    definitions = [
        {"Name": "loss", "Regex": "loss=([0-9.]+)"},
        {"Name": "acc", "Regex": "acc=(.*)"},
        {"Name": "absent", "Regex": "absent=(.*)"},
    ]
    values = MetricSearch(definitions, pytest.fail).all_values([log, tmp_path / "missing"])
    found = metrics.final(values, 12.5)
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
    assert max(len(line) for line in metrics.last_lines(log)) <= 1 << 16
    search = MetricSearch([{"Name": "loss", "Regex": "^loss=(.*)"}], pytest.fail)
    assert search.all_values([log]) == {"loss": [2.0]}


@pytest.mark.parametrize(
    ("regex", "said"),
    [("(a+)+$", "takes too long"), ("(.*.*.*.*.*.*)=[xy]", "takes too long"), ("loss=(", "missing ), unterminated")],
)
def test_an_expression_that_can_not_be_used_is_left_out_and_said(tmp_path, monkeypatch, regex, said):
    monkeypatch.setattr(metric_search, "ALL_SECONDS", 0.5)
    monkeypatch.setattr(metric_search, "ONE_SECONDS", 0.3)
    log = tmp_path / "log"
    log.write_text("loss=1\n" + "a" * 40 + "b\n" + "=" * 3000 + "\nloss=2\n")
    sentences = []
    search = MetricSearch([{"Name": "loss", "Regex": "loss=(.*)"}, {"Name": "bad", "Regex": regex}], sentences.append)
    assert search.all_values([log]) == {"loss": [1.0, 2.0]}
    assert len(sentences) == 1 and sentences[0].startswith("The metric bad is left out: ") and said in sentences[0]
    assert search.values(["loss=3", "a" * 40 + "b"]) == [("loss", 3.0)]
    assert len(sentences) == 1


def test_expressions_that_are_quick_enough_alone_end_no_job(monkeypatch):
    """Together they took too long, and once more on a busy machine."""
    real, together = metric_search._values, []

    def values(definitions, lines, seconds):
        if len(definitions) > 1:
            together.append(seconds)
            raise CallTimedOut("takes too long")
        return real(definitions, lines, seconds)

    monkeypatch.setattr(metric_search, "_values", values)
    sentences = []
    search = MetricSearch([{"Name": name, "Regex": f"{name}=(.*)"} for name in "abc"], sentences.append)
    assert search.values(["a=1"]) == []
    assert together == [1.0, 1.0 + 2 * 3 * 1.0], "each has the time that it was tried with, and more"
    assert sentences == ["The metrics of 1 lines are left out: takes too long"]


@pytest.mark.parametrize(
    ("length", "most", "seconds"), [(40, 10.0, 1.0), (1 << 19, 10.0, 5.0), (1 << 21, 10.0, 10.0), (40, 0.5, 0.5)]
)
def test_a_few_lines_have_less_time_than_many(length, most, seconds):
    assert metric_search.seconds_for(["x" * (length // 2)] * 2, most) == seconds


def test_many_lines_are_searched_in_pieces(tmp_path):
    log = tmp_path / "log"
    log.write_text("".join(f"loss={number}\n" for number in range(200_000)))
    search = MetricSearch([{"Name": "loss", "Regex": "^loss=(.*)$"}], pytest.fail)
    assert search.all_values([log]) == {"loss": [float(number) for number in range(200_000)]}


@pytest.mark.parametrize(
    ("regex", "line", "value"),
    [
        ("(?i)LOSS=(.*)", "loss=1", 1.0),
        ("lo(ss)?=(?:1)|x=(2)", "x=2", None),
        ("(?:lo|x)=(2)", "x=2", 2.0),
        ("los*=(2)", "lo=2", 2.0),
        ("a{0}b=(2)", "b=2", 2.0),
        ("(?x) l o s s = (2)", "loss=2", 2.0),
        ("loss\\t(2)", "loss\t2", 2.0),
        ("loss#011(2)", "loss\t2", 2.0),
    ],
)
def test_what_a_line_must_have_is_seen_in_the_expression(regex, line, value):
    assert dict(metrics.values_in([("m", regex)], [line])).get("m") == value
