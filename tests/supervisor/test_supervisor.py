"""The supervisor against Step Functions that answers as a test says: what the engine cannot be made to show."""

import anyio
import anyio.lowlevel
import pytest
from structlog.testing import capture_logs

from tests.supervisor.scripted import Scripted, an_activity, fault
from workers import Registry, Settings, Task
from workers.arns import Place
from workers.backoff import Backoff
from workers.errors import ExitCode
from workers.metrics import Metrics
from workers.stepfunctions.protocol import ActivityMissingError, ActivityTask, RefusedError, TaskClosedError
from workers.supervisor import limits
from workers.supervisor import supervisor as supervisor_module
from workers.supervisor.activity import Activity, activities
from workers.supervisor.drain import Drain
from workers.supervisor.polling.brake import Brake
from workers.supervisor.supervisor import Supervisor
from workers.supervisor.tasks import running


def supervisor(activity: Activity, client: Scripted, drain: Drain, metrics: Metrics, **settings: int) -> Supervisor:
    return Supervisor(
        [activity], client, settings=Settings(**settings), worker_name="scripted", drain=drain, metrics=metrics
    )


def only(registry: Registry) -> Activity:
    (activity,) = activities(registry, Settings(), Place("aws", "us-east-1", "123456789012"))
    return activity


async def reported(client: Scripted, kind: str) -> None:
    with anyio.fail_after(20):
        while not client.times[kind]:
            await anyio.sleep(0.01)


async def test_an_output_that_is_refused_counts_as_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    resets = list[Brake]()
    monkeypatch.setattr(Brake, "succeeded", resets.append)
    client, drain, metrics = Scripted(), Drain(), Metrics()
    client.answers["poll"] = [ActivityTask("token", "1")]
    client.answers["success"] = [fault(RefusedError, "InvalidOutput")]

    async def end() -> None:
        await reported(client, "failure")
        drain.begin()
        client.released.set()

    async with anyio.create_task_group() as group:
        group.start_soon(end)
        assert await supervisor(an_activity(), client, drain, metrics).run() is ExitCode.OK

    assert client.calls[-1] == ("failure", "token", "Worker.InvalidOutput")
    assert metrics.registry
    counted = {
        sample.labels["outcome"]: (sample.value, sample.labels["error"])
        for family in metrics.families()
        for sample in family.samples
        if sample.name == "workers_tasks_total"
    }
    assert counted == {"failed": (1, "Worker.InvalidOutput")}
    assert resets == []
    said = capsys.readouterr().out
    assert "task failed" in said
    assert "task succeeded" not in said


@pytest.mark.parametrize("said", [True, False])
async def test_each_success_is_logged_where_that_is_asked_for(
    capsys: pytest.CaptureFixture[str], *, said: bool
) -> None:
    client, drain = Scripted(), Drain()
    client.answers["poll"] = [ActivityTask("token", "1")]

    async def end() -> None:
        await reported(client, "success")
        drain.begin()
        client.released.set()

    with capture_logs() as lines:
        async with anyio.create_task_group() as group:
            group.start_soon(end)
            await supervisor(an_activity(), client, drain, Metrics(active=False), log_successes=said).run()
    (line,) = [line for line in lines if line["event"] == "task succeeded"]
    assert (line["log_level"], line["activity"], line["fate"]) == ("info" if said else "debug", "work", "accepted")


async def test_a_result_that_was_most_likely_accepted_is_a_warning_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Backoff, "next", lambda _: 0.0)
    client, drain, metrics = Scripted(), Drain(), Metrics()
    client.answers["poll"] = [ActivityTask("token", "1")]
    client.answers["success"] = [fault(), fault(TaskClosedError, "TaskTimedOut")]

    async def end() -> None:
        while len(client.times["success"]) < 2:
            await anyio.sleep(0.01)
        drain.begin()
        client.released.set()

    with capture_logs() as lines:
        async with anyio.create_task_group() as group:
            group.start_soon(end)
            assert await supervisor(an_activity(), client, drain, metrics).run() is ExitCode.OK
    (line,) = [line for line in lines if line["event"] == "task unconfirmed"]
    assert (line["log_level"], line["fate"]) == ("warning", "unconfirmed")
    assert metrics.registry
    labels = {"activity": "work", "outcome": "unconfirmed", "error": ""}
    assert metrics.registry.get_sample_value("workers_tasks_total", labels) == 1


async def test_a_task_whose_failure_does_not_arrive_is_given_up_also_when_its_handler_ends_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor_module, "_TO_END", 0.0)
    monkeypatch.setattr(supervisor_module, "_LAST_REPORTS", 0.5)
    client, drain, registry, metrics = Scripted(), Drain(), Registry(), Metrics()
    client.answers["poll"] = [ActivityTask("token", "1")]
    client.answers["failure"] = [fault()] * 1000

    @registry.activity("work")
    async def stubborn(_: int, /, task: Task) -> None:
        drain.begin()
        client.released.set()
        while len(client.times["failure"]) < 2:  # it is being failed
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.01)
        with anyio.CancelScope(shield=True):  # until it is ended together with the reports
            await anyio.sleep_forever()

    stopped = supervisor(only(registry), client, drain, metrics, grace=0)
    with capture_logs() as lines, anyio.fail_after(20):
        assert await stopped.run() is ExitCode.FAULT
        stopped.say_given_up()  # again, by a process that is left because a lifespan does not end either
    assert [line["event"] for line in lines].count("report given up") == 1
    assert metrics.registry
    labels = {"activity": "work", "outcome": "given_up", "error": ""}
    assert metrics.registry.get_sample_value("workers_tasks_total", labels) == 1


