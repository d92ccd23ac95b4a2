"""What the network does to a gateway: answers that are cut at every octet, clients that reset, names that do not
resolve, lines that are slow or dead."""

import concurrent.futures
import contextlib
import os
import socket
import struct
import subprocess
import threading
import time

import httpx
import pytest
from conftest import answer
from processes import BINARY, FORGETFUL, Etage
from redis_fixtures import until
from redis_processes import FaultProxy

NOW = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset


def close(connection, reset):
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NOW)
    connection.close()


def unchunked(content):
    whole = b""
    while content:
        size, _, content = content.partition(b"\r\n")
        whole, content = whole + content[:int(size, 16)], content[int(size, 16) + 2:]
    return whole


class Cutting:
    """An origin whose first answer to each target ends after so many octets; the second is whole. /<how>/<kind>/<octets>"""

    CONTENT = b"0123456789" * 4
    HEAD = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nETag: \"v\"\r\n"
    WHOLE = {"length": HEAD + b"Content-Length: 40\r\n\r\n" + CONTENT,
             "chunked": HEAD + b"Transfer-Encoding: chunked\r\n\r\n14\r\n" + CONTENT[:20] + b"\r\n14\r\n" + CONTENT[20:] +
             b"\r\n0\r\n\r\n"}

    def __init__(self):
        self.asked = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self.listener.accept()[0],), daemon=True).start()

    def _serve(self, connection):
        request = b""
        with contextlib.suppress(OSError):
            while b"\r\n\r\n" not in request:
                piece = connection.recv(65536)
                if not piece:
                    return connection.close()
                request += piece
            target = request.split(b" ")[1].decode()
            _, how, kind, octets = target.split("/")
            again = target in self.asked
            self.asked.add(target)
            connection.sendall(self.WHOLE[kind] if again else self.WHOLE[kind][:int(octets)])
            if not again and how == "reset":
                time.sleep(0.005)  # a reset overtakes what was sent
        close(connection, how == "reset" and not again)


def test_f05_an_answer_that_is_cut_anywhere_is_neither_completed_nor_stored(gateway):
    origin = Cutting()
    api = gateway("--origin", origin.url)

    def ask(target):
        return api.raw(b"GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % target.encode(), 20)

    def play(target):
        got = ask(target)
        head, _, content = got.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 200 "):  # it had begun: then it has no end
            assert b"Transfer-Encoding: chunked" in head and not content.endswith(b"0\r\n\r\n"), (target, got)
        else:
            assert head.startswith(b"HTTP/1.1 502 "), (target, got)
        for expected in (b"; fwd=uri-miss", b"; hit"):
            head, _, content = ask(target).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ") and expected in head, (target, head)
            assert (unchunked(content) if b"chunked" in head else content) == Cutting.CONTENT, (target, content)

    targets = [f"/{how}/{kind}/{octets}" for how in ("end", "reset") for kind, whole in Cutting.WHOLE.items()
               for octets in range(len(whole))]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(play, targets))
    assert len(targets) > 400 and api.metric("etage_memory_entries") == len(targets)


def test_f14_ten_thousand_clients_that_reset_in_mid_answer(raw_origin, gateway):
    large = os.urandom(1 << 20)
    reading = threading.Event()

    def say(request, n):
        if b"/joined" in request:
            reading.wait(120)
        return answer(large, "200 OK", "Cache-Control: max-age=600")

    def ask_and_leave(path, read):
        client = socket.create_connection(("127.0.0.1", api.port), 20)
        client.sendall(b"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % (path, api.port))
        if read:
            client.recv(read)
        close(client, reset=True)

    origin = raw_origin(say)
    api = gateway("--origin", origin.url, env=FORGETFUL)
    assert api.get("/hit").content == large
    before, lines, open_before = api.resident(), len(api.lines), api.descriptors()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(httpx.get, api.url + "/joined", timeout=180) for _ in range(2)]
        until(lambda: len(origin.requests) == 2, 20)
        for _ in range(1000):
            ask_and_leave(b"/joined", 0)
        reading.set()
        assert all(one.result().content == large for one in waiting), "who waited for the same gets it"
    for _ in range(9000):
        ask_and_leave(b"/hit", 1000)
    assert len(origin.requests) == 2
    until(lambda: api.descriptors() <= open_before + 10, 20)
    assert api.resident() - before < 48 << 20
    assert len(api.lines) - lines < 20, "no line for each of them"


