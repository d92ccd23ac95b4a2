"""curl before the gateway, files of nginx and streams of Node behind it."""

import gzip
import hashlib
import json
import os
import random
import re
import subprocess
import time

import pytest

TEXT = b"".join(b"line %d of a text that can be packed\n" % i for i in range(400))
BLOB = random.Random(1).randbytes(200_000)
FILES = {"kept/text.txt": TEXT, "kept/blob.bin": BLOB, "checked/text.txt": TEXT}
SITE = """
    location /kept/ { add_header Cache-Control "max-age=60"; }
    location /checked/ { add_header Cache-Control "no-cache"; }
"""


@pytest.fixture
def site(nginx, gateway):
    return gateway("--origin", nginx(FILES, SITE))


def curl(*args, content=None, cwd=None, status=0):
    """stdout and stderr of curl, without the settings of whoever runs this."""
    done = subprocess.run(["curl", "-q", "--silent", "--show-error", "--noproxy", "*", "--max-time", "30", *map(str, args)],
                          input=content, stdin=None if content is not None else subprocess.DEVNULL,
                          capture_output=True, cwd=cwd, timeout=40)
    assert done.returncode == status, (args, done.returncode, done.stderr)
    return done.stdout, done.stderr.decode()


def fetch(*args):
    """(status, fields, content as it came) of `curl -i`."""
    said, _ = curl("-i", *args)
    head, _, content = said.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    return int(lines[0].split()[1]), {n.lower(): v for n, v in (line.split(": ", 1) for line in lines[1:])}, content


def test_compressed(site):
    url = site.url + "/kept/text.txt"
    for _ in range(2):
        assert curl("--compressed", url)[0] == TEXT
        assert curl(url)[0] == TEXT
    until = time.monotonic() + 10  # this coding is made behind the first answer that wanted it
    status, fields, packed = fetch("-H", "Accept-Encoding: gzip", url)
    while "content-encoding" not in fields and time.monotonic() < until:
        assert packed == TEXT
        status, fields, packed = fetch("-H", "Accept-Encoding: gzip", url)
    assert status == 200 and fields["content-encoding"] == "gzip" and gzip.decompress(packed) == TEXT
    assert int(fields["content-length"]) == len(packed) < len(TEXT) / 2
    assert fetch("-H", "Accept-Encoding: gzip", "-H", f"If-None-Match: {fields['etag']}", url)[0] == 304
    assert fetch("-H", f"If-None-Match: {fields['etag']}", url)[0] == 304


@pytest.mark.parametrize("folder", ["kept", "checked"])
def test_only_when_newer(site, tmp_path, folder):
    """-z: nothing is written when nothing is new, whoever answers, the shelf or the origin."""
    url, mine = f"{site.url}/{folder}/text.txt", tmp_path / "mine.txt"
    curl("-R", "-o", mine, url)
    assert mine.read_bytes() == TEXT
    said, _ = curl("-z", mine, "-o", tmp_path / "again.txt", "-w", "%{http_code}", url)
    assert said == b"304" and not (tmp_path / "again.txt").exists()
    assert curl("-z", "1 Jan 2001", "-w", " %{http_code}", url)[0] == TEXT + b" 200"
    os.utime(mine, (1, 1))
    curl("-z", mine, "-o", mine, url)
    assert mine.read_bytes() == TEXT


@pytest.mark.parametrize("known", [True, False])
def test_a_download_is_resumed(site, tmp_path, known):
    url, mine = site.url + "/kept/blob.bin", tmp_path / "blob.bin"
    if known:
        assert curl(url)[0] == BLOB
    mine.write_bytes(BLOB[:70_001])
    said, _ = curl("-C", "-", "-o", mine, "-w", "%{http_code} %{size_download}", url)
    assert mine.read_bytes() == BLOB
    assert said == b"206 %d" % (len(BLOB) - 70_001)
    curl("-C", "-", "-o", mine, url)  # complete already: 416, whose Content-Range tells curl that this is all
    assert mine.read_bytes() == BLOB


@pytest.mark.parametrize("known", [True, False])
def test_a_range(site, known):
    for wanted, first, end in (("0-9", 0, 10), ("199990-", 199_990, 200_000), ("-10", 199_990, 200_000), ("100-100", 100, 101),
                               ("199999-300000", 199_999, 200_000)):
        url = f"{site.url}/kept/blob.bin?{wanted}"  # each has its own entry
        if known:
            curl(url)
        status, fields, content = fetch("-r", wanted, url)
        assert status == 206 and content == BLOB[first:end]
        assert fields["content-range"] == f"bytes {first}-{end - 1}/{len(BLOB)}"
        assert curl(url)[0] == BLOB, "a part is never taken for the whole"


