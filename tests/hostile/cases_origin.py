"""The scripted origin: whose request it is shows the host, which every play has for itself. It keeps every request, holds it
to the strict reader, and marks its answers, so that nobody gets another's unnoticed."""

import asyncio
import dataclasses
import re
import socket
import struct

from cases_language import expanded
from stream_parser import Violation, read_request

PLAY = re.compile(rb"(?i)\r\nhost:[ \t]*(p[0-9]+)\.")
INNOCENT = b"/innocent-"


@dataclasses.dataclass
class Asked:
    """One request as it came, and what it was answered with."""
    message: object
    status: int = 0
    raw: bool = False

    @property
    def target(self):
        return self.message.start[1].decode("latin-1")

    @property
    def method(self):
        return self.message.start[0].decode()

    def value(self, name):
        return b",".join(self.message.values(name.lower().encode())).decode("latin-1")


@dataclasses.dataclass
class Seen:
    """What came of one play to the origin."""
    rules: list
    asked: list = dataclasses.field(default_factory=list)
    violations: list = dataclasses.field(default_factory=list)
    spoilt: list = dataclasses.field(default_factory=list)  # connections on which something raw was said
    used: set = dataclasses.field(default_factory=set)
    bytes: int = 0


@dataclasses.dataclass
class Spoilt:
    """A connection on which something raw was said. Before that it may have served others, well-formed ones."""
    connection: object
    received: int

    @property
    def closed(self):
        return self.connection.closed

    @property
    def reused(self):
        return self.connection.received > self.received


class Connection(asyncio.Protocol):
    def __init__(self, origin):
        self.origin, self.buffer, self.closed, self.received = origin, b"", False, 0
        self.dripping = None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data
        self.received += 1
        while self.buffer:
            try:
                found = read_request(self.buffer)
            except Violation as violation:
                self.seen().violations.append(f"forwarded: {violation} in {self.buffer[:300]!r}")
                return self.transport.abort()
            if found is None:
                return
            message, used = found
            seen = self.seen()
            self.buffer = self.buffer[used:]
            self.answer(message, seen)

    def seen(self):
        found = PLAY.search(self.buffer)
        return self.origin.plays.get(found[1].decode(), self.origin.nobody) if found else self.origin.nobody

    def say(self, seen, octets):
        seen.bytes += len(octets)
        self.transport.write(octets)

    def answer(self, message, seen):
        if message.start[1].startswith(INNOCENT):
            return self.transport.write(plain(200, [("Cache-Control", "no-store")], message.start[1], message))
        asked = Asked(message)
        seen.asked.append(asked)
        rule = choose(seen, asked)
        if rule is None:
            return self.say(seen, plain(404, [("Cache-Control", "no-store")], b"no rule", message))
        asked.status, asked.raw = rule.status, bool(rule.raw)
        if not rule.raw:
            fields = [(name, filled(value, asked, seen)) for name, value in rule.fields]
            fields += [("X-Case", PLAY.search(message.raw)[1].decode())]
            return self.say(seen, plain(rule.status, fields, filled(expanded(rule.body), asked, seen).encode("latin-1"), message))
        seen.spoilt.append(Spoilt(self, self.received))
        self.say(seen, rule.raw)
        if rule.drip:
            self.dripping = asyncio.create_task(self.drip(seen, rule.drip))
        elif rule.then == "close":
            self.transport.close()
        elif rule.then == "rst":
            asyncio.get_running_loop().call_later(0.02, self.reset)

    def reset(self):
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    async def drip(self, seen, pause):
        while not self.closed:
            await asyncio.sleep(pause)
            self.say(seen, b"x")

    def connection_lost(self, _):
        self.closed = True
        if self.dripping:
            self.dripping.cancel()


class ScriptedOrigin:
    def __init__(self):
        self.plays, self.nobody = {}, Seen([])

    async def open(self):
        self.server = await asyncio.get_running_loop().create_server(lambda: Connection(self), "127.0.0.1", 0)
        self.url = "http://127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]


def choose(seen, asked):
    for number, rule in enumerate(seen.rules):
        if (number not in seen.used) and holds(rule.condition, asked, len(seen.asked)):
            if rule.once:
                seen.used.add(number)
            return rule
    return None


def holds(condition, asked, number):
    fields = asked.message.fields
    checks = {
        "header": lambda name: any(n == name.lower().encode() for n, _ in fields),
        "header_value": lambda pair: asked.value(pair[0]) == pair[1],
        "header_longer": lambda size: any(len(v) > size for _, v in fields),
        "header_ctl": lambda _: any(re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", v) for _, v in fields),
        "host": lambda host: asked.value("host") == host,
        "method": lambda method: asked.method == method,
        "body": lambda text: bool(asked.message.body) if text is True else text.encode() in asked.message.body,
        "first": lambda count: number <= count,
        "target_longer": lambda size: len(asked.target) > size,
    }
    return all(checks[word](value) for word, value in condition.items())


def filled(text, asked, seen):
    """{h:Name} {q:name} {host} {target} {body} {n}."""
    def one(found):
        word, _, name = found[1].partition(":")
        if word == "h":
            return asked.value(name)
        if word == "q":
            query = asked.target.partition("?")[2]
            return ",".join(p.partition("=")[2] for p in re.split("[&;]", query) if p.partition("=")[0] == name)
        return {"host": asked.value("host"), "target": asked.target, "body": asked.message.body.decode("latin-1"),
                "n": str(len(seen.asked))}[word]

    return re.sub(r"\{(h:[^}]+|q:[^}]+|host|target|body|n)\}", one, text)


def plain(status, fields, content, message):
    """A whole answer; its own Content-Length only if the rule has none."""
    head = f"HTTP/1.1 {status} Said\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields)
    own = any(name.lower() == "content-length" for name, _ in fields)
    bodiless = message.start[0] == b"HEAD" or status in (204, 304)
    if not own and status not in (204, 304):
        head += f"Content-Length: {len(content)}\r\n"
    return head.encode("latin-1") + b"\r\n" + (b"" if bodiless else content)
