"""The names and ARNs in requests: whether AWS would accept them, and which resource they mean."""

import re
from dataclasses import dataclass

from workers.arns import check_name
from workers.errors import UsageError
from workers.local.errors import invalid_arn, invalid_name

_ARN = re.compile(r"arn:[\w-]+:states:(?P<region>[\w-]+):\d{12}:(?P<kind>\w+):(?P<resource>.+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Arn:
    """An ARN of Step Functions: `kind` is activity, stateMachine, execution, express or mapRun."""

    text: str
    kind: str
    resource: str

    @property
    def qualifier(self) -> str | None:
        """The version number or alias after a state machine's name."""
        return self.resource.partition(":")[2] or None

    @property
    def unqualified(self) -> str:
        """A state machine's ARN without its version number or alias."""
        return self.text.removesuffix(f":{self.qualifier}") if self.qualifier else self.text


def parse(text: str, *kinds: str) -> Arn:
    """Returns the ARN written in `text`. Raises `ApiError` InvalidArn unless it is one of `kinds`."""
    if not (found := _ARN.fullmatch(text)):
        raise invalid_arn(f"Invalid ARN prefix: {text}")
    if found["kind"] not in kinds:
        raise invalid_arn(f"Resource type not valid in this context: {found['kind']}")
    return Arn(text, found["kind"], found["resource"])


def accept_name(name: str) -> str:
    """Returns the name of a new resource. Raises `ApiError` InvalidName for one that AWS refuses."""
    try:
        return check_name(name, "resource")
    except UsageError:
        raise invalid_name(name) from None
