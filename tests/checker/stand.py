"""The processes of a soak: an origin, two Redis, three gateways (one niced, one behind a fault proxy, one direct)."""

import json
import pathlib
import subprocess
import sys

import plan
from processes import Etage
from redis_processes import FaultProxy, RedisServer, nice, steady_port

HERE = pathlib.Path(__file__).resolve().parent


class Gateway:
    """Always on the same two ports; restarted after a kill."""

    def __init__(self, number, origin_port, redis_url, folder):
        self.number, self.target = number, f"g{number}"
        self.port, self.admin_port = steady_port(), steady_port()
        self.args = ["run", "--origin", f"http://127.0.0.1:{origin_port}", "--listen", f"127.0.0.1:{self.port}", "--admin",
                     f"127.0.0.1:{self.admin_port}", "--config", folder / "etage.toml", "--threads", "2"]
        self.args += ["--redis", redis_url] if redis_url else []
        self.process, self.lives = None, []

    def start(self):
        self.process = Etage(*self.args)
        self.lives.append(self.process)
        if self.number == 0:
            nice(self.process.process, 10)

    def signal(self, sig):
        self.process.process.send_signal(sig)

    def kill(self):
        self.process.process.kill()
        self.process.process.wait()
        self.process.killed = True

    def crashed(self):
        return [f"{self.target} ended by itself with {life.process.returncode}:\n{life.output[-3000:]}" for life in self.lives
                if life.process.poll() is not None and not getattr(life, "killed", False)]


class Stand:
    def __init__(self, folder, seed, mode, with_redis=True, lag=0.0):
        self.folder = folder
        self.a = self.b = self.link = self.fault = self.way = None
        self.gateways = []
        (folder / "etage.toml").write_text(plan.configuration(mode if with_redis else None))
        self.origin_ports = [steady_port() for _ in range(4)]
        self.origin = subprocess.Popen(
            [sys.executable, HERE / "origin_process.py",
             json.dumps({"ports": self.origin_ports, "seed": seed, "events": str(folder / "origin.events")})],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            self.start(seed, with_redis, lag)
        except BaseException:
            self.stop()
            raise

    def start(self, seed, with_redis, lag):
        assert self.origin.stdout.readline() == "ready\n"
        if lag:
            self.order(f"lag {lag}")
        urls = [None] * 3
        if with_redis:
            self.a = RedisServer(persistent=True)
            self.link = FaultProxy(self.a)  # the replication goes through it
            self.b = RedisServer(persistent=True, replica_of=self.link)
            self.b.wait_in_sync()
            self.way, self.fault = FaultProxy(self.a, seed), FaultProxy(self.a, seed + 1)
            urls = [self.way.url, self.fault.url, self.a.url]
        self.gateways = [Gateway(n, self.origin_ports[n], urls[n], self.folder) for n in range(3)]
        for gateway in self.gateways:
            gateway.start()

    @property
    def ports(self):
        return [g.port for g in self.gateways]

    @property
    def admin_ports(self):
        return [g.admin_port for g in self.gateways]

    def order(self, text):
        self.origin.stdin.write(text + "\n")
        self.origin.stdin.flush()

    def stop(self):
        """Everything that was started, by its pid; returns what went wrong meanwhile."""
        wrong = [text for g in self.gateways for text in g.crashed()]
        for gateway in self.gateways:
            if gateway.process and gateway.process.process.poll() is None:
                code = gateway.process.stop()
                if code:
                    wrong.append(f"{gateway.target} exited with {code}:\n{gateway.process.output[-3000:]}")
        self.order("stop")
        self.origin.wait(20)
        for each in (self.way, self.fault, self.link, self.b, self.a):
            if each:
                each.stop()
        return wrong

    def logs(self):
        for gateway in self.gateways:
            text = "\n--- next life ---\n".join(life.output for life in gateway.lives)
            (self.folder / f"{gateway.target}.log").write_text(text)

