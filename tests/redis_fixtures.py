"""Several instances on one Redis: fixtures, and what tests ask of them. All requests are for one host, so that a URL has
one key wherever it is asked."""

import re
import time

import httpx
import pytest
from processes import Etage
from redis_processes import FaultProxy, RedisServer
from versioned_origin import VersionedOrigin, read_body

HOST = "api.test"


class Instance(Etage):
    """A gateway on a Redis, in front of a VersionedOrigin."""

    def __init__(self, *args, **kwargs):
        super().__init__("run", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", *args, **kwargs)
        self.client = httpx.Client(base_url=self.url, timeout=30, headers={"Host": HOST, "Accept-Encoding": "identity"})
        self.admin_client = httpx.Client(base_url=self.admin, timeout=30)

    def read(self, path, **fields):
        """(version, verdict) of a whole, untorn answer."""
        answer = self.get(path, **fields)
        assert answer.status_code == 200, (answer.status_code, answer.headers, answer.text)
        key, version = read_body(answer.content)
        assert key == path and answer.headers["etag"].startswith(f'"{version}')
        return version, answer.headers["cache-status"].rsplit("etage; ", 1)[1]

    def version(self, path, **fields):
        return self.read(path, **fields)[0]

    def ask_purge(self, **what):
        return self.admin_client.post("/purge", json=what)

    def purge(self, **what):
        """The receipt of one that was recorded."""
        answer = self.ask_purge(**what)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def purge_everywhere(self, confirmed=None, **what):
        receipt = self.purge(wait="all", **what)
        assert receipt["instances"]["confirmed"] == receipt["instances"]["live"]
        assert confirmed in (None, receipt["instances"]["confirmed"]), receipt
        return receipt

    def ready(self):
        answer = self.admin_client.get("/readyz")
        return answer.status_code, answer.text

    def degraded(self):
        return "degraded" in self.ready()[1]

    def become(self, degraded, seconds=10):
        """Waits until it says so; the seconds it took."""
        began = time.monotonic()
        while self.degraded() != degraded:
            assert time.monotonic() - began < seconds, f"still {self.ready()}\n{self.output[-2000:]}"
            time.sleep(0.01)
        return time.monotonic() - began

    def key(self, path):
        return self.admin_client.get("/explain", params={"url": f"http://{HOST}{path}"}).json()["key"]

    def violations(self):
        return self.metric("etage_coherence_violations_total")


def until(condition, seconds=5, what="it did not come"):
    """Polls; the seconds it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, what
        time.sleep(0.005)
    return time.monotonic() - began


def entries(redis):
    """Names of the entries in Redis."""
    return [k.decode() for k in redis.call("KEYS", "*v1:*") if not k.endswith(b":claim")]


@pytest.fixture
def origin():
    made = VersionedOrigin()
    yield made
    made.stop()


@pytest.fixture
def make_origin():
    made = []

    def _make(*args, **kwargs):
        made.append(VersionedOrigin(*args, **kwargs))
        return made[-1]

    yield _make
    for each in made:
        each.stop()


@pytest.fixture
def make_redis():
    made = []

    def _make(*args, **kwargs):
        made.append(RedisServer(*args, **kwargs))
        return made[-1]

    yield _make
    for each in reversed(made):
        each.stop()


@pytest.fixture
def redis(make_redis):
    return make_redis()


@pytest.fixture
def proxy():
    """proxy(server) → a FaultProxy before it."""
    made = []

    def _make(server, **kwargs):
        made.append(FaultProxy(server, **kwargs))
        return made[-1]

    yield _make
    for each in made:
        each.stop()


@pytest.fixture
def instance(start, origin, tmp_path):
    """instance(redis or proxy or URL, mode="strict", toml="…") → an Instance; none of them may find a violation itself."""
    made = []

    def _make(server, mode="available", toml="", origin=origin, **kwargs):
        url = server if isinstance(server, str) else server.url
        path = tmp_path / f"etage-{len(made)}.toml"
        redis_keys = re.findall(r"(?m)^redis\.(.+)$", toml)
        rest = re.sub(r"(?m)^redis\..+$", "", toml)
        path.write_text(f'[coherence]\nmode = "{mode}"\n[redis]\n' + "\n".join(redis_keys) + "\n" + rest)
        made.append(start(Instance, "--origin", origin.url, "--redis", url, "--config", path, **kwargs))
        return made[-1]

    yield _make
    for each in made:
        if each.process.poll() is None:
            assert each.violations() == 0, "the self-check found a violation"
