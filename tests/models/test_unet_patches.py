"""Laws of what is changed inside a UNet: where it happens, and that nothing happens elsewhere."""

import pytest
import torch

from models.unet import Level, UNet, UNetConfig
from models.unet_patches import AttentionPatches, Call, Hooks, Place, Residuals, UNetPatches

CONFIG = UNetConfig(4, 4, 32, (Level(32, (1, 1), (1, 1, 1)), Level(64, (0, 0), (0, 0, 0))), 1, 24)
INPUT_BLOCKS, OUTPUT_BLOCKS = 6, 6
X = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(1))
CONTEXT = torch.randn(2, 5, 24, generator=torch.Generator().manual_seed(2))
TIMESTEPS = torch.tensor([10.0, 10.0])
CALL = Call(torch.tensor(1.0), (0, 1), 1, tuple(X.shape))


@pytest.fixture(scope="module")
def unet():
    torch.manual_seed(0)
    return UNet(CONFIG).eval().requires_grad_(False)


def run(unet, patches=None, residuals=None):
    return unet(X, TIMESTEPS, CONTEXT, hooks=Hooks(CALL, patches or UNetPatches(), residuals or Residuals()))


def changing(places):
    def note(features, place, call):
        places.append(place)
        return features

    return note


def test_hooks_that_change_nothing_leave_the_prediction_as_it_is(unet):
    assert torch.equal(run(unet), unet(X, TIMESTEPS, CONTEXT))


def test_every_block_is_a_place(unet):
    before, after, joined = [], [], []

    def join(features, skip, place, call):
        joined.append(place)
        return features, skip

    run(unet, UNetPatches(after_input=(changing(before),), after_skip=(changing(after),), before_output=(join,)))
    assert before == after == [Place("input", number) for number in range(INPUT_BLOCKS)]
    assert joined == [Place("output", number) for number in range(OUTPUT_BLOCKS)]


@pytest.mark.parametrize("kind", ["self_attention", "cross_attention"])
def test_every_attention_is_a_place(unet, kind):
    places = []
    run(unet, UNetPatches(**{kind: AttentionPatches(outputs=(changing(places),))}))
    inputs = [Place("input", 1), Place("input", 2)]
    outputs = [Place("output", 3), Place("output", 4), Place("output", 5)]
    assert places == [*inputs, Place("middle", 0), *outputs]


def test_self_attention_is_replaced_at_its_place_only(unet):
    def values_alone(layer, x, key, value, place, call):
        return layer.to_out(layer.to_v(value))

    one = UNetPatches(self_attention=AttentionPatches(instead={Place("middle", 0): values_alone}))
    nowhere = UNetPatches(self_attention=AttentionPatches(instead={Place("middle", 7): values_alone}))
    assert not torch.allclose(run(unet, one), run(unet))
    assert torch.equal(run(unet, nowhere), run(unet))


def test_attention_answers_from_the_keys_and_values_it_is_given(unet):
    def swapped(x, key, value, place, call):
        return x, key.flip(0), value.flip(0)

    patched = run(unet, UNetPatches(cross_attention=AttentionPatches(inputs=(swapped,))))
    torch.testing.assert_close(patched, unet(X, TIMESTEPS, CONTEXT.flip(0)))


def test_a_residual_on_a_skip_connection_reaches_the_output_block_that_joins_it(unet):
    skips = []

    def join(features, skip, place, call):
        skips.append(skip)
        return features, skip

    run(unet, UNetPatches(before_output=(join,)))
    plain, skips[:] = list(skips), []
    run(unet, UNetPatches(before_output=(join,)), Residuals(skips=(torch.tensor(2.0),)))
    torch.testing.assert_close(skips[-1], plain[-1] + 2)  # the first input block is joined last
    assert torch.equal(skips[0], plain[0])


def test_a_residual_on_features_goes_on_and_one_on_the_middle_goes_up(unet):
    zero, one = torch.tensor(0.0), torch.tensor(1.0)
    assert torch.equal(run(unet, residuals=Residuals(features=(zero,), middle=zero)), run(unet))
    assert not torch.allclose(run(unet, residuals=Residuals(features=(None, one))), run(unet))
    assert not torch.allclose(run(unet, residuals=Residuals(middle=one)), run(unet))


def test_patches_add_up_in_order():
    def doubled(features, place, call):
        return features * 2

    def raised(features, place, call):
        return features + 1

    both = UNetPatches(after_middle=(doubled,)).plus(UNetPatches(after_middle=(raised,)))
    assert float(Hooks(CALL, both).after_middle(torch.tensor(3.0))) == 7
    assert UNetPatches().empty
    assert not both.empty
