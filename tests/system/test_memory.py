"""memory.limit is what the process grows by, whatever the keys, the sizes and the number of threads."""

import asyncio
import os
import sys

import pytest

from processes import RELEASE, Etage

KEYS = int(os.environ.get("MEMORY_KEYS", 60_000))
LIMIT = 32 << 20
CONFIG = """
[server]
listen = "127.0.0.1:0"
threads = 4
[admin]
listen = "127.0.0.1:0"
[memory]
limit = "32MiB"
[origin]
urls = ["%s"]
[[route]]
match = "GET /**"
cache.ttl = "1h"
"""


async def ask_for_each(port, paths, connections=32):
    """Each path once, in the order in which connections come by."""
    waiting = iter(paths)

    async def client():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for path in waiting:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: api.test\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            length = head.lower().split(b"content-length: ")[1].split(b"\r")[0]
            await reader.readexactly(int(length))
        writer.close()

    await asyncio.gather(*(client() for _ in range(connections)))


@pytest.mark.parametrize("largest", [4096, 16384], ids=["about 4 KiB", "0 to 16 KiB"])
def test_the_process_grows_by_the_limit_and_a_tenth_at_most(start, nginx, tmp_path, largest):
    if not RELEASE.exists():
        pytest.skip("needs build/release/etage")
    sizes = [4096] if largest == 4096 else [largest * i // 31 for i in range(32)]
    origin = nginx({str(i): os.urandom(size) for i, size in enumerate(sizes)},
                   "location ~ ^/of/([0-9]+)/ { alias %s/nginx/files/$1; }" % tmp_path)
    config = tmp_path / "etage.toml"
    config.write_text(CONFIG % origin)
    process = start(Etage, "run", "--config", config, binary=RELEASE)
    asyncio.run(ask_for_each(process.port, [f"/of/0/warm-{i}" for i in range(64)]))  # buffers and threads are there
    before = process.resident()
    rounds = KEYS if largest == 4096 else KEYS // 2
    asyncio.run(ask_for_each(process.port, (f"/of/{i * 7 % len(sizes)}/{i}" for i in range(rounds))))
    counted = process.metric("etage_memory_bytes")
    grown = process.resident() - before
    print(f"{largest}: grown by {grown / LIMIT:.3f} of the limit, counted {counted / LIMIT:.3f}", file=sys.stderr)
    assert counted > 0.8 * LIMIT, "it is full"
    assert grown <= 1.1 * LIMIT
