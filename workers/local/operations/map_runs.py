"""DescribeMapRun, ListMapRuns, UpdateMapRun."""

from workers.local.arns import parse
from workers.local.errors import validation
from workers.local.map_runs import MapRun
from workers.local.operations.types import Operations, Parameters
from workers.local.paging import page
from workers.local.redriving import lost
from workers.local.region import Region


def describe_map_run(region: Region, parameters: Parameters) -> Parameters:
    map_run = _find(region, parameters)
    return map_run.describe(lost(region, map_run))


def list_map_runs(region: Region, parameters: Parameters) -> Parameters:
    execution = region.execution(parse(parameters["executionArn"], "execution").text)
    found = [map_run for map_run in region.map_runs.values() if map_run.execution is execution]
    listed, token = page(
        sorted(found, key=lambda map_run: map_run.arn),
        lambda map_run: map_run.arn,
        size=parameters.get("maxResults"),
        token=parameters.get("nextToken"),
    )
    items = [
        {
            "executionArn": execution.arn,
            "mapRunArn": map_run.arn,
            "stateMachineArn": execution.machine_arn,
            "startDate": map_run.started,
            "stopDate": map_run.stopped,
        }
        for map_run in listed
    ]
    return {"mapRuns": items, "nextToken": token}


def update_map_run(region: Region, parameters: Parameters) -> Parameters:
    map_run = _find(region, parameters)
    if parameters.keys() <= {"mapRunArn"}:
        names = "maxConcurrency, toleratedFailureCount, or toleratedFailurePercentage"
        raise validation(f"Either {names} must be specified")
    if map_run.status != "RUNNING":
        raise validation("Map run is not running and cannot be updated")
    map_run.max_concurrency = parameters.get("maxConcurrency", map_run.max_concurrency)
    map_run.tolerated_count = parameters.get("toleratedFailureCount", map_run.tolerated_count)
    map_run.tolerated_percentage = parameters.get("toleratedFailurePercentage", map_run.tolerated_percentage)
    region.updated(map_run)
    map_run.changed()
    return {}


def _find(region: Region, parameters: Parameters) -> MapRun:
    return region.map_run(parse(parameters["mapRunArn"], "mapRun").text)


OPERATIONS: Operations = {
    "DescribeMapRun": describe_map_run,
    "ListMapRuns": list_map_runs,
    "UpdateMapRun": update_map_run,
}
