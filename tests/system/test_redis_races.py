"""Directed races: the origin holds an answer, so the fetch is certainly under way when the purge is acknowledged."""

import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from door import Door
from redis_fixtures import HOST, entries, until
from versioned_origin import read_body

K = "/k/a/1"
URL = f"http://{HOST}{K}"


def in_background(call, *args, **kwargs):
    """A thread that asks; .answer() is what came."""
    pool = ThreadPoolExecutor(1)
    pool.answer = pool.submit(call, *args, **kwargs).result
    pool.shutdown(wait=False)
    return pool


def nowhere(redis, instance, version, *instances):
    """What is older than `version` is in no memory and not in Redis: nobody there has it, nor somebody new."""
    for each in (*instances, *instances, instance(redis)):
        assert each.version(K) >= version


@pytest.mark.parametrize("asked_meanwhile", [False, True])
@pytest.mark.parametrize("purger", ["the same", "another"])
def test_c01_c02_a_fetch_that_began_before_the_purge_is_not_kept(redis, instance, origin, purger, asked_meanwhile):
    a, b = instance(redis), instance(redis)
    origin.hold(K)
    old = in_background(a.version, K)
    origin.arrived(K)
    origin.write(K)
    (a if purger == "the same" else b).purge_everywhere(2, urls=[URL])
    if asked_meanwhile:
        origin.unhold(K)
        assert a.version(K) == 2, "it does not join the fetch that began before"
        assert b.version(K) == 2
    origin.release(K)
    assert old.answer() in (1, 2)
    assert a.version(K) == 2
    nowhere(redis, instance, 2, a, b)


def test_c02_with_a_token_instead_of_waiting(redis, instance, origin):
    a, b = instance(redis), instance(redis)
    for n in range(10):
        key = f"/k/a/{n}"
        origin.hold(key)
        old = in_background(a.version, key)
        origin.arrived(key)
        origin.write(key)
        token = b.purge(urls=[key])["seq"]
        origin.unhold(key)
        assert a.version(key, Etage_Min_Seq=token) == 2
        origin.release(key)
        assert old.answer() in (1, 2)
        assert a.version(key) == 2 and b.version(key) == 2


def test_c02_what_waits_for_another_instances_fetch(redis, instance, origin):
    """b waits for a's claim, and a's fetch began before the purge."""
    a, b = instance(redis), instance(redis)
    origin.hold(K)
    first = in_background(a.version, K)
    origin.arrived(K)
    waiting = in_background(b.version, K)
    time.sleep(0.1)
    origin.write(K)
    a.purge_everywhere(2, urls=[URL])
    late = in_background(b.version, K)
    origin.arrived(K, 2)
    origin.release(K)
    assert late.answer() == 2
    assert first.answer() in (1, 2) and waiting.answer() in (1, 2)
    nowhere(redis, instance, 2, a, b)


def test_c04_an_instance_whose_connections_are_killed_misses_nothing(redis, instance, origin):
    a, b = instance(redis), instance(redis)
    for n in range(20):
        b.read(K), a.read(K)
        version = origin.write(K).version
        redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        answer = a.ask_purge(urls=[URL], wait="all")
        while answer.status_code == 503:
            answer = a.ask_purge(urls=[URL], wait="all")
        said = answer.json()["instances"]
        if said["confirmed"] == said["live"] == 2:
            assert b.version(K) == version
        assert b.version(K, Etage_Min_Seq=answer.json()["seq"]) == version and a.version(K) == version


@pytest.mark.parametrize("frozen_s", [0.3, 2.5])
def test_c05_an_instance_that_was_frozen_answers_nothing_old(redis, instance, origin, frozen_s):
    a, b = instance(redis, mode="strict"), instance(redis, mode="strict")
    b.read(K)
    version = origin.write(K).version
    b.process.send_signal(signal.SIGSTOP)
    try:
        frozen = time.monotonic()
        early = in_background(b.version, K)
        receipt = a.purge(urls=[URL], wait="all")["instances"]
        acknowledged_by_all = receipt["confirmed"] == receipt["live"]
        late = in_background(b.version, K)
        time.sleep(max(0.0, frozen + frozen_s - time.monotonic()))
    finally:
        b.process.send_signal(signal.SIGCONT)
    assert early.answer() in (1, version)
    assert acknowledged_by_all, "its lease has lapsed meanwhile"
    assert late.answer() == version, "the first answer to a request that began after the acknowledgement"
    assert b.version(K) == version


def test_c05_many_times_with_a_crowd_that_waits_for_it(redis, instance, origin):
    a, b = instance(redis, mode="strict"), instance(redis, mode="strict")
    for n in range(4):
        b.read(K)
        version = origin.write(K).version
        b.process.send_signal(signal.SIGSTOP)
        try:
            receipt = a.purge(urls=[URL], wait="all")["instances"]
            assert receipt["confirmed"] == receipt["live"]
            crowd = [in_background(Door(b.port).ask, "GET", K) for _ in range(20)]
            time.sleep(0.05)
        finally:
            b.process.send_signal(signal.SIGCONT)
        assert {read_body(each.answer()[2])[1] for each in crowd} == {version}


