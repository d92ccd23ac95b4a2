"""Three ways to play a case: one gateway and its memory; Redis alone, each step at an instance whose memory has never seen
it; two instances that share a Redis and take turns. And the player, who takes the steps and keeps what came of them."""

import asyncio
import dataclasses
import itertools
import json
import re
import time
import urllib.parse

import cases_client
from cases_client import Answer
from cases_language import moved, of_row
from cases_origin import Seen
from processes import Etage

WAYS = ("memory", "redis alone", "second instance")
BASE = {
    "[server]": "threads = 2",
    "[origin]": 'connect_timeout = "30s"\nfirst_byte_timeout = "2s"\nbetween_bytes_timeout = "2s"',
    "[memory]": 'limit = "32MiB"',
    "[redis]": 'budget = "2s"',
    "[log]": 'level = "error"',
}
NUMBERS = itertools.count(1)
RESPONSE_TIME_MAX = 20.0  # what between_bytes_timeout above and a slow machine make of "at most the longest response"
CLOSED_WITHIN = 10.0
FLOOD_AT_ONCE = 8
FLOOD_WITH_REDIS = 10  # a tenth of it: every request is a write there, and it still is several times what memory holds


@dataclasses.dataclass
class Taken:
    """A step, and what came of it."""
    step: object
    answers: list
    asked: list  # at the origin, meanwhile
    seconds: float = 0.0

    @property
    def last(self):
        return self.answers[-1] if self.answers else Answer()


@dataclasses.dataclass
class Played:
    case: object
    taken: list
    seen: object
    measured: dict = dataclasses.field(default_factory=dict)
    innocent: str = ""  # what went wrong for somebody else straight afterwards


