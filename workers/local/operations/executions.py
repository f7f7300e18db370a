"""StartExecution, StartSyncExecution, StopExecution, DescribeExecution, ListExecutions, GetExecutionHistory."""

import json
import uuid

from workers.local.arns import accept_name, parse
from workers.local.errors import ApiError, state_machine_type_not_supported, validation
from workers.local.executions import Execution
from workers.local.history import without_data
from workers.local.operations.types import Operations, Parameters
from workers.local.paging import page
from workers.local.region import Region


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
    execution = _find(region, parameters)
    return _description(execution) | {
        "traceHeader": execution.trace_header,
        "stateMachineVersionArn": execution.version_arn,
        "stateMachineAliasArn": execution.alias_arn,
        "redriveCount": 0,
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": _why_not_redrivable(execution),
    }


def list_executions(region: Region, parameters: Parameters) -> Parameters:
    if ("stateMachineArn" in parameters) == ("mapRunArn" in parameters):
        raise validation("Exactly one of stateMachineArn and mapRunArn must be specified")
    if "mapRunArn" in parameters:  # iterations of a Distributed Map are not executions here
        return {"executions": []}
    machine = region.machines.get(parameters["stateMachineArn"])
    if machine.type == "EXPRESS":
        raise state_machine_type_not_supported()
    arn, status = parameters["stateMachineArn"], parameters.get("statusFilter")
    wanted = (
        execution
        for execution in region.executions.newest_first()
        if arn in (execution.machine_arn, execution.version_arn, execution.alias_arn)
        and status in (None, execution.status)
        and parameters.get("redriveFilter") != "REDRIVEN"
    )
    executions, token = page(
        wanted,
        lambda execution: execution.number,
        size=parameters.get("maxResults"),
        token=parameters.get("nextToken"),
        descending=True,
    )
    return {"executions": [_list_item(execution) for execution in executions], "nextToken": token}


def get_execution_history(region: Region, parameters: Parameters) -> Parameters:
    reverse = parameters.get("reverseOrder", False)
    recorded = _find(region, parameters).events
    events, token = page(
        reversed(recorded) if reverse else iter(recorded),
        lambda event: event["id"],
        size=parameters.get("maxResults"),
        token=parameters.get("nextToken"),
        descending=reverse,
    )
    if not parameters.get("includeExecutionData", True):
        events = [without_data(event) for event in events]
    return {"events": events, "nextToken": token}


def _start(region: Region, parameters: Parameters, *, sync: bool) -> Execution:
    target = region.machines.target(parameters["stateMachineArn"])
    if sync and target.machine.type != "EXPRESS":
        raise state_machine_type_not_supported()
    name = accept_name(parameters.get("name") or str(uuid.uuid4()))
    execution_input = parameters.get("input", "{}")
    try:
        json.loads(execution_input)
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
        "stateMachineVersionArn": execution.version_arn,
        "stateMachineAliasArn": execution.alias_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.started,
        "stopDate": execution.stopped,
        "redriveCount": 0,
    }


def _why_not_redrivable(execution: Execution) -> str:
    if execution.status in ("RUNNING", "SUCCEEDED"):
        return f"Execution is {execution.status} and cannot be redriven"
    return "The embedded Step Functions cannot redrive executions"


OPERATIONS: Operations = {
    "StartExecution": start_execution,
    "StartSyncExecution": start_sync_execution,
    "StopExecution": stop_execution,
    "DescribeExecution": describe_execution,
    "ListExecutions": list_executions,
    "GetExecutionHistory": get_execution_history,
}
