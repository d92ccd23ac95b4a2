"""Cases made by rule, about answers: what may be stored, for whom, for how long, and what origins do to a cache."""

import itertools

from cases_families import CACHED, OVERRIDES, about_requests, pair, request, row, says
from cases_language import of_row

OK = says("FULLBODY")
FULL = [["r2.status", "==", 200], ["r2.body", "has", "FULLBODY"]]
AGAIN = [["V", request()], ["A", request()]]
TWICE = [["origin.count", "==", 2]]
ABOUT_THE_REQUEST = (400, 401, 403, 405, 406, 407, 412, 413, 414, 415, 416, 417, 421, 425, 426, 428, 429, 431)


def directives():
    never = ("private", "no-store", "max-age=60, private", "No-Store,max-age=60", "max-age=60,\tprivate", 'private="", max-age=60',
             "max-age=60 , no-store",
             "s-maxage=0", "max-age=60, s-maxage=0", "no-cache", "no-cache, max-age=60", "max-age=0", 'max-age="0"',
             "max-age=60, max-age=0",
             "max-age=-1", "public, no-store", "must-understand, private, max-age=60", "private, public, max-age=60",
             'foo="bar, max-age=60", no-store', ",,no-store,,max-age=60")
    for value in never:
        yield row("directives", value, {"status": 200, "headers": [["Cache-Control", value]], "body": "v{n}"}, AGAIN,
                  [["origin.count", ">=", 2]], "RFC 9111 §5.2.2")
    for fields in ([["Cache-Control", "private"], ["Cache-Control", "max-age=60"]], [["Expires", "0"]],
                   [["Expires", "Thu, 01 Jan 1970 00:00:00 GMT"]],
                   [["Cache-Control", "max-age=60"], ["CDN-Cache-Control", "no-store"]],
                   [["CDN-Cache-Control", "private"], ["Cache-Control", "s-maxage=60"]],
                   [["Cache-Control", "max-age=60"], ["Age", "61"]], [["Cache-Control", "max-age=60"], ["Set-Cookie", "a=b"]],
                   [["Cache-Control", "max-age=60"], ["set-cookie", ""]], [["Cache-Control", "max-age=60"], ["Vary", "Accept, *"]],
                   [["Cache-Control", "max-age=60"], ["Vary", "Accept"], ["Vary", "*"]]):
        name = "; ".join(": ".join(field) for field in fields)
        yield row("directives", name, {"status": 200, "headers": fields, "body": "v{n}"}, AGAIN, [["origin.count", ">=", 2]],
                  "RFC 9111 §3, §4.2")


def credentials():
    secret = "SECRET-{h:Authorization}{h:Cookie}"
    for value in ("max-age=60", "max-age=60, proxy-revalidate", "max-age=60, immutable", "max-age=60, stale-while-revalidate=60",
                  "private, s-maxage=60"):
        for name in ("Authorization: Bearer victim", "Cookie: sid=victim", "authorization:victim"):
            yield row("authorization", f"{name}, {value}", {"status": 200, "headers": [["Cache-Control", value]], "body": secret},
                      [["V", request("/x", name)], ["A", request()]], [["r2.raw", "lacks", "victim"]], "RFC 9111 §3.5; law 8")
    for status in (200, 203, 301, 404, 410):
        yield row("cookie", f"Set-Cookie with {status}",
                  {"status": status, "headers": [*CACHED, ["Set-Cookie", "s=victim{n}"]], "body": "b"},
                  AGAIN, [["r2.raw", "lacks", "victim1"]], "no cookie is anybody else's")


def errors():
    for status in ABOUT_THE_REQUEST:
        trip = says("err", status=status, **{"if": {"header": "X-Trip"}})
        yield row("error-caching", f"{status} that says it is fresh", [trip, OK], pair(request("/x", "X-Trip: 1")), FULL,
                  "law 7: it is about the request")
    for status in (400, 404, 405, 410, 414, 500, 503):
        trip = {"if": {"header": "X-Trip"}, "status": status, "headers": [["Cache-Control", "no-store"]], "body": "err"}
        yield row("error-caching", f"{status} with no-store", [trip, OK], pair(request("/x", "X-Trip: 1")), FULL,
                  "it says so itself")


