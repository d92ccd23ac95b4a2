"""Messages read strictly: what the gateway may send to an origin, and nothing else. The other side of the parser under test,
written from the RFCs again, so that both would have to be wrong in the same way."""

import dataclasses
import re

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
VALUE = re.compile(rb"([\x21-\x7e\x80-\xff]([\x20-\x7e\x80-\xff\t]*[\x21-\x7e\x80-\xff])?)?\Z")  # RFC 9110 §5.5, trimmed
TARGET = re.compile(rb"(/[\x21-\x22\x24-\x7e]*|\*)\Z")
HOST = re.compile(rb"([0-9A-Za-z._~!$&'()*+;=-]|%[0-9A-Fa-f]{2})+(:[0-9]{1,5})?\Z|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?\Z")
LENGTH = re.compile(rb"(0|[1-9][0-9]{0,18})\Z")
CHUNK = re.compile(rb"(0|[1-9a-f][0-9a-f]{0,15})\Z")  # as Etage writes it: no extension, no zeros in front
HOP_BY_HOP = {b"keep-alive", b"proxy-connection", b"te", b"trailer", b"proxy-authenticate", b"proxy-authorization",
              b"http2-settings"}


class Violation(Exception):
    """Something was forwarded that must not leave a gateway."""


@dataclasses.dataclass
class Message:
    start: tuple  # method, target, version; or version, status, reason
    fields: list  # (name in lower case, value)
    body: bytes = b""
    raw: bytes = b""

    def values(self, name):
        return [value for n, value in self.fields if n == name]


def need(holds, what, got=b""):
    if not holds:
        raise Violation(f"{what}: {got[:120]!r}" if got else what)


def lines_of(head):
    lines = head.split(b"\r\n")
    for line in lines:
        need(not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", line), "a control character in a head", line)
    return lines


def fields_of(lines):
    fields = []
    for line in lines:
        need(line[:1] not in (b" ", b"\t"), "a folded field line", line)
        name, colon, value = line.partition(b":")
        need(colon and TOKEN.match(name), "not a field line", line)
        value = value.strip(b" \t")
        need(VALUE.match(value), "not a field value", line)
        fields.append((name.lower(), value))
    return fields


def read_chunks(octets):
    """(content, octets used), or None while incomplete."""
    content, at = b"", 0
    while True:
        end = octets.find(b"\r\n", at)
        if end < 0:
            need(re.fullmatch(rb"[0-9a-f]{0,16}\r?", octets[at:]), "not a chunk size", octets[at:at + 40])
            return None
        size = octets[at:end]
        need(CHUNK.match(size), "not a plain chunk size", size)
        at, size = end + 2, int(size, 16)
        if size == 0:
            if len(octets) < at + 2:
                return None
            need(octets[at:at + 2] == b"\r\n", "a trailer", octets[at:at + 40])
            return content, at + 2
        if len(octets) < at + size + 2:
            return None
        need(octets[at + size:at + size + 2] == b"\r\n", "no line end behind a chunk", octets[at + size:at + size + 8])
        content += octets[at:at + size]
        at += size + 2


def read_framed(octets, lengths, codings):
    """(content, octets used), or None while incomplete; without framing there is no content."""
    if codings:
        return read_chunks(octets)
    used = int(lengths[0]) if lengths else 0
    return (octets[:used], used) if len(octets) >= used else None


def with_body(message, octets, at, found):
    """(Message, octets used) of a head that ends at `at` and what was found behind it; None when that is incomplete."""
    if found is None:
        return None
    message.body, used = found
    message.raw = octets[:at + used]
    return message, at + used


def check_request_fields(message):
    method, target, _ = message.start
    hosts, lengths, codings = (message.values(n) for n in (b"host", b"content-length", b"transfer-encoding"))
    need(len(hosts) == 1, f"{len(hosts)} Host fields")
    need(HOST.match(hosts[0]), "not a host", hosts[0])
    need(not (lengths and codings), "Content-Length and Transfer-Encoding")
    need(len(lengths) <= 1 and len(codings) <= 1, "framing said twice")
    need(all(LENGTH.match(n) for n in lengths), "not a plain length", b" ".join(lengths))
    need(all(c == b"chunked" for c in codings), "a transfer coding that is not exactly chunked", b" ".join(codings))
    need(all(c == b"upgrade" for c in message.values(b"connection")), "Connection", b" ".join(message.values(b"connection")))
    for name, value in message.fields:
        need(name not in HOP_BY_HOP, "a field for one hop", name)
        need(name.replace(b"_", b"-") == name or name.replace(b"_", b"-") not in
             (b"content-length", b"transfer-encoding", b"host", b"x-forwarded-for"), "a look-alike", name)
    need(len(message.values(b"x-forwarded-for")) == 1, "not exactly one X-Forwarded-For")
    need(TOKEN.match(method), "not a method", method)
    need(target != b"*" or method == b"OPTIONS", "* for another method than OPTIONS", method)
    return lengths, codings


def read_request(octets):
    """(Message, octets used); None while incomplete."""
    end = octets.find(b"\r\n\r\n")
    if end < 0:
        lines_of(octets[:-1] if octets.endswith(b"\r") else octets)
        return None
    lines = lines_of(octets[:end])
    start = lines[0].split(b" ")
    need(len(start) == 3 and start[2] == b"HTTP/1.1" and TARGET.match(start[1]), "not a request line", lines[0])
    message = Message(tuple(start), fields_of(lines[1:]))
    lengths, codings = check_request_fields(message)
    return with_body(message, octets, end + 4, read_framed(octets[end + 4:], lengths, codings))


def read_requests(octets):
    """All complete requests of a connection, and what is left."""
    requests = []
    while octets:
        found = read_request(octets)
        if found is None:
            break
        requests.append(found[0])
        octets = octets[found[1]:]
    return requests, octets


def read_response(octets, method, ended):
    """(Message, octets used) of one answer of the gateway, None while incomplete. `ended`: the connection has."""
    end = octets.find(b"\r\n\r\n")
    if end < 0:
        return None
    lines = lines_of(octets[:end])
    start = re.fullmatch(rb"(HTTP/1\.1) ([1-9][0-9][0-9]) ([\x20-\x7e\x80-\xff\t]*)", lines[0])
    need(start, "not a status line", lines[0])
    message = Message(start.groups(), fields_of(lines[1:]))
    lengths, codings = message.values(b"content-length"), message.values(b"transfer-encoding")
    need(len(lengths) + len(codings) <= 1 and all(LENGTH.match(n) for n in lengths) and all(c == b"chunked" for c in codings),
         "framing of an answer", lines[0])
    at, status = end + 4, int(start[2])
    if method == b"HEAD" or status < 200 or status in (204, 304):
        found = b"", 0
    elif codings or lengths:
        found = read_framed(octets[at:], lengths, codings)
    else:  # until the connection ends
        found = (octets[at:], len(octets) - at) if ended else None
    return with_body(message, octets, at, found)


def read_responses(octets, methods, ended):
    """(final answers, what is left behind the last complete one)."""
    answers, methods = [], list(methods)
    while octets:
        found = read_response(octets, methods[0] if methods else b"GET", ended)
        if found is None:
            break
        message, used = found
        octets = octets[used:]
        if message.start[1].startswith(b"1"):
            continue
        answers.append(message)
        methods = methods[1:]
    return answers, octets
