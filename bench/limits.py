"""./dev bench limits: limits that several instances count together, on a Redis of its own on this machine."""

import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from redis_processes import RedisServer  # noqa: E402

BENCH = ROOT / "build/bench/bench/bench_limits_redis"
LEASES = {1: "a call for each", 10: "a lease of 10", 100: "a lease of 100"}
AT_ONCE, CLIENTS = 64, 1024

# rate, burst, lease
OVERLOADS = [(100, 10, 1), (1000, 100, 10), (1000, 100, 100), (10_000, 1000, 100)]
INSTANCES = 4


def ask(redis, *words, alone=False):
    before = ["taskset", "-c", "0"] if alone else []
    done = subprocess.run([*before, str(BENCH), redis.url, *map(str, words)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench: {' '.join(map(str, words))}: {done.stdout}{done.stderr}")
    return [float(word) for word in done.stdout.split()]


def speed(redis, rounds, seconds):
    """One event loop, on one core, Redis on the other; interleaved."""
    os.sched_setaffinity(redis.process.pid, {1} & os.sched_getaffinity(0) or os.sched_getaffinity(0))
    samples = {lease: [] for lease in LEASES}
    for _ in range(rounds):
        for lease in LEASES:
            redis.call("FLUSHALL")
            samples[lease].append(ask(redis, "speed", lease, AT_ONCE, CLIENTS, seconds, alone=True))
    print(f"| decisions, {AT_ONCE} at once of {CLIENTS:,} clients | in a second | beside a call for each | calls per decision "
          "| CPU µs each |\n|---|---|---|---|---|")
    found = {}
    for lease, name in LEASES.items():
        ratio = statistics.median(a[0] / b[0] for a, b in zip(samples[lease], samples[1]))
        rate, calls, cpu = (statistics.median(column) for column in zip(*samples[lease]))
        print(f"| {name} | {rate:,.0f} | {ratio:.1f} × | {calls:.3f} | {cpu:.2f} |")
        found[name] = {"rate": rate, "ratio": ratio, "calls": calls, "cpu_us": cpu}
    return found


def overload(redis, seconds):
    """Twice what is allowed, for some time; nothing may exceed what documents say."""
    os.sched_setaffinity(redis.process.pid, os.sched_getaffinity(0))
    print(f"\n| {INSTANCES} instances, twice the rate, for {seconds} s | allowed | of rate × t + burst | at most beyond the rate "
          "| may be | calls per decision |\n|---|---|---|---|---|---|")
    found = []
    for rate, burst, lease in OVERLOADS:
        redis.call("FLUSHALL")
        allowed, most, beyond, bound, calls, errors = ask(redis, "overload", rate, burst, lease, INSTANCES, seconds)
        if errors:
            raise SystemExit(f"bench: {errors:.0f} calls failed")
        print(f"| {rate:,}/s, burst {burst:,}, lease {lease} | {allowed:,.0f} | {allowed / most:.1%} | {beyond:,.0f} "
              f"| {bound:,.0f} | {calls:.3f} |")
        found.append({"rate": rate, "burst": burst, "lease": lease, "share": allowed / most, "beyond": beyond,
                      "bound": bound, "calls": calls})
    return found


def bench_limits(args, names):
    redis = RedisServer()
    try:
        return {"speed": speed(redis, args.rounds, args.seconds), "overload": overload(redis, max(args.seconds, 5))}
    finally:
        redis.stop()
