"""The record of an endpoint through its life: created, updating, settled; pure changes of its body.

Members with an underscore are the service's own: ``_spec`` is what runs, ``_config`` the configuration it is of,
``_next`` what an update is bringing, ``_changed`` when the last change began.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.api.operations import Call
from local_sagemaker.endpoints.endpoint_spec import EndpointSpec, VariantSpec
from local_sagemaker.errors import ValidationError
from local_sagemaker.records.kinds import DEPLOYMENT
from local_sagemaker.records.own_members import EndpointRecord, own_endpoint
from local_sagemaker.records.status import CaptureStatus, EndpointStatus, VariantStatus
from local_sagemaker.records.store import Body
from local_sagemaker.services.sagemaker.endpoint_configs import check_concurrency

_TEXT = 1024  # FailureReason


def spec(name: str, arn: str, config: Body, call: Call) -> EndpointSpec:
    """What an endpoint of this configuration runs. Raises for a model that was deleted in the meantime."""
    variants = []
    for kind in ("ProductionVariants", "ShadowProductionVariants"):
        for variant in config.get(kind, ()):
            model = call("sagemaker:DescribeModel", {"ModelName": variant["ModelName"]})
            variants.append(VariantSpec.of(variant, model, shadow=kind == "ShadowProductionVariants"))
    return EndpointSpec(
        name=name,
        arn=arn,
        config=config["EndpointConfigName"],
        variants=tuple(variants),
        capture=config.get("DataCaptureConfig"),
        asynchronous=config.get("AsyncInferenceConfig"),
    )


def new_record(spec: EndpointSpec, config: Body, moment: float) -> Body:
    """The record of a new endpoint."""
    body: Body = {
        "EndpointName": spec.name,
        "EndpointArn": spec.arn,
        "EndpointStatus": EndpointStatus.CREATING,
        "CreationTime": moment,
        "LastModifiedTime": moment,
        **EndpointRecord(_changed=moment, _config=config),
    }
    _show(body, spec, config, moment)
    for variant in [*body["ProductionVariants"], *body.get("ShadowProductionVariants", ())]:
        variant["VariantStatus"] = [{"Status": VariantStatus.CREATING, "StartTime": moment}]
    return body


def begin_update(
    body: Body, spec: EndpointSpec, config: Body, deployment: Mapping[str, Any] | None, moment: float
) -> None:
    """An update begins."""
    body["EndpointStatus"] = EndpointStatus.UPDATING
    body.pop("FailureReason", None)
    body.pop("LastDeploymentConfig", None)
    if deployment:
        body["LastDeploymentConfig"] = dict(deployment)
    shown: Body = {}
    _show(shown, spec, config, moment)
    pending = {name: shown[name] for name in ("ProductionVariants", "ShadowProductionVariants") if name in shown}
    body["PendingDeploymentSummary"] = {"EndpointConfigName": spec.config, "StartTime": moment, **pending}
    own_endpoint(body)["_next"] = {"spec": spec.as_record(), "config": config}


def scaling(body: Body, spec: EndpointSpec, moment: float) -> None:
    """A change of weights and numbers of instances begins."""
    body["EndpointStatus"] = EndpointStatus.UPDATING
    body.pop("FailureReason", None)
    own_endpoint(body)["_next"] = {"spec": spec.as_record(), "config": own_endpoint(body)["_config"]}
    _desire(body, spec, moment)


def record_progress(body: Body, stage: str, share: float, moment: float) -> None:
    """A deployment got to a stage. Back to "Updating" of the old variants it is being undone."""
    pending = body.get("PendingDeploymentSummary")
    if pending is None:
        return
    own_endpoint(body)[DEPLOYMENT] = f"{stage} {share:.3f}"
    if stage == VariantStatus.UPDATING:
        body["EndpointStatus"] = EndpointStatus.ROLLING_BACK
    for variant in pending["ProductionVariants"]:
        variant["VariantStatus"] = [{
            "Status": stage if stage != VariantStatus.UPDATING else VariantStatus.DELETING,
            "StatusMessage": f"{share:.0%} of the traffic goes to this variant's new version.",
            "StartTime": moment,
        }]  # fmt: skip


def settle(body: Body, status: str, reason: str | None, spec: EndpointSpec | None, moment: float) -> None:
    """A change has ended; `spec` runs now."""
    if body["EndpointStatus"] == EndpointStatus.DELETING:
        return
    if (
        body["EndpointStatus"] == EndpointStatus.ROLLING_BACK and not reason
    ):  # a crash of the service has ended the rollback
        reason = "The deployment was rolled back."
    pending = own_endpoint(body).pop("_next", None)
    body.pop("PendingDeploymentSummary", None)
    own_endpoint(body).pop(DEPLOYMENT, None)
    body["EndpointStatus"] = status
    body["LastModifiedTime"] = moment
    body.pop("FailureReason", None)
    for variant in body["ProductionVariants"]:
        variant.pop("VariantStatus", None)
    if reason:
        body["FailureReason"] = reason[:_TEXT]
    config = own_endpoint(body)["_config"]
    if spec is not None:
        if (
            pending
            and pending["spec"]["config"] == spec.config
            and own_endpoint(body)["_spec"]["config"] != spec.config
        ):
            config = pending["config"]
        _show(body, spec, config, moment)
    elif status == EndpointStatus.FAILED:
        for variant in [*body["ProductionVariants"], *body.get("ShadowProductionVariants", ())]:
            variant.pop("VariantStatus", None)
            variant["CurrentInstanceCount"] = 0


def _desire(body: Body, spec: EndpointSpec, moment: float) -> None:
    """Shows the weights and counts that a change is to bring."""
    for variant in body["ProductionVariants"]:
        wanted = spec.variant(variant["VariantName"])
        if wanted is None:
            continue
        variant["DesiredWeight"] = wanted.weight
        if wanted.serverless:
            variant["DesiredServerlessConfig"] = dict(wanted.serverless)
        else:
            status: Body = {"Status": VariantStatus.UPDATING, "StartTime": moment}
            if wanted.instances > variant["CurrentInstanceCount"]:
                status["StatusMessage"] = f"Scaling out desired instance count to {wanted.instances}."
            if wanted.instances != variant["CurrentInstanceCount"]:
                variant["VariantStatus"] = [status]
            variant["DesiredInstanceCount"] = wanted.instances


def describe(body: Body) -> Body:
    """Describe's response: pending deployments are shown while there is one."""
    if body["EndpointStatus"] == EndpointStatus.FAILED:
        return {name: value for name, value in body.items() if name != "PendingDeploymentSummary"}
    return body


