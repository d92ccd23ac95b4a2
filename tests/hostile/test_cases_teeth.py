"""The harness of scripted cases can fail: each kind of assertion on a play that violates it, each invariant, and a whole cache
that is as naive as many were."""

import asyncio
import re

import pytest
from cases_assertions import broken_assertions, broken_invariants, judge
from cases_client import Answer
from cases_language import Case, Step, of_row, read_corpus
from cases_origin import Asked, ScriptedOrigin, Seen
from cases_rules import cases as cases_made_by_rule
from cases_stand import Played, Player, Stand, Taken
from stream_parser import Message

GET = b"GET /x HTTP/1.1\r\nHost: p1.gw.test\r\n\r\n"


def asked(target=b"/x", method=b"GET", host=b"p1.gw.test", fields=(), body=b"", status=200):
    return Asked(Message((method, target, b"HTTP/1.1"), [(b"host", host), *fields], body, b"raw"), status)


def answer(status=200, body=b"ok", fields=(), complete=True, **more):
    head = b"HTTP/1.1 %d Said\r\n" % status + b"".join(b"%s: %s\r\n" % f for f in fields) + b"\r\n"
    return Answer(status, list(fields), body, head + body, complete, **more)


def play(answers, asserts, at_origin=(), measured=(), verbs=(), spoilt=(), row_rules=()):
    case = Case("T", "teeth", list(row_rules), [], [asserts] if asserts and isinstance(asserts[0], str) else asserts)
    seen = Seen(case.rules, list(at_origin), spoilt=list(spoilt), bytes=3 << 20)
    verbs = list(verbs) or ["ask"] * len(answers)
    taken = [Taken(Step("A", verb, GET), [one] if isinstance(one, Answer) else one, []) for verb, one in zip(verbs, answers)]
    return Played(case, taken, seen, dict(measured))


class Line:
    def __init__(self, closed, reused):
        self.closed, self.reused = closed, reused