# ---- names

class NameServer:
    """DNS over UDP on 127.0.0.77:53 for one name: `say` is an address, "nxdomain", "servfail", or None for silence."""

    def __init__(self, say):
        self.say, self.delay, self.asked = say, 0, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.77", 53))
        self.socket.settimeout(0.1)
        self.open = True
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while self.open:
            with contextlib.suppress(TimeoutError):
                query, client = self.socket.recvfrom(512)
                self.asked += 1
                threading.Thread(target=self._answer, args=(query, client, self.say, self.delay), daemon=True).start()

    def _answer(self, query, client, say, delay):
        time.sleep(delay)
        if say is None:
            return
        question = query[12:query.index(b"\0", 12) + 5]
        is_a = question[-4:-2] == b"\0\x01"
        code = {"nxdomain": 3, "servfail": 2}.get(say, 0)
        found = code == 0 and is_a
        head = query[:2] + bytes([0x81, 0x80 | code]) + struct.pack(">HHHH", 1, int(found), 0, 0)
        record = b"\xc0\x0c\0\x01\0\x01" + struct.pack(">IH", 0, 4) + socket.inet_aton(say) if found else b""  # TTL 0
        with contextlib.suppress(OSError):
            self.socket.sendto(head + question + record, client)

    def stop(self):
        self.open = False
        self.thread.join(5)
        self.socket.close()


@pytest.fixture
def names():
    try:
        server = NameServer("127.0.0.1")
    except OSError as e:
        pytest.skip(f"needs port 53 on loopback: {e}")
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
        pytest.skip("needs a mount namespace")
    yield server
    server.stop()


def test_f43_a_name_that_changes_or_does_not_resolve(names, start, raw_origin, tmp_path):
    """The system's resolver, in a mount namespace in which it asks the server above."""
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.77\noptions timeout:1 attempts:1\n")
    (tmp_path / "nsswitch.conf").write_text("hosts: files dns\n")
    first = raw_origin(lambda request, n: answer(b"first", "200 OK", "Cache-Control: no-store", "Connection: close"))
    port = first.port
    second = socket.create_server(("127.0.0.3", port))

    def serve_second():
        with contextlib.suppress(OSError):
            while True:
                connection = second.accept()[0]
                connection.recv(65536)
                connection.sendall(answer(b"second", "200 OK", "Cache-Control: no-store", "Connection: close"))
                connection.close()

    threading.Thread(target=serve_second, daemon=True).start()
    script = (f"mount --bind {tmp_path}/resolv.conf /etc/resolv.conf && mount --bind {tmp_path}/nsswitch.conf "
              f"/etc/nsswitch.conf && exec {BINARY} run --origin http://origin.test:{port} --listen 127.0.0.1:0 "
              f"--admin 127.0.0.1:0")
    api = start(Etage, "-m", "sh", "-c", script, binary="unshare",
                env={"ETAGE_ORIGIN_CONNECT_TIMEOUT": "3s"})
    assert api.get("/").text == "first" and names.asked >= 1
    for trouble in ("nxdomain", "servfail", None):
        names.say = trouble
        time.sleep(1.1)  # an answer is good for a second
        assert api.get("/").text == "first", f"{trouble}: the last good address is kept"
    names.say, names.delay = "127.0.0.1", 5
    time.sleep(1.1)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waits = pool.submit(httpx.get, api.url + "/slow", timeout=30)
        began = time.monotonic()
        assert api.get("/healthy", **{"If-None-Match": '"x"'}).status_code == 200
        assert waits.result().text == "first" and time.monotonic() - began < 8
    names.delay, names.say = 0, "127.0.0.3"
    time.sleep(5.2)  # what was asked slowly is answered
    until(lambda: api.get("/").text == "second", 10)
    second.close()


