"""The embedded manager on the engine: workflows, ids, pages, changes, shutdown, and what it refuses by name."""

import asyncio
import inspect
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.account import Account, unique
from tests.embedded.conftest import Managers, definition, echo, ended
from workers import Settings, Task
from workers.callbacks import Callbacks
from workers.embedded import EmbeddedManager, NotSupportedError
from workers.errors import UsageError
from workers.local import LocalStepFunctions
from workers.manager.client import Client
from workers.manager.errors import ConflictError, InvalidError, NotFoundError
from workers.manager.interface import WorkflowManager
from workers.manager.model import Query, Status
from workers.manager.requests import NewStateResource

ROOT = Path(__file__).parents[2]


async def test_a_workflow_runs_and_is_looked_at(managers: Managers, account: Account):
    def who(task: Task) -> Any:
        return [task.state, task.activity, task.input]

    async with managers({"echo": who}) as manager:
        started = await manager.start_workflow("hello", {"a": 1})
        assert (started.status, started.input, started.namespace) == (
            Status.RUNNING, '{"a":1}', manager.names.environment)  # fmt: skip
        workflow = await ended(manager, started.id)
        assert (workflow.status, workflow.resolved_by_user) == (Status.SUCCEEDED, True)
        assert json.loads(workflow.output or "") == ["Work", "app-echo", {"a": 1}]
        assert workflow.jobs is None
        assert workflow.stopped_at
        (job,) = (await manager.refresh_workflow(started.id)).jobs or ()
        assert (job.state, job.status, job.state_resource and job.state_resource.name) == ("Work", "succeeded", "echo")
        assert job.container
        assert job.container.startswith("app-")
    name = f"{manager.names.environment}--app-hello"
    machine = await account.client.describe_state_machine(
        stateMachineArn=f"arn:aws:states:us-east-1:123456789012:stateMachine:{name}"
    )
    activity = json.loads(machine["definition"])["States"]["Work"]["Resource"]
    assert activity.endswith(f":activity:{manager.names.environment}--app-echo")


@pytest.mark.parametrize("name", ["a--b--c", "ö", "x" * 57])
async def test_ids_survive_names_of_every_kind(managers: Managers, name: str):
    async with managers(definitions=[definition(name)], work=False) as manager:
        for key in (None, "y" * 80, "with--dashes", f"{name[:20]}--1"):
            started = await manager.start_workflow(name, idempotency_key=key)
            found = await manager.workflow(started.id)
            assert (found.id, found.workflow_definition.name) == (started.id, name)
            assert not key or found.id == f"{name}:{key}"
        listed = [one.id async for one in manager.all_workflows(Query(workflow_definition_name=name, limit=3))]
        assert len(set(listed)) == 4
        for unknown in ("x", "", ":", "hello:", f"{name}:no-such-execution", f"other:{'y' * 80}"):
            with pytest.raises(NotFoundError):
                await manager.workflow(unknown)


@pytest.mark.parametrize("name", ["a:b", "x" * 81, "a b"])
def test_names_that_aws_would_refuse_are_refused(name: str):
    with pytest.raises(InvalidError, match="the state machine name"):
        EmbeddedManager("env", "app", {"echo": echo}, definitions=[definition(name)])
    for environment, application in (("a--b", "c"), ("a", "c-"), ("", "c"), ("a", "c:d")):
        with pytest.raises(UsageError):
            EmbeddedManager(environment, application, {"echo": echo})


