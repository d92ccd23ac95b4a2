"""The demo is the article's API, without the article's errors (ANCHORS §4 as tests)."""

import gzip
import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest


@pytest.fixture
def api(demo):
    return demo()


def test_miss_set_hit(api):
    first = api.get("/posts?limit=20&offset=0")
    assert first.headers["cache-status"].startswith("etage; fwd=uri-miss; fwd-status=200; stored; ttl=")
    assert first.headers["cache-control"] == "public, max-age=30"
    page = first.json()
    assert (page["total"], page["limit"], page["offset"], len(page["items"])) == (500, 20, 0, 20)
    assert set(page["items"][0]) == {"id", "title", "category"}
    second = api.get("/posts?limit=20&offset=0")
    assert second.headers["cache-status"].startswith("etage; hit; ttl=")
    assert second.content == first.content
    assert int(second.headers["age"]) >= 0


def test_the_order_of_parameters_and_defaults_do_not_matter_for_correctness(api):
    assert api.get("/posts?offset=40&limit=20").content == api.get("/posts?limit=20&offset=40").content
    assert "hit" in api.verdict("/posts?offset=40&limit=20"), "same key whatever the order"
    assert api.get("/posts").json() == api.get("/posts?limit=20&offset=0").json()


def test_an_etag_gives_304_with_an_empty_body_and_the_fields_of_a_200(api):
    full = api.get("/posts")
    for condition in (full.headers["etag"], f'"other", W/{full.headers["etag"]}', "*"):
        again = api.get("/posts", If_None_Match=condition)
        assert again.status_code == 304
        assert again.content == b""
        for field in ("etag", "cache-control", "vary", "date"):
            assert again.headers[field] == full.headers[field], field
    assert api.get("/posts", If_None_Match='"other"').status_code == 200


def test_gzip_has_its_own_etag_and_any_coding_matches(api):
    plain = api.get("/posts?limit=100", Accept_Encoding="identity")
    zipped = httpx.Client(base_url=api.url).build_request("GET", "/posts?limit=100", headers={"accept-encoding": "gzip"})
    raw = httpx.Client().send(zipped, stream=True)
    body = b"".join(raw.iter_raw())
    assert raw.headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == plain.content
    assert raw.headers["etag"] != plain.headers["etag"]
    assert raw.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert api.get("/posts?limit=100", If_None_Match=raw.headers["etag"], Accept_Encoding="identity").status_code == 304


@pytest.mark.parametrize("query, parameter", [("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"),
                                              ("offset=-1", "offset"), ("limit=", "limit"), ("limit=1e2", "limit")])
def test_a_bad_parameter_is_422_naming_parameter_value_and_bound(api, query, parameter):
    refused = api.get(f"/posts?{query}")
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    problem = refused.json()
    assert problem["parameter"] == parameter
    assert problem["value"] == query.split("=")[1]
    assert problem["bound"]
    assert "hit" not in api.verdict(f"/posts?{query}"), "a refusal is not stored"


def test_details_and_404_as_json(api):
    assert api.get("/posts/7").json() == {"id": 7, "title": "post-7", "category": "life"}
    assert api.get("/posts/7").headers["cache-control"] == "public, max-age=60"
    missing = api.get("/posts/99999")
    assert missing.status_code == 404
    assert missing.json()["status"] == 404


def test_every_list_containing_a_post_is_invalidated_and_no_other(api):
    lists = {name: f"/posts?{query}" for name, query in {
        "all, first page": "limit=20&offset=0", "all, second page": "limit=20&offset=20",
        "life": "category=life", "tech": "category=tech"}.items()}
    for path in lists.values():
        api.get(path)
    changed = api.client.patch("/posts/3", json={"title": "a new title"})
    assert changed.status_code == 200
    assert changed.headers["etage-seq"].isdigit()
    assert api.get(lists["all, first page"]).json()["items"][2]["title"] == "a new title"
    assert "a new title" in api.get(lists["life"]).text
    assert "hit" in api.verdict(lists["all, second page"]), "post 3 is not on it"
    assert "hit" in api.verdict(lists["tech"]), "post 3 is not in it"


def test_a_new_post_is_in_the_next_list_anywhere(api):
    before = api.get("/posts?category=tech").json()["total"]
    assert api.get("/posts").json()["total"] == 500
    created = api.client.post("/posts", json={"title": "fresh", "category": "tech"})
    assert created.status_code == 201
    location = created.headers["location"]
    after = api.get("/posts")
    assert after.json()["total"] == 501
    assert "hit" not in after.headers["cache-status"]
    assert api.get("/posts?category=tech").json()["total"] == before + 1
    assert api.get(location).json()["title"] == "fresh"
    assert api.client.put(location, json={"title": "fresher", "category": "life"}).status_code == 200
    assert api.get(location).json() == {**api.get(location).json(), "title": "fresher", "category": "life"}
    assert api.get("/posts?category=tech").json()["total"] == before
    assert api.client.delete(location).status_code == 204
    assert api.get(location).status_code == 404
    assert api.get("/posts").json()["total"] == 500


@pytest.mark.parametrize("content, status", [(b"{", 400), (b'{"title": 1, "category": "tech"}', 422), (b"{}", 422),
                                             (b'{"title": "", "category": "tech"}', 422)])
def test_bad_content_is_refused(api, content, status):
    refused = api.client.post("/posts", content=content, headers={"content-type": "application/json"})
    assert refused.status_code == status
    assert refused.headers["content-type"] == "application/problem+json"
    assert api.get("/posts").json()["total"] == 500


