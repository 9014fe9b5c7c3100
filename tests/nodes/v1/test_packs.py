"""How packs are found and loaded, and what is told of those that fail."""

import sys

from nodes.context import WorkerSettings
from tests.nodes.v1.conftest import PACKS


def test_packs_load_beside_our_own_nodes(bench):
    registry = bench("image_filters.py", "model-tools.v1").registry
    assert registry["Test Blur"].display_name == "Blur (test)"
    assert registry["Test Blur"].module == "custom_nodes.image_filters"
    assert registry["Test PickModel"].module == "custom_nodes.model-tools.v1"
    assert "KSampler" in registry


def test_a_pack_that_fails_is_told_with_its_traceback_and_harms_no_other(bench):
    made = bench("broken-import", "exits.py", "syntax_error.py.txt", "image_filters.py")
    failures = made.custom.failures
    assert set(failures) == {"broken-import", "exits", "syntax_error"}
    assert "custom_nodes/broken-import/__init__.py" in failures["broken-import"]
    assert "'a_package_that_nobody_has' is missing" in failures["broken-import"]
    assert "SystemExit" in failures["exits"]
    assert "SyntaxError" in failures["syntax_error"]
    assert str(made.paths.base) not in "".join(failures.values())
    assert "Test Blur" in made.registry


def test_a_pack_that_misses_a_package_which_comfyui_brings_is_told_so(bench):
    made = bench()
    (made.paths.custom_nodes / "hears.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'torchaudio'\", name='torchaudio.functional')\n"
    )
    failure = bench().custom.failures["hears"]
    assert "ComfyUI brings it, so that packs need not name it: install it with pip install torchaudio." in failure


def test_a_node_of_ours_keeps_its_id(bench):
    made = bench("takes_ids.py")
    assert made.registry["EmptyLatentImage"].module == "nodes"
    assert "'EmptyLatentImage' is left out: nodes has a node of this id" in made.custom.failures["takes_ids"]
    assert "FUNCTION is None" in made.custom.failures["takes_ids"]
    assert "Test Fine" in made.registry


def test_packs_can_be_left_out_but_for_some(bench):
    settings = WorkerSettings(custom_nodes=False, custom_nodes_wanted=("image_filters.py",))
    made = bench("image_filters.py", "switches.py", settings=settings)
    assert "Test Blur" in made.registry
    assert "Test Gate" not in made.registry


def test_without_packs_no_module_is_put_in_anybodys_way(bench):
    bench()
    assert "folder_paths" not in sys.modules
    assert "comfy" not in sys.modules


def test_hidden_and_disabled_folders_are_no_packs(bench, tmp_path):
    made = bench("image_filters.py")
    (made.paths.custom_nodes / "image_filters.py").rename(made.paths.custom_nodes / "other.py.disabled")
    (made.paths.custom_nodes / ".git").mkdir()
    (made.paths.custom_nodes / "__pycache__").mkdir(exist_ok=True)
    assert bench().custom.failures == {}


def test_a_prestartup_script_runs_before_all_packs(bench):
    marker = "import sys\nsys.weft_test_order = [*getattr(sys, 'weft_test_order', []), {!r}]\n"
    made = bench()
    for name in ("a_first", "b_second"):
        folder = made.paths.custom_nodes / name
        folder.mkdir()
        (folder / "__init__.py").write_text(marker.format(name) + "NODE_CLASS_MAPPINGS = {}\n")
        (folder / "prestartup_script.py").write_text(marker.format(f"{name} before"))
    try:
        assert bench().custom.failures == {}
        assert sys.weft_test_order == ["a_first before", "b_second before", "a_first", "b_second"]
    finally:
        del sys.weft_test_order


def test_files_for_the_browser_are_found_and_must_lie_in_the_pack(bench):
    made = bench("model-tools.v1")
    assert made.custom.web_directories == {"model-tools.v1": made.paths.custom_nodes / "model-tools.v1" / "web" / "js"}
    escaping = made.paths.custom_nodes / "escaping"
    escaping.mkdir()
    (escaping / "__init__.py").write_text("NODE_CLASS_MAPPINGS = {}\nWEB_DIRECTORY = '../..'\n")
    assert "lies outside the pack" in bench().custom.failures["escaping"]


def test_a_node_that_a_pack_puts_among_ours_is_found(bench):
    made = bench("image_filters.py")
    (made.paths.custom_nodes / "adds.py").write_text(
        "import nodes\n"
        "class Mine(nodes.NODE_CLASS_MAPPINGS['EmptyLatentImage']):\n    pass\n"
        "nodes.NODE_CLASS_MAPPINGS.update({'Test Added': Mine})\n"
        "NODE_CLASS_MAPPINGS = {}\n"
    )
    assert bench().registry["Test Added"].module == "custom_nodes.adds"


def test_our_packages_and_those_of_the_same_name_live_side_by_side(bench):
    bench("model-tools.v1")
    import nodes
    from nodes import MAX_RESOLUTION, spec

    assert spec.__name__ == "nodes.spec"
    assert MAX_RESOLUTION == 16384
    assert nodes.KSampler.FUNCTION == "sample"
    assert PACKS.exists()
