"""What the system does to a gateway: calls that fail, and a process that is killed at any moment."""

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from http.client import HTTPException

import httpx
import pytest
from conftest import answer
from door import Door
from processes import RELEASE, Etage, RawOrigin
from redis_fixtures import until


class Injected:
    """Every so many calls of the system fail, as long as this lasts: strace, attached to all threads."""

    def __init__(self, process, call, error, every):
        self.strace = subprocess.Popen(
            ["strace", "-f", "-p", str(process.pid), "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when=2+{every}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.lines, self.attached = [], threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        if not self.attached.wait(10):
            self.strace.kill()
            pytest.skip("strace may not attach here: " + "".join(self.lines))

    def _read(self):
        for line in self.strace.stderr:
            self.lines.append(line)
            if "attached" in line:
                self.attached.set()

    @property
    def count(self):
        return sum("(INJECTED)" in line for line in self.lines)

    def end(self):
        self.strace.send_signal(signal.SIGINT)  # it detaches
        self.strace.wait(10)


@pytest.mark.parametrize("call, error", [("socket", "EMFILE"), ("socket", "ENFILE"), ("socket", "ENOBUFS"), ("connect", "ENOMEM"),
                                         ("connect", "ENOBUFS"), ("epoll_ctl", "ENOMEM"), ("epoll_ctl", "ENOSPC"),
                                         ("accept4", "ENFILE"), ("accept", "EMFILE")])
def test_f37_a_call_of_the_system_that_fails_costs_one_request(start, raw_origin, call, error):
    if not RELEASE.exists() or shutil.which("strace") is None:
        pytest.skip("needs build/release/etage and strace")
    origin = raw_origin(lambda request, n: answer(b"hello", "200 OK", "Cache-Control: max-age=60", "Connection: close") + b"<close>")
    api = start(Etage, "run", "--origin", origin.url, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--threads", "1",
                binary=RELEASE)
    assert api.get("/hit").text == "hello"
    injected = Injected(api.process, call, error, every=19 if call == "epoll_ctl" else 3)  # a request makes six of those
    statuses, lost = [], 0
    before = api.cpu_seconds()
    with httpx.Client(base_url=api.url, timeout=20) as kept:
        for n in range(30):
            try:
                statuses.append(kept.get(f"/cold-{n}").status_code)
                assert kept.get("/hit").text == "hello", "hits need none of it"
            except httpx.TransportError:
                lost += 1
    for n in range(10):
        try:
            httpx.get(api.url + f"/new-{n}", timeout=3)
        except httpx.TransportError:
            pass
    assert injected.count > 0 or call.startswith("accept"), "nothing was injected: " + "".join(injected.lines[-5:])
    assert api.cpu_seconds() - before < 3, "nobody spins"
    injected.end()
    if call in ("socket", "connect"):
        assert lost == 0 and set(statuses) == {200, 503}, statuses
        assert statuses.count(503) <= len(statuses) // 2, "the request that it hit, and no other"
    else:
        # A socket of which the system does not tell when it is ready is as good as a silent one.
        assert set(statuses) <= {200, 502, 503, 504} and statuses.count(200) >= 10, (statuses, lost)
    until(lambda: httpx.get(api.url + "/after", timeout=20).status_code == 200, 10)
    assert {httpx.get(api.url + f"/after-{n}", timeout=20).status_code for n in range(20)} == {200}


def test_f41_killed_at_any_moment_and_started_again(start, redis):
    """Two instances on one Redis; one of them dies two hundred times, while it is asked."""
    if not RELEASE.exists():
        pytest.skip("needs build/release/etage")

    def say(request, n):
        path = request.split(b" ")[1]
        return answer(path * 400, "200 OK", "Cache-Control: max-age=2")

    origin = RawOrigin(say)
    arguments = ["run", "--origin", origin.url, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--redis", redis.url,
                 "--threads", "1"]
    peer = start(Etage, *arguments, binary=RELEASE)
    dying = [None]
    over, wrong, good = threading.Event(), [], [0, 0]

    def client(who, seed):
        dice, door = random.Random(seed), None
        while not over.is_set():
            api = peer if who == 0 else dying[0]
            if api is None:
                time.sleep(0.002)
                continue
            path = f"/{dice.randrange(200)}"
            try:
                if door is None or door.port != api.port:
                    door = Door(api.port)
                if who == 0:
                    time.sleep(0.005)  # most of the time is for those that ask the one that dies
                status, _, content = door.ask("GET", path)
                if status != 200 or content != path.encode() * 400:
                    wrong.append((who, path, status, content[:100]))
                good[who] += 1
            except (OSError, HTTPException) as e:
                door = None
                if who == 0:
                    wrong.append((who, path, repr(e)))

    crowd = [threading.Thread(target=client, args=(who, seed)) for seed, who in enumerate((0, 0, 1, 1, 1))]
    for each in crowd:
        each.start()
    dice, slowest = random.Random(41), 0.0
    for _ in range(200):
        began = time.monotonic()
        api = Etage(*arguments, binary=RELEASE)
        assert Door(api.port).ask("GET", "/first")[2] == b"/first" * 400
        slowest = max(slowest, time.monotonic() - began)
        dying[0] = api
        time.sleep(dice.uniform(0, 0.12))
        dying[0] = None
        os.kill(api.process.pid, signal.SIGKILL)
        api.process.wait(10)
        api.client.close()
    over.set()
    for each in crowd:
        each.join()
    origin.stop()
    assert not wrong, wrong[:5]
    assert min(good) > 300
    assert slowest < 3, "serving again at once, the start of a process on a busy machine included"
    assert peer.metric("etage_redis_damaged_total") == 0 and peer.metric("etage_coherence_violations_total") == 0
