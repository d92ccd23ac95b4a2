"""Start, stop, and what is in flight meanwhile."""

import threading
import time

import httpx
from conftest import answer


def test_sigterm_finishes_what_is_in_flight(demo):
    api = demo("--slow-ms", "800")
    got = {}

    def ask():
        got["answer"] = httpx.get(api.url + "/posts", timeout=20)

    asking = threading.Thread(target=ask)
    idle = httpx.Client(base_url=api.url)
    idle.get("/nowhere")
    asking.start()
    time.sleep(0.3)
    began = time.monotonic()
    assert api.stop() == 0
    asking.join()
    assert got["answer"].status_code == 200 and got["answer"].json()["total"] == 500
    assert time.monotonic() - began < 8, "idle connections do not hold it up"


def test_the_grace_ends(raw_origin, gateway):
    origin = raw_origin(lambda request, n: time.sleep(6))
    api = gateway("--origin", origin.url, env={"ETAGE_SERVER_GRACE": "500ms"})

    def ask():
        try:
            httpx.get(api.url + "/", timeout=20)
        except httpx.HTTPError:
            pass

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.3)
    began = time.monotonic()
    assert api.stop() == 1
    assert time.monotonic() - began < 4
    asking.join()


def test_clients_that_leave_do_no_harm(raw_origin, gateway):
    def handler(request, n):
        time.sleep(0.1)
        return answer(b"x" * 300_000, "200 OK", "Cache-Control: max-age=60")
    origin = raw_origin(handler)
    api = gateway("--origin", origin.url)
    import socket
    for i in range(50):
        s = socket.create_connection(("127.0.0.1", api.port))
        s.sendall(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % (i % 5))
        s.close()
    assert len(api.get("/1").content) == 300_000
    assert len(api.get("/fresh").content) == 300_000
