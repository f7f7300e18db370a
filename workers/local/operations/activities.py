"""CreateActivity, DescribeActivity, ListActivities, DeleteActivity, GetActivityTask."""

from workers.local.arns import accept_name, parse
from workers.local.operations.tags import tag
from workers.local.operations.types import Operations, Parameters
from workers.local.paging import page
from workers.local.region import Region


def create_activity(region: Region, parameters: Parameters) -> Parameters:
    name = accept_name(parameters["name"])
    arn = region.place.activity(name)
    if arn not in region.activities:  # tags of a repeated call are ignored (API reference)
        tag(region, arn, parameters.get("tags", []))
    activity = region.activities.create(name)
    return {"activityArn": activity.arn, "creationDate": activity.created}


def describe_activity(region: Region, parameters: Parameters) -> Parameters:
    activity = region.activities.get(parse(parameters["activityArn"], "activity").text)
    return {"activityArn": activity.arn, "name": activity.name, "creationDate": activity.created}


def list_activities(region: Region, parameters: Parameters) -> Parameters:
    activities, token = page(
        region.activities.by_name(),
        lambda activity: activity.name,
        size=parameters.get("maxResults"),
        token=parameters.get("nextToken"),
    )
    listed = [
        {"activityArn": activity.arn, "name": activity.name, "creationDate": activity.created}
        for activity in activities
    ]
    return {"activities": listed, "nextToken": token}


def delete_activity(region: Region, parameters: Parameters) -> Parameters:
    arn = parse(parameters["activityArn"], "activity").text
    region.activities.delete(arn)
    region.tags.pop(arn, None)
    return {}


async def get_activity_task(region: Region, parameters: Parameters) -> Parameters:
    arn = parse(parameters["activityArn"], "activity").text
    queue = region.activities.queue(arn)
    task = await queue.take(parameters.get("workerName"), hold=region.poll_hold)
    return {"taskToken": task.token, "input": task.input} if task else {}


OPERATIONS: Operations = {
    "CreateActivity": create_activity,
    "DescribeActivity": describe_activity,
    "ListActivities": list_activities,
    "DeleteActivity": delete_activity,
    "GetActivityTask": get_activity_task,
}