def test_f43_no_worker_waits_for_a_name(names, start, raw_origin, tmp_path):
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.77\noptions timeout:2 attempts:1\n")
    (tmp_path / "nsswitch.conf").write_text("hosts: files dns\n")
    known = raw_origin(lambda request, n: answer(b"hello", "200 OK", "Cache-Control: max-age=60"))
    (tmp_path / "etage.toml").write_text(f'[origin]\nurls = ["{known.url}"]\n[origins.named]\n'
                                         'urls = ["http://origin.test:1"]\nconnect_timeout = "1s"\n'
                                         '[[route]]\nmatch = "GET /named/**"\norigin = "named"\n[server]\nthreads = 1\n')
    names.say = None
    script = (f"mount --bind {tmp_path}/resolv.conf /etc/resolv.conf && mount --bind {tmp_path}/nsswitch.conf "
              f"/etc/nsswitch.conf && exec {BINARY} run --config {tmp_path}/etage.toml --listen 127.0.0.1:0 --admin 127.0.0.1:0")
    api = start(Etage, "-m", "sh", "-c", script, binary="unshare")
    assert api.get("/hit").text == "hello"
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(httpx.get, api.url + f"/named/{n}", timeout=30) for n in range(20)]
        began = time.monotonic()
        while time.monotonic() - began < 0.8:
            at = time.monotonic()
            assert api.get("/hit").text == "hello" and time.monotonic() - at < 0.3
        assert {one.result().status_code for one in asked} == {504}
        assert time.monotonic() - began < 5


# ---- lines

def test_f44_an_origin_behind_a_slow_line_and_one_that_is_dead(raw_origin, gateway):
    large = os.urandom(1 << 20) * 12
    origin = raw_origin(lambda request, n: answer(large if b"/large" in request else b"%d" % n, "200 OK",
                                                  "Cache-Control: max-age=1, stale-if-error=600"))
    line = FaultProxy(("127.0.0.1", origin.port))
    api = gateway("--origin", f"http://127.0.0.1:{line.port}", env={
        "ETAGE_ORIGIN_FIRST_BYTE_TIMEOUT": "1s", "ETAGE_ORIGIN_BETWEEN_BYTES_TIMEOUT": "1s"})
    assert api.get("/known").status_code == 200
    with httpx.stream("GET", api.url + "/large", timeout=60) as got:
        assert sum(len(piece) for piece in got.iter_raw()) == len(large)
    before, open_before = api.resident(), api.descriptors()

    line.down.rate = 1 << 20  # bytes a second
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        def read(n):
            with httpx.stream("GET", api.url + f"/large/{n}", timeout=60) as got:
                size, began = 0, time.monotonic()
                for piece in got.iter_raw():
                    size += len(piece)
                    if time.monotonic() - began > 3:
                        return size
        slow = list(pool.map(read, range(4)))
    assert all(size > 1 << 20 for size in slow), "it comes as it comes"
    assert api.resident() - before < 64 << 20

    line.down.rate = 0
    line.hang()
    time.sleep(1.2)
    began = time.monotonic()
    assert api.get("/known").headers["cache-status"].endswith("detail=stale-if-error")
    assert 0.5 < time.monotonic() - began < 3
    assert {api.get(f"/cold-{n}").status_code for n in range(3)} == {504}
    line.heal()
    until(lambda: api.get("/cold").status_code == 200, 10)
    until(lambda: api.descriptors() <= open_before + 10, 20)
    assert api.resident() - before < 64 << 20
    line.stop()
