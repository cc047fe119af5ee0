"""Lines of commands fit the terminal that shows them, and are whole elsewhere."""

from __future__ import annotations

from local_sagemaker.cli import lines

PACKAGES = "packages            xgboost-cpu 3.0.5, botocore 1.44.8, moto 5.2.5, scikit-learn 1.9.1, pandas 2.3.3"


def test_a_line_is_wrapped_at_words_below_its_column() -> None:
    shown = lines.fit(PACKAGES, 20, 50).split("\n")
    assert shown == [
        "packages            xgboost-cpu 3.0.5, botocore",
        "                    1.44.8, moto 5.2.5,",
        "                    scikit-learn 1.9.1, pandas",
        "                    2.3.3",
    ]
    assert lines.fit(PACKAGES, 20, None) == PACKAGES
