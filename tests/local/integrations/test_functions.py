"""Lambda functions played by Python callables."""

import json
from typing import Any

import pytest

from tests.local.integrations.conftest import FUNCTION, ask
from workers.local.integrations.integrations import Integrations
from workers.local.values.errors import StateError


@pytest.mark.parametrize("qualifier", ["", ":live", ":$LATEST"])
async def test_a_function_is_called_by_its_arn(integrations: Integrations, qualifier: str):
    answer = await ask(integrations, FUNCTION.format("greet") + qualifier, {"name": "you"})
    assert answer == {"hello": "you", "from": "greet"}
    assert await ask(integrations, FUNCTION.format("double"), 21) == 42


@pytest.mark.parametrize("name", ["double", "double:live", FUNCTION.format("double"), "123456789012:function:double"])
async def test_a_function_is_invoked(integrations: Integrations, name: str):
    answer = await ask(integrations, "lambda:invoke", {"FunctionName": name, "Payload": 4})
    assert (answer["Payload"], answer["StatusCode"], answer["ExecutedVersion"]) == (8, 200, "$LATEST")
    answer = await ask(integrations, "aws-sdk:lambda:invoke", {"FunctionName": name, "Payload": "4"})
    assert answer["Payload"] == "8"


async def test_what_a_function_raises_is_the_error(integrations: Integrations):
    with pytest.raises(StateError) as raised:
        await ask(integrations, FUNCTION.format("refuse"), "this")
    assert raised.value.error == "LookupError"
    cause: dict[str, Any] = json.loads(raised.value.cause or "")
    assert cause.keys() == {"errorMessage", "errorType", "requestId", "stackTrace"}
    assert (cause["errorMessage"], cause["errorType"]) == ("this", "LookupError")
    assert "raise LookupError(event)" in cause["stackTrace"][-1]


async def test_a_result_that_is_no_json_is_an_error(integrations: Integrations):
    with pytest.raises(StateError) as raised:
        await ask(integrations, FUNCTION.format("unserializable"), 1)
    assert raised.value.error == "TypeError"


async def test_functions_that_are_not_there_are_named(integrations: Integrations):
    with pytest.raises(StateError, match=r"has double, greet, refuse, unserializable: see --lambda") as raised:
        await ask(integrations, "lambda:invoke", {"FunctionName": "nope"})
    assert raised.value.error == "Lambda.ResourceNotFoundException"
    with pytest.raises(StateError, match="FunctionName"):
        await ask(integrations, "lambda:invoke", {})
