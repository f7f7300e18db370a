"""Definitions as CloudFormation and Terraform, for teams that deploy with those.

Activities that a definition calls by name become resources beside the state machine, so that they exist before it
does. `${Placeholders}` that stand in the definition become parameters (CloudFormation) or variables (Terraform).
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from workers.arns import Place, check_name, namespaced
from workers.machines.definition import Definition, load
from workers.machines.model.machine import StateMachine

_PLACEHOLDER = re.compile(r"\$\{([^}{\"]+)\}")
_TEMPLATE = re.compile(r"\$\{([^}{\"]+)\}|\$\{|%\{")
_PLACE = Place("${AWSPartition}", "${AWSRegion}", "${AWSAccountId}")
_ACTIVITIES = _PLACE.activity("x").removesuffix("x")
_CLOUDFORMATION = {"AWSPartition": "AWS::Partition", "AWSRegion": "AWS::Region", "AWSAccountId": "AWS::AccountId"}
_TERRAFORM = {
    "AWSPartition": "data.aws_partition.current.partition",
    "AWSRegion": "data.aws_region.current.id",
    "AWSAccountId": "data.aws_caller_identity.current.account_id",
}


def render(
    given: str | Path | Mapping[str, Any] | StateMachine | Definition,
    target: Literal["cloudformation", "terraform"],
    *,
    name: str,
    namespace: str | None = None,
) -> dict[str, Any]:
    """A definition as a CloudFormation template, or as a Terraform file in JSON (`.tf.json`).

    `name` is the state machine's; `namespace` goes before it and before the names of activities. The role's ARN is
    left as a parameter. Raises `InvalidDefinitionError`, and `UsageError` for a name that AWS would refuse.
    """
    full_name = check_name(namespaced(name, namespace), "state machine")
    asl = load(given).to_asl(place=_PLACE, namespace=namespace)
    make = _cloudformation if target == "cloudformation" else _terraform
    return make(full_name, asl)


def _cloudformation(name: str, asl: dict[str, Any]) -> dict[str, Any]:
    placeholders = [found for found in _placeholders(asl) if found not in _CLOUDFORMATION]
    activities = _identifiers(_activities(asl), lambda found: _pascal(found) + "Activity", taken=placeholders)
    arns = _identifiers(_other_arns(asl), _arn_identifier, taken=[*placeholders, *activities.values()])
    taken = ["RoleArn", "StateMachine", *activities.values()]
    parameters = _identifiers(placeholders, _pascal, taken=taken)
    filled = {_ACTIVITIES + activity: found for activity, found in activities.items()} | arns
    definition = _mapped(asl, lambda text: f"${{{filled[text]}}}" if text in filled else text)
    substitutions: dict[str, Any] = {found: {"Ref": found} for found in activities.values()}
    references = _CLOUDFORMATION | parameters
    for arn, found in arns.items():
        substitutions[found] = {"Fn::Sub": _PLACEHOLDER.sub(lambda inside: f"${{{references[inside[1]]}}}", arn)}
    for found in _placeholders(definition):
        if found not in substitutions:
            substitutions[found] = {"Ref": references[found]}
    machine = {"StateMachineName": name, "RoleArn": {"Ref": "RoleArn"}, "Definition": definition}
    if substitutions:
        machine["DefinitionSubstitutions"] = substitutions
    resources = {
        identifier: {"Type": "AWS::StepFunctions::Activity", "Properties": {"Name": activity}}
        for activity, identifier in activities.items()
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": {"RoleArn": {"Type": "String", "Description": "The role in which the state machine runs"}}
        | {parameter: {"Type": "String"} for parameter in parameters.values()},
        "Resources": resources | {"StateMachine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine}},
        "Outputs": {"StateMachineArn": {"Value": {"Ref": "StateMachine"}}},
    }


def _other_arns(asl: Any) -> list[str]:
    """What tasks call by name and is no activity: linters know no ARN that has placeholders in it."""
    found: dict[str, None] = {}

    def look(text: str) -> str:
        if text.startswith(f"arn:{_PLACE.partition}:") and not text.startswith(_ACTIVITIES):
            found[text] = None
        return text

    _mapped(asl, look)
    return list(found)


def _arn_identifier(arn: str) -> str:
    return _pascal(arn.split(":", 5)[5]) + "Arn"


def _terraform(name: str, asl: dict[str, Any]) -> dict[str, Any]:
    activities = _identifiers(_activities(asl), _snake)
    placeholders = [found for found in _placeholders(asl) if found not in _TERRAFORM]
    names = _identifiers(placeholders, _snake, taken=["role_arn"])

    def filled(found: re.Match[str]) -> str:
        placeholder = found[1]
        if placeholder is None:
            return f"{found[0][0]}{found[0]}"  # what only looks like a template is doubled, which makes it text
        if placeholder.startswith("\0"):
            return f"${{aws_sfn_activity.{placeholder[1:]}.id}}"
        if reference := _TERRAFORM.get(placeholder):
            return f"${{{reference}}}"
        return f"${{var.{names[placeholder]}}}"

    named = {activity: f"\0{identifier}" for activity, identifier in activities.items()}
    definition = _mapped(asl, lambda text: _with_activities(text, named))
    text = _TEMPLATE.sub(
        filled, json.dumps(definition, ensure_ascii=False, separators=(",", ":")).replace("\\u0000", "\0")
    )
    machine = {"name": name, "role_arn": "${var.role_arn}", "definition": text}
    resources: dict[str, Any] = {"aws_sfn_state_machine": {_snake(name): machine}}
    if activities:
        resources["aws_sfn_activity"] = {identifier: {"name": activity} for activity, identifier in activities.items()}
    data: dict[str, Any] = {found.split(".")[1]: {"current": {}} for found in _TERRAFORM.values() if found in text}
    return ({"data": data} if data else {}) | {
        "variable": {"role_arn": {"type": "string", "description": "The role in which the state machine runs"}}
        | {variable: {"type": "string"} for variable in names.values()},
        "resource": resources,
        "output": {"state_machine_arn": {"value": f"${{aws_sfn_state_machine.{_snake(name)}.arn}}"}},
    }


def _activities(asl: Any) -> list[str]:
    """The names of the activities that are called by name."""
    found: dict[str, None] = {}

    def look(text: str) -> str:
        if text.startswith(_ACTIVITIES):
            found[text.removeprefix(_ACTIVITIES)] = None
        return text

    _mapped(asl, look)
    return list(found)


def _with_activities(text: str, activities: dict[str, str]) -> str:
    identifier = activities.get(text.removeprefix(_ACTIVITIES)) if text.startswith(_ACTIVITIES) else None
    return f"${{{identifier}}}" if identifier else text


def _placeholders(asl: Any) -> list[str]:
    """The names of all placeholders, each once."""
    found: dict[str, None] = {}

    def look(text: str) -> str:
        found.update(dict.fromkeys(_PLACEHOLDER.findall(text)))
        return text

    _mapped(asl, look)
    return list(found)


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """`value` with each text in it changed, keys apart."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_mapped(one, change) for one in value]
    return {key: _mapped(one, change) for key, one in value.items()} if isinstance(value, dict) else value


def _identifiers(names: Iterable[str], spell: Callable[[str], str], *, taken: Iterable[str] = ()) -> dict[str, str]:
    """An identifier for each of `names`, no two the same, and none that is taken."""
    found: dict[str, str] = {}
    used = set(taken)
    for name in names:
        identifier, count = spell(name), 1
        while identifier in used:
            identifier, count = f"{spell(name)}{count + 1}", count + 1
        found[name] = identifier
        used.add(identifier)
    return found


def _pascal(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name)) or "X"


def _snake(name: str) -> str:
    found = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").lower()
    return found if found[:1].isalpha() else f"x{found}"
