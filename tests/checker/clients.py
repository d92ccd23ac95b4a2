"""Who asks and who writes during a soak: one process each, one file of events each.

`board` is what all processes of a soak share: board.running, board.frozen[i], board.tokens, board.primary, board.reads …
"""

import gzip
import http.client
import json
import random
import re
import signal
import threading
import time

import plan
from door import Door
from events import Pen, Purge, Read
from resp import RedisError, Resp, token_of
from versioned_origin import read_body

WAYS = {"get": 46, "gzip": 20, "head": 10, "range": 10, "conditional": 14}


class Board:
    """Shared memory of a soak; made by the driver, inherited by everyone."""

    def __init__(self, context, instances):
        self.running = context.Value("b", 1, lock=False)   # writers write
        self.asking = context.Value("b", 1, lock=False)    # readers read
        self.frozen = context.Array("b", instances, lock=False)
        self.tokens = context.Array("Q", 16, lock=False)   # of the latest purges
        self.primary = context.Value("i", 0, lock=False)   # port of the Redis that writes go to; 0: none
        self.reads = context.Array("Q", 64, lock=False)    # by client
        self.purges = context.Array("Q", 64, lock=False)
        self.failures = context.Array("Q", 64, lock=False)


def admin(port, seconds=15):
    return Door(port, seconds, f"127.0.0.1:{port}")


def version_of(key, way, status, fields, content):
    """(version, intact) of an answer; version 0 when it is an error."""
    if status not in (200, 206, 304):
        return 0, True
    tag = re.fullmatch(r'(?:W/)?"(\d+)(?:-[gbz])?"', fields.get("ETag", ""))
    if not tag:
        return 0, False
    version = int(tag[1])
    if status == 206:
        return version, content.startswith(f'{{"key": "{key}", "version": {version},'.encode())
    if status == 200 and way != "head":
        try:
            plain = gzip.decompress(content) if fields.get("Content-Encoding") == "gzip" else content
            return version, read_body(plain) == (key, version)
        except (ValueError, KeyError, EOFError, OSError):
            return version, False
    return version, True


class Reader:
    def __init__(self, board, number, ports, path, seed, rate, patient):
        self.board, self.number, self.random, self.rate = board, number, random.Random(seed), rate
        self.patient, self.pen, self.tags = patient, Pen(path), {}
        self.doors = [Door(port, 30 if patient else 8, plan.HOST) for port in ports]

    def run(self):
        while self.board.asking.value:
            time.sleep(self.random.expovariate(self.rate))
            key = self.random.choice(plan.HOT if self.random.random() < 0.7 else plan.KEYS)
            way = self.random.choices(list(WAYS), WAYS.values())[0]
            token = self.board.tokens[self.random.randrange(16)] if self.random.random() < 0.1 else 0
            self.read(key, self.instance(), way, token)
        self.pen.close()

    def instance(self):
        """The impatient ones leave a frozen instance alone; the patient wait in front of it."""
        i = self.random.randrange(len(self.doors))
        return next((n for n in range(i, i + 3) if not self.board.frozen[n % 3]), i) % 3 if not self.patient else i

    def read(self, key, instance, way, token=0, how=None):
        fields = {"gzip": {"Accept_Encoding": "gzip"}, "range": {"Range": "bytes=0-79"},
                  "conditional": {"If_None_Match": self.tags.get(key, '"0"')}}.get(way, {})
        if token:
            fields["Etage_Min_Seq"] = str(token)
        begin = time.monotonic_ns()
        try:
            status, said, content = self.doors[instance].ask("HEAD" if way == "head" else "GET", key, **fields)
        except (OSError, http.client.HTTPException) as error:
            self.done(Read(key, begin, time.monotonic_ns(), instance, 0, 0, None, 0, token, how or way, repr(error), True))
            return None
        end = time.monotonic_ns()
        version, intact = version_of(key, way, status, said, content)
        if status == 200:
            self.tags[key] = said.get("ETag", "")
        age = said.get("Age")
        read = Read(key, begin, end, instance, status, version, int(age) if age is not None else None,
                    int(said.get("X-Origin-Time", 0)), token, how or way, said.get("Cache-Status", ""), intact)
        self.done(read)
        return read

    def done(self, read):
        self.pen.write(read)
        self.board.reads[self.number] += 1
        self.board.failures[self.number] += read.status == 0 or read.status >= 500


