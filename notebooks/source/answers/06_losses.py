"""What to try on the checks of lesson 06."""

from __future__ import annotations

_SHARE = """
def inverse_frequency(counts):
    present = counts > 0
    weights = np.zeros(len(counts))
    weights[present] = 1 / counts[present]
    return {0}


def gradient_share(weights, counts):
    return {1}
"""
_SUM, _PULL = "weights / weights.sum()", "weights * counts / (weights * counts).sum()"

_FOCAL = """
def focal_loss(logits, target, gamma=2.0):
    log_p = F.log_softmax(logits, dim=1).gather(1, target[:, None])[:, 0]
    p = log_p.exp()
    return {0}
"""

_DICE = """
def soft_dice_loss(logits, target):
    p = logits.softmax(dim=1)
    y = F.one_hot(target, logits.shape[1]).permute(0, 3, 1, 2)
    dims = (0, 2, 3)
    hit, called, there = (p * y).sum(dims), p.sum(dims), y.sum(dims)
    score = 2 * hit / (called + there)
    present = there > 0
    return {0}
"""

_GRADIENT = """
def lovasz_gradient(foreground):
    size = foreground.sum()
    intersection = size - foreground.cumsum(0)
    union = size + (~foreground).cumsum(0)
    jaccard = 1 - intersection / union
    return {0}
"""
_DIFF = "torch.diff(jaccard, prepend=torch.zeros(1))"

_LOVASZ = """
def lovasz_softmax(logits, target):
    p = logits.softmax(dim=1).permute(0, 2, 3, 1).reshape(-1, logits.shape[1])
    y = target.reshape(-1)
    costs = []
    for c in range(p.shape[1]):
        foreground = y == c
        if not foreground.any():
            continue
        errors = torch.where(foreground, 1 - p[:, c], p[:, c])
        m, order = torch.sort(errors, descending=True)
        costs.append((m * lovasz_gradient(foreground[order])).sum())
    return sum(costs) / len(costs)
"""


def _edit(code: str, old: str, new: str) -> str:
    """The code with a mistake (or another way) in it."""
    assert old in code, old
    return code.replace(old, new)


_FOCAL_RIGHT = _FOCAL.format("-((1 - p) ** gamma * log_p).mean()")
_DICE_RIGHT = _DICE.format("1 - score[present].mean()")


