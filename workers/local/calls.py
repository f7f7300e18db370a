"""What a Task state asks of a service that is no activity, and how it asks."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt at a Task: who calls, and with what.

    `parameters`: what Parameters or Arguments gave, or the state's input. `attempt`: 0, and 1 more for each retry.
    `token`: the task token of a `.waitForTaskToken`, which the parameters already hold where the definition says so.
    """

    execution: str
    """ARN."""
    machine: str
    """Name of the state machine."""
    state: str
    attempt: int
    parameters: Any
    role: str
    token: str | None = None


class Service(Protocol):
    """What the Resource of a Task stands for. Each raises `StateError` with the error and cause that AWS gives.

    Nothing may be kept here for a call that is under way: after a restart of the engine `submit` is called again
    where its answer was not yet known, else `finish` with that answer.
    """

    resource_type: str
    """As the history has it: `sqs`, `aws-sdk:dynamodb`, `states`; `lambda-arn` for the ARN of a function itself."""
    resource: str
    """As the history has it: `sendMessage.waitForTaskToken`; for `lambda-arn`, the ARN."""
    ends_with: Literal["answer", "job", "token"]
    """What ends the task: the answer to `submit`; the job that it started (`.sync`); the token that comes back."""

    def check(self, parameters: Any) -> None:
        """Raises `EvaluationError` States.Runtime for parameters with which a task cannot start."""

    async def submit(self, call: Call) -> Any:
        """Calls the service and gives its answer as JSON. Cancelled when the task's time is up or its state ends."""

    async def finish(self, call: Call, answer: Any) -> Any:
        """Waits for the job that `submit` started and gives the task's result. Only where `ends_with` is `job`."""

    async def abort(self, call: Call, answer: Any) -> None:
        """Stops the job: its task is over before it. Only where `ends_with` is `job`; raises nothing."""


class Services(Protocol):
    """All services of one region: given to `Region(services=…)`."""

    def service(self, resource: str, *, state: str, machine: str, test_case: str | None) -> Service:
        """What `resource` stands for in a state, which a test case may mock; asked once per task. Raises `StateError`
        where it is nothing known."""

    def mock(self, *, state: str, machine: str, test_case: str) -> Service | None:
        """What a test case puts in the place of a state's task, also of an activity's; None where it does not."""

    def has_case(self, machine: str, test_case: str) -> bool:
        """Whether the mock configuration has such a test case."""
