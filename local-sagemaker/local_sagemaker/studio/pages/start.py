"""The start form: what will run with what, and what differs from the defaults."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from local_sagemaker.engine.definition import Definition, Step, parse
from local_sagemaker.engine.graph import graph
from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.execution import text_of
from local_sagemaker.studio.pages.execution_data import values_of
from local_sagemaker.studio.pages.listing import items_or_none
from local_sagemaker.studio.pages.s3_picker import S3Picker, pick_from
from local_sagemaker.studio.views.commands import aws_command
from local_sagemaker.studio.views.data_flow import find_users
from local_sagemaker.studio.views.numbers import size, whole

GROUPS = ("Data", "Compute", "Checks", "Other")
_COMPUTE = ("instance", "volume", "count", "parallel")
_PLACE = re.compile(r"(Ur[il]|Supplied\w*|Path)$")
_COMPARE = "a violation fails the step unless FailOnViolation is off"
CHOICES = (
    ("compare", "Compare with the approved baseline", _COMPARE, (False, False)),
    ("both", "Compare, then make the new one the baseline", "for data that moved on purpose, a little", (False, True)),
    ("register", "Do not compare, make this the baseline", "for a first run or a planned change", (True, True)),
    ("skip", "Do not compare, keep the baseline", "nothing is checked in this run", (True, False)),
)


@dataclass(frozen=True)
class ParameterField:
    """A parameter's field. `value` is what the form shows, `default` the declared one (None: required); `is_place`:
    S3 can be browsed for it."""

    name: str
    type: str
    value: str
    default: str | None
    options: list[str]
    used_by: list[str]
    note: str = ""
    changed: bool = False
    error: str = ""
    is_place: bool = False


@dataclass(frozen=True)
class CheckChoice:
    """A check step whose switches are parameters: one choice in place of two switches."""

    step: str
    skip: str
    register: str
    choice: str
    group: str
    baseline: str


@dataclass(frozen=True)
class StartContext:
    """What the start form shows."""

    pipeline: str = field(metadata={"help": "the pipeline's name"})
    groups: list[tuple[str, list[ParameterField]]] = field(metadata={"help": "fields by group"})
    checks: list[CheckChoice] = field(metadata={"help": "check steps with their choice"})
    choices: tuple[Any, ...] = field(metadata={"help": "the four choices of a check"})
    steps: list[str] = field(metadata={"help": "the steps that can be selected"})
    selected: list[str] = field(metadata={"help": "the steps that are selected, none: all run"})
    source: str = field(metadata={"help": "the execution whose values the form has"})
    name: str = field(metadata={"help": "PipelineExecutionDisplayName"})
    description: str = field(metadata={"help": "PipelineExecutionDescription"})
    parallel: str = field(metadata={"help": "MaxParallelExecutionSteps"})
    version: str = field(metadata={"help": "PipelineVersionId, empty for the latest"})
    token: str = field(metadata={"help": "ClientRequestToken of this form: sent twice, it starts one execution"})
    changes: list[ParameterField] = field(metadata={"help": "fields that differ from their defaults"})
    command: str = field(metadata={"help": "the form as a command; empty while a field is not valid"})
    picker: S3Picker | None = field(default=None, metadata={"help": "the folder in which a value is looked for"})


def load(visit: Visit) -> StartContext:
    """The definition's parameters with their defaults, an execution's values, or what was typed or picked."""
    name, _, uri = visit.field("pick").partition(" ")
    if name:
        visit = replace(visit, form={**visit.form, f"p.{name}": [uri]})
    body = visit.call("sagemaker:DescribePipeline", {"PipelineName": visit.path["pipeline"]})
    definition = parse(body["PipelineDefinition"])
    source = visit.value("from")
    base = _values_of(visit, body["PipelineArn"], source) if source else {}
    users = find_users(definition)
    checks = [_check(visit, step, definition, base) for step in definition.steps.values()]
    shown = [check for check in checks if check is not None]
    switches = {name for check in shown for name in (check.skip, check.register)}
    fields = [_field(visit, definition, name, base, users) for name in definition.parameters]
    groups = {name: [item for item in fields if _group(item) == name and item.name not in switches] for name in GROUPS}
    return StartContext(
        body["PipelineName"], [(name, items) for name, items in groups.items() if items], shown, CHOICES,
        list(definition.steps), steps_to_run(visit, definition), source, visit.field("name"),
        visit.field("description"), visit.field("parallel"), visit.field("version"),
        visit.field("token") or secrets.token_hex(20), [item for item in fields if item.changed],
        _command(visit, definition, body, base), _picker(visit, fields),
    )  # fmt: skip


def _command(visit: Visit, definition: Definition, pipeline: dict[str, Any], base: dict[str, str]) -> str:
    """The form as a command; empty where a field is not what it should be, of which `act` says so."""
    try:
        return aws_command("sagemaker:StartPipelineExecution", build_request(visit, definition, pipeline, base))
    except ValidationError:
        return ""


def _picker(visit: Visit, fields: Sequence[ParameterField]) -> S3Picker | None:
    """The folder that the form wants; of a parameter alone, that of its value."""
    name, _, uri = (visit.field("browse") or visit.value("browse")).partition(" ")
    chosen = next((item for item in fields if item.name == name), None)
    if chosen is None:
        return None
    return pick_from(visit, name, uri if " " in (visit.field("browse") or visit.value("browse")) else chosen.value)


def _values_of(visit: Visit, pipeline_arn: str, execution: str) -> dict[str, str]:
    return values_of(visit, f"{pipeline_arn}/execution/{execution}")


def _field(
    visit: Visit, definition: Definition, name: str, base: Mapping[str, str], users: Mapping[str, list[str]]
) -> ParameterField:
    declared = definition.parameters[name]
    default = None if declared.default is None else text_of(declared.default)
    value = visit.field(f"p.{name}", base.get(name, default or ""))
    return ParameterField(
        name, declared.type, value, default, list(declared.enum), users.get(name, []), changed=value != (default or ""),
        note=_note(visit, value),
        is_place=declared.type == "String" and not declared.enum and bool(
            value.startswith("s3://") or (default or "").startswith("s3://") or _PLACE.search(name)
        ),
    )  # fmt: skip


def _note(visit: Visit, value: str) -> str:
    """Whether an object exists; it never stands in the way."""
    if not value.startswith("s3://"):
        return ""
    bucket, _, key = value.removeprefix("s3://").partition("/")
    try:
        response = visit.call("s3:ListObjectsV2", {"Bucket": bucket, "Prefix": key, "MaxKeys": 1})
    except ServiceError as error:
        return error.message
    objects = response.get("Contents", [])
    return f"exists, {size(objects[0]['Size'])}" if objects else "does not exist yet"


def _group(item: ParameterField) -> str:
    name = item.name.lower()
    if item.value.startswith("s3://") or (item.default or "").startswith("s3://"):
        return "Data"
    if any(word in name for word in _COMPUTE):
        return "Compute"
    return "Checks" if any(word in name for word in ("baseline", "supplied", "skip", "check")) else "Other"


def _parameter_of(value: Any) -> str:
    path = value.get("Get", "") if isinstance(value, dict) else ""
    return path.removeprefix("Parameters.") if path.startswith("Parameters.") else ""


def _check(visit: Visit, step: Step, definition: Definition, base: Mapping[str, str]) -> CheckChoice | None:
    """Found by reference, whatever the parameters are called."""
    skip, register = (
        _parameter_of(step.members.get("SkipCheck")),
        _parameter_of(step.members.get("RegisterNewBaseline")),
    )
    if step.type not in ("QualityCheck", "ClarifyCheck") or not skip or not register:
        return None

    def value(name: str) -> bool:
        declared = definition.parameters[name].default
        default = base.get(name, text_of(declared) if declared is not None else "false")
        return visit.field(f"p.{name}", default).lower() == "true"

    switches = (value(skip), value(register))
    choice = visit.field(f"check.{step.name}") or next(name for name, _, _, pair in CHOICES if pair == switches)
    group = step.members.get("ModelPackageGroupName")
    group = group if isinstance(group, str) else ""
    return CheckChoice(step.name, skip, register, choice, group, _baseline(visit, group))


def _baseline(visit: Visit, group: str) -> str:
    if not group:
        return ""
    versions = items_or_none(
        visit, "sagemaker:ListModelPackages", "ModelPackageSummaryList", 1, ModelPackageGroupName=group,
        ModelApprovalStatus="Approved", SortOrder="Descending", MaxResults=1,
    )  # fmt: skip
    return f"version {versions[0]['ModelPackageVersion']}" if versions else ""


def steps_to_run(visit: Visit, definition: Definition) -> list[str]:
    """The steps that the form has marked, or else those of the address: `steps`, or `after` with all that come after
    it. What is not selected and is needed has its result taken from the source execution."""
    if visit.form:
        return list(visit.form.get("steps", []))
    start = visit.value("after")
    if start not in definition.steps:
        return [name for name in visit.query.get("steps", []) if name in definition.steps]
    nodes = graph(definition)
    leads: dict[str, list[str]] = {}
    for name, node in nodes.items():
        for need in node.upstream:
            leads.setdefault(need, []).append(name)
    chosen, pending = {start}, [start]
    while pending:
        for name in leads.get(pending.pop(), ()):
            if name not in chosen:
                chosen.add(name)
                pending.append(name)
    return [name for name in definition.steps if name in chosen]


def build_request(
    visit: Visit, definition: Definition, pipeline: Mapping[str, Any], base: Mapping[str, str]
) -> dict[str, Any]:
    """What StartPipelineExecution gets: exactly what the form shows; values equal to their defaults are left out.

    `pipeline` is DescribePipeline's response.
    """
    values = dict(base)
    values |= {name[2:]: items[0] for name, items in visit.form.items() if name.startswith("p.") and items}
    for step in definition.steps.values():
        choice = visit.field(f"check.{step.name}")
        pair = next((pair for name, _, _, pair in CHOICES if name == choice), None)
        if pair is not None:
            values |= dict(zip(_switches(step), map(text_of, pair), strict=True))
    request: dict[str, Any] = {"PipelineName": pipeline["PipelineName"]}
    changed = list(_keep_changes(definition, values))
    if changed:
        request["PipelineParameters"] = [{"Name": name, "Value": value} for name, value in changed]
    for member, value in (
        ("PipelineExecutionDisplayName", visit.field("name").strip()),
        ("PipelineExecutionDescription", visit.field("description").strip()),
    ):
        if value:
            request[member] = value
    if visit.field("parallel").strip():
        number = _to_number(visit.field("parallel").strip(), "Number of steps at a time")
        request["ParallelismConfiguration"] = {"MaxParallelExecutionSteps": number}
    if visit.field("version").strip():
        request["PipelineVersionId"] = _to_number(visit.field("version").strip(), "Version")
    steps, source = steps_to_run(visit, definition), visit.field("from") or visit.value("from")
    if steps:
        config: dict[str, Any] = {"SelectedSteps": [{"StepName": name} for name in steps]}
        if source:
            config["SourcePipelineExecutionArn"] = f"{pipeline['PipelineArn']}/execution/{source}"
        request["SelectiveExecutionConfig"] = config
    return request


def _to_number(text: str, noun: str) -> int:
    number = whole(text, -1)
    if number < 0:
        raise ValidationError(f"{noun} '{text}' is no number.")
    return number


def _switches(step: Step) -> tuple[str, str]:
    return _parameter_of(step.members.get("SkipCheck")), _parameter_of(step.members.get("RegisterNewBaseline"))


def _keep_changes(definition: Definition, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        declared = definition.parameters.get(name)
        default = None if declared is None or declared.default is None else text_of(declared.default)
        if value != default:
            yield name, value


def act(visit: Visit) -> str:
    """Starts the execution. The API's validation decides; its error comes back with everything that was typed."""
    if visit.field("browse") or visit.field("pick"):
        return ""  # the page comes back with a folder of S3, or with what was picked there
    body = visit.call("sagemaker:DescribePipeline", {"PipelineName": visit.path["pipeline"]})
    definition = parse(body["PipelineDefinition"])
    source = visit.field("from") or visit.value("from")
    base = _values_of(visit, body["PipelineArn"], source) if source else {}
    request = build_request(visit, definition, body, base)
    if visit.field("action") == "command":
        return ""  # the page comes back with the command
    if len(visit.field("token")) >= 32:
        request["ClientRequestToken"] = visit.field("token")
    response = visit.call("sagemaker:StartPipelineExecution", request)
    return urls.execution(response["PipelineExecutionArn"])


PAGE = Page("/pipelines/{pipeline}/start", load, "start.html", "Pipelines", act)
