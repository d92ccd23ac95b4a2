"""What goes wrong around a gateway: origins that hang, drip and flap, clients that leave, clocks that jump, disks that
are full, memory that runs out."""

import concurrent.futures
import os
import pathlib
import resource
import socket
import subprocess
import threading
import time

import httpx
import pytest
from conftest import answer
from processes import BINARY, RELEASE, Etage, free_port
from redis_fixtures import entries, until

FAKETIME = pathlib.Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


class Deaf:
    """An origin that answers once, and then accepts nobody any more: what connects to it waits."""

    def __init__(self, reply):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.waiting = []
        self.reply = reply
        threading.Thread(target=self._once, daemon=True).start()

    def _once(self):
        connection, _ = self.listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(self.reply)
        for _ in range(4):  # the queue of the listener is full now, and the kernel drops who comes next
            self.waiting.append(socket.socket())
            self.waiting[-1].setblocking(False)
            self.waiting[-1].connect_ex(self.listener.getsockname())

    def close(self):
        for each in [*self.waiting, self.listener]:
            each.close()


def test_f02_an_origin_that_accepts_nobody(gateway):
    origin = Deaf(answer(b"once", "200 OK", "Cache-Control: max-age=60", "Connection: close"))
    api = gateway("--origin", origin.url, env={"ETAGE_ORIGIN_CONNECT_TIMEOUT": "400ms"})
    assert api.get("/known").text == "once"
    until(lambda: len(origin.waiting) == 4, 10)
    time.sleep(0.2)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        began = time.monotonic()
        crowd = [pool.submit(httpx.get, api.url + "/cold", timeout=20) for _ in range(20)]
        assert api.get("/known").text == "once", "hits do not mind"
        assert time.monotonic() - began < 0.4
        assert {one.result().status_code for one in crowd} == {504}
        assert time.monotonic() - began < 2.5, "those who wait for the same wait once"
    origin.close()


def test_f03_an_origin_that_never_answers(raw_origin, gateway):
    over = threading.Event()
    fresh = answer(b"old", "200 OK", "Cache-Control: max-age=1, stale-while-revalidate=60")
    erring = answer(b"old", "200 OK", "Cache-Control: max-age=1, stale-if-error=60")
    origin = raw_origin(lambda request, n: (erring if b"/erring" in request else fresh) if n <= 2 else over.wait(20) and None)
    api = gateway("--origin", origin.url, env={"ETAGE_ORIGIN_FIRST_BYTE_TIMEOUT": "500ms"})
    assert (api.get("/fresh").text, api.get("/erring").text) == ("old", "old")
    time.sleep(1.2)
    began = time.monotonic()
    assert api.get("/fresh").text == "old" and time.monotonic() - began < 0.3, "refreshed behind the answer"
    stale = api.get("/erring")
    assert stale.text == "old" and "stale-if-error" in stale.headers["cache-status"]
    assert 0.4 < time.monotonic() - began < 2
    assert api.get("/cold").status_code == 504
    over.set()


