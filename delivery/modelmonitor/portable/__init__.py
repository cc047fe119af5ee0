"""Monitors of accounts that Model Monitor is closed to: a scheduled pipeline of the project's own processing jobs.

``merge.py`` collects a window's captured requests and labels, the checks of ``pipelines/check_job`` compare them with
the deployed version's baselines, and ``notify.py`` puts reports where Model Monitor's are, with metrics and an event.
"""
