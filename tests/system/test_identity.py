"""Two users never share, and who they are is nowhere as it is."""

import concurrent.futures

import httpx
import pytest
from conftest import answer
from redis_fixtures import until

SECRET = "s3cr3t-0f-the-us3r"
WAYS = [("", lambda who: {"Authorization": f"Bearer {SECRET}-{who}"}),
        ('identity = { header = "X-User" }\n', lambda who: {"X-User": f"{SECRET}-{who}"}),
        ('identity = { cookie = "sid" }\n', lambda who: {"Cookie": f"a=b; sid={SECRET}-{who}; c=d"})]


def whose(raw_origin, *fields):
    """An origin that answers each user with their name."""
    names = ("alice", "bob")
    return raw_origin(lambda request, n: answer(next((w for w in names if f"{SECRET}-{w}".encode() in request), "nobody").encode(),
                                                "200 OK", *fields))


@pytest.mark.parametrize("said", [(), ("Cache-Control: max-age=60",), ("Cache-Control: private, max-age=60",), ('ETag: "1"',),
                                  ("Expires: Thu, 01 Jan 2099 00:00:00 GMT",),
                                  ("Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT",)])
@pytest.mark.parametrize("per", ["everyone", "user"])
@pytest.mark.parametrize("way", range(len(WAYS)))
def test_two_users_never_share(gateway, raw_origin, tmp_path, way, per, said):
    origin = whose(raw_origin, *said)
    identity, fields = WAYS[way]
    (tmp_path / "etage.toml").write_text(f'[[route]]\nmatch = "GET /**"\n{identity}'
                                         f'cache = {{ ttl = "60s", stale_if_error = "1h", per = "{per}" }}\n')
    api = gateway("--origin", origin.url, "--config", tmp_path / "etage.toml")
    for _ in range(2):
        for who in ("alice", "bob"):
            got = api.client.get("/me", headers=fields(who))
            assert got.text == who, got.headers["cache-status"]
            assert per == "everyone" or "public" not in got.headers.get("cache-control", "")
    assert api.get("/me").text == "nobody", "nor with strangers"
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        asked = [(who, pool.submit(httpx.get, api.url + "/at-once", headers=fields(who))) for who in ("alice", "bob") * 5]
    assert all(who == got.result().text for who, got in asked), "nor by waiting for each other's fetch"


def everything_in(redis):
    for key in redis.call("KEYS", "*"):
        yield key
        kind = redis.call("TYPE", key)
        kind = kind.decode() if isinstance(kind, bytes) else kind
        if kind == "string":
            yield redis.call("GET", key)
        elif kind == "hash":
            yield from redis.call("HGETALL", key)
        elif kind == "stream":
            yield repr(redis.call("XRANGE", key, "-", "+")).encode()
        elif kind == "zset":
            yield from redis.call("ZRANGE", key, "0", "-1")


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("way", range(len(WAYS)))
def test_an_identity_is_nowhere_as_it_is(instance, redis, raw_origin, way, shared):
    """Neither in Redis, nor in the log, nor in anything that administration tells."""
    origin = whose(raw_origin, "Cache-Control: max-age=60")
    identity, fields = WAYS[way]
    api = instance(redis, origin=origin, toml=('redis.secret = "the same for all instances"\n' if shared else "") +
                   '[log]\nlevel = "debug"\naccess = "all"\n[[route]]\nmatch = "GET /**"\n' + identity +
                   'cache = { per = "user", tags = ["mine"] }\nlimits = [{ name = "each", rate = "100/min", by = "user" },\n'
                   '{ name = "seats", algorithm = "concurrency", max = 5, by = "user" }]\n')
    for who in ("alice", "bob", "alice"):
        assert api.client.get("/me", headers=fields(who)).text == who
    until(lambda: len([key for key in redis.call("KEYS", "*v1:*")]) >= 2, 5)
    told = [api.admin_client.get("/metrics").text, api.admin_client.get("/stats.json").text]
    name, value = next(iter(fields("alice").items()))
    explained = api.admin_client.get("/explain", params={"url": "http://api.test/me", "header": f"{name}: {value}"})
    assert explained.status_code == 200
    told.append(explained.text)
    api.purge(tags=["mine"])
    until(lambda: " purged " in api.output)
    for text in [*told, api.output]:
        assert SECRET not in text
    for stored in everything_in(redis):
        assert SECRET.encode() not in stored, stored


def test_only_with_the_common_secret_instances_share_what_is_a_users_own(instance, redis, raw_origin):
    origin = whose(raw_origin, "Cache-Control: max-age=60")
    route = '[[route]]\nmatch = "GET /**"\ncache = { per = "user" }\n'
    fields = WAYS[0][1]
    for toml, fetches in (('redis.secret = "the same for all instances"\n' + route, 1), (route, 2)):
        before = len(origin.requests)
        for _ in range(2):
            api = instance(redis, origin=origin, toml=toml)
            assert api.client.get(f"/me-{fetches}", headers=fields("alice")).text == "alice"
            until(lambda: api.metric("etage_redis_writes_total") + api.metric("etage_redis_hits_total") >= 1)
        assert len(origin.requests) - before == fetches
