"""The fields of a form, and its file as a stream. werkzeug's decoder is imported here: such requests are rare."""

from __future__ import annotations

import math

from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.request import WireRequest

_PIECE, _HELD = 1 << 18, 1 << 20
_BEFORE = 20 << 10
"""Bytes of the fields before the file (API reference, MaxPostPreDataLengthExceeded)."""


def s3_error(code: str, text: str, status: int = 400, **detail: str) -> ServiceError:
    """S3's error with further elements of its document."""
    error = ServiceError(text, code=code, status=status)
    error.detail = detail  # type: ignore[attr-defined]
    return error


class Form:
    """A form that was read up to its file. Names of `fields` are in lower case."""

    def __init__(self, request: WireRequest) -> None:
        from werkzeug.http import parse_options_header
        from werkzeug.sansio.multipart import MultipartDecoder

        boundary = parse_options_header(request.headers["content-type"])[1].get("boundary", "")
        if not boundary:
            raise s3_error(
                "MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data."
            )
        self._body = request.body
        self._decoder = MultipartDecoder(boundary.encode(), max_form_memory_size=_HELD)
        self._ended = False
        self._sent = 0
        self.fields: dict[str, str] = {}
        self.filename = ""
        self.size: tuple[float, float] = (0, math.inf)
        """The bytes that the file may have."""
        self._read_fields()

    def piece(self) -> bytes:
        """The next bytes of the file, b"" at its end. Raises where the size is not allowed."""
        while not self._ended:
            event = self._next()
            self._ended = not getattr(event, "more_data", False)
            data = bytes(getattr(event, "data", b""))
            self._sent += len(data)
            if self._sent > self.size[1]:
                raise s3_error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size",
                              ProposedSize=str(self._sent), MaxSizeAllowed=str(self.size[1]))  # fmt: skip
            if data:
                return data
        if self._sent < self.size[0]:
            raise s3_error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size",
                          ProposedSize=str(self._sent), MinSizeAllowed=str(self.size[0]))  # fmt: skip
        return b""

    def _read_fields(self) -> None:
        from werkzeug.sansio.multipart import Data, Epilogue, Field, File

        name, size = "", 0
        while True:
            event = self._next()
            if isinstance(event, File | Field) and event.name.lower() == "file":
                self.filename = (getattr(event, "filename", "") or "").replace("\\", "/").rpartition("/")[2]
                return
            if isinstance(event, Epilogue):
                raise s3_error("InvalidArgument", "POST requires exactly one file upload per request.",
                              ArgumentName="file", ArgumentValue="0")  # fmt: skip
            if isinstance(event, File | Field):
                name = event.name.lower()
                self.fields[name] = ""
            elif isinstance(event, Data):
                size += len(event.data)
                self.fields[name] += event.data.decode("utf-8", "replace")
            if size > _BEFORE:
                raise s3_error(
                    "MaxPostPreDataLengthExceeded",
                    "Your POST request fields preceding the upload file was too large.",
                )

    def _next(self) -> object:
        from werkzeug.exceptions import RequestEntityTooLarge
        from werkzeug.sansio.multipart import NeedData

        try:
            event = self._decoder.next_event()
            while isinstance(event, NeedData):
                self._decoder.receive_data(self._body.read(_PIECE) or None)
                event = self._decoder.next_event()
        except (ValueError, RequestEntityTooLarge) as error:
            raise s3_error(
                "MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data."
            ) from error
        return event
