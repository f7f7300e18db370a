"""Create, update, describe, list, delete and validate state machines."""

import asyncio
from typing import TYPE_CHECKING

from workers.local.arns import accept_name, parse
from workers.local.errors import ApiError, invalid_arn, validation
from workers.local.executions import Execution
from workers.local.machines import Revision, StateMachine, Version, parse_machine
from workers.local.operations.tags import tag
from workers.local.operations.types import Operations, Parameters
from workers.local.paging import page
from workers.local.region import Region

if TYPE_CHECKING:
    from workers.local.complaints import Complaint

MOST_DIAGNOSTICS = 100
"""Diagnostics of one answer when the request names no `maxResults`, or 0 (API reference)."""


async def create_state_machine(region: Region, parameters: Parameters) -> Parameters:
    _check_version_description(parameters)
    name, kind = accept_name(parameters["name"]), parameters.get("type", "STANDARD")
    arn = region.place.state_machine(name)
    await asyncio.to_thread(_check_definition, parameters["definition"], express=kind == "EXPRESS")
    revision = Revision(
        parameters["definition"],
        _role(parameters["roleArn"]),
        {"level": "OFF", "includeExecutionData": False, **parameters.get("loggingConfiguration", {})},
        {"enabled": False, **parameters.get("tracingConfiguration", {})},
        parameters.get("encryptionConfiguration", {"type": "AWS_OWNED_KEY"}),
        updated=region.clock.now(),
    )
    machine = region.machines.find(arn)
    if machine is None:
        machine = StateMachine(arn, name, kind, revision, revision.updated)
        tag(region, arn, parameters.get("tags", []))
        region.machines.add(machine)
    elif kind != machine.type or not revision.same_as(machine.revision, ignore_role=True):
        raise ApiError("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")
    version = _published(region, machine, parameters)
    return {
        "stateMachineArn": arn,
        "creationDate": machine.created,
        "stateMachineVersionArn": version.arn if version else None,
    }


async def update_state_machine(region: Region, parameters: Parameters) -> Parameters:
    _check_version_description(parameters)
    arn = parse(parameters["stateMachineArn"], "stateMachine")
    machine = region.machines.get(arn.text)
    if arn.qualifier:
        raise validation("Only the state machine itself can be updated, not a version or alias of it")
    old = machine.revision
    parts = ("definition", "roleArn", "loggingConfiguration", "tracingConfiguration", "encryptionConfiguration")
    if not any(part in parameters for part in parts):
        raise ApiError(
            "MissingRequiredParameter",
            "Either the definition, the role ARN, the LoggingConfiguration, the EncryptionConfiguration or the "
            "TracingConfiguration must be specified",
        )
    if "definition" in parameters:
        express = machine.type == "EXPRESS"
        await asyncio.to_thread(_check_definition, parameters["definition"], express=express)
    changed = machine.update(
        Revision(
            parameters.get("definition", old.definition),
            _role(parameters.get("roleArn", old.role)),
            {**old.logging, **parameters.get("loggingConfiguration", {})},
            {**old.tracing, **parameters.get("tracingConfiguration", {})},
            parameters.get("encryptionConfiguration", old.encryption),
            updated=region.clock.now(),
        )
    )
    version = _published(region, machine, parameters)
    return {
        "updateDate": machine.revision.updated,
        "revisionId": machine.revision.id if changed else None,
        "stateMachineVersionArn": version.arn if version else None,
    }


def describe_state_machine(region: Region, parameters: Parameters) -> Parameters:
    arn = parameters["stateMachineArn"]
    machine = region.machines.get(arn)
    qualifier = parse(arn, "stateMachine").qualifier
    version = machine.version(arn) if qualifier else None
    revision = version.revision if version else machine.revision
    return {
        "stateMachineArn": arn,
        "status": "ACTIVE",
        "type": machine.type,
        "creationDate": version.created if version else machine.created,
        "description": (version.description or None) if version else None,
        **_revision(machine.name, revision, parameters),
    }


