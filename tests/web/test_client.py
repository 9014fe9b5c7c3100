"""The built editor is served, and its absence explained."""

from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient

from web.server.settings import ServerSettings


async def test_the_page_is_always_asked_for_and_its_assets_only_once(client: TestClient) -> None:
    page = await client.get("/")
    assert (page.status, page.content_type, page.headers["Cache-Control"]) == (200, "text/html", "no-cache")
    script = await client.get("/assets/index-abc.js")
    assert (script.content_type, script.status) == ("text/javascript", 200)
    assert "immutable" in script.headers["Cache-Control"]
    icon = await client.get("/favicon.svg")
    assert (icon.content_type, icon.headers["Cache-Control"]) == ("image/svg+xml", "no-cache")


@pytest.mark.parametrize("path", ["/assets/../index.html", "/assets/..%2f..%2fmain.py", "/assets/none.js", "/none.svg"])
async def test_only_files_of_the_editor_are_served(client: TestClient, settings: ServerSettings, path: str) -> None:
    (settings.client_directory.parent / "main.py").write_text("canary")
    response = await client.get(path, allow_redirects=False)
    assert response.status in (400, 404)


async def test_links_in_the_editor_are_not_followed(client: TestClient, settings: ServerSettings) -> None:
    secret: Path = settings.client_directory.parent / "secret.js"
    secret.write_text("canary")
    (settings.client_directory / "assets" / "link.js").symlink_to(secret)
    assert (await client.get("/assets/link.js")).status == 400


async def test_a_missing_page_is_explained(client: TestClient, settings: ServerSettings) -> None:
    (settings.client_directory / "index.html").unlink()
    response = await client.get("/")
    assert response.status == 503
    assert "npm run build" in await response.text()
