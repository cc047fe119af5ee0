"""What moto's CloudWatch lacks: composite alarms, the history of alarms, states that an update leaves alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import CLOUDWATCH_ALARM
from local_sagemaker.records.status import AlarmState
from local_sagemaker.services.call_replay import is_replay
from local_sagemaker.services.cloudwatch import metric_queries
from local_sagemaker.services.cloudwatch.alarm_evaluation import COMPARISONS
from local_sagemaker.services.cloudwatch.alarm_messages import SUPPRESSING
from local_sagemaker.services.cloudwatch.alarm_suppression import Suppression
from local_sagemaker.services.cloudwatch.composite_rules import CompositeRule

HISTORY = "alarm-history"


class Alarms:
    """Adds it to moto; `records` are those of any region, since each response is of one region."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def install(self) -> None:
        """Changes moto's classes; done again for another state folder."""
        from moto.cloudwatch.models import CloudWatchBackend
        from moto.cloudwatch.responses import CloudWatchResponse
        from moto.core.responses import ActionResult

        responses: Any = CloudWatchResponse
        records = self._records
        if not hasattr(responses, "describe_plainly"):
            responses.describe_plainly = CloudWatchResponse.describe_alarms
        responses.put_composite_alarm = _put_composite_alarm
        responses.describe_alarms = lambda response: _describe_alarms(response, records.of(response.region))

        def describe_alarm_history(self: Any) -> Any:
            items = read_history(records.of(self.region), self._get_param)
            return ActionResult(items)

        responses.describe_alarm_history = describe_alarm_history
        backend: Any = CloudWatchBackend
        if not hasattr(backend, "put_plainly"):
            backend.put_plainly = backend.put_metric_alarm
            backend.put_metric_alarm = _put_alarm
        metric_queries.install()


def _put_alarm(backend: Any, name: str, *arguments: Any, **members: Any) -> Any:
    """A new alarm has insufficient data; one that is changed keeps its state (API reference, PutMetricAlarm)."""
    if not is_replay():
        _check_alarm(members)
    before = backend.alarms.get(name)
    alarm = backend.put_plainly(name, *arguments, **members)
    alarm.state_value = AlarmState.INSUFFICIENT_DATA
    if before is not None:
        for member in ("state_value", "state_reason", "state_reason_data", "state_updated_timestamp"):
            setattr(alarm, member, getattr(before, member))
    return alarm


def _check_alarm(members: dict[str, Any]) -> None:
    """Refuses alarms that would never be evaluated."""
    from moto.cloudwatch.exceptions import ValidationError

    operator = members.get("comparison_operator")
    if members.get("threshold_metric_id") or (operator and operator not in COMPARISONS):
        text = "LocalUnsupported: alarms on bands of anomaly detection are not executed by the local service."
        raise ValidationError(text)
    _check_numbers(members)
    queries = [
        {
            "Id": query.id, "Expression": query.expression,
            "MetricStat": {"Stat": query.metric_stat.stat} if query.metric_stat else None,
        }
        for query in members.get("metric_data_queries") or ()
    ]  # fmt: skip
    returned = [query.id for query in members.get("metric_data_queries") or () if _returns_data(query)]
    statistic = {"Id": "", "MetricStat": {"Stat": members.get("extended_statistic") or ""}}
    results = metric_queries.check_queries(queries) if queries else metric_queries.check_queries([statistic])
    for name in returned:
        if not isinstance(results[name], dict):
            raise ValidationError(f"The query {name} must return a single time series, not a number or several series.")


def _check_numbers(members: dict[str, Any]) -> None:
    """Texts that users have of AWS: awsdocs/aws-cloudformation-user-guide#777, hashicorp/terraform#24070.

    The former is older than the period of 20 seconds, which was put into it here.
    """
    from moto.cloudwatch.exceptions import ValidationError

    period, wanted = members.get("period"), members.get("datapoints_to_alarm")
    if period and int(period) not in (10, 20, 30) and int(period) % 60:
        raise ValidationError("Period must be 10, 20, 30 or a multiple of 60")
    if wanted and int(wanted) > int(members.get("evaluation_periods") or wanted):
        raise ValidationError("DatapointsToAlarm must be less than or equal to EvaluationPeriods")


def _returns_data(query: Any) -> bool:
    return str(query.return_data).lower() != "false"


def _put_composite_alarm(response: Any) -> Any:
    """As an alarm of a metric, with the members of its suppressor, of which moto knows nothing."""
    from botocore import xform_name
    from moto.cloudwatch.exceptions import InvalidParameterCombination

    suppression = {name: response._get_param(name) for name in SUPPRESSING}
    if suppression["ActionsSuppressor"] and None in suppression.values():
        missing = min(name for name, value in suppression.items() if value is None)
        raise InvalidParameterCombination(f"{missing} is required when ActionsSuppressor is specified.")
    if not is_replay():
        _check_rule(str(response._get_param("AlarmRule")))
    result = response.put_metric_alarm()
    alarm = response.cloudwatch_backend.alarms[response._get_param("AlarmName")]
    for name, value in suppression.items():
        setattr(alarm, xform_name(name), value)
    return result


def _check_rule(text: str) -> None:
    """Refuses a rule that would never be evaluated."""
    from moto.cloudwatch.exceptions import ValidationError

    try:
        CompositeRule(text)
    except ServiceError as error:
        raise ValidationError(error.message) from error


def _describe_alarms(response: Any, records: Records) -> Any:
    """As moto's, with what suppresses the actions of composite alarms now."""
    for name, alarm in list(response.cloudwatch_backend.alarms.items()):  # other requests put alarms in the meantime
        suppression = Suppression.load(records.get(CLOUDWATCH_ALARM.kind, name) or {})
        alarm.actions_suppressed_by = suppression.by or None
        alarm.actions_suppressed_reason = f"Actions suppressed by {suppression.by}" if suppression.by else None
    return response.describe_plainly()


def read_history(records: Records, parameter: Any) -> dict[str, Any]:
    """The response of DescribeAlarmHistory, newest first unless the request says otherwise."""
    name, kind = parameter("AlarmName"), parameter("HistoryItemType")
    since, until = parameter("StartDate"), parameter("EndDate")
    items = records.list(HISTORY, f"{name}/" if name else "")
    items = [item for item in items if not kind or item["HistoryItemType"] == kind]
    items = [item for item in items if not since or item["Timestamp"] >= _seconds(since)]
    items = [item for item in items if not until or item["Timestamp"] <= _seconds(until)]
    if parameter("ScanBy") != "TimestampAscending":
        items.reverse()
    start = int(parameter("NextToken") or 0)
    size = int(parameter("MaxRecords") or 100)
    page = [
        {**item, "Timestamp": datetime.fromtimestamp(item["Timestamp"], UTC)} for item in items[start : start + size]
    ]
    more = {"NextToken": str(start + size)} if start + size < len(items) else {}
    return {"AlarmHistoryItems": page, **more}


def _seconds(time: Any) -> float:
    return float(time.timestamp()) if hasattr(time, "timestamp") else float(time)
