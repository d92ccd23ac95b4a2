"""Parts of a representation (RFC 9110 §14), whoever makes them: an origin that knows ranges, one that does not, the shelf."""

import email
import random
import time

import httpx
import pytest

BLOB = random.Random(2).randbytes(50_000)
SIZE = len(BLOB)

KEPT = 'location / { add_header Cache-Control "max-age=60"; }'

WITHOUT_RANGES = """
    from fastapi import FastAPI, Response
    import random
    app = FastAPI()
    blob = random.Random(2).randbytes(50_000)

    @app.get("/blob.bin")
    def blob_bin():
        return Response(blob, media_type="application/octet-stream", headers={"Cache-Control": "max-age=60"})
"""


@pytest.fixture(params=["an origin with ranges", "an origin without"])
def api(request, nginx, fastapi, gateway):
    if request.param == "an origin without":
        return gateway("--origin", fastapi(WITHOUT_RANGES))
    return gateway("--origin", nginx({"blob.bin": BLOB}, KEPT))


def part(api, wanted, path="/blob.bin", **headers):
    return api.get(path, Range=wanted, Accept_Encoding="identity", **headers)


@pytest.mark.parametrize("known", [True, False], ids=["stored", "not stored"])
def test_one_range(api, known):
    for number, (wanted, first, last) in enumerate([
            ("bytes=0-9", 0, 9), ("bytes=0-0", 0, 0), ("bytes=49999-", 49_999, 49_999), ("bytes=100-", 100, 49_999),
            ("bytes=-7", 49_993, 49_999), ("bytes=-60000", 0, 49_999), ("bytes=40000-70000", 40_000, 49_999),
            ("bytes=0-49999", 0, 49_999), ("BYTES=5-6", 5, 6), ("bytes= 5-6", 5, 6)]):
        path = f"/blob.bin?{number}"  # each has its own entry
        if known:
            assert api.get(path).content == BLOB
        answer = part(api, wanted, path)
        if answer.status_code == 200 and not known:  # RFC 9110 §14.2: an origin may ignore the field
            assert answer.content == BLOB
            answer = part(api, wanted, path)
        assert answer.status_code == 206, wanted
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{SIZE}"
        assert answer.content == BLOB[first:last + 1] and int(answer.headers["content-length"]) == last + 1 - first
        assert answer.headers["etag"] and answer.headers["date"]
        assert "max-age=60" in answer.headers["cache-control"]
        whole = api.get(path, Accept_Encoding="identity")
        assert (whole.status_code, whole.content) == (200, BLOB)
        assert whole.headers["etag"] == answer.headers["etag"]


def test_ranges_out_of_reach(api):
    api.get("/blob.bin")
    for wanted in ("bytes=50000-", "bytes=60000-70000", "bytes=-0"):
        refused = part(api, wanted)
        assert refused.status_code == 416, wanted
        assert refused.headers["content-range"] == f"bytes */{SIZE}"
    assert api.get("/blob.bin").content == BLOB


def test_what_is_no_range_is_ignored(api):
    api.get("/blob.bin")
    for wanted in ("bytes=9-5", "bytes=a-b", "bytes", "lines=1-2", "bytes=5", "bytes=", "bytes=--5", "bytes=1-2-3"):
        answer = part(api, wanted)
        assert (answer.status_code, answer.content) == (200, BLOB), wanted
        assert "content-range" not in answer.headers


def parts_of(answer):
    head = b"Content-Type: " + answer.headers["content-type"].encode() + b"\r\n\r\n"
    return [(p["content-range"], p.get_payload(decode=True)) for p in email.message_from_bytes(head + answer.content).get_payload()]


