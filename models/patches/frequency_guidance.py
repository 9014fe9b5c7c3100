"""FreSca: guidance with its coarse and fine structure scaled apart; arXiv:2504.02154."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from models.sampling.patches import Estimated, Round


@dataclass(frozen=True)
class FrequencyGuidance:
    """Scales guidance by `low` at frequencies below the cutoff, in pixels of the spectrum, and by `high` above."""

    low: float
    high: float
    cutoff: int

    def __call__(self, estimated: Estimated, of: Round) -> Estimated:
        if estimated.away is None:
            return estimated
        return replace(estimated, toward=estimated.away + self.scaled(estimated.toward - estimated.away))

    def scaled(self, x: Tensor) -> Tensor:
        """x (b c h w) with its frequencies scaled."""
        spectrum = torch.fft.fftshift(torch.fft.fftn(x.float(), dim=(-2, -1)), dim=(-2, -1))
        rows, columns = (_around_middle(side, self.cutoff) for side in x.shape[-2:])
        scale = torch.full(x.shape[-2:], self.high, device=x.device)
        scale[rows, columns] = self.low
        return torch.fft.ifftn(torch.fft.ifftshift(spectrum * scale, dim=(-2, -1)), dim=(-2, -1)).real.to(x.dtype)


def _around_middle(side: int, reach: int) -> slice:
    middle = side // 2
    return slice(middle - min(reach, middle), middle + min(reach, middle))
