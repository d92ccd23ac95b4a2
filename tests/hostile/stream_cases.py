"""Cases as data: a line of hostile.jsonl, or a generated one, as the octets to send and what is right then."""

import codecs
import dataclasses
import json
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent


def octets_of(text):
    r"""\r \n \t \\ \" \xNN are what they are in C."""
    simple = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\", '"': '"', "0": "\0"}

    def one(found):
        escape = found[1]
        return chr(int(escape[1:], 16)) if escape[0] == "x" else simple[escape]

    return codecs.encode(re.sub(r'\\(x[0-9a-fA-F]{2}|[rnt\\"0])', one, text), "latin-1")


@dataclasses.dataclass
class Case:
    id: str
    kind: str
    octets: bytes
    expect: str
    alt: tuple = ()
    basis: str = "grammar"
    deny: bytes = b"/SMUGGLED"
    origin_max: int = 1
    origin_expect: object = None
    origin_min: object = None
    half_close: bool = False
    setup: str = ""
    segments: str = ""
    must_hit: bool = False
    why: str = ""


def read_rows(name):
    """(row, its octets) of each line."""
    for line in (HERE / name).read_text().splitlines():
        row = json.loads(line)
        octets = octets_of(row["bytes"])
        for repeat in row.get("repeat") or ():
            octets = octets.replace(repeat["token"].encode(), octets_of(repeat["text"]) * repeat["count"])
        yield row, octets


def read_cases(name="hostile.jsonl"):
    cases = []
    for row, octets in read_rows(name):
        cases.append(Case(row["id"], row["class"], octets, row["expect"], tuple(row.get("alt") or ()), row["basis"],
                          (row.get("deny") or "").encode(), row["origin_max"], row.get("origin_expect"), row.get("origin_min"),
                          row.get("half_close", False), row.get("setup") or "", row.get("segments") or "",
                          row.get("must_hit", False), row["why"]))
    return cases
