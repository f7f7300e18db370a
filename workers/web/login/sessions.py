"""Sessions of people who have logged in with a token: all that is known of one stands in its cookie.

The cookie holds when it ends and a signature made with the token, not the token itself. So every process of the service
knows it, it outlives restarts, and it ends with the token.
"""

import secrets
import time

from workers.manager.api.guard import Right, Tokens

LASTS = 12 * 3_600
"""Seconds until one has to log in again."""
_LOOK = {Right.READ, Right.WRITE}
"""The rights with which one may look at pages."""


class Sessions:
    """Opens sessions, and knows them again."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def open(self, token: str) -> str | None:
        """The cookie of a new session; None for a token that is not known, or may not look."""
        if not self._tokens.rights(token) & _LOOK:
            return None
        text = f"{int(time.time()) + LASTS}.{secrets.token_hex(16)}"
        return f"{text}.{self._tokens.signature(token, _signed(text))}"

    def rights(self, cookie: str) -> set[Right]:
        """What who has the cookie may do; nothing where it is none of ours, or over."""
        text, _, signature = cookie.rpartition(".")
        rights = self._tokens.rights_of(_signed(text), signature) & _LOOK
        ends = text.partition(".")[0]
        return rights if rights and int(ends) >= time.time() else set()


def _signed(text: str) -> str:
    return f"session of the web page: {text}"