WRONG = {
    "gradient-share": [
        (_edit(_SHARE.format(_SUM, _PULL), "1 / counts[present]", "counts.min() / counts[present]"),
         "is 0 or 1 / 0 among"),
        (_edit(_SHARE.format(_SUM, _PULL), "1 / counts[present]", "1 / np.log(counts[present])"),
         "the logarithm of f, as in Eq. 2"),
        (_edit(_SHARE.format(_SUM, _PULL), "1 / counts[present]", "1 / counts"), "both sides"),
        (_edit(_SHARE.format(_SUM, _PULL), "counts > 0", "counts > 1"), "one is enough"),
        (_SHARE.format("weights / weights.mean()", _PULL), "mean is 1"),
        (_SHARE.format("weights ** 0.5 / (weights ** 0.5).sum()", _PULL), "root of f"),
        (_SHARE.format("np.where(present, counts.sum() / counts.clip(1), 0)", _PULL), "do not sum to 1"),
        (_SHARE.format(_SUM, "100 * weights * counts / (weights * counts).sum()"), "per cent"),
        (_SHARE.format(_SUM, "weights / weights.sum() * counts / counts.sum()"), "sum of the products"),
        (_SHARE.format(_SUM, "weights * counts / (weights * counts).max()"), "not by the largest"),
        (_SHARE.format("weights", _PULL), "do not sum to 1"),
        (_SHARE.format("counts / counts.sum()", _PULL), "these are the frequencies"),
        (_SHARE.format("1 / counts / (1 / counts[present]).sum()", _PULL), "infinite"),
        (_SHARE.format("1 / (counts + 1) / (1 / (counts + 1)).sum()", _PULL), "1 was added"),
        (
            _SHARE.format("1 / counts.clip(1) / (1 / counts.clip(1)).sum()", _PULL),
            "should weigh nothing",
        ),
        (
            _SHARE.format("np.where(present, 1 / np.log(counts.clip(2)), 0)", _PULL),
            "do not sum to 1",
        ),
        (
            _edit(_SHARE.format(_SUM, _PULL), "np.zeros(len(counts))", "np.zeros_like(counts)"),
            "hold whole numbers",
        ),
        (_SHARE.format("(weights / weights.sum()).tolist()", _PULL), "expected: an array"),
        (
            _edit(_SHARE.format(_SUM, _PULL), "    weights = np",
                  "    counts[counts == 0] = 1\n    weights = np"),
            "changes its argument `counts`",
        ),
        (
            """
def inverse_frequency(counts):
    raw = [1 / n for n in counts.tolist()]
    return np.array(raw) / sum(raw)


def gradient_share(weights, counts):
    return weights * counts / (weights * counts).sum()
""",
            "leave it at 0",
        ),
        (_SHARE.format(_SUM, "weights * counts / weights.sum()"), "not by the weights"),
        (_SHARE.format(_SUM, "(weights * counts).sum()"), "one number for all"),
        (
            _edit(_SHARE.format(_SUM, "weights / weights.sum()"), "share(weights, counts):",
                  "share(weights, counts):\n    weights *= counts"),
            "changes its argument `weights`",
        ),
        (_SHARE.format(_SUM, "weights * counts"), "pulls, not shares"),
        (_SHARE.format(_SUM, "counts / counts.sum()"), "weights have no effect"),
        (_SHARE.format(_SUM, "weights / weights.sum()"), "pixels have no effect"),
        (_SHARE.format(_SUM, "weights * counts / counts.sum()"), "not by the pixels"),
        (_SHARE.format("weights[present] / weights.sum()", _PULL), "one weight for each class"),
        (_SHARE.format("weights ** 2 / (weights ** 2).sum()", _PULL), "1/f is squared"),
        (_SHARE.format("weights / np.linalg.norm(weights)", _PULL), "the vector: divide by the sum"),
        (_SHARE.format(_SUM, "inverse_frequency(counts) * counts / (counts > 0).sum() / "
                             "(inverse_frequency(counts) * counts).max()"), "use the argument"),
        (_SHARE.format(_SUM, "(weights * counts)[counts > 0] / (weights * counts).sum()"),
         "one share for each class"),
        (_SHARE.format(_SUM, "weights * counts / (weights * counts).mean()"), "the mean is 1"),
        (_SHARE.format(_SUM, "weights * counts / len(counts)"), "number of classes"),
        (_SHARE.format(_SUM, "weights * 18 / 19 * counts"), "shares sum to 1"),
    ],
    "focal-loss": [
        (_FOCAL.format("((1 - p) ** gamma * nn.CrossEntropyLoss(logits, target)).mean()"), "to be called"),
        (_edit(_FOCAL_RIGHT, "** gamma", "** int(gamma)"), "use the argument gamma"),
        (_edit(_FOCAL_RIGHT, ".gather(1, target[:, None])[:, 0]", ""), "gather the true class"),
        (_edit(_FOCAL_RIGHT, ".gather(1, target[:, None])[:, 0]", "[:, target]"), "pairs every pixel"),
        (_FOCAL.format("-((1 - p) ** gamma * p * log_p).mean()"), "look at log p"),
        (_FOCAL.format("-((p * (1 - p)) ** gamma * log_p).mean()"), "look at the factor"),
        (_edit(_FOCAL_RIGHT, "log_p).mean()", "log_p / 2.302585).mean()"), "base 10"),
        (_FOCAL.format("-(0.25 * (1 - p) ** gamma * log_p).mean()"), "no α"),
        (_FOCAL.format("-((1 - p ** gamma) * log_p).mean()"), "not of p alone"),
        (_FOCAL.format("-((1 - p) ** gamma * log_p + p ** gamma * (1 - p).log()).mean()"), "yes and no"),
        (_FOCAL.format("((1 - p) ** gamma * (1 - p)).mean()"), "the logarithm is missing"),
        (_FOCAL.format("((-log_p) ** gamma).mean()"), "not of the logarithm"),
        ("""
def focal_loss(logits, target, gamma=2.0):
    p = logits.softmax(1).max(1).values
    return (-(1 - p) ** gamma * p.log()).mean()
""", "not the largest"),
        (_edit(_FOCAL_RIGHT, "gamma=2.0", "gamma=1.0"), "by default"),
        (_FOCAL.format("((1 - p) ** gamma * F.cross_entropy(logits, target)).mean()"), "before the mean"),
        (_edit(_FOCAL_RIGHT, "target[:, None]", "target[..., None]"), "target[:, None]"),
        (_FOCAL.format("((1 - p) ** gamma * log_p).mean()"), "sign"),
        (_FOCAL.format("-(p ** gamma * log_p).mean()"), "hard pixels down"),
        (_FOCAL.format("-((1 - p) ** gamma * log_p).sum()"), "the sum over the pixels"),
        (_FOCAL.format("-log_p.mean()"), "gamma has no effect"),
        (_FOCAL.format("-(gamma * (1 - p) * log_p).mean()"), "exponent"),
        (_FOCAL.format("-((1 - p).mean() ** gamma * log_p.mean())"), "each pixel"),
        (_FOCAL.format("-((1 - p) ** 2 * log_p).mean()"), "2 is written in"),
        (_FOCAL.format("-((1 - p).detach() ** gamma * log_p).mean()"), "detach and clamp nothing"),
        (
            _edit(
                _FOCAL.format("-((1 - p) ** gamma * log_p).mean()"),
                "F.log_softmax(logits, dim=1)",
                "logits.softmax(1).log()",
            ),
            "cost infinity",
        ),
        (
            _edit(_FOCAL.format("-((1 - p) ** gamma * log_p).mean()"), "dim=1", "dim=-1"),
            "classes are dimension 1",
        ),
        (
            """
def focal_loss(logits, target, gamma=2.0):
    ce = F.cross_entropy(logits, target)
    return (1 - torch.exp(-ce)) ** gamma * ce
""",
            "the mean came before the power",
        ),
        (_FOCAL.format("-((1 - p) ** gamma * log_p)"), "take their mean"),
        (_FOCAL.format("-((1 - p) ** gamma * log_p).sum() / len(target)"), "number of images"),
        (_FOCAL.format("-((1 - p[:, None]) ** gamma * log_p).mean()"), "pairs all images"),
        (_FOCAL.format("-((1 - p) ** gamma * log_p).mean().item()"), "is a float, expected: a tensor"),
        (_FOCAL.format("-((1 - p) ** -gamma * log_p).mean()"), "not minus gamma"),
        (_edit(_FOCAL_RIGHT, "target[:, None])[:, 0]", "target)"), "gather wants"),
        (_edit(_FOCAL_RIGHT, "F.log_softmax(logits, dim=1)", "F.logsigmoid(logits)"), "no sigmoid"),
        (
            _edit(_FOCAL_RIGHT, "F.log_softmax(logits, dim=1)", "(logits.softmax(1) + 1e-8).log()"),
            "too little",
        ),
        (
            _edit(_FOCAL_RIGHT, "F.log_softmax(logits, dim=1)",
                  "logits.softmax(1).clamp_min(1e-7).log()"),
            "too little",
        ),
        (
            """
def focal_loss(logits, target, gamma=2.0):
    every = F.log_softmax(logits, dim=1)
    true = F.one_hot(target, logits.shape[1]).movedim(-1, 1)
    return -((1 - every.exp()) ** gamma * every * true).mean()
""",
            "over the classes, too",
        ),
        (_edit(_FOCAL_RIGHT, "    log_p", "    logits -= logits.mean()\n    log_p"),
         "changes its argument `logits`"),
        (_edit(_FOCAL_RIGHT, "    return", "    loss ="), "does every way"),
        (_edit(_FOCAL_RIGHT, "log_p.exp()", "log_P.exp()"), "'log_P' is not defined"),
        (
            _FOCAL.format("torch.tensor(-((1 - p) ** gamma * log_p).mean().item())"),
            "no gradient",
        ),
        (_FOCAL.format("-((1 - log_p) ** gamma * log_p).mean()"), "exponential of log p"),
        (_FOCAL.format("-(gamma * log_p).mean()"), "exponent"),
        (_FOCAL.format("-((1 - p) ** gamma * log_p).sum() / ((1 - p) ** gamma).sum()"),
         "not by the factors"),
        (_FOCAL.format("-((1 + p) ** gamma * log_p).mean()"), "not 1 + p"),
        (_FOCAL.format("-((1 - p) ** gamma * p).mean()"), "the logarithm is missing"),
        (_FOCAL.format("-((1 - p) ** gamma * log_p).mean((1, 2))"), "the images' losses"),
        (_edit(_FOCAL_RIGHT, "F.log_softmax(logits, dim=1)", "F.log_softmax(logits.softmax(1), 1)"),
         "there twice"),
        (_edit(_FOCAL_RIGHT, "dim=1)", "dim=0)"), "over the images"),
        (_edit(_FOCAL_RIGHT, "F.log_softmax(logits, dim=1)", "logits.softmax(1)"), "log_softmax"),
        (_edit(_FOCAL_RIGHT, "F.log_softmax(logits, dim=1)", "logits"), "the softmax is missing"),
        (_edit(_FOCAL_RIGHT, "F.log_softmax(logits, dim=1).gather(1, target[:, None])",
               "F.log_softmax(logits.gather(1, target[:, None]), dim=1)"), "before you gather"),
        (_edit(_FOCAL_RIGHT, "gather(1", "gather(0"), "classes are dimension 1"),
    ],
    "soft-dice": [
        (_edit(_DICE_RIGHT, "there > 0", "hit > 0.5"), "however little of it is hit"),
        (_DICE.format("1 - score[present.cumprod(0) > 0].mean()"), "no `break`"),
        (_edit(_DICE_RIGHT, "(called + there)", "(called + there + 0.01)"), "should cost 0"),
        (_edit(_DICE_RIGHT, "2 * hit / (called + there)", "2 * hit / called + there"), "a bracket is missing"),
        (_edit(_DICE_RIGHT, "logits.softmax(dim=1)", "(logits.softmax(dim=1) > 0.5).float()"), "between them it is not"),
        (_edit(_DICE_RIGHT, "permute(0, 3, 1, 2)", "reshape(p.shape)"), "does not move dimensions"),
        (_edit(_DICE_RIGHT, "(called + there)", "(called + there - hit)"), "below stands the union"),
        (_DICE.format("-score[present].log().mean()"), "minus the logarithm"),
        (_DICE.format("(1 - score[present]).sum()"), "the sum over the classes"),
        (_edit(_DICE_RIGHT, "2 * hit / (called + there)", "hit / there.clip(1)"), "soft recall"),
        (_edit(_DICE_RIGHT, "2 * hit / (called + there)", "hit / called"), "soft precision"),
        (_edit(_DICE_RIGHT, "logits.softmax(dim=1)", "logits.log_softmax(dim=1)"), "not log_softmax"),
        (_DICE.format("1 - (score * there).sum() / there.sum()"), "plain mean"),
        (_edit(_DICE_RIGHT, "logits.shape[1])", "19)"), "19 classes"),
        (_DICE.format("score[present].mean()"), "this is the score"),
        (_DICE.format("1 - score.mean()"), "counts as 0"),
        (_DICE.format("1 - torch.where(present, score, 1.0).mean()"), "counts as 1"),
        (_DICE.format("1 - score[present].mean() / 2"), "factor 2"),
        (
            _DICE.format("1 - 2 * hit.sum() / (called + there).sum()"),
            "in one sum",
        ),
        (
            _edit(
                _DICE.format("1 - score[present].mean()"),
                "p.sum(dims)",
                "(p ** 2).sum(dims)",
            ),
            "squared",
        ),
        (_DICE.format("1 - (hit / (called + there - hit))[present].mean()"), "soft IoU"),
        (
            _edit(
                _DICE.format("1 - score[present].mean()"),
                "logits.softmax(dim=1)",
                "F.one_hot(logits.argmax(1), logits.shape[1]).permute(0, 3, 1, 2).float()",
            ),
            "arg-max",
        ),
        (
            """
def soft_dice_loss(logits, target):
    p = logits.softmax(dim=1)
    y = F.one_hot(target, logits.shape[1]).permute(0, 3, 1, 2)
    costs = []
    for a, b in zip(p, y):
        score = 2 * (a * b).sum((1, 2)) / (a + b).sum((1, 2))
        costs.append(1 - score[b.sum((1, 2)) > 0].mean())
    return torch.stack(costs).mean()
""",
            "the images' losses",
        ),
        (_DICE.format("1 - score[present].sum()"), "are added up"),
        (_DICE.format("1 - score[present]"), "take their mean"),
        (_DICE.format("1 - score[1:][present[1:]].mean()"), "background"),
        (_DICE.format("float(1 - score[present].mean())"), "is a float, expected: a tensor"),
        (
            _edit(_DICE_RIGHT, "2 * hit / (called + there)", "(2 * hit + 1) / (called + there + 1)"),
            "adds nothing",
        ),
        (_edit(_DICE_RIGHT, "logits.softmax(dim=1)", "logits"), "softmax is missing"),
        (_edit(_DICE_RIGHT, "logits.softmax(dim=1)", "logits.softmax(dim=-1)"), "dimension 1"),
        (_edit(_DICE_RIGHT, "logits.softmax(dim=1)", "logits.sigmoid()"), "no sigmoid"),
        (_edit(_DICE_RIGHT, ".permute(0, 3, 1, 2)", ""), "move its last dimension"),
        (_edit(_DICE_RIGHT, "F.one_hot(target, logits.shape[1])", "F.one_hot(target)"),
         "tell it how many"),
        (
            """
def soft_dice_loss(logits, target):
    p = logits.softmax(dim=1)
    y = F.one_hot(target, logits.shape[1]).permute(0, 3, 1, 2)
    there = y.sum((2, 3))
    score = 2 * (p * y).sum((2, 3)) / (p.sum((2, 3)) + there)
    return 1 - score[there > 0].mean()
""",
            "a score of its own",
        ),
        (
            """
def soft_dice_loss(logits, target):
    p = logits.softmax(dim=1)
    y = F.one_hot(target, logits.shape[1]).permute(0, 3, 1, 2)
    return 1 - (2 * (p * y).sum((2, 3)) / (p + y).sum((2, 3))).mean()
""",
            "a score of its own",
        ),
        (_edit(_DICE_RIGHT, "    p = logits", "    target[target == 2] = 1\n    p = logits"),
         "changes its argument `target`"),
        (
            _edit(
                _DICE.format("1 - score[present].mean()"),
                "2 * hit / (called + there)",
                "2 * hit / (called.detach() + there)",
            ),
            "another gradient",
        ),
        (
            _DICE.format("torch.tensor(1 - score[present].mean().item())"),
            "no gradient",
        ),
        (_DICE.format("-score[present].mean()"), "minus the score"),
        (_DICE.format("1 - score[present].min()"), "worst class alone"),
        (_DICE.format("1 - 2 * (hit / there**2)[present].sum() / "
                      "((called + there) / there**2)[present].sum()"), "take the plain mean"),
        (_edit(_DICE_RIGHT, "(called + there)", "(called * there)"), "a product"),
        (_DICE.format("1 - (2 * p * y / (p + y)).mean()"), "no quotient of each pixel"),
        (_DICE.format("1 - (2 * p * y / (p + y)).sum(dims)[present].mean()"), "no quotient of each"),
        (_DICE.format("-score[present].mean().log()"), "minus the logarithm"),
        (_DICE.format("1 - 2 * hit[present].mean() / (called + there)[present].mean()"),
         "in one sum"),
        (_edit(_DICE_RIGHT, "(p * y).sum(dims)", "(p * y).mean(dims)"), "above stands a mean"),
        (_edit(_DICE_RIGHT, "softmax(dim=1)", "softmax(dim=0)"), "over the images"),
    ],
    "lovasz-gradient": [
        (_edit(_GRADIENT.format(_DIFF), "intersection / union", "intersection / size + (~foreground).cumsum(0)"),
         "stands below as a whole"),
        (_GRADIENT.format("torch.cat([torch.zeros(1), torch.diff(jaccard, prepend=torch.zeros(1))[:-1]])"),
         "a pixel late"),
        (_edit(_GRADIENT.format(_DIFF), "size + (~", "2 * size + (~"), "in the union twice"),
        (_GRADIENT.format("torch.diff(jaccard, prepend=torch.zeros(1)).sort().values"), "are sorted"),
        (_edit(_GRADIENT.format(_DIFF), "size = foreground.sum()", "size = len(foreground)"), "not of all"),
        (_GRADIENT.format("torch.diff(jaccard, prepend=torch.ones(1))"), "the loss is 0, not 1"),
        (_edit(_GRADIENT.format(_DIFF), "size - foreground.cumsum(0)", "size - (~foreground).cumsum(0)"), "not those of the background"),
        (_edit(_GRADIENT.format(_DIFF), "size + (~", "size - (~"), "add them"),
        (_edit(_GRADIENT.format(_DIFF), "1 - intersection / union", "1 - 2 * intersection / (intersection + union)"), "steps of Dice"),
        (_GRADIENT.format("(1 - jaccard)"), "values of IoU"),
        (_GRADIENT.format("torch.diff(jaccard, append=torch.ones(1))"), "prepend it"),
        (_GRADIENT.format("jaccard"), "the losses J themselves"),
        (_edit(_GRADIENT.format(_DIFF), "~foreground", "1 - foreground"), "cannot be subtracted"),
        (_GRADIENT.format("torch.diff(jaccard, prepend=0)"), "wants a tensor"),
        (_GRADIENT.format(f"{_DIFF}.tolist()"), "is a list, expected: a tensor"),
        (_GRADIENT.format(f"{_DIFF} / 2"), "are halved"),
        (
            _edit(_GRADIENT.format(_DIFF), "1 - intersection / union",
                  "1 - torch.div(intersection, union, rounding_mode='floor')"),
            "// rounds",
        ),
        (_edit(_GRADIENT.format(_DIFF), "    size = ", "    foreground[0] = True\n"
               "    foreground[1] = True\n    size = "), "changes its argument `foreground`"),
        (_GRADIENT.format("torch.diff(jaccard)"), "first step is missing"),
        (
            _edit(_GRADIENT.format(_DIFF), "size + (~foreground).cumsum(0)", "size"),
            "union never grows",
        ),
        (_GRADIENT.format("torch.cat([jaccard[:1], -torch.diff(jaccard)])"), "the steps are turned"),
        (_GRADIENT.format(f"-{_DIFF}"), "sign is turned"),
        (
            _edit(_GRADIENT.format(_DIFF), "1 - intersection / union", "intersection / union"),
            "values of IoU",
        ),
        (_GRADIENT.format(f"{_DIFF}.flip(0)"), "from the first to the last"),
        (
            _edit(_GRADIENT.format(_DIFF), "(~foreground).cumsum(0)",
                  "torch.arange(len(foreground))"),
            "not by all",
        ),
        (
            _edit(_GRADIENT.format(_DIFF), "(~foreground).cumsum(0)",
                  "torch.arange(1, len(foreground) + 1)"),
            "not by all",
        ),
        (
            _edit(_GRADIENT.format(_DIFF), "(~foreground).cumsum(0)",
                  "foreground.cumsum(0)"),
            "in the union already",
        ),
        (_edit(_GRADIENT.format(_DIFF), "size - foreground.cumsum(0)", "foreground.cumsum(0)"),
         "what is left"),
        (_edit(_GRADIENT.format(_DIFF), "size + (~foreground).cumsum(0)", "len(foreground)"),
         "not all pixels"),
        (_edit(_GRADIENT.format(_DIFF), "(~foreground).cumsum(0)", "~foreground.cumsum(0)"),
         "with brackets"),
        (_edit(_GRADIENT.format(_DIFF), "size + (~", "intersection + (~"), "the union loses nothing"),
        (_edit(_GRADIENT.format(_DIFF), "    size", "    foreground = foreground.sort(descending=True)"
               ".values\n    size"), "sorted anew"),
        (_edit(_GRADIENT.format(_DIFF), "cumsum(0)", "sum(0)"), "cumsum, not sum"),
        (_GRADIENT.format("torch.diff(jaccard, prepend=jaccard[:1])"), "a zero in front"),
        (_GRADIENT.format("torch.diff(jaccard, prepend=torch.zeros(1), append=torch.ones(1))"),
         "a step more than pixels"),
        (_GRADIENT.format(f"{_DIFF} * foreground"), "have a price, too"),
        (_GRADIENT.format(f"{_DIFF}.sum()"), "return all of them"),
        (_GRADIENT.format("jaccard.cumsum(0)"), "sums of the losses"),
    ],
    "lovasz-softmax": [
        (_edit(_LOVASZ, "permute(0, 2, 3, 1).reshape(-1, logits.shape[1])", "flatten(0, 2)"),
         "before you flatten"),
        (_edit(_LOVASZ, "m, order = torch", "order, m = torch"), "the values first"),
        (_edit(_LOVASZ, "foreground = y == c", "foreground = y >= c"), "of one class it is right"),
        (_edit(_LOVASZ, "sum(costs) / len(costs)", "costs[-1]"), "only the last class"),
        (_edit(_LOVASZ, "(m * lovasz_gradient(foreground[order])).sum()", "(m * lovasz_gradient(foreground[order])).mean()"), "no mean"),
        (_edit(_LOVASZ, "m, order = torch.sort(errors, descending=True)", "m, order = errors, slice(None)"), "for unsorted pixels"),
        (_edit(_LOVASZ, "torch.where(foreground, 1 - p[:, c], p[:, c])", "1 - p[:, c]"), "1 - p everywhere"),
        (_edit(_LOVASZ, "torch.where(foreground, 1 - p[:, c], p[:, c])", "torch.where(foreground, 1 - p[:, c], p[:, c]) ** 2"), "are squared"),
        (_edit(_LOVASZ, "logits.softmax(dim=1)", "F.one_hot(logits.argmax(1), logits.shape[1]).movedim(-1, 1).float()"), "arg-max has no slope"),
        (_edit(_LOVASZ, "lovasz_gradient(foreground[order])", "lovasz_gradient(~foreground[order])"), "not its opposite"),
        (_edit(_LOVASZ, "range(p.shape[1])", "range(1, p.shape[1])"), "class 0 was left out"),
        (_edit(_LOVASZ, "range(p.shape[1])", "range(len(y.unique()))"), "visit `target.unique()`"),
        (_edit(_LOVASZ, "sum(costs) / len(costs)", "max(costs)"), "worst class alone"),
        (_edit(_LOVASZ, "lovasz_gradient(foreground[order])", "lovasz_gradient(foreground[order]).cumsum(0)"), "added up again"),
        (_edit(_LOVASZ, "logits.softmax(dim=1)", "logits.sigmoid()"), "no sigmoid"),
        (
            _edit(_LOVASZ, "permute(0, 2, 3, 1).", ""),
            "reshape mixed",
        ),
        (_edit(_LOVASZ, "descending=True", "descending=False"), "worst first"),
        (_edit(_LOVASZ, "foreground[order]", "foreground"), "foreground is not"),
        (
            _edit(_LOVASZ, "torch.where(foreground, 1 - p[:, c], p[:, c])",
                  "foreground.float() - p[:, c]"),
            "none is negative",
        ),
        (_edit(_LOVASZ, "len(costs)", "p.shape[1]"), "absent classes count as 0"),
        (_edit(_LOVASZ, "if not foreground.any()", "if False"), "absent classes are in it"),
        (_edit(_LOVASZ, "logits.softmax(dim=1)", "logits.softmax(dim=-1)"), "dimension 1"),
        (_edit(_LOVASZ, "torch.where(foreground, 1 - p[:, c], p[:, c])",
               "(foreground - p[:, c]).abs()"), "make numbers of the foreground"),
        (_edit(_LOVASZ, "sum(costs) / len(costs)", "float(sum(costs) / len(costs))"),
         "is a float, expected: a tensor"),
        (
            _edit(_LOVASZ, "def lovasz_softmax", "def of_image") + """

def lovasz_softmax(logits, target):
    return sum(of_image(a[None], b[None]) for a, b in zip(logits, target)) / len(target)
""",
            "the mean of the images' losses",
        ),
        (_edit(_LOVASZ, "    p = logits", "    logits *= 2\n    p = logits"),
         "changes its argument `logits`"),
        (_edit(_LOVASZ, "    return sum(costs)", "        return sum(costs)"), "`return` after the loop"),
        (_edit(_LOVASZ, " / len(costs)", ""), "sum over the classes"),
        (_edit(_LOVASZ, "logits.softmax(dim=1)", "logits"), "softmax is missing"),
        (
            _edit(_LOVASZ, "torch.where(foreground, 1 - p[:, c], p[:, c])",
                  "torch.where(foreground, 1 - p[:, c], p[:, c]).round()"),
            "look at step 1",
        ),
        (_edit(_LOVASZ, "softmax(dim=1)", "softmax(dim=1).detach()"), "no gradient"),
        (
            _edit(_LOVASZ, "1 - p[:, c], p[:, c])", "1 - p[:, c], p[:, c].detach())"),
            "another gradient",
        ),
        (_edit(_LOVASZ, "torch.where(foreground, 1 - p[:, c], p[:, c])",
               "p[:, c] - foreground.float()"), "where the class is true the error is 1 - p"),
        (_edit(_LOVASZ, "(m * lovasz_gradient", "(errors * lovasz_gradient"), "not by unsorted ones"),
        (_edit(_LOVASZ, "foreground[order]", "foreground.sort(descending=True).values"),
         "an order of its own"),
        (_edit(_LOVASZ, "torch.sort(errors,", "torch.sort(p[:, c],"), "p was sorted"),
        (_edit(_LOVASZ, "lovasz_gradient(foreground[order])", "lovasz_gradient(m)"),
         "no errors"),
        (_edit(_LOVASZ, "(m * lovasz_gradient(foreground[order]))", "lovasz_gradient(foreground[order])"),
         "errors have no effect"),
        (_edit(_LOVASZ, "1 - p[:, c], p[:, c]", "p[:, c], 1 - p[:, c]"), "these are not the errors"),
        (_edit(_LOVASZ, "p[:, c]", "p[c]"), "are a column"),
        (_edit(_LOVASZ, "permute(0, 2, 3, 1)", "permute(0, 3, 2, 1)"), "changed places"),
        (_edit(_LOVASZ, "softmax(dim=1)", "log_softmax(dim=1)"), "not log_softmax"),
        (_edit(_LOVASZ, "softmax(dim=1)", "softmax(dim=0)"), "over the images"),
        (_edit(_LOVASZ, "target.reshape(-1)", "target"), "not flat"),
        (_edit(_LOVASZ, "reshape(-1, logits.shape[1])", "reshape(-1, 19)"), "19 is written in"),
        (_edit(_LOVASZ, "return sum", "return 1 - sum"), "1 minus the loss"),
        (_edit(_LOVASZ, "[order])).sum())", "[order])).sum() * foreground.float().mean())"),
         "large classes count for more"),
    ],
}  # fmt: skip

