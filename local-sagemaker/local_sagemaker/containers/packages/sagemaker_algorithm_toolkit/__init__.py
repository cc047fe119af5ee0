"""Stands in for the package of the XGBoost image: its exceptions."""
