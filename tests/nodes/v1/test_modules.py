"""What packs find in the modules of ComfyUI's that they import: also what Weft has not, and where a file would lie."""

import json
import sys

import pytest
import torch

from models.loading.families import SDXL_LATENT
from nodes.context import WorkerSettings
from nodes.paths import UnsafeNameError
from nodes.v1.facade import Facade
from nodes.v1.runtime import NotOfferedError
from tests.nodes.v1.conftest import node

NAMES_CLASSES = """
import importlib.util
import os

import comfy
import comfy.latent_formats
import comfy.model_base
import folder_paths
from comfy.clip_vision import ClipVisionModel
from comfy.model_patcher import ModelPatcher
from comfy.samplers import CFGGuider
from comfy_extras.nodes_custom_sampler import Guider_OfTomorrow

class Sampling(ModelPatcher, ClipVisionModel):
    pass

class Tells:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"model": ("MODEL",)}}

    RETURN_TYPES = ()
    FUNCTION = "tell"
    OUTPUT_NODE = True

    def tell(self, model: ModelPatcher):
        kinds = (ModelPatcher, ClipVisionModel, Sampling)
        inside = [comfy.model_base.BaseModel, comfy.model_base.SDXL, comfy.model_base.Flux]
        return {"ui": {"text": [
            *(isinstance(model, kind) for kind in kinds), *(isinstance(model.model, kind) for kind in inside)
        ]}}

def make():
    return ClipVisionModel("config")

def make_derived():
    return Sampling()

folder = os.path.dirname(folder_paths.__file__)
is_there = importlib.util.find_spec("comfy.model_base") is not None
NODE_CLASS_MAPPINGS = {"Test Tells": Tells}
"""


@pytest.fixture
def names_classes(bench_with_model):
    """A bench with a pack that names classes of ComfyUI's, and the pack."""
    made = bench_with_model()
    (made.paths.custom_nodes / "names_classes.py").write_text(NAMES_CLASSES)
    made = bench_with_model()
    assert made.custom.failures == {}
    return made, sys.modules["custom_nodes.names_classes"]


def test_classes_that_weft_has_not_can_be_named_and_derived_from_but_not_made(names_classes):
    _, pack = names_classes
    with pytest.raises(NotOfferedError, match=r"'names_classes' uses comfy\.clip_vision\.ClipVisionModel"):
        pack.make()
    with pytest.raises(NotOfferedError, match=r"'names_classes' uses comfy\.model_patcher\.ModelPatcher"):
        pack.make_derived()
    assert pack.ClipVisionModel is sys.modules["comfy.clip_vision"].ClipVisionModel


def test_a_handle_is_of_the_class_whose_part_it_plays_and_of_no_other(names_classes):
    made, _ = names_classes
    graph = {
        "1": node("CheckpointLoaderSimple", ckpt_name="weft-tiny.safetensors"),
        "2": node("Test Tells", model=["1", 0]),
    }
    assert list(made.shown(graph, "2")["text"]) == [True, False, False, True, False, False]


def test_how_latents_are_scaled_tells_families_apart(names_classes):
    formats = sys.modules["comfy.latent_formats"]
    scale = Facade(SDXL_LATENT)
    assert isinstance(scale, formats.SDXL)
    assert not isinstance(scale, formats.SD15)
    assert not isinstance(SDXL_LATENT, formats.SDXL)


def test_functions_and_constants_that_weft_has_not_are_refused_by_name(names_classes):
    management = sys.modules["comfy.model_management"]
    assert not hasattr(management, "unheard_of")
    assert getattr(management, "AN_UNHEARD_OF_FLAG", "a default") == "a default"
    with pytest.raises(NotOfferedError, match=r"comfy\.model_management\.unheard_of"):
        management.unheard_of()


@pytest.mark.parametrize("module", ["comfy.model_patcher", "comfy.utils", "folder_paths", "server"])
def test_a_pack_that_imports_a_function_that_is_not_there_is_told_which(bench, module):
    made = bench()
    (made.paths.custom_nodes / "deep.py").write_text(f"from {module} import unheard_of\n")
    failure = bench().custom.failures["deep"]
    assert f"the pack 'deep' imports {module}.unheard_of, a part of ComfyUI that Weft does not offer" in failure


