"""Codings of what is not (yet) on the shelf: encoded for those who take one, decoded for those who do not take the origin's."""

import gzip
import re
import subprocess
import time
import zlib

import pytest
from conftest import answer

TEXT = b"".join(b"line %d of a text that can be packed\n" % i for i in range(9000))
PACKED = gzip.compress(TEXT)


def get(path, *fields, method="GET", version="1.1"):
    return (f"{method} {path} HTTP/{version}\r\nHost: api.test\r\n" + "".join(f + "\r\n" for f in fields) + "\r\n").encode()


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def chunked(*fields):
    return ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + "".join(f + "\r\n" for f in fields) + "\r\n").encode()


def curl(url, *args):
    """(head, content) as curl --compressed decodes it."""
    done = subprocess.run(["curl", "-q", "-sS", "-i", "--noproxy", "*", "--max-time", "30", *args, url],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=40, check=True)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    return head.decode(), content


class Chunks:
    """The content of a chunked answer, as it comes, decoded."""

    def __init__(self, wire):
        self.wire = wire
        self.unpack = zlib.decompressobj(31)

    def next(self):
        """What one chunk decodes to; None at the end."""
        size = int(self.wire.until(b"\r\n"), 16)
        data = self.wire.exactly(size)
        assert self.wire.exactly(2) == b"\r\n"
        return self.unpack.decompress(data) if size else None

    def all(self):
        content = b""
        while (piece := self.next()) is not None:
            content += piece
        return content


# ---- encoding

@pytest.mark.parametrize("how", ["Cache-Control: no-store", "Cache-Control: max-age=60", "Cache-Control: private", "X-Nothing: 1"])
@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_real_clients_decode_what_is_encoded_on_its_way(raw_origin, gateway, how, coding):
    origin = raw_origin(lambda *_: chunked("Content-Type: text/plain", 'ETag: "1"', how) +
                        b"".join(chunk(TEXT[at:at + 7000]) for at in range(0, len(TEXT), 7000)) + chunk(b""))
    api = gateway("--origin", origin.url)
    head, content = curl(api.url + "/", "--compressed", "-H", f"Accept-Encoding: {coding}")
    assert content == TEXT
    assert re.search(f"(?i)\r\ncontent-encoding: {coding}", head) and "\r\nVary: Accept-Encoding" in head
    assert '\r\nETag: W/"1"' in head and "Transfer-Encoding: chunked" in head and "Content-Length" not in head


def test_httpx_decodes_a_post_and_an_error(raw_origin, gateway):
    origin = raw_origin(lambda *_: answer(TEXT, "422 Unprocessable Content", "Content-Type: application/problem+json"))
    response = gateway("--origin", origin.url).client.post("/", content=b"x", headers={"Accept-Encoding": "gzip"})
    assert response.status_code == 422 and response.headers["content-encoding"] == "gzip"
    assert response.content == TEXT and response.num_bytes_downloaded < len(TEXT) / 4


@pytest.mark.parametrize("how", ["Cache-Control: no-store", "Cache-Control: max-age=60"])
def test_each_piece_can_be_read_before_the_next_is_made(stage, gateway, connect, how):
    client = connect(gateway("--origin", stage.url))
    client.send(get("/numbers", "Accept-Encoding: gzip"))
    origin = stage.next()
    origin.head()
    origin.send(chunked("Content-Type: application/x-ndjson", how))
    assert b"Content-Encoding: gzip" in client.head()
    content = Chunks(client)
    for n in range(20):
        line = b'{"n": %d}\n' % n
        origin.send(chunk(line))
        assert content.next() == line
    origin.send(chunk(b""))
    assert content.all() == b"" and content.unpack.eof


def test_content_of_known_length_comes_as_dense_as_it_gets(stage, gateway, connect):
    client = connect(gateway("--origin", stage.url))
    client.send(get("/", "Accept-Encoding: gzip"))
    origin = stage.next()
    origin.head()
    origin.send(answer(TEXT, "200 OK", "Content-Type: text/plain", "Cache-Control: no-store"))
    assert b"Content-Encoding: gzip" in client.head()
    content = Chunks(client)
    assert content.all() == TEXT and content.unpack.eof
    client.send(get("/again"))  # both connections go on
    origin.head()
    origin.send(answer(b"ok"))
    assert client.message()[1] == b"ok"


@pytest.mark.parametrize("how", ["Cache-Control: no-store", "Cache-Control: max-age=60"])
def test_what_is_cut_looks_cut(stage, gateway, connect, how):
    client = connect(gateway("--origin", stage.url))
    client.send(get("/", "Accept-Encoding: gzip"))
    origin = stage.next()
    origin.head()
    origin.send(chunked("Content-Type: text/plain", how) + chunk(TEXT[:50_000]))
    client.head()
    content = Chunks(client)
    received = b""
    while len(received) < 50_000:
        received += content.next()
    origin.socket.close()
    assert received == TEXT[:50_000] and client.rest() == b"" and not content.unpack.eof