def conditions():
    fields = {"If-Match": '"a"', "If-None-Match": "*", "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT", "If-Range": '"a"',
              "Range": "bytes=0-0",
              "Expect": "100-continue", "TE": "trailers", "Max-Forwards": "0", "Accept-Encoding": "x-none, identity;q=0",
              "If-Unmodified-Since": "x"}
    for (name, value), status in itertools.product(fields.items(), (304, 400, 412, 416)):
        answer = {"if": {"header": name}, "status": status, "headers": CACHED, "body": "evil" if status != 304 else ""}
        yield row("conditional", f"{name} and {status}", [answer, OK], pair(request("/x", f"{name}: {value}")), FULL, "law 6")
    for name in OVERRIDES:
        answer = says("evil", status=404, **{"if": {"header": name}})
        yield row("cpdos", f"{name} and 404", [answer, OK], pair(request("/x", f"{name}: DELETE")), FULL, "HMO")
    for size, status in itertools.product((4000, 9000, 20000), (400, 404, 413, 431)):
        answer = {"if": {"header_longer": size - 100}, "status": status, "headers": [] if status == 404 else CACHED, "body": "evil"}
        yield row("cpdos", f"a field of {size} octets and {status}", [answer, OK], pair(request("/x", f"X-Long: @rep(a,{size})")),
                  FULL if status != 404 else [["r2.status", "in", [200, 404]]], "HHO")
    for octet in ("\\x00", "\\x07", "\\x0b", "\\x1b", "\\x7f"):
        answer = says("evil", status=404, **{"if": {"header_ctl": True}})
        yield row("cpdos", f"the octet {octet}", [answer, OK], pair(request("/x", f"X-Ctl: a{octet}b")),
                  [["r1.status", "==", 400], *FULL], "HMC")


def parts():
    for method, length in itertools.product(("HEAD",), ("0", "3", "99")):
        odd = {"if": {"method": method}, "status": 200, "headers": [*CACHED, ["Content-Length", length]], "body": ""}
        yield row("head", f"length {length}", [odd, OK], pair(request(method=method)), FULL, "law 10")
    for said in ("bytes 0-3/8", "bytes 0-3/*", "bytes 4-7/8", "bytes 0-7/8", "bytes */8", "octets 0-3/8", "", "bytes 3-0/8"):
        part = {"if": {"first": 1}, "status": 206, "headers": [*CACHED, *([["Content-Range", said]] if said else [])],
                "body": "FULL"}
        for asked in ((), ("Range: bytes=0-3",)):
            yield row("range", f"206 of {said or 'nothing'}, {'asked' if asked else 'not asked'} for", [part, OK],
                      pair(request("/x", *asked)),
                      [["r2.body", "has", "FULLBODY"]], "RFC 9111 §3.3")
    for asked in ("bytes=0-3,0-3", "bytes=-1", "bytes=8-", "bytes=0-0,-1", "bytes=3-0", "items=0-3",
                  "bytes=0-99999999999999999999", "bytes=,"):
        yield row("range", f"of what is stored, {asked}", OK,
                  [["V", request()], ["A", request("/x", f"Range: {asked}")], ["V", request()]],
                  [["r3.body", "==", "FULLBODY"], ["r3.status", "==", 200], ["origin.count", "==", 1]],
                  "a range leaves the entry as it is")
    head, fresh = "HTTP/1.1 200 OK\\r\\nCache-Control: max-age=60\\r\\n", {"status": 200, "headers": CACHED, "body": "FULLBODY"}
    cuts = {"no content": "Content-Length: 8\\r\\n\\r\\n", "one octet short": "Content-Length: 8\\r\\n\\r\\nFULLBOD",
            "in a size": "Transfer-Encoding: chunked\\r\\n\\r\\n8",
            "in a chunk": "Transfer-Encoding: chunked\\r\\n\\r\\n8\\r\\nHALF",
            "behind a chunk": "Transfer-Encoding: chunked\\r\\n\\r\\n4\\r\\nHALF\\r\\n",
            "in the last chunk": "Transfer-Encoding: chunked\\r\\n\\r\\n4\\r\\nHALF\\r\\n0\\r\\n", "in the head": "Content-Len"}
    for (name, rest), end in itertools.product(cuts.items(), ("close", "rst")):
        yield row("incomplete", f"{name}, {end}", [{"raw": head + rest, "then": end, "once": True}, fresh], pair(request()),
                  [["r1.complete", "==", False], ["r2.body", "==", "FULLBODY"]], "law 9")


