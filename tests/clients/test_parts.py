"""Parts of something large on a real file server (nginx): stored, put together, completed."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

BLOB = random.Random(3).randbytes(600_000)
SIZE = len(BLOB)


@pytest.fixture
def api(nginx, gateway):
    return gateway("--origin", nginx({"blob.bin": BLOB, "small.bin": BLOB[:5000]}, 'location / { add_header Cache-Control "max-age=60"; }'))


def part(api, wanted, path="/blob.bin"):
    answer = api.get(path, Range=f"bytes={wanted}")
    assert answer.status_code == 206, wanted
    first, _, last = answer.headers["content-range"].removeprefix("bytes ").partition("/")[0].partition("-")
    whole = BLOB[:5000] if "small" in path else BLOB
    assert answer.content == whole[int(first):int(last) + 1]
    return answer.headers["cache-status"]


def test_a_part_answers_smaller_ranges(api):
    assert "fwd=uri-miss; fwd-status=206; stored" in part(api, "100000-299999")
    for wanted in ("100000-299999", "200000-200000", "299999-299999"):
        assert "hit" in part(api, wanted), wanted


def test_parts_grow_together_until_they_are_the_whole(api):
    """As a document viewer reads: piece after piece."""
    for first in range(0, SIZE, 100_000):
        assert "; stored" in part(api, f"{first}-{first + 99_999}")
    assert "hit" in part(api, "50000-550000")
    whole = api.get("/blob.bin")
    assert "hit" in whole.headers["cache-status"] and whole.content == BLOB


def test_a_resumed_download_brings_the_whole(api):
    """As a download that broke off: the beginning is here, the rest is asked for, and what there is serves the next one."""
    part(api, "0-499999")
    whole = api.get("/blob.bin")
    assert "fwd=partial; fwd-status=200; stored" in whole.headers["cache-status"]
    assert whole.status_code == 200 and whole.content == BLOB and "content-range" not in whole.headers
    assert "hit" in api.get("/blob.bin").headers["cache-status"]


def test_many_small_ranges_of_something_small_are_two_requests(api):
    said = [part(api, f"{first}-{first + 9}", "/small.bin") for first in random.Random(4).sample(range(4990), 50)]
    assert sum("fwd=" in status for status in said) == 2


def test_a_hundred_readers_of_one_range(api):
    with ThreadPoolExecutor(20) as readers:
        said = list(readers.map(lambda _: part(api, "0-299999"), range(100)))
    assert sum("fwd=" in status and "collapsed" not in status for status in said) == 1