HIT = (b"cache-status", b"etage; hit; ttl=9999999999")
ENTRY = {"entry": {"codings": []}, "shelf": {"variants": 17, "vary": ["x"] * 9}}
EVIL, OK = answer(body=b"evil"), answer()
VIOLATED = {
    "raw lacks": play([EVIL, EVIL], ["r2.raw", "lacks", "evil"]),
    "raw lacks an octet": play([answer(body=b"a\0b")], ["r1.raw", "lacks", "\\x00"]),
    "status ==": play([OK, answer(400)], ["r2.status", "==", 200]),
    "status in": play([answer(200)], ["r1.status", "in", [403, 405, 501]]),
    "final ==": play([answer(502)], ["r1.final", "==", 200]),
    "body !=": play([OK, OK], ["r2.body", "!=", "r1.body"]),
    "body ==": play([OK], ["r1.body", "==", "hello"]),
    "body has": play([OK, OK], ["r2.body", "has", "FULL"]),
    "bytes <=": play([OK, answer(body=bytes(3001))], ["r2.bytes", "<=", 3000]),
    "bytes ==": play([OK, OK], ["r2.bytes", "==", 2000000]),
    "complete ==": play([OK], ["r1.complete", "==", False]),
    "header has": play([answer(429)], ["r1.header:Cache-Control", "has", "no-store"]),
    "header ==": play([answer(fields=[(b"etag", b'"s-g"')])], ["r1.header:ETag", "==", '"s"']),
    "header absent": play([answer(fields=[(b"set-cookie", b"s=1")])], ["r1.header:Set-Cookie", "absent", True]),
    "time <=": play([answer(seconds=60.0)], ["r1.time", "<=", "max response time"]),
    "latency <=": play([OK, answer(seconds=0.06)], ["r2.latency_ms", "<=", 50]),
    "coding ==": play([answer(fields=[(b"content-encoding", b"gzip")])], ["r1.coding", "==", "identity"]),
    "coding any of": play([answer(fields=[(b"content-encoding", b"zstd")])], ["r1.coding", "==", "any of br,gzip"]),
    "coding any": play([answer(fields=[(b"content-encoding", b"x-none")])], ["r1.coding", "==", "any"]),
    "decodes_to ==": play([answer(body=b"Z" * 4999)], ["r1.decodes_to", "==", "@rep(Z,5000)"]),
    "decodes_to of no gzip": play([answer(body=b"no", fields=[(b"content-encoding", b"gzip")])], ["r1.decodes_to", "==", "no"]),
    "hit ==": play([answer(fields=[HIT])], ["r1.hit", "==", False]),
    "any ==": play([OK, OK], ["any.status", "==", 429]),
    "all in": play([[answer(403), answer(200)]], ["all.status", "in", [400, 403]]),
    "all of nothing": play([[]], ["all.status", "in", [400, 403]]),
    "origin.count ==": play([OK, OK], ["origin.count", "==", 2], [asked()]),
    "origin.count >=": play([OK, OK], ["origin.count", ">=", 2], [asked()]),
    "origin.count of a method": play([OK], ["origin.count:GET /x", "==", 1], [asked(), asked(method=b"GET"), asked(b"/y")]),
    "origin.count of a host": play([OK], ["origin.count:p1.other.test/x", "==", 1], [asked()]),
    "origin.bytes <=": play([OK], ["origin.bytes", "<=", "1 MiB or one shared fill"], [asked(), asked()]),
    "origin.saw lacks": play([OK], ["origin.saw", "lacks", "raw"], [asked()]),
    "either": play([OK, OK], ["either", ["r2.body", "!=", "r1.body"], ["origin.same_target", True]], [asked(), asked(b"/y")]),
    "or": play([OK], [["r1.body", "==", "hello"], ["or", ["r1.status", "==", 502]]]),
    "stored ==": play([OK], ["stored", "==", False], measured={"explained": [{}, ENTRY]}),
    "stored == in Redis": play([OK], ["stored", "==", False],
                               measured={"explained": [{"redis": {"answer": "hit", "entry": {"status": 200}}}]}),
    "stored.header absent": play([OK], ["stored.header:Set-Cookie", "absent", True],
                                 measured={"again": [answer(fields=[HIT, (b"set-cookie", b"evil=1")])]}),
    "stored.transcoded": play([OK], ["stored.transcoded", "==", False], measured={"again": [answer(body=b"decoded")]},
                              row_rules=[of_row({"id": "", "class": "", "steps": [], "assert": [], "origin": [
                                  {"raw": "HTTP/1.1 200 OK\\r\\n\\r\\nnope"}]}).rules[0]]),
    "variants <=": play([OK], ["variants", "<=", "limit"], measured={"explained": [ENTRY]}),
    "entry.vary_names <=": play([OK], ["entry.vary_names", "<=", "limit or not stored"], measured={"explained": [ENTRY]}),
    "ttl <=": play([answer(fields=[HIT])], ["ttl", "<=", 2147483648]),
    "rss <=": play([OK], ["rss", "<=", "cap"], measured={"rss": 1 << 30}),
    "redis.dbsize grew-by": play([OK], ["redis.dbsize", "grew-by", 2], measured={"entries": 1}),
    "redis.cmdstat ==": play([OK], ["redis.cmdstat:flushall", "==", 0], measured={"flushes": 1}),
    "hot.hit_ratio >=": play([[answer(fields=[HIT]), OK]], ["hot.hit_ratio", ">=", 0.9], verbs=["reread"]),
    "upstream closed": play([OK], ["upstream", "closed", True], spoilt=[Line(False, False)]),
    "upstream used again": play([OK], ["upstream", "closed", True], spoilt=[Line(True, True)]),
}


@pytest.mark.parametrize("name", VIOLATED)
def test_a_violated_assertion_fails(name):
    assert broken_assertions(VIOLATED[name])


def kinds(asserts):
    """(what, operator) of every assertion, numbers and names left out."""
    for one in asserts:
        if one[0] in ("either", "or"):
            yield from kinds(one[1:])
        else:
            part = re.sub(r"^r\d+\.", "r.", one[0])
            yield re.sub(r":.*", ":", part), one[1] if len(one) == 3 else "=="


def test_every_kind_of_assertion_of_the_corpus_is_violated_above():
    violated = {kind for one in VIOLATED.values() for kind in kinds(one.case.asserts)}
    missing = {kind for case in [*read_corpus(), *cases_made_by_rule()] for kind in kinds(case.asserts)} - violated
    assert not missing, missing


STORED = (b"cache-status", b"etage; fwd=uri-miss; fwd-status=200; stored; ttl=60")


def broken(what):
    """A play on which everything is right but one thing."""
    one = play([answer(fields=[STORED, (b"x-case", b"p1")])], [], [asked()])
    one.taken[0].asked = list(one.seen.asked)
    what(one)
    return one


def conditional(one):
    one.taken[0].step.octets = GET.replace(b"\r\n\r\n", b"\r\nIf-Match: \"nope\"\r\n\r\n")
    one.seen.asked[0].message.fields.append((b"if-match", b'"nope"'))


