"""The stack of workers on ECS watches what its workers print, and lets them run what they poll, also in a namespace."""

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.account import PREFIX, Account, task, unique
from tests.deploy.files import DEPLOY, ROOT, manifest
from tests.deploy.stack import FLEET, MANAGER, Stack, Watched, watched
from tests.processes import workers
from workers.arns import Place
from workers.errors import ExitCode
from workers.iam import worker_policy
from workers.local import LocalStepFunctions
from workers.settings import Settings
from workers.variables import variable

PAGE = (ROOT / "docs/how-to/deploy.md").read_text()
PLACE = Place("aws", "us-east-1", "123456789012")


def fleet(**parameters: str) -> dict[str, Any]:
    """The properties of the stack's resources."""
    found = Stack("ecs/worker.yaml", **{**FLEET, **parameters}).resources
    return {name: one["Properties"] for name, one in found.items() if "Properties" in one}


def printed(lines: list[str]) -> set[Watched]:
    """The metrics that CloudWatch would make of what a worker printed."""
    found = set()
    for line in lines:
        document = json.loads(line)
        for directive in document["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = tuple(sorted((name, document[name]) for name in names))
                found |= {(directive["Namespace"], one["Name"], dimensions) for one in directive["Metrics"]}
    return found


def environment(properties: dict[str, Any]) -> dict[str, str]:
    (container,) = properties["Task"]["ContainerDefinitions"]
    return {one["Name"]: one["Value"] for one in container["Environment"]}


@pytest.mark.parametrize(
    "spaced", [pytest.param(True, id="namespace"), pytest.param(False, id="none", marks=pytest.mark.slow)]
)
async def test_what_the_stack_watches_is_what_its_workers_print_and_poll(
    spaced: bool, account: Account, engine: LocalStepFunctions, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    name, space = unique("add"), unique("prod") if spaced else ""
    (tmp_path / "handlers.py").write_text(
        (DEPLOY / "example" / "handlers.py").read_text().replace('"add"', f'"{name}"')
    )
    stack = fleet(Activity=name, Namespace=space)
    given = {**environment(stack), **engine.environment(), "WORKERS_LOG_FORMAT": "json", "PYTHONPATH": str(tmp_path)}
    # There is no ECS here to ask for a name, no S3, and perhaps not that port.
    given |= {"WORKERS_WORKER_NAME": name, "WORKERS_PAYLOADS": tmp_path.as_uri(), "WORKERS_HEALTH_PORT": "0"}
    arn = f"{PREFIX}:activity:{space}--{name}" if spaced else f"{PREFIX}:activity:{name}"

    (container,) = stack["Task"]["ContainerDefinitions"]
    async with workers(*container["Command"], environment=given) as process:
        await process.says("worker started")
        wrapped = {"Parameters": {"_context": {"entered.$": "$$.State.EnteredTime"}, "input.$": "$"}}
        assert await account.output(task(arn.rpartition(":")[2], **wrapped), {"x": 20, "y": 22}) == 42
        process.send(signal.SIGTERM)
        assert await process.ends() == ExitCode.OK, process.log()

    asked = watched(stack)
    own = {metric for metric in asked if metric[0] != "AWS/States"}
    assert {metric[1] for metric in own} >= {"workers_slots", "workers_slots_used", "workers_pollers_open"}
    assert own <= printed([line for line in capfd.readouterr().out.splitlines() if line.startswith('{"_aws"')])
    assert {metric[2] for metric in asked - own} == {(("ActivityArn", arn),)}


@pytest.mark.parametrize("space", ["prod", ""])
@pytest.mark.parametrize("names", [["add"], ["add", "charge"]], ids=len)
def test_the_role_may_run_the_activities_that_are_named_and_no_others(space: str, names: list[str]):
    arns = [PLACE.activity(f"{space}--{name}" if space else name) for name in names]
    stack = fleet(Namespace=space, **({"Activities": ",".join(arns)} if len(arns) > 1 else {}))
    (policy,) = stack["WorkerRole"]["Policies"]
    settings = Settings(payloads=environment(stack)[variable("payloads")])
    wanted = worker_policy(arns, place=PLACE, settings=settings, cluster="default")
    assert normal(policy["PolicyDocument"]) == normal(wanted)


def normal(policy: dict[str, Any]) -> list[tuple[Any, ...]]:
    """A policy's statements, so that two of them can be compared."""

    def resources(statement: dict[str, Any]) -> list[str]:
        found = statement["Resource"]
        return [found] if isinstance(found, str) else found

    return [
        (one["Sid"], one["Effect"], sorted(one["Action"]), resources(one), one.get("Condition"))
        for one in policy["Statement"]
    ]


def test_workers_and_managers_store_payloads_in_one_place():
    manager = Stack("ecs/manager.yaml", **MANAGER).resources
    (container,) = manager["Task"]["Properties"]["ContainerDefinitions"]
    said = {one["Name"]: one["Value"] for one in container["Environment"]}
    assert said["WORKERS_SERVE_PAYLOADS"] == environment(fleet())[variable("payloads")] == "s3://my-payloads/payloads"
    makes = {one["Type"] for one in (*manager.values(), *Stack("ecs/worker.yaml", **FLEET).resources.values())}
    assert "AWS::S3::Bucket" not in makes  # the bucket has a stack of its own


def test_all_that_the_page_deploys_shares_one_store():
    (bucket,) = re.findall(r"deploy/ecs/payloads\.yaml .*\\\n.* Bucket=(\S+)", PAGE)
    made = Stack("ecs/payloads.yaml", Bucket=bucket).resources["Payloads"]["Properties"]
    assert made["BucketName"] == bucket
    said = re.findall(r"PayloadBucket=(\S+) PayloadPrefix=(\S+)", PAGE)
    stacks = [f"s3://{name}/{prefix}" for name, prefix in said]
    policies = re.findall(r" --payloads (\S+)", PAGE)
    pods = [
        one["value"]
        for path in ("deployment.yaml", "manager.yaml")
        for one in manifest(path, "Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
        if one["name"].endswith("_PAYLOADS")
    ]
    assert (len(stacks), len(policies), len(pods)) == (2, 2, 2)
    (store,) = {*stacks, *policies, *pods}
    assert store.startswith(f"s3://{bucket}/")


def test_an_update_of_the_stack_leaves_the_number_of_workers_to_scaling():
    stack = fleet(MinWorkers="3")
    assert "DesiredCount" not in stack["Service"]
    assert stack["Scaling"]["ResourceId"] == "service/default/Service.Name"
    assert stack["Scaling"]["MinCapacity"] == "3"


def test_without_a_name_no_activity_is_allowed():
    with pytest.raises(AssertionError, match="Activity"):
        Stack("ecs/worker.yaml", **{name: value for name, value in FLEET.items() if name != "Activity"})
