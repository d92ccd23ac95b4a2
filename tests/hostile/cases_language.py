"""Scripted attacks on caches as data: a row of cachecases.jsonl, or a generated one, becomes an origin's rules, steps to take
and assertions to hold. The language is explained in cachecases.md."""

import dataclasses
import functools
import gzip
import json
import re

from stream_cases import HERE, octets_of

NAME = re.compile(r"(?i)(?<![\w.-])([a-z0-9-]+\.test)(?![\w-])")  # every host of a case is moved to hosts of its own
FILLER = b"X-Filler-%d: " + b"f" * 1000 + b"\r\n"


@dataclasses.dataclass
class Rule:
    condition: dict
    status: int
    fields: list     # (name, value) with templates in them
    body: str
    raw: bytes       # instead of the three above
    then: str        # behind raw: "keep", "close" or "rst"
    once: bool
    drip: float      # seconds between the octets of what follows raw; 0: nothing follows


@dataclasses.dataclass
class Step:
    who: str                 # A attacker, V victim, P operator
    verb: str                # ask, many, flood, prime, reread, abort, admin, purge
    octets: bytes = b""
    count: int = 1           # many, flood, prime, reread; abort: octets read before the reset
    vary: str = ""           # many: the field that is different each time
    tls: bool = False        # the client insists on https
    stranger: bool = False   # from an address that nobody else has
    what: object = None      # purge: the order; admin: fields to send, one after the other


@dataclasses.dataclass
class Case:
    id: str
    kind: str
    rules: list
    steps: list
    asserts: list
    why: str = ""
    basis: str = "policy"
    toml: str = ""
    advisory: bool = False
    row: dict = dataclasses.field(default_factory=dict)

    @property
    def alone(self):
        """It measures what others would disturb: the size of the process, what is in Redis, how fast an answer is."""
        text = json.dumps(self.asserts)
        return any(f'"{word}' in text for word in ("rss", "redis.", "hot.", "variants")) or "latency_ms" in text


@functools.lru_cache(8)
def expanded(text):
    """@rep(x,n) and @seq(p,n); a comma in x is written \\, ."""
    text = re.sub(r"@rep\(((?:\\,|[^,])*),(\d+)\)", lambda f: f[1].replace("\\,", ",") * int(f[2]), text)
    return re.sub(r"@seq\(((?:\\,|[^,])*),(\d+)\)", lambda f: ", ".join(f"{f[1]}{n}" for n in range(int(f[2]))), text)


def octets(text):
    return octets_of(expanded(text))


def raw_octets(text):
    """(octets, seconds between those of a drip behind them)."""
    if flood := re.fullmatch(r"@flood (\d+) x '(.*)'", text, re.S):
        return octets(flood[2]) * int(flood[1]), 0.0
    if fields := re.fullmatch(r"@headers (\d+) MiB", text):
        return b"HTTP/1.1 200 OK\r\n" + b"".join(FILLER % n for n in range(int(fields[1]) << 10)) + b"\r\n", 0.0
    if bomb := re.fullmatch(r"@bomb (\d+) MiB", text):
        content = gzip.compress(bytes(int(bomb[1]) << 20))
        return (b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(content), content)), 0.0
    head, drip, _ = text.partition("@drip")
    return octets(head), 0.25 if drip else 0.0


def read_rule(row):
    raw, drip = raw_octets(row["raw"]) if "raw" in row else (b"", 0.0)
    fields = [(name, expanded(value)) for name, value in row.get("headers", ())]
    return Rule(row.get("if", {}), row.get("status", 0), fields, row.get("body", ""), raw, row.get("then", "keep"),
                row.get("once", False), drip)


def read_purge(text):
    """purge tag='a', or purge {"tags": ["a"]}."""
    if text.startswith("{"):
        return json.loads(text)
    kind, name = re.fullmatch(r"(\w+)='(.*)'", text).groups()
    return {kind + "s": [name]}


def read_step(who, text):
    for word, change in (("http: ", {}), ("https: ", {"tls": True}), ("cold ", {}), (r"from \S+ ", {"stranger": True})):
        if found := re.match(word, text):
            return dataclasses.replace(read_step(who, text[found.end():]), **change)
    if found := re.match(r"x(\d+) (?:rotate (\S+) )?", text):
        return Step(who, "many", octets(text[found.end():]), int(found[1]), found[2] or "")
    if found := re.match(r"(\d+) x distinct (\S+) ", text):
        return Step(who, "many", octets(text[found.end():]), int(found[1]), found[2])
    if found := re.fullmatch(r"(\d+) x GET (\S+)<random>", text):
        return Step(who, "flood", found[2].encode(), int(found[1]))
    if found := re.fullmatch(r"(prime|re-read) (\d+) hot keys", text):
        return Step(who, found[1].replace("-", ""), count=int(found[2]))
    if found := re.match(r"read (\d+) bytes then RST ", text):
        return Step(who, "abort", octets(text[found.end():]), int(found[1]))
    if found := re.match(r"admin port: (\w+ \S+) ", text):
        fields = [part.strip().removeprefix("with ") for part in text[found.end():].split(";")]
        return Step(who, "admin", found[1].encode(), what=fields)
    if re.match(r"purge (\{|\w+=')", text):
        return Step(who, "purge", what=read_purge(text[len("purge "):]))
    assert re.match(r"\w+ .* HTTP/1", text), f"no step: {text!r}"
    return Step(who, "ask", octets(text))


def of_row(row):
    return Case(row["id"], row["class"], [read_rule(rule) for rule in row["origin"]],
                [read_step(*step) for step in row["steps"]], row["assert"], row.get("why", ""), row.get("basis", "policy"),
                row.get("toml", ""), row.get("advisory", False), row)


def moved(row, mark):
    """The row with all its hosts below `mark`: "gw.test" becomes "p7.gw.test", and still has what it had in it."""
    text = json.dumps({part: row[part] for part in ("origin", "steps", "assert")})
    return row | json.loads(NAME.sub(rf"{mark}.\1", text))


def read_corpus(name="cachecases.jsonl"):
    return [of_row(json.loads(line)) for line in (HERE / name).read_text().splitlines()]