RIGHT = {
    "gradient-share": [
        _SHARE.format(
            "weights / np.sum(weights)", "np.multiply(weights, counts) / np.dot(weights, counts)"
        ),
        """
def inverse_frequency(counts):
    inverse = np.divide(1.0, counts, out=np.zeros(len(counts)), where=counts > 0)
    return inverse / inverse.sum()
def gradient_share(weights, counts):
    pull = np.array([w * n for w, n in zip(weights, counts)])
    return pull / np.sum(pull)
""",
        _SHARE.format(
            "weights * (1 / weights.sum())", "(weights * counts) / sum(weights * counts)"
        ),
        _SHARE.format(_SUM, _PULL),
        """
def inverse_frequency(counts):
    raw = np.array([1 / n if n else 0.0 for n in counts])
    return raw / raw.sum()


def gradient_share(weights, counts):
    return weights * counts / np.dot(weights, counts)
""",
        """
def inverse_frequency(counts):
    weights = np.divide(1, counts, out=np.zeros(len(counts)), where=counts > 0)
    return weights / np.sum(weights)


def gradient_share(weights, counts):
    return np.array([w * f for w, f in zip(weights, counts)]) / (weights @ counts)
""",
    ],
    "focal-loss": [
        """
def focal_loss(logits, target, gamma=2.0):
    ce = F.cross_entropy(logits, target, reduction="none")
    return torch.mean(torch.pow(1 - torch.exp(-ce), gamma) * ce)
""",
        """
def focal_loss(logits, target, gamma=2.0):
    log_p = logits.log_softmax(1)
    y = F.one_hot(target, logits.shape[1]).permute(0, 3, 1, 2)
    log_p = (log_p * y).sum(1)
    return -((1 - log_p.exp()).pow(gamma) * log_p).mean()
""",
        """
def focal_loss(logits, target, gamma=2.0):
    nll = F.nll_loss(F.log_softmax(logits, 1), target, reduction="none")
    return ((1 - (-nll).exp()) ** gamma * nll).sum() / target.numel()
""",
        _FOCAL.format("-((1 - p) ** gamma * log_p).mean()"),
        """
def focal_loss(logits, target, gamma=2.0):
    cost = F.cross_entropy(logits, target, reduction="none")
    return (torch.pow(1 - torch.exp(-cost), gamma) * cost).mean()
""",
        """
def focal_loss(logits, target, gamma=2.0):
    every = F.log_softmax(logits, dim=1)
    true = F.one_hot(target, logits.shape[1]).movedim(-1, 1)
    return -((1 - every.exp()) ** gamma * every * true).sum(1).mean()
""",
    ],
    "soft-dice": [
        _edit(
            _DICE_RIGHT,
            "score = 2 * hit / (called + there)",
            "score = hit / (0.5 * called + 0.5 * there)",
        ),
        _DICE.format("(1 - score)[present].mean()"),
        """
def soft_dice_loss(logits, target):
    p = logits.softmax(1)
    scores = []
    for c in torch.unique(target):
        y = (target == c).to(p.dtype)
        scores.append(2 * (p[:, c] * y).sum() / (p[:, c].sum() + y.sum()))
    return 1 - torch.stack(scores).mean()
""",
        _DICE.format("1 - score[present].mean()"),
        _DICE.format("(1 - score)[present].sum() / present.sum()"),
        """
def soft_dice_loss(logits, target):
    p = torch.softmax(logits, 1)
    scores = []
    for c in target.unique():
        y = (target == c).to(p)
        scores.append(2 * (p[:, c] * y).sum() / (p[:, c].sum() + y.sum()))
    return 1 - torch.stack(scores).mean()
""",
    ],
    "lovasz-gradient": [
        _GRADIENT.format("torch.cat([jaccard[:1], jaccard[1:] - jaccard[:-1]])"),
        _edit(
            _GRADIENT.format(_DIFF), "(~foreground).cumsum(0)", "(1 - foreground.long()).cumsum(0)"
        ),
        """
def lovasz_gradient(foreground):
    f = foreground.float()
    left = f.sum() - torch.cumsum(f, 0)
    j = 1 - left / (f.sum() + torch.cumsum(1 - f, 0))
    steps = j.clone()
    steps[1:] = j[1:] - j[:-1]
    return steps
""",
        _GRADIENT.format(_DIFF),
        """
def lovasz_gradient(foreground):
    y = foreground.float()
    intersection = y.sum() - y.cumsum(0)
    union = y.sum() + (1 - y).cumsum(0)
    steps = 1 - intersection / union
    steps[1:] = steps[1:] - steps[:-1].clone()
    return steps
""",
        """
def lovasz_gradient(foreground):
    size, right, false, before, steps = int(foreground.sum()), int(foreground.sum()), 0, 0.0, []
    for is_true in foreground.tolist():
        right, false = (right - 1, false) if is_true else (right, false + 1)
        now = 1 - right / (size + false)
        steps.append(now - before)
        before = now
    return torch.tensor(steps)
""",
    ],
    "lovasz-softmax": [
        _edit(_LOVASZ, "sum(costs) / len(costs)", "torch.stack(costs).mean()"),
        _edit(
            _LOVASZ,
            "m, order = torch.sort(errors, descending=True)",
            "order = torch.argsort(errors, descending=True)\n        m = errors[order]",
        ),
        _edit(
            _LOVASZ,
            "(m * lovasz_gradient(foreground[order])).sum()",
            "torch.dot(m, lovasz_gradient(foreground[order]).detach())",
        ),
        _LOVASZ,
        _edit(_LOVASZ, "sum(costs) / len(costs)", "torch.stack(costs).mean()"),
        """
def lovasz_softmax(logits, target):
    total, present = 0, target.unique()
    p = logits.softmax(1).transpose(0, 1).reshape(logits.shape[1], -1)
    y = target.reshape(-1)
    for c in present:
        errors, order = (F.one_hot(y, len(p))[:, c] - p[c]).abs().sort(descending=True)
        total = total + torch.dot(errors, lovasz_gradient((y == c)[order]).detach())
    return total / len(present)
""",
    ],
}

