"""Redis over TLS, as a cluster of six, and behind Sentinels: real processes, and what the gateway does when they change."""

import contextlib
import socket
import subprocess
import time

import pytest
from conftest import Process, free_port
from redis_fixtures import entries, until
from redis_processes import RedisError, steady_port
from resp import Resp

KEYS = [f"/k/a/{n}" for n in range(24)]


def eventually(action, seconds=20):
    """Until it succeeds: for a server that is about to be something else, and hangs up on everybody on its way."""
    began = time.monotonic()
    while True:
        try:
            if result := action():
                return result
        except (OSError, RedisError, AssertionError):
            pass
        assert time.monotonic() - began < seconds, f"{action} did not come to anything"
        time.sleep(0.05)


# ---- TLS

class Certificates:
    """An authority, and what it signs."""

    def __init__(self, folder, name="authority"):
        self.folder, self.name = folder, name
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                      f"/CN={name}", "-keyout", self.key(name), "-out", self.certificate(name))

    def issue(self, name, subject_alt_name):
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={subject_alt_name}\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout",
                      self.key(name), "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.key(self.name), "-CAcreateserial", "-days",
                      "2", "-extfile", extensions, "-out", self.certificate(name))

    @property
    def ca(self):
        return self.certificate(self.name)

    def certificate(self, name):
        return self.folder / f"{name}.pem"

    def key(self, name):
        return self.folder / f"{name}.key"

    @staticmethod
    def _openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


@pytest.fixture
def certificates(tmp_path):
    made = Certificates(tmp_path)
    made.issue("server", "IP:127.0.0.1,DNS:redis.test")
    made.issue("other", "IP:10.0.0.1,DNS:other.test")
    made.issue("gateway", "DNS:gateway.test")
    return made


@pytest.fixture
def tls_redis(make_redis, certificates):
    """tls_redis(certificate, ask) → a server and the URL of its TLS port."""
    def _make(name="server", clients="no"):
        port = free_port()
        server = make_redis("--tls-port", port, "--tls-cert-file", certificates.certificate(name), "--tls-key-file",
                            certificates.key(name), "--tls-ca-cert-file", certificates.ca, "--tls-auth-clients", clients)
        return server, f"rediss://127.0.0.1:{port}"

    return _make


def test_tls_entries_and_purges(tls_redis, certificates, instance, origin):
    server, url = tls_redis()
    trust = f'redis.tls_ca = "{certificates.ca}"'
    a, b = instance(url, toml=trust), instance(url, toml=trust)
    assert not a.degraded(), a.ready()
    assert a.version(KEYS[0]) == 1
    until(lambda: len(entries(server)) == 1)
    assert b.read(KEYS[0])[1].endswith("detail=redis")
    origin.write(KEYS[0])
    a.purge_everywhere(2, urls=[KEYS[0]])
    assert b.version(KEYS[0]) == 2
    server.restart()
    a.become(degraded=False), b.become(degraded=False)
    assert a.version(KEYS[1]) == 1
    until(lambda: entries(server))


def test_tls_with_a_certificate_of_the_gateway(tls_redis, certificates, instance):
    _, url = tls_redis(clients="yes")
    trust = f'redis.tls_ca = "{certificates.ca}"\n'
    shown = f'redis.tls_certificate = "{certificates.certificate("gateway")}"\nredis.tls_key = "{certificates.key("gateway")}"'
    assert not instance(url, toml=trust + shown).degraded()
    refused = instance(url, toml=trust)
    assert refused.degraded() and refused.version(KEYS[0]) == 1


@pytest.mark.parametrize("case", ["a stranger's authority", "the system's authorities", "another name", "a plain port",
                                  "TLS not expected"])