def test_f04_who_joined_an_answer_that_drips_is_let_go_with_it(raw_origin, gateway):
    """A drop in time is progress; when none comes, everybody who reads along hears the end at once."""

    def drip(request, n):
        return b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\nCache-Control: max-age=60\r\n\r\nsome"

    origin = raw_origin(drip)
    api = gateway("--origin", origin.url, env={"ETAGE_ORIGIN_BETWEEN_BYTES_TIMEOUT": "500ms"})
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        got = list(pool.map(lambda _: api.raw(b"GET /drip HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 10), range(10)))
    assert time.monotonic() - began < 3
    assert all(b" 504 " in one or b" 502 " in one or one.endswith(b"some") for one in got), got
    assert api.metric("etage_memory_entries") == 0


def test_f07_an_origin_that_fails_every_other_time(raw_origin, gateway):
    origin = raw_origin(lambda request, n: answer(b"good", "200 OK", "Cache-Control: max-age=0, stale-if-error=600", 'ETag: "1"')
                        if n % 2 else answer(b"bad", "500 Oh"))
    api = gateway("--origin", origin.url)
    got = [api.get("/flap") for _ in range(60)]
    assert {(one.status_code, one.text) for one in got} == {(200, "good")}
    assert len(origin.requests) <= 66, "no more than were missed, and a tenth"


def test_f09_a_thousand_clients_leave_while_the_origin_thinks(raw_origin, gateway):
    thinking = threading.Event()
    origin = raw_origin(lambda request, n: thinking.wait(20) and answer(b"x" * 100_000, "200 OK", "Cache-Control: max-age=60"))
    api = gateway("--origin", origin.url)
    before = api.descriptors()
    for batch in range(10):
        leaving = [socket.create_connection(("127.0.0.1", api.port)) for _ in range(100)]
        for n, client in enumerate(leaving):
            client.sendall(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % (n % 20))
        time.sleep(0.05)
        for client in leaving:
            client.close()
    thinking.set()
    assert all(len(api.get(f"/{n}").content) == 100_000 for n in range(20))
    assert len(origin.requests) <= 40, "those who left did not each ask again"
    until(lambda: api.descriptors() <= before + 40, 10, "their connections are closed")


def test_f16_large_content_flows_through_and_is_not_held(raw_origin, gateway):
    large = os.urandom(1 << 20) * 48
    origin = raw_origin(lambda request, n: answer(large, "200 OK", "Cache-Control: max-age=60"))
    api = gateway("--origin", origin.url)
    assert api.get("/warm", Range="bytes=0-9").status_code in (200, 206)
    before = api.resident()
    for n in range(3):
        with httpx.stream("GET", api.url + f"/{n}", timeout=60) as got:
            assert sum(len(piece) for piece in got.iter_raw()) == len(large)
    assert api.resident() - before < 40 << 20, "three times 48 MiB went through"


def test_f11_heads_that_drip_cost_their_time_and_no_more(raw_origin, gateway):
    origin = raw_origin(lambda request, n: answer(b"hello"))
    api = gateway("--origin", origin.url, env={"ETAGE_SERVER_HEADER_TIMEOUT": "1s"})
    before = api.descriptors()
    crowd = [socket.create_connection(("127.0.0.1", api.port)) for _ in range(500)]
    began = time.monotonic()
    for octet in b"GET / HT":  # an idle timer would begin anew with each of them
        for client in crowd:
            try:
                client.send(bytes([octet]))
            except OSError:
                pass
        if octet == ord("G"):
            assert api.get("/").text == "hello", "others are served meanwhile"
        time.sleep(0.25)
    until(lambda: api.descriptors() <= before + 5, 5, "all of them are closed")
    assert time.monotonic() - began < 6
    for client in crowd:
        client.close()
    assert api.metric("etage_deadlines_hit_total") >= 500 and len(origin.requests) == 1


def test_f13_who_does_not_read_costs_no_copy_and_is_closed(raw_origin, gateway):
    large = os.urandom(1 << 20) * 7
    origin = raw_origin(lambda request, n: answer(large, "200 OK", "Cache-Control: max-age=60"))
    api = gateway("--origin", origin.url, env={"ETAGE_SERVER_WRITE_TIMEOUT": "2s"})
    assert len(api.get("/large").content) == len(large)
    before, open_before = api.resident(), api.descriptors()
    crowd = []
    for _ in range(200):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", api.port))
        client.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        crowd.append(client)
    until(lambda: api.descriptors() >= open_before + 190, 10)
    assert api.resident() - before < 64 << 20, "two hundred times seven MiB are asked for"
    assert len(api.get("/large").content) == len(large)
    until(lambda: api.descriptors() <= open_before + 5, 15, "who takes nothing is closed")
    for client in crowd:
        client.close()


def test_f18_descriptors_are_kept_for_origins_when_clients_want_them_all(start, raw_origin):
    origin = raw_origin(lambda request, n: answer(b"%d" % n, "200 OK", "Cache-Control: no-store"))
    api = start(Etage, "--nofile=256:256", BINARY, "run", "--origin", origin.url, "--listen", "127.0.0.1:0",
                "--admin", "127.0.0.1:0", binary="/usr/bin/prlimit")
    with httpx.Client(base_url=api.url, timeout=10) as early:
        assert early.get("/").status_code == 200
        crowd = [socket.create_connection(("127.0.0.1", api.port)) for _ in range(500)]
        until(lambda: api.descriptors() > 128, 10)
        before = api.cpu_seconds()
        time.sleep(2)
        assert api.cpu_seconds() - before < 0.5, "nobody spins"
        for n in range(10):
            assert early.get(f"/{n}", headers={"Connection": "keep-alive"}).status_code == 200, "origins are still reached"
        for client in crowd:
            client.close()
        until(lambda: api.descriptors() < 128, 10)
    assert httpx.get(api.url + "/after", timeout=10).status_code == 200
    assert "fewer clients than configured" in api.output and "accept failed" not in api.output


# ---- what the gateway itself stands on

def with_release(start, origin, *args, env=None):
    """A release binary, in an environment that sanitizers do not stand."""
    if not RELEASE.exists():
        pytest.skip("needs build/release/etage")
    return start(Etage, "run", "--origin", origin.url, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", *args,
                 env=env, binary=RELEASE)


class Cornered:
    """A gateway that gets no further file descriptor until release(); what is open stays open, this test's own connections
    too. `reuse`: what it closes it may open again. Else nothing at all. Sanitizers look at memory through a pipe of their
    own, and take what they cannot see for broken: a release binary."""

    def __init__(self, api, reuse=False):
        self.api = api
        self.clients = [self._client(api.admin)]
        self.client = self._client(api.url)
        self.clients.append(self.client)
        self.clients[0].get("/readyz")
        self.client.get("/known")
        self.before = resource.prlimit(api.process.pid, resource.RLIMIT_NOFILE)
        most = 3
        while reuse and (most := max(self._used()) + 1) > len(self._used()):  # fill the gaps
            self.clients.append(self._client(api.url))
            self.clients[-1].get("/known")
        resource.prlimit(api.process.pid, resource.RLIMIT_NOFILE, (most, self.before[1]))

    def _client(self, url):
        return httpx.Client(base_url=url, timeout=10, limits=httpx.Limits(keepalive_expiry=60))

    def _used(self):
        return {int(each.name) for each in pathlib.Path(f"/proc/{self.api.process.pid}/fd").iterdir()}

    def metric(self, name):
        return float(self.clients[0].get("/metrics").text.split(f"\n{name} ")[1].split()[0])

    def release(self):
        resource.prlimit(self.api.process.pid, resource.RLIMIT_NOFILE, self.before)
        for client in self.clients:
            client.close()


def test_f18_without_a_descriptor_clients_are_turned_away_and_nobody_spins(start, raw_origin):
    origin = raw_origin(lambda request, n: answer(b"%d" % n, "200 OK", "Cache-Control: max-age=60"))
    api = with_release(start, origin)
    assert api.get("/known").text == "1"
    cornered = Cornered(api, reuse=True)
    crowd = [socket.create_connection(("127.0.0.1", api.port), 10) for _ in range(300)]
    began, before = time.monotonic(), api.cpu_seconds()
    for client in crowd:
        client.settimeout(5)
        try:
            assert client.recv(1) == b"", "it is told, not left waiting"
        except ConnectionResetError:
            pass
    assert time.monotonic() - began < 5
    time.sleep(2)
    assert api.cpu_seconds() - before < 0.5, "nobody spins"
    assert cornered.client.get("/known").text == "1", "who is connected is served from the shelf"
    assert cornered.metric("etage_accepts_failed_total") >= 1
    assert cornered.metric("etage_connections_refused_total") == 300
    assert 1 <= api.output.count("accept failed") <= 8, "and the log is not flooded: once in ten seconds, and listener"
    cornered.release()
    for client in crowd:
        client.close()
    until(lambda: httpx.get(api.url + "/known", timeout=10).text == "1", 5)


def test_f37_no_descriptor_for_an_origin_is_503_of_that_request(start, raw_origin):
    origin = raw_origin(lambda request, n: answer(b"%d" % n, "200 OK", "Cache-Control: max-age=60", "Connection: close") + b"<close>")
    api = with_release(start, origin)
    assert api.get("/known").text == "1"
    cornered = Cornered(api)
    for n in range(5):
        missed = cornered.client.get(f"/{n}")
        assert missed.status_code == 503 and "detail=overloaded" in missed.headers["cache-status"]
        assert cornered.client.get("/known").text == "1", "hits do not mind"
    assert len(origin.requests) == 1
    cornered.release()
    assert httpx.get(api.url + "/after").status_code == 200, "and the origin is not taken for one that is down"


def test_f37_no_descriptor_for_redis_is_a_cache_without_it(start, redis, raw_origin):
    origin = raw_origin(lambda request, n: answer(b"%d" % n, "200 OK", "Cache-Control: max-age=60"))
    api = with_release(start, origin, "--redis", redis.url, "--threads", "1")
    assert api.get("/known").text == "1"
    cornered = Cornered(api)
    redis.call("CLIENT", "KILL", "TYPE", "normal")
    for n in range(20):
        assert cornered.client.get(f"/{n}").status_code == 200, "over the connection to the origin that there is"
        assert cornered.client.get("/known").text == "1"
    assert cornered.metric("etage_redis_up") == 0
    cornered.release()
    until(lambda: "degraded" not in httpx.get(api.admin + "/readyz").text, 10)
    before = len(entries(redis))
    assert httpx.get(api.url + "/after").status_code == 200
    until(lambda: len(entries(redis)) > before)


def test_f34_the_clock_of_the_wall_jumps(start, raw_origin, tmp_path):
    if not FAKETIME.exists():
        pytest.skip("needs libfaketime")
    clock = tmp_path / "clock"
    clock.write_text("+0")
    config = tmp_path / "etage.toml"
    config.write_text('[[route]]\nmatch = "GET /limited"\n'
                      'limits = [{ name = "b", rate = "3/h", burst = 3 }, { name = "w", rate = "3/h", algorithm = "fixed_window" }]\n')
    origin = raw_origin(lambda request, n: answer(b"%d" % n, "200 OK", "Cache-Control: max-age=600"))
    api = with_release(start, origin, "--config", config, env={
        "LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"})
    first = api.get("/kept")
    assert [api.get("/limited").status_code for _ in range(4)] == [200, 200, 200, 429]
    for jump in ["+86400", "-86400", "+0", *["+1", "-1"] * 5, "+0"]:
        clock.write_text(jump)
        again = api.get("/kept")
        assert again.text == first.text and "; hit" in again.headers["cache-status"], f"{jump}: no entry expires by it"
        assert 0 <= int(again.headers["age"]) <= 60, f"{jump}: and its age is what it was"
        assert api.get("/limited").status_code == 429, f"{jump}: nor does a limit begin anew"
    assert api.get("/after").status_code == 200


def test_f36_the_log_has_no_disk(raw_origin, tmp_path):
    """Logging holds nobody up: neither a full disk nor a pipe that nobody reads."""
    origin = raw_origin(lambda request, n: answer(b"hello", "200 OK", "Cache-Control: max-age=60"))
    listen, admin = free_port(), free_port()
    pipe, unread = os.pipe()
    for where in (open("/dev/full", "wb"), os.fdopen(unread, "wb")):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ETAGE_")} | {"ETAGE_LOG_ACCESS": "all"}
        process = subprocess.Popen([BINARY, "run", "--origin", origin.url, "--listen",
                                    f"127.0.0.1:{listen}", "--admin", f"127.0.0.1:{admin}"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=where, env=environment)
        try:
            until(lambda: not os.system(f"curl -s -o /dev/null http://127.0.0.1:{admin}/readyz"), 20)
            with httpx.Client(base_url=f"http://127.0.0.1:{listen}", timeout=10) as client:
                assert {client.get("/a", params={"long": "x" * 200}).status_code for _ in range(3000)} == {200}
            metrics = httpx.get(f"http://127.0.0.1:{admin}/metrics").text
            if where.name == "/dev/full":
                assert float(metrics.split("\netage_log_lines_dropped_total ")[1].split()[0]) > 1000
        finally:
            process.kill() if where.name != "/dev/full" else process.terminate()
            process.wait(20)
            where.close()
    os.close(pipe)


def test_f38_what_memory_cannot_be_had_for_is_passed_on_and_not_stored(start, raw_origin):
    """Room for twenty answers, and a cache that believes it may have two gigabytes."""
    body = os.urandom(1 << 20) * 3
    origin = raw_origin(lambda request, n: answer(body, "200 OK", "Cache-Control: max-age=60"))
    api = with_release(start, origin, "--threads", "2", env={"ETAGE_MEMORY_LIMIT": "2GiB"})
    assert api.get("/first").status_code == 200
    used = int(pathlib.Path(f"/proc/{api.process.pid}/statm").read_text().split()[0]) * 4096
    resource.prlimit(api.process.pid, resource.RLIMIT_AS, (used + (64 << 20), resource.RLIM_INFINITY))
    assert {httpx.get(api.url + f"/{n}", timeout=20).content == body for n in range(60)} == {True}
    assert "std::bad_alloc" in api.output and api.metric("etage_memory_entries") < 40
    resource.prlimit(api.process.pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert [httpx.get(api.url + f"/after-{n}", timeout=20).status_code for n in range(5)] == [200] * 5
    assert api.get("/first").content == body


def test_f39_told_to_stop_under_load_it_fails_nobody(raw_origin, gateway):
    def slow(request, n):
        time.sleep(0.01)
        return answer(b"hello", "200 OK", "Cache-Control: no-store")

    origin = raw_origin(slow)
    api = gateway("--origin", origin.url)
    broken, answered, refused = [], [0], []
    over = threading.Event()

    def client():
        while not over.is_set():
            try:
                with httpx.Client(base_url=api.url, timeout=10) as one:
                    for _ in range(50):
                        ok = one.get("/x")
                        assert ok.text == "hello"
                        answered[0] += 1
                        if ok.headers.get("connection") == "close":
                            break
            except httpx.ConnectError:
                refused.append(time.monotonic())
                return
            except Exception as e:  # an answer that was cut, or a request that nobody answered
                broken.append(e)
                return

    crowd = [threading.Thread(target=client) for _ in range(8)]
    for each in crowd:
        each.start()
    time.sleep(1)
    assert api.stop() == 0
    over.set()
    for each in crowd:
        each.join()
    assert answered[0] > 100 and not [e for e in broken if not isinstance(e, (httpx.RemoteProtocolError, httpx.ReadError))], broken
    assert len(broken) <= len(crowd), "a kept connection that was idle at that moment, once each"


def test_f39_told_twice_it_stops_at_once(raw_origin, gateway):
    origin = raw_origin(lambda request, n: time.sleep(8))
    api = gateway("--origin", origin.url)
    threading.Thread(target=lambda: api.raw(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 20), daemon=True).start()
    time.sleep(0.3)
    api.process.terminate()
    time.sleep(0.3)
    api.process.terminate()
    began = time.monotonic()
    api.process.wait(20)
    assert time.monotonic() - began < 3
