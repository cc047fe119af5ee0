"""What the configuration of actions may refer to, checked when a pipeline is made (DEL-30)."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.services.codepipeline.errors import PipelineError
from local_sagemaker.services.codepipeline.pipeline_checks import check

ACCOUNT = "123456789012"


def action(name: str, category: str, provider: str, configuration: dict[str, str], **more: Any) -> dict[str, Any]:
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": name, "actionTypeId": kind, "configuration": configuration, **more}


def pipeline(text: str, *, namespace: str = "Code", **more: Any) -> dict[str, Any]:
    """A pipeline whose approval shows a text."""
    source = action("Fetch", "Source", "CodeCommit", {"RepositoryName": "r", "BranchName": "main"},
                    namespace="Code", outputArtifacts=[{"name": "Files"}])  # fmt: skip
    ask = action("Ask", "Approval", "Manual", {"CustomData": text}, namespace=namespace)
    stages = [{"name": "Source", "actions": [source]}, {"name": "Review", "actions": [ask]}]
    return {"name": "p", "pipelineType": "V2", "artifactStore": {"type": "S3", "location": "b"}, "stages": stages,
            **more}  # fmt: skip


def test_a_namespace_that_no_action_has() -> None:
    for text, reference in (("#{Buld.STATE}", "Buld.STATE"), ("see #{variables.WHO}", "variables.WHO")):
        with pytest.raises(PipelineError) as raised:
            check(pipeline(text, namespace="Review"), ACCOUNT)
        assert raised.value.code == "InvalidActionDeclarationException"
        assert raised.value.message == (
            "Valid format for a pipeline execution variable reference is a namespace and a key separated by a period "
            "(.). The following pipeline execution variables are referencing a namespace that does not exist.\n"
            f"StageName=[Review], ActionName=[Ask], ActionConfigurationKey=[CustomData], "
            f"VariableReferenceText=[{reference}]"
        )


def test_a_namespace_that_two_actions_have() -> None:
    with pytest.raises(PipelineError) as raised:
        check(pipeline("text"), ACCOUNT)
    assert raised.value.code == "InvalidActionDeclarationException"
    assert raised.value.message == (
        "Namespaces must be unique across the pipeline definition. The following occur more than once in the "
        "pipeline. StageName=[Review], ActionName=[Ask], Namespace=[Code]"
    )


def test_a_variable_of_the_pipeline_that_is_not_declared() -> None:
    declared = {"variables": [{"name": "WHO"}]}
    text = "#{variables.WHO}, #{Code.CommitId}, #{codepipeline.PipelineExecutionId}"
    check(pipeline(text, namespace="Review", **declared), ACCOUNT)
    with pytest.raises(PipelineError, match="The referenced variables haven't been declared"):
        check(pipeline("#{variables.WHOM}", namespace="Review", **declared), ACCOUNT)
