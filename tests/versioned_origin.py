"""An origin that knows what it has said: every path is a key with versions, and every answer tells which one it is.

Body (the same octets for the same version): {"key", "version", "t_origin", "tags", "checksum", "padding"}; `t_origin` is the
moment of the commit. `ETag: "<version>"`, `Cache-Tag`, and `X-Origin-Time`, the moment this answer, 304 included, was true.
All moments are CLOCK_MONOTONIC in nanoseconds, so what other processes of this machine measure compares.
"""

import asyncio
import collections
import hashlib
import json
import random
import re
import threading
import time

Fetch = collections.namedtuple("Fetch", "key method kind begin end port status version")
Commit = collections.namedtuple("Commit", "key version time tags")


def checksum_of(key, version, t_origin, tags):
    return hashlib.sha256(f"{key}|{version}|{t_origin}|{','.join(tags)}".encode()).hexdigest()[:24]


def body_of(commit, size):
    said = {"key": commit.key, "version": commit.version, "t_origin": commit.time, "tags": commit.tags,
            "checksum": checksum_of(commit.key, commit.version, commit.time, commit.tags)}
    return json.dumps(said | {"padding": f"{commit.key} {commit.version} " * (size // (len(commit.key) + 5))}).encode()


def read_body(content):
    """(key, version) of a whole body; ValueError when it is not one body of this origin."""
    said = json.loads(content)
    filling = f"{said['key']} {said['version']} "
    if said["checksum"] != checksum_of(said["key"], said["version"], said["t_origin"], said["tags"]) or \
            said["padding"] != filling * (len(said["padding"]) // len(filling)):
        raise ValueError(f"torn: {content[:200]!r}")
    return said["key"], said["version"]


def log_normal(rng, slow=0.02):
    """Service times of a real API: 1 to 200 ms, mostly around 15, and some that take 2 s."""
    return 2.0 if rng.random() < slow else min(0.2, max(0.001, rng.lognormvariate(-4.2, 0.9)))


class VersionedOrigin:
    """In a thread of its own, on `ports` ports (which of them a request came to is recorded).

    tags(key, version, rng) → names; cache_control(key) → text; service(rng) → seconds before an answer; record(event) is
    called with every Commit and Fetch, in the origin's thread or the writer's.
    """

    def __init__(self, ports=(0,), seed=1, tags=None, cache_control=None, service=None, size=900, record=None):
        self.random = random.Random(seed)
        self.tags = tags or (lambda key, version, rng: [])
        self.cache_control = cache_control or (lambda key: "public, max-age=3600")
        self.service, self.size = service, size
        self.record = record or (lambda event: None)
        self.fetches = []
        self.outage = False  # hangs up instead of answering
        self.lag = 0.0       # a planted fault: answers are as of so many seconds ago, as from a lagging replica
        self.lock = threading.Condition()
        self.versions = collections.defaultdict(list)
        self.holding, self.held = set(), collections.defaultdict(list)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.servers = [self._run(asyncio.start_server(self._serve(n), "127.0.0.1", port, backlog=1024))
                        for n, port in enumerate(ports)]
        self.ports = [s.sockets[0].getsockname()[1] for s in self.servers]
        self.urls = [f"http://127.0.0.1:{port}" for port in self.ports]
        self.url = self.urls[0]

    # ---- what a test says to it

    def write(self, key, tags=None):
        """Commits the next version; the Commit."""
        with self.lock:
            self._newest(key)
            return self._commit(key, tags)

    def version(self, key):
        """Of what is committed last."""
        with self.lock:
            return self._newest(key).version

    def count(self, key=None, since=0):
        """Requests for a key (or all) that reached this origin since a moment."""
        with self.lock:
            return sum(f.begin >= since and key in (None, f.key) for f in self.fetches)

    def hold(self, key):
        """Answers for this key are made, and not sent until release(); those that come after unhold() are sent at once."""
        with self.lock:
            self.holding.add(key)

    def unhold(self, key):
        with self.lock:
            self.holding.discard(key)

    def arrived(self, key, n=1, seconds=10):
        """Waits until so many requests for the key are held."""
        with self.lock:
            assert self.lock.wait_for(lambda: len(self.held[key]) >= n, seconds), \
                f"{len(self.held[key])} requests for {key} are held, not {n}"

    def release(self, key, first=None):
        """Sends what is held (or the first so many), and holds no more."""
        with self.lock:
            self.holding.discard(key)
            going, self.held[key] = self.held[key][:first], self.held[key][first:] if first else []
        for event in going:
            self.loop.call_soon_threadsafe(event.set)

    def stop(self):
        async def close():
            for server in self.servers:
                server.close()
            for task in asyncio.all_tasks():
                if task is not asyncio.current_task():
                    task.cancel()
        self._run(close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    # ---- what it does

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def _commit(self, key, tags=None):
        version = len(self.versions[key]) + 1
        chosen = list(tags) if tags is not None else self.tags(key, version, self.random)
        commit = Commit(key, version, time.monotonic_ns(), chosen)
        self.versions[key].append(commit)
        self.record(commit)
        return commit

    def _newest(self, key):
        if not self.versions[key]:
            self._commit(key)
        if self.lag:
            horizon = time.monotonic_ns() - int(self.lag * 1e9)
            return next((c for c in reversed(self.versions[key]) if c.time <= horizon), self.versions[key][0])
        return self.versions[key][-1]

    def _serve(self, port):
        async def serve(reader, writer):
            try:
                while not self.outage:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                    if self.outage or not await self._answer(head, reader, writer, port):
                        break
            except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                writer.transport.abort()
        return serve

    async def _answer(self, head, reader, writer, port):
        begin = time.monotonic_ns()
        first, *lines = head.split("\r\n")
        method, key, _ = first.split(" ")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        await reader.readexactly(int(fields.get("content-length", 0)))
        if method == "PUT":
            writer.write(self._written(key, fields))
            return True
        with self.lock:
            commit, moment = self._newest(key), time.monotonic_ns()
            event = asyncio.Event() if key in self.holding else None
            if event:
                self.held[key].append(event)
                self.lock.notify_all()
            place = len(self.fetches)
            kind = "range" if "range" in fields else "conditional" if "if-none-match" in fields else "plain"
            self.fetches.append(Fetch(key, method, kind, begin, None, port, 0, commit.version))
        if event:
            await event.wait()
        if self.service:
            await asyncio.sleep(self.service(self.random))
        status, content = (0, b"") if self.outage else self._content(method, fields, commit, moment)
        with self.lock:
            self.fetches[place] = done = self.fetches[place]._replace(end=time.monotonic_ns(), status=status)
        self.record(done)
        writer.write(content)
        await writer.drain()
        return status != 0

    def _written(self, key, fields):
        with self.lock:
            self._newest(key)
            tags = fields["x-tags"].split(",") if fields.get("x-tags") else None
            commit = self._commit(key, tags)
        return (f"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Version: {commit.version}\r\nX-Committed: {commit.time}\r\n"
                f"X-Tags: {','.join(commit.tags)}\r\n\r\n").encode()

    def _content(self, method, fields, commit, moment):
        etag = f'"{commit.version}"'
        head = [f"ETag: {etag}", f"Cache-Control: {self.cache_control(commit.key)}", f"X-Origin-Time: {moment}"]
        if commit.tags:
            head.append("Cache-Tag: " + ", ".join(commit.tags))
        if etag in re.findall(r'"[^"]*"', fields.get("if-none-match", "")):
            return 304, ("HTTP/1.1 304 Not Modified\r\n" + "\r\n".join(head) + "\r\n\r\n").encode()
        content, status = body_of(commit, self.size), "200 OK"
        head += ["Content-Type: application/json", "Accept-Ranges: bytes"]
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", fields.get("range", ""))
        if asked and fields.get("if-range", etag) == etag and int(asked[1]) < len(content):
            status, whole = "206 Partial Content", len(content)
            last = min(int(asked[2]), whole - 1)
            content = content[int(asked[1]):last + 1]
            head.append(f"Content-Range: bytes {asked[1]}-{last}/{whole}")
        head.append(f"Content-Length: {len(content)}")
        octets = (f"HTTP/1.1 {status}\r\n" + "\r\n".join(head) + "\r\n\r\n").encode()
        return int(status[:3]), octets + (content if method == "GET" else b"")
