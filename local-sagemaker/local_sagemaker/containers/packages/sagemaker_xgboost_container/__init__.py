"""Stands in for the package of the XGBoost image, with what scripts use of it: see the modules beside this file.

What is missing here fails as an import, not silently.
"""
