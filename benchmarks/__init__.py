"""What Crowsfoot costs, measured against hand-written driver code and against other mappers: ``make bench``.

`workloads` says what is measured, `adapters` how each competitor does it, `runner` in what order, `report` what came
out. `docs/benchmarks.md` shows results and says how to read them.
"""
