"""Who may see pages, and who may send their forms.

Without tokens the pages stand on this machine only, and are refused under names that are not its own. With tokens one
logs in with one of them; scripts may send it as they send it to the API. No form is taken from another site's page, nor
without the key that it had when it was shown.
"""

import secrets
from http.cookies import Morsel, SimpleCookie
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workers.manager.api.guard import Right, Tokens, from_elsewhere, is_here
from workers.web.login.forms import FormError, form_key, read_form
from workers.web.login.sessions import Sessions
from workers.web.rendering import path, render

_READS = {"GET", "HEAD"}
_OPEN = ("/static/", "/login")
"""Paths for which nobody need have logged in."""
SESSION, FORMS = "workers-session", "workers-forms"
"""The cookies: who has logged in, and what the keys of forms belong to."""


class PageGuard:
    """Refuses who may not ask, and hands on what is known of the others.

    Pages find in `request.state`: `form_key`, what each form has to hold; `form`, the form that was sent; `writes`,
    whether this visitor may change anything; `logged_in`, whether there is a session to leave.

    `any_host`: without tokens, whether pages may be asked for under any name of this machine.
    """

    def __init__(self, app: ASGIApp, *, tokens: Tokens, any_host: bool = False) -> None:
        self._app = app
        self._tokens = tokens
        self._sessions = Sessions(tokens)
        self._any_host = any_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        known = request.cookies.get(FORMS, "")
        cookie = known or secrets.token_hex(16)
        state: dict[str, Any] = scope.setdefault("state", {})
        state |= {"form_key": form_key(self._tokens.secret, cookie), "sessions": self._sessions}
        state |= self._visitor(request)

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and not known:
                MutableHeaders(scope=message).append("Set-Cookie", set_cookie(request, FORMS, cookie))
            await send(message)

        answer = await self._refusal(request) or self._app
        await answer(scope, receive, with_cookie)

    def _visitor(self, request: Request) -> dict[str, bool]:
        """What the visitor may do."""
        if not self._tokens:
            return {"reads": True, "writes": True, "logged_in": False}
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        session = self._sessions.rights(request.cookies.get(SESSION, ""))
        rights = session | (self._tokens.rights(token.strip()) if scheme.lower() == "bearer" else set())
        writes = Right.WRITE in rights
        return {"reads": writes or Right.READ in rights, "writes": writes, "logged_in": bool(session)}

    async def _refusal(self, request: Request) -> Response | None:
        host = request.headers.get("host", "")
        if not (self._tokens or self._any_host) and not is_here(host):
            message = f"{host!r} is not this machine: set tokens to be reached from others."
            return _refused(request, "Not by this name", message)
        is_open = _inside(request).startswith(_OPEN)
        if not (is_open or request.state.reads):
            return _to_login(request)
        return None if request.method in _READS else await self._form_refusal(request, is_open=is_open)

    async def _form_refusal(self, request: Request, *, is_open: bool) -> Response | None:
        """What there is against a form; it is read on the way."""
        state = request.state
        if from_elsewhere(request.headers):
            return _refused(request, "Not from there", "A page of another site sent this form, and may not.")
        if not (is_open or state.writes or _inside(request) == "/logout"):
            return _refused(request, "Only to be read", "You have logged in with a token that may only read.")
        try:
            state.form = await read_form(request, state.form_key)
        except FormError as error:
            return _refused(request, "The form is not taken", str(error), status=error.status)
        return None


def set_cookie(request: Request, name: str, value: str, *, seconds: int | None = None) -> str:
    """The header that sets a cookie for these pages: not for scripts, nor for requests from other sites.

    `seconds`: until it is forgotten; 0 at once, None with the browser.
    """
    cookie: SimpleCookie = SimpleCookie()
    cookie[name] = value
    morsel: Morsel[str] = cookie[name]
    morsel["path"] = f"{request.scope.get('root_path', '').rstrip('/')}/"
    morsel["httponly"] = True
    morsel["samesite"] = "Strict"
    if request.url.scheme == "https":
        morsel["secure"] = True
    if seconds is not None:
        morsel["max-age"] = seconds
    return morsel.OutputString()


def _inside(request: Request) -> str:
    """The path of a request within the pages."""
    inside: str = request.scope["path"]
    return inside.removeprefix(request.scope.get("root_path", "").rstrip("/"))


def _to_login(request: Request) -> Response:
    if request.method not in _READS or request.headers.get("accept", "").startswith("text/event-stream"):
        return _refused(request, "Log in first", "Nobody has logged in here, or that was too long ago.", status=401)
    here = _inside(request) + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"{path(request, 'login')}?{urlencode({'next': here})}", status_code=303)


def _refused(request: Request, title: str, message: str, *, status: int = 403) -> Response:
    return render(request, "failure.html", status=status, title=title, message=message)
