"""Rules of composite alarms: states of other alarms, joined by AND, OR and NOT (PutCompositeAlarm, AlarmRule)."""

from __future__ import annotations

import re
from collections.abc import Callable

from local_sagemaker.errors import ValidationError
from local_sagemaker.records.status import AlarmState

_TOKEN = re.compile(
    r"\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"(?P<quoted>[^\"]+)\"|(?P<name>[^)\s]+))\s*\)"
    r"|(?P<word>AND|OR|NOT|TRUE|FALSE|\(|\)))",
)
DEEPEST = 50
"""Brackets and NOTs in one another."""
State = Callable[[str], str | None]
"""The state of an alarm by its name; None where there is none."""


class CompositeRule:
    """A parsed rule. Raises ValidationError where the text is none."""

    def __init__(self, text: str) -> None:
        self._text, self._tokens, self._place, self._depth = text, _tokens(text), 0, 0
        self.names = [name for _, name in self._tokens if name]
        self.holds(lambda _: AlarmState.OK)

    def holds(self, state: State) -> bool:
        """Whether the rule is true for these states."""
        self._place = 0
        value = self._either(state)
        if self._place != len(self._tokens):
            raise self._invalid()
        return value

    def _either(self, state: State) -> bool:
        value = self._both(state)
        while self._take("OR"):
            other = self._both(state)
            value = value or other
        return value

    def _both(self, state: State) -> bool:
        value = self._one(state)
        while self._take("AND"):
            other = self._one(state)
            value = value and other
        return value

    def _one(self, state: State) -> bool:
        self._depth += 1
        try:
            if self._depth > DEEPEST or self._place >= len(self._tokens):
                raise self._invalid()
            word, name = self._tokens[self._place]
            self._place += 1
            if name:
                return state(name) == word
            if word == "NOT":
                return not self._one(state)
            if word == "(":
                value = self._either(state)
                if not self._take(")"):
                    raise self._invalid()
                return value
            if word in ("TRUE", "FALSE"):
                return word == "TRUE"
            raise self._invalid()
        finally:
            self._depth -= 1

    def _take(self, word: str) -> bool:
        if self._place < len(self._tokens) and self._tokens[self._place] == (word, ""):
            self._place += 1
            return True
        return False

    def _invalid(self) -> ValidationError:
        return ValidationError(f"AlarmRule is not valid: {self._text[:200]}")


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, place, text = [], 0, text.strip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ValidationError(f"AlarmRule is not valid at position {place}: {text[:200]}")
        name = match["quoted"] or match["name"] or ""
        tokens.append((match["state"] or match["word"], name.rpartition(":alarm:")[2] if name else ""))
        place = match.end()
    return tokens
