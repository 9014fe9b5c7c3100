"""Layers shared by the networks."""

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor


def attention(q: Tensor, k: Tensor, v: Tensor, heads: int, mask: Tensor | None = None, causal: bool = False) -> Tensor:
    """Scaled dot-product attention with several heads, arXiv:1706.03762 Eq. 1.

    q is (b, n, heads·d); k and v are (b, m, heads·d); the result has q's shape. The mask is added to the scores.
    """
    q, k, v = (rearrange(t, "b n (heads d) -> b heads n d", heads=heads) for t in (q, k, v))
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
    return rearrange(out, "b heads n d -> b n (heads d)")


def sinusoidal_embedding(values: Tensor, dim: int, max_period: float = 10000.0) -> Tensor:
    """Embeds each number as dim / 2 cosines, then dim / 2 sines: (b,) → (b, dim) in float32. arXiv:1706.03762 § 3.5."""
    half = dim // 2
    exponents = torch.arange(half, dtype=torch.float32, device=values.device) / half
    angles = values[:, None].float() * torch.exp(-math.log(max_period) * exponents)
    return torch.cat([angles.cos(), angles.sin()], dim=-1)
