"""Conditions of stages: rules that must all pass before a stage, after its success, or on its failure."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from local_sagemaker.api.operations import Call
from local_sagemaker.clock import now
from local_sagemaker.codepipeline.variables import UnresolvedVariable, resolve_all
from local_sagemaker.errors import ServiceError
from local_sagemaker.eventbridge import schedules
from local_sagemaker.records.delivery_members import own_stage
from local_sagemaker.records.delivery_status import StageStatus
from local_sagemaker.records.status import AlarmState
from local_sagemaker.records.store import Body
from local_sagemaker.regexes import bounded
from local_sagemaker.regexes.bounded import RegexError
from local_sagemaker.services.codepipeline.action_run import namespaces
from local_sagemaker.services.codepipeline.pipeline_store import PipelineStore


class Conditions:
    """Checks conditions, and writes down what came of them."""

    def __init__(self, store: PipelineStore, call: Call) -> None:
        self._store, self._call = store, call

    def check(self, execution: Body, stage: dict[str, Any], place: str) -> str:
        """The result of the condition that is not met; "" when all are, or when it was overridden."""
        conditions = stage.get(place, {}).get("conditions", [])
        if not conditions:
            return ""
        record = self._store.stage(execution, stage["name"]) or {}
        if place in own_stage(record).get("_overridden", []):
            return ""
        states, result = [], ""
        for condition in conditions:
            rules = [self._rule(execution, stage["name"], rule) for rule in condition.get("rules", [])]
            failed = any(rule["latestExecution"]["status"] != StageStatus.SUCCEEDED for rule in rules)
            status = StageStatus.FAILED if failed else StageStatus.SUCCEEDED
            states.append({"latestExecution": {"status": status, "lastStatusChange": now()}, "ruleStates": rules})
            result = result or (condition["result"] if failed else "")
        conditions_of = {**record.get("conditions", {})}
        conditions_of[place] = {
            "latestExecution": {"status": StageStatus.FAILED if result else StageStatus.SUCCEEDED},
            "conditionStates": states,
        }  # fmt: skip
        self._store.put_stage(
            execution, stage["name"], conditions=conditions_of, status=record.get("status", StageStatus.IN_PROGRESS)
        )
        return result

    def _rule(self, execution: Body, stage: str, rule: dict[str, Any]) -> dict[str, Any]:
        began, provider, settings = now(), rule["ruleTypeId"]["provider"], None
        try:
            settings = resolve_all(rule.get("configuration", {}), namespaces(execution))
            passed, summary = _CHECKS[provider](self, settings, execution)
        except UnresolvedVariable as error:
            passed, summary = False, str(error)
        except ServiceError as error:
            passed, summary = False, error.message
        except (RegexError, schedules.InvalidSchedule) as error:
            passed, summary = False, f"{rule['name']} can't be evaluated: {error}"
        status, identity = StageStatus.SUCCEEDED if passed else StageStatus.FAILED, str(uuid.uuid4())
        configuration = {"configuration": rule.get("configuration", {})}
        resolved = {} if settings is None else {"resolvedConfiguration": settings}
        self._store.add_rule(execution, {
            "pipelineExecutionId": execution["pipelineExecutionId"], "ruleExecutionId": identity,
            "pipelineVersion": execution["pipelineVersion"], "stageName": stage, "ruleName": rule["name"],
            "startTime": began, "lastUpdateTime": now(), "status": status,
            "input": {"ruleTypeId": rule["ruleTypeId"], **configuration, **resolved, "inputArtifacts": []},
            "output": {"executionResult": {"externalExecutionSummary": summary}},
        })  # fmt: skip
        state = {"ruleExecutionId": identity, "lastStatusChange": now(), "status": status, "summary": summary}
        return {"ruleName": rule["name"], "latestExecution": state}

    def _variable(self, settings: dict[str, str], _execution: Body) -> tuple[bool, str]:
        actual, expected = settings.get("Variable", ""), settings.get("Value", "")
        operator = settings.get("Operator", "EQ")
        match operator:
            case "MATCHES":
                passed = bounded.matches(expected, actual)
            case "CONTAINS":
                passed = expected in actual
            case _:
                passed = (actual == expected) is (operator == "EQ")
        return passed, f"'{actual}' {operator} '{expected}' is {str(passed).lower()}"

    def _alarm(self, settings: dict[str, str], _execution: Body) -> tuple[bool, str]:
        name = settings.get("AlarmName", "")
        alarms = self._call("cloudwatch:DescribeAlarms", {"AlarmNames": [name]}).get("MetricAlarms", [])
        wanted = [word.strip() for word in settings.get("AlarmStates", AlarmState.ALARM).split(",")]
        state = alarms[0]["StateValue"] if alarms else "absent"
        return bool(alarms) and state not in wanted, f"The alarm {name} is {state}"

    def _function(self, settings: dict[str, str], execution: Body) -> tuple[bool, str]:
        payload = {
            "pipelineName": execution["pipelineName"], "pipelineExecutionId": execution["pipelineExecutionId"],
            "userParameters": settings.get("UserParameters"),
        }  # fmt: skip
        response = self._call("lambda:Invoke", {"FunctionName": settings.get("FunctionName", ""),
                                              "Payload": json.dumps(payload).encode()})  # fmt: skip
        return not response.get("FunctionError"), str(response.get("FunctionError", "The function returned"))

    def _window(self, settings: dict[str, str], _execution: Body) -> tuple[bool, str]:
        """Whether now is a time of the expression, to the minute."""
        zone = settings.get("TimeZone", "UTC")
        schedule = schedules.parse(_minutes(settings.get("Cron", "")), zone)
        minute = now() // 60 * 60
        local = datetime.fromtimestamp(minute, UTC).astimezone(schedules.zone(zone))
        return schedule.next(minute - 1, minute) == minute, f"{local:%Y-%m-%d %H:%M} {zone}"


def _minutes(expression: str) -> str:
    """A rule's expression as EventBridge writes it: seconds come first (only "*" or 0 say something), and the year may
    be left out (user guide, rule reference, DeploymentWindow)."""
    fields = expression.split()
    if len(fields) not in (6, 7) or fields[0] not in ("*", "0"):
        raise schedules.InvalidSchedule(expression)
    return f"cron({' '.join([*fields[1:], *(['*'] if len(fields) == 6 else [])])})"


_CHECKS = {
    "VariableCheck": Conditions._variable,
    "CloudWatchAlarm": Conditions._alarm,
    "LambdaInvoke": Conditions._function,
    "DeploymentWindow": Conditions._window,
}
