"""`etage check`: advice on routes, and on what a live server says about caching."""

import json
import subprocess

import pytest
from conftest import answer, free_port
from processes import BINARY


def check(*args):
    return subprocess.run([BINARY, "check", *map(str, args)], capture_output=True, text=True, timeout=30)


def rules_of(*args):
    done = check(*args, "--json")
    return {finding["rule"] for finding in json.loads(done.stdout)["findings"]}, done.returncode


@pytest.fixture
def config(tmp_path):
    def _config(routes):
        path = tmp_path / "etage.toml"
        path.write_text('[origin]\nurls = ["http://127.0.0.1:9"]\n' + routes)
        return path

    return _config


def test_a_route_with_a_mistake_is_named_with_its_place_and_what_to_change(config):
    path = config('[[route]]\nmatch = "GET /me"\ncache = { ttl = "60s", per = "user" }\nclient = { cache_control = "public, max-age=60" }\n')
    done = check("--config", path)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert f"{path}:6:12: error:" in said and "user-cache-public-client" in said
    assert "why:" in said and "change: Say private" in said
    assert "not ok: 1 route" in said


def test_good_routes_are_ok(config):
    done = check("--config", config('[[route]]\nmatch = "GET /posts"\ncache = { ttl = "60s" }\nkey = { query = ["limit"] }\n'))
    assert done.returncode == 0 and "ok: 1 route" in done.stdout + done.stderr


def test_strict_turns_warnings_into_a_failure(config):
    path = config('[[route]]\nmatch = "GET /a"\ncache = { ttl = "60s", allow_set_cookie = true }\n')
    assert check("--config", path).returncode == 0
    assert check("--config", path, "--strict").returncode == 1


@pytest.mark.parametrize("rule, fields", [
    ("s-maxage-disables-swr", ["Cache-Control: s-maxage=60, stale-while-revalidate=30"]),
    ("private-with-s-maxage", ["Cache-Control: private, s-maxage=60"]),
    ("set-cookie-cacheable", ["Cache-Control: public, max-age=60", "Set-Cookie: sid=1"]),
    ("vary-cookie", ["Cache-Control: max-age=60", "Vary: Cookie"]),
    ("no-validator", ["Cache-Control: max-age=60"]),
])
def test_what_a_live_server_says_is_judged(raw_origin, rule, fields):
    origin = raw_origin(lambda request, n: answer(b"hello " * 200, "200 OK", "Content-Type: text/plain", *fields))
    found, code = rules_of("--url", origin.url + "/")
    assert rule in found
    assert code in (0, 1)


def test_a_server_that_is_not_there_is_an_error():
    done = check("--url", f"http://127.0.0.1:{free_port()}/")
    assert done.returncode == 1
    assert "127.0.0.1" in done.stdout + done.stderr


def test_a_gateway_before_fastapi_is_judged_like_any_server(fastapi, gateway):
    api = gateway("--origin", fastapi("""
        from fastapi import FastAPI, Response
        app = FastAPI()

        @app.get("/items")
        def items(response: Response):
            response.headers["Cache-Control"] = "max-age=60"
            return [{"id": n, "name": f"item {n}"} for n in range(100)]
    """))
    found, code = rules_of("--url", api.url + "/items")
    assert code == 0, "nothing but warnings and notes"
    assert "no-validator" not in found, "Etage makes one"
