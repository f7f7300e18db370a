"""Values: JSONata, variables, and the context object."""

import json
from datetime import UTC, datetime
from typing import Any

import jsonata
from moto.stepfunctions.parser.asl.component.state import state
from moto.stepfunctions.parser.asl.eval import states, variable_store
from moto.stepfunctions.parser.asl.jsonata import jsonata as moto_jsonata

from workers.local.seams.table import replaces


def _evaluate_jsonata(expression: str) -> Any:
    try:
        return json.loads(json.dumps(jsonata.Jsonata(expression).evaluate(None), default=lambda _: None))
    except Exception as error:  # the library raises whatever its parser stumbles over
        raise moto_jsonata.JSONataException("UNKNOWN", str(error)) from error


replaces(moto_jsonata, "_eval_jsonata", _evaluate_jsonata, "moto evaluates JSONata in a Java machine it does not bring")


def _declare_variables(bindings: dict[str, Any]) -> str:
    return "".join(f"{name}:={json.dumps(value, default=str)};" for name, value in bindings.items())


for _module in (states, variable_store):
    replaces(
        _module,
        "encode_jsonata_variable_declarations",
        _declare_variables,
        "moto puts strings into JSONata expressions without escaping quotes and backslashes",
    )


def _state_data(EnteredTime: str, Name: str) -> dict[str, Any]:  # noqa: N803 - called with these keywords
    return {"EnteredTime": iso_milliseconds(datetime.fromisoformat(EnteredTime)), "Name": Name}


def iso_milliseconds(moment: datetime) -> str:
    """A time as the context object shows it: 2024-12-31T23:59:59.123Z."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


replaces(state, "StateData", _state_data, "moto writes $$.State.EnteredTime with microseconds and +00:00")
