"""Packs that end their worker as it loads them, or never come to an end, are left out from then on."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable

LOG = logging.getLogger(__name__)

SLOW = 10.0
"""Seconds from which on the log tells what everybody waits for."""

MOST_DEATHS = 2
"""How many workers a pack may end: one may have been ended by something else."""

UNTIL = "It is left out until Weft is started again."


class LeftOut:
    """The packs that no worker of this server loads any more. `reasons` tells why, by name.

    A pack gets `patience` seconds to load (0: as many as it likes).
    """

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.reasons: dict[str, str] = {}
        self._deaths: Counter[str] = Counter()

    def has_ended_a_worker(self, pack: str, how: str) -> bool:
        """Note a death; returns whether the pack is left out now."""
        self._deaths[pack] += 1
        if self._deaths[pack] >= MOST_DEATHS:
            self.reasons.setdefault(pack, f"The worker process ended twice as it loaded this pack: {how}. {UNTIL}")
        return pack in self.reasons

    def is_too_slow(self, pack: str) -> None:
        self.reasons[pack] = (
            f"It had not been loaded after {self.patience:g} seconds, the limit that --pack-timeout sets. {UNTIL}"
        )


class LoadingWatch:
    """Watches one worker load its packs; `end` ends the worker, for a reason."""

    def __init__(self, left_out: LeftOut, end: Callable[[str], None]) -> None:
        self._left_out = left_out
        self._end = end
        self._pack = ""
        self._timers: list[asyncio.TimerHandle] = []

    def begins(self, pack: str) -> None:
        """A pack's turn has come, or without a name nobody's any more."""
        self._stop()
        self._pack = pack
        if pack:
            later = asyncio.get_running_loop().call_later
            self._timers.append(later(SLOW, LOG.warning, "The pack %s takes long to load.", pack))
            if self._left_out.patience:
                self._timers.append(later(self._left_out.patience, self._too_slow))

    def worker_ended(self, how: str) -> bool:
        """The worker is gone; returns whether a pack was to blame that the next one leaves out."""
        self._stop()
        pack, self._pack = self._pack, ""
        return bool(pack) and self._left_out.has_ended_a_worker(pack, how)

    def _too_slow(self) -> None:
        self._left_out.is_too_slow(self._pack)
        self._end(f"the pack {self._pack} had not been loaded after {self._left_out.patience:g} seconds")

    def _stop(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
