"""Activities that machines use, and activities that the registry handles: the same ones?"""

from collections.abc import Iterable, Iterator, Mapping

from workers.arns import activity_name
from workers.doctor.findings import Finding, Level
from workers.doctor.subjects import Use
from workers.supervisor.activity import Activity


def check_handled(uses: Iterable[Use], handled: Mapping[str, Activity]) -> Iterator[Finding]:
    """`handled`: what the worker polls, by ARN."""
    uses = list(uses)
    for use in uses:
        if use.task.resource not in handled:
            name = activity_name(use.task.resource)
            known = ", ".join(sorted(activity.name for activity in handled.values()))
            message = f"nothing handles the activity {name}: its tasks wait until they time out. Handled: {known}"
            yield Finding("not-handled", use.where, message, Level.ERROR)
    used = {use.task.resource for use in uses}
    for arn, activity in handled.items():
        if arn not in used:
            message = "none of these machines uses it: a poller waits for nothing"
            yield Finding("not-used", f"activity {activity.name}", message)
