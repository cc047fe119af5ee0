"""The thread that evaluates alarms by the service's clock, and does what their states ask for.

moto keeps the alarms and the metrics; here are their states over time. A state that a client set stays until the metric
has a newer data point, so that a rollback can be rehearsed with SetAlarmState alone.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from local_sagemaker.api.operations import Call, Resource
from local_sagemaker.background import log_failure
from local_sagemaker.clock import iso, now, on_move
from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import CLOUDWATCH_ALARM as KIND
from local_sagemaker.records.own_members import AlarmRecord, own_alarm
from local_sagemaker.records.status import AlarmState
from local_sagemaker.records.store import Body
from local_sagemaker.services.cloudwatch import alarm_evaluation, alarm_messages
from local_sagemaker.services.cloudwatch.alarm_evaluation import AlarmVerdict, Point
from local_sagemaker.services.cloudwatch.alarm_history import AlarmHistory
from local_sagemaker.services.cloudwatch.alarm_messages import Alarm
from local_sagemaker.services.cloudwatch.alarm_suppression import Suppression, suppressor
from local_sagemaker.services.cloudwatch.composite_rules import CompositeRule

log = logging.getLogger(__name__)
EVERY, QUICK = 10.0, 1.0
"""Seconds between two looks, without and with alarms; on AWS a minute."""
_ACTIONS = {
    AlarmState.ALARM: "AlarmActions",
    AlarmState.OK: "OKActions",
    AlarmState.INSUFFICIENT_DATA: "InsufficientDataActions",
}


class AlarmWatch(Resource):
    """One region's alarms."""

    def __init__(self, *, settings: Settings, records: Records, call: Call, has_state: Callable[[], bool]) -> None:
        """`has_state`: whether moto has ever made a change. Until then no alarm exists, and a look would only load it,
        which takes more than a second of a core."""
        self._settings, self._records, self._call = settings, records, call
        self._has_state = has_state
        self._history = AlarmHistory(records)
        self._signal, self._ended = threading.Event(), threading.Event()
        self._pause = EVERY
        self._end_listening = on_move(self._signal.set)

    def resume(self) -> None:
        """Begins to look, once the service serves requests."""
        threading.Thread(target=self._run, name=f"alarms-{self._settings.region}", daemon=True).start()

    def close(self) -> None:
        """Ends the thread."""
        self._end_listening()
        self._ended.set()
        self._signal.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._signal.wait(self._pause)
            self._signal.clear()
            if self._ended.is_set():
                return
            with log_failure(log, "alarms of %s", self._settings.region):
                self.look()

    def look(self) -> None:
        """Evaluates all alarms: those of metrics, then composite ones."""
        if not self._has_state():
            return
        response = self._call("cloudwatch:DescribeAlarms", {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]})
        states: dict[str, str] = {}
        for alarm in response.get("MetricAlarms", ()):
            states[alarm["AlarmName"]] = alarm["StateValue"]
            with log_failure(log, "alarm %s", alarm["AlarmName"]):
                states[alarm["AlarmName"]] = self._look_at(alarm)
        composite = response.get("CompositeAlarms", ())
        states |= {alarm["AlarmName"]: alarm["StateValue"] for alarm in composite}
        for alarm in composite:
            with log_failure(log, "alarm %s", alarm["AlarmName"]):
                states[alarm["AlarmName"]] = self._combine(alarm, states)
                self._release(alarm, states)
        self._pause = QUICK if states else EVERY
        for name in [key for key, _ in self._records.items(KIND.kind) if key not in states]:
            self._records.delete(KIND.kind, name)

    def _look_at(self, alarm: Alarm) -> str:
        """The state of an alarm of a metric, after what had to be done."""
        points = self._points(alarm) if alarm_evaluation.is_executed(alarm) else []
        known = own_alarm(self._recall(alarm, points))
        if not alarm_evaluation.is_executed(alarm) or (known["_by_client"] and known["_points"] == _plain(points)):
            return str(alarm["StateValue"])
        period = _period_of(alarm)
        verdict = alarm_evaluation.evaluate(alarm, points, _end_of(period), period)
        if verdict is None or verdict.state == alarm["StateValue"]:
            return str(alarm["StateValue"])
        self._change(alarm, verdict, points)
        return verdict.state

    def _combine(self, alarm: Alarm, states: Mapping[str, str]) -> str:
        """The state of a composite alarm."""
        self._recall(alarm, [])
        holds = CompositeRule(alarm["AlarmRule"]).holds(states.get)
        state = AlarmState.ALARM if holds else AlarmState.OK
        if state != alarm["StateValue"]:
            reason = f"{alarm['AlarmArn']} transitioned to {state} at {iso(now())}: {alarm['AlarmRule']}"
            self._change(alarm, AlarmVerdict(state, reason[:1023]), [])
        return state

    def _release(self, alarm: Alarm, states: Mapping[str, str]) -> None:
        """Performs the actions that were held back for a composite alarm's suppressor, once nothing suppresses them, or
        the alarm has no suppressor any more. They are held until they are performed, so that a stop loses none."""
        name, body = suppressor(alarm), self._records.get(KIND.kind, alarm["AlarmName"])
        if body is None:
            return
        held, before, after = own_alarm(body).get("_held"), Suppression.load(body), Suppression()
        if name:
            in_alarm = states.get(name) == AlarmState.ALARM
            after = before.advance(alarm, in_alarm=in_alarm, due=held is not None, moment=now())
        is_released = bool(held) and not after.by
        if held and is_released:
            self._act(alarm, held["before"], AlarmVerdict(AlarmState(held["state"]), held["reason"]), now())

        def change(current: Body) -> Body:
            kept = {key: value for key, value in current.items() if key != "_held" or not is_released}
            return {**kept, **AlarmRecord(_suppression=after.dump())}

        if after != before or is_released:
            self._records.update(KIND.kind, alarm["AlarmName"], change)

    def _recall(self, alarm: Alarm, points: list[Point]) -> Body:
        """What is recorded of an alarm; a state that is another one by now was set by a client."""
        name, state = alarm["AlarmName"], alarm["StateValue"]
        body = self._records.get(KIND.kind, name)
        if body is None or body["AlarmStatus"] != state:
            before = body["AlarmStatus"] if body else AlarmState.INSUFFICIENT_DATA
            if body is None:
                self._history.add(alarm, "ConfigurationUpdate", f'Alarm "{name}" created', {"type": "Create"})
            client = not str(alarm.get("StateReason", "")).startswith("Unchecked")
            body = self._enter(
                alarm, before, AlarmVerdict(state, str(alarm.get("StateReason", ""))), points, client=client
            )
        return body

    def _change(self, alarm: Alarm, verdict: AlarmVerdict, points: list[Point]) -> None:
        before = alarm["StateValue"]
        data = json.dumps({"version": "1.0", "recentDatapoints": [value for _, value in verdict.points]})
        self._call(
            "cloudwatch:SetAlarmState",
            {"AlarmName": alarm["AlarmName"], "StateValue": verdict.state, "StateReason": verdict.reason,
             "StateReasonData": data},
        )  # fmt: skip
        self._enter(alarm, before, verdict, points, client=False)

    def _enter(self, alarm: Alarm, before: str, verdict: AlarmVerdict, points: list[Point], *, client: bool) -> Body:
        """Records a state; where it is a new one also in the history, as an event, and by its actions."""
        moment, old = now(), self._records.get(KIND.kind, alarm["AlarmName"])
        state = {"value": verdict.state, "reason": verdict.reason, "timestamp": alarm_messages.time_text(moment)}
        body = {
            "AlarmName": alarm["AlarmName"], "AlarmArn": alarm["AlarmArn"], "AlarmStatus": verdict.state,
            "state": state, "previousState": (old or {}).get("state") or {"value": before},
            "configuration": alarm_messages.configuration(alarm),
            **AlarmRecord(_by_client=client, _points=_plain(points)),
        }  # fmt: skip
        if suppressor(alarm):
            body |= {name: old[name] for name in ("_held", "_suppression") if old and name in old}
            if before != verdict.state:
                own_alarm(body)["_held"] = {"before": before, "state": verdict.state, "reason": verdict.reason}
        if old is None and before != verdict.state:
            self._records.put(KIND.kind, alarm["AlarmName"], {**body, "AlarmStatus": before})
        self._records.put(KIND.kind, alarm["AlarmName"], body)
        if before != verdict.state:
            change = {"oldState": body["previousState"], "newState": state}
            self._history.add(alarm, "StateUpdate", f"Alarm updated from {before} to {verdict.state}", change)
            if not suppressor(alarm):
                self._act(alarm, before, verdict, moment)
        return body

    def _act(self, alarm: Alarm, before: str, verdict: AlarmVerdict, moment: float) -> None:
        if not alarm.get("ActionsEnabled", True):
            return
        for arn in alarm.get(_ACTIONS[verdict.state], ()):
            try:
                self._send(arn, alarm, before, verdict, moment)
                summary = f"Successfully executed action {arn}"
            except ServiceError as error:
                summary = f"Failed to execute action {arn}. Received error: {error.message}"
                log.warning("alarm %s: %s", alarm["AlarmName"], summary)
            except Exception:
                summary = f"Failed to execute action {arn}. Received error: an error of the local service"
                log.exception("alarm %s: %s", alarm["AlarmName"], summary)
            self._history.add(
                alarm, "Action", summary, {"actionState": summary.split()[0], "notificationResource": arn}
            )

    def _send(self, arn: str, alarm: Alarm, before: str, verdict: AlarmVerdict, moment: float) -> None:
        service = arn.split(":")[2]
        if service == "sns":
            message = alarm_messages.notification(alarm, before, verdict, moment, self._settings)
            subject = f'{verdict.state}: "{alarm["AlarmName"]}" in {alarm_messages.region_name(self._settings.region)}'
            self._call("sns:Publish", {"TopicArn": arn, "Subject": subject[:100], "Message": json.dumps(message)})
        elif service == "lambda":
            body = self._records.get(KIND.kind, alarm["AlarmName"]) or {}
            message = alarm_messages.invocation(alarm, body, moment, self._settings)
            request = {"FunctionName": arn, "InvocationType": "Event", "Payload": json.dumps(message).encode()}
            self._call("lambda:Invoke", request)
        else:
            raise ServiceError(f"Actions of {service} are not executed by the local service.", code="NotSupported")

    def _points(self, alarm: Alarm) -> list[Point]:
        """The points of the evaluation range, oldest first."""
        period = _period_of(alarm)
        end = _end_of(period)
        start = end - period * (int(alarm["EvaluationPeriods"]) + alarm_evaluation.MORE)
        query = self._queries(alarm, period)
        response = self._call(
            "cloudwatch:GetMetricData",
            {"StartTime": start, "EndTime": end, "MetricDataQueries": query, "ScanBy": "TimestampAscending"},
        )
        wanted = next((one["Id"] for one in query if one.get("ReturnData", True)), None)
        for result in response.get("MetricDataResults", ()):
            if result["Id"] == wanted:
                return sorted(zip(map(float, result["Timestamps"]), map(float, result["Values"]), strict=False))
        return []

    @staticmethod
    def _queries(alarm: Alarm, period: int) -> list[dict[str, Any]]:
        """The queries of an alarm: its own of metric math, or that of its metric."""
        if alarm.get("Metrics"):
            return [dict(one) for one in alarm["Metrics"]]
        metric = {"Namespace": alarm["Namespace"], "MetricName": alarm["MetricName"],
                  "Dimensions": list(alarm.get("Dimensions", ()))}  # fmt: skip
        stat = {"Metric": metric, "Period": period, "Stat": alarm.get("Statistic") or alarm.get("ExtendedStatistic")}
        if alarm.get("Unit"):
            stat["Unit"] = alarm["Unit"]
        return [{"Id": "m1", "MetricStat": stat, "ReturnData": True}]


def _period_of(alarm: Alarm) -> int:
    """Seconds of a period: with metric math that of its metrics, or of the expression."""
    queries = alarm.get("Metrics") or ()
    periods = [one["MetricStat"]["Period"] for one in queries if one.get("MetricStat")]
    return int(max([alarm.get("Period") or 0, *periods, *(one.get("Period") or 0 for one in queries)]) or 60)


def _end_of(period: int) -> float:
    """When the current period ends."""
    return (now() // period + 1) * period


def _plain(points: Iterable[Point]) -> list[list[float]]:
    """Points as records hold them."""
    return [list(point) for point in points]
