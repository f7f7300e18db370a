"""Mocked tasks: results and errors by state and attempt, in the form of AWS's own mock configuration.

    {"StateMachines": {"Orders": {"TestCases": {"Refused": {"Charge": "ChargeRefused"}}}},
     "MockedResponses": {"ChargeRefused": {"0-1": {"Throw": {"Error": "Refused", "Cause": "…"}}, "2": {"Return": {}}}}}

An execution chooses its test case where it is started: `stateMachineArn` ends in `#Refused` (developer guide, "Using
mocked service integrations").
"""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from workers.errors import UsageError
from workers.local.calls import Call
from workers.local.integrations.base import BaseService
from workers.local.integrations.resources import Resource
from workers.local.values.errors import RUNTIME, StateError

_ATTEMPTS = re.compile(r"(\d+)(?:-(\d+))?")


def _attempts(text: str) -> str:
    if not (found := _ATTEMPTS.fullmatch(text)) or (found[2] and int(found[2]) < int(found[1])):
        raise ValueError("is no number of an attempt, from 0, nor a range such as 0-2")
    return text


class _Throw(BaseModel):
    model_config = ConfigDict(extra="forbid")

    error: str = Field(alias="Error")
    cause: str | None = Field(None, alias="Cause")


class Response(BaseModel):
    """What a mocked task gives: a result or an error."""

    model_config = ConfigDict(extra="forbid")

    result: Any = Field(None, alias="Return")
    throw: _Throw | None = Field(None, alias="Throw")

    @model_validator(mode="after")
    def _one_of_both(self) -> "Response":
        if len(self.model_fields_set) != 1:
            raise ValueError("has either Return or Throw")
        return self


class _Machine(BaseModel):
    model_config = ConfigDict(extra="forbid")

    test_cases: dict[str, dict[str, str]] = Field(alias="TestCases")


class Mocks(BaseModel):
    """A mock configuration."""

    model_config = ConfigDict(extra="forbid")

    machines: dict[str, _Machine] = Field(default_factory=dict, alias="StateMachines")
    responses: dict[str, dict[Annotated[str, AfterValidator(_attempts)], Response]] = Field(
        default_factory=dict, alias="MockedResponses"
    )

    @model_validator(mode="after")
    def _all_there(self) -> "Mocks":
        for machine, cases in self.machines.items():
            for case, states in cases.test_cases.items():
                for state, response in states.items():
                    if response not in self.responses:
                        raise ValueError(f"{machine}#{case} mocks {state!r} by {response!r}: no such response")
        return self

    def knows(self, machine: str, case: str) -> bool:
        """Whether there is a test case `case` of `machine`."""
        return machine in self.machines and case in self.machines[machine].test_cases

    def attempts(self, machine: str, case: str, state: str) -> dict[str, Response] | None:
        """What a state answers in a test case, by attempt; None where it is not mocked."""
        cases = self.machines[machine].test_cases if machine in self.machines else {}
        name = cases.get(case, {}).get(state)
        return None if name is None else self.responses[name]


def load_mocks(path: Path) -> Mocks:
    """The mock configuration in a file. Raises `UsageError` saying what is wrong with it."""
    try:
        return Mocks.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"the mock configuration {path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise UsageError(f"the mock configuration {path} is wrong: {_problems(error)}") from None


def _problems(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg'].removeprefix('Value error, ')}"
        for one in error.errors()
    )


class MockedService(BaseService):
    """A task that gives what a mock configuration says.

    The call of a `.sync` or a `.waitForTaskToken` succeeds, with the result as its answer, and ends as a job does: what
    is thrown is thrown by what it waits for.
    """

    def __init__(self, resource: Resource, attempts: dict[str, Response]) -> None:
        super().__init__(resource)
        self.ends_with = "answer" if resource.ends_with == "answer" else "job"
        self._attempts = attempts

    async def submit(self, call: Call) -> Any:
        response = self._response(call)
        return response.result if self.ends_with == "job" else _given(response)

    async def finish(self, call: Call, answer: Any) -> Any:
        del answer
        return _given(self._response(call))

    def _response(self, call: Call) -> Response:
        for attempts, response in self._attempts.items():
            first, _, last = attempts.partition("-")
            if int(first) <= call.attempt <= int(last or first):
                return response
        why = f"The mock configuration has no response of the state '{call.state}' for attempt {call.attempt}"
        raise StateError(RUNTIME, why)


def _given(response: Response) -> Any:
    """The result. Raises what the response throws."""
    if response.throw is not None:
        raise StateError(response.throw.error, response.throw.cause)
    return response.result
