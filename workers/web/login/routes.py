"""The login form, and leaving."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from workers.web.login.guard import SESSION, set_cookie
from workers.web.login.sessions import LASTS, Sessions
from workers.web.rendering import render


async def login(request: Request) -> Response:
    """The form, and what becomes of it."""
    state = request.state
    if request.method != "POST":
        return render(request, "login/login.html", wrong=False, next=request.query_params.get("next", ""))
    sessions: Sessions = state.sessions
    following = state.form.get("next", "")
    cookie = sessions.open(state.form.get("token", "").strip())
    if cookie is None:
        return render(request, "login/login.html", status=401, wrong=True, next=following)
    response = RedirectResponse(_root(request) + _safe(following), status_code=303)
    response.headers.append("Set-Cookie", set_cookie(request, SESSION, cookie, seconds=LASTS))
    return response


async def logout(request: Request) -> Response:
    """Ends the session in this browser."""
    response = RedirectResponse(f"{_root(request)}/login", status_code=303)
    response.headers.append("Set-Cookie", set_cookie(request, SESSION, "", seconds=0))
    return response


ROUTES = (
    Route("/login", login, methods=["GET", "POST"], name="login"),
    Route("/logout", logout, methods=["POST"], name="logout"),
)


def _root(request: Request) -> str:
    root: str = request.scope.get("root_path", "")
    return root.rstrip("/")


def _safe(following: str) -> str:
    """Where to go on: a path of these pages, never of another site."""
    parts = urlsplit(following.replace("\\", "/"))
    if parts.scheme or parts.netloc or not parts.path.startswith("/") or following.startswith("//"):
        return "/"
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
