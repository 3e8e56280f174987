"""The consumer leaves before the end."""

import asyncio
import gc

import anyio

from miharu.exchange import End

from .server import EVENTS
from .world import World, scenario


@scenario("closed")
async def early_break(w: World) -> None:
    async with w.client() as client:
        async with w.stream(client, w.url("stream"), json={}) as response:
            async for chunk in w.each(response):
                w.note(chunk)
                break
            w.note_response(response)
        w.note_response(response)


@scenario("closed")
async def early_break_from_lines(w: World) -> None:
    async with w.client() as client:
        async with w.stream(client, w.url("stream"), json={}) as response:
            async for line in w.each(response, "lines"):
                w.note(line)
                break
        w.note_response(response)


@scenario("closed")
async def break_and_read_on(w: World) -> None:
    async with w.client() as client, w.stream(client, w.url("stream"), json={}) as response:
        async for _ in w.each(response):
            break
        with w.failing():
            await w.read(response)
        w.note_response(response)


@scenario("closed")
async def close_mid_stream(w: World) -> None:
    async with w.client() as client:
        response = await w.send(client, w.url("stream"))
        chunks = w.each(response)
        w.note(await anext(chunks))
        await w.close(response)
        w.note_response(response)
        with w.failing():
            await anext(chunks)


@scenario("closed")
async def close_unread(w: World) -> None:
    async with w.client() as client:
        response = await w.send(client, w.url("stream"))
        await w.close(response)
        await w.close(response)
        w.note_response(response)


@scenario("closed")
async def user_exception(w: World) -> None:
    async with w.client() as client:
        with w.failing():
            async with w.stream(client, w.url("stream"), json={}) as response:
                async for chunk in w.each(response):
                    raise ValueError(len(chunk))
        w.note_response(response)


@scenario("dropped")
async def never_read(w: World) -> None:
    async with w.client() as client:
        response = await w.send(client, w.url("stream"))
        w.note_response(response)
        del response
        gc.collect()
        await w.settle()


@scenario("closed")
async def partly_read_then_dropped(w: World) -> None:
    async with w.client() as client:
        response = await w.send(client, w.url("stream"))
        chunks = w.each(response)
        w.note(await anext(chunks))
        del response, chunks
        gc.collect()
        await w.settle()


FIFTY: tuple[End, ...] = ("closed",) * 50


@scenario(*FIFTY)
async def fifty_early_breaks_on_a_small_pool(w: World) -> None:
    """A connection that leaked would leave the next request without one."""
    limits = w.library.Limits(max_connections=2, max_keepalive_connections=1)
    async with w.client(limits=limits, timeout=5) as client:
        for _ in range(50):
            async with w.stream(client, w.url("stream"), json={}) as response:
                async for _chunk in w.each(response):
                    break
        w.note_response(response)


async def _cancelled(w: World, script: str) -> None:
    async with w.client() as client:
        async with anyio.create_task_group() as tasks:

            async def call() -> None:
                try:
                    async with w.stream(client, w.url(script), json={}) as response:
                        async for chunk in w.each(response):
                            w.note(chunk)
                            tasks.cancel_scope.cancel()
                except BaseException as error:
                    w.note(f"{type(error).__module__}.{type(error).__qualname__}")
                    raise

            tasks.start_soon(call)
            if script == "silent":
                await anyio.to_thread.run_sync(w.server.arrived.wait)
                tasks.cancel_scope.cancel()
        w.note("went on")
        await w.settle()
        w.note_pool(client)


@scenario("cancelled", colours=("asyncio", "trio"))
async def cancel_before_headers(w: World) -> None:
    await _cancelled(w, "silent")


@scenario("cancelled", colours=("asyncio", "trio"))
async def cancel_mid_stream(w: World) -> None:
    await _cancelled(w, "stream")


@scenario("cancelled", colours=("asyncio",))
async def task_cancelled_mid_stream(w: World) -> None:
    async with w.client() as client:
        started = asyncio.Event()

        async def call() -> None:
            async with w.stream(client, w.url("stream"), json={}) as response:
                async for chunk in w.each(response):
                    w.note(chunk)
                    started.set()

        task = asyncio.create_task(call())
        await started.wait()
        await asyncio.sleep(0)
        task.cancel("enough")
        try:
            await task
        except asyncio.CancelledError as error:
            w.note(error.args, task.cancelled())


@scenario("cancelled", colours=("asyncio",))
async def asyncio_timeout_mid_stream(w: World) -> None:
    async with w.client() as client:
        with w.failing():
            async with asyncio.timeout(None) as limit:
                async with w.stream(client, w.url("stream"), json={}) as response:
                    async for chunk in w.each(response):
                        w.note(chunk)
                        limit.reschedule(asyncio.get_running_loop().time())
        w.note_response(response)


@scenario("cancelled", colours=("asyncio", "trio"))
async def move_on_mid_stream(w: World) -> None:
    async with w.client() as client:
        with anyio.move_on_after(60) as scope:
            async with w.stream(client, w.url("stream"), json={}) as response:
                async for chunk in w.each(response):
                    w.note(chunk)
                    scope.deadline = anyio.current_time()
        w.note(scope.cancelled_caught)
        w.note_response(response)


@scenario("eof", colours=("asyncio", "trio"))
async def two_at_once_one_cancelled_late(w: World) -> None:
    """A cancellation after the last chunk changes nothing: the answer was complete."""
    w.server.step(len(EVENTS))
    async with w.client() as client:
        with anyio.CancelScope() as scope:
            async with w.stream(client, w.url("stream"), json={}) as response:
                w.note(await w.read(response))
                scope.cancel()
        w.note_response(response)
