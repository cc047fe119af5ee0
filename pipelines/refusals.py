"""AWS's refusals of a value that someone typed, as one sentence about the value."""

from __future__ import annotations

import re

from botocore.exceptions import ClientError, ParamValidationError

_REFUSED = re.compile(
    r"1 validation error detected: Value '(?P<value>.*)' at '(?P<member>[\w.]+)' failed to satisfy constraint: "
    r"Member must (?P<rule>.*)",
    re.DOTALL,
)
_PATTERN = "satisfy regular expression pattern: "


def describe(error: Exception) -> str:
    """The value, what it can't be, and the rule; of another error its own text.

    >>> describe(ValueError("something else"))
    'something else'
    """
    text = str(error) or type(error).__name__
    if isinstance(error, ParamValidationError):
        return text.partition("\n")[2].partition(" or be an ARN")[0] or text
    if isinstance(error, ClientError) and (refused := _REFUSED.search(text)):
        rule = refused["rule"]
        rule = f"match {rule.removeprefix(_PATTERN)}" if rule.startswith(_PATTERN) else rule
        noun = re.sub(r"([a-z])([A-Z])", r"\1 \2", refused["member"].rpartition(".")[2]).lower()
        return f"{refused['value']!r} is no {noun}: it must {rule}"
    return text
