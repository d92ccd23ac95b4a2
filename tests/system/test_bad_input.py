"""Bad input gets a clear error and loses nothing."""

import socket
import subprocess

import pytest
from conftest import BINARY, answer


@pytest.mark.parametrize("status, request_bytes", [
    (400, b"GET / HTTP/1.1\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    (400, b"GET / HTTP/1.1\nHost: a\n\n"),
    (400, b"GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n folded\r\n\r\n"),
    (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /SMUGGLED HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nabcd"),
    (400, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked, chunked\r\n\r\n0\r\n\r\n"),
    (400, b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is TLS\r\n\r\n"),
    (414, b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    (431, b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: " + b"y" * 40000 + b"\r\n\r\n"),
    (431, b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X%d: y\r\n" % i for i in range(120)) + b"\r\n"),
    (501, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"),
    (505, b"GET / HTTP/3.0\r\nHost: a\r\n\r\n"),
])
def test_malformed_requests_are_refused_and_closed(raw_origin, gateway, status, request_bytes):
    origin = raw_origin(lambda request, n: answer(b"ok"))
    received = gateway("--origin", origin.url).raw(request_bytes, 5)
    assert received.startswith(b"HTTP/1.1 %d " % status), received[:200]
    assert b"\r\nConnection: close\r\n" in received
    assert received.count(b"HTTP/1.1 ") == 1 and not received.endswith(b"<not closed>")
    assert origin.requests == []


def test_content_that_is_too_large_is_413(raw_origin, gateway):
    origin = raw_origin(lambda request, n: answer(b"ok"))
    api = gateway("--origin", origin.url, env={"ETAGE_SERVER_BODY_BYTES_MAX": "1KiB"})
    assert api.client.post("/", content=b"x" * 1024).status_code == 200
    received = api.raw(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000, 5)
    assert received.startswith(b"HTTP/1.1 413 ") and b"Connection: close" in received


def test_malformed_content_that_has_come_with_the_head_never_reaches_the_origin(raw_origin, gateway):
    origin = raw_origin(lambda request, n: answer(b"ok"))
    api = gateway("--origin", origin.url)
    received = api.raw(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0x1\r\nz\r\n0\r\n\r\n", 5)
    assert received.startswith(b"HTTP/1.1 400 ") and b"Connection: close" in received
    assert api.metric("etage_origin_fetches_total") == 0


def test_a_refused_head_request_gets_no_content(raw_origin, gateway):
    origin = raw_origin(lambda request, n: answer(b"ok"))
    api = gateway("--origin", origin.url)
    for request in (b"HEAD / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"\r\nHEAD / HTTP/9.1\r\nHost: a\r\n\r\n",
                    b"HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz"):
        received = api.raw(request, 5)
        assert received[9:10] in b"45" and received.endswith(b"\r\n\r\n"), received


def test_content_that_stands_still_is_408(raw_origin, gateway):
    origin = raw_origin(lambda request, n: answer(b"ok"))
    api = gateway("--origin", origin.url, env={"ETAGE_SERVER_BODY_TIMEOUT": "300ms"})
    received = api.raw(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel", 5)
    assert received.startswith(b"HTTP/1.1 408 ") and b"Connection: close" in received
    assert origin.requests == []


def test_an_unread_body_is_never_taken_for_a_request(demo):
    api = demo()
    smuggled = b"GET /posts/1 HTTP/1.1\r\nHost: a\r\n\r\n"
    received = api.raw(b"GET /posts HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (len(smuggled), smuggled) +
                       b"GET /posts/2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 10)
    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert b'"id":1,' not in received.rsplit(b"HTTP/1.1 200", 1)[1] and b'"post-2"' in received.replace(b": ", b":")


def test_pipelined_requests_are_answered_in_order(demo):
    api = demo()
    api.get("/posts/1")
    received = api.raw(b"".join(b"GET /posts/%d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % i for i in (1, 2, 1, 3, 1)) +
                       b"GET /posts/4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 10)
    order = [int(part.split(b'"id":')[1].split(b",")[0]) for part in received.split(b"HTTP/1.1 200 OK")[1:]]
    assert order == [1, 2, 1, 3, 1, 4]


def test_byte_by_byte(demo):
    api = demo()
    with socket.create_connection(("127.0.0.1", api.port), 10) as s:
        for byte in b"GET /posts/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n":
            s.sendall(bytes([byte]))
        received = b""
        while piece := s.recv(65536):
            received += piece
    assert received.startswith(b"HTTP/1.1 200 OK")


def test_http_1_0(demo):
    api = demo()
    received = api.raw(b"GET /posts/1 HTTP/1.0\r\n\r\n", 5)
    assert received.startswith(b"HTTP/1.1 200 OK") and b"chunked" not in received


def test_a_slow_head_is_408(demo):
    api = demo(env={"ETAGE_SERVER_HEADER_TIMEOUT": "500ms"})
    received = api.raw(b"GET /posts HT", 5)
    assert received.startswith(b"HTTP/1.1 408 ")


def fails(*args, **kwargs):
    done = subprocess.run([BINARY, *map(str, args)], capture_output=True, text=True, timeout=30, **kwargs)
    return done.returncode, done.stderr


@pytest.mark.parametrize("content, complaint", [
    ('[server]\nlisten = ["127.0.0.1:8080"]\nthreds = 2\n', ':3:1: unknown key "threds"'),
    ('[[route]]\nmatch = "GET /a"\ncache = { ttl = "60s", stale_while_revaldate = "1s" }\n', 'stale_while_revalidate'),
    ('[memory]\nlimit = "256XB"\n', ":2:9"),
    ('[memory]\nlimit = 5 5\n', ":2:"),
    ('[[route]]\nmatch = "FETCH /a"\n', ":2:9"),
    ('[[route]]\nmatch = "GET posts"\n', ":2:9"),
    ('[server]\nlisten = ["nonsense"]\n', ":2:"),
    ('[origin]\nurls = ["https://api.test"]\n', ":2:"),
    ('[[route]]\nmatch = "/a"\nlimits = [' + ",\n".join('{ name = "%d", rate = "1/s" }' % i for i in range(5)) + "]\n", ":7:"),
    ('[redis]\nurl = "reddis://127.0.0.1"\n', ':2:7: [redis].url: '),
])
def test_wrong_configuration_names_place_and_nearest(tmp_path, content, complaint):
    file = tmp_path / "etage.toml"
    file.write_text(content)
    for command in (("run", "--origin", "http://127.0.0.1:1", "--config"), ("check", "--config")):
        code, said = fails(*command, file)
        assert code == 2, said
        assert f"{file}:" in said and complaint in said, said


def test_wrong_environment_and_flags(tmp_path):
    import os
    code, said = fails("run", "--origin", "http://127.0.0.1:1", env={**os.environ, "ETAGE_MEMRY_LIMIT": "1MiB"})
    assert code == 2 and "ETAGE_MEMRY_LIMIT" in said and "ETAGE_MEMORY_LIMIT" in said
    for args in (("run",), ("run", "--orign", "x"), ("nonsense",), ("run", "--origin", "ftp://x"), (),
                 ("run", "--origin", "http://127.0.0.1:1", "--admin", "0.0.0.0:0")):
        code, said = fails(*args, cwd=tmp_path)
        assert code == 2, (args, said)
        assert said.strip()


def test_an_occupied_port_is_named(demo):
    first = demo()
    for option in ("--listen", "--admin"):
        other = "--admin" if option == "--listen" else "--listen"
        code, said = fails("demo", option, f"127.0.0.1:{first.port}", other, "127.0.0.1:0")
        assert code == 1 and f"127.0.0.1:{first.port}" in said, said


@pytest.mark.parametrize("args", [("--help",), ("run", "--help"), ("demo", "--help"), ("check", "--help"),
                                  ("explain", "--help"), ("purge", "--help"), ("stats", "--help"), ("--version",)])
def test_help_is_there(args):
    done = subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=10)
    assert done.returncode == 0 and done.stdout
