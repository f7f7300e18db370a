"""SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat."""

from workers.local.documents import parsed
from workers.local.errors import ApiError
from workers.local.operations.types import Operations, Parameters
from workers.local.region import Region
from workers.local.tasks import Failure, Success


def send_task_success(region: Region, parameters: Parameters) -> Parameters:
    task = region.tokens.get(parameters["taskToken"])
    try:
        parsed(parameters["output"])
    except (ValueError, RecursionError) as error:
        raise ApiError("InvalidOutput", f"Invalid Output: '{error}'") from None
    task.report(Success(parameters["output"]))
    return {}


def send_task_failure(region: Region, parameters: Parameters) -> Parameters:
    task = region.tokens.get(parameters["taskToken"])
    task.report(Failure(parameters.get("error"), parameters.get("cause")))
    return {}


def send_task_heartbeat(region: Region, parameters: Parameters) -> Parameters:
    region.tokens.get(parameters["taskToken"]).beat()
    return {}


OPERATIONS: Operations = {
    "SendTaskSuccess": send_task_success,
    "SendTaskFailure": send_task_failure,
    "SendTaskHeartbeat": send_task_heartbeat,
}
