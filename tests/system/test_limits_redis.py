"""Limits that instances count together, on a real Redis that is killed, stopped, replaced and emptied."""

import threading
import time

import httpx
import pytest
from redis_fixtures import HOST, until

K = "/k/a/1"


def limit(text, more=""):
    return f'{more}\n[[route]]\nmatch = "GET /**"\nlimits = [{{ name = "l", {text} }}]\n'


def status(instance, path=K):
    return instance.get(path).status_code


def statuses(instances, count):
    """Asked in turn."""
    return [status(instances[n % len(instances)]) for n in range(count)]


@pytest.fixture
def pair(redis, instance):
    def make(text, n=2, **kwargs):
        made = [instance(redis, toml=limit(text), **kwargs) for _ in range(n)]
        time.sleep(1.3)  # until every instance knows how many there are
        return made

    return make


def test_instances_count_together(pair):
    both = pair('rate = "10/h", lease = 1')
    assert statuses(both, 14) == [200] * 10 + [429] * 4


@pytest.mark.parametrize("algorithm", ["fixed_window", "sliding_window"])
def test_windows_are_common_too(pair, algorithm):
    both = pair(f'rate = "6/h", lease = 1, algorithm = "{algorithm}"')
    assert statuses(both, 9) == [200] * 6 + [429] * 3


def test_a_lease_saves_round_trips_and_is_bounded(pair):
    both = pair('rate = "1000/h", lease = 10')
    assert statuses(both, 400) == [200] * 400
    assert sum(each.metric("etage_limit_calls_total") for each in both) <= 0.12 * 400
    allowed = 400 + statuses(both, 640).count(200)
    assert 1000 - 20 <= allowed <= 1000, "what one has leased the other cannot have, and nobody has more"


def test_leases_go_back_at_shutdown(redis, pair, instance):
    first, second = pair('rate = "20/h", lease = 10')
    assert status(first) == 200
    assert first.stop() == 0
    assert [status(second) for _ in range(21)] == [200] * 19 + [429] * 2


def test_a_lease_of_an_instance_that_died_is_lost_and_no_more(pair):
    first, second = pair('rate = "20/h", lease = 10')
    assert status(first) == 200
    first.process.kill()
    first.process.wait()
    assert [status(second) for _ in range(12)] == [200] * 10 + [429] * 2


@pytest.mark.parametrize("harm", ["kill", "stop"])
def test_without_redis_each_goes_on_with_its_share_and_nothing_bursts(redis, pair, harm):
    both = pair('rate = "40/h", burst = 40, lease = 1')
    assert statuses(both, 10) == [200] * 10
    redis.kill() if harm == "kill" else redis.freeze()
    try:
        for each in both:
            each.become(True)
        allowed = [[status(each) for _ in range(30)].count(200) for each in both]
        assert all(13 <= n <= 16 for n in allowed), f"30 are left, two share them: {allowed}"
        assert all(each.metric("etage_limits_without_redis_total") > 0 for each in both)
    finally:
        redis.restart() if harm == "kill" else redis.thaw()
    for each in both:
        each.become(False)
    assert statuses(both, 10).count(200) <= 2, "a Redis that has lost its count, or has the old one, is told"


def test_closed_lets_nobody_in_and_open_everybody(redis, instance):
    closed = instance(redis, toml=limit('rate = "3/h", outage = "closed"'))
    opened = instance(redis, toml=limit('rate = "3/h", outage = "open"'))
    redis.kill()
    for each in (closed, opened):
        each.become(True)
    unknown = closed.get(K)
    assert (unknown.status_code, "detail=limit-unknown" in unknown.headers["cache-status"]) == (503, True)
    assert int(unknown.headers["retry-after"]) >= 1
    assert statuses([opened], 8) == [200] * 8
    redis.restart()
    for each in (closed, opened):
        each.become(False)
    until(lambda: status(closed) == 200)


def test_emptied_redis_is_told_what_is_known(redis, pair):
    both = pair('rate = "30/h", lease = 1')
    assert statuses(both, 20) == [200] * 20
    redis.call("FLUSHALL")
    allowed = statuses(both, 30).count(200)
    assert allowed <= 11, "each tells what it knew to be used"


def test_a_failover_keeps_what_was_replicated(make_redis, proxy, instance):
    primary = make_redis()
    replica = make_redis(replica_of=primary)
    replica.wait_in_sync()
    door = proxy(primary)
    one = instance(door, toml=limit('rate = "30/h", lease = 1'))
    assert statuses([one], 20) == [200] * 20
    until(lambda: replica.call("DBSIZE") == primary.call("DBSIZE"))
    primary.kill()
    replica.follow(None)
    door.switch(replica)
    one.become(True)
    one.become(False)
    assert statuses([one], 20).count(200) <= 11


