"""Redis absent, killed, hung, slow, full, demoted, replaced, and full of nonsense: what it costs, and that it heals."""

import random
import signal
import time

import pytest
from conftest import Process, free_port
from door import crowd
from probe import HOT, Probe, quantile, unaffected
from redis_fixtures import HOST, entries, until
from redis_processes import RedisServer, ScriptedRedis, bulk

K = "/k/a/1"
BUDGET = 0.050
BUSY = 0.040  # what a busy machine adds to something slow, in seconds


def test_f19_redis_is_absent_at_the_start(instance, origin):
    port = free_port()
    began = time.monotonic()
    each = instance(f"redis://127.0.0.1:{port}")
    assert time.monotonic() - began < 4, "it starts"
    assert each.degraded() and str(port) in each.ready()[1]
    with Probe(each) as probe:
        alone = probe.run(2, "alone")
        unaffected(alone, alone)
        assert set(alone.purges) <= {503} and alone.purges
        redis = RedisServer(port=port)
        try:
            took = each.become(degraded=False)
            after = probe.run(2, "after")
        finally:
            redis.stop()
    assert took < 5, f"back after {took:.1f} s"
    unaffected(alone, after)


def returns(each, probe, before, calm=1.0):
    """Redis is there again: ready within a second (and what is in the way of a busy machine), nothing is fetched anew."""
    took = each.become(degraded=False)
    assert took < 2, f"recovered after {took:.1f} s"
    fetched = each.metric("etage_origin_fetches_total")
    after = probe.run(calm, "after")
    unaffected(before, after)
    assert each.metric("etage_origin_fetches_total") - fetched <= len(after.misses) + 5, "no refill storm"
    until(lambda: each.ask_purge(tags=["x"]).status_code == 200)
    return after


