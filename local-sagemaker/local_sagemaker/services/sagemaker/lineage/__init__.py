"""Lineage: artifacts, actions, contexts and their associations, made by clients and of what jobs and deployments do."""

from __future__ import annotations

from local_sagemaker.api.operations import Resource
from local_sagemaker.config import Settings
from local_sagemaker.records import Records
from local_sagemaker.services.sagemaker.lineage.lineage_entities import (
    Actions,
    Artifacts,
    Contexts,
    LineageAssociations,
)
from local_sagemaker.services.sagemaker.lineage.lineage_events import LineageEvents
from local_sagemaker.services.sagemaker.lineage.lineage_query import LineageQueries
from local_sagemaker.services.sagemaker.lineage.lineage_records import LineageRecords
from local_sagemaker.services.sagemaker.tags import Tags


def build(*, settings: Settings, records: Records, tags: Tags) -> list[Resource]:
    """The resources of lineage."""
    lineage = LineageRecords(settings=settings, records=records)
    events = LineageEvents(lineage)
    kinds = [kind(lineage=lineage, tags=tags, catch_up=events.catch_up) for kind in (Artifacts, Actions, Contexts)]
    associations = LineageAssociations(lineage=lineage, catch_up=events.catch_up)
    return [events, *kinds, associations, LineageQueries(lineage=lineage, catch_up=events.catch_up)]
