"""`comfy.utils`: progress, resizing, files of tensors, and tiles."""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
import torch.nn.functional as F
from torch import Tensor

from models.loading.files import open_tensors
from models.resize import resize_image, resize_latent
from nodes.v1.runtime import Runtime

PREVIEW_QUALITY = 95


class ProgressBar:
    """Tells how far the node that makes it is; each update also stops the node if the job is to stop."""

    def __init__(self, runtime: Runtime, total: int, node_id: str | None = None) -> None:
        self._progress = runtime.context.progress
        self.total = total
        self.current = 0
        self.node_id = node_id

    def update_absolute(self, value: int, total: int | None = None, preview: Any = None) -> None:
        """Tells the progress, with a picture: a JPEG's bytes or ("JPEG", picture, longest side)."""
        if total is not None:
            self.total = total
        self.current = min(value, self.total)
        self._progress(self.current, self.total, jpeg_of(preview))

    def update(self, value: int) -> None:
        """Tells that so many more steps are done."""
        self.update_absolute(self.current + value)


def jpeg_of(preview: Any) -> bytes | None:
    """A preview as packs give it, as a JPEG."""
    if preview is None or isinstance(preview, bytes):
        return preview
    _, picture, longest = preview
    picture = picture.convert("RGB")
    if longest is not None:
        picture.thumbnail((longest, longest))
    stream = BytesIO()
    picture.save(stream, "JPEG", quality=PREVIEW_QUALITY)
    return stream.getvalue()


def common_upscale(samples: Tensor, width: int, height: int, upscale_method: Any, crop: str) -> Tensor:
    """Resizes (b, c, h, w), or (b, c, t, h, w) frame by frame; `crop` "center" first cuts the longer axis."""
    if samples.ndim == 5:
        frames = samples.movedim(2, 1).flatten(0, 1)
        resized = common_upscale(frames, width, height, upscale_method, crop)
        return resized.unflatten(0, (len(samples), -1)).movedim(1, 2)
    center = crop == "center"
    if upscale_method == "lanczos":
        return resize_image(samples.movedim(1, -1), width, height, upscale_method, center).movedim(-1, 1)
    return resize_latent(samples, width, height, upscale_method, center)


def lanczos(samples: Tensor, width: int, height: int) -> Tensor:
    """Resizes (b, c, h, w) in 0..1 with Lanczos's filter, in eight bits."""
    return common_upscale(samples, width, height, "lanczos", "disabled")


def bislerp(samples: Tensor, width: int, height: int) -> Tensor:
    """Resizes latents (b, c, h, w) along arcs between their vectors, so that these keep their lengths."""
    return common_upscale(samples, width, height, "bislerp", "disabled")


def load_torch_file(ckpt: str, safe_load: bool = True, device: Any = None, return_metadata: bool = False) -> Any:
    """The tensors of a model file, by key, in their own precision; pickled code is never run."""
    with open_tensors(Path(ckpt)) as file:
        tensors = {key: file.read(key) for key in file.shapes}
        metadata = dict(file.metadata)
    if device is not None:
        tensors = {key: tensor.to(device) for key, tensor in tensors.items()}
    return (tensors, metadata) if return_metadata else tensors


def save_torch_file(sd: Mapping[str, Tensor], ckpt: str, metadata: Mapping[str, str] | None = None) -> None:
    """Writes tensors as a safetensors file."""
    safetensors.torch.save_file(dict(sd), ckpt, metadata=None if metadata is None else dict(metadata))


def safetensors_header(safetensors_path: str, max_size: int = 100 << 20) -> bytes | None:
    """The JSON at the beginning of a safetensors file, which names its tensors; None if it is longer than that."""
    with Path(safetensors_path).open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        return file.read(size) if size <= max_size else None


def weight_dtype(sd: Mapping[str, Tensor], prefix: str = "") -> torch.dtype | None:
    """The precision of most numbers in the tensors whose keys begin with the prefix; None if there are none."""
    counts: Counter[torch.dtype] = Counter()
    for key, tensor in sd.items():
        if key.startswith(prefix):
            counts[tensor.dtype] += tensor.numel()
    return counts.most_common(1)[0][0] if counts else None


def calculate_parameters(sd: Mapping[str, Tensor], prefix: str = "") -> int:
    """How many numbers the tensors hold whose keys begin with the prefix."""
    return sum(tensor.nelement() for key, tensor in sd.items() if key.startswith(prefix))


def state_dict_prefix_replace(
    state_dict: dict[str, Any], replace_prefix: Mapping[str, str], filter_keys: bool = False
) -> dict[str, Any]:
    """Renames the keys that begin with a prefix, in place, or moves only these to a new dictionary."""
    out = {} if filter_keys else state_dict
    for prefix, new in replace_prefix.items():
        for key in [key for key in state_dict if key.startswith(prefix)]:
            out[new + key.removeprefix(prefix)] = state_dict.pop(key)
    return out


