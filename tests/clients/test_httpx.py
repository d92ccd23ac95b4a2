"""httpx before the gateway: one client for many threads, streams in both directions, clients that change their mind."""

import asyncio
import hashlib
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

BIG = random.Random(3).randbytes(1 << 20) * 12

APPLICATION = """
    import asyncio
    import hashlib
    from fastapi import FastAPI, Request, Response
    from fastapi.responses import FileResponse, StreamingResponse

    app = FastAPI()

    @app.get("/items/{number}")
    async def item(number: int, response: Response):
        response.headers["Cache-Control"] = "max-age=60"
        return {"number": number, "text": "x" * (number * 37 % 3000)}

    @app.get("/chunks")
    async def chunks():
        async def pieces():
            for i in range(50):
                yield f"piece {i}\\n"
        return StreamingResponse(pieces(), media_type="text/plain", headers={"Cache-Control": "max-age=60"})

    gates = {}

    @app.get("/slow/{name}")
    async def slow(name: str):
        gates[name] = asyncio.Event()

        async def pieces():
            yield "first"
            await asyncio.wait_for(gates[name].wait(), 20)
            yield "second"
        return StreamingResponse(pieces(), media_type="text/plain", headers={"Cache-Control": "no-store"})

    @app.post("/open/{name}")
    async def open_gate(name: str):
        gates[name].set()
        return Response(status_code=204)

    @app.put("/upload")
    async def upload(request: Request):
        digest, size = hashlib.sha256(), 0
        async for piece in request.stream():
            digest.update(piece)
            size += len(piece)
        return {"size": size, "sha256": digest.hexdigest()}
"""


@pytest.fixture
def api(fastapi, gateway):
    return gateway("--origin", fastapi(APPLICATION))


def test_a_pool_for_many_threads(api):
    def ask(i):
        answer = api.client.get(f"/items/{i % 40}")
        return answer.status_code, answer.json() == {"number": i % 40, "text": "x" * (i % 40 * 37 % 3000)}
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(ask, range(600))) == {(200, True)}
    assert api.metric("etage_origin_fetches_total") == 40
    assert api.metric("etage_connections_accepted_total") < 60, "connections are kept"


def test_many_at_once_in_one_thread(api):
    async def run():
        async with httpx.AsyncClient(base_url=api.url, timeout=30) as client:
            return await asyncio.gather(*(client.get(f"/items/{i % 10}") for i in range(200)))
    answers = asyncio.run(run())
    assert all(a.status_code == 200 and a.json()["number"] == i % 10 for i, a in enumerate(answers))


def test_chunks_become_an_answer_that_is_stored(api):
    expected = "".join(f"piece {i}\n" for i in range(50))
    for _ in range(3):
        answer = api.get("/chunks")
        assert answer.status_code == 200 and answer.text == expected
    assert "hit" in answer.headers["cache-status"] and answer.headers["content-length"]


def test_what_has_come_is_passed_on_before_the_rest_is_there(api):
    with api.client.stream("GET", "/slow/a") as answer:
        pieces = answer.iter_text()
        assert next(pieces) == "first", "the origin has not sent more, and will not before it is asked to"
        assert api.client.post("/open/a").status_code == 204
        assert "".join(pieces) == "second"


def test_a_download_that_is_broken_off_harms_no_other(nginx, gateway):
    api = gateway("--origin", nginx({"big.bin": BIG}, 'location / { add_header Cache-Control "max-age=60"; }'))
    begun = threading.Barrier(4, timeout=20)

    def impatient(_):
        with httpx.Client(base_url=api.url, timeout=20) as client, client.stream("GET", "/big.bin") as answer:
            next(answer.iter_bytes(1000))
            begun.wait()
        return True

    def patient():
        with httpx.Client(base_url=api.url, timeout=60) as client, client.stream("GET", "/big.bin") as answer:
            digest = hashlib.sha256()
            pieces = answer.iter_bytes(1000)
            digest.update(next(pieces))
            begun.wait()
            for piece in pieces:
                digest.update(piece)
        return digest.hexdigest()
    with ThreadPoolExecutor(4) as pool:
        whole = pool.submit(patient)
        assert all(pool.map(impatient, range(3)))
        assert whole.result(60) == hashlib.sha256(BIG).hexdigest()
    assert api.get("/big.bin", Accept_Encoding="identity").content == BIG


@pytest.mark.parametrize("pieces", [[BIG], [BIG[:100_000]] * 30, [b"x"] * 500, []])
def test_an_upload_as_it_comes(api, pieces):
    for content in (b"".join(pieces), iter(pieces)):
        answer = api.client.put("/upload", content=content)
        assert answer.json() == {"size": sum(map(len, pieces)), "sha256": hashlib.sha256(b"".join(pieces)).hexdigest()}


def test_the_client_keeps_its_validators(api):
    with httpx.Client(base_url=api.url) as client:
        first = client.get("/items/7")
        again = client.get("/items/7", headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert client.get("/items/8").json()["number"] == 8, "the connection goes on after a 304"
