"""What is not cached passes through as it is: interim responses, expectations, upgrades, streams, unusual messages."""

import asyncio
import base64
import hashlib
import os
import re
import socket
import threading
import time

import httpx
import pytest
import websockets
from conftest import answer

OK = answer(b"ok")


def get(path, *fields, method="GET", version="1.1"):
    return (f"{method} {path} HTTP/{version}\r\nHost: api.test\r\n" + "".join(f + "\r\n" for f in fields) + "\r\n").encode()


# ---- interim responses

def test_early_hints_reach_the_client_as_they_come_and_stay_out_of_the_answer(stage, gateway, connect):
    api = gateway("--origin", stage.url)
    client = connect(api)
    client.send(get("/page"))
    origin = stage.next()
    origin.head()
    origin.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: x-hop\r\nX-Hop: 1\r\nCache-Tag: t\r\n\r\n")
    hints = client.head()
    assert hints == b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
    origin.send(answer(b"page", "200 OK", "Cache-Control: max-age=60"))
    head, body = client.message()
    assert head.startswith(b"HTTP/1.1 200 OK") and body == b"page" and b"Link" not in head and b"stored" in head
    client.send(get("/page"))
    head, body = client.message()
    assert b"etage; hit" in head and b"Link" not in head and body == b"page"


def test_interim_responses_of_an_answer_for_one_client_alone(stage, gateway, connect):
    api = gateway("--origin", stage.url)
    client = connect(api)
    client.send(get("/jobs", "Content-Length: 2", method="POST") + b"hi")
    origin = stage.next()
    origin.message()
    for interim in (b"102 Processing", b"100 Continue", b"199 Whatever"):
        origin.send(b"HTTP/1.1 " + interim + b"\r\n\r\n")
    assert client.head().startswith(b"HTTP/1.1 102 Processing\r\n")
    assert client.head().startswith(b"HTTP/1.1 199 ")
    origin.send(OK)
    assert client.message()[1] == b"ok"


def test_interim_responses_are_bounded(stage, gateway, connect):
    api = gateway("--origin", stage.url)
    client = connect(api)
    client.send(get("/"))
    origin = stage.next()
    origin.head()
    origin.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 15 + OK)
    assert client.until(b"ok").count(b"HTTP/1.1 103") == 8
    client.send(get("/large"))
    origin.head()
    origin.send((b"HTTP/1.1 103 Early Hints\r\nX: " + b"x" * 9000 + b"\r\n\r\n") * 3 + OK)
    assert client.until(b"ok").count(b"HTTP/1.1 103") == 1


def test_interim_responses_are_not_for_http_1_0_nor_for_those_who_wait_along(stage, gateway, connect):
    api = gateway("--origin", stage.url, "--threads", "1")
    old = connect(api)
    old.send(get("/old", version="1.0"))
    origin = stage.next()
    origin.head()
    origin.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK)
    assert old.rest().startswith(b"HTTP/1.1 200 OK")
    first, second = connect(api), connect(api)
    first.send(get("/shared"))
    origin.head()
    second.send(get("/shared"))
    until = time.monotonic() + 10
    while api.metric("etage_collapsed_total") < 1 and time.monotonic() < until:
        time.sleep(0.02)
    origin.send(b"HTTP/1.1 103 Early Hints\r\nSet-Cookie: whose\r\n\r\n")
    assert first.head().startswith(b"HTTP/1.1 103")
    origin.send(answer(b"ok", "200 OK", "Cache-Control: max-age=9"))
    assert first.message()[0].startswith(b"HTTP/1.1 200")
    head, _ = second.message()
    assert head.startswith(b"HTTP/1.1 200") and b"collapsed" in head


# ---- Expect

def upload(length, *fields, method="POST", version="1.1"):
    return get("/up", "Expect: 100-continue", f"Content-Length: {length}", *fields, method=method, version=version)


