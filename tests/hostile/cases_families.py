"""Cases made by rule: each class of cachecases.jsonl with other names, places, methods and spellings. Beside cases_rules.py, which
is about answers; these are about requests."""

import itertools

CACHED = [["Cache-Control", "max-age=60"]]
KEYED = '[[route]]\nmatch = "GET /x"\nkey = { query = ["q"] }\n'
IGNORING = '[[route]]\nmatch = "GET /x"\nkey = { query_ignore = ["utm_source", "utm_content"] }\n'
BY_HEADERS = '[[route]]\nmatch = "GET /**"\nkey = { headers = ["X-A", "X-B"] }\n'
TTL = '[[route]]\nmatch = "GET /**"\ncache = { ttl = "60s" }\n'
LIMITED = '[[route]]\nmatch = "/**"\nlimits = [{ name = "burst", rate = "60/min", burst = 20, by = "ip" }]\n'


def request(target="/x", *fields, method="GET", host="gw.test", content=None):
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *fields]
    if content is not None:
        lines.append(f"Content-Length: {len(content)}")
    return "\\r\\n".join(lines) + "\\r\\n\\r\\n" + (content or "")


def says(body, *fields, status=200, **more):
    return {"status": status, "headers": [*CACHED, *fields], "body": body, **more}


def row(kind, name, origin, steps, asserts, why, toml=""):
    origin = origin if isinstance(origin, list) else [origin]
    return {"id": f"own {kind}: {name}", "class": kind, "origin": origin, "steps": steps, "assert": asserts, "why": why,
            "toml": toml}


def pair(attack, plain=None):
    return [["A", attack], ["V", plain or request()]]


NO_EVIL = [["r2.raw", "lacks", "evil"]]
SAME_ONLY_IF_ASKED_THE_SAME = [["either", ["r2.body", "!=", "r1.body"], ["origin.same_target", True]]]

HOSTS = ("X-Forwarded-Server", "X-Forwarded-By", "X-Forwarded", "X-Forward-Host", "X-Hostname", "X-Host-Override",
         "X-Forwarded_Host",
         "X_Forwarded_Host", "x-fOrWaRdEd-hOsT", "X-Server-Name", "Base-Url", "X-Base-Url", "Proxy", "Proxy-Host", "Forwarded")
PEERS = ("X-Real-IP", "X-Client-IP", "X-Remote-IP", "X-Remote-Addr", "X-Originating-IP", "X-Cluster-Client-IP", "True-Client-IP",
         "CF-Connecting-IP", "Client-IP", "Fastly-Client-IP", "X-Original-Forwarded-For", "X-Forwarded-For")
SCHEMES = ("X-Forwarded-Proto", "X-Forwarded-Protocol", "X-Forwarded-Scheme", "X-Forwarded-Ssl", "X-Url-Scheme", "X-Scheme",
           "Front-End-Https", "X-HTTPS", "X-Forwarded-Port")
TARGETS = ("X-Original-URI", "X-Rewrite-URL", "X-Override-URL", "X-HTTP-Path-Override", "X-HTTP-DestinationURL", "X-Path-Info",
           "X_Original_URL", "X-Forwarded-Prefix", "X-Forwarded-Path", "X-Forwarded-Uri")
OVERRIDES = ("X-HTTP-Method-Override", "X_HTTP_Method_Override", "X-HTTP-Method", "X-Method-Override", "x-http-method-override")


def unkeyed():
    for name in (*HOSTS, *PEERS, *TARGETS):
        yield row("unkeyed-input", name, says("<{h:%s}>" % name), pair(request("/x", f"{name}: evil.test")), NO_EVIL,
                  "what is not in the key does not reach the origin, however it is called")
    for name in SCHEMES:
        moved = {"if": {"header_value": [name, "evil"]}, "status": 301, "headers": [["Location", "/x"], *CACHED], "body": ""}
        yield row("unkeyed-input", f"redirect by {name}", [moved, says("ok")], pair(request("/x", f"{name}: evil")),
                  [["r2.status", "==", 200]], "no redirect to oneself is stored for all")
    for name in ("X-Forwarded-Host", "X-Original-URL", "Forwarded", "X-Real-IP"):
        yield row("unkeyed-input", f"{name} twice", says("<{h:%s}>" % name),
                  pair(request("/x", f"{name}: gw.test", f"{name}: evil.test")), NO_EVIL, "the second of two, too")
        yield row("unkeyed-input", f"{name} nominated", says("<{h:%s}>" % name),
                  pair(request("/x", f"Connection: {name}", f"{name}: evil.test")), NO_EVIL, "also when Connection names it")
        yield row("unkeyed-input", f"{name} with HEAD", says("<{h:%s}>" % name),
                  pair(request("/x", f"{name}: evil.test", method="HEAD")), NO_EVIL, "also when HEAD filled it")
    for name, value in (("Cookie", "a=evil"), ("COOKIE", "__Host-x=evil"), ("Authorization", "Basic evil"),
                        ("authorization", "evil")):
        yield row("unkeyed-input", name, says("<{h:%s}>" % name), pair(request("/x", f"{name}: {value}")), NO_EVIL,
                  "who asked with it has it alone")


