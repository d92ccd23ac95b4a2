"""Plays streams at a gateway, many at once, with an origin behind it that keeps every octet.

One loop, one thread: clients and origin are coroutines of the test's process. Whose request the origin sees is told by
X-Forwarded-For: every play has a source address of its own in 127.0.0.0/8."""

import asyncio
import dataclasses
import itertools
import re
import socket

from stream_parser import Violation, read_request, read_responses
from stream_twins import who_differs

CLIENT = re.compile(rb"\r\nX-Forwarded-For: (127\.[0-9.]+)\r\n", re.I)
ADDRESSES = itertools.count(1)
PATIENCE = 5.0  # for an answer, or an end, that has to come
SENDING = 30.0  # for a stream to be taken, or refused
QUIET = 0.03    # behind an answer that keeps the connection


@dataclasses.dataclass
class Seen:
    """What came of one play to the origin."""
    requests: list = dataclasses.field(default_factory=list)
    broken: list = dataclasses.field(default_factory=list)  # octets of requests that never became complete
    violations: list = dataclasses.field(default_factory=list)


class OriginConnection(asyncio.Protocol):
    def __init__(self, origin):
        self.origin, self.buffer, self.continued = origin, b"", False

    def connection_made(self, transport):
        self.transport = transport
        self.origin.connections += 1

    def data_received(self, data):
        self.buffer += data
        seen = self.origin.of(self.buffer)
        try:
            found = read_request(self.buffer)
        except Violation as violation:
            seen.violations.append(f"forwarded: {violation} in {self.buffer[:400]!r}")
            return self.transport.abort()
        if found is None:
            if not self.continued and b"\r\n\r\n" in self.buffer and b"\r\nExpect: 100-continue\r\n" in self.buffer:
                self.continued = True
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return
        message, used = found
        if used != len(self.buffer):
            seen.violations.append(f"more than one request sent at once: {self.buffer[:400]!r}")
        seen.violations += who_differs(message.raw, [(message.start[1], len(message.body))], 0)
        seen.requests.append(message)
        self.buffer, self.continued = self.buffer[used:], False
        self.transport.write(self.origin.answer(message))

    def connection_lost(self, _):
        self.origin.connections -= 1
        if self.buffer:
            seen = self.origin.of(self.buffer)
            seen.broken.append(self.buffer)
            seen.violations += who_differs(self.buffer, [], len(self.buffer))


class Origin:
    """Answers what the cases need: /cacheable may be stored, the rest may not; the content is the target."""

    def __init__(self):
        self.plays, self.nobody, self.connections = {}, Seen(), 0

    async def open(self):
        self.server = await asyncio.get_running_loop().create_server(lambda: OriginConnection(self), "127.0.0.1", 0)
        self.url = "http://127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]

    def of(self, octets):
        found = CLIENT.search(octets)
        return self.plays.setdefault(found[1], Seen()) if found else self.nobody

    @staticmethod
    def answer(message):
        method, target, _ = message.start
        content = target * 400 if target == b"/big" else target
        fields = b"Cache-Control: max-age=86400\r\n" if target == b"/cacheable" else b"Cache-Control: no-store\r\n"
        if target == b"/vary-al":
            fields += b"Vary: Accept-Language\r\n"
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n%s\r\n" % (len(content), fields)
        return head if method == b"HEAD" else head + content


@dataclasses.dataclass
class Trace:
    """What one play got. `closed`: by the gateway, before we ended our side (or, with half_close, at all)."""
    answers: list
    rest: bytes
    closed: bool
    hung: bool
    seen: Seen
    note: str = ""

    @property
    def statuses(self):
        return [int(a.start[1]) for a in self.answers]

    def verdict(self):
        """What must not depend on how the stream was cut."""
        return self.statuses, self.closed, [(r.start, r.body) for r in self.seen.requests]


def methods_in(octets):
    """Of the requests in a client's stream, as far as HEAD matters for reading the answers."""
    return [found[1] for found in re.finditer(rb"(?:\A|\r\n\r\n|hello)(?:\r\n)*([A-Z]+) [^ ]+ HTTP/1\.[01]\r\n", octets)]


def whole(octets):
    return [octets]


def bytewise(octets, most=600):
    """Octet by octet; of a long stream the ends so, and the middle in equal pieces."""
    if len(octets) <= most:
        return [octets[i:i + 1] for i in range(len(octets))]
    middle = octets[most // 2:-most // 2]
    size = -(-len(middle) // 64)
    return (bytewise(octets[:most // 2]) + [middle[i:i + size] for i in range(0, len(middle), size)] +
            bytewise(octets[-most // 2:]))


def cut_at(offset):
    return lambda octets: [octets[:offset], octets[offset:]]


class Player:
    def __init__(self, port, origin):
        self.port, self.origin, self.loop = port, origin, asyncio.get_running_loop()

    async def connect(self, address):
        line = socket.socket()
        line.setblocking(False)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.bind((address, 0))
        await self.loop.sock_connect(line, ("127.0.0.1", self.port))
        return line

    async def send(self, line, pieces, pause, half_close):
        try:
            for number, piece in enumerate(pieces):
                if number:
                    await asyncio.sleep(pause)
                await self.loop.sock_sendall(line, piece)
            if half_close:
                line.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the gateway has had enough

    async def play(self, octets, pieces=None, half_close=False, pause=0.0, before=b""):
        """`before`: another request from the same address first, which does not count."""
        n = next(ADDRESSES)
        address = f"127.{1 + (n >> 16)}.{n >> 8 & 255}.{n & 255}"
        if before:
            with await self.connect(address) as line:
                await self.exchange(line, before, [before], False, 0, address)
            self.origin.plays.pop(address.encode(), None)
        with await self.connect(address) as line:
            return await self.exchange(line, octets, pieces or [octets], half_close, pause, address)

    async def exchange(self, line, octets, pieces, half_close, pause, address):
        sender = asyncio.create_task(self.send(line, pieces, pause, half_close))
        received, shut, hung, ended, note, methods = b"", False, False, False, "", methods_in(octets)
        sending_until = self.loop.time() + SENDING
        try:
            while not ended:
                answers, rest = read_responses(received, methods, False)
                kept = answers and not rest and b"close" not in answers[-1].values(b"connection")
                patience = QUIET if kept and not shut else PATIENCE
                try:
                    piece = await asyncio.wait_for(self.loop.sock_recv(line, 1 << 16), patience)
                except asyncio.TimeoutError:
                    if not sender.done() and self.loop.time() < sending_until:
                        continue
                    if shut or not sender.done():
                        note = "never closed" if shut else "does not read"
                        break
                    hung, shut = hung or not kept, True
                    line.shutdown(socket.SHUT_WR)
                    continue
                except OSError as error:
                    ended, note = True, f"reset: {error}"
                    break
                ended = not piece
                received += piece
            closed = ended and not shut
            answers, rest = read_responses(received, methods, ended)
        except Violation as violation:
            answers, rest, closed, note = [], received, False, f"answered: {violation}"
        finally:
            sender.cancel()
            await asyncio.wait([sender])  # before the descriptor is another's
        return Trace(answers, rest, closed, hung, self.origin.plays.setdefault(address.encode(), Seen()), note)