def test_the_origin_decides_whether_content_is_wanted(stage, gateway, connect):
    api = gateway("--origin", stage.url)
    client = connect(api)
    client.send(upload(5))
    origin = stage.next()
    assert b"Expect: 100-continue\r\n" in origin.head()
    assert client.silent()
    origin.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"hello")
    assert origin.exactly(5) == b"hello"
    origin.send(OK)
    assert client.message()[1] == b"ok"
    client.send(get("/again"))  # both connections go on
    origin.head()
    origin.send(OK)
    assert client.message()[1] == b"ok"


def test_content_that_is_not_wanted_is_never_asked_for(stage, gateway, connect):
    api = gateway("--origin", stage.url)
    client = connect(api)
    client.send(upload(1 << 40))
    stage.next().send(answer(b"no", "401 Unauthorized"))
    head, body = client.message()
    assert head.startswith(b"HTTP/1.1 401 Unauthorized\r\n") and b"Connection: close" in head and body == b"no"
    client.send(get("/SMUGGLED"))  # content, for all we know
    assert client.rest() == b""


def test_content_that_came_unasked_is_content(stage, gateway, connect):
    """The client did not wait: what it sent is never the next request, what follows it is."""
    api = gateway("--origin", stage.url)
    client = connect(api)
    smuggled = get("/SMUGGLED")
    client.send(upload(len(smuggled)) + smuggled + get("/next"))
    origin = stage.next()
    origin.head()
    origin.send(answer(b"no", "403 Forbidden"))
    assert client.message()[0].startswith(b"HTTP/1.1 403")
    origin = stage.next()
    assert origin.head().startswith(b"GET /next ")
    origin.send(OK)
    assert client.message()[1] == b"ok"


def test_an_origin_that_does_not_know_expect_gets_the_content_after_a_second(stage, gateway, connect):
    api = gateway("--origin", stage.url)
    client = connect(api)
    began = time.monotonic()
    client.send(upload(2))
    origin = stage.next()
    assert client.head().startswith(b"HTTP/1.1 100")
    assert 0.8 < time.monotonic() - began < 5
    client.send(b"hi")
    origin.until(b"\r\n\r\nhi")
    origin.send(OK)
    assert client.message()[1] == b"ok"


def test_http_1_0_is_never_told_to_continue(stage, gateway, connect):
    api = gateway("--origin", stage.url)
    client = connect(api)
    client.send(upload(5, version="1.0") + b"hello")
    origin = stage.next()
    head, body = origin.message()
    assert b"Expect" not in head and body == b"hello"
    origin.send(OK)
    assert client.rest().startswith(b"HTTP/1.1 200 OK")


def test_other_expectations_fail(gateway, stage):
    api = gateway("--origin", stage.url)
    received = api.raw(get("/", "Expect: tea"))
    assert received.startswith(b"HTTP/1.1 417 Expectation Failed\r\n") and received.count(b"HTTP/1.1") == 1


def test_a_handler_asks_for_content_by_reading_it(demo, connect):
    api = demo()
    client = connect(api)
    content = b'{"title": "t", "category": "tech"}'
    head = f"POST /posts HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    client.send(head.encode())
    assert client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(content)
    assert client.message()[0].startswith(b"HTTP/1.1 201")
    client.send(head.replace(str(len(content)), str(1 << 30)).encode())
    head, _ = client.message()
    assert head.startswith(b"HTTP/1.1 413") and b"Connection: close" in head
    assert client.rest() == b""


# ---- Upgrade

WEBSOCKET = ("Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")


def tunnel(api, stage, connect):
    client = connect(api)
    client.send(get("/ws", *WEBSOCKET))
    origin = stage.next()
    head = origin.head()
    origin.send(SWITCH)
    assert client.head().startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    return client, origin, head