def isolation():
    body = says("host={host}")
    for name, evil in (("a port", "gw.test:8443"), ("a last dot", "gw.test."), ("a longer name", "evil-gw.test"),
                       ("a part of it", "w.test")):
        yield row("isolation", name, body, pair(request(host=evil)),
                  [["either", ["r2.body", "!=", "r1.body"], ["r1.status", "==", 400]]],
                  "another host is another key")
    for name, same in (("capitals", "GW.TEST"), ("the default port", "gw.test:80")):
        yield row("isolation", name, body, pair(request(host=same)), [["r2.raw", "lacks", same if name == "capitals" else ":80"]],
                  "what the key normalises the origin gets normalised")
    for name, host in (("an at sign", "gw.test@evil.test"), ("a slash", "gw.test/evil"), ("a comma", "gw.test,evil.test"),
                       ("a space", "gw.test evil.test"), ("a question mark", "gw.test?evil"), ("a backslash", "gw.test\\\\evil")):
        yield row("isolation", f"Host with {name}", body, pair(request(host=host)), [["r1.status", "==", 400], *NO_EVIL],
                  "RFC 9112 §3.2")
    yield row("isolation", "absolute form, another port", body, pair(request("http://gw.test:1337/x")),
              [["r2.raw", "lacks", "1337"]], "law 2")


CHUNKED = "4\\r\\nevil\\r\\n0\\r\\n\\r\\n"


def with_content():
    """Of content that no key knows."""
    body = says("q={q:q} b={body} m={h:X-HTTP-Method-Override}")
    for method, kind in itertools.product(("GET", "HEAD"), ("form", "json", "text")):
        field = {"form": "Content-Type: application/x-www-form-urlencoded", "json": "Content-Type: application/json",
                 "text": "X-A: b"}[kind]
        yield row("fat-get", f"{method} with {kind}", body, pair(request("/x", field, method=method, content="q=evil")), NO_EVIL,
                  "law 5")
    yield row("fat-get", "HEAD in chunks", body, pair(request("/x", "Transfer-Encoding: chunked", method="HEAD") + CHUNKED),
              NO_EVIL, "law 5")
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "EVIL", "PROPFIND"):
        yield row("fat-get", method, body, pair(request(method=method, content="evil")), NO_EVIL,
                  "no other method fills what GET finds")
    yield row("fat-get", "QUERY", body, [["A", request("/x", "Content-Type: text/plain", method="QUERY", content="evil")],
                                         ["V", request("/x", "Content-Type: text/plain", method="QUERY", content="good")]],
              NO_EVIL, "the content of QUERY is in its key")
    for name in OVERRIDES:
        yield row("fat-get", f"POST as GET by {name}", body, pair(request("/x", f"{name}: GET", method="POST", content="evil")),
                  NO_EVIL, "RFC 9111 §3")


CLOAKS = {"a semicolon": "q=ok;q=evil", "an encoded one": "q=ok&utm_content=1%3bq=evil",
          "an encoded ampersand": "q=ok&utm_source=%26q%3devil",
          "twice encoded": "q=ok&utm_source=1%2526q=evil", "brackets": "q=ok&q[]=evil", "a capital": "q=ok&Q=evil",
          "a space": "q=ok&+q=evil",
          "NUL": "q=ok&utm_source=1%00&q%00=evil", "an empty name": "q=ok&=evil", "no value": "q=ok&evil",
          "an encoded name": "q=ok&utm%5fsource=evil",
          "twice": "q=ok&utm_source=a&utm_source=evil", "a second mark": "q=ok&?q=evil",
          "a line end": "q=ok&utm_source=1%0d%0aq:evil"}


def query():
    body = says("q={q:q} t={target}")
    for (name, attack), (rule, toml) in itertools.product(CLOAKS.items(), (("only q", KEYED), ("all but utm", IGNORING))):
        yield row("query", f"{name}, {rule}", body, pair(request("/x?" + attack), request("/x?q=ok")), NO_EVIL,
                  "what the key leaves out the origin never hears", toml)
    for a, b in (("/x?a=1&b=2", "/x?b=2&a=1"), ("/x?", "/x"), ("/x?a", "/x?a="), ("/x?a=%41", "/x?a=A"), ("/x?a=1+2", "/x?a=1%202"),
                 ("/x?a=1&&b=2", "/x?a=1&b=2"), ("/x?a=1&a=2", "/x?a=2&a=1"), ("/x?a=%2f", "/x?a=/"), ("/x?A=1", "/x?a=1"),
                 ("/x?a=1;b=2", "/x?a=1&b=2")):
        yield row("query", f"{a} and {b}", says("t={target}"), pair(request(a), request(b)), SAME_ONLY_IF_ASKED_THE_SAME, "law 1")