def test_head_says_what_get_would(raw_origin, gateway):
    def serve(request, _):
        head = chunked("Content-Type: text/plain", 'ETag: "1"', "Cache-Control: no-store", "Accept-Ranges: bytes")
        return head if request.startswith(b"HEAD") else head + chunk(TEXT) + chunk(b"")

    for route in ("", '[[route]]\nmatch = "/**"\ncache = { pass = true }\n'):
        api = gateway("--origin", raw_origin(serve).url)
        heads = [re.sub(rb"(Date|Cache-Status|Transfer-Encoding|Connection): .*\r\n", b"",
                        api.raw(get("/", "Accept-Encoding: gzip", "Connection: close", method=m)).partition(b"\r\n\r\n")[0] + b"\r\n")
                 for m in ("GET", "HEAD")]
        assert heads[0] == heads[1], route
        assert b"Content-Encoding: gzip" in heads[1] and b"Content-Length" not in heads[1]


def test_the_weak_tag_of_a_stream_is_good_for_304_once_it_is_stored(raw_origin, gateway):
    origin = raw_origin(lambda *_: chunked("Content-Type: text/plain", 'ETag: "1"', "Cache-Control: max-age=60") +
                        chunk(TEXT) + chunk(b""))
    api = gateway("--origin", origin.url)
    first = api.get("/", accept_encoding="gzip")
    assert first.headers["etag"] == 'W/"1"' and first.content == TEXT
    until = time.monotonic() + 10
    while api.metric("etage_stored_total") < 1 and time.monotonic() < until:
        time.sleep(0.02)
    again = api.get("/", accept_encoding="gzip", if_none_match=first.headers["etag"])
    assert again.status_code == 304 and "hit" in again.headers["cache-status"]
    assert api.get("/", accept_encoding="gzip").headers["etag"] == '"1-g"'
    part = api.get("/", accept_encoding="gzip", range="bytes=5-14")
    assert part.status_code == 206 and part.content == TEXT[5:15] and part.headers["etag"] == '"1"'
    assert len(origin.requests) == 1


@pytest.mark.parametrize("fields, asked", [
    (("Content-Type: text/event-stream",), ()),
    (("Content-Type: image/png",), ()),
    (("Content-Type: text/plain", "Cache-Control: no-store, no-transform"), ()),
    (("Content-Type: text/plain", "Cache-Control: no-store"), ("Cache-Control: no-transform",)),
    (("Content-Type: text/plain", "Content-Encoding: aes128gcm"), ()),
    (("Content-Type: text/plain", "Cache-Control: no-store"), ("Range: bytes=0-4",)),
])
def test_what_is_not_to_be_touched_comes_as_it_is(raw_origin, gateway, fields, asked):
    origin = raw_origin(lambda *_: chunked('ETag: "1"', *fields) + chunk(b"data: x\n\n" * 200) + chunk(b""))
    received = gateway("--origin", origin.url).raw(get("/", "Accept-Encoding: gzip", "Connection: close", *asked))
    head, _, content = received.partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" not in head and b'ETag: "1"' in head
    assert b"data: x\n\n" * 200 in content


def test_http_1_0_has_no_chunks_and_so_gets_it_as_it_is(raw_origin, gateway):
    origin = raw_origin(lambda *_: answer(TEXT, "200 OK", "Content-Type: text/plain", "Cache-Control: no-store"))
    received = gateway("--origin", origin.url).raw(get("/", "Accept-Encoding: gzip", version="1.0"))
    assert received.endswith(TEXT) and b"Content-Encoding" not in received and b"Vary: Accept-Encoding" in received


def test_identity_refused_is_a_coding_asked_for(raw_origin, gateway):
    origin = raw_origin(lambda *_: answer(TEXT, "200 OK", "Content-Type: text/plain", "Cache-Control: no-store"))
    head, content = curl(gateway("--origin", origin.url).url + "/", "--compressed", "-H", "Accept-Encoding: identity;q=0, br")
    assert "Content-Encoding: br" in head and content == TEXT


def test_a_route_may_forbid_it(raw_origin, gateway, tmp_path):
    origin = raw_origin(lambda *_: answer(TEXT, "200 OK", "Content-Type: text/plain", "Cache-Control: max-age=60"))
    (tmp_path / "etage.toml").write_text('[[route]]\nmatch = "/secret/**"\nclient = { compress = false }\n')
    api = gateway("--origin", origin.url, "--config", tmp_path / "etage.toml")
    for _ in range(2):
        assert "content-encoding" not in api.get("/secret/1", accept_encoding="gzip").headers
    assert api.get("/other", accept_encoding="gzip").headers["content-encoding"] == "gzip"


def test_bytes_in_a_tunnel_are_nobodys_text(stage, gateway, connect):
    client = connect(gateway("--origin", stage.url))
    client.send(get("/ws", "Connection: Upgrade", "Upgrade: chat", "Accept-Encoding: gzip"))
    origin = stage.next()
    origin.head()
    origin.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\nConnection: Upgrade\r\nContent-Type: text/plain\r\n\r\n" + TEXT)
    head = client.head()
    assert b"Content-Encoding" not in head and client.exactly(len(TEXT)) == TEXT