async def test_lists_page_fully(managers: Managers):
    async with managers(work=False) as manager:
        empty = await manager.workflows(Query(workflow_definition_name="hello"))
        assert (empty.items, empty.next_page_token) == ((), None)
        started = [(await manager.start_workflow("hello")).id for _ in range(7)]
        for number in (1, 4):
            await manager.cancel_workflow(started[number], "test")
        pages, token = [], None
        while True:
            query = Query(workflow_definition_name="hello", limit=3, page_token=token)
            page = await manager.workflows(query)
            pages.append([one.id for one in page.items])
            if not (token := page.next_page_token):
                break
        assert [len(page) for page in pages] == [3, 3, 1]
        assert [one for page in pages for one in page] == started[::-1]

        async def listed(*status: Status) -> list[str]:
            asked = Query(workflow_definition_name="hello", status=status, limit=2)
            return [one.id async for one in manager.all_workflows(asked)]

        assert await listed(Status.CANCELLED) == [started[4], started[1]]
        assert await listed(Status.FAILED) == []
        assert await listed(Status.CANCELLED, Status.FAILED) == [started[4], started[1]]
        assert len(await listed(Status.RUNNING)) == 5
        with pytest.raises(InvalidError, match="workflow_definition_name is missing"):
            await manager.workflows(Query())
        with pytest.raises(NotSupportedError, match="does not support queue, oldest_first: "):
            await manager.workflows(Query(workflow_definition_name="hello", oldest_first=True, queue="q"))
        with pytest.raises(NotFoundError):
            await manager.workflows(Query(workflow_definition_name="other"))


async def test_cancelled_and_redriven(managers: Managers):
    async with managers(work=False) as manager:
        started = await manager.start_workflow("hello", '"any JSON"')
        await manager.cancel_workflow(started.id, "no longer wanted")
        workflow = await manager.workflow(started.id)
        assert (workflow.status, workflow.status_reason) == (Status.CANCELLED, "no longer wanted")
        with pytest.raises(InvalidError, match=f"Cancellation not allowed. Workflow {started.id} is cancelled"):
            await manager.cancel_workflow(started.id, "again")
        assert (await manager.redrive_workflow(started.id)).status is Status.RUNNING
        with pytest.raises(ConflictError, match="cannot be redriven"):
            await manager.redrive_workflow(started.id)
        async with manager.working():
            assert (await ended(manager, started.id)).output == '"any JSON"'


async def test_the_same_key_starts_one_workflow(managers: Managers):
    async with managers() as manager:
        first = await manager.start_workflow("hello", {"a": 1}, idempotency_key="once")
        assert (await manager.start_workflow("hello", '{"a": 1}', idempotency_key="once")).id == first.id
        await ended(manager, first.id)
        again = await manager.start_workflow("hello", {"a": 1}, idempotency_key="once")
        assert (again.id, again.status) == (first.id, Status.SUCCEEDED)
        with pytest.raises(ConflictError, match="'once' was used before, with another input"):
            await manager.start_workflow("hello", {"a": 2}, idempotency_key="once")
        with pytest.raises(InvalidError, match="execution name"):
            await manager.start_workflow("hello", idempotency_key="a:b")


async def test_what_a_start_cannot_have_is_said_all_at_once(managers: Managers):
    async with managers(work=False) as manager:
        with pytest.raises(InvalidError) as refused:
            await manager.start_workflow("hello", "{", namespace="other", queue="fast", tags={"a": "b"})
        for part in ("input is not valid JSON", "namespace is 'other'", "queue is 'fast'", "tags are given"):
            assert part in str(refused.value)
        assert len(refused.value.problems) == 4
        with pytest.raises(NotFoundError, match="hello@7"):
            await manager.start_workflow("hello", version=7)
        with pytest.raises(NotFoundError, match="other"):
            await manager.start_workflow("other")


async def test_an_input_must_fit_the_schema_of_its_definition(managers: Managers):
    given = definition().model_copy(update={"input_schema": {"required": ["name"]}})
    async with managers(definitions=[given], work=False) as manager:
        with pytest.raises(InvalidError, match="input: 'name' is a required property"):
            await manager.start_workflow("hello", {})
        assert (await manager.start_workflow("hello", {"name": "Ada"})).input == '{"name":"Ada"}'
    with pytest.raises(InvalidError, match="definition hello: inputSchema: "):
        async with managers(definitions=[given.model_copy(update={"input_schema": {"type": "nothing"}})]):
            pass


