"""Who is believed, and how much anybody may have: proxies that speak for their clients, connections of one client, drips,
administration."""

import socket
import subprocess
import time

import httpx
import pytest
from conftest import answer
from processes import BINARY, Etage, Wire
from redis_fixtures import until

GET = b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
TRUSTED = {"ETAGE_SERVER_TRUSTED_PROXIES": "127.0.0.0/8"}
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def line(source, family="TCP4", to="10.0.0.1"):
    return f"PROXY {family} {source} {to} 4567 80\r\n".encode()


def block(source=None, family=None, command=1, rest=b""):
    if source is not None:
        packed = socket.inet_pton(socket.AF_INET6 if ":" in source else socket.AF_INET, source)
        family = 0x21 if ":" in source else 0x11
        rest = packed + packed + b"\x11\xd7\x00\x50" + rest
    return SIGNATURE + bytes([0x20 | command, family or 0]) + len(rest).to_bytes(2, "big") + rest


def client_of(request):
    """Whom the origin is told of."""
    fields = [f.split(b": ", 1) for f in request.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]]
    return [value.decode() for name, value in fields if name.lower() == b"x-forwarded-for"]


@pytest.fixture
def echo(raw_origin):
    return raw_origin(lambda request, n: answer(", ".join(client_of(request)).encode(), "200 OK", "Cache-Control: no-store"))


@pytest.fixture
def behind(gateway, echo):
    def _behind(mode="require", *args, **env):
        settings = {f"ETAGE_SERVER_{name.upper()}": value for name, value in env.items()}
        return gateway("--origin", echo.url, *args, env=TRUSTED | {"ETAGE_SERVER_PROXY_PROTOCOL": mode} | settings)

    return _behind


# ---- the PROXY protocol

TOLD = [(line("192.0.2.7"), "192.0.2.7"), (line("2001:db8::7", "TCP6", "::1"), "2001:db8::7"),
        (line("::ffff:192.0.2.7", "TCP6", "::1"), "192.0.2.7"), (block("192.0.2.7"), "192.0.2.7"),
        (block("2001:db8::7"), "2001:db8::7"), (block("192.0.2.7", rest=b"\x01\x00\x02h2\x04\x00\x00"), "192.0.2.7")]


@pytest.mark.parametrize("mode", ["accept", "require"])
def test_a_proxy_says_who_its_client_is(behind, mode):
    api = behind(mode)
    for header, client in TOLD:
        assert api.raw(header + GET).endswith(b"\r\n\r\n" + client.encode()), header


def test_a_header_that_comes_octet_by_octet_is_the_same_header(behind, connect):
    api = behind()
    for header, client in TOLD:
        wire = connect(api)
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in header + GET:
            wire.send(bytes([octet]))
        assert wire.rest().endswith(b"\r\n\r\n" + client.encode()), header


