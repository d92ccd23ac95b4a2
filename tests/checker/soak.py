#!/usr/bin/env python3
"""./dev soak [SECONDS]: three gateways, two Redis, a versioned origin, eight readers, three writers, and a nemesis.

Two rounds at least, of a minute at most, each with a seed of its own, in turn strict and available; after each the recorded history is
checked (history.py says for what). A violation is shown with the shortest window of events around it, and its folder stays.

options: --seed N   --mode strict|available   --rate READS_PER_SECOND (600)   --calm: no nemesis   --keep: all folders stay
         --mutant NAME: a mistake is built in, and the run fails unless it is found: islands (gateways without Redis),
         lost-purge (a writer believes that it purged), lagging-origin (answers are as of 300 ms ago)
"""

import argparse
import collections
import http.client
import json
import multiprocessing
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1]), str(pathlib.Path(__file__).resolve().parent)]

import plan  # noqa: E402
from clients import Board, Reader, Writer, admin, run  # noqa: E402
from events import Pen, load  # noqa: E402
from history import check  # noqa: E402
from nemesis import AboveRedis, Below  # noqa: E402
from stand import Stand  # noqa: E402

ROUND_MAX = 60     # seconds
HEAL = 6           # seconds after the last fault until everyone must agree
HEAD_START = 6     # seconds that a round takes at least before it heals
READERS, WRITERS = 8, 3
MUTANTS = ("islands", "lost-purge", "lagging-origin")
BUCKETS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10]


class Round:
    def __init__(self, args, seed, mode, seconds):
        self.args, self.seed, self.mode, self.seconds = args, seed, mode, seconds
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"etage-soak-{seed}-"))
        context = multiprocessing.get_context("spawn")  # a fork would inherit the sockets of the proxies
        self.board = Board(context, 3)
        islands = args.mutant == "islands"
        self.stand = Stand(self.folder, seed, mode, with_redis=not islands, lag=0.3 if args.mutant == "lagging-origin" else 0)
        self.board.primary.value = 0 if islands else self.stand.a.port
        self.wrong = []
        self.clients = [context.Process(target=run, args=arguments, daemon=True) for arguments in self.each_client()]

    def each_client(self):
        s = self.stand
        for n in range(READERS):
            yield (Reader, self.board, n, s.ports, self.folder / f"reader{n}.events", self.seed * 100 + n,
                   self.args.rate / READERS, n >= READERS - 2)
        for n in range(WRITERS):
            yield (Writer, self.board, READERS + n, s.ports, s.admin_ports, s.origin_ports[3],
                   self.folder / f"writer{n}.events", self.seed * 100 + 50 + n, 2.2, self.args.mutant)

    def run(self):
        """The report of the offline checker, and what else went wrong."""
        try:
            self.storm()
            self.heal()
        finally:
            for client in self.clients:
                if client.is_alive():
                    client.terminate()
                elif client.exitcode:
                    self.wrong.append(f"a client ended with {client.exitcode}")
            self.wrong += self.stand.stop()
            self.stand.logs()
        history = load(self.folder)
        return history, check(history), self.wrong

    def storm(self):
        for client in self.clients:
            client.start()
        pen, lock = Pen(self.folder / "nemesis.events"), threading.Lock()
        calm = self.args.calm or self.args.mutant
        nemeses = [] if calm else [kind(self.stand, self.board, pen, lock, self.seed * 10 + n)
                                   for n, kind in enumerate((AboveRedis, Below))]
        for each in nemeses:
            each.start()
        end = time.monotonic() + self.seconds - HEAL
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(5, left))
            self.progress(nemeses)
        for each in nemeses:
            each.stop()
            if each.broken:
                self.wrong.append(f"the nemesis stumbled: {each.broken}")
        pen.close()
        self.board.running.value = 0

    def progress(self, nemeses):
        doing = ", ".join(n.doing for n in nemeses if n.doing) or "calm"
        print(f"  seed {self.seed} ({self.mode})  reads {sum(self.board.reads):,}  purges {sum(self.board.purges):,}  "
              f"failed {sum(self.board.failures):,}  faults {sum(n.count for n in nemeses)}: {doing}", file=sys.stderr)

    def heal(self):
        """Writers end, readers go on; then each instance is asked for each key, and how it feels."""
        stopped = time.monotonic()
        for client in self.clients[READERS:]:
            client.join(30)
        until = max(stopped, time.monotonic() - HEAL / 2) + HEAL
        while time.monotonic() < until:
            time.sleep(0.05)
        (self.folder / "meta.json").write_text(json.dumps({
            "seed": self.seed, "mode": self.mode, "instances": 3, "allowed": plan.allowed(), "stopped": int(stopped * 1e9)}))
        sweeper = Reader(self.board, 63, self.stand.ports, self.folder / "sweeper.events", 0, 1, False)
        for key in plan.KEYS:
            for i in range(3):
                sweeper.read(key, i, "get", how="sweep")
        sweeper.pen.close()
        self.board.asking.value = 0
        for client in self.clients[:READERS]:
            client.join(40)
        self.examine()

    def examine(self):
        """The gateways' own opinion, after everything."""
        for gateway in self.stand.gateways:
            door = admin(gateway.admin_port)
            try:
                status, _, ready = door.ask("GET", "/readyz")
                metrics = door.ask("GET", "/metrics")[2].decode()
            except (OSError, http.client.HTTPException) as error:
                self.wrong.append(f"{gateway.target} does not answer: {error!r}")
                continue
            if status != 200 or b"degraded" in ready:
                self.wrong.append(f"{gateway.target} is not well {HEAL} s after the last fault: {status} {ready.decode().strip()}")
            for line in metrics.splitlines():
                if line.startswith("etage_coherence_violations_total") and float(line.rsplit(" ", 1)[1]):
                    self.wrong.append(f"{gateway.target} says itself: {line}")


