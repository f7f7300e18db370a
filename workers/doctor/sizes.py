"""Budgets added up: each result may be small enough, and all of them together too large for Step Functions."""

from collections.abc import Iterable, Iterator

from workers.doctor.findings import Finding
from workers.doctor.flow import Moment, total
from workers.doctor.paths import ANY
from workers.machines.model.machine import Map
from workers.payloads.limits import OUTPUT_LIMIT


def check_sizes(machine: str, moments: Iterable[Moment]) -> Iterator[Finding]:
    """Judges the output of each state against 262,144 bytes (service quotas)."""
    for moment in moments:
        where = f"{machine}: {moment.name}"
        size = total(moment.output)
        if size > OUTPUT_LIMIT and size > total(moment.given):
            message = (
                f"its output can have {size:,} bytes, with {len(moment.output)} results in it, and Step Functions "
                f"allows {OUTPUT_LIMIT:,}: lower their budgets, or keep less of each (ResultPath, ResultSelector)"
            )
            yield Finding("too-large-together", where, message)
        if isinstance(moment.state, Map) and not moment.state.result_writer:
            yield from _items(where, moment)


def _items(where: str, moment: Moment) -> Iterator[Finding]:
    """A Map's result has an entry for each item, however many there are."""
    kept = {at: piece for at, piece in moment.output.items() if ANY in at}
    each = total({at: piece for at, piece in moment.result.items() if at[0] == ANY})
    if kept and each:
        most = OUTPUT_LIMIT // each
        message = (
            f"each item can leave {each:,} bytes in its output, so that more than {most} items are too many for Step "
            f"Functions, which allows {OUTPUT_LIMIT:,}: lower the budget, keep less of each item, or nothing "
            "(ResultPath null)"
        )
        yield Finding("items-too-large", where, message)
