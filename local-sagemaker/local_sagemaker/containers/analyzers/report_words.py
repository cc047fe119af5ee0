"""What the bias metrics mean, in the words of the report. d is the facet that is looked at, a is everybody else."""

from __future__ import annotations

STAGES = {
    "pre_training_bias_metrics": "Bias in the data: Before training: do the labels of the dataset treat the facet (d) "
    "and the rest (a) alike? 0 means that they do.",
    "post_training_bias_metrics": "Bias of the model: After training: do the predictions treat the facet (d) and the "
    "rest (a) alike? 0 means that they do, except for Disparate Impact, where 1 does.",
}

MEANINGS = {
    "AD": "Accuracy for a minus accuracy for d: above 0 the model is more often right about a.",
    "CDDL": "Whether d has a larger share of the negative than of the positive labels, averaged over the groups of the "
    "group variable: above 0 it has.",
    "CDDPL": "Whether d has a larger share of the negative than of the positive predictions, averaged over the groups "
    "of the group variable: above 0 it has.",
    "CI": "Whether d is rarer in the data than a, from -1 to 1: near 1 there is hardly any d.",
    "DAR": "Precision for a minus precision for d: above 0 a positive prediction is more reliable for a.",
    "DCA": "Labelled positives per predicted positive, for a minus for d: above 0 the model accepts too few of a, or "
    "too many of d, compared with the labels.",
    "DCR": "Labelled negatives per predicted negative, for d minus for a: away from 0 one side is rejected more often "
    "than its labels justify.",
    "DI": "Share of positive predictions of d divided by that of a: 1 is parity, below 1 d gets fewer.",
    "DPL": "Share of positive labels of a minus that of d: above 0 d has fewer.",
    "DPPL": "Share of positive predictions of a minus that of d: above 0 d gets fewer.",
    "DRR": "Share of the predicted negatives that are right, for d minus for a: above 0 a is wrongly rejected more "
    "often.",
    "FT": "How rows of d would have been judged if they were of a (by their nearest neighbours in a), net share of "
    "flips: below 0 d is judged worse than alike rows of a.",
    "GE": "Inequality of the benefit that predictions give to rows (generalized entropy): 0 is equal.",
    "JS": "Distance of the label distributions of a and d (Jensen-Shannon): 0 is the same distribution.",
    "KL": "How much the label distribution of a diverges from that of d (Kullback-Leibler): 0 is the same.",
    "KS": "Largest difference between the label distributions of a and d: 0 is the same.",
    "LP": "Euclidean distance of the label distributions of a and d: 0 is the same.",
    "RD": "Recall for a minus recall for d: above 0 the model finds more of the positives of a.",
    "SD": "Specificity for d minus that for a: above 0 the model finds more of the negatives of d.",
    "TE": "False negatives per false positive, for d minus for a: above 0 errors cost d more than a.",
    "TVD": "Half the summed difference of the label distributions of a and d: 0 is the same.",
}
