"""What the notation's tests share: a state, or a whole machine, read and written."""

from typing import Any

from workers.arns import Place
from workers.machines.notation.reading import read
from workers.machines.notation.writing import write

HERE = Place("aws", "eu-central-1", "123456789012")


def to_asl(notation: Any, **options: Any) -> Any:
    reading = read(notation, place=options.pop("place", HERE), **options)
    assert reading.findings == []
    return reading.asl


def of_state(state: dict[str, Any], **options: Any) -> Any:
    return to_asl({"start_at": "S", "states": {"S": state}}, **options)["States"]["S"]


def from_state(asl: dict[str, Any], **options: Any) -> Any:
    machine = write({"StartAt": "S", "States": {"S": asl}}, place=options.pop("place", HERE), **options)
    return machine["states"]["S"]


def of_rule(condition: Any) -> Any:
    rule = of_state({"type": "choice", "choices": [{"condition": condition, "next": "n"}]})["Choices"][0]
    return {key: value for key, value in rule.items() if key != "Next"}


def rule_of(asl: dict[str, Any]) -> Any:
    return from_state({"Type": "Choice", "Choices": [{**asl, "Next": "n"}]})["choices"][0]["condition"]
