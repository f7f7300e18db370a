"""What is found by asking: deployed machines, payload stores, other workers, permissions."""

from pathlib import Path

import pytest
from aiohttp import web

from tests.account import PREFIX, ROLE, unique
from tests.doctor import handlers
from tests.doctor.machines import chain, task
from tests.proxy import Proxy
from workers import Registry, Worker
from workers.doctor import Finding, Level, examine
from workers.errors import UsageError
from workers.executions import start_execution
from workers.machines import ensure_state_machine
from workers.settings import Settings
from workers.stepfunctions.account import Account
from workers.stepfunctions.protocol import RefusedError


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


async def test_who_took_tasks_of_late_is_told(account, here: Account, deployed) -> None:
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


SIMULATED = """<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
<SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>{}</EvaluationResults>
</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"""
RESULT = """<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{resource}</EvalResourceName>
<EvalDecision>{decision}</EvalDecision></member>"""
DENIED = """<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not you</Message></Error>
</ErrorResponse>"""


def simulated(**decisions: str):
    """An answer of IAM: the decision for each action, on the first resource that was asked for."""

    def answer(parameters: dict[str, str]) -> web.Response:
        resource = parameters["ResourceArns.member.1"]
        asked = [value for key, value in parameters.items() if key.startswith("ActionNames")]
        members = (
            RESULT.format(action=action, resource=resource, decision=decisions.get(action.partition(":")[2], "allowed"))
            for action in asked
        )
        return web.Response(text=SIMULATED.format("".join(members)), content_type="text/xml")

    return answer


async def test_permissions_are_simulated(proxy: Proxy, deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    registry, machine = deployed
    monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", proxy.url)
    proxy.answers["SimulatePrincipalPolicy"] = [
        simulated(GetActivityTask="implicitDeny"),
        simulated(PutObject="explicitDeny"),
    ]
    settings = Settings(payloads="s3://payloads/prefix")
    report = await examine(registry, [machine], settings, role="arn:aws:iam::123456789012:role/path/worker")
    denied = [finding for finding in report.findings if finding.code == "not-allowed"]
    (handler,) = registry
    arn = f"{PREFIX}:activity:{handler.name}"
    assert [(finding.where, finding.message) for finding in denied] == [
        (
            "role worker",
            f"states:GetActivityTask on {handler.name} is not allowed: allow it on {arn}",
        ),
        (
            "role worker",
            "s3:PutObject on payloads/prefix/* is denied: allow it on arn:aws:s3:::payloads/prefix/*",
        ),
    ]
    assert "SendTaskSuccess" in codes(report.findings)["not-judged"].message
    first, second = proxy.called("SimulatePrincipalPolicy")
    assert first["PolicySourceArn"] == "arn:aws:iam::123456789012:role/path/worker"
    assert [first[f"ActionNames.member.{number}"] for number in (1, 2)] == [
        "states:GetActivityTask",
        "states:CreateActivity",
    ]
    assert second["ResourceArns.member.1"] == "arn:aws:s3:::payloads/prefix/*"

    proxy.answers["SimulatePrincipalPolicy"] = [simulated()]
    quiet = await examine(registry, [machine], Settings(create=False), role="arn:aws:iam::123456789012:role/worker")
    assert "not-allowed" not in codes(quiet.findings)


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
        proxy.answers[operation] = [lambda _: web.Response(text=DENIED, status=403, content_type="text/xml")]
    proxy.calls.clear()
    found = codes((await examine(registry, [machine])).findings)
    called = [name for name, _ in proxy.calls]
    assert [name for name in called if name in {"GetRole", "SimulatePrincipalPolicy"}] == asks
    if asks:
        assert "not you" in found["permissions-not-examined"].message
    else:
        assert "root" in found["permissions"].message