def variants():
    for name in ("Accept", "Accept-Language", "User-Agent", "Origin", "Cookie", "X-Tenant", "Referer", "accept-language"):
        yield row("vary", name, says("<{h:%s}>" % name, ["Vary", name]),
                  pair(request("/x", f"{name}: evil"), request("/x", f"{name}: good")),
                  [["r2.raw", "lacks", "evil"]], "RFC 9111 §4.1")
        yield row("vary", f"{name} and none", says("<{h:%s}>" % name, ["Vary", "Accept-Encoding"], ["Vary", name]),
                  pair(request("/x", f"{name}: evil")), [["r2.raw", "lacks", "evil"]], "absent is a value; two lines are one list")
    for accepted in ("gzip;q=0", "identity", "", "*;q=0", "gzip;q=0.001", "x-gzip", "br", "zstd, br;q=0", "gzip;q=2",
                     "identity;q=0, *;q=0"):
        coded = says("@rep(Z,5000)", ["Content-Type", "text/plain"])
        yield row("encoding", f"Accept-Encoding: {accepted}", coded,
                  [["V", request("/x", "Accept-Encoding: gzip")], ["A", request("/x", f"Accept-Encoding: {accepted}")],
                                                                       ["V", request("/x", "Accept-Encoding: gzip")]],
                  [["r1.decodes_to", "==", "@rep(Z,5000)"], ["r3.decodes_to", "==", "@rep(Z,5000)"], ["origin.count", "==", 1]],
                  "one entry for all codings")


def invalidations():
    body = says("v{n}")
    for method, status in itertools.product(("POST", "PUT", "DELETE", "PATCH", "EVIL"), (200, 303, 404, 500)):
        gone = status < 400
        rules = [{"if": {"method": method}, "status": status, "headers": [], "body": ""}, body]
        yield row("invalidation", f"{method}, {status}", rules,
                  [["V", request()], ["A", request(method=method, content="")], ["V", request()]],
                  [["origin.count:GET /x", "==", 2 if gone else 1]], "RFC 9111 §4.4")
    for method in ("PURGE", "purge", "BAN", "REFRESH"):
        yield row("invalidation", f"{method} from outside",
                  [{"if": {"method": method}, "status": 405, "headers": [], "body": ""}, body],
                  [["V", request()], ["A", request("/x", "X-Forwarded-For: 127.0.0.1", method=method)], ["V", request()]],
                  [["origin.count:GET /x", "==", 1]], "nobody outside empties the shelf")
    for where in ("http://other.test/x", "//other.test/x", "http://gw.test:81/x", "https://gw.test/x",
                  "http://gw.test@other.test/x"):
        rules = [{"if": {"method": "POST"}, "status": 200, "headers": [["Location", where], ["Content-Location", where]],
                  "body": ""}, body]
        for host in ("other.test", "gw.test"):
            yield row("invalidation", f"Location {where}, {host}", rules,
                      [["V", request(host=host)], ["A", request("/z", method="POST", content="")], ["V", request(host=host)]],
                      [[f"origin.count:{host}/x", "==", 1]], "only the same origin")
    for tag in ("*", "", "A", "a,b", "a b", "a*", "?", "[ab]", "a\\\\x00"):
        yield row("invalidation", f"the tag {tag!r}", says("v{n}", ["Cache-Tag", "a,b"]),
                  [["V", request()], ["P", f"purge tag='{tag}'"], ["V", request()]],
                  [["origin.count", "==", 1]], "a tag is a name, not a pattern")
    for field in ("Host: evil.test:8081", "Host: 127.0.0.1.evil.test", "Origin: null", "Origin: http://127.0.0.1.evil.test"):
        yield row("invalidation", f"administration, {field}", body, [["A", f"admin port: POST /purge with {field}"]],
                  [["all.status", "in", [400, 401, 403, 421]]], "no web page uses the administration")


