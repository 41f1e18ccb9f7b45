"""What the library costs, each time beside what one would use instead: `python -m benchmarks`."""
