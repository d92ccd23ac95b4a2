"""A cache of three instances on virtual time, small enough to be read, with faults that can be planted.

It records histories as a soak does; what the offline checker says of them shows that it lets the good ones pass and finds
each fault. It says nothing about Etage.
"""

import collections
import heapq
import itertools
import random

from events import Commit, Fault, Fetch, History, Purge, Read

MS = 1_000_000
SECOND = 1000 * MS
LEASE, TTL, STALE = 1 * SECOND, 3 * SECOND, 2 * SECOND

# Planted fault → the invariant that it breaks.
FAULTS = {
    "memory-without-fence": "INV-1",    # what a fill brought is stored as of now
    "redis-without-fence": "INV-1",     # the same in the shared tier
    "record-lost": "INV-1",             # a gap in the log that nobody notices
    "acknowledged-at-once": "INV-1",    # wait=all does not wait
    "blind-serves": "INV-1",            # an instance whose lease has lapsed goes on serving from memory
    "token-ignored": "INV-1",           # reads with a token are answered by whoever has something
    "purge-without-effect-here": "INV-1",
    "joins-old-flight": "INV-1",        # a read that began after a purge joins a fetch that began before it
    "forgets-at-restart": "INV-5",      # after a kill the shared tier is trusted without its marks
    "acknowledges-while-away": "INV-5",
    "another-key": "INV-2",
    "from-the-future": "INV-2",
    "stale-for-ever": "INV-3",          # nothing ever expires
    "age-from-zero": "INV-4",           # Age counts from when this instance got it
    "no-collapsing": "INV-6",
    "never-heals": "INV-7",             # one instance stops to read the log, and still renews its lease
    "gives-up": "INV-8",                # an error of Redis becomes an error of the client
}


class Instance:
    def __init__(self):
        self.applied, self.marks = 0, {}
        self.memory, self.flights = {}, {}
        self.deaf_until = self.frozen_until = 0
        self.never_reads = False


