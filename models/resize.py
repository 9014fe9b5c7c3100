"""Resizing of latents and pictures as tensors (b, c, h, w)."""

from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

ResizeMethod = Literal["nearest-exact", "bilinear", "area", "bicubic", "bislerp"]
ImageResizeMethod = Literal["nearest-exact", "bilinear", "area", "bicubic", "lanczos"]


def resize_latent(x: Tensor, width: int, height: int, method: ResizeMethod, center: bool) -> Tensor:
    """Resizes (b, c, h, w) to the given sides; `center` first cuts the longer axis so that the shape is kept."""
    if center:
        x = _center_cut(x, width, height)
    if method == "bislerp":
        return bislerp(x, width, height)
    return F.interpolate(x, size=(height, width), mode=method)


def resize_image(images: Tensor, width: int, height: int, method: ImageResizeMethod, center: bool = False) -> Tensor:
    """Resizes pictures (b, h, w, c); `center` first cuts the longer axis so that the shape is kept."""
    x = images.movedim(-1, 1)
    if center:
        x = _center_cut(x, width, height)
    if method == "lanczos":
        return lanczos(x, width, height).movedim(1, -1)
    return F.interpolate(x, size=(height, width), mode=method).movedim(1, -1)


def _center_cut(x: Tensor, width: int, height: int) -> Tensor:
    old_height, old_width = x.shape[-2:]
    old_ratio, new_ratio = old_width / old_height, width / height
    left = top = 0
    if old_ratio > new_ratio:
        left = round((old_width - old_width * (new_ratio / old_ratio)) / 2)
    elif old_ratio < new_ratio:
        top = round((old_height - old_height * (old_ratio / new_ratio)) / 2)
    return x[..., top : old_height - top, left : old_width - left]


def lanczos(x: Tensor, width: int, height: int) -> Tensor:
    """Resizes with Lanczos' windowed sinc, antialiased, in steps of 1/255: values are cut off to 8 bits before."""
    return torch.stack([_lanczos_picture(picture, width, height) for picture in x.movedim(1, -1)]).to(x)


def _lanczos_picture(picture: Tensor, width: int, height: int) -> Tensor:
    """One picture (h, w, c) → (c, height, width). PIL knows one, three and four channels; others go one by one."""
    channels = [picture] if picture.shape[-1] in (3, 4) else list(picture.split(1, dim=-1))
    parts: list[Tensor] = []
    for part in channels:
        levels = (part.cpu().float().numpy() * 255).clip(0, 255).astype(np.uint8)
        resized = Image.fromarray(levels.squeeze(-1) if levels.shape[-1] == 1 else levels).resize(
            (width, height), Image.Resampling.LANCZOS
        )
        parts.append(torch.from_numpy(np.asarray(resized, dtype=np.float32) / 255).reshape(height, width, -1))
    return torch.cat(parts, dim=-1).movedim(-1, 0)


def bislerp(x: Tensor, width: int, height: int) -> Tensor:
    """Resizes one axis after the other: a pixel's channel vector turns on the sphere, its length changes linearly."""
    x = _slerp_last_axis(x.float(), width)
    return _slerp_last_axis(x.transpose(-1, -2), height).transpose(-1, -2).to(x.dtype)


def _slerp_last_axis(x: Tensor, size: int) -> Tensor:
    left, right, ratio = _sample_points(x.shape[-1], size, x.device)
    return _slerp(x[..., left], x[..., right], ratio)


def _sample_points(old: int, new: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Returns, for each new pixel, its left and right neighbor among the old ones and the way between them, 0..1."""
    positions = torch.arange(old, dtype=torch.float32, device=device).reshape(1, 1, 1, -1)
    nearest = F.interpolate(positions, size=(1, new), mode="bilinear")[0, 0, 0]
    following = torch.arange(old, dtype=torch.float32, device=device).reshape(1, 1, 1, -1) + 1
    following[..., -1] -= 1
    after = F.interpolate(following, size=(1, new), mode="bilinear")[0, 0, 0]
    return nearest.long(), after.long(), nearest - nearest.floor()


def _slerp(a: Tensor, b: Tensor, ratio: Tensor) -> Tensor:
    length_a, length_b = a.norm(dim=1, keepdim=True), b.norm(dim=1, keepdim=True)
    unit_a = torch.where(length_a > 0, a / length_a, torch.zeros_like(a))
    unit_b = torch.where(length_b > 0, b / length_b, torch.zeros_like(b))
    cosine = (unit_a * unit_b).sum(dim=1, keepdim=True)
    angle = torch.acos(cosine)
    sine = torch.sin(angle)
    mixed = (torch.sin((1 - ratio) * angle) / sine) * unit_a + (torch.sin(ratio * angle) / sine) * unit_b
    mixed = mixed * (length_a * (1 - ratio) + length_b * ratio)
    mixed = torch.where(cosine > 1 - 1e-5, a, mixed)
    return torch.where(cosine < 1e-5 - 1, a * (1 - ratio) + b * ratio, mixed)
