"""The offline checker: is a recorded history one that a correct cache can have? (the invariants of coherence, O(n log n))

INV-1 purge barrier · a read that begins after a purge was acknowledged never returns a version that was outdated when the
      purge began. Who is bound by an acknowledgement: every instance after `wait: all` with confirmed = live (strict mode;
      in the available mode only when all instances confirmed and no gateway had been in trouble), the instance that was
      asked after `wait: local` and after an unsafe request, and whoever is asked with a token that is not older.
INV-2 no phantom · nothing that was not committed yet, nothing torn, nothing of another key.
INV-3 bounded staleness · what is returned was current within its lifetime and stale windows.
INV-4 honest Age · at least what has passed since the origin said it, and it does not run backwards.
INV-5 no lost purge · INV-1 across kills and failovers; and no acknowledgement while nothing could record it.
INV-6 origin protection · one fetch of a key at a time and instance, but for what an invalidation separates.
INV-7 convergence · after the faults have ended every instance returns what was purged to.
INV-8 service · no failure of ours is passed to a client while the origin is there.
"""

import bisect
import collections
import dataclasses

SECOND = 1_000_000_000
AGE_SLACK = 1.1        # seconds: Age is whole seconds, and stamps cross from one clock to another
FLIGHT_SLACK = 3.5     # seconds: an answer may be as old as its fetch took
LOSS_SETTLES = 3.0     # seconds after which the instances have appended again what a failover lost
FOREIGN_AT_RISK = 25.0  # seconds in which a foreign record is known to nobody but a Redis that may lose it


@dataclasses.dataclass
class Violation:
    invariant: str
    text: str
    window: list


@dataclasses.dataclass
class Report:
    violations: list
    lags: list          # seconds after a local acknowledgement in which other instances still served the old version
    purge_waits: dict   # wait → seconds from the call to the acknowledgement

    def of(self, invariant):
        return [v for v in self.violations if v.invariant == invariant]


class Killers:
    """For each name the purges that bind somebody, by their begin; behind each, the least end (or token) of all later ones."""

    def __init__(self, purges, value):
        self.begins, self.least = {}, {}
        by_name = collections.defaultdict(list)
        for purge in purges:
            for name in purge.names:
                by_name[name].append((purge.begin, value(purge)))
        for name, found in by_name.items():
            found.sort()
            self.begins[name] = [begin for begin, _ in found]
            least, kept = float("inf"), []
            for _, number in reversed(found):
                least = min(least, number)
                kept.append(least)
            self.least[name] = kept[::-1]

    def after(self, moment, names):
        """The least value of the purges that began at `moment` or later and cover one of these names."""
        best = float("inf")
        for name in names:
            if begins := self.begins.get(name):
                place = bisect.bisect_left(begins, moment)
                if place < len(begins):
                    best = min(best, self.least[name][place])
        return best


