"""A model version: may it go to production? Metrics against production's, checks, approval with comment, deployment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import Conflict, ValidationError
from local_sagemaker.records.kinds import UPDATED
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.check_verdicts import verdicts_of_execution
from local_sagemaker.studio.pages.listing import items_or_none
from local_sagemaker.studio.pages.models import newest
from local_sagemaker.studio.pages.retraining import retrain_address
from local_sagemaker.studio.pages.serving import deploy, serving
from local_sagemaker.studio.pages.tagging import ACTIONS, edit_tags, tags_of
from local_sagemaker.studio.pages.version_reports import VersionReports, badge_of, load_reports, quality_of
from local_sagemaker.studio.views.check_reports import compare
from local_sagemaker.studio.views.commands import aws_command
from local_sagemaker.studio.views.times import iso, seconds

TABS = (
    ("quality", "Model quality"), ("data", "Data quality"), ("bias", "Bias"), ("explainability", "Explainability"),
    ("activity", "Activity"), ("settings", "Settings"),
)  # fmt: skip
STAGES = ("Proposal", "Development", "QA", "PreProduction", "Production", "Archived")
_REPORTS = (
    ("quality", "ModelQuality", "Model quality"), ("data", "ModelDataQuality", "Data quality"),
    ("bias", "Bias", "Bias"),
    ("explainability", "Explainability", "Explainability"),
)  # fmt: skip


@dataclass(frozen=True)
class VersionBadge:
    """Whether a kind of report is registered, its tab, and what the checks of that kind found."""

    tab: str
    title: str
    state: str
    verdict: str = ""
    is_violated: bool = False


@dataclass(frozen=True)
class KeyMetric:
    """A metric beside production's."""

    name: str
    value: float
    production: float | None
    verdict: str


@dataclass(frozen=True)
class Activity:
    """Something that happened to the version."""

    time: float
    text: str
    comment: str = ""
    by: str = ""


@dataclass(frozen=True)
class ModelVersionContext:
    """What a version's page shows."""

    group: str = field(metadata={"help": "the group's name"})
    version: int = field(metadata={"help": "the version's number"})
    arn: str = field(metadata={"help": "its ARN"})
    status: str = field(metadata={"help": "ModelApprovalStatus"})
    stage: str = field(metadata={"help": "ModelLifeCycle.Stage"})
    comment: str = field(metadata={"help": "ApprovalDescription"})
    created: float | None = field(metadata={"help": "seconds since the epoch"})
    seen: str = field(metadata={"help": "LastModifiedTime as shown, to notice a change by somebody else"})
    source: str = field(metadata={"help": "ARN of the execution that registered it"})
    endpoints: list[str] = field(metadata={"help": "endpoints that serve it"})
    production: int | None = field(metadata={"help": "the version that it is compared with"})
    key_metrics: list[KeyMetric] = field(metadata={"help": "its metrics beside those of the compared version"})
    badges: list[VersionBadge] = field(metadata={"help": "which reports are registered"})
    tab: str = field(metadata={"help": "the tab that is shown"})
    tabs: tuple[tuple[str, str], ...] = field(metadata={"help": "all tabs"})
    reports: VersionReports = field(metadata={"help": "what the tab shows"})
    activity: list[Activity] = field(metadata={"help": "what happened to it, newest first"})
    rules: dict[str, list[str]] = field(metadata={"help": "rules that would fire, by the status that is set"})
    stages: tuple[str, ...] = field(metadata={"help": "stages to choose from"})
    instances: list[str] = field(metadata={"help": "instance types it may be deployed to"})
    tags: dict[str, str] = field(metadata={"help": "the tags of its group, which its versions use"})
    retrain: str = field(metadata={"help": "the start form with the values of the execution that registered it"})
    package: dict[str, Any] = field(metadata={"help": "DescribeModelPackage's response"}, repr=False)
    commands: dict[str, str] = field(metadata={"help": "each action as a command"})


