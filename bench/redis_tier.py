"""./dev bench redis: what the shared tier costs and saves, on a Redis and with gateways of its own, all on this machine."""

import asyncio
import contextlib
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
os.environ.setdefault("BINARY_UNDER_TEST", str(ROOT / "build" / "bench" / "etage"))

from door import Door, crowd  # noqa: E402
from probe import Probe, quantile  # noqa: E402
from redis_fixtures import HOST, Instance  # noqa: E402
from redis_processes import FaultProxy, RedisServer, Resp  # noqa: E402
from versioned_origin import VersionedOrigin  # noqa: E402

TAGGED = 100_000


@contextlib.contextmanager
def house(gateways, behind=None, origin=None):
    """(redis, proxy, origin, instances); `behind`: how many of them reach Redis through the proxy."""
    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "etage.toml"
        path.write_text('[memory]\nlimit = "1GiB"\n[log]\nlevel = "warn"\n')
        redis = RedisServer()
        stack.callback(redis.stop)
        proxy = FaultProxy(redis)
        stack.callback(proxy.stop)
        origin = origin or VersionedOrigin()
        stack.callback(origin.stop)
        made = []
        for n in range(gateways):
            url = proxy.url if n < (behind or 0) else redis.url
            made.append(Instance("--origin", origin.url, "--redis", url, "--config", path, "--threads", "1"))
            stack.callback(made[-1].stop)
        yield redis, proxy, origin, made


class CannedOrigin(asyncio.Protocol):
    """One answer to everything, as fast as Python can."""

    BODY = b'{"items": "' + b"lorem ipsum " * 20 + b'"}'
    SAYS = (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Type: application/json\r\nCache-Control: max-age=3600\r\n"
            b"Cache-Tag: posts\r\n\r\n" % len(BODY)) + BODY

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(self.SAYS * data.count(b"\r\n\r\n"))


class ThreadedOrigin:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        server = self._run(self.loop.create_server(CannedOrigin, "127.0.0.1", 0, backlog=512))
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


def fill(port, n, lanes=32):
    """n different URLs, over so many connections."""
    async def lane(first):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for i in range(first, n, lanes):
            writer.write(f"GET /posts/{i} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            await reader.readuntil(b'"}')
        writer.close()

    async def all_lanes():
        await asyncio.gather(*(lane(first) for first in range(lanes)))

    asyncio.run(all_lanes())


class Bystander(threading.Thread):
    """Asks PING without pause: the longest time that Redis answered nobody."""

    def __init__(self, redis):
        super().__init__(daemon=True)
        self.redis, self.longest, self.over = Resp(redis.address), 0.0, threading.Event()

    def run(self):
        while not self.over.is_set():
            began = time.perf_counter()
            self.redis.call("PING")
            self.longest = max(self.longest, time.perf_counter() - began)

    def __enter__(self):
        self.start()
        time.sleep(0.2)
        self.longest = 0.0
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def watched(redis, call):
    """(longest command in ms, longest wait of a bystander in ms, ms that the call took)."""
    redis.call("CONFIG", "SET", "slowlog-log-slower-than", "0")
    redis.call("CONFIG", "SET", "slowlog-max-len", "100000")
    with Bystander(redis) as bystander:
        redis.call("SLOWLOG", "RESET")
        began = time.perf_counter()
        call()
        took = time.perf_counter() - began
    redis.call("CONFIG", "SET", "slowlog-log-slower-than", "-1")
    commands = [entry for entry in redis.call("SLOWLOG", "GET", "-1") if entry[3][0] not in (b"PING", b"CONFIG", b"SLOWLOG")]
    longest = max(commands, key=lambda entry: entry[2])
    return longest[2] / 1000, longest[3][0].decode(), bystander.longest * 1000, took * 1000