def test_head(site):
    url = site.url + "/kept/text.txt"
    for _ in range(2):
        said, _ = curl("-I", url)
        assert said.startswith(b"HTTP/1.1 200 ") and said.endswith(b"\r\n\r\n")
        assert b"\r\ncontent-length: %d\r\n" % len(TEXT) in said.lower()
        assert curl(url)[0] == TEXT


@pytest.mark.parametrize("path", ["/kept/text.txt", "/checked/text.txt"])
def test_http_1_0(site, path):
    status, fields, content = fetch("--http1.0", site.url + path)
    assert status == 200 and content == TEXT
    assert "transfer-encoding" not in fields


def test_one_connection_for_many(site):
    urls = [site.url + path for path in ("/kept/text.txt", "/checked/text.txt", "/kept/blob.bin", "/kept/nothing")]
    arguments = [part for url in urls * 5 for part in (url, "-o", os.devnull)]
    said, _ = curl("-w", "%{num_connects}", *arguments)
    assert said == b"1" + b"0" * 19


STREAM = """
(request, response) => {
    response.setHeader('Cache-Control', 'no-store')
    response.write('one,')
    setTimeout(() => response.write('two,'), 50)
    setTimeout(() => response.end('three'), 100)
}
"""


def test_a_stream_of_unknown_length(node, gateway):
    url = gateway("--origin", node(STREAM)).url + "/"
    assert curl(url)[0] == b"one,two,three"
    raw, _ = curl("--raw", url)
    pieces = re.findall(rb"([0-9a-f]+)\r\n(.*?)\r\n", raw)
    assert b"".join(piece for _, piece in pieces) == b"one,two,three" and raw.endswith(b"0\r\n\r\n")
    assert all(int(size, 16) == len(piece) for size, piece in pieces)
    status, fields, content = fetch("--http1.0", url)
    assert (status, content) == (200, b"one,two,three") and "transfer-encoding" not in fields


UPLOAD = """
(request, response) => {
    const hash = createHash('sha256')
    let size = 0
    request.on('data', piece => { hash.update(piece); size += piece.length })
    request.on('end', () => response.end(JSON.stringify(
        [request.method, size, hash.digest('hex'), request.headers['content-length'] || null])))
}
"""


@pytest.mark.parametrize("way", ["length", "chunked", "chunked, expected at once"])
def test_an_upload_that_asks_first(node, gateway, tmp_path, way):
    """Expect: 100-continue (RFC 9110 §10.1.1): curl waits for the 100; it may take a second, not longer than it would wait."""
    url = gateway("--origin", node(UPLOAD)).url + "/"
    (tmp_path / "blob.bin").write_bytes(BLOB)
    source = {"length": ["-T", tmp_path / "blob.bin"], "chunked": ["-T", "-"],
              "chunked, expected at once": ["-X", "POST", "-H", "Transfer-Encoding: chunked", "--data-binary", "@-"]}[way]
    began = time.monotonic()
    said, trace = curl("-v", "-H", "Expect: 100-continue", "--expect100-timeout", "15", *source, url,
                       content=None if way == "length" else BLOB)
    method, size, digest, length = json.loads(said)
    assert method == ("POST" if "once" in way else "PUT")
    assert size == len(BLOB) and digest == hashlib.sha256(BLOB).hexdigest()
    assert length == (str(len(BLOB)) if way == "length" else None)
    assert "< HTTP/1.1 100 Continue" in trace and time.monotonic() - began < 10


def test_an_upload_that_is_refused_is_not_sent(node, gateway, tmp_path):
    """A final status instead of the 100: the client keeps its content, the connection is not confused by it."""
    api = gateway("--origin", node(UPLOAD), env={"ETAGE_SERVER_BODY_BYTES_MAX": "1KiB"})
    (tmp_path / "blob.bin").write_bytes(BLOB)
    said, _ = curl("-H", "Expect: 100-continue", "--expect100-timeout", "15", "-T", tmp_path / "blob.bin",
                   "-w", "%{http_code} %{size_upload}", "-o", os.devnull, api.url + "/")
    assert said == b"413 0"
    assert json.loads(curl("-T", "-", api.url + "/", content=b"little")[0])[1] == 6
