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
