"""`comfy.ldm.modules.attention`: attention as packs call it from their patches."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from models.layers import attention


def optimized_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    heads: int,
    mask: Tensor | None = None,
    attn_precision: Any = None,
    skip_reshape: bool = False,
    skip_output_reshape: bool = False,
    **options: Any,
) -> Tensor:
    """Attention with several heads: (b, n, heads·d), or (b, heads, n, d) where a reshape is to be skipped."""
    if not skip_reshape:
        out = attention(q, k, v, heads, mask)
        return out.unflatten(-1, (heads, -1)).transpose(1, 2) if skip_output_reshape else out
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return out if skip_output_reshape else out.transpose(1, 2).flatten(2)


optimized_attention_masked = optimized_attention
attention_pytorch = optimized_attention
attention_basic = optimized_attention
attention_split = optimized_attention
attention_sub_quad = optimized_attention
attention_xformers = optimized_attention


def optimized_attention_for_device(device: Any, mask: bool = False, small_input: bool = False) -> Any:
    """The function that attends on a device."""
    return optimized_attention
