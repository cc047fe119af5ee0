"""The versions of pipelines: each definition that was created or updated, with its aliases.

A version's record holds the definition exactly as it was sent; executions refer to it, so it never changes.
"""

from __future__ import annotations

from local_sagemaker.clock import now
from local_sagemaker.errors import Conflict, ResourceNotFound, ValidationError
from local_sagemaker.records import Records
from local_sagemaker.records.own_members import PipelineVersionRecord, own_pipeline
from local_sagemaker.records.store import Body

PIPELINE, VERSION = "pipeline", "pipeline-version"
MAX_ALIASES = 10


def version_key(name: str, version: int) -> str:
    """The record key of a version."""
    return f"{name.lower()}/{version:09d}"


class PipelineVersions:
    """Reads and writes version records; `pipelines` and `pipeline_executions` both look versions up here."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def add(self, pipeline: Body, definition: str, aliases: list[str]) -> int:
        """Adds the next version and makes it the pipeline's latest; the caller writes the pipeline's record."""
        number = int(own_pipeline(pipeline).get("_version", 0)) + 1
        self.check_aliases(pipeline["PipelineName"], number, aliases)
        created = now()
        body: Body = {
            "PipelineArn": pipeline["PipelineArn"],
            "PipelineVersionId": number,
            "CreationTime": created,
            "LastModifiedTime": created,
            **PipelineVersionRecord(_definition=definition),
        }
        if aliases:
            body["PipelineVersionAliases"] = aliases
        self._records.put(VERSION, version_key(pipeline["PipelineName"], number), body)
        own_pipeline(pipeline)["_version"] = number
        return number

    def of(self, name: str) -> list[Body]:
        """All versions of a pipeline, oldest first."""
        return self._records.list(VERSION, f"{name.lower()}/")

    def get(self, name: str, version: int) -> Body | None:
        """One version."""
        return self._records.get(VERSION, version_key(name, version))

    def find(self, pipeline: Body, request: Body) -> Body:
        """The version that a request names by id or alias, else the latest."""
        if "PipelineVersionId" in request and "PipelineVersionAlias" in request:
            raise ValidationError("PipelineVersionId and PipelineVersionAlias can't both be specified.")
        if "PipelineVersionAlias" in request:
            return self.by_alias(pipeline, request["PipelineVersionAlias"])
        number = int(
            request["PipelineVersionId"] if "PipelineVersionId" in request else own_pipeline(pipeline)["_version"]
        )
        version = self.get(pipeline["PipelineName"], number)
        if version is None:
            raise ResourceNotFound(f"Pipeline version '{number}' of '{pipeline['PipelineArn']}' does not exist.")
        return version

    def by_alias(self, pipeline: Body, alias: str) -> Body:
        """The version that has the alias."""
        for body in self.of(pipeline["PipelineName"]):
            if alias in body.get("PipelineVersionAliases", []):
                return body
        raise ResourceNotFound(f"Pipeline version alias '{alias}' of '{pipeline['PipelineArn']}' does not exist.")

    def update(self, pipeline: Body, request: Body) -> None:
        """Changes display name, description and aliases of a version."""
        number = request["PipelineVersionId"]
        body = self.find(pipeline, {"PipelineVersionId": number})
        for member in ("PipelineVersionDisplayName", "PipelineVersionDescription"):
            if member in request:
                body[member] = request[member]
        operations = request.get("PipelineVersionAliasOperations", {})
        aliases = [item for item in body.get("PipelineVersionAliases", []) if item not in operations.get("Remove", [])]
        aliases += [item for item in operations.get("Add", []) if item not in aliases]
        self.check_aliases(pipeline["PipelineName"], number, aliases)
        body["PipelineVersionAliases"] = aliases
        body["LastModifiedTime"] = now()
        self._records.put(VERSION, version_key(pipeline["PipelineName"], number), body)

    def check_aliases(self, name: str, number: int, aliases: list[str]) -> None:
        """An alias is unique in its pipeline and not a number; a version has at most ten (API reference)."""
        if len(aliases) > MAX_ALIASES:
            raise ValidationError(f"A pipeline version can have at most {MAX_ALIASES} aliases.")
        for alias in aliases:
            if alias.isascii() and alias.isdigit():
                raise ValidationError(f"Pipeline version alias '{alias}' can't consist of numbers only.")
        for body in self.of(name) if aliases else []:
            taken = set(aliases) & set(body.get("PipelineVersionAliases", []))
            if taken and body["PipelineVersionId"] != number:
                raise Conflict(
                    f"Pipeline version alias '{min(taken)}' is already used by version {body['PipelineVersionId']}."
                )

    def record_execution(self, name: str, number: int, execution: Body) -> None:
        """Notes the latest execution of a version."""

        def change(body: Body) -> None:
            body["LastExecutedPipelineExecutionArn"] = execution["PipelineExecutionArn"]
            body["LastExecutedPipelineExecutionDisplayName"] = execution["PipelineExecutionDisplayName"]

        self._records.update(VERSION, version_key(name, number), change)

    def drop(self, name: str) -> None:
        """Removes all versions of a deleted pipeline."""
        for key, _ in self._records.items(VERSION, f"{name.lower()}/"):
            self._records.delete(VERSION, key)
