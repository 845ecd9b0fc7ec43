"""The pool, with connections that only count."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from crowsfoot.drivers.pool import Pool
from crowsfoot.errors import InterfaceError, OperationalError


class Fake:
    def __init__(self) -> None:
        self.closed = self.needs_reset = self.abandoned = False
        self.resets = 0
        self.reset_fails: BaseException | None = None

    async def reset(self) -> None:
        await asyncio.sleep(0)
        if self.reset_fails:
            raise self.reset_fails
        self.resets += 1
        self.needs_reset = False

    async def close(self) -> None:
        self.closed = True

    def abandon(self) -> None:
        self.abandoned = self.closed = True


class Maker:
    def __init__(self) -> None:
        self.made: list[Fake] = []
        self.fails = 0

    async def __call__(self) -> Any:
        await asyncio.sleep(0)
        if self.fails:
            self.fails -= 1
            raise OperationalError("no server")
        self.made.append(Fake())
        return self.made[-1]


def test_the_connection_used_last_is_handed_out_first_and_nothing_is_sent() -> None:
    async def main() -> None:
        pool = Pool(maker := Maker(), 3)
        one, two = await pool.acquire(), await pool.acquire()
        await pool.release(one)
        await pool.release(two)
        assert await pool.acquire() is two
        assert [fake.resets for fake in maker.made] == [0, 0]

    asyncio.run(main())


def test_many_tasks_share_few_connections_in_the_order_they_came() -> None:
    async def main() -> None:
        pool = Pool(maker := Maker(), 2)
        order: list[int] = []

        async def work(number: int) -> None:
            connection = await pool.acquire()
            order.append(number)
            await asyncio.sleep(0)
            await pool.release(connection)

        await asyncio.gather(*(work(number) for number in range(50)))
        assert len(maker.made) == 2
        assert order == sorted(order)

    asyncio.run(main())


def test_a_newcomer_does_not_overtake_who_waits() -> None:
    async def main() -> None:
        pool = Pool(Maker(), 1)
        connection = await pool.acquire()
        waiting = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        await pool.release(connection)
        newcomer = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0.01)
        assert waiting.done()
        assert not newcomer.done()
        await pool.release(await waiting)
        assert await newcomer is connection

    asyncio.run(main())


def test_a_dirty_connection_is_reset_and_a_broken_one_replaced() -> None:
    async def main() -> None:
        pool = Pool(maker := Maker(), 1)
        one: Any = await pool.acquire()
        one.needs_reset = True
        await pool.release(one)
        assert one.resets == 1
        assert await pool.acquire() is one
        one.needs_reset, one.reset_fails = True, OperationalError("gone")
        await pool.release(one)
        assert one.abandoned
        two: Any = await pool.acquire()
        assert two is not one
        two.closed = True
        await pool.release(two)
        three: Any = await pool.acquire()
        await pool.release(three)
        three.closed = True  # while it lay idle
        assert await pool.acquire() not in (one, two, three)
        assert len(maker.made) == 4

    asyncio.run(main())


def test_the_place_of_a_closed_connection_goes_to_who_waits() -> None:
    async def main() -> None:
        pool = Pool(maker := Maker(), 1)
        one: Any = await pool.acquire()
        waiting = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        one.closed = True
        await pool.release(one)
        assert await waiting is maker.made[1]

    asyncio.run(main())


def test_a_failed_open_gives_its_place_to_the_next() -> None:
    async def main() -> None:
        pool = Pool(maker := Maker(), 1)
        maker.fails = 1
        results = await asyncio.gather(pool.acquire(), pool.acquire(), return_exceptions=True)
        assert isinstance(results[0], OperationalError)
        assert results[1] is maker.made[0]

    asyncio.run(main())


@pytest.mark.parametrize("steps", range(6))
def test_cancelling_a_waiter_at_any_moment_loses_no_connection(steps: int) -> None:
    async def main() -> None:
        pool = Pool(maker := Maker(), 1)
        connection = await pool.acquire()
        waiters = [asyncio.create_task(pool.acquire()) for _ in range(3)]
        await asyncio.sleep(0)
        if steps % 2:
            await pool.release(connection)
        for _ in range(steps // 2):
            await asyncio.sleep(0)
        waiters[0].cancel()
        if not steps % 2:
            await pool.release(connection)
        await asyncio.sleep(0.01)
        if not waiters[0].cancelled():
            await pool.release(await waiters[0])
        await pool.release(await asyncio.wait_for(waiters[1], 1))
        await pool.release(await asyncio.wait_for(waiters[2], 1))
        assert len(maker.made) == 1

    asyncio.run(main())


def test_a_release_that_is_cancelled_gives_its_place_on() -> None:
    async def main() -> None:
        pool = Pool(maker := Maker(), 1)
        one: Any = await pool.acquire()
        one.needs_reset, one.reset_fails = True, asyncio.CancelledError()
        with pytest.raises(asyncio.CancelledError):
            await pool.release(one)
        assert one.abandoned
        assert await pool.acquire() is maker.made[1]

    asyncio.run(main())


def test_a_foreign_or_double_release_is_refused() -> None:
    async def main() -> None:
        pool = Pool(maker := Maker(), 1)
        connection = await pool.acquire()
        await pool.release(connection)
        with pytest.raises(InterfaceError):
            await pool.release(connection)
        with pytest.raises(InterfaceError):
            await pool.release(await maker())

    asyncio.run(main())


def test_each_event_loop_has_connections_of_its_own_and_a_dead_loops_are_dropped() -> None:
    pool = Pool(maker := Maker(), 2)

    async def use(keep: bool) -> None:
        connection = await pool.acquire()
        if not keep:
            await pool.release(connection)

    for keep in (False, True, False):
        asyncio.run(use(keep))
    assert [fake.abandoned for fake in maker.made] == [True, True, False]


def test_loops_in_several_threads_at_once() -> None:
    pool = Pool(maker := Maker(), 2)

    async def use() -> None:
        for _ in range(50):
            connection = await pool.acquire()
            await asyncio.sleep(0)
            await pool.release(connection)

    threads = [threading.Thread(target=asyncio.run, args=(use(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(maker.made) == 4


def test_close() -> None:
    async def main() -> None:
        pool = Pool(maker := Maker(), 2)
        taken, idle = await pool.acquire(), await pool.acquire()
        await pool.release(idle)
        again = await pool.acquire()
        waiting = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        await pool.close()
        with pytest.raises(InterfaceError):
            await waiting
        await pool.release(taken)
        await pool.release(again)
        assert [fake.closed for fake in maker.made] == [True, True]
        fresh = await pool.acquire()
        await pool.release(fresh)
        await pool.close()
        assert fresh.closed

    asyncio.run(main())
