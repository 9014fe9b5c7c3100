"""Models, text encoders and autoencoders in the hands of packs."""

import sys

import pytest
import torch

from execution.calling import call
from models.sampling.guidance import ClassifierFree, Guider
from models.sampling.named import SamplingNames, built_in
from models.sampling.noise import RandomNoise
from models.sampling.samplers.table import SAMPLERS
from models.sampling.schedules import SCHEDULES
from models.types import Latent
from nodes.context import Context, WorkerSettings
from tests.nodes.v1.conftest import Bench, node

CHECKPOINT = "weft-tiny.safetensors"


@pytest.fixture
def made(bench_with_model) -> Bench:
    return bench_with_model("samples_itself.py")


def outputs(made: Bench, id: str, **inputs):
    spec = made.registry[id]
    return call(spec, inputs, Context("1", made.paths, WorkerSettings(), made.services))


def test_a_pack_samples_what_our_own_node_samples(made):
    model, positive, negative, vae = outputs(made, "Test LoadAndEncode", ckpt_name=CHECKPOINT, text="(a:1.2) red ball")
    assert positive[0].extra == {"mine": 1}
    found = {
        how: outputs(made, "Test SampleItself", model=model, positive=positive, negative=negative, vae=vae, how=how)
        for how in ("node", "library", "patched")
    }
    latent, image = found["node"]
    assert image.shape == (1, 64, 64, 3)
    assert latent.samples.std() > 0
    for other, _ in (found["library"], found["patched"]):
        torch.testing.assert_close(other.samples, latent.samples, atol=1e-4, rtol=1e-4)


def test_noise_of_a_pack_is_noise_for_our_samplers(made):
    model, positive, negative, _ = outputs(made, "Test LoadAndEncode", ckpt_name=CHECKPOINT, text="a")
    guider = Guider(model, ClassifierFree(positive, negative, 2.0))
    doubled, same = outputs(made, "Test DoubleNoise", noise=RandomNoise(3), guider=guider)
    latent = Latent(torch.zeros(1, 4, 2, 2))
    assert doubled.seed == 3
    torch.testing.assert_close(doubled.of(latent), RandomNoise(3).of(latent) * 2)
    assert same.unet is model.unet
    sampled = outputs(
        made, "SamplerCustomAdvanced", noise=doubled, guider=guider, sampler=SAMPLERS["euler"],
        sigmas=torch.tensor([1.0, 0.0]), latent_image=Latent(torch.zeros(1, 4, 8, 8)),
    )  # fmt: skip
    assert sampled[0].samples.isfinite().all()


def test_what_is_not_offered_is_named_with_the_pack(made):
    graph = {
        "1": node("CheckpointLoaderSimple", ckpt_name=CHECKPOINT),
        "2": node("Test Unsupported", model=["1", 0]),
        "3": node("Test LoadAndEncode", ckpt_name=CHECKPOINT, text=""),
    }
    outcome = made.run(graph, "2")
    assert outcome.node_id == "2"
    assert "the pack 'samples_itself' uses 'diffusion_model.double_blocks' of a MODEL" in outcome.message


def test_a_pack_that_imports_what_is_not_there_is_told_so(bench):
    made = bench()
    (made.paths.custom_nodes / "deep.py").write_text("import comfy.ldm.unheard_of.model\n")
    failure = bench().custom.failures["deep"]
    assert "the pack 'deep' imports comfy.ldm.unheard_of, a part of ComfyUI that Weft does not offer" in failure


def test_what_many_packs_import_and_few_nodes_use_is_there_until_it_is_used(bench):
    made = bench()
    (made.paths.custom_nodes / "old.py").write_text(
        "import comfy.controlnet\n"
        "import comfy.model_patcher\n"
        "from comfy_extras.nodes_mask import ImageCompositeMasked\n"
        "from node_helpers import conditioning_set_values\n"
        "def use():\n    return comfy.model_patcher.ModelPatcher()\n"
        "NODE_CLASS_MAPPINGS = {}\n"
    )
    assert bench().custom.failures == {}
    pack = sys.modules["custom_nodes.old"]
    assert pack.ImageCompositeMasked.INPUT_TYPES()["required"]["destination"][0] == "IMAGE"
    with pytest.raises(AttributeError, match=r"the pack 'old' uses comfy.model_patcher.ModelPatcher"):
        pack.use()


def test_names_that_packs_have_added_stay_when_memory_is_freed_and_are_of_one_worker(bench):
    made = bench("own_samplers.py")
    made.services.forget()
    names = made.services.get(SamplingNames, built_in)
    assert set(list(names.samplers)[len(SAMPLERS) :]) == {"test_euler", "test_ancestral", "test_dice"}
    assert list(names.schedules)[len(SCHEDULES) :] == ["test_halving"]
    assert list(built_in().samplers) == list(SAMPLERS)
