"""From a folder of what students handed in to a gradebook that an instructor can defend.

The folders read as the flow: `submissions` (what was handed in) → `answers` (found in it) → `run`
(in a `sandbox`) → `verdict` (what that says) → `report`. Beside them: a `task` is one submission to
grade, a `grader` grades it, `batch` a class of them, on this machine or a `cluster`.
"""
