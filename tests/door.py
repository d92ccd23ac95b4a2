"""A client for measuring: one kept connection, nothing on top of http.client; and many connections at once."""

import asyncio
import http.client
import re
import socket


class Door:
    """Made again after any trouble. `host`: what the Host field says, so that several instances give one key to one URL."""

    def __init__(self, port, seconds=30, host="api.test"):
        self.port, self.seconds, self.host, self.connection = port, seconds, host, None

    def ask(self, method, path, body=None, **fields):
        """(status, header fields, content); OSError or HTTPException when there was no answer. A kept connection may have
        died meanwhile: what may be sent twice is, once, on a new one."""
        headers = {"Host": self.host} | {name.replace("_", "-"): value for name, value in fields.items()}
        if self.connection is not None and method in ("GET", "HEAD"):
            try:
                return self._ask(method, path, body, headers)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                pass
        return self._ask(method, path, body, headers)

    def _ask(self, method, path, body, headers):
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.seconds)
                self.connection.connect()
                self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            content = answer.read()
            if answer.will_close:
                self.close()
            return answer.status, answer.headers, content
        except BaseException:
            self.close()
            raise

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def crowd(ports, path, each, host="api.test", seconds=60):
    """`each` connections to each port, made first; then all ask for the same at once. [(status, Cache-Status, content)]"""

    async def ask(reader, writer):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = int(re.search(r"(?i)\r\ncontent-length: *(\d+)", head)[1])
        content = await reader.readexactly(length)
        writer.close()
        status = re.search(r"(?i)\r\ncache-status: *([^\r]*)", head)
        return int(head.split(" ", 2)[1]), status[1] if status else "", content

    async def everybody():
        lines = []
        for port in ports:
            for _ in range(each):
                lines.append(await asyncio.open_connection("127.0.0.1", port))
        return await asyncio.wait_for(asyncio.gather(*(ask(*line) for line in lines)), seconds)

    return asyncio.run(everybody())
