"""Cases made by rule, so that a class is covered rather than its samples: every octet in every position of the grammar,
every pair of framing fields, every line end. What is right follows from the RFCs' character classes, written out here."""

import itertools

from stream_cases import Case

TCHAR = set(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
VCHAR = set(range(0x21, 0x7f))
FIELD_CHAR = VCHAR | set(range(0x80, 0x100)) | {0x20, 0x09}  # RFC 9110 §5.5
QUOTED = FIELD_CHAR - set(b'"\\')
TARGET_CHAR = VCHAR - set(b"#")
HOST_CHAR = set(b"-._~!$&'()*+;=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
OWS = set(b" \t")
HOST = b"Host: gw.test\r\n"
SMUGGLED = b"GET /SMUGGLED HTTP/1.1\r\nHost: gw.test\r\n\r\n"


def get(fields=b"", target=b"/g", version=b"HTTP/1.1", method=b"GET", host=HOST):
    return method + b" " + target + b" " + version + b"\r\n" + host + fields + b"\r\n"


def post(fields, content=b""):
    return get(fields, b"/p", method=b"POST") + content


def chunked(content):
    return post(b"Transfer-Encoding: chunked\r\n", content)


def octets(place, make, good, refusal="reject400", skip=()):
    """One case for each of the 256 octets: those in `good` must pass, all others be refused."""
    for n in range(256):
        if n not in skip:
            yield Case(f"{place} {n:02x}", "every octet", make(bytes([n])), "ok" if n in good else refusal,
                       why="every octet in that place", origin_expect=1)


def every_octet():
    # Position in a method: other methods than those in use are forwarded, if they are tokens.
    yield from octets("octet in a method", lambda c: get(method=b"G" + c + b"T"), TCHAR)
    yield from octets("octet before a method", lambda c: get(method=c + b"GET"), TCHAR)
    yield from octets("octet behind a method", lambda c: get(method=b"GET" + c), TCHAR)
    yield from octets("octet in a target", lambda c: get(target=b"/a" + c + b"b"), TARGET_CHAR)
    yield from octets("octet before a target", lambda c: get(target=c + b"/a"), {0x2f})
    yield from octets("octet behind a target", lambda c: get(target=b"/a" + c), TARGET_CHAR)
    yield from octets("octet in a query", lambda c: get(target=b"/a?b" + c + b"=c"), TARGET_CHAR)
    yield from octets("octet behind a version", lambda c: get(version=b"HTTP/1.1" + c), set())
    yield from octets("octet in a version", lambda c: get(version=b"HTTP" + c + b"1.1"), {0x2f})
    yield from octets("octet as minor version", lambda c: get(version=b"HTTP/1." + c), set(b"0123456789"))
    yield from octets("octet as major version", lambda c: get(version=b"HTTP/" + c + b".1"), {0x31}, skip=b"023456789")
    yield from octets("other major version", lambda c: get(version=b"HTTP/" + c + b".1"), set(), "reject4xx",
                      set(range(256)) - set(b"023456789"))
    for at, text in (("in", b"X-%sY"), ("before", b"%sX-Y"), ("behind", b"X-Y%s")):
        good = TCHAR | ({0x3a} if at != "before" else set())
        yield from octets(f"octet {at} a field name", lambda c, t=text: get(t % c + b": v\r\n"), good)
    for at, text in (("in", b"a%sb"), ("before", b"%sb"), ("behind", b"a%s")):
        yield from octets(f"octet {at} a field value", lambda c, t=text: get(b"X-Y: " + t % c + b"\r\n"), FIELD_CHAR)
    yield from octets("octet in Host", lambda c: get(host=b"Host: a" + c + b"b\r\n"), HOST_CHAR)
    yield from octets("octet before Host", lambda c: get(host=b"Host:" + c + b"gw.test\r\n"), (HOST_CHAR | OWS) - set(b"."))
    yield from octets("octet behind Host", lambda c: get(host=b"Host: gw.test" + c + b"\r\n"), HOST_CHAR | OWS | {0x3a})
    yield from octets("octet in an authority", lambda c: get(target=b"http://a" + c + b"b/g", host=b"Host: a" + c + b"b\r\n"),
                      HOST_CHAR)


def every_octet_of_framing():
    for name in (b"Content-Length", b"Transfer-Encoding"):
        value = b"5" if name == b"Content-Length" else b"chunked"
        kind = name.decode()
        yield from octets(f"octet behind the name {kind}", lambda c: post(name + c + b": " + value + b"\r\n", SMUGGLED),
                          set(), skip=TCHAR | {0x3a})
        yield from octets(f"octet before the name {kind}", lambda c: post(c + name + b": " + value + b"\r\n", SMUGGLED),
                          set(), skip=TCHAR)
        yield from octets(f"octet for the dash of {kind}",
                          lambda c: post(name.replace(b"-", c) + b": " + value + b"\r\n", SMUGGLED), set(),
                          skip=(TCHAR | {0x3a}) - {0x5f})
    yield from octets("octet behind a length", lambda c: post(b"Content-Length: 5" + c + b"\r\n", b"hello"), OWS,
                      skip=b"0123456789")
    yield from octets("octet before a length", lambda c: post(b"Content-Length: " + c + b"5\r\n", b"hello"), OWS | {0x30},
                      skip=b"123456789")
    yield from octets("octet in a length", lambda c: post(b"Content-Length: 1" + c + b"0\r\n", b"hello12345"), set(),
                      skip=b"0123456789")
    for at, text in (("in", b"chun%sked"), ("before", b"%schunked"), ("behind", b"chunked%s")):
        yield from octets(f"octet {at} chunked", lambda c, t=text: post(b"Transfer-Encoding: " + t % c + b"\r\n", b"0\r\n\r\n"),
                          OWS if at != "in" else set(), "reject4xx")
    yield from octets("octet behind a chunk size", lambda c: chunked(b"5" + c + b"\r\nhello\r\n0\r\n\r\n"), set(),
                      skip=b"0123456789abcdefABCDEF")
    yield from octets("octet before a chunk size", lambda c: chunked(c + b"5\r\nhello\r\n0\r\n\r\n"), {0x30},
                      skip=b"123456789abcdefABCDEF")
    yield from octets("octet for CR behind a size", lambda c: chunked(b"5" + c + b"\nhello\r\n0\r\n\r\n"), {0x0d},
                      skip=b"0123456789abcdefABCDEF")
    yield from octets("octet for LF behind a size", lambda c: chunked(b"5\r" + c + b"hello\r\n0\r\n\r\n"), {0x0a})
    yield from octets("octet for CR behind a chunk", lambda c: chunked(b"5\r\nhello" + c + b"\n0\r\n\r\n"), {0x0d})
    yield from octets("octet for LF behind a chunk", lambda c: chunked(b"5\r\nhello\r" + c + b"0\r\n\r\n"), {0x0a})
    yield from octets("octet for CR behind the last size", lambda c: chunked(b"0" + c + b"\n\r\n"), {0x0d},
                      skip=b"0123456789abcdefABCDEF")
    yield from octets("octet for LF behind the last size", lambda c: chunked(b"0\r" + c + b"\r\n"), {0x0a})
    yield from octets("octet for the last LF", lambda c: chunked(b"0\r\n\r" + c), {0x0a})
    yield from octets("octet in an extension's name", lambda c: chunked(b"5;a" + c + b"b\r\nhello\r\n0\r\n\r\n"),
                      TCHAR | {0x3d, 0x3b})
    yield from octets("octet in an extension's value", lambda c: chunked(b"5;a=b" + c + b"c\r\nhello\r\n0\r\n\r\n"),
                      TCHAR | {0x3b})
    yield from octets("octet in a quoted value", lambda c: chunked(b'5;a="' + c + b'"\r\nhello\r\n0\r\n\r\n'), QUOTED)
    yield from octets("octet escaped", lambda c: chunked(b'5;a="\\' + c + b'"\r\nhello\r\n0\r\n\r\n'), FIELD_CHAR)
    yield from octets("octet in a trailer's name", lambda c: chunked(b"0\r\nX" + c + b"Y: v\r\n\r\n"), TCHAR | {0x3a})
    yield from octets("octet in a trailer's value", lambda c: chunked(b"0\r\nX-Y: a" + c + b"b\r\n\r\n"), FIELD_CHAR)


def line_ends():
    """Every CRLF of a message, replaced by what only looks like one."""
    messages = {"head": get(b"X-A: b\r\n"), "chunks": chunked(b"5\r\nhello\r\n0\r\nX-T: y\r\n\r\n")}
    for name, message in messages.items():
        parts = message.split(b"\r\n")
        for at, end in itertools.product(range(1, len(parts)), (b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r \n", b"\0\r\n", b"\x85",
                                                                b"\xe2\x80\xa8", b"\x0b\r\n", b"\r\x00\n")):
            octets = b"\r\n".join(parts[:at]) + end + b"\r\n".join(parts[at:])
            yield Case(f"line end {name} {at} {end.hex()}", "line ends", octets, "reject400", ("close",), half_close=True,
                       why="only CRLF ends a line")


LENGTHS = (b"0", b"5", b"41", b"+5", b"-1", b"05", b"", b"5, 5", b"5,6", b"0x5", b"5 5", b"9223372036854775808",
           b"18446744073709551621", b"5;", b"\xd9\xa5", b"5.0", b"1e1")
CODINGS = (b"chunked", b"Chunked", b"xchunked", b"chunked, chunked", b"identity", b"gzip", b"gzip, chunked", b"chunked, gzip",
           b"", b",", b"chunked,", b"chunked;q=1", b'"chunked"', b"identity, chunked", b"trailers", b"deflate;chunked",
           b"chunked\t, identity", b"cow", b"chunked chunked")


def framing_pairs():
    """Content-Length and Transfer-Encoding of every kind, in both orders, and each twice."""
    for length, coding in itertools.product(LENGTHS, CODINGS):
        for first in (0, 1):
            lines = [b"Content-Length: " + length + b"\r\n", b"Transfer-Encoding: " + coding + b"\r\n"]
            yield Case(f"pair {first} {length!r} {coding!r}", "framing pairs",
                       post(lines[first] + lines[1 - first], b"0\r\n\r\n" + SMUGGLED), "reject4xx",
                       why="RFC 9112 §6.1: two framings")
    for one, other in itertools.product(LENGTHS, LENGTHS):
        yield Case(f"lengths {one!r} {other!r}", "two lengths",
                   post(b"Content-Length: %s\r\nContent-Length: %s\r\n" % (one, other), SMUGGLED), "reject400",
                   why="RFC 9112 §6.3(5), without the exception for equal ones")
    for one, other in itertools.product(CODINGS, CODINGS):
        yield Case(f"codings {one!r} {other!r}", "two codings",
                   post(b"Transfer-Encoding: %s\r\nX-A: b\r\nTransfer-Encoding: %s\r\n" % (one, other), b"0\r\n\r\n" + SMUGGLED),
                   "reject4xx", why="exactly one coding, chunked, once")
    for length in LENGTHS[3:]:
        if length != b"05":
            yield Case(f"length {length!r}", "bad lengths", post(b"Content-Length: " + length + b"\r\n", SMUGGLED), "reject400")
    for coding in CODINGS[2:]:
        yield Case(f"coding {coding!r}", "bad codings",
                   post(b"Transfer-Encoding: " + coding + b"\r\n", b"0\r\n\r\n" + SMUGGLED), "reject4xx")


SIZES = (b"", b"-5", b"+5", b"0x5", b" 5", b"5 ", b"\t5", b"5h", b"g", b"5,5", b"00000000000000005", b"ffffffffffffffff",
         b"8000000000000000", b"10000000000000005", b"5.", b"5\0", b'"5"', b"5;", b"5;=", b"5;a=", b'5;a="', b'5;a="b"c',
         b"5;a=b c", b"5 5", b"5\xa0", b"5;\x7f", b"0_5", b"5u", b"5ll", b"5;a;", b"5;;a", b"5 \t")


def chunk_sizes():
    for size, then in itertools.product(SIZES, (b"hello\r\n0\r\n\r\n", b"hello\r\n0\r\n\r\n" + SMUGGLED)):
        yield Case(f"size {size!r} {len(then)}", "chunk sizes", chunked(size + b"\r\n" + then), "reject400")
        yield Case(f"later size {size!r} {len(then)}", "chunk sizes", chunked(b"2\r\nab\r\n" + size + b"\r\n" + then), "reject400")
    for zeros in range(1, 17):
        yield Case(f"zeros {zeros}", "chunk sizes", chunked(b"0" * (zeros - 1) + b"5\r\nhello\r\n" + b"0" * zeros + b"\r\n\r\n"),
                   "ok", origin_expect=1)


HOSTS = {b"": "reject400", b"a b": "reject400", b"a,b": "reject400", b"a/b": "reject400", b"a?b": "reject400", b"a#b": "reject400",
         b"@a": "reject400", b"u@a": "reject400", b"u:p@a": "reject400", b"a:": "ok", b"a:0": "ok", b"a:80": "ok",
         b"a:65535": "ok", b"a:65536": "reject400", b"a:99999999999": "reject400", b"a:8o": "reject400", b"a:+80": "reject400",
         b"a:80:80": "reject400", b":80": "reject400", b"[::1]": "ok", b"[::1]:80": "ok", b"[::1": "reject400",
         b"::1": "reject400", b"[::1]x": "reject400", b"[::1]:x": "reject400", b"[]": "reject400", b"[1.2.3.4]": "reject400",
         b"[::g]": "reject400", b"[::1%25lo]": "reject400", b"1.2.3.4": "ok", b"a..b": "reject400", b".": "reject400",
         b".a": "reject400", b"a.": "ok", b"%61": "ok", b"%6": "reject400", b"%zz": "reject400", b"http://a": "reject400",
         b"a\\b": "reject400", b"a%00b": "no-smuggle", b"a\tb": "reject400", b'a"b': "reject400", b"a<b": "reject400"}


def hosts_and_targets():
    for host, expect in HOSTS.items():
        yield Case(f"host {host!r}", "hosts", get(host=b"Host: " + host + b"\r\n"), expect, origin_expect=1)
        if host:
            yield Case(f"authority {host!r}", "hosts", get(target=b"http://" + host + b"/g", host=b"Host: " + host + b"\r\n"),
                       expect, ("reject400",) if expect == "no-smuggle" else (), origin_expect=1)
    for target in (b"g", b"gw.test", b"gw.test:80", b"?a", b"#", b"/a#b", b"http:/gw.test/g", b"http:gw.test", b"http://", b"http:///g",
                   b"http://?", b"http://#", b"http://u@gw.test/", b"http://gw.test#f", b"ftp://gw.test/", b"ws://gw.test/",
                   b"javascript:alert(1)", b"//", b"*", b"*a", b"/*", b"http://evil.test/g", b"http://gw.test:81/g",
                   b"http://gw.test.:80/g", b"http://[::1]/g", b"\\g", b"..", b".", b"%2f", b"http://gw.test\\@evil.test/",
                   b"http://gw.test,evil.test/g", b"HTTP/1.1", b"mailto:a@b", b"about:blank", b"http//gw.test/g"):
        good = target in (b"//", b"/*")
        yield Case(f"target {target!r}", "targets", get(target=target), "ok" if good else "reject400", origin_expect=1)
    for lines in (b"", HOST * 2, HOST + b"host: evil.test\r\n", b"Host : gw.test\r\n", b" Host: gw.test\r\n", b"X: y\r\n Host: gw.test\r\n",
                  b"Host: gw.test\r\n evil\r\n", b"Host\t: gw.test\r\n", b"Host:\r\n gw.test\r\n"):
        yield Case(f"host lines {lines!r}", "hosts", get(host=lines), "reject400")
    for method, target in ((b"CONNECT", b"gw.test:80"), (b"CONNECT", b"gw.test"), (b"CONNECT", b"/g"), (b"CONNECT", b"http://gw.test/"),
                           (b"CONNECT", b"[::1]:80"), (b"CONNECT", b"u@gw.test:80"), (b"CONNECT", b"*"), (b"POST", b"*"),
                           (b"PRI", b"*")):
        yield Case(f"{method.decode()} {target!r}", "targets", get(target=target, method=method), "reject4xx")


def connection_state():
    """Content, whoever leaves it unread: never the next request. /SMUGGLED stands in it."""
    framed = {"length": (b"Content-Length: %d\r\n" % len(SMUGGLED), SMUGGLED),
              "chunks": (b"Transfer-Encoding: chunked\r\n", b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED))}
    for (how, (field, content)), method, target in itertools.product(
            framed.items(), (b"GET", b"HEAD", b"DELETE", b"OPTIONS", b"POST", b"QUERY", b"TRACE", b"PURGE", b"FOO"),
            (b"/cacheable", b"/g", b"/limited")):
        for extra in (b"", b"Expect: 100-continue\r\n", b"Connection: Upgrade\r\nUpgrade: websocket\r\n", b"Max-Forwards: 0\r\n",
                      b"Cache-Control: only-if-cached\r\n", b"Connection: close\r\n", b"If-None-Match: *\r\n", b"Range: bytes=0-0\r\n"):
            first = get(field + extra, target, method=method) + content
            yield Case(f"{method.decode()} {target.decode()} {how} {extra!r}", "content unread", first, "no-smuggle",
                       setup="limiter exhausted" if target == b"/limited" else "prime", origin_max=1)
    for end in (b"Connection: close\r\n", b"Connection: Close\r\n", b"Connection: keep-alive, close\r\n",
                b"Connection: x\r\nConnection: close\r\n", b"connection:close\r\n"):
        yield Case(f"behind {end!r}", "nothing behind close", get(end) + SMUGGLED, "close")
        yield Case(f"cached, behind {end!r}", "nothing behind close", get(end, b"/cacheable") + SMUGGLED, "close", setup="prime")
    for name in (b"Host", b"Content-Length", b"Transfer-Encoding", b"Authorization", b"Cookie", b"Cache-Control", b"Via", b"Date",
                 b"X-Forwarded-For", b"X-Real", b"TE", b"Trailer", b"Keep-Alive", b"Upgrade", b"Connection", b"close, Host", b'"x"',
                 b"a b", b"a;b", b",,", b""):
        fields = b"Connection: " + name + b"\r\nX-Real: hop\r\nAuthorization: Bearer t\r\nContent-Length: %d\r\n" % len(SMUGGLED)
        yield Case(f"Connection: {name.decode()}", "nominated fields", post(fields, SMUGGLED), "no-smuggle")


def families():
    seen = set()
    for make in (every_octet, every_octet_of_framing, line_ends, framing_pairs, chunk_sizes, hosts_and_targets, connection_state):
        for case in make():
            assert case.id not in seen, case.id
            seen.add(case.id)
            yield case
