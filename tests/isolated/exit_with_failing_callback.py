"""What a callback makes of a future that was cancelled at the end is nobody's fault, and nothing to print."""

from more_executors import Executors

executor = Executors.sync().with_poll(lambda descriptors: None)
executor.submit(int).add_done_callback(lambda future: future.result())
