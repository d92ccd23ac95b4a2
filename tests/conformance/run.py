#!/usr/bin/env python3
"""./dev conformance: the public tests for HTTP caches, asked of `etage run` without configuration.

  ./dev conformance            all of them; a test that passed before and does not now is an error
  ./dev conformance --accept   the same, and what came out is what is expected from now on (tests/conformance/results.json)
  ./dev conformance ID         one test, with every message of it

Exit: 0 nothing lost, 1 something lost or not documented, 3 the suite could not be fetched.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from processes import ROOT, Etage, Process  # noqa: E402

WORK = ROOT / "build" / "conformance"
SUITE = WORK / "node_modules" / "http-cache-tests"
COMMITTED = HERE / "results.json"
DOCUMENT = ROOT / "docs" / "conformance.md"
KINDS = ("required", "optimal", "check")
PROMISED = ("required", "optimal")  # a `check` is a question without a right answer
RUN_SECONDS_MAX = 300
TEST_SECONDS_MAX = 60
RETRIES_MAX = 40  # more than that is no bad luck
UNREACHABLE = re.compile(r"\b(ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|E5\d\d)\b")


def install():
    """The suite, as the lock names it, into build/conformance; once."""
    WORK.mkdir(parents=True, exist_ok=True)
    lock, installed = HERE / "package-lock.json", WORK / "installed.json"
    if SUITE.is_dir() and installed.is_file() and installed.read_bytes() == lock.read_bytes():
        return
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, WORK / name)
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier",
                           "--fetch-retries=1", "--fetch-timeout=20000"],
                          cwd=WORK, capture_output=True, text=True, timeout=RUN_SECONDS_MAX)
    if done.returncode != 0:
        print(done.stderr[-2000:], file=sys.stderr)
        raise SystemExit(3 if UNREACHABLE.search(done.stderr) else "conformance: npm could not install the suite")
    shutil.copy(lock, installed)


def suite(*args, seconds):
    done = subprocess.run(["node", HERE / "suite.mjs", *args], cwd=SUITE, capture_output=True, text=True, timeout=seconds)
    if done.returncode != 0:
        raise SystemExit(f"conformance: the suite failed\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


@contextlib.contextmanager
def gateway():
    """etage in front of the suite's origin, both on free ports of loopback."""
    settings = {"npm_config_protocol": "http", "npm_config_port": "0", "npm_config_pidfile": str(WORK / "origin.pid")}
    origin = Process(["node", "--import", HERE / "loopback.mjs", "server/server.mjs"], env=settings, cwd=SUITE)
    api = None
    try:
        url = origin.wait_for(r"Listening on (http://\S+?)/?$")[1]
        api = Etage("run", "--origin", url, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", cwd=WORK)
        yield api
        if api.process.poll() is not None:
            raise SystemExit(f"conformance: etage ended by itself\n{api.output[-4000:]}")
    finally:
        if api:
            api.stop()
            (WORK / "etage.log").write_text(api.output + "\n")
        origin.stop()


def told(result):
    """true, or why not: without what differs from run to run."""
    if result is True:
        return True
    reason = ": ".join(str(part) for part in result)
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "…", reason)[:200]


def show_one(test):
    """The suite's own command line, which prints every message."""
    with gateway() as api:
        environment = os.environ | {"npm_config_base": api.url, "npm_config_id": test["id"]}
        subprocess.run(["node", "--no-warnings", "cli.mjs"], cwd=SUITE, env=environment, timeout=TEST_SECONDS_MAX, check=True)


def run_all(tests, committed):
    """Every test's result. What is lost is asked again, alone: the tests pause for 3 s, and a machine may be slow."""
    with gateway() as api:
        results = suite("run", api.url, seconds=RUN_SECONDS_MAX)
        again = lost(tests, committed, results)
        for test in again if len(again) <= RETRIES_MAX else []:
            print(f"once more, alone: {test['id']}", file=sys.stderr)
            results |= suite("run", api.url, test["id"], seconds=TEST_SECONDS_MAX)
    missing = [test["id"] for test in tests if test["id"] not in results]
    if missing:
        raise SystemExit(f"conformance: no result for {', '.join(missing)}")
    return {test_id: told(result) for test_id, result in results.items()}


def lost(tests, committed, results):
    return [t for t in tests if t["kind"] in PROMISED and committed.get(t["id"]) is True and results.get(t["id"]) is not True]


