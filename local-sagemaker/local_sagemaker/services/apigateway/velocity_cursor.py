"""A place in a text, and what comes next there."""

from __future__ import annotations

import re

from local_sagemaker.services.apigateway.velocity_syntax import VelocityError

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_REST_OF_LINE = re.compile(r"[ \t]*\r?\n")


class Cursor:
    """Moves through a text from its beginning."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def word(self, what: str) -> str:
        """The name that comes next; `what` is what it is the name of."""
        match = NAME.match(self.text, self.at)
        if not match:
            raise VelocityError(f"{what} is missing at '{self.here()}'")
        return self.take(match)

    def until(self, opening: str, closing: str) -> str:
        """What is between two marks; goes behind the second."""
        end = self.text.find(closing, self.at)
        if end < 0:
            raise VelocityError(f"{opening} has no {closing}")
        content = self.text[self.at + len(opening) : end]
        self.at = end + len(closing)
        return content

    def at_letter(self, letter: str) -> bool:
        """Whether a letter comes next, after space. Raises TemplateError at the end."""
        self.skip()
        if self.at >= len(self.text):
            raise VelocityError(f"'{letter}' is missing at the end")
        return self.text.startswith(letter, self.at)

    def accept(self, letters: str) -> bool:
        """Goes behind these letters if they come next, after space."""
        self.skip()
        is_next = self.text.startswith(letters, self.at)
        self.at += len(letters) if is_next else 0
        return is_next

    def expect(self, letter: str) -> None:
        """Goes behind a letter. Raises TemplateError when another comes."""
        if not self.accept(letter):
            raise VelocityError(f"'{letter}' is missing at '{self.here()}'")

    def end_of_line(self) -> None:
        """A directive takes the rest of its line with it, if that is blank."""
        match = _REST_OF_LINE.match(self.text, self.at)
        if match:
            self.at = match.end()

    def skip(self) -> None:
        """Goes behind space."""
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def here(self) -> str:
        """What comes next, for messages."""
        return self.text[self.at : self.at + 20]

    def take(self, match: re.Match[str]) -> str:
        """Goes behind a match."""
        self.at = match.end()
        return match[0]

    def next(self) -> str:
        """The next letter."""
        self.at += 1
        return self.text[self.at - 1]