def opened(during):
    """Once the breaker is open misses cost nothing more: the later half of them."""
    late = during.misses[len(during.misses) // 2:]
    return quantile(late, 0.9)


def test_f20_redis_is_killed_and_comes_back(make_redis, instance, origin):
    redis = make_redis(persistent=True)
    each = instance(redis)
    with Probe(each) as probe:
        before = probe.run(2, "before")
        assert set(before.purges) <= {200}
        redis.kill()
        during = probe.run(4, "during")
        unaffected(before, during)
        assert max(during.misses) < max(before.misses) + BUDGET + BUSY, f"{before}\n{during}"
        assert opened(during) < quantile(before.misses, 0.9) + BUSY / 2, f"{before}\n{during}"
        assert 503 in during.purges and each.degraded()
        redis.start()
        returns(each, probe, before)


@pytest.mark.parametrize("persistent", [True, False])
def test_f20_what_was_purged_meanwhile_is_kept_again_afterwards(make_redis, instance, origin, persistent):
    redis = make_redis(persistent=persistent)
    a, b = instance(redis), instance(redis)
    a.read(K), b.read(K)
    redis.kill()
    a.become(degraded=True)
    version = origin.write(K).version
    assert a.ask_purge(all=True).status_code == 503
    assert a.version(K) == version
    redis.start()
    for each in (a, b):
        each.become(degraded=False)
        until(lambda: each.version(K) == version)
        until(lambda: each.read(K)[1].startswith("hit"), 3, "it is not kept")


def test_f21_redis_hangs(redis, instance, origin):
    each = instance(redis)
    with Probe(each) as probe:
        before = probe.run(2, "before")
        redis.freeze()
        during = probe.run(5, "during")
        unaffected(before, during)
        assert max(during.misses) < max(before.misses) + BUDGET + BUSY, f"{before}\n{during}"
        assert opened(during) < quantile(before.misses, 0.9) + BUSY / 2, f"{before}\n{during}"
        assert 200 not in during.purges[1:]
        redis.thaw()
        returns(each, probe, before)


def test_f21_replies_that_come_late_reach_nobody(redis, instance, origin):
    """Hung with commands under way, again and again: every answer is still one body of its own key."""
    each, other = instance(redis), instance(redis)
    keys = [f"/k/a/{n}" for n in range(200)]
    for key in keys:
        other.read(key)
    for turn in range(10):
        redis.freeze()
        first = crowd([each.port], keys[turn * 10], 20, HOST)
        redis.thaw()
        assert len({content for _, _, content in first}) == 1
        for key in keys[turn * 10:turn * 10 + 20]:
            assert each.version(key) == 1
    assert each.metric("etage_redis_damaged_total") == 0


@pytest.mark.parametrize("how", ["latency 200 ± 150 ms", "paused for 200 ms, again and again"])
def test_f22_redis_is_slow(redis, proxy, instance, origin, how):
    way = proxy(redis)
    each = instance(way)
    with Probe(each) as probe:
        before = probe.run(2, "before")
        fetched = each.metric("etage_origin_fetches_total")
        if how.startswith("latency"):
            way.slow(0.2, 0.15)
            during = probe.run(5, "during")
        else:
            parts = []
            for _ in range(12):
                redis.call("CLIENT", "PAUSE", "200", "ALL")
                parts.append(probe.run(0.4, "during"))
            during = type(parts[0])([s for part in parts for s in part.samples])
        unaffected(before, during)
        assert max(during.misses) < max(before.misses) + BUDGET + BUSY, f"{before}\n{during}"
        assert each.metric("etage_origin_fetches_total") - fetched <= 1.2 * len(during.misses) + 5
        way.heal()
        returns(each, probe, before)


def test_f23_redis_is_full(redis, instance, origin):
    each = instance(redis)
    with Probe(each) as probe:
        before = probe.run(2, "before")
        dropped = each.metric("etage_redis_writes_dropped_total")
        redis.call("CONFIG", "SET", "maxmemory", "1")
        during = probe.run(3, "during")
        unaffected(before, during)
        assert each.metric("etage_redis_writes_dropped_total") > dropped, "what is not written is counted"
        refused = each.ask_purge(urls=[HOT[0]])
        assert refused.status_code == 503, "what is not recorded is not acknowledged"
        redis.call("CONFIG", "SET", "maxmemory", "0")
        returns(each, probe, before)


def test_f23_everything_is_evicted(redis, instance, origin):
    a, b = instance(redis), instance(redis)
    for n in range(5):
        a.read(K), b.read(K)
        used = int(redis.info("used_memory"))
        redis.call("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
        redis.call("CONFIG", "SET", "maxmemory", used // 4)
        version = origin.write(K).version
        a.ask_purge(urls=[K])
        redis.call("CONFIG", "SET", "maxmemory", "0")
        until(lambda: (answer := a.ask_purge(urls=[K], wait="all")).status_code == 200 and
              len(set(answer.json()["instances"].values())) == 1)
        assert a.version(K) == version and b.version(K) == version


def test_f25_the_primary_becomes_a_replica(make_redis, instance, origin):
    redis, other = make_redis(), make_redis()
    each = instance(redis)
    with Probe(each) as probe:
        before = probe.run(2, "before")
        redis.follow(other)
        during = probe.run(3, "during")
        unaffected(before, during)
        assert each.ask_purge(urls=[K]).status_code == 503
        assert each.degraded()
        redis.follow(None)
        returns(each, probe, before)


def sentinels(start, tmp_path, primary, n=3):
    ports = []
    for i in range(n):
        port, path = free_port(), tmp_path / f"sentinel{i}.conf"
        path.write_text(f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\nsentinel monitor house 127.0.0.1 {primary.port} 2\n"
                        "sentinel down-after-milliseconds house 500\nsentinel failover-timeout house 3000\n")
        start(Process, ["/usr/bin/redis-sentinel", path]).wait_for("Sentinel ID|monitor master|ready to accept")
        ports.append(port)
    return ports


def test_f26_a_failover_by_sentinels_with_a_replica_that_lags(make_redis, proxy, start, instance, origin, tmp_path):
    primary = make_redis()
    replica = make_redis("--replica-announce-ip", "127.0.0.1", replica_of=primary)
    replica.wait_in_sync()
    ports = sentinels(start, tmp_path, primary)
    url = "redis+sentinel://" + ",".join(f"127.0.0.1:{p}" for p in ports) + "/house"
    a, b = instance(url, mode="strict"), instance(url, mode="strict")
    assert not a.degraded()
    time.sleep(1.5)  # the Sentinels find each other and the replica
    keys = [f"/k/a/{n}" for n in range(8)]
    for key in keys:
        a.read(key), b.read(key)
    time.sleep(0.1)
    replica.freeze()
    for key in keys:
        origin.write(key)
        a.purge_everywhere(2, urls=[key])
    primary.kill()
    replica.thaw()
    began = time.monotonic()
    while time.monotonic() - began < 4 or replica.info("role") != "master":
        assert time.monotonic() - began < 30, "\n".join(replica.lines)
        assert {each.version(key) for each in (a, b) for key in keys} == {2}
    for each in (a, b):
        each.become(degraded=False, seconds=20)
    a.purge_everywhere(2, urls=[K])
    assert {each.version(key) for each in (a, b, instance(url)) for key in keys} == {2}


@pytest.mark.parametrize("key", ["{etage}:log", "{etage}:live", "{etage}:log:generation", "entry"])
@pytest.mark.parametrize("wrong", [["SET", "x"], ["LPUSH", "x"], ["HSET", "x", "y"], ["SADD", "x"]], ids=lambda w: w[0])
def test_f27_something_of_another_type_is_in_the_way(redis, instance, origin, key, wrong):
    a, b = instance(redis), instance(redis)
    a.read(K)
    until(lambda: entries(redis))
    name = entries(redis)[0] if key == "entry" else key
    redis.call("EVAL", "redis.call('DEL', KEYS[1]) return redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2))", "1", name, *wrong)
    assert b.version(K) == 1
    for n in range(3):
        origin.write(K)
        until(lambda: a.ask_purge(urls=[K]).status_code == 200, 10, "purges do not heal")
        assert a.version(K) == origin.version(K)
        until(lambda: b.version(K) == origin.version(K))
    for each in (a, b):
        each.become(degraded=False)
    fetched = origin.count()
    time.sleep(0.3)
    assert origin.count() == fetched, "no loop of retries"
    a.purge_everywhere(2, urls=[K])
    a.read(K)
    until(lambda: "detail=redis" in instance(redis).read(K)[1], 5, "it is not stored again")


def mutations(value, other, rng):
    """Names and values that are not what was written."""
    yield "empty", b""
    yield "another key's", other
    for length in sorted({*range(1, 60), *(rng.randrange(len(value)) for _ in range(40)), len(value) - 1}):
        yield f"cut at {length}", value[:length]
    for _ in range(120):
        at, bit = rng.randrange(len(value)), 1 << rng.randrange(8)
        yield f"bit {bit} of {at}", value[:at] + bytes([value[at] ^ bit]) + value[at + 1:]
    for at in range(0, 40):
        yield f"octet {at}", value[:at] + bytes([value[at] ^ 0xFF]) + value[at + 1:]
    for length in (1, 8, 29, 100, 5000):
        yield f"{length} random octets", rng.randbytes(length)
    yield "longer", value + b"\0"
    for step in (-1, 1):
        yield f"format {step:+d}", value[:11] + bytes([value[11] + step]) + value[12:]


def test_f28_values_that_are_not_what_was_written(redis, instance, origin):
    rng = random.Random(28)
    a, b = instance(redis), instance(redis)
    a.read("/k/other"), a.read("/k/sample")
    prefix = "etage:"
    sample, other = redis.call("GET", prefix + a.key("/k/sample")), redis.call("GET", prefix + a.key("/k/other"))
    cases = list(mutations(sample, other, rng))
    for n, (name, _) in enumerate(cases):
        key = f"/k/{n}"
        a.read(key)
    for n, (name, _) in enumerate(cases):
        key = f"/k/{n}"
        place = prefix + a.key(key)
        value = redis.call("GET", place)
        mutated = dict(mutations(value, other, random.Random(n)))
        mutated = mutated.get(name) if mutated.get(name) is not None else value[:-1]
        redis.call("SET", place, mutated, "PX", "60000")
        before = origin.count(key)
        version, verdict = b.read(key)
        assert version == 1 and "redis" not in verdict and origin.count(key) == before + 1, name
        until(lambda: redis.call("GET", place) not in (None, mutated), 2, f"{name}: a right value does not take its place")
    assert b.metric("etage_redis_damaged_total") >= len(cases) - 5


# ---- F-30: a cluster that lies

def cluster(answer):
    """One node that says that all slots are its own, and `answer` to everything about keys."""
    def handler(words, n):
        name = words[0].upper()
        if name == "INFO":
            return bulk("# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\nredis_mode:cluster\r\nrole:master\r\n"
                        "master_replid:def\r\ncluster_enabled:1\r\n")
        if name == "CLUSTER":
            port = node.port
            if words[1].upper() == "SLOTS":
                return (b"*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:%d\r\n" % port) + bulk("a" * 40)
            return b"-ERR unknown subcommand\r\n"
        if name in ("PING", "CLIENT", "AUTH", "SELECT", "READONLY", "ASKING", "HELLO"):
            return b"+PONG\r\n" if name == "PING" else b"+OK\r\n"
        return answer(node)
    node = ScriptedRedis(handler)
    return node


@pytest.mark.parametrize("name", ["MOVED in a circle", "ASK in a circle", "TRYAGAIN", "CLUSTERDOWN", "MOVED to nobody",
                                  "MOVED to a black hole", "MOVED to nonsense"])
def test_f30_a_cluster_that_leads_nowhere(instance, origin, stage, name):
    nobody, hole = free_port(), int(stage.url.rsplit(":", 1)[1])
    said = {"MOVED in a circle": lambda node: b"-MOVED 1 127.0.0.1:%d\r\n" % node.port,
            "ASK in a circle": lambda node: b"-ASK 1 127.0.0.1:%d\r\n" % node.port,
            "TRYAGAIN": lambda node: b"-TRYAGAIN Multiple keys request during rehashing of slot\r\n",
            "CLUSTERDOWN": lambda node: b"-CLUSTERDOWN The cluster is down\r\n",
            "MOVED to nobody": lambda node: b"-MOVED 1 127.0.0.1:%d\r\n" % nobody,
            "MOVED to a black hole": lambda node: b"-MOVED 1 127.0.0.1:%d\r\n" % hole,
            "MOVED to nonsense": lambda node: b"-MOVED one nowhere\r\n"}[name]
    node = cluster(said)
    began = time.monotonic()
    each = instance(f"redis+cluster://127.0.0.1:{node.port}")
    slowest = 0.0
    for n in range(60):
        asked = time.monotonic()
        assert each.version(f"/k/{n}") == 1
        slowest = max(slowest, time.monotonic() - asked)
    assert slowest < BUDGET + 0.25
    assert each.ask_purge(all=True).status_code == 503 and each.degraded()
    seconds = time.monotonic() - began
    refreshes = sum(words[0].upper() == b"CLUSTER" for words in node.asked)
    assert refreshes <= 4 + 2 * seconds, f"{refreshes} topology refreshes in {seconds:.1f} s"
    gets = sum(words[0].upper() in (b"GET", b"PTTL", b"SET", b"EVALSHA", b"EVAL") for words in node.asked)
    assert gets <= 60 * 2 * 6 + seconds * 200, f"{gets} commands for 60 requests"
    node.stop()


# ---- F-32: the log

def test_f32_the_logs_connections_are_killed_all_the_time(redis, instance, origin):
    a, b = instance(redis), instance(redis)
    for n in range(40):
        b.read(K)
        version = origin.write(K).version
        if n % 2:
            redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        answer = a.ask_purge(urls=[K])
        while answer.status_code == 503:
            answer = a.ask_purge(urls=[K])
        assert b.version(K, Etage_Min_Seq=answer.json()["seq"]) == version


def test_f32_a_flood_that_overruns_the_output_buffer(redis, instance, origin):
    a, b = instance(redis, mode="strict"), instance(redis, mode="strict")
    redis.call("CONFIG", "SET", "client-output-buffer-limit", "normal 65536 0 0")
    for turn in range(3):
        a.read(K), b.read(K)
        version = origin.write(K).version
        b.process.send_signal(signal.SIGSTOP)
        try:
            for n in range(2000):
                redis.purge("tag", f"flood-{n}-" + "x" * 500)
            a.purge(urls=[K])
        finally:
            b.process.send_signal(signal.SIGCONT)
        until(lambda: (answer := a.ask_purge(tags=["x"], wait="all")).status_code == 200 and
              answer.json()["instances"] == {"confirmed": 2, "live": 2})
        assert b.version(K) == version


@pytest.mark.parametrize("mode", ["strict", "available"])
def test_f32_records_are_trimmed_before_they_are_read(redis, instance, origin, mode):
    a, b = instance(redis, mode=mode), instance(redis, mode=mode)
    for turn in range(3):
        a.read(K), b.read(K)
        version = origin.write(K).version
        b.process.send_signal(signal.SIGSTOP)
        try:
            a.purge(urls=[K])
            for n in range(100):
                redis.purge("tag", f"later-{n}")
            redis.call("XTRIM", "{etage}:log", "MAXLEN", "10")
        finally:
            b.process.send_signal(signal.SIGCONT)
        until(lambda: (answer := a.ask_purge(tags=["x"], wait="all")).status_code == 200 and
              answer.json()["instances"] == {"confirmed": 2, "live": 2})
        assert b.version(K) == version


def test_f32_a_gap_costs_a_question_not_the_entries(redis, instance, origin):
    """Below the floor is unsure, not gone: the origin is asked with the validator, and says 304."""
    a, b = instance(redis), instance(redis)
    for n in range(20):
        a.read(f"/k/{n}"), b.read(f"/k/{n}")
    redis.call("FLUSHALL")
    a.become(degraded=False)
    until(lambda: (answer := a.ask_purge(tags=["x"], wait="all")).status_code == 200 and
          answer.json()["instances"] == {"confirmed": 2, "live": 2})
    before = len(origin.fetches)
    assert {b.version(f"/k/{n}") for n in range(20)} == {1}
    asked = origin.fetches[before:]
    assert asked and {f.status for f in asked} == {304}


def test_f17_one_octet_at_a_time(redis, proxy, instance, origin):
    way = proxy(redis)
    way.sliced(1)
    a, b = instance(way, toml='redis.budget = "2s"'), instance(redis)  # so many pieces take their time
    for n in range(5):
        assert a.version(f"/k/{n}") == 1
    until(lambda: len(entries(redis)) >= 1, 5)
    stored = len(entries(redis))
    way.heal()
    assert stored and b.version("/k/0") == 1
    origin.write("/k/0")
    way.sliced(1)
    until(lambda: a.ask_purge(urls=["/k/0"]).status_code == 200)
    until(lambda: b.version("/k/0") == 2)
    assert a.version("/k/0") == 2
