"""Which outcome class a play was, and whether every invariant of THREATS.md §1.2 held in it."""


def is_refusal(status):
    return 400 <= status < 500 or status in (501, 505)


def fits(outcome, case, trace):
    """Whether what happened is of this class. A request that never became complete at the origin is none."""
    statuses, forwarded = trace.statuses, len(trace.seen.requests)
    if outcome == "reject400":
        return statuses == [400] and trace.closed and forwarded == 0
    if outcome == "reject4xx":
        return len(statuses) == 1 and is_refusal(statuses[0]) and trace.closed and forwarded == 0
    if outcome == "close":
        return len(statuses) <= 1 and trace.closed and forwarded <= 1
    if outcome == "ok":
        most = case.origin_expect if case.origin_expect is not None else case.origin_max
        least = case.origin_min if case.origin_min is not None else most
        return least <= forwarded <= most and len(statuses) == most and all(s < 400 for s in statuses)
    return outcome == "no-smuggle"


def broken_invariants(case, trace):
    """1–3 of THREATS.md §1.2, and what holds for every answer. 4 and 5 are the runner's, 6 is that of the process."""
    found = list(trace.seen.violations)
    if len(trace.seen.requests) > case.origin_max:
        found.append(f"{len(trace.seen.requests)} requests at the origin, at most {case.origin_max} may be")
    for octets in [r.start[1] for r in trace.seen.requests] + [b.split(b"\r\n")[0] for b in trace.seen.broken]:
        if case.deny and case.deny in octets:
            found.append(f"forwarded what was never to be: {octets!r}")
    if case.must_hit and trace.seen.requests:
        found.append("asked the origin for what was stored")
    if len(trace.seen.broken) > 1:
        found.append(f"{len(trace.seen.broken)} incomplete requests at the origin")
    if trace.rest:
        found.append(f"octets behind the last answer: {trace.rest[:200]!r}")
    if trace.note:
        found.append(trace.note)
    if trace.hung and not trace.closed:
        found.append("neither answered nor closed")
    return found


def grade(case, trace):
    """("pass" | "alt" | "fail", reasons)."""
    reasons = broken_invariants(case, trace)
    if reasons:
        return "fail", reasons
    if fits(case.expect, case, trace):
        return "pass", []
    if any(fits(outcome, case, trace) for outcome in case.alt):
        return "alt", []
    said = f"{trace.statuses}, {'closed' if trace.closed else 'kept open'}, {len(trace.seen.requests)} at the origin"
    return "fail", [f"{said}; expected {case.expect}" + (f" (or {', '.join(case.alt)})" if case.alt else "")]
