"""Hyperparameters of the built-in algorithm: parsing, ranges, dependencies and the container's error texts."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.containers.failure import UserError
from local_sagemaker.containers.xgboost.hyperparameters import TABLE, validate

STOCK = {
    "objective": "reg:squarederror", "num_round": "50", "max_depth": "5", "eta": "0.2", "gamma": "4",
    "min_child_weight": "6", "subsample": "0.7",
}  # fmt: skip


def test_stock_hyperparameters_come_out_parsed_and_alone() -> None:
    assert validate(STOCK) == {
        "objective": "reg:squarederror", "num_round": 50, "max_depth": 5, "eta": 0.2, "gamma": 4.0,
        "min_child_weight": 6.0, "subsample": 0.7,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"num_round": None}, "Missing required hyperparameter: num_round"),
        ({"bogus": "1"}, "Extraneous hyperparameter found: bogus"),
        ({"silent": "0"}, "Extraneous hyperparameter found: silent"),
        ({"single_precision_histogram": "true"}, "Extraneous hyperparameter found: single_precision_histogram"),
        ({"ETA": "0.1"}, "Extraneous hyperparameter found: ETA"),
        ({"max_depth": "5.0"}, "Hyperparameter max_depth: could not parse value (caused by ValueError)"),
        ({"eta": "fast"}, "Hyperparameter eta: could not parse value (caused by ValueError)"),
        ({"eta": "2.0"}, "Hyperparameter eta: 2.0 is not in [0, 1]"),
        ({"learning_rate": "2"}, "Hyperparameter eta: 2.0 is not in [0, 1]"),
        ({"num_round": "0"}, "Hyperparameter num_round: 0 is not in [1, +inf)"),
        ({"subsample": "0"}, "Hyperparameter subsample: 0.0 is not in (0, 1]"),
        ({"sketch_eps": "1"}, "Hyperparameter sketch_eps: 1.0 is not in (0, 1)"),
        ({"scale_pos_weight": "0"}, "Hyperparameter scale_pos_weight: 0.0 is not in (0, +inf)"),
        ({"tweedie_variance_power": "2"}, "Hyperparameter tweedie_variance_power: 2.0 is not in (1, 2)"),
        ({"prob_buffer_row": "1"}, "Hyperparameter prob_buffer_row: 1 is not in (1.0, +inf)"),
        ({"seed": "2147483647"}, "Hyperparameter seed: 2147483647 is not in (-2147483648, 2147483647)"),
        ({"booster": "linear"}, "Hyperparameter booster: linear is not in ['gbtree', 'gblinear', 'dart']"),
        ({"booster": "GBTREE"}, "Hyperparameter booster: GBTREE is not in ['gbtree', 'gblinear', 'dart']"),
        ({"process_type": "x"}, "Hyperparameter process_type: x is not in ['default', 'update']"),
        ({"save_model_on_termination": "True"},
         "Hyperparameter save_model_on_termination: True is not in ['true', 'false']"),
        ({"objective": "multi:softmax"}, "Require input for parameter 'num_class' for multi-classification"),
        ({"eval_metric": "auc"}, "Metric 'auc' can only be applied for classification and ranking problems."),
        ({"eval_metric": "aft-nloglik"}, "Metric 'aft-nloglik' can only be applied for 'survival:aft' objective."),
        ({"eval_metric": "error@x"}, "Threshold value 't' in 'error@t' expects float input."),
        ({"monotone_constraints": "(1,-1)"},
         "monotone_constraints can be used only when the tree_method parameter is set to either 'exact' or 'hist'."),
        ({"monotone_constraints": "(2,)", "tree_method": "hist"},
         "Hyperparameter monotone_constraints: value (2,) not in range [-1, 0, 1]"),
        ({"interaction_constraints": "[[0,1]]", "tree_method": "hist"},
         "Hyperparameter interaction_constraints: value [[0, 1]] not in range [1, +inf)"),
        ({"interaction_constraints": "[[1,2]]"},
         "interaction_constraints can be used only when the tree_method parameter is set to either 'exact', 'hist' "
         "or 'approx'."),
        ({"booster": "gblinear", "updater": "shotgun,coord_descent"},
         "Linear updater should be one of these options: 'shotgun', 'coord_descent'."),
        ({"process_type": "update", "updater": "sync"},
         "process_type 'update' can only be used with updater 'refresh' and 'prune'"),
    ],
)  # fmt: skip
def test_errors(given: dict[str, str | None], text: str) -> None:
    texts = {name: value for name, value in {**STOCK, **given}.items() if value is not None}
    with pytest.raises(UserError) as error:
        validate(texts)
    assert str(error.value) == text


@pytest.mark.parametrize(
    ("given", "start"),
    [
        ({"eval_metric": "bogus"}, "Hyperparameter eval_metric: value ['bogus'] not in range ['accuracy', 'auc', "),
        ({"eval_metric": "rmse, error"}, "Hyperparameter eval_metric: value ['rmse', ' error'] not in range ["),
        ({"eval_metric": "mae@1"}, "Metric 'mae@1' is not supported. Parameter 'eval_metric' with customized "),
        ({"updater": "grow_quantile_histmaker"},
         "Hyperparameter updater: value ['grow_quantile_histmaker'] not in range ["),
        ({"updater": "grow_colmaker,distcol"}, "Only one tree grow plugin can be selected."),
        ({"updater": "shotgun"}, "Tree updater should be selected from these options: 'grow_colmaker', "),
        ({"objective": "reg:nothing"}, "Hyperparameter objective: reg:nothing is not in ['aft_loss_distribution', "),
        ({"_tuning_objective_metric": "train:rmse"},
         "Hyperparameter _tuning_objective_metric: train:rmse is not in ['validation:accuracy', "),
    ],
)  # fmt: skip
def test_long_errors(given: dict[str, str], start: str) -> None:
    with pytest.raises(UserError) as error:
        validate({**STOCK, **given})
    assert str(error.value).startswith(start)


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        ({"reg_lambda": "2"}, "lambda", 2.0),
        ({"reg_alpha": "0.5"}, "alpha", 0.5),
        ({"min_split_loss": "1"}, "gamma", 1.0),
        ({"eval_metric": "rmse,error@0.3"}, "eval_metric", ["rmse", "error@0.3"]),
        ({"objective": "reg:linear"}, "objective", "reg:linear"),
        ({"num_class": "3"}, "num_class", 3),
        ({"_tuning_objective_metric": "validation:rmse"}, "_tuning_objective_metric", "validation:rmse"),
        ({"monotone_constraints": "(1,-1)", "tree_method": "hist"}, "monotone_constraints", (1, -1)),
        ({"interaction_constraints": "[[1,2],[3]]", "tree_method": "approx"}, "interaction_constraints", [[1, 2], [3]]),
        ({"updater": "grow_colmaker,prune"}, "updater", ["grow_colmaker", "prune"]),
        ({"base_score": "0"}, "base_score", 0.0),
    ],
)
def test_accepted(given: dict[str, str], name: str, value: Any) -> None:
    assert validate({**STOCK, **given})[name] == value


def test_metric_without_an_objective_is_the_containers_own_key_error() -> None:
    with pytest.raises(KeyError, match="objective"):
        validate({"num_round": "1", "eval_metric": "rmse"})


def test_silent_is_accepted_by_old_tags() -> None:
    assert validate({"num_round": "1", "silent": "0"}, silent_accepted=True)["silent"] == 0


def test_the_table_has_every_hyperparameter_of_the_container() -> None:
    assert len(TABLE) == 53
