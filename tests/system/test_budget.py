"""Limits on calls to origins: budgets that are spent, shared and survive, and the guard of how many calls there are at once."""

import threading
import time

import pytest
from door import Door
from redis_fixtures import until

WINDOW = 3  # seconds; longer than a burst of requests takes, shorter than anybody wants to wait


def next_window(length=WINDOW, room=1.1):
    """Into a window of the calendar. Etage knows whole seconds of it: a window may end up to one late."""
    time.sleep(length - time.time() % length + room)


def most_at_once(fetches):
    """Of the requests that an origin answered."""
    moments = sorted([(f.begin, 1) for f in fetches] + [(f.end, -1) for f in fetches if f.end])
    now = most = 0
    for _, step in moments:
        now += step
        most = max(most, now)
    return most


@pytest.fixture
def paid(make_origin, gateway, tmp_path):
    """A gateway whose origin has these keys beside its URL."""

    def make(keys, cache_control="max-age=1", more="", **kwargs):
        origin = make_origin(cache_control=lambda key: cache_control, **kwargs)
        (tmp_path / "etage.toml").write_text(f'[origin]\nurls = ["{origin.url}"]\n{keys}\n{more}')
        api = gateway("--config", tmp_path / "etage.toml")
        api.origin = origin
        return api

    return make


def together(api, paths):
    """All of them at the same moment, on connections of their own: (status, fields, seconds) of each."""
    results = [None] * len(paths)
    gate = threading.Barrier(len(paths))

    def run(n, path):
        door = Door(api.port, host=f"127.0.0.1:{api.port}")
        gate.wait()
        began = time.monotonic()
        status, fields, _ = door.ask("GET", path)
        results[n] = (status, fields, time.monotonic() - began)
        door.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(paths)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


# ---- budgets

def test_with_the_budget_spent_what_is_stale_is_served_and_the_rest_is_told_when_to_come_back(paid):
    api = paid(f'budget = "3/{WINDOW}s"')
    next_window()
    for n in range(3):
        assert api.get(f"/k/{n}").status_code == 200
    refused = api.get("/k/new")
    assert refused.status_code == 503
    assert refused.headers["cache-status"] == "etage; detail=budget-spent"
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "urn:etage:problem:budget-spent"
    assert 1 <= int(refused.headers["retry-after"]) <= WINDOW
    time.sleep(1.1)  # what is stored is stale
    stale = api.get("/k/0")
    assert stale.status_code == 200 and int(stale.headers["age"]) >= 1
    assert "etage; hit" in stale.headers["cache-status"] and "detail=budget-spent" in stale.headers["cache-status"]
    assert api.client.post("/k/0").status_code == 503, "an unsafe method is a call, too"
    assert api.origin.count() == 3
    assert api.metric("etage_origin_budget_remaining") == 0
    assert api.metric("etage_origin_budget_refused_total") >= 3
    assert api.metric("etage_origin_calls_total") == 3
    assert "budget spent" in api.output


def test_who_comes_back_when_told_is_answered(paid):
    api = paid(f'budget = "2/{WINDOW}s"')
    next_window()
    for n in range(2):
        assert api.get(f"/k/{n}").status_code == 200
    refused = api.get("/k/new")
    assert refused.status_code == 503
    time.sleep(int(refused.headers["retry-after"]) + 0.05)
    assert api.get("/k/new").status_code == 200
    assert api.origin.count() == 3
    api.wait_for("budget is back")


def test_revalidations_and_refreshes_cost_a_call_and_hits_do_not(paid):
    api = paid('budget = "100/h"', cache_control="max-age=1, stale-while-revalidate=60")
    for _ in range(20):
        api.get("/k/a")
    assert api.metric("etage_origin_budget_remaining") == 99
    time.sleep(1.1)
    assert "stale-while-revalidate" in api.verdict("/k/a")
    until(lambda: api.metric("etage_origin_budget_remaining") == 98)
    assert api.get("/k/a", Cache_Control="no-cache").status_code == 200
    assert api.metric("etage_origin_budget_remaining") == 97
    assert [f.kind for f in api.origin.fetches] == ["plain", "conditional", "conditional"]


def test_what_must_be_revalidated_is_not_served_stale(paid):
    api = paid('budget = "1/h"', cache_control="max-age=1, must-revalidate")
    api.get("/k/a")
    time.sleep(1.1)
    assert api.get("/k/a").status_code == 503


def test_a_crowd_spends_no_more_than_there_is(paid):
    api = paid('budget = "20/h"')
    results = together(api, [f"/k/{n}" for n in range(150)])
    assert sorted(status for status, _, _ in results) == [200] * 20 + [503] * 130
    assert api.origin.count() == 20


def test_a_token_bucket_spreads_the_calls(paid):
    api = paid('budget = { rate = "4/s", algorithm = "token_bucket", burst = 2 }')
    statuses = [api.get(f"/k/{n}").status_code for n in range(4)]
    assert statuses == [200, 200, 503, 503]
    time.sleep(0.55)
    assert [api.get(f"/l/{n}").status_code for n in range(2)].count(200) >= 1


