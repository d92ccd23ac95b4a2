"""Who asks in a case: every request on a new connection and read strictly, floods on a few that stay."""

import asyncio
import contextlib
import ctypes
import dataclasses
import gzip
import re
import socket
import ssl
import struct
import time

from stream_parser import LENGTH, Violation, fields_of, lines_of, need

PATIENCE = 30.0
BROKEN_OFF = (OSError, EOFError, asyncio.TimeoutError)


@dataclasses.dataclass
class Answer:
    status: int = 0  # 0: none came
    fields: list = dataclasses.field(default_factory=list)
    body: bytes = b""
    raw: bytes = b""
    complete: bool = False
    seconds: float = 0.0
    interims: list = dataclasses.field(default_factory=list)
    violation: str = ""

    def value(self, name):
        found = [v.decode("latin-1") for n, v in self.fields if n == name.lower().encode()]
        return ", ".join(found) if found else None

    @property
    def verdict(self):
        """What Etage said of it in Cache-Status."""
        return (self.value("cache-status") or "").rsplit("etage", 1)[-1]

    @property
    def coding(self):
        return self.value("content-encoding") or "identity"


def address_of(n):
    return f"127.{1 + (n >> 16)}.{n >> 8 & 255}.{n & 255}"


def anyones_certificate():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def connect(port, address, tls=False):
    line = socket.socket()
    line.setblocking(False)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.bind((address, 0))
    await asyncio.get_running_loop().sock_connect(line, ("127.0.0.1", port))
    more = {"ssl": anyones_certificate(), "server_hostname": "gw.test", "ssl_handshake_timeout": 5.0} if tls else {}
    return await asyncio.open_connection(sock=line, limit=1 << 20, **more)


async def ask(port, octets, address="127.0.0.1", tls=False):
    began, answer = time.monotonic(), Answer()
    try:
        reader, writer = await connect(port, address, tls)
    except (ssl.SSLError, OSError):
        return answer
    try:
        writer.write(octets)
        await asyncio.wait_for(receive(reader, octets.split(b" ", 1)[0], answer), PATIENCE)
    except asyncio.TimeoutError:
        answer.violation = f"no end of the answer within {PATIENCE:.0f} s"
    except Violation as violation:
        answer.violation = f"answered: {violation}"
    except BROKEN_OFF:
        pass  # what came until then tells
    finally:
        writer.transport.abort()
    answer.seconds = time.monotonic() - began
    return answer


async def receive(reader, method, answer):
    """Fills in what comes, so that what came of an answer that broke off is known, too."""
    while not answer.status:
        head = await reader.readuntil(b"\r\n\r\n")
        answer.raw += head
        lines = lines_of(head[:-4])
        start = re.fullmatch(rb"HTTP/1\.1 ([1-9][0-9][0-9]) [\x20-\x7e\x80-\xff\t]*", lines[0])
        need(start, "not a status line", lines[0])
        fields, status = fields_of(lines[1:]), int(start[1])
        if status < 200:
            answer.interims.append((status, fields))
            continue
        answer.status, answer.fields = status, fields
    lengths = [v for n, v in answer.fields if n == b"content-length"]
    codings = [v for n, v in answer.fields if n == b"transfer-encoding"]
    need(len(lengths) + len(codings) <= 1 and all(c == b"chunked" for c in codings) and
         all(LENGTH.match(v) for v in lengths), "framing of an answer", answer.raw[:80])
    if method == b"HEAD" or answer.status in (204, 304):
        pass
    elif codings:
        await receive_chunks(reader, answer)
    elif lengths:
        await receive_exactly(reader, int(lengths[0]), answer)
    else:
        while piece := await reader.read(1 << 16):
            keep(answer, piece)
    answer.complete = True
    need(not reader._buffer, "octets behind the answer", bytes(reader._buffer[:80]))


def keep(answer, piece):
    answer.body += piece
    answer.raw += piece


async def receive_exactly(reader, size, answer):
    pieces = []
    try:
        while size:
            piece = await reader.read(min(size, 1 << 20))
            if not piece:
                raise asyncio.IncompleteReadError(b"", size)
            pieces.append(piece)
            size -= len(piece)
    finally:
        keep(answer, b"".join(pieces))


async def receive_chunks(reader, answer):
    while True:
        line = await reader.readuntil(b"\r\n")
        need(re.fullmatch(rb"[0-9a-f]{1,16}\r\n", line), "not a chunk size", line)
        size = int(line, 16)
        if size:
            await receive_exactly(reader, size, answer)
        need(await reader.readexactly(2) == b"\r\n", "no line end behind a chunk")
        if not size:
            return


async def abort_after(port, octets, count, address):
    """Reads a little, and is gone with a reset."""
    answer = Answer()
    reader, writer = await connect(port, address)
    with contextlib.suppress(*BROKEN_OFF):
        answer.raw = await asyncio.wait_for(reader.readexactly(count), PATIENCE)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return answer


async def flood(port, requests, addresses):
    """Many at once on kept connections: [Answer without its body], in order."""
    answers, todo = [Answer() for _ in requests], iter(enumerate(requests))

    async def worker(address):
        writer = None
        for number, octets in todo:
            try:
                reader, writer = (reader, writer) if writer else await connect(port, address)
                writer.write(octets)
                answers[number].raw = await asyncio.wait_for(read_one(reader, octets), PATIENCE)
            except BROKEN_OFF:
                writer = writer and writer.transport.abort()
        if writer:
            writer.transport.abort()

    await asyncio.gather(*(worker(address) for address in addresses))
    for answer in answers:
        if answer.raw:
            lines = answer.raw[:-4].split(b"\r\n")
            answer.status, answer.fields, answer.complete = int(lines[0][9:12]), fields_of(lines[1:]), True
    return answers


async def read_one(reader, asked):
    """The head of an answer that says its length; the content is read and gone."""
    head = await reader.readuntil(b"\r\n\r\n")
    if not asked.startswith(b"HEAD "):
        await reader.readexactly(int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)[1]))
    return head


def decoded(answer, size_max=1 << 24):
    """The content without its coding; None if it is no such thing."""
    if answer.coding == "gzip":
        return gzip.decompress(answer.body)
    out = ctypes.create_string_buffer(size_max)
    if answer.coding == "br":
        size = ctypes.c_size_t(size_max)
        done = ctypes.CDLL("libbrotlidec.so.1").BrotliDecoderDecompress(
            ctypes.c_size_t(len(answer.body)), answer.body, ctypes.byref(size), out)
        return out.raw[:size.value] if done == 1 else None
    if answer.coding == "zstd":
        decompress = ctypes.CDLL("libzstd.so.1").ZSTD_decompress
        decompress.restype = ctypes.c_size_t
        size = decompress(out, ctypes.c_size_t(size_max), answer.body, ctypes.c_size_t(len(answer.body)))
        return out.raw[:size] if size <= size_max else None
    return answer.body if answer.coding == "identity" else None