def load(visit: Visit) -> ModelVersionContext:
    """DescribeModelPackage, the version in production beside it, and what the tab shows."""
    package = describe(visit)
    arn, group, number = package["ModelPackageArn"], package["ModelPackageGroupName"], package["ModelPackageVersion"]
    tab = visit.value("tab") if visit.value("tab") in dict(TABS) else "quality"
    served = serving(visit)
    other = _production(visit, group, arn, served)
    status = package.get("ModelApprovalStatus", "")
    endpoints = served.get(arn.lower(), [])
    specification = package.get("InferenceSpecification", {})
    return ModelVersionContext(
        group, number, arn, status, package.get("ModelLifeCycle", {}).get("Stage", ""),
        package.get("ApprovalDescription", ""), seconds(package.get("CreationTime")),
        iso(package.get("LastModifiedTime") or package.get("CreationTime")),
        package.get("MetadataProperties", {}).get("GeneratedBy", ""), endpoints,
        (other or {}).get("ModelPackageVersion"), _key_metrics(visit, package, other),
        _badges(visit, package), tab, TABS,
        load_reports(visit, package, other, tab), _activity(visit, package) if tab == "activity" else [],
        {word: _rules(visit, package, word) for word in ("Approved", "Rejected")}, STAGES,
        specification.get("SupportedRealtimeInferenceInstanceTypes") or ["ml.m5.large"],
        tags_of(visit, group_arn(arn)) if tab == "settings" else {}, retrain_address(visit, package), package,
        _commands(arn),
    )  # fmt: skip


def describe(visit: Visit) -> dict[str, Any]:
    """The package of the address. Raises the API's error when there is none."""
    group = visit.call("sagemaker:DescribeModelPackageGroup", {"ModelPackageGroupName": visit.path["group"]})
    arn = group["ModelPackageGroupArn"].replace(":model-package-group/", ":model-package/")
    return visit.call("sagemaker:DescribeModelPackage", {"ModelPackageName": f"{arn}/{visit.path['version']}"})


def _badges(visit: Visit, package: dict[str, Any]) -> list[VersionBadge]:
    """One a kind of report, with the words of the checks of the execution that registered the version."""
    verdicts = verdicts_of_execution(visit, package.get("MetadataProperties", {}).get("GeneratedBy", ""))
    badges = []
    for key, member, title in _REPORTS:
        of_tab = [item for item in verdicts if item.tab == key]
        words = "; ".join(dict.fromkeys(item.words for item in of_tab))
        badges.append(
            VersionBadge(key, title, badge_of(package, member), words, any(item.is_violated for item in of_tab))
        )
    return badges


def group_arn(version_arn: str) -> str:
    """The ARN of the group of a version."""
    return version_arn.rpartition("/")[0].replace(":model-package/", ":model-package-group/")


def _production(visit: Visit, group: str, arn: str, served: dict[str, list[str]]) -> dict[str, Any] | None:
    """The newest other version that an endpoint serves, else the newest approved one."""
    prefix = f":model-package/{group.lower()}/"
    candidates = [other for other in served if prefix in other and other != arn.lower()]
    if candidates:
        other = max(candidates, key=lambda item: int(item.rpartition("/")[2]))
    else:
        other = newest(visit, group, "Approved").get("ModelPackageArn", "")
    if not other or other.lower() == arn.lower():
        return None
    return visit.optional("sagemaker:DescribeModelPackage", {"ModelPackageName": other})


def _key_metrics(visit: Visit, package: dict[str, Any], other: dict[str, Any] | None) -> list[KeyMetric]:
    before = quality_of(visit, other) if other else {}
    return [
        KeyMetric(name, value, before.get(name), compare(name, value, before.get(name)))
        for name, value in list(quality_of(visit, package).items())[:4]
    ]


def _activity(visit: Visit, package: dict[str, Any]) -> list[Activity]:
    key = f"{package['ModelPackageGroupName']}/{package['ModelPackageVersion']}".lower()
    activities = []
    for event in visit.reads.history(500, ("model-package",)):
        if event.key.lower() == key:
            by = event.body.get("LastModifiedBy") or event.body.get("CreatedBy") or {}
            comment = event.body.get("ApprovalDescription", "") if event.previous is not None else ""
            text = f"{event.previous} → {event.status}"
            if event.previous is None:
                text = f"Registered, {event.status}"
            elif event.previous == event.status:
                text, comment = _update_words(event.body), ""
            activities.append(Activity(event.time, text, comment, (by.get("IamIdentity") or {}).get("Arn", "")))
    created = seconds(package.get("CreationTime")) or 0.0
    if not any(item.text.startswith("Registered") for item in activities):
        activities.append(Activity(created, "Registered"))
    return activities


def _update_words(body: Mapping[str, Any]) -> str:
    """What an update changed that is no approval: the stage by its name, else the members."""
    members = [name for name in body.get(UPDATED, (0, ()))[1] if name != "ModelLifeCycle"]
    stage = body.get("ModelLifeCycle", {}).get("Stage", "")
    if stage and len(members) < len(body.get(UPDATED, (0, ()))[1]):
        members.insert(0, f"stage → {stage}")
    return f"Changed: {', '.join(members)}"