def retain(spec: EndpointSpec, config: Body, body: Body, excluded: set[str]) -> tuple[EndpointSpec, Body]:
    """The new specification with the properties that variants of the same names have now, but for the excluded."""
    current = EndpointSpec.from_record(own_endpoint(body)["_spec"])
    changes: dict[str, dict[str, Any]] = {}
    for variant in spec.variants:
        old = current.variant(variant.name)
        if old is not None:
            kept = {"DesiredInstanceCount": ("instances", old.instances), "DesiredWeight": ("weight", old.weight)}
            changes[variant.name] = dict(value for name, value in kept.items() if name not in excluded)
    spec = spec.with_changes(changes)
    if "DataCaptureConfig" not in excluded:
        spec = EndpointSpec(**{**vars(spec), "capture": current.capture})
        config = {name: value for name, value in config.items() if name != "DataCaptureConfig"}
        if current.capture:
            config["DataCaptureConfig"] = dict(current.capture)
    return spec, config


def scale(spec: EndpointSpec, wanted: list[dict[str, Any]], arn: str) -> EndpointSpec:
    """The specification with DesiredWeightsAndCapacities."""
    changes: dict[str, dict[str, Any]] = {}
    for one in wanted:
        variant = spec.variant(one["VariantName"])
        if one["VariantName"] in changes:  # text: moto
            raise ValidationError(f'The variant name "{one["VariantName"]}" was non-unique within the request.')
        if variant is None or variant.shadow:
            absent = one["VariantName"]
            raise ValidationError(f'The variant name(s) "{absent}" is/are not present within endpoint "{arn}".')
        change: dict[str, Any] = {}
        if "DesiredWeight" in one:
            change["weight"] = one["DesiredWeight"]
        if "DesiredInstanceCount" in one:
            if variant.serverless or (one["DesiredInstanceCount"] == 0 and not spec.asynchronous):
                raise ValidationError(f"DesiredInstanceCount of variant {variant.name} must be at least 1.")
            change["instances"] = one["DesiredInstanceCount"]
        if "ServerlessUpdateConfig" in one:
            if not variant.serverless:
                raise ValidationError(f"Variant {variant.name} is not serverless.")
            change["serverless"] = {**variant.serverless, **one["ServerlessUpdateConfig"]}
            check_concurrency(variant.name, change["serverless"])
        changes[variant.name] = change
    return spec.with_changes(changes)


