"""TestState."""

import json
from typing import Any

from workers.local.documents import Document, parsed
from workers.local.errors import ApiError, invalid_definition, validation
from workers.local.operations.types import Operations, Parameters
from workers.local.region import Region
from workers.local.values.errors import StateError


async def test_state(region: Region, parameters: Parameters) -> Parameters:
    # What a trial needs is loaded when the first one is asked for: most engines never hear of any.
    from workers.local.trial.stage import Answering, Stage
    from workers.local.trial.subject import find_subject
    from workers.local.trial.trial import Found, Given, tried

    subject = find_subject(parameters["definition"], parameters.get("stateName"))
    mock = parameters.get("mock")
    _check_mock(mock, subject.model.type, needed=subject.unmockable)
    if "context" in parameters and mock is None:
        raise validation("The context field can only be specified if a mock is specified")
    configuration = parameters.get("stateConfiguration", {})
    given = Given(
        data=_input(parameters.get("input", "{}")),
        role=parameters.get("roleArn", ""),
        variables=_object(parameters, "variables"),
        context=_object(parameters, "context"),
        mocked=mock is not None,
        retries=configuration.get("retrierRetryCount", 0),
        failures=configuration.get("mapIterationFailureCount"),
        read=configuration.get("mapItemReaderData"),
    )
    answering = None if mock is None else Answering(*_answer(mock, getattr(subject.model, "resource", None)))
    stage = Stage(region, answering)
    found: Found = await tried(subject, given, stage)
    level = parameters.get("inspectionLevel", "INFO")
    if level == "TRACE" and (exchange := stage.exchange):
        request = exchange.whole if parameters.get("revealSecrets") else exchange.request
        found.inspection |= {"request": request.shown(), "response": exchange.response}
    return {
        "output": found.output.text if found.output else None,
        "error": found.error,
        "cause": found.cause,
        "inspectionData": found.inspection if level != "INFO" else None,
        "nextState": found.following,
        "status": found.status,
    }


def _check_mock(mock: Parameters | None, kind: str, *, needed: bool) -> None:
    if mock is None:
        if needed:
            raise invalid_definition(
                f"TestState does not support this {kind} state without a mock: activities, the .sync and "
                ".waitForTaskToken patterns, Map and Parallel need one"
            )
        return
    if kind not in {"Task", "Map", "Parallel"}:
        raise validation(f"State type '{kind}' is not supported when a mock is specified")
    if ("result" in mock) == ("errorOutput" in mock):
        raise validation("A test mock should have only one of the following fields: [result, errorOutput].")


def _answer(mock: Parameters, resource: str | None) -> tuple[Any, StateError | None]:
    """The mocked result, or the mocked error."""
    from workers.local.trial.mocked import check_result

    if "errorOutput" in mock:
        return None, StateError(mock["errorOutput"].get("error"), mock["errorOutput"].get("cause"))
    try:
        result = parsed(mock["result"]).value
    except (ValueError, RecursionError):
        raise validation("Mocked result must be valid JSON") from None
    mode = mock.get("fieldValidationMode", "STRICT")
    if resource is not None and mode != "NONE":
        check_result(resource, result, strict=mode == "STRICT")
    return result, None


def _input(text: str) -> Document:
    try:
        return parsed(text)
    except (ValueError, RecursionError) as error:
        raise ApiError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'") from None


def _object(parameters: Parameters, name: str) -> dict[str, Any]:
    try:
        value = json.loads(parameters.get(name, "{}"))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise validation(f"The {name} field must be a JSON object")
    return value


OPERATIONS: Operations = {"TestState": test_state}