def key_injection():
    for delimiter in ("|", "__", ":", ";", ",", "$$", "\\t", "%00", "/", "?", "&", "=", "\\xff"):
        yield row("key-injection", f"two fields and {delimiter!r}", says("a={h:X-A} b={h:X-B}"),
                  pair(request("/x", f"X-A: 1{delimiter}2", "X-B: 3"), request("/x", "X-A: 1", f"X-B: 2{delimiter}3")),
                  [["r2.body", "!=", "r1.body"]], "parts of a key are told apart by their lengths", BY_HEADERS)
    for name, attack, plain in (("empty and absent", ("X-A:",), ("X-B:",)), ("moved", ("X-A: 1",), ("X-B: 1",)),
                                ("doubled", ("X-A: 1", "X-A: 2"), ("X-A: 1",))):
        yield row("key-injection", name, says("[{h:X-A}][{h:X-B}]"), pair(request("/x", *attack), request("/x", *plain)),
                  [["either", ["r2.body", "!=", "r1.body"], ["r1.body", "==", "[][]"]]], "law 2", BY_HEADERS)
    yield row("key-injection", "a double of a keyed field", says("a={h:X_A}"), pair(request("/x", "X_A: evil"), request()),
              NO_EVIL, "X_A is X-A to CGI", BY_HEADERS)


PATHS = (("/a/./x", "/a/x"), ("/a/%2e/x", "/a/x"), ("/a/..%2fx", "/x"), ("/a/%2e%2e%2fx", "/x"), ("/x/..;/y", "/y"),
         ("/x;a=b", "/x"), ("/x%3ba", "/x;a"),
         ("/x%252fy", "/x/y"), ("/x%5cy", "/x/y"), ("/%c0%afx", "/x"), ("/x%23a", "/x"), ("/x%09", "/x"), ("/x%0d%0a", "/x"),
         ("/x%00", "/x"), ("/x%2F", "/x%2f"),
         ("/%7Ea", "/~a"), ("/x%2e", "/x."), ("/x%", "/x"), ("/x%zz", "/x"), ("/./x", "/x"), ("/../x", "/x"), ("///x", "/x"),
         ("/x//y", "/x/y"), ("/x%20y", "/x+y"),
         ("/%E2%80%AE", "/"), ("/x%u002f", "/x/"), ("/x:80", "/x"), ("/x@y", "/x"))


def path():
    for a, b in PATHS:
        for name, one, other in (("", a, b), (" the other way", b, a)):
            yield row("path", f"{a} and {b}{name}", says("t={target}"), pair(request(one), request(other)),
                      SAME_ONLY_IF_ASKED_THE_SAME, "law 4")


SUFFIXES = ("/x.js", "/x.png", ";a.css", "%3ba.css", "%23x.css", "%2fx.css", "%5cx.css", "%09x.css", "%0d%0ax.css", "/.css",
            ".css", "/%2e%2e/robots.txt",
            "/..%5cstatic/a.js", "?x.css", "?a=/x.css", "//x.woff2", "/x.css%00", "/x%2ecss", "~x.css", "%ffx.css")
SECRETS = {"private": [["Cache-Control", "private"]], "no-store": [["Cache-Control", "no-store"]],
           "Set-Cookie": [["Set-Cookie", "s=victim"]],
           "Vary: *": [["Vary", "*"]], "nothing": [], "HTML": [["Content-Type", "text/html"]]}


def deception():
    for number, suffix in enumerate(SUFFIXES):
        name, fields = list(SECRETS.items())[number % len(SECRETS)]
        target = "/account" + suffix
        yield row("deception", f"{suffix} and {name}", {"status": 200, "headers": fields, "body": "SECRET-{h:Cookie}-{n}"},
                  [["V", request(target, "Cookie: s=victim")], ["A", request(target)]], [["r2.raw", "lacks", "SECRET-s=victim"]],
                  "law 8", TTL)
    for scheme in ("Basic dmljdGlt", "Bearer victim", "Digest victim", "victim"):
        yield row("deception", f"Authorization: {scheme}", {"status": 200, "headers": [], "body": "{h:Authorization}"},
                  [["V", request("/me.css", f"Authorization: {scheme}")], ["A", request("/me.css")]],
                  [["r2.body", "!=", "r1.body"]], "RFC 9111 §3.5", TTL)


def limits():
    for name in ("X-Real-IP", "Forwarded", "True-Client-IP", "User-Agent", "Cookie", "X-Client-IP"):
        yield row("rate-limit", f"{name} rotated", says("ok"), [["A", f"x100 rotate {name} " + request()]],
                  [["any.status", "==", 429]],
                  "an address is counted, not what is said", LIMITED)
    for name, text in (("HEAD", request(method="HEAD")), ("POST", request(method="POST", content="")),
                       ("absolute form", request("http://gw.test/x"))):
        yield row("rate-limit", name, says("ok"), [["A", "x100 " + text], ["V", "from 127.0.0.2 " + request()]],
                  [["r1.status", "==", 429], ["r1.header:Cache-Control", "has", "no-store"], ["r2.status", "==", 200]],
                  "RFC 6585 §4", LIMITED)


def about_requests():
    for family in (unkeyed, isolation, with_content, query, key_injection, path, deception, limits):
        yield from family()
