"""Laws of controls: how they scale, when they count, how they add up, and that control-LoRAs borrow weights."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from models.adapters.t2i import T2IAdapter, T2IAdapterConfig
from models.conditioning import Cond, ControlCall, Occasion
from models.control_lora import ControlLora
from models.controlnet import ControlNet, ControlNetConfig
from models.controls import ControlLoraModel, ControlModel, ControlNetModel, Hint, T2IModel
from models.sampling.denoiser import EpsPrediction
from models.sampling.entries import Rules
from models.sampling.evaluation import Asker, ConditionedDenoiser
from models.sampling.levels import discrete_levels, scaled_linear_alphas_bar
from models.unet import Level, UNet, UNetConfig
from models.unet_patches import Call, Hooks, Residuals
from tests.models.sampling.fakes import FakeResidence
from tests.models.test_unet import in_ldm_names, reference

LEVELS = discrete_levels(scaled_linear_alphas_bar())
BASE = UNetConfig(
    4, 4, 32, (Level(32, (1, 1), (1, 1, 1)), Level(64, (0, 0), (0, 0, 0))), middle_depth=1, context_dim=24
)
HALF = replace(BASE, out_channels=0, levels=tuple(replace(level, up_depths=()) for level in BASE.levels))
HINT_WIDTHS = (3, 16, 16, 32, 32, 96, 96, 256, 32)
PICTURE = torch.rand(1, 64, 64, 3, generator=torch.Generator().manual_seed(3))


@pytest.fixture(scope="module")
def unet() -> UNet:
    torch.manual_seed(0)
    return UNet(BASE).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def controlnet() -> ControlNetModel:
    torch.manual_seed(1)
    return ControlNetModel(FakeResidence(ControlNet(ControlNetConfig(HALF, HINT_WIDTHS)).eval()))


@pytest.fixture(scope="module")
def adapter() -> T2IModel:
    torch.manual_seed(2)
    return T2IModel(FakeResidence(T2IAdapter(T2IAdapterConfig(3, (32, 64), 1)).eval()))


def called(network: Any = None, sigma: float = 5.0, size: tuple[int, int] = (8, 8), pictures: int = 1) -> ControlCall:
    generator = torch.Generator().manual_seed(4)
    x = torch.randn(2 * pictures, 4, *size, generator=generator)
    context = torch.randn(2 * pictures, 3, 24, generator=generator)
    timesteps = torch.full((2 * pictures,), 500.0)
    return ControlCall(x, timesteps, torch.tensor(sigma), context, None, pictures, LEVELS, network)


def tensors(residuals: Residuals | None) -> list[Tensor]:
    assert residuals is not None
    found = (*residuals.features, *residuals.skips, residuals.middle)
    return [tensor for tensor in found if tensor is not None]


@pytest.mark.parametrize("kind", ["controlnet", "adapter"])
def test_strength_scales_residuals_linearly(kind: str, request: pytest.FixtureRequest) -> None:
    model: ControlModel = request.getfixturevalue(kind)
    once = tensors(model.given(Hint(PICTURE)).residuals(called()))
    third = tensors(model.given(Hint(PICTURE, strength=0.3)).residuals(called()))
    torch.testing.assert_close(third, [0.3 * tensor for tensor in once])


@pytest.mark.parametrize("kind", ["controlnet", "adapter"])
@pytest.mark.parametrize(("start", "end", "counts"), [(0, 1, True), (0, 0.1, False), (0.9, 1, False), (0.2, 0.8, True)])
def test_a_control_counts_only_within_its_range(
    kind: str, start: float, end: float, counts: bool, request: pytest.FixtureRequest
) -> None:
    model: ControlModel = request.getfixturevalue(kind)
    middle = LEVELS.sigma_at_percent(0.5)
    found = model.given(Hint(PICTURE, 1.0, start, end)).residuals(called(sigma=middle))
    assert (found is not None) == counts


def test_a_range_includes_its_ends(controlnet: ControlNetModel) -> None:
    for percent in (0.25, 0.75):
        call = called(sigma=LEVELS.sigma_at_percent(percent))
        assert controlnet.given(Hint(PICTURE, 1.0, 0.25, 0.75)).residuals(call) is not None


@pytest.mark.parametrize("size", [(8, 8), (4, 12), (7, 5)])
@torch.no_grad()
def test_residuals_fit_latents_of_any_size(
    controlnet: ControlNetModel, adapter: T2IModel, unet: UNet, size: tuple[int, int]
) -> None:
    for model in (controlnet, adapter):
        guided = asked(unet, size, (replace(PROMPT, controls=(model.given(Hint(PICTURE)),)),))
        assert guided.shape == (1, 4, *size)
        assert not torch.allclose(guided, asked(unet, size, (PROMPT,)))


def test_each_picture_of_a_batch_gets_its_own_hint_under_every_prompt(controlnet: ControlNetModel) -> None:
    pictures = torch.rand(2, 64, 64, 3)
    call = called(pictures=2)
    both = tensors(controlnet.given(Hint(pictures)).residuals(call))[-1]
    for row, number in enumerate((0, 1, 0, 1)):
        alone = tensors(controlnet.given(Hint(pictures[number : number + 1])).residuals(call))[-1]
        torch.testing.assert_close(both[row], alone[row], atol=1e-5, rtol=1e-5)


def test_a_hint_of_another_shape_is_cut_in_the_middle(controlnet: ControlNetModel) -> None:
    wide = torch.cat([torch.zeros(1, 64, 32, 3), PICTURE, torch.ones(1, 64, 32, 3)], dim=2)
    found = tensors(controlnet.given(Hint(wide)).residuals(called()))
    torch.testing.assert_close(found, tensors(controlnet.given(Hint(PICTURE)).residuals(called())))


def test_a_pooled_controlnet_steers_the_whole_picture_alike(controlnet: ControlNetModel) -> None:
    apart = tensors(controlnet.given(Hint(PICTURE)).residuals(called()))
    alike = tensors(replace(controlnet, pooled=True).given(Hint(PICTURE)).residuals(called()))
    torch.testing.assert_close(alike, [tensor.mean(dim=(2, 3), keepdim=True) for tensor in apart])


def test_a_sketch_adapter_sees_gray() -> None:
    model = T2IModel(FakeResidence(T2IAdapter(T2IAdapterConfig(1, (32, 64), 1))))
    gray = PICTURE.mean(dim=-1, keepdim=True).expand(-1, -1, -1, 3)
    found = tensors(model.given(Hint(PICTURE)).residuals(called()))
    torch.testing.assert_close(found, tensors(model.given(Hint(gray)).residuals(called())))


def test_features_of_an_adapter_are_computed_once() -> None:
    network = T2IAdapter(T2IAdapterConfig(3, (32, 64), 1)).requires_grad_(False)
    control = T2IModel(FakeResidence(network)).given(Hint(PICTURE))
    first = tensors(control.residuals(called()))
    network.conv_in.weight += 1
    torch.testing.assert_close(tensors(control.residuals(called(sigma=1.0))), first)


SD1_LIKE = replace(BASE, levels=(BASE.levels[0], Level(64, (1, 1), (1, 1, 1)), BASE.levels[1]))
SDXL_LIKE = replace(
    BASE,
    levels=(Level(32, (0, 0), (0, 0, 0)), Level(32, (1, 1), (1, 1, 1)), Level(64, (1, 1), (1, 1, 1))),
    heads=None,
    head_channels=32,
    linear_projection=True,
)


@pytest.mark.parametrize(
    ("config", "widths"), [(SD1_LIKE, (32, 64, 64)), (SDXL_LIKE, (32, 32, 64, 64))], ids=["SD 1.x", "SDXL"]
)
@torch.no_grad()
def test_features_of_an_adapter_go_where_diffusers_adds_them(config: UNetConfig, widths: tuple[int, ...]) -> None:
    torch.manual_seed(8)
    wide = config is SDXL_LIKE
    theirs, ours = reference(config), UNet(config).eval()
    ours.load_state_dict(in_ldm_names(theirs, config))
    adapter = T2IAdapter(T2IAdapterConfig(3, widths, 1, wide=wide))
    call = replace(called(), y=torch.zeros(2, 1) if wide else None)
    found = T2IModel(FakeResidence(adapter)).given(Hint(PICTURE)).residuals(call)
    assert found is not None
    features = [feature.expand(2, -1, -1, -1).clone() for feature in adapter(PICTURE.movedim(-1, 1))]
    expected = theirs(call.x, call.timesteps, call.context, down_intrablock_additional_residuals=features).sample
    hooks = Hooks(Call(call.sigma, (0, 1), 1, tuple(call.x.shape)), residuals=found)
    torch.testing.assert_close(ours(call.x, call.timesteps, call.context, hooks=hooks), expected, atol=1e-5, rtol=1e-5)


def test_a_controlnet_of_another_family_is_refused(controlnet: ControlNetModel) -> None:
    call = replace(called(), context=torch.zeros(2, 3, 40))
    with pytest.raises(ValueError, match=r"text features are 24 wide.*model in use has 40"):
        controlnet.given(Hint(PICTURE)).residuals(call)


def test_an_adapter_of_another_family_is_refused(adapter: T2IModel) -> None:
    with pytest.raises(ValueError, match=r"for Stable Diffusion 1\.x, and the model is not"):
        adapter.given(Hint(PICTURE)).residuals(replace(called(), y=torch.zeros(2, 20)))


PROMPT = Cond(torch.randn(1, 3, 24, generator=torch.Generator().manual_seed(5)))


@torch.no_grad()
def asked(unet: UNet, size: tuple[int, int], *conditionings: tuple[Cond, ...]) -> Tensor:
    """The estimate for the first conditioning."""
    x = torch.randn(1, 4, *size, generator=torch.Generator().manual_seed(6))
    denoise = ConditionedDenoiser(unet, EpsPrediction(), LEVELS)
    return Asker(denoise, Occasion(x, stride=8), Rules(LEVELS))(x, torch.tensor(3.0), conditionings)[0]


def test_a_chain_adds_what_each_control_adds(controlnet: ControlNetModel, unet: UNet) -> None:
    half = controlnet.given(Hint(PICTURE, strength=0.5))
    whole = asked(unet, (8, 8), (replace(PROMPT, controls=(controlnet.given(Hint(PICTURE)),)),))
    chained = asked(unet, (8, 8), (replace(PROMPT, controls=(half, half)),))
    torch.testing.assert_close(chained, whole, atol=1e-5, rtol=1e-5)


def test_a_control_of_the_negative_leaves_the_positive_alone(controlnet: ControlNetModel, unet: UNet) -> None:
    steered = replace(PROMPT, controls=(controlnet.given(Hint(PICTURE)),))
    torch.testing.assert_close(asked(unet, (8, 8), (PROMPT,), (steered,)), asked(unet, (8, 8), (PROMPT,)))


def control_lora_weights(unet: UNet) -> dict[str, Tensor]:
    """Own weights for what a UNet does not have, and changes to a linear layer, a convolution and a bias."""
    torch.manual_seed(7)
    network = ControlNet(ControlNetConfig(HALF, HINT_WIDTHS))
    borrowed = dict(unet.named_parameters())
    own = {name: tensor.detach() for name, tensor in network.named_parameters() if name not in borrowed}
    layer, convolution = "input_blocks.1.1.transformer_blocks.0.attn1.to_q", "input_blocks.1.0.in_layers.2"
    return own | {
        f"{layer}.up": torch.randn(32, 2),
        f"{layer}.down": torch.randn(2, 32),
        f"{convolution}.up": torch.randn(32, 2, 1, 1),
        f"{convolution}.down": torch.randn(2, 32, 3, 3),
        "time_embed.0.bias": torch.randn(128),
    }


def control_lora(weights: dict[str, Tensor]) -> ControlLoraModel:
    network = ControlLora({name: tuple(tensor.shape) for name, tensor in weights.items()})
    for parameter, tensor in zip(network.own, weights.values(), strict=True):
        parameter.data = tensor
    return ControlLoraModel(FakeResidence(network))


def test_a_control_lora_is_the_controlnet_whose_weights_are_the_models_plus_the_changes(unet: UNet) -> None:
    weights = control_lora_weights(unet)
    summed = ControlNet(ControlNetConfig(HALF, HINT_WIDTHS))
    borrowed = dict(unet.named_parameters())
    with torch.no_grad():
        for name, parameter in summed.named_parameters():
            parameter.copy_(weights[name] if name in weights else borrowed[name])
            stem = name.removesuffix(".weight")
            if f"{stem}.up" in weights:
                up, down = weights[f"{stem}.up"], weights[f"{stem}.down"]
                parameter += (up.flatten(1) @ down.flatten(1)).reshape(parameter.shape)
    expected = ControlNetModel(FakeResidence(summed)).given(Hint(PICTURE)).residuals(called(unet))
    found = control_lora(weights).given(Hint(PICTURE)).residuals(called(unet))
    torch.testing.assert_close(tensors(found), tensors(expected), atol=1e-4, rtol=1e-4)


def test_a_control_lora_follows_the_models_weights(unet: UNet) -> None:
    control = control_lora(control_lora_weights(unet)).given(Hint(PICTURE))
    other = UNet(BASE).requires_grad_(False)
    middles = [tensors(control.residuals(called(network)))[-1] for network in (unet, other, unet)]
    assert not torch.allclose(middles[0], middles[1])
    assert torch.equal(middles[0], middles[2])


def test_a_control_lora_for_another_model_is_refused(unet: UNet) -> None:
    weights = control_lora_weights(unet) | {"input_blocks.9.0.in_layers.2.up": torch.zeros(32, 2)}
    weights["input_blocks.9.0.in_layers.2.down"] = torch.zeros(2, 32)
    with pytest.raises(ValueError, match=r"changes input_blocks\.9\.0\.in_layers\.2, which the model does not have"):
        control_lora(weights).given(Hint(PICTURE)).residuals(called(unet))
