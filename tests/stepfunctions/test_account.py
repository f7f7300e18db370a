"""Names, calls and their repetitions, on the engine and on a service that is throttled or late."""

import time
from types import SimpleNamespace

import pytest

from tests.account import PREFIX, ROLE, Account, unique
from tests.clock import stopped_clock
from tests.proxy import Proxy, answered, opened, refused
from workers.errors import UsageError
from workers.settings import Settings
from workers.stepfunctions import account as module
from workers.stepfunctions.account import open_account, using
from workers.stepfunctions.connection import name_place
from workers.stepfunctions.pacing import Bucket, Pace
from workers.stepfunctions.protocol import RefusedError, ThrottledError, TransientError


async def test_names_become_arns_in_the_namespace(account: Account) -> None:
    async with opened(namespace="team") as found:
        assert found.state_machine("adder") == f"{PREFIX}:stateMachine:team--adder"
        assert found.state_machine("adder:prod") == f"{PREFIX}:stateMachine:team--adder:prod"
        assert found.state_machine(f"{PREFIX}:stateMachine:x") == f"{PREFIX}:stateMachine:x"
        assert found.activity("add") == f"{PREFIX}:activity:team--add"
        assert found.activity(f"{PREFIX}:activity:x") == f"{PREFIX}:activity:x"
        with pytest.raises(UsageError, match="holds ' '"):
            found.state_machine("my adder")


async def test_an_account_that_is_given_is_used_and_another_is_opened(account: Account) -> None:
    async with using(None) as opened, using(opened) as same:
        assert same is opened
        assert same.place.account == "123456789012"


async def test_all_pages_of_a_list(account: Account) -> None:
    names = sorted(unique("paged") for _ in range(5))
    for name in names:
        await account.client.create_activity(name=name)
    async with opened() as found:
        listed = [item["name"] async for item in found.items("ListActivities", "activities", maxResults=2)]
    assert [name for name in listed if name.startswith("paged-")] == names


async def test_throttles_and_faults_are_repeated(proxy: Proxy, hasty: None) -> None:
    name = unique("repeated")
    proxy.answers["CreateActivity"] = [lambda _: refused("ThrottlingException"), lambda _: refused("Fault", status=503)]
    async with opened() as found:
        created = await found.call("CreateActivity", name=name, tags=None)
    assert created["activityArn"].endswith(name)
    assert proxy.called("CreateActivity") == [{"name": name}] * 3


async def test_the_patience_has_an_end(proxy: Proxy, hasty: None) -> None:
    proxy.answers["ListActivities"] = [lambda _: refused("ThrottlingException")] * 100
    proxy.answers["ListStateMachines"] = [lambda _: refused("Fault", status=500)] * 100
    async with opened() as found:
        with pytest.raises(ThrottledError):
            await found.call("ListActivities")
        with pytest.raises(TransientError):
            await found.call("ListStateMachines")
    assert len(proxy.called("ListActivities")) == 13
    assert len(proxy.called("ListStateMachines")) == 5


async def test_what_is_missing_is_believed_unless_it_was_just_created(proxy: Proxy, hasty: None) -> None:
    arn = f"{PREFIX}:stateMachine:young"
    proxy.answers["DescribeStateMachine"] = [lambda _: refused("StateMachineDoesNotExist")] * 3 + [
        lambda _: answered(name="young")
    ]
    async with opened() as found:
        with pytest.raises(RefusedError, match="StateMachineDoesNotExist"):
            await found.call("DescribeStateMachine", stateMachineArn=arn)
        with pytest.raises(RefusedError, match="StateMachineDoesNotExist"):
            await found.call("DescribeStateMachine", stateMachineArn=arn, created=time.monotonic() - module.SETTLES)
        young = await found.call("DescribeStateMachine", stateMachineArn=arn, created=time.monotonic())
    assert young["name"] == "young"


async def test_what_was_created_settles_for_thirty_seconds(
    proxy: Proxy, hasty: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = f"{PREFIX}:stateMachine:young"
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: 1000.0))
    async with opened() as found:
        proxy.answers["DescribeStateMachine"] = [
            lambda _: refused("StateMachineDoesNotExist"),
            lambda _: refused("StateMachineDoesNotExist"),
            lambda _: answered(name="young"),
        ]
        with pytest.raises(RefusedError, match="StateMachineDoesNotExist"):
            await found.call("DescribeStateMachine", stateMachineArn=arn, created=970.0)
        assert len(proxy.called("DescribeStateMachine")) == 1
        young = await found.call("DescribeStateMachine", stateMachineArn=arn, created=970.1)
    assert young["name"] == "young"


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("CreateActivity", {"name": "paced"}),
        ("CreateStateMachine", {"name": "paced", "definition": "{}", "roleArn": ROLE}),
        ("UpdateStateMachine", {"stateMachineArn": f"{PREFIX}:stateMachine:paced", "definition": "{}"}),
    ],
)
async def test_calls_of_a_rare_api_wait_for_its_bucket(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, operation: str, parameters: dict[str, str]
) -> None:
    clock = stopped_clock(monkeypatch)
    proxy.answers[operation] = [lambda _: answered()] * 52
    async with opened() as found:
        for _ in range(50):
            await found.call(operation, **parameters)
        assert clock.waits == []  # half of the bucket's 100
        for _ in range(2):
            await found.call(operation, **parameters)
    assert clock.waits == [1.0, 1.0]
    assert len(proxy.called(operation)) == 52


async def test_a_pace_lets_half_a_bucket_through_and_then_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = stopped_clock(monkeypatch)
    pace = Pace(Bucket(4, 0.5))
    for _ in range(5):
        await pace.turn()
    assert clock.waits == [2.0, 2.0, 2.0]
    clock.now += 100  # the bucket is full again
    clock.waits.clear()
    for _ in range(3):
        await pace.turn()
    assert clock.waits == [2.0]


async def test_the_embedded_engine_has_no_buckets(engine) -> None:
    async with open_account(Settings(local=True, local_port=engine.port)) as found:
        assert not found._paces
        assert found.place.account == "123456789012"
        async with found.client("sts") as sts:
            assert (await sts.get_caller_identity())["Account"] == "123456789012"


async def test_an_account_that_cannot_be_asked_for_is_not_waited_for_in_vain(
    account: Account, hasty: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
    with pytest.raises(TransientError, match="GetCallerIdentity"):
        async with open_account():
            pass
    with pytest.raises(TransientError, match="GetCallerIdentity"):
        await name_place(Settings())
