"""What the metrics mean, in a sentence each. Facet d is the group that a bias analysis examines, a is the rest."""

from __future__ import annotations

from collections.abc import Mapping

QUALITY: Mapping[str, str] = {
    "mae": "Mean absolute error: how far a prediction is off on average, in units of the label. Lower is better.",
    "mse": "Mean squared error: like the mean absolute error, but large misses count more. Lower is better.",
    "rmse": "Root of the mean squared error, in units of the label. Lower is better.",
    "r2": "Share of the label's variance that the model explains: 1 is perfect, 0 is no better than the mean.",
    "accuracy": "Share of predictions that are right.",
    "recall": "Share of the actual positives that are found.",
    "precision": "Share of the predicted positives that are right.",
    "f0_5": "Precision and recall in one number, precision weighing more.",
    "f1": "Precision and recall in one number, both weighing the same.",
    "f2": "Precision and recall in one number, recall weighing more.",
    "auc": "Area under the ROC curve: the chance that a positive is scored above a negative. 0.5 is guessing.",
    "au_prc": "Area under the precision-recall curve; guessing gives the share of positives.",
    "true_positive_rate": "Share of the actual positives that are predicted positive.",
    "true_negative_rate": "Share of the actual negatives that are predicted negative.",
    "false_positive_rate": "Share of the actual negatives that are predicted positive. Lower is better.",
    "false_negative_rate": "Share of the actual positives that are predicted negative. Lower is better.",
    "weighted_recall": "Recall of every class, averaged by how often the class occurs.",
    "weighted_precision": "Precision of every class, averaged by how often the class occurs.",
    "weighted_f0_5": "F0.5 of every class, averaged by how often the class occurs.",
    "weighted_f1": "F1 of every class, averaged by how often the class occurs.",
    "weighted_f2": "F2 of every class, averaged by how often the class occurs.",
}
CONSTANT = "_best_constant_classifier"

BIAS: Mapping[str, str] = {
    "CDDL": "Is d more of the rejected than of the accepted labels, within the groups of a third variable?",
    "CI": "Is d rarer than a? From -1 (all are d) over 0 (as many of both) to 1 (none are d).",
    "DPL": "Share of positive labels in a, less that in d.",
    "JS": "How different the labels of a and d are distributed, symmetric. 0 is the same.",
    "KL": "How different the labels of a and d are distributed, seen from a. 0 is the same.",
    "KS": "The largest difference between the label shares of a and d. 0 is the same.",
    "LP": "The Euclidean distance between the label shares of a and d. 0 is the same.",
    "TVD": "Half the sum of the differences between the label shares of a and d. 0 is the same.",
    "AD": "Accuracy in a, less that in d.",
    "CDDPL": "Is d more of the rejected than of the accepted predictions, within the groups of a third variable?",
    "DAR": "Share of the predicted positives that are right, in a less in d.",
    "DCA": "Actual positives per predicted positive, in a less in d.",
    "DCR": "Actual negatives per predicted negative, in d less in a.",
    "DI": "Share of predicted positives in d, divided by that in a. 1 is the same.",
    "DPPL": "Share of predicted positives in a, less that in d.",
    "DRR": "Share of the predicted negatives that are right, in d less in a.",
    "FT": "How often members of d are predicted otherwise than their nearest neighbours in a, for better or worse.",
    "GE": "How unequally the model's errors benefit the individuals. 0 is equally.",
    "RD": "Share of the actual positives that are found, in a less in d.",
    "SD": "Share of the actual negatives that are found, in d less in a.",
    "TE": "Missed positives per false alarm, in d less in a.",
}


def of_quality(metric: str) -> str:
    """What a model-quality metric means; of one that is not known, nothing."""
    if metric.endswith(CONSTANT):
        plain = metric.removesuffix(CONSTANT)
        return f"{plain} of a model that always predicts the same class: what the model has to beat."
    return QUALITY.get(metric, "")
