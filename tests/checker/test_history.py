"""The offline checker is itself checked: good histories pass, and each planted mistake is found and shown."""

import pytest
from events import Commit, Fault, Fetch, History, Purge, Read, load, save
from history import check
from model import FAULTS, history

MS = 1_000_000
K = "/k/a/1"


def story(*events, mode="strict", **kwargs):
    """Commits are (key, version, ms, tags); times are in ms."""
    told = History(seed=7, mode=mode, **kwargs)
    for event in events:
        told.add(event)
    return told


def commit(version, at, *tags, key=K):
    return Commit(key, version, at * MS, list(tags))


def purge(begin, end, *names, at=0, wait="local", ok=True, confirmed=1, live=1, seq=0):
    return Purge(begin * MS, end * MS, at, list(names), ok, wait, confirmed, live, seq, 200 if ok else 503)


def read(begin, version, at=0, end=None, token=0, how="get", age=None, said=0, key=K, status=200, intact=True,
         cache_status="etage; hit; ttl=1"):
    return Read(key, begin * MS, (end or begin + 1) * MS, at, status, version, age if age is not None else 0, said * MS, token,
                how, cache_status, intact)


def fault(begin, end, what, target, loses=False):
    return Fault(begin * MS, end * MS, what, target, loses)


def found(*events, **kwargs):
    return [v.invariant for v in check(story(*events, **kwargs)).violations]


@pytest.mark.parametrize("seed", range(1, 9))
def test_a_correct_cache_passes_whatever_happens_to_it(seed):
    told = history(seed)
    report = check(told)
    assert not report.violations, "\n".join([report.violations[0].text, *report.violations[0].window])
    assert len(told.reads) > 10_000 and len(told.purges) > 200 and report.lags, "it was asked enough to be believed"


@pytest.mark.parametrize("planted, invariant", FAULTS.items())
def test_each_planted_mistake_is_found(planted, invariant):
    caught = next(filter(None, (check(history(seed, planted)).of(invariant) for seed in range(1, 6))), None)
    assert caught, f"{planted} breaks {invariant}, and nobody saw it"
    assert "(seed " in caught[0].text and any(">>>" in line for line in caught[0].window)
    assert len(caught[0].window) <= 24


def test_a_recorded_history_comes_back_from_its_files(tmp_path):
    told = history(3, "redis-without-fence", seconds=30)
    save(told, tmp_path)
    with open(tmp_path / "all.events", "a") as file:
        file.write('["read", "/k/a/1", 17')
    again = load(tmp_path)
    assert again.commits == told.commits and sorted(again.reads) == sorted(told.reads)
    assert [v.text for v in check(again).violations] == [v.text for v in check(told).violations]


# ---- INV-1: who is bound by which acknowledgement

OUTDATED = (commit(1, 0, "a"), commit(2, 100, "b"))


def test_old_after_an_acknowledged_purge_is_a_violation():
    assert found(*OUTDATED, purge(110, 120, "url:" + K), read(121, 1)) == ["INV-1"]


def test_a_read_that_overlaps_the_purge_may_have_either():
    assert found(*OUTDATED, purge(110, 120, "url:" + K), read(119, 1, end=500)) == []


def test_a_purge_that_began_before_the_commit_says_nothing_of_it():
    assert found(*OUTDATED, purge(99, 120, "url:" + K), read(121, 1)) == []


def test_a_purge_that_was_refused_binds_nobody():
    assert found(*OUTDATED, purge(110, 120, "url:" + K, ok=False), read(121, 1)) == []


@pytest.mark.parametrize("name, covered", [("all", True), ("tag:a", True), ("tag:b", False), ("prefix:/k/a", True),
                                           ("prefix:/k/b", False), ("url:/k/a/2", False)])
def test_what_a_purge_covers_goes_by_the_version_that_is_stored(name, covered):
    assert found(*OUTDATED, purge(110, 120, name), read(121, 1)) == ["INV-1"] * covered


def test_a_local_acknowledgement_binds_the_instance_that_gave_it():
    events = (*OUTDATED, purge(110, 120, "all", at=1), read(150, 1, at=0))
    assert found(*events) == []
    assert check(story(*events)).lags == [0.03], "for the others it is a lag, and is told"
    assert found(*OUTDATED, purge(110, 120, "all", at=1), read(150, 1, at=1)) == ["INV-1"]


