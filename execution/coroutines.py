"""Node functions that are coroutines: they work while others do, on an event loop of the thread that runs the job."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

POLL = 0.05
"""Seconds between two looks at whether the job is to stop, while there is nothing to do but wait."""

LONGEST_FAREWELL = 5.0
"""Seconds that coroutines have to end once they are cancelled."""

Task = asyncio.Future[Any]


class Coroutines:
    """The event loop of one job, made when the first coroutine comes."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, work: Iterable[Any]) -> Task:
        """Begin to wait for all of these that are awaitable; the task gives them in their order."""

        async def gathered() -> list[Any]:
            return list(await asyncio.gather(*(_settled(one) for one in work)))

        return self._opened().create_task(gathered())

    def advance(self) -> None:
        """Let everything that has been started work until it waits again."""
        self._opened().run_until_complete(asyncio.sleep(0))

    def wait_for_one(self, tasks: Iterable[Task]) -> None:
        """Wait until one of the tasks has ended. Raises what the check raises."""
        waiting = list(tasks)
        done: set[Task] = set()
        while not done:
            self._check()
            first = asyncio.wait(waiting, timeout=POLL, return_when=asyncio.FIRST_COMPLETED)
            done, _ = self._opened().run_until_complete(first)

    def settle(self, awaitable: Any) -> Any:
        """The result of something awaitable, as soon as it is there."""
        task = self.start([awaitable])
        self.wait_for_one([task])
        return task.result()[0]

    def close(self) -> None:
        """Cancel what still works, and end the loop."""
        if self._loop is None:
            return
        loop, self._loop = self._loop, None
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks, timeout=LONGEST_FAREWELL))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    def _opened(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop


async def _settled(value: Any) -> Any:
    return await value if isinstance(value, Awaitable) else value
