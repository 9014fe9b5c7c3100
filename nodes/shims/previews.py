"""`latent_preview`: what shows the progress of a pack's own sampling."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from nodes.previews import previewer
from nodes.shims.cli_args import LatentPreviewMethod
from nodes.v1.model import ForeignModel
from nodes.v1.runtime import Runtime

MAX_PREVIEW_RESOLUTION = 512


class Previews:
    """The functions of the module for one worker."""

    MAX_PREVIEW_RESOLUTION = MAX_PREVIEW_RESOLUTION
    LatentPreviewMethod = LatentPreviewMethod

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def prepare_callback(
        self, model: ForeignModel, steps: int, x0_output_dict: dict[str, Any] | None = None
    ) -> Callable[[int, Tensor, Tensor, int], None]:
        """What is called after every step: it tells the progress, with a preview if the job wants one."""
        context = self._runtime.context
        preview = previewer(context, model.ours.latent_format)

        def tell(step: int, x0: Tensor, x: Tensor, total_steps: int) -> None:
            if x0_output_dict is not None:
                x0_output_dict["x0"] = x0
            context.progress(step + 1, total_steps, preview(x0) if preview else None)

        return tell

    def get_previewer(self, device: Any, latent_format: Any) -> None:
        """None: previews are made by prepare_callback."""
        return None