def test_seats_are_common_and_free_when_their_instance_dies(pair, origin):
    first, second = pair('algorithm = "concurrency", max = 2')
    paths = [f"/k/seat/{n}" for n in range(2)]
    for path in paths:
        origin.hold(path)
    threads = [threading.Thread(target=lambda p=path: httpx.get(first.url + p, headers={"Host": HOST}, timeout=30))
               for path in paths]
    for thread in threads:
        thread.start()
    for path in paths:
        origin.arrived(path)
    assert (status(first), status(second)) == (503, 503), "both seats are taken, by the first alone"
    for path in paths:
        origin.release(path)
    for thread in threads:
        thread.join()
    until(lambda: status(second) == 200, 5)

    origin.hold("/k/seat/9")
    third = threading.Thread(target=gone, args=(first.url + "/k/seat/9",))
    third.start()
    origin.arrived("/k/seat/9")
    first.process.kill()
    first.process.wait()
    third.join()
    until(lambda: all(code == 200 for code in at_once(second, 2)), 8)
    origin.release("/k/seat/9")


def test_seats_that_are_taken_outlive_a_failover(make_redis, proxy, instance, origin):
    primary = make_redis()
    replica = make_redis(replica_of=primary)
    replica.wait_in_sync()
    door = proxy(primary)
    first, second = (instance(door, toml=limit('algorithm = "concurrency", max = 2')) for _ in range(2))
    paths = [f"/k/seat/{n}" for n in range(2)]
    for path in paths:
        origin.hold(path)
    threads = [threading.Thread(target=lambda p=path: first.get(p)) for path in paths]
    for thread in threads:
        thread.start()
    for path in paths:
        origin.arrived(path)
    primary.kill()
    for each in (first, second):
        each.become(True)
    replica.follow(None)
    replica.call("FLUSHALL")  # not even the tail has come through
    door.switch(replica)
    for each in (first, second):
        each.become(False)
    until(lambda: status(second) == 503, 5, "whoever has seats says so anew")
    assert [status(second) for _ in range(5)] == [503] * 5
    for path in paths:
        origin.release(path)
    for thread in threads:
        thread.join()
    until(lambda: all(code == 200 for code in at_once(second, 2)), 5)


@pytest.mark.parametrize("algorithm", ["fixed_window", "sliding_window"])
def test_after_an_outage_the_next_window_has_its_whole_rate(redis, pair, algorithm):
    """What was spent while Redis was away is of the window that it was spent in."""
    window = 4
    both = pair(f'rate = "8/{window}s", lease = 1, algorithm = "{algorithm}"')
    redis.kill()
    for each in both:
        each.become(True)
    assert sum([status(each) for _ in range(10)].count(200) for each in both) >= 8
    redis.restart()
    for each in both:
        each.become(False)
    now = time.time()
    windows = 1 if algorithm == "fixed_window" else 2  # this one remembers the one before
    time.sleep((now // window + windows) * window - now + 1.1)  # windows begin where they should to within a second
    assert statuses(both, 12) == [200] * 8 + [429] * 4


def gone(url):
    with pytest.raises(httpx.HTTPError):
        httpx.get(url, headers={"Host": HOST}, timeout=30)


def at_once(instance, n):
    codes = []
    threads = [threading.Thread(target=lambda: codes.append(httpx.get(instance.url + K, headers={"Host": HOST}).status_code))
               for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return codes


def test_a_redis_that_refuses_to_write_counts_nothing_and_is_not_believed(redis, instance):
    one = instance(redis, toml=limit('rate = "4/h", lease = 1'))
    assert status(one) == 200
    redis.call("CONFIG", "SET", "min-replicas-to-write", "1")
    assert statuses([one], 6).count(200) <= 3, "counted here while Redis refuses to"
    redis.call("CONFIG", "SET", "min-replicas-to-write", "0")
    assert statuses([one], 4).count(200) == 0


def test_a_limit_does_not_hold_requests_up_when_redis_is_slow(proxy, redis, instance):
    slow = proxy(redis)
    one = instance(slow, toml=limit('rate = "100000/s", lease = 1'))
    assert status(one) == 200
    slow.slow(0.5)
    took = []
    for _ in range(12):
        began = time.monotonic()
        assert status(one) == 200
        took.append(time.monotonic() - began)
    assert max(took) < 0.4 and sorted(took)[6] < 0.1, took


def test_the_keys_are_of_one_slot_and_go_when_nothing_is_used(redis, pair):
    both = pair('rate = "5/s", lease = 1')
    statuses(both, 3)
    keys = redis.call("KEYS", "*limits*")
    assert keys and all(key.startswith(b"{etage:limits}:") for key in keys)
    until(lambda: not redis.call("KEYS", "*limits*"), 10)
