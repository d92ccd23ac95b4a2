"""The checker finds what it is for: planted octets of a gateway that forwards what it must not, and a whole gateway that is
as naive as many were."""

import asyncio
import re

import pytest
import stream_play
from stream_cases import read_cases
from stream_parser import Violation, read_requests
from stream_play import Origin, Player
from stream_ring import Ring, judge
from stream_twins import who_differs

HEAD = b"POST /p HTTP/1.1\r\nHost: gw.test\r\nX-Forwarded-For: 127.1.0.1\r\n"
PLANTED = {
    "both framings": HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a fold": HEAD + b"X: y\r\n Content-Length: 5\r\nContent-Length: 0\r\n\r\n",
    "LF alone": HEAD + b"X: y\nContent-Length: 5\r\n\r\n",
    "CR alone": HEAD + b"X: y\rz\r\nContent-Length: 0\r\n\r\n",
    "NUL": HEAD + b"X: y\0z\r\nContent-Length: 0\r\n\r\n",
    "two Hosts": HEAD + b"Host: evil.test\r\nContent-Length: 0\r\n\r\n",
    "no Host": b"GET /g HTTP/1.1\r\nX-Forwarded-For: 127.1.0.1\r\n\r\n",
    "Host with a path": b"GET /g HTTP/1.1\r\nHost: gw.test/x\r\nX-Forwarded-For: 127.1.0.1\r\n\r\n",
    "a coding like chunked": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked twice": HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "an extension": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;a=b\r\nx\r\n0\r\n\r\n",
    "a trailer": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n",
    "a loose size": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
    "a signed length": HEAD + b"Content-Length: +1\r\n\r\nx",
    "a list of lengths": HEAD + b"Content-Length: 1, 1\r\n\r\nx",
    "an underscore": HEAD + b"Content_Length: 5\r\nContent-Length: 0\r\n\r\n",
    "a nominated field": HEAD + b"Connection: x-real\r\nX-Real: a\r\nContent-Length: 0\r\n\r\n",
    "TE": HEAD + b"TE: trailers\r\nContent-Length: 0\r\n\r\n",
    "a space before the colon": HEAD + b"Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "a fragment": b"GET /g#f HTTP/1.1\r\nHost: gw.test\r\nX-Forwarded-For: 127.1.0.1\r\n\r\n",
    "absolute form": b"GET http://gw.test/g HTTP/1.1\r\nHost: gw.test\r\nX-Forwarded-For: 127.1.0.1\r\n\r\n",
    "another version": b"GET /g HTTP/1.0\r\nHost: gw.test\r\nX-Forwarded-For: 127.1.0.1\r\n\r\n",
    "the client's own X-Forwarded-For": HEAD + b"X-Forwarded-For: 10.0.0.1\r\nContent-Length: 0\r\n\r\n",
}
AMBIGUOUS = ("both framings", "a fold", "a coding like chunked", "chunked twice", "a loose size", "a signed length",
             "an underscore", "a space before the colon")


@pytest.mark.parametrize("name", PLANTED)
def test_planted_octets_are_no_canonical_request(name):
    with pytest.raises(Violation):
        read_requests(PLANTED[name])


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_planted_octets_are_understood_differently(name):
    """The twins without the strict reader: not all of them see the one request that would be harmless."""
    octets = PLANTED[name]
    content = octets[octets.index(b"\r\n\r\n") + 4:]
    assert who_differs(octets, [(b"/p", len(content))], 0)


def test_a_plain_request_is_the_same_to_everybody():
    for octets, length in ((HEAD + b"Content-Length: 5\r\n\r\nhello", 5),
                           (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n", 21)):
        assert len(read_requests(octets)[0]) == 1 and not who_differs(octets, [(b"/p", length)], 0)


class NaiveGateway:
    """Content-Length first, lines end as they like, octets are passed on as they came, one connection to the origin."""

    async def open(self, origin_port):
        self.origin = await asyncio.open_connection("127.0.0.1", origin_port)
        self.origin_port, self.lock = origin_port, asyncio.Lock()
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        try:
            octets = b""
            while piece := await reader.read(1 << 16):
                octets += piece
                while end := re.search(rb"\r?\n\r?\n", octets):
                    length = re.search(rb"(?i)\ncontent-length:\s*(\d+)", octets[:end.start()])
                    used = end.end() + int(length[1] if length else 0)
                    if len(octets) < used:
                        break
                    request, octets = octets[:used], octets[used:]
                    client = b"X-Forwarded-For: %s\r\n" % writer.get_extra_info("peername")[0].encode()
                    writer.write(await self.ask(request.replace(b"\n", b"\n" + client, 1)))
        except (OSError, asyncio.IncompleteReadError):
            pass
        writer.close()

    async def ask(self, request):
        async with self.lock:
            reader, writer = self.origin
            try:
                writer.write(request)
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 0.05)
                length = re.search(rb"Content-Length: (\d+)", head)
                return head + (b"" if request.startswith(b"HEAD") else await reader.readexactly(int(length[1])))
            except (OSError, asyncio.IncompleteReadError):
                writer.close()
                self.origin = await asyncio.open_connection("127.0.0.1", self.origin_port)
                return b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"


def test_a_naive_gateway_is_found_out(tmp_path, monkeypatch):
    monkeypatch.setattr(stream_play, "PATIENCE", 0.2)
    cases = [case for case in read_cases() if len(case.octets) < 4096 and not case.segments]

    async def everything():
        ring = Ring(None, tmp_path, 1, 1, 8, lambda *_: None)
        ring.origin = Origin()
        await ring.origin.open()
        port = await NaiveGateway().open(int(ring.origin.url.rsplit(":", 1)[1]))
        return judge(await ring.play_all(Player(port, ring.origin), cases, 0, lambda case, _: [("whole", [case.octets], 0)]))

    found = asyncio.run(everything())
    failed = {case.id: "\n".join(reasons) for case, mark, reasons in found.values() if mark == "fail"}
    said = "\n".join(failed.values())
    assert len(failed) > len(cases) / 2, len(failed)
    for what in ("forwarded what was never to be", "the victim asked", "Content-Length and Transfer-Encoding", "Host fields",
                 "a folded field line", "a control character"):
        assert what in said, what
    assert {"CLTE-01", "TE-42", "LE-06", "HO-02", "FS-02"} <= set(failed)
