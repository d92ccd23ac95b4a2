"""Limits on clients: every algorithm, whom they count, what they cost, what clients are told."""

import threading
import time

import httpx
import pytest
from conftest import answer
from redis_fixtures import until
from structured import dictionary_of_items, parse_list

CACHED = "Cache-Control: max-age=60"


@pytest.fixture
def limited(raw_origin, gateway, tmp_path):
    """A gateway in front of an origin that counts; `limits` is TOML."""

    def make(text, reply=lambda request, n: answer(b"%d" % n, "200 OK", CACHED)):
        origin = raw_origin(reply)
        (tmp_path / "etage.toml").write_text(text)
        api = gateway("--config", tmp_path / "etage.toml", "--origin", origin.url)
        api.origin = origin
        return api

    return make


def route(limits, match="GET /**", more=""):
    return f'[[route]]\nmatch = "{match}"\n{more}\nlimits = [{limits}]\n'


def statuses(api, count, path="/a", **fields):
    return [api.get(path, **fields).status_code for _ in range(count)]


# ---- algorithms

def test_a_token_bucket_lets_in_its_burst_and_then_its_rate(limited):
    api = limited(route('{ name = "b", rate = "2/s", burst = 4 }'))
    assert statuses(api, 6) == [200] * 4 + [429] * 2
    time.sleep(0.55)
    assert statuses(api, 2) == [200, 429], "half a second brings one"


def test_a_fixed_window_begins_at_a_multiple_of_its_length(limited):
    api = limited(route('{ name = "f", rate = "5/3s", algorithm = "fixed_window" }'))
    while (refused := api.get("/a")).status_code == 200:
        pass
    for _ in range(2):
        assert 1 <= int(refused.headers["retry-after"]) <= 3
        time.sleep(int(refused.headers["retry-after"]) + 0.05)  # less than a second into a window
        assert statuses(api, 5) == [200] * 5, "the whole rate at once"
        refused = api.get("/a")
        assert refused.status_code == 429


def test_a_sliding_window_remembers_the_one_before(limited):
    api = limited(route('{ name = "s", rate = "10/2s", algorithm = "sliding_window" }'))
    while api.get("/a").status_code == 200:
        pass
    began, allowed = time.time(), []
    while time.time() < began + 5:
        if api.get("/a").status_code == 200:
            allowed.append(time.time())
        time.sleep(0.02)
    assert 10 <= len(allowed) <= 35
    for at in allowed:
        assert len([t for t in allowed if at <= t < at + 0.3]) <= 5, "no burst at a boundary"


def test_concurrency_counts_what_is_in_flight_and_frees_seats(limited):
    gate = threading.Event()

    def slow(request, n):
        gate.wait(10)
        return answer(b"x")

    api = limited(route('{ name = "c", algorithm = "concurrency", max = 2 }', more="cache = { pass = true }"), slow)
    done = []
    threads = [threading.Thread(target=lambda: done.append(httpx.get(api.url + "/a", timeout=20).status_code))
               for _ in range(2)]
    for thread in threads:
        thread.start()
    until(lambda: len(api.origin.requests) == 2)
    full = httpx.get(api.url + "/a")
    assert (full.status_code, "detail=too-many-at-once" in full.headers["cache-status"]) == (503, True)
    assert full.headers["ratelimit-policy"] == '"c";q=2;qu="concurrent-requests"'
    assert full.headers["ratelimit"] == '"c";r=0' and int(full.headers["retry-after"]) >= 1
    gate.set()
    for thread in threads:
        thread.join()
    assert done == [200, 200]
    assert statuses(api, 5) == [200] * 5


