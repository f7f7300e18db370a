"""How it stands with states and visits, in a word and a note."""

from workers.histories.progress import Progress, StateProgress
from workers.histories.visits import Outcome, Visit
from workers.machines.graph.seen import NOT_TAKEN

WAITING = "waiting"
"""In place of `running`: for a time, for a worker, or for a callback."""


def word(visit: Visit) -> str:
    """The outcome of a visit; `waiting` where it runs and nobody works on it."""
    if visit.outcome is not Outcome.RUNNING:
        return str(visit.outcome)
    return WAITING if visit.type == "Wait" or visit.events[-1].type.endswith("Scheduled") else str(visit.outcome)


def state_word(state: StateProgress | None) -> str:
    """The same for all visits of a state together."""
    if state is None:
        return NOT_TAKEN.replace(" ", "-")
    if state.outcome is not Outcome.RUNNING:
        return str(state.outcome)
    running = (visit for visit in state.visits if visit.outcome is Outcome.RUNNING)
    return WAITING if all(word(visit) == WAITING for visit in running) else str(Outcome.RUNNING)


def note(state: StateProgress | None) -> str:
    """How often, where it was not just once, and how many tries failed."""
    if state is None:
        return ""
    often = [f"{len(state.visits):,}\u00d7"] if len(state.visits) > 1 else []
    return ", ".join(often + ([f"{state.failures:,} failed"] if state.failures else []))


def ways_taken(progress: Progress) -> set[tuple[str, str]]:
    """The ways that the execution took, from state to state."""
    visits = (visit for state in progress.states.values() for visit in state.visits)
    return {(visit.after.state, visit.state) for visit in visits if visit.after}


def telling(visits: list[Visit]) -> Visit:
    """The visit that one wants to see first: the last that failed, else the last that runs, else the last."""
    for outcome in (Outcome.FAILED, Outcome.RUNNING, Outcome.CAUGHT):
        if found := next((visit for visit in reversed(visits) if visit.outcome is outcome), None):
            return found
    return visits[-1]


def culprit(progress: Progress) -> Visit | None:
    """The innermost visit that the failure of the execution came from."""
    visit = progress.cause
    while visit and (inner := next((one for one in reversed(visit.inside) if one.outcome is Outcome.FAILED), None)):
        visit = inner
    return visit if visit and visit.outcome is Outcome.FAILED else None
