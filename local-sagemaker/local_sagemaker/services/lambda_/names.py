"""What a FunctionName can be: a name, a partial ARN or an ARN, each with or without a version or alias."""

from __future__ import annotations

import re
from dataclasses import dataclass

from local_sagemaker.services.lambda_.errors import InvalidValue

LATEST = "$LATEST"
_FORM = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:(?P<region>[^:]+):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_]{1,140})(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]{1,128}))?"
)


@dataclass(frozen=True)
class FunctionReference:
    """A function, and the version or alias of it that is meant; None when none was named."""

    name: str
    qualifier: str | None = None

    @classmethod
    def parse(cls, text: str, qualifier: str | None = None) -> FunctionReference:
        """Reads FunctionName and Qualifier. Raises InvalidValue when the two disagree."""
        match = _FORM.fullmatch(text)
        if not match:
            raise InvalidValue(f"{text} is not a valid function name or ARN.")
        own = match["qualifier"]
        if own and qualifier and own != qualifier:
            raise InvalidValue("The derived qualifier from the function name does not match the specified qualifier.")
        return cls(match["name"], own or qualifier)
