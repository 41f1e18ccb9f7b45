"""The client with coroutines, which share one session, instead of threads that have one each."""

from __future__ import annotations

import asyncio
import time
from operator import itemgetter
from typing import Any

import aiohttp
from more_executors import RateLimit, StatusPoll, Throttled
from more_executors.journal import StartInDoubt

from client import TIMEOUT, NotSentError, TaskStatus, checked
from metering import MeteredClient
from patience import UnavailableError

AT_ONCE = 100
"""How many requests may go on at a time. More would only wait in the service."""


class AsyncClient:
    """Publishes, searches and finds by coroutines, for a ``client`` that resolves the futures, and counts.

    ``open`` and ``close`` belong to the event loop of an executor: its ``open_fn`` and ``close_fn``.
    """

    def __init__(
        self, client: MeteredClient, url: str, publish_limit: RateLimit, missing_after: float
    ) -> None:
        self.poll: StatusPoll[str, TaskStatus] = StatusPoll(
            self.search, itemgetter("task_id"), client.resolve, missing_after=missing_after
        )
        self._client = client
        self._url = url
        self._publish_limit = publish_limit

    async def open(self) -> None:
        """Open the session."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=AT_ONCE), timeout=aiohttp.ClientTimeout(TIMEOUT)
        )

    async def close(self) -> None:
        """Close it."""
        await self._session.close()

    async def publish(self, object_id: str) -> str:
        """As ``PublishClient.publish``."""
        while seconds := self._publish_limit.try_take():
            await asyncio.sleep(seconds)
        began = time.monotonic()
        try:
            answer = await self._ask("POST", f"/object/{object_id}/publish")
        except Throttled as throttled:
            self._publish_limit.throttled(began, throttled.retry_after)
            raise
        except NotSentError:
            raise
        except UnavailableError as error:
            raise StartInDoubt(object_id) from error
        self._publish_limit.succeeded(began)
        self._client.note_published()
        return str(answer["task_id"])

    async def find(self, object_ids: list[str]) -> dict[str, str]:
        """As ``PublishClient.find``."""
        tasks = await self._ask("POST", "/tasks/find", json=object_ids)
        found = {task["object_id"]: task["task_id"] for task in tasks}
        self._client.note_found(len(object_ids), len(found))
        return found

    async def search(self, task_ids: list[str]) -> list[TaskStatus]:
        """As ``PublishClient.search``."""
        self._client.note_search(len(task_ids))
        tasks: list[TaskStatus] = await self._ask("POST", "/tasks/search", json=task_ids)
        return tasks

    async def _ask(self, method: str, path: str, **details: Any) -> Any:
        try:
            async with self._session.request(method, self._url + path, **details) as response:
                answer = await response.json()
        except aiohttp.ClientConnectorError as error:
            raise NotSentError(f"no answer: {type(error).__name__}") from None
        except (aiohttp.ClientError, asyncio.TimeoutError, ValueError) as error:
            raise UnavailableError(f"no answer: {type(error).__name__}") from None
        return checked(response.status, response.headers, answer)
