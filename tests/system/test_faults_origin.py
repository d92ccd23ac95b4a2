"""An origin that is gone, a crowd that wants the same of it, and octets that come one by one from everywhere at once."""

import socket
import threading
import time
import types

import pytest
from conftest import answer
from door import crowd
from redis_fixtures import until


def test_f01_an_origin_that_is_gone_costs_nobody_time(raw_origin, gateway, proxy):
    origin = raw_origin(lambda request, n: answer(b"%d" % n, "200 OK", *(
        ["Cache-Control: max-age=600"] if b"/hit" in request else
        ["Cache-Control: max-age=0, stale-if-error=600"] if b"/stale" in request else ["Cache-Control: max-age=0, must-revalidate"])))
    way = proxy(("127.0.0.1", origin.port))
    api = gateway("--origin", f"http://127.0.0.1:{way.port}")
    paths = ("/hit", "/stale", "/strict")
    first = [api.get(path).text for path in paths]
    way.refuse()
    way.drop()
    until(lambda: api.get("/gone").status_code == 502, 10)
    slowest = 0.0
    for _ in range(30):
        began = time.monotonic()
        got = [api.get(path) for path in (*paths, "/never", "/posted")]
        slowest = max(slowest, (time.monotonic() - began) / len(got))
        assert [one.status_code for one in got] == [200, 200, 504 if got[2].status_code == 504 else 502, 502, 502]
        assert [one.text for one in got[:2]] == first[:2], "hits do not mind, and what is stale is better than nothing"
    assert slowest < 0.25, "nobody waits for what is not there"
    assert api.client.post("/x", content=b"once").status_code == 502
    assert api.metric("etage_memory_entries") == 3, "a failure is stored for nobody"
    way.heal()
    until(lambda: api.get("/never").status_code == 200, 15)


def test_f09_who_gives_up_and_asks_again_leaves_nobody_behind_that_asks_the_origin(raw_origin, gateway):
    thinking = threading.Event()
    origin = raw_origin(lambda request, n: thinking.wait(30) and answer(b"late", "200 OK", "Cache-Control: max-age=60"))
    api = gateway("--origin", origin.url)
    clients = [socket.create_connection(("127.0.0.1", api.port)) for _ in range(50)]
    for client in clients:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
    until(lambda: len(origin.requests) == 1, 5)
    stays = clients[-1]
    stays.settimeout(30)
    time.sleep(0.2)
    for client in clients[:-1]:
        client.close()
    until(lambda: len(origin.requests) == 2, 15, "who stays does not wait for the first fetch for ever")
    time.sleep(1)
    assert len(origin.requests) == 2, "nor do those ask who have left"
    thinking.set()
    assert stays.recv(65536).endswith(b"late")
    stays.close()


@pytest.mark.parametrize("kind", ["stored", "not-shareable", "failing"])
def test_f10_hundreds_of_misses_of_one_key(raw_origin, gateway, kind):
    def say(request, n):
        time.sleep(0.5)
        if kind == "failing":
            return None if n == 1 else answer(b"x" * 100, "200 OK", "Cache-Control: max-age=60")
        return answer(b"x" * 100, "200 OK", "Cache-Control: max-age=60" if kind == "stored" else "Cache-Control: private")

    origin = raw_origin(say)
    api = gateway("--origin", origin.url, "--threads", "2", env={"ETAGE_ORIGIN_CONNECTIONS_MAX": "256"})
    api.get("/warm")
    before = len(origin.requests)
    began = time.monotonic()
    got = crowd([api.port], "/same", 300, seconds=60)
    took = time.monotonic() - began
    asked = len(origin.requests) - before
    if kind == "stored":
        assert {status for status, *_ in got} == {200} and asked == 1 and took < 8
    elif kind == "not-shareable":
        assert {status for status, *_ in got} == {200}
        assert asked == 300 and took < 20, "each its own, but side by side"
        assert api.get("/same").status_code == 200
    else:
        assert {status for status, *_ in got} <= {200, 502} and asked <= 3 and took < 8, "no convoy of failures"


def test_f17_octets_one_by_one_on_every_side(redis, proxy, instance, origin):
    """Clients, origin and Redis all send a byte at a time; what is answered and what is stored are the same."""
    to_redis, to_origin = proxy(redis), proxy(("127.0.0.1", origin.ports[0]))
    smooth = instance(redis)
    for way in (to_redis, to_origin):
        way.sliced(1)
    api = instance(to_redis, toml='redis.budget = "2s"', origin=types.SimpleNamespace(url=f"http://127.0.0.1:{to_origin.port}"))
    to_client = proxy(("127.0.0.1", api.port))
    to_client.sliced(1)
    api.client.base_url = f"http://127.0.0.1:{to_client.port}"
    for n in range(3):
        key = f"/k/sliced/{n}"
        assert api.version(key) == 1
        assert api.read(key)[1].startswith("hit")
        whole = smooth.get(key)
        assert api.get(key).content == whole.content
        assert api.get(key, Range="bytes=10-99").content == whole.content[10:100]
        assert api.get(key, If_None_Match=whole.headers["etag"]).status_code == 304
    origin.write("/k/sliced/0")
    until(lambda: api.ask_purge(urls=["/k/sliced/0"]).status_code == 200)
    assert api.version("/k/sliced/0") == 2
    until(lambda: smooth.version("/k/sliced/0") == 2)
