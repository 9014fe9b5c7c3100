"""Settings and saved workflows: small files that survive whatever happens while they are written."""

import asyncio
import errno
import json
import os

import pytest
from aiohttp.test_utils import TestClient
from yarl import URL

from nodes.paths import Paths


async def test_settings_are_merged_and_kept(client: TestClient, paths: Paths) -> None:
    assert await (await client.get("/settings")).json() == {}
    assert await (await client.get("/settings/a.b")).json() is None
    assert (await client.post("/settings", json={"a.b": 1, "c": "텍스트"})).status == 200
    assert (await client.post("/api/settings/a.b", json=[2])).status == 200
    assert await (await client.get("/settings")).json() == {"a.b": [2], "c": "텍스트"}
    assert await (await client.get("/settings/a.b")).json() == [2]
    assert json.loads((paths.user / "default" / "comfy.settings.json").read_text("utf-8"))["c"] == "텍스트"


async def test_settings_written_at_once_are_all_kept(client: TestClient) -> None:
    await asyncio.gather(*(client.post(f"/settings/k{number}", json=number) for number in range(50)))
    assert len(await (await client.get("/settings")).json()) == 50


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": NaN}', '{"a": 1'])
async def test_damaged_settings_are_told_and_not_overwritten(client: TestClient, paths: Paths, content: str) -> None:
    file = paths.user / "default" / "comfy.settings.json"
    file.write_text(content)
    for response in (await client.get("/settings"), await client.post("/settings", json={"b": 2})):
        assert response.status == 500
        assert "damaged" in (await response.json())["error"]
        assert str(paths.base) not in await response.text()
    assert file.read_text() == content


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"a": NaN}'])
async def test_settings_must_be_an_object(client: TestClient, body: bytes) -> None:
    assert (await client.post("/settings", data=body)).status == 400


@pytest.mark.parametrize(
    ("id", "body"), [("a%00b", b"1"), ("%ed%a0%80", b"1"), ("deep", b"[" * 64 + b"]" * 64), ("nul", b'"\\u0000"')]
)
async def test_a_setting_that_could_not_be_read_again_is_not_written(client: TestClient, id: str, body: bytes) -> None:
    await client.post("/settings", json={"kept": 1})
    await client.post(URL(f"/settings/{id}", encoded=True), data=body)
    settings = await client.get("/settings")
    assert settings.status == 200
    assert (await settings.json())["kept"] == 1


async def test_a_workflow_is_saved_listed_moved_and_deleted(client: TestClient, paths: Paths) -> None:
    saved = await client.post("/userdata/workflows%2Fa.json", data=b'{"nodes": []}')
    assert await saved.json() == "workflows/a.json"
    assert (paths.workflows / "a.json").read_bytes() == b'{"nodes": []}'
    got = await client.get("/api/userdata/workflows%2Fa.json")
    assert (got.content_type, await got.json()) == ("application/json", {"nodes": []})
    moved = await client.post("/userdata/workflows%2Fa.json/move/workflows%2Fsub%2Fb.json?full_info=true")
    assert (await moved.json())["path"] == "workflows/sub/b.json"
    assert await (await client.get("/userdata?dir=workflows")).json() == []
    assert await (await client.get("/userdata?dir=workflows&recurse=true")).json() == ["sub/b.json"]
    split = await client.get("/userdata?dir=workflows&recurse=true&split=true")
    assert await split.json() == [["sub/b.json", "sub", "b.json"]]
    [info] = await (await client.get("/userdata?dir=workflows&recurse=true&full_info=true")).json()
    assert (info["path"], info["size"]) == ("sub/b.json", 13)
    entries = await (await client.get("/v2/userdata?path=workflows")).json()
    assert entries == [{"name": "sub", "path": "workflows/sub", "type": "directory"}]
    assert (await client.delete("/userdata/workflows%2Fsub%2Fb.json")).status == 204
    assert (await client.get("/userdata/workflows%2Fsub%2Fb.json")).status == 404


async def test_a_file_is_overwritten_only_if_that_is_wanted(client: TestClient, paths: Paths) -> None:
    for name in ("a", "b"):
        await client.post(f"/userdata/{name}.json", data=name.encode())
    assert (await client.post("/userdata/a.json?overwrite=false", data=b"new")).status == 409
    assert (await client.post("/userdata/a.json/move/b.json?overwrite=false")).status == 409
    assert (paths.user / "default" / "a.json").read_bytes() == b"a"
    assert (await client.post("/userdata/a.json/move/b.json")).status == 200
    assert (paths.user / "default" / "b.json").read_bytes() == b"a"


