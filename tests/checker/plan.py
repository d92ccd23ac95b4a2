"""What a soak is about: keys, tags that change, lifetimes, and the configuration of the gateways."""

HOST = "soak.test"
TAGS = [f"t{n}" for n in range(6)]
KEYS = [f"/k/{'abcd'[n % 4]}/{n}" for n in range(28)] + [f"/s/e/{n}" for n in range(4)]
HOT = KEYS[:6] + KEYS[-2:]

# What the origin says, in turn; each with how long after it said so an answer may still be served, in seconds. Those
# without stale-if-error must be validated, otherwise a dead origin would be covered for a day.
LIFETIMES = [
    ("max-age=3600, must-revalidate", 3600), ("max-age=2, must-revalidate", 2), ("max-age=60, must-revalidate", 60),
    ("max-age=1, stale-while-revalidate=2", None), ("max-age=2, stale-if-error=6, stale-while-revalidate=1", 8),
    ("max-age=600, stale-if-error=60", 660), ("max-age=5, must-revalidate", 5),
]


def lifetime(key):
    if key.startswith("/s/"):  # the route says 200 ms
        return "max-age=3600, must-revalidate", 0.2
    return LIFETIMES[int(key.rsplit("/", 1)[1]) % len(LIFETIMES)]


def cache_control(key):
    return "public, " + lifetime(key)[0]


def allowed():
    """Key → seconds; those that a dead origin makes immortal for a day are left to the other invariants."""
    return {key: seconds for key in KEYS if (seconds := lifetime(key)[1]) is not None}


def tags(key, version, rng):
    return sorted(rng.sample(TAGS, rng.randint(1, 3)))


def configuration(mode):
    """Of a gateway; without a mode, of one that knows of no others."""
    return (COHERENT % mode if mode else "") + ROUTES


COHERENT = """
[coherence]
mode = "%s"
lease = "1s"
blind_max = "30s"

[redis]
budget = "50ms"
"""

ROUTES = """
[[route]]
match = "GET /s/**"
cache = { ttl = "200ms" }

[[route]]
match = "GET /k/**"
cache = { }
"""
