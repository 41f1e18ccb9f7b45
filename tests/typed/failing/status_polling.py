"""What does not go together in a StatusPoll."""

# pyright: strict

from __future__ import annotations

from more_executors import PollDescriptor
from more_executors.status_poll import StatusPoll


def by_number(ids: list[int]) -> list[bytes]:
    return [bytes(task_id) for task_id in ids]


async def by_number_awaited(ids: list[int]) -> list[bytes]:
    return by_number(ids)


def mapping(ids: list[int]) -> dict[int, bytes]:
    return {task_id: bytes(task_id) for task_id in ids}


def key(status: bytes) -> int:
    return len(status)


def key_of_text(status: str) -> int:
    return len(status)


def text_key(status: bytes) -> str:
    return status.decode()


def resolve(descriptor: PollDescriptor[int, str], status: bytes) -> None:
    descriptor.yield_result(status.decode())


def resolve_text(descriptor: PollDescriptor[int, str], status: str) -> None:
    descriptor.yield_result(status)


StatusPoll(by_number, key, resolve)
StatusPoll(by_number_awaited, key, resolve)
StatusPoll(mapping, None, resolve)

StatusPoll(by_number, None, resolve)  # wrong: a list needs a key
StatusPoll(by_number, key_of_text, resolve)  # wrong: another type of status
StatusPoll(by_number, text_key, resolve)  # wrong: another type of id
StatusPoll(by_number, key, resolve_text)  # wrong: another type of status
StatusPoll(by_number_awaited, key, resolve_text)  # wrong: another type of status
StatusPoll(mapping, None, resolve_text)  # wrong: another type of status
StatusPoll(by_number, key, resolve, id=str)  # wrong: another type of id
StatusPoll(by_number, key, resolve, missing_after="soon")  # wrong: no number
