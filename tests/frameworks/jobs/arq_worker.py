import asyncio
import os
from typing import Any

from arq.connections import RedisSettings

import miharu
from tests.frameworks.model import aask, ask

miharu.init()


async def resize(ctx: Any, user: str) -> None:
    miharu.context(user=user)
    await asyncio.gather(aask(f"arq.{user}"), asyncio.to_thread(ask, f"arq.{user}.thread"))


async def fail(ctx: Any) -> None:
    await aask("arq.fail")
    raise LookupError


class Worker:
    functions = (resize, fail)
    redis_settings = RedisSettings.from_dsn(os.environ.get("REDIS_URL", "redis://localhost"))
    max_tries = 1
    burst = True
