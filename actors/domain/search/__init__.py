"""Search: what may be varied, what counts as better, and every combination of a grid at once.

`space` says what a search may vary, by configuration path; `objectives` turn the metrics of a run into one number;
`sweep` backtests a grid of one strategy, by a kernel that shares work between combinations where there is one
(`families`), else combination by combination. All of it is pure: how work is spread over processes is handed in as
a `sweep.Pool`, of which `actors.runtime` has one over Ray and a serial twin.

A study that asks and tells (`study`) needs three of these: a `Space` to draw from (`Space.problem` refuses what its
owners would refuse), an objective by `objectives.load` and `objectives.judge`, and a pool's ``ordered`` with a
look-ahead. `cluster.runs.study.run_study` puts them together.
"""
