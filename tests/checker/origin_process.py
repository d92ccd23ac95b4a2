"""The versioned origin as a process of its own: argv is a JSON object, orders come line by line."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import plan  # noqa: E402
from events import Commit, Fetch, Pen  # noqa: E402
from versioned_origin import VersionedOrigin, log_normal  # noqa: E402


def main():
    said = json.loads(sys.argv[1])
    pen = Pen(said["events"])
    kinds = {"Commit": Commit, "Fetch": Fetch}
    origin = VersionedOrigin(
        ports=said["ports"], seed=said["seed"], tags=plan.tags, cache_control=plan.cache_control, service=log_normal,
        record=lambda event: pen.write(kinds[type(event).__name__](*event)))
    for key in plan.KEYS:
        origin.version(key)
    print("ready", flush=True)
    for line in sys.stdin:
        order, _, value = line.strip().partition(" ")
        if order == "outage":
            origin.outage = value == "on"
        elif order == "lag":
            origin.lag = float(value)
        elif order == "stop":
            break
    origin.stop()
    pen.close()


if __name__ == "__main__":
    main()