async def test_a_changed_definition_is_refused_with_the_difference_or_updated(managers: Managers):
    environment = unique("env")
    slower = [definition(timeout_seconds=99)]
    async with managers(environment=environment, work=False) as manager:
        await manager.start_workflow("hello")
    async with managers(environment=environment, definitions=slower, work=False) as manager:
        with pytest.raises(ConflictError, match=r"(?s)hello is not what Step Functions has.*\n\+timeout_seconds: 99"):
            await manager.start_workflow("hello")
    async with managers(environment=environment, definitions=slower, changed="update") as manager:
        await ended(manager, (await manager.start_workflow("hello")).id)
    drafts = [definition(version=-1, timeout_seconds=77)]
    async with managers(environment=environment, definitions=drafts) as manager:
        await manager.start_workflow("hello")
        await manager.create_definition(definition(version=-1, timeout_seconds=78))
        await manager.start_workflow("hello")
        arn = manager.account.state_machine("app-hello")
        found = await manager.account.call("DescribeStateMachine", stateMachineArn=arn)
        assert json.loads(found["definition"])["TimeoutSeconds"] == 78


async def test_applications_do_not_take_each_others_machines(managers: Managers, settings: Settings):
    environment = unique("env")
    async with managers(environment=environment, definitions=[definition("cart-x")], work=False) as manager:
        await manager.start_workflow("cart-x")
    other = EmbeddedManager(
        environment, "app-cart", {"echo": echo}, definitions=[definition("x")], settings=settings, changed="update"
    )
    async with other:
        with pytest.raises(ConflictError, match="was not made for the application app-cart"):
            await other.start_workflow("x")


async def test_applications_do_not_take_each_others_tasks(managers: Managers, settings: Settings, account: Account):
    environment = unique("env")
    states = {"Work": {"type": "task", "resource": "cart-x", "end": True}}

    def other() -> EmbeddedManager:
        states = {"Work": {"type": "task", "resource": "x", "end": True}}
        definitions = [definition("other", states=states)]
        return EmbeddedManager(
            environment, "app-cart", {"x": lambda _, /: "stolen"}, definitions=definitions, settings=settings
        )

    message = rf"activity {environment}--app-cart-x exists already, and was not made for the application app-cart"
    async with managers({"cart-x": echo}, environment=environment, definitions=[definition(states=states)]) as manager:
        with pytest.raises(ConflictError, match=message):
            async with other().working():
                pass
        with pytest.raises(ConflictError, match=message):
            await other().poll_for_work()
        async with other() as second:
            with pytest.raises(ConflictError, match=message):
                await second.start_workflow("other")
        started = [await manager.start_workflow("hello", {"number": number}) for number in range(5)]
        assert [(await ended(manager, one.id)).output for one in started] == [
            f'{{"number":{number}}}' for number in range(5)
        ]


@pytest.mark.parametrize("create", [True, False])
async def test_an_activity_without_an_owner_becomes_the_applications(
    managers: Managers, settings: Settings, account: Account, *, create: bool
):
    environment = unique("env")
    made = await account.client.create_activity(name=f"{environment}--app-echo")
    theirs = settings.model_copy(update={"create": create})
    async with managers(environment=environment, settings=theirs) as manager:
        assert (await ended(manager, (await manager.start_workflow("hello")).id)).output == "{}"
    tags = (await account.client.list_tags_for_resource(resourceArn=made["activityArn"]))["tags"]
    assert tags == [{"key": "application", "value": "app"}] * create


async def test_each_function_runs_one_task_at_a_time_beside_the_others(managers: Managers):
    running: dict[str, int] = {"first": 0, "second": 0}
    most, both = dict(running), asyncio.Event()

    def function(name: str) -> Any:
        async def work(event: Any, /) -> None:
            del event
            running[name] += 1
            most[name] = max(most[name], running[name])
            if all(running.values()):
                both.set()
            await both.wait()
            running[name] -= 1

        return work

    branches = [
        {"start_at": f"Work{number}", "states": {f"Work{number}": {"type": "task", "resource": name, "end": True}}}
        for number, name in enumerate(("first", "second", "first", "second"))
    ]
    states = {"All": {"type": "parallel", "branches": branches, "end": True}}
    functions = {name: function(name) for name in running}
    async with managers(functions, definitions=[definition(start_at="All", states=states)]) as manager:
        workflow = await ended(manager, (await manager.start_workflow("hello")).id)
    assert workflow.status is Status.SUCCEEDED
    assert most == {"first": 1, "second": 1}