def histogram(values):
    counts = collections.Counter(next((b for b in BUCKETS if v <= b), float("inf")) for v in values)
    return "  ".join(f"≤{b:g} s: {counts[b]:,}" for b in [*BUCKETS, float("inf")] if counts[b]) or "none"


def quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * q))] if ordered else 0.0


def tell(history, report, wrong, folder):
    """What is shown of a round that found something."""
    by_kind = collections.Counter(v.invariant for v in report.violations)
    shown = set()
    for v in report.violations:
        if v.invariant in shown:
            continue
        shown.add(v.invariant)
        print(f"\n{v.text}\n" + "\n".join(v.window))
    for text in wrong:
        print(f"\nWRONG: {text}")
    if by_kind or wrong:
        print(f"\n{dict(by_kind)} in {folder} (each invariant shown once; at most 20 are kept)")


def soak(args):
    total = collections.Counter()
    lags, waits = [], collections.defaultdict(list)
    seed, left, begin = args.seed, args.seconds, time.monotonic()
    each_s = max(HEAD_START + HEAL, min(ROUND_MAX, args.seconds / 2))
    while left > 0:
        seconds = max(HEAD_START + HEAL, min(left, each_s))
        mode = args.mode or ("strict", "available")[seed % 2]
        each = Round(args, seed, mode, seconds)
        history, report, wrong = each.run()
        tell(history, report, wrong, each.folder)
        total.update(rounds=1, reads=len(history.reads), purges=sum(p.ok for p in history.purges), faults=len(history.faults),
                     refused=sum(not p.ok for p in history.purges), fetches=len(history.fetches), wrong=len(wrong),
                     failed=sum(r.status == 0 or r.status >= 500 for r in history.reads), violations=len(report.violations),
                     hits=sum("; hit" in r.cache_status for r in history.reads),
                     redis=sum("detail=redis" in r.cache_status for r in history.reads))
        lags += report.lags
        for wait, took in report.purge_waits.items():
            waits[wait] += took
        if not (args.keep or report.violations or wrong):
            shutil.rmtree(each.folder)
        seed, left = seed + 1, left - seconds
    summary(args, total, lags, waits, seed - 1, time.monotonic() - begin)
    if args.mutant:
        print(f"mutant {args.mutant}: {'found' if total['violations'] else 'NOT FOUND'}")
        return 0 if total["violations"] else 1
    return 1 if total["violations"] or total["wrong"] else 0


def summary(args, total, lags, waits, last, took):
    print(f"\nsoak: {total['rounds']} rounds, seeds {args.seed} to {last}, {took:.0f} s")
    print(f"  reads       {total['reads']:,} ({total['hits'] / max(1, total['reads']):.0%} hits, {total['redis']:,} from Redis), "
          f"{total['failed']:,} failed, {total['fetches']:,} fetches")
    print(f"  purges      {total['purges']:,} acknowledged, {total['refused']:,} not; {total['faults']:,} faults")
    for wait, values in sorted(waits.items()):
        print(f"  wait={wait:8s} p50 {quantile(values, 0.5) * 1e3:.1f} ms, p99 {quantile(values, 0.99) * 1e3:.1f} ms, "
              f"p99.9 {quantile(values, 0.999) * 1e3:.1f} ms")
    print(f"  lag of other instances after a local acknowledgement: {histogram(lags)}")
    print(f"  violations  {total['violations']}" + (f", and {total['wrong']} other things wrong" if total["wrong"] else ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", nargs="?", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument("--mode", choices=("strict", "available"))
    parser.add_argument("--rate", type=float, default=600)
    parser.add_argument("--calm", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--mutant", choices=MUTANTS)
    args = parser.parse_args()
    if not os.environ.get("BINARY_UNDER_TEST") and not (pathlib.Path(__file__).resolve().parents[2] / "build/release/etage").exists():
        raise SystemExit("soak: no binary; ./dev build first, or set BINARY_UNDER_TEST")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(soak(args))


if __name__ == "__main__":
    main()
