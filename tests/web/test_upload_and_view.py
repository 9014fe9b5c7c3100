"""Pictures come in only as pictures, and go out so that nothing in them can run."""

import os
import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient
from PIL import Image, PngImagePlugin

from nodes.paths import Paths
from tests.web.conftest import png

NAME = {"filename": "x.png"}


async def upload(client: TestClient, content: bytes, name: str = "x.png", route: str = "image", **fields: str) -> Any:
    form = FormData()
    form.add_field("image", content, filename=name, content_type="image/png")
    for field, value in fields.items():
        form.add_field(field, value)
    return await client.post(f"/upload/{route}", data=form)


def bomb(width: int, height: int) -> bytes:
    """A valid PNG of one color whose file is far smaller than the picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (height * (1 + (width + 7) // 8)), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def test_an_upload_is_stored_and_can_be_viewed(client: TestClient, paths: Paths) -> None:
    content = png()
    response = await upload(client, content)
    assert await response.json() == {"name": "x.png", "subfolder": "", "type": "input"}
    assert (paths.input / "x.png").read_bytes() == content
    shown = await client.get("/view", params={"filename": "x.png", "type": "input"})
    assert (shown.status, shown.content_type, await shown.read()) == (200, "image/png", content)
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in shown.headers["Content-Security-Policy"]


async def test_same_content_keeps_its_name_and_other_content_gets_a_number(client: TestClient, paths: Paths) -> None:
    names = [
        (await (await upload(client, png(color=color), **fields)).json())["name"]
        for color, fields in (("red", {}), ("red", {}), ("blue", {}), ("blue", {}), ("green", {"overwrite": "true"}))
    ]
    assert names == ["x.png", "x.png", "x (1).png", "x (1).png", "x.png"]
    assert (paths.input / "x.png").read_bytes() == png(color="green")
    assert sorted(os.listdir(paths.input)) == ["x (1).png", "x.png"]


async def test_an_upload_may_go_to_a_subfolder_of_another_kind(client: TestClient, paths: Paths) -> None:
    response = await upload(client, png(), type="temp", subfolder="a/b")
    assert await response.json() == {"name": "x.png", "subfolder": "a/b", "type": "temp"}
    assert (paths.temp / "a" / "b" / "x.png").is_file()


@pytest.mark.parametrize(
    ("content", "name", "fields", "status"),
    [
        (b"<html><script>alert(1)</script>", "x.html", {}, 400),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "x.svg", {}, 400),
        (b"import os", "x.py", {}, 400),
        (b"", "x.png", {}, 400),
        (png()[:40], "x.png", {}, 400),
        (png((64, 64))[:-30], "x.png", {}, 400),
        (png(), "", {}, 400),
        (png(), "...", {}, 400),
        (png(), "x.png", {"type": "bogus"}, 400),
        (png(), "x.png", {"subfolder": "../other"}, 400),
        (png(), "x.png", {"subfolder": "/etc"}, 400),
        (png(), "x.png", {"subfolder": "a\0b"}, 400),
        (png(), "x.png", {"subfolder": "x" * 5000}, 413),
        (bomb(17000, 10), "x.png", {}, 413),
        (bomb(9600, 9600), "x.png", {}, 413),
        (bomb(30000, 30000), "x.png", {}, 413),
    ],
)
async def test_what_is_no_good_picture_or_place_is_refused_and_leaves_nothing(
    client: TestClient, paths: Paths, content: bytes, name: str, fields: dict[str, str], status: int
) -> None:
    response = await upload(client, content, name, **fields)
    assert response.status == status
    assert (await response.json())["error"]
    assert os.listdir(paths.input) == []
    assert not (paths.base / "other").exists()


async def test_a_picture_under_a_foreign_suffix_gets_its_own(client: TestClient) -> None:
    assert (await (await upload(client, png(), "evil.html")).json())["name"] == "evil.html.png"


@pytest.mark.parametrize(
    ("data", "type"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\nabc',
            "multipart/form-data; boundary=x",
        ),
        (b"{}", "application/json"),
        (b"--x--", "multipart/form-data"),
        (
            b'--x\r\nContent-Disposition: form-data; name="type"\r\n\r\n\xff\xfe\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\ntext\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
    ],
)
async def test_a_damaged_form_is_a_bad_request(client: TestClient, paths: Paths, data: bytes, type: str) -> None:
    for path in ("/upload/image", "/upload/mask"):
        response = await client.post(path, data=data, headers={"Content-Type": type})
        assert response.status in (400, 415)
        assert (await response.json())["error"]
    assert os.listdir(paths.input) == []


async def test_a_file_over_the_limit_is_refused(client: TestClient, paths: Paths) -> None:
    response = await upload(client, png() + b"\0" * 100 * 1024 * 1024)
    assert response.status == 413
    assert "--max-upload-size" in (await response.json())["error"]
    assert os.listdir(paths.input) == []


async def test_a_mask_becomes_the_opacity_of_a_copy(client: TestClient, paths: Paths) -> None:
    original = Image.new("RGB", (4, 4), "red")
    texts = PngImagePlugin.PngInfo()
    texts.add_text("workflow", "{}")
    original.save(paths.output / "o.png", pnginfo=texts)
    mask = png((2, 2), "#00000080", "RGBA")
    response = await upload(client, mask, "m.png", "mask", original_ref='{"filename": "o.png"}', subfolder="clipspace")
    assert await response.json() == {"name": "m.png", "subfolder": "clipspace", "type": "input"}
    with Image.open(paths.input / "clipspace" / "m.png") as saved:
        assert saved.getpixel((3, 3)) == (255, 0, 0, 128)
        assert saved.info["workflow"] == "{}"


@pytest.mark.parametrize(
    ("reference", "status"),
    [
        ("", 400),
        ("{", 400),
        ("[]", 400),
        ("{}", 400),
        ('{"filename": 5}', 400),
        ('{"filename": "../x.png"}', 400),
        ('{"filename": "x.png", "type": "bogus"}', 400),
        ('{"filename": "missing.png"}', 404),
    ],
)
async def test_a_mask_without_its_picture_is_refused(client: TestClient, reference: str, status: int) -> None:
    assert (await upload(client, png(), route="mask", original_ref=reference)).status == status


@pytest.mark.parametrize(
    "query",
    [
        {"filename": "../canary.png"},
        {"filename": "..\\canary.png"},
        {"filename": "/canary.png"},
        {"filename": "x.png", "subfolder": "../.."},
        {"filename": "canary.png", "subfolder": ".."},
        {"filename": "canary.png", "subfolder": "/"},
        {"filename": "%2e%2e/canary.png"},
        {"filename": "a\0.png"},
        {"filename": "../canary.png [input]"},
        {"filename": "canary.png", "type": "../"},
        {"filename": "x.png", "type": "custom_nodes"},
        {"filename": "link.png"},
        {"filename": "link/canary.png"},
        {"filename": "missing.png"},
        {"filename": ""},
        {"filename": "."},
        {},
        {"filename": "x.png", "channel": "z"},
    ],
)
async def test_nothing_outside_the_folders_is_shown(client: TestClient, paths: Paths, query: dict[str, str]) -> None:
    (paths.base / "canary.png").write_bytes(png())
    (paths.output / "x.png").write_bytes(png())
    (paths.output / "link.png").symlink_to(paths.base / "canary.png")
    (paths.output / "link").symlink_to(paths.base)
    response = await client.get("/view", params=query)
    assert response.status in (400, 404)
    assert str(paths.base) not in await response.text()
    assert (await response.json())["error"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.html", b"<script>alert(1)</script>"),
        ("x.svg", b"<svg/>"),
        ("x.js", b"alert(1)"),
        ("x.png", b"<script>alert(1)</script>"),
        ("\"x'.xml", b"<a/>"),
    ],
)
async def test_what_is_no_picture_is_only_downloaded(
    client: TestClient, paths: Paths, name: str, content: bytes
) -> None:
    (paths.output / name).write_bytes(content)
    response = await client.get("/view", params={"filename": name})
    assert response.content_type == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment;")


async def test_a_preview_is_another_picture(client: TestClient, paths: Paths) -> None:
    Image.new("RGBA", (4, 4), (255, 0, 0, 128)).save(paths.output / "x.png")

    async def shown(**query: str) -> Image.Image:
        return Image.open(BytesIO(await (await client.get("/view", params={"filename": "x.png", **query})).read()))

    assert (await shown(preview="webp;90")).format == "WEBP"
    assert (await shown(preview="jpeg;75")).mode == "RGB"
    assert (await shown(preview="bmp;9999999999999999999")).format == "WEBP"
    assert (await shown(channel="rgb")).getpixel((0, 0)) == (255, 0, 0)
    assert (await shown(channel="a")).getpixel((0, 0)) == (0, 0, 0, 128)
    assert (await shown(channel="rgba")).getpixel((0, 0)) == (255, 0, 0, 128)


async def test_a_picture_too_large_to_decode_is_not_previewed(client: TestClient, paths: Paths) -> None:
    (paths.output / "x.png").write_bytes(bomb(9600, 9600))
    assert (await client.get("/view", params={"filename": "x.png", "preview": "webp;90"})).status == 413


async def test_a_name_of_any_script_is_told_in_the_header(client: TestClient, paths: Paths) -> None:
    (paths.output / "사진.png").write_bytes(png())
    response = await client.get("/view", params={"filename": "사진.png"})
    assert "filename*=UTF-8''%EC%82%AC%EC%A7%84.png" in response.headers["Content-Disposition"]
