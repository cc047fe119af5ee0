"""The abalone pipeline: its definition (``pipeline``), and the two scripts that run inside its jobs."""

# The columns of the preprocessed splits, which have no header. A sex that is not known yet comes after these.
SPLIT_COLUMNS = (
    "rings",
    "length",
    "diameter",
    "height",
    "whole_weight",
    "shucked_weight",
    "viscera_weight",
    "shell_weight",
    "sex=F",
    "sex=I",
    "sex=M",
)