async def test_of_two_tabs_that_save_the_same_workflow_the_second_is_told_and_nothing_is_lost(
    client: TestClient, paths: Paths
) -> None:
    address = "/userdata/workflows%2Fa.json"
    first = (await client.post(address, data=b"first")).headers["ETag"]
    tabs = [await client.get(address) for _ in range(2)]
    assert [tab.headers["ETag"] for tab in tabs] == [first, first]
    one = await client.post(address, data=b"of one tab", headers={"If-Match": first})
    assert (one.status, one.headers["ETag"] != first) == (200, True)
    other = await client.post(address, data=b"of the other", headers={"If-Match": first})
    assert (other.status, other.headers["ETag"]) == (409, one.headers["ETag"])
    assert "changed" in (await other.json())["error"]
    assert (paths.workflows / "a.json").read_bytes() == b"of one tab"
    for method, path in (("DELETE", address), ("POST", f"{address}/move/b.json")):
        assert (await client.request(method, path, headers={"If-Match": first})).status == 409
    assert (await client.get(address)).headers["ETag"] == one.headers["ETag"]
    again = await client.post(address, data=b"of the other", headers={"If-Match": other.headers["ETag"]})
    assert again.status == 200
    assert (await client.delete(address, headers={"If-Match": again.headers["ETag"]})).status == 204
    late = await client.post(address, data=b"late", headers={"If-Match": again.headers["ETag"]})
    assert (late.status, "ETag" in late.headers) == (409, False)
    assert not (paths.workflows / "a.json").exists()


async def test_of_tabs_that_save_at_once_one_wins_and_the_others_hear_of_it(client: TestClient, paths: Paths) -> None:
    seen = (await client.post("/userdata/a.json", data=b"first")).headers["ETag"]
    contents = [f"of tab {number}".encode() for number in range(10)]
    answers = await asyncio.gather(
        *(client.post("/userdata/a.json", data=content, headers={"If-Match": seen}) for content in contents)
    )
    assert sorted(answer.status for answer in answers) == [200] + [409] * 9
    [winner] = [content for content, answer in zip(contents, answers, strict=True) if answer.status == 200]
    assert (paths.user / "default" / "a.json").read_bytes() == winner


@pytest.mark.parametrize("header", ['"5"', "nonsense", 'W/"5"'])
async def test_a_revision_that_never_was_is_none(client: TestClient, header: str) -> None:
    await client.post("/userdata/a.json", data=b"first")
    assert (await client.post("/userdata/a.json", data=b"x", headers={"If-Match": header})).status == 409
    assert await (await client.get("/userdata/a.json")).read() == b"first"


@pytest.mark.parametrize(
    "name",
    [
        "..%2Fx",
        "..%2F..%2Fx",
        "%2Fetc%2Fpasswd",
        "..%5Cx",
        "C:%5Cx",
        "a%00b",
        "workflows",
        "%20..%2F..",
        "%2e%2e%2fx",
        "x" * 300,
    ],
)
async def test_no_name_leads_out_of_the_user_directory(client: TestClient, paths: Paths, name: str) -> None:
    (paths.user / "x").write_text("canary")
    (paths.base / "x").write_text("canary")
    before = sorted(str(path) for path in paths.base.rglob("*"))
    for method, path in (
        ("GET", f"/userdata/{name}"),
        ("POST", f"/userdata/{name}"),
        ("DELETE", f"/userdata/{name}"),
        ("POST", f"/userdata/{name}/move/y.json"),
        ("POST", f"/userdata/y.json/move/{name}"),
        ("GET", f"/userdata?dir={name}"),
        ("GET", f"/v2/userdata?path={name}"),
    ):
        response = await client.request(method, path, data=b"evil" if method == "POST" else None)
        if response.status == 200:
            assert (method, name) == ("GET", "workflows")
        else:
            assert response.status in (400, 404, 405)
        assert "canary" not in await response.text()
    assert sorted(str(path) for path in paths.base.rglob("*")) == before
    assert (paths.user / "x").read_text() == "canary"


async def test_pages_in_user_files_are_only_downloaded(client: TestClient) -> None:
    await client.post("/userdata/x.html", data=b"<script>alert(1)</script>")
    response = await client.get("/userdata/x.html")
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in response.headers["Content-Security-Policy"]


async def test_a_full_disk_leaves_settings_and_workflows_as_they_were(
    client: TestClient, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.post("/settings", json={"a": 1})
    await client.post("/userdata/workflows%2Fa.json", data=b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for response in (
        await client.post("/settings", json={"a": 2}),
        await client.post("/userdata/workflows%2Fa.json", data=b"new"),
    ):
        assert (response.status, await response.json()) == (507, {"error": "The disk is full."})
    monkeypatch.undo()
    assert await (await client.get("/settings")).json() == {"a": 1}
    assert (paths.workflows / "a.json").read_bytes() == b"old"
