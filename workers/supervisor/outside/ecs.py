"""On ECS: while activity tasks run, the ECS task is protected from scale-in and from being replaced.

Endpoint: "Amazon ECS task scale-in protection endpoint", ECS developer guide. The ECS agent gives its address in
ECS_AGENT_URI; only tasks of an ECS service can be protected.
"""

import math
from collections.abc import Callable
from typing import Any

import aiohttp
import anyio
import structlog

from workers.backoff import Backoff

log = structlog.get_logger(__name__)

_STATE = "/task-protection/v1/state"
_ANSWER_WITHIN = 5.0
_RELEASE_WITHIN = 3.0


class ScaleInProtection:
    """Keeps the protection of this ECS task while `busy()`, and for `linger` seconds after.

    It is asked for `minutes` at a time and renewed at half of them, so that a worker that dies leaves nothing
    protected for long. What fails is logged and tried again; it never stops the worker.
    """

    def __init__(
        self,
        agent_uri: str,
        busy: Callable[[], bool],
        *,
        minutes: int = 10,
        linger: float = 10.0,
        look_every: float = 1.0,
        renew_after: float | None = None,
    ) -> None:
        self._url = agent_uri.rstrip("/") + _STATE
        self._busy = busy
        self._minutes = minutes
        self._linger = linger
        self._look_every = look_every
        self._renew_after = minutes * 60 / 2 if renew_after is None else renew_after
        self._last_busy = -math.inf
        self._held = False
        self._may_be_held = False  # also when the answer to a PUT never came
        self._renew_at = -math.inf
        self._try_at = -math.inf
        self._backoff = Backoff(initial=1.0, maximum=60.0)
        self._said = ""

    async def run(self) -> None:
        """Looks whether the worker is busy, for ever. Cancelled, it releases what it holds."""
        timeout = aiohttp.ClientTimeout(total=_ANSWER_WITHIN)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            try:
                while True:
                    await self._look(http)
                    await anyio.sleep(self._look_every)
            finally:
                if self._may_be_held:
                    with anyio.move_on_after(_RELEASE_WITHIN, shield=True):
                        await self._set(http, protected=False)

    async def _look(self, http: aiohttp.ClientSession) -> None:
        now = anyio.current_time()
        if self._busy():
            self._last_busy = now
        wanted = now - self._last_busy < self._linger or self._last_busy == now
        due = wanted != self._held or (wanted and now >= self._renew_at)
        if due and now >= self._try_at:
            await self._set(http, protected=wanted)

    async def _set(self, http: aiohttp.ClientSession, *, protected: bool) -> None:
        wish: dict[str, Any] = {"ProtectionEnabled": protected}
        if protected:
            wish["ExpiresInMinutes"] = self._minutes
            self._may_be_held = True
        try:
            async with http.put(self._url, json=wish) as answer:
                problem = _problem(answer.status, await answer.json(content_type=None))
        except Exception as error:  # noqa: BLE001 - no connection, no JSON, an odd answer: none may stop the worker
            problem = str(error) or type(error).__name__
        if problem:
            self._failed(problem, protected=protected)
        else:
            self._succeeded(protected=protected)

    def _succeeded(self, *, protected: bool) -> None:
        if protected != self._held:
            log.info("scale-in protection held" if protected else "scale-in protection released")
        self._held = self._may_be_held = protected
        self._renew_at = anyio.current_time() + self._renew_after
        self._try_at = -math.inf
        self._backoff.reset()
        self._said = ""

    def _failed(self, problem: str, *, protected: bool) -> None:
        delay = self._backoff.next()
        self._try_at = anyio.current_time() + delay
        if problem != self._said:
            self._said = problem
            log.warning("scale-in protection failed", wanted=protected, error=problem, again_in=round(delay, 1))


def _problem(status: int, answer: Any) -> str | None:
    """What the agent complains about: `error` for a bad call, `failure` for a task that cannot be protected."""
    found = answer if isinstance(answer, dict) else {}
    if error := found.get("error"):
        return _told(error, "Code", "Message")
    if failure := found.get("failure"):
        return _told(failure, "Reason", "Detail")
    return None if status == 200 else f"HTTP status {status}"


def _told(complaint: Any, kind: str, detail: str) -> str:
    if not isinstance(complaint, dict):
        return str(complaint)
    return f"{complaint.get(kind)}: {complaint.get(detail)}"
