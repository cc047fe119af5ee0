"""What makes moto's state outlive a restart: the calls that changed it, in order, with what their ids follow from."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from local_sagemaker.http import RawRequest
from local_sagemaker.records import Records
from local_sagemaker.services.moto_services.request_inspection import headers

KIND = "neighbour-call"
_HEADERS = ("authorization", "content-type", "host", "smithy-protocol", "x-amz-target")


class RequestJournal:
    """Calls kept as records. The signature in a kept call is of the past and good for nothing."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def add(self, service: str, request: RawRequest, seed: int) -> None:
        """Keeps a call that succeeded."""
        fields = headers(request)
        body = {
            "service": service,
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "headers": {name: fields[name] for name in _HEADERS if name in fields},
            "body": base64.b64encode(request.body).decode(),
            "seed": str(seed),  # As text: it is longer than JSON's numbers are elsewhere.
        }
        with self._records.transaction():
            last = self._records.get("counter", KIND) or {"value": 0}
            self._records.put("counter", KIND, {"value": last["value"] + 1})
            self._records.insert(KIND, f"{last['value'] + 1:012d}", body)

    def is_empty(self) -> bool:
        """Whether no call was ever kept."""
        return self._records.get("counter", KIND) is None

    def calls(self) -> Iterator[tuple[str, RawRequest, int]]:
        """All calls in the order they were made."""
        for body in self._records.list(KIND):
            request = RawRequest(
                body["method"], body["path"], body["query"], body["headers"], base64.b64decode(body["body"])
            )
            yield body["service"], request, int(body["seed"])