def state_dict_key_replace(state_dict: dict[str, Any], keys_to_replace: Mapping[str, str]) -> dict[str, Any]:
    """Renames keys, in place."""
    for old, new in keys_to_replace.items():
        if old in state_dict:
            state_dict[new] = state_dict.pop(old)
    return state_dict


def repeat_to_batch_size(tensor: Tensor, batch_size: int, dim: int = 0) -> Tensor:
    """Repeats or cuts a tensor to a length."""
    if tensor.shape[dim] >= batch_size:
        return tensor.narrow(dim, 0, batch_size)
    times = math.ceil(batch_size / tensor.shape[dim])
    return tensor.repeat([times if axis == dim else 1 for axis in range(tensor.ndim)]).narrow(dim, 0, batch_size)


def resize_to_batch_size(tensor: Tensor, batch_size: int) -> Tensor:
    """As many as asked for, chosen or repeated evenly from the first to the last."""
    have = len(tensor)
    if batch_size in (have, 0, 1):
        return tensor[:batch_size]
    if batch_size < have:
        chosen = torch.linspace(0, have - 1, batch_size).round()
    else:
        chosen = ((torch.arange(batch_size) + 0.5) * have / batch_size).floor()
    return tensor[chosen.long()]


def reshape_mask(input_mask: Tensor, output_shape: Sequence[int]) -> Tensor:
    """A mask (…, h, w) for every channel of a latent (b, c, h, w), resized and repeated to its shape."""
    mask = input_mask.reshape(-1, 1, *input_mask.shape[-2:])
    mask = F.interpolate(mask, tuple(output_shape[2:]), mode="bilinear")
    return repeat_to_batch_size(mask.expand(-1, output_shape[1], -1, -1), output_shape[0])


def get_attr(obj: Any, attr: str) -> Any:
    """The attribute at a dotted path."""
    for name in attr.split("."):
        obj = getattr(obj, name)
    return obj


def set_attr(obj: Any, attr: str, value: Any) -> Any:
    """Sets the attribute at a dotted path, and returns what was there."""
    *path, last = attr.split(".")
    owner = get_attr(obj, ".".join(path)) if path else obj
    before = getattr(owner, last, None)
    setattr(owner, last, value)
    return before


def set_attr_param(obj: Any, attr: str, value: Tensor) -> Any:
    """Sets the parameter at a dotted path, one that is not trained, and returns what was there."""
    return set_attr(obj, attr, torch.nn.Parameter(value, requires_grad=False))


def copy_to_param(obj: Any, attr: str, value: Tensor) -> None:
    """Writes into the parameter at a dotted path, in its own precision."""
    get_attr(obj, attr).data.copy_(value)


def get_tiled_scale_steps(width: int, height: int, tile_x: int, tile_y: int, overlap: int) -> int:
    """How many tiles a picture is cut into."""
    return math.prod(len(_starts(side, tile, overlap)) for side, tile in ((width, tile_x), (height, tile_y)))


def _starts(side: int, tile: int, overlap: int) -> list[int]:
    """Where tiles begin along one side, the last moved back so that it ends with the side."""
    if side <= tile:
        return [0]
    return sorted({min(start, side - tile) for start in range(0, side - overlap, max(1, tile - overlap))})


@torch.no_grad()
def tiled_scale(
    samples: Tensor,
    function: Callable[[Tensor], Tensor],
    tile_x: int = 64,
    tile_y: int = 64,
    overlap: int = 8,
    upscale_amount: float = 4,
    out_channels: int = 3,
    output_device: Any = "cpu",
    pbar: ProgressBar | None = None,
) -> Tensor:
    """Runs a function that enlarges pictures (b, c, h, w) on overlapping tiles, and joins what it makes by ramps."""
    height, width = samples.shape[-2:]
    size = (round(height * upscale_amount), round(width * upscale_amount))
    out = torch.zeros(len(samples), out_channels, *size, device=output_device)
    for index, picture in enumerate(samples.split(1)):
        total, weights = torch.zeros_like(out[:1]), torch.zeros_like(out[:1])
        for top, left in itertools.product(_starts(height, tile_y, overlap), _starts(width, tile_x, overlap)):
            made = function(picture[..., top : top + tile_y, left : left + tile_x]).to(output_device)
            weight = _feathered(made, round(overlap * upscale_amount))
            y, x = round(top * upscale_amount), round(left * upscale_amount)
            place = (..., slice(y, y + made.shape[-2]), slice(x, x + made.shape[-1]))
            total[place] += made * weight
            weights[place] += weight
            if pbar is not None:
                pbar.update(1)
        out[index] = (total / weights)[0]
    return out


def _feathered(tile: Tensor, width: int) -> Tensor:
    """Weights (1, 1, h, w) that rise from the edges of a tile over the overlap."""
    ramps = [_ramp(side, width).to(tile) for side in tile.shape[-2:]]
    return (ramps[0][:, None] * ramps[1][None, :])[None, None]


def _ramp(side: int, width: int) -> Tensor:
    distance = torch.minimum(torch.arange(side), torch.arange(side).flip(0)) + 1
    return (distance / max(1, width)).clamp(max=1)
