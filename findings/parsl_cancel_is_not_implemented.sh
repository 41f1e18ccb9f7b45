#!/usr/bin/env bash
# parsl 2026.10.26: cancel() of an AppFuture, a concurrent.futures.Future, raises NotImplementedError instead of
# returning False. asyncio.wrap_future calls it when its own future is cancelled: the error goes to the loop's handler.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check parsl==2026.10.26
cd "$folder"
venv/bin/python - <<'PROGRAM'
import asyncio
import concurrent.futures

from parsl.dataflow.futures import AppFuture

future = AppFuture.__new__(AppFuture)
concurrent.futures.Future.__init__(future)
try:
    future.cancel()
except NotImplementedError as error:
    print("cancel() raises", repr(error))
else:
    raise SystemExit("it answers now")


async def main():
    heard = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: heard.append(context["exception"]))
    try:
        await asyncio.wait_for(asyncio.wrap_future(future), 0.05)
    except (asyncio.TimeoutError, TimeoutError) as error:
        print("wait_for raises", type(error).__name__)
    await asyncio.sleep(0)
    print("the loop's handler got", heard)
    assert any(isinstance(error, NotImplementedError) for error in heard)


asyncio.run(main())
PROGRAM
