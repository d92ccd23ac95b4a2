"""Chromium before the gateway: its own cache believes what Etage says, and its media player lives on ranges."""

import os
import struct
import time
import zlib

import httpx
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

PAGE = b"""<!doctype html><html><head><meta charset="utf-8"><link rel="icon" href="data:,">
<link rel="stylesheet" href="style.css"><script src="app.js"></script></head>
<body><p id="text">waiting</p><img id="image" src="image.png"></body></html>"""
SCRIPT = b"addEventListener('load', () => { document.getElementById('text').textContent = 'the script ran' })\n" + b"// filler\n" * 200
STYLE = b"#text { color: rgb(1, 2, 3) }\n" + b"/* filler */\n" * 200
BLOB = bytes(range(256)) * 40


def png(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\x00" + b"\x40" * width for _ in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def wav(seconds, rate=22050):
    samples = b"\x00\x00" * (seconds * rate)
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(samples), b"WAVE", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16,
                       b"data", len(samples))
    return head + samples


FILES = {f"{folder}/{name}": content for folder in ("checked", "fresh")
         for name, content in {"index.html": PAGE, "app.js": SCRIPT, "style.css": STYLE, "image.png": png(30, 20),
                               "blob.bin": BLOB, "silence.wav": wav(120)}.items()}
SITE = """
    location /checked/ { add_header Cache-Control "s-maxage=600, max-age=0"; }
    location /fresh/ { add_header Cache-Control "max-age=600"; }
"""


@pytest.fixture
def site(nginx, gateway):
    return gateway("--origin", nginx(FILES, SITE))


