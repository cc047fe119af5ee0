"""One request to a model's containers, whichever instance serves it."""

from __future__ import annotations

from dataclasses import dataclass

from local_sagemaker.model_servers.async_client import LARGEST


@dataclass(frozen=True)
class ModelInvocation:
    """What is sent to a container. `lines` are the other headers, as complete lines."""

    body: bytes
    content_type: str | None = None
    accept: str | None = None
    lines: str = ""
    target_model: str | None = None
    target_container: str | None = None
    seconds: float = 60.0
    limit: int | None = LARGEST

    def headers(self, content_type: str | None, accept: str | None) -> str:
        """All headers of one container's request."""
        lines = self.lines
        if content_type:
            lines += f"Content-Type: {content_type}\r\n"
        if accept:
            lines += f"Accept: {accept}\r\n"
        return lines
