"""What to try on the checks of lesson 11."""

from __future__ import annotations

_EQ6 = """
def aggregate(best, students, k, names):
    made = dict(students[-1])
    n = len(students)
    for name in names:
        total = sum(s[name] for s in students)
        made[name] = {0}
    return made
"""
_MEAN = "k / (k + 1) * best[name] + total / ((k + 1) * n)"

_SHARES = """
def shares(renewed):
    unit = np.eye(len(renewed) + 1)
    best = m = unit[0]
    for k, new in enumerate(renewed, 1):
        best = m if new else best
        m = k / (k + 1) * best + unit[k] / (k + 1)
    return m
"""

_STATISTICS = """
def reestimate(network, batches):
    layers = [m for m in network.modules() if getattr(m, "running_mean", None) is not None]
    modes = [(m, m.training) for m in network.modules()]
    momenta = [layer.momentum for layer in layers]
    network.eval()
    for layer in layers:
        layer.train()
        layer.reset_running_stats()
    seen = 0
    with torch.no_grad():
        for i, images in enumerate(batches, 1):
            seen += len(images)
            for layer in layers:
                layer.momentum = len(images) / seen
            network(images)
    for module, mode in modes:
        module.training = mode
    for layer, momentum in zip(layers, momenta):
        layer.momentum = momentum
"""
_RESET = "        layer.reset_running_stats()\n"
_SET = "            for layer in layers:\n                layer.momentum = len(images) / seen\n"

_KL = """
def distillation_loss(student, teacher, valid):
    log_p, log_q = teacher.detach().log_softmax(1), student.log_softmax(1)
    cost = (log_p.exp() * (log_p - log_q)).sum(1)
    return {0}
"""
_VALID = "(cost * valid).sum() / valid.sum().clamp_min(1)"
_KL_RIGHT = _KL.format(_VALID)
_LIBRARY = """
def distillation_loss(student, teacher, valid):
    cost = F.kl_div({0}, reduction="none").sum(1)
    return (cost * valid).sum() / valid.sum().clamp_min(1)
"""

_CYCLES = """
def run_cycles(network, teacher, train_epoch, batches, cycles, epochs):
    names = {n for n, _ in network.named_parameters()}
    made = []
    for k in range(1, cycles + 1):
        students = []
        for _ in range(epochs):
            train_epoch(network, teacher)
            students.append(copy.deepcopy(network.state_dict()))
        m = copy.deepcopy(network)
        m.load_state_dict(aggregate(teacher.state_dict(), students, k, names))
        reestimate(m, batches)
        teacher = m.eval().requires_grad_(False)
        made.append(teacher)
    return made
"""

_SEEDS = """
def seeds_needed(gain, sd, alpha=0.05, power=0.8):
    z = NormalDist().inv_cdf
    return {0}
"""
_NEEDED = "math.ceil(2 * (z(1 - alpha / 2) + z(power)) ** 2 * sd**2 / gain**2)"


def _edit(code: str, *changes: tuple[str, str]) -> str:
    """The code with a mistake (or another way) in it."""
    for old, new in changes:
        assert old in code, old
        code = code.replace(old, new)
    return code


_EQ6_RIGHT = _EQ6.format(_MEAN)