BROKEN = {
    "what is no canonical request": lambda one: one.seen.violations.append("forwarded: NUL"),
    "the innocent": lambda one: setattr(one, "innocent", "502"),
    "another's answer": lambda one: one.taken[0].last.fields.append((b"x-case", b"p2")) or one.taken[0].last.fields.pop(1),
    "502 that nobody foretold": lambda one: setattr(one.taken[0].last, "status", 502),
    "no HTTP": lambda one: setattr(one.taken[0].last, "violation", "answered: two lengths"),
    "hit and fwd": lambda one: one.taken[0].last.fields.append((b"cache-status", b"etage; hit; fwd=stale")),
    "a fill with content": lambda one: setattr(one.seen.asked[0].message, "body", b"evil"),
    "a fill by HEAD": lambda one: setattr(one.seen.asked[0].message, "start", (b"HEAD", b"/x", b"HTTP/1.1")),
    "a fill with a condition": conditional,
    "a method override": lambda one: one.seen.asked[0].message.fields.append((b"x-http-method-override", b"DELETE")),
    "another URL": lambda one: one.seen.asked[0].message.fields.append((b"x-original-url", b"/admin")),
}


def test_a_play_on_which_all_is_right_passes():
    assert not judge(broken(lambda one: None))


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_invariant_fails(name):
    assert broken_invariants(broken(BROKEN[name]))


class NaiveCache:
    """The key is the path, whatever came is forwarded, whatever has content is stored, whoever asks gets it."""

    def __init__(self, origin_port):
        self.origin_port, self.stored = origin_port, {}

    async def open(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, limit=1 << 22)
        self.port = self.server.sockets[0].getsockname()[1]
        self.admin = f"http://127.0.0.1:{self.port}"
        return self

    def resident(self):
        return 0

    async def serve(self, reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
            body = await reader.readexactly(int(length[1])) if length else b""
            host = re.search(rb"(?i)\nhost: *(p\d+)\.", head)
            key = host and host[1], re.sub(rb"^\w+ (?:http://[^/]+)?([^ ?]*).*", rb"\1", head, flags=re.S)
            if key not in self.stored:
                self.stored[key] = await self.fetch(head + body)
            writer.write(self.stored[key])
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
            pass
        writer.close()

    async def fetch(self, request):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.origin_port)
        client = b"\r\nX-Forwarded-For: 127.0.0.1\r\n"
        writer.write(re.sub(rb"(?i)\r\nx-forwarded-for: [^\r]*", b"", request).replace(b"\r\n", client, 1))
        answer = b""
        try:
            while piece := await asyncio.wait_for(reader.read(1 << 16), 0.2):
                answer += piece
        except (OSError, asyncio.TimeoutError):
            pass
        writer.close()
        return answer or b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"


def play_at_a_naive_cache(cases):
    """{case id: reasons} of those that fail."""
    async def everything():
        origin = ScriptedOrigin()
        await origin.open()
        cache = await NaiveCache(int(origin.url.rsplit(":", 1)[1])).open()
        player, failed, todo = Player(Stand("memory", [cache], None, origin)), {}, iter(cases)

        async def worker():
            for case in todo:
                failed[case.id] = broken_assertions(await player.play(case))

        await asyncio.gather(*(worker() for _ in range(64)))
        return {name: reasons for name, reasons in failed.items() if reasons}

    return asyncio.run(everything())


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("cases_client.PATIENCE", 2.0)
    monkeypatch.setattr("cases_stand.CLOSED_WITHIN", 0.5)


def test_a_naive_cache_is_found_out(impatient):
    cases = [case for case in read_corpus() if not case.alone and not case.toml and case.id not in ("RNG-09", "RSP-21", "RSP-37")]
    failed = play_at_a_naive_cache(cases)
    assert len(failed) > len(cases) / 2, sorted(failed)
    some = {"WCP-01", "WCP-24", "AUT-01", "AUT-09", "AUT-12", "DOS-02", "DOS-28", "RNG-04", "RNG-11", "VAR-04", "INV-01", "INV-10"}
    assert some <= set(failed), some - set(failed)


def test_a_naive_cache_is_found_out_by_every_class_made_by_rule(impatient):
    cases = [case for case in cases_made_by_rule() if not case.alone and case.kind != "rate-limit"]
    failed = play_at_a_naive_cache(cases)
    harmless = {case.kind for case in cases} - {case.kind for case in cases if case.id in failed}
    # It makes no codings, normalises no path, and uses a connection once.
    assert harmless <= {"encoding", "path", "hostile-origin"} and len(failed) > len(cases) / 2, (harmless, len(failed), len(cases))