# Planted bugs that change nothing that is asked for: line, change, reason.
_ORDER = ("this and the next in the other order", "neither line needs what the other does")

EQUIVALENT = {
    "gradient-share": [
        ("weights = np.zeros(len(counts))", *_ORDER),
        (
            "weights[present] = 1 / counts[present]",
            "1 → 2",
            "a factor that the sum takes out again",
        ),
    ],
    "focal-loss": [
        (
            "log_p = F.log_softmax(logits, dim=1).gather(1, target[:, None])  # (B, 1, H, W)",
            "F.log_softmax(logits, dim=1).gather(1, → F.log_softmax(logits).gather(1,",
            "with four dimensions PyTorch takes dimension 1 by itself, and warns",
        ),
    ],
    "soft-dice": [
        ("p = logits.softmax(dim=1)", *_ORDER),
        (
            "true = F.one_hot(target, logits.shape[1]).movedim(-1, 1)  # (B, C, H, W)",
            "1) → 1).detach()",
            "the truth has no gradient",
        ),
        ("hit = (p * true).sum((0, 2, 3))", *_ORDER),
        (
            "hit = (p * true).sum((0, 2, 3))",
            "true).sum((0, 2, → true).sum((2, 0,",
            "a sum over dimensions knows no order",
        ),
        (
            "called, there = p.sum((0, 2, 3)), true.sum((0, 2, 3))",
            "(p.sum((0, 2, → (p.sum((2, 0,",
            "a sum over dimensions knows no order",
        ),
        (
            "called, there = p.sum((0, 2, 3)), true.sum((0, 2, 3))",
            "true.sum((0, 2, → true.sum((2, 0,",
            "a sum over dimensions knows no order",
        ),
    ],
    "lovasz-gradient": [
        (
            "size = foreground.sum()",
            "foreground.sum() → foreground.sum().detach()",
            "counts have no gradient",
        ),
        ("intersection = size - foreground.cumsum(0)", *_ORDER),
        (
            "return torch.diff(jaccard, prepend=jaccard.new_zeros(1))",
            "prepend=jaccard.new_zeros(1)) → prepend=jaccard.new_zeros(1)).detach()",
            "counts have no gradient",
        ),
    ],
    "lovasz-softmax": [
        ("p = logits.softmax(dim=1).movedim(1, -1).flatten(0, 2)  # (B·H·W, C)", *_ORDER),
        (
            "target = target.flatten()",
            "target.flatten() → target.flatten().detach()",
            "class ids have no gradient",
        ),
        ("target = target.flatten()", *_ORDER),
    ],
}
