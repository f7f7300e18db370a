"""Executions: start, also synchronously, stop, redrive, describe, list; and their histories."""

import uuid
from collections.abc import Iterator

from workers.local.arns import accept_name, parse
from workers.local.documents import parsed
from workers.local.errors import ApiError, invalid_arn, state_machine_type_not_supported, validation
from workers.local.executions import Execution
from workers.local.history import without_data
from workers.local.operations.types import Operations, Parameters
from workers.local.paging import numbered_page, page
from workers.local.redriving import refusal
from workers.local.region import Region

_DATA = frozenset({"input", "inputDetails", "output", "outputDetails", "error", "cause"})


def start_execution(region: Region, parameters: Parameters) -> Parameters:
    execution = _start(region, parameters, sync=False)
    return {"executionArn": execution.arn, "startDate": execution.started}


async def start_sync_execution(region: Region, parameters: Parameters) -> Parameters:
    execution = _start(region, parameters, sync=True)
    await region.wait_for_end(execution)
    milliseconds = ((execution.stopped or execution.started) - execution.started) * 1000
    billed = {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": int(milliseconds // 100 + 1) * 100}
    return _description(execution) | {"traceHeader": execution.trace_header, "billingDetails": billed}


def stop_execution(region: Region, parameters: Parameters) -> Parameters:
    execution = _find(region, parameters)
    region.stop(execution, error=parameters.get("error"), cause=parameters.get("cause"))
    return {"stopDate": execution.stopped}


def describe_execution(region: Region, parameters: Parameters) -> Parameters:
    arn = parse(parameters["executionArn"], "execution", "express")
    execution = region.executions.get(arn.text)
    if arn.kind == "express" and (execution is None or execution.map_run is None):
        raise invalid_arn(f"Resource type not valid in this context: {arn.kind}")
    described = describe(region, region.execution(arn.text))
    if parameters.get("includedData") == "METADATA_ONLY":
        return {name: value for name, value in described.items() if name not in _DATA}
    return described


def describe(region: Region, execution: Execution) -> Parameters:
    """An execution as DescribeExecution shows it."""
    return _description(execution) | {
        "traceHeader": execution.trace_header,
        "stateMachineVersionArn": execution.origin.version_arn,
        "stateMachineAliasArn": execution.origin.alias_arn,
        "mapRunArn": execution.map_run,
        "redriveCount": execution.redrives,
        "redriveDate": execution.redriven,
        **_redrive_status(region, execution),
    }


def redrive_execution(region: Region, parameters: Parameters) -> Parameters:
    execution = _find(region, parameters)
    token = parameters.get("clientToken")
    if token and (when := execution.redriven_by(token)):
        return {"redriveDate": when}
    reason = refusal(region, execution)
    if reason is None and execution.map_run is not None:
        reason = "Execution was started by a Map Run and is redriven with it"
    if reason is not None:
        raise ApiError("ExecutionNotRedrivable", f"Execution Not Redrivable: '{reason}'")
    region.redrive(execution)
    if token:
        execution.note_redrive(token)
    return {"redriveDate": execution.redriven}


def list_executions(region: Region, parameters: Parameters) -> Parameters:
    if ("stateMachineArn" in parameters) == ("mapRunArn" in parameters):
        raise validation("Exactly one of stateMachineArn and mapRunArn must be specified")
    status, redriven = parameters.get("statusFilter"), parameters.get("redriveFilter")
    wanted = (
        execution
        for execution in _listed(region, parameters)
        if status in (None, execution.status)
        and redriven in (None, "REDRIVEN" if execution.redrives else "NOT_REDRIVEN")
    )
    executions, token = page(
        wanted,
        lambda execution: execution.number,
        size=parameters.get("maxResults"),
        token=parameters.get("nextToken"),
        descending=True,
    )
    return {"executions": [_list_item(execution) for execution in executions], "nextToken": token}


def _listed(region: Region, parameters: Parameters) -> Iterator[Execution]:
    if "mapRunArn" in parameters:
        children = region.map_run(parameters["mapRunArn"]).children.values()
        return iter(sorted(children, key=lambda execution: -execution.number))
    arn = parameters["stateMachineArn"]
    if region.machines.get(arn).type == "EXPRESS":
        raise state_machine_type_not_supported()
    return (
        execution
        for execution in region.executions.newest_first()
        if arn in (execution.machine_arn, execution.origin.version_arn, execution.origin.alias_arn)
        and execution.map_run is None
    )


def get_execution_history(region: Region, parameters: Parameters) -> Parameters:
    reverse = parameters.get("reverseOrder", False)
    recorded = _find(region, parameters).events
    events, token = numbered_page(
        recorded, size=parameters.get("maxResults"), token=parameters.get("nextToken"), descending=reverse
    )
    if not parameters.get("includeExecutionData", True):
        events = [without_data(event) for event in events]
    return {"events": events, "nextToken": token}


def _start(region: Region, parameters: Parameters, *, sync: bool) -> Execution:
    target = region.machines.target(parameters["stateMachineArn"])
    if sync and target.machine.type != "EXPRESS":
        raise state_machine_type_not_supported()
    if target.test_case is not None and not region.services.has_case(target.machine.name, target.test_case):
        raise validation(f"The mock configuration has no test case {target.test_case!r} of {target.machine.name!r}")
    name = accept_name(parameters.get("name") or str(uuid.uuid4()))
    execution_input = parameters.get("input", "{}")
    try:
        parsed(execution_input)
    except (ValueError, RecursionError) as error:
        why = str(error) if execution_input else "Invalid execution input."
        raise ApiError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{why}'") from None
    return region.start(target, name, execution_input, trace_header=parameters.get("traceHeader"))


def _find(region: Region, parameters: Parameters) -> Execution:
    return region.execution(parse(parameters["executionArn"], "execution").text)


def _description(execution: Execution) -> Parameters:
    return {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.started,
        "stopDate": execution.stopped,
        "input": execution.input,
        "inputDetails": {"included": True},
        "output": execution.output,
        "outputDetails": None if execution.output is None else {"included": True},
        "error": execution.error,
        "cause": execution.cause,
    }


def _list_item(execution: Execution) -> Parameters:
    return {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine_arn,
        "stateMachineVersionArn": execution.origin.version_arn,
        "stateMachineAliasArn": execution.origin.alias_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.started,
        "stopDate": execution.stopped,
        "mapRunArn": execution.map_run,
        "itemCount": execution.items,
        "redriveCount": execution.redrives,
        "redriveDate": execution.redriven,
    }


def _redrive_status(region: Region, execution: Execution) -> Parameters:
    if (reason := refusal(region, execution)) is not None:
        return {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}
    return {"redriveStatus": "REDRIVABLE" if execution.map_run is None else "REDRIVABLE_BY_MAP_RUN"}


OPERATIONS: Operations = {
    "StartExecution": start_execution,
    "StartSyncExecution": start_sync_execution,
    "StopExecution": stop_execution,
    "RedriveExecution": redrive_execution,
    "DescribeExecution": describe_execution,
    "ListExecutions": list_executions,
    "GetExecutionHistory": get_execution_history,
}
