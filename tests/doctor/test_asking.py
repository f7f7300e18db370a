"""What is found by asking: deployed machines, payload stores, other workers, permissions."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.account import PREFIX, ROLE, unique
from tests.doctor import handlers
from tests.doctor.iam import Simulation, denied
from tests.doctor.machines import ALL, chain, task
from tests.proxy import Proxy
from workers import Registry, Worker
from workers.arns import Place
from workers.doctor import Finding, Level, examine
from workers.errors import UsageError
from workers.executions import start_execution
from workers.iam import worker_policy
from workers.local import LocalStepFunctions
from workers.machines import ensure_state_machine
from workers.settings import Settings
from workers.stepfunctions.account import Account
from workers.stepfunctions.protocol import RefusedError

PLACE = Place("aws", "us-east-1", "123456789012")


def codes(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    return {finding.code: finding for finding in findings}


@pytest.fixture
async def deployed(here: Account) -> tuple[Registry, str]:
    """A registry, and the name of the machine that uses it."""
    activity = unique("work")
    registry = Registry()
    registry.add(activity, handlers.quiet)
    machine = await ensure_state_machine(unique("machine"), chain(Work=task(activity)), role=ROLE, account=here)
    return registry, machine.name


async def test_a_deployed_machine_is_examined_like_its_file(deployed) -> None:
    registry, machine = deployed
    report = await examine(registry, [machine])
    assert report.fine(strict=True)
    (other,) = registry
    wrong = Registry()
    wrong.add("other", other.function)
    report = await examine(wrong, [machine])
    assert {"not-handled", "not-used"} <= codes(report.findings).keys()
    assert report.findings[0].level is Level.ERROR
    assert not report.fine()
    assert report.summary().startswith("1 error, 1 warning, ")
    with pytest.raises(RefusedError, match="StateMachineDoesNotExist"):
        await examine(registry, ["nope"])
    with pytest.raises(UsageError, match="do without --offline"):
        await examine(registry, [machine], offline=True)


async def test_times_that_a_machine_lacks_are_told_of_a_file_and_of_a_deployed_machine(
    here: Account, tmp_path: Path
) -> None:
    activity = unique("work")
    registry = Registry()
    registry.add(activity, handlers.quiet)
    bare = chain(Work={"type": "task", "resource": activity, "retry": [ALL]})
    del bare["timeout_seconds"]
    file = tmp_path / "bare.json"
    file.write_text(json.dumps(bare))
    machine = await ensure_state_machine(unique("bare"), bare, role=ROLE, account=here)
    for found, states in (
        (await examine(registry, [file], offline=True), "states"),
        (await examine(registry, [machine.name]), "States"),
    ):
        lacking = {one.code: one for one in found.findings if one.code.startswith("no-")}
        assert lacking.keys() == {"no-heartbeat", "no-timeout", "no-machine-timeout"}
        assert {one.level for one in lacking.values()} == {Level.WARNING}
        assert not found.fine(strict=True)
        assert lacking["no-timeout"].where.endswith(f": {states}.Work")
        assert lacking["no-heartbeat"].where.endswith(f": {states}.Work")
        assert lacking["no-machine-timeout"].where.endswith(": the definition")


async def test_a_broken_file_is_told_and_the_rest_examined(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text(
        "start_at: Nowhere\nstates: {Work: {type: task, resource: work, end: true}}\n"
    )
    registry = Registry()
    registry.add("work", handlers.quiet)
    report = await examine(registry, [tmp_path / "broken.yaml"], offline=True)
    found = codes(report.findings)
    assert found["missing-target"].where == f"{tmp_path}/broken.yaml:1: start_at"
    assert "not-used" not in found


async def test_without_aws_files_are_examined_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"StartAt": "S", "States": {"S": {"Type": "Succeed"}}}')
    registry = Registry()
    registry.add("work", handlers.quiet)
    report = await examine(registry, [tmp_path / "m.json"], Settings(payloads="s3://bucket"))
    found = codes(report.findings)
    assert "no AWS region is set" in found["offline"].message
    assert found["store-not-asked"].level is Level.NOTE
    with pytest.raises(UsageError, match="no AWS region is set"):
        await examine(registry, ["deployed"])


async def test_payload_stores_are_asked(here: Account, deployed, tmp_path: Path) -> None:
    registry, machine = deployed
    bucket = unique("payloads")
    async with here.client("s3") as s3:
        await s3.create_bucket(Bucket=bucket)
    for good in (f"s3://{bucket}/prefix", f"file://{tmp_path}", "memory://doctor"):
        assert "store-not-reachable" not in codes(
            (await examine(registry, [machine], Settings(payloads=good))).findings
        )
    report = await examine(registry, [machine], Settings(payloads=f"s3://{unique('nope')}/prefix"))
    assert codes(report.findings)["store-not-reachable"].level is Level.ERROR


async def test_who_took_tasks_of_late_is_told(account, here: Account, deployed, tmp_path: Path) -> None:
    registry, machine = deployed
    async with Worker(registry, Settings(worker_name="shop-{pid}")):
        await start_execution(machine, {"x": 1}, wait=True, account=here)
        await start_execution(machine, {"x": 1}, wait=True, account=here)
    note = codes((await examine(registry, [machine])).findings)["poller"]
    assert note.level is Level.NOTE
    assert note.message.startswith("the worker shop-")
    assert "took 2 tasks of recent executions, the last at " in note.message
    assert "took 1 task of" in codes((await examine(registry, [machine], recent=1)).findings)["poller"].message

    ours = await examine(registry, [machine], Settings(worker_name="shop-{pid}"))
    assert not codes(ours.findings).keys() & {"poller", "stale-poller"}
    stale = codes((await examine(registry, [machine], Settings(worker_name="shop2-{host}"))).findings)["stale-poller"]
    assert (stale.level, stale.where) == (Level.WARNING, machine)
    assert "not named like shop2-{host}" in stale.message

    (used,) = registry
    file = tmp_path / f"{machine}.json"
    file.write_text(json.dumps(chain(Work=task(used.name))))
    found = codes((await examine(registry, [file], Settings(worker_name="shop2-{host}"))).findings)
    assert found["stale-poller"].where == str(file)
    elsewhere = file.rename(tmp_path / "no machine's name.json")
    assert "stale-poller" not in codes((await examine(registry, [elsewhere])).findings)


WORKER = "arn:aws:iam::123456789012:role/path/worker"
PAYLOADS = Settings(payloads="s3://payloads/prefix")


def simulating(proxy: Proxy, monkeypatch: pytest.MonkeyPatch, policy: dict[str, Any]) -> None:
    """From now on IAM judges the worker's role by `policy`."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", proxy.url)
    proxy.answers["SimulatePrincipalPolicy"] = [Simulation({WORKER: policy})] * 20


