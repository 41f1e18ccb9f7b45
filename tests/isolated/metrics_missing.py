"""Without prometheus_client everything works, and nobody hears of it."""

import sys

sys.modules["prometheus_client"] = None  # it cannot be imported

from more_executors import Executors, f_map, f_return, f_timeout  # noqa: E402

with Executors.thread_pool(max_workers=1, name="some").with_map(str).with_retry().with_throttle(2) as executor:
    assert executor.with_timeout(60).submit(int).result(10) == "0"
with Executors.sync().with_poll(lambda descriptors: [d.yield_result(1) for d in descriptors] and None) as executor:
    assert executor.submit(int).result(10) == 1
with Executors.sync().with_cancel_on_shutdown() as executor:
    assert executor.submit(int).result(10) == 0
assert f_timeout(f_map(f_return(1)), 5).result() == 1