def invalidation_of_a_tag():
    """A set of keys for each tag, as the article has it, against a record in the log; both with real entries."""
    origin = ThreadedOrigin()
    with house(1, origin=origin) as (redis, _, _, (gateway,)):
        fill(gateway.port, TAGGED)
        until = time.monotonic() + 30
        while (lies := redis.call("DBSIZE")) < TAGGED * 0.98 and time.monotonic() < until:
            time.sleep(0.1)
        ours = watched(redis, lambda: gateway.purge(tags=["posts"]))
        verdict = gateway.get("/posts/7").headers["cache-status"]
        assert "invalidated" in verdict, verdict
        names = [name for name in redis.call("KEYS", "etage:v1:*")][:TAGGED]
        before = int(redis.info("used_memory"))
        for start in range(0, len(names), 1000):
            redis.call("SADD", "tag:posts", *names[start:start + 1000])
        index = int(redis.info("used_memory")) - before
        theirs = watched(redis, lambda: redis.call("DEL", *redis.call("SMEMBERS", "tag:posts"), "tag:posts"))
    print(f"| {lies:,} entries of one tag in Redis | longest command | Redis answered nobody for | the call took | index |")
    print("|---|---|---|---|---|")
    for name, (longest, command, blocked, took), memory in (
            ("a set of keys per tag: `SMEMBERS`, `DEL`", theirs, f"{index / 1e6:.1f} MB"),
            ("**Etage**: a record in the log", ours, "none")):
        print(f"| {name} | {longest:.3f} ms ({command}) | {blocked:.2f} ms | {took:.2f} ms | {memory} |")
    return {"sets": theirs, "etage": ours, "index_bytes": index, "entries": lies}


def invalidation_to_the_other(rounds=1000):
    with house(2) as (_, _, _, (a, b)):
        path, lags, calls, everybody = "/k/1", [], [], []
        door = Door(b.port)
        admin = Door(int(a.admin.rsplit(":", 1)[1]), 10, a.admin.removeprefix("http://"))
        for n in range(rounds):
            door.ask("GET", path), door.ask("GET", path)
            began = time.perf_counter()
            status, _, _ = admin.ask("POST", "/purge", '{"urls": ["%s"]}' % path)
            acknowledged = time.perf_counter()
            assert status == 200
            while True:
                asked = time.perf_counter()
                if "; hit" not in door.ask("GET", path)[1]["Cache-Status"]:
                    break
            lags.append((asked - began) * 1e3)
            calls.append((acknowledged - began) * 1e3)
        for n in range(rounds):
            began = time.perf_counter()
            admin.ask("POST", "/purge", '{"urls": ["%s"], "wait": "all"}' % path)
            everybody.append((time.perf_counter() - began) * 1e3)
    print("\n| an invalidation, two instances | p50 | p99 |\n|---|---|---|")
    rows = {"the call, `wait=local`": calls, "from the call to the first read of the other instance that is not the old": lags,
            "the call, `wait=all`: everybody has applied it": everybody}
    for name, values in rows.items():
        print(f"| {name} | {quantile(values, .5):.2f} ms | {quantile(values, .99):.2f} ms |")
    return {name: [quantile(v, .5), quantile(v, .99)] for name, v in rows.items()}


