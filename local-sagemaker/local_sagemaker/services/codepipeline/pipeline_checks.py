"""What a pipeline's structure must be, checked before it is kept (CodePipeline user guide, "Pipeline structure")."""

from __future__ import annotations

from typing import Any

from local_sagemaker.codepipeline.variables import references
from local_sagemaker.services.codepipeline import configurations
from local_sagemaker.services.codepipeline.errors import PipelineError, invalid_action, invalid_structure

Structure = dict[str, Any]
PROVIDERS: dict[tuple[str, str], tuple[tuple[int, int], tuple[int, int]]] = {
    ("Source", "CodeCommit"): ((0, 0), (1, 1)),
    ("Source", "CodeStarSourceConnection"): ((0, 0), (1, 1)),
    ("Source", "S3"): ((0, 0), (1, 1)),
    ("Build", "CodeBuild"): ((1, 5), (0, 5)),
    ("Test", "CodeBuild"): ((1, 5), (0, 5)),
    ("Approval", "Manual"): ((0, 0), (0, 0)),
    ("Deploy", "CloudFormation"): ((0, 10), (0, 1)),
    ("Deploy", "S3"): ((1, 1), (0, 0)),
    ("Invoke", "Lambda"): ((0, 5), (0, 5)),
}
"""The actions that are executed here, and how many artifacts they take and give."""
MODES = ("CREATE_UPDATE", "REPLACE_ON_FAILURE", "DELETE_ONLY", "CHANGE_SET_REPLACE", "CHANGE_SET_EXECUTE")
_TWICE = "Namespaces must be unique across the pipeline definition. The following occur more than once in the pipeline."
_ABSENT = (
    "Valid format for a pipeline execution variable reference is a namespace and a key separated by a period (.). "
    "The following pipeline execution variables are referencing a namespace that does not exist."
)


def check(pipeline: Structure, account: str) -> None:
    """Raises InvalidStructureException and its like. `account` is that of the service."""
    stages = pipeline["stages"]
    if len(stages) < 2:
        raise invalid_structure(f"Pipeline has {len(stages)} stage(s), but needs at least 2")
    if "artifactStores" in pipeline:
        raise invalid_structure("LocalUnsupported: artifactStores (actions in other regions) are not executed here.")
    store = pipeline.get("artifactStore")
    if store is None:
        raise invalid_structure("The pipeline needs an artifactStore")
    if pipeline.get("pipelineType", "V1") != "V2":
        for member in ("triggers", "variables"):
            if pipeline.get(member):
                raise invalid_structure(f"Pipeline {member} are only allowed for pipelines of type V2")
        if pipeline.get("executionMode", "SUPERSEDED") != "SUPERSEDED":
            raise invalid_structure("Pipelines of type V1 have the execution mode SUPERSEDED")
    _check_unique("stage", [stage["name"] for stage in stages])
    produced: set[str] = set()
    for number, stage in enumerate(stages):
        _check_stage(stage, number, pipeline, account, produced)
    _check_triggers(pipeline)
    _check_unique("variable", [row["name"] for row in pipeline.get("variables", [])])
    _check_references(pipeline)


def _check_unique(what: str, names: list[str]) -> None:
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise invalid_structure(f"Each {what} name must be unique within its context: {', '.join(double)}")


def _check_stage(stage: Structure, number: int, pipeline: Structure, account: str, produced: set[str]) -> None:
    name, actions = stage["name"], stage["actions"]
    if not actions:
        text = f"Stage {name} has no actions"
        raise PipelineError(text, code="InvalidStageDeclarationException")
    if stage.get("blockers"):
        raise invalid_structure(f"LocalUnsupported: blockers of stage {name} are not executed here.")
    _check_unique("action", [action["name"] for action in actions])
    categories = {action["actionTypeId"]["category"] for action in actions}
    if number == 0 and categories != {"Source"}:
        raise invalid_structure(f"Pipeline should start with a stage that only contains source actions: {name}")
    if number and "Source" in categories:
        raise invalid_structure(f"Source actions are only allowed in the first stage, not in {name}")
    orders = sorted({action.get("runOrder", 1) for action in actions})
    for order in orders:
        fresh: list[str] = []
        for action in (action for action in actions if action.get("runOrder", 1) == order):
            check_action(action, account)
            for artifact in action.get("inputArtifacts", []):
                if artifact["name"] not in produced:
                    text = f"Input artifact {artifact['name']} in action {action['name']} is not declared as an output "
                    raise invalid_structure(f"{text}artifact of a preceding action in the pipeline.")
            fresh += [artifact["name"] for artifact in action.get("outputArtifacts", [])]
        _check_unique("output artifact", [*produced, *fresh])
        produced.update(fresh)
    _check_conditions(stage, pipeline)


def check_action(action: Structure, account: str) -> None:
    """Refuses an action that is not executed here, or is not whole."""
    kind, name = action["actionTypeId"], action["name"]
    provider, category = kind["provider"], kind["category"]
    if kind["owner"] != "AWS" or (category, provider) not in PROVIDERS:
        what = f"{category} by {kind['owner']}/{provider}"
        raise invalid_action(f"LocalUnsupported: actions of type {what} are not executed here (action {name}).")
    if kind["version"] != "1":
        raise invalid_action(
            f"ActionType ({category}, {provider}, {kind['version']}) of action {name} is not available"
        )
    if action.get("commands") or action.get("outputVariables") or action.get("environmentVariables"):
        raise invalid_action(f"LocalUnsupported: commands in an action are not executed here (action {name}).")
    configuration = action.get("configuration", {})
    configurations.check_action(name, (category, provider), configuration)
    for member, value in configuration.items():
        if len(value) > (10_000 if member == "EnvironmentVariables" else 1_000):
            raise invalid_action(f"The value of {member} of action {name} is too long")
    for side, bounds in zip(("input", "output"), PROVIDERS[category, provider], strict=True):
        count = len(action.get(f"{side}Artifacts", []))
        if not bounds[0] <= count <= bounds[1]:
            text = f"Action {name} has {count} {side} artifacts; {bounds[0]} to {bounds[1]} are expected"
            raise invalid_action(text)
    _check_provider(provider, name, action, configuration)
    if action.get("timeoutInMinutes") and category != "Approval":
        raise invalid_action(f"timeoutInMinutes is for actions of the category Approval only, not for {name}")
    role = action.get("roleArn", "")
    if role and role.split(":")[4:5] != [account]:
        raise invalid_action(f"LocalUnsupported: roles of other accounts are not executed here (action {name}).")


