"""What the parsers of paths and of intrinsic functions share: a position in a text, and faults that point at it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from re import Pattern


class ExpressionError(ValueError):
    """An expression that does not parse. Its text says what was wrong and where, without the expression itself."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(f"{message} (character {at + 1})")
        self.at = at


@contextmanager
def shallow() -> Iterator[None]:
    """Turns nesting that Python cannot follow into a fault of the expression."""
    try:
        yield
    except RecursionError:
        raise ExpressionError("it is nested too deeply", 0) from None


_SPACES = re.compile(r"\s*")


class Scanner:
    """A text being read from left to right."""

    def __init__(self, text: str, at: int = 0) -> None:
        self.text = text
        self.at = at

    def done(self) -> bool:
        return self.at >= len(self.text)

    def peek(self, expected: str) -> bool:
        """Whether `expected` comes next."""
        return self.text.startswith(expected, self.at)

    def take(self, expected: str) -> bool:
        """Steps over `expected` when it comes next."""
        if not self.peek(expected):
            return False
        self.at += len(expected)
        return True

    def need(self, expected: str) -> None:
        """Steps over `expected`, which must come next."""
        if not self.take(expected):
            raise self.fault(f"expected {expected!r}, found {self.found()}")

    def match(self, pattern: Pattern[str]) -> str | None:
        """Steps over what `pattern` matches here and returns it; None where it matches nothing."""
        if not (found := pattern.match(self.text, self.at)):
            return None
        self.at = found.end()
        return found.group()

    def spaces(self) -> None:
        self.match(_SPACES)

    def quoted(self) -> str:
        """Reads a string in single or double quotes; a backslash takes a quote of that kind or another backslash
        as it is, and stands for itself before all else (recorded on AWS)."""
        opened, quote = self.at, self.text[self.at]
        self.at += 1
        read: list[str] = []
        while not self.done():
            character = self.text[self.at]
            self.at += 1
            if character == quote:
                return "".join(read)
            if character == "\\" and not self.done() and self.text[self.at] in {quote, "\\"}:
                character = self.text[self.at]
                self.at += 1
            read.append(character)
        raise ExpressionError(f"the {quote} that opens here is never closed", opened)

    def found(self) -> str:
        return "the end" if self.done() else repr(self.text[self.at])

    def fault(self, message: str) -> ExpressionError:
        return ExpressionError(message, self.at)