def check_deployment(deployment: Mapping[str, Any], new: EndpointSpec, old: EndpointSpec) -> None:
    """Refuses a DeploymentConfig that cannot be meant."""
    blue_green, rolling = deployment.get("BlueGreenUpdatePolicy"), deployment.get("RollingUpdatePolicy")
    if blue_green and rolling:
        raise ValidationError("Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be specified.")
    if rolling and (len(new.variants) > 1 or len(old.variants) > 1 or new.variants[0].serverless):
        raise ValidationError("RollingUpdatePolicy is for endpoints with one variant on instances.")
    if (blue_green or rolling) and {v.name for v in new.variants} != {v.name for v in old.variants}:
        raise ValidationError(
            "With a DeploymentConfig the new endpoint configuration must have the same variant names."
        )
    routing = (blue_green or {}).get("TrafficRoutingConfiguration", {})
    needed = {"CANARY": ("CanarySize", 1, 50), "LINEAR": ("LinearStepSize", 10, 50)}.get(routing.get("Type", ""))
    if needed:
        member, least, most = needed
        size = routing.get(member)
        if size is None:
            raise ValidationError(f"TrafficRoutingConfiguration of type {routing['Type']} needs {member}.")
        if size["Type"] == "CAPACITY_PERCENT" and not least <= size["Value"] <= most:
            raise ValidationError(f"{member} must be between {least} and {most} percent.")
    batch = (rolling or {}).get("MaximumBatchSize")
    if batch and batch["Type"] == "CAPACITY_PERCENT" and not 5 <= batch["Value"] <= 50:
        raise ValidationError("MaximumBatchSize must be between 5 and 50 percent.")


def _show(body: Body, spec: EndpointSpec, config: Body, moment: float) -> None:
    """What Describe says of what runs; the images of another configuration were resolved at `moment`."""
    if body.get("EndpointConfigName") != spec.config:
        own_endpoint(body)["_resolved"] = moment
    resolved = own_endpoint(body).setdefault("_resolved", moment)
    body["EndpointConfigName"] = spec.config
    body["ProductionVariants"] = [_variant(variant, resolved) for variant in spec.variants if not variant.shadow]
    shadows = [_variant(variant, resolved) for variant in spec.variants if variant.shadow]
    for name, value in (
        ("ShadowProductionVariants", shadows),
        ("AsyncInferenceConfig", spec.asynchronous),
        ("ExplainerConfig", config.get("ExplainerConfig")),
        ("DataCaptureConfig", _capture(spec.capture)),
    ):
        body.pop(name, None)
        if value:
            body[name] = value
    own_endpoint(body)["_spec"] = spec.as_record()
    own_endpoint(body)["_config"] = config


def _variant(spec: VariantSpec, resolved: float) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "VariantName": spec.name,
        "DeployedImages": [
            {"SpecifiedImage": container["Image"], "ResolvedImage": container["Image"], "ResolutionTime": resolved}
            for container in spec.containers
        ],
        "CurrentWeight": spec.weight,
        "DesiredWeight": spec.weight,
    }
    if spec.serverless:
        # The desired configuration is shown while an update changes it; instances are none (seen in a public notebook).
        return {**shown, "CurrentInstanceCount": 0, "CurrentServerlessConfig": dict(spec.serverless)}
    return {**shown, "CurrentInstanceCount": spec.instances, "DesiredInstanceCount": spec.instances}


def _capture(config: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not config:
        return None
    enabled = config.get("EnableCapture", True)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": CaptureStatus.STARTED if enabled else CaptureStatus.STOPPED,
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }
