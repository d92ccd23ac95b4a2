"""A reload (F-40): a new configuration takes the place of the one that runs; one with a mistake changes nothing."""

import concurrent.futures
import os
import signal
import subprocess
import threading
import time

import httpx
import pytest
from conftest import answer
from processes import BINARY, FORGETFUL
from redis_fixtures import until


class Configured:
    """A gateway whose configuration file can be written anew."""

    def __init__(self, gateway, path, text, **kwargs):
        self.path = path
        self.path.write_text(text)
        self.api = gateway("--config", path, **kwargs)

    def reload(self, text=None, **env):
        """By the command: (exit code, what it printed)."""
        if text is not None:
            self.path.write_text(text)
        done = subprocess.run([BINARY, "reload", "--admin", self.api.admin], capture_output=True, text=True, timeout=60,
                              env={k: v for k, v in os.environ.items() if not k.startswith("ETAGE_")} | env)
        return done.returncode, done.stdout + done.stderr

    def hang_up(self):
        """By the signal; returns what the log says of it."""
        before = len(self.api.lines)

        def told():
            return [line for line in self.api.lines[before:] if "configuration applied" in line or "not applied" in line]

        self.api.process.send_signal(signal.SIGHUP)
        until(told, 10)
        return "\n".join(told())


@pytest.fixture
def configured(gateway, tmp_path):
    return lambda text, **kwargs: Configured(gateway, tmp_path / "etage.toml", text, **kwargs)


def config(origin, more=""):
    return f'[origin]\nurls = ["{origin.url}"]\n{more}\n'