async def test_the_policy_that_workers_iam_prints_is_enough(
    proxy: Proxy, deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, machine = deployed
    for settings in (Settings(), Settings(create=False), PAYLOADS):
        policy = worker_policy([handler.name for handler in registry], place=PLACE, settings=settings)
        simulating(proxy, monkeypatch, policy)
        found = codes((await examine(registry, [machine], settings, role=WORKER)).findings)
        assert "not-allowed" not in found
        assert "SendTaskSuccess" in found["not-judged"].message
    asked = proxy.called("SimulatePrincipalPolicy")
    assert {one["PolicySourceArn"] for one in asked} == {WORKER}
    assert not any("SendTask" in value for one in asked for value in one.values())


async def test_permissions_that_are_missing_are_found(proxy: Proxy, deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    registry, machine = deployed
    registry.add("zz-not-named", handlers.quiet)
    (used, _) = registry
    policy = worker_policy([used.name], place=PLACE, settings=PAYLOADS)
    no_writes = {"Effect": "Deny", "Action": "s3:Put*", "Resource": "*"}
    simulating(proxy, monkeypatch, policy | {"Statement": [*policy["Statement"], no_writes]})
    report = await examine(registry, [machine], PAYLOADS, role=WORKER)
    assert not report.fine()
    missing = [(finding.where, finding.message) for finding in report.findings if finding.code == "not-allowed"]
    arn = f"{PREFIX}:activity:zz-not-named"
    assert missing == [
        ("role worker", f"states:GetActivityTask on zz-not-named is not allowed: allow it on {arn}"),
        ("role worker", f"states:CreateActivity on zz-not-named is not allowed: allow it on {arn}"),
        ("role worker", "s3:PutObject on payloads/prefix/* is denied: allow it on arn:aws:s3:::payloads/prefix/*"),
    ]


async def test_a_role_that_is_not_there_is_an_error(proxy: Proxy, deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    registry, machine = deployed
    simulating(proxy, monkeypatch, {})
    found = codes((await examine(registry, [machine], role=f"{WORKER}s")).findings)
    assert (found["no-such-role"].level, found["no-such-role"].where) == (Level.ERROR, "role workers")


async def test_the_embedded_engine_has_no_permissions(engine: LocalStepFunctions, deployed) -> None:
    registry, machine = deployed
    here = Settings(local=True, local_port=engine.port)
    found = codes((await examine(registry, [machine], here, role=WORKER)).findings)
    assert found["permissions-not-examined"].level is Level.NOTE
    assert "without --local" in found["permissions-not-examined"].message
    assert not codes((await examine(registry, [machine], here)).findings)


@pytest.mark.parametrize(
    ("arn", "asks"),
    [
        ("arn:aws:sts::123456789012:assumed-role/worker/session", ["GetRole"]),
        ("arn:aws:iam::123456789012:user/me", ["SimulatePrincipalPolicy"]),
        ("arn:aws:iam::123456789012:root", []),
    ],
)
async def test_who_asks_is_judged_and_may_not_be_allowed_to(
    proxy: Proxy, deployed, monkeypatch: pytest.MonkeyPatch, arn: str, asks: list[str]
) -> None:
    registry, machine = deployed
    monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", proxy.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", proxy.url)
    identity = (
        "<GetCallerIdentityResponse><GetCallerIdentityResult>"
        f"<Arn>{arn}</Arn><UserId>x</UserId><Account>123456789012</Account>"
        "</GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
    proxy.answers["GetCallerIdentity"] = [lambda _: web.Response(text=identity, content_type="text/xml")] * 2
    for operation in ("GetRole", "SimulatePrincipalPolicy"):
        proxy.answers[operation] = [denied]
    proxy.calls.clear()
    found = codes((await examine(registry, [machine])).findings)
    called = [name for name, _ in proxy.calls]
    assert [name for name in called if name in {"GetRole", "SimulatePrincipalPolicy"}] == asks
    if asks:
        assert "not you" in found["permissions-not-examined"].message
    else:
        assert "root" in found["permissions"].message
