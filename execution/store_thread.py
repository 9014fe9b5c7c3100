"""The one thread that talks to the store, so that no disk ever holds up the event loop."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from execution.engine import StoppingError, StoreError, StoreFullError
from execution.store import Store, primary_code

T = TypeVar("T")
LARGEST_GROUP = 64


@dataclass(slots=True)
class _Order:
    action: Callable[[], Any]
    durable: bool
    future: "Future[Any]"
    result: Any = None


class StoreThread:
    """Runs actions on a store, those that wait together in one transaction: they share the wait for the disk."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._is_closed = False
        self._orders: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="store", daemon=True)
        self._thread.start()

    async def do(self, action: Callable[[], T], *, durable: bool = False) -> T:
        """Run the action in a transaction and return its result once that is committed. Raises StoreError."""
        if self._is_closed:
            raise StoppingError
        future: Future[T] = Future()
        self._orders.put(_Order(action, durable, future))
        return await asyncio.shield(asyncio.wrap_future(future))

    async def close(self) -> None:
        """Finish what was ordered, then close the store."""
        self._is_closed = True
        self._orders.put(None)
        await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        is_open = True
        while is_open:
            orders, is_open = self._next_group()
            if orders:
                self._fulfill(orders)
        self.store.close()

    def _next_group(self) -> tuple[list[_Order], bool]:
        """What waits, at least one order; False where the end was among it."""
        orders: list[_Order] = []
        while not orders or (len(orders) < LARGEST_GROUP and not self._orders.empty()):
            order = self._orders.get()
            if order is None:
                return orders, False
            orders.append(order)
        return orders, True

    def _fulfill(self, orders: list[_Order]) -> None:
        def run(order: _Order) -> Callable[[], None]:
            def act() -> None:
                order.result = order.action()

            return act

        try:
            self.store.transaction([run(order) for order in orders], any(order.durable for order in orders))
        except Exception as error:  # noqa: BLE001 - told to whoever ordered it
            self._fulfill_alone(orders, error)
            return
        for order in orders:
            order.future.set_result(order.result)

    def _fulfill_alone(self, orders: list[_Order], error: Exception) -> None:
        """One of a group has failed: try each by itself, so that it alone bears the fault."""
        if len(orders) > 1:
            for order in orders:
                self._fulfill([order])
        elif isinstance(error, sqlite3.Error):
            kind = StoreFullError if primary_code(error) == sqlite3.SQLITE_FULL else StoreError
            orders[0].future.set_exception(kind(f"The queue cannot be written to disk: {error}."))
        else:
            orders[0].future.set_exception(error)