def test_a_client_that_hangs_up_gives_its_seat_back(limited, connect):
    gate = threading.Event()

    def slow(request, n):
        gate.wait(10)
        return answer(b"x")

    api = limited(route('{ name = "c", algorithm = "concurrency", max = 1 }', more="cache = { pass = true }"), slow)
    wire = connect(api)
    wire.send(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
    until(lambda: len(api.origin.requests) == 1)
    assert api.get("/a").status_code == 503
    wire.socket.close()
    gate.set()
    until(lambda: api.get("/a").status_code == 200)


# ---- whom they count

def test_several_limits_hold_at_once_and_a_refused_request_pays_none(limited):
    api = limited(route('{ name = "small", rate = "2/h", burst = 2 }, { name = "large", rate = "10/h", burst = 10 }'))
    assert statuses(api, 8) == [200] * 2 + [429] * 6
    told = dictionary_of_items(api.get("/a").headers["ratelimit"])
    assert (told["small"]["r"], told["large"]["r"]) == (0, 8), "the large one was not charged for what the small one refused"


def test_limits_of_the_house_hold_for_every_route_and_for_none(limited):
    api = limited('[[limit]]\nname = "all"\nrate = "3/h"\nby = "everyone"\n' + route("", "GET /a"))
    assert [api.get(path).status_code for path in ("/a", "/b", "/a", "/c", "/a")] == [200, 200, 200, 429, 429]


def test_by_header_and_by_cookie(limited):
    api = limited(route('{ name = "key", rate = "2/h", by = "header:x-api-key" }', "GET /h") +
                  route('{ name = "sid", rate = "1/h", by = "cookie:sid" }', "GET /c"))
    assert statuses(api, 3, "/h", X_Api_Key="one") == [200, 200, 429]
    assert statuses(api, 1, "/h", X_Api_Key="two") == [200]
    assert statuses(api, 2, "/c", Cookie="a=b; sid=1") == [200, 429]
    assert statuses(api, 1, "/c", Cookie="sid=2") == [200]


def test_by_user_and_by_address_for_whom_nobody_knows(limited):
    api = limited(route('{ name = "u", rate = "2/h", by = "user" }', more='identity = { header = "X-User" }'))
    assert statuses(api, 3, X_User="ann") == [200, 200, 429]
    assert statuses(api, 1, X_User="bob") == [200], "another user has a count of his own"
    assert statuses(api, 3) == [200, 200, 429]
    assert statuses(api, 1, X_User="ann", X_Forwarded_For="192.0.2.9") == [429], "wherever she comes from"


def test_a_client_gains_nothing_by_forging_where_it_comes_from(limited):
    api = limited(route('{ name = "ip", rate = "5/h" }'))
    forged = [api.get("/a", X_Forwarded_For=f"10.0.0.{n}", Forwarded=f"for=10.0.1.{n}", X_Real_Ip=f"10.0.2.{n}")
              .status_code for n in range(20)]
    assert forged == [200] * 5 + [429] * 15


def test_behind_a_trusted_proxy_ipv6_counts_by_network(limited):
    api = limited('[server]\ntrusted_proxies = ["127.0.0.1"]\n' + route('{ name = "ip", rate = "2/h" }'))
    same = [api.get("/a", X_Forwarded_For=f"2001:db8:1:2::{n:x}").status_code for n in range(4)]
    assert same == [200, 200, 429, 429], "one client owns a /64"
    assert api.get("/a", X_Forwarded_For="2001:db8:1:3::1").status_code == 200
    assert api.get("/a", X_Forwarded_For="9.9.9.9, 2001:db8:1:2::77").status_code == 429, "the right-most untrusted hop"


def test_behind_a_trusted_proxy_that_says_forwarded_nothing_else_is_believed(limited):
    api = limited('[server]\ntrusted_proxies = ["127.0.0.1"]\nclient_field = "forwarded"\n' + route('{ name = "ip", rate = "2/h" }'))
    spoofed = [api.get("/a", Forwarded="for=192.0.2.7;proto=http", X_Forwarded_For=f"198.51.100.{n}").status_code for n in range(4)]
    assert spoofed == [200, 200, 429, 429]
    assert api.get("/a", Forwarded='for=192.0.2.7;host=", for="[2001:db8::7]:4711"').status_code == 200, "of the proxy itself"
    assert api.get("/a", Forwarded='for=6.6.6.6, for="192.0.2.7:4711"').status_code == 429, "the right-most untrusted hop"


def test_lists_exempt_and_deny(limited):
    api = limited('[server]\ntrusted_proxies = ["127.0.0.1"]\n' + route(
        '{ name = "ip", rate = "1/h", allow = ["10.0.0.0/8"], deny = ["192.0.2.0/24"] }'))
    assert statuses(api, 5, X_Forwarded_For="10.1.2.3") == [200] * 5
    assert "ratelimit" not in api.get("/a", X_Forwarded_For="10.1.2.3").headers
    denied = api.get("/a", X_Forwarded_For="192.0.2.9")
    assert (denied.status_code, "detail=denied" in denied.headers["cache-status"]) == (403, True)
    assert "retry-after" not in denied.headers
    assert statuses(api, 2, X_Forwarded_For="198.51.100.1") == [200, 429]


# ---- what they cost

def test_a_cost_and_a_cost_that_the_request_says(limited):
    api = limited(route('{ name = "c", rate = "10/h", cost = 4 }', "GET /four") +
                  route('{ name = "h", rate = "10/h", cost = "header:x-cost" }', "GET /said"))
    assert statuses(api, 3, "/four") == [200, 200, 429]
    assert api.get("/said", X_Cost="7").status_code == 200
    assert api.get("/said", X_Cost="4").status_code == 429
    assert api.get("/said", X_Cost="3").status_code == 200
    never = api.get("/said", X_Cost="11")
    assert never.status_code == 429 and "retry-after" not in never.headers, "it will never be let in"


def test_what_only_the_answer_tells_is_charged_afterwards(limited):
    api = limited(route('{ name = "cost", rate = "10/h", cost = "response-header:x-cost" }', "GET /cost") +
                  route('{ name = "bytes", rate = "1000B/h", cost = "response-bytes" }', "GET /bytes"),
                  lambda request, n: answer(b"x" * 600, "200 OK", CACHED, "X-Cost: 6"))
    assert statuses(api, 3, "/cost") == [200, 200, 429], "6 and 6 of 10: the second is let in, and owes 2"
    first = api.get("/bytes")
    assert first.headers["ratelimit-policy"] == '"bytes";q=1000;qu="content-bytes";w=3600'
    assert statuses(api, 2, "/bytes") == [200, 429]


def test_bytes_of_a_stream_are_charged_when_it_ends(limited):
    def stream(request, n):
        head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        return (head + "".join("64\r\n" + "x" * 100 + "\r\n" for _ in range(10)) + "0\r\n\r\n").encode()

    api = limited(route('{ name = "bytes", rate = "1500B/h", cost = "response-bytes" }',
                        more="cache = { pass = true }"), stream)
    assert [len(api.get("/a").content) for _ in range(2)] == [1000, 1000]
    assert api.get("/a").status_code == 429


def test_hits_may_be_free(limited):
    api = limited(route('{ name = "m", rate = "2/h", count = "misses" }'))
    assert statuses(api, 10) == [200] * 10
    assert [api.get(f"/{n}").status_code for n in range(3)] == [200, 429, 429]
    assert statuses(api, 3) == [200] * 3, "what is cached stays free when nothing is left"
    assert len(api.origin.requests) == 2


# ---- what clients are told

def test_the_answer_says_who_refused_and_when_to_come_back(limited):
    api = limited(route('{ name = "one", rate = "1/20s" }, { name = "two", rate = "1/40s" }, '
                        '{ name = "dry", rate = "1/h", dry_run = true }', more="client = { x_ratelimit = true }"))
    assert api.get("/a").status_code == 200
    refused = api.get("/a")
    problem = refused.json()
    assert refused.headers["content-type"] == "application/problem+json"
    assert problem["violated-policies"] == ["one", "two"] and problem["status"] == 429
    assert problem["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert 38 <= int(refused.headers["retry-after"]) <= 40, "the later of the two"
    assert refused.headers["x-ratelimit-limit"] == "1" and refused.headers["x-ratelimit-remaining"] == "0"
    policies = dictionary_of_items(refused.headers["ratelimit-policy"])
    assert policies == {"one": {"q": 1, "w": 20}, "two": {"q": 1, "w": 40}, "dry": {"q": 1, "w": 3600}}
    assert [item for item, _ in parse_list(refused.headers["ratelimit"])] == ["one", "two", "dry"]
    assert api.metric("etage_rate_limited_total") == 1


def test_retry_after_is_never_too_early(limited):
    api = limited(route('{ name = "b", rate = "2/3s", burst = 1 }'))
    for _ in range(3):
        assert api.get("/a").status_code == 200
        time.sleep(int(api.get("/a").headers["retry-after"]))


def test_jitter_spreads_those_who_come_back(limited):
    api = limited('[server]\ntrusted_proxies = ["127.0.0.1"]\n' +
                  route('{ name = "b", rate = "1/10s", retry_jitter = "20s" }'))
    waits = set()
    for n in range(12):
        api.get("/a", X_Forwarded_For=f"10.0.0.{n}")
        waits.add(int(api.get("/a", X_Forwarded_For=f"10.0.0.{n}").headers["retry-after"]))
    assert min(waits) >= 9 and max(waits) <= 30 and len(waits) > 3


def test_a_dry_run_counts_and_tells_and_lets_in(limited):
    api = limited(route('{ name = "d", rate = "2/h", dry_run = true }'))
    assert statuses(api, 5) == [200] * 5
    assert api.get("/a").headers["ratelimit"].startswith('"d";r=0;')
    assert api.metric("etage_limits_dry_run_total") == 4


def test_what_is_stored_never_carries_limits_and_the_origins_own_pass_once(limited):
    api = limited(route('{ name = "mine", rate = "100/h" }', "GET /mine") + route("", "GET /theirs"),
                  lambda request, n: answer(b"x", "200 OK", CACHED, 'RateLimit: "theirs";r=5;t=9',
                                            'RateLimit-Policy: "theirs";q=9;w=9', "X-RateLimit-Remaining: 5"))
    assert '"theirs";r=5;t=9' in api.get("/theirs").headers["ratelimit"]
    hit = api.get("/theirs")
    assert "hit" in hit.headers["cache-status"]
    assert not [name for name in hit.headers if "ratelimit" in name]
    left = [dictionary_of_items(api.get("/mine").headers["ratelimit"]) for _ in range(3)]
    assert [told["mine"]["r"] for told in left] == [99, 98, 97]
    assert ["theirs" in told for told in left] == [True, False, False]


def test_a_page_shows_ones_own_limits(limited):
    api = limited('[server]\nlimits_page = "/limits/me"\n[[limit]]\nname = "all"\nrate = "100/h"\n' +
                  route('{ name = "mine", rate = "5/h" }, { name = "seats", algorithm = "concurrency", max = 3 }'))
    statuses(api, 2)
    for _ in range(3):
        shown = {limit["name"]: limit for limit in api.get("/limits/me").json()["limits"]}
        assert (shown["mine"]["remaining"], shown["all"]["remaining"], shown["seats"]["remaining"]) == (3, 98, 3)
    page = api.get("/limits/me", Accept="text/html,*/*;q=0.1")
    assert page.headers["content-type"].startswith("text/html") and "3 of 5" in page.text
    assert page.headers["cache-control"] == "no-store"


def test_the_page_counts_each_route_apart_where_the_limit_does(limited):
    api = limited('[server]\nlimits_page = "/limits/me"\n[[limit]]\nname = "each"\nrate = "100/h"\nby = "route"\n'
                  '[[route]]\nmatch = "GET /a"\n[[route]]\nmatch = "GET /b/*"\n')
    statuses(api, 2)
    shown = api.get("/limits/me").json()["limits"]
    assert {limit["route"]: limit["remaining"] for limit in shown} == {"a": 98, "b-any": 100}
