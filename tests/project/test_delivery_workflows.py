"""The GitHub Actions flavour: workflows without keys and aliases, and the roles that they take on."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from delivery.project.command import SETTINGS, TEMPLATE
from delivery.project.seed import ROOT, WORKFLOWS, render

FOLDER = ROOT / "delivery/project/workflows"
FILES = sorted(path.name for path in FOLDER.glob("*.yml"))
TOP = {"name", "on", "permissions", "concurrency", "env", "jobs"}
JOB = {
    "runs-on", "environment", "env", "outputs", "steps", "needs", "if", "uses", "with", "concurrency", "permissions",
}  # fmt: skip
ACTIONS = ("actions/checkout@v6", "actions/setup-python@v6", "aws-actions/configure-aws-credentials@v6")
"""Of Node 24: GitHub's runners have no Node 20 since September 2026."""
STEP = {"id", "name", "if", "uses", "with", "run", "env"}


def load(name: str) -> dict[str, Any]:
    """With the key ``on`` as text: YAML 1.1 reads it as true."""
    content = yaml.safe_load((FOLDER / name).read_text())
    return {("on" if key is True else key): value for key, value in content.items()}


def test_a_seed_has_every_workflow(tmp_path: Path) -> None:
    assert sorted(name for names in WORKFLOWS.values() for name in names) == FILES
    for repository, names in WORKFLOWS.items():
        render(repository, tmp_path / repository, github_actions=True)
        rendered = tmp_path / repository / ".github/workflows"
        assert sorted(path.name for path in rendered.iterdir()) == sorted(names)
        for name in names:
            for called in re.findall(r"uses: \./\.github/workflows/(\S+)", (rendered / name).read_text()):
                assert (rendered / called).is_file()


@pytest.mark.parametrize("name", FILES)
def test_a_workflow_has_known_keys_no_aliases_and_no_secrets(name: str) -> None:
    text = (FOLDER / name).read_text()
    events = list(yaml.parse(text))
    assert not [event for event in events if isinstance(event, yaml.AliasEvent)]
    assert not [event for event in events if getattr(event, "anchor", None)]
    assert "secrets." not in text and "AWS_SECRET_ACCESS_KEY" not in text
    content = load(name)
    assert set(content) <= TOP
    assert content["permissions"] == {"id-token": "write", "contents": "read"}
    for job in content["jobs"].values():
        assert set(job) <= JOB and job.get("permissions", {}) in ({}, {"actions": "write"})
        assert ("uses" in job) != ("steps" in job)
        for step in job.get("steps", ()):
            assert set(step) <= STEP and ("uses" in step) != ("run" in step)
            assert step.get("uses", ACTIONS[0]) in ACTIONS


@pytest.mark.parametrize("name", FILES)
def test_every_reference_of_a_workflow_leads_somewhere(name: str) -> None:
    text, content = (FOLDER / name).read_text(), load(name)
    triggers = [content["on"].get(name) or {} for name in ("workflow_call", "workflow_dispatch")]
    inputs = [name for trigger in triggers for name in trigger.get("inputs", {})]
    assert set(re.findall(r"inputs\.(\w+)", text)) <= set(inputs)
    identities = {step.get("id") for job in content["jobs"].values() for step in job.get("steps", ())}
    assert set(re.findall(r"steps\.(\w+)\.", text)) <= identities
    documented = set(re.findall(r"\b[A-Z][A-Z_]+\b", text.split("\nname:")[0]))
    assert set(re.findall(r"vars\.(\w+)", text)) <= documented
    for job in content["jobs"].values():
        needed = job.get("needs", [])
        assert set([needed] if isinstance(needed, str) else needed) <= set(content["jobs"])
        called = job.get("uses", "").rpartition("/")[2]
        if called:
            accepted = load(called)["on"]["workflow_call"]["inputs"]
            assert set(job["with"]) == set(accepted)


def holds(condition: str, values: Mapping[str, str]) -> bool:
    """What GitHub makes of a job's condition: names without a value are empty, and texts are compared without case."""
    python = re.sub(
        r"(github|vars|inputs|needs)[\w.-]+", lambda name: repr(values.get(name[0], "").lower()),
        " ".join(condition.split()).replace("&&", "and").replace("||", "or"),
    )  # fmt: skip
    return bool(eval(python, {"startsWith": str.startswith}))


@pytest.mark.parametrize(
    ("event", "prefix", "runs"),
    [
        ({"event_name": "push", "ref_name": "main"}, "", True),
        ({"event_name": "push", "ref_name": "main"}, "try/", True),
        ({"event_name": "push", "ref_name": "try/deeper"}, "try/", True),
        ({"event_name": "push", "ref_name": "try/deeper"}, "", False),
        ({"event_name": "push", "ref_name": "experiment/deeper"}, "try/", False),
        ({"event_name": "delete", "event.ref": "try/deeper", "event.ref_type": "branch"}, "try/", True),
        ({"event_name": "delete", "event.ref": "try/deeper", "event.ref_type": "tag"}, "try/", False),
        ({"event_name": "delete", "event.ref": "try/deeper", "event.ref_type": "branch"}, "", False),
        ({"event_name": "delete", "event.ref": "feature/x", "event.ref_type": "branch"}, "try/", False),
        ({"event_name": "delete", "event.ref": "main", "event.ref_type": "branch", "ref_name": "main"}, "try/", False),
    ],
)
def test_the_build_runs_for_main_and_the_project_s_own_experiments(
    event: dict[str, str], prefix: str, runs: bool
) -> None:
    condition = load("modelbuild.yml")["jobs"]["build"]["if"]
    values = {f"github.{key}": value for key, value in event.items()} | {"vars.EXPERIMENT_BRANCHES": prefix}
    assert holds(condition, values) is runs
    assert SETTINGS["EXPERIMENT_BRANCHES"] == "ExperimentBranches"


