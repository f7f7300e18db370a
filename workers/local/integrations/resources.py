"""What the Resource of a Task names: a service, one of its actions, and how the task ends."""

import re
from dataclasses import dataclass
from typing import Literal

from workers.local.values.errors import RUNTIME, EvaluationError

Ending = Literal["answer", "job", "token"]

_INTEGRATION = re.compile(
    r"arn:[\w-]+:states:[\w-]*:\d*:(?P<sdk>aws-sdk:)?(?P<service>[\w-]+):(?P<action>\w+)"
    r"(?P<pattern>\.sync(?::2)?|\.waitForTaskToken)?"
)
_FUNCTION = re.compile(r"arn:[\w-]+:lambda:[\w-]*:\d*:function:(?P<name>[\w-]+)(?::[\w$-]+)?")


@dataclass(frozen=True, slots=True)
class Resource:
    """A parsed Resource. `service` is `sqs`, `states`, `lambda-arn`; `sdk`: called by the AWS SDK integrations."""

    arn: str
    service: str
    action: str
    """`sendMessage`; of `lambda-arn`, the name of the function."""
    pattern: str = ""
    """``, `.sync`, `.sync:2` or `.waitForTaskToken`."""
    sdk: bool = False

    @property
    def resource_type(self) -> str:
        """As the history has it."""
        return f"aws-sdk:{self.service}" if self.sdk else self.service

    @property
    def resource(self) -> str:
        """As the history has it."""
        return self.arn if self.service == "lambda-arn" else self.action + self.pattern

    @property
    def ends_with(self) -> Ending:
        """What ends the task."""
        return "answer" if not self.pattern else "token" if self.pattern == ".waitForTaskToken" else "job"


NOTHING = Resource("", "", "")
"""In the place of the Resource of an activity, which is no service."""


def parse_resource(arn: str) -> Resource:
    """Raises `EvaluationError` States.Runtime for what names no service."""
    if found := _FUNCTION.fullmatch(arn):
        return Resource(arn, "lambda-arn", found["name"])
    if found := _INTEGRATION.fullmatch(arn):
        return Resource(arn, found["service"], found["action"], found["pattern"] or "", sdk=bool(found["sdk"]))
    raise not_recognized(arn)


def not_recognized(arn: str) -> EvaluationError:
    """For a Resource that stands for nothing."""
    why = "The value is not a valid resource ARN, or the resource is not available in this region."
    return EvaluationError(RUNTIME, f"The resource provided {arn} is not recognized. {why}")