def test_admin_invalidation_counts_what_it_killed(api):
    for offset in range(0, 60, 20):
        api.get(f"/posts?category=tech&offset={offset}")
    api.get("/posts?category=life")
    assert api.client.post("/admin/posts/invalidate?category=tech").json() == {"invalidated": 3}
    assert api.client.post("/admin/posts/invalidate?category=tech").json() == {"invalidated": 0}
    assert "invalidated" in api.verdict("/posts?category=tech&offset=0")
    assert "hit" in api.verdict("/posts?category=life")


def test_admin_invalidation_as_a_job(api):
    api.get("/posts?category=tech")
    accepted = api.client.post("/admin/posts/invalidate?category=tech&async=1")
    assert accepted.status_code == 202
    until = time.monotonic() + 10
    while (job := api.get(accepted.headers["location"]).json())["state"] != "done":
        assert time.monotonic() < until, job
        time.sleep(0.02)
    assert job["invalidated"] == 1


def test_protected_is_limited_per_client(api):
    allowed = api.get("/protected")
    assert allowed.status_code == 200
    assert allowed.headers["ratelimit-policy"].endswith(";q=120;w=60")
    for _ in range(130):
        refused = api.get("/protected")
        if refused.status_code == 429:
            break
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) >= 1
    assert ";r=0" in refused.headers["ratelimit"]
    assert api.get("/posts").status_code == 200, "other routes are not limited"
    time.sleep(int(refused.headers["retry-after"]))
    assert api.get("/protected").status_code == 200, "it recovers"


def test_me_is_per_user_and_private(api):
    assert api.get("/me").status_code == 401
    for _ in range(2):
        for user in ("alice", "bob"):
            me = api.get("/me", Authorization=f"Bearer {user}")
            assert me.status_code == 200
            assert user in me.text and ("bob" if user == "alice" else "alice") not in me.text
            assert "private" in me.headers["cache-control"]
    assert "hit" in api.verdict("/me", Authorization="Bearer alice")


def test_quotes_save_calls_and_money(api):
    for _ in range(10):
        assert api.get("/quotes/ACME").status_code == 200
    assert api.metric('etage_origin_calls_total{origin="quotes-api"}') == 1
    assert api.metric('etage_origin_calls_saved_total{origin="quotes-api"}') == 9
    assert api.metric("etage_origin_cost_saved_total") == pytest.approx(9 * 0.002)
    assert api.metric('etage_origin_budget_remaining{origin="quotes-api"}') == 199
    row = next(o for o in httpx.get(api.admin + "/stats.json").json()["origins"] if o["name"] == "quotes-api")
    assert row["budget"] == {"calls": 200, "remaining": 199, "refused": 0} and row["currency"] == "USD"


def test_a_thousand_concurrent_misses_are_one_query(demo):
    api = demo("--slow-ms", "400")
    limits = httpx.Limits(max_connections=250, max_keepalive_connections=250)
    with httpx.Client(base_url=api.url, limits=limits, timeout=60) as client, ThreadPoolExecutor(250) as pool:
        answers = list(pool.map(lambda _: client.get("/posts?limit=7"), range(1000)))
    assert {a.status_code for a in answers} == {200}
    assert len({a.content for a in answers}) == 1
    assert sum("fwd=uri-miss" in a.headers["cache-status"] and "collapsed" not in a.headers["cache-status"]
               for a in answers) == 1
    assert api.metric("etage_origin_fetches_total") == 1


def test_slow_is_felt_once(demo):
    api = demo("--slow-ms", "300")
    began = time.monotonic()
    api.get("/posts")
    slow = time.monotonic() - began
    began = time.monotonic()
    api.get("/posts")
    assert slow > 0.3 > time.monotonic() - began


def test_unknown_route_and_wrong_method(api):
    assert api.get("/nowhere").status_code == 404
    wrong = api.client.delete("/posts")
    assert wrong.status_code == 405
    assert {m.strip() for m in wrong.headers["allow"].split(",")} >= {"GET", "HEAD", "POST"}


def test_head_is_get_without_content(api):
    full = api.get("/posts", Accept_Encoding="identity")
    head = api.client.head("/posts", headers={"accept-encoding": "identity"})
    assert head.status_code == 200 and head.content == b""
    assert head.headers["content-length"] == str(len(full.content))
    assert head.headers["etag"] == full.headers["etag"]


def test_it_says_what_to_try(api):
    assert api.output.count("curl") >= 3


def test_a_database_is_kept(demo, tmp_path):
    file = tmp_path / "posts.sqlite"
    first = demo("--db", file)
    first.client.post("/posts", json={"title": "kept", "category": "life"})
    assert first.stop() == 0
    assert demo("--db", file).get("/posts").json()["total"] == 501


@pytest.mark.parametrize("content", [b"this is not a database, it is my thesis\n" * 100, None])
def test_a_database_that_is_not_ours_is_left_alone(tmp_path, content):
    import sqlite3
    import subprocess
    from conftest import BINARY
    file = tmp_path / "other.sqlite"
    if content is None:
        other = sqlite3.connect(file)
        other.execute("create table posts (mine text)")
        other.commit()
        other.close()
    else:
        file.write_bytes(content)
    before = file.read_bytes()
    done = subprocess.run([BINARY, "demo", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--db", file],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert str(file) in done.stderr
    assert file.read_bytes() == before


def test_the_page_of_a_category_survives_json_round_trip(api):
    page = json.loads(api.get("/posts?category=life&limit=100").text)
    assert all(item["category"] == "life" for item in page["items"])


def test_a_visitors_cookie_does_not_switch_the_cache_off(api):
    assert api.get("/posts", Cookie="_ga=1").headers["cache-status"].startswith("etage; fwd=uri-miss; fwd-status=200; stored")
    assert "hit" in api.verdict("/posts", Cookie="_ga=2")
