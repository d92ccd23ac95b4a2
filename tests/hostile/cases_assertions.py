"""What a play is held to: the assertions of its case, one word of the language each, and the invariants of them all."""

import gzip
import re
import zlib

from cases_client import decoded
from cases_language import expanded
from cases_stand import RESPONSE_TIME_MAX, Taken
from stream_cases import octets_of

VARIANTS_MAX = 16    # docs/limits.md
VARY_NAMES_MAX = 8
CAP = 36 << 20       # 32 MiB of memory.limit, and what connections and the threads' stacks take
ONE_FILL = 1 << 20
UNKNOWN = object()   # there is no such thing in this way of playing


def value_of(subject, played):
    """What a subject is in a play."""
    word, _, rest = subject.partition(".")
    if re.fullmatch(r"r\d+", word):
        return of_answer(rest, played.taken[int(word[1:]) - 1])
    if word in ("any", "all"):
        return [of_answer(rest, Taken(None, [answer], [])) for taken in played.taken for answer in taken.answers]
    if subject.startswith("origin."):
        return of_origin(rest, played)
    return of_gateways(subject, played)


def of_answer(part, taken):
    """`complete` is about the origin's message: 502 in its stead, written by the gateway, is none of it."""
    answer = taken.last
    if part.startswith("header:"):
        return answer.value(part.partition(":")[2])
    return {
        "raw": lambda: answer.raw, "status": lambda: answer.status, "final": lambda: answer.status,
        "body": lambda: answer.body, "complete": lambda: answer.complete and answer.status not in (0, 502, 504), "bytes": lambda: len(answer.body),
        "time": lambda: answer.seconds, "latency_ms": lambda: answer.seconds * 1000, "coding": lambda: answer.coding,
        "decodes_to": lambda: decoded(answer), "hit": lambda: answer.verdict.startswith("; hit"),
        "stored": lambda: "; stored" in answer.verdict,
    }[part]()


def of_origin(part, played):
    asked = played.seen.asked
    if part == "count":
        return len(asked)
    if part.startswith("count:"):
        return len([one for one in asked if is_named(one, part.partition(":")[2])])
    if part == "same_target":
        return len({one.target for one in asked}) <= 1
    if part == "saw":
        return b"".join(one.message.raw for one in asked)
    return {"bytes": played.seen.bytes}[part]


def is_named(asked, name):
    """"GET /x", or "other.test/x"."""
    method, _, target = name.rpartition(" ")
    if not target.startswith("/"):
        return asked.value("host") + asked.target == target
    return (not method or asked.method == method) and asked.target == target


def of_gateways(subject, played):
    measured = played.measured
    explained = measured.get("explained", ())
    found = [entry_of(one) for one in explained]
    if subject == "stored":
        return any(found)
    if subject.startswith("stored.header:"):
        name = subject.partition(":")[2]
        return next((a.value(name) for a in measured["again"] if a.verdict.startswith("; hit") and a.value(name)), None)
    if subject == "stored.transcoded":
        told = played.seen.rules[0].raw.partition(b"\r\n\r\n")[2]
        return any(a.complete and a.status == 200 and a.body != told for a in measured["again"])
    if subject == "variants":
        return max([one.get("shelf", {}).get("variants", 0) for one in explained], default=0)
    if subject == "entry.vary_names":
        return max([len(one["shelf"]["vary"]) for one, entry in zip(explained, found) if entry and "shelf" in one], default=0)
    if subject == "ttl":
        return int((re.search(r"; ttl=(-?\d+)", played.taken[-1].last.verdict) or (0, 0))[1])
    if subject == "hot.hit_ratio":
        reread = next(taken for taken in played.taken if taken.step.verb == "reread")
        return sum("; hit" in answer.verdict for answer in reread.answers) / len(reread.answers)
    if subject == "upstream":
        return all(one.closed and not one.reused for one in played.seen.spoilt)
    return measured.get({"redis.dbsize": "entries", "redis.cmdstat:flushall": "flushes", "rss": "rss"}[subject], UNKNOWN)


def entry_of(explained):
    redis = explained.get("redis", {})
    return explained.get("entry") or (redis.get("entry") if redis.get("answer") == "hit" else None)


NAMED = {"cap": CAP, "limit": VARIANTS_MAX, "limit or not stored": VARY_NAMES_MAX, "max response time": RESPONSE_TIME_MAX}


def wanted(value, subject, played):
    if isinstance(value, str) and re.fullmatch(r"r\d+\.\w+", value):
        return value_of(value, played)
    if value == "1 MiB or one shared fill":
        body = max((len(expanded(rule.body)) for rule in played.seen.rules), default=0)
        return max(ONE_FILL, body + 4096) if len(played.seen.asked) == 1 else ONE_FILL
    if isinstance(value, str) and value in NAMED and subject.split(".")[-1] not in ("raw", "body"):
        return NAMED[value]
    if isinstance(value, str):
        text = expanded(value)
        return octets_of(text) if is_octets(subject) else text
    return value


def is_octets(subject):
    return subject.rsplit(".", 1)[-1] in ("raw", "body", "decodes_to", "saw")


def coding_fits(got, want):
    return want == "any" and got in ("identity", "gzip", "br", "zstd") or want.startswith("any of ") and got in want[7:].split(",")


