"""What packs may read of a model's network, and that they may not write into it."""

import sys

import pytest
import torch

from nodes.v1.runtime import NotOfferedError
from nodes.v1.values import to_foreign, to_ours
from tests.nodes.v1.studio import studios


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    yield from studios(tmp_path_factory.mktemp("network"), "own_samplers.py")


def test_what_a_model_says_of_its_network_is_true(studio):
    inside = to_foreign(studio.model).model
    assert inside.model_config.unet_config["context_dim"] == studio.positive[0].context.shape[2]
    assert inside.model_config.unet_config["in_channels"] == inside.latent_format.latent_channels == 4
    assert inside.model_type is sys.modules["comfy.model_base"].ModelType.EPS
    assert to_foreign(studio.model).is_clone(to_foreign(studio.model).clone())


def test_the_network_can_be_looked_at(studio):
    model = to_foreign(studio.model)
    network, shapes = model.model.diffusion_model, studio.model.unet.shapes
    assert {name: tuple(one.shape) for name, one in network.named_parameters()} == dict(shapes)
    assert sum(one.numel() for one in network.parameters()) * network.dtype.itemsize == model.model_size()
    first = network.input_blocks[0][0].weight
    assert first.size(0) == model.model.model_config.unet_config["model_channels"]
    assert torch.equal(first.float().cpu(), studio.model.unet.parameter("input_blocks.0.0.weight").cpu())
    assert torch.equal(model.get_model_object("diffusion_model.input_blocks.0.0.weight").clone(), first.clone())
    assert [block[0]._path for block in network.input_blocks][-1] == f"input_blocks.{len(network.input_blocks) - 1}.0"
    assert network.output_blocks[-1]._path == f"output_blocks.{len(network.output_blocks) - 1}"
    assert hasattr(network, "label_emb") == any(name.startswith("label_emb") for name in shapes)
    unet = sys.modules["comfy.ldm.modules.diffusionmodules.openaimodel"].UNetModel
    assert isinstance(network, unet)
    assert not isinstance(network.out, unet)
    assert to_ours(network) is network
    assert list(network.out.state_dict()) == [name[4:] for name in shapes if name.startswith("out.")]


def test_what_is_written_into_the_network_is_refused_by_name(studio):
    network = to_foreign(studio.model).model.diffusion_model
    with pytest.raises(NotOfferedError, match=r"a change of 'diffusion_model\.out\.2\.weight' in a MODEL"):
        network.out[2].weight = torch.zeros(1)
    with pytest.raises(NotOfferedError, match=r"'diffusion_model\.out\.2\.weight\.copy_'"):
        network.out[2].weight.copy_(torch.zeros(1))
    with pytest.raises(NotOfferedError, match=r"'diffusion_model\.middle_block\.register_forward_hook'"):
        network.middle_block.register_forward_hook(print)
    with pytest.raises(NotOfferedError, match=r"a change of 'diffusion_model\.forward'"):
        network.forward = print
