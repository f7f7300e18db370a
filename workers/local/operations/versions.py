"""Versions and aliases of state machines: publish, create, update, describe, list, delete."""

from workers.local.arns import parse
from workers.local.errors import resource_not_found, state_machine_does_not_exist, validation
from workers.local.machines import Alias, StateMachine
from workers.local.operations.types import Operations, Parameters
from workers.local.paging import page
from workers.local.region import Region


def publish_state_machine_version(region: Region, parameters: Parameters) -> Parameters:
    machine = _unqualified(region, parameters)
    version = machine.publish(
        parameters.get("description", ""), region.clock.now(), revision_id=parameters.get("revisionId")
    )
    return {"stateMachineVersionArn": version.arn, "creationDate": version.created}


def list_state_machine_versions(region: Region, parameters: Parameters) -> Parameters:
    machine = _unqualified(region, parameters)
    versions, token = page(
        sorted(machine.versions.values(), key=lambda version: -version.number),
        lambda version: version.number,
        size=parameters.get("maxResults"),
        token=parameters.get("nextToken"),
        descending=True,
    )
    listed = [{"stateMachineVersionArn": version.arn, "creationDate": version.created} for version in versions]
    return {"stateMachineVersions": listed, "nextToken": token}


def delete_state_machine_version(region: Region, parameters: Parameters) -> Parameters:
    arn = parse(parameters["stateMachineVersionArn"], "stateMachine")
    if not (arn.qualifier or "").isdecimal():
        raise validation(f"The ARN of a state machine version is required. Received: {arn.text}")
    if machine := region.machines.find(arn.unqualified):
        machine.delete_version(int(arn.qualifier or 0))
    return {}


def create_state_machine_alias(region: Region, parameters: Parameters) -> Parameters:
    routes = _routes(parameters["routingConfiguration"])
    machine = region.machines.get(routes[0][0])
    alias = machine.create_alias(parameters["name"], routes, parameters.get("description", ""), region.clock.now())
    return {"stateMachineAliasArn": alias.arn, "creationDate": alias.created}


def update_state_machine_alias(region: Region, parameters: Parameters) -> Parameters:
    if not {"description", "routingConfiguration"} & parameters.keys():
        raise validation("You must provide at least one of routingConfiguration or description")
    machine, alias = _alias(region, parameters)
    if "routingConfiguration" in parameters:
        routes = _routes(parameters["routingConfiguration"])
        machine.check_routes(routes)
        alias.routes = routes
    alias.description = parameters.get("description", alias.description)
    alias.updated = region.clock.now()
    return {"updateDate": alias.updated}


def describe_state_machine_alias(region: Region, parameters: Parameters) -> Parameters:
    _, alias = _alias(region, parameters)
    return {
        "stateMachineAliasArn": alias.arn,
        "name": alias.name,
        "description": alias.description or None,
        "routingConfiguration": [{"stateMachineVersionArn": arn, "weight": weight} for arn, weight in alias.routes],
        "creationDate": alias.created,
        "updateDate": alias.updated,
    }


def list_state_machine_aliases(region: Region, parameters: Parameters) -> Parameters:
    arn = parameters["stateMachineArn"]
    machine = region.machines.get(arn)
    aliases = sorted(machine.aliases.values(), key=lambda alias: alias.name)
    if parse(arn, "stateMachine").qualifier:  # of a version: the aliases that route to it
        aliases = [alias for alias in aliases if arn in dict(alias.routes)]
    listed, token = page(
        aliases, lambda alias: alias.name, size=parameters.get("maxResults"), token=parameters.get("nextToken")
    )
    items = [{"stateMachineAliasArn": alias.arn, "creationDate": alias.created} for alias in listed]
    return {"stateMachineAliases": items, "nextToken": token}


def delete_state_machine_alias(region: Region, parameters: Parameters) -> Parameters:
    arn = parse(parameters["stateMachineAliasArn"], "stateMachine")
    if machine := region.machines.find(arn.unqualified):
        machine.aliases.pop(arn.qualifier or "", None)
    return {}


def _unqualified(region: Region, parameters: Parameters) -> StateMachine:
    arn = parameters["stateMachineArn"]
    if (machine := region.machines.find(parse(arn, "stateMachine").text)) is None:
        raise state_machine_does_not_exist(arn)
    return machine


def _alias(region: Region, parameters: Parameters) -> tuple[StateMachine, Alias]:
    arn = parse(parameters["stateMachineAliasArn"], "stateMachine")
    machine = region.machines.find(arn.unqualified)
    alias = machine.aliases.get(arn.qualifier or "") if machine else None
    if machine is None or alias is None:
        raise resource_not_found()
    return machine, alias


def _routes(configuration: list[Parameters]) -> list[tuple[str, int]]:
    return [(route["stateMachineVersionArn"], route["weight"]) for route in configuration]


OPERATIONS: Operations = {
    "PublishStateMachineVersion": publish_state_machine_version,
    "ListStateMachineVersions": list_state_machine_versions,
    "DeleteStateMachineVersion": delete_state_machine_version,
    "CreateStateMachineAlias": create_state_machine_alias,
    "UpdateStateMachineAlias": update_state_machine_alias,
    "DescribeStateMachineAlias": describe_state_machine_alias,
    "ListStateMachineAliases": list_state_machine_aliases,
    "DeleteStateMachineAlias": delete_state_machine_alias,
}
