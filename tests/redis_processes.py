"""Real redis-servers on ports of their own, and a proxy that does to their connections what networks do."""

import asyncio
import collections
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from resp import RedisError, Resp, token_of  # noqa: F401, for the tests

REDIS = shutil.which("redis-server") or "/usr/bin/redis-server"


def steady_port():
    """Free, and not one that the system gives to clients: it can be listened on again after a restart."""
    while True:
        with socket.socket() as s, contextlib.suppress(OSError):
            port = random.randrange(12_000, 32_000)
            s.bind(("127.0.0.1", port))
            return port


class RedisServer:
    """A redis-server in a folder of its own; appends to a file when `persistent`. Stopped by its pid, and by nothing else."""

    def __init__(self, *options, replica_of=None, persistent=False, port=None):
        self.port = port or steady_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self.address = ("127.0.0.1", self.port)
        self.folder = tempfile.TemporaryDirectory(prefix="etage-redis-")
        self.argv = [REDIS, "--port", self.port, "--bind", "127.0.0.1", "--dir", self.folder.name, "--save", "",
                     "--appendonly", "yes" if persistent else "no", "--daemonize", "no", "--loglevel", "warning",
                     "--repl-diskless-sync-delay", "0", *options]
        if replica_of:
            self.argv += ["--replicaof", f"127.0.0.1 {replica_of.port}"]
        self.lines = []
        self.process = None
        self.client = None
        self.start()

    @property
    def output(self):
        return "\n".join(self.lines)

    def start(self):
        self.process = subprocess.Popen([str(a) for a in self.argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, start_new_session=True)
        threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()
        until = time.monotonic() + 20
        while True:
            try:
                self.call("PING")
                return self
            except RedisError as error:
                if error.code in ("NOAUTH", "NOPERM"):
                    return self
                assert error.code in ("LOADING", "MASTERDOWN"), error
            except OSError:
                pass
            assert self.process.poll() is None, f"redis-server ended with {self.process.returncode}:\n{self.output}"
            assert time.monotonic() < until, f"redis-server does not answer:\n{self.output}"
            time.sleep(0.02)

    def _read(self, pipe):
        for line in pipe:
            self.lines.append(line.rstrip("\n"))

    def call(self, *words):
        """One command on a connection that is kept, or on a new one when that is dead. An error reply is a RedisError."""
        for kept in (self.client is not None, False):
            if self.client is None:
                self.client = Resp(self.address)
            try:
                return self.client.call(*words)
            except OSError:
                self._forget()
                if not kept:
                    raise

    def info(self, field):
        for line in self.call("INFO").decode().splitlines():
            if line.startswith(field + ":"):
                return line.split(":", 1)[1]
        raise AssertionError(f"INFO says nothing of {field}")

    def purge(self, *pairs):
        """What a foreign writer sends: purge("tag", "posts") → its token."""
        return token_of(self.call("XADD", "{etage}:log", "*", *pairs))

    def follow(self, other):
        """REPLICAOF another server (or a proxy before one); None: nobody."""
        return self.call("REPLICAOF", *(("127.0.0.1", other.port) if other else ("NO", "ONE")))

    def wait_in_sync(self, seconds=20):
        """A replica that has all that its primary had when this was called."""
        until = time.monotonic() + seconds
        while self.info("role") == "slave" and self.info("master_link_status") != "up":
            assert time.monotonic() < until, f"not in sync:\n{self.output}"
            time.sleep(0.02)

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        """kill -9."""
        self._forget()
        self.process.kill()
        self.process.wait()

    def restart(self):
        """Same port, same folder."""
        if self.process.poll() is None:
            self.stop()
        return self.start()

    def stop(self):
        self._forget()
        if self.process.poll() is None:
            self.thaw()
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return 0

    def _forget(self):
        if self.client is not None:
            self.client.close()
            self.client = None


class Direction:
    """What happens to bytes one way; attributes may be set while they flow."""

    def __init__(self):
        self.latency = 0.0  # seconds, ± jitter; order is kept
        self.jitter = 0.0
        self.hang = False   # nothing moves on, nothing is lost
        self.slice = 0      # so many bytes at a time
        self.rate = 0       # bytes a second; 0: as fast as it goes
        self.cut_after = None  # so many more bytes, then the connection is reset
        self.bytes = 0


class FaultProxy:
    """TCP from a port of its own to (host, port), in a thread of its own: `up` is towards the server, `down` back."""

    def __init__(self, upstream, seed=1):
        self.upstream = upstream if isinstance(upstream, tuple) else upstream.address
        self.up, self.down = Direction(), Direction()
        self.random = random.Random(seed)
        self.port = steady_port()
        self.address = ("127.0.0.1", self.port)
        self.url = f"redis://127.0.0.1:{self.port}"
        self.accepted = 0
        self.pairs = set()
        self.server = None
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.refuse(False)

    def slow(self, latency, jitter=0.0):
        """A round trip takes so many seconds longer: all of it on the way back."""
        self.down.latency, self.down.jitter = latency, jitter

    def hang(self, both=True):
        self.up.hang = self.down.hang = both

    def sliced(self, size=1):
        self.up.slice = self.down.slice = size

    def heal(self):
        for each in (self.up, self.down):
            each.latency = each.jitter = 0.0
            each.hang, each.slice, each.rate, each.cut_after = False, 0, 0, None
        self.refuse(False)

    def refuse(self, on=True):
        """Nobody listens any more; connections there are stay."""
        self._run(self._listen(not on))

    def drop(self):
        """Resets every connection there is."""
        self._run(self._drop())

    def switch(self, upstream):
        """New connections go elsewhere, and the old ones end."""
        self.upstream = upstream if isinstance(upstream, tuple) else upstream.address
        self.drop()

    def stop(self):
        self.refuse()
        self.drop()
        self._run(asyncio.sleep(0.02))  # the pumps see it
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    async def _listen(self, on):
        if on and self.server is None:
            self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        elif not on and self.server is not None:
            self.server.close()
            self.server = None

    async def _drop(self):
        for writers in list(self.pairs):
            self._reset(writers)

    def _reset(self, writers):
        self.pairs.discard(writers)
        for writer in writers:
            with contextlib.suppress(OSError):  # closed already
                linger_zero = b"\x01\0\0\0\0\0\0\0"
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_zero)
            writer.transport.abort()

    async def _serve(self, reader, writer):
        self.accepted += 1
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.upstream)
        except OSError:
            writer.transport.abort()
            return
        writers = (writer, far_writer)
        for each in writers:
            each.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pairs.add(writers)
        await asyncio.gather(self._pump(reader, far_writer, self.up, writers),
                             self._pump(far_reader, writer, self.down, writers))
        self._reset(writers)

    async def _pump(self, reader, writer, way, writers):
        """Reads ahead into a queue with due times, so that latency does not become bandwidth."""
        queue, ready = collections.deque(), asyncio.Event()
        reading = asyncio.ensure_future(self._read(reader, way, queue, ready))
        try:
            while True:
                while not queue:
                    ready.clear()
                    await ready.wait()
                due, data = queue.popleft()
                while (wait := due - self.loop.time()) > 0:
                    await asyncio.sleep(wait)
                while way.hang and writers in self.pairs:
                    await asyncio.sleep(0.005)
                if not data or writers not in self.pairs:
                    return
                if not await self._pass_on(writer, way, data):
                    self._reset(writers)
                    return
        except OSError:
            return
        finally:
            reading.cancel()
            if not writer.is_closing():
                writer.close()

    async def _read(self, reader, way, queue, ready):
        due = 0.0
        while True:
            try:
                data = await reader.read(65536)
            except OSError:
                data = b""
            delay = max(0.0, way.latency + self.random.uniform(-way.jitter, way.jitter))
            due = max(due, self.loop.time() + delay)
            queue.append((due, data))
            ready.set()
            if not data:
                return

    async def _pass_on(self, writer, way, data):
        step = way.slice or len(data)
        for start in range(0, len(data), step):
            piece = data[start:start + step]
            if way.cut_after is not None:
                piece, way.cut_after = piece[:way.cut_after], way.cut_after - len(piece)
                if way.cut_after <= 0:
                    way.cut_after = None
                    writer.write(piece)
                    await asyncio.sleep(0.002)
                    return False
            writer.write(piece)
            way.bytes += len(piece)
            await writer.drain()
            if way.rate:
                await asyncio.sleep(len(piece) / way.rate)
            elif way.slice:
                await asyncio.sleep(0)
        return True


def nice(process, by=10):
    """Every thread there is: each has a priority of its own."""
    for task in os.listdir(f"/proc/{process.pid}/task"):
        os.setpriority(os.PRIO_PROCESS, int(task), by)


class ScriptedRedis:
    """A server of RESP that says what it is told: handler(words, n) → bytes, or None to hang up. `asked`: all that came."""

    def __init__(self, handler):
        self.handler, self.asked, self.open = handler, [], True
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.address = ("127.0.0.1", self.port)
        self.url = f"redis://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while self.open:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rb") as file:
            try:
                while line := file.readline():
                    words = []
                    for _ in range(int(line[1:])):
                        words.append(file.read(int(file.readline()[1:]) + 2)[:-2])
                    self.asked.append(words)
                    said = self.handler([w.decode("latin-1") for w in words], len(self.asked))
                    if said is None:
                        return
                    connection.sendall(said)
            except (OSError, ValueError):
                return

    def stop(self):
        self.open = False
        self.listener.close()


def bulk(text):
    data = text if isinstance(text, bytes) else text.encode()
    return b"$%d\r\n%s\r\n" % (len(data), data)
