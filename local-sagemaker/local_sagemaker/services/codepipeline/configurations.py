"""What the configuration of an action or a rule may have (CodePipeline user guide, "Action structure reference" and
"Rule structure reference")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from local_sagemaker.services.codepipeline.errors import invalid_action, invalid_structure

OPERATORS = ("EQ", "NE", "CONTAINS", "MATCHES")
"""Of VariableCheck rules."""


@dataclass(frozen=True)
class ConfigurationMembers:
    """The members' names. `unexecuted` are AWS's that have no effect here, and are refused by name."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    unexecuted: tuple[str, ...] = ()


_BUILD = ConfigurationMembers(
    ("ProjectName",), ("PrimarySource", "BatchEnabled", "CombineArtifacts", "EnvironmentVariables"),
    ("BuildspecOverride",),
)  # fmt: skip
ACTIONS = {
    ("Source", "CodeCommit"): ConfigurationMembers(
        ("RepositoryName", "BranchName"), ("PollForSourceChanges", "OutputArtifactFormat")
    ),
    ("Source", "CodeStarSourceConnection"): ConfigurationMembers(
        ("ConnectionArn", "FullRepositoryId", "BranchName"), ("OutputArtifactFormat", "DetectChanges")
    ),
    ("Source", "S3"): ConfigurationMembers(
        ("S3Bucket", "S3ObjectKey"), ("PollForSourceChanges",), ("AllowOverrideForS3ObjectKey",)
    ),
    ("Build", "CodeBuild"): _BUILD,
    ("Test", "CodeBuild"): _BUILD,
    ("Approval", "Manual"): ConfigurationMembers((), ("CustomData", "ExternalEntityLink", "NotificationArn")),
    ("Deploy", "CloudFormation"): ConfigurationMembers(
        ("ActionMode", "StackName"),
        ("Capabilities", "ChangeSetName", "OutputFileName", "ParameterOverrides", "RoleArn", "TemplateConfiguration",
         "TemplatePath"),
    ),
    ("Deploy", "S3"): ConfigurationMembers(
        ("BucketName", "Extract"), ("ObjectKey",), ("CannedACL", "CacheControl", "KMSEncryptionKeyARN")
    ),
    ("Invoke", "Lambda"): ConfigurationMembers(("FunctionName",), ("UserParameters",)),
}  # fmt: skip
RULES = {
    "VariableCheck": ConfigurationMembers(("Variable", "Value"), ("Operator",)),
    "CloudWatchAlarm": ConfigurationMembers(("AlarmName",), ("AlarmStates", "WaitTime")),
    "LambdaInvoke": ConfigurationMembers(("FunctionName",), ("UserParameters",)),
    "DeploymentWindow": ConfigurationMembers(("Cron",), ("TimeZone",)),
}


def check_action(name: str, kind: tuple[str, str], configuration: Mapping[str, str]) -> None:
    """Refuses what an action's configuration lacks, and what it has without effect."""
    members = ACTIONS[kind]
    missing = [member for member in members.required if not configuration.get(member)]
    if missing:
        raise invalid_action(
            f"Action configuration for action '{name}' is missing required configuration '{missing[0]}'"
        )
    for member in configuration:
        if member in members.unexecuted:
            raise invalid_action(f"LocalUnsupported: {member} of actions by {kind[1]} is not executed here "
                                 f"(action {name}).")  # fmt: skip
        if member not in (*members.required, *members.optional):
            raise invalid_action(f"Action configuration for action '{name}' contains unknown configuration '{member}'")


def check_rule(name: str, provider: str, configuration: Mapping[str, str]) -> None:
    """Refuses what a rule's configuration has without effect, and an unknown operator."""
    members = RULES[provider]
    for member in configuration:
        if member not in (*members.required, *members.optional):
            raise invalid_structure(f"Rule configuration for rule '{name}' contains unknown configuration '{member}'")
    if provider == "VariableCheck" and configuration.get("Operator", "EQ") not in OPERATORS:
        raise invalid_structure(
            f"Operator {configuration['Operator']} of rule {name} is none of {', '.join(OPERATORS)}"
        )
