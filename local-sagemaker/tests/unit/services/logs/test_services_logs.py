"""CloudWatch Logs operations over real log files."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.operations import table
from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError
from local_sagemaker.logs import Logs
from local_sagemaker.services.logs import build, log_events

Logged = Callable[..., dict[str, Any]]
GROUP = "/aws/sagemaker/ProcessingJobs"


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path / "logs")


@pytest.fixture
def call(tmp_path: Path, logs: Logs) -> Logged:
    handlers = table("logs", build(settings=Settings(home=tmp_path), logs=logs))

    def ask(name: str, **request: Any) -> dict[str, Any]:
        return handlers[f"logs:{name}"](request)

    return ask


def messages(answer: dict[str, Any]) -> list[str]:
    return [event["message"] for event in answer["events"]]


def now() -> int:
    return time.time_ns() // 1_000_000


def test_reading_follows_a_growing_stream(logs: Logs, call: Logged) -> None:
    file = logs.file(GROUP, "j/algo-1-1")
    with file.open("a") as out:
        out.write("one\ntwo\n")
    stream = {"logGroupName": GROUP, "logStreamName": "j/algo-1-1", "startFromHead": True}
    first = call("GetLogEvents", **stream)
    assert messages(first) == ["one", "two"]
    at_end = call("GetLogEvents", **stream, nextToken=first["nextForwardToken"])
    assert messages(at_end) == [] and at_end["nextForwardToken"] == first["nextForwardToken"]
    with file.open("a") as out:
        out.write("three\n")
    assert messages(call("GetLogEvents", **stream, nextToken=first["nextForwardToken"])) == ["three"]
    at_start = call("GetLogEvents", **stream, nextToken=first["nextBackwardToken"])
    assert messages(at_start) == [] and at_start["nextBackwardToken"] == first["nextBackwardToken"]


def test_the_last_events_come_first_unless_asked_from_the_head(logs: Logs, call: Logged) -> None:
    logs.file(GROUP, "s").write_text("".join(f"{number}\n" for number in range(100)))
    stream = {"logGroupIdentifier": f"arn:aws:logs:us-east-1:123456789012:log-group:{GROUP}:*", "logStreamName": "s"}
    page = call("GetLogEvents", **stream, limit=3)
    assert messages(page) == ["97", "98", "99"]
    assert messages(call("GetLogEvents", **stream, limit=2, nextToken=page["nextBackwardToken"])) == ["95", "96"]
    assert messages(call("GetLogEvents", **stream, limit=2, startFromHead=True)) == ["0", "1"]


def test_events_within_times(call: Logged) -> None:
    base = now() - 10_000
    call("CreateLogGroup", logGroupName="g")
    call("CreateLogStream", logGroupName="g", logStreamName="s")
    events = [{"timestamp": base + number, "message": f"m{number}"} for number in range(5)]
    call("PutLogEvents", logGroupName="g", logStreamName="s", logEvents=events)
    got = call("GetLogEvents", logGroupName="g", logStreamName="s", startTime=base + 1, endTime=base + 3)
    assert [(event["timestamp"], event["message"]) for event in got["events"]] == [(base + 1, "m1"), (base + 2, "m2")]
    assert all(isinstance(event["timestamp"], int) for event in got["events"])
    filtered = call("FilterLogEvents", logGroupName="g", startTime=base + 1, endTime=base + 3)
    assert messages(filtered) == ["m1", "m2", "m3"]


def test_filter_merges_streams_by_time_page_by_page(call: Logged) -> None:
    base = now() - 10_000
    call("CreateLogGroup", logGroupName="g")
    expected = []
    for stream in ("a", "b", "c/1"):
        call("CreateLogStream", logGroupName="g", logStreamName=stream)
        events = [{"timestamp": base + number // 3, "message": f"{stream} {number}"} for number in range(10)]
        call("PutLogEvents", logGroupName="g", logStreamName=stream, logEvents=events)
        expected += [(base + number // 3, stream, number) for number in range(10)]
    for limit in (1, 4, 7, 100):
        found: list[str] = []
        token: dict[str, str] = {}
        while True:
            answer = call("FilterLogEvents", logGroupName="g", limit=limit, **token)
            found += messages(answer)
            if "nextToken" not in answer:
                break
            token = {"nextToken": answer["nextToken"]}
        assert found == [f"{stream} {number}" for _, stream, number in sorted(expected)]
    only = call("FilterLogEvents", logGroupName="g", logStreamNamePrefix="c/", filterPattern="9")
    assert messages(only) == ["c/1 9"]
    assert [event["logStreamName"] for event in only["events"]] == ["c/1"]


def test_a_long_log_without_matches_is_searched_in_pages(
    logs: Logs, call: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_events, "_SCANNED", 1_000)
    logs.file("g", "s").write_text("x" * 99 + "\n" + ("x" * 99 + "\n") * 50 + "needle\n")
    os.utime(logs.file("g", "s"), (1, 1))
    pages, token = [], {}
    while True:
        answer = call("FilterLogEvents", logGroupName="g", filterPattern="needle", **token)
        pages.append(messages(answer))
        if "nextToken" not in answer:
            break
        token = {"nextToken": answer["nextToken"]}
    assert len(pages) > 4 and [message for page in pages for message in page] == ["needle"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", {"ERROR disk full", "WARN disk", "INFO error", 'say "hi" now'}),
        ("ERROR", {"ERROR disk full"}),
        ("disk", {"ERROR disk full", "WARN disk"}),
        ("disk ERROR", {"ERROR disk full"}),
        ('"disk full"', {"ERROR disk full"}),
        ("disk -ERROR", {"WARN disk"}),
        ('-"disk full" disk', {"WARN disk"}),
        ("?ERROR ?INFO", {"ERROR disk full", "INFO error"}),
        ("?ERROR disk", {"ERROR disk full", "WARN disk"}),
        (r'"\"hi\""', {'say "hi" now'}),
    ],
)
def test_filter_patterns(logs: Logs, call: Logged, pattern: str, expected: set[str]) -> None:
    logs.file("g", "s").write_text('ERROR disk full\nWARN disk\nINFO error\nsay "hi" now\n')
    assert set(messages(call("FilterLogEvents", logGroupName="g", filterPattern=pattern))) == expected


@pytest.mark.parametrize("pattern", ["{ $.level = 5 }", "[ip, user]", "%ERR.*%", '"open'])
def test_other_patterns_are_refused(logs: Logs, call: Logged, pattern: str) -> None:
    logs.file("g", "s").write_text("x\n")
    with pytest.raises(ServiceError) as error:
        call("FilterLogEvents", logGroupName="g", filterPattern=pattern)
    assert error.value.code == "InvalidParameterException"


def test_streams_by_name_and_by_time(logs: Logs, call: Logged) -> None:
    base = now() - 60_000
    for offset, stream in ((30, "a"), (10, "b"), (20, "c")):
        logs.put("g", stream, [(base + offset, "x")])

    def names(**request: Any) -> list[str]:
        streams = call("DescribeLogStreams", logGroupName="g", **request)["logStreams"]
        return [stream["logStreamName"] for stream in streams]

    assert names() == ["a", "b", "c"]
    assert names(descending=True) == ["c", "b", "a"]
    assert names(orderBy="LastEventTime") == ["b", "c", "a"]
    assert names(orderBy="LastEventTime", descending=True) == ["a", "c", "b"]
    assert names(logStreamNamePrefix="b") == ["b"]
    first = call("DescribeLogStreams", logGroupName="g", limit=2)
    assert names(limit=2, nextToken=first["nextToken"]) == ["c"]
    described = first["logStreams"][0]
    assert described["firstEventTimestamp"] == described["lastEventTimestamp"] == base + 30
    assert described["storedBytes"] == 2
    with pytest.raises(ServiceError, match="Cannot order by LastEventTime with a logStreamNamePrefix"):
        names(orderBy="LastEventTime", logStreamNamePrefix="b")


def test_groups_are_listed_tagged_and_retained(logs: Logs, call: Logged) -> None:
    logs.file(GROUP, "s").write_text("hello\n")
    call("CreateLogGroup", logGroupName="mine", tags={"a": "1"})
    groups = call("DescribeLogGroups")["logGroups"]
    assert [(group["logGroupName"], group["storedBytes"]) for group in groups] == [(GROUP, 6), ("mine", 0)]
    arn = groups[1]["logGroupArn"]
    call("TagResource", resourceArn=arn, tags={"b": "2"})
    call("UntagResource", resourceArn=arn, tagKeys=["a"])
    assert call("ListTagsForResource", resourceArn=arn)["tags"] == {"b": "2"}
    assert call("ListTagsLogGroup", logGroupName="mine")["tags"] == {"b": "2"}
    call("PutRetentionPolicy", logGroupName="mine", retentionInDays=7)
    assert call("DescribeLogGroups", logGroupNamePrefix="mine")["logGroups"][0]["retentionInDays"] == 7
    call("DeleteRetentionPolicy", logGroupName="mine")
    assert "retentionInDays" not in call("DescribeLogGroups", logGroupNamePattern="MIN")["logGroups"][0]
    call("DeleteLogGroup", logGroupName="mine")
    assert len(call("DescribeLogGroups")["logGroups"]) == 1


def test_events_too_old_or_too_new_are_rejected(call: Logged) -> None:
    call("CreateLogGroup", logGroupName="g")
    call("CreateLogStream", logGroupName="g", logStreamName="s")
    moment, day = now(), 86_400_000
    events = [{"timestamp": at, "message": "x"} for at in (moment - 20 * day, moment, moment + day)]
    answer = call("PutLogEvents", logGroupName="g", logStreamName="s", logEvents=events)
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2}
    assert len(call("GetLogEvents", logGroupName="g", logStreamName="s")["events"]) == 1


@pytest.mark.parametrize(
    ("operation", "request_", "code", "text"),
    [
        ("GetLogEvents", {"logGroupName": "no", "logStreamName": "s"}, "ResourceNotFoundException", "log group does"),
        ("GetLogEvents", {"logGroupName": "g", "logStreamName": "no"}, "ResourceNotFoundException", "log stream does"),
        ("DescribeLogStreams", {"logGroupName": "no"}, "ResourceNotFoundException", "log group does not exist"),
        ("DeleteLogStream", {"logGroupName": "g", "logStreamName": "no"}, "ResourceNotFoundException", "log stream"),
        ("DeleteLogGroup", {"logGroupName": "no"}, "ResourceNotFoundException", "log group does not exist"),
        ("CreateLogGroup", {"logGroupName": "g"}, "ResourceAlreadyExistsException", "log group already exists"),
        ("CreateLogStream", {"logGroupName": "g", "logStreamName": "s"}, "ResourceAlreadyExistsException", "stream"),
        ("DescribeLogStreams", {}, "InvalidParameterException", "Exactly one"),
        ("PutRetentionPolicy", {"logGroupName": "g", "retentionInDays": 2}, "InvalidParameterException", "one of"),
        (
            "GetLogEvents",
            {"logGroupName": "g", "logStreamName": "s", "nextToken": "x"},
            "InvalidParameterException",
            "nextToken",
        ),
    ],
)
def test_errors(logs: Logs, call: Logged, operation: str, request_: dict[str, Any], code: str, text: str) -> None:
    logs.file("g", "s")
    with pytest.raises(ServiceError, match=text) as error:
        call(operation, **request_)
    assert error.value.code == code


def test_search_of_one_stream_goes_on_where_the_page_ended(
    logs: Logs, call: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines of one moment, more than a page may read: no page reads again what earlier ones did."""
    monkeypatch.setattr(log_events, "_SCANNED", 3_000_000)
    with logs.file("g", "one").open("wb") as out:
        for number in range(90_000):
            word = b"a\tneedle" if number in (7, 50_000) else b"needle" if number % 30_000 == 29_999 else b"hay"
            out.write(b"%d %s %s\n" % (number, word, b"." * 90))
        out.write(b"x" * 2_000_000 + b" needle\n\xff needle 404\n")
    logs.mark("g", "one", final=True)
    request: dict[str, Any] = {"logGroupName": "g", "logStreamNames": ["one"], "filterPattern": "needle"}
    found, pages, token = [], 0, {}
    while True:
        answer = call("FilterLogEvents", **request, **token)
        found += [message.partition(" ")[0][:9] for message in messages(answer)]
        pages += 1
        if "nextToken" not in answer:
            break
        token = {"nextToken": answer["nextToken"]}
    assert found[:5] == ["7", "29999", "50000", "59999", "89999"]
    assert (len(found), found[-1]) == (7, "\ufffd")
    assert pages == 4
    limited = call("FilterLogEvents", **request, limit=1)
    assert messages(limited)[0].startswith("7 a#011needle")
    rest = call("FilterLogEvents", **request, limit=1, nextToken=limited["nextToken"])
    assert messages(rest)[0].startswith("29999 needle")
    with pytest.raises(ServiceError, match="nextToken"):
        call("FilterLogEvents", **{**request, "nextToken": "7/other"})