def test_c06_a_refresh_that_began_before_the_purge_is_not_kept(redis, instance, make_origin):
    origin = make_origin(cache_control=lambda key: "max-age=1, stale-while-revalidate=60")
    a, b = instance(redis, origin=origin), instance(redis, origin=origin)
    assert a.version(K) == 1
    time.sleep(1.2)
    origin.hold(K)
    assert "stale-while-revalidate" in a.read(K)[1]
    origin.arrived(K)
    origin.write(K)
    b.purge_everywhere(2, urls=[URL])
    origin.unhold(K)
    version, verdict = a.read(K)
    assert version == 2 and "stale" not in verdict, "what is purged is not served stale"
    origin.release(K)
    nowhere(redis, instance, 2, a, b)


def test_c07_a_purge_is_not_undone_by_a_dead_origin(redis, instance, make_origin):
    origin = make_origin(cache_control=lambda key: "max-age=60, stale-if-error=600")
    a, b = instance(redis, origin=origin), instance(redis, origin=origin)
    soft = "/k/b/2"
    for each in (a, b):
        each.read(K), each.read(soft)
    a.purge_everywhere(2, urls=[K])
    b.purge_everywhere(2, urls=[soft], soft=True)
    origin.outage = True
    for each in (a, b):
        assert each.get(K).status_code in (502, 504)
        version, verdict = each.read(soft)
        assert version == 1 and "stale-if-error" in verdict


def test_c08_clients_that_leave_do_not_shift_the_replies(redis, proxy, instance, origin):
    way = proxy(redis)
    a, b = instance(redis), instance(way)
    keys = [f"/k/a/{n}" for n in range(40)]
    for key in keys:
        a.read(key)
    way.slow(0.01, 0.01)
    stop = threading.Event()

    def leave(n):
        for i in range(250):
            with socket.create_connection(("127.0.0.1", b.port)) as s:
                s.sendall(f"GET {keys[(i * 7 + n) % 40]} HTTP/1.1\r\nHost: {HOST}\r\nCache-Control: no-store\r\n\r\n".encode())
                time.sleep((i % 20) / 1000)

    def read(n):
        door, seen = Door(b.port), 0
        while not stop.is_set():
            key = keys[(seen * 3 + n) % 40]
            status, _, content = door.ask("GET", key)
            assert (status, read_body(content)[0]) == (200, key)
            seen += 1
        return seen
    purging = in_background(lambda: [a.purge(all=True) for _ in range(20) if not time.sleep(0.1)])
    with ThreadPoolExecutor(8) as pool:
        readers = [pool.submit(read, n) for n in range(4)]
        for each in [pool.submit(leave, n) for n in range(4)]:
            each.result()
        stop.set()
        assert sum(each.result() for each in readers) > 100
    purging.answer()
    assert b.metric("etage_redis_damaged_total") == 0


@pytest.mark.parametrize("how", ["killed", "demoted"])
def test_c10_a_purge_that_the_replica_never_heard_of(make_redis, proxy, instance, origin, how):
    primary = make_redis()
    link = proxy(primary)
    replica = make_redis(replica_of=link)
    replica.wait_in_sync()
    way = proxy(primary)
    a, b, c = (instance(way, mode="strict") for _ in range(3))
    keys = [f"/k/a/{n}" for n in range(10)]
    for key in keys:
        for each in (a, b, c):
            each.read(key)
    until(lambda: len([k for k in replica.call("KEYS", "*") if b":v1:" in k and not k.endswith(b"claim")]) == 10)
    link.hang()
    for n, key in enumerate(keys):
        origin.write(key)
        (a, b, c)[n % 3].purge_everywhere(3, urls=[f"http://{HOST}{key}"])
    assert {each.version(key) for each in (a, b, c) for key in keys[:5]} == {2}
    if how == "killed":
        primary.kill()
    else:
        primary.call("CLIENT", "PAUSE", "60000", "WRITE")
    link.drop()
    replica.follow(None)
    way.switch(replica)
    for _ in range(20):
        assert {each.version(key) for each in (a, b, c) for key in keys} == {2}
        time.sleep(0.02)
    for each in (a, b, c):
        each.become(degraded=False)
    a.purge_everywhere(3, tags=["x"])
    assert instance(replica).version(keys[7]) == 2, "who comes new to the old entries does not believe them"
    time.sleep(1)
    late = instance(replica)
    assert {late.version(key) for key in keys} == {2}