def test_a_client_that_takes_nothing_is_not_read_ahead_for(stage, gateway, connect):
    """Random text hardly packs: what the client does not take, the origin is not asked for."""
    client = connect(gateway("--origin", stage.url))
    client.send(get("/", "Accept-Encoding: gzip"))
    origin = stage.next()
    origin.head()
    origin.send(chunked("Content-Type: text/plain", "Cache-Control: no-store"))
    origin.socket.settimeout(2)
    sent = 0
    noise = open("/dev/urandom", "rb").read(1 << 20)
    with pytest.raises(TimeoutError):
        for _ in range(100):
            origin.send(chunk(noise))
            sent += len(noise)
    assert sent < 40 << 20


# ---- decoding

@pytest.mark.parametrize("how", ["Cache-Control: no-store", "Cache-Control: max-age=60"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_origin_that_encodes_unasked_is_read_by_all(raw_origin, gateway, how, framing):
    fields = ("Content-Type: text/plain", "Content-Encoding: gzip", 'ETag: "1"', how)
    origin = raw_origin(lambda *_: answer(PACKED, "200 OK", *fields) if framing == "length" else
                        chunked(*fields) + chunk(PACKED) + chunk(b""))
    api = gateway("--origin", origin.url)
    for accept in ("identity", "", "br;q=0, deflate", "gzip;q=0"):
        head, content = curl(api.url + "/", "-H", f"Accept-Encoding: {accept}" if accept else "Accept-Encoding;")
        assert content == TEXT and "Content-Encoding" not in head and "Vary: Accept-Encoding" in head, accept
        assert '"1"' not in re.search("ETag: (.*)\r\n", head)[1].replace('W/"1"', "")
    for coding in ("gzip", "br"):
        head, content = curl(api.url + "/", "--compressed", "-H", f"Accept-Encoding: {coding}")
        assert content == TEXT, coding
    head, content = curl(api.url + "/", "-H", "Accept-Encoding: gzip")
    assert content == PACKED and '\r\nETag: "1"' in head


def test_one_entry_is_for_all_and_its_forms_have_tags(raw_origin, gateway):
    origin = raw_origin(lambda *_: answer(PACKED, "200 OK", "Content-Type: text/plain", "Content-Encoding: gzip", 'ETag: "1"',
                                          "Cache-Control: max-age=60", "Vary: Accept-Encoding"))
    api = gateway("--origin", origin.url)
    plain = api.get("/", accept_encoding="identity")
    assert plain.content == TEXT and plain.headers["etag"] == '"1-i"'
    packed = api.get("/", accept_encoding="gzip")
    assert packed.content == TEXT and packed.headers["etag"] == '"1"' and "hit" in packed.headers["cache-status"]
    for tag in ('"1"', '"1-i"', 'W/"1"'):
        assert api.get("/", accept_encoding="identity", if_none_match=tag).status_code == 304
    part = api.get("/", accept_encoding="gzip", range="bytes=-5")
    assert part.status_code == 206 and part.content == TEXT[-5:] and part.headers["etag"] == '"1-i"'
    assert len(origin.requests) == 1 and b"Accept-Encoding" not in origin.requests[0]


def test_a_bomb_is_cut(raw_origin, gateway):
    bomb = gzip.compress(bytes(300 << 20))
    origin = raw_origin(lambda request, _: answer(bomb, "200 OK", "Content-Type: text/plain", "Content-Encoding: gzip",
                                                  "Cache-Control: no-store" if b"/stream" in request else "Cache-Control: max-age=60"))
    api = gateway("--origin", origin.url)
    for path in ("/stream", "/kept"):
        received = api.raw(get(path, "Accept-Encoding: identity", "Connection: close"))
        assert b"\r\n0\r\n\r\n" not in received[-7:] and len(received) < 256 * len(bomb) + (2 << 20), path
    assert api.metric("etage_decode_failures_total") == 2
    assert "decoded content is too large" in api.output
    assert api.get("/kept", accept_encoding="gzip").headers["content-length"] == str(len(bomb))


def test_an_encoded_stream_is_decoded_as_it_comes_and_cut_where_it_is(stage, gateway, connect):
    client = connect(gateway("--origin", stage.url))
    client.send(get("/", "Accept-Encoding: identity"))
    origin = stage.next()
    origin.head()
    origin.send(chunked("Content-Type: text/event-stream", "Content-Encoding: gzip"))
    assert b"Content-Encoding" not in client.head()
    packer = zlib.compressobj(wbits=31)
    for n in range(5):
        event = b"data: %d\n\n" % n
        origin.send(chunk(packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH)))
        assert client.until(b"\r\n" + event + b"\r\n") if n == 0 else client.until(event + b"\r\n")
    origin.send(chunk(b""))  # the message is whole, what it holds is not
    assert client.rest() == b""
