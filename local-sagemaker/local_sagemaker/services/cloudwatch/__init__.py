"""CloudWatch beside moto: data points that outlive a restart, queries, metric math, alarms at work and their history.

moto keeps metrics and alarms (`services/moto_services/` serves its requests and hands these modules what it lacks); the
data plane's metrics come in by the same `call` as a client's (`metrics.py`).
"""
