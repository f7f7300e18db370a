"""What pages read from: Step Functions, and where it is served by the manager, its workflows."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.payloads.payloads import Payloads
from workers.stepfunctions.account import Account

if TYPE_CHECKING:  # raw executions are shown without a store, and without what a store needs
    from workers.manager.manager import LocalManager


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where pages find what they show. Executions need the account alone."""

    account: Account
    manager: "LocalManager | None" = None
    """The workflow manager; without one, pages show raw executions and machines."""
    payloads: Payloads | None = None
    """The open store whose claims may be loaded; without one, claims are shown as they are."""
    health: tuple[str, ...] = ()
    """The addresses of workers' health ports, as in `http://10.0.0.7:8080`."""

    @property
    def name(self) -> str:
        """What is looked at, for the head of each page."""
        place = self.account.place
        return "embedded Step Functions" if self.account.settings.local else f"{place.region} · {place.account}"