def origins():
    head = "HTTP/1.1 200 OK\\r\\nCache-Control: max-age=60\\r\\n"
    bad = {"two lengths": head + "Content-Length: 5\\r\\nContent-Length: 6\\r\\n\\r\\nhello",
           "a signed length": head + "Content-Length: +5\\r\\n\\r\\nhello",
           "a list of lengths": head + "Content-Length: 5, 6\\r\\n\\r\\nhello",
           "no size": head + "Transfer-Encoding: chunked\\r\\n\\r\\n\\r\\n",
           "a size with 0x": head + "Transfer-Encoding: chunked\\r\\n\\r\\n0x5\\r\\nhello\\r\\n0\\r\\n\\r\\n",
           "a coding": head + "Transfer-Encoding: gzip\\r\\n\\r\\nhello",
           "a huge size": head + "Transfer-Encoding: chunked\\r\\n\\r\\nfffffffffffffffff\\r\\nhello",
           "CR in a value": head + "X: a\\rb\\r\\nContent-Length: 0\\r\\n\\r\\n",
           "no colon": head + "evil\\r\\nContent-Length: 0\\r\\n\\r\\n",
           "an empty name": head + ": evil\\r\\nContent-Length: 0\\r\\n\\r\\n",
           "a status of two digits": "HTTP/1.1 20 OK\\r\\nCache-Control: max-age=60\\r\\nContent-Length: 0\\r\\n\\r\\n",
           "101": "HTTP/1.1 101 Evil\\r\\nUpgrade: x\\r\\nConnection: upgrade\\r\\n\\r\\n"}
    for name, raw in bad.items():
        yield row("hostile-origin", name, {"raw": raw}, [["V", request()], ["V", request("/y")]],
                  [["r1.complete", "==", False], ["stored", "==", False], ["upstream", "closed", True]],
                  "the same strictness the other way")
    for name, raw in {"a second answer": head + "Content-Length: 2\\r\\n\\r\\nokHTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\n\\r\\nEVIL",
                      "behind chunks": head + "Transfer-Encoding: chunked\\r\\n\\r\\n2\\r\\nok\\r\\n0\\r\\n\\r\\nEVIL",
                      "behind 204": "HTTP/1.1 204 No\\r\\nCache-Control: max-age=60\\r\\n\\r\\nEVIL"}.items():
        yield row("hostile-origin", f"octets: {name}", {"raw": raw}, [["V", request()], ["V", request("/y")], ["V", request()]],
                  [["r1.raw", "lacks", "EVIL"], ["r2.raw", "lacks", "EVIL"], ["r3.raw", "lacks", "EVIL"],
                   ["upstream", "closed", True]], "nobody asked for them")
    yield row("hostile-origin", "a bomb", {"raw": "@bomb 64 MiB"},
              [["V", request()], ["V", request("/x", "Accept-Encoding: gzip")]],
              [["r1.complete", "==", False], ["or", ["r1.bytes", "<=", 1 << 26]], ["rss", "<=", "cap"]], "decoding has a bound")


def floods():
    for name in ("Accept-Language", "X-Tenant", "Cookie"):
        yield row("web-cache-overflow", f"variants by {name}", says("v", ["Vary", name]),
                  [["A", f"2000 x distinct {name} " + request()], ["V", request("/other")]],
                  [["variants", "<=", "limit"], ["rss", "<=", "cap"], ["r2.status", "==", 200]], "law 11")
    yield row("web-cache-overflow", "targets", says("@rep(v,12000)"),
              [["V", "prime 20 hot keys"], ["A", "5000 x GET /x?cb=<random>"], ["V", "re-read 20 hot keys"]],
              [["hot.hit_ratio", ">=", 0.9], ["rss", "<=", "cap"]], "law 11")


def cases():
    families = (directives, credentials, errors, conditions, parts, variants, invalidations, origins, floods)
    return [of_row(one) for one in itertools.chain(about_requests(), *(family() for family in families))]
