"""A parser of the Velocity Template Language (1.7, as API Gateway has it) and of Velocity 2's alternate values.

Hand-written: Velocity has no grammar that a library would read. ``#parse`` and ``#include`` are refused, since there is
nothing to include, and so are functions and methods that are not here, so that no template renders half of itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container

from local_sagemaker.services.apigateway import velocity_syntax as syntax
from local_sagemaker.services.apigateway.velocity_cursor import NAME, Cursor
from local_sagemaker.services.apigateway.velocity_syntax import Expression, Part, VelocityBlock, VelocityError

LONGEST = 300 * 1024
"""Bytes of the longest template (API Gateway's quota)."""
_PROPERTY = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)")
_PLAIN = re.compile(r"[^$#\\]+")
_ESCAPED = re.compile(r"(\\+)([$#])")
_DIRECTIVE = re.compile(r"#(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")
_MACRO = re.compile(r"#macro\s*\(\s*([A-Za-z_]\w*)")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORD = re.compile(r"(true|false|null)\b")
_OPERATORS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern)
    for pattern in (
        r"\|\||or\b",
        r"&&|and\b",
        r"==|!=|eq\b|ne\b",
        r"<=|>=|<|>|le\b|ge\b|lt\b|gt\b",
        r"\+|-",
        r"\*|/|%",
    )
)
"""By precedence, the loosest first."""
_SIGNS = {"or": "||", "and": "&&", "eq": "==", "ne": "!=", "le": "<=", "ge": ">=", "lt": "<", "gt": ">"}
_REFUSED = ("include", "parse")