WRONG = {
    "aggregate": [
        (_EQ6.format("k / (k + 1) * best[name]"), "each student has the share 0"),
        (_EQ6.format("(k * best[name] + total / n) / k + 1"), "mind the brackets"),
        (_EQ6.format("k / (k + 1) * best[name] + torch.stack([s[name] for s in students]).max(0).values / (k + 1)"), "is no sum of shares"),
        (_edit(_EQ6_RIGHT, ("total = sum(s[name] for s in students)", "total = sum(students[name])")), "is a list of dictionaries"),
        (_EQ6.format("k / (k + 1) * best[name] + total / n"), "more than 1"),
        (_EQ6.format("(best[name] + total / n) / 2"), "k has no effect"),
        (_EQ6.format("(best[name] + total) / (n + 1)"), "as one of N + 1"),
        (_EQ6.format("(k - 1) / k * best[name] + total / (k * n)"), "you take k - 1"),
        (_edit(_EQ6_RIGHT, ("    n = len", "    k = k + 1\n    n = len")), "do not add 1"),
        (_EQ6.format("best[name] / (k + 1) + k / (k + 1) * total / n"), "changed places"),
        (_EQ6.format("k / (k + 1) * best[name] + total / (k + 1)"), "N is missing"),
        (_EQ6.format("k / (k + 1) * best[name] + total / (k + 1) * n"), "multiplies by n"),
        (_EQ6.format("k / (k + 1) * best[name] + total / (k + 1 * n)"), "is k + n"),
        (_EQ6.format("k / (k + 1) * best[name] + students[-1][name] / (k + 1)"), "only the last"),
        (_EQ6.format("k / (k + 1) * best[name] + students[0][name] / (k + 1)"), "only the first"),
        (_EQ6.format("k / (k + 1) * best[name] + students[-1][name] / ((k + 1) * n)"), "only one"),
        (_EQ6.format("k / k + 1 * best[name] + total / ((k + 1) * n)"), "(k / k) + 1"),
        (_EQ6.format("(k / k + 1) * best[name] + total / ((k + 1) * n)"), "M_best has the share 2"),
        (_EQ6.format("(k - 1) / k * best[name] + total / ((k + 1) * n)"), "sum to less than 1"),
        (_EQ6.format("k / (k + 1) * best[name] + total / (k * n)"), "sum to more than 1"),
        (_EQ6.format("k / (k + 1) * best[name] + torch.stack([s[name] for s in students]).mean(-1) / (k + 1)"),
         "not over a dimension"),
        (_EQ6.format(f"({_MEAN}).double()"), "torch.float32"),
        (_edit(_EQ6_RIGHT, ("in names", "in [n for n in names if 'weight' in n]")), "is every name"),
        (_EQ6.format("total / n"), "M_best has no effect"),
        (_EQ6.format("best[name]"), "the students have no effect"),
        (_EQ6.format(_MEAN.replace("k / (k + 1) *", "k // (k + 1) *")), "M_best is lost"),
        (
            _edit(_EQ6_RIGHT, ("    for name", "    total = 0\n    for name"),
                  ("total = sum(s[name] for s in students)", "total = total + sum(s[name] for s in students)")),
            "begin the sum anew",
        ),
        (_EQ6.format("students[-1][name]"), "the last student"),
        (_EQ6.format("0.9 * best[name] + 0.1 * total / n"), "M_best has the share 0.9"),
        (
            _edit(_EQ6_RIGHT, ("total = sum(s[name] for s in students)",
                               "total = students[0][name]\n        for s in students[1:]: total += s[name]")),
            "changes its argument `students`",
        ),
        (_edit(_EQ6_RIGHT, ("dict(students[-1])", "best")), "changes its argument `best`"),
        (_edit(_EQ6_RIGHT, ("dict(students[-1])", "students[-1]")), "changes its argument `students`"),
        (_edit(_EQ6_RIGHT, ("dict(students[-1])", "dict(best)")), "buffers are M_best's"),
        (_edit(_EQ6_RIGHT, ("dict(students[-1])", "dict(students[0])")), "the first student's"),
        (_edit(_EQ6_RIGHT, ("dict(students[-1])", "{}")), "a key is missing"),
        (_edit(_EQ6_RIGHT, ("in names", "in best")), "running statistics are averaged"),
        (
            _edit(_EQ6_RIGHT, ("in names", "in best"),
                  ("        total", "        if 'running' in name:\n            continue\n        total")),
            "counter",
        ),
        (_edit(_EQ6_RIGHT, ("    return made", "    made")), "does every way"),
        (_edit(_EQ6_RIGHT, ("return made", "return list(made.values())")), "is a list"),
        (_edit(_EQ6_RIGHT, ("best[name]", "best[names]")), "TypeError"),
        (_EQ6.format("k / (k + 1) * best[name] + total / ((k + 1) * k)"), 'not k'),
        (_EQ6.format("k / (k + 1) * best[name] + total / ((k + 1) * (n + 1))"), '`len(students)`'),
        (_edit(_EQ6_RIGHT,("for s in students)","for s in students[:-1])")), 'a student is missing'),
        (_edit(_EQ6_RIGHT,("for s in students)","for s in students[1:])")), 'a student is missing'),
        (_EQ6.format("best[name].mul_(k / (k + 1)).add_(total / ((k + 1) * n))"), 'your function changes its argument `best`: work on a copy'),
        (_edit(_EQ6_RIGHT,("dict(students[-1])","{}"),("    return made","    return {k: v for k, v in made.items() if k in names}")), 'a key is missing: M is a whole state_dict, so that it can'),
        (_edit(_EQ6_RIGHT,("dict(students[-1])","{**students[-1], **best}")), "buffers are M_best's: all but the parameters is the last"),
        ('\ndef aggregate(best, students, k, names):\n    made = dict(students[-1])\n    n = len(students)\n    for name in names:\n        total = sum(s[name] for s in students)\n        made[name] = (k / (k + 1) * best[name] + total / ((k + 1) * n)).numpy()\n    return made\n', "M's conv.bias is an array, expected: a tensor"),
        (_EQ6.format("1 / (k + 1) * best[name] + total / ((k + 1) * n)"), 'sum to less than 1'),
        ('\ndef aggregate(best, students, k, names):\n    made = dict(students[-1])\n    n = len(students)\n    for name in names:\n        total = sum(s[name] for s in students)\n        made[name] = (k * best[name] + total) / (k + n)\n    return made\n', "M_best's share is k /"),
        ('\ndef aggregate(best, students, k, names):\n    made = dict(students[-1])\n    n = len(students)\n    for name in names:\n        total = sum(s[name] for s in students)\n        made[name] = torch.stack([s[name] for s in students]).median(0).values / (k + 1) + k / (k + 1) * best[name]\n    return made\n', "Eq. 6 has the students' mean, not their median"),
        ('\ndef aggregate(best, students, k, names):\n    made = dict(students[-1])\n    n = len(students)\n    for name in names:\n        total = torch.stack([s[name] for s in students]).sum()\n        made[name] = k / (k + 1) * best[name] + total / ((k + 1) * n)\n    return made\n', 'sum over the students alone, dimension 0 of a stack: a weigh'),
        ('\ndef aggregate(best, students, k, names):\n    made = dict(students[-1])\n    n = len(students)\n    for name in names:\n        total = torch.stack([s[name] for s in students])\n        made[name] = k / (k + 1) * best[name] + total / ((k + 1) * n)\n    return made\n', 'a weight keeps its shape: sum over the students'),
        ('\ndef aggregate(best, students, k, names):\n    made = dict(students[-1])\n    n = len(students)\n    for name in range(len(names)):\n        total = sum(s[name] for s in students)\n        made[name] = k / (k + 1) * best[name] + total / ((k + 1) * n)\n    return made\n', '`names` are keys of the dictionaries: `for name in names`'),
        ('\ndef aggregate(best, students, k, names):\n    made = dict(students[-1])\n    n = len(students)\n    for name in names:\n        total = sum(s[name] for s in students)\n        made[name] = k / (k + 1) * best.name + total / ((k + 1) * n)\n    return made\n', 'a state_dict is a dictionary: `best[name]`'),
        ('\ndef aggregate(best, students, k, names):\n    made = dict(students[-1])\n    n = len(students)\n    for name in names:\n        total = sum(s[name] for s in students)\n        made[name] = k / (k + 1) * students[0][name] + total / ((k + 1) * n)\n    return made\n', 'a student stands in the place of M_best'),
        ('\ndef aggregate(best, students, k, names):\n    made = dict(students[-1])\n    n = len(students)\n    for name in names:\n        total = sum(s[name] for s in students)\n        made[name] = k / (k + 1) * best[name] + (best[name] + total) / ((k + 1) * (n + 1))\n    return made\n', 'M_best counts once: the sum is over the students alone'),
        ('def aggregate(best, students, k, names):\n    m = best\n    for s in students:\n        m = {n: k / (k + 1) * m[n] + s[n] / (k + 1) if n in names else s[n] for n in s}\n    return m\n', 'Eq. 6 is used anew for each student: use it once, with the s'),
    ],
    "shares": [
        (_edit(_SHARES, ("return m", "return np.cumsum(m)")), "no shares"),
        (_edit(_SHARES, ("m if new else best", "m if all(renewed[:k]) else best")), "in cycle 2 M_best is the M of cycle 0"),
        (_edit(_SHARES, ("+ unit[k]", "+ unit[-1]")), "comes last, at place 2"),
        (_edit(_SHARES, ("m if new else best", "m")), "always the M of the cycle before"),
        (_edit(_SHARES, ("best = m if new else best", "pass")), "always M_0"),
        (_edit(_SHARES, ("m if new else best", "best if new else m")), "changed places"),
        (_edit(_SHARES, ("m if new else best", "m if new else unit[0]")), "you go back to M_0"),
        (
            _edit(_SHARES, ("k / (k + 1) * best + unit[k] / (k + 1)", "(k - 1) / k * best + unit[k] / k")),
            "cycles count from 1",
        ),
        (_edit(_SHARES, ("k / (k + 1) * best + unit[k] / (k + 1)", "(best + unit[k]) / 2")), "no effect"),
        (
            """
def shares(renewed):
    unit = np.eye(len(renewed) + 1)
    best = m = unit[0]
    for k, new in enumerate(renewed, 1):
        m = k / (k + 1) * best + unit[k] / (k + 1)
        if new:
            best = m
    return m
""",
            "decide M_best before",
        ),
        (
            """
def shares(renewed):
    return np.full(len(renewed) + 1, 1 / (len(renewed) + 1))
""",
            "always the M of the cycle before",
        ),
        (_edit(_SHARES, ("np.eye(len(renewed) + 1)", "np.eye(len(renewed))")), "K + 1"),
        (_edit(_SHARES, ("return m", "return m.tolist()")), "is a list, expected: an array"),
        (_edit(_SHARES, ("return m", "return m[1:]")), "one share for M_0"),
        (_edit(_SHARES, ("unit[k] / (k + 1)", "unit[k] / k")), "sum to more than 1"),
        (_edit(_SHARES, ("return m", "return best")), "this is the last M_best"),
        (_edit(_SHARES, ("return m", "return m[::-1].copy()")), "M_0's share comes first"),
        (_edit(_SHARES, ("k / (k + 1) * best", "k / k + 1 * best")), "(k / k) + 1"),
        (_edit(_SHARES, ("k / (k + 1) * best + unit[k] / (k + 1)", "best / (k + 1) + k / (k + 1) * unit[k]")),
         "M_best gets k / (k + 1)"),
        (_edit(_SHARES, ("k / (k + 1) * best + unit[k] / (k + 1)", "(k + 1) / (k + 2) * best + unit[k] / (k + 2)")),
         "do not add 1"),
        (_edit(_SHARES, ("best = m if new", "best = m if renewed[k]")), "that of cycle k is renewed[k - 1]"),
        (_edit(_SHARES, ("    best = m = unit[0]\n", "    best = unit[0]\n"), ("m if new", "m if new and k > 1")), "before the loop"),
        (_edit(_SHARES, ("    best = m = unit[0]\n", "    best = m = unit[0].copy()\n"),
               ("m = k / (k + 1) * best + unit[k] / (k + 1)", "m *= k / (k + 1)\n        m += unit[k] / (k + 1)")), "in place"),
        (_edit(_SHARES, ("    best = m = unit[0]", "    best = m = np.zeros(len(unit))")), "without a cycle"),
        (_edit(_SHARES,("best = m if new else best","best = m if renewed[k - 2] else best")), 'renewed[k - 1] speaks of cycle k itself: decide M_best'),
        (_edit(_SHARES,("best = m if new else best","best = m if k < len(renewed) and renewed[k] else best")), 'in cycle 2 M_best is the M of cycle 0'),
        (_edit(_SHARES,("enumerate(renewed, 1)","enumerate(renewed)")), 'cycles count from 1'),
        (_edit(_SHARES,("        best = m if new else best\n","        if not new:\n            continue\n        best = m\n")), 'each cycle makes an M'),
        (_edit(_SHARES,("return m","return m[:-1]")), 'one share for M_0 and one for each cycle'),
        (_edit(_SHARES,("    for k","    every = [m]\n    for k"),("    return m","        every.append(m)\n    return np.stack(every)")), 'one share for M_0 and one for each cycle'),
        ('\ndef shares(renewed):\n    unit = np.eye(len(renewed) + 1)\n    best = m = unit[0]\n    for k, new in enumerate(renewed, 1):\n        best = m if new else best\n        m = k / (k + 1) * best + unit[k] / (k + 1)\n    return m.round(2)\n', 'round nothing'),
        (_edit(_SHARES,("np.eye","torch.eye")), 'your answer is a tensor, expected: an array'),
        (_edit(_SHARES,("    return m","        return m")), 'the M of cycle 1'),
        ('\ndef shares(renewed):\n    unit = np.eye(len(renewed) + 1)\n    best = m = unit[-1]\n    for k, new in enumerate(renewed, 1):\n        best = m if new else best\n        m = k / (k + 1) * best + unit[k] / (k + 1)\n    return m\n', 'M_0 has its 1 at place 0: unit[0]'),
        ('\ndef shares(renewed):\n    unit = np.eye(len(renewed) + 1)\n    best = m = unit[0]\n    for k, new in enumerate(renewed, 1):\n        best = m if new else best\n        m = k / (k + 1) * best + unit[k - 1] / (k + 1)\n    return m\n', 'e_k has its 1 at place k: unit[k]'),
        ('\ndef shares(renewed):\n    unit = np.eye(len(renewed) + 1)\n    best = m = unit[0]\n    for k, new in enumerate(renewed, 1):\n        best = unit[k] if new else best\n        m = k / (k + 1) * best + unit[k] / (k + 1)\n    return m\n', "M_best is an M, not e_k, the mean of a cycle's students"),
        ('\ndef shares(renewed):\n    unit = np.eye(len(renewed) + 1)\n    best = m = unit[0]\n    for k, new in enumerate(renewed[::-1], 1):\n        best = m if new else best\n        m = k / (k + 1) * best + unit[k] / (k + 1)\n    return m\n', 'cycle 1 comes first: do not turn `renewed` round'),
        ('\ndef shares(renewed):\n    unit = np.eye(len(renewed) + 1, dtype=int)\n    best = m = unit[0]\n    for k, new in enumerate(renewed, 1):\n        best = m if new else best\n        m = k / (k + 1) * best + unit[k] / (k + 1)\n    return m.astype(int)\n', 'the type of your answer is int64, expected: a type of floati'),
        ('\ndef shares(renewed):\n    unit = np.eye(len(renewed) + 1)\n    best = m = unit[0]\n    for k, new in enumerate(renewed, 1):\n        best = m if new else best\n        m = k / (k + 1) * best + unit[k] / (k + 1)\n    return tuple(m)\n', 'your answer is a tuple of 5, expected: an array'),
        ('\ndef shares(renewed):\n    unit = np.eye(len(renewed) + 1)\n    best = m = unit[0]\n    for k, new in enumerate(renewed, 1):\n        best = m if new else best\n        m = k / (k + 1) * best + unit[k] / (k + 1)\n    return sum(m)\n', 'your answer is a float64, expected: an array'),
        ('\ndef shares(renewed):\n    unit = np.eye(len(renewed) + 1)\n    best = m = unit[0]\n    for k, new in enumerate(renewed, 1):\n        best = m if new else best\n        m = k / (k + 1) * best + unit[k] / (k + 1)\n    print(m)\n', 'your answer gives None: does every way through it end in a `'),
        ('\ndef shares(renewed):\n    unit = np.eye(len(renewed) + 1)\n    best = m = unit[0]\n    for k, new in enumerate(renewed, 1):\n        best = m if new else best\n        m = k / (k + 1) * best + m / (k + 1)\n    return m\n', "the cycle's mean is e_k, unit[k], not the old M"),
    ],
    "reestimate": [
        (_edit(_STATISTICS, (_SET, "            layer.momentum = len(images) / seen\n")), "*every* layer found"),
        (_edit(_STATISTICS, ('getattr(m, "running_mean", None) is not None', "isinstance(m, (nn.modules.batchnorm._BatchNorm, ABN))")),
         "some layers were not found"),
        (_edit(_STATISTICS, ("len(images) / seen", "(len(images) / seen) ** 2")), "the batches count (0.72, 0.24, 0.04)"),
        (_edit(_STATISTICS, ("torch.no_grad():", "torch.no_grad:")), "with its brackets"),
        (_edit(_STATISTICS, ("network.eval()", "network.train()\n    for m in network.modules():\n        m.p = 0.0")), "dropout's own rate"),
        (_edit(_STATISTICS, ("        layer.train()\n", "")), "nothing was estimated"),
        (_edit(_STATISTICS, ("        layer.train()\n", ""), (_RESET, "        pass\n")), "nothing has changed"),
        (_edit(_STATISTICS, (_SET, "")), "kept their own momentum"),
        (_edit(_STATISTICS, (_SET, ""), (_RESET, "")), "the old statistics are still in it"),
        (_edit(_STATISTICS, (_SET, ""), ("network.eval()", "network.train()")), "dropout was on"),
        (_edit(_STATISTICS, ("network.eval()", "network.train()")), "dropout was on"),
        (
            """
def reestimate(network, batches):
    network.train()
    with torch.no_grad():
        for images in batches:
            network(images)
""",
            "dropout was on",
        ),
        (
            """
def reestimate(network, batches):
    from torch.optim.swa_utils import update_bn
    update_bn(batches, network)
""",
            "not found",
        ),
        (_edit(_STATISTICS, ("len(images) / seen", "1.0")), "only the last batch"),
        (_edit(_STATISTICS, ("len(images) / seen", "1 / i")), "weigh by images"),
        (_edit(_STATISTICS, ("len(images) / seen", "None")), "weigh by images"),
        (_edit(_STATISTICS, ("for m in network.modules() if", "for m in network.children() if")), "goes in"),
        (_edit(_STATISTICS, ("            seen += len(images)\n", ""), ("len(images) / seen", "len(images) / (seen or len(images))"),
               ("            network(images)", "            seen += len(images)\n            network(images)")), "own images, too"),
        (_edit(_STATISTICS, ('getattr(m, "running_mean", None) is not None', '"Norm" in type(m).__name__'),
               (_SET, ""), (_RESET, "")), "not found"),
        (_edit(_STATISTICS, ('getattr(m, "running_mean", None) is not None', 'hasattr(m, "running_mean")'),
               ("layer.reset_running_stats()", "layer.running_mean.zero_()")), "leave it out"),
        (_edit(_STATISTICS, ("len(images) / seen", "len(images) / sum(map(len, batches))")), "so far"),
        (_edit(_STATISTICS, ('getattr(m, "running_mean", None) is not None', "isinstance(m, nn.BatchNorm2d)")),
         "not found"),
        (
            _edit(_STATISTICS, ('getattr(m, "running_mean", None) is not None',
                                "isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d))")),
            "not found",
        ),
        (_edit(_STATISTICS, ('getattr(m, "running_mean", None) is not None', "isinstance(m, (nn.BatchNorm2d, ABN))")),
         "not found"),
        (_edit(_STATISTICS, ('getattr(m, "running_mean", None) is not None', "isinstance(m, ABN)")), "not found"),
        (_edit(_STATISTICS, ("len(images) / seen", "1 / len(batches)")), "one by the number of batches"),
        (_edit(_STATISTICS, ("len(images) / seen", "1 - len(images) / seen")), "not of the old value"),
        (_edit(_STATISTICS, ("            network(images)", "        network(images)")), "reset once"),
        (_edit(_STATISTICS, ("layer.momentum = len", "layer.reset_running_stats()\n                layer.momentum = len")),
         "reset once"),
        (_edit(_STATISTICS, ("in enumerate(batches, 1)", "in enumerate([torch.cat(batches)], 1)")), "all images at once"),
        (_edit(_STATISTICS, ("    layers = ", "    network = copy.deepcopy(network)\n    layers = ")), "no copy?"),
        (_edit(_STATISTICS, ("            seen += len(images)\n", ""),
               ("            network(images)", "            network(images)\n            seen += len(images)")), "own images, too"),
        (_edit(_STATISTICS, ("    with torch.no_grad():", "    torch.set_grad_enabled(False)\n    if True:")), "gradients are left off"),
        (_edit(_STATISTICS, ("network.eval()", "network.eval().requires_grad_(False)")), "leave requires_grad alone"),
        (_edit(_STATISTICS, ("with torch.no_grad():", "if True:")), "gradients are recorded"),
        (_edit(_STATISTICS, (_RESET, "")), "reset first"),
        (_edit(_STATISTICS, ("        module.training = mode\n", "        pass\n")), "put the modes back"),
        (_edit(_STATISTICS, ("        module.training = mode\n", "        module.train()\n")), "put the modes back"),
        (_edit(_STATISTICS, ("for module, mode in modes:", "for module, mode in reversed(modes):"),
               ("        module.training = mode\n", "        module.train(mode)\n")), "put the modes back"),
        (_edit(_STATISTICS, ("        layer.momentum = momentum\n", "        pass\n")), "put the momenta back"),
        (
            _edit(_STATISTICS, ("        layer.reset_running_stats()",
                                "        layer.running_mean.zero_()\n        layer.running_var.fill_(1)")),
            "the counter",
        ),
        (_edit(_STATISTICS, ("    network.eval()", "    nn.init.ones_(network[0].weight)\n    network.eval()")),
         "no mean of what batches"),
        (_edit(_STATISTICS, ("in enumerate(batches, 1)", "in enumerate(batches(), 1)")), "not callable"),
        (_edit(_STATISTICS,("    network.eval()\n",""),("    seen = 0\n","    network.eval()\n    seen = 0\n")), 'the statistics are reset, but nothing was estimated: the'),
        (_edit(_STATISTICS,("    network.eval()\n","")), 'all of the network was in training mode: dropout was on,'),
        (_edit(_STATISTICS,("in enumerate(batches, 1)","in enumerate(batches + batches, 1)")), 'the counter should be that of this pass:'),
        (_edit(_STATISTICS,("for m in network.modules() if","for _, m in network.named_children() if")), 'a layer was not found'),
        (_edit(_STATISTICS,("seen += len(images)","seen += 1")), 'only the last batch counts: momentum 1 forgets all before'),
        (_edit(_STATISTICS,("    for module, mode in modes:\n        module.training = mode\n","    network.train()\n")), 'afterwards everything is in training mode: put the modes'),
        (_edit(_STATISTICS,("    for module, mode in modes:\n        module.training = mode\n","    network.eval()\n")), 'afterwards everything is in evaluation mode: put the modes'),
        (_edit(_STATISTICS,("    for module, mode in modes:\n        module.training = mode\n","    network.train(modes[0][1])\n")), 'afterwards everything is in evaluation mode: put the modes'),
        (_edit(_STATISTICS,("        layer.momentum = momentum\n","        layer.momentum = 0.1\n")), 'put the momenta back: training goes on with them'),
        (_edit(_STATISTICS,("layer.momentum = len(images) / seen","layer.momentum = None")), 'every batch counts alike; the last is smaller: weigh by'),
        (_edit(_STATISTICS,("layer.reset_running_stats()","layer.reset_parameters()")), 'the weights stay'),
        (_edit(_STATISTICS,('getattr(m, "running_mean", None) is not None','isinstance(m, nn.modules.batchnorm._NormBase)')), 'some layers were not found'),
        ('\ndef reestimate(network, batches):\n    layers = [m for m in network.modules() if getattr(m, "running_mean", None) is not None]\n    modes = [(m, m.training) for m in network.modules()]\n    momenta = [layer.momentum for layer in layers]\n    network.eval()\n    for layer in layers:\n        layer.train()\n        layer.reset_running_stats()\n    seen = 0\n    with torch.no_grad():\n        for i, images in enumerate(batches, 1):\n            seen += len(images)\n            for layer in layers:\n                layer.momentum = 0.1\n            network(images)\n    for module, mode in modes:\n        module.training = mode\n    for layer, momentum in zip(layers, momenta):\n        layer.momentum = momentum\n', 'with a fixed momentum the last batches rule: give each batch'),
        ('\ndef reestimate(network, batches):\n    layers = [m for m in network.modules() if getattr(m, "running_mean", None) is not None]\n    modes = [(m, m.training) for m in network.modules()]\n    momenta = [layer.momentum for layer in layers]\n    network.eval()\n    for layer in layers:\n        layer.train()\n        layer.reset_running_stats()\n    seen = 0\n    with torch.no_grad():\n        for i, images in enumerate(batches, 1):\n            seen += len(images)\n            for layer in layers:\n                layer.momentum = 1 / seen\n            network(images)\n    for module, mode in modes:\n        module.training = mode\n    for layer, momentum in zip(layers, momenta):\n        layer.momentum = momentum\n', '1 / seen counts each batch as one image: len(images) / seen'),
        ('\ndef reestimate(network, batches):\n    layers = [m for m in network.modules() if getattr(m, "running_mean", None) is not None]\n    modes = [(m, m.training) for m in network.modules()]\n    momenta = [layer.momentum for layer in layers]\n    network.eval()\n    for layer in layers:\n        layer.train()\n        layer.reset_running_stats()\n    seen = 0\n    with torch.no_grad():\n        for i, images in enumerate(batches, 1):\n            seen += len(images)\n            for layer in layers:\n                layer.momentum = len(images) // seen\n            network(images)\n    for module, mode in modes:\n        module.training = mode\n    for layer, momentum in zip(layers, momenta):\n        layer.momentum = momentum\n', 'only the first batch is in it: does a `return` stand in the '),
        ('\ndef reestimate(network, batches):\n    layers = [m for m in network.modules() if getattr(m, "running_mean", None) is not None]\n    modes = [(m, m.training) for m in network.modules()]\n    momenta = [layer.momentum for layer in layers]\n    network.eval()\n    for layer in layers:\n        layer.train()\n        layer.reset_running_stats()\n    seen = 0\n    with torch.no_grad():\n        for i, images in enumerate(batches, 1):\n            seen += images.shape[1]\n            for layer in layers:\n                layer.momentum = len(images) / seen\n            network(images)\n    for module, mode in modes:\n        module.training = mode\n    for layer, momentum in zip(layers, momenta):\n        layer.momentum = momentum\n', 'the first batch is forgotten: its momentum is 1, and no late'),
        ('\ndef reestimate(network, batches):\n    layers = [m for m in network.modules() if getattr(m, "running_mean", None) is not None]\n    modes = [(m, m.training) for m in network.modules()]\n    momenta = [layer.momentum for layer in layers]\n    network.eval()\n    for layer in layers:\n        layer.train()\n        layer.reset_running_stats()\n    seen = 0\n    with torch.no_grad():\n        for i, images in enumerate(batches, 1):\n            seen += len(images)\n            network(images)\n            for layer in layers:\n                layer.momentum = len(images) / seen\n    for module, mode in modes:\n        module.training = mode\n    for layer, momentum in zip(layers, momenta):\n        layer.momentum = momentum\n', 'the momentum is set after the pass: set it before `network(i'),
        ('\ndef reestimate(network, batches):\n    layers = [m for m in network.modules() if getattr(m, "running_mean", None) is not None]\n    modes = [(m, m.training) for m in network.modules()]\n    momenta = [layer.momentum for layer in layers]\n    network.eval()\n    for layer in layers:\n        layer.train()\n        layer.reset_running_stats()\n    seen = 0\n    with torch.no_grad():\n        for i, images in enumerate(batches, 1):\n            seen += len(images)\n            for layer in layers:\n                layer.momentum = len(images) / seen\n            for layer in layers:\n                layer(images)\n    for module, mode in modes:\n        module.training = mode\n    for layer, momentum in zip(layers, momenta):\n        layer.momentum = momentum\n', 'pass each batch as it is through the whole network: `network'),
        ('\ndef reestimate(network, batches):\n    layers = [m for m in network.modules() if getattr(m, "running_mean", None) is not None]\n    modes = [(m, m.training) for m in network.modules()]\n    momenta = [layer.momentum for layer in layers]\n    network.eval()\n    for layer in layers:\n        layer.train()\n        layer.running_mean.zero_()\n        layer.running_var.fill_(1)\n        layer.num_batches_tracked.zero_()\n    seen = 0\n    with torch.no_grad():\n        for i, images in enumerate(batches, 1):\n            seen += len(images)\n            for layer in layers:\n                layer.momentum = len(images) / seen\n            network(images)\n    for module, mode in modes:\n        module.training = mode\n', 'it is the layers found that are reset, each by its own `laye'),
        ('\ndef reestimate(network, batches):\n    layers = [m for m in network.modules() if getattr(m, "running_mean", None) is not None]\n    modes = [(m, m.training) for m in network.modules()]\n    momenta = [layer.momentum for layer in layers]\n    network.eval()\n    for layer in layers:\n        layer.train()\n        layer.reset_running_stats()\n    seen = 0\n    with torch.no_grad():\n        for i, images in enumerate(batches[:-1], 1):\n            seen += len(images)\n            for layer in layers:\n                layer.momentum = len(images) / seen\n            network(images)\n    for module, mode in modes:\n        module.training = mode\n    for layer, momentum in zip(layers, momenta):\n        layer.momentum = momentum\n', 'the last batch is missing'),
        ("def reestimate(network, batches):\n    layers = [m for m in network.modules() if getattr(m, 'running_mean', None) is not None]\n    with torch.no_grad():\n        x = torch.cat(batches)\n        for layer in layers:\n            layer.running_mean = x.mean((0, 2, 3))\n            layer.running_var = x.var((0, 2, 3))\n", 'statistics are of what comes into each layer, one a channel'),
    ],
    "distillation": [
        (_edit(_KL_RIGHT, ("    return", "    cost = cost / math.log(2)\n    return")), "a logarithm of base 2"),
        (_KL.format("cost.sum() / valid.sum().clamp_min(1)"), "that are not valid change the loss"),
        (_edit(_KL_RIGHT, ("student.log_softmax(1)", "(2 * student).log_softmax(1)")), "where both agree"),
        (_edit(_KL_RIGHT, (".sum(1)", ".sum(1, keepdim=True)")), "mixes the images"),
        ("def distillation_loss(student, teacher, valid):\n    cost = F.cross_entropy(student, teacher.detach(), reduction='none')\n    return (cost * valid).sum() / valid.sum().clamp_min(1)\n", "these are its logits"),
        (_KL.format("cost[valid].median()"), "expected: their mean"),
        (_KL.format("(cost * valid).mean()"), "divided by all pixels"),
        (_KL.format("cost.mean()"), "`valid` has no effect"),
        (_KL.format("cost[valid].sum()"), "the sum over the pixels"),
        (_KL.format("cost.sum()"), "the sum over the pixels"),
        (_KL.format("cost[valid]"), "one number for each pixel"),
        (_KL.format("cost * valid"), "one number for each pixel"),
        (_KL.format("cost[valid].sum() / len(cost)"), "number of images"),
        (_KL.format("((cost * valid).sum((1, 2)) / valid.sum((1, 2)).clamp_min(1)).mean()"), "images' means"),
        (_edit(_KL_RIGHT, (".sum(1)", ".mean(1)")), "the mean over the classes, too"),
        (_edit(_KL_RIGHT, ("log_p.exp() * (log_p - log_q)", "log_q.exp() * (log_q - log_p)")), "places"),
        (_edit(_KL_RIGHT, ("log_p.exp() * (log_p - log_q)", "log_p.exp() * (log_q - log_p)")), "sign is turned"),
        (_edit(_KL_RIGHT, ("log_p.exp() * (log_p - log_q)", "-log_p.exp() * log_q")), "cross-entropy with soft labels"),
        (_edit(_KL_RIGHT, ("log_p.exp() * (log_p - log_q)", "log_p - log_q")), "the factor p is missing"),
        (_edit(_KL_RIGHT, ("log_p.exp()", "teacher.detach().exp()")), "the softmax is missing"),
        (_edit(_KL_RIGHT, ("student.log_softmax(1)", "student")), "had no log_softmax"),
        (_edit(_KL_RIGHT, ("log_softmax(1)", "softmax(1)")), "softmax without logarithm"),
        (_edit(_KL_RIGHT, ("log_softmax(1)", "softmax(1)"), ("log_p.exp()", "log_p")), "log_softmax, not softmax"),
        (_edit(_KL_RIGHT, ("log_softmax(1)", "log_softmax(0)")), "softmax over the images"),
        (_KL.format("(cost * ~valid).sum() / (~valid).sum().clamp_min(1)"), "True in `valid` counts"),
        (_edit(_KL_RIGHT, ("log_p.exp() * (log_p - log_q)", "log_p * (log_p - log_q)")), "`exp` is missing"),
        (_edit(_KL_RIGHT, ("log_p.exp() * (log_p - log_q)", "(log_p.exp() * (log_p - log_q)).abs()")), "absolute"),
        (_edit(_KL_RIGHT, ("log_softmax(1)", "softmax(1).log_softmax(1)")), "softmax twice"),
        (_edit(_KL_RIGHT, ("student.log_softmax", "student.softmax(1).log_softmax")), "student's softmax is taken"),
        (_edit(_KL_RIGHT, ("detach().log_softmax", "detach().softmax(1).log_softmax")), "teacher's softmax is taken"),
        (_edit(_KL_RIGHT, ("log_softmax(1)", "log_softmax(-1)")), "last dimension"),
        (_edit(_KL_RIGHT, (".log_softmax(1), student", ".div(2).log_softmax(1), student"),
               ("student.log_softmax", "student.div(2).log_softmax")), "temperature"),
        (_edit(_KL_RIGHT, ("log_softmax(1)", "softmax(1).log()")), "Use log_softmax"),
        (_edit(_KL_RIGHT, (".detach()", "")), "a gradient reaches the teacher"),
        (
            _edit(_KL_RIGHT, ("teacher.detach()", "teacher"), ("student.log_softmax", "student.detach().log_softmax")),
            "no gradient reaches the student",
        ),
        (_edit(_KL_RIGHT, ("student.log_softmax", "student.detach().log_softmax")), "the *teacher* is detached"),
        (_KL.format("cost[valid].mean()"), "without a valid pixel, 0 is divided by 0"),
        (
            _edit(_KL_RIGHT, ("    return", "    if not valid.any():\n        return torch.tensor(0.0)\n    return")),
            "out of the logits",
        ),
        (_KL.format("((cost * valid).sum() / valid.sum().clamp_min(1)).item()"), "is a float"),
        (_LIBRARY.format("student.log_softmax(1), teacher.softmax(1)"), "a gradient reaches the teacher"),
        (_LIBRARY.format("teacher.detach().log_softmax(1), student.softmax(1)"), "places"),
        (_LIBRARY.format("student.softmax(1), teacher.detach().softmax(1)"), "logarithm of q is missing"),
        (_LIBRARY.format("student, teacher.detach()"), "not a number"),
        (_LIBRARY.format("student.log_softmax(1), teacher.detach().log_softmax(1)"), "not a number"),
        (_edit(_KL_RIGHT, ("log_p.exp() * (log_p - log_q)", "0.3 * log_p.exp() * (log_p - log_q)")),
         "0.3 times KL"),
        (
            """
def distillation_loss(student, teacher, valid):
    return F.kl_div(student.log_softmax(1), teacher.detach().softmax(1))
""",
            "the mean over the classes, too",
        ),
        (
            """
def distillation_loss(student, teacher, valid):
    return F.kl_div(student.log_softmax(1), teacher.detach().softmax(1), reduction="batchmean")
""",
            "batchmean",
        ),
        (
            """
def distillation_loss(student, teacher, valid):
    cost = F.cross_entropy(student, teacher.detach().argmax(1), reduction="none")
    return (cost * valid).sum() / valid.sum().clamp_min(1)
""",
            "whole distribution",
        ),
        (
            """
def distillation_loss(student, teacher, valid):
    cost = F.cross_entropy(student, teacher.detach().softmax(1), reduction="none")
    return (cost * valid).sum() / valid.sum().clamp_min(1)
""",
            "cross-entropy with soft labels",
        ),
        (
            """
def distillation_loss(student, teacher, valid):
    cost = ((student - teacher.detach()) ** 2).mean(1)
    return (cost * valid).sum() / valid.sum().clamp_min(1)
""",
            "squared difference of the logits",
        ),
        (
            """
def distillation_loss(student, teacher, valid):
    cost = (student.softmax(1) - teacher.detach().softmax(1)).square().sum(1)
    return (cost * valid).sum() / valid.sum().clamp_min(1)
""",
            "squared difference of the probabilities",
        ),
        (
            """
def distillation_loss(student, teacher, valid):
    p, q = teacher.detach().sigmoid(), student.sigmoid()
    cost = (p * (p.log() - q.log())).sum(1)
    return (cost * valid).sum() / valid.sum().clamp_min(1)
""",
            "sigmoids",
        ),
        (
            """
def distillation_loss(student, teacher, valid):
    log_p, log_q = teacher.detach().log_softmax(1), student.log_softmax(1)
    return (log_p.exp() * (log_p - log_q) * valid).sum() / valid.sum()
""",
            "summed away",
        ),
        (_KL.format("(cost * valid).sum() / cost.numel()"), 'divided by all pixels: count the valid ones'),
        (_edit(_KL_RIGHT,("log_p.exp() * (log_p - log_q)","(log_p.exp() * (log_p - log_q)).clamp_min(0)")), 'no clamp'),
        ("def distillation_loss(student, teacher, valid):\n    c = F.kl_div(student.log_softmax(1), teacher.detach().softmax(1), reduction='none')\n    return c.permute(0, 2, 3, 1)[valid].mean()\n", 'the mean over the classes, too: sum over them'),
        ("def distillation_loss(student, teacher, valid):\n    with torch.no_grad():\n        log_p, log_q = teacher.log_softmax(1), student.log_softmax(1)\n    cost = (log_p.exp() * (log_p - log_q)).sum(1)\n    return (cost * valid).sum() / valid.sum().clamp_min(1)\n", 'the loss has no gradient: the *teacher* is detached, not'),
        (_KL.format("(cost * valid).sum() / len(cost)"), 'the sum over pixels by the number of images (`batchmean`'),
        ("def distillation_loss(student, teacher, valid):\n    return F.mse_loss(student.softmax(1), teacher.detach().softmax(1))\n", 'that is the squared difference of the probabilities'),
        ('\ndef distillation_loss(student, teacher, valid):\n    log_p, log_q = teacher.detach().log_softmax(1), student.log_softmax(1)\n    cost = (log_q.exp() * (log_p - log_q)).sum(1)\n    return (cost * valid).sum() / valid.sum().clamp_min(1)\n', "the weights are the teacher's p, not the student's q"),
        ('\ndef distillation_loss(student, teacher, valid):\n    log_p, log_q = teacher.detach().log_softmax(1), student.log_softmax(1)\n    cost = ((log_p.exp() - log_q.exp()) * (log_p - log_q)).sum(1)\n    return (cost * valid).sum() / valid.sum().clamp_min(1)\n', 'that is KL both ways, added: KL(teacher ‖ student) alone is '),
        ('\ndef distillation_loss(student, teacher, valid):\n    log_p, log_q = teacher.detach().log_softmax(1), student.log_softmax(1)\n    cost = (log_p.exp() * log_p - log_q.exp() * log_q).sum(1)\n    return (cost * valid).sum() / valid.sum().clamp_min(1)\n', 'both logarithms are weighted by p: Σ p log p - Σ q log q is '),
        ('\ndef distillation_loss(student, teacher, valid):\n    log_p, log_q = teacher.detach().log_softmax(1), student.log_softmax(1)\n    cost = (log_p.exp() * (log_p / log_q)).sum(1)\n    return (cost * valid).sum() / valid.sum().clamp_min(1)\n', 'log p - log q is a difference, no quotient'),
        ('\ndef distillation_loss(student, teacher, valid):\n    log_p, log_q = teacher.detach().log_softmax(1), student.log_softmax(1)\n    cost = (log_p.exp() * log_q).sum(1)\n    return (cost * valid).sum() / valid.sum().clamp_min(1)\n', 'Σ p log p is missing, and the sign of the rest is turned'),
        ('\ndef distillation_loss(student, teacher, valid):\n    log_p, log_q = teacher.detach().log_softmax(1), student.log_softmax(1)\n    cost = (log_p.exp() * log_p).sum(1)\n    return (cost * valid).sum() / valid.sum().clamp_min(1)\n', "the student's q does not occur: p ·"),
        ('\ndef distillation_loss(student, teacher, valid):\n    log_p, log_q = teacher.detach().log_softmax(1), student.log_softmax(1)\n    cost = (-log_p.exp() * log_p).sum(1)\n    return (cost * valid).sum() / valid.sum().clamp_min(1)\n', "that is the teacher's entropy: the student's q does not occu"),
        ('\ndef distillation_loss(student, teacher, valid):\n    log_p, log_q = teacher.detach().log_softmax(1), student.log_softmax(1)\n    cost = ((log_p - log_q) ** 2).sum(1)\n    return (cost * valid).sum() / valid.sum().clamp_min(1)\n', 'p weighs the difference of the logarithms: here they are squ'),
        ('\ndef distillation_loss(student, teacher, valid):\n    log_p, log_q = teacher.detach().log_softmax(1), student.log_softmax(1)\n    cost = ((log_p.exp() - log_q.exp()).abs()).sum(1)\n    return (cost * valid).sum() / valid.sum().clamp_min(1)\n', 'that is the difference of the probabilities, without logarit'),
        ('\ndef distillation_loss(student, teacher, valid):\n    log_p, log_q = teacher.detach().log_softmax(1), student.log_softmax(1)\n    cost = (teacher.detach() * (log_p - log_q)).sum(1)\n    return (cost * valid).sum() / valid.sum().clamp_min(1)\n', "the weights are the teacher's logits: p is `exp` of log_soft"),
        ('\ndef distillation_loss(student, teacher, valid):\n    log_p, log_q = teacher.detach().log_softmax(1), student.log_softmax(1)\n    cost = (log_p.exp() * (log_p - log_q)).sum(1)\n    return (cost * valid).sum() / valid.sum().clamp_min(1) + 1\n', '1 is added: `clamp_min(1)` is for the divisor'),
        ('\ndef distillation_loss(student, teacher, valid):\n    log_p, log_q = teacher.detach().log_softmax(1), student.log_softmax(1)\n    cost = (log_p.exp() * (log_p - log_q)).sum(1)\n    return (cost * valid).sum() / (valid.sum() + 1e-3)\n', 'nothing is added to the number of valid pixels: `clamp_min(1'),
        ('\ndef distillation_loss(student, teacher, valid):\n    log_p, log_q = teacher.detach().log_softmax(1), student.log_softmax(1)\n    cost = (log_p.exp() * (log_p - log_q)).sum(1)\n    return (cost * valid).mean() / valid.sum()\n', 'divided twice: the sum by the number of valid pixels'),
        ('\ndef distillation_loss(student, teacher, valid):\n    log_p, log_q = teacher.detach().log_softmax(1), student.log_softmax(1)\n    cost = (log_p.exp() * (log_p - log_q)).sum(1)\n    return (cost * valid).sum((1, 2)) / valid.sum((1, 2)).clamp_min(1)\n', 'one number for each image: one for all'),
        ('\ndef distillation_loss(student, teacher, valid):\n    log_p, log_q = teacher.detach().log_softmax(1), student.log_softmax(1)\n    cost = (log_p.exp() * (log_p - log_q)).sum(1)\n    return cost.where(valid, 255).mean()\n', 'unknown pixels count nowhere: neither in the sum nor in the '),
        ('\ndef distillation_loss(student, teacher, valid):\n    log_p, log_q = teacher.detach().log_softmax(1), student.log_softmax(1)\n    cost = (log_p.exp() * (log_p - log_q)).sum(1)\n    return (cost * valid).sum() / valid.sum().clamp_min(1) * 2\n', 'twice the mean: no factor stands before it'),
        ('\ndef distillation_loss(student, teacher, valid):\n    log_p, log_q = teacher.detach().log_softmax(2), student.log_softmax(2)\n    cost = (log_p.exp() * (log_p - log_q)).sum(1)\n    return (cost * valid).sum() / valid.sum().clamp_min(1)\n', 'softmax over the rows: the classes are dimension 1'),
        ('\ndef distillation_loss(student, teacher, valid):\n    log_p, log_q = (teacher.detach().softmax(1) + 1e-8).log(), (student.softmax(1) + 1e-8).log()\n    cost = (log_p.exp() * (log_p - log_q)).sum(1)\n    return (cost * valid).sum() / valid.sum().clamp_min(1)\n', 'two networks are sure of different things, which costs 400: '),
        ("def distillation_loss(student, teacher, valid):\n    c = F.kl_div(student.log_softmax(1), teacher.detach().softmax(1), reduction='none')\n    return c[valid].mean()\n", '`valid` has no dimension of classes: sum over them first, th'),
        ('def distillation_loss(student, teacher, valid):\n    return F.binary_cross_entropy_with_logits(student, teacher.detach().softmax(1))\n', 'the classes exclude each other: KL of a softmax, no binary c'),
        ('def distillation_loss(student, teacher, valid):\n    return F.l1_loss(student, teacher.detach())\n', 'that is the difference of the logits'),
    ],
    "run-cycles": [
        (_edit(_CYCLES, ("            train_epoch(network, teacher)", "            with torch.no_grad():\n                train_epoch(network, teacher)")), "gradients are off"),
        (_edit(_CYCLES, ("reestimate(m, batches)", "reestimate(m, batches[-1:])")), "the right weights, and other statistics"),
        (_edit(_CYCLES, ("        students = []", "        students = [copy.deepcopy(network.state_dict())]")), "holds 0.67 of M_best"),
        (_edit(_CYCLES, ("copy.deepcopy(network.state_dict())", "network.state_dict()")), "window"),
        (_edit(_CYCLES, ("        students = []\n", ""), ("    made = []", "    made, students = [], []")),
         "students of earlier cycles"),
        (_edit(_CYCLES, ("aggregate(teacher.state_dict()", "aggregate(first"),
               ("    made = []", "    made, first = [], copy.deepcopy(teacher.state_dict())")), "always the first teacher"),
        (_edit(_CYCLES, ("        teacher = m.eval().requires_grad_(False)\n        made.append(teacher)",
                         "        made.append(m.eval().requires_grad_(False))")), "M takes its place"),
        (_edit(_CYCLES, ("range(1, cycles + 1)", "range(cycles)")), "cycles count from 1"),
        (_edit(_CYCLES, ("students, k, names", "students, 1, names")), "k has no effect"),
        (_edit(_CYCLES, ("        reestimate(m, batches)\n", "")), "last student's statistics"),
        (_edit(_CYCLES, ("reestimate(m, batches)", "reestimate(network, batches)")), "goes on from its own"),
        (_edit(_CYCLES, ("m = copy.deepcopy(network)", "m = network")), "not the student"),
        (_edit(_CYCLES, ("        made.append(teacher)",
                         "        network.load_state_dict(m.state_dict())\n        made.append(teacher)")),
         "goes on from its own"),
        (_edit(_CYCLES, ("m.eval().requires_grad_(False)", "m.requires_grad_(False)")), "training mode"),
        (_edit(_CYCLES, ("m.eval().requires_grad_(False)", "m.eval()")), "frozen"),
        (_edit(_CYCLES, ("made.append(teacher)", "made.append(teacher.state_dict())")), "not a state_dict"),
        (_edit(_CYCLES, ("return made", "return made[-1]")), "expected: a list"),
        (_edit(_CYCLES, ("return made", "return teacher.state_dict()")), "expected: a list"),
        (_edit(_CYCLES, ("    return made\n", "")), "does every way"),
        (_edit(_CYCLES, ("range(epochs)", "range(epochs - 1)")), "in each of `cycles`"),
        (_edit(_CYCLES, ("range(1, cycles + 1)", "range(1, cycles)")), "in each of `cycles`"),
        (_edit(_CYCLES, ("            students.append(copy.deepcopy(network.state_dict()))\n",
                         "        students.append(copy.deepcopy(network.state_dict()))\n")),
         "only the last student"),
        (_edit(_CYCLES, ("network, teacher)\n            students", "network, network)\n            students")),
         "teaches itself"),
        (_edit(_CYCLES, ("students.append(copy.deepcopy(network.state_dict()))",
                         "students.append(copy.deepcopy(network))")), "students are state_dicts"),
        (_edit(_CYCLES, ("made.append(teacher)", "made = [teacher]")), "one M for each cycle"),
        (_edit(_CYCLES, ("    made = []", "    made, network = [], copy.deepcopy(network)")), "knows no copy"),
        (_edit(_CYCLES, ("train_epoch(network, teacher)", "train_epoch(teacher, network)")), "then the teacher"),
        (_edit(_CYCLES, ("        made.append(teacher)", "        network.requires_grad_(False)\n        made.append(teacher)")),
         "no longer learn"),
        (_edit(_CYCLES, ("        reestimate(m, batches)", "        reestimate(m, batches)\n        reestimate(teacher, batches)")),
         "first teacher is changed"),
        (_edit(_CYCLES, ("            train_epoch(network, teacher)\n", ""),
               ("network.state_dict()))\n", "network.state_dict()))\n            train_epoch(network, teacher)\n")), "train first"),
        (_edit(_CYCLES, ("        m.load_state_dict", "        m = m.load_state_dict")), "gives no network back"),
        (_edit(_CYCLES,("    for k in range(1, cycles + 1):","    k = 1\n    for _ in range(cycles):")), 'k has no effect: it is the number of the cycle'),
        (_edit(_CYCLES,("{n for n, _ in network.named_parameters()}","set(network.parameters())")), "names are those of the network's parameters:"),
        (_edit(_CYCLES,("aggregate(teacher.state_dict()","aggregate(network.state_dict()")), "the teacher's state"),
        (_edit(_CYCLES,("m = copy.deepcopy(network)","m = copy.copy(network)")), 'the student can no longer learn: requires_grad_(False) is'),
        (_edit(_CYCLES,("m = copy.deepcopy(network)","m = teacher")), 'each M is a network of its own, and not the student:'),
        (_edit(_CYCLES,("        m.load_state_dict(aggregate(teacher.state_dict(), students, k, names))\n        reestimate(m, batches)\n","        reestimate(m, batches)\n        m.load_state_dict(aggregate(teacher.state_dict(), students, k, names))\n")), "M has the last student's statistics: re-estimate them"),
        (_edit(_CYCLES,("            students.append(copy.deepcopy(network.state_dict()))\n","            students.append(copy.deepcopy(network.state_dict()))\n            teacher = copy.deepcopy(network).eval().requires_grad_(False)\n")), "the teacher's state"),
        (_edit(_CYCLES,("made.append(teacher)","made.append((k, teacher))")), 'each M is a network, not a state_dict'),
        (_edit(_CYCLES,("copy.deepcopy(network.state_dict())","dict(network.state_dict())")), 'only the last student of a cycle counts: append in the'),
        (_edit(_CYCLES,("    made = []","    made = [teacher]")), 'expected: `epochs` epochs in each of `cycles` cycles, and'),
        (_edit(_CYCLES,("train_epoch(network, teacher)","train_epoch(network)")), 'missing 1 required'),
        (_edit(_CYCLES,("return made","return iter(made)")), 'what you return is a list_iterator, expected: a list'),
        ('\ndef run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = {n for n, _ in network.named_parameters()}\n    made = []\n    for k in range(1, cycles + 1):\n        students = []\n        for _ in range(epochs):\n            train_epoch(network, teacher)\n            students.append(copy.deepcopy(network.state_dict()))\n        m = copy.deepcopy(network)\n        m.load_state_dict(aggregate(teacher.state_dict(), students[-1], k, names))\n        reestimate(m, batches)\n        teacher = m.eval().requires_grad_(False)\n        made.append(teacher)\n    return made\n', 'the list of all students of the cycle'),
        ('\ndef run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = {n for n, _ in network.named_parameters()}\n    made = []\n    for k in range(1, cycles + 1):\n        students = []\n        for _ in range(epochs):\n            train_epoch(network, teacher)\n            students.append(copy.deepcopy(network.state_dict()))\n        m = copy.deepcopy(network)\n        m.load_state_dict(aggregate(teacher.state_dict(), students[:-1] or students, k, names))\n        reestimate(m, batches)\n        teacher = m.eval().requires_grad_(False)\n        made.append(teacher)\n    return made\n', "a student is missing: `aggregate` takes all of this cycle's"),
        ('\ndef run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = {n for n, _ in network.named_parameters()}\n    made = []\n    for k in range(1, cycles + 1):\n        students = []\n        for _ in range(epochs):\n            train_epoch(network, teacher)\n            students.append(copy.deepcopy(network.state_dict()))\n        m = copy.deepcopy(network)\n        m.load_state_dict(aggregate(teacher.state_dict(), students, cycles, names))\n        reestimate(m, batches)\n        teacher = m.eval().requires_grad_(False)\n        made.append(teacher)\n    return made\n', 'k is the number of this cycle, not of all cycles'),
        ('\ndef run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = {n for n, _ in network.named_parameters()}\n    made = []\n    for k in range(1, cycles + 1):\n        students = []\n        for _ in range(epochs):\n            train_epoch(network, teacher)\n            students.append(copy.deepcopy(network.state_dict()))\n        m = copy.deepcopy(network)\n        m.load_state_dict(aggregate(teacher.state_dict(), students, epochs, names))\n        reestimate(m, batches)\n        teacher = m.eval().requires_grad_(False)\n        made.append(teacher)\n    return made\n', 'k is the number of the cycle, not of its epochs'),
        ('\ndef run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = {n for n, _ in network.named_parameters()}\n    made = []\n    for k in range(1, cycles + 1):\n        students = []\n        for _ in range(epochs):\n            train_epoch(network, teacher)\n            students.append(copy.deepcopy(network.state_dict()))\n        m = copy.deepcopy(network)\n        m.load_state_dict(aggregate(teacher.state_dict(), students, k + 1, names))\n        reestimate(m, batches)\n        teacher = m.eval().requires_grad_(False)\n        made.append(teacher)\n    return made\n', 'k counts from 1 already: do not add 1 to it'),
        ('\ndef run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = {n for n, _ in network.named_parameters()}\n    made = []\n    for k in range(1, cycles + 1):\n        students = []\n        for _ in range(epochs):\n            train_epoch(network, teacher)\n            students.append(copy.deepcopy(network.state_dict()))\n        m = copy.deepcopy(network)\n        m.load_state_dict(aggregate(teacher.state_dict(), students, names, k))\n        reestimate(m, batches)\n        teacher = m.eval().requires_grad_(False)\n        made.append(teacher)\n    return made\n', 'in this order: aggregate(teacher.state_dict(), students, k, '),
        ('\ndef run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = {n for n, _ in network.named_buffers()}\n    made = []\n    for k in range(1, cycles + 1):\n        students = []\n        for _ in range(epochs):\n            train_epoch(network, teacher)\n            students.append(copy.deepcopy(network.state_dict()))\n        m = copy.deepcopy(network)\n        m.load_state_dict(aggregate(teacher.state_dict(), students, k, names))\n        reestimate(m, batches)\n        teacher = m.eval().requires_grad_(False)\n        made.append(teacher)\n    return made\n', 'M is just the last student: load what `aggregate` gives, and'),
        ("\ndef run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = {n for n, _ in network.named_parameters() if 'weight' in n}\n    made = []\n    for k in range(1, cycles + 1):\n        students = []\n        for _ in range(epochs):\n            train_epoch(network, teacher)\n            students.append(copy.deepcopy(network.state_dict()))\n        m = copy.deepcopy(network)\n        m.load_state_dict(aggregate(teacher.state_dict(), students, k, names))\n        reestimate(m, batches)\n        teacher = m.eval().requires_grad_(False)\n        made.append(teacher)\n    return made\n", 'a name is missing: `names` are those of *all* parameters'),
        ('\ndef run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = {n for n, _ in network.named_parameters()}\n    made = []\n    for k in range(1, cycles + 1):\n        students = []\n        for _ in range(epochs):\n            train_epoch(network, teacher)\n            students.append(copy.deepcopy(network.state_dict()))\n        m = (aggregate(teacher.state_dict(), students, k, names))\n        reestimate(m, batches)\n        teacher = m.eval().requires_grad_(False)\n        made.append(teacher)\n    return made\n', 'M is a network: copy.deepcopy(network), then `m.load_state_d'),
        ('\ndef run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = {n for n, _ in network.named_parameters()}\n    made = []\n    for k in range(1, cycles + 1):\n        students = []\n        for _ in range(epochs):\n            train_epoch(network, teacher)\n            students.append(copy.deepcopy(network.state_dict()))\n        m = nn.Module()\n        m.load_state_dict(aggregate(teacher.state_dict(), students, k, names))\n        reestimate(m, batches)\n        teacher = m.eval().requires_grad_(False)\n        made.append(teacher)\n    return made\n', 'M is a copy of the network, and a student is a whole `state_'),
        ('\ndef run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = {n for n, _ in network.named_parameters()}\n    made = []\n    for k in range(1, cycles + 1):\n        students = []\n        for _ in range(epochs):\n            train_epoch(network, teacher)\n            students.append(copy.deepcopy(network.state_dict()))\n        m = copy.deepcopy(network)\n        m.load_state_dict(aggregate(teacher.state_dict(), students, k, names))\n        m = reestimate(m, batches)\n        teacher = m.eval().requires_grad_(False)\n        made.append(teacher)\n    return made\n', '`reestimate(m, batches)` changes `m` and gives nothing back'),
        ('\ndef run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = {n for n, _ in network.named_parameters()}\n    made = []\n    for k in range(1, cycles + 1):\n        students = []\n        for _ in range(epochs):\n            train_epoch(network, teacher)\n            students.append(copy.deepcopy(network.state_dict()))\n        m = copy.deepcopy(network)\n        m.load_state_dict(aggregate(teacher.state_dict(), students, k, names))\n        reestimate(m, batches[:1])\n        teacher = m.eval().requires_grad_(False)\n        made.append(teacher)\n    return made\n', "M's statistics are of a part of the images: pass all `batche"),
        ('\ndef run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = {n for n, _ in network.named_parameters()}\n    made = []\n    for k in range(1, cycles + 1):\n        students = []\n        for _ in range(epochs):\n            train_epoch(network, teacher)\n            students.append(copy.deepcopy(network.state_dict()))\n        m = copy.deepcopy(network)\n        m.load_state_dict(aggregate(teacher.state_dict(), students, k, names))\n        reestimate(m, [torch.cat(batches)])\n        teacher = m.eval().requires_grad_(False)\n        made.append(teacher)\n    return made\n', 'hand `batches` on to `reestimate` as they are'),
        ('\ndef run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = {n for n, _ in network.named_parameters()}\n    made = []\n    for k in range(1, cycles + 1):\n        students = []\n        for _ in range(epochs):\n            train_epoch(network, teacher)\n            students.append(copy.deepcopy(network.state_dict()))\n        m = copy.deepcopy(network)\n        m.load_state_dict(aggregate(teacher.state_dict(), students, k, names))\n        teacher = m.eval().requires_grad_(False)\n        made.append(teacher)\n    for m in made:\n        reestimate(m, batches)\n    return made\n', 'M_best teaches cycle 1, and each M the cycle after it, once '),
        ('\ndef run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = {n for n, _ in network.named_parameters()}\n    made = []\n    for k in range(1, cycles + 1):\n        students = []\n        for _ in range(epochs):\n            train_epoch(network, teacher)\n            students.append(copy.deepcopy(network.state_dict()))\n        m = copy.deepcopy(network)\n        m.load_state_dict(aggregate(teacher.state_dict(), students, k, names))\n        reestimate(m, batches)\n        made.append(teacher)\n        teacher = m.eval().requires_grad_(False)\n    return made\n', 'the first teacher is in the list: make M, and append that'),
        ('\ndef run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = {n for n, _ in network.named_parameters()}\n    made = None\n    for k in range(1, cycles + 1):\n        students = []\n        for _ in range(epochs):\n            train_epoch(network, teacher)\n            students.append(copy.deepcopy(network.state_dict()))\n        m = copy.deepcopy(network)\n        m.load_state_dict(aggregate(teacher.state_dict(), students, k, names))\n        reestimate(m, batches)\n        teacher = m.eval().requires_grad_(False)\n        made.append(teacher)\n    return made\n', '`made` begins as an empty list, and `append` gives nothing b'),
        ('\ndef run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = {n for n, _ in network.named_parameters()}\n    made = []\n    for k in range(1, cycles + 1):\n        students = []\n        for _ in range(epochs):\n            train_epoch(network, teacher)\n            students.append(copy.deepcopy(network.state_dict()))\n        m = copy.deepcopy(network)\n        m.load_state_dict(aggregate(teacher.state_dict(), students, k, names))\n        reestimate(m, batches)\n        teacher = m.eval().requires_grad_(False)\n        made.insert(0, teacher)\n    return made\n', 'the M of cycle 1 comes first: `append`'),
        ('\ndef run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = {n for n, _ in network.named_parameters()}\n    made = []\n    for k in range(1, cycles + 1):\n        students = []\n        for _ in range(epochs):\n            train_epoch(network, made[-1])\n            students.append(copy.deepcopy(network.state_dict()))\n        m = copy.deepcopy(network)\n        m.load_state_dict(aggregate(teacher.state_dict(), students, k, names))\n        reestimate(m, batches)\n        teacher = m.eval().requires_grad_(False)\n        made.append(teacher)\n    return made\n', 'in cycle 1 no M is there yet: the teacher is the one that yo'),
        ('\ndef run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = {n for n, _ in network.named_parameters()}\n    made = []\n    for k in range(1, cycles + 1):\n        students = []\n        for _ in range(epochs):\n            train_epoch(network, None)\n            students.append(copy.deepcopy(network.state_dict()))\n        m = copy.deepcopy(network)\n        m.load_state_dict(aggregate(teacher.state_dict(), students, k, names))\n        reestimate(m, batches)\n        teacher = m.eval().requires_grad_(False)\n        made.append(teacher)\n    return made\n', 'the teacher is a network, also in cycle 1, and `train_epoch`'),
        ('\ndef run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = {n for n, _ in network.named_parameters()}\n    made = []\n    for k in range(1, cycles + 1):\n        students = []\n        for _ in range(epochs):\n            train_epoch(network, teacher)\n            students.append(copy.deepcopy(teacher.state_dict()))\n        m = copy.deepcopy(network)\n        m.load_state_dict(aggregate(teacher.state_dict(), students, k, names))\n        reestimate(m, batches)\n        teacher = m.eval().requires_grad_(False)\n        made.append(teacher)\n    return made\n', "the students are the network's states, not the teacher's"),
    ],
    "seeds-needed": [
        (_SEEDS.format(_NEEDED.replace("z(power)", "NormalDist(gain, 1).inv_cdf(power)").replace("z(1 - alpha / 2)", "NormalDist(gain, 1).inv_cdf(1 - alpha / 2)")), "the standard normal distribution"),
        ("def seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist\n    return z(power) ** 2\n", "name the function of the distribution"),
        (_SEEDS.format(f"max(30, {_NEEDED})"), "no least number"),
        (_SEEDS.format("math.ceil((2 * z(1 - alpha / 2) + z(power)) ** 2 * sd**2 / gain**2)"), "σ and δ are right"),
        (_SEEDS.format("math.ceil(2 * (z(1 - alpha / 2) + z(power)) * sd / gain)"), "yours is 2 times"),
        (_SEEDS.format("math.ceil(2 * (z(0.975) + z(0.8)) ** 2 * sd**2 / gain**2)"), "`alpha` and `power` have no effect"),
        (_SEEDS.format(_NEEDED.replace("2 * (z", "(z")), "the factor 2 is missing"),
        (_SEEDS.format(_NEEDED.replace("2 * (z", "4 * (z")), "of *each* method"),
        (_SEEDS.format(_NEEDED.replace("alpha / 2", "alpha")), "α is halved"),
        (_SEEDS.format(_NEEDED.replace(" ** 2 *", " *")), "the sum of the two z is squared"),
        (_SEEDS.format(_NEEDED.replace("sd**2 / gain**2", "sd / gain")), "σ and δ are squared"),
        (_SEEDS.format(_NEEDED.replace("(z(1 - alpha / 2) + z(power)) ** 2", "(z(1 - alpha / 2) ** 2 + z(power) ** 2)")),
         "add the two z"),
        (_SEEDS.format(_NEEDED.replace("+ z(power)", "- z(power)")), "the two z are added"),
        (_SEEDS.format(_NEEDED.replace(" + z(power)", "")), "`power` has no effect"),
        (_SEEDS.format(_NEEDED.replace("sd**2", "sd")), "σ is squared, too"),
        (_SEEDS.format(_NEEDED.replace("gain**2", "gain")), "δ is squared, too"),
        (_SEEDS.format(_NEEDED.replace("z(power)", "z(1 - power)")), "both are positive"),
        (_SEEDS.format(_NEEDED.replace("alpha / 2", "0.05 / 2")), "`alpha` has no effect"),
        (_SEEDS.format(_NEEDED.replace("z(power)", "z(0.8)")), "0.8 is written in"),
        (_SEEDS.format(_NEEDED).replace("inv_cdf", "pdf"), "the curve's height"),
        (_SEEDS.format(_NEEDED.replace("ceil(", "ceil(math.sqrt(") + ")"), "no root"),
        (_SEEDS.format(_NEEDED.replace("sd**2 / gain**2", "gain**2 / sd**2")), "σ stands above"),
        (_SEEDS.format(_NEEDED.replace("(z(1 - alpha / 2) + z(power))", "(1.96 + 0.84)")), "use the arguments"),
        (_SEEDS.format(_NEEDED).replace("inv_cdf", "cdf"), "its inverse is wanted"),
        (_SEEDS.format(_NEEDED.replace("math.ceil", "round")), "rounded down"),
        (_SEEDS.format(_NEEDED.replace("math.ceil", "int")), "rounded down"),
        (_SEEDS.format(_NEEDED.replace("math.ceil", "")), "round up"),
        (_edit(_SEEDS.format(_NEEDED), ("power=0.8", "power=0.9")), "by default"),
        (_SEEDS.format(_NEEDED.replace("math.ceil", "float")), "round up"),
        (_SEEDS.format(_NEEDED.replace("z(1 - alpha / 2)", "z(alpha / 2)")), "the two z are added"),
        (_SEEDS.format(_NEEDED + " + 1"), "add nothing"),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return 2 * math.ceil((z(1 - alpha / 2) + z(power)) ** 2) * sd**2 / gain**2\n', 'round once'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return math.ceil(2 * (z(1 - alpha / 2) + z(1 - power)) ** 2 * sd**2 / gain**2)\n', 'the two z are added, and both are positive: z(1 - alpha /'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return math.ceil(2 * (z(alpha / 2) + z(power)) ** 2 * sd**2 / gain**2)\n', 'the two z are added, and both are positive: z(1 - alpha /'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return math.ceil(2 * (z(1 - 2 * alpha) + z(power)) ** 2 * sd**2 / gain**2)\n', 'not doubled'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return round(2 * (z(1 - alpha / 2) + z(power)) ** 2 * sd**2 / gain**2)\n', 'it is rounded down: fewer runs than needed do not do'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return math.ceil((2 * (z(1 - alpha / 2) + z(power))) ** 2 * sd**2 / gain**2)\n', 'runs of *each* method'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return math.ceil(2 * (z(1 - alpha / 2) + z(power)) ** 2 * sd / gain)\n', 'σ and δ are squared'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return math.ceil(4 * (z(1 - alpha / 2) + z(power)) ** 2 * sd**2 / gain**2)\n', 'runs of *each* method'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return math.ceil(2 * (z(1 - alpha / 2) * z(power)) ** 2 * sd**2 / gain**2)\n', 'not multiplied'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return str(math.ceil(2 * (z(1 - alpha / 2) + z(power)) ** 2 * sd**2 / gain**2))\n', 'your answer is a str, expected: an int, a whole number'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return float(math.ceil(2 * (z(1 - alpha / 2) + z(power)) ** 2 * sd**2 / gain**2))\n', 'your answer is a float, expected: an int, a whole number'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return math.ceil(2 * (z(1 - alpha / 2) + z(power)) ^ 2 * sd**2 / gain**2)\n', 'in Python'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return math.ceil(2 * (z((1 - alpha) / 2) + z(power)) ** 2 * sd**2 / gain**2)\n', '1 - α/2 is wanted, not'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return math.ceil(2 * ((1 - alpha / 2) + z(power)) ** 2 * sd**2 / gain**2)\n', 'each of the two is a z: z(1 - alpha / 2) + z(power)'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return math.ceil(2 * (z(1 - alpha / 2 + power)) ** 2 * sd**2 / gain**2)\n', 'each z by itself: z(1 - alpha / 2) + z(power), each of a num'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return math.ceil(2 * (z(1 - alpha / 2) + z(1 - power / 2)) ** 2 * sd**2 / gain**2)\n', 'the power is not halved: z(power)'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return math.ceil(2 * (z(power) + z(power)) ** 2 * sd**2 / gain**2)\n', 'α has its own z: z(1 - alpha / 2)'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return math.ceil(2 * (z(1 - alpha / 2) + z(power)) * 2 * sd**2 / gain**2)\n', '`** 2` squares, `* 2` doubles'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return np.ceil(2 * (z(1 - alpha / 2) + z(power)) ** 2 * sd**2 / gain**2)\n', 'your answer is a float64, expected: an int, a whole number'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist.inv_cdf\n    return math.ceil(2 * (z(1 - alpha / 2) + z(power)) ** 2 * sd**2 / gain**2)\n', 'make a normal distribution and name the function: `z = Norma'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist(0, sd).inv_cdf\n    return math.ceil(2 * (z(1 - alpha / 2) + z(power)) ** 2 * sd**2 / gain**2)\n', 'z is of the standard normal distribution: `NormalDist()`'),
        ('\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().quantiles\n    return math.ceil(2 * (z(1 - alpha / 2) + z(power)) ** 2 * sd**2 / gain**2)\n', 'z is the quantile, `NormalDist().inv_cdf`'),
        ('\ndef seeds_needed(gain, sd, alpha, power):\n    z = NormalDist().inv_cdf\n    return math.ceil(2 * (z(1 - alpha / 2) + z(power)) ** 2 * sd**2 / gain**2)\n', '`alpha` and `power` keep their defaults'),
        ('def seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    return math.ceil((sd / gain) ** 2)\n', 'the two z are missing'),
    ],
}  # fmt: skip

RIGHT = {
    "aggregate": [
        _EQ6_RIGHT,
        """
def aggregate(best, students, k, names):
    made = copy.deepcopy(students[-1])
    for name in names:
        mean = torch.stack([s[name] for s in students]).mean(0)
        made[name] = (k * best[name] + mean) / (k + 1)
    return made
""",
        _EQ6.format("best[name] + (total / n - best[name]) / (k + 1)"),
        _EQ6.format(
            "torch.lerp(torch.stack([s[name] for s in students]).mean(0), best[name], k / (k + 1))"
        ),
        "def aggregate(best, students, k, names):\n    n = len(students)\n    return {key: (k * n * best[key] + sum(s[key] for s in students)) / ((k + 1) * n) if key in names else value for key, value in students[-1].items()}\n",
        "def aggregate(best, students, k, names):\n    def mixed(name):\n        out = torch.zeros_like(best[name])\n        for s in students:\n            out += s[name]\n        return (out / len(students) + k * best[name]) / (k + 1)\n    return students[-1] | {n: mixed(n) for n in names}\n",
    ],
    "shares": [
        _SHARES,
        """
def shares(renewed):
    models = [np.array([1.0] + [0] * len(renewed))]
    best = models[0]
    for k, new in enumerate(renewed, 1):
        if new:
            best = models[-1]
        made = best * k
        made[k] += 1
        models.append(made / (k + 1))
    return models[-1]
""",
        "def shares(renewed):\n    best = m = [1.0] + [0.0] * len(renewed)\n    for i in range(len(renewed)):\n        if renewed[i]:\n            best = m\n        k = i + 1\n        m = [k / (k + 1) * x for x in best]\n        m[k] += 1 / (k + 1)\n    return np.array(m)\n",
        "def shares(renewed):\n    m = np.zeros(len(renewed) + 1)\n    m[0] = 1\n    best = m.copy()\n    for k in range(1, len(renewed) + 1):\n        if renewed[k - 1]:\n            best = m.copy()\n        m = best * k / (k + 1)\n        m[k] = 1 / (k + 1)\n    return m\n",
        "def shares(renewed):\n    def model(k):\n        e = np.zeros(len(renewed) + 1)\n        e[k] = 1\n        if k == 0:\n            return e\n        j = k - 1\n        while j > 0 and not renewed[j]:\n            j -= 1\n        return (k * model(j) + e) / (k + 1)\n    return model(len(renewed))\n",
    ],
    "reestimate": [
        _STATISTICS,
        """
def reestimate(network, batches):
    optim.reestimate_statistics(network, lambda: batches)
""",
        """
@torch.no_grad()
def reestimate(network, batches):
    was = {name: m.training for name, m in network.named_modules()}
    found = [m for m in network.modules() if hasattr(m, "running_var") and m.running_var is not None]
    kept = [m.momentum for m in found]
    network.eval()
    for m in found:
        m.training = True
        m.reset_running_stats()
    done = 0
    for images in batches:
        done += images.shape[0]
        for m in found:
            m.momentum = images.shape[0] / done
        network(images)
    for m, momentum in zip(found, kept):
        m.momentum = momentum
    for name, m in network.named_modules():
        m.training = was[name]
""",
        _edit(_STATISTICS, ("torch.no_grad()", "torch.inference_mode()")),
        _edit(
            _STATISTICS,
            (
                'for m in network.modules() if getattr(m, "running_mean", None) is not None',
                'for m in network.modules() if "running_mean" in m._buffers and m.running_mean is not None',
            ),
        ),
        _edit(
            _STATISTICS,
            (
                "    network.eval()\n",
                "    for m in network.modules():\n        m.training = False\n",
            ),
            ("        layer.train()\n", "        layer.training = True\n"),
        ),
        "def reestimate(network, batches):\n    import copy as c\n    keep = [(m, m.training, getattr(m, 'momentum', None)) for m in network.modules()]\n    norm = [m for m in network.modules() if getattr(m, 'running_mean', None) is not None]\n    total = 0\n    try:\n        network.eval()\n        for m in norm:\n            m.reset_running_stats(); m.train()\n        with torch.no_grad():\n            for x in batches:\n                total += x.size(0)\n                for m in norm:\n                    m.momentum = x.size(0) / total\n                network(x)\n    finally:\n        for m, t, mo in keep:\n            m.training = t\n            if hasattr(m, 'momentum'):\n                m.momentum = mo\n",
    ],
    "distillation": [
        _KL_RIGHT,
        _LIBRARY.format("student.log_softmax(1), teacher.detach().log_softmax(1), log_target=True"),
        _LIBRARY.format("F.log_softmax(student, 1), F.softmax(teacher.detach(), 1)"),
        """
def distillation_loss(student, teacher, valid):
    with torch.no_grad():
        p, log_p = teacher.softmax(1), teacher.log_softmax(1)
    cost = F.cross_entropy(student, p, reduction="none") + (p * log_p).sum(1)
    return torch.where(valid, cost, 0).sum() / max(int(valid.sum()), 1)
""",
        _KL.format("cost[valid].mean().nan_to_num()"),
        _edit(_KL_RIGHT, (".detach()", ""), ("log_p.exp()", "log_p.exp().detach()")),  # Σ p - p = 0
        _LIBRARY.format("student.log_softmax(1), teacher.detach().log_softmax(1), log_target=True"),
        "def distillation_loss(student, teacher, valid):\n    with torch.no_grad():\n        log_p = teacher.log_softmax(1)\n    cost = (log_p.exp() * log_p).sum(1) - (log_p.exp() * student.log_softmax(1)).sum(1)\n    return torch.where(valid, cost, 0).sum() / max(int(valid.sum()), 1)\n",
        "def distillation_loss(student, teacher, valid):\n    log_p = teacher.detach().log_softmax(1)\n    cost = F.cross_entropy(student, log_p.exp(), reduction='none') + (log_p.exp() * log_p).sum(1)\n    return (cost * valid).sum() / valid.sum().clamp(min=1)\n",
        "def distillation_loss(student, teacher, valid):\n    s, t = student.movedim(1, -1)[valid], teacher.detach().movedim(1, -1)[valid]\n    return F.kl_div(s.log_softmax(-1), t.log_softmax(-1), log_target=True, reduction='sum') / max(len(s), 1)\n",
    ],
    "run-cycles": [
        _CYCLES,
        """
def run_cycles(network, teacher, train_epoch, batches, cycles, epochs):
    names, out, best = dict(network.named_parameters()).keys(), [], teacher
    for cycle in range(cycles):
        states = []
        while len(states) < epochs:
            train_epoch(network, best)
            states.append({k: v.clone() for k, v in network.state_dict().items()})
        new = copy.deepcopy(network)
        new.load_state_dict(aggregate(best.state_dict(), states, cycle + 1, set(names)))
        reestimate(new, batches)
        new.eval()
        for p in new.parameters():
            p.requires_grad = False
        out.append(new)
        best = new
    return out
""",
        _edit(_CYCLES, ("network.named_parameters()", "network.state_dict().items()")),
        _edit(_CYCLES, ("m = copy.deepcopy(network)", "m = copy.deepcopy(teacher)")),
        "def run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    names = set(dict(network.named_parameters()))\n    made = [teacher]\n    def one():\n        train_epoch(network, made[-1])\n        return {k: v.clone() for k, v in network.state_dict().items()}\n    for k in range(1, cycles + 1):\n        students = [one() for _ in range(epochs)]\n        m = copy.deepcopy(network)\n        m.load_state_dict(aggregate(made[-1].state_dict(), students, k, names))\n        m.eval()\n        reestimate(m, batches)\n        made.append(m.requires_grad_(False))\n    return made[1:]\n",
        "def run_cycles(network, teacher, train_epoch, batches, cycles, epochs):\n    made, names = [], {n for n, _ in network.named_parameters()}\n    for e in range(cycles * epochs):\n        if e % epochs == 0:\n            students = []\n        train_epoch(network, teacher)\n        students += [copy.deepcopy(network.state_dict())]\n        if (e + 1) % epochs == 0:\n            new = aggregate(teacher.state_dict(), students, e // epochs + 1, names)\n            teacher = copy.deepcopy(network)\n            teacher.load_state_dict(new)\n            reestimate(teacher, batches)\n            teacher.eval()\n            for p in teacher.parameters():\n                p.requires_grad_(False)\n            made += [teacher]\n    return made\n",
    ],
    "seeds-needed": [
        _SEEDS.format(_NEEDED),
        """
def seeds_needed(gain, sd, alpha=0.05, power=0.8):
    normal = NormalDist()
    effect = gain / sd
    both = normal.inv_cdf(1 - alpha / 2) - normal.inv_cdf(1 - power)
    return int(np.ceil(2 * (both / effect) ** 2))
""",
        "\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return int(2 * (z(1 - alpha / 2) + z(power)) ** 2 * sd**2 / gain**2) + 1\n",
        "\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return -int(-2 * (sd * (z(1 - alpha / 2) + z(power)) / gain) ** 2 // 1)\n",
        "\ndef seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    z = NormalDist().inv_cdf\n    return int(np.ceil(2 * ((z(1 - alpha / 2) + z(power)) * sd / gain) ** 2))\n",
        "def seeds_needed(gain, sd, alpha=0.05, power=0.8):\n    n = NormalDist()\n    total = n.inv_cdf(power) - n.inv_cdf(alpha / 2)\n    x = 2 * total * total / (gain / sd) ** 2\n    return int(x) + (x > int(x))\n",
    ],
}

# Planted bugs that change nothing that is asked for: line, change, reason.
_ORDER = "this and the next in the other order"
_FREE = "neither line needs what the other does"
_FOUND = 'layers = [m for m in network.modules() if getattr(m, "running_mean", None) is not None]'

EQUIVALENT = {
    "aggregate": [
        (
            "total = sum(student[name] for student in students)",
            "students)) → students)).detach()",
            "what a state_dict holds has no gradient",
        ),
    ],
    "reestimate": [
        (_FOUND, _ORDER, _FREE),
        (
            _FOUND,
            "network.modules() → list(network.modules())[1:]",
            "the first is the network itself, which is no layer",
        ),
        ("modes = {module: module.training for module in network.modules()}", _ORDER, _FREE),
        ("momenta = {layer: layer.momentum for layer in layers}", _ORDER, _FREE),
        ("for layer in momenta:", _ORDER, _FREE),
        ("layer.train()", _ORDER, _FREE),
        ("for module, mode in modes.items():", _ORDER, _FREE),
    ],
    "run-cycles": [
        (
            "for _ in range(epochs):",
            _ORDER,
            "M is a copy whose whole state is replaced, so it may be made before",
        ),
        ("reestimate(m, batches)", _ORDER, "statistics are estimated whatever the mode"),
    ],
}
