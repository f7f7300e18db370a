"""IAM policies with the least that a worker and a workflow manager need, made from what they are started with.

The actions and their resource types are those of the service authorization reference. SendTaskSuccess, SendTaskFailure
and SendTaskHeartbeat are judged by the activity, or for `.waitForTaskToken` by the state machine, that a task token
belongs to.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from workers.arns import Place, is_arn, namespaced
from workers.settings import Settings

_REPORTS = ("states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess")
_EVERYTHING = "*"
_ROLES = "role/sfn-workers/*"
"""The roles that registration makes, by their path."""
_PROOF = "workers-check-sync"
"""The state machine of `workers serve --check-sync`, which belongs to no namespace."""
_NOTES = "progress"
"""The folder of the payload store with notes of progress."""
_TABLES = ("CreateTable", "DescribeTable", "DescribeTimeToLive", "UpdateTimeToLive")
_ITEMS = ("BatchGetItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem")


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
    statements += payload_statements(settings.payloads, place=place, notes=True)
    if kms_key:
        statements.append(_allow("Key", ["kms:Decrypt", "kms:GenerateDataKey"], [kms_key]))
    if cluster and settings.ecs_protection:
        tasks = f"arn:{place.partition}:ecs:{place.region}:{place.account}:task/{cluster}/*"
        statements.append(_allow("ScaleIn", ["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"], [tasks]))
    return {"Version": "2012-10-17", "Statement": statements}


def manager_policy(
    *,
    place: Place,
    database: str = "",
    payloads: str | None = None,
    role: str | None = None,
    namespace: str | None = None,
    events: str | None = None,
    create_events: bool = False,
    callbacks: str | None = None,
    batch: bool = False,
    batch_results: str | None = None,
    kms_key: str | None = None,
) -> dict[str, Any]:
    """The policy of the role of `workers serve`, from what it is started with.

    `role`: the role that it gives its state machines; without one, it makes one for each (`--create-role`).
    `namespace`: the one in which workflows may be started; by default all. `events`: the name of the queue that
    EventBridge fills, which it may always check; `create_events`: whether it makes that queue and its rule.
    `callbacks`: the application whose callbacks it consumes, `NAMESPACE--APPLICATION`. `batch`: whether it has queues
    of AWS Batch; `batch_results`: the table into which their jobs write outputs.
    """

    every = namespaced(_EVERYTHING, namespace)
    machines = [_any(place, "stateMachine", every)]
    makes = ["CreateStateMachine", "TagResource", "UpdateStateMachine"]
    uses = ["DescribeStateMachine", "ListExecutions", "ListTagsForResource", "StartExecution"]
    looks = ["DescribeExecution", "GetExecutionHistory", "RedriveExecution", "StopExecution"]
    statements = [
        _allow("Machines", _of("states", makes + uses), machines),
        _allow("Executions", _of("states", looks), [_any(place, "execution", every) + ":*"]),
        _allow("Activities", ["states:CreateActivity"], [_any(place, "activity", every)]),
        *_page_statements(every, place=place),
        *_role_statements(role, place=place),
    ]
    statements += _database_statements(database, place=place)
    statements += _batch_statements(place=place, looks=batch, results=batch_results)
    if events:
        statements += _event_statements(events, place=place, makes=create_events, kms_key=kms_key)
    statements += payload_statements(payloads, place=place)
    if callbacks:
        statements += callback_statements(f"{callbacks}-callbacks", place=place, machines=machines)
    if kms_key:
        statements.append(_allow("Key", ["kms:Decrypt", "kms:GenerateDataKey"], [kms_key]))
    return {"Version": "2012-10-17", "Statement": statements}


def _page_statements(names: str, *, place: Place) -> Iterator[dict[str, Any]]:
    """What the web page reads besides: `names` are those of machines and executions."""
    yield _allow(
        "PageLists", _of("states", ["ListActivities", "ListStateMachines"]), [_EVERYTHING]
    )  # know no resources
    yield _allow("PageMachines", ["states:ListStateMachineVersions"], [_any(place, "stateMachine", names)])
    described = ["states:DescribeStateMachineForExecution"]
    yield _allow("PageExecutions", described, [_any(place, "execution", names) + ":*"])
    yield _allow(
        "PageMapRuns", _of("states", ["DescribeMapRun", "ListExecutions"]), [_any(place, "mapRun", names) + ":*"]
    )


def _role_statements(role: str | None, *, place: Place) -> Iterator[dict[str, Any]]:
    """What the manager needs to give its state machines that role, or one each that it makes."""
    own = f"arn:{place.partition}:iam::{place.account}:{_ROLES}"
    passes = _allow("PassRole", ["iam:PassRole"], [role or own])
    passes["Condition"] = {"StringEquals": {"iam:PassedToService": "states.amazonaws.com"}}
    yield passes
    if not role:
        changes = ["CreateRole", "DeleteRolePolicy", "GetRole", "GetRolePolicy", "PutRolePolicy"]
        yield _allow("Roles", _of("iam", changes), [own])


def _database_statements(url: str, *, place: Place) -> Iterator[dict[str, Any]]:
    """What the manager needs in its database: nothing unless that is DynamoDB."""
    if url.startswith("dynamodb://"):
        tables = _table(place, f"{url.removeprefix('dynamodb://')}-{_EVERYTHING}")
        yield _allow("Database", _of("dynamodb", _TABLES + _ITEMS), [tables])


def _batch_statements(*, place: Place, looks: bool, results: str | None) -> Iterator[dict[str, Any]]:
    """What the manager needs to look at jobs of AWS Batch, and at their `results`, a table."""
    if looks:
        yield _allow("Jobs", ["batch:DescribeJobs"], [_EVERYTHING])  # knows no resources
    if results:
        yield _allow("JobResults", ["dynamodb:BatchGetItem"], [_table(place, results)])


def _event_statements(name: str, *, place: Place, makes: bool, kms_key: str | None) -> list[dict[str, Any]]:
    """What whoever hears of events, and proves that they come, needs; `makes`: whoever makes their queue and rule, too.

    Which rule sends to the queue is asked of EventBridge, which gives names of any kind: it may be a stack's.
    """
    takes = ["DeleteMessage", "GetQueueAttributes", "GetQueueUrl", "ReceiveMessage"]
    proves = ["CreateStateMachine", "DescribeStateMachine", "StartExecution", "UpdateStateMachine"]
    looks = ["DescribeRule", "ListRuleNamesByTarget", "TestEventPattern"]
    statements = [
        _allow("Events", _of("sqs", takes), [_queue(place, name)]),
        _allow("EventProof", _of("states", proves), [_any(place, "stateMachine", _PROOF)]),
        _allow("EventRules", _of("events", looks), [_EVERYTHING]),
        *([_allow("EventKey", _of("kms", ["DescribeKey", "GetKeyPolicy"]), [kms_key])] if kms_key else []),
    ]
    if makes:
        queues = [_queue(place, name), _queue(place, f"{name}-dlq")]
        changes = ["CreateQueue", "GetQueueAttributes", "GetQueueUrl", "SetQueueAttributes"]
        own = f"arn:{place.partition}:events:{place.region}:{place.account}:rule/{name[:64]}"
        statements.append(_allow("EventQueues", _of("sqs", changes), queues))
        statements.append(_allow("EventRule", _of("events", ["EnableRule", "PutRule", "PutTargets"]), [own]))
    return statements


def callback_statements(name: str, *, place: Place, machines: Sequence[str]) -> list[dict[str, Any]]:
    """What whoever creates, consumes and finishes callbacks needs: `name` is that of their queue and table."""
    queues = [
        "CreateQueue",
        "DeleteMessage",
        "GetQueueAttributes",
        "GetQueueUrl",
        "ReceiveMessage",
        "SetQueueAttributes",
    ]
    table = _table(place, name)
    return [
        _allow("CallbackQueue", _of("sqs", queues), [_queue(place, name), _queue(place, f"{name}-dlq")]),
        _allow(
            "CallbackTable", _of("dynamodb", (*_TABLES, "GetItem", "PutItem", "Query")), [table, f"{table}/index/*"]
        ),
        _allow("CallbackFinish", _REPORTS, machines),
    ]


def payload_statements(store: str | None, *, place: Place, notes: bool = False) -> list[dict[str, Any]]:
    """What a payload store on S3 asks for; nothing for stores of other kinds. `notes`: of progress are forgotten, too.

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
    statements = [_allow("Payloads", ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"], [objects]), listing]
    if notes:
        statements.append(_allow("Progress", ["s3:DeleteObject"], [f"{objects[:-1]}{_NOTES}/*"]))
    return statements


def _table(place: Place, name: str) -> str:
    return f"arn:{place.partition}:dynamodb:{place.region}:{place.account}:table/{name}"


def _queue(place: Place, name: str) -> str:
    return f"arn:{place.partition}:sqs:{place.region}:{place.account}:{name}"


def _of(service: str, operations: Iterable[str]) -> list[str]:
    return [f"{service}:{operation}" for operation in operations]


def _any(place: Place, kind: str, names: str = _EVERYTHING) -> str:
    return f"arn:{place.partition}:states:{place.region}:{place.account}:{kind}:{names}"


def _allow(name: str, actions: Sequence[str], resources: Sequence[str]) -> dict[str, Any]:
    return {"Sid": name, "Effect": "Allow", "Action": sorted(actions), "Resource": list(resources)}
