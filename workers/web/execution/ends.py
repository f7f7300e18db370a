"""Why a Fail state failed: no event of its own tells, but the definition does."""

from typing import Any

from workers.histories.visits import Visit
from workers.payloads.document import nodes


def fail_states(definition: Any) -> dict[str, dict[str, str]]:
    """The `error` and the `cause` of each Fail state of a definition in ASL, where they stand there as text."""
    found: dict[str, dict[str, str]] = {}
    for _, node in nodes(definition):
        states = node.get("States") if isinstance(node, dict) else None
        for name, state in states.items() if isinstance(states, dict) else ():
            if isinstance(state, dict) and state.get("Type") == "Fail":
                said = {"error": state.get("Error"), "cause": state.get("Cause")}
                found[name] = {key: text for key, text in said.items() if isinstance(text, str) and "{%" not in text}
    return found


def error_of(visit: Visit, fails: dict[str, dict[str, str]]) -> str | None:
    """The name of the error of a visit, where it is known without reading more."""
    return visit.error or fails.get(visit.state, {}).get("error")