def summary(tests, results):
    """A row per section, a column per kind; then the sums, also counted as the strictest would."""
    def share(chosen):
        return f"{sum(results[t['id']] is True for t in chosen)}/{len(chosen)}" if chosen else ""

    def row(name, chosen):
        return f"{name:<18}" + "".join(f"{share([t for t in chosen if t['kind'] == kind]):>10}" for kind in KINDS)

    print(f"{'':<18}" + "".join(f"{kind:>10}" for kind in KINDS))
    for section in dict.fromkeys(t["section"] for t in tests):
        print(row(section, [t for t in tests if t["section"] == section]))
    print(row("all", tests))
    strict = {t["id"]: results[t["id"]] is True and all(results.get(n) is True for n in t["needs"]) for t in tests}
    print("a test whose prerequisite failed counted as not passed: " + "  ".join(
        f"{kind} {sum(strict[t['id']] for t in tests if t['kind'] == kind)}/{sum(t['kind'] == kind for t in tests)}"
        for kind in PROMISED))


def report(tests, committed, results, accepted):
    """What changed; true when nothing was lost, or that is accepted."""
    gone = lost(tests, committed, results)
    won = [t for t in tests if t["kind"] in PROMISED and results[t["id"]] is True and committed.get(t["id"]) is not True]
    other = [t for t in tests if t["kind"] == "check" and (results[t["id"]] is True) != (committed.get(t["id"]) is True)]
    for title, chosen in (("LOST", gone), ("newly passed", won), ("answered otherwise (no promise)", other)):
        for t in chosen:
            print(f"{title}: {t['id']} ({t['kind']}, {t['section']}): {t['name']}"
                  + ("" if results[t["id"]] is True else f"\n    {results[t['id']]}"))
    if accepted:
        write(COMMITTED, results)
    elif won or other:
        print("`./dev conformance --accept` makes this what is expected")
    return accepted or not gone


def documented():
    """id → the heading of its table."""
    part = DOCUMENT.read_text().split("\n## Not passed, on purpose\n")[1].split("\n## ")[0]
    found = {}
    for section in part.split("\n### ")[1:]:
        for test_id in re.findall(r"^\| `([^`]+)` \|", section, re.M):
            found[test_id] = section.splitlines()[0]
    return found


def compare_with_document(tests, expected):
    """Every test that is not passed has a row that says why, no other has one, and the numbers are these."""
    rows = documented()
    failed = {t["id"] for t in tests if t["kind"] in PROMISED and expected.get(t["id"]) is not True}
    for test_id in sorted(failed - set(rows)):
        print(f"docs/conformance.md has no row for {test_id}: {expected.get(test_id)}")
    for test_id in sorted(set(rows) - failed):
        print(f"docs/conformance.md has a row for {test_id}, which is " +
              ("passed" if expected.get(test_id) is True else "no required or optimal test"))
    counts = [sum(t["kind"] == kind and expected.get(t["id"]) is True for t in tests) for kind in PROMISED]
    row = "| **Etage** | {} | {} |".format(*counts)
    counted = row in DOCUMENT.read_text()
    if not counted:
        print(f"docs/conformance.md should say {row}")
    reasons = [rows[test_id] for test_id in failed & set(rows)]
    for reason in sorted(set(reasons)):
        print(f"not passed on purpose: {reasons.count(reason):>3}  {reason}")
    return counted and failed == set(rows)


def write(path, results):
    path.write_text(json.dumps(results, indent=0, sort_keys=True, ensure_ascii=False) + "\n")


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--accept", action="store_true")
    parser.add_argument("id", nargs="?")
    wanted = parser.parse_args()
    install()
    tests = suite("list", seconds=TEST_SECONDS_MAX)
    if wanted.id:
        test = next((t for t in tests if t["id"] == wanted.id), None)
        return show_one(test) if test else f"conformance: no test {wanted.id!r}"
    committed = json.loads(COMMITTED.read_text()) if COMMITTED.is_file() else {}
    results = run_all(tests, committed)
    write(WORK / "results.json", results)
    summary(tests, results)
    kept = report(tests, committed, results, wanted.accept)
    told_why = compare_with_document(tests, results if wanted.accept else committed)
    return 0 if kept and told_why else 1


if __name__ == "__main__":
    sys.exit(main())
