"""Script mode: the user's script trains, and the user's functions serve (contracts: containers 2.7 and 7).

Shared by the scikit-learn image and the XGBoost image; runs in the processes of jobs and endpoints.
"""
