"""What is deleted, as data: a plan is a list of requests that can be shown, compared, and then carried out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from delivery.clients import is_absent


@dataclass(frozen=True)
class Deletion:
    """A request that deletes or disables, by boto3's names.

    :param waits: a stack that has to be deleted before the next request is sent.
    :param text: what is shown instead of the request.
    """

    service: str
    operation: str
    request: dict[str, Any]
    waits: str = ""
    text: str = field(default="", compare=False)

    def __str__(self) -> str:
        values = " ".join(f"{name}={_shorten(value)}" for name, value in self.request.items())
        return self.text or f"{self.service} {self.operation} {values}"


def send(client: Callable[[str], Any], deletion: Deletion) -> None:
    """Sends the request to the client of its service; what no longer exists is deleted already."""
    try:
        getattr(client(deletion.service), deletion.operation)(**deletion.request)
    except ClientError as error:
        if not is_absent(error):
            raise


def _shorten(value: object) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
