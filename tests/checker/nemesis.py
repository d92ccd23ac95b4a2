"""What goes wrong during a soak: seeded, written down, and over before the end.

Two of them work at a time, one on the gateways and the origin, one on Redis; each heals what it did before it does more.
"""

import random
import signal
import threading
import time

from events import Fault
from redis_processes import RedisError


class Nemesis(threading.Thread):
    def __init__(self, stand, board, pen, lock, seed):
        super().__init__(daemon=True)
        self.stand, self.board, self.pen, self.lock = stand, board, pen, lock
        self.random, self.over = random.Random(seed), threading.Event()
        self.doing, self.count, self.broken = "", 0, None

    def run(self):
        faults = self.faults()
        while not self.over.wait(self.random.uniform(0.5, 2.5)):
            fault = self.random.choice(faults)
            self.doing, self.count = fault.__name__, self.count + 1
            try:
                fault()
            except Exception as error:  # a nemesis that stumbles is told, and the soak fails
                self.broken = f"{fault.__name__}: {error!r}"
                return
            finally:
                self.doing = ""

    def stop(self):
        self.over.set()
        self.join(60)

    def lasts(self, least, most):
        """So long, or until the end; mostly short."""
        self.over.wait(least + (most - least) * self.random.random() ** 2)

    def note(self, begin, what, target, loses=False):
        with self.lock:
            self.pen.write(Fault(begin, time.monotonic_ns(), what, target, loses))


class AboveRedis(Nemesis):
    """Gateways and origin."""

    def faults(self):
        return [self.stop_gateway, self.stop_gateway, self.kill_gateway, self.kill_gateway, self.outage]

    def stop_gateway(self):
        gateway = self.random.choice(self.stand.gateways)
        self.board.frozen[gateway.number] = 1
        begin = time.monotonic_ns()
        gateway.signal(signal.SIGSTOP)
        self.lasts(0.2, 12)
        gateway.signal(signal.SIGCONT)
        self.board.frozen[gateway.number] = 0
        self.note(begin, "stop", gateway.target)

    def kill_gateway(self):
        gateway = self.random.choice(self.stand.gateways)
        self.board.frozen[gateway.number] = 1
        begin = time.monotonic_ns()
        gateway.kill()
        self.lasts(0, 2)
        gateway.start()
        self.board.frozen[gateway.number] = 0
        self.note(begin, "kill", gateway.target)

    def outage(self):
        begin = time.monotonic_ns()
        self.stand.order("outage on")
        self.lasts(0.2, 3)
        self.stand.order("outage off")
        self.note(begin, "outage", "origin")