def test_an_upgrade_becomes_a_tunnel(stage, gateway, connect):
    api = gateway("--origin", stage.url)
    client = connect(api)
    client.send(get("/ws", *WEBSOCKET, "X-Forwarded-Host: evil") + b"first words")  # a client in a hurry
    origin = stage.next()
    head = origin.head()
    assert b"\r\nConnection: upgrade\r\nUpgrade: websocket\r\n" in head and b"evil" not in head
    assert b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==" in head and b"keep-alive" not in head
    assert origin.silent()  # nothing before 101
    origin.send(SWITCH + b"welcome")
    head = client.head()
    assert b"\r\nConnection: upgrade\r\nUpgrade: websocket\r\n" in head and b"Sec-WebSocket-Accept" in head
    assert b"etage; fwd=bypass; fwd-status=101; detail=upgrade" in head
    assert b"Content-Length" not in head and b"Transfer-Encoding" not in head
    assert client.exactly(7) == b"welcome" and origin.exactly(11) == b"first words"
    big = os.urandom(3_000_000)
    sender = threading.Thread(target=client.send, args=(big,))
    sender.start()
    assert origin.exactly(len(big)) == big
    sender.join()
    sender = threading.Thread(target=origin.send, args=(big,))
    sender.start()
    assert client.exactly(len(big)) == big
    sender.join()
    assert api.metric("etage_bytes_sent_total") > len(big) and api.metric("etage_bytes_received_total") > len(big)
    client.socket.shutdown(socket.SHUT_WR)  # each direction ends by itself
    assert origin.rest() == b""
    origin.send(b"last words")
    origin.socket.close()
    assert client.rest() == b"last words"


def test_a_tunnel_whose_one_side_dies_ends_on_the_other(stage, gateway, connect):
    api = gateway("--origin", stage.url)
    for reset in (0, 1):
        ends = tunnel(api, stage, connect)
        ends[reset].socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        ends[reset].socket.close()
        assert ends[1 - reset].rest() == b""


def test_when_the_upgrade_is_refused_what_follows_is_the_next_request(stage, gateway, connect):
    api = gateway("--origin", stage.url)
    client = connect(api)
    client.send(get("/ws", *WEBSOCKET) + get("/next"))
    origin = stage.next()
    assert origin.head().startswith(b"GET /ws ")
    origin.send(answer(b"no", "426 Upgrade Required"))
    head, body = client.message()
    assert head.startswith(b"HTTP/1.1 426 Upgrade Required\r\n") and body == b"no" and b"detail=upgrade" in head
    assert origin.head().startswith(b"GET /next ")
    origin.send(OK)
    assert client.message()[1] == b"ok"


@pytest.mark.parametrize("fields", [
    (),
    ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"),
    ("Upgrade: websocket",),
    ("Connection: upgrade",),
    ("Connection: upgrade", "Upgrade: TLS/1.0, HTTP/2.0, h2"),
    ("Connection: upgrade", "Upgrade: websocket", "Content-Length: 1"),
])
def test_what_is_no_upgrade_is_not_forwarded_as_one_nor_ever_switched(stage, gateway, connect, fields):
    api = gateway("--origin", stage.url)
    client = connect(api)
    client.send(get("/", *fields) + (b"x" if "Content-Length: 1" in fields else b"") + b"")
    origin = stage.next()
    head = origin.head().lower()
    assert b"upgrade" not in head and b"http2-settings" not in head and b"h2c" not in head
    origin.send(SWITCH)
    assert client.message()[0].startswith(b"HTTP/1.1 502")


def test_a_protocol_nobody_asked_for_is_502(stage, gateway, connect):
    api = gateway("--origin", stage.url)
    client = connect(api)
    client.send(get("/", "Connection: upgrade", "Upgrade: h2c, websocket, chat/2"))
    origin = stage.next()
    assert b"\r\nUpgrade: websocket, chat/2\r\n" in origin.head()
    origin.send(SWITCH.replace(b"websocket", b"h2c"))
    assert client.message()[0].startswith(b"HTTP/1.1 502")


def test_http_1_0_cannot_upgrade(stage, gateway, connect):
    api = gateway("--origin", stage.url)
    client = connect(api)
    client.send(get("/", *WEBSOCKET[1:], "Connection: Upgrade", version="1.0"))
    origin = stage.next()
    assert b"upgrade" not in origin.head().lower()
    origin.send(OK)
    assert client.rest().endswith(b"ok")