def holds(assertion, played):
    """Whether one [subject, operator, value] is true."""
    subject, operator, value = assertion
    got = value_of(subject, played)
    if got is UNKNOWN:
        return True
    want = wanted(value, subject, played)
    if subject.startswith("all."):
        return bool(got) and all(compare(each, operator, want, value) for each in got)
    if subject.startswith("any."):
        return any(compare(each, operator, want, value) for each in got)
    if subject.endswith(".coding") and want.startswith("any"):
        return coding_fits(got, want)
    return compare(got, operator, want, value)


def compare(got, operator, want, value):
    return {
        "==": lambda: got == want, "!=": lambda: got != want, "<=": lambda: got is not None and got <= want,
        ">=": lambda: got is not None and got >= want, "in": lambda: got in value,
        "has": lambda: got is not None and want in got, "lacks": lambda: got is None or want not in got,
        "absent": lambda: (got is None) == value, "closed": lambda: got == value, "grew-by": lambda: got == want,
    }[operator]()


def alternatives(assertions):
    """[[assertion, …]] of which one each must hold: "either" names them, "or" adds one to what stands before it."""
    groups = []
    for assertion in assertions:
        if assertion[0] == "either":
            groups.append(assertion[1:])
        elif assertion[0] == "or":
            groups[-1] = [*groups[-1], *assertion[1:]]
        else:
            groups.append([assertion])
    return groups


def as_three(assertion):
    """["origin.same_target", true] says == in so many words."""
    return assertion if len(assertion) == 3 else [assertion[0], "==", assertion[1]]


def broken_assertions(played):
    reasons = []
    for group in alternatives(played.case.asserts):
        group = [as_three(one) for one in group]
        try:
            if any(holds(one, played) for one in group):
                continue
            said = "; ".join(f"{one[0]} is {shown(value_of(one[0], played))}" for one in group)
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            said = f"no content: {error}"
        reasons.append(f"not {' or '.join(' '.join(map(str, one))[:200] for one in group)}: {said}")
    return reasons


def shown(value):
    return repr(value) if len(repr(value)) < 240 else repr(value)[:240] + "…"


OF_THE_CLIENT = re.compile(rb"(?i)^(if-[a-z-]+|range|expect|te|upgrade|x-http-method(-override)?|x-method-override)$")
NOBODYS = re.compile(rb"(?i)^x-(original|rewrite)-ur[il]$|^x-http-method|^x-method-override$|^x-(host|forwarded-server|real-ip)$")


def broken_invariants(played):
    """What every case is held to (cachecases.md)."""
    seen, case = played.seen, played.case
    found = list(seen.violations)
    if played.innocent:
        found.append(f"the innocent who came next got {played.innocent}")
    hosts = {one.value("host").split(".")[0] for one in seen.asked}
    mark = hosts.pop() if len(hosts) == 1 else None
    foretold = any(one.raw or one.status >= 500 for one in seen.asked) or re.search(r"\b5\d\d\b", str(case.asserts))
    for number, taken in enumerate(played.taken, 1):
        for answer in taken.answers:
            found += [f"r{number}: {reason}" for reason in broken_answer(answer, mark, foretold, taken)]
        if "; stored" in taken.last.verdict and len(taken.asked) == 1:
            found += [f"r{number}: {reason}" for reason in broken_fill(taken.step, taken.asked[0])]
    for asked in seen.asked:
        for name, value in asked.message.fields:
            if NOBODYS.match(name):
                found.append(f"the origin was told {name!r}: {value!r}")
    return found


def broken_answer(answer, mark, foretold, taken):
    if answer.violation:
        yield answer.violation
    if answer.status >= 500 and answer.status != 501 and answer.status != 505 and not foretold:
        yield f"{answer.status}, and nobody foretold it"
    case = answer.value("x-case")
    if case is not None and mark is not None and case != mark:
        yield f"an answer of {case}, not of {mark}"
    if "; hit" in answer.verdict and "; fwd" in answer.verdict:
        yield f"both hit and fwd: {answer.verdict}"
    if taken.step and taken.step.verb == "ask" and answer.complete and taken.step.octets.startswith(b"HEAD ") and answer.body:
        yield "content behind the answer to HEAD"


def broken_fill(step, asked):
    """What was stored must have been fetched without what only this client sent (laws 5 and 6)."""
    sent = dict(line.split(b": ", 1) for line in step.octets.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:] if b": " in line)
    sent = {name.lower(): value for name, value in sent.items()}
    if asked.message.body and asked.method in ("GET", "HEAD"):
        yield f"stored, and was asked for with content: {asked.message.body[:80]!r}"
    if asked.method == "HEAD":
        yield "stored, and was asked for with HEAD"
    for name, value in asked.message.fields:
        if OF_THE_CLIENT.match(name) and sent.get(name) == value and not (name == b"range" and asked.status == 206):
            yield f"stored, and was asked for with the client's {name.decode()}: {value!r}"


def judge(played):
    """[reasons]; none when all is well."""
    return broken_assertions(played) + broken_invariants(played)


def worst(plays):
    """{(case id, way): (case, outcome, reasons)} → {case id: …} for the table: a case passes if it does in every way."""
    found = {}
    for case, way, reasons in plays:
        mark = "pass" if not reasons else "alt" if case.advisory else "fail"
        _, before, why = found.get(case.id, (case, "pass", []))
        found[case.id] = (case, max(before, mark, key=("pass", "alt", "fail").index), why + [f"{way}: {r}" for r in reasons])
    return found