def test_money_is_counted(paid):
    api = paid('cost_per_call = 0.25\nbudget = "9/h"', cache_control="max-age=60")
    for _ in range(5):
        api.get("/k/a")
    assert api.metric("etage_origin_calls_total") == 1
    assert api.metric("etage_origin_calls_saved_total") == 4
    assert api.metric('etage_origin_cost_saved_total{origin="default"}') == 1.0, "no currency, no label"
    assert api.metric("etage_origin_budget") == 9


# ---- together, on Redis

BUDGET = '[origin]\nbudget = "10/h"\n'


def spend(api, count, name):
    return [api.get(f"/{name}/{n}").status_code for n in range(count)].count(200)


def test_two_instances_have_one_budget(redis, instance, make_origin):
    origin = make_origin()
    a, b = (instance(redis, origin=origin, toml=BUDGET) for _ in range(2))
    assert spend(a, 4, "a") == 4
    assert spend(b, 20, "b") == 6
    assert spend(a, 20, "c") == 0
    assert origin.count() == 10
    assert a.metric("etage_origin_budget_remaining") == 0


def test_a_restart_does_not_bring_the_budget_back(redis, instance, make_origin):
    origin = make_origin()
    a = instance(redis, origin=origin, toml=BUDGET)
    assert spend(a, 7, "a") == 7
    a.stop()
    again = instance(redis, origin=origin, toml=BUDGET)
    assert spend(again, 20, "b") == 3


def test_with_redis_gone_each_instance_has_its_share_and_nobody_waits(make_redis, instance, make_origin):
    redis, origin = make_redis(persistent=True), make_origin()
    a, b = (instance(redis, origin=origin, toml=BUDGET) for _ in range(2))
    for each in (a, b):
        until(lambda: each.metric("etage_instances_live") == 2)
        assert spend(each, 1, each.url[-5:]) == 1
    redis.kill()
    began = time.monotonic()
    alone = spend(a, 20, "alone-a") + spend(b, 20, "alone-b")
    assert time.monotonic() - began < 10
    assert 4 <= alone <= 8, "the eight that were left, shared"
    redis.start()
    a.become(degraded=False), b.become(degraded=False)
    assert spend(a, 20, "back-a") + spend(b, 20, "back-b") <= 1, "what was spent alone is told; shares are whole calls"


# ---- the guard

def test_the_origin_never_has_more_than_its_number(paid):
    api = paid("concurrency = 4", service=lambda rng: 0.05)
    results = together(api, [f"/k/{n}" for n in range(60)])
    assert {status for status, _, _ in results} <= {200, 503}
    assert most_at_once(api.origin.fetches) <= 4
    shed = [fields for status, fields, _ in results if status == 503]
    assert shed, "60 at once, of which 4 and those of the next 100 ms have a place"
    for fields in shed:
        assert fields["Cache-Status"] == "etage; detail=origin-busy"
        assert fields["Retry-After"] == "1"
    assert api.metric("etage_origin_shed_total") == len(shed)
    assert api.metric("etage_origin_concurrency_limit") == 4
    assert api.metric("etage_origin_in_flight") == 0
    assert "origin busy" in api.output


def test_nobody_waits_longer_than_the_line_and_the_origin_take(paid):
    latency, line, busy = 0.2, 0.1, 0.25  # the last: what a busy machine adds to 30 threads at once
    api = paid(f'concurrency = 3\nqueue_time_max = "{int(line * 1000)}ms"', service=lambda rng: latency)
    results = together(api, [f"/k/{n}" for n in range(30)])
    assert max(seconds for _, _, seconds in results) < line + latency + busy
    assert [status for status, _, _ in results].count(200) >= 3


def test_with_something_stale_everybody_is_answered(paid):
    api = paid("concurrency = 2", service=lambda rng: 0.15)
    keys = [f"/k/{n}" for n in range(12)]
    for key in keys:
        assert api.get(key).status_code == 200
    time.sleep(1.1)
    results = together(api, keys)
    assert {status for status, _, _ in results} == {200}
    busy = [fields["Cache-Status"] for _, fields, _ in results if "origin-busy" in fields["Cache-Status"]]
    assert busy and all(status.startswith("etage; hit") for status in busy)
    assert most_at_once(api.origin.fetches) <= 2


def test_adaptive_protects_an_origin_that_slows_down_under_load(paid):
    """It works on eight at once, 20 ms each: whoever comes on top makes all of them slower."""
    holder = {}

    def service(rng):
        with holder["origin"].lock:
            under_way = sum(f.end is None for f in holder["origin"].fetches[-400:])
        return 0.02 * max(1, under_way / 8)

    api = paid('concurrency = "adaptive"', cache_control="no-store", service=service)
    holder["origin"] = api.origin
    end = time.monotonic() + 6
    answered, lock = [], threading.Lock()

    def press(n):
        door, count = Door(api.port), 0
        while time.monotonic() < end:
            count += 1
            status, _, _ = door.ask("GET", f"/k/{n}/{count}")
            with lock:
                answered.append(status)

    threads = [threading.Thread(target=press, args=(n,)) for n in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answered) <= {200, 503}
    assert 4 <= api.metric("etage_origin_concurrency_limit") < 50
    assert most_at_once(api.origin.fetches[-200:]) < 50, "60 wanted in"
