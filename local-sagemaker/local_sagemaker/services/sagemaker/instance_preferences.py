"""Which instances a job's cluster has: InstanceType and InstanceCount, or the first of its InstancePreferences.

Every instance type is this machine, so the first preference always has capacity (API reference, ProcessingClusterConfig
and ResourceConfig).
"""

from __future__ import annotations

from local_sagemaker.errors import ValidationError
from local_sagemaker.records.store import Body


def check_cluster(cluster: Body) -> None:
    """Raises ValidationError for a cluster that names no instance type, or names it twice."""
    preferences = cluster.get("InstancePreferences")
    if preferences and "InstanceType" in cluster:
        raise ValidationError("InstancePreferences and InstanceType are mutually exclusive; specify one of them.")
    if not preferences:
        if "InstanceType" not in cluster:
            raise ValidationError("Specify an InstanceType or InstancePreferences for the cluster.")
        return
    types = [preference["InstanceType"] for preference in preferences]
    if len(set(types)) != len(types):
        raise ValidationError("An instance type can appear only once in InstancePreferences.")
    counts = sum("InstanceCount" in preference for preference in preferences)
    if counts and ("InstanceCount" in cluster or counts != len(preferences)):
        raise ValidationError(
            "Specify InstanceCount either for the whole cluster or for every entry of InstancePreferences."
        )


def fill_cluster(cluster: Body) -> None:
    """Adds to a checked cluster what Describe shows: the default count, or what was selected."""
    preferences = cluster.get("InstancePreferences")
    if not preferences:
        cluster.setdefault("InstanceCount", 1)
        return
    cluster["SelectedInstanceType"] = preferences[0]["InstanceType"]
    cluster["SelectedInstanceCount"] = preferences[0].get("InstanceCount") or cluster.get("InstanceCount", 1)


def instances(cluster: Body) -> tuple[str, int]:
    """(instance type, count) of a filled cluster."""
    if "SelectedInstanceType" in cluster:
        return cluster["SelectedInstanceType"], cluster["SelectedInstanceCount"]
    return cluster["InstanceType"], cluster["InstanceCount"]
