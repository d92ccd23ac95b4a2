#!/usr/bin/env python3
"""./dev bench NAME: measurements, side by side in one run. These machines are noisy: read the ratios.

  hit     CPU µs per request (user + sys from /proc) of a cache hit: one worker on one core, load from the other,
          64 keep-alive connections, 1.3 kB JSON; a bare epoll echo, Etage, HAProxy, nginx and Varnish, interleaved,
          medians over the rounds.
  forms   the same of other forms of a hit: HEAD, 304, gzip, a range; whoever does not give one, has no number there.
  redis   several instances on one Redis: an invalidation, beside a set of keys per tag; and Redis killed, hung and slow.
  looks   of that, how fast one event loop looks entries up, beside redis-benchmark.
  limits  decisions of limits that instances count together: a call to Redis for each, or leases; and what is allowed at
          twice the rate.

options: --rounds N (5)  --seconds S (2 per server and round)  --only NAME[,NAME]  --json FILE
"""

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import threading

from limits import bench_limits
from redis_tier import bench_looks, bench_redis
from servers import BIN, LOAD_CORE, SERVERS, TITLES, Origin, OriginServer, cpu_seconds, free_port, wait_for

TARGET = "/posts?limit=20&offset=0"


class Form:
    """A way to ask for what is stored, and what the answer must look like to count."""

    def __init__(self, title, status=200, method="GET", has=None, **fields):
        self.title, self.status, self.method, self.has = title, status, method, has or {}
        self.fields = {name.replace("_", "-"): value for name, value in fields.items()}

    def given_by(self, port):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for _ in range(2):
            connection.request(self.method, TARGET, headers={"Host": "bench.test", **self.fields})
            answer = connection.getresponse()
            answer.read()
        return answer.status == self.status and all(answer.getheader(n, "") == v for n, v in self.has.items())

    def lines(self):
        fields = {"Host": "bench.test", "User-Agent": "bench/1", "Accept": "*/*", **self.fields}
        return [f"{self.method} {TARGET} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]


WHOLE = Form("the whole")
FORMS = [WHOLE,
         Form("HEAD", method="HEAD"),
         Form("304", 304, If_None_Match='"bench-1"'),
         Form("gzip", has={"Content-Encoding": "gzip"}, Accept_Encoding="gzip"),
         Form("100 bytes of it", 206, has={"Content-Range": "bytes 100-199/1300"}, Range="bytes=100-199")]


def load(port, seconds, form):
    done = subprocess.run(["taskset", "-c", LOAD_CORE, BIN / "bench/bench_load", str(port), "64", str(seconds),
                           str(form.status), *form.lines()], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench: {done.stderr.strip()}")
    requests, wrong, _ = map(int, done.stdout.split())
    if wrong:
        raise SystemExit(f"bench: {wrong} of {requests} answers were not {form.status}")
    return requests


@contextlib.contextmanager
def running(names):
    """All of them, before one origin; name → (process, port)."""
    server = OriginServer(("127.0.0.1", 0), Origin)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        os.chmod(folder, 0o777)
        started = {}
        try:
            for name in names:
                port = free_port()
                process = SERVERS[name](port, server.server_address[1], pathlib.Path(folder))
                started[name] = (process, port)
                wait_for(port, process)
            yield started
        finally:
            for process, _ in started.values():
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
            for process, _ in started.values():
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()


def measure(args, started, forms):
    """Medians over the rounds, everything interleaved: (server, form) → (CPU µs per request, requests per second)."""
    asked = [(name, form) for form in forms for name in started if form.given_by(started[name][1]) or form is WHOLE]
    samples = {each: [] for each in asked}
    for turn in range(args.rounds):
        for name, form in asked:
            process, port = started[name]
            load(port, 0.3, form)
            before = cpu_seconds(process.pid)
            requests = load(port, args.seconds, form)
            cpu_us = (cpu_seconds(process.pid) - before) / requests * 1e6
            samples[name, form].append((cpu_us, requests / args.seconds))
        print(f"round {turn + 1}/{args.rounds}: " +
              "  ".join(f"{n} {form.title} {samples[n, form][-1][0]:.1f}" for n, form in asked), file=sys.stderr)
    return {each: tuple(map(statistics.median, zip(*values))) for each, values in samples.items()}


def bench_hit(args, names):
    with running(names) as started:
        medians = {name: value for (name, _), value in measure(args, started, [WHOLE]).items()}
    print("| a cache hit, 1.3 kB JSON | CPU µs/request | requests/s | Etage's CPU as a share |")
    print("|---|---|---|---|")
    for name, (cpu_us, rate) in medians.items():
        share = f"{medians['etage'][0] / cpu_us:.2f} ×" if "etage" in medians else ""
        print(f"| {TITLES[name]} | {cpu_us:.1f} | {rate:,.0f} | {share} |")
    return {name: {"cpu_us": cpu_us, "rate": rate} for name, (cpu_us, rate) in medians.items()}


def bench_forms(args, names):
    names = [name for name in names if name not in ("echo", "limited")]
    with running(names) as started:
        medians = measure(args, started, FORMS)
    print("| a hit, CPU µs/request | " + " | ".join(TITLES[name] for name in names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for form in FORMS:
        cells = [f"{medians[name, form][0]:.1f}" if (name, form) in medians else "–" for name in names]
        print(f"| {form.title} | " + " | ".join(cells) + " |")
    return {name: {form.title: medians[name, form][0] for form in FORMS if (name, form) in medians} for name in names}


BENCHES = {"hit": bench_hit, "forms": bench_forms, "redis": bench_redis, "looks": bench_looks,
           "limits": bench_limits}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", default="hit", choices=BENCHES)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--only", default="")
    parser.add_argument("--json", default="")
    args = parser.parse_args()
    if (os.cpu_count() or 1) < 2:
        raise SystemExit("bench: needs two cores, one for the server and one for the load")
    found = BENCHES[args.name](args, [name for name in SERVERS if not args.only or name in args.only.split(",")])
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
