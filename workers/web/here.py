"""What handlers ask of the pages they stand in."""

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request

from workers.stepfunctions.account import Account
from workers.web.recent import Recent

if TYPE_CHECKING:
    from workers.manager.manager import LocalManager


def manager_here(request: Request) -> "LocalManager":
    """The workflow manager. Raises an error of 404 where there is none."""
    manager: LocalManager | None = request.app.state.source.manager
    if manager is None:
        raise HTTPException(404, "Workflows and their definitions are kept by `workers serve`.")
    return manager


def account_here(request: Request) -> Account:
    """Where executions are."""
    account: Account = request.app.state.source.account
    return account


def recent_here(request: Request) -> Recent:
    """What was read a moment ago."""
    recent: Recent = request.app.state.recent
    return recent
