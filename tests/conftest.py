"""Real processes on loopback. Every test starts what it needs, waits until it is ready, and stops it by pid."""

import os
import socket
import textwrap

import pytest
from processes import BINARY, Etage, Process, RawOrigin, Stage, Wire, answer, free_port  # noqa: F401, some for the tests
from redis_fixtures import instance, make_origin, make_redis, origin, proxy, redis  # noqa: F401


@pytest.fixture
def start():
    """start(Class, …) → a running process, stopped after the test; its exit must be clean."""
    running = []

    def _start(kind, *args, **kwargs):
        process = kind(*args, **kwargs)
        running.append(process)
        return process

    yield _start
    failures = []
    for process in reversed(running):
        if process.process.poll() is None:
            code = process.stop()
            if code != 0 and isinstance(process, Etage):
                failures.append(f"{process.argv} exited with {code}:\n{process.output[-4000:]}")
    assert not failures, "\n".join(failures)


@pytest.fixture
def demo(start):
    def _demo(*args, **kwargs):
        return start(Etage, "demo", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", *args, **kwargs)

    return _demo


@pytest.fixture
def gateway(start):
    def _gateway(*args, **kwargs):
        return start(Etage, "run", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", *args, **kwargs)

    return _gateway


@pytest.fixture
def stage():
    made = Stage()
    yield made
    made.listener.close()


@pytest.fixture
def connect():
    opened = []

    def _connect(api):
        opened.append(socket.create_connection(("127.0.0.1", api.port), 10))
        return Wire(opened[-1])

    yield _connect
    for each in opened:
        each.close()


@pytest.fixture
def raw_origin():
    made = []

    def _make(handler):
        origin = RawOrigin(handler)
        made.append(origin)
        return origin

    yield _make
    for origin in made:
        origin.stop()


@pytest.fixture
def fastapi(start, tmp_path):
    """A FastAPI application on real uvicorn (both from Debian): fastapi(source) → URL."""

    def _fastapi(source):
        (tmp_path / "application.py").write_text(textwrap.dedent(source))
        port = free_port()
        process = start(Process, ["/usr/bin/python3", "-m", "uvicorn", "application:app", "--host", "127.0.0.1", "--port",
                                  port, "--log-level", "info"], cwd=tmp_path)
        process.wait_for("Uvicorn running")
        return f"http://127.0.0.1:{port}"

    return _fastapi


@pytest.fixture
def node(start, tmp_path):
    """Node's http module: node("source of (request, response) => …") → URL."""

    def _node(handler):
        (tmp_path / "origin.mjs").write_text(NODE_ORIGIN % textwrap.dedent(handler).strip())
        process = start(Process, ["node", tmp_path / "origin.mjs"])
        return process.wait_for(r"listening on (\S+)")[1]

    return _node


NODE_ORIGIN = """
import http from 'node:http'
import zlib from 'node:zlib'
import { createHash } from 'node:crypto'
const server = http.createServer(%s)
server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`))
process.on('SIGTERM', () => process.exit(0))
"""


@pytest.fixture
def nginx(start, tmp_path):
    """nginx with files: nginx({"a/b.txt": b"…"}, "more of the server block") → URL. Nothing of it lies outside of tmp_path."""

    def _nginx(files, more=""):
        home = tmp_path / "nginx"
        for name, content in files.items():
            (home / "files" / name).parent.mkdir(parents=True, exist_ok=True)
            (home / "files" / name).write_bytes(content)
        port = free_port()
        temporary = "".join(f"{kind}_temp_path {home}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (home / "nginx.conf").write_text(NGINX % {
            "user": "user root;" if os.geteuid() == 0 else "", "home": home, "temporary": temporary, "port": port, "more": more})
        process = start(Process, ["/usr/sbin/nginx", "-p", home, "-e", "stderr", "-c", home / "nginx.conf"])
        process.wait_for("start worker process ")
        return f"http://127.0.0.1:{port}"

    return _nginx


NGINX = """
daemon off;
%(user)s
worker_processes 1;
pid %(home)s/nginx.pid;
error_log stderr notice;
events {}
http {
    %(temporary)s
    access_log off;
    types {
        text/html html; text/css css; application/javascript js; text/plain txt; image/png png; audio/wav wav; application/json json;
    }
    gzip off;
    gzip_static off;
    server {
        listen 127.0.0.1:%(port)s;
        root %(home)s/files;
        %(more)s
    }
}
"""