def _rules(visit: Visit, package: dict[str, Any], status: str) -> list[str]:
    """The rules that an update to this status would match, with their targets."""
    event = {
        "id": "00000000-0000-0000-0000-000000000000", "account": visit.reads.settings.account,
        "source": "aws.sagemaker",
        "time": "2026-01-01T00:00:00Z", "region": visit.region, "resources": [package["ModelPackageArn"]],
        "detail-type": "SageMaker Model Package State Change",
        "detail": {
            "ModelPackageGroupName": package["ModelPackageGroupName"], "ModelPackageArn": package["ModelPackageArn"],
            "ModelPackageVersion": package["ModelPackageVersion"], "ModelPackageStatus": "Completed",
            "ModelApprovalStatus": status,
        },
    }  # fmt: skip
    matching = []
    for rule in items_or_none(visit, "events:ListRules", "Rules", 100):
        if rule.get("State") != "ENABLED" or not rule.get("EventPattern"):
            continue
        request = {"EventPattern": rule["EventPattern"], "Event": json.dumps(event)}
        response = visit.optional("events:TestEventPattern", request)
        if response and response.get("Result"):
            targets = visit.optional("events:ListTargetsByRule", {"Rule": rule["Name"]}) or {}
            names = ", ".join(item["Arn"].rpartition(":")[2] for item in targets.get("Targets", [])) or "no target"
            matching.append(f"{rule['Name']} → {names}")
    return matching


def _commands(arn: str) -> dict[str, str]:
    update = "sagemaker:UpdateModelPackage"
    approve = {"ModelPackageArn": arn, "ModelApprovalStatus": "Approved", "ApprovalDescription": "why"}
    return {
        "approve": aws_command(update, approve),
        "reject": aws_command(update, {**approve, "ModelApprovalStatus": "Rejected"}),
        "describe": aws_command("sagemaker:DescribeModelPackage", {"ModelPackageName": arn}),
        "delete": aws_command("sagemaker:DeleteModelPackage", {"ModelPackageName": arn}),
    }


def act(visit: Visit) -> str:
    """Approves, rejects, moves to a stage, deploys, deletes, or edits the tags of the group."""
    package = describe(visit)
    arn, action = package["ModelPackageArn"], visit.field("action")
    page = urls.to("models", package["ModelPackageGroupName"], package["ModelPackageVersion"])
    if action == "status":
        _set_status(visit, package)
        return f"{page}?tab=activity"
    if action == "stage":
        life = {"Stage": visit.field("stage"), "StageStatus": visit.field("stage_status") or "Approved"}
        visit.call("sagemaker:UpdateModelPackage", {"ModelPackageArn": arn, "ModelLifeCycle": life})
        return page
    if action == "deploy":
        return urls.to("endpoints", deploy(visit, package))
    if action == "delete":
        name = f"{package['ModelPackageGroupName']}/{package['ModelPackageVersion']}"
        if visit.field("confirm") != name:
            raise ValidationError(f"Type {name} to delete the version.")
        visit.call("sagemaker:DeleteModelPackage", {"ModelPackageName": arn})
        return urls.to("models", package["ModelPackageGroupName"], done=f"{name} was deleted")
    if action in ACTIONS:
        edit_tags(visit, group_arn(arn))
        return f"{page}?tab=settings"
    raise ValidationError(f"There is no action '{action}'.")


def _set_status(visit: Visit, package: dict[str, Any]) -> None:
    status, comment = visit.field("status"), visit.field("comment").strip()
    if status == "Rejected" and not comment:
        raise ValidationError("A rejection needs a comment: what should be different?")
    seen = iso(package.get("LastModifiedTime") or package.get("CreationTime"))
    if visit.field("seen") and visit.field("seen") != seen:
        raise Conflict(
            f"The version was changed while this page was open: it is {package.get('ModelApprovalStatus')} now. "
            "Look at it again, then send the form once more."
        )
    request = {"ModelPackageArn": package["ModelPackageArn"], "ModelApprovalStatus": status}
    if comment:
        request["ApprovalDescription"] = comment
    visit.call("sagemaker:UpdateModelPackage", request)


def _live(_visit: Visit, context: ModelVersionContext) -> tuple[str, ...]:
    return f"model-package:{context.group}/{context.version}", "endpoint:"


PAGE = Page("/models/{group}/{version}", load, "model_version.html", "Models", act, _live)