def _check_provider(provider: str, name: str, action: Structure, configuration: dict[str, str]) -> None:
    inputs = [artifact["name"] for artifact in action.get("inputArtifacts", [])]
    if provider == "CodeBuild" and len(inputs) > 1 and configuration.get("PrimarySource") not in inputs:
        raise invalid_action(f"Action {name} has several input artifacts: PrimarySource must name one of them")
    combines = provider == "CodeBuild" and configuration.get("CombineArtifacts") == "true"
    if combines and len(action.get("outputArtifacts", [])) > 1:
        raise invalid_action(f"Action {name} combines artifacts: it has one output artifact at most")
    if provider == "CloudFormation":
        mode = configuration["ActionMode"]
        if mode not in MODES:
            raise invalid_action(f"ActionMode {mode} of action {name} is none of {', '.join(MODES)}")
        if mode.startswith("CHANGE_SET") and not configuration.get("ChangeSetName"):
            raise invalid_action(f"Action {name}: ChangeSetName is required for {mode}")
        if mode not in ("DELETE_ONLY", "CHANGE_SET_EXECUTE") and not configuration.get("TemplatePath"):
            raise invalid_action(f"Action {name}: TemplatePath is required for {mode}")


def _check_conditions(stage: Structure, pipeline: Structure) -> None:
    results = {"beforeEntry": ("FAIL", "SKIP"), "onSuccess": ("FAIL", "ROLLBACK"), "onFailure": ("ROLLBACK", "FAIL")}
    for place, allowed in results.items():
        for condition in stage.get(place, {}).get("conditions", []):
            if condition.get("result") not in allowed:
                raise invalid_structure(f"Stage {stage['name']}: {place} allows the results {', '.join(allowed)}")
            for rule in condition.get("rules", []):
                provider = rule["ruleTypeId"]["provider"]
                if provider not in configurations.RULES or rule.get("commands"):
                    text = f"LocalUnsupported: rules of type {provider} are not executed here (stage {stage['name']})."
                    raise invalid_structure(text)
                configurations.check_rule(rule["name"], provider, rule.get("configuration", {}))
                if condition["result"] == "SKIP" and provider not in ("VariableCheck", "LambdaInvoke"):
                    raise invalid_structure(f"Stage {stage['name']}: {provider} is not allowed with the result SKIP")
    failure = stage.get("onFailure", {})
    if failure.get("result") == "RETRY" and failure.get("conditions"):
        raise invalid_structure(f"Stage {stage['name']}: automatic retry and conditions on failure exclude each other")
    rolls = "ROLLBACK" in [failure.get("result"), *(
        row.get("result") for place in results for row in stage.get(place, {}).get("conditions", []))]  # fmt: skip
    if rolls and pipeline.get("executionMode") == "PARALLEL":
        raise invalid_structure(f"Stage {stage['name']}: there is no rollback in the execution mode PARALLEL")


def _check_triggers(pipeline: Structure) -> None:
    sources = {action["name"]: action for action in pipeline["stages"][0]["actions"]}
    for trigger in pipeline.get("triggers", []):
        git = trigger["gitConfiguration"]
        if trigger["providerType"] != "CodeStarSourceConnection":
            raise invalid_structure(f"Triggers of the provider {trigger['providerType']} are not supported")
        source = sources.get(git["sourceActionName"])
        if source is None or source["actionTypeId"]["provider"] != "CodeStarSourceConnection":
            text = f"The trigger's source action {git['sourceActionName']} is no CodeStarSourceConnection action"
            raise invalid_structure(text)
        if git.get("pullRequest"):
            raise invalid_structure("LocalUnsupported: pull requests start no pipelines here (triggers).")


def _check_references(pipeline: Structure) -> None:
    """Namespaces that no action has, or two have; codes and texts as seen on AWS (aws/aws-cdk#17272, #6111)."""
    variables = {row["name"] for row in pipeline.get("variables", [])}
    actions = [(stage["name"], action) for stage in pipeline["stages"] for action in stage["actions"]]
    namespaces = {"codepipeline", *(["variables"] if variables else [])}
    for stage, action in actions:
        space = action.get("namespace")
        if space in namespaces:
            place = f"StageName=[{stage}], ActionName=[{action['name']}], Namespace=[{space}]"
            raise invalid_action(f"{_TWICE} {place}")
        namespaces |= {space} if space else set()
    for stage, action in actions:
        for member, value in action.get("configuration", {}).items():
            for space, key in references(value):
                if space not in namespaces:
                    place = f"StageName=[{stage}], ActionName=[{action['name']}], ActionConfigurationKey=[{member}]"
                    raise invalid_action(f"{_ABSENT}\n{place}, VariableReferenceText=[{space}.{key}]")
                if space == "variables" and key not in variables:
                    raise invalid_structure("The referenced variables haven't been declared.")