class VelocityParser(Cursor):
    """Parses one text. `check` raises TemplateError for a reference that is not supported."""

    def __init__(
        self, text: str, check: Callable[[syntax.VelocityReference], None], macros: Container[str] | None = None
    ) -> None:
        super().__init__(text)
        self._check = check
        self._macros = macros if macros is not None else set(_MACRO.findall(text))

    def template(self) -> VelocityBlock:
        """The whole text. Raises TemplateError."""
        if len(self.text) > LONGEST:
            raise VelocityError(f"the template is longer than {LONGEST} bytes")
        try:
            block, end = self._block()
        except RecursionError as error:
            raise VelocityError("the template is nested too deeply") from error
        if end:
            raise VelocityError(f"#{end} without a directive that it would belong to")
        return block

    # Text and directives

    def _block(self) -> tuple[VelocityBlock, str]:
        """Up to #end, #else, #elseif or the end of the text, and the name of what ended it."""
        parts: list[Part] = []
        while self.at < len(self.text):
            plain = _PLAIN.match(self.text, self.at)
            if plain:
                parts.append(self.take(plain))
            elif self.text[self.at] == "\\":
                self._backslashes(parts)
            elif self.text[self.at] == "$":
                parts.append(self._reference() or self.next())
            else:
                end = self._hash(parts)
                if end:
                    return VelocityBlock(_join(parts)), end
        return VelocityBlock(_join(parts)), ""

    def _backslashes(self, parts: list[Part]) -> None:
        match = _ESCAPED.match(self.text, self.at)
        if not match:
            parts.append(self.next())
            return
        self.at = match.end(1)
        parts.append("\\" * (len(match[1]) // 2))
        if len(match[1]) % 2:
            parts.append(self.next())

    def _hash(self, parts: list[Part]) -> str:
        """A comment, a directive or a mere number sign; the name of a directive that ends a block."""
        if self.text.startswith("##", self.at):
            end = self.text.find("\n", self.at)
            self.at = len(self.text) if end < 0 else end + 1
            return ""
        for opening, closing in (("#*", "*#"), ("#[[", "]]#")):
            if self.text.startswith(opening, self.at):
                content = self.until(opening, closing)
                parts.append(content if opening == "#[[" else "")
                return ""
        match = _DIRECTIVE.match(self.text, self.at)
        name = (match[1] or match[2]) if match else ""
        if match is None or not self._is_directive(name, match.end()):
            parts.append(self.next())
            return ""
        self.at = match.end()
        if name in ("end", "else", "elseif"):
            return name
        if name == "set" and parts and isinstance(parts[-1], str):
            parts[-1] = parts[-1].rstrip(" \t")
        parts.append(self._directive(name))
        return ""

    def _is_directive(self, name: str, end: int) -> bool:
        if name in ("end", "else", "break", "stop"):
            return True
        if name in _REFUSED:
            raise VelocityError(f"#{name} is not supported: there is nothing to include")
        known = name in _DIRECTIVES or name == "elseif" or name in self._macros
        return known and re.compile(r"\s*\(").match(self.text, end) is not None

    def _directive(self, name: str) -> Part:
        if name in ("break", "stop"):
            self.end_of_line()
            return syntax.Jump(name)
        self.expect("(")
        made = _DIRECTIVES.get(name)
        return made(self) if made else self._call(name)

    def _set(self) -> Part:
        target = self._target()
        self.expect("=")
        value = self._expression()
        self._close()
        return syntax.Set(target, value)

    def _target(self) -> syntax.VelocityReference:
        self.skip()
        target = self._reference() if self.text.startswith("$", self.at) else None
        if target is None:
            raise VelocityError(f"a reference is missing at '{self.here()}'")
        return target

    def _variable(self) -> str:
        target = self._target()
        if target.steps:
            raise VelocityError(f"'{target.source}' is not the name of a variable")
        return target.root

    def _if(self) -> Part:
        branches: list[tuple[Expression | None, VelocityBlock]] = []
        condition: Expression | None = self._expression()
        self._close()
        while True:
            body, end = self._block()
            branches.append((condition, body))
            if end == "end":
                self.end_of_line()
                return syntax.If(tuple(branches))
            if not end or condition is None:
                raise VelocityError("#if has no #end")
            if end == "elseif":
                self.expect("(")
                condition = self._expression()
                self._close()
            else:
                condition = None
                self.end_of_line()

    def _foreach(self) -> Part:
        variable = self._variable()
        self.skip()
        if not self.text.startswith("in", self.at):
            raise VelocityError(f"'in' is missing at '{self.here()}'")
        self.at += 2
        items = self._expression()
        self._close()
        return syntax.ForEach(variable, items, self._body("foreach"))

    def _define(self) -> Part:
        name = self._variable()
        self._close()
        return syntax.Define(name, self._body("define"))

    def _macro(self) -> Part:
        self.skip()
        name = self.word("the name of the macro")
        parameters: list[str] = []
        while not self.at_letter(")"):
            self.accept(",")
            parameters.append(self._variable())
        self._close()
        return syntax.Macro(name, tuple(parameters), self._body("macro"))

    def _evaluate(self) -> Part:
        text = self._expression()
        self._close()
        return syntax.Evaluate(text)

    def _call(self, name: str) -> Part:
        arguments: list[Expression] = []
        while not self.at_letter(")"):
            self.accept(",")
            arguments.append(self._expression())
        self._close()
        return syntax.Call(name, tuple(arguments))

    def _body(self, name: str) -> VelocityBlock:
        body, end = self._block()
        if end != "end":
            raise VelocityError(f"#{name} has no #end" if not end else f"#{end} within #{name}")
        self.end_of_line()
        return body

    # Expressions

    def _expression(self, level: int = 0) -> Expression:
        if level == len(_OPERATORS):
            return self._unary()
        left = self._expression(level + 1)
        while True:
            self.skip()
            match = _OPERATORS[level].match(self.text, self.at)
            if not match:
                return left
            sign = self.take(match)
            left = syntax.Binary(_SIGNS.get(sign, sign), left, self._expression(level + 1))

    def _unary(self) -> Expression:
        self.skip()
        for operator in ("!", "not ", "-"):
            if self.text.startswith(operator, self.at):
                self.at += len(operator)
                return syntax.Unary(operator.strip().replace("not", "!"), self._unary())
        return self._primary()

    def _primary(self) -> Expression:
        letter = self.text[self.at : self.at + 1]
        if letter == "$":
            return self._target()
        if letter in ("'", '"') and letter:
            return self._string(letter)
        if letter == "(":
            self.at += 1
            inner = self._expression()
            self.expect(")")
            return inner
        if letter == "[":
            return self._list()
        if letter == "{":
            return self._map()
        word = _WORD.match(self.text, self.at)
        if word:
            return syntax.Literal({"true": True, "false": False, "null": None}[self.take(word)])
        number = _NUMBER.match(self.text, self.at)
        if not number or len(number[0]) > 20:
            raise VelocityError(f"a value is missing at '{self.here()}'")
        digits = self.take(number)
        return syntax.Literal(int(digits) if digits.isdigit() else float(digits))

    def _string(self, quote: str) -> Expression:
        """A quote within a string is doubled."""
        match = re.compile(f"{quote}((?:[^{quote}]|{quote}{quote})*+){quote}").match(self.text, self.at)
        if not match:
            raise VelocityError(f"a string is not closed at '{self.here()}'")
        self.at = match.end()
        content = match[1].replace(quote * 2, quote)
        if quote == "'":
            return syntax.Literal(content)
        block = VelocityParser(content, self._check, self._macros).template()
        return syntax.Literal(content) if block.parts in ((content,), ()) else block

    def _list(self) -> Expression:
        self.at += 1
        items: list[Expression] = []
        while not self.at_letter("]"):
            if items:
                if len(items) == 1 and self.accept(".."):
                    last = self._expression()
                    self.expect("]")
                    return syntax.Range(items[0], last)
                self.expect(",")
            items.append(self._expression())
        self.expect("]")
        return syntax.ListOf(tuple(items))

    def _map(self) -> Expression:
        self.at += 1
        entries: list[tuple[Expression, Expression]] = []
        while not self.at_letter("}"):
            if entries:
                self.expect(",")
            key = self._expression()
            self.expect(":")
            entries.append((key, self._expression()))
        self.expect("}")
        return syntax.MapOf(tuple(entries))

    def _close(self) -> None:
        self.expect(")")
        self.end_of_line()

    # References

    def _reference(self) -> syntax.VelocityReference | None:
        """The reference that begins here, or None when the dollar sign is only text."""
        start = self.at
        self.at += 1
        quiet = self.text.startswith("!", self.at)
        self.at += quiet
        braces = self.text.startswith("{", self.at)
        self.at += braces
        name = NAME.match(self.text, self.at)
        if not name:
            self.at = start
            return None
        root, steps = self.take(name), self._steps()
        otherwise = None
        if braces:
            if self.text.startswith("|", self.at):
                self.at += 1
                otherwise = self._expression()
            self.skip()
            if not self.text.startswith("}", self.at):
                raise VelocityError(f"'{self.text[start : start + 20]}' has no closing brace")
            self.at += 1
        made = syntax.VelocityReference(self.text[start : self.at], root, tuple(steps), quiet, otherwise)
        self._check(made)
        return made

    def _steps(self) -> list[syntax.Step]:
        steps: list[syntax.Step] = []
        while True:
            name = _PROPERTY.match(self.text, self.at)
            if name:
                self.at = name.end()
                steps.append(syntax.Method(name[1], self._arguments()) if self._opens() else syntax.Property(name[1]))
            elif self.text.startswith("[", self.at) and self._is_index():
                self.at += 1
                steps.append(syntax.VelocityItem(self._expression()))
                self.expect("]")
            else:
                return steps

    def _opens(self) -> bool:
        return self.text.startswith("(", self.at)

    def _is_index(self) -> bool:
        """A bracket behind a reference is text when it holds no index: ``[$x] [other]`` in JSON."""
        return re.compile(r"\[\s*(?:-?\d+|'[^']*'|\"[^\"]*\"|\$[\w.!{}]+)\s*\]").match(self.text, self.at) is not None

    def _arguments(self) -> tuple[Expression, ...]:
        self.at += 1
        arguments: list[Expression] = []
        while not self.at_letter(")"):
            if arguments:
                self.expect(",")
            arguments.append(self._expression())
        self.expect(")")
        return tuple(arguments)


_DIRECTIVES: dict[str, Callable[[VelocityParser], Part]] = {
    "set": VelocityParser._set,
    "if": VelocityParser._if,
    "foreach": VelocityParser._foreach,
    "define": VelocityParser._define,
    "macro": VelocityParser._macro,
    "evaluate": VelocityParser._evaluate,
}


def _join(parts: list[Part]) -> tuple[Part, ...]:
    joined: list[Part] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part != "":
            joined.append(part)
    return tuple(joined)
