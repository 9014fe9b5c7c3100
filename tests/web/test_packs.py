"""What clients are told of packs of custom nodes, and which of their files they get."""

from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient

from nodes.spec import NodeSpec
from tests.web.fake_engine import FakeEngine


@pytest.fixture
def scripts(engine: FakeEngine, tmp_path: Path) -> Path:
    folder = tmp_path / "pack" / "js"
    folder.mkdir(parents=True)
    (folder / "main.js").write_text("export {}")
    (folder / "page.html").write_text("<script>1</script>")
    (tmp_path / "pack" / "secret.py").write_text("canary")
    engine.web_directories["my pack"] = folder
    return folder


async def test_scripts_of_packs_are_listed_and_served(client: TestClient, scripts: Path) -> None:
    assert await (await client.get("/api/extensions")).json() == ["/extensions/my%20pack/main.js"]
    script = await client.get("/extensions/my%20pack/main.js")
    assert (script.status, script.content_type, await script.text()) == (200, "text/javascript", "export {}")
    page = await client.get("/extensions/my%20pack/page.html")
    assert page.content_type == "application/octet-stream"


@pytest.mark.parametrize("path", ["my%20pack/..%2fsecret.py", "my%20pack/none.js", "other/main.js"])
async def test_only_files_below_the_folder_of_a_pack_are_served(client: TestClient, scripts: Path, path: str) -> None:
    response = await client.get(f"/extensions/{path}")
    assert response.status in (400, 404)
    assert "canary" not in await response.text()


async def test_packs_that_failed_are_told_with_their_traceback(client: TestClient, engine: FakeEngine) -> None:
    engine.failures["broken"] = "Traceback: no module"
    engine.specs["Fine"] = NodeSpec("Fine", "Fine", "", "", (), (), module="custom_nodes.good.v1")
    told = await (await client.get("/weft/packs")).json()
    assert told == {
        "failures": [{"name": "broken", "problem": "Traceback: no module"}],
        "loaded": [{"name": "good.v1", "nodes": 1}],
    }
