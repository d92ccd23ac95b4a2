"""The mistakes that caches in front of a FastAPI application usually make, and are not made here."""

import gzip
import time

import httpx
import pytest

APPLICATION = """
    from fastapi import FastAPI, Request, Response
    from fastapi.middleware.gzip import GZipMiddleware

    app = FastAPI()
    app.add_middleware(GZipMiddleware, minimum_size=100)
    calls = 0

    @app.get("/posts")
    def posts(request: Request, response: Response):
        global calls
        calls += 1
        response.headers["Cache-Control"] = "public, max-age=60"
        return {"query": request.url.query, "calls": calls, "filler": "lorem ipsum " * 100}

    @app.get("/tagged")
    def tagged(response: Response):
        response.headers["Cache-Control"] = "public, max-age=60"
        response.headers["ETag"] = '"of the body before its compression"'
        return {"filler": "lorem ipsum " * 100}

    @app.get("/brief")
    def brief(response: Response):
        global calls
        calls += 1
        response.headers["Cache-Control"] = "public, max-age=3"
        return {"calls": calls}
"""


@pytest.fixture
def api(fastapi, gateway):
    return gateway("--origin", fastapi(APPLICATION))


def raw(api, path, **headers):
    """The answer with its content as it came, not decoded."""
    with httpx.Client(base_url=api.url, timeout=20) as client:
        with client.stream("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()}) as answer:
            return answer, b"".join(answer.iter_raw())


@pytest.mark.parametrize("path", ["/posts", "/tagged"])
def test_a_validator_that_matches_gives_304_and_not_an_empty_200(api, path):
    for coding in ("identity", "gzip"):
        full, _ = raw(api, path, Accept_Encoding=coding)
        again, content = raw(api, path, Accept_Encoding=coding, If_None_Match=full.headers["etag"])
        assert again.status_code == 304 and content == b""
        assert again.headers["etag"] == full.headers["etag"]
        assert again.headers["cache-control"] == full.headers["cache-control"]


def test_any_query_string_is_a_key(api):
    for query in ("limit=20", "limit=20&offset=40", "a=1&a=2", "a=2&a=1", "empty=", "flag", "&&", "q=caf%C3%A9", "q=a%26b%3Dc", "q=a+b",
                  "q=%20", "x[]=1&x[]=2", "deep=" + "x" * 2000):
        first = api.get("/posts?" + query)
        assert first.status_code == 200 and first.headers["cache-status"].startswith("etage; fwd=uri-miss"), query
        again = api.get("/posts?" + query)
        assert again.headers["cache-status"].startswith("etage; hit") and again.content == first.content, query


def test_different_queries_are_different_answers(api):
    queries = ["", "a=1&b=2", "a=1", "b=2", "a=1%26b=2", "a=2&b=1", "a=1&a=2", "a=2&a=1", "ab=12", "a=12"]
    for _ in range(2):
        calls = [api.get("/posts?" + query).json()["calls"] for query in queries]
        assert len(set(calls)) == len(queries), dict(zip(queries, calls))


@pytest.mark.parametrize("path", ["/posts", "/tagged"])
def test_every_coding_has_its_own_strong_etag(api, path):
    """RFC 9110 §8.8.3.3: one tag for two representations would let a client combine their bytes."""
    plain, content = raw(api, path, Accept_Encoding="identity")
    zipped, packed = raw(api, path, Accept_Encoding="gzip")
    assert "content-encoding" not in plain.headers and zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed) == content and len(packed) < len(content)
    tags = plain.headers["etag"], zipped.headers["etag"]
    assert tags[0] != tags[1] and not any(tag.startswith("W/") for tag in tags)
    for answer in (plain, zipped):
        assert "accept-encoding" in answer.headers["vary"].lower()
    for tag in tags:
        for coding in ("identity", "gzip"):
            assert raw(api, path, Accept_Encoding=coding, If_None_Match=tag)[0].status_code == 304


def test_if_none_match_is_a_list_and_compared_weakly(api):
    tag = api.get("/tagged").headers["etag"]
    for condition in (tag, f"W/{tag}", f'"a", {tag}', f'{tag}, "a"', f'"a",W/{tag} ,"b"', f'"with, comma", {tag}', "*"):
        assert api.get("/tagged", If_None_Match=condition).status_code == 304, condition
    for condition in ('"a"', f'"{tag[1:-1]}x"', f'W/"{tag[1:-2]}"', '"a", "b"', '""', f'"a, {tag[1:-1]}"'):
        assert api.get("/tagged", If_None_Match=condition).status_code == 200, condition


def test_what_a_client_may_keep_and_what_the_gateway_kept_add_up_to_one_lifetime(api):
    """Without `Age` a client would keep for 3 s what the gateway had kept for 3 s already (RFC 9111 §4.2.3)."""
    began = time.monotonic()
    first = api.get("/brief")
    assert int(first.headers["age"]) == 0
    time.sleep(1.6)
    kept = api.get("/brief")
    passed = time.monotonic() - began
    assert kept.json() == first.json()
    assert 1 <= int(kept.headers["age"]) <= passed + 1
    assert int(api.get("/brief", If_None_Match=kept.headers["etag"]).headers["age"]) >= 1, "a 304 has an age too"
    time.sleep(1.8)
    renewed = api.get("/brief")
    assert renewed.json() != first.json()
    assert renewed.headers["cache-control"] == "public, max-age=3"
