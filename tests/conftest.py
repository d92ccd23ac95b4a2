"""Real processes on loopback. Every test starts what it needs, waits until it is ready, and stops it by pid."""

import textwrap

import pytest
from processes import BINARY, Etage, Process, RawOrigin, answer, free_port  # noqa: F401, some for the tests


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
