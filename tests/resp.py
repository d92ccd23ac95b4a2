"""A client of Redis for tests: one connection, one command at a time, nothing clever."""

import socket


class RedisError(Exception):
    """An error reply: its first word is the code."""

    @property
    def code(self):
        return str(self).split(" ", 1)[0]


class Resp:
    def __init__(self, address, seconds=10):
        self.socket = socket.create_connection(address, seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def call(self, *words):
        self.send(*words)
        return self.reply()

    def send(self, *words):
        parts = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        self.socket.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))

    def reply(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis hung up")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            if rest == b"-1":
                return None
            data = self.file.read(int(rest) + 2)
            if len(data) != int(rest) + 2:
                raise ConnectionError("Redis hung up")
            return data[:-2]
        if kind == b"*":
            if rest == b"-1":
                return None
            replies = []
            for _ in range(int(rest)):
                try:
                    replies.append(self.reply())
                except RedisError as error:
                    replies.append(error)
            return replies
        raise ConnectionError(f"not RESP: {line!r}")

    def close(self):
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def token_of(stream_id):
    """A stream id as a token of Etage: `ms << 20 | n`."""
    text = stream_id.decode() if isinstance(stream_id, bytes) else stream_id
    milliseconds, number = text.split("-")
    return int(milliseconds) << 20 | int(number)
