"""Names, namespaces and ARNs: checked here, before AWS gets to see them."""

import re
from dataclasses import dataclass

from workers.errors import UsageError

NAME_LIMIT = 80
NAMESPACE_SEPARATOR = "--"

# Where the embedded Step Functions is.
LOCAL_PORT = 8083
LOCAL_ACCOUNT = "123456789012"
LOCAL_REGION = "us-east-1"

# What CreateActivity and CreateStateMachine refuse (Step Functions API reference, `Name`; service quotas page).
_REFUSED = re.compile('[\\s?*<>{}\\[\\]"#%\\\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\U0010ffff]')
_ACTIVITY_ARN = re.compile(r"arn:[\w-]+:states:[\w-]+:\d{12}:activity:(?P<name>.+)", re.ASCII)


def check_name(name: str, what: str) -> str:
    """Returns `name` when AWS would accept it as the name of `what` ("activity", "state machine", "execution").

    Raises `UsageError` for a name that is empty, over 80 characters, or holds a character AWS refuses.
    """
    if not name:
        raise UsageError(f"the {what} name is empty: give it 1 to {NAME_LIMIT} characters")
    if len(name) > NAME_LIMIT:
        raise UsageError(f"the {what} name {name!r} has {len(name)} characters: AWS allows {NAME_LIMIT}")
    if found := _REFUSED.search(name):
        raise UsageError(
            f"the {what} name {name!r} holds {found.group()!r}, which AWS refuses: use letters, digits, - and _"
        )
    return name


def without_refused(name: str, replacement: str = "-") -> str:
    """`name` with `replacement` for every character that AWS refuses in a name."""
    return _REFUSED.sub(replacement, name)


def is_arn(name: str) -> bool:
    """Whether `name` is written as a full ARN."""
    return name.startswith("arn:")


def namespaced(name: str, namespace: str | None) -> str:
    """Activity or state machine `name` in `namespace`: `NS--name`, or `name` where there is no namespace."""
    return f"{namespace}{NAMESPACE_SEPARATOR}{name}" if namespace else name


def activity_name(arn: str) -> str:
    """The name in an activity's ARN. Raises `UsageError` for anything that is not an activity's ARN."""
    if not (found := _ACTIVITY_ARN.fullmatch(arn)):
        raise UsageError(f"{arn!r} is not the ARN of an activity: arn:PARTITION:states:REGION:ACCOUNT:activity:NAME")
    return found["name"]


@dataclass(frozen=True, slots=True)
class Place:
    """The account and region in which names become ARNs."""

    partition: str
    region: str
    account: str

    def activity(self, name: str) -> str:
        """The ARN of the activity `name`; an ARN is returned as it is."""
        return name if is_arn(name) else self._arn("activity", check_name(name, "activity"))

    def state_machine(self, name: str) -> str:
        """The ARN of the state machine `name`; an ARN is returned as it is."""
        return name if is_arn(name) else self._arn("stateMachine", check_name(name, "state machine"))

    def execution(self, state_machine: str, name: str) -> str:
        """The ARN of the execution `name` of the state machine named `state_machine`."""
        return self._arn("execution", f"{state_machine}:{name}")

    def _arn(self, kind: str, name: str) -> str:
        return f"arn:{self.partition}:states:{self.region}:{self.account}:{kind}:{name}"
