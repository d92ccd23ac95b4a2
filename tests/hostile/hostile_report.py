"""The picture at the end: class, cases, pass, alt, fail. Any test of this folder may add to it; conftest.py prints it."""

import collections

TABLES = collections.defaultdict(lambda: collections.defaultdict(collections.Counter))
NOTES = []


def count(table, kind, outcome):
    """`outcome`: "pass", "alt" or "fail"."""
    TABLES[table][kind][outcome] += 1


def note(text):
    """A line under the tables: what was measured."""
    NOTES.append(text)


def finish(table, found):
    """`found`: {id: (case, outcome, reasons)}. Counts all of them, and fails with what is known of those that failed."""
    for case, outcome, _ in found.values():
        count(table, case.kind, outcome)
    failed = [f"{case.id} ({case.kind}; {case.why})\n    " + "\n    ".join(dict.fromkeys(reasons))
              for case, outcome, reasons in found.values() if outcome == "fail"]
    assert not failed, f"{len(failed)} of {len(found)}:\n" + "\n".join(failed)


def lines():
    for table, kinds in TABLES.items():
        yield ""
        yield f"{table:<44}{'cases':>8}{'pass':>8}{'alt':>6}{'fail':>6}"
        total = collections.Counter()
        for kind, outcomes in sorted(kinds.items()):
            total += outcomes
            yield row(f"  {kind}", outcomes)
        yield row("  all", total)
    yield from ([""] + NOTES if NOTES else [])


def row(name, outcomes):
    return (f"{name:<44}{sum(outcomes.values()):>8}{outcomes['pass']:>8}{outcomes['alt'] or '·':>6}{outcomes['fail'] or '·':>6}")
