"""Who may ask, from where, and how much."""

import anyio
import pytest

from tests.manager.api.conftest import Api, asking
from tests.manager.conftest import PASSES, ended
from workers.errors import UsageError
from workers.manager.api.app import make_app
from workers.manager.api.guard import Tokens
from workers.manager.manager import LocalManager
from workers.manager.serving import check_exposure, serving

WRITES, READS = "w" * 20, "r" * 20


async def test_tokens_open_the_api_and_read_only_ones_only_for_reading(manager: LocalManager):
    async with asking(manager, tokens=Tokens([WRITES, "x" * 16], [READS])) as api:
        message = await api.refused(401, "GET", "/workflows")
        assert message.startswith("Authorization: ")
        said = await api("GET", "/workflows", Authorization="Bearer nonsense-nonsense")
        assert (said.status, said.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert (await api("GET", "/workflows", Authorization=f"Basic {WRITES}")).status == 401
        for token in (WRITES, "x" * 16, READS):
            assert (await api("GET", "/workflows", Authorization=f"Bearer {token}")).status == 200
        body = {"name": "x", "stateMachine": PASSES}
        message = await api.refused(403, "POST", "/workflow-definitions", body, Authorization=f"Bearer {READS}")
        assert "may only read" in message
        assert (await api("POST", "/workflow-definitions", body, Authorization=f"bearer {WRITES}")).status == 201
        for path in ("/_health", "/livez"):
            assert (await api("GET", path)).status == 200
        assert (await api("GET", "/metrics")).status == 401


@pytest.mark.parametrize("token", ["short", "with a space in it all", "é" * 20, ""])
def test_weak_tokens_are_refused(token: str):
    with pytest.raises(UsageError):
        Tokens([token])


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "example.org"])
def test_it_is_not_shown_to_others_without_tokens(host: str):
    with pytest.raises(UsageError, match="can be reached by others"):
        check_exposure(host, Tokens(), no_auth=False)
    check_exposure(host, Tokens(), no_auth=True)
    check_exposure(host, Tokens([WRITES]), no_auth=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_on_this_machine_it_needs_no_tokens(host: str):
    check_exposure(host, Tokens(), no_auth=False)


async def test_pages_of_other_sites_cannot_ask_for_a_user_of_this_machine(api: Api):
    body = {"name": "x", "stateMachine": PASSES}
    message = await api.refused(403, "POST", "/workflow-definitions", body, Origin="https://evil.example")
    assert message.startswith("Origin: ")
    assert (await api("POST", "/workflow-definitions", body, Sec_Fetch_Site="cross-site")).status == 403
    assert (await api("GET", "/workflows", Host="evil.example")).status == 403
    assert (await api("GET", "/workflows", Host="localhost:9")).status == 200
    assert (await api("POST", "/workflow-definitions", body, Origin=api.url)).status == 201


async def test_every_answer_has_security_headers(api: Api):
    for path in ("/workflows", "/nowhere", "/_health", "/workflows?limit=x"):
        headers = (await api("GET", path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "Server" not in headers


async def test_health_and_numbers_may_be_asked_for_without_their_bodies(api: Api):
    """As load balancers and monitors do."""
    for path in ("/_health", "/livez", "/metrics", "/openapi.json"):
        said, whole = await api("HEAD", path), await api("GET", path)
        assert (said.status, said.text) == (200, "")
        assert said.headers.get("Content-Type") == whole.headers.get("Content-Type")
    assert (await api("HEAD", "/nowhere")).status == 404


async def test_bodies_have_a_limit(manager: LocalManager):
    async with asking(manager, max_body=1_000) as api:
        assert "more than 1,000 bytes" in await api.refused(413, "POST", "/workflows", "x" * 1_001)
        assert await api.refused(400, "POST", "/workflows", "x" * 900)


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        '{"name": NaN}',
        "[" * 100_000,
        '{"name": "\\ud800", "stateMachine": {}}',
        '{"name": "a\\u0000b", "stateMachine": {}}',
        '{"name": "x", "stateMachine": {"Comment": "a\\u0000b", "StartAt": "a", "States": {"a": {"Type": "Succeed"}}}}',
        '{"name": "a/b", "stateMachine": {}}',
        '{"name": "..", "stateMachine": {}}',
        '"text"',
        "null",
        "9" * 5_000,
        '{"name": "x", "stateMachine": ' + '{"a":' * 3_000 + "1" + "}" * 3_001,
    ],
)
async def test_odd_bodies_are_refused_in_words(api: Api, body: str | bytes):
    assert await api.refused(400, "POST", "/workflow-definitions", body)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"tags": {str(n): "" for n in range(51)}}, "tags: dictionary should have at most 50 items"),
        ({"tags": {"k" * 129: ""}}, "at most 128 characters"),
        ({"tags": {"k": "v" * 257}}, "at most 256 characters"),
        ({"tags": {"k": 1}}, "error converting tag value to string: 1"),
        ({"queue": "q" * 201}, "queue: string should have at most 200 characters"),
        ({"namespace": "n" * 81}, "namespace: "),
        ({"workflowDefinition": {"name": "n" * 201}}, "workflowDefinition.name: "),
        ({"workflowDefinition": {"name": "n", "version": 2**40}}, "workflowDefinition.version: "),
        ({"input": "{}" + " " * 300_000}, ""),
    ],
)
async def test_what_is_too_long_is_refused(api: Api, fields: dict[str, object], says: str):
    body = {"workflowDefinition": {"name": "x"}, **fields}
    status = 404 if "input" in fields else 400  # blanks are nothing, and there is no such definition
    assert says in await api.refused(status, "POST", "/workflows", body)


