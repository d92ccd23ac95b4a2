"""Raw client streams (hostile.jsonl): the outcome classes and invariants of THREATS.md §1.2, each case however it is cut."""

import os
import random
import time

import hostile_report
import pytest
from stream_cases import read_cases
from stream_families import families
from stream_ring import Ring, judge, ways_of

RESIDENT_GROWTH_MAX = 6 << 20  # from one round to the next: keys and clients are new; no body of 20 MiB is kept


def sanitizers():
    """A small quarantine: what is freed shows in the resident size."""
    return {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "detect_stack_use_after_return=0") + ":quarantine_size_mb=4"}


@pytest.mark.parametrize("pool, threads, at_once, cuts", [(8, 2, 24, 14), (1, 1, 1, 0)])
def test_streams_of_the_corpus(start, tmp_path, progress, pool, threads, at_once, cuts):
    began = time.monotonic()
    ring = Ring(start, tmp_path, pool, threads, at_once, progress, sanitizers())
    cases = read_cases()
    plays, gateway = ring.run(cases, cuts, again=[case for case in cases if not case.segments])
    assert gateway.process.poll() is None, gateway.output
    hostile_report.note(f"streams, pool of {pool}: {len(plays)} plays of {len(cases)} cases in {time.monotonic() - began:.0f} s")
    assert not ring.origin.nobody.violations and not ring.origin.nobody.requests, ring.origin.nobody
    before, after = ring.resident
    hostile_report.note(f"    resident {before / 2**20:.0f} MiB, after another round {after / 2**20:.0f} MiB")
    assert after - before < RESIDENT_GROWTH_MAX
    hostile_report.finish(f"streams, {pool} connection{'s' * (pool > 1)} to the origin", judge(plays))


def test_streams_made_by_rule(start, tmp_path, progress):
    """Whole, and of every eighth also octet by octet."""
    began = time.monotonic()
    cases, chosen = list(families()), random.Random(9)

    def ways(case, cuts):
        return ways_of(case, 0)[:1 if chosen.random() > 1 / 8 else 2]

    ring = Ring(start, tmp_path, 8, 2, 24, progress, sanitizers())
    plays, gateway = ring.run(cases, 0, ways)
    assert gateway.process.poll() is None, gateway.output
    hostile_report.note(f"streams made by rule: {len(plays)} plays of {len(cases)} cases in {time.monotonic() - began:.0f} s")
    assert not ring.origin.nobody.violations and not ring.origin.nobody.requests, ring.origin.nobody
    hostile_report.finish("streams made by rule", judge(plays))