def test_a_pack_that_imports_a_node_that_is_not_there_is_told_so(bench):
    made = bench()
    (made.paths.custom_nodes / "deep.py").write_text("from nodes import UnheardOf\n")
    failure = bench().custom.failures["deep"]
    assert "cannot import name 'UnheardOf' from 'nodes'" in failure
    assert "asks for a part of ComfyUI's module 'nodes' that Weft does not offer" in failure


def test_modules_say_that_they_lie_in_the_base_directory(names_classes):
    made, pack = names_classes
    assert pack.folder == str(made.paths.base)
    assert pack.is_there


def test_folders_of_users_and_of_program_parts_are_told_apart(names_classes):
    made, _ = names_classes
    folders = sys.modules["folder_paths"]
    assert folders.get_system_user_directory() == str(made.paths.user / "__system")
    assert folders.get_public_user_directory("default") == str(made.paths.user / "default")
    assert folders.get_public_user_directory("__system") is None
    with pytest.raises(UnsafeNameError):
        folders.get_public_user_directory("../elsewhere")


def test_the_header_of_a_model_file_names_its_tensors_without_reading_them(names_classes, tmp_path):
    utils = sys.modules["comfy.utils"]
    path = str(tmp_path / "small.safetensors")
    utils.save_torch_file({"weight": torch.zeros(2, 3, dtype=torch.float16), "bias": torch.zeros(3)}, path)
    assert json.loads(utils.safetensors_header(path))["weight"]["shape"] == [2, 3]
    assert utils.safetensors_header(path, max_size=8) is None


def test_helpers_for_tensors_do_what_they_say(names_classes):
    utils = sys.modules["comfy.utils"]
    tensors = {"a.weight": torch.zeros(4, dtype=torch.float16), "a.bias": torch.zeros(2), "b.weight": torch.zeros(9)}
    assert utils.weight_dtype(tensors, "a.") == torch.float16
    assert utils.weight_dtype(tensors) == torch.float32
    assert utils.weight_dtype({}) is None
    frames = torch.arange(5.0)
    assert utils.resize_to_batch_size(frames, 3).tolist() == [0, 2, 4]
    assert utils.resize_to_batch_size(frames[:2], 4).tolist() == [0, 0, 1, 1]
    assert utils.resize_to_batch_size(frames, 5) is not None
    mask = utils.reshape_mask(torch.ones(1, 16, 8), (3, 4, 8, 4))
    assert mask.shape == (3, 4, 8, 4)
    layer = torch.nn.Linear(2, 2)
    before = utils.set_attr_param(layer, "weight", torch.ones(2, 2))
    assert before is not layer.weight
    assert not layer.weight.requires_grad
    assert utils.bislerp(torch.rand(1, 4, 8, 8), 16, 4).shape == (1, 4, 4, 16)


def test_flags_that_weft_has_not_were_not_given(names_classes, tmp_path):
    made, _ = names_classes
    flags = sys.modules["comfy.cli_args"].args
    assert flags.base_directory == str(made.paths.base)
    assert flags.a_flag_of_tomorrow is None
    assert flags.preview_method is sys.modules["latent_preview"].LatentPreviewMethod.Auto
    assert not hasattr(flags, "__wrapped__")


def test_helpers_of_samplers_prepare_conditionings_and_masks(names_classes):
    helpers = sys.modules["comfy.sampler_helpers"]
    features, noted = torch.zeros(1, 77, 8), {"strength": 0.5}
    (entry,) = helpers.convert_cond([[features, noted]])
    assert entry["cross_attn"] is features
    assert entry["strength"] == 0.5
    assert noted == {"strength": 0.5}
    assert helpers.prepare_mask(torch.ones(1, 16, 16), (2, 4, 8, 8), "cpu").shape == (2, 4, 8, 8)
    assert helpers.get_additional_models({}, torch.float32) == ([], 0)


def test_numbers_are_interpolated_in_their_logarithms(names_classes):
    steps = sys.modules["comfy_extras.nodes_align_your_steps"]
    assert steps.loglinear_interp([100.0, 1.0], 3).tolist() == pytest.approx([100.0, 10.0, 1.0])
    assert steps.AlignYourStepsScheduler.CATEGORY


