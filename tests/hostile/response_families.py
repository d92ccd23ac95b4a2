"""Answers made by rule: every octet in every position of a response, as stream_families.py does it for requests."""

import itertools

from response_play import Response
from stream_families import CODINGS, FIELD_CHAR, LENGTHS, OWS, QUOTED, SIZES, TCHAR

DIGITS = set(b"0123456789")
HEX = DIGITS | set(b"abcdefABCDEF")


def answer(fields=b"Content-Length: 5\r\n", content=b"hello", start=b"HTTP/1.1 200 OK"):
    return start + b"\r\n" + b"Cache-Control: max-age=100\r\n" + fields + b"\r\n" + content


def chunked(content):
    return answer(b"Transfer-Encoding: chunked\r\n", content)


def octets(place, make, good, alt=(), skip=()):
    for n in range(256):
        if n not in skip:
            yield Response(f"{place} {n:02x}", "every octet", make(bytes([n])), "ok" if n in good else "502",
                           () if n in good else alt, why="every octet in that place")


def response_families():
    cut = ("cut",)
    yield from octets("octet in a reason", lambda c: answer(start=b"HTTP/1.1 200 O" + c + b"K"), FIELD_CHAR)
    yield from octets("octet before a status", lambda c: answer(start=b"HTTP/1.1" + c + b"200 OK"), {0x20})
    yield from octets("octet in a status", lambda c: answer(start=b"HTTP/1.1 2" + c + b"0 OK"), DIGITS, skip=b"0")
    yield from octets("octet behind a status", lambda c: answer(start=b"HTTP/1.1 200" + c + b"OK"), {0x20})
    yield from octets("octet before HTTP", lambda c: answer(start=c + b"HTTP/1.1 200 OK"), set())
    for at, text in (("in", b"X-%sY"), ("before", b"%sX-Y"), ("behind", b"X-Y%s")):
        yield from octets(f"octet {at} a field name", lambda c, t=text: answer(t % c + b": v\r\nContent-Length: 5\r\n"),
                          TCHAR | ({0x3a} if at != "before" else set()))
    for at, text in (("in", b"a%sb"), ("before", b"%sb"), ("behind", b"a%s")):
        yield from octets(f"octet {at} a field value", lambda c, t=text: answer(b"X-Y: " + t % c + b"\r\nContent-Length: 5\r\n"),
                          FIELD_CHAR)
    yield from octets("octet behind a length", lambda c: answer(b"Content-Length: 5" + c + b"\r\n"), OWS, skip=DIGITS)
    yield from octets("octet before a length", lambda c: answer(b"Content-Length: " + c + b"5\r\n"), OWS | {0x30},
                      skip=DIGITS - {0x30})
    yield from octets("octet behind the name Content-Length", lambda c: answer(b"Content-Length" + c + b": 5\r\n"), set(),
                      skip=TCHAR | {0x3a})
    for at, text in (("in", b"chun%sked"), ("before", b"%schunked"), ("behind", b"chunked%s")):
        yield from octets(f"octet {at} chunked", lambda c, t=text: answer(b"Transfer-Encoding: " + t % c + b"\r\n", b"0\r\n\r\n"),
                          OWS if at != "in" else set())
    yield from octets("octet behind a chunk size", lambda c: chunked(b"5" + c + b"\r\nhello\r\n0\r\n\r\n"), set(), cut, HEX)
    yield from octets("octet before a chunk size", lambda c: chunked(c + b"5\r\nhello\r\n0\r\n\r\n"), {0x30}, cut, HEX - {0x30})
    yield from octets("octet for CR behind a size", lambda c: chunked(b"5" + c + b"\nhello\r\n0\r\n\r\n"), {0x0d}, cut, HEX)
    yield from octets("octet for LF behind a size", lambda c: chunked(b"5\r" + c + b"hello\r\n0\r\n\r\n"), {0x0a}, cut)
    yield from octets("octet for CR behind a chunk", lambda c: chunked(b"5\r\nhello" + c + b"\n0\r\n\r\n"), {0x0d}, cut)
    yield from octets("octet for LF behind a chunk", lambda c: chunked(b"5\r\nhello\r" + c + b"0\r\n\r\n"), {0x0a}, cut)
    yield from octets("octet for the last LF", lambda c: chunked(b"0\r\n\r" + c), {0x0a}, cut)
    yield from octets("octet in a quoted value", lambda c: chunked(b'5;a="' + c + b'"\r\nhello\r\n0\r\n\r\n'), QUOTED, cut)
    yield from octets("octet in a trailer's name", lambda c: chunked(b"0\r\nX" + c + b"Y: v\r\n\r\n"), TCHAR | {0x3a}, cut)
    yield from octets("octet in a trailer's value", lambda c: chunked(b"0\r\nX-Y: a" + c + b"b\r\n\r\n"), FIELD_CHAR, cut)
    for length, coding, first in itertools.product(LENGTHS, CODINGS, (0, 1)):
        lines = [b"Content-Length: " + length + b"\r\n", b"Transfer-Encoding: " + coding + b"\r\n"]
        yield Response(f"pair {first} {length!r} {coding!r}", "framing pairs", answer(lines[first] + lines[1 - first], b"0\r\n\r\n"),
                       "502")
    for one, other in itertools.product(LENGTHS, LENGTHS):
        yield Response(f"lengths {one!r} {other!r}", "two lengths",
                       answer(b"Content-Length: %s\r\nContent-Length: %s\r\n" % (one, other)), "502")
    for size in SIZES:
        yield Response(f"size {size!r}", "chunk sizes", chunked(size + b"\r\nhello\r\n0\r\n\r\n"), "502", cut)
        yield Response(f"later size {size!r}", "chunk sizes", chunked(b"2\r\nab\r\n" + size + b"\r\nhello\r\n0\r\n\r\n"), "502", cut)
