"""Who sends slowly, or nothing, is sent away, and keeps nobody else waiting."""

import asyncio
from dataclasses import replace

import pytest

from tests.web.hostile.conftest import Server
from web.server.settings import ServerSettings

pytestmark = pytest.mark.asyncio(loop_scope="module")

STARTS = {
    "nothing": b"",
    "half a line": b"GET /que",
    "half a header": b"GET /queue HTTP/1.1\r\nHost: loc",
    "half an upgrade": b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n",
    "half a body": b'POST /prompt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"prompt',
    "half a chunk": b"POST /queue HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
    "no form": b"POST /upload/image HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\n\r\n",
    "half a form": b"POST /upload/image HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\nContent-Disposition: form-data; name=",
    "half a field": b"POST /upload/image HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    b'--x\r\nContent-Disposition: form-data; name="type"\r\n\r\nin',
    "half a file": b"POST /upload/image HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200\r\n"
    b'Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\nContent-Disposition: form-data; name="image"; '
    b'filename="x.png"\r\n\r\n\x89PNG',
}


@pytest.fixture(scope="module")
def server_settings(server_settings: ServerSettings) -> ServerSettings:
    return replace(server_settings, idle_seconds=0.2, read_seconds=0.2, linger_seconds=0.1)


@pytest.mark.parametrize("start", STARTS)
async def test_half_a_request_is_given_up(server: Server, start: str) -> None:
    connections = [await asyncio.open_connection("127.0.0.1", server.client.port) for _ in range(20)]
    for _, writer in connections:
        writer.write(STARTS[start])
    assert (await server.client.get("/prompt", headers={"Connection": "close"})).status == 200
    answers = await asyncio.wait_for(asyncio.gather(*(reader.read() for reader, _ in connections)), 30)
    assert {answer.partition(b"\r\n")[0] for answer in answers} in ({b""}, {b"HTTP/1.1 408 Request Timeout"})
    for _, writer in connections:
        writer.close()