def test_c12_whatever_was_made_of_it_goes_with_it(redis, instance, origin):
    a, b = instance(redis), instance(redis)

    def forms(each):
        gzip = each.get(K, Accept_Encoding="gzip")
        head, part = each.client.head(K), each.get(K, Range="bytes=0-79")
        brotli = each.client.head(K, headers={"Accept-Encoding": "br"})
        old = each.get(K, If_None_Match='"1", "1-g", "1-b"')
        assert gzip.headers["content-encoding"] == "gzip" and part.status_code == 206
        versions = {read_body(gzip.content)[1], *(int(r.headers["etag"].strip('"').split("-")[0])
                                                  for r in (gzip, head, part, brotli, old))}
        assert len(versions) == 1
        return versions.pop(), old.status_code
    assert forms(a) == (1, 304) and forms(b) == (1, 304)
    origin.write(K)
    a.purge_everywhere(2, urls=[K])
    assert forms(b) == (2, 200) and forms(a) == (2, 200)


def test_c13_two_instances_purge_one_tag_with_a_write_between(redis, instance, make_origin):
    origin = make_origin(tags=lambda key, version, rng: ["red"])
    a, b = instance(redis, origin=origin), instance(redis, origin=origin)
    for n in range(25):
        a.read(K), b.read(K)
        origin.write(K)
        first = in_background(a.purge_everywhere, tags=["red"])
        newest = origin.write(K).version
        second = in_background(b.purge_everywhere, tags=["red"])
        first.answer(), second.answer()
        assert a.version(K) == newest and b.version(K) == newest


def test_c14_everything_is_one_purge_however_much_it_is(make_redis, instance, origin):
    redis = make_redis("--enable-debug-command", "yes")
    a, b = instance(redis), instance(redis)
    redis.call("DEBUG", "POPULATE", "1000000", "etage:v1:filler", "100")
    keys = [f"/k/a/{n}" for n in range(200)]
    for key in keys:
        a.read(key), b.read(key)
        origin.write(key)
    redis.call("CONFIG", "SET", "slowlog-log-slower-than", "10000")
    redis.call("SLOWLOG", "RESET")
    stop = threading.Event()

    def load(each):
        door = Door(each.port)
        while not stop.is_set():
            for key in keys:
                assert door.ask("GET", key)[0] == 200
    busy = [in_background(load, each) for each in (a, b)]
    began = time.monotonic()
    a.purge_everywhere(2, all=True)
    took = time.monotonic() - began
    assert {each.version(key) for each in (a, b) for key in keys} == {2}
    stop.set()
    for each in busy:
        each.answer()
    assert took < 1
    assert redis.call("SLOWLOG", "LEN") == 0, redis.call("SLOWLOG", "GET")


@pytest.mark.parametrize("loss", ["FLUSHALL", "DEL"])
@pytest.mark.parametrize("when", ["before the purge", "after the purge"])
def test_c16_redis_forgets_the_log_while_something_is_fetched(redis, instance, origin, loss, when):
    a, b = instance(redis), instance(redis)
    forget = ["FLUSHALL"] if loss == "FLUSHALL" else ["DEL", "{etage}:log"]
    b.read(K)
    b.purge_everywhere(2, all=True)
    origin.hold(K)
    old = in_background(a.version, K)
    origin.arrived(K)
    origin.write(K)
    if when == "before the purge":
        redis.call(*forget)
    answer = b.ask_purge(urls=[URL], wait="all")
    while answer.status_code == 503:
        answer = b.ask_purge(urls=[URL], wait="all")
    if when == "after the purge":
        redis.call(*forget)
    origin.release(K)
    assert old.answer() in (1, 2)
    token = answer.json()["seq"]
    assert a.version(K, Etage_Min_Seq=token) == 2 and b.version(K) == 2
    for each in (a, b):
        each.become(degraded=False)
    nowhere(redis, instance, 2, a, b)


def test_c16_a_record_that_was_never_read_and_is_gone(redis, instance, origin):
    """The log is evicted between an append and the reading of it: the next record does not hide that one is missing."""
    a, b = instance(redis, mode="strict"), instance(redis, mode="strict")
    for n in range(10):
        a.read(K), b.read(K)
        version = origin.write(K).version
        b.process.send_signal(signal.SIGSTOP)
        try:
            a.purge(urls=[URL])
            redis.call("DEL", "{etage}:log")
            redis.purge("tag", "unrelated")
        finally:
            b.process.send_signal(signal.SIGCONT)
        receipt = a.ask_purge(tags=["another"], wait="all")
        while receipt.status_code == 503:
            receipt = a.ask_purge(tags=["another"], wait="all")
        assert b.version(K, Etage_Min_Seq=receipt.json()["seq"]) == version


def test_what_is_in_redis_is_what_the_origin_said_last(redis, instance, origin):
    """The higher fence wins there, in whatever order the fetches end."""
    a, b = instance(redis), instance(redis)
    origin.hold(K)
    slow = in_background(a.version, K)
    origin.arrived(K)
    origin.write(K)
    b.purge_everywhere(2, urls=[K])
    origin.unhold(K)
    assert b.version(K) == 2
    until(lambda: len(entries(redis)) == 1)
    before = redis.call("GET", entries(redis)[0])
    origin.release(K)
    assert slow.answer() in (1, 2)
    time.sleep(0.1)
    assert redis.call("GET", entries(redis)[0])[:8] == before[:8]
    assert instance(redis).version(K) == 2
