"""Child processes of multiprocessing, by each way of starting them, can import the library and poll."""

import multiprocessing
import warnings

from more_executors import Executors


def poll(descriptors):
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)


def square(number):
    with Executors.sync().with_poll(poll) as executor:
        return executor.submit(pow, number, 2).result(10)


if __name__ == "__main__":
    warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads
    outer = Executors.sync().with_poll(poll)
    assert outer.submit(int).result(10) == 0
    for method in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context(method).Pool(1) as pool:
            assert pool.map(square, [2, 3]) == [4, 9], method
    context = multiprocessing.get_context("spawn")
    with Executors.process_pool(max_workers=1, mp_context=context).with_poll(poll) as executor:
        assert executor.submit(square, 4).result(30) == 16
    outer.shutdown()