def test_handlers_answer_as_if_no_upgrade_was_asked_for(demo, connect):
    client = connect(demo())
    client.send(get("/posts", *WEBSOCKET).replace(b"api.test", b"a"))
    head, _ = client.message()
    assert head.startswith(b"HTTP/1.1 200 OK") and b"upgrade" not in head.lower()


def test_a_stored_answer_is_none_for_an_upgrade(stage, gateway, connect):
    api = gateway("--origin", stage.url)
    client = connect(api)
    client.send(get("/ws"))
    origin = stage.next()
    origin.head()
    origin.send(answer(b"ok", "200 OK", "Cache-Control: max-age=60"))
    assert client.message()[1] == b"ok"
    client.send(get("/ws", *WEBSOCKET))
    origin.head()
    origin.send(SWITCH)
    assert client.head().startswith(b"HTTP/1.1 101")
    other = connect(api)
    other.send(get("/ws", "Connection: Upgrade", "Upgrade: h2c"))
    assert b"etage; hit" in other.message()[0]


def test_silent_tunnels_are_closed(stage, gateway, connect, tmp_path):
    (tmp_path / "etage.toml").write_text('[server]\ntunnel_timeout = "400ms"\n')
    api = gateway("--origin", stage.url, "--config", tmp_path / "etage.toml")
    client, origin, _ = tunnel(api, stage, connect)
    for _ in range(4):  # one direction alone keeps it alive
        time.sleep(0.2)
        origin.send(b"x")
        client.exactly(1)
    assert client.rest() == b"" and origin.rest() == b""
    assert api.metric("etage_deadlines_hit_total") == 1


def test_tunnels_end_when_the_grace_is_over(stage, gateway, connect, tmp_path):
    (tmp_path / "etage.toml").write_text('[server]\ngrace = "1s"\n')
    api = gateway("--origin", stage.url, "--config", tmp_path / "etage.toml")
    client, origin, _ = tunnel(api, stage, connect)
    api.process.terminate()
    api.wait_for("draining")
    client.send(b"still here")
    assert origin.exactly(10) == b"still here"
    assert client.rest() == b"" and origin.rest() == b""
    assert api.process.wait(10) == 0


