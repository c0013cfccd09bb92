"""Who may come in, what a page may load, and what a form must bring."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from hybridmem.inspector.access import cookie_name, form_token, session
from hybridmem.inspector.app import application
from hybridmem.memory import HybridMemory
from tests.inspector.conftest import BASE, TOKEN, visitor

PAGES = (
    "/", "/search", "/ask", "/timeline", "/graph", "/dreams", "/adapters", "/namespaces", "/memory?id=ep_0",
    "/dream?id=dream-1", "/adapter?version=v0001", "/adapters/diff?before=v0001&after=v0002",
    "/memory/delete?id=ep_0", "/review", "/skills",
)  # fmt: skip
FORMS = (
    "/memory/update", "/memory/delete", "/memory/quarantine", "/memory/release", "/adapters/promote",
    "/adapters/rollback", "/review/read", "/review/accept", "/skills/delete",
)  # fmt: skip


def form(**fields: str) -> dict[str, str]:
    return {"csrf": form_token(TOKEN), "ns": "users/ana", **fields}


@pytest.mark.parametrize("path", PAGES)
def test_no_page_opens_without_the_token(seen: HybridMemory, path: str) -> None:
    client = visitor(seen, known=False)
    answer = client.get(path)
    assert answer.status_code == 401
    assert "Lisbon" not in answer.text
    assert client.get(path, params={"token": "another"}).status_code == 401


def test_the_token_becomes_a_cookie_that_no_script_reads_and_leaves_the_address(seen: HybridMemory) -> None:
    client = visitor(seen, known=False)
    answer = client.get("/search?q=bees&token=" + TOKEN, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/search?q=bees")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert TOKEN not in cookie
    assert "I keep bees" in client.get("/search?q=bees").text


def test_the_redirect_stays_on_this_machine(seen: HybridMemory) -> None:
    answer = visitor(seen, known=False).get(
        "http://127.0.0.1:8765//evil.example/?token=" + TOKEN, follow_redirects=False
    )
    assert answer.headers["location"] == "/evil.example/"


@pytest.mark.parametrize("cookie", ["", "wrong", TOKEN, '"', "%C3%A4", "a=b; c"])
def test_a_wrong_cookie_opens_nothing(seen: HybridMemory, cookie: str) -> None:
    headers = {"cookie": f"{cookie_name(TOKEN)}={cookie}"}
    assert visitor(seen, known=False).get("/", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "192.168.1.5:8765", "", "127.0.0.1.evil.example"]
)
def test_another_name_for_this_machine_is_refused(look: TestClient, host: str) -> None:
    """DNS rebinding: the browser sends the cookie of the name that it knows, so the name is checked first."""
    answer = look.get("/", headers={"host": host, "cookie": f"{cookie_name(TOKEN)}={session(TOKEN).decode()}"})
    assert answer.status_code == 403
    assert "Lisbon" not in answer.text


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1", "[::1]:8765"])
def test_a_tunnel_may_bring_another_port(look: TestClient, host: str) -> None:
    cookie = f"{cookie_name(TOKEN)}={session(TOKEN).decode()}"
    assert look.get("/", headers={"host": host, "cookie": cookie}).status_code == 200


@pytest.mark.parametrize("path", [*PAGES, "/nowhere", "/static/inspector.css"])
def test_a_page_may_load_nothing_from_elsewhere_and_holds_no_script(look: TestClient, path: str) -> None:
    answer = look.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    kept = "private, max-age=31536000, immutable" if path.startswith("/static") else "no-store"
    assert answer.headers["cache-control"] == kept
    assert "<script>" not in answer.text
    assert " style=" not in answer.text
    assert " onclick=" not in answer.text
    assert "http://" not in answer.text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "https://" not in answer.text


@pytest.mark.parametrize("path", FORMS)
def test_without_edit_nothing_can_be_changed(look: TestClient, seen: HybridMemory, path: str) -> None:
    before = seen.stats()
    answer = look.post(path, data=form(id="ep_0", text="new", version="v0001"))
    assert answer.status_code == 403
    assert "--edit" in answer.text
    assert seen.stats() == before
    assert seen.get("ep_0").text.startswith("I moved")


def test_a_form_of_another_page_changes_nothing(own: HybridMemory) -> None:
    client, fields = visitor(own, edit=True), {"ns": "users/ana", "id": "ep_0", "text": "new", "version": "v0001"}
    for path in FORMS:
        for token in ({}, {"csrf": ""}, {"csrf": "wrong"}, {"csrf": "ä"}, {"csrf": TOKEN}):
            assert client.post(path, data={**fields, **token}).status_code == 403
    assert own.get("ep_0").text.startswith("I moved")
    assert not own.get("ep_0").quarantined
    active = own.adapters.active()
    assert active is not None
    assert active.version == "v0003"


def test_a_browser_that_names_another_origin_is_refused(own: HybridMemory) -> None:
    client = visitor(own, edit=True)
    for headers in (
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        assert client.post("/memory/quarantine", data=form(id="ep_0"), headers=headers).status_code == 403
    assert not own.get("ep_0").quarantined
    fine = client.post("/memory/quarantine", data=form(id="ep_0"), headers={"origin": BASE})
    assert fine.status_code == 200
    assert own.get("ep_0").quarantined


def test_two_inspectors_in_one_browser_do_not_shut_each_other_out(seen: HybridMemory) -> None:
    client = visitor(seen)
    kept = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    other = TestClient(application(seen, token="another"), base_url=BASE)
    answer = other.get("/?token=another", headers={"cookie": kept}, follow_redirects=False)
    both = f"{kept}; {answer.headers['set-cookie'].partition(';')[0]}"
    for each in (client, other):
        assert each.get("/", headers={"cookie": both}).status_code == 200


def test_a_change_needs_the_cookie_too(own: HybridMemory) -> None:
    client = visitor(own, edit=True, known=False)
    assert client.post("/memory/delete", data=form(id="ep_0")).status_code == 401
    assert own.get("ep_0").text


def test_an_address_alone_changes_nothing(own: HybridMemory) -> None:
    client = visitor(own, edit=True)
    codes = {path: client.get(path, params=form(id="ep_0", version="v0001")).status_code for path in FORMS}
    asks = {"/memory/delete": 200, "/skills/delete": 404}
    assert codes == {path: asks.get(path, 405) for path in FORMS}, "of deletion, the page that asks; there is no skill"
    assert own.get("ep_0").text.startswith("I moved")


def test_the_static_folder_gives_nothing_else(look: TestClient) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/", "/static/none.css"):
        assert look.get(path).status_code == 404
