"""What the clients, the origin and the nemesis write down while a soak runs: one JSON array a line, a file each.

All moments are CLOCK_MONOTONIC in nanoseconds of this machine, so they compare across processes.
"""

import collections
import dataclasses
import json
import pathlib

# `how`: get, gzip, head, range, conditional, sweep (after the faults have ended). `age`: seconds, None without the field.
# `origin_time`: when the origin vouched for it. `intact`: the content is one body of this key. `token`: Etage-Min-Seq or 0.
Read = collections.namedtuple(
    "Read", "key begin end instance status version age origin_time token how cache_status intact")
# `names`: what it covers, see names_of(). `wait`: local, all, write (an unsafe request did it), foreign (XADD).
# `instance`: where it was asked for, -1 when foreign. `begin` of a write is the moment of its commit.
Purge = collections.namedtuple("Purge", "begin end instance names ok wait confirmed live seq status")
# `what`: see nemesis.py; `target`: g0 … g2, redis, origin; `loses`: Redis may have forgotten what it had acknowledged.
Fault = collections.namedtuple("Fault", "begin end what target loses")
Fetch = collections.namedtuple("Fetch", "key method kind begin end port status version")
Commit = collections.namedtuple("Commit", "key version time tags")

KINDS = {"read": Read, "purge": Purge, "fault": Fault, "fetch": Fetch, "commit": Commit}
NAMES = {kind.__name__: name for name, kind in KINDS.items()}


class Pen:
    """Writes events to a file of its own."""

    def __init__(self, path):
        self.file = open(path, "w", buffering=1 << 16)

    def write(self, event):
        self.file.write(json.dumps([NAMES[type(event).__name__], *event]) + "\n")

    def close(self):
        self.file.close()


@dataclasses.dataclass
class History:
    seed: int = 0
    mode: str = "strict"
    instances: int = 3
    allowed: dict = dataclasses.field(default_factory=dict)  # key → seconds it may be served after the origin said it
    stopped: int = 0                                         # when writers and faults had ended
    commits: dict = dataclasses.field(default_factory=lambda: collections.defaultdict(list))
    reads: list = dataclasses.field(default_factory=list)
    purges: list = dataclasses.field(default_factory=list)
    faults: list = dataclasses.field(default_factory=list)
    fetches: list = dataclasses.field(default_factory=list)

    def add(self, event):
        if isinstance(event, Commit) or type(event).__name__ == "Commit":
            self.commits[event.key].append(event)
        else:
            getattr(self, {"Read": "reads", "Purge": "purges", "Fault": "faults", "Fetch": "fetches"}[type(event).__name__]) \
                .append(event)

    def names_of(self, key, version):
        """What a purge must name, one of them, to cover this version of this key."""
        commits = self.commits[key]
        tags = commits[version - 1].tags if version <= len(commits) else []
        return ["all", "url:" + key, "prefix:" + key.rsplit("/", 1)[0], *("tag:" + t for t in tags)]


def load(folder):
    """All of a folder: `meta.json` and every `*.events`; a last line that was cut by a kill is left out."""
    folder = pathlib.Path(folder)
    history = History(**json.loads((folder / "meta.json").read_text()))
    for path in sorted(folder.glob("*.events")):
        for line in path.read_text().splitlines():
            try:
                kind, *values = json.loads(line)
            except ValueError:
                continue
            history.add(KINDS[kind](*values))
    for commits in history.commits.values():
        commits.sort(key=lambda c: c.version)
    return history


def save(history, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "meta.json").write_text(json.dumps({
        "seed": history.seed, "mode": history.mode, "instances": history.instances, "allowed": history.allowed,
        "stopped": history.stopped}))
    pen = Pen(folder / "all.events")
    for event in [*(c for commits in history.commits.values() for c in commits), *history.purges, *history.faults,
                  *history.fetches, *history.reads]:
        pen.write(event)
    pen.close()
