"""An origin that answers with the octets of a case, and what the gateway made of them."""

import asyncio
import dataclasses

from stream_cases import octets_of, read_rows
from stream_parser import Violation, read_request

LATER = 0.05  # behind the answer


@dataclasses.dataclass
class Response:
    id: str
    kind: str
    octets: bytes
    expect: str  # "502", "504", "cut": passed on in part; "once": answered, the connection never used again; "ok"
    alt: tuple = ()
    method: bytes = b"GET"
    close: bool = False
    slow: bool = False  # waits for a deadline of the gateway: played whole only
    later: bytes = b""
    why: str = ""


def read_responses_corpus(name="responses.jsonl"):
    for row, octets in read_rows(name):
        yield Response(row["id"], row["class"], octets, row["expect"], tuple(row.get("alt") or ()),
                       row.get("method", "GET").encode(), row.get("close", False), row.get("slow", False),
                       octets_of(row.get("later", "")), row["why"])


@dataclasses.dataclass
class Told:
    """What the origin saw of one target."""
    asked: int = 0
    said: bool = False       # all of it
    closed: bool = True      # the gateway ended every connection that a case was told on
    reused: bool = False     # another request came on it
    violations: list = dataclasses.field(default_factory=list)


class HostileOrigin:
    """GET /r/<n> gets what `scripts[n]` says, everything else its own target."""

    def __init__(self):
        self.scripts, self.told, self.plays, self.tasks = {}, {}, {}, set()

    async def open(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = "http://127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        task = asyncio.current_task()
        self.tasks.add(task)
        try:
            await self.serve_requests(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.tasks.discard(task)
            writer.close()

    async def serve_requests(self, reader, writer):
        buffer = b""
        while True:
            piece = await reader.read(1 << 16)
            if not piece:
                return
            buffer += piece
            try:
                found = read_request(buffer)
            except Violation as violation:
                self.told.setdefault(b"", Told()).violations.append(str(violation))
                return
            if found is None:
                continue
            message, used = found
            buffer, target = buffer[used:], message.start[1]
            if target not in self.scripts:
                content = b"" if message.start[0] == b"HEAD" else target
                writer.write(b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: %d\r\n\r\n%s" % (len(target), content))
                continue
            case, pieces = self.scripts[target]
            told = self.told.setdefault(target, Told())
            told.asked += 1
            await self.tell(case, pieces, writer)
            told.said = True
            if case.close:
                return
            if case.expect != "ok":
                told.closed = False
                return await asyncio.wait_for(self.end_of(reader, told), 10)

    @staticmethod
    async def end_of(reader, told):
        """The gateway's end of a connection: what comes before it is a request on a spoilt connection."""
        while True:
            try:
                piece = await reader.read(1 << 16)
            except OSError:
                piece = b""
            if not piece:
                told.closed = True
                return
            told.reused = True

    async def tell(self, case, pieces, writer):
        try:
            for number, piece in enumerate(pieces):
                if number:
                    await asyncio.sleep(0)
                writer.write(piece)
                await writer.drain()
            if case.later:
                await asyncio.sleep(LATER)
                writer.write(case.later)
        except OSError:
            pass
