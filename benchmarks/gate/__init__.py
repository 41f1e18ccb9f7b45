"""How many instructions each operation takes, of this tree and of another commit: `python -m benchmarks.gate`.

Times differ from run to run by more than what a change should be allowed to cost; instructions hardly differ at all.
"""
