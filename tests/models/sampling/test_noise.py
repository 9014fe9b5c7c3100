"""Laws of the noise: which numbers, and that nobody else's random numbers change."""

import pytest
import torch
import torchsde

from models.sampling.noise import brownian, generated, initial_noise


@pytest.mark.parametrize("seed", [0, 42, 2**63, 2**64 - 1])
def test_initial_noise_is_what_torch_draws_after_seeding_it(seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        expected = torch.randn(2, 4, 8, 8)
    assert torch.equal(initial_noise((2, 4, 8, 8), seed), expected)


def test_the_first_picture_of_a_batch_has_the_noise_of_the_single_picture():
    assert torch.equal(initial_noise((3, 4, 8, 8), 7)[:1], initial_noise((1, 4, 8, 8), 7))


def test_a_slice_of_a_batch_keeps_its_noise():
    whole = initial_noise((4, 4, 8, 8), 7)
    assert torch.equal(initial_noise((2, 4, 8, 8), 7, batch_index=(2, 0)), whole[[2, 0]])


def test_equal_batch_indices_share_their_noise():
    noise = initial_noise((2, 4, 8, 8), 7, batch_index=(1, 1))
    assert torch.equal(noise[0], noise[1])


def test_a_batch_index_for_each_picture_is_demanded():
    with pytest.raises(ValueError, match="2 pictures but 3 batch indices"):
        initial_noise((2, 4, 8, 8), 7, batch_index=(0, 1, 2))


@pytest.mark.parametrize("seed", [0, 41, 2**64 - 1])
def test_step_noise_on_the_cpu_never_repeats_the_initial_noise(seed):
    x, sigmas = torch.zeros(1, 4, 8, 8), torch.tensor([2.0, 1.0, 0.0])
    noise = generated(x, sigmas, seed)
    first, second = noise(sigmas[0], sigmas[1]), noise(sigmas[1], sigmas[2])
    assert torch.equal(first, initial_noise(x.shape, (seed + 1) % 2**64))
    assert not torch.equal(first, second)


def test_brownian_noise_is_standard_normal():
    x, sigmas = torch.zeros(1, 4, 64, 64), torch.tensor([10.0, 3.0, 0.5, 0.0])
    noise = brownian(x, sigmas, 1)(sigmas[0], sigmas[1])
    assert noise.std() == pytest.approx(1, rel=0.03)
    assert abs(float(noise.mean())) < 0.03


def test_brownian_noise_is_that_of_a_tree_over_the_sigmas_above_zero():
    x, sigmas = torch.zeros(1, 4, 8, 8), torch.tensor([10.0, 3.0, 0.5, 0.0])
    tree = torchsde.BrownianTree(t0=0.5, w0=x, t1=10.0, entropy=11)
    noise = brownian(x, sigmas, 11)
    for sigma, sigma_next in ((10.0, 3.0), (3.0, 0.5), (2.0, 1.0)):
        expected = -tree(sigma_next, sigma) / (sigma - sigma_next) ** 0.5
        torch.testing.assert_close(noise(torch.tensor(sigma), torch.tensor(sigma_next)), expected)


def test_brownian_noise_of_a_step_is_the_sum_over_its_parts():
    x, sigmas = torch.zeros(1, 4, 8, 8, dtype=torch.float64), torch.tensor([10.0, 3.0, 0.5, 0.0])
    noise = brownian(x, sigmas, 1)
    high, middle, low = sigmas[:3]
    parts = noise(high, middle) * (high - middle).sqrt() + noise(middle, low) * (middle - low).sqrt()
    torch.testing.assert_close(noise(high, low) * (high - low).sqrt(), parts, atol=1e-4, rtol=1e-4)


def test_brownian_noise_up_is_minus_that_down():
    x, sigmas = torch.zeros(1, 4, 8, 8), torch.tensor([10.0, 3.0, 0.5, 0.0])
    noise = brownian(x, sigmas, 1)
    assert torch.equal(noise(sigmas[0], sigmas[1]), -noise(sigmas[1], sigmas[0]))


def test_no_generator_but_ours_is_touched():
    before = torch.random.get_rng_state()
    x, sigmas = torch.zeros(1, 4, 8, 8), torch.tensor([10.0, 3.0, 0.0])
    initial_noise(x.shape, 1)
    generated(x, sigmas, 1)(sigmas[0], sigmas[1])
    brownian(x, sigmas, 1)(sigmas[0], sigmas[1])
    assert torch.equal(torch.random.get_rng_state(), before)