def test_all_requests_of_a_connection_are_of_the_one_client(behind, connect):
    wire = connect(behind())
    wire.send(line("192.0.2.7"))
    for _ in range(3):
        wire.send(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
        assert [wire.message()[1] for _ in range(2)] == [b"192.0.2.7"] * 2


@pytest.mark.parametrize("header", [block(), block(command=0), block(family=0x31, rest=b"/run/a".ljust(216, b"\0")),
                                    b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN 192.0.2.7 10.0.0.1 1 2\r\n"])
def test_without_an_address_the_proxy_is_the_client(behind, header):
    assert behind().raw(header + GET).endswith(b"\r\n\r\n127.0.0.1")


def test_who_is_not_told_of_cannot_tell_who_it_is(behind):
    """Behind a proxy that says UNKNOWN there is a client, and what it writes of itself is its own word."""
    api = behind()
    claim = GET.replace(b"Host", b"X-Forwarded-For: 192.0.2.66\r\nHost")
    for header in (b"PROXY UNKNOWN\r\n", block(), line("192.0.2.7"), block("192.0.2.7")):
        assert b"192.0.2.66" not in api.raw(header + claim), header
    chain = GET.replace(b"Host", b"X-Forwarded-For: 192.0.2.7\r\nHost")
    assert api.raw(line("127.0.0.9") + chain).endswith(b"192.0.2.7"), "but a proxy behind a proxy is believed"


MALFORMED = [b"PROXY TCP4 192.0.2.7 10.0.0.1 1 2\n", b"PROXY TCP4 192.0.2.07 10.0.0.1 1 2\r\n", b"PROXY TCP4 ::1 ::1 1 2\r\n",
             b"PROXY TCP4 192.0.2.7 10.0.0.1 1 65536\r\n", b"PROXY UNKNOWN " + b"x" * 100 + b"\r\n", b"PROXY / HTTP/1.1\r\n",
             SIGNATURE + b"\x11\x11\x00\x0c" + b"x" * 12, SIGNATURE + b"\x21\x11\x00\x0b" + b"x" * 11,
             SIGNATURE + b"\x21\x11\xff\xff", SIGNATURE + b"\x22\x11\x00\x0c" + b"x" * 12,
             block("192.0.2.7", rest=b"\x01\x00\x09h2")]


@pytest.mark.parametrize("mode", ["accept", "require"])
def test_a_malformed_header_ends_the_connection(behind, echo, mode):
    api = behind(mode)
    for header in MALFORMED:
        assert api.raw(header + GET) == b"", header
    assert api.metric("etage_proxy_headers_refused_total") == len(MALFORMED)
    assert echo.requests == [], "the origin hears nothing of it"
    said = [each for each in api.output.splitlines() if "proxy header refused" in each]
    assert 1 <= len(said) <= 4 and "proxy=127.0.0.1" in said[0], "now and then, not each"


def test_required_means_required(behind, echo):
    assert behind("require").raw(GET) == b"" and echo.requests == []
    assert behind("accept").raw(GET).endswith(b"127.0.0.1"), "accepted: as if there were no such thing"


@pytest.mark.parametrize("settings", [{"PROXY_PROTOCOL": "off"}, {"PROXY_PROTOCOL": "accept", "TRUSTED_PROXIES": "10.0.0.0/8"},
                                      {"PROXY_PROTOCOL": "require", "TRUSTED_PROXIES": "10.0.0.0/8"}])
def test_from_anybody_else_a_header_is_no_http(gateway, echo, settings):
    api = gateway("--origin", echo.url, env=TRUSTED | {f"ETAGE_SERVER_{name}": value for name, value in settings.items()})
    for header, _ in TOLD:
        got = api.raw(header + GET)
        assert got.startswith(b"HTTP/1.1 400 ") and got.count(b"HTTP/1.1 ") == 1, header
    assert echo.requests == []
    assert api.raw(GET).endswith(b"127.0.0.1"), "and without one it is a client"


def test_a_header_has_the_time_of_a_head_and_no_more(behind, connect, echo):
    api = behind(header_timeout="600ms")
    began = time.monotonic()
    wires = [connect(api) for _ in range(3)]
    for octets in zip(b"PROXY TCP4 192.0.2.7 10", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\xffabcde", b"PROXY UNKNOWN 1234567890"):
        for wire, octet in zip(wires, octets):
            try:
                wire.send(bytes([octet]))
            except OSError:
                pass
        time.sleep(0.1)
        if time.monotonic() - began > 1.5:
            break
    assert [wire.rest() for wire in wires] == [b""] * 3
    assert time.monotonic() - began < 2.5 and echo.requests == []
    silent = connect(api)
    silent.send(line("192.0.2.7"))
    assert silent.rest() == b"", "the head behind it has what is left of that time"
    assert time.monotonic() - began < 4


def test_administration_takes_no_header(behind):
    api = behind()
    assert httpx.get(api.admin + "/readyz").status_code == 200
    with socket.create_connection(("127.0.0.1", int(api.admin.rsplit(":", 1)[1]))) as s:
        s.sendall(line("192.0.2.7") + b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert s.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_limits_and_the_log_know_the_client_that_was_told(behind, tmp_path):
    (tmp_path / "etage.toml").write_text('[log]\naccess = "all"\n[[limit]]\nname = "each"\nrate = "2/h"\nburst = 2\nby = "ip"\n')
    api = behind("require", "--config", tmp_path / "etage.toml")
    ask = lambda client: int(api.raw(line(client) + GET)[9:12])
    assert [ask("192.0.2.7") for _ in range(3)] == [200, 200, 429]
    assert ask("192.0.2.8") == 200, "another client behind the same proxy"
    until(lambda: "client=192.0.2.7" in api.output and "client=192.0.2.8" in api.output)


def test_somebody_must_be_trusted_to_say_it():
    done = subprocess.run([BINARY, "check"], capture_output=True, text=True, timeout=20,
                          env={"ETAGE_ORIGIN_URLS": "http://127.0.0.1:1", "ETAGE_SERVER_PROXY_PROTOCOL": "require"})
    assert done.returncode == 2 and "trusted_proxies" in done.stderr


# ---- connections of one client

def closed(wire):
    """Nothing more comes, for it has ended."""
    try:
        return wire.socket.recv(1) == b""
    except ConnectionResetError:
        return True


def test_one_client_has_so_many_connections(behind, connect):
    api = behind(connections_per_client_max="3")

    def enter(client):
        wire = connect(api)
        wire.send(line(client, "TCP6" if ":" in client else "TCP4", "::1" if ":" in client else "10.0.0.1"))
        wire.send(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        return wire

    held = [enter("192.0.2.7") for _ in range(3)]
    assert [wire.message()[1] for wire in held] == [b"192.0.2.7"] * 3
    assert closed(enter("192.0.2.7")) and closed(enter("192.0.2.7"))
    assert enter("192.0.2.8").message()[1] == b"192.0.2.8", "others are not concerned"
    assert api.metric("etage_connections_refused_per_client_total") == 2
    until(lambda: "client has too many connections client=192.0.2.7 most=3" in api.output)
    held[0].socket.close()

    def comes_in():
        wire = enter("192.0.2.7")
        held.append(wire)
        return not closed(wire)

    until(comes_in, 5, "who has left makes room")
    networks = [enter(f"2001:db8:0:1::{n}") for n in range(1, 4)]
    assert [wire.message()[1] for wire in networks] == [f"2001:db8:0:1::{n}".encode() for n in range(1, 4)]
    assert closed(enter("2001:db8:0:1:ffff::1")), "one client of IPv6 owns a /64"
    assert enter("2001:db8:0:2::1").message()[1]


def test_this_machine_and_trusted_proxies_are_no_client(gateway, echo, connect):
    """Whoever is behind them is not known: all would be one."""
    for env in ({}, TRUSTED):
        api = gateway("--origin", echo.url, env=env | {"ETAGE_SERVER_CONNECTIONS_PER_CLIENT_MAX": "2"})
        wires = [connect(api) for _ in range(8)]
        for wire in wires:
            wire.send(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        assert [wire.message()[1] for wire in wires] == [b"127.0.0.1"] * 8


def own_address():
    """Of this machine, not of loopback; None when it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))
            return s.getsockname()[0]
        except OSError:
            return None


def test_a_client_without_a_proxy_is_counted_by_its_own_address(start, echo):
    here = own_address()
    if here is None or here.startswith("127."):
        pytest.skip("needs an address beside loopback")
    api = start(Etage, "run", "--origin", echo.url, "--listen", f"{here}:0", "--admin", "127.0.0.1:0",
                env={"ETAGE_SERVER_CONNECTIONS_PER_CLIENT_MAX": "2"})
    held = [Wire(socket.create_connection((here, api.port), 10)) for _ in range(2)]
    until(lambda: api.metric("etage_connections_accepted_total") >= 2)
    third = Wire(socket.create_connection((here, api.port), 10))
    assert closed(third) and api.metric("etage_connections_refused_per_client_total") == 1
    for wire in [*held, third]:
        wire.socket.close()


# ---- drips

def drip(api, head, octets, seconds, pause=0.1):
    """Sends a head, then an octet now and then; what comes back, and after how long."""
    with socket.create_connection(("127.0.0.1", api.port), 10) as s:
        s.sendall(head)
        s.settimeout(pause)
        began = time.monotonic()
        for octet in octets:
            if time.monotonic() - began > seconds:
                break
            try:
                s.sendall(octet)
                if got := s.recv(65536):
                    return got, time.monotonic() - began
            except TimeoutError:
                continue
            except OSError:
                break
        return b"", time.monotonic() - began


@pytest.mark.parametrize("framing, octet", [(b"Content-Length: 100000", b"x"), (b"Transfer-Encoding: chunked", b"1\r\nx\r\n")])
def test_f12_content_that_drips_ends(gateway, stage, framing, octet):
    """An octet in time is no stall; that no more than these come is what ends it."""
    api = gateway("--origin", stage.url, env={"ETAGE_SERVER_BODY_TIMEOUT": "1s"})
    got, took = drip(api, b"POST /x HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n", [octet] * 200, 8)
    assert got.startswith(b"HTTP/1.1 408 ") and b"connection: close" in got.lower(), got
    assert 0.9 < took < 3.5
    assert api.metric("etage_deadlines_hit_total") == 1


def test_f12_content_that_is_slow_but_comes_is_taken(gateway, raw_origin):
    origin = raw_origin(lambda request, n: answer(b"%d" % len(request.split(b"\r\n\r\n", 1)[1])))
    api = gateway("--origin", origin.url, env={"ETAGE_SERVER_BODY_TIMEOUT": "500ms"})
    got, took = drip(api, b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n", [b"x" * 200] * 20, 8)
    assert got.endswith(b"\r\n\r\n4000") and took > 1.5, "three times as long as a pause may be"


def test_f12_the_rate_is_a_setting(gateway, raw_origin):
    origin = raw_origin(lambda request, n: answer(b"hello"))
    env = {"ETAGE_SERVER_BODY_TIMEOUT": "500ms"}
    patient = gateway("--origin", origin.url, env=env | {"ETAGE_SERVER_BODY_RATE_MIN": "0"})
    head = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n"
    assert drip(patient, head, [b"x"] * 20, 8)[0].startswith(b"HTTP/1.1 200 "), "0: an octet in time is enough"
    strict = gateway("--origin", origin.url, env=env | {"ETAGE_SERVER_BODY_RATE_MIN": "1MiB"})
    head = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n"
    assert drip(strict, head, [b"x" * 200] * 20, 8)[0].startswith(b"HTTP/1.1 408 ")


def read_slowly(api, pieces, size, pause):
    """How much of a large answer somebody gets who takes a piece now and then, and whether it was cut."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        s.connect(("127.0.0.1", api.port))
        s.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        s.settimeout(10)
        got = 0
        for _ in range(pieces):
            time.sleep(pause)
            for _ in range(size // 65536):
                try:
                    piece = s.recv(65536)
                except ConnectionResetError:
                    return got, True
                if not piece:
                    return got, True
                got += len(piece)
        return got, False


def test_f13_who_reads_too_slowly_is_cut_off_although_it_reads(gateway, raw_origin):
    large = bytes(30 << 20)
    origin = raw_origin(lambda request, n: answer(large, "200 OK", "Cache-Control: no-store"))
    env = {"ETAGE_SERVER_WRITE_TIMEOUT": "1500ms"}
    slow = gateway("--origin", origin.url, env=env)
    got, cut = read_slowly(slow, 8, 2 << 20, 0.4)
    assert not cut and got > 4 << 20, "slow is allowed"
    strict = gateway("--origin", origin.url, env=env | {"ETAGE_SERVER_WRITE_RATE_MIN": "1GiB"})
    got, cut = read_slowly(strict, 30, 2 << 20, 0.4)
    assert cut and got < len(large)
    assert strict.metric("etage_deadlines_hit_total") == 1


# ---- administration

def admin_of(api, token=None):
    return httpx.Client(base_url=api.admin, headers={"Authorization": f"Bearer {token}"} if token else {}, timeout=10)


def test_every_change_is_in_the_log_with_who_and_what(gateway, echo):
    for token, by in ((None, "loopback"), ("s3cret-s3cret-s3cret", "token")):
        api = gateway("--origin", echo.url, env={"ETAGE_ADMIN_TOKEN": token} if token else {})
        with admin_of(api, token) as admin:
            receipt = admin.post("/purge", json={"tags": ["posts", "post:7"], "urls": ["/x"], "soft": True}).json()
            admin.post("/purge", json={"all": True})
            assert admin.post("/purge", json={"tag": ["x"]}).status_code == 400
            assert admin.post("/purge", json={"all": True}, headers={"Authorization": "Bearer wrong", "Host": "evil.test"}).status_code >= 400
        until(lambda: api.output.count(" purged ") == 2)
        first, second = [each for each in api.output.splitlines() if " purged " in each]
        assert f'purged client=127.0.0.1 by={by} what="tag posts, tag post:7, url /x (soft)" seq={receipt["seq"]} ' in first
        assert first.endswith("confirmed=1 live=1") and "what=everything" in second
        assert token is None or token not in api.output


def test_administration_is_reached_when_clients_have_all_connections(gateway, echo, connect):
    api = gateway("--origin", echo.url, env={"ETAGE_SERVER_CONNECTIONS_MAX": "5"})
    held = [connect(api) for _ in range(5)]
    for wire in held:
        wire.send(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        wire.message()
    assert closed(connect(api)), "they have"
    for _ in range(3):
        assert httpx.get(api.admin + "/readyz").status_code == 200
    own = [Wire(socket.create_connection(("127.0.0.1", int(api.admin.rsplit(":", 1)[1])), 10)) for _ in range(20)]
    for wire in own:
        wire.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert 12 <= sum(not closed(wire) for wire in own) <= 16, "but it has a bound, too"
    for wire in own:
        wire.socket.close()


def test_a_change_that_failed_is_in_the_log_too(instance, redis):
    api = instance(redis)
    redis.kill()
    until(lambda: api.ask_purge(tags=["posts"]).status_code == 503, 10)
    until(lambda: "purge failed client=127.0.0.1 by=loopback" in api.output and 'what="tag posts"' in api.output)


def test_no_page_of_another_origin_may_use_the_administration(gateway, echo):
    api = gateway("--origin", echo.url)
    preflight = {"Origin": "http://evil.test", "Access-Control-Request-Method": "POST",
                 "Access-Control-Request-Headers": "authorization", "Access-Control-Request-Private-Network": "true"}
    with admin_of(api) as admin:
        for path in ("/", "/healthz", "/readyz", "/stats.json", "/metrics", "/explain", "/purge", "/nowhere"):
            for method in ("OPTIONS", "GET", "POST"):
                for headers in (preflight, {"Origin": api.admin}, {}):
                    got = admin.request(method, path, headers=headers)
                    assert not [name for name in got.headers if name.startswith("access-control-")], (method, path)
                    if method == "OPTIONS":
                        assert got.status_code >= 400
        for what in ({"json": {"all": True}}, {"data": {"all": "true"}}, {"content": b'{"all": true}'}):
            assert admin.post("/purge", headers={"Origin": "http://evil.test"}, **what).status_code == 403
    assert " purged " not in api.output


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", ":0", "192.0.2.1:0", "[::ffff:192.0.2.1]:0", "[fe80::1]:0"])
def test_administration_is_not_opened_to_others_without_a_token(address):
    env = {"ETAGE_ORIGIN_URLS": "http://127.0.0.1:1", "ETAGE_ADMIN_LISTEN": address}
    for command in (["check"], ["run", "--listen", "127.0.0.1:0"], ["demo", "--listen", "127.0.0.1:0"]):
        done = subprocess.run([BINARY, *command], capture_output=True, text=True, timeout=20, env=env)
        assert done.returncode == 2 and "set [admin] token" in done.stderr, command
    allowed = subprocess.run([BINARY, "check"], capture_output=True, text=True, timeout=20,
                             env=env | {"ETAGE_ADMIN_TOKEN": "s3cret-s3cret-s3cret"})
    assert allowed.returncode == 0, allowed.stderr


def test_clients_do_not_reach_the_administration(gateway, echo):
    api = gateway("--origin", echo.url)
    for path in ("/purge", "/metrics", "/stats.json", "/explain?url=/x", "/healthz"):
        assert httpx.get(api.url + path).text == "127.0.0.1", "on the address of clients it is a path like any other"
    assert httpx.request("PURGE", api.url + "/x").status_code == 405
