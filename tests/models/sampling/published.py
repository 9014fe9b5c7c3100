"""The samplers as k-diffusion and the DPM-Solver papers publish them, written in t = −log σ and without history tricks.

Ours are written otherwise (in ratios of sigmas); both must walk the same path.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

Denoise = Callable[[Tensor, Tensor], Tensor]
Both = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
Noise = Callable[[Tensor, Tensor], Tensor]


def _t(sigma: Tensor) -> Tensor:
    return -sigma.log()


def _split(sigma: Tensor, sigma_next: Tensor) -> tuple[Tensor, Tensor]:
    """(down, up) of a DDPM posterior."""
    up = (sigma_next**2 * (sigma**2 - sigma_next**2) / sigma**2).sqrt()
    return (sigma_next**2 - up**2).sqrt(), up


def _toward(x: Tensor, denoised: Tensor, sigma: Tensor, sigma_next: Tensor) -> Tensor:
    """One DPM-Solver++ step of first order."""
    if sigma_next == 0:
        return denoised
    h = _t(sigma_next) - _t(sigma)
    return (sigma_next / sigma) * x - (-h).expm1() * denoised


def euler_ancestral(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:
    for sigma, following in pairwise(sigmas):
        down, up = _split(sigma, following)
        x = x + (x - denoise(x, sigma)) / sigma * (down - sigma)
        if following > 0:
            x = x + noise(sigma, following) * up
    return x


def heun(denoise: Denoise, x: Tensor, sigmas: Tensor) -> Tensor:
    for sigma, following in pairwise(sigmas):
        first = (x - denoise(x, sigma)) / sigma
        guess = x + first * (following - sigma)
        if following == 0:
            x = guess
            continue
        second = (guess - denoise(guess, following)) / following
        x = x + (first / 2 + second / 2) * (following - sigma)
    return x


def dpm_2_ancestral(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:
    for sigma, following in pairwise(sigmas):
        down, up = _split(sigma, following)
        first = (x - denoise(x, sigma)) / sigma
        if following == 0:
            x = x + first * (down - sigma)
            continue
        middle = (sigma * down).sqrt()
        halfway = x + first * (middle - sigma)
        x = x + (halfway - denoise(halfway, middle)) / middle * (down - sigma) + noise(sigma, following) * up
    return x


def dpmpp_2s_ancestral(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:
    for sigma, following in pairwise(sigmas):
        down, up = _split(sigma, following)
        denoised = denoise(x, sigma)
        if following == 0:
            x = denoised
            continue
        middle = torch.exp(-(_t(sigma) + 0.5 * (_t(down) - _t(sigma))))
        halfway = _toward(x, denoised, sigma, middle)
        x = _toward(x, denoise(halfway, middle), sigma, down) + noise(sigma, following) * up
    return x


def dpmpp_sde(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:
    for sigma, following in pairwise(sigmas):
        denoised = denoise(x, sigma)
        if following == 0:
            x = denoised
            continue
        middle = (sigma * following).sqrt()
        down, up = _split(sigma, middle)
        halfway = _toward(x, denoised, sigma, down) + noise(sigma, middle) * up
        down, up = _split(sigma, following)
        x = _toward(x, denoise(halfway, middle), sigma, down) + noise(sigma, following) * up  # 1 / 2r = 1
    return x


def dpmpp_2m(denoise: Denoise, x: Tensor, sigmas: Tensor) -> Tensor:
    before = None
    for i in range(len(sigmas) - 1):
        denoised = denoise(x, sigmas[i])
        target = denoised
        if before is not None and sigmas[i + 1] > 0:
            r = (_t(sigmas[i]) - _t(sigmas[i - 1])) / (_t(sigmas[i + 1]) - _t(sigmas[i]))
            target = (1 + 1 / (2 * r)) * denoised - 1 / (2 * r) * before
        x = _toward(x, target, sigmas[i], sigmas[i + 1])
        before = denoised
    return x


def dpmpp_2m_sde(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:
    before = None
    for i in range(len(sigmas) - 1):
        sigma, following = sigmas[i], sigmas[i + 1]
        denoised = denoise(x, sigma)
        if following == 0:
            return denoised
        h = _t(following) - _t(sigma)
        gain = 1 - torch.exp(-2 * h)
        x = (following / sigma) * torch.exp(-h) * x + gain * denoised
        if before is not None:
            r = (_t(sigma) - _t(sigmas[i - 1])) / h
            x = x + 0.5 * gain * (denoised - before) / r
        x = x + noise(sigma, following) * following * (1 - torch.exp(-2 * h)).sqrt()
        before = denoised
    return x


def dpmpp_3m_sde(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:
    estimates: list[Tensor] = []
    for i in range(len(sigmas) - 1):
        sigma, following = sigmas[i], sigmas[i + 1]
        estimates.append(denoise(x, sigma))
        if following == 0:
            return estimates[-1]
        h = _t(following) - _t(sigma)
        x = torch.exp(-2 * h) * x + (1 - torch.exp(-2 * h)) * estimates[-1]
        phi_2 = torch.expm1(-2 * h) / (2 * h) + 1
        phi_3 = phi_2 / (2 * h) - 0.5
        if i >= 1:
            r_0 = (_t(sigma) - _t(sigmas[i - 1])) / h
            d_0 = (estimates[-1] - estimates[-2]) / r_0
            if i == 1:
                x = x + phi_2 * d_0
            else:
                r_1 = (_t(sigmas[i - 1]) - _t(sigmas[i - 2])) / h
                d_1 = (estimates[-2] - estimates[-3]) / r_1
                slope = d_0 + (d_0 - d_1) * r_0 / (r_0 + r_1)
                x = x + phi_2 * slope - phi_3 * (d_0 - d_1) / (r_0 + r_1)
        x = x + noise(sigma, following) * following * (1 - torch.exp(-2 * h)).sqrt()
    return x


def heunpp2(denoise: Denoise, x: Tensor, sigmas: Tensor) -> Tensor:
    for i in range(len(sigmas) - 1):
        d_1 = (x - denoise(x, sigmas[i])) / sigmas[i]
        dt = sigmas[i + 1] - sigmas[i]
        if sigmas[i + 1] == 0:
            x = x + d_1 * dt
            continue
        x_2 = x + d_1 * dt
        d_2 = (x_2 - denoise(x_2, sigmas[i + 1])) / sigmas[i + 1]
        if sigmas[i + 2] == 0:
            weight = sigmas[i + 1] / (2 * sigmas[0])
            x = x + ((1 - weight) * d_1 + weight * d_2) * dt
            continue
        x_3 = x_2 + d_2 * (sigmas[i + 2] - sigmas[i + 1])
        d_3 = (x_3 - denoise(x_3, sigmas[i + 2])) / sigmas[i + 2]
        w_2, w_3 = sigmas[i + 1] / (3 * sigmas[0]), sigmas[i + 2] / (3 * sigmas[0])
        x = x + ((1 - w_2 - w_3) * d_1 + w_2 * d_2 + w_3 * d_3) * dt
    return x


def ddpm(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:
    """Ho et al., algorithm 2, in their coordinates: x is scaled to keep its variance."""
    for sigma, following in pairwise(sigmas):
        eps = (x - denoise(x, sigma)) / sigma
        alpha_bar, alpha_bar_next = 1 / (1 + sigma**2), 1 / (1 + following**2)
        alpha = alpha_bar / alpha_bar_next
        scaled = x * alpha_bar.sqrt()
        mean = (scaled - (1 - alpha) / (1 - alpha_bar).sqrt() * eps) / alpha.sqrt()
        if following > 0:
            mean = mean + ((1 - alpha) * (1 - alpha_bar_next) / (1 - alpha_bar)).sqrt() * noise(sigma, following)
        x = mean / alpha_bar_next.sqrt()
    return x


def lcm(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:
    for sigma, following in pairwise(sigmas):
        x = denoise(x, sigma)
        if following > 0:
            x = x + following * noise(sigma, following)
    return x


def res_multistep_ancestral(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: Noise | None) -> Tensor:
    """With the φ functions of the paper: φ₁(z) = (eᶻ − 1) / z, φ₂(z) = (φ₁(z) − 1) / z."""
    before, down_before = None, None
    for i in range(len(sigmas) - 1):
        sigma, following = sigmas[i], sigmas[i + 1]
        denoised = denoise(x, sigma)
        down, up = _split(sigma, following) if noise else (following, following * 0)
        if before is None or down == 0:
            x = x + (x - denoised) / sigma * (down - sigma)
        else:
            h = _t(down) - _t(sigma)
            c_2 = (_t(sigmas[i - 1]) - _t(down_before)) / h
            phi_1 = torch.expm1(-h) / -h
            phi_2 = (phi_1 - 1) / -h
            x = torch.exp(-h) * x + h * ((phi_1 - phi_2 / c_2) * denoised + phi_2 / c_2 * before)
        if noise and following > 0:
            x = x + noise(sigma, following) * up
        before, down_before = denoised, down
    return x


def res_multistep(denoise: Denoise, x: Tensor, sigmas: Tensor) -> Tensor:
    return res_multistep_ancestral(denoise, x, sigmas, None)


def euler_ancestral_cfg_pp(both: Both, x: Tensor, sigmas: Tensor, noise: Noise | None) -> Tensor:
    """CFG++, algorithm 2: the noise of the unguided estimate, added to the guided one."""
    for sigma, following in pairwise(sigmas):
        guided, unguided = both(x, sigma)
        down, up = _split(sigma, following) if noise else (following, following * 0)
        x = guided + down * (x - unguided) / sigma
        if noise and following > 0:
            x = x + up * noise(sigma, following)
    return x


def euler_cfg_pp(both: Both, x: Tensor, sigmas: Tensor) -> Tensor:
    return euler_ancestral_cfg_pp(both, x, sigmas, None)


def dpmpp_2m_cfg_pp(both: Both, x: Tensor, sigmas: Tensor) -> Tensor:
    before = None
    for i in range(len(sigmas) - 1):
        guided, unguided = both(x, sigmas[i])
        if sigmas[i + 1] == 0:
            return guided
        h = _t(sigmas[i + 1]) - _t(sigmas[i])
        x = guided + torch.exp(-h) * (x - unguided)
        if before is not None:
            r = (_t(sigmas[i]) - _t(sigmas[i - 1])) / h
            x = x - torch.expm1(-h) / (2 * r) * (guided - before)
        before = unguided
    return x


def res_multistep_cfg_pp(both: Both, x: Tensor, sigmas: Tensor) -> Tensor:
    before = None
    for i in range(len(sigmas) - 1):
        guided, unguided = both(x, sigmas[i])
        if sigmas[i + 1] == 0:
            return guided
        h = _t(sigmas[i + 1]) - _t(sigmas[i])
        if before is None:
            x = guided + torch.exp(-h) * (x - unguided)
        else:
            c_2 = (_t(sigmas[i - 1]) - _t(sigmas[i])) / h
            phi_1 = torch.expm1(-h) / -h
            phi_2 = (phi_1 - 1) / -h
            shifted = x + guided - unguided
            x = torch.exp(-h) * shifted + h * ((phi_1 - phi_2 / c_2) * unguided + phi_2 / c_2 * before)
        before = unguided
    return x


def gradient_estimation(denoise: Denoise, x: Tensor, sigmas: Tensor) -> Tensor:
    before = None
    for sigma, following in pairwise(sigmas):
        eps = (x - denoise(x, sigma)) / sigma
        mean = eps if before is None or following == 0 else 2 * eps - before
        x, before = x + (following - sigma) * mean, eps
    return x


def ipndm(denoise: Denoise, x: Tensor, sigmas: Tensor) -> Tensor:
    eps: list[Tensor] = []
    for sigma, following in pairwise(sigmas):
        denoised = denoise(x, sigma)
        if following == 0:
            return denoised
        eps = [(x - denoised) / sigma, *eps]
        if len(eps) == 1:
            mean = eps[0]
        elif len(eps) == 2:
            mean = (3 * eps[0] - eps[1]) / 2
        elif len(eps) == 3:
            mean = (23 * eps[0] - 16 * eps[1] + 5 * eps[2]) / 12
        else:
            mean = (55 * eps[0] - 59 * eps[1] + 37 * eps[2] - 9 * eps[3]) / 24
        x = x + (following - sigma) * mean
    return x


def ipndm_v(denoise: Denoise, x: Tensor, sigmas: Tensor) -> Tensor:
    """With the two expressions as AMED-Solver's authors publish them, by Newton's divided differences otherwise."""
    eps: list[Tensor] = []
    for i in range(len(sigmas) - 1):
        denoised = denoise(x, sigmas[i])
        if sigmas[i + 1] == 0:
            return denoised
        eps = [(x - denoised) / sigmas[i], *eps]
        h = [sigmas[i + 1 - k] - sigmas[i - k] for k in range(min(i, 3) + 1)]
        mean = eps[0]
        if i >= 1:
            mean = mean + h[0] / (2 * h[1]) * (eps[0] - eps[1])
        a = b = eps[0]
        if i >= 2:
            a, b = eps[0] - eps[1], h[1] / h[2] * (eps[1] - eps[2])
            bracket = h[0] * (h[0] + h[1]) / (h[1] * (h[1] + h[2]))
            mean = mean + (1 - h[0] / (3 * (h[0] + h[1])) * bracket) / 2 * (a - b)
        if i >= 3:
            q = h[1] * (h[1] + h[2]) / (h[2] * (h[2] + h[3]))
            c = q * (eps[1] - eps[2]) - q * h[2] / h[3] * eps[2] + q * h[1] / h[2] * eps[3]
            outer = (1 - h[0] / (3 * (h[0] + h[1]))) / 2
            inner = (1 - h[0] / (2 * (h[0] + h[1]))) * h[0] / (6 * (h[0] + h[1] + h[2]))
            up, under = h[0] * (h[0] + h[1]) * (h[0] + h[1] + h[2]), h[1] * (h[1] + h[2]) * (h[1] + h[2] + h[3])
            mean = mean + (outer + inner) * up / under * (a - b - c)
        x = x + h[0] * mean
    return x


def dpmpp_2s_ancestral_cfg_pp(both: Both, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:
    """As others publish it: the second half starts at the first guided and the second unguided estimate."""
    for sigma, following in pairwise(sigmas):
        down, up = _split(sigma, following)
        guided, unguided = both(x, sigma)
        if following == 0:
            x = guided
            continue
        middle = torch.exp(-(_t(sigma) + _t(down)) / 2)
        halfway = _toward(x + guided - unguided, guided, sigma, middle)
        guided_halfway, unguided_halfway = both(halfway, middle)
        x = _toward(x + guided - unguided_halfway, guided_halfway, sigma, down) + noise(sigma, following) * up
    return x


def seeds_2(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:
    """With two noises a step, for the two halves of its way in log σ."""
    for sigma, following in pairwise(sigmas):
        denoised = denoise(x, sigma)
        if following == 0:
            return denoised
        h = _t(following) - _t(sigma)
        middle = torch.exp(-(_t(sigma) + h / 2))
        first = noise(sigma, middle) * (1 - torch.exp(-h)).sqrt()
        second = noise(middle, following) * (1 - torch.exp(-h)).sqrt()
        x_1 = torch.exp(-h) * x + (1 - torch.exp(-h)) * denoised + middle * first
        denoised_1 = denoise(x_1, middle)
        x = torch.exp(-2 * h) * x + (1 - torch.exp(-2 * h)) * denoised_1
        x = x + following * (torch.exp(-h / 2) * first + second)
    return x


def dpm_fast(denoise: Denoise, x: Tensor, sigmas: Tensor) -> Tensor:
    """DPM-Solver-fast for 3 k + 2 evaluations."""

    def eps(x: Tensor, t: Tensor) -> Tensor:
        return (x - denoise(x, torch.exp(-t))) / torch.exp(-t)

    steps = (len(sigmas) - 1) // 3 + 1
    times = torch.linspace(float(_t(sigmas[0])), float(_t(sigmas[-2])), steps + 1, dtype=x.dtype)
    for index, (s, t) in enumerate(pairwise(times)):
        h = t - s
        if index < steps - 1:
            s_1, s_2 = s + h / 3, s + h * 2 / 3
            start = eps(x, s)
            u_1 = x - torch.exp(-s_1) * torch.expm1(h / 3) * start
            d_1 = eps(u_1, s_1) - start
            u_2 = x - torch.exp(-s_2) * torch.expm1(h * 2 / 3) * start
            u_2 = u_2 - torch.exp(-s_2) * 2 * (torch.expm1(h * 2 / 3) / (h * 2 / 3) - 1) * d_1
            d_2 = eps(u_2, s_2) - start
            x = x - torch.exp(-t) * torch.expm1(h) * start - torch.exp(-t) * 1.5 * (torch.expm1(h) / h - 1) * d_2
        else:
            u = x - torch.exp(-(s + h / 2)) * torch.expm1(h / 2) * eps(x, s)
            x = x - torch.exp(-t) * torch.expm1(h) * eps(u, s + h / 2)
    return x
