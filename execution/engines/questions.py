"""Questions to a worker, and the answers that come back by their numbers."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

from execution.messages import Command

LONGEST_ANSWER = 1.0
"""Seconds that a worker gets to answer; one whose node holds the interpreter cannot."""

LONGEST_CHECK = 10.0
"""Seconds that nodes get to check their inputs; what they have not said by then, they say when the job starts."""


class Questions:
    """The questions that are open. `tell` sends one to the worker. All methods are called on the event loop."""

    def __init__(self, tell: Callable[[Command], None]) -> None:
        self._tell = tell
        self._numbers = count()
        self._asked: dict[int, asyncio.Future[Any]] = {}

    async def ask(self, question: Callable[[int], Command], patience: float = LONGEST_ANSWER) -> Any:
        """The answer to a question, made with its number; None if none comes in so many seconds."""
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        self._tell(question(number))
        try:
            return await asyncio.wait_for(answer, patience)
        except TimeoutError:
            return None
        finally:
            del self._asked[number]

    def answer(self, number: int, answer: Any) -> None:
        """Hand an answer to whoever still waits for it."""
        if number in self._asked and not self._asked[number].done():
            self._asked[number].set_result(answer)

    def forget(self) -> None:
        """Leave all open questions without an answer: the worker is gone."""
        for number in list(self._asked):
            self.answer(number, None)