async def test_shutdown_waits_for_running_tasks(managers: Managers):
    begun, finish = asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        begun.set()
        await finish.wait()
        return "done"

    async with managers({"echo": slow}, work=False) as manager:
        polling = asyncio.create_task(manager.poll_for_work())
        started = await manager.start_workflow("hello")
        await begun.wait()
        polling.cancel()
        await asyncio.sleep(0)
        assert not polling.done()
        finish.set()
        with pytest.raises(asyncio.CancelledError):
            await polling
        assert (await ended(manager, started.id)).output == '"done"'


async def test_a_callback_of_the_application(managers: Managers, settings: Settings, tmp_path: Path):
    wait = {"Work": {"type": "task", "resource": "callback", "task_key": "$.key", "end": True}}
    environment = unique("env")
    async with managers(environment=environment, definitions=[definition(states=wait)], work=False) as manager:
        store = f"sqlite://{tmp_path}/callbacks.db"
        async with Callbacks(environment, "app", store=store, settings=settings) as callbacks:
            await callbacks.create()
            consumer = asyncio.create_task(callbacks.consume())
            started = await manager.start_workflow("hello", {"key": "k"})
            await callbacks.success("k", {"paid": True})
            assert (await ended(manager, started.id)).output == '{"paid":true}'
            consumer.cancel()


async def test_callbacks_without_a_store_keep_tokens_in_a_file_on_the_embedded_engine(
    managers: Managers, settings: Settings, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    wait = {"Work": {"type": "task", "resource": "callback", "task_key": "$.key", "end": True}}
    environment = unique("env")
    async with (
        managers(environment=environment, definitions=[definition(states=wait)], work=False) as manager,
        Callbacks(environment, "app", settings=settings) as callbacks,
        Callbacks(environment, "app", settings=settings) as other,
    ):
        await callbacks.create()
        consumer = asyncio.create_task(callbacks.consume())
        started = await manager.start_workflow("hello", {"key": "k"})
        await other.success("k", 17)
        assert (await ended(manager, started.id)).output == "17"
        consumer.cancel()
        assert (tmp_path / f"{callbacks.name}.sqlite").stat().st_size
        async with callbacks._connection.client("dynamodb") as dynamodb:
            assert callbacks.name not in (await dynamodb.list_tables())["TableNames"]


def test_callbacks_without_a_store_use_dynamodb_on_aws():
    on_aws = Callbacks("env", "app", settings=Settings(local=False))
    assert (on_aws._kind, on_aws._where) == ("dynamodb", "env--app-callbacks")
    chosen = Callbacks("env", "app", store="dynamodb", settings=Settings(local=True))
    assert chosen._kind == "dynamodb"


async def test_what_is_not_supported_is_refused_by_name(managers: Managers):
    async with managers(work=False) as manager:
        calls = {
            "deprecate_definition": ("hello",),
            "delete_definition": ("hello",),
            "update_definition": (definition(),),
            "resume_workflow": ("x:y", "Work"),
            "resolve_workflow": ("x:y",),
            "delete_workflows": (None,),
            "counts": (),
            "changes": (),
            "state_resources": (),
            "state_resource": ("a", "b"),
            "put_state_resource": (NewStateResource(name="a"),),
            "delete_state_resource": ("a", "b"),
            "queues": (),
            "put_queue": ("a", 1),
            "delete_queue": ("a",),
        }
        for name, arguments in calls.items():
            with pytest.raises(NotSupportedError, match=f"does not support {name}: "):
                await getattr(manager, name)(*arguments)


def test_it_has_the_methods_of_the_client_of_the_service():
    names = [name for name, _ in inspect.getmembers(WorkflowManager, inspect.isfunction) if not name.startswith("_")]
    assert len(names) > 20
    for name in names:
        shapes = [inspect.signature(getattr(kind, name)) for kind in (WorkflowManager, EmbeddedManager, Client)]
        wanted, *others = [[(one.name, one.kind, one.default) for one in shape.parameters.values()] for shape in shapes]
        assert others == [wanted, wanted], name


async def test_the_example_application(engine: LocalStepFunctions):
    script = str(ROOT / "examples" / "embedded" / "app.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, script, "--local", "--local-port", str(engine.port), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert out.decode().splitlines() == ["order-1 shipped", "order-2 shipped, paid by card"]
