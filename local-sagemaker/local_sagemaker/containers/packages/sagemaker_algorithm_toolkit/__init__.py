"""Stands in for the package of the XGBoost image: its exceptions."""

import os as _os

from _local_programs import refuse_others as _refuse_others

_refuse_others(__name__, _os.path.dirname(__file__))
