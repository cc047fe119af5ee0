"""The built-in XGBoost algorithm: `train` and `serve`, as the container's programs (contracts: containers 3 and 4).

These modules import xgboost and its friends, so they are loaded in the processes of jobs and endpoints only.
"""