class Model:
    def __init__(self, seed, planted=None, seconds=90, keys=24, tags=6):
        self.random, self.planted = random.Random(seed), planted
        self.now, self.queue, self.ties = 0, [], itertools.count()
        self.end = seconds * SECOND
        self.log = []  # names; the position is the index + 1
        self.keys = [f"/k/{'ab'[n % 2]}/{n}" for n in range(keys)]
        self.tags = [f"t{n}" for n in range(tags)]
        self.shared = {}  # key → entry
        self.instances = [Instance() for _ in range(3)]
        self.h = History(seed=seed, allowed={key: (TTL + STALE) / SECOND for key in self.keys})
        self.tokens = collections.deque([0], maxlen=8)
        for key in self.keys:
            self.commit(key)

    # ---- time

    def later(self, delay, process):
        heapq.heappush(self.queue, (self.now + int(delay), next(self.ties), process))

    def run(self):
        for n in range(8):
            self.later(n * MS, self.reader())
        for n in range(3):
            self.later(n * MS, self.writer())
        self.later(SECOND, self.nemesis())
        while self.queue:
            self.now, _, process = heapq.heappop(self.queue)
            delay = next(process, None)
            if delay is not None:
                self.later(delay, process)
        self.h.stopped = self.end
        return self.h

    def net(self):
        return self.random.uniform(0.1, 0.4) * MS * (20 if self.random.random() < 0.02 else 1)

    # ---- who asks

    def reader(self):
        while self.now < self.end:
            yield self.random.expovariate(1) * 20 * MS
            token = self.tokens[-1] if self.random.random() < 0.15 else 0
            yield from self.read(self.random.choice(self.keys[:4] if self.random.random() < 0.6 else self.keys),
                                 self.random.randrange(3), token)
        if self.now < self.end + SECOND:
            yield self.end + SECOND - self.now
            for key in self.keys:
                for i in range(3):
                    yield from self.read(key, i, 0, "sweep")

    def writer(self):
        while self.now < self.end:
            yield self.random.expovariate(1) * 400 * MS
            key, i = self.random.choice(self.keys[:4] if self.random.random() < 0.6 else self.keys), self.random.randrange(3)
            carried = set(self.h.commits[key][-1].tags)
            self.commit(key)
            yield self.random.uniform(0, 3) * MS
            names = self.random.choices([["url:" + key], sorted("tag:" + t for t in carried), ["prefix:" + key.rsplit("/", 1)[0]],
                                         ["all"], []], [45, 25, 4, 2, 24])[0]
            if not names:
                continue  # not every change is announced: then only time helps
            yield from self.purge(names, i, self.random.choice(["local", "all", "all", "foreign"]))

    def commit(self, key):
        commits = self.h.commits[key]
        commits.append(Commit(key, len(commits) + 1, self.now, self.random.sample(self.tags, self.random.randint(0, 2))))

    # ---- the log

    def purge(self, names, i, wait):
        begin, me = self.now, self.instances[i]
        while me.frozen_until > self.now:
            yield me.frozen_until - self.now
        yield self.net()
        if me.deaf_until > self.now and wait != "foreign":
            ok = self.planted == "acknowledges-while-away"
            self.h.add(Purge(begin, self.now, i, names, ok, wait, 1, 1, 0, 200 if ok else 503))
            return
        self.log.append(names)
        position = len(self.log)
        if wait != "foreign" and self.planted != "purge-without-effect-here":
            me.marks.update(dict.fromkeys(names, position))
        for n, each in enumerate(self.instances):
            if not (self.planted == "purge-without-effect-here" and n == i):
                self.later(self.net(), self.tail(each))
        yield self.net()
        confirmed = live = 1
        if wait == "all":
            while self.planted != "acknowledged-at-once" and any(
                    each.applied < position and not self.lapsed(each) for each in self.instances if each is not me):
                yield MS
            confirmed = live = sum(not self.lapsed(each) for each in self.instances)
        self.tokens.append(position)
        self.h.add(Purge(begin, self.now, -1 if wait == "foreign" else i, names, True, wait, confirmed, live, position, 200))

    def tail(self, instance):
        while (pause := max(instance.deaf_until, instance.frozen_until) - self.now) > 0:
            yield pause
        if instance.never_reads:
            instance.applied = len(self.log)
        while instance.applied < len(self.log):
            position, names = instance.applied + 1, self.log[instance.applied]
            if self.planted != "record-lost" or self.random.random() > 0.05:
                instance.marks.update(dict.fromkeys(names, position))
            instance.applied = position

    def lapsed(self, instance):
        return self.now - self.heard(instance) > LEASE

    def heard(self, instance):
        began = min((f.begin for f in self.h.faults if f.target == f"g{self.instances.index(instance)}"
                     and f.what in ("deaf", "stop") and f.begin <= self.now <= f.end), default=self.now)
        return began

    # ---- a request

    def valid(self, instance, key, entry):
        names = self.h.names_of(key, entry["version"])
        return all(entry["fence"] >= instance.marks.get(name, 0) for name in names)

    def fresh(self, entry):
        return self.now - entry["time"] < TTL or self.planted == "stale-for-ever"

    def read(self, key, i, token, how="get"):
        begin, me = self.now, self.instances[i]
        while me.frozen_until > self.now:
            yield me.frozen_until - self.now
        yield self.random.uniform(0.1, 0.3) * MS
        waited = self.now
        while me.applied < token and self.now < waited + 20 * MS and self.planted != "token-ignored":
            yield MS
        alone = me.applied < token and self.planted != "token-ignored"
        blind = self.lapsed(me) and self.planted != "blind-serves"
        entry = None if alone or blind else me.memory.get(key)
        status = "etage; hit"
        if not entry or not self.fresh(entry) or not self.valid(me, key, entry):
            entry, status = yield from self.fill(key, i, alone or blind)
        version, origin_time = entry["version"], entry["time"]
        seen_from = entry.get("got", origin_time) if self.planted == "age-from-zero" else origin_time
        age = (self.now - seen_from) // SECOND
        if self.planted == "from-the-future" and self.random.random() < 0.01:
            version += 1
        intact = self.planted != "another-key" or self.random.random() > 0.002
        failed = self.planted == "gives-up" and me.deaf_until > self.now
        self.h.add(Read(key, begin, self.now, i, 500 if failed else 200, 0 if failed else version, age, origin_time, token, how,
                        "etage; fwd=bypass; detail=behind-token" if alone else status, intact))

    def fill(self, key, i, alone):
        me = self.instances[i]
        flight = me.flights.get(key)
        if flight and not alone and self.planted != "no-collapsing" and (
                self.planted == "joins-old-flight" or self.nothing_after(me, flight["fence"], key)):
            while "entry" not in flight:
                yield MS
            return flight["entry"], "etage; fwd=uri-miss; collapsed"
        fence, flight = me.applied, {"fence": me.applied}
        if not alone:
            me.flights[key] = flight
        if not alone and me.deaf_until <= self.now:
            yield self.net()
            found = self.shared.get(key)
            if found and self.fresh(found) and self.valid(me, key, found):
                return self.land(me, key, flight, found | {"got": self.now}), "etage; hit; detail=redis"
        version, time, place = len(self.h.commits[key]), self.now, len(self.h.fetches)
        self.h.add(Fetch(key, "GET", "plain", self.now, None, i, 0, version))
        yield min(200 * MS, self.random.lognormvariate(2.5, 0.8) * MS)
        self.h.fetches[place] = self.h.fetches[place]._replace(end=self.now, status=200)
        entry = {"version": version, "time": time, "fence": fence, "got": self.now}
        if alone:
            return entry, "etage; fwd=bypass; detail=blind"
        if me.deaf_until <= self.now:
            late = entry | ({"fence": len(self.log)} if self.planted == "redis-without-fence" else {})
            if self.shared.get(key, {"fence": -1})["fence"] <= late["fence"]:
                self.shared[key] = late
        return self.land(me, key, flight, entry), "etage; fwd=uri-miss; stored"

    def nothing_after(self, instance, fence, key):
        return all(fence >= mark for name, mark in instance.marks.items()
                   if name in ("all", "url:" + key, "prefix:" + key.rsplit("/", 1)[0]) or name.startswith("tag:"))

    def land(self, me, key, flight, entry):
        flight["entry"] = entry
        if me.flights.get(key) is flight:
            del me.flights[key]
        if self.planted == "memory-without-fence":
            entry = entry | {"fence": me.applied}
        if key not in me.memory or me.memory[key]["fence"] <= entry["fence"]:
            me.memory[key] = entry
        return entry

    # ---- what goes wrong without being a mistake of the cache

    def nemesis(self):
        while self.now < self.end - 4 * SECOND:
            yield self.random.uniform(0.3, 1.5) * SECOND
            i, what = self.random.randrange(3), self.random.choice(["deaf", "stop", "kill"])
            me, lasts = self.instances[i], int(self.random.uniform(0.2, 2.5) * SECOND)
            if what == "kill":
                self.kill(i)
                continue
            setattr(me, "deaf_until" if what == "deaf" else "frozen_until", self.now + lasts)
            self.h.add(Fault(self.now, self.now + lasts, what, f"g{i}", False))
            yield lasts
            self.later(0, self.tail(me))
        if self.planted == "never-heals":
            self.instances[2].never_reads = True

    def kill(self, i):
        """Restarted at once: cold, and below the end of the log nothing counts."""
        self.h.add(Fault(self.now, self.now + MS, "kill", f"g{i}", False))
        me = self.instances[i]
        me.memory, me.flights, me.applied = {}, {}, len(self.log)
        me.marks = {} if self.planted == "forgets-at-restart" else {"all": len(self.log)}


def history(seed, planted=None, **kwargs):
    return Model(seed, planted, **kwargs).run()
