"""Node on both sides of the gateway: its http module as an origin, its fetch as a client."""

import json
import subprocess
import time

import pytest

ORIGIN = """
(request, response) => {
    const path = new URL(request.url, 'http://a').pathname
    const text = 'a text that can be packed, '.repeat(200)
    if (path === '/text') {
        response.setHeader('Cache-Control', 'max-age=60')
        response.setHeader('Content-Type', 'text/plain')
        response.end(text)
    } else if (path === '/packed') {  // by the origin itself, for whoever takes it
        response.setHeader('Cache-Control', 'max-age=60')
        response.setHeader('Content-Type', 'text/plain')
        response.setHeader('Vary', 'Accept-Encoding')
        if ((request.headers['accept-encoding'] || '').includes('gzip')) {
            response.setHeader('Content-Encoding', 'gzip')
            response.end(zlib.gzipSync(text))
        } else response.end(text)
    } else if (path === '/pieces') {
        response.setHeader('Cache-Control', 'max-age=60')
        response.setHeader('Trailer', 'X-Sum')
        for (let i = 0; i < 20; i++) response.write(`piece ${i};`)
        response.addTrailers({ 'X-Sum': '20' })
        response.end()
    } else if (path === '/hinted') {
        response.writeProcessing()
        response.writeEarlyHints?.({ link: '</style.css>; rel=preload' })
        response.end('hinted')
    } else if (path === '/echo') {
        const hash = createHash('sha256')
        request.on('data', piece => hash.update(piece))
        request.on('end', () => response.end(hash.digest('hex')))
    } else if (path === '/impatient') {  // keeps connections for 100 ms
        server.keepAliveTimeout = 100
        response.setHeader('Cache-Control', 'no-store')
        response.end('answered')
    } else if (path === '/slow') {
        response.setHeader('Cache-Control', 'no-store')
        response.write('begin')
        setTimeout(() => response.end('end'), 5000).unref()
    } else {
        response.statusCode = 404
        response.end()
    }
}
"""


@pytest.fixture
def api(node, gateway):
    return gateway("--origin", node(ORIGIN))


def run(source, *args):
    """What a script prints as JSON: run("source of async (…args) => value", …)."""
    script = f"({source})(...process.argv.slice(1)).then(value => console.log(JSON.stringify(value)))"
    done = subprocess.run(["node", "--input-type=commonjs", "-e", script, *args], capture_output=True, text=True, timeout=40)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("path", ["/text", "/packed"])
def test_fetch_unpacks_what_it_asked_for(api, path):
    source = """async url => {
        const texts = []
        for (let i = 0; i < 3; i++) texts.push(await (await fetch(url)).text())
        return texts
    }"""
    assert set(run(source, api.url + path)) == {"a text that can be packed, " * 200}


def test_fetch_validates(api):
    source = """async url => {
        const first = await fetch(url)
        const whole = await first.text()
        const again = await fetch(url, { headers: { 'If-None-Match': first.headers.get('etag') } })
        const other = await fetch(url, { headers: { 'If-None-Match': '"other"' } })
        return [first.status, again.status, await again.text(), other.status, (await other.text()) === whole]
    }"""
    assert run(source, api.url + "/text") == [200, 304, "", 200, True]


def test_fetch_takes_parts(api):
    source = """async url => {
        await (await fetch(url)).text()
        const part = await fetch(url, { headers: { Range: 'bytes=2-5', 'Accept-Encoding': 'identity' } })
        return [part.status, part.headers.get('content-range'), await part.text()]
    }"""
    status, content_range, text = run(source, api.url + "/text")
    assert (status, text) == (206, "text") and content_range == "bytes 2-5/5400"


def test_pieces_and_trailers_arrive_whole(api):
    source = "async url => [await (await fetch(url)).text(), await (await fetch(url)).text()]"
    assert run(source, api.url + "/pieces") == ["".join(f"piece {i};" for i in range(20))] * 2


def test_interim_responses_are_not_the_answer(api):
    assert run("async url => [await (await fetch(url)).text(), (await fetch(url)).status]", api.url + "/hinted") == ["hinted", 200]


def test_a_stream_as_a_request(api):
    source = """async url => {
        const { createHash } = require('crypto')
        const hash = createHash('sha256')
        const pieces = Array.from({ length: 64 }, (_, i) => Buffer.alloc(16384, i))
        pieces.forEach(piece => hash.update(piece))
        const body = new ReadableStream({ pull (c) { pieces.length ? c.enqueue(pieces.shift()) : c.close() } })
        const answer = await fetch(url, { method: 'POST', body, duplex: 'half' })
        return [await answer.text(), hash.digest('hex')]
    }"""
    said, expected = run(source, api.url + "/echo")
    assert said == expected


def test_an_abort_ends_one_request(api):
    source = """async (base) => {
        const controller = new AbortController()
        const answer = await fetch(base + '/slow', { signal: controller.signal })
        const reader = answer.body.getReader()
        const first = Buffer.from((await reader.read()).value).toString()
        controller.abort()
        const failed = await reader.read().then(() => 'read', error => error.name)
        return [first, failed, (await fetch(base + '/text')).status]
    }"""
    began = time.monotonic()
    assert run(source, api.url) == ["begin", "AbortError", 200]
    assert time.monotonic() - began < 4


def test_an_origin_that_closes_idle_connections(api):
    """The connection may be closing while the next request is on its way: that is no error of a client's."""
    for pause in (0, 0.05, 0.09, 0.1, 0.11, 0.15, 0.3):
        time.sleep(pause)
        answer = api.get("/impatient")
        assert (answer.status_code, answer.text) == (200, "answered"), pause


def test_many_fetches_at_once(api):
    source = """async base => {
        const all = await Promise.all(Array.from({ length: 300 }, (_, i) =>
            fetch(base + (i % 3 ? '/text?' + i % 7 : '/pieces')).then(answer => answer.text())))
        return [...new Set(all.map(text => text.length))].sort((a, b) => a - b)
    }"""
    assert run(source, api.url) == [sum(len(f"piece {i};") for i in range(20)), 5400]
