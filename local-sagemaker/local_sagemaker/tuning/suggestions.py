"""Suggestions of what a tuning job tries next, by its strategy."""

from __future__ import annotations

import dataclasses
import json
import logging
import uuid
from pathlib import Path

from local_sagemaker.errors import ServiceError
from local_sagemaker.files.removal import discard
from local_sagemaker.images.image import Program
from local_sagemaker.images.libraries import catalogue
from local_sagemaker.processes.spec import Processes, ProcessSpec
from local_sagemaker.tuning.ranges import features
from local_sagemaker.tuning.sampling import SearchState, draw, on_grid

_MODEL = Program(
    ("tuning-suggestion",), "local_sagemaker.tuning.bayesian:main", libraries=catalogue.find(catalogue.ANALYZERS, "")
)
_MORE = 2  # results that a model needs to start from, beyond one for each range
_SECONDS = 300.0
log = logging.getLogger(__name__)


class Suggestions:
    """The strategies. Hyperband draws at random; `early_stopping` decides which of its training jobs continue."""

    def __init__(self, processes: Processes, folder: Path) -> None:
        """Models are fitted in processes, each of which has a folder of its own in `folder`."""
        self._processes, self._folder = processes, folder

    def __call__(self, state: SearchState) -> dict[str, str]:
        """The hyperparameters of the next training job."""
        if state.strategy == "Grid":
            return on_grid(state)
        known = [one for one in state.observations if one.objective is not None and features(state.space, one.values)]
        enough = len(known) >= len(state.space) + _MORE
        response = self._model_point(state) if state.strategy == "Bayesian" and enough else None
        return response or draw(state)

    def _model_point(self, state: SearchState) -> dict[str, str] | None:
        """What the model says; None when it has nothing to say."""
        root = self._folder / f"tuning-{uuid.uuid4().hex}"
        (root / "ml").mkdir(parents=True)
        (root / "ml" / "state.json").write_text(json.dumps(dataclasses.asdict(state)), "utf-8")
        try:
            process = self._processes.start(ProcessSpec(_MODEL, root, root / "log.txt"))
            code = process.wait(_SECONDS)
            if code == 0:
                point: dict[str, str] | None = json.loads((root / "ml" / "point.json").read_text("utf-8"))
                return point
            process.signal(9)
            said = (root / "log.txt").read_text("utf-8", "replace")[-2000:]
            log.warning("a point is drawn at random, as the model gave none (exit code %s): %s", code, said)
            return None
        except ServiceError as error:
            log.warning("a point is drawn at random, as the model's libraries are missing: %s", error.message)
            return None
        finally:
            discard(root)