async def test_a_handler_that_ends_as_it_is_given_up_is_reported_before_the_process_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, drain, registry = Scripted(), Drain(), Registry()
    client.answers["poll"] = [ActivityTask("late", '{"late": true}'), ActivityTask("endless", '{"late": false}')]
    given_up, forever, reported_at_end = anyio.Event(), anyio.Event(), list[object]()

    @registry.activity("work")
    async def work(late: bool) -> str:
        if len(client.calls) == 2:
            drain.begin()
            client.released.set()
        with anyio.CancelScope(shield=True):
            await (given_up if late else forever).wait()
        return "done"

    def leaves(_: int) -> None:
        reported_at_end.extend(client.calls[2:])
        forever.set()

    class Log:
        def error(self, *_: object, **__: object) -> None:
            given_up.set()  # so that the handler ends in the one turn before its task is failed

    async def slow(token: str, output: str) -> None:
        await anyio.sleep(0.2)
        client.calls.append(("success", token, output))

    monkeypatch.setattr(client, "send_task_success", slow)
    monkeypatch.setattr(supervisor_module, "_TO_END", 0.0)
    monkeypatch.setattr(supervisor_module, "leave", leaves)
    monkeypatch.setattr(supervisor_module, "log", Log())
    with anyio.fail_after(20):
        one_poll_a_task = supervisor(only(registry), client, drain, Metrics(active=False), grace=0)
        assert await one_poll_a_task.run(owns_process=True) is ExitCode.OK
    assert reported_at_end == [("failure", "endless", "Worker.ShuttingDown"), ("success", "late", '"done"')]


async def test_a_process_is_not_left_when_its_last_handler_ends_after_all(monkeypatch: pytest.MonkeyPatch) -> None:
    client, drain, registry = Scripted(), Drain(), Registry()
    client.answers["poll"] = [ActivityTask("late", "1")]

    @registry.activity("work")
    async def work(_: int, /) -> str:
        drain.begin()
        with anyio.CancelScope(shield=True):
            await reported(client, "failure")
        client.released.set()
        return "done"

    left = list[int]()
    monkeypatch.setattr(supervisor_module, "_TO_END", 0.0)
    monkeypatch.setattr(supervisor_module, "leave", left.append)
    with anyio.fail_after(20):
        run = supervisor(only(registry), client, drain, Metrics(active=False), grace=0).run(owns_process=True)
        assert await run is ExitCode.OK
    assert left == []
    assert client.calls[1:] == [("failure", "late", "Worker.ShuttingDown")]


async def test_an_activity_that_is_deleted_under_no_create_is_awaited_once_it_was_polled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Backoff, "next", lambda _: 0.01)
    client, drain, registry = Scripted(), Drain(), Registry()
    missing = fault(ActivityMissingError, "ActivityDoesNotExist")
    client.answers["poll"] = [None, missing, missing, ActivityTask("token", "1")]

    @registry.activity("work")
    async def work(event: int, /) -> int:
        drain.begin()
        client.released.set()
        return event

    with anyio.fail_after(20):
        run = supervisor(only(registry), client, drain, Metrics(active=False), create=False).run()
        assert await run is ExitCode.OK
    assert client.calls[-1] == ("success", "token", "1")
    assert "create" not in client.times


async def test_a_worker_that_holds_too_much_memory_finishes_its_task_and_exits_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(limits, "_LOOK_EVERY", 0.01)
    client, drain, registry = Scripted(), Drain(), Registry()
    client.answers["poll"] = [ActivityTask("token", "1")]

    @registry.activity("work")
    async def work(event: int, /, task: Task) -> int:
        assert not drain.draining.is_set()
        eaten = b"x" * 200_000_000
        await task.draining
        client.released.set()
        return event + len(eaten)

    enough = limits.resident_bytes() // 1_000_000 + 100
    with anyio.fail_after(20):
        run = supervisor(only(registry), client, drain, Metrics(active=False), max_rss=enough).run()
        assert await run is ExitCode.OK
    assert client.calls[1:] == [("success", "token", "200000001")]
    assert capsys.readouterr().out.count("draining because of memory") == 1


async def test_heartbeats_that_a_handler_asks_for_in_a_row_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert running._BEATS_APART == 1
    monkeypatch.setattr(running, "_BEATS_APART", 60)  # however slow this machine is
    client, drain, registry = Scripted(), Drain(), Registry()
    client.answers["poll"] = [ActivityTask("token", "1")]

    @registry.activity("work")
    async def work(event: int, /, task: Task) -> int:
        for _ in range(2):
            for _ in range(50):
                task.heartbeat()
                await anyio.lowlevel.checkpoint()
            await reported(client, "beat")
        drain.begin()
        client.released.set()
        return event

    with anyio.fail_after(20):
        await supervisor(only(registry), client, drain, Metrics(active=False)).run()
    assert client.calls[1:] == [("beat", "token"), ("success", "token", "1")]
