"""A gateway under a whole corpus: every case whole, octet by octet, and cut once in many places, many at once; behind each
play somebody innocent who must get his own answer."""

import asyncio
import dataclasses
import itertools
import random

from processes import Etage
from stream_play import Origin, Player, bytewise, cut_at, whole
from stream_verdict import grade

CONFIG = """
[server]
threads = {threads}
body_timeout = "3s"
body_bytes_max = "10MiB"
[origin]
connections_max = {pool}
connect_timeout = "30s"
[log]
level = "error"
[[route]]
match = "POST /limited"
limits = [{{ name = "once", rate = "1/h" }}]
[[route]]
match = "/**"
"""
PRIME = b"GET /cacheable HTTP/1.1\r\nHost: gw.test\r\nConnection: close\r\n\r\n"
SPENT = b"POST /limited HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
VICTIMS = itertools.count()


@dataclasses.dataclass
class Play:
    case: object
    how: str
    trace: object
    victim: object = None
    victim_target: bytes = b""


def ways_of(case, cuts):
    """[(name, pieces, pause)] to send a case in."""
    if case.segments:  # "head|milliseconds|body"; any pause over body_timeout is long enough
        head = case.octets.index(b"\r\n\r\n") + 4
        return [("pause", [case.octets[:head], case.octets[head:]], 4.0)]
    ways = [("whole", whole(case.octets), 0), ("bytewise", bytewise(case.octets), 0)]
    if len(case.octets) <= 1 << 20:
        offsets = sorted(random.Random(case.id).sample(range(1, len(case.octets)), min(cuts, len(case.octets) - 1)))
        ways += [(f"cut at {n}", cut_at(n)(case.octets), 0.003) for n in offsets]
    return ways


class Ring:
    """`start`: the fixture; `pool`: connections to the origin."""

    def __init__(self, start, tmp_path, pool, threads, at_once, progress, env=None):
        self.start, self.path, self.pool, self.threads = start, tmp_path, pool, threads
        self.at_once, self.progress, self.env = at_once, progress, env

    def run(self, cases, cuts, ways=ways_of, again=()):
        """([Play], Etage). `again`: cases to be played once more, whole; `self.resident` is what was resident before and
        after that."""
        return asyncio.run(self.everything(cases, cuts, ways, again))

    async def everything(self, cases, cuts, ways, again):
        self.origin = Origin()
        await self.origin.open()
        (self.path / f"hostile-{self.pool}.toml").write_text(CONFIG.format(pool=self.pool, threads=self.threads))
        self.gateway = await asyncio.to_thread(
            self.start, Etage, "run", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--origin", self.origin.url,
            "--config", self.path / f"hostile-{self.pool}.toml", env=self.env)
        player = Player(self.gateway.port, self.origin)
        plays = await self.play_all(player, cases, cuts, ways)
        self.resident = [self.gateway.resident()]
        plays += await self.play_all(player, again, 0, lambda case, _: [("again", whole(case.octets), 0)])
        self.resident.append(self.gateway.resident())
        return plays, self.gateway

    async def play_all(self, player, cases, cuts, ways):
        await player.play(PRIME)
        work = [(case, *way) for case in cases for way in ways(case, cuts)]
        random.Random(1).shuffle(work)  # long ones beside short ones
        work.sort(key=lambda w: w[3] < 1)  # who pauses begins first
        plays, todo = [], iter(work)

        async def worker():
            for case, how, pieces, pause in todo:
                before = PRIME if "prime" in case.setup else SPENT if "limiter" in case.setup else b""
                trace = await player.play(case.octets, pieces, case.half_close, pause, before)
                target = b"/victim-%d" % next(VICTIMS)
                victim = await player.play(b"GET %s HTTP/1.1\r\nHost: gw.test\r\nConnection: close\r\n\r\n" % target)
                plays.append(Play(case, how, trace, victim, target))
                self.progress(len(plays), len(work), f"pool of {self.pool}")

        await asyncio.gather(*(worker() for _ in range(self.at_once)))
        for _ in range(100):  # what was cut off may still be on its way to the origin
            if not any(p.trace.seen.broken for p in plays[-self.at_once:]) and self.origin.connections <= self.pool:
                break
            await asyncio.sleep(0.01)
        return plays


def judge(plays):
    """{case id: (case, grade, reasons)}: the worst of all its ways; also when one way differs from the others."""
    order, found = ("pass", "alt", "fail"), {}
    verdicts = {}
    for play in plays:
        mark, reasons = grade(play.case, play.trace)
        reasons = [f"{play.how}: {reason}" for reason in reasons]
        victim = play.victim
        if victim and (victim.statuses != [200] or victim.answers[0].body != play.victim_target):
            mark = "fail"
            reasons.append(f"{play.how}: the victim asked for {play.victim_target} and got {victim.statuses} "
                           f"{[a.body[:80] for a in victim.answers]} {victim.note}")
        first = verdicts.setdefault(play.case.id, (play.how, play.trace.verdict()))
        if play.trace.verdict() != first[1]:
            mark = "fail"
            reasons.append(f"{play.how}: {play.trace.verdict()}, but {first[0]}: {first[1]}")
        _, before, why = found.get(play.case.id, (None, "pass", []))
        found[play.case.id] = (play.case, max(before, mark, key=order.index), why + reasons)
    return found
