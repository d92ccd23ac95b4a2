"""No-Vary-Search through the real gateway: one answer for many URLs, and what a write or a purge does to it."""

import subprocess

import httpx
import pytest
from conftest import BINARY, answer


@pytest.fixture
def api(raw_origin, gateway):
    """An origin that counts its answers; what makes no difference says `variance`."""
    def _api(variance, *args, **kwargs):
        def handler(request, n):
            if not request.startswith(b"GET"):
                return answer(b"done")
            return answer(b"%d" % n, "200 OK", "Cache-Control: max-age=60", f"No-Vary-Search: {variance}")
        origin = raw_origin(handler)
        return gateway("--origin", origin.url, *args, **kwargs)
    return _api


@pytest.mark.parametrize("variance, equal, other", [
    ('params=("utm" "ref")', ["/p?id=1", "/p?utm=b&id=1&ref", "/p?%69d=1&&"], ["/p?id=2", "/p", "/q?id=1"]),
    ('except=("id")', ["/p?id=1", "/p?x=1&id=1&y"], ["/p?id=2", "/p?x=1"]),
    ('params, except=("id")', ["/p?id=1", "/p?x=1&id=1&y"], ["/p?id=2", "/p?x=1"]),
    ("key-order, params=(\"utm\")", ["/p?id=1&utm"], ["/p?id=2"]),
    ("params=(utm)", ["/p?id=1&utm=a"], ["/p?id=1", "/p?id=1&utm=b"]),
])
def test_who_is_answered_by_what_is_stored(api, variance, equal, other):
    api = api(variance)
    first = api.get("/p?id=1&utm=a").text
    for url in equal:
        assert api.get(url).text == first, url
    for url in other:
        assert api.get(url).text != first, url


def test_the_words_for_it(api):
    api = api('params=("utm")')
    assert api.verdict("/p?utm=1").startswith("fwd=uri-miss; fwd-status=200; stored")
    hit = api.get("/p?utm=2", If_None_Match='"no"')
    assert hit.headers["cache-status"].startswith("etage; hit; ttl=")
    assert hit.headers["cache-status"].endswith("; detail=no-vary-search")
    assert hit.headers["no-vary-search"] == 'params=("utm")'
    assert "detail" not in api.verdict("/p?utm=1")
    assert api.get("/p?utm=3", If_None_Match=hit.headers["etag"]).status_code == 304
    metrics = httpx.get(api.admin + "/metrics").text
    assert 'etage_details_total{detail="no-vary-search"} 2' in metrics
    assert "etage_stale_served_total 0" in metrics

    explained = httpx.get(api.admin + "/explain", params={"url": api.url + "/p?utm=4"}).json()
    own = httpx.get(api.admin + "/explain", params={"url": api.url + "/p?utm=1"}).json()
    assert (explained["outcome"], explained["detail"]) == ("hit", "no-vary-search")
    assert explained["stored_as"] == own["key"] != explained["key"] and "stored_as" not in own


@pytest.mark.parametrize("write", ["/p?utm=1&id=1", "/p?id=1", "/p?utm=7&id=1"])
def test_a_write_to_one_is_a_write_to_all(api, write):
    api = api('params=("utm")')
    old = api.get("/p?id=1&utm=1").text
    assert api.get("/p?id=1&utm=2").text == old
    other = api.get("/p?id=2").text
    assert "etage-seq" in api.client.post(write, content=b"x").headers
    for url in ("/p?id=1&utm=1", "/p?id=1&utm=2", "/p?id=1"):
        assert api.get(url).text != old, url
    assert api.get("/p?id=2&utm=1").text == other


@pytest.mark.parametrize("what", [
    {"urls": ["/p?id=1"]}, {"urls": ["/p?utm=9&id=1"]}, {"prefixes": ["/p"]}, {"all": True}, "full url", "key", "stored_as"])
def test_a_purge_of_one_is_a_purge_of_all(api, what):
    api = api('params=("utm")')
    old = api.get("/p?id=1&utm=1").text
    assert api.get("/p?id=1&utm=2").text == old
    if isinstance(what, str):
        explained = httpx.get(api.admin + "/explain", params={"url": api.url + "/p?id=1&utm=2"}).json()
        what = {"urls": [api.url + "/p?id=1&utm=2"]} if what == "full url" else {"keys": [explained[what]]}
    assert httpx.post(api.admin + "/purge", json=what).status_code == 200
    if "invalidated" not in api.verdict("/p?id=1&utm=2"):
        pytest.fail("purged, and still answered")
    assert api.get("/p?id=1&utm=2").text != old
    if "keys" not in what:
        assert api.get("/p?id=1&utm=1").text != old


def test_users_do_not_share_what_no_query_tells_apart(raw_origin, gateway, tmp_path):
    origin = raw_origin(lambda request, n: answer(b"ann" if b"ann" in request else b"bob", "200 OK",
                                                  "Cache-Control: max-age=60", "No-Vary-Search: except=()"))
    (tmp_path / "etage.toml").write_text('[[route]]\nmatch = "GET /me"\ncache = { ttl = "60s", per = "user" }\n')
    api = gateway("--origin", origin.url, "--config", str(tmp_path / "etage.toml"))
    for n, user in enumerate(("ann", "bob", "ann", "bob")):
        assert api.get(f"/me?n={n}", Authorization=f"Bearer {user}").text == user
    assert len(origin.requests) == 2


def test_check_tells_what_is_ignored(raw_origin):
    origin = raw_origin(lambda request, n: answer(b"x", "200 OK", "Cache-Control: max-age=60", 'ETag: "1"',
                                                  "No-Vary-Search: params=(utm_source)"))
    said = subprocess.run([BINARY, "check", "--url", origin.url + "/"], capture_output=True, text=True, timeout=20)
    assert "no-vary-search-invalid" in said.stdout + said.stderr