def test_what_is_stored_and_who_is_connected_stay(configured, raw_origin, connect):
    origin = raw_origin(lambda request, n: answer(b"%d" % n, "200 OK", "Cache-Control: max-age=600"))
    running = configured(config(origin))
    line = connect(running.api)
    line.send(b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n")
    line.message()
    kept = running.api.get("/kept")
    assert "; hit" not in kept.headers["cache-status"]
    code, said = running.reload(config(origin, '[[route]]\nmatch = "GET /private/**"\ncache = { pass = true }\n'))
    assert (code, said) == (0, '{"status":"applied","routes":1,"limits":0,"origins":1}\n')
    line.send(b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b"; hit" in line.message()[0], "on the same connection"
    again = running.api.get("/kept")
    assert again.text == kept.text and "; hit" in again.headers["cache-status"]
    first = running.api.get("/private/x").text
    assert running.api.get("/private/x").text != first, "the new route holds"
    assert "routes=1" in running.hang_up()
    assert running.api.metric("etage_reloads_total") == 2


def test_routes_that_change_do_not_serve_what_others_stored(configured, raw_origin):
    origin = raw_origin(lambda request, n: answer(b"%d" % n))
    running = configured(config(origin, '[[route]]\nmatch = "GET /a"\ncache = { ttl = "10m" }\n'))
    first = running.api.get("/a").text
    assert running.api.get("/a").text == first
    assert "routes=1" in running.hang_up()
    assert running.api.get("/a").text == first, "the same rules: what is stored stays"
    assert running.reload(config(origin, '[[route]]\nmatch = "GET /a"\ncache = { ttl = "10m", per = "user" }\nidentity = { header = "X-User" }\n'))[0] == 0
    assert running.api.get("/a", X_User="1").text != first


BROKEN = {
    "syntax": ('[origin]\nurls = ["{url}"\n[server]\n', "etage.toml:"),
    "unknown key": ('[origin]\nurls = ["{url}"]\n[server]\nidle_timeuot = "1s"\n', 'did you mean "idle_timeout"'),
    "bad pattern": ('[origin]\nurls = ["{url}"]\n[[route]]\nmatch = "GET /a/{{x"\n', "etage.toml:"),
    "unknown origin": ('[origin]\nurls = ["{url}"]\n[[route]]\nmatch = "GET /a"\norigin = "nobody"\n', "nobody"),
    "out of range": ('[origin]\nurls = ["{url}"]\n[server]\nconnections_max = -4\n', "etage.toml:4:"),
    "limit": ('[origin]\nurls = ["{url}"]\n[[route]]\nmatch = "GET /a"\nlimits = [{{ name = "x", rate = "often" }}]\n', "etage.toml:5:"),
    "no origin": ("[server]\n", "no origin"),
    "an empty token": ('[origin]\nurls = ["{url}"]\n[admin]\ntoken = ""\n', "etage.toml:4:9: [admin].token"),
    "another size": ('[origin]\nurls = ["{url}"]\n[memory]\nlimit = "1GiB"\n', "memory.limit: cannot change while serving"),
    "a missing certificate": ('[origin]\nurls = ["{url}"]\n[redis]\ntls_ca = "/nowhere.pem"\n', "redis.tls_ca"),
    "no file": (None, "cannot be read"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_f40_what_is_wrong_is_told_and_changes_nothing(configured, raw_origin, name):
    origin = raw_origin(lambda request, n: answer(b"%d" % n, "200 OK", "Cache-Control: max-age=600"))
    running = configured(config(origin, '[[route]]\nmatch = "GET /passed"\ncache = { pass = true }\n'))
    kept = running.api.get("/kept").text
    text, why = BROKEN[name]
    if text is None:
        running.path.unlink()
    else:
        running.path.write_text(text.format(url=origin.url))
    code, said = running.reload()
    assert code == 1 and why in said and "answered 422" in said
    told = running.hang_up()
    assert "configuration not applied" in told and why.replace('"', '\\"') in told
    assert running.api.metric("etage_reloads_refused_total") == 2 and running.api.metric("etage_reloads_total") == 0
    assert running.api.get("/kept").text == kept
    assert running.api.get("/passed").text != running.api.get("/passed").text


def test_f40_a_thousand_times_under_load(configured, raw_origin):
    origin = raw_origin(lambda request, n: answer(request.split(b" ")[1], "200 OK", "Cache-Control: max-age=1"))
    texts = [config(origin, f'connect_timeout = "{n}s"\n[server]\nidle_timeout = "{60 + n}s"\n[[route]]\n'
                    f'match = "GET /r{n}/**"\nlimits = [{{ name = "many", rate = "1000000/s" }}]\n') for n in (1, 2)]
    running = configured(texts[0], env=FORGETFUL)
    over, failed, answered = threading.Event(), [], [0] * 6

    def client(me):
        with httpx.Client(base_url=running.api.url, timeout=20) as one:
            n = 0
            while not over.is_set():
                n += 1
                path = f"/r{n % 3}/{me}-{n % 50}"
                try:
                    got = one.get(path)
                    if got.status_code != 200 or got.text != path:
                        failed.append((path, got.status_code, got.text))
                except httpx.HTTPError as e:
                    failed.append((path, e))
                answered[me] = n

    crowd = [threading.Thread(target=client, args=(me,)) for me in range(len(answered))]
    for each in crowd:
        each.start()
    admin = httpx.Client(base_url=running.api.admin, timeout=20)

    def times(count):
        for n in range(count):
            running.path.write_text(texts[n % 2])
            assert admin.post("/reload").status_code == 200
        time.sleep(1)  # connections between two requests let go of what was replaced within a sweep

    times(200)
    resident, descriptors = running.api.resident(), running.api.descriptors()
    times(800)
    over.set()
    for each in crowd:
        each.join()
    assert not failed, failed[:5]
    assert min(answered) > 100
    assert running.api.metric("etage_reloads_total") == 1000
    assert running.api.descriptors() <= descriptors + 40
    assert running.api.resident() - resident < 32 << 20, "eight hundred configurations came and went"


def test_what_is_under_way_ends_as_it_began(configured, raw_origin):
    go = threading.Event()
    old = raw_origin(lambda request, n: go.wait(20) and answer(b"old" * 100_000, "200 OK", "Cache-Control: max-age=60"))
    new = raw_origin(lambda request, n: answer(b"new", "200 OK", "Cache-Control: max-age=60"))
    running = configured(config(old))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = pool.submit(httpx.get, running.api.url + "/slow", timeout=30)
        until(lambda: old.requests, 10)
        assert running.reload(config(new))[0] == 0
        assert httpx.get(running.api.url + "/other").text == "new"
        go.set()
        assert asked.result().text == "old" * 100_000
    assert len(old.requests) == 1 and not any(b"/slow" in r for r in new.requests)


def test_limits_and_budgets_that_stay_are_not_given_anew(configured, raw_origin):
    origin = raw_origin(lambda request, n: answer(b"%d" % n, "200 OK", "Cache-Control: no-store"))
    text = config(origin, 'budget = "5/h"\nconnect_timeout = "2s"\n[[limit]]\nname = "few"\nrate = "3/h"\n'
                  'allow = ["127.0.0.9/32"]\n')
    running = configured(text)
    assert [running.api.get("/x").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert running.reload(text.replace('"2s"', '"3s"') + '[[route]]\nmatch = "GET /free"\n')[0] == 0
    assert running.api.get("/x").status_code == 429, "the same limit knows its clients"
    assert running.reload(text.replace("3/h", "4/h"))[0] == 0
    assert [running.api.get("/x").status_code for _ in range(4)] == [200, 200, 503, 503], \
        "another limit counts anew; of the budget three are spent, whatever else of its origin has changed"


def test_administration_access_log_and_level(configured, raw_origin):
    origin = raw_origin(lambda request, n: answer(b"%d" % n))
    running = configured(config(origin, '[log]\nlevel = "warn"\n'))
    running.api.get("/quiet")
    assert running.reload(config(origin, '[log]\nlevel = "info"\naccess = "all"\n[admin]\ntoken = "s3cret"\n'))[0] == 0
    running.api.get("/loud")
    running.api.wait_for("target=/loud", 10)
    assert "target=/quiet" not in running.api.output
    code, said = running.reload()
    assert code == 1 and "401" in said
    assert running.reload(ETAGE_ADMIN_TOKEN="s3cret")[0] == 0


def test_origins_come_and_go_and_keep_their_counters(configured, raw_origin):
    one, two = (raw_origin(lambda request, n: answer(b"%d" % n, "200 OK", "Cache-Control: no-store")) for _ in range(2))
    second = f'[origins.second]\nurls = ["{two.url}"]\n[[route]]\nmatch = "GET /two"\norigin = "second"\n'
    running = configured(config(one, second))
    for path in ("/one", "/two", "/two"):
        assert running.api.get(path).status_code == 200
    third = second.replace("second", "third")
    assert running.reload(config(one, third))[0] == 0
    assert running.api.get("/two").status_code == 200
    stats = httpx.get(running.api.admin + "/stats.json").json()["origins"]
    assert {o["name"]: o["calls"] for o in stats} == {"default": 1, "second": 2, "third": 1}
    assert running.reload(config(one, second))[0] == 0
    assert running.api.get("/two").status_code == 200
    stats = httpx.get(running.api.admin + "/stats.json").json()["origins"]
    assert {o["name"]: o["calls"] for o in stats} == {"default": 1, "second": 3, "third": 1}


def test_with_redis_invalidations_and_common_limits_go_on(configured, raw_origin, redis):
    origin = raw_origin(lambda request, n: answer(b"%d" % n, "200 OK", "Cache-Control: max-age=600", "Cache-Tag: t"))
    text = config(origin, f'[redis]\nurl = "{redis.url}"\n[[route]]\nmatch = "GET /limited"\n'
                  'limits = [{ name = "few", rate = "3/h" }, { name = "at-once", algorithm = "concurrency", max = 5 }]\n')
    running = configured(text)
    first = running.api.get("/a").text
    assert [running.api.get("/limited").status_code for _ in range(4)] == [200, 200, 200, 429]
    for n in range(5):
        assert running.reload(text + f'[[route]]\nmatch = "GET /n{n}"\n')[0] == 0
    assert running.api.get("/a").text == first
    assert running.api.get("/limited").status_code == 429
    assert httpx.post(running.api.admin + "/purge", json={"tags": ["t"], "wait": "all"}).status_code == 200
    assert running.api.get("/a").text != first
    assert running.api.metric("etage_coherence_violations_total") == 0
    code, said = running.reload(text.replace(redis.url, "redis://127.0.0.1:1"))
    assert code == 1 and "redis.url: cannot change" in said