class Stand:
    """The gateways of one way and one configuration, before one origin."""

    def __init__(self, way, gateways, redis, origin):
        self.way, self.gateways, self.redis, self.origin = way, gateways, redis, origin

    @classmethod
    async def make(cls, way, toml, steps_max, start, make_redis, origin, path, env):
        redis = await asyncio.to_thread(make_redis) if way != "memory" else None
        count = {"memory": 1, "redis alone": steps_max + 1, "second instance": 2}[way]
        config = path / f"cases-{next(NUMBERS)}.toml"
        config.write_text("\n".join(f"{name}\n{keys}" for name, keys in BASE.items() if name not in toml) + "\n" + toml)
        more = ["--redis", redis.url] if redis else []
        arguments = ("run", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--origin", origin.url, "--config", config, *more)
        return cls(way, [await asyncio.to_thread(start, Etage, *arguments, env=env) for _ in range(count)], redis, origin)

    def gateway(self, number):
        return self.gateways[number % len(self.gateways)]

    async def admin(self, number, octets):
        return await cases_client.ask(int(self.gateway(number).admin.rsplit(":", 1)[1]), octets)

    async def purge(self, number, order):
        body = json.dumps(order | {"wait": "all"}).encode()
        return await self.admin(number,
                                b"POST /purge HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    async def explain(self, number, octets):
        """What this gateway would do with a request of these octets."""
        head = octets.partition(b"\r\n\r\n")[0].split(b"\r\n")
        target, fields = head[0].split(b" ")[1], [line.split(b": ", 1) for line in head[1:]]
        host = next(value for name, value in fields if name.lower() == b"host")
        words = [("url", target if b"://" in target else b"http://" + host + target)]
        words += [("header", name + b":" + value) for name, value in fields if name.lower() != b"host"]
        query = urllib.parse.urlencode(words).encode()
        answer = await self.admin(number, b"GET /explain?%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % query)
        return json.loads(answer.body) if answer.status == 200 else {}

    async def settle(self, answer):
        """An invalidation by one instance is awaited at the others, as a client would with its token."""
        seq = int(answer.value("etage-seq") or 0)
        for number in range(len(self.gateways) if seq else 0):
            for _ in range(500):
                said = await self.explain(number, b"GET / HTTP/1.1\r\nHost: gw.test\r\n\r\n")
                if int(said["position"]) >= seq:
                    break
                await asyncio.sleep(0.005)

    def entries(self):
        names = self.redis.call("KEYS", "*v1:*") if self.redis else []
        return len([name for name in names if not name.endswith(b":claim")])

    def flushes(self):
        return len(re.findall(rb"cmdstat_flush(?:all|db):", self.redis.call("INFO", "commandstats"))) if self.redis else 0


class Player:
    def __init__(self, stand):
        self.stand, self.origin = stand, stand.origin

    async def play(self, case):
        number = next(NUMBERS)
        mark = f"p{number}"
        case = of_row(moved(case.row, mark))
        seen = self.origin.plays[mark] = Seen(case.rules)
        address = {who: cases_client.address_of(next(NUMBERS)) for who in ("A", "V", "P", "stranger")}
        played = Played(case, [], seen)
        before = await self.measure(case)
        for at, step in enumerate(case.steps):
            began, asked = time.monotonic(), len(seen.asked)
            answers = await self.take(at, step, address["stranger" if step.stranger else step.who], mark)
            played.taken.append(Taken(step, answers, seen.asked[asked:], time.monotonic() - began))
            await self.stand.settle(played.taken[-1].last)
        await self.compare(played, before)
        played.innocent = await self.innocent(len(case.steps), mark)
        return played

    async def take(self, at, step, address, mark):
        """[Answer], of which the last one counts."""
        port = self.stand.gateway(at).port
        if step.verb == "ask":
            return [await cases_client.ask(port, step.octets, address, step.tls)]
        if step.verb == "abort":
            return [await cases_client.abort_after(port, step.octets, step.count, address)]
        if step.verb == "purge":
            return [await self.stand.purge(at, step.what)]
        if step.verb == "admin":
            return [await self.stand.admin(at, admin_request(step.octets, field)) for field in step.what]
        requests = requests_of(step, mark)
        if self.stand.redis and len(requests) > 1000:
            requests = requests[::FLOOD_WITH_REDIS]
        return await cases_client.flood(port, requests, [address] * FLOOD_AT_ONCE)

    async def innocent(self, at, mark):
        target = b"/innocent-" + mark.encode()
        host = mark.encode() + b".innocent.test"
        answer = await cases_client.ask(self.stand.gateway(at).port, b"GET %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (target, host))
        return "" if (answer.status, answer.body) == (200, target) else f"{answer.status} {answer.body[:80]!r} {answer.violation}"

    async def measure(self, case):
        if not case.alone:
            return {}
        return {"rss": [g.resident() for g in self.stand.gateways], "entries": self.stand.entries(),
                "flushes": self.stand.flushes()}

    async def compare(self, played, before):
        """What assertions ask of the gateways themselves, once all steps are taken."""
        case, measured, count = played.case, played.measured, len(played.case.steps)
        wanted = json.dumps(case.asserts)
        if case.alone:
            after = await self.measure(case)
            measured["rss"] = max(a - b for a, b in zip(after["rss"], before["rss"]))
            if self.stand.redis:
                measured |= {name: after[name] - before[name] for name in ("entries", "flushes")}
        if any(f'"{word}' in wanted for word in ("stored", "variants", "entry.")):
            first = next(step.octets for step in case.steps if step.octets)
            measured["explained"] = [await self.stand.explain(n, first) for n in range(len(self.stand.gateways))]
            measured["again"] = [await cases_client.ask(self.stand.gateway(count + n).port, with_coding(first, coding))
                                 for n, coding in enumerate((b"identity", b"gzip", b"br, zstd"))] if "stored." in wanted else []
        if "upstream" in wanted:
            until = time.monotonic() + CLOSED_WITHIN
            while not all(each.closed for each in played.seen.spoilt) and time.monotonic() < until:
                await asyncio.sleep(0.01)


def with_coding(octets, coding):
    return octets.replace(b"\r\n\r\n", b"\r\nAccept-Encoding: " + coding + b"\r\n\r\n", 1)


def admin_request(start, field):
    host = "" if field.lower().startswith("host:") else "Host: localhost\r\n"
    body = b'{"tags": ["nobodys"]}'
    return b"%s HTTP/1.1\r\n%s%s\r\nContent-Length: %d\r\n\r\n%s" % (start, host.encode(), field.encode(), len(body), body)


def requests_of(step, mark):
    """The octets of each request of a step of many."""
    host = b"Host: " + mark.encode() + b".gw.test\r\n\r\n"
    if step.verb in ("prime", "reread"):
        rounds = 3 if step.verb == "prime" else 1  # hot is what was asked for more than once
        return [b"GET /hot-%d HTTP/1.1\r\n%s" % (n, host) for _ in range(rounds) for n in range(step.count)]
    if step.verb == "flood":
        return [b"GET %s%d HTTP/1.1\r\n%s" % (step.octets, n * 7919, host) for n in range(step.count)]
    line, _, rest = step.octets.partition(b"\r\n")
    different = b"%s: %s%d.%d\r\n" % (step.vary.encode(), b"10.1." if "Forwarded-For" in step.vary else b"agent/", 0, 0)
    return [line + b"\r\n" + (different.replace(b"0.0\r", b"%d.%d\r" % (n >> 8, n & 255)) if step.vary else b"") + rest
            for n in range(step.count)]