class Below(Nemesis):
    """Redis, and the ways to it."""

    def faults(self):
        return [self.freeze, self.kill, self.hang_up, self.slow, self.hang, self.cut, self.refuse, self.flush,
                self.forget_scripts, self.pressure, self.eviction, self.failover, self.failover, self.kill_replica,
                self.drop_log, self.trim, self.trim]

    def everybody_away(self, begin):
        for n in range(3):
            self.note(begin, "away", f"g{n}")

    def freeze(self):
        begin = time.monotonic_ns()
        self.stand.a.freeze()
        stopped = time.monotonic_ns() + 1_000_000  # it may finish what it does
        self.lasts(0.2, 8)
        self.everybody_away(stopped)
        self.stand.a.thaw()
        self.note(begin, "freeze", "redis")

    def kill(self):
        begin = time.monotonic_ns()
        self.board.primary.value = 0
        self.stand.a.kill()
        killed = time.monotonic_ns()
        self.lasts(0.1, 5)
        self.everybody_away(killed)
        self.stand.a.start()
        self.board.primary.value = self.stand.a.port
        self.note(begin, "kill", "redis")

    def hang_up(self):
        begin = time.monotonic_ns()
        for _ in range(self.random.randint(1, 5)):
            self.stand.a.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            self.over.wait(0.05)
        self.note(begin, "hang-up", "redis")

    def slow(self):
        begin = time.monotonic_ns()
        self.stand.fault.slow(self.random.choice([0.01, 0.03, 0.2]), self.random.choice([0, 0.15]))
        self.lasts(0.5, 6)
        self.stand.fault.heal()
        self.note(begin, "slow", "g1")

    def hang(self):
        begin = time.monotonic_ns()
        way = self.random.choice([self.stand.fault.up, self.stand.fault.down])
        way.hang = True
        self.lasts(0.2, 6)
        self.stand.fault.heal()
        if self.random.random() < 0.5:
            self.stand.fault.drop()
        self.note(begin, "hang", "g1")

    def cut(self):
        """In the middle of replies, and of requests."""
        begin = time.monotonic_ns()
        for _ in range(self.random.randint(1, 8)):
            self.random.choice([self.stand.fault.up, self.stand.fault.down]).cut_after = self.random.randint(1, 3000)
            self.over.wait(0.2)
        self.stand.fault.sliced(self.random.choice([1, 7]))
        self.lasts(0.2, 2)
        self.stand.fault.heal()
        self.note(begin, "cut", "g1")

    def refuse(self):
        begin = time.monotonic_ns()
        self.stand.fault.refuse()
        self.stand.fault.drop()
        away = time.monotonic_ns()
        self.lasts(0.2, 6)
        self.note(away, "away", "g1")
        self.stand.fault.heal()
        self.note(begin, "refuse", "g1")

    def flush(self):
        begin = time.monotonic_ns()
        self.stand.a.call("FLUSHALL")
        self.note(begin, "flush", "redis", loses=True)

    def drop_log(self):
        """The log alone is gone, as when it is evicted: the entries are still there."""
        begin = time.monotonic_ns()
        self.stand.a.call("DEL", "{etage}:log")
        self.note(begin, "drop-log", "redis", loses=True)

    def trim(self):
        """The log is cut while somebody does not hear of it, frozen or cut off: it must notice that it missed something."""
        until = time.monotonic() + self.random.choice([0, 6])
        while not any(self.board.frozen) and time.monotonic() < until:
            self.over.wait(0.05)
        begin = time.monotonic_ns()
        self.stand.fault.down.hang = not any(self.board.frozen)
        self.lasts(0.5, 4)
        self.stand.a.call("XTRIM", "{etage}:log", "MAXLEN", self.random.choice(["0", "1"]))
        if self.random.random() < 0.5:
            self.stand.a.call("XADD", "{etage}:log", "*", "tag", "of-nothing")
        self.stand.fault.heal()
        self.note(begin, "hang", "g1")
        self.note(begin, "trim", "redis")

    def forget_scripts(self):
        begin = time.monotonic_ns()
        self.stand.a.call("SCRIPT", "FLUSH")
        self.note(begin, "forget-scripts", "redis")

    def pressure(self):
        """Nothing more fits in, and nothing goes: writes are refused."""
        begin = time.monotonic_ns()
        self.stand.a.call("CONFIG", "SET", "maxmemory", "1")
        self.lasts(0.2, 3)
        self.stand.a.call("CONFIG", "SET", "maxmemory", "0")
        self.note(begin, "pressure", "redis")

    def eviction(self):
        """Everything goes, the log and the instances' own keys included."""
        begin = time.monotonic_ns()
        used = int(self.stand.a.info("used_memory"))
        self.stand.a.call("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
        self.stand.a.call("CONFIG", "SET", "maxmemory", used - 20_000)
        self.lasts(0.2, 2)
        self.stand.a.call("CONFIG", "SET", "maxmemory", "0")
        self.stand.a.call("CONFIG", "SET", "maxmemory-policy", "noeviction")
        self.note(begin, "eviction", "redis", loses=True)

    def kill_replica(self):
        begin = time.monotonic_ns()
        self.stand.b.kill()
        self.lasts(0.1, 1)
        self.stand.b.start()
        self.stand.b.wait_in_sync()
        self.note(begin, "kill-replica", "replica")

    def failover(self):
        """B takes over, sometimes without the last of what A had acknowledged; two gateways follow, the direct one stays
        with A, which only repeats what B says. Then the same back."""
        a, b = self.stand.a, self.stand.b
        b.wait_in_sync()
        begin = time.monotonic_ns()
        self.stand.link.hang(self.random.random() < 0.5)
        self.over.wait(self.random.uniform(0, 0.5))
        self.board.primary.value = 0
        if self.random.random() < 0.5:
            a.kill()
            self.stand.link.drop()
        else:
            a.call("CLIENT", "PAUSE", "1000", "WRITE")
            self.stand.link.drop()
            self.over.wait(0.02)
        b.follow(None)
        self.stand.link.heal()
        for way in (self.stand.way, self.stand.fault):
            way.switch(b)
        if a.process.poll() is not None:
            a.start()
        a.follow(b)
        readonly = time.monotonic_ns()
        self.board.primary.value = b.port
        self.note(begin, "failover", "redis", loses=True)
        self.lasts(1.5, 6)
        a.wait_in_sync()
        self.note(readonly, "readonly", "g2")
        self.back(a, b)

    def back(self, a, b):
        begin = time.monotonic_ns()
        self.board.primary.value = 0
        b.call("CLIENT", "PAUSE", "1000", "WRITE")
        self.over.wait(0.05)
        a.follow(None)
        for way in (self.stand.way, self.stand.fault):
            way.switch(a)
        b.follow(self.stand.link)
        self.board.primary.value = a.port
        self.note(begin, "failover", "redis", loses=True)
        try:
            b.wait_in_sync()
        except RedisError:
            b.restart()
            b.wait_in_sync()