def test_connect_is_not_for_us(gateway, stage):
    api = gateway("--origin", stage.url)
    assert api.raw(b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n").startswith(b"HTTP/1.1 501 ")


# ---- WebSocket, for real

ECHO = """
    from fastapi import FastAPI, WebSocket
    app = FastAPI()

    @app.websocket("/echo")
    async def echo(socket: WebSocket):
        await socket.accept()
        async for text in socket.iter_text():
            await socket.send_text(text.upper())

    @app.get("/plain")
    def plain():
        return "plain"
"""


def masked(payload, opcode):
    key = os.urandom(4)
    assert len(payload) < 126
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + key + bytes(b ^ key[i % 4] for i, b in enumerate(payload))


def test_websocket_frames_by_hand(fastapi, gateway, connect):
    client = connect(gateway("--origin", fastapi(ECHO)))
    key = base64.b64encode(os.urandom(16)).decode()
    client.send(get("/echo", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                    f"Sec-WebSocket-Key: {key}"))
    head = client.head().decode()
    accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
    assert head.startswith("HTTP/1.1 101 ") and re.search(f"(?i)sec-websocket-accept: {re.escape(accept)}\r\n", head)
    client.send(masked(b"hello", 1))
    assert client.exactly(7) == b"\x81\x05HELLO"
    client.send(masked(b"\x03\xe8", 8))
    assert client.exactly(2)[0] == 0x88


def test_websocket_with_a_client_and_a_server_of_others(fastapi, gateway):
    api = gateway("--origin", fastapi(ECHO))

    async def talk():
        async with websockets.connect(f"ws://127.0.0.1:{api.port}/echo", max_size=None) as one, \
                websockets.connect(f"ws://127.0.0.1:{api.port}/echo", max_size=None) as two:
            for n in range(20):
                await one.send(f"a{n}")
                await two.send(f"b{n}")
                assert (await one.recv(), await two.recv()) == (f"A{n}", f"B{n}")
            await one.send("x" * 1_000_000)
            assert await one.recv() == "X" * 1_000_000
            await asyncio.wait_for(await one.ping(), 10)

    asyncio.run(talk())
    assert api.get("/plain").json() == "plain"


# ---- TRACE and OPTIONS

def test_trace_that_may_go_no_further_is_answered_here(stage, gateway, connect):
    api = gateway("--origin", stage.url)
    client = connect(api)
    client.send(get("/x?y", "Max-Forwards: 0", "Authorization: secret", "Cookie: secret", "X-Mine: 1", method="TRACE"))
    head, body = client.message()
    assert head.startswith(b"HTTP/1.1 200 OK") and b"Content-Type: message/http\r\n" in head
    assert body == b"TRACE /x?y HTTP/1.1\r\nHost: api.test\r\nMax-Forwards: 0\r\nX-Mine: 1\r\n\r\n"
    client.send(get("/", "Max-Forwards: 0", method="OPTIONS"))
    head, body = client.message()
    assert head.startswith(b"HTTP/1.1 200 OK") and body == b""


def test_max_forwards_counts_down_for_trace_and_options_alone(stage, gateway, connect):
    api = gateway("--origin", stage.url)
    client = connect(api)
    origin = None
    for method, sent, seen in (("TRACE", "1", "0"), ("OPTIONS", "10", "9"), ("OPTIONS", "99999999999999999999", "254"),
                               ("OPTIONS", "many", "many"), ("DELETE", "0", "0")):
        client.send(get("/", f"Max-Forwards: {sent}", method=method))
        origin = origin or stage.next()
        assert f"\r\nMax-Forwards: {seen}\r\n".encode() in origin.head(), method
        origin.send(OK)
        assert client.message()[1] == b"ok"
    client.send(get("/", "Max-Forwards: 0"))  # means nothing with GET: it must not shape what others get
    assert b"Max-Forwards" not in origin.head()
    origin.send(OK)
    assert client.message()[1] == b"ok"
    client.send(get("*", method="OPTIONS"))
    assert origin.head().startswith(b"OPTIONS * HTTP/1.1\r\n")
    origin.send(OK)
    assert client.message()[1] == b"ok"


def test_trace_has_no_content(gateway, stage):
    api = gateway("--origin", stage.url)
    assert api.raw(get("/", "Content-Length: 2", method="TRACE") + b"hi").startswith(b"HTTP/1.1 400 ")


# ---- what is unusual

@pytest.mark.parametrize("method", ["BREW", "M-SEARCH", "PROPFIND", "patch", "x!#$%&'*+-.^_`|~"])
def test_unknown_methods_go_as_they_came(stage, gateway, connect, method):
    api = gateway("--origin", stage.url)
    client = connect(api)
    client.send(get("/", "Content-Length: 3", method=method) + b"tea")
    origin = stage.next()
    head, body = origin.message()
    assert head.startswith(method.encode() + b" / HTTP/1.1\r\n") and body == b"tea"
    origin.send(OK)
    assert client.message()[1] == b"ok"


@pytest.mark.parametrize("status", ["299 Odd", "399 Odd", "499 Odd", "599 Odd", "999 Far out", "200 Fine by me", "418 "])
def test_unknown_statuses_and_reasons_pass(raw_origin, gateway, connect, status):
    origin = raw_origin(lambda request, n: answer(b"body", status))
    client = connect(gateway("--origin", origin.url))
    for method in ("GET", "POST"):
        client.send(get("/", method=method))
        head, body = client.message()
        assert head.startswith(f"HTTP/1.1 {status}\r\n".encode()) and body == b"body"


@pytest.mark.parametrize("method,raw", [
    ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
    ("GET", b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 5\r\n\r\n"),
    ("DELETE", b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"),
    ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
    ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
])
def test_where_there_is_no_content_none_follows(raw_origin, gateway, connect, method, raw):
    origin = raw_origin(lambda request, n: raw if n == 1 else OK)
    client = connect(gateway("--origin", origin.url))
    client.send(get("/a", method=method, *["X: 1"]) + get("/b"))
    first = client.head()
    assert first.split(b"\r\n")[0] in raw
    assert b"Transfer-Encoding" not in first and (b"Content-Length" not in first or method == "HEAD")
    assert client.message()[1] == b"ok"


def test_via_names_the_version_of_each_hop(raw_origin, gateway, connect):
    origin = raw_origin(lambda request, n: b"HTTP/1.0 200 OK\r\nVia: 1.1 inner\r\nCache-Control: max-age=60\r\n\r\nold<close>")
    api = gateway("--origin", origin.url)
    client = connect(api)
    client.send(get("/", "Via: 1.1 outer", version="1.0"))
    received = client.rest().decode()
    assert re.findall("Via: (.*)\r\n", received) == ["1.1 inner", "1.0 etage"]
    assert b"\r\nVia: 1.1 outer\r\n" in origin.requests[0] and b"\r\nVia: 1.0 etage\r\n" in origin.requests[0]
    assert api.get("/").headers["via"] == "1.1 inner, 1.0 etage"
    assert api.verdict("/").startswith("hit")


def test_what_belongs_to_one_connection_stays_on_it(raw_origin, gateway, connect):
    hop = ("Keep-Alive: timeout=1", "Proxy-Connection: close", "TE: trailers", "Trailer: X-T", "X-Hop: 1")
    origin = raw_origin(lambda request, n: answer(b"ok", "200 OK", "Connection: x-hop, cache-control", *hop,
                                                  "Cache-Control: private", "X-End: 1"))
    client = connect(gateway("--origin", origin.url))
    client.send(get("/", "Connection: x-hop, te", *hop, "Proxy-Authorization: Basic x", "X-End: 1"))
    head, _ = client.message()
    for text in (head.lower(), origin.requests[0].lower()):
        assert b"x-end: 1" in text
        for name in (b"keep-alive", b"proxy-connection", b"\r\nte:", b"trailer", b"x-hop", b"proxy-authorization",
                     b"\r\nconnection:"):
            assert name not in text, name
    assert b"cache-control: private" in head.lower()  # naming it in Connection takes nothing away
    client.send(get("/", "Connection: cache-control", "Cache-Control: no-store"))
    assert client.message()[0].startswith(b"HTTP/1.1 400 ")


def test_trailers_end_here(stage, gateway, connect):
    api = gateway("--origin", stage.url)
    client = connect(api)
    client.send(get("/", "TE: trailers", "Connection: TE", "Transfer-Encoding: chunked", method="POST")
                + b"2\r\nhi\r\n0\r\nX-Trailer: 1\r\nContent-Length: 9\r\n\r\n")
    origin = stage.next()
    assert b"TE:" not in origin.head()
    assert origin.until(b"0\r\n\r\n") == b"2\r\nhi\r\n0\r\n\r\n"
    origin.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Set-Cookie\r\n\r\n")
    assert b"Trailer" not in client.head()
    origin.send(b"2\r\nok\r\n0\r\nSet-Cookie: a\r\n\r\n")
    assert client.until(b"0\r\n\r\n") == b"2\r\nok\r\n0\r\n\r\n"
    client.send(get("/next"))
    origin.head()
    origin.send(OK)
    assert client.message()[1] == b"ok"


# ---- early answers

def test_an_early_answer_is_relayed_while_the_client_stalls(stage, gateway, connect):
    api = gateway("--origin", stage.url)
    client = connect(api)
    client.send(get("/up", "Content-Length: 1000000", method="POST") + b"x" * 1000)
    origin = stage.next()
    origin.until(b"\r\n\r\n" + b"x" * 1000)
    began = time.monotonic()
    origin.send(answer(b"too much", "413 Content Too Large"))
    head, body = client.message()
    assert head.startswith(b"HTTP/1.1 413 ") and b"Connection: close" in head and body == b"too much"
    assert time.monotonic() - began < 3
    assert client.rest() == b"" and origin.rest() == b""


def test_an_early_answer_stops_a_long_upload(stage, gateway, connect):
    api = gateway("--origin", stage.url)
    client = connect(api)
    client.send(get("/up", "Transfer-Encoding: chunked", method="PUT"))
    origin = stage.next()
    origin.head()
    sent = threading.Event()

    def send_for_ever():
        try:
            while True:
                client.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        except OSError:
            sent.set()

    threading.Thread(target=send_for_ever, daemon=True).start()
    origin.exactly(300_000)
    origin.send(answer(b"", "507 Insufficient Storage"))
    assert client.head().startswith(b"HTTP/1.1 507 ")
    assert sent.wait(10)


def test_a_short_rest_of_an_upload_does_not_cost_the_connection(stage, gateway, connect):
    api = gateway("--origin", stage.url)
    client = connect(api)
    client.send(get("/up", "Content-Length: 100", method="POST"))
    origin = stage.next()
    origin.head()
    origin.send(answer(b"no", "409 Conflict"))
    head, _ = client.message()
    assert head.startswith(b"HTTP/1.1 409 ") and b"Connection: close" not in head
    client.send(b"x" * 100 + get("/next"))
    origin = stage.next()
    assert origin.head().startswith(b"GET /next ")
    origin.send(OK)
    assert client.message()[1] == b"ok"


# ---- streams

EVENTS = """
    import asyncio
    from fastapi import FastAPI, Request
    from fastapi.responses import StreamingResponse
    app = FastAPI()
    steps = asyncio.Queue()
    left = asyncio.Event()

    async def numbers():
        try:
            for n in range(100):
                yield f"data: {n}\\n\\n"
                await steps.get()
        finally:
            left.set()

    @app.get("/events")
    def events():
        return StreamingResponse(numbers(), media_type="text/event-stream")

    @app.get("/shared")
    def shared():
        return StreamingResponse(numbers(), media_type="text/plain", headers={"Cache-Control": "max-age=60"})

    @app.post("/step")
    async def step():
        steps.put_nowait(1)

    @app.get("/left")
    async def has_left():
        await asyncio.wait_for(left.wait(), 10)
        return "yes"
"""


def test_each_event_arrives_before_the_next_is_made(fastapi, gateway, connect):
    origin = fastapi(EVENTS)
    api = gateway("--origin", origin)
    client = connect(api)
    client.send(get("/events"))
    assert b"Transfer-Encoding: chunked" in client.head()
    for n in range(5):
        assert f"data: {n}\n\n".encode() in client.until(b"\n\n\r\n")
        assert not client.buffer
        assert httpx.post(origin + "/step").status_code == 200
    client.socket.close()  # the origin says nothing; it learns at once
    assert httpx.get(origin + "/left", timeout=15).json() == "yes"


def test_a_stream_that_may_be_shared_is_read_along(fastapi, gateway, connect):
    origin = fastapi(EVENTS)
    api = gateway("--origin", origin)
    first, second = connect(api), connect(api)
    first.send(get("/shared"))
    first.until(b"data: 0\n\n")
    second.send(get("/shared"))
    assert b"collapsed" in second.head()
    second.until(b"data: 0\n\n")
    first.socket.close()  # the fetch belongs to all who wait
    for n in range(1, 100):
        httpx.post(origin + "/step")
        second.until(f"data: {n}\n\n".encode())
    httpx.post(origin + "/step")
    second.until(b"\r\n0\r\n\r\n")
    third = connect(api)
    until = time.monotonic() + 10
    head = b""
    while b"etage; hit" not in head and time.monotonic() < until:  # stored a moment after its last byte was sent
        third.send(get("/shared"))
        head = third.head()
        third.until(b"data: 99\n\n")
        third.until(b"\r\n0\r\n\r\n") if b"chunked" in head else None
    assert b"etage; hit" in head


def test_an_origin_is_let_go_when_its_only_reader_leaves(stage, gateway, connect):
    api = gateway("--origin", stage.url)
    for version in ("1.1", "1.0"):
        client = connect(api)
        client.send(get("/", version=version))
        origin = stage.next()
        origin.head()
        origin.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        client.until(b"data: 1\n\n")
        client.socket.close()
        assert origin.rest() == b""