def describe_state_machine_for_execution(region: Region, parameters: Parameters) -> Parameters:
    execution: Execution = region.execution(parse(parameters["executionArn"], "execution").text)
    map_run = region.map_run(execution.map_run) if execution.map_run else None
    return {
        "stateMachineArn": execution.machine_arn,
        "mapRunArn": execution.map_run,
        "label": map_run.label if map_run else None,
        "updateDate": execution.revision.updated,
        **_revision(execution.machine_name, execution.revision, parameters),
    }


def list_state_machines(region: Region, parameters: Parameters) -> Parameters:
    machines, token = page(
        region.machines.by_name(),
        lambda machine: machine.name,
        size=parameters.get("maxResults"),
        token=parameters.get("nextToken"),
    )
    listed = [
        {
            "stateMachineArn": machine.arn,
            "name": machine.name,
            "type": machine.type,
            "creationDate": machine.created,
        }
        for machine in machines
    ]
    return {"stateMachines": listed, "nextToken": token}


def delete_state_machine(region: Region, parameters: Parameters) -> Parameters:
    arn = parse_machine(parameters["stateMachineArn"]).text
    region.machines.delete(arn)
    region.tags.pop(arn, None)
    return {}


async def validate_state_machine_definition(region: Region, parameters: Parameters) -> Parameters:
    del region
    express = parameters.get("type") == "EXPRESS"
    found = await asyncio.to_thread(_complaints, parameters["definition"], express=express)
    severities = ("ERROR", "WARNING") if parameters.get("severity") == "WARNING" else ("ERROR",)
    most = parameters.get("maxResults") or MOST_DIAGNOSTICS
    told = [complaint for complaint in found if complaint.severity in severities]
    diagnostics = [
        {"severity": severity, "code": code, "message": message, "location": location}
        for code, message, location, severity in told[:most]
    ]
    failed = any(complaint.severity == "ERROR" for complaint in found)
    return {"result": "FAIL" if failed else "OK", "diagnostics": diagnostics, "truncated": len(told) > most}


def _published(region: Region, machine: StateMachine, parameters: Parameters) -> Version | None:
    """The version that a request publishes beside what else it does."""
    if not parameters.get("publish"):
        return None
    return machine.publish(parameters.get("versionDescription", ""), region.clock.now())


def _check_definition(definition: str, *, express: bool) -> None:
    """Raises `ApiError` InvalidDefinition. Loads the model of the language when it is called first."""
    from workers.local.definitions import parse

    parse(definition, express=express)


def _complaints(definition: str, *, express: bool) -> "list[Complaint]":
    from workers.local.definitions import complaints

    return complaints(definition, express=express)


def _check_version_description(parameters: Parameters) -> None:
    if "versionDescription" in parameters and not parameters.get("publish"):
        raise validation("Version description can only be set when publish is true")


def _role(arn: str) -> str:
    if not arn.startswith("arn:") or ":iam::" not in arn:
        raise invalid_arn(f"Invalid Role Arn: {arn}")
    return arn


def _revision(name: str, revision: Revision, parameters: Parameters) -> Parameters:
    with_data = parameters.get("includedData") != "METADATA_ONLY"
    return {
        "name": name,
        "definition": revision.definition if with_data else "{}",
        "roleArn": revision.role,
        "loggingConfiguration": revision.logging,
        "tracingConfiguration": revision.tracing,
        "encryptionConfiguration": revision.encryption,
        "revisionId": revision.id,
    }


OPERATIONS: Operations = {
    "CreateStateMachine": create_state_machine,
    "UpdateStateMachine": update_state_machine,
    "DescribeStateMachine": describe_state_machine,
    "DescribeStateMachineForExecution": describe_state_machine_for_execution,
    "ListStateMachines": list_state_machines,
    "DeleteStateMachine": delete_state_machine,
    "ValidateStateMachineDefinition": validate_state_machine_definition,
}