def test_wait_all_binds_everybody_when_all_the_living_have_confirmed():
    everybody = purge(110, 120, "all", at=1, wait="all", confirmed=2, live=2)
    assert found(*OUTDATED, everybody, read(150, 1)) == ["INV-1"]
    assert found(*OUTDATED, everybody._replace(confirmed=1), read(150, 1)) == []
    assert found(*OUTDATED, everybody, read(150, 1), mode="available") == [], "who has lapsed may serve there"
    assert found(*OUTDATED, everybody._replace(confirmed=3, live=3), read(150, 1), mode="available") == ["INV-1"]


def test_a_token_binds_whoever_is_asked_with_it():
    foreign = purge(110, 120, "tag:a", at=-1, wait="foreign", seq=900)
    assert found(*OUTDATED, foreign, read(150, 1)) == []
    assert found(*OUTDATED, foreign, read(150, 1, token=899)) == []
    assert found(*OUTDATED, foreign, read(150, 1, token=900)) == ["INV-1"]
    lost = fault(5000, 5001, "flush", "redis", loses=True)
    assert found(*OUTDATED, foreign, lost, read(150, 1, token=900)) == [], "nobody but Redis knew of it"


def test_the_largest_of_several_floors_counts():
    events = (commit(1, 0), commit(2, 100), commit(3, 200), purge(110, 120, "all"), purge(210, 220, "all"))
    assert found(*events, read(221, 2)) == ["INV-1"]
    assert found(*events, read(221, 3)) == []
    assert found(*events, read(205, 2)) == []


# ---- the others

def test_phantoms():
    assert found(commit(1, 0), read(10, 2)) == ["INV-2"]
    assert found(commit(1, 0), commit(2, 50), read(10, 2)) == ["INV-2"]
    assert found(commit(1, 0), commit(2, 50), read(10, 2, end=60)) == []
    assert found(commit(1, 0), read(10, 1, intact=False)) == ["INV-2"]


def test_staleness_ends_with_lifetime_and_window():
    kwargs = {"allowed": {K: 10}}
    assert found(*OUTDATED, read(13_000, 1), **kwargs) == []
    assert found(*OUTDATED, read(14_000, 1), **kwargs) == ["INV-3"]


def test_age():
    assert found(commit(1, 0), read(9_500, 1, age=9, said=100)) == []
    assert found(commit(1, 0), read(9_500, 1, age=8, said=100)) == ["INV-4"]
    assert found(commit(1, 0), read(9_500, 1, age=-1, said=100)) == ["INV-4"]
    assert found(commit(1, 0), read(2_000, 1, age=6, said=100), read(2_100, 1, age=3, said=100, at=1)) == ["INV-4"]


def test_a_purge_across_a_kill_is_a_lost_one():
    killed = fault(130, 140, "kill", "g0")
    assert found(*OUTDATED, purge(110, 120, "all"), killed, read(150, 1)) == ["INV-5"]
    assert found(purge(110, 120, "all"), fault(100, 200, "away", "g0")) == ["INV-5"]


def test_what_a_failover_lost_with_all_who_knew_of_it_is_no_fault_of_the_cache():
    lost = (purge(110, 120, "all"), fault(125, 126, "failover", "redis", loses=True))
    assert found(*OUTDATED, *lost, read(150, 1)) == ["INV-5"], "it knows"
    assert found(*OUTDATED, *lost, fault(130, 140, "kill", "g0"), read(150, 1)) == []


def test_two_fetches_at_a_time():
    first, second = (Fetch(K, "GET", "plain", b * MS, e * MS, 0, 200, 1) for b, e in ((5_000, 5_100), (5_050, 5_150)))
    assert found(commit(1, 0), first, second) == ["INV-6"]
    assert found(commit(1, 0), first, second._replace(port=1)) == []
    assert found(commit(1, 0), first, second, purge(5_010, 5_020, "all")) == []


def test_after_the_faults_all_have_come_together():
    swept = read(60_000, 1, at=2, how="sweep")
    assert found(*OUTDATED, purge(110, 120, "all"), swept) == ["INV-7"]
    assert found(*OUTDATED, swept) == [], "nobody purged it"


def test_an_error_of_ours():
    assert found(commit(1, 0), read(10, 0, status=502)) == ["INV-8"]
    assert found(commit(1, 0), read(10, 0, status=502), fault(0, 20, "outage", "origin")) == []
    assert found(commit(1, 0), read(10, 0, status=0), fault(0, 20, "kill", "g0")) == []
    assert found(commit(1, 0), read(10, 0, status=0), fault(0, 20, "kill", "g1")) == ["INV-8"]
