"""Scripted poisoning, deception and hostile origins (cachecases.jsonl, THREATS.md §2), each in three ways: cachecases.md."""

import asyncio
import collections
import time

import hostile_report
import pytest
from cases_assertions import judge, worst
from cases_language import of_row, read_corpus
from cases_origin import ScriptedOrigin
from cases_rules import cases as cases_made_by_rule
from cases_stand import WAYS, Player, Stand
from processes import BINARY
from test_streams import sanitizers

AT_ONCE = 12
NOT_WITH_SANITIZERS = {  # they measure the release binary's speed, or how large the process is
    "VAR-05": "20,000 variants, and a latency of 50 ms",
    "DOS-43": "50,000 answers of 12 kB, and the size of the process",
}


def has_sanitizers():
    with open(BINARY, "rb") as binary:
        return b"__asan_" in binary.read()


def groups_of(cases):
    """{configuration: cases}: each has gateways of its own."""
    groups = collections.defaultdict(list)
    for case in cases:
        groups[case.toml].append(case)
    return groups


async def play_group(player, cases, found, progress):
    """Many at once; those that measure what others would disturb come after them, one by one."""
    crowd = iter([case for case in cases if not case.alone])

    async def worker():
        for case in crowd:
            played = await player.play(case)
            found.append((case, player.stand.way, judge(played)))
            progress()

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    for case in cases:
        if case.alone:
            found.append((case, player.stand.way, judge(await player.play(case))))
            progress()


def run(start, make_redis, tmp_path, progress, cases, way):
    async def everything():
        origin, found = ScriptedOrigin(), []
        await origin.open()
        for toml, group in groups_of(cases).items():
            steps_max = max(len(case.steps) for case in group)
            stand = await Stand.make(way, toml, steps_max, start, make_redis, origin, tmp_path, sanitizers())
            await play_group(Player(stand), group, found, lambda: progress(len(found), len(cases), f"cases, {way}"))
            for gateway in stand.gateways:
                assert gateway.process.poll() is None, gateway.output
                assert gateway.stop() == 0, gateway.output
        assert not origin.nobody.violations and not origin.nobody.asked, origin.nobody
        return found

    return asyncio.run(everything())


def report(start, make_redis, tmp_path, progress, cases, way, what):
    began = time.monotonic()
    if has_sanitizers():
        cases = [case for case in cases if case.id not in NOT_WITH_SANITIZERS]
    found = run(start, make_redis, tmp_path, progress, cases, way)
    hostile_report.note(f"{what}, {way}: {len(found)} plays in {time.monotonic() - began:.0f} s")
    hostile_report.finish(f"{what}, {way}", worst(found))


@pytest.mark.parametrize("way", WAYS)
def test_cases_of_the_corpus(start, make_redis, tmp_path, progress, way):
    report(start, make_redis, tmp_path, progress, read_corpus(), way, "cache cases")


@pytest.mark.parametrize("way", WAYS)
def test_cases_made_by_rule(start, make_redis, tmp_path, progress, way):
    report(start, make_redis, tmp_path, progress, cases_made_by_rule(), way, "cache cases made by rule")


@pytest.mark.parametrize("way", WAYS)
def test_each_way_is_what_it_says(start, make_redis, tmp_path, way):
    """Were nothing stored, or nothing found, most cases would pass for nothing."""
    three = {"id": "T", "class": "teeth", "origin": [{"status": 200, "headers": [["Cache-Control", "max-age=60"]], "body": "v{n}"}],
             "steps": [["V", "GET /x HTTP/1.1\\r\\nHost: gw.test\\r\\n\\r\\n"]] * 3,
             "assert": [["r2.hit", "==", True], ["r3.hit", "==", True], ["origin.count", "==", 1], ["stored", "==", True]]}

    async def everything():
        origin = ScriptedOrigin()
        await origin.open()
        stand = await Stand.make(way, "", 3, start, make_redis, origin, tmp_path, sanitizers())
        return await Player(stand).play(of_row(three))

    played = asyncio.run(everything())
    assert not judge(played), judge(played)
    found_in_redis = ["detail=redis" in taken.last.verdict for taken in played.taken]
    assert found_in_redis == {"memory": [False] * 3, "redis alone": [False, True, True],
                              "second instance": [False, True, False]}[way]
