"""One analysis of Clarify: bias metrics, SHAP values and partial dependence, as analysis.json has them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from model_checks.analysis import bias, explainability
from model_checks.analysis.baselines import baseline_from, make_baseline
from model_checks.analysis.bias_counts import Counted
from model_checks.analysis.bias_metrics import BiasMetric
from model_checks.analysis.explainability import Explanation, SamplingSettings
from model_checks.analysis.partial_dependence import partial_dependence
from model_checks.clarify import data
from model_checks.clarify.bias_blocks import BiasBlocks, matrix
from model_checks.clarify.config import Config, Fetch, Model, Rows
from model_checks.clarify.data import ClarifyData
from model_checks.datasets.files import files
from model_checks.errors import AnalysisError
from model_checks.report import Report

Column = tuple[str, bool]  # a feature's name, and whether it holds whole numbers only

_TOP_FEATURES = 10

log = logging.getLogger("analyzer")


def violations(report: Report, baseline: Report) -> list[Report]:
    """What got worse since an earlier analysis.json."""
    return [*bias.violations(report, baseline), *explainability.violations(report, baseline)]


@dataclass
class Analysis:
    """One analysis: what is queried of the model is queried once."""

    config: Config
    data: ClarifyData
    output: Path  # local SHAP values go there
    connect: Callable[[Sequence[Column]], Model]
    fetch: Fetch
    explanation: Explanation | None = field(default=None, init=False)

    @property
    def methods(self) -> Config:
        return self.config["methods"]  # type: ignore[no-any-return]

    @cached_property
    def model(self) -> Model:
        dtypes = self._dtypes
        return self.connect([(name, pd.api.types.is_integer_dtype(dtypes[name])) for name in self.data.features])

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
        report: Report = {"version": "1.0"}
        for name, known in (("post_training_bias", bias.POST_TRAINING), ("pre_training_bias", bias.PRE_TRAINING)):
            if name in self.methods:
                log.info("Calculating %s bias metrics", name.removesuffix("_bias").replace("_", "-"))
                report[f"{name}_metrics"] = self._bias(self.methods[name]["methods"], known)
        explanations: Report = {}
        if "shap" in self.methods:
            explanations["kernel_shap"] = self._shap(self.methods["shap"])
        if "pdp" in self.methods:
            explanations["pdp"] = self._pdp(self.methods["pdp"], explanations.get("kernel_shap"))
        if explanations:
            report["explanations"] = explanations
        return report

    def _bias(self, methods: Any, known: Sequence[BiasMetric]) -> Report:
        try:
            return bias.section(self.counted, bias.choose_metrics(methods, known))
        except ValueError as error:
            raise AnalysisError(f"ClientError: {error}") from None

    @cached_property
    def counted(self) -> Counted:
        """The dataset's rows, counted for all bias metrics at once. Raises AnalysisError where that can't be done."""
        methods = [
            method
            for name, known in (("post_training_bias", bias.POST_TRAINING), ("pre_training_bias", bias.PRE_TRAINING))
            if name in self.methods
            for method in bias.choose_metrics(self.methods[name]["methods"], known)
        ]
        with TemporaryFile() as kept:
            blocks = BiasBlocks(self.data, self.config, kept, "post_training_bias" in self.methods, lambda: self.model)
            counts = bias.count_metrics(blocks.stream(), methods)
        if counts.cut_at is not None:
            log.info("We assume a prediction above %.3f indicates 1 and below or equal indicates 0", counts.cut_at)
        return counts

    def _shap(self, config: Config) -> Report:
        if not self.data.features:
            raise AnalysisError("ClientError: The dataset has no features: all its columns have another role.")
        baseline = self._baseline(config)
        explained = config.get("features_to_explain")
        positions = [self.data.features.index(self.data.column(name)) for name in explained] if explained else None
        settings = SamplingSettings(
            config.get("num_samples"), config.get("seed"), bool(config.get("use_logit")), positions
        )
        explanation = explainability.kernel_shap(self.rows, matrix(baseline), self.model.scores, settings)
        self.explanation = explanation
        total = explanation.aggregate(str(config.get("agg_method", "mean_abs")).lower())
        self._write_local_values(explanation, baseline, bool(config.get("save_local_shap_values")))
        shown = positions if positions is not None else range(len(self.data.features))
        names = self._names(explanation.values.shape[2])
        return {
            name: {
                "global_shap_values": {self.data.features[i]: float(total[i, label]) for i in shown},
                "expected_value": float(explanation.expected[label]),
            }
            for label, name in enumerate(names)
        }

    def _names(self, count: int) -> list[str]:
        headers = (self.config.get("predictor") or {}).get("label_headers")
        return [str(h) for h in headers] if headers and len(headers) == count else [f"label{i}" for i in range(count)]

    def _write_local_values(self, explanation: Explanation, baseline: pd.DataFrame, save: bool) -> None:
        folder = self.output / "explanations_shap"
        folder.mkdir(parents=True, exist_ok=True)
        baseline.to_csv(folder / "baseline.csv", index=False)
        if not save:
            return
        columns = {
            f"{feature}_{label}": explanation.values[:, position, number]
            for number, label in enumerate(self._names(explanation.values.shape[2]))
            for position, feature in enumerate(self.data.features)
        }
        if self.data.joinsource:
            columns = {self.data.joinsource: self.data.frame[self.data.joinsource].to_numpy(), **columns}
        write_csv(folder / "out.csv", columns)

    def _baseline(self, config: Config) -> pd.DataFrame:
        """The baseline's rows: given in place, by an S3 URI, or made from the dataset."""
        features = self.data.frame[self.data.features]
        baseline = config.get("baseline")
        if baseline is None:
            return make_baseline(features, config.get("num_clusters"), config.get("seed"))
        if isinstance(baseline, str):
            paths = files(self.fetch(baseline, "shap-baseline"))
            return self._read_baseline(data.baseline_rows(paths, self.config))
        rows = baseline if isinstance(baseline, list) else [baseline]
        return self._read_baseline([data.record_values(row, self.config) for row in rows])

    def _read_baseline(self, rows: list[list[Any]]) -> pd.DataFrame:
        try:
            return baseline_from(rows, self.data.frame[self.data.features])
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


def write_csv(path: Path, columns: Mapping[str, Any]) -> None:
    """A CSV file with a header, numbers in full precision."""
    import pyarrow as pa
    from pyarrow import csv

    csv.write_csv(pa.table(dict(columns)), path, csv.WriteOptions(quoting_style="needed", quoting_header="none"))
