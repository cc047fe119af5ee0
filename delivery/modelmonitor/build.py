"""Renders the monitors of both stages: ``python -m delivery.modelmonitor.build``.

Takes the version that each stage's endpoint serves and the stages' configurations, and writes the template and one
TemplateConfiguration per stage into a folder. It deploys nothing itself.

The exported variables DELIVERY_STATE (of staging) and PROD_STATE are ``ready``, or ``waiting`` while the stage has no
endpoint in service: the pipeline enters a stage only if it is ``ready``.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import boto3

from delivery.modelmonitor.baselines import SOURCES, BaselineError, Baselines, DeployedModel, find_deployed
from delivery.modelmonitor.portable.rendering import PortableMonitors, RenderedMonitors
from delivery.stages.configuration import ConfigurationError, StageConfiguration, read_configuration
from delivery.stages.tags import read_project_tags
from delivery.stages.variables import write_variables

HERE = Path(__file__).parent
SCHEMA = HERE / "monitoring-config.schema.json"
TEMPLATE = HERE / "monitor-template.yml"
STAGES = {"staging": "DELIVERY_STATE", "prod": "PROD_STATE"}
KINDS = {
    "DataQuality": ("DataQualityConstraints", "DataQualityStatistics"),
    "ModelQuality": ("ModelQualityConstraints",),
    "ModelBias": ("ModelBiasConfig",),
    "ModelExplainability": ("ModelExplainabilityConfig",),
}
"""The kinds of monitors, and the files without which there is none of Model Monitor's."""
OVERRIDABLE = (*SOURCES, "ModelBiasConstraints", "RetrainPipelineArn", "RetrainRoleArn")
"""Parameters that are found here unless a stage's configuration has a value of its own."""
NEEDS_LABELS = ("ModelQuality", "ModelBias")


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0, also while it waits; 1 for a missing baseline; 2 for a configuration that can't be deployed."""
    arguments = parse(argv)
    try:
        stages = {name: read_configuration(getattr(arguments, f"{name}_config"), SCHEMA) for name in STAGES}
        states = {variable: render(arguments, name, stages[name]) for name, variable in STAGES.items()}
    except ConfigurationError as error:
        print(f"build: {error}", file=sys.stderr)
        return 2
    except BaselineError as error:
        print(f"build: {error}", file=sys.stderr)
        return 1
    shutil.copyfile(TEMPLATE, arguments.output / TEMPLATE.name)
    write_variables(arguments.output / "variables.env", states)
    return 0


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The arguments; exits with 2 if they are wrong."""
    parser = argparse.ArgumentParser(
        "python -m delivery.modelmonitor.build", description=(__doc__ or "").split("\n")[0]
    )
    add = parser.add_argument
    add("--sagemaker-project-name", required=True)
    add("--sagemaker-project-id", required=True)
    add("--sagemaker-project-arn", default="", help="its tags are put on everything that is deployed")
    add("--monitor-role", required=True, help="the role of the monitors' jobs")
    add("--monitor-image", required=True, help="the image of Model Monitor")
    add("--clarify-image", required=True, help="the image of Clarify")
    add("--events-role", default="", help="the role by which an alarm's event starts the model's pipeline")
    add(
        "--monitors-flavour",
        choices=("native", "portable"),
        default="native",
        help="unless a stage's configuration says",
    )
    add("--check-image", default="", help="the image of the portable monitors' jobs, with scikit-learn")
    add("--s3-bucket", required=True, help="where monitors write")
    add("--staging-config", type=Path, default=HERE / "staging-monitoring-config.json")
    add("--prod-config", type=Path, default=HERE / "prod-monitoring-config.json")
    add("--output", type=Path, default=Path("build"), help="the folder of the results")
    return parser.parse_args(argv)


def render(arguments: argparse.Namespace, name: str, stage: StageConfiguration) -> str:
    """Writes one stage's configuration; its state."""
    sagemaker = boto3.client("sagemaker")
    project = (arguments.sagemaker_project_name, arguments.sagemaker_project_id)
    endpoint = f"{project[0]}-{stage.stage}"
    deployed = find_deployed(sagemaker, endpoint)
    place = f"s3://{arguments.s3_bucket}/monitor-baselines/{stage.stage}"
    rendered = Baselines(sagemaker, boto3.client("s3"), place).render(deployed) if deployed else {}
    parameters = {
        **rendered,
        **find_retraining(arguments, deployed),
        **{key: value for key, value in stage.parameters.items() if value or key not in OVERRIDABLE},
        "SageMakerProjectName": project[0],
        "MonitorRoleArn": arguments.monitor_role,
        "MonitorImageUri": arguments.monitor_image,
        "ClarifyImageUri": arguments.clarify_image,
        "MonitorOutputPath": f"s3://{arguments.s3_bucket}/monitor-output/{stage.stage}",
    }
    parameters["MonitorsFlavour"] = stage.parameters.get("MonitorsFlavour") or arguments.monitors_flavour
    lacking: Mapping[str, Sequence[str]] = {
        kind: [file for file in files if not parameters.get(file)] for kind, files in KINDS.items()
    }
    if parameters["MonitorsFlavour"] == "portable" and deployed and deployed.version:
        monitors = render_portable(arguments, endpoint, deployed.version, parameters)
        parameters.update(monitors.parameters)
        lacking = monitors.lacking
    tags = read_project_tags(sagemaker, *project, arguments.sagemaker_project_arn)
    stage.extend(parameters, {**tags, "sagemaker:deployment-stage": stage.stage}).write(
        arguments.output / f"{name}-config-export.json"
    )
    for line in explain(endpoint, deployed, parameters, lacking):
        print(f"build: {line}")
    return "ready" if deployed else "waiting"