def test_tls_mistakes_are_said_in_a_line(case, tls_redis, certificates, instance, tmp_path):
    server, url = tls_redis("other" if case == "another name" else "server")
    toml = f'redis.tls_ca = "{certificates.ca}"'
    if case == "a stranger's authority":
        (tmp_path / "elsewhere").mkdir()
        toml = f'redis.tls_ca = "{Certificates(tmp_path / "elsewhere", "stranger").ca}"'
    elif case == "the system's authorities":
        toml = ""
    elif case == "a plain port":
        url = f"rediss://127.0.0.1:{server.port}"
    elif case == "TLS not expected":
        url = url.replace("rediss", "redis")
    each = instance(url, toml=toml)
    assert each.version(KEYS[0]) == 1
    said = {"another name": "certificate: IP address mismatch", "a plain port": "does not speak TLS",
            "TLS not expected": "rediss://"}.get(case, "certificate: ")
    assert each.degraded() and said in each.ready()[1], each.ready()


# ---- cluster

class Cluster:
    """Three primaries, a replica each."""

    def __init__(self, make_redis):
        self.servers = [make_redis("--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout",
                                   "1500", "--cluster-replica-validity-factor", "0", port=self._port()) for _ in range(6)]
        addresses = [f"127.0.0.1:{server.port}" for server in self.servers]
        subprocess.run(["redis-cli", "--cluster", "create", *addresses, "--cluster-replicas", "1", "--cluster-yes"], check=True,
                       capture_output=True, timeout=60)
        eventually(lambda: all(self.field(s, "cluster_state") == "ok" for s in self.servers))
        self.url = "redis+cluster://" + ",".join(addresses[:2])

    @staticmethod
    def _port():
        """The nodes talk to each other at a port 10,000 higher: neither is one that the system gives to clients."""
        while True:
            port = steady_port()
            with socket.socket() as bus, contextlib.suppress(OSError):
                if port < 22_000:
                    bus.bind(("127.0.0.1", port + 10_000))
                    return port

    @staticmethod
    def field(server, name):
        lines = server.call("CLUSTER", "INFO").decode().splitlines()
        return next(line.split(":", 1)[1] for line in lines if line.startswith(name + ":"))

    def primaries(self):
        return [s for s in self.servers if s.process.poll() is None and s.info("role") == "master"]

    def owner(self, key):
        slot = self.primaries()[0].call("CLUSTER", "KEYSLOT", key)
        for first, last, primary, *_ in self.primaries()[0].call("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(s for s in self.servers if s.port == primary[1])
        raise AssertionError(f"nobody has slot {slot}")

    def move(self, key):
        """Every key of this key's slot to another node, as redis-cli --cluster reshard does; halfway it says ASK."""
        source = self.owner(key)
        target = next(s for s in self.primaries() if s is not source)
        slot = source.call("CLUSTER", "KEYSLOT", key)
        ids = [s.call("CLUSTER", "MYID").decode() for s in (source, target)]
        target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
        source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])
        yield source, target
        while names := source.call("CLUSTER", "GETKEYSINSLOT", slot, 100):
            source.call("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *names)
        yield source, target
        for each in (target, source, *self.primaries()):
            each.call("CLUSTER", "SETSLOT", slot, "NODE", ids[1])
        yield source, target


def test_a_cluster_of_six(make_redis, instance, origin):
    cluster = Cluster(make_redis)
    a, b = instance(cluster.url), instance(cluster.url)
    assert not a.degraded(), a.ready()

    # Entries lie on all nodes, and every instance finds them.
    for key in KEYS:
        assert a.version(key) == 1
    until(lambda: sum(len(entries(s)) for s in cluster.primaries()) == len(KEYS), what="not all were written")
    assert all(entries(s) for s in cluster.primaries())
    assert all(b.read(key)[1].endswith("detail=redis") for key in KEYS)
    for key in KEYS:
        origin.write(key)
    a.purge_everywhere(2, all=True)
    assert {each.version(key) for each in (a, b) for key in KEYS} == {2}

    # The log's slot moves. Halfway Redis refuses scripts (TRYAGAIN): a purge is recorded, or it is refused.
    for _ in cluster.move("{etage}:log"):
        origin.write(KEYS[0])
        recorded = a.ask_purge(urls=[KEYS[0]], wait="all").status_code
        assert recorded in (200, 503) and a.version(KEYS[0]) == origin.version(KEYS[0])
        assert recorded == 503 or b.version(KEYS[0]) == origin.version(KEYS[0])
    for each in (a, b):
        each.become(degraded=False)
    eventually(lambda: a.purge_everywhere(2, urls=[KEYS[0]]))
    assert a.version(KEYS[0]) == b.version(KEYS[0]) == origin.version(KEYS[0])

    # Its node dies, and the replica takes over.
    lost = cluster.owner("{etage}:log")
    lost.kill()
    for key in KEYS:
        assert a.version(key) == b.version(key) == origin.version(key)
    eventually(lambda: cluster.field(cluster.primaries()[0], "cluster_state") == "ok" and len(cluster.primaries()) == 3)
    for each in (a, b):
        each.become(degraded=False, seconds=20)
    for key in KEYS:
        origin.write(key)
    eventually(lambda: a.purge_everywhere(2, all=True))
    assert all(each.version(key) == origin.version(key) for each in (a, b) for key in KEYS)


# ---- Sentinels

def start_sentinels(start, tmp_path, primary, password):
    ports = [free_port() for _ in range(3)]
    for n, port in enumerate(ports):
        path = tmp_path / f"sentinel{n}.conf"
        path.write_text(f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\nrequirepass {password}\nsentinel sentinel-pass {password}\n"
                        f"sentinel monitor house 127.0.0.1 {primary.port} 2\nsentinel auth-pass house {password}\n"
                        "sentinel down-after-milliseconds house 1000\nsentinel failover-timeout house 5000\n")
        start(Process, ["redis-sentinel", path])
    return ports


def sentinel_says(port, password, *words):
    with contextlib.closing(Resp(("127.0.0.1", port))) as connection:
        connection.call("AUTH", password)
        return connection.call("SENTINEL", *words)


def field_of(pairs, name):
    return pairs[pairs.index(name) + 1]


def test_sentinels_with_passwords_and_a_switch_on_demand(make_redis, start, instance, origin, tmp_path):
    password = "s3cret"
    options = ("--requirepass", password, "--masterauth", password)
    primary = make_redis(*options)
    replica = make_redis(*options, replica_of=primary)
    for server in (primary, replica):
        server.call("AUTH", password)
    replica.wait_in_sync()
    ports = start_sentinels(start, tmp_path, primary, password)
    for port in ports:  # they have found each other and the replica
        eventually(lambda p=port: field_of(sentinel_says(p, password, "master", "house"), b"num-other-sentinels") == b"2")
        eventually(lambda p=port: field_of(sentinel_says(p, password, "master", "house"), b"num-slaves") == b"1")

    url = f"redis+sentinel://:{password}@" + ",".join(f"127.0.0.1:{port}" for port in ports) + "/house"
    a, b = instance(url), instance(url)
    assert not a.degraded(), a.ready()
    assert a.version(KEYS[0]) == 1
    a.purge_everywhere(2, urls=[KEYS[0]])

    # The old primary lives on as a replica: nothing is written to it any more.
    began = time.monotonic()
    eventually(lambda: sentinel_says(ports[0], password, "failover", "house") == "OK")
    eventually(lambda: int(sentinel_says(ports[0], password, "get-master-addr-by-name", "house")[1]) == replica.port)
    for key in KEYS:
        assert a.version(key) == 1
    for each in (a, b):
        each.become(degraded=False, seconds=20)
    origin.write(KEYS[0])
    eventually(lambda: a.purge_everywhere(2, urls=[KEYS[0]]))
    assert a.version(KEYS[0]) == b.version(KEYS[0]) == 2
    assert time.monotonic() - began < 30

    # A Sentinel that is gone is not missed, and a wrong name is said.
    unknown = instance(url.replace("/house", "/hut"))
    assert unknown.degraded() and 'knows no primary named \\"hut\\"' in unknown.ready()[1]