class Checker:
    def __init__(self, history, violations_max=20):
        self.h = history
        self.violations_max = violations_max
        self.found = collections.Counter()
        self.violations, self.lags = [], []
        self.acknowledged = [p for p in history.purges if p.ok]
        everywhere = [p for p in self.acknowledged if self.binds_all(p)]
        self.killers = [Killers(everywhere + [p for p in self.acknowledged if p.instance == i and not self.binds_all(p)],
                                lambda p: p.end) for i in range(history.instances)]
        self.by_token = Killers([p for p in self.acknowledged if p.seq], lambda p: p.seq)
        self.any = Killers(self.acknowledged, lambda p: p.end)
        self.deaths = {}
        self.alone = [r for r in history.reads if "behind-token" in r.cache_status or "flight-too-slow" in r.cache_status
                      or "detail=blind" in r.cache_status or "detail=fenced" in r.cache_status]
        self.covering = {key: {"all", "url:" + key, "prefix:" + key.rsplit("/", 1)[0],
                               *("tag:" + tag for commit in commits for tag in commit.tags)}
                         for key, commits in history.commits.items()}

    def check(self):
        for each in self.h.reads:
            self.phantom(each) or self.outdated(each)
        self.ages()
        self.lost_acknowledgements()
        self.crowding()
        self.service()
        waits = collections.defaultdict(list)
        for p in self.acknowledged:
            waits[p.wait].append((p.end - p.begin) / SECOND)
        return Report(self.violations, sorted(self.lags), dict(waits))

    def report(self, invariant, text, key=None, begin=0, end=0, essential=()):
        self.found[invariant] += 1
        if self.found[invariant] <= self.violations_max:
            window = self.window(key, begin, end, essential)
            self.violations.append(Violation(invariant, f"{invariant}: {text} (seed {self.h.seed})", window))

    # ---- who is bound by an acknowledgement

    def binds_all(self, purge):
        if purge.wait != "all" or purge.confirmed != purge.live:
            return False
        if self.h.mode == "strict":
            return True
        calm = not any(f.target.startswith("g") and f.begin <= purge.end and f.end >= purge.begin - 5 * SECOND
                       for f in self.h.faults)
        return purge.confirmed >= self.h.instances and calm

    def excused(self, purge, read):
        """What no log that is replicated in the background can promise: the record was in the tail that Redis lost, and
        all who knew of it are gone, or have not had the time to append it again."""
        losses = [f for f in self.h.faults if f.loses]
        if purge.wait == "foreign":
            return any(f.end >= purge.begin - SECOND and f.begin <= purge.end + FOREIGN_AT_RISK * SECOND for f in losses)
        if not self.killed(read.instance, purge.begin, read.begin):
            return False
        near = [f for f in losses if f.end >= purge.begin - SECOND and f.begin <= purge.end + SECOND]
        return any(self.killed(purge.instance, purge.begin, read.begin)
                   or read.begin <= f.end + LOSS_SETTLES * SECOND for f in near)

    def killed(self, instance, begin, end):
        return any(f.what == "kill" and f.target == f"g{instance}" and f.end >= begin and f.begin <= end for f in self.h.faults)

    # ---- INV-1, 3, 5, 7

    def death(self, read):
        """When this version was dead for this instance; when for somebody; memoised: there are far fewer than reads."""
        place = (read.key, read.version, read.instance)
        if place not in self.deaths:
            names = self.h.names_of(read.key, read.version)
            outdated = self.h.commits[read.key][read.version].time
            self.deaths[place] = (self.killers[read.instance].after(outdated, names), self.any.after(outdated, names),
                                  self.by_token.after(outdated, names))
        return self.deaths[place]

    def outdated(self, read):
        commits = self.h.commits[read.key]
        if not read.version or read.version >= len(commits):
            return
        here, somewhere, token = self.death(read)
        if read.how == "sweep":
            if somewhere < read.begin:
                self.barrier(read, swept=True)
        elif here < read.begin or (read.token and token <= read.token):
            self.barrier(read)
        elif somewhere < read.begin:
            self.lags.append((read.begin - somewhere) / SECOND)
        outdated = commits[read.version].time
        allowed = self.h.allowed.get(read.key)
        if allowed is not None and outdated < read.begin - (allowed + FLIGHT_SLACK) * SECOND:
            late = (read.begin - outdated) / SECOND
            self.report("INV-3", f"g{read.instance} served {read.key} v{read.version}, outdated for {late:.3f} s, allowed are "
                        f"{allowed} s", read.key, outdated, read.end, (read,))

    def barrier(self, read, swept=False):
        """Slow, but only for what is suspected: which purge is broken, and is there no excuse?"""
        self.found["suspected"] += 1
        if self.found["suspected"] > 50 * self.violations_max:
            return
        names, outdated = set(self.h.names_of(read.key, read.version)), self.h.commits[read.key][read.version].time
        binding = [p for p in self.acknowledged if p.begin >= outdated and names & set(p.names)
                   and ((p.end < read.begin and (swept or self.binds_all(p) or p.instance == read.instance))
                        or (read.token and p.seq and p.seq <= read.token and p.begin < read.begin)) and not self.excused(p, read)]
        if not binding:
            return
        purge = min(binding, key=lambda p: p.end)
        interrupted = self.killed(read.instance, purge.begin, read.end) or any(
            f.loses and f.end >= purge.begin and f.begin <= read.end for f in self.h.faults)
        invariant = "INV-7" if swept else "INV-5" if interrupted else "INV-1"
        fill = max((f.begin for f in self.h.fetches if f.key == read.key and f.version == read.version
                    and f.begin <= read.end), default=outdated)
        self.report(invariant, f"g{read.instance} served {read.key} v{read.version} {(read.begin - purge.end) / 1e6:.1f} ms "
                    f"after a purge of {'|'.join(sorted(names & set(purge.names)))} was acknowledged ({purge.wait}); it was "
                    f"outdated by v{read.version + 1}", read.key, min(fill, outdated), read.end, (read, purge))

    # ---- INV-2

    def phantom(self, read):
        if not read.version and read.intact:
            return False
        commits = self.h.commits[read.key]
        if not read.intact:
            self.report("INV-2", f"g{read.instance} served something torn, or of another key, as {read.key}", read.key,
                        read.begin, read.end, (read,))
        elif read.version > len(commits) or commits[read.version - 1].time > read.end:
            self.report("INV-2", f"g{read.instance} served {read.key} v{read.version} before it was committed", read.key,
                        read.begin, read.end, (read,))
        else:
            return False
        return True

    # ---- INV-4

    def ages(self):
        """Of what the origin said at one moment: at least as old as it is, and never younger than it was before."""
        said = collections.defaultdict(list)
        for r in self.h.reads:
            if not r.version or not r.origin_time or "; hit" not in r.cache_status:
                continue
            passed = (r.begin - r.origin_time) / SECOND
            if r.age is None or r.age < 0 or r.age < passed - AGE_SLACK:
                self.report("INV-4", f"g{r.instance} says Age: {r.age} of {r.key} v{r.version}, {passed:.3f} s after the "
                            f"origin said it", r.key, r.begin, r.end, (r,))
            else:
                said[r.key, r.origin_time].append(r)
        for (key, _), reads in said.items():
            begins, ends = sorted(reads, key=lambda r: r.begin), sorted(reads, key=lambda r: r.end)
            oldest, place = None, 0
            for r in begins:
                while ends[place].end < r.begin:
                    oldest = max(oldest or ends[place], ends[place], key=lambda e: e.age)
                    place += 1
                if oldest and r.age < oldest.age - 1:
                    self.report("INV-4", f"Age of {key} v{r.version} ran back from {oldest.age} (g{oldest.instance}) to {r.age} "
                                f"(g{r.instance})", key, oldest.begin, r.end, (oldest, r))

    # ---- INV-5, the direct half

    def lost_acknowledgements(self):
        for fault in self.h.faults:
            if fault.what not in ("deaf", "readonly", "away"):
                continue
            for p in self.acknowledged:
                if f"g{p.instance}" == fault.target and fault.begin <= p.begin and p.end <= fault.end and p.wait != "write":
                    self.report("INV-5", f"g{p.instance} acknowledged a purge ({p.wait}) while nothing could record it "
                                f"({fault.what})", None, p.begin, p.end, (p, fault))

    # ---- INV-6

    def crowding(self):
        """Two fetches at once for one key and instance, with nothing between their beginnings that parts them."""
        by_place = collections.defaultdict(list)
        for f in self.h.fetches:
            if f.method == "GET" and f.kind != "range" and f.port < self.h.instances:
                by_place[f.key, f.port].append(f)
        parts = {key: sorted([*((p.begin, p.end) for p in self.h.purges if self.touches(p, key)), *self.bypasses(key)])
                 for key in self.h.commits}
        for (key, port), fetches in by_place.items():
            fetches.sort(key=lambda f: f.begin)
            open_one = None
            for f in fetches:
                if open_one and open_one.end and open_one.end - SECOND // 100 > f.begin and \
                        not self.parted(parts[key], open_one.begin, f.begin, port):
                    self.report("INV-6", f"g{port} fetched {key} twice at a time", key, open_one.begin, f.end, (open_one, f))
                if not open_one or not open_one.end or f.end and f.end >= open_one.end:
                    open_one = f

    def bypasses(self, key):
        """Reads that ask alone: a token ahead of the instance, a flight that took too long; or the instance is blind, or holds
        an invalidation that is not in the log yet, and cannot know what a fetch that is under way has seen of it."""
        return [(r.begin, r.end) for r in self.alone if r.key == key]

    def touches(self, purge, key):
        return not self.covering.get(key, frozenset()).isdisjoint(purge.names)

    def parted(self, purges, first, second, port):
        """Invalidated meanwhile (or nearly: another instance hears of it later), asked for with a token, or in trouble."""
        late = 2 * SECOND
        if any(end + late >= first for _, end in purges[:bisect.bisect(purges, (second + late, 0))][-256:]):
            return True
        return any(f.begin <= second + late and f.end + 5 * SECOND >= first for f in self.h.faults
                   if f.target in ("redis", "origin", f"g{port}"))

    # ---- INV-8

    def service(self):
        outages = [(f.begin, f.end) for f in self.h.faults if f.target == "origin"]
        kills = [(f.target, f.begin, f.end) for f in self.h.faults if f.what in ("kill", "stop")]
        for r in self.h.reads:
            if r.status < 500 and r.status != 0:
                continue
            if any(b <= r.end and r.begin <= e + 2 * SECOND for b, e in outages) or any(
                    t == f"g{r.instance}" and b <= r.end and r.begin <= e for t, b, e in kills if not r.status):
                continue
            what = f"answered {r.status}" if r.status else "did not answer"
            self.report("INV-8", f"g{r.instance} {what} for {r.key} ({r.how}): {r.cache_status}", r.key, r.begin, r.end, (r,))
        for r in self.h.reads:
            if r.how == "sweep" and r.status not in (200, 0) and r.status < 500:
                self.report("INV-7", f"g{r.instance} answered {r.status} for {r.key} after the faults", r.key, r.begin, r.end, (r,))

    # ---- what is shown

    def window(self, key, begin, end, essential):
        """The events of this key in this window that explain most in fewest lines, in their order."""
        lines = [(c.time, f"commit v{c.version} tags {','.join(c.tags)}", c)
                 for c in self.h.commits.get(key, ()) if begin <= c.time <= end]
        for f in self.h.fetches:
            if f.key == key and (f.end or end) >= begin and f.begin <= end:
                took = f"{((f.end or f.begin) - f.begin) / 1e6:.1f} ms"
                lines.append((f.begin, f"g{f.port} fetches v{f.version} ({f.method}, {f.kind}, {took}, {f.status})", f))
        for p in self.h.purges:
            if p in essential or (key and begin <= p.end and p.begin <= end and self.touches(p, key)):
                lines.append((p.begin, f"purge of {'|'.join(p.names)} at g{p.instance} begins ({p.wait}), {p.status}", p))
                lines.append((p.end, f"purge of {'|'.join(p.names)} ends, {p.confirmed}/{p.live}, seq {p.seq}", p))
        for f in self.h.faults:
            if f.begin <= end and f.end >= begin:
                lines.append((f.begin, f"FAULT {f.what} {f.target} for {(f.end - f.begin) / 1e6:.0f} ms", f))
        for r in self.telling(key, begin, end, essential):
            lines.append((r.begin, f"g{r.instance} reads v{r.version} ({r.how}, {(r.end - r.begin) / 1e6:.1f} ms, "
                          f"Age {r.age}, token {r.token}): {r.cache_status}", r))
        lines.sort(key=lambda line: line[0])
        zero = min((e.begin for e in essential), default=begin)
        shown = [f"{'>>>' if event in essential else '   '} {(moment - zero) / 1e6:+12.3f} ms  {text}"
                 for moment, text, event in lines]
        return shown if len(shown) <= 24 else [*shown[:8], f"    … {len(shown) - 23} more …", *shown[-15:]]

    def telling(self, key, begin, end, essential):
        """Of many reads the first and the last of each version from each instance."""
        kept = {}
        for r in sorted((r for r in self.h.reads if r.key == key and begin <= r.begin <= end and r.status), key=lambda r: r.begin):
            first, _ = kept.get((r.instance, r.version), (r, r))
            kept[r.instance, r.version] = (first, r)
        shown = [each for pair in kept.values() for each in pair] + [e for e in essential if hasattr(e, "origin_time")]
        return sorted(set(shown), key=lambda r: r.begin)


def check(history, violations_max=20):
    return Checker(history, violations_max).check()