def outages(seconds):
    """Hits in memory and misses, before and while something is wrong with Redis."""
    found = {}
    print("\n| Redis is … | hits in memory p99 | ratio | failed | a miss costs more, at first | and then | ready again after |")
    print("|---|---|---|---|---|---|---|")
    for name in ("killed", "stopped (SIGSTOP)", "slow (200 ± 150 ms)"):
        with house(1, behind=1) as (redis, proxy, _, (each,)), Probe(each, rate=300) as probe:
            probe.run(1, "warm")
            before = probe.run(seconds, "before")
            {"killed": redis.kill, "stopped (SIGSTOP)": redis.freeze, "slow (200 ± 150 ms)": lambda: proxy.slow(0.2, 0.15)}[name]()
            during = probe.run(seconds, "during")
            {"killed": redis.start, "stopped (SIGSTOP)": redis.thaw, "slow (200 ± 150 ms)": proxy.heal}[name]()
            took = each.become(degraded=False)
            normal = quantile(before.misses, .5)
            first = max(during.misses[:len(during.misses) // 3], default=0) - normal
            late = quantile(during.misses[len(during.misses) // 2:], .5) - normal
            p99 = quantile(during.hits, .99)
            ratio = p99 / quantile(before.hits, .99)
            print(f"| {name} | {p99 * 1e3:.2f} ms | {ratio:.2f} × | {len(during.failed)} of {len(during.samples):,} | "
                  f"{first * 1e3:.0f} ms | {late * 1e3:+.1f} ms | {took * 1e3:.0f} ms |")
            found[name] = {"ratio": ratio, "failed": len(during.failed), "first_ms": first * 1e3, "late_ms": late * 1e3,
                           "recovered_ms": took * 1e3}
    return found


def a_crowd():
    with house(3) as (_, _, origin, three):
        calls = []
        for turn in range(5):
            path = f"/crowd/{turn}"
            origin.hold(path)
            release = threading.Timer(1.0, origin.release, [path])
            release.start()
            answers = crowd([each.port for each in three], path, 500, HOST)
            assert {status for status, _, _ in answers} == {200}
            calls.append(origin.count(path))
    print("\n| 3 instances, 500 misses of one key each, at the same moment | calls to the origin |\n|---|---|")
    print(f"| five times | {', '.join(map(str, calls))} |")
    return calls


def run_alone(*command):
    """(what it printed, CPU seconds that it took), on the first core."""
    def spent():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = spent()
    said = subprocess.run(["taskset", "-c", "0", *map(str, command)], capture_output=True, text=True, check=True).stdout
    return said, spent() - before


def lookups(rounds, seconds):
    """One event loop with 256 lookups under way, beside redis-benchmark with 800 GET of the same value; both on one core, Redis
    on the other. They take turns, short ones, so that the machine is in the same mood for both, and take turns at being first."""
    turns, seconds = rounds * 4, seconds / 4
    redis = RedisServer()
    os.sched_setaffinity(redis.process.pid, {1} & os.sched_getaffinity(0) or os.sched_getaffinity(0))
    name = "bench:v1:bench:00112233445566778899aabbccddeeff"

    def ours():
        said, _ = run_alone(ROOT / "build/bench/bench/bench_lookup", redis.url, 1300, 256, seconds)
        return float(said.split(" lookups/s")[0]), float(re.search(r"([\d.]+) us", said)[1])

    def theirs(asked=400_000):
        said, cpu = run_alone("redis-benchmark", "-p", redis.port, "-P", 16, "-c", 50, "-n", asked, "-q", "GET", name)
        return float(re.findall(r"([\d.]+) requests per second", said)[-1]), cpu / asked * 1e6

    pairs = []
    try:
        ours()  # the value is there now, for both
        for turn in range(turns):
            both = {call: call() for call in ((ours, theirs) if turn % 2 == 0 else (theirs, ours))}
            pairs.append((both[ours], both[theirs]))
    finally:
        redis.stop()
    ratios = [our[0] / their[0] for our, their in pairs]
    print("\n| looks into Redis, one core, 1.3 kB | in a second | CPU each | ratio |\n|---|---|---|---|")
    for i, title in enumerate(("Etage: GET, checked, and an entry made of it", "`redis-benchmark -P 16 GET` of the same value")):
        rate, cpu = (statistics.median(pair[i][j] for pair in pairs) for j in (0, 1))
        ratio = "" if i else f"{quantile(ratios, .5):.2f}, half of the turns {quantile(ratios, .25):.2f} to {quantile(ratios, .75):.2f}"
        print(f"| {title} | {rate:,.0f} | {cpu:.2f} µs | {ratio} |")
    return {"etage": [our for our, _ in pairs], "redis-benchmark": [their for _, their in pairs]}


def bench_looks(args, names):
    return lookups(args.rounds, args.seconds)


def bench_redis(args, names):
    return {"lookups": lookups(args.rounds, args.seconds), "tag": invalidation_of_a_tag(), "other": invalidation_to_the_other(), "outages": outages(max(3, args.seconds)),
            "crowd": a_crowd()}
