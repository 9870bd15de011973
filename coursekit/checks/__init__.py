"""The checks that a student runs beside each exercise: they pass, or name what went wrong.

A check cell makes one `Check`, says what it knows of the exercise, has the student's code run,
looks at what came out, and ends with `passed`. The first thing that is wrong ends the cell with a
`CheckFailed`, which a notebook shows as its message alone, without a traceback. Checks explain;
they do not grade. An author reads on; this is all there is::

    check = Check("mean-iou")

    # 1. What is known beforehand.
    check.forbids("metrics.iou", because="write it from the definition")
    check.crashes(RuntimeError, "size of tensor", "rows and columns are not added class by class")

    # 2. The student's code runs through the check, on copies of what it is given.
    got = check.call(mean_iou, table)  # what it gives; None is an answer without a `return`
    check.run(optimiser.step)  # the same for what acts and gives nothing
    small, large = check.build(Layers, (3, 8), {"in_channels": 5, "out_channels": 9})
    out = check.call(small, image)  # modules are called in the same way

    # 3. Types, dtypes and shapes, where the exercise asks for them.
    check.kind(got, float)
    check.kind(out, torch.Tensor, dtype=torch.float32)
    check.shape(out, (2, 8, None, None), "8 channels should come out")
    picture, label_map = check.unpack(check.call(mirror, face), "image", "label map")

    # 4. Values: first the misconceptions, each by its own result, then what is right.
    check.catches(recall, got, "this is recall: the union has wrongly predicted pixels, too")
    check.slips(got, expected, misscored, table)  # many of them, made if `got` is not right
    check.close(got, expected, "expected: the mean of |A∩B| / |A∪B| over classes that occur")
    check.passed("absent classes are left out")

**What `call`, `run` and `build` do.** Arrays, tensors and containers of them are copied; if the
code changes its copy, the argument is named ("your function changes its argument `weights`"). A
tensor that requires a gradient is copied within the graph, so gradients reach the author's own.
Anything else is handed over as it is; a module whose weights were changed is named, too. What must
be changed, or must be the very object, is named first: `check.may_change("weights")`. An exception
becomes one line with its kind, its message and the student's own line, unless `crashes` names what
is behind it, by the exception's class *and* its cause. A stub that is not written yet passes
through, and so does Ctrl-C.

**What `forbids` sees.** Every call while the student's code runs, under whatever name (`call`,
`run` and `build` watch), and every mention in the answer's text. Calls of objects that are no
functions, such as NumPy's ufuncs (`np.exp`), cannot be watched: of these the text alone tells.
Grading reads the same declaration from the check's text and applies it to the answer's text
(`coursekit.checks.rules`). The words "for" and "while" stand for loops.

**Messages** name the misconception and what to do. Where nothing is known of the cause, they begin
with "expected: …", and in a notebook a line below says where to look: there the check is run again
on the answer with one small change after the other, until one passes (`coursekit.checks.nearest`).
So a check's cell must give the same each time it runs. They are in the theme's own colour, which
can be read in any theme.
"""

from coursekit.checks.check import Check
from coursekit.checks.failed import NOT_WRITTEN, CheckFailed
from coursekit.checks.notebook import soften

__all__ = ["NOT_WRITTEN", "Check", "CheckFailed"]

soften()
