"""The standard probe of a fault: 200 requests a second at one instance, before, during and after; what it cost them."""

import http.client
import itertools
import json
import random
import threading
import time

from door import Door

HOT = [f"/hot/{n}" for n in range(10)]


def quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * q))] if ordered else 0.0


class Part:
    """What happened between two marks. Seconds."""

    def __init__(self, samples):
        self.samples = samples
        self.failed = [s for s in samples if s[1] in ("hot", "cold") and not 200 <= s[3] < 300]
        self.hits = [s[2] for s in samples if s[4] == "memory"]
        self.misses = [s[2] for s in samples if s[4] == "miss"]
        self.purges = [s[3] for s in samples if s[1] == "purge"]

    def __str__(self):
        return (f"{len(self.hits)} hits p50 {quantile(self.hits, .5) * 1e3:.1f} p99 {quantile(self.hits, .99) * 1e3:.1f} ms, "
                f"{len(self.misses)} misses p50 {quantile(self.misses, .5) * 1e3:.1f} p99 {quantile(self.misses, .99) * 1e3:.1f} "
                f"max {max(self.misses, default=0) * 1e3:.1f} ms, purges {sorted(set(self.purges))}, failed {self.failed[:3]}")


class Probe:
    """90 % hot, 8 % cold, 2 % purges of something hot."""

    def __init__(self, instance, rate=200, threads=4, seed=1):
        self.instance, self.pace, self.random = instance, threads / rate, random.Random(seed)
        self.cold, self.samples, self.marks = itertools.count(), [], [("start", time.monotonic())]
        self.over = threading.Event()
        for key in HOT:
            instance.read(key)
        self.threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(40)

    def run(self, seconds, name):
        """Lets it run for so long; the Part."""
        begin = time.monotonic()
        self.marks.append((name, begin))
        self.over.wait(seconds)
        return Part([s for s in list(self.samples) if begin <= s[0]])

    def _run(self, n):
        door = Door(self.instance.port, 20)
        admin = Door(int(self.instance.admin.rsplit(":", 1)[1]), 20, self.instance.admin.removeprefix("http://"))
        due = time.monotonic() + n * self.pace / len(self.threads)
        while not self.over.is_set():
            self.over.wait(max(0.0, due - time.monotonic()))
            due = max(due + self.pace, time.monotonic() - 1)
            kind = self.random.choices(["hot", "cold", "purge"], [90, 8, 2])[0]
            began = time.monotonic()
            try:
                if kind == "purge":
                    what = json.dumps({"urls": [self.random.choice(HOT)]})
                    status, said, _ = admin.ask("POST", "/purge", what)
                else:
                    path = self.random.choice(HOT) if kind == "hot" else f"/cold/{next(self.cold)}"
                    status, said, _ = door.ask("GET", path)
            except (OSError, http.client.HTTPException):
                status, said = 0, {}
            verdict = said.get("Cache-Status", "")
            place = "memory" if "; hit" in verdict and "redis" not in verdict else "miss" if kind != "purge" else ""
            self.samples.append((began, kind, time.monotonic() - began, status, place))


def unaffected(before, during, slack=0.010):
    """Hits in memory cost what they cost before: 1.5 × their p99, and what a busy machine adds by itself."""
    assert not during.failed, during
    assert len(during.hits) > 50, during
    assert quantile(during.hits, 0.99) <= 1.5 * quantile(before.hits, 0.99) + slack, f"before: {before}\nduring: {during}"