def render_stage(folder: Path, stage: str, version: str, attempt: int = 1) -> tuple[str, dict[str, str]]:
    """Runs the step that renders, with a program in Python's place; its arguments and the step's outputs."""
    (step,) = [step for step in load("modeldeploy-stage.yml")["jobs"]["deploy"]["steps"] if step.get("id") == "render"]
    program, outputs = folder / "python", folder / "outputs"
    program.write_text(
        '#!/bin/sh\necho "$@" > arguments\nmkdir -p build\n'
        "echo 'DELIVERY_STATE=ready' > build/variables.env\n"
        "echo 'MODEL_PACKAGE_ARN=arn:aws:sagemaker:us-east-1:123456789012:model-package/p/12' >> build/variables.env\n"
    )
    program.chmod(0o755)
    outputs.write_text("")
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}", "GITHUB_OUTPUT": str(outputs), "GITHUB_RUN_ATTEMPT": str(attempt),
        "STAGE": stage, "VERSION": version, **dict.fromkeys(("NAME", "ID", "BUCKET", "EXECUTION_ROLE_ARN"), "x"),
    }  # fmt: skip
    subprocess.run(["bash", "-e", "-c", step["run"]], cwd=folder, env=environment, check=True, timeout=60)
    written = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    return (folder / "arguments").read_text(), written


def test_production_gets_the_version_that_staging_has_tested(tmp_path: Path) -> None:
    said, written = render_stage(tmp_path, "staging", "latest")
    assert "--version latest" in said and "--force" not in said
    assert written == {"state": "ready", "version": "12"}
    job = load("modeldeploy.yml")["jobs"]["production"]
    assert job["with"]["version"] == "${{ needs.staging.outputs.version }}"
    called = load("modeldeploy-stage.yml")
    assert called["on"]["workflow_call"]["outputs"]["version"]["value"] == "${{ jobs.deploy.outputs.version }}"
    assert called["jobs"]["deploy"]["outputs"]["version"] == "${{ steps.render.outputs.version }}"
    assert called["jobs"]["deploy"]["env"]["VERSION"] == "${{ inputs.version }}"
    said, _ = render_stage(tmp_path, "prod", written["version"])
    assert "--version 12" in said


def test_a_stage_that_is_run_again_is_tested_again(tmp_path: Path) -> None:
    assert "--force" in render_stage(tmp_path, "staging", "latest", attempt=2)[0]
    assert "--force" not in render_stage(tmp_path, "prod", "12", attempt=2)[0]


def test_monitors_of_staging_wait_for_no_reviewers_and_production_s_follow_its_own_endpoint() -> None:
    content, deploy = load("modelmonitor.yml"), load("modeldeploy.yml")["jobs"]
    assert "concurrency" not in content and "workflow_run" not in content["on"]
    groups = [job["concurrency"]["group"] for job in content["jobs"].values()]
    assert len(set(groups)) == len(groups) == 2
    stages = content["on"]["workflow_dispatch"]["inputs"]["stage"]["options"]
    for job, started in (("staging", "staging"), ("production", "prod")):
        starter = deploy[f"monitors-of-{job}"]
        assert starter["needs"] == job and f"--field stage={started}" in starter["steps"][0]["run"]
        assert "modelmonitor.yml" in starter["steps"][0]["run"] and started in stages
        assert starter["permissions"] == {"actions": "write"} and "environment" not in starter
    assert deploy["monitors-of-staging"]["if"] == deploy["production"]["if"]
    condition = content["jobs"]["production"]["if"]
    state = "needs.staging.outputs.production"
    assert holds(condition, {state: "ready"}) and holds(condition, {state: "ready", "inputs.stage": "prod"})
    assert not holds(condition, {state: "waiting"})
    assert not holds(condition, {state: "ready", "inputs.stage": "staging"})
    stage = load("modelmonitor-stage.yml")
    assert stage["on"]["workflow_call"]["outputs"]["production"]["value"] == "${{ jobs.deploy.outputs.production }}"
    (script,) = [step["run"] for step in stage["jobs"]["deploy"]["steps"] if step.get("id") == "monitors"]
    assert 'echo "production=$PROD_STATE" >> "$GITHUB_OUTPUT"' in script


def test_production_has_reviewers_and_roles_trust_only_their_branch_and_environments() -> None:
    deploy = load("modeldeploy.yml")["jobs"]
    assert deploy["staging"]["with"]["environment"] == "staging"
    assert deploy["production"]["with"]["environment"] == "production" and deploy["production"]["needs"] == "staging"
    assert deploy["production"]["if"] == "needs.staging.outputs.state == 'ready'"
    monitor = load("modelmonitor.yml")["jobs"]
    assert monitor["production"]["with"]["environment"] == "production" and monitor["production"]["needs"] == "staging"
    template = TEMPLATE.read_text()
    trusted = re.findall(r'token\.actions\.githubusercontent\.com:sub: ?(.*?)\n\s*(?:Policies|Tags|MaxSession|\S+:)\n',
                         template, re.DOTALL)  # fmt: skip
    assert len(trusted) == 2 and all("repo:${GitHubRepository}:" in text for text in trusted)
    assert re.findall(r".*\*.*", trusted[0]) == [
        '                    - !Sub "repo:${GitHubRepository}:ref:refs/heads/${ExperimentBranches}*"'
    ]
    assert "*" not in trusted[1]
    assert "environment:staging" in trusted[1] and "environment:production" in trusted[1]
    assert template.count("token.actions.githubusercontent.com:aud: sts.amazonaws.com") == 2
