"""Who sees pages, and whose forms are taken."""

import re

import pytest

from tests.manager.conftest import PASSES, defined
from tests.web.managed.conftest import Site, visiting
from workers.manager.api.guard import Tokens
from workers.manager.manager import LocalManager
from workers.web.login.sessions import Sessions

WRITES, READS, CALLS = "w" * 20, "r" * 20, "c" * 20
TOKENS = Tokens([WRITES], [READS], [CALLS])


async def test_without_tokens_pages_are_shown_under_names_of_this_machine_alone(site: Site):
    assert (await site("/")).status == 200
    page = await site("/", Host="evil.example")
    assert page.status == 403
    assert "is not this machine" in page.words


async def test_the_root_leads_to_the_pages_and_the_api_is_beside_them(site: Site):
    async with site.session.get(site.root, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (307, "/ui/")
    async with site.session.get(f"{site.root}/workflows") as answer:
        assert await answer.json() == []
    async with site.session.get(f"{site.root}/_health") as answer:
        assert answer.status == 200


async def test_with_tokens_one_logs_in_and_comes_back_to_where_one_was(manager: LocalManager):
    async with visiting(manager, tokens=TOKENS) as site:
        asked = await site("/workflows?status=failed")
        assert asked.url.endswith("/ui/login?next=/workflows?status%3Dfailed")
        wrong = await site.post("/login", {"form_key": asked.key, "token": "wrong-wrong-wrong-wrong", "next": "/"})
        assert (wrong.status, "This token is not known" in wrong.words) == (401, True)
        form = {"form_key": asked.key, "token": WRITES, "next": "/workflows?status=failed"}
        page = await site.post("/login", form)
        assert (page.status, page.url) == (200, f"{site.root}/ui/workflows?status=failed")
        assert WRITES not in str(list(site.session.cookie_jar))


async def test_the_cookie_is_for_this_site_alone_and_not_for_scripts(manager: LocalManager):
    async with visiting(manager, tokens=TOKENS) as site:
        page = await site.send("/login", token=WRITES, next="/", follow=False)
        (cookie,) = [one for one in page.headers.getall("Set-Cookie") if one.startswith("workers-session=")]
        assert re.search(r"; HttpOnly", cookie, re.IGNORECASE)
        assert "SameSite=Strict" in cookie
        assert "Path=/ui/" in cookie
        assert "Secure" not in cookie  # it was asked by http
        key = (await site("/login")).key
        form = {"form_key": key, "token": WRITES}
        page = await site.post("/login", form, follow=False, X_Forwarded_Proto="https")  # as from a proxy
        (cookie,) = [one for one in page.headers.getall("Set-Cookie") if one.startswith("workers-session=")]
        assert "Secure" in cookie


@pytest.mark.parametrize(
    "following",
    ["//evil.example/", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", ""],
)
async def test_a_login_leads_to_no_other_site(manager: LocalManager, following: str):
    async with visiting(manager, tokens=TOKENS) as site:
        page = await site.send("/login", token=READS, next=following, follow=False)
        assert page.status == 303
        assert page.headers["Location"].startswith("/ui/")
        assert "evil" not in page.headers["Location"].replace("/ui/evil.example", "")


async def test_a_read_only_token_looks_and_changes_nothing(manager: LocalManager):
    definition = await defined(manager, PASSES)
    async with visiting(manager, tokens=TOKENS) as site:
        await site.send("/login", token=READS, next="/")
        page = await site.ok(f"/definitions/{definition.name}")
        assert "Start a workflow" not in page.words
        form = await site(f"/definitions/{definition.name}/start")
        refused = await site.post(f"/definitions/{definition.name}/start", {"form_key": form.key, "input": "{}"})
        assert (refused.status, "may only read" in refused.words) == (403, True)
        assert (await manager.counts()) == []


async def test_a_token_for_callbacks_opens_no_page(manager: LocalManager):
    async with visiting(manager, tokens=TOKENS) as site:
        assert (await site.send("/login", token=CALLS, next="/")).status == 401
        assert (await site("/", follow=False, Authorization=f"Bearer {CALLS}")).status == 303


async def test_scripts_send_the_token_as_to_the_api(manager: LocalManager):
    async with visiting(manager, tokens=TOKENS) as site:
        assert (await site("/", Authorization=f"Bearer {READS}", follow=False)).status == 200
        assert (await site("/changes/workflows", Accept="text/event-stream")).status == 401


async def test_logging_out_ends_the_session(manager: LocalManager):
    async with visiting(manager, tokens=TOKENS) as site:
        page = await site.send("/login", token=READS, next="/")
        assert "Log out" in page.words
        await site.post("/logout", {"form_key": page.key})
        assert (await site("/")).url.endswith("/login?next=/")


def test_a_session_ends_with_its_time_and_with_its_token(monkeypatch: pytest.MonkeyPatch):
    cookie = Sessions(TOKENS).open(WRITES)
    assert cookie
    assert Sessions(Tokens([WRITES])).rights(cookie)
    assert not Sessions(Tokens([READS])).rights(cookie)
    ends, nonce, signature = cookie.split(".")
    assert not Sessions(TOKENS).rights(f"{int(ends) + 9}.{nonce}.{signature}")
    for nonsense in ("", ".", "..", "é.é.é", f"{ends}.{nonce}.é", "9999999999999999999999.x.y"):
        assert not Sessions(TOKENS).rights(nonsense)
    monkeypatch.setattr("workers.web.login.sessions.time.time", lambda: int(ends) + 1)
    assert not Sessions(TOKENS).rights(cookie)


async def test_no_form_is_taken_without_its_key(site: Site, manager: LocalManager):
    definition = await defined(manager, PASSES)
    path = f"/definitions/{definition.name}/start"
    key = (await site(path)).key
    assert (await site.post(path, {"input": "{}"})).status == 403
    assert (await site.post(path, {"input": "{}", "form_key": "0" * 64})).status == 403
    assert (await site.post(path, {"input": "{}", "form_key": key}, Content_Type="text/plain")).status == 415
    assert (await site.post(path, {"input": "{}", "form_key": key}, Origin="https://evil.example")).status == 403
    assert (await site.post(path, {"input": "{}", "form_key": key}, Sec_Fetch_Site="same-site")).status == 403
    site.session.cookie_jar.clear()
    assert (await site.post(path, {"input": "{}", "form_key": key})).status == 403
    assert (await manager.counts()) == []


async def test_a_cookie_that_others_have_set_makes_no_key(site: Site, manager: LocalManager):
    """Pages on other ports of this machine can set cookies, but not make the key of a form."""
    import hashlib

    definition = await defined(manager, PASSES)
    guess = hashlib.sha256(b"form of the web page: planted").hexdigest()
    page = await site.post(f"/definitions/{definition.name}/start", {"form_key": guess}, Cookie="workers-forms=planted")
    assert page.status == 403


async def test_every_address_that_takes_forms_asks_for_the_key(site: Site):
    from starlette.routing import Route

    from workers.web import pages

    routes = [*pages.LOGIN, *pages.LISTS, *pages.DEFINITIONS, *pages.WORKERS, *pages.ACTIONS, *pages.EXECUTION]
    taking = [route for route in routes if isinstance(route, Route) and "POST" in (route.methods or ())]
    assert len(taking) >= 6
    for route in taking:
        path = re.sub(r"{[^}]*}", "x", route.path)
        assert (await site.post(path, {"input": "{}"})).status == 403
