"""What the pages about payloads and interceptors show is run here."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import structlog

from interceptors.chain import compose
from tests.interceptors.tasks import known, make
from workers import ActivityError, Registry, Task
from workers.cli.payloads import payloads as payloads_command
from workers.errors import ErrorName, RegistrationError
from workers.handlers import Kind
from workers.payloads import Payloads, PayloadStream
from workers.payloads.claim import Claim

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


def run(page: str) -> dict[str, Any]:
    """The names that the page's Python defines, its blocks run one after the other."""
    names: dict[str, Any] = {"__name__": page}
    for block in blocks(page, "python"):
        exec(compile(block, page, "exec"), names)
    return names


async def call(registry: Registry, activity: str, value: Any, **options: Any) -> Any:
    """What the handler of an activity makes of an input, without its interceptors."""
    handler = registry[activity]
    returned = handler.bind(make(value, **options))()
    return handler.dump(await returned if handler.kind is Kind.ASYNC else returned)


@pytest.mark.parametrize("page", ["how-to/payloads.md", "how-to/interceptors.md", "explanation/claims.md"])
def test_every_json_block_is_json(page: str):
    for block in blocks(page, "json"):
        assert json.loads(block)


async def test_payloads_handlers_do_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    registry = run("how-to/payloads.md")["registry"]
    assert await call(registry, "parse", {"document": "a\fb"}) == {"pages": ["a", "b"], "language": "en"}
    assert await call(registry, "review", {"pages": ["a"], "language": "en"}) == {"status": "ok", "notes": ["A"]}
    async with Payloads("memory://docs") as payloads:
        video = await payloads.reload(await payloads.offload(PayloadStream(b"film " * 1000)))
        packed = await payloads.reload(await payloads.offload(await call(registry, "compress", {"video": video})))
        assert __import__("zlib").decompress(await packed["video"].read()) == b"film " * 1000
        rendered = await payloads.reload(await payloads.offload(await call(registry, "render", {"title": "x"})))
        assert await rendered.read() == b"<h1>x</h1>"
    assert registry["compress"].arguments.streams == {("video",)}
    assert await call(registry, "copy_rows", {"rows": [1, 2, 3]}) == 3


async def test_payloads_callers_offload_inputs_and_reload_outputs(monkeypatch: pytest.MonkeyPatch):
    names = run("how-to/payloads.md")
    names["Payloads"] = lambda url: Payloads(url.replace("s3://", "memory://"))
    sent: list[str] = []

    class Client:
        async def start_execution(self, **given: str) -> dict[str, str]:
            sent.append(given["input"])
            return {"executionArn": "arn"}

        async def describe_execution(self, **_: str) -> dict[str, str]:
            return {"output": sent[0]}

    document = {"text": "x" * 300_000}
    assert await names["start_large"](Client(), "machine", document) == "arn"
    assert len(sent[0]) < 1_000
    assert await names["output_of"](Client(), "arn") == document


def test_payloads_lists_every_error_about_payloads():
    text = (DOCS / "how-to/payloads.md").read_text()
    assert set(re.findall(r"`(Worker\.Payload\w+)`", text)) == {
        name for name in ErrorName if name.startswith("Worker.Payload")
    }


def test_payloads_commands_exist():
    commands = [
        shlex.split(line.removeprefix("$ "))
        for page in ("how-to/payloads.md", "how-to/interceptors.md")
        for block in blocks(page, "console")
        for line in block.splitlines()
    ]
    shown = [command for command in commands if command[:2] == ["workers", "payloads"]]
    assert len(shown) >= 5
    for _, _, name, *arguments in shown:
        payloads_command.commands[name].make_context(name, arguments)


def test_the_claim_that_claims_shows_is_one():
    assert Claim.from_json(json.loads(blocks("explanation/claims.md", "json")[0])).size == 1_048_576


async def add(task: Task) -> Any:
    return {"sum": sum(task.input.values())}


async def test_interceptors_examples_around_change_and_instead():
    names = run("how-to/interceptors.md")
    with structlog.testing.capture_logs() as logs:
        assert await compose([names["interceptor"], names["timed"]], add)(make({"x": 1})) == {"sum": 1}
    assert logs[0]["event"] == "handled"
    assert logs[0]["activity"] == "charge"

    for_tenant = names["ForTenant"]("acme", "initech")
    assert await compose([for_tenant], add)(make({"tenant": "acme", "x": 1, "y": 2})) == {
        "tenant": "acme",
        "result": {"sum": 3},
    }
    with pytest.raises(ActivityError, match="'hooli' is not one of acme, initech") as refused:
        await compose([for_tenant], add)(make({"tenant": "hooli"}))
    assert refused.value.error_name == "UnknownTenant"

    calls: list[Any] = []

    async def counting(task: Task) -> int:
        calls.append(task.input)
        return len(calls)

    async with names["Cached"]() as cached:
        chain = compose([cached], counting)
        assert [await chain(make(value)) for value in ("a", "a", "b", "a")] == [1, 1, 2, 1]


async def test_interceptors_retry_stepwise_and_logging_do_what_the_page_says(monkeypatch: pytest.MonkeyPatch):
    names = run("how-to/interceptors.md")
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("stamina._core._smart_sleep", sleep)
    errors = [names["Busy"](), ConnectionError()]

    async def failing(task: Task) -> str:
        if errors:
            raise errors.pop(0)
        return "done"

    assert await names["retry"](make(), failing) == "done"
    assert waits[0] == 2.0
    errors[:] = [names["Declined"]()]
    with pytest.raises(names["Declined"]):
        await names["retry"](make(), failing)

    async def asked(task: Task) -> Any:
        return task.input["n"] if task.input["n"] < 3 else {}["missing"]

    assert await names["counting"](make({}), asked) == 1
    assert await names["counting"](make({"n": 2}), asked) is None
    with structlog.testing.capture_logs() as logs:
        await names["log_payloads"](make({"iban": "DE1", "card_number": 2, "x": 3}), add_x)
    assert logs[0]["document"] == '{"iban": "(hidden)", "card_number": "(hidden)", "x": 3}'
    assert names["by_order"]._key(known({"order": 7})) == "order 7"


async def add_x(task: Task) -> Any:
    return task.input["x"]


def test_interceptors_lists_every_interceptor():
    import interceptors

    listed = set(re.findall(r"^\| `(\w+)\(", (DOCS / "how-to/interceptors.md").read_text(), re.MULTILINE))
    assert listed == set(interceptors.__all__) - {"CallNext", "Interceptor"}


@pytest.mark.parametrize("wrong", [lambda task, call_next: None, dict, 3], ids=["not async", "a class", "not callable"])
def test_interceptors_that_could_never_work_are_refused_with_index_and_name(wrong: Any):
    async def good(task: Task, call_next: Any) -> Any:
        return await call_next(task)

    with pytest.raises(RegistrationError, match=r"registry: interceptor 1 \("):
        Registry(interceptors=[good, wrong])
