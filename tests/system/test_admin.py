"""The administration: health, metrics, purge, explain, page; and who may use it."""

import subprocess

import httpx
import pytest
from conftest import BINARY


@pytest.fixture
def api(demo):
    return demo()


def purge(api, **what):
    return httpx.post(api.admin + "/purge", json=what)


def test_health(api):
    assert httpx.get(api.admin + "/healthz").status_code == 200
    assert httpx.get(api.admin + "/readyz").status_code == 200


@pytest.mark.parametrize("what, hit", [
    ({"tags": ["post:3"]}, True), ({"tags": ["post:4000"]}, False), ({"urls": ["/posts/3"]}, True),
    ({"urls": ["/posts/4"]}, False), ({"prefixes": ["/posts"]}, True), ({"prefixes": ["/posts/"]}, True),
    ({"prefixes": ["/po"]}, False), ({"all": True}, True)])
def test_purge_by_everything(api, what, hit):
    api.get("/posts/3")
    assert "hit" in api.verdict("/posts/3")
    receipt = purge(api, **what)
    assert receipt.status_code == 200
    assert receipt.json()["instances"] == {"confirmed": 1, "live": 1} and receipt.json()["seq"].isdigit()
    assert ("invalidated" in api.verdict("/posts/3")) == hit


def test_purge_by_full_url_host_and_key(api):
    explained = httpx.get(api.admin + "/explain", params={"url": api.url + "/posts/3"}).json()
    for what in ({"urls": [api.url + "/posts/3"]}, {"prefixes": [api.url + "/posts"]}, {"keys": [explained["key"]]}):
        api.get("/posts/3")
        assert "hit" in api.verdict("/posts/3")
        assert purge(api, **what).status_code == 200
        assert "invalidated" in api.verdict("/posts/3"), what


def test_soft_purge_is_stale_not_gone(api):
    api.get("/quotes/ACME")
    assert purge(api, all=True, soft=True).status_code == 200
    verdict = api.verdict("/quotes/ACME")
    assert "soft-invalidated" in verdict or "stale-while-revalidate" in verdict


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"tag": ["x"]}', b'{"tags": "x"}', b'{"tags": [1]}',
                                  b'{"tags": ["x"], "wait": "some"}', b'{"all": "yes"}'])
def test_a_bad_purge_is_400_and_purges_nothing(api, body):
    api.get("/posts/3")
    refused = httpx.post(api.admin + "/purge", content=body, headers={"content-type": "application/json"})
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["detail"]
    assert "hit" in api.verdict("/posts/3")


def test_explain_tells_each_room(api):
    ask = lambda url, **kw: httpx.get(api.admin + "/explain", params={"url": url, **kw}).json()
    before = ask(api.url + "/posts/3")
    assert before["outcome"] == "uri-miss" and before["route"]["match"] == "GET /posts/{id}"
    api.get("/posts/3")
    after = ask(api.url + "/posts/3")
    assert after["outcome"] == "hit" and after["entry"]["ttl_s"] > 0 and after["key"] == before["key"]
    forced = ask(api.url + "/posts/3", header="Cache-Control: no-cache")
    assert forced["outcome"] == "request"
    assert ask("/nowhere")["outcome"] == "404"
    said = subprocess.run([BINARY, "explain", api.url + "/posts/3", "--admin", api.admin.removeprefix("http://")],
                          capture_output=True, text=True, timeout=10)
    assert said.returncode == 0 and "hit" in said.stdout
    assert "hit" in api.verdict("/posts/3"), "explaining changes nothing"


def test_the_command_line_purges_and_counts(api):
    admin = api.admin.removeprefix("http://")
    api.get("/posts/3")
    done = subprocess.run([BINARY, "purge", "--tag", "post:3", "--admin", admin], capture_output=True, text=True, timeout=10)
    assert done.returncode == 0, done.stderr
    assert "invalidated" in api.verdict("/posts/3")
    stats = subprocess.run([BINARY, "stats", "--admin", admin], capture_output=True, text=True, timeout=10)
    assert stats.returncode == 0 and "hit" in stats.stdout.lower()
    nobody = subprocess.run([BINARY, "stats", "--admin", "127.0.0.1:1"], capture_output=True, text=True, timeout=10)
    assert nobody.returncode == 1 and "127.0.0.1:1" in nobody.stderr


def test_metrics_speak_prometheus(api):
    api.get("/posts")
    api.get("/posts")
    text = httpx.get(api.admin + "/metrics").text
    for line in text.splitlines():
        assert line.startswith("#") or len(line.rsplit(" ", 1)) == 2
    assert api.metric("etage_hits_total") == 1
    assert api.metric('etage_forwards_total{forward="uri-miss"}') == 1
    assert api.metric("etage_memory_bytes") > 0


def test_the_page_is_whole(api):
    page = httpx.get(api.admin + "/")
    assert page.status_code == 200 and "text/html" in page.headers["content-type"]
    assert "http://" not in page.text.replace("http://127.0.0.1", "") and "https://" not in page.text


def test_unknown_pages_and_methods(api):
    assert httpx.get(api.admin + "/nowhere").status_code == 404
    wrong = httpx.get(api.admin + "/purge")
    assert wrong.status_code == 405 and "POST" in wrong.headers["allow"]


def test_another_host_name_is_refused(api):
    """DNS rebinding: a page of evil.test that resolves to 127.0.0.1 must not purge."""
    refused = httpx.post(api.admin + "/purge", json={"all": True}, headers={"host": "evil.test"})
    assert refused.status_code in (403, 421)
    assert "access-control-allow-origin" not in refused.headers


def test_a_token_is_asked_for(demo):
    api = demo(env={"ETAGE_ADMIN_TOKEN": "s3cret-s3cret-s3cret"})
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic s3cret-s3cret-s3cret"}):
        assert httpx.post(api.admin + "/purge", json={"all": True}, headers=headers).status_code == 401
    allowed = {"authorization": "Bearer s3cret-s3cret-s3cret"}
    assert httpx.post(api.admin + "/purge", json={"all": True}, headers=allowed).status_code == 200
    assert httpx.get(api.admin + "/healthz").status_code == 200
