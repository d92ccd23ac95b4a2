"""Real processes on loopback, and an origin that says what it is told: the classes behind the fixtures of conftest.py."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import httpx

ROOT = pathlib.Path(__file__).resolve().parents[1]
RELEASE = ROOT / "build" / "release" / "etage"  # for what sanitizers do not stand: their allocator, other libraries
BINARY = os.path.abspath(os.environ.get("BINARY_UNDER_TEST", ROOT / "build" / "release" / "etage"))

# For tests that watch memory: AddressSanitizer keeps what was freed, 256 MiB of it unless it is told otherwise.
FORGETFUL = {"ASAN_OPTIONS": "quarantine_size_mb=8:" + os.environ.get("ASAN_OPTIONS", "")}


class Process:
    """A program under test: its stderr is read as it comes, so that a full pipe never stops it."""

    def __init__(self, argv, env=None, cwd=None):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ETAGE_")} | (env or {})
        self.argv = [str(a) for a in argv]
        self.lines = []
        self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, env=environment, cwd=cwd)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def output(self):
        return "\n".join(self.lines)

    def wait_for(self, pattern, seconds=20):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for line in list(self.lines):
                if found := re.search(pattern, line):
                    return found
            if self.process.poll() is not None:
                self.reader.join(5)
                if not re.search(pattern, self.output):
                    raise AssertionError(f"{self.argv} ended with {self.process.returncode}:\n{self.output}")
            time.sleep(0.02)
        raise AssertionError(f"no line like {pattern!r} from {self.argv}:\n{self.output}")

    def _proc(self, name):
        return pathlib.Path(f"/proc/{self.process.pid}/{name}")

    def resident(self):
        """Bytes."""
        return int(self._proc("statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

    def cpu_seconds(self):
        user, system = self._proc("stat").read_text().rsplit(") ", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(list(self._proc("fd").iterdir()))

    def stop(self, sig=signal.SIGTERM, seconds=20):
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.argv} did not stop:\n{self.output}") from None
        self.reader.join(5)
        return self.process.returncode


class Etage(Process):
    """`etage run` or `etage demo` on free ports."""

    def __init__(self, *args, binary=BINARY, **kwargs):
        super().__init__([binary, *args], **kwargs)
        self.wait_for(r"listening on http://\S+ \(admin\)")
        found = [re.search(r"listening on (http://\S+)( \(admin\))?", line) for line in self.lines]
        self.url = next(f[1] for f in found if f and not f[2])
        self.admin = next(f[1] for f in found if f and f[2])
        self.port = int(self.url.rsplit(":", 1)[1])
        self.client = httpx.Client(base_url=self.url, timeout=30)

    def get(self, path, **headers):
        return self.client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def verdict(self, path, **headers):
        return self.get(path, **headers).headers["cache-status"].rsplit("etage; ", 1)[1]

    def metric(self, name):
        text = httpx.get(self.admin + "/metrics").text
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if line.startswith(name + " ") or line.startswith(name + "{"))

    def raw(self, data, seconds=10):
        """Sends bytes as they are; returns everything that comes until the other side closes (or the time is up)."""
        with socket.create_connection(("127.0.0.1", self.port), seconds) as s:
            s.sendall(data)
            s.settimeout(seconds)
            received = b""
            try:
                while piece := s.recv(65536):
                    received += piece
            except (TimeoutError, ConnectionResetError):
                received += b"<not closed>" if not received.endswith(b"}") else b""
            return received


class RawOrigin:
    """An origin that says exactly the bytes it is told: handler(request bytes, number) → bytes, or None to say nothing."""

    def __init__(self, handler):
        self.handler = handler
        self.requests = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while self.open:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            buffer = b""
            while True:
                while b"\r\n\r\n" not in buffer:
                    try:
                        piece = connection.recv(65536)
                    except OSError:
                        return
                    if not piece:
                        return
                    buffer += piece
                head, _, buffer = buffer.partition(b"\r\n\r\n")
                length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
                wanted = int(length[1]) if length else 0
                while len(buffer) < wanted:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    buffer += piece
                body, buffer = buffer[:wanted], buffer[wanted:]
                self.requests.append(head + b"\r\n\r\n" + body)
                answer = self.handler(self.requests[-1], len(self.requests))
                if answer is None:
                    return
                close = answer.endswith(b"<close>")
                try:
                    connection.sendall(answer.removesuffix(b"<close>"))
                except OSError:
                    return
                if close:
                    return

    def stop(self):
        self.open = False
        self.listener.close()


class Wire:
    """One connection, read as a script reads it."""

    def __init__(self, sock):
        self.socket = sock
        self.socket.settimeout(10)
        self.buffer = b""

    def send(self, data):
        self.socket.sendall(data)

    def until(self, mark):
        while mark not in self.buffer:
            piece = self.socket.recv(65536)
            assert piece, f"ended before {mark!r}: {self.buffer!r}"
            self.buffer += piece
        taken, self.buffer = self.buffer[: self.buffer.index(mark) + len(mark)], self.buffer[self.buffer.index(mark) + len(mark):]
        return taken

    def head(self):
        return self.until(b"\r\n\r\n")

    def exactly(self, n):
        while len(self.buffer) < n:
            piece = self.socket.recv(65536)
            assert piece, f"ended before {n} bytes: {self.buffer!r}"
            self.buffer += piece
        taken, self.buffer = self.buffer[:n], self.buffer[n:]
        return taken

    def message(self):
        head = self.head()
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        return head, self.exactly(int(length[1]) if length else 0)

    def rest(self):
        while True:
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                piece = b""
            if not piece:
                taken, self.buffer = self.buffer, b""
                return taken
            self.buffer += piece

    def silent(self, seconds=0.3):
        """Nothing comes: the only thing that cannot be waited for but with a clock."""
        self.socket.settimeout(seconds)
        try:
            piece = self.socket.recv(65536)
            self.buffer += piece
            return False
        except TimeoutError:
            return not self.buffer
        finally:
            self.socket.settimeout(10)


class Stage:
    """An origin in which a test plays every connection itself: stage.next() is the next one accepted."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(10)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def next(self):
        return Wire(self.listener.accept()[0])


def answer(body=b"hello", status="200 OK", *fields):
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n" + "".join(f + "\r\n" for f in fields) + "\r\n"
    return head.encode() + body


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
