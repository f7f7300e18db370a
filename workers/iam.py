"""IAM policies with the least that a worker needs, made from the registry it runs and the settings it runs with.

The actions and their resource types are those of the service authorization reference. SendTaskSuccess, SendTaskFailure
and SendTaskHeartbeat are judged by the activity, or for `.waitForTaskToken` by the state machine, that a task token
belongs to.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from workers.arns import Place, is_arn, namespaced
from workers.settings import Settings

_REPORTS = ("states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess")
_EVERYTHING = "*"


def worker_policy(
    activities: Iterable[str],
    *,
    place: Place,
    settings: Settings,
    machines: Sequence[str] = (),
    kms_key: str | None = None,
    cluster: str | None = None,
) -> dict[str, Any]:
    """The policy of the role of a worker that runs `activities` (names, or ARNs).

    `settings` say the namespace, whether activities may be created, and the payload store. `machines`: names of state
    machines whose task tokens are finished by key, by callbacks. `kms_key`: the ARN of the key under which the bucket
    of the payloads, or the activities, are encrypted. `cluster`: the ECS cluster in whose tasks the worker runs, which
    it protects from scale-in. Where `activities` is empty, the role may run any.
    """
    names = [place.activity(name if is_arn(name) else namespaced(name, settings.namespace)) for name in activities]
    own = sorted(names) or [_any(place, "activity")]
    tokens = [place.state_machine(namespaced(name, settings.namespace)) for name in machines]
    polls = ["states:CreateActivity"] * settings.create + ["states:GetActivityTask"]
    statements = [_allow("Poll", polls, own), _allow("Report", _REPORTS, [*own, *sorted(tokens)])]
    statements += payload_statements(settings.payloads, place=place)
    if kms_key:
        statements.append(_allow("Key", ["kms:Decrypt", "kms:GenerateDataKey"], [kms_key]))
    if cluster and settings.ecs_protection:
        tasks = f"arn:{place.partition}:ecs:{place.region}:{place.account}:task/{cluster}/*"
        statements.append(_allow("ScaleIn", ["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"], [tasks]))
    return {"Version": "2012-10-17", "Statement": statements}


def payload_statements(store: str | None, *, place: Place) -> list[dict[str, Any]]:
    """What a payload store on S3 asks for; nothing for stores of other kinds.

    Without s3:ListBucket, S3 answers 403 and not 404 for an object that is missing (S3 user guide, GetObject).
    """
    scheme, _, path = (store or "").partition("://")
    if scheme != "s3":
        return []
    bucket, _, prefix = path.strip("/").partition("/")
    objects = f"arn:{place.partition}:s3:::{bucket}/{prefix + '/' if prefix else ''}*"
    listing = _allow("PayloadsMissing", ["s3:ListBucket"], [f"arn:{place.partition}:s3:::{bucket}"])
    if prefix:
        listing["Condition"] = {"StringLike": {"s3:prefix": [prefix, f"{prefix}/*"]}}
    return [_allow("Payloads", ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"], [objects]), listing]


def _any(place: Place, kind: str) -> str:
    return f"arn:{place.partition}:states:{place.region}:{place.account}:{kind}:{_EVERYTHING}"


def _allow(name: str, actions: Sequence[str], resources: Sequence[str]) -> dict[str, Any]:
    return {"Sid": name, "Effect": "Allow", "Action": sorted(actions), "Resource": list(resources)}
