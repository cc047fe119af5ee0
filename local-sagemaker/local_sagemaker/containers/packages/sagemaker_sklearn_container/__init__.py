"""Stands in for the package of the scikit-learn image: its defaults for models, requests and responses."""