class Writer:
    """Commits at the origin, then says so, in all the ways there are, or says nothing. Mostly it makes sure before that
    every instance has the old version, and asks each for the new one the moment the purge is acknowledged."""

    def __init__(self, board, number, ports, admin_ports, origin_port, path, seed, rate, mutant=None):
        self.board, self.number, self.random, self.rate, self.mutant = board, number, random.Random(seed), rate, mutant
        self.ports, self.admin_ports, self.pen, self.lock = ports, admin_ports, Pen(path), threading.Lock()
        self.origin, self.token = Door(origin_port, 10, plan.HOST), 0
        self.names, self.tags = {}, {}
        self.reader = Reader(board, number, ports, f"{path}.reads.events", seed, 1, False)

    def run(self):
        while self.board.running.value:
            time.sleep(self.random.expovariate(self.rate))
            key = self.random.choice(plan.HOT if self.random.random() < 0.5 else plan.KEYS)
            i = self.instance()
            if self.random.random() < 0.2:
                self.write_through(key, i)
                continue
            before = self.tags.get(key, plan.TAGS[:2])
            self.ask_all(key, 0.6)
            try:
                self.origin_write(self.origin, key)
            except (OSError, http.client.HTTPException):
                continue  # an outage
            kind = self.random.choices(["url", "key", "tag", "prefix", "all", "foreign", "silent"], [32, 14, 26, 6, 3, 9, 10])[0]
            if kind == "foreign":
                self.ask_all(key, 0.8, self.foreign(before))
            elif kind != "silent":
                self.ask_all(key, 0.8, *self.purge(kind, key, before, i))
        self.pen.close()
        self.reader.pen.close()

    def ask_all(self, key, probability, *tokens):
        """Every instance that is not frozen; sometimes with the token."""
        if self.random.random() < probability:
            for n in range(3):
                if not self.board.frozen[n]:
                    self.reader.read(key, n, "get", self.random.choice([0, *tokens]))

    def instance(self):
        i = self.random.randrange(3)
        free = [n for n in range(3) if not self.board.frozen[n]]
        return self.random.choice(free) if free and self.random.random() < 0.9 else i

    def origin_write(self, door, key):
        status, said, _ = door.ask("PUT", key, b"")
        if status == 200:
            self.tags[key] = said["X-Tags"].split(",")
        return status, said

    def write_through(self, key, i):
        """An unsafe request through a gateway invalidates what it changed; its token says that this was recorded."""
        try:
            status, said = self.origin_write(Door(self.ports[i], 8, plan.HOST), key)
        except (OSError, http.client.HTTPException):
            return
        token = int(said.get("Etage-Seq", 0))
        self.done(Purge(int(said.get("X-Committed", time.monotonic_ns())), time.monotonic_ns(), i, ["url:" + key],
                        status == 200 and token > 0, "write", 1, 1, token, status))

    def purge(self, kind, key, tags, i):
        prefix = key.rsplit("/", 1)[0]
        if kind == "key" and not self.knows_name(key, i):
            return []
        what = {"url": {"urls": [f"http://{plan.HOST}{key}"]}, "tag": {"tags": tags}, "prefix": {"prefixes": [prefix]},
                "all": {"all": True}}.get(kind) or {"keys": [self.names.get(key, "v1:unknown")]}
        covered = {"tag": ["tag:" + t for t in tags], "prefix": ["prefix:" + prefix], "all": ["all"]}.get(kind, ["url:" + key])
        wait = self.random.choice(["local", "all"])
        others = [(i + 1) % 3] if self.random.random() < 0.1 else []
        threads = [threading.Thread(target=self.send, args=(what, covered, each, wait)) for each in [i, *others]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [self.token]

    def send(self, what, covered, i, wait):
        begin = time.monotonic_ns()
        if self.mutant == "lost-purge" and self.random.random() < 0.1:
            self.done(Purge(begin, time.monotonic_ns(), i, covered, True, "local", 1, 1, 0, 200))
            return
        try:
            status, _, content = admin(self.admin_ports[i]).ask("POST", "/purge", json.dumps(what | {"wait": wait}))
            said = json.loads(content) if status == 200 else {}
        except (OSError, ValueError, http.client.HTTPException):
            status, said = 0, {}
        instances = said.get("instances", {})
        self.done(Purge(begin, time.monotonic_ns(), i, covered, status == 200, wait, instances.get("confirmed", 0),
                        instances.get("live", 0), int(said.get("seq", 0)), status))
        self.token = int(said.get("seq", 0))

    def foreign(self, tags):
        """XADD, as any other program would."""
        begin, token = time.monotonic_ns(), 0
        port = self.board.primary.value
        try:
            if port:
                with Resp(("127.0.0.1", port), 5) as redis:
                    token = token_of(redis.call("XADD", "{etage}:log", "*", *(word for t in tags for word in ("tag", t))))
        except (OSError, RedisError):
            token = 0
        self.done(Purge(begin, time.monotonic_ns(), -1, ["tag:" + t for t in tags], token > 0, "foreign", 0, 0, token,
                        200 if token else 0))
        return token

    def knows_name(self, key, i):
        """Which key `explain` gives it: the same on every instance."""
        if key not in self.names:
            try:
                _, _, content = admin(self.admin_ports[i]).ask("GET", f"/explain?url=http://{plan.HOST}{key}")
                self.names[key] = json.loads(content)["key"]
            except (OSError, ValueError, http.client.HTTPException):
                return False
        return True

    def done(self, purge):
        with self.lock:
            self.pen.write(purge)
            self.board.purges[self.number] += purge.ok
            if purge.ok and purge.seq:
                self.board.tokens[self.random.randrange(16)] = purge.seq


def run(client, *args):
    """The main function of a client's process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    client(*args).run()
