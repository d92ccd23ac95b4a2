"""The gateway in front of real and of scripted origins."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from conftest import answer, free_port

CACHED = "Cache-Control: max-age=60"


def test_the_demo_behind_a_gateway_behaves_the_same(demo, gateway):
    origin = demo()
    api = gateway("--origin", origin.url)
    assert api.verdict("/posts").startswith("fwd=uri-miss; fwd-status=200; stored")
    again = api.get("/posts")
    assert "etage; hit" in again.headers["cache-status"]
    assert api.get("/posts", If_None_Match=again.headers["etag"]).status_code == 304
    assert api.get("/posts?limit=100", Accept_Encoding="gzip").headers["content-encoding"] == "gzip"
    assert api.client.post("/posts", json={"title": "fresh", "category": "tech"}).status_code == 201
    assert api.get("/posts").json()["total"] == 501
    assert api.client.patch("/posts/3", json={"title": "other"}).status_code == 200
    assert api.get("/posts").json()["items"][2]["title"] == "other"
    assert api.get("/posts/3").json()["title"] == "other"
    assert api.get("/posts?limit=0").status_code == 422
    for user in ("alice", "bob", "alice"):
        assert user in api.get("/me", Authorization=f"Bearer {user}").text
    assert api.get("/nowhere").status_code == 404


def test_in_front_of_fastapi(fastapi, gateway):
    api = gateway("--origin", fastapi("""
        from fastapi import FastAPI, Response, Request
        app = FastAPI()
        calls = 0

        @app.get("/items/{name}")
        def item(name: str, response: Response):
            global calls
            calls += 1
            response.headers["Cache-Control"] = "max-age=60"
            return {"name": name, "calls": calls}

        @app.put("/items/{name}")
        async def put(name: str, request: Request):
            return {"size": len(await request.body())}
    """))
    assert api.get("/items/a").json() == {"name": "a", "calls": 1}
    assert api.get("/items/a").json() == {"name": "a", "calls": 1}
    assert api.get("/items/b").json()["calls"] == 2
    assert api.client.put("/items/a", content=b"x" * 300_000).json() == {"size": 300_000}
    assert api.client.put("/items/b", content=iter([b"x" * 1000] * 500)).json() == {"size": 500_000}
    assert api.get("/items/a").json()["calls"] == 3


def test_server_timing_says_what_happened_and_how_long_it_took(raw_origin, gateway, tmp_path):
    origin = raw_origin(lambda request, n: answer(b"ok", "200 OK", CACHED))
    (tmp_path / "etage.toml").write_text("[server]\nserver_timing = true\n")
    api = gateway("--config", tmp_path / "etage.toml", "--origin", origin.url)
    said = [api.get("/a").headers["server-timing"] for _ in range(2)]
    assert re.fullmatch(r"etage;desc=uri-miss;dur=\d+\.\d{3}", said[0])
    assert re.fullmatch(r"etage;desc=hit;dur=\d+\.\d{3}", said[1])
    assert "server-timing" not in gateway("--origin", origin.url).get("/a").headers


def test_without_freshness_nothing_is_reused(raw_origin, gateway):
    origin = raw_origin(lambda request, n: answer(b"%d" % n))
    api = gateway("--origin", origin.url)
    assert [api.get("/").text for _ in range(3)] == ["1", "2", "3"]


def test_the_origin_sees_one_clean_request(raw_origin, gateway):
    origin = raw_origin(lambda request, n: answer(b"ok"))
    api = gateway("--origin", origin.url)
    api.get("/a?b=c", X_Forwarded_Host="evil.test", X_Forwarded_For="1.2.3.4", Connection="x-hop", X_Hop="1", X_Ok="yes")
    seen = origin.requests[0].decode().lower()
    assert seen.startswith("get /a?b=c http/1.1\r\n")
    assert seen.count("\r\nhost: ") == 1
    assert "evil" not in seen and "1.2.3.4" not in seen and "x-hop" not in seen
    assert "x-forwarded-for: 127.0.0.1" in seen and "x-ok: yes" in seen and "via: 1.1 etage" in seen


def test_origin_down_is_502_at_once_and_too_slow_504(raw_origin, gateway):
    down = gateway("--origin", f"http://127.0.0.1:{free_port()}")
    began = time.monotonic()
    refused = down.get("/")
    assert refused.status_code == 502 and time.monotonic() - began < 1
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["status"] == 502
    assert "origin-unreachable" in refused.headers["cache-status"]

    silent = raw_origin(lambda request, n: time.sleep(3))
    slow = gateway("--origin", silent.url, env={"ETAGE_ORIGIN_FIRST_BYTE_TIMEOUT": "300ms"})
    began = time.monotonic()
    late = slow.get("/")
    assert late.status_code == 504 and 0.25 < time.monotonic() - began < 2
    assert late.headers["content-type"] == "application/problem+json"


def test_a_dead_origin_is_covered_by_stale_if_error(raw_origin, gateway):
    origin = raw_origin(lambda request, n: answer(b"old", "200 OK", "Cache-Control: max-age=1, stale-if-error=600")
                        if n == 1 else None)
    api = gateway("--origin", origin.url)
    assert api.get("/").text == "old"
    time.sleep(1.2)
    stale = api.get("/")
    assert (stale.status_code, stale.text) == (200, "old")
    assert "detail=stale-if-error" in stale.headers["cache-status"]
    assert int(stale.headers["age"]) >= 1


@pytest.mark.parametrize("cut", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nCache-Control: max-age=60\r\n\r\nhalf<close>",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCache-Control: max-age=60\r\n\r\n5\r\nhello\r\n<close>",
])
def test_a_cut_answer_is_never_completed_nor_stored(raw_origin, gateway, cut):
    origin = raw_origin(lambda request, n: cut if n == 1 else answer(b"whole", "200 OK", CACHED))
    api = gateway("--origin", origin.url)
    received = api.raw(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 5)
    assert not received.endswith(b"0\r\n\r\n")
    assert b" 502 " in received.split(b"\r\n")[0] or b"hello" in received
    assert api.get("/").text == "whole"


@pytest.mark.parametrize("bad", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 5\r\n\r\nhello",
])
def test_what_is_not_http_is_502(raw_origin, gateway, bad):
    origin = raw_origin(lambda request, n: bad + b"<close>")
    refused = gateway("--origin", origin.url).get("/")
    assert refused.status_code == 502
    assert "origin-protocol" in refused.headers["cache-status"]


def test_surplus_bytes_end_the_connection_not_the_next_answer(raw_origin, gateway):
    origin = raw_origin(lambda request, n: answer(b"n=%d" % n) + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
    api = gateway("--origin", origin.url)
    assert [api.get(f"/{i}").text for i in range(3)] == ["n=1", "n=2", "n=3"]


def test_a_kept_connection_that_died_is_tried_again_once(raw_origin, gateway):
    origin = raw_origin(lambda request, n: answer(b"n=%d" % n) + (b"<close>" if n == 1 else b""))
    api = gateway("--origin", origin.url)
    assert api.get("/1").text == "n=1"
    assert api.get("/2").text == "n=2"


def test_two_origins_share_the_load_and_cover_for_each_other(raw_origin, gateway):
    def busy(name):
        def handler(request, n):
            time.sleep(0.05)
            return answer(name)
        return handler
    a, b = raw_origin(busy(b"a")), raw_origin(busy(b"b"))
    api = gateway("--origin", a.url, "--origin", b.url)
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda i: httpx.get(f"{api.url}/{i}").text, range(40)))
    assert min(names.count("a"), names.count("b")) >= 10
    only = gateway("--origin", f"http://127.0.0.1:{free_port()}", "--origin", b.url)
    assert {only.get(f"/{i}").text for i in range(6)} == {"b"}


def test_large_bodies_stream_both_ways(raw_origin, gateway):
    size = 20 * 1024 * 1024
    origin = raw_origin(lambda request, n: answer(b"x" * size if request.startswith(b"GET") else b"%d" % len(request)))
    api = gateway("--origin", origin.url)
    assert len(api.get("/big").content) == size
    assert int(api.client.post("/up", content=b"y" * size).text) > size


def test_a_thousand_misses_with_an_uncacheable_answer_do_not_queue(raw_origin, gateway):
    def handler(request, n):
        time.sleep(0.2)
        return answer(b"mine", "200 OK", "Cache-Control: private")
    origin = raw_origin(handler)
    api = gateway("--origin", origin.url, env={"ETAGE_ORIGIN_CONNECTIONS_MAX": "256"})
    began = time.monotonic()
    with httpx.Client(base_url=api.url, limits=httpx.Limits(max_connections=100), timeout=60) as client, \
            ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda _: client.get("/"), range(100)))
    assert {a.status_code for a in answers} == {200}
    assert time.monotonic() - began < 8, "in a queue they would take 20 s"


def test_set_cookie_is_not_replayed(raw_origin, gateway):
    origin = raw_origin(lambda request, n: answer(b"x", "200 OK", CACHED, f"Set-Cookie: sid={n}"))
    api = gateway("--origin", origin.url)
    assert [api.get("/").headers["set-cookie"] for _ in range(2)] == ["sid=1", "sid=2"]


def test_a_file_of_routes(raw_origin, gateway, tmp_path):
    origin = raw_origin(lambda request, n: answer(b"%d" % n))
    (tmp_path / "etage.toml").write_text(f"""
        [origin]
        urls = ["{origin.url}"]

        [[route]]
        match = "GET /posts/**"
        cache = {{ ttl = "60s", tags = ["posts", "posts:cat:{{query.category}}"] }}
        key = {{ query = ["limit", "category"] }}
        client = {{ cache_control = "public, max-age=30" }}

        [[route]]
        match = "POST|PUT|PATCH|DELETE /posts/**"
        invalidates = ["posts"]
    """)
    api = gateway("--config", tmp_path / "etage.toml")
    first = api.get("/posts?limit=5&utm_source=x")
    assert first.headers["cache-control"] == "public, max-age=30"
    assert "utm_source" not in origin.requests[0].decode(), "what is not in the key is not forwarded"
    assert api.get("/posts?utm_source=y&limit=5").text == first.text
    api.client.post("/posts", content=b"x")
    assert api.get("/posts?limit=5").text != first.text


def test_default_ttl_and_dotenv(raw_origin, gateway, tmp_path):
    origin = raw_origin(lambda request, n: answer(b"%d" % n))
    (tmp_path / ".env").write_text(f"ETAGE_ORIGIN_URLS={origin.url}\nETAGE_LOG_ACCESS=all\nETAGE_LOG_FORMAT=json\n")
    api = gateway(cwd=tmp_path)
    assert api.get("/x").text == "1"
    line = api.wait_for(r'^\{.*"target":.*/x').string
    import json
    logged = json.loads(line)
    assert logged["status"] == 200 and logged["cache"] == "uri-miss" and logged["method"] == "GET"
