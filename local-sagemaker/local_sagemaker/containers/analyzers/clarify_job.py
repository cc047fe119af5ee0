"""The program of the Clarify image: bias metrics, SHAP values and partial dependence, and their report.

Configured by /opt/ml/processing/input/config/analysis_config.json. With an earlier analysis.json in the environment
variable ``baseline_constraints``, what got worse is written to constraint_violations.json.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from local_sagemaker.clarify_inputs import folder_of
from local_sagemaker.containers.analyzers import clarify_data, clarify_model, storage
from local_sagemaker.containers.analyzers.clarify_bias import BiasBlocks, matrix
from local_sagemaker.containers.analyzers.clarify_config import Config, checked
from local_sagemaker.containers.analyzers.clarify_data import ClarifyData
from local_sagemaker.containers.analyzers.clarify_model import Model
from local_sagemaker.containers.analyzers.contract import guarded, local, log, read_json, write
from local_sagemaker.containers.analyzers.report import Evidence, write_report
from local_sagemaker.containers.paths import ml
from model_checks.analysis import bias, explainability
from model_checks.analysis.baselines import given_baseline, made_baseline
from model_checks.analysis.bias_counts import Counted
from model_checks.analysis.bias_metrics import BiasMetric
from model_checks.analysis.explainability import Explanation, Settings
from model_checks.analysis.partial_dependence import partial_dependence
from model_checks.datasets.files import files
from model_checks.errors import AnalysisError

Report = dict[str, Any]
Rows = npt.NDArray[Any]

DONE = "SageMaker XAI Analyzer ran successfully"
_TOP_FEATURES = 10


def main(arguments: list[str]) -> int:
    """Runs one job; the container takes no arguments. The exit code is 0, or 255 when the job fails."""
    del arguments
    return guarded(lambda: run(os.environ))


def run(environment: Mapping[str, str]) -> str:
    """Analyses the dataset, writes the reports and answers the exit message."""
    config = checked(read_json(folder_of("analysis_config", ml()) / "analysis_config.json", "analysis config"))
    output = ml() / "processing" / "output"
    analysis = Analysis(config, clarify_data.load(config), output)
    found = analysis.report()
    write(output / "analysis.json", json.dumps(found, indent=4))
    violations = _violations(environment, found)
    if violations:
        write(output / "constraint_violations.json", json.dumps({"version": "1.0", "violations": violations}, indent=4))
    if "report" in config["methods"]:
        write_report(output, analysis.evidence(found, violations))
    log.info("Collected analyses:\n%s", json.dumps(found, indent=4))
    return f"CompletedWithViolations: {DONE} with {len(violations)} violations" if violations else f"Completed: {DONE}"


def _violations(environment: Mapping[str, str], found: Report) -> list[Report]:
    path = environment.get("baseline_constraints")
    if not path:
        return []
    file = local(path)
    baseline = read_json(file / "analysis.json" if file.is_dir() else file, "baseline constraints")
    return [*bias.violations(found, baseline), *explainability.violations(found, baseline)]


@dataclass
class Analysis:
    """One analysis: what is asked of the model is asked once."""

    config: Config
    data: ClarifyData
    output: Path
    explanation: Explanation | None = field(default=None, init=False)

    @property
    def methods(self) -> Config:
        return self.config["methods"]  # type: ignore[no-any-return]

    @cached_property
    def model(self) -> Model:
        predictor, kind = self.config.get("predictor") or {}, self.config["dataset_type"].lower()
        dtypes = self._dtypes
        columns = [(name, pd.api.types.is_integer_dtype(dtypes[name])) for name in self.data.features]
        return Model(predictor, kind, columns, clarify_model.connected(predictor, kind))

    @property
    def _dtypes(self) -> pd.Series:
        """The features' types in the first rows."""
        for block in self.data.table.blocks(self.data.features):
            return block.dtypes
        raise AnalysisError("ClientError: The dataset has no rows.")

    @cached_property
    def rows(self) -> Rows:
        """The features as the model sees them: doubles, or objects where some are text."""
        return matrix(self.data.frame[self.data.features])

    @cached_property
    def scores(self) -> npt.NDArray[np.float64]:
        return self.model.scores(self.rows)

    @cached_property
    def label_names(self) -> list[str]:
        """The names of the model's scores."""
        headers = (self.config.get("predictor") or {}).get("label_headers")
        width = self.scores.shape[1]
        return (
            [str(name) for name in headers]
            if headers and len(headers) == width
            else [f"label{i}" for i in range(width)]
        )

    def report(self) -> Report:
        """analysis.json."""
        found: Report = {"version": "1.0"}
        for name, known in (("post_training_bias", bias.POST_TRAINING), ("pre_training_bias", bias.PRE_TRAINING)):
            if name in self.methods:
                log.info("Calculating %s bias metrics", name.removesuffix("_bias").replace("_", "-"))
                found[f"{name}_metrics"] = self._bias(self.methods[name]["methods"], known)
        explanations: Report = {}
        if "shap" in self.methods:
            explanations["kernel_shap"] = self._shap(self.methods["shap"])
        if "pdp" in self.methods:
            explanations["pdp"] = self._pdp(self.methods["pdp"], explanations.get("kernel_shap"))
        if explanations:
            found["explanations"] = explanations
        return found

    def _bias(self, methods: Any, known: Sequence[BiasMetric]) -> Report:
        try:
            return bias.section(self.counted, bias.chosen(methods, known))
        except ValueError as error:
            raise AnalysisError(f"ClientError: {error}") from None

    @cached_property
    def counted(self) -> Counted:
        """The dataset's rows, counted for all bias metrics at once. Raises AnalysisError where that can't be done."""
        methods = [
            method
            for name, known in (("post_training_bias", bias.POST_TRAINING), ("pre_training_bias", bias.PRE_TRAINING))
            if name in self.methods
            for method in bias.chosen(self.methods[name]["methods"], known)
        ]
        with TemporaryFile() as kept:
            blocks = BiasBlocks(self.data, self.config, kept, "post_training_bias" in self.methods, lambda: self.model)
            found = bias.counted(blocks.stream(), methods)
        if found.cut_at is not None:
            log.info("We assume a prediction above %.3f indicates 1 and below or equal indicates 0", found.cut_at)
        return found

    def _shap(self, config: Config) -> Report:
        if not self.data.features:
            raise AnalysisError("ClientError: The dataset has no features: all its columns have another role.")
        baseline = self._baseline(config)
        explained = config.get("features_to_explain")
        positions = [self.data.features.index(self.data.column(name)) for name in explained] if explained else None
        settings = Settings(config.get("num_samples"), config.get("seed"), bool(config.get("use_logit")), positions)
        found = explainability.kernel_shap(self.rows, matrix(baseline), self.model.scores, settings)
        self.explanation = found
        total = found.aggregated(str(config.get("agg_method", "mean_abs")).lower())
        self._write_local_values(found, baseline, bool(config.get("save_local_shap_values")))
        shown = positions if positions is not None else range(len(self.data.features))
        names = self._names(found.values.shape[2])
        return {
            name: {
                "global_shap_values": {self.data.features[i]: float(total[i, label]) for i in shown},
                "expected_value": float(found.expected[label]),
            }
            for label, name in enumerate(names)
        }

    def _names(self, count: int) -> list[str]:
        headers = (self.config.get("predictor") or {}).get("label_headers")
        return [str(h) for h in headers] if headers and len(headers) == count else [f"label{i}" for i in range(count)]

    def _write_local_values(self, found: Explanation, baseline: pd.DataFrame, save: bool) -> None:
        folder = self.output / "explanations_shap"
        folder.mkdir(parents=True, exist_ok=True)
        baseline.to_csv(folder / "baseline.csv", index=False)
        if not save:
            return
        columns = {
            f"{feature}_{label}": found.values[:, position, number]
            for number, label in enumerate(self._names(found.values.shape[2]))
            for position, feature in enumerate(self.data.features)
        }
        if self.data.joinsource:
            columns = {self.data.joinsource: self.data.frame[self.data.joinsource].to_numpy(), **columns}
        write_csv(folder / "out.csv", columns)

    def _baseline(self, config: Config) -> pd.DataFrame:
        """The baseline's rows: given in place, by an S3 URI, or made from the dataset."""
        features = self.data.frame[self.data.features]
        given = config.get("baseline")
        if given is None:
            return made_baseline(features, config.get("num_clusters"), config.get("seed"))
        if isinstance(given, str):
            paths = files(storage.fetched(given, "shap-baseline"))
            return self._named_baseline(clarify_data.baseline_rows(paths, self.config))
        rows = given if isinstance(given, list) else [given]
        return self._named_baseline([clarify_data.record_values(row, self.config) for row in rows])

    def _named_baseline(self, rows: list[list[Any]]) -> pd.DataFrame:
        try:
            return given_baseline(rows, self.data.frame[self.data.features])
        except ValueError as error:
            raise AnalysisError(f"ClientError: {error}") from None

    def _pdp(self, config: Config, shap: Report | None) -> list[Report]:
        frame = self.data.frame[self.data.features]
        names = [self.data.column(name) for name in config.get("features") or ()]
        if not names:
            ranked = next(iter(shap.values()))["global_shap_values"] if shap else dict.fromkeys(frame.columns, 0.0)
            names = sorted(ranked, key=lambda name: -abs(ranked[name]))[: config.get("top_k_features", _TOP_FEATURES)]
        resolution = config["grid_resolution"]
        return [
            partial_dependence(frame, self.rows, name, resolution, self.model.scores, self.label_names)
            for name in names
        ]

    def evidence(self, found: Report, violations: list[Report]) -> Evidence:
        """What the readable report is made from."""
        settings = self.methods["report"]
        has_bias = any(name in self.methods for name in ("pre_training_bias", "post_training_bias"))
        return Evidence(
            name=settings["name"],
            title=settings.get("title") or "Analysis Report",
            config=dict(self.config),
            analysis=found,
            violations=violations,
            rows=self.counted.rows if has_bias else len(self.data.frame),
            counted=self.counted if has_bias else None,
            explanation=self.explanation,
            features=self.data.features,
        )


def write_csv(path: Path, columns: Mapping[str, Any]) -> None:
    """A CSV file with a header, numbers in full precision."""
    import pyarrow as pa
    from pyarrow import csv

    csv.write_csv(pa.table(dict(columns)), path, csv.WriteOptions(quoting_style="needed", quoting_header="none"))