@pytest.mark.parametrize(
    "query",
    [
        "&".join(f"tag=k{n}=v" for n in range(11)),
        "tag=" + "k" * 401 + "=",
        "&".join(["status=failed"] * 51),
        "idContains=" + "x" * 201,
        "pageToken=" + "x" * 1_001,
        "queue=" + "q" * 201,
        "limit=10001",
    ],
)
async def test_questions_have_bounds(api: Api, query: str):
    name = query.partition("=")[0]
    assert (await api.refused(400, "GET", f"/workflows?{query}")).startswith(name)


async def test_request_lines_and_headers_have_bounds(api: Api):
    port = int(api.url.rpartition(":")[2])
    for start in (b"GET /" + b"x" * 100_000, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000):
        with anyio.fail_after(10):
            async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                await stream.send(start)
                assert b" 400 " in await stream.receive()


async def test_a_body_may_be_yaml(api: Api):
    text = "name: hello\nstateMachine:\n  StartAt: a\n  States:\n    a: {Type: Pass, End: true}\n"
    said = await api("POST", "/workflow-definitions", text, Content_Type="application/yaml")
    assert (said.status, said.json["name"]) == (201, "hello")
    assert "is no YAML" in await api.refused(400, "POST", "/workflows", "a: [", Content_Type="application/yaml")


@pytest.mark.parametrize("path", ["/workflows/a%00b", "/workflows?queue=%00", "/queues/%00", "/queues/%0A", "/%00"])
async def test_what_no_text_can_hold_is_refused(api: Api, path: str):
    method, body = ("PUT", {"limit": 1}) if path.startswith("/queues") else ("GET", None)
    assert await api.refused(400, method, path, body)


async def test_what_there_is_none_of_is_named(api: Api):
    start = {"workflowDefinition": {"name": "nobody", "version": 3}}
    assert await api.refused(404, "POST", "/workflows", start) == "there is no definition nobody@3"
    assert await api.refused(404, "GET", "/workflow-definitions/nobody") == "there is no definition nobody"
    assert await api.refused(404, "POST", "/workflows/nobody/resolved") == "there is no workflow nobody"
    assert await api.refused(404, "GET", "/state-resources/a/b") == "there is no state resource a--b"
    assert await api.refused(404, "DELETE", "/queues/nobody") == "there is no queue nobody"


async def test_unknown_paths_and_methods(api: Api):
    assert await api.refused(404, "GET", "/nowhere") == "there is no /nowhere"
    said = await api("PATCH", "/workflows")
    assert (said.status, said.message) == (405, "PATCH cannot be asked of /workflows")
    assert said.headers["Allow"]


async def test_a_port_that_is_taken(api: Api):
    with pytest.raises(UsageError, match="cannot be used"):
        async with serving(make_app(), port=int(api.url.rpartition(":")[2])):
            pass


async def test_answers_are_compressed_for_who_asks(api: Api):
    said = await api("GET", "/openapi.json", Accept_Encoding="gzip")
    assert said.headers["Content-Encoding"] == "gzip"


async def test_the_stream_of_changes_tells_and_ends_with_the_service(manager: LocalManager):
    async with asking(manager) as api:
        definition = await api.ok("POST", "/workflow-definitions", {"name": "x", "stateMachine": PASSES}, status=201)
        with anyio.fail_after(30):
            async with api.session.get(f"{api.url}/changes?workflowDefinitionName=x") as stream:
                assert stream.headers["Content-Type"].startswith("text/event-stream")
                assert await stream.content.readline() == b"retry: 2000\n"
                await api.ok("POST", "/workflows", {"workflowDefinition": {"name": definition["name"]}})
                lines = [line async for line in _until(stream.content, b'"succeeded"')]
        assert b"event: workflow\n" in lines


async def test_who_connects_again_hears_what_changed_meanwhile(api: Api, manager: LocalManager):
    for name in ("mine", "other"):
        await api.ok("POST", "/workflow-definitions", {"name": name, "stateMachine": PASSES}, status=201)
    with anyio.fail_after(30):
        async with api.session.get(f"{api.url}/changes?workflowDefinitionName=mine") as stream:
            first = [line async for line in _until(stream.content, b"id: ")][-1]
        missed = [await manager.start_workflow(name) for name in ("other", "mine", "mine")]
        for one in missed:
            await ended(manager, one)
        again = {"Last-Event-ID": first.decode().strip().removeprefix("id: ")}
        async with api.session.get(f"{api.url}/changes?workflowDefinitionName=mine", headers=again) as stream:
            told = [line async for line in _until(stream.content, missed[2].id.encode())]
            assert not [line for line in told if missed[0].id.encode() in line]
            assert [line for line in told if missed[1].id.encode() in line]
            later = await manager.start_workflow("mine")
            assert [line async for line in _until(stream.content, later.id.encode())]
        strange = {"Last-Event-ID": "nobody knows"}
        async with api.session.get(f"{api.url}/changes", headers=strange) as stream:
            assert stream.status == 200


async def _until(content, part: bytes):
    async for line in content:
        yield line
        if part in line:
            return


async def test_the_numbers_of_the_service(api: Api):
    await api("GET", "/nowhere")
    await api.ok("POST", "/workflow-definitions", {"name": "x", "stateMachine": PASSES}, status=201)
    for word in ("FOO", "BAR"):
        assert (await api(word, "/workflows")).status == 405
    text = (await api("GET", "/metrics")).text
    assert 'workers_manager_http_requests_total{method="other",route="/workflows",status="405"} 2.0' in text
    assert 'workers_manager_http_requests_total{method="GET",route="",status="404"} 1.0' in text
    assert 'workers_manager_http_requests_total{method="POST",route="/workflow-definitions",status="201"} 1.0' in text