def render_portable(
    arguments: argparse.Namespace, endpoint: str, version: str, parameters: Mapping[str, str]
) -> RenderedMonitors:
    """Uploads the monitoring pipeline's programs and definition.

    :raises ConfigurationError: if there is no image or role for it.
    """
    if not arguments.check_image or not arguments.events_role:
        raise ConfigurationError("portable monitors need --check-image and --events-role")
    prefix = f"s3://{arguments.s3_bucket}/portable-monitors/{endpoint}"
    monitors = PortableMonitors(
        boto3.client("sagemaker"), boto3.client("s3"), prefix, arguments.check_image, arguments.monitor_role
    )
    role = arguments.events_role.partition(":role/")[2]
    rendered = monitors.render(endpoint, version, parameters)
    return RenderedMonitors({**rendered.parameters, "ScheduleRoleName": role}, rendered.lacking)


def find_retraining(arguments: argparse.Namespace, deployed: DeployedModel | None) -> Mapping[str, str]:
    """The model's pipeline, in the region and account of the deployed version, and the role that starts it."""
    if deployed is None or deployed.version is None or not arguments.events_role:
        return {}
    prefix = deployed.version.partition(":model-package/")[0]
    name = f"{arguments.sagemaker_project_name}-{arguments.sagemaker_project_id}"
    return {"RetrainPipelineArn": f"{prefix}:pipeline/{name}", "RetrainRoleArn": arguments.events_role}


def explain(
    endpoint: str, deployed: DeployedModel | None, parameters: Mapping[str, str], lacking: Mapping[str, Sequence[str]]
) -> list[str]:
    """What will be monitored, and why something will not.

    :param lacking: by kind the files of its baseline that the version does not have.
    """
    if deployed is None:
        return [f"waiting: no endpoint {endpoint} in service"]
    if deployed.version is None:
        return [f"{endpoint} serves {deployed.model}, which is no version of a model group: it has no baselines"]
    lines = [f"ready: {endpoint} serves {deployed.version}"]
    if parameters.get("PortableDefinitionKey"):
        lines.append(f"monitors: the scheduled pipeline {endpoint}-monitoring, without Model Monitor")
    for kind in KINDS:
        if parameters.get(f"Enable{kind}Monitor", "yes") != "yes":
            lines.append(f"{kind}: off")
        elif lacking[kind]:
            lines.append(f"{kind}: not monitored, the version has no baseline of it ({', '.join(lacking[kind])})")
        elif kind in NEEDS_LABELS and not parameters.get("GroundTruthInput"):
            lines.append(f"{kind}: not monitored, it needs labels: set GroundTruthInput")
        else:
            lines.append(f"{kind}: monitored")
    lines.append(_explain_retraining(parameters))
    return lines


def _explain_retraining(parameters: Mapping[str, str]) -> str:
    if parameters.get("RetrainOnDrift", "no") != "yes":
        return "retraining: off (RetrainOnDrift)"
    if not parameters.get("DriftFeature"):
        return "retraining: off, as no alarm watches drift: set DriftFeature"
    if not (parameters.get("RetrainPipelineArn") and parameters.get("RetrainRoleArn")):
        return "retraining: off, as there is no role for it: --events-role"
    return f"retraining: drift of {parameters['DriftFeature']} starts {parameters['RetrainPipelineArn']}"


if __name__ == "__main__":
    sys.exit(main())