def test_pictures_are_laid_over_each_other_at_a_place_in_units_of_their_own(names_classes):
    masks = sys.modules["comfy_extras.nodes_mask"]
    below, above = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 2, 2)
    assert masks.composite(below, above, 1, 2, None, 1)[0, 0].nonzero().tolist() == [[2, 1], [2, 2], [3, 1], [3, 2]]
    half = masks.composite(below, above, 16, 8, torch.full((1, 2, 2), 0.5))
    assert half[0, 0].nonzero().tolist() == [[1, 2], [1, 3], [2, 2], [2, 3]]
    assert half.max() == 0.5
    assert not below.any()


def test_the_kinds_of_union_controlnets_are_numbered(names_classes):
    kinds = sys.modules["comfy.cldm.control_types"].UNION_CONTROLNET_TYPES
    assert kinds["openpose"] == 0
    assert kinds["repaint"] == 7


def test_precisions_are_those_that_a_device_holds(names_classes):
    management, cpu = sys.modules["comfy.model_management"], torch.device("cpu")
    half, eight = torch.float16, torch.float8_e4m3fn
    assert not management.supports_dtype(cpu, eight)
    assert management.supports_cast(cpu, eight)
    assert not management.supports_cast(torch.device("mps"), eight)
    assert management.pick_weight_dtype(None, half, cpu) == half
    assert management.pick_weight_dtype(eight, half, torch.device("mps")) == half
    assert management.cast_to(torch.ones(2), half).dtype == half
    assert management.is_device_type(cpu, "cpu")
    assert management.pytorch_attention_enabled()
    assert not management.xformers_enabled()


def test_every_kind_of_attention_is_the_same(names_classes):
    kinds = sys.modules["comfy.ldm.modules.attention"]
    q, k, v = torch.rand(3, 1, 4, 8).unbind()
    expected = kinds.optimized_attention(q, k, v, heads=2)
    for name in ("attention_sub_quad", "attention_split", "attention_xformers"):
        assert torch.equal(getattr(kinds, name)(q, k, v, heads=2), expected)
    assert torch.equal(kinds.optimized_attention_for_device(q.device, small_input=True)(q, k, v, 2), expected)


def test_small_helpers_of_nodes_are_there(names_classes):
    helpers, utils = sys.modules["node_helpers"], sys.modules["comfy.utils"]
    assert helpers.hasher()(b"").hexdigest().startswith("e3b0c442")
    assert helpers.string_to_torch_dtype("bf16") == torch.bfloat16
    assert helpers.string_to_torch_dtype("default") is None
    layer = torch.nn.Linear(2, 2)
    utils.copy_to_param(layer, "weight", torch.ones(2, 2, dtype=torch.float16))
    assert layer.weight.dtype == torch.float32
    assert layer.weight.tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize("stop", ["comfy.model_management.interrupt_current_processing", "nodes.interrupt_processing"])
def test_a_node_can_stop_its_job(bench, stop):
    made = bench()
    (made.paths.custom_nodes / "stops.py").write_text(
        "import comfy.model_management, nodes\n"
        "class Stops:\n"
        "    INPUT_TYPES = classmethod(lambda cls: {'required': {}})\n"
        "    RETURN_TYPES, FUNCTION, OUTPUT_NODE = (), 'stop', True\n"
        f"    def stop(self):\n        {stop}()\n        return ()\n"
        "NODE_CLASS_MAPPINGS = {'Test Stops': Stops}\n"
    )
    outcome = bench().run({"1": node("Test Stops")}, "1")
    assert type(outcome).__name__ == "JobInterrupted"


def test_the_server_says_where_it_is_and_where_its_queue(bench):
    bench("own_routes.py", settings=WorkerSettings(served_at=("192.0.2.1", 9999)))
    instance = sys.modules["server"].PromptServer.instance
    arguments = sys.modules["comfy.cli_args"].args
    assert (instance.address, instance.port) == (arguments.listen, arguments.port) == ("192.0.2.1", 9999)
    assert instance.last_prompt_id is instance.client_id is None
    with pytest.raises(NotOfferedError, match=r"prompt_queue, which Weft does not offer: .* GET /queue"):
        _ = instance.prompt_queue
