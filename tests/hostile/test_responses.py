"""Hostile origins (responses.jsonl): the same strictness the other way. 502, or a message that is visibly incomplete; the
connection to the origin closed; nothing stored; whoever comes next unharmed."""

import asyncio
import itertools
import time

import hostile_report
import pytest
from processes import Etage
from response_families import response_families
from response_play import HostileOrigin, Told, read_responses_corpus
from stream_play import Player, bytewise, cut_at, whole
from test_streams import sanitizers

CONFIG = """
[server]
threads = {threads}
[origin]
connections_max = {pool}
connect_timeout = "30s"
first_byte_timeout = "2s"
between_bytes_timeout = "2s"
[log]
level = "off"
[[route]]
match = "HEAD /r/**"
cache = {{ pass = true }}  # or it would be asked for with GET, to be stored
[[route]]
match = "/**"
"""
NUMBERS = itertools.count()


def request(case, target):
    length = b"Content-Length: 0\r\n" if case.method == b"POST" else b""
    return b"%s %s HTTP/1.1\r\nHost: gw.test\r\nConnection: close\r\n%s\r\n" % (case.method, target, length)


def outcome(trace):
    """"502", "504", "ok", or "cut": a head was passed on, and the connection ended before its message did."""
    if len(trace.answers) == 1 and not trace.rest:
        status = trace.statuses[0]
        return str(status) if status in (502, 504) else "ok"
    if not trace.answers and trace.rest.startswith(b"HTTP/1.1 200") and b"\r\n\r\n" in trace.rest:
        return "cut"
    return f"{trace.statuses}, then {trace.rest[:80]!r}, {trace.note}"


async def play(player, origin, case, how, pieces):
    """[reasons], and what came out."""
    number = next(NUMBERS)
    target = b"/r/%d" % number
    origin.scripts[target] = (case, pieces)
    trace = await player.play(request(case, target))
    for _ in range(2000):  # till the origin has said all of it
        if origin.told.setdefault(target, Told()).said:
            break
        await asyncio.sleep(0.001)
    victim_target = b"/victim-%d" % number
    victim = await player.play(b"GET %s HTTP/1.1\r\nHost: gw.test\r\nConnection: close\r\n\r\n" % victim_target)
    came, reasons = outcome(trace), []
    told = origin.told[target]
    wanted = "ok" if case.expect == "once" else case.expect
    if came != wanted and came not in case.alt:
        reasons.append(f"{came}; expected {case.expect}")
    if b"POISONED" in b"".join(a.raw for a in trace.answers) + trace.rest:
        reasons.append("octets that are no content reached the client")
    if victim.statuses != [200] or victim.answers[0].body != victim_target:
        reasons.append(f"the victim got {victim.statuses} {[a.body[:60] for a in victim.answers]} {victim.note}")
    if case.expect in ("502", "504", "cut") and case.method == b"GET":
        asked = told.asked
        again = await player.play(request(case, target))
        if outcome(again) == "ok" or told.asked == asked:
            reasons.append(f"stored: the second time it was {outcome(again)}")
    if case.expect != "ok":
        for _ in range(100):
            if told.closed:
                break
            await asyncio.sleep(0.01)
        if not told.closed or told.reused:
            reasons.append(f"the connection to the origin was {'used again' if told.reused else 'not closed'}")
    del origin.scripts[target]
    return case, [f"{how}: {reason}" for reason in reasons], came != wanted


def ways_of(case, cuts, alone):
    ways = [("whole", whole(case.octets))]
    # What comes behind an answer, to a connection that somebody else is using by then, is his answer: HTTP/1.1 cannot tell.
    if case.expect == "once" and not alone:
        return [] if case.later else ways
    if not case.slow and case.octets:
        ways.append(("bytewise", bytewise(case.octets)))
        ways += [(f"cut at {n}", cut_at(n)(case.octets)) for n in range(1, len(case.octets), max(1, len(case.octets) // cuts))] \
            if cuts else []
    return ways


def run(start, tmp_path, progress, cases, pool, threads, at_once, cuts):
    async def everything():
        origin = HostileOrigin()
        await origin.open()
        (tmp_path / "responses.toml").write_text(CONFIG.format(threads=threads, pool=pool))
        gateway = await asyncio.to_thread(start, Etage, "run", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--origin",
                                          origin.url, "--config", tmp_path / "responses.toml", env=sanitizers())
        player, results = Player(gateway.port, origin), []
        work = [(case, *way) for case in cases for way in ways_of(case, cuts, at_once == 1)]
        todo = iter(sorted(work, key=lambda w: not w[0].slow))

        async def worker():
            for case, how, pieces in todo:
                results.append(await play(player, origin, case, how, pieces))
                progress(len(results), len(work), f"responses, pool of {pool}")

        await asyncio.gather(*(worker() for _ in range(at_once)))
        assert gateway.process.poll() is None, gateway.output
        assert b"" not in origin.told, origin.told[b""]
        for task in list(origin.tasks):
            task.cancel()
        return results

    return asyncio.run(everything())


def judge(results):
    """{case id: (case, outcome, reasons)}: the worst of all its ways."""
    found = {}
    for case, reasons, other in results:
        mark = "fail" if reasons else "alt" if other else "pass"
        _, before, why = found.get(case.id, (case, "pass", []))
        found[case.id] = (case, max(before, mark, key=("pass", "alt", "fail").index), why + reasons)
    return found


@pytest.mark.parametrize("pool, threads, at_once, cuts", [(8, 2, 8, 8), (1, 1, 1, 0)])
def test_responses_of_the_corpus(start, tmp_path, progress, pool, threads, at_once, cuts):
    began = time.monotonic()
    cases = list(read_responses_corpus())
    results = run(start, tmp_path, progress, cases, pool, threads, at_once, cuts)
    hostile_report.note(f"responses, pool of {pool}: {len(results)} plays of {len(cases)} cases in {time.monotonic() - began:.0f} s")
    hostile_report.finish(f"responses, {pool} connection{'s' * (pool > 1)} to the origin", judge(results))


def test_responses_made_by_rule(start, tmp_path, progress):
    began = time.monotonic()
    cases = list(response_families())
    results = run(start, tmp_path, progress, cases, 8, 2, 8, 0)
    hostile_report.note(f"responses made by rule: {len(results)} plays of {len(cases)} cases in {time.monotonic() - began:.0f} s")
    hostile_report.finish("responses made by rule", judge(results))
