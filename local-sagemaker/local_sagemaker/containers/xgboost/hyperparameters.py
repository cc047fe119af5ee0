"""Hyperparameters of the built-in algorithm: one table, and their validation in the container's order and words.

Everything arrives as text. `validate` returns what goes to ``xgboost.train``: only what was given, since the container
has no defaults of its own (contracts: containers 3.3, 3.4).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_sagemaker.containers.failure import UserError
from local_sagemaker.xgboost_names import KNOWN_METRICS, OBJECTIVES

ALIASES = {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha"}
LINEAR_UPDATERS = ("shotgun", "coord_descent")
TREE_GROWERS = ("grow_colmaker", "distcol", "grow_histmaker", "grow_skmaker")
TREE_UPDATERS = (*TREE_GROWERS, "sync", "refresh", "prune")


@dataclass(frozen=True)
class Interval:
    """Numbers between two bounds, printed as mathematicians write it; None is unbounded."""

    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False

    def __contains__(self, value: Any) -> bool:
        if self.low is not None and (value <= self.low if self.low_open else value < self.low):
            return False
        return self.high is None or not (value >= self.high if self.high_open else value > self.high)

    def __str__(self) -> str:
        low = "(-inf" if self.low is None else f"{'(' if self.low_open else '['}{self.low}"
        return f"{low}, " + ("+inf)" if self.high is None else f"{self.high}{')' if self.high_open else ']'}")


class MetricRange:
    """The known metrics, three of them also with a threshold after an ``@``."""

    def __contains__(self, metric: str) -> bool:
        if "<function" in metric:
            raise UserError(f"User defined evaluation metric {metric} is not supported yet.")
        if "@" not in metric:
            return metric in KNOWN_METRICS
        name, threshold = (part.strip() for part in metric.split("@")[:2])
        if name not in ("error", "ndcg", "map"):
            raise UserError(
                f"Metric '{metric}' is not supported. Parameter 'eval_metric' with customized threshold should "
                "be one of these options: 'error', 'ndcg', 'map'."
            )
        try:
            float(threshold)
        except ValueError:
            raise UserError(f"Threshold value 't' in '{name}@t' expects float input.") from None
        return True

    def __str__(self) -> str:
        return str(list(KNOWN_METRICS))


@dataclass(frozen=True)
class Hyperparameter:
    """How a text is parsed, and which values are allowed. `nesting` is the depth of lists in a value."""

    parse: Callable[[str], Any]
    allowed: Any
    nesting: int = 0

    def check(self, name: str, value: Any) -> None:
        """Raises UserError for a value out of range."""
        if self.nesting == 0:
            if value not in self.allowed:
                raise UserError(f"Hyperparameter {name}: {value} is not in {self.allowed}")
            return
        elements = value if self.nesting == 1 else [element for inner in value for element in inner]
        if any(element not in self.allowed for element in elements):
            raise UserError(f"Hyperparameter {name}: value {value} not in range {self.allowed}")


def _sequence(text: str) -> Any:
    value = ast.literal_eval(text)
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{text} is not a list")
    return value


def _int(low: float | None = None, high: float | None = None, *, low_open: bool = False) -> Hyperparameter:
    return Hyperparameter(int, Interval(low, high, low_open, False))


def _float(
    low: float | None = None, high: float | None = None, *, low_open: bool = False, high_open: bool = False
) -> Hyperparameter:
    return Hyperparameter(float, Interval(low, high, low_open, high_open))


def _one_of(*values: str) -> Hyperparameter:
    return Hyperparameter(str, list(values))


def _list_of(allowed: Any) -> Hyperparameter:
    return Hyperparameter(lambda text: text.split(","), allowed, 1)


TABLE: dict[str, Hyperparameter] = {
    "num_round": _int(1),
    "csv_weights": _int(0, 1),
    "early_stopping_rounds": _int(1),
    "booster": _one_of("gbtree", "gblinear", "dart"),
    "verbosity": _int(0, 3),
    "nthread": _int(1),
    "eta": _float(0, 1),
    "gamma": _float(0),
    "max_depth": _int(0),
    "min_child_weight": _float(0),
    "max_delta_step": _float(0),
    "subsample": _float(0, 1, low_open=True),
    "colsample_bytree": _float(0, 1, low_open=True),
    "colsample_bylevel": _float(0, 1, low_open=True),
    "colsample_bynode": _float(0, 1, low_open=True),
    "lambda": _float(0),
    "alpha": _float(0),
    "tree_method": _one_of("auto", "exact", "approx", "hist", "gpu_hist"),
    "sketch_eps": _float(0, 1, low_open=True, high_open=True),
    "scale_pos_weight": _float(0, low_open=True),
    "updater": _list_of([*TREE_UPDATERS, *LINEAR_UPDATERS]),
    "dsplit": _one_of("row", "col"),
    "refresh_leaf": _int(0, 1),
    "process_type": _one_of("default", "update"),
    "grow_policy": _one_of("depthwise", "lossguide"),
    "max_leaves": _int(0),
    "max_bin": _int(0),
    "predictor": _one_of("auto", "cpu_predictor", "gpu_predictor"),
    "monotone_constraints": Hyperparameter(_sequence, [-1, 0, 1], 1),
    "interaction_constraints": Hyperparameter(_sequence, Interval(1), 2),
    "sample_type": _one_of("uniform", "weighted"),
    "normalize_type": _one_of("tree", "forest"),
    "rate_drop": _float(0, 1),
    "one_drop": _int(0, 1),
    "skip_drop": _float(0, 1),
    "lambda_bias": _float(0, 1),
    "tweedie_variance_power": _float(1, 2, low_open=True, high_open=True),
    "objective": _one_of(*OBJECTIVES),
    "num_class": _int(2),
    "base_score": _float(0),
    "_kfold": _int(2),
    "_num_cv_round": _int(1),
    "_tuning_objective_metric": _one_of(*(f"validation:{metric}" for metric in KNOWN_METRICS)),
    "eval_metric": _list_of(MetricRange()),
    "seed": Hyperparameter(int, Interval(-(2**31), 2**31 - 1, True, True)),
    "num_parallel_tree": _int(1),
    "save_model_on_termination": _one_of("true", "false"),
    "aft_loss_distribution": _one_of("normal", "logistic", "extreme"),
    "aft_loss_distribution_scale": _float(0),
    "deterministic_histogram": _one_of("true", "false"),
    "sampling_method": _one_of("uniform", "gradient_based"),
    "prob_buffer_row": _int(1.0, low_open=True),
    "use_dask_gpu_training": _one_of("true", "false"),
}
SILENT = _int(0, 1)


def _objective(value: str, parameters: Mapping[str, Any]) -> None:
    if value in ("multi:softmax", "multi:softprob") and parameters.get("num_class") is None:
        raise UserError("Require input for parameter 'num_class' for multi-classification")


def _eval_metric(value: Sequence[str], parameters: Mapping[str, Any]) -> None:
    objective = parameters["objective"]  # the container, too, ends with a KeyError when no objective is given
    if "auc" in value and not objective.startswith(("binary:", "rank:")):
        raise UserError("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in value and objective != "survival:aft":
        raise UserError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")


def _updater(value: Sequence[str], parameters: Mapping[str, Any]) -> None:
    if parameters.get("booster") == "gblinear":
        if len(value) != 1 or value[0] not in LINEAR_UPDATERS:
            raise UserError("Linear updater should be one of these options: 'shotgun', 'coord_descent'.")
    elif parameters.get("process_type") == "update":
        if not set(value) <= {"refresh", "prune"}:
            raise UserError("process_type 'update' can only be used with updater 'refresh' and 'prune'")
    elif not set(value) <= set(TREE_UPDATERS):
        options = ", ".join(f"'{updater}'" for updater in TREE_UPDATERS)
        raise UserError(f"Tree updater should be selected from these options: {options}.")
    elif sum(updater in TREE_GROWERS for updater in value) > 1:
        options = ", ".join(f"'{updater}'" for updater in TREE_GROWERS)
        raise UserError(f"Only one tree grow plugin can be selected. Choose one from the following: {options}")


def _constraint(name: str, methods: tuple[str, ...], words: str) -> Callable[[Any, Mapping[str, Any]], None]:
    def check(_value: Any, parameters: Mapping[str, Any]) -> None:
        if parameters.get("tree_method") not in methods:
            raise UserError(f"{name} can be used only when the tree_method parameter is set to either {words}.")

    return check


DEPENDENCIES: dict[str, Callable[[Any, Mapping[str, Any]], None]] = {
    "objective": _objective,
    "eval_metric": _eval_metric,
    "updater": _updater,
    "monotone_constraints": _constraint("monotone_constraints", ("exact", "hist"), "'exact' or 'hist'"),
    "interaction_constraints": _constraint(
        "interaction_constraints", ("exact", "hist", "approx"), "'exact', 'hist' or 'approx'"
    ),
}


def validate(texts: Mapping[str, str], *, silent_accepted: bool = False) -> dict[str, Any]:
    """Parsed hyperparameters. UserError in this order: required, unknown or unparsable, out of range, dependencies."""
    table = {**TABLE, "silent": SILENT} if silent_accepted else TABLE
    texts = {ALIASES.get(name, name): text for name, text in texts.items()}
    if "num_round" not in texts:
        raise UserError("Missing required hyperparameter: num_round")
    values: dict[str, Any] = {}
    for name, text in texts.items():
        if name not in table:
            raise UserError(f"Extraneous hyperparameter found: {name}")
        try:
            values[name] = table[name].parse(str(text))
        except ValueError as error:
            raise UserError(f"Hyperparameter {name}: could not parse value", caused_by=error) from error
    for name, value in values.items():
        table[name].check(name, value)
    for name, check in DEPENDENCIES.items():
        if name in values:
            check(values[name], values)
    return values
