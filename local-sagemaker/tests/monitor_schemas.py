"""JSON schemas of the monitors' files, written from the documented formats (specs, not code)."""

from __future__ import annotations

from typing import Any

NUMBER, WHOLE, TEXT = {"type": "number"}, {"type": "integer"}, {"type": "string"}
MAYBE = {"type": ["number", "null"]}


def obj(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object with exactly these members."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def list_of(item: dict[str, Any], **limits: int) -> dict[str, Any]:
    return {"type": "array", "items": item, **limits}


COMMON = obj({"num_present": WHOLE, "num_missing": WHOLE})
BUCKET = obj({"lower_bound": NUMBER, "upper_bound": NUMBER, "count": NUMBER})
KLL = obj(
    {
        "buckets": list_of(BUCKET, minItems=10, maxItems=10),
        "sketch": obj(
            {
                "parameters": obj({"c": {"const": 0.64}, "k": {"const": 2048.0}}),
                "data": list_of(list_of(NUMBER)),
            }
        ),
    }
)
NUMERICAL = obj(
    {
        "common": COMMON,
        "mean": NUMBER,
        "sum": NUMBER,
        "std_dev": NUMBER,
        "min": NUMBER,
        "max": NUMBER,
        "approximate_num_distinct_values": WHOLE,
        "completeness": NUMBER,
        "distribution": obj({"kll": KLL}),
    }
)
CATEGORICAL = obj({"categorical": obj({"buckets": list_of(obj({"value": TEXT, "count": WHOLE}), maxItems=120)})})
STRING = obj({"common": COMMON, "distinct_count": NUMBER, "completeness": NUMBER}, {"distribution": CATEGORICAL})
STATISTICS = obj(
    {
        "version": {"const": 0.0},
        "dataset": obj({"item_count": WHOLE}),
        "features": list_of(
            {
                "oneOf": [
                    obj(
                        {
                            "name": TEXT,
                            "inferred_type": {"enum": ["Integral", "Fractional"]},
                            "numerical_statistics": NUMERICAL,
                        }
                    ),
                    obj({"name": TEXT, "inferred_type": {"const": "String"}, "string_statistics": STRING}),
                    obj({"name": TEXT, "inferred_type": {"const": "Unknown"}}),
                ]
            }
        ),
    }
)
MONITORING_CONFIG = obj(
    {
        "evaluate_constraints": {"enum": ["Enabled", "Disabled"]},
        "emit_metrics": {"enum": ["Enabled", "Disabled"]},
        "datatype_check_threshold": NUMBER,
        "domain_content_threshold": NUMBER,
        "distribution_constraints": obj(
            {
                "perform_comparison": {"enum": ["Enabled", "Disabled"]},
                "comparison_threshold": NUMBER,
                "comparison_method": {"enum": ["Robust", "Simple"]},
                "categorical_comparison_threshold": NUMBER,
                "categorical_drift_method": {"enum": ["LInfinity", "ChiSquared"]},
            }
        ),
    }
)
CONSTRAINTS = obj(
    {
        "version": {"const": 0.0},
        "features": list_of(
            obj(
                {
                    "name": TEXT,
                    "inferred_type": {"enum": ["Integral", "Fractional", "String", "Unknown"]},
                    "completeness": {"type": "number", "minimum": 0, "maximum": 1},
                },
                {
                    "num_constraints": obj({"is_non_negative": {"type": "boolean"}}),
                    "string_constraints": obj({"domains": list_of(TEXT)}),
                },
            )
        ),
        "monitoring_config": MONITORING_CONFIG,
    }
)
DATA_VIOLATIONS = obj(
    {
        "violations": list_of(
            obj(
                {
                    "feature_name": TEXT,
                    "constraint_check_type": {
                        "enum": [
                            "data_type_check",
                            "completeness_check",
                            "baseline_drift_check",
                            "missing_column_check",
                            "extra_column_check",
                            "categorical_values_check",
                        ]
                    },
                    "description": TEXT,
                }
            ),
            minItems=1,
        )
    }
)
SCALAR = obj({"value": MAYBE, "standard_deviation": MAYBE})
_MATRIX = {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": WHOLE}}


def scalars(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names, SCALAR)


def _quality(section: str, members: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    time = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$"}
    dataset = obj({"item_count": WHOLE}, dict.fromkeys(["start_time", "end_time", "evaluation_time"], time))
    return obj({"version": {"const": 0.0}, "dataset": dataset, section: obj(members, optional)})


REGRESSION = _quality("regression_metrics", scalars("mae", "mse", "rmse", "r2"))
_BEST = "best_constant_classifier"
BINARY = _quality(
    "binary_classification_metrics",
    {
        "confusion_matrix": _MATRIX,
        **scalars(
            *("recall", "precision", "accuracy", f"recall_{_BEST}", f"precision_{_BEST}", f"accuracy_{_BEST}"),
            *("true_positive_rate", "true_negative_rate", "false_positive_rate", "false_negative_rate"),
            *("f0_5", "f1", "f2", f"f0_5_{_BEST}", f"f1_{_BEST}", f"f2_{_BEST}"),
        ),
    },
    {
        "receiver_operating_characteristic_curve": obj(
            {"false_positive_rates": list_of(NUMBER), "true_positive_rates": list_of(NUMBER)}
        ),
        "precision_recall_curve": obj({"precisions": list_of(NUMBER), "recalls": list_of(NUMBER)}),
        **scalars("auc", "au_prc"),
    },
)
_WEIGHTED = ("accuracy", "weighted_recall", "weighted_precision", "weighted_f0_5", "weighted_f1", "weighted_f2")
MULTICLASS = _quality(
    "multiclass_classification_metrics",
    {"confusion_matrix": _MATRIX, **scalars(*_WEIGHTED, *(f"{name}_{_BEST}" for name in _WEIGHTED))},
)
QUALITY_CONSTRAINTS = {
    "type": "object",
    "required": ["version"],
    "minProperties": 2,
    "maxProperties": 2,
    "additionalProperties": {
        "type": ["object", "number"],
        "additionalProperties": obj(
            {"threshold": MAYBE, "comparison_operator": {"enum": ["GreaterThanThreshold", "LessThanThreshold"]}}
        ),
    },
}
QUALITY_VIOLATIONS = obj(
    {
        "violations": list_of(
            obj(
                {
                    "constraint_check_type": {"enum": ["GreaterThanThreshold", "LessThanThreshold"]},
                    "description": TEXT,
                    "metric_name": TEXT,
                }
            ),
            minItems=1,
        )
    }
)
_METRIC = obj(
    {"name": TEXT, "description": TEXT, "value": {"type": ["number", "null", "string"]}},
    {"error": TEXT},
)
_SECTION = obj(
    {
        "label": TEXT,
        "facets": {
            "type": "object",
            "additionalProperties": list_of(obj({"value_or_threshold": TEXT, "metrics": list_of(_METRIC)})),
        },
        "label_value_or_threshold": TEXT,
    }
)
_PDP = {
    "oneOf": [
        obj(
            {
                "feature_name": TEXT,
                "data_type": {"enum": ["numerical", "categorical"]},
                "feature_values": {"type": "array"},
                "data_distribution": list_of(NUMBER),
                "model_predictions": list_of(list_of(NUMBER)),
                "label_headers": list_of(TEXT),
            }
        ),
        obj({"feature_name": TEXT, "data_type": {"const": "free_text"}, "error": TEXT}),
    ]
}
ANALYSIS = obj(
    {"version": {"const": "1.0"}},
    {
        "post_training_bias_metrics": _SECTION,
        "pre_training_bias_metrics": _SECTION,
        "explanations": obj(
            {},
            {
                "kernel_shap": {
                    "type": "object",
                    "additionalProperties": obj(
                        {
                            "global_shap_values": {"type": "object", "additionalProperties": NUMBER},
                            "expected_value": NUMBER,
                        }
                    ),
                },
                "pdp": list_of(_PDP),
            },
        ),
    },
)
CLARIFY_VIOLATIONS = obj(
    {
        "version": {"const": "1.0"},
        "violations": list_of(
            {
                "oneOf": [
                    obj(
                        {
                            "facet": TEXT,
                            "facet_value": TEXT,
                            "metric_name": TEXT,
                            "constraint_check_type": {"const": "bias_drift_check"},
                            "description": TEXT,
                        }
                    ),
                    obj(
                        {
                            "label": TEXT,
                            "metric_name": {"const": "shap"},
                            "constraint_check_type": {"const": "feature_attribution_drift_check"},
                            "description": TEXT,
                        }
                    ),
                ]
            },
            minItems=1,
        ),
    }
)