@pytest.fixture
def browser(tmp_path):
    """A Chromium that knows nobody but 127.0.0.1, with a profile that ends with the test."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in ("headless=new", "disable-gpu", "disable-dev-shm-usage", "no-first-run", "no-default-browser-check",
                 "disable-background-networking", "disable-component-update", "disable-default-apps", "disable-sync",
                 "disable-extensions", "disable-domain-reliability", "disable-client-side-phishing-detection",
                 "disable-features=OptimizationHints,MediaRouter,Translate", "metrics-recording-only", "mute-audio",
                 "autoplay-policy=no-user-gesture-required", "no-proxy-server", f"user-data-dir={tmp_path / 'profile'}",
                 "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"):
        options.add_argument("--" + flag)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    service = Service("/usr/bin/chromedriver", env={**os.environ, "HOME": str(tmp_path)})
    driver = webdriver.Chrome(service=service, options=options)
    try:
        driver.set_page_load_timeout(30)
        driver.set_script_timeout(30)
        yield driver
    finally:
        driver.quit()


def script(browser, source, *args):
    """Runs `async (…args) => …` in the page; its value, or its error."""
    said = browser.execute_async_script(
        f"const [done, ...args] = [arguments[arguments.length - 1], ...[...arguments].slice(0, -1)];"
        f"({source})(...args).then(value => done([value]), error => done('' + (error.stack || error)))", *args)
    assert isinstance(said, list), said
    return said[0]


LOOK = """async () => {
    const wait = condition => new Promise(resolve => { const look = () => condition() ? resolve() : setTimeout(look, 10); look() })
    await wait(() => document.readyState === 'complete' && document.getElementById('text').textContent !== 'waiting')
    return [document.getElementById('text').textContent, getComputedStyle(document.getElementById('text')).color,
            document.getElementById('image').naturalWidth]
}"""
LOOKS = ["the script ran", "rgb(1, 2, 3)", 30]

SIZES = """async () => Object.fromEntries(performance.getEntriesByType('resource').map(
    e => [e.name.split('/').pop(), e.transferSize]))"""


def test_a_page_is_validated_the_second_time(browser, site):
    """max-age=0 for the browser, s-maxage for the gateway: three conditional requests, three 304, nothing for the origin."""
    url = site.url + "/checked/index.html"
    browser.get(url)
    assert script(browser, LOOK) == LOOKS
    fetched, not_modified = site.metric("etage_origin_fetches_total"), site.metric("etage_not_modified_total")
    assert fetched == 4 and not_modified == 0
    browser.get("about:blank")
    browser.get(url)
    assert script(browser, LOOK) == LOOKS
    assert site.metric("etage_origin_fetches_total") == fetched
    assert site.metric("etage_not_modified_total") == 4, "the page, its script, its style, its image"


def test_a_fresh_page_is_not_asked_for_again(browser, site):
    url = site.url + "/fresh/index.html"
    browser.get(url)
    assert script(browser, LOOK) == LOOKS
    before = site.metric("etage_hits_total"), site.metric("etage_forwarded_total")
    browser.get("about:blank")
    browser.get(url)
    assert script(browser, LOOK) == LOOKS
    assert (site.metric("etage_hits_total"), site.metric("etage_forwarded_total")) == before
    assert script(browser, SIZES) == {"app.js": 0, "style.css": 0, "image.png": 0}, "all from the browser's cache"


def test_a_reload_asks_and_a_change_arrives(browser, site, tmp_path):
    browser.get(site.url + "/checked/index.html")
    assert script(browser, LOOK) == LOOKS
    (tmp_path / "nginx/files/checked/style.css").write_bytes(b"#text { color: rgb(9, 9, 9) }")
    assert httpx.post(site.admin + "/purge", json={"urls": [site.url + "/checked/style.css"]}).status_code == 200
    browser.refresh()
    assert script(browser, LOOK)[1] == "rgb(9, 9, 9)"


FETCH = """async (url, options) => {
    const answer = await fetch(url, options)
    return [answer.status, answer.headers.get('content-range'), [...new Uint8Array(await answer.arrayBuffer())],
            answer.headers.get('age')]
}"""


@pytest.mark.parametrize("folder", ["checked", "fresh"])
@pytest.mark.parametrize("known", [True, False])
def test_a_fetched_range(browser, site, folder, known):
    browser.get(f"{site.url}/{folder}/index.html")
    url = f"/{folder}/blob.bin"
    if known:
        assert script(browser, FETCH, url, {})[2] == list(BLOB)
    for wanted, first, end in (("bytes=0-9", 0, 10), ("bytes=5-20", 5, 21), ("bytes=10000-", 10_000, 10_240), ("bytes=0-9", 0, 10)):
        status, content_range, content, _ = script(browser, FETCH, url, {"headers": {"Range": wanted}})
        assert status == 206 and content == list(BLOB[first:end])
        assert content_range == f"bytes {first}-{end - 1}/{len(BLOB)}"
    assert script(browser, FETCH, url, {})[2] == list(BLOB)


def test_the_browser_counts_the_age(browser, node, gateway):
    """What was 3 s on the shelf is fresh for one second more, not for four (RFC 9111 §4.2.3)."""
    api = gateway("--origin", node("""(request, response) => {
        response.setHeader('Cache-Control', request.url === '/' ? 'no-store' : 'max-age=4')
        response.end('x')
    }"""))
    browser.get(api.url + "/")
    api.get("/aging")
    time.sleep(3)
    status, _, _, age = script(browser, FETCH, "/aging", {})
    assert status == 200 and int(age) >= 3
    before = api.metric("etage_hits_total") + api.metric("etage_forwarded_total")
    time.sleep(1.6)
    assert script(browser, FETCH, "/aging", {})[0] == 200
    assert api.metric("etage_hits_total") + api.metric("etage_forwarded_total") == before + 1


def test_what_the_browser_may_not_keep(browser, node, gateway):
    api = gateway("--origin", node("""(request, response) => {
        server.count = (server.count || 0) + 1
        response.setHeader('Cache-Control', request.url.slice(1) || 'no-store')
        response.end('' + server.count)
    }"""))
    browser.get(api.url + "/")
    read = "async url => { const texts = []; for (let i = 0; i < 3; i++) texts.push(await (await fetch(url)).text()); return texts }"
    assert len(set(script(browser, read, "/no-store"))) == 3
    assert len(set(script(browser, read, "/private,max-age=60"))) == 1, "the browser keeps it,"
    assert "hit" not in api.verdict("/private,max-age=60"), "the gateway does not"


PLAY = """async url => {
    const audio = document.createElement('audio')
    const event = name => new Promise((resolve, reject) => {
        audio.addEventListener(name, resolve, { once: true })
        audio.addEventListener('error', () => reject(new Error(name + ': ' + audio.error.message)), { once: true })
    })
    const ready = event('loadedmetadata')
    audio.preload = 'metadata'
    audio.src = url
    document.body.append(audio)
    await ready
    const duration = audio.duration
    for (const position of [110, 3, 60]) {
        const there = event('seeked')
        audio.currentTime = position
        await there
    }
    return [Math.round(duration), Math.round(audio.currentTime), audio.seekable.length && Math.round(audio.seekable.end(0))]
}"""


@pytest.mark.parametrize("folder", ["checked", "fresh"])
def test_media_can_be_sought(browser, site, folder):
    browser.get(f"{site.url}/{folder}/index.html")
    for _ in range(2):
        assert script(browser, PLAY, f"/{folder}/silence.wav") == [120, 60, 120]