def test_several_ranges(api):
    api.get("/blob.bin")
    answer = part(api, "bytes=0-9,1000-1019,-5")
    assert answer.status_code == 206 and answer.headers["content-type"].startswith("multipart/byteranges; boundary=")
    assert "content-range" not in answer.headers, "RFC 9110 §15.3.7.2: the parts have it"
    boundary = answer.headers["content-type"].split("boundary=")[1].strip('"').encode()
    assert answer.content.count(b"--" + boundary) == 4 and answer.content.rstrip().endswith(b"--" + boundary + b"--")
    sent = [section.split(b"\r\n\r\n", 1)[1] for section in answer.content.split(b"--" + boundary)[1:4]]
    assert [s.removesuffix(b"\r\n") for s in sent] == [BLOB[0:10], BLOB[1000:1020], BLOB[-5:]]
    assert [r for r, _ in parts_of(answer)] == [f"bytes 0-9/{SIZE}", f"bytes 1000-1019/{SIZE}", f"bytes 49995-49999/{SIZE}"]
    one = part(api, "bytes=0-9,70000-")
    assert one.status_code == 206, "one of two can be had"


def test_a_flood_of_ranges_is_not_amplified(api):
    api.get("/blob.bin")
    answer = part(api, "bytes=" + ",".join("0-" for _ in range(500)))
    assert answer.status_code in (200, 206, 416) and len(answer.content) <= SIZE + 1000


def test_if_range(api):
    """RFC 9110 §13.1.5: a strong comparison; when it fails the answer is whole."""
    whole = api.get("/blob.bin", Accept_Encoding="identity")
    tag = whole.headers["etag"]
    assert part(api, "bytes=0-9", If_Range=tag).status_code == 206
    for condition in ('"other"', f"W/{tag}", "Mon, 01 Jan 2001 00:00:00 GMT"):
        answer = part(api, "bytes=0-9", If_Range=condition)
        assert (answer.status_code, answer.content) == (200, BLOB), condition


def test_conditions_come_first(api):
    """RFC 9110 §13.2.2: If-None-Match before Range."""
    tag = api.get("/blob.bin", Accept_Encoding="identity").headers["etag"]
    same = part(api, "bytes=0-9", If_None_Match=tag)
    assert (same.status_code, same.content) == (304, b"")
    assert part(api, "bytes=0-9", If_None_Match='"other"').status_code == 206
    assert part(api, "bytes=0-9", If_Match=tag).status_code == 206
    assert part(api, "bytes=0-9", If_Match='"other"').status_code == 412


def test_head_has_no_parts(api):
    """RFC 9110 §14.2: ranges are defined for GET alone."""
    api.get("/blob.bin")
    head = api.client.head("/blob.bin", headers={"range": "bytes=0-9", "accept-encoding": "identity"})
    assert head.status_code == 200 and head.headers["content-length"] == str(SIZE)


def test_parts_come_from_the_shelf(api):
    api.get("/blob.bin")
    before = api.metric("etage_origin_fetches_total")
    for i in range(20):
        answer = part(api, f"bytes={i * 100}-{i * 100 + 49}")
        assert (answer.status_code, answer.content) == (206, BLOB[i * 100:i * 100 + 50])
        assert "etage; hit" in answer.headers["cache-status"]
    assert api.metric("etage_origin_fetches_total") == before


def test_a_part_of_a_coding_is_a_part_of_that_coding(nginx, gateway):
    """RFC 9110 §14.1: a range is of the selected representation; client and gateway must mean the same one."""
    text = b"".join(b"line %d of a text that can be packed\n" % i for i in range(2000))
    api = gateway("--origin", nginx({"text.txt": text}, KEPT))
    with httpx.Client(base_url=api.url, timeout=20) as client:
        def raw(**headers):
            with client.stream("GET", "/text.txt", headers={k.replace("_", "-"): v for k, v in headers.items()}) as answer:
                return answer, b"".join(answer.iter_raw())
        until = time.monotonic() + 10
        answer, packed = raw(Accept_Encoding="gzip")
        while "content-encoding" not in answer.headers and time.monotonic() < until:
            answer, packed = raw(Accept_Encoding="gzip")
        piece, content = raw(Accept_Encoding="gzip", Range="bytes=10-29")
    assert piece.status_code == 206
    if "content-encoding" in piece.headers:
        assert piece.headers["etag"] == answer.headers["etag"]
        assert content == packed[10:30] and piece.headers["content-range"] == f"bytes 10-29/{len(packed)}"
    else:
        assert piece.headers["etag"] != answer.headers["etag"]
        assert content == text[10:30] and piece.headers["content-range"] == f"bytes 10-29/{len(text)}"
