"""The commit that a build runs for: where it is found, and where it is written."""

from __future__ import annotations

from pipelines.commit import SourceCommit, find_commit, with_commit

ID = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"


def test_builds_say_their_commit_and_nothing_else_does() -> None:
    github = {"GITHUB_SHA": ID, "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "me/it",
              "GITHUB_REF_NAME": "main"}  # fmt: skip
    assert find_commit(github) == SourceCommit(ID, "https://github.com/me/it", "main")
    build = {"CODEBUILD_RESOLVED_SOURCE_VERSION": ID, "SOURCE_REPOSITORY": "me/it", "SOURCE_BRANCH": "experiment/a"}
    assert find_commit(build) == SourceCommit(ID, "me/it", "experiment/a")
    alone = {"CODEBUILD_RESOLVED_SOURCE_VERSION": ID, "CODEBUILD_SOURCE_REPO_URL": "https://example.com/it"}
    assert find_commit(alone) == SourceCommit(ID, "https://example.com/it")
    assert find_commit({"CODEBUILD_RESOLVED_SOURCE_VERSION": "arn:aws:s3:::bucket/key"}) is None  # a zip in S3
    assert find_commit({"HOME": "/root"}) is None


def test_registrations_inside_conditions_name_it_and_the_original_is_unchanged() -> None:
    register = {"Name": "Register", "Type": "RegisterModel", "Arguments": {}}
    own = {"Name": "Own", "Type": "RegisterModel", "Arguments": {"MetadataProperties": {"CommitId": "mine"}}}
    gate = {"Name": "Gate", "Type": "Condition", "Arguments": {"IfSteps": [register], "ElseSteps": []}}
    definition = {"Parameters": [], "Steps": [gate, own]}
    changed = with_commit(definition, SourceCommit(ID, "me/it", "main"))
    assert changed["Steps"][0]["Arguments"]["IfSteps"][0]["Arguments"]["MetadataProperties"] == {
        "GeneratedBy": {"Get": "Execution.PipelineExecutionArn"}, "CommitId": ID, "Repository": "me/it",
    }  # fmt: skip
    assert changed["Steps"][1]["Arguments"]["MetadataProperties"]["CommitId"] == "mine"
    assert register["Arguments"] == {}


def test_the_execution_and_the_pipeline_are_labelled() -> None:
    commit = SourceCommit(ID, "me/it", "main")
    assert commit.execution()["PipelineExecutionDisplayName"] == "commit-1a2b3c4d5e6f"
    assert commit.execution()["PipelineExecutionDescription"] == "Commit 1a2b3c4d5e6f on main of me/it"
    assert {tag["Key"] for tag in commit.tags()} == {"delivery:commit", "delivery:branch", "delivery:repository"}
    assert len(SourceCommit(ID).tags()) == 1
    assert SourceCommit(ID, branch="fix/#12,ü").tags()[1]["Value"] == "fix/_12_ü"  # what tags take
