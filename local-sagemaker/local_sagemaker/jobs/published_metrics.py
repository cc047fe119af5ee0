"""The metrics that a monitoring job leaves for CloudWatch, as lines of JSON."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from local_sagemaker.files.untrusted_folder import Folder
from local_sagemaker.jobs.metric_series import Put
from local_sagemaker.jobs.spec import JobSpec
from local_sagemaker.json_text import load

FILE = "ml/output/metrics/cloudwatch/cloudwatch_metrics.jsonl"
LARGEST = 2.348543e108
"""What stands for infinity in CloudWatch (Developer Guide, "CloudWatch metrics for bias drift analysis")."""
_BATCH = 500
_MOST = 16 << 20
"""Bytes of the file that are read."""
_WORDS = {"MODEL_QUALITY": "model", "MODEL_BIAS": "bias", "MODEL_EXPLAINABILITY": "explainability"}
log = logging.getLogger(__name__)


def namespace(environment: Mapping[str, str]) -> str:
    """The namespace of a monitoring job's metrics, e.g. ``aws/sagemaker/Endpoints/data-metrics``."""
    place = "Endpoints" if environment.get("sagemaker_endpoint_name") else "ModelMonitoring"
    return f"aws/sagemaker/{place}/{_WORDS.get(environment.get('analysis_type', ''), 'data')}-metrics"


def publish(folders: Iterable[Folder], job: JobSpec, put: Put | None) -> None:
    """Puts what a job of a monitoring schedule left in its hosts' folders; other jobs' metrics stay where they are."""
    if put is None or not job.environment.get("sagemaker_monitoring_schedule_name"):
        return
    data = [datum for folder in folders for datum in _data(folder)]
    for start in range(0, len(data), _BATCH):
        put(namespace(job.environment), data[start : start + _BATCH])


def _data(folder: Folder) -> Iterator[dict[str, Any]]:
    try:
        with folder.open(FILE) as file:
            text = file.read(_MOST).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return
    for line in text.splitlines():
        try:
            metric = load(line)
            datum = {name: metric[name] for name in ("MetricName", "Dimensions", "Unit") if name in metric}
            moment = datetime.fromisoformat(metric["Timestamp"])
            datum["Timestamp"] = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
            if "StatisticValues" in metric:
                datum["StatisticValues"] = {name: _finite(value) for name, value in metric["StatisticValues"].items()}
            else:
                datum["Value"] = _finite(metric["Value"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("a line of %s is no metric: %s", FILE, error)
            continue
        yield datum


def _finite(value: float) -> float:
    number = float(value)
    if math.isnan(number):
        raise ValueError("a value is not a number")
    return max(-LARGEST, min(LARGEST, number))
