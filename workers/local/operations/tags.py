"""TagResource, UntagResource, ListTagsForResource."""

from workers.local.arns import parse
from workers.local.errors import ApiError, resource_not_found
from workers.local.operations.types import Operations, Parameters
from workers.local.region import Region

TAG_LIMIT = 50
"""Tags of one resource (Step Functions quotas)."""


def tag(region: Region, arn: str, tags: list[dict[str, str]]) -> None:
    """Adds `tags` to a resource. Raises `ApiError` TooManyTags."""
    known = {**region.tags.get(arn, {}), **{tag.get("key", ""): tag.get("value", "") for tag in tags}}
    if len(known) > TAG_LIMIT:
        raise ApiError("TooManyTags", f"{arn} would have {len(known)} tags: the limit is {TAG_LIMIT}")
    if known:
        region.tags[arn] = known


def tag_resource(region: Region, parameters: Parameters) -> Parameters:
    tag(region, _resource(region, parameters), parameters["tags"])
    return {}


def untag_resource(region: Region, parameters: Parameters) -> Parameters:
    known = region.tags.get(_resource(region, parameters), {})
    for key in parameters["tagKeys"]:
        known.pop(key, None)
    return {}


def list_tags_for_resource(region: Region, parameters: Parameters) -> Parameters:
    known = region.tags.get(_resource(region, parameters), {})
    return {"tags": [{"key": key, "value": value} for key, value in known.items()]}


def _resource(region: Region, parameters: Parameters) -> str:
    arn = parse(parameters["resourceArn"], "stateMachine", "activity")
    if arn.text not in region.activities and region.machines.find(arn.text) is None:
        raise resource_not_found()
    return arn.text


OPERATIONS: Operations = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
