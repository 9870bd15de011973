"""What to try on the checks of lesson 12."""

from __future__ import annotations

import textwrap


def _edit(code: str, *changes: tuple[str, str]) -> str:
    """The code with a mistake (or another way) in it."""
    for old, new in changes:
        assert old in code, old
        code = code.replace(old, new)
    return code


_BOUNDARY = """
def boundary(target):
    known = target != 255
    edge = torch.zeros_like(known)
    down = (target[:, 1:] != target[:, :-1]) & known[:, 1:] & known[:, :-1]
    right = (target[:, :, 1:] != target[:, :, :-1]) & known[:, :, 1:] & known[:, :, :-1]
    edge[:, 1:] |= down
    edge[:, :-1] |= down
    edge[:, :, 1:] |= right
    edge[:, :, :-1] |= right
    return torch.where(known, edge.to(torch.uint8), 255)
"""
_ENDS = "torch.where(known, edge.to(torch.uint8), 255)"
_KNOWN = (" & known[:, 1:] & known[:, :-1]", ""), (" & known[:, :, 1:] & known[:, :, :-1]", "")

_GRADIENT = """
def boundary(target):
    gy, gx = np.gradient(target.double().numpy(), axis=(1, 2))
    edge = torch.from_numpy((gy != 0) | (gx != 0))
    return torch.where(target != 255, edge.to(torch.uint8), 255)
"""

_CENTRAL = """
def boundary(target):
    known = target != 255
    edge = torch.zeros_like(known)
    edge[:, 1:-1] |= (target[:, 2:] != target[:, :-2]) & known[:, 2:] & known[:, :-2]
    edge[:, :, 1:-1] |= (target[:, :, 2:] != target[:, :, :-2]) & known[:, :, 2:] & known[:, :, :-2]
    return torch.where(known, edge.to(torch.uint8), 255)
"""

_ROLL = """
def boundary(target):
    known = target != 255
    edge = torch.zeros_like(known)
    for axis in (1, 2):
        for way in (1, -1):
            other = target.roll(way, axis)
            edge |= (target != other) & known & (other != 255)
    return torch.where(known, edge.to(torch.uint8), 255)
"""

_POOL = """
def boundary(target):
    known = target != 255
    high = F.max_pool2d(target.masked_fill(~known, 0).float(), 3, 1, 1)
    low = -F.max_pool2d(-target.masked_fill(~known, 99).float(), 3, 1, 1)
    return torch.where(known, (high != low).to(torch.uint8), 255)
"""

_FUSION = """
class FusionBranch(nn.Module):
    def __init__(self, context, edges, num_classes, width):
        super().__init__()
        self.mix = conv_abn(3 * edges + context, width)
        self.classify = nn.Conv2d(width, num_classes, 1)

    def forward(self, edges, context):
        size = edges[0].shape[-2:]
        maps = [F.interpolate(x, size, mode="bilinear") for x in (*edges, context)]
        return self.classify(self.mix(torch.cat(maps, dim=1)))
"""
_MIX, _END = (
    "conv_abn(3 * edges + context, width)",
    "self.classify(self.mix(torch.cat(maps, dim=1)))",
)

_LOSS = """
def fusion_loss(logits, target, edges, alpha):
    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")
    weight = 1 + alpha * (edges == 1)
    n = (target != 255).sum().clamp_min(1)
    return {0}
"""
_EQ4 = "(weight * cost).sum() / n"
_LOSS_RIGHT = _LOSS.format(_EQ4)

_ALPHA = """
def weight_share(b, alpha):
    return {0}


def alpha_for(b, s):
    return {1}
"""
_SHARE, _INVERSE = "(1 + alpha) * b / ((1 + alpha) * b + 1 - b)", "s * (1 - b) / (b * (1 - s)) - 1"


def _share(code: str) -> str:
    return _ALPHA.format(code, _INVERSE)


def _inverse(code: str) -> str:
    return _ALPHA.format(_SHARE, code)


_CLAIMS = """
def not_above(rows, name, rivals, by=0.0):
    found = []
    for i, mine in enumerate(rows[name]):
        if not all(mine > rows[rival][i] + by for rival in rivals):
            found.append(i)
    return found
"""
_ALL = "not all(mine > rows[rival][i] + by for rival in rivals)"

WRONG = {
    "boundary": [
        (_edit(_BOUNDARY, ("edge[:, :, :-1] |= right", "edge[:, :, :-1] &= right")), "only where there was one before"),
        (_edit(_BOUNDARY, ("edge[:, :-1] |= down", "edge[:, :-1] ^= down")), "takes the mark from a pixel"),
        (_edit(_BOUNDARY, ("edge[:, :-1] |= down", "edge[:, :-1] = down")), "overwrites what was marked"),
        (_GRADIENT, "central differences"),
        (_CENTRAL, "central differences"),
        (_edit(_BOUNDARY, *_KNOWN), "pixels of 255 make boundaries"),
        (_edit(_BOUNDARY, ("    edge = torch", "    target = target.masked_fill(~known, 0)\n    edge = torch"), *_KNOWN),
         "255 was made background"),
        (_edit(_BOUNDARY, (_ENDS, "edge.to(torch.uint8)")), "should be 255, too"),
        (_edit(_BOUNDARY, ("    edge[:, :-1] |= down\n", ""), ("    edge[:, :, :-1] |= right\n", "")),
         "the one above, or on the left"),
        (_edit(_BOUNDARY, ("    edge[:, 1:] |= down\n", ""), ("    edge[:, :, 1:] |= right\n", "")),
         "the one below, or on the right"),
        (_edit(_BOUNDARY, ("    edge[:, :, 1:] |= right\n    edge[:, :, :-1] |= right\n", "")), "above each other"),
        (_edit(_BOUNDARY, ("    edge[:, 1:] |= down\n    edge[:, :-1] |= down\n", "")), "beside each other"),
        (_edit(_BOUNDARY, (" != target[:, :-1]", " > target[:, :-1]"), (" != target[:, :, :-1]", " > target[:, :, :-1]")),
         "only where the id rises"),
        (_edit(_BOUNDARY, (" != target[:, :-1]", " < target[:, :-1]"), (" != target[:, :, :-1]", " < target[:, :, :-1]")),
         "only where the id falls"),
        (
            """
def boundary(target):
    known = target != 255
    size = torch.zeros_like(target)
    down = (target[:, 1:] - target[:, :-1]).abs() * (known[:, 1:] & known[:, :-1])
    right = (target[:, :, 1:] - target[:, :, :-1]).abs() * (known[:, :, 1:] & known[:, :, :-1])
    size[:, 1:] += down
    size[:, :-1] += down
    size[:, :, 1:] += right
    size[:, :, :-1] += right
    return torch.where(known, size, 255)
""",
            "sizes of differences",
        ),
        (
            _edit(_BOUNDARY, ("torch.zeros_like(known)", "torch.zeros_like(target)"), ("|=", "+="),
                  ("edge.to(torch.uint8)", "edge")),
            "has 2 here",
        ),
        (_edit(_BOUNDARY, ("torch.zeros_like(known)", "torch.zeros_like(target)"),
               ("edge.to(torch.uint8)", "edge.clamp(max=1)")), "expected: torch.uint8"),
        (
            """
def boundary(target):
    known = target != 255
    edge = torch.zeros_like(known)
    change = (target[:, 1:, 1:] != target[:, :-1, :-1]) & known[:, 1:, 1:] & known[:, :-1, :-1]
    edge[:, 1:, 1:] |= change
    edge[:, :-1, :-1] |= change
    return torch.where(known, edge.byte(), 255)
""",
            "diagonal neighbours are compared, in place of",
        ),
        (
            """
def boundary(target):
    framed = F.pad(target, (1, 1, 1, 1), value=-1)
    edge = torch.zeros_like(target, dtype=torch.bool)
    for other in (framed[:, :-2, 1:-1], framed[:, 2:, 1:-1], framed[:, 1:-1, :-2], framed[:, 1:-1, 2:]):
        edge |= (other != target) & (other != 255)
    return torch.where(target != 255, edge.byte(), 255)
""",
            "the frame of the picture",
        ),
        (_edit(_BOUNDARY, ("    edge[:, :-1] |= down\n", "")), "neighbour below has another class"),
        (_ROLL, "goes round the picture"),
        (_POOL, "diagonal"),
        (_edit(_BOUNDARY, ("    known =", "    target = torch.where(target == 255, 255, target.clamp(max=1))\n    known =")),
         "outline of the whole face"),
        (_edit(_BOUNDARY, ("edge.to(torch.uint8)", "(~edge).to(torch.uint8)")), "exchanged"),
        (_edit(_BOUNDARY, (_ENDS, "edge")), "should be 255, too"),
        (_edit(_BOUNDARY, ("edge.to(torch.uint8)", "edge.long()")), "expected: torch.uint8"),
        (_edit(_BOUNDARY, ("    return torch.where", "    torch.where")), "`return`"),
        (_edit(_BOUNDARY, ("    edge[:, 1:] |= down\n    edge[:, :-1] |= down\n", "    edge |= down\n")),
         "one row or one column short"),
        (_edit(_BOUNDARY, ("    edge = torch", "    target[target == 255] = 0\n    edge = torch")), "changes its argument"),
        (_edit(_BOUNDARY, (_ENDS, _ENDS + "[0]")), "a label for each pixel"),
        (_edit(_BOUNDARY, (_ENDS, _ENDS + ".numpy()")), "expected: a tensor"),
        ("boundary = lambda target: losses.category_edges(target, 5).sum(1)\n", "expected"),
    ],
    "fusion": [
        (_edit(_FUSION, ("nn.Conv2d(width, num_classes, 1)", "nn.Conv2d(width, num_classes, 3, padding=1)")), "1×1 convolution, not 3×3"),
        (_edit(_FUSION, ("(*edges, context)", "edges")), "the context is left out"),
        (_edit(_FUSION, ('"bilinear"', '"bicubic"')), "not bicubic"),
        (_edit(_FUSION, ("self.mix(torch", "self.mix[0](torch")), "the whole of `mix`"),
        (_edit(_FUSION, (_END, _END + ".relu()")), "logits may be below 0"),
        (_edit(_FUSION, ("torch.cat(maps, dim=1)", "torch.cat([edges, maps[-1]], dim=1)")), "`edges` is a list itself"),
        (_edit(_FUSION, (_MIX, "conv_abn(edges + context, width)")), "*three* maps"),
        (_edit(_FUSION, (_MIX, "conv_abn(3 * edges, width)")), "the context, too"),
        (_edit(_FUSION, (_MIX, "conv_abn(4 * edges, width)")), "its own number of channels"),
        (_edit(_FUSION, (_MIX, "conv_abn(3 * (edges + context), width)")), "enters once"),
        (_edit(_FUSION, (_MIX, "conv_abn(1280, width)")), "1280 is the paper's"),
        (_edit(_FUSION, (_MIX, "conv_abn(edges + 3 * context, width)")), "enter three times"),
        (_edit(_FUSION, (_MIX, "conv_abn(3 * edges + context, 256)")), "its second argument is width"),
        (_edit(_FUSION, (_MIX, "conv_abn(3 * edges + context, width, 3)")), "1×1 convolution"),
        (_edit(_FUSION, (_MIX, "conv_abn(3 * edges + context, width, bias=True)")), "has no bias"),
        (_edit(_FUSION, (_MIX, "nn.Sequential(nn.Conv2d(3 * edges + context, width, 1, bias=False), nn.ReLU())")),
         "conv_abn: a convolution, then ABN"),
        (_edit(_FUSION, (_MIX, "nn.Conv2d(3 * edges + context, width, 1)")), "a convolution, then ABN"),
        (_edit(_FUSION, ("nn.Conv2d(width, num_classes, 1)", "nn.Conv2d(width, num_classes, 1, bias=False)")), "has a bias"),
        (_edit(_FUSION, ("nn.Conv2d(width, num_classes, 1)", "nn.Conv2d(width, 11, 1)")), "`classify` gives `num_classes` maps"),
        (_edit(_FUSION, ("nn.Conv2d(width, num_classes, 1)", "conv_abn(width, num_classes)")), "a convolution alone"),
        (_edit(_FUSION, ("        self.classify = ", "        self.extra = nn.Linear(2, 2)\n        self.classify = ")), "no more"),
        (_edit(_FUSION, ("self.classify", "self.classifier")), "there is no self.classify"),
        (_edit(_FUSION, ("        super().__init__()\n", "")), "`super().__init__()` is missing"),
        (_edit(_FUSION, (', mode="bilinear"', "")), "enlarged in steps"),
        (_edit(_FUSION, ('mode="bilinear"', 'mode="bilinear", align_corners=True')), "align_corners"),
        (_edit(_FUSION, ("(*edges, context)", "(context, *edges)")), "the context comes last"),
        (_edit(_FUSION, ("(*edges, context)", "(*edges[::-1], context)")), "reverse order"),
        (_edit(_FUSION, ("dim=1)", "dim=0)")), "side by side, in the channels"),
        (_edit(_FUSION, ("torch.cat(maps, dim=1)", "torch.stack(maps, dim=1)")), "stack"),
        (_edit(_FUSION, ("torch.cat(maps, dim=1)", "sum(maps)")), "must match the size"),
        (_edit(_FUSION, ("torch.cat(maps, dim=1)", "torch.cat(*maps)")), "torch.cat takes one list"),
        (_edit(_FUSION, ('F.interpolate(x, size, mode="bilinear")', "x")), "the maps differ in size"),
        (_edit(_FUSION, (_END, "self.classify(self.mix(torch.cat(maps, dim=1)).relu())")), "a ReLU more"),
        (_edit(_FUSION, (_END, _END + ".softmax(1)")), "these are logits"),
        (_edit(_FUSION, (_END, _END + ".log_softmax(1)")), "these are logits"),
        (_edit(_FUSION, ("(*edges, context)", "(*edges, context.detach())")), "another gradient"),
        (_edit(_FUSION, ("(*edges, context)", "(*(e.detach() for e in edges), context)")), "another gradient"),
        (_edit(_FUSION, ("edges[0].shape[-2:]", "context.shape[-2:]")), "at the size of edges[2] and of the context"),
        (_edit(_FUSION, ("edges[0].shape[-2:]", "edges[1].shape[-2:]")), "at the size of edges[1]"),
        (_edit(_FUSION, ("edges[0].shape[-2:]", "context.shape[-2:]"),
               (f"return {_END}", f'return F.interpolate({_END}, edges[0].shape[-2:], mode="bilinear")')),
         "you mix small maps"),
        (_edit(_FUSION, ("        return self.classify", "        self.classify")), "`return`"),
        (_edit(_FUSION, (_END, "self.mix(torch.cat(maps, dim=1))")), "`classify` is left out"),
        (_edit(_FUSION, ("edges[0].shape[-2:]", "edges[0].shape")), "spatial"),
    ],
    "fusion-loss": [
        (_edit(_LOSS_RIGHT, ("(target != 255)", "(target == 255)")), "these are the pixels of 255"),
        (_edit(_LOSS_RIGHT, ("alpha * (edges == 1)", "alpha * (target == 1)")), "not `target == 1`"),
        (_edit(_LOSS_RIGHT, ("(edges == 1)", "edges")), "bytes, which end at 255"),
        (_LOSS.format("cost.sum() / n + alpha * cost[edges == 1].mean()"), "its own number of pixels"),
        (_LOSS.format("(weight * cost).sum() / (edges == 1).sum()"), "number of boundary pixels"),
        (_LOSS.format("F.cross_entropy(weight[:, None] * logits, target, ignore_index=255)"), "belong to the *costs*"),
        (_edit(_LOSS_RIGHT, ("F.cross_entropy(logits,", "F.nll_loss(logits.softmax(1),")), "this is -p"),
        (_LOSS.format("(weight * cost).sum() / weight.sum()"), "not by the sum of the weights"),
        (_LOSS.format("(weight * cost).sum() / (weight * (target != 255)).sum()"), "not by the sum of the weights"),
        (_LOSS.format("(weight * cost).mean()"), "counted in N"),
        (_LOSS.format("(weight * cost).sum()"), "this is a sum"),
        (_LOSS.format("(weight * cost).sum() / len(logits)"), "not of images"),
        (_edit(_LOSS_RIGHT, ("1 + alpha * (edges == 1)", "torch.where(edges == 1, alpha, 1)")), "1 + α, not α"),
        (_edit(_LOSS_RIGHT, ("1 + alpha * (edges == 1)", "alpha * (edges == 1)")), "weight 1, not 0"),
        (_edit(_LOSS_RIGHT, ("1 + alpha * (edges == 1)", "(1 + alpha) * (edges == 1)")), "weight 1, not 0"),
        (_edit(_LOSS_RIGHT, ("1 + alpha * (edges == 1)", "1 + alpha * (edges == 0)")), "gets 1 + α"),
        (_edit(_LOSS_RIGHT, ("1 + alpha * (edges == 1)", "1 + alpha")), "all pixels have the weight"),
        (_edit(_LOSS_RIGHT, ("1 + alpha * (edges == 1)", "1")), "edges have no effect"),
        (_edit(_LOSS_RIGHT, ("alpha *", "200 *")), "200 is written in"),
        (_LOSS.format("2 * (weight * cost).sum() / n"), "λ₃ comes later"),
        (_LOSS.format("(weight * cost).sum() / n + cost.sum() / n"), "Eq. 4 alone"),
        (_LOSS.format("-(weight * cost).sum() / n"), "the sign is turned"),
        (_edit(_LOSS_RIGHT, (', reduction="none"', "")), "averaged before"),
        (_LOSS.format("weight * cost"), "one number for each pixel"),
        (_LOSS.format("(weight * cost).sum() / n / logits.shape[1]"), "divided by C, too"),
        (_LOSS.format("((weight * cost).sum((1, 2)) / (target != 255).sum((1, 2))).mean()"), "its own pixels"),
        (_edit(_LOSS_RIGHT, (", ignore_index=255", "")), "255 is no class"),
        (_edit(_LOSS_RIGHT, (', reduction="none"', ', weight=1 + alpha * (edges == 1)')), "one for each pixel"),
        (_edit(_LOSS_RIGHT, (".clamp_min(1)", "")), "0 is divided by 0"),
        (_edit(_LOSS_RIGHT, ("clamp_min(1)", "clamp_min(2)")), "divided by 1"),
        (_LOSS.format("((weight * cost).sum() / n).detach()"), "has no gradient"),
        (_LOSS.format("(weight * cost).sum().item() / n"), "has no gradient"),
        (_edit(_LOSS_RIGHT, ("    weight =", "    if (target == 255).all():\n        return torch.tensor(0.0)\n    weight =")),
         "must come out of the logits"),
        (_edit(_LOSS_RIGHT, ("    weight =", "    if (target == 255).all():\n        return 0.0\n    weight =")),
         "must come out of the logits"),
        (_edit(_LOSS_RIGHT, ("F.cross_entropy(logits,", "F.cross_entropy(logits.softmax(1),")), "softmax twice"),
        (_edit(_LOSS_RIGHT, ("return (weight", "(weight")), "`return`"),
        (_LOSS.format("(weight**2 * cost).sum() / n"), "taken twice"),
    ],
    "alpha": [
        (_share("100 * (1 + alpha) * b / ((1 + alpha) * b + 1 - b)"), "not per cent"),
        (_share("round((1 + alpha) * b / ((1 + alpha) * b + 1 - b), 2)"), "round nothing"),
        (_share("alpha * b / (alpha * b + 1 - b)"), "1 + α, not α"),
        (_share("alpha * b / (1 + alpha * b)"), "above the bar a boundary weighs 1 + α"),
        (_share("(1 + alpha) * b"), "divide by all weights"),
        (_share("(1 - b) / ((1 + alpha) * b + 1 - b)"), "share of the rest"),
        (_share("(1 + alpha) * b / (1 - b)"), "*all* weights"),
        (_share("(1 + alpha) / (1 + alpha + 1)"), "`b` has no effect"),
        (_share("(1 + alpha) * b / ((1 + alpha) * b + 1)"), "the rest weighs 1 - b"),
        (_share("(1 + 200) * b / ((1 + 200) * b + 1 - b)"), "200 is written in"),
        (_share("(1 + alpha * b) / (1 + alpha * b + 1 - b)"), "write (1 + alpha) * b"),
        (_share("(1 + alpha) * b / (1 + alpha) * b + 1 - b"), "brackets around"),
        (_share("(1 + alpha) * b / (1 + alpha + 1)"), "all weights together"),
        (_share("torch.tensor(1.0)"), "expected"),
        (_inverse("s * (1 - b) / (b * (1 - s))"), "take 1 off"),
        (_inverse("s * (1 - b) / (b * (1 - s)) + 1"), "taken off, not added"),
        (_inverse("b * (1 - s) / (s * (1 - b)) - 1"), "changed places"),
        (_inverse("1 - s * (1 - b) / (b * (1 - s))"), "the sign is turned"),
        (_inverse("s * (1 - b) / b * (1 - s) - 1"), "multiplies by c"),
        (_inverse("s / b - 1"), "the rest is left out"),
        (_inverse("s / (1 - s) - 1"), "`b` has no effect"),
        (_inverse("(1 - b) / b - 1"), "`s` has no effect"),
        (_inverse("s * (1 - b) / (b * (1 - s) - 1)"), "taken off below"),
        (_inverse("s * b / ((1 - b) * (1 - s)) - 1"), "b and 1 - b"),
        (_inverse("(1 - s) * (1 - b) / (b * s) - 1"), "s and 1 - s"),
        (_inverse("max(s * (1 - b) / (b * (1 - s)) - 1, 0.0)"), "below 0"),
        (_inverse("float(round(s * (1 - b) / (b * (1 - s)) - 1))"), "no whole number"),
        (_edit(_ALPHA.format(_SHARE, _INVERSE), ("return s", "print(s"), ("- 1\n", "- 1)\n")), "`return`"),
    ],
    "claims": [
        (_edit(_CLAIMS, ("mine > rows", "mine < rows")), "the sign is turned"),
        (_edit(_CLAIMS, ("rows[rival][i]", "rival[i]")), "a text meets a number"),
        (_edit(_CLAIMS, (_ALL, "mine <= max(rows[rival][i] for rival in rivals) + by")), "no rival"),
        (_edit(_CLAIMS, ("mine > ", "mine >= ")), "an equal figure is not above"),
        (_edit(_CLAIMS, ("not all", "not any")), "above *no* rival"),
        (_edit(_CLAIMS, ("if not all", "if all")), "it *is* above all"),
        (_edit(_CLAIMS, (" + by", "")), "`by` has no effect"),
        (_edit(_CLAIMS, (" + by", " - by")), "added to the rival's"),
        (_edit(_CLAIMS, (_ALL, "any(rows[rival][i] > mine + by for rival in rivals)")), "where both are equal"),
        (_edit(_CLAIMS, ("append(i)", "append(i + 1)")), "count from 0"),
        (_edit(_CLAIMS, ("append(i)", "append(mine)")), "these are the figures"),
        (_edit(_CLAIMS, ("    return found", "    return found[:1]")), "only the first such column"),
        (_edit(_CLAIMS, ("            found.append(i)", "            return [i]")), "only the first such column"),
        (_edit(_CLAIMS, ("in rivals)", "in rivals[:1])")), "only the first rival"),
        (_edit(_CLAIMS, ("in rivals)", "in rivals[-1:])")), "only the last rival"),
        (_edit(_CLAIMS, ("for rival in rivals)", "for rival in rows if rival != name)")), "only the rivals"),
        (_edit(_CLAIMS, ("for rival in rivals)", "for rival in rows)")), "with itself"),
        (
            """
def not_above(rows, name, rivals, by=0.0):
    found = []
    for rival in rivals:
        for i in range(len(rows[name])):
            if rows[name][i] <= rows[rival][i] + by:
                found.append(i)
    return found
""",
            "listed once",
        ),
        (
            """
def not_above(rows, name, rivals, by=0.0):
    return [not all(x > rows[r][i] + by for r in rivals) for i, x in enumerate(rows[name])]
""",
            "yes or no",
        ),
        (
            """
def not_above(rows, name, rivals, by=0.0):
    mean = [sum(rows[r][i] for r in rivals) / max(len(rivals), 1) for i in range(len(rows[name]))]
    return [i for i, x in enumerate(rows[name]) if x <= mean[i] + by and rivals]
""",
            "the rivals' mean",
        ),
        (
            """
def not_above(rows, name, rivals, by=0.0):
    return [i for i in range(len(rows[name])) if not all(rows[name] > rows[r] for r in rivals)]
""",
            "whole rows are compared",
        ),
        (
            """
def not_above(rows, name, rivals, by=0.0):
    return [i for i, x in enumerate(rows[name]) if not all(x > rows[r] + by for r in rivals)]
""",
            "figure by figure",
        ),
        (_edit(_CLAIMS, ("    return found", "    return set(found)")), "expected: a list"),
        (_edit(_CLAIMS, ("    return found", "    return np.array(found)")), "expected: a list"),
        (_edit(_CLAIMS, ("    return found", "    print(found)")), "`return`"),
        (_edit(_CLAIMS, ("    return found", "    return found[::-1]")), "in order"),
    ],
}  # fmt: skip


def _body(head: str, body: str) -> str:
    """A function of these lines."""
    return f"def {head}:\n" + textwrap.indent(body.strip(), "    ") + "\n"


def _marks(body: str) -> str:
    return _body("boundary(target)", body)


def _forward(body: str) -> str:
    head, _, _ = _FUSION.partition("    def forward")
    return head + textwrap.indent(_body("forward(self, edges, context)", body), "    ")


def _loss(body: str) -> str:
    cost = 'cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n'
    return _body("fusion_loss(logits, target, edges, alpha)", cost + body)


def _columns(body: str) -> str:
    return _body("not_above(rows, name, rivals, by=0.0)", body)


_MORE_WRONG = {
    "boundary": [
        (_marks("""
import cv2
out = [cv2.morphologyEx(t.numpy().astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0 for t in target]
return torch.where(target != 255, torch.from_numpy(np.stack(out)).to(torch.uint8), 255)
"""), 'diagonal neighbours are compared, too'),
        (_marks("""
import cv2
k = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
out = [cv2.morphologyEx(t.numpy().astype(np.uint8), cv2.MORPH_GRADIENT, k) > 0 for t in target]
return torch.where(target != 255, torch.from_numpy(np.stack(out)).to(torch.uint8), 255)
"""), 'pixels of 255 make boundaries'),
        (_marks("""
known = target != 255
edge = torch.zeros_like(known)
down = (target[:, 1:] != target[:, :-1]) & known[:, 1:]
right = (target[:, :, 1:] != target[:, :, :-1]) & known[:, :, 1:]
edge[:, 1:] |= down; edge[:, :-1] |= down
edge[:, :, 1:] |= right; edge[:, :, :-1] |= right
return torch.where(known, edge.to(torch.uint8), 255)
"""), 'Look at both pixels'),
        (_marks("""
known = target != 255
edge = torch.zeros_like(known)
down = (target[:, 1:] != target[:, :-1]) & known[:, 1:] & known[:, :-1]
right = (target[:, :, 1:] != target[:, :, :-1]) & known[:, :, 1:] & known[:, :, :-1]
edge[:, 1:] = down; edge[:, :-1] = down
edge[:, :, 1:] = right; edge[:, :, :-1] = right
return torch.where(known, edge.to(torch.uint8), 255)
"""), 'overwrites what was marked'),
        (_marks("""
known = target != 255
edge = torch.zeros_like(known)
down = ((target[:, 1:] - target[:, :-1]).abs() > 1) & known[:, 1:] & known[:, :-1]
right = ((target[:, :, 1:] - target[:, :, :-1]).abs() > 1) & known[:, :, 1:] & known[:, :, :-1]
edge[:, 1:] |= down; edge[:, :-1] |= down
edge[:, :, 1:] |= right; edge[:, :, :-1] |= right
return torch.where(known, edge.to(torch.uint8), 255)
"""), 'differences of 1 do not count'),
        (_marks("""
known = target != 255
edge = torch.zeros_like(known)
down = (target[1:] != target[:-1]) & known[1:] & known[:-1]
right = (target[:, 1:] != target[:, :-1]) & known[:, 1:] & known[:, :-1]
edge[1:] |= down; edge[:-1] |= down
edge[:, 1:] |= right; edge[:, :-1] |= right
return torch.where(known, edge.to(torch.uint8), 255)
"""), 'dimension 0 is the batch'),
        (_marks("""
known = target != 255
t, k = target.flatten(1), known.flatten(1)
edge = torch.zeros_like(k)
w = target.shape[2]
for n in (1, w):
    d = (t[:, n:] != t[:, :-n]) & k[:, n:] & k[:, :-n]
    edge[:, n:] |= d; edge[:, :-n] |= d
return torch.where(known, edge.view_as(target).to(torch.uint8), 255)
"""), 'the first of the next'),
        (_marks("""
known = target != 255
edge = losses.binary_edges(target)
far = F.max_pool2d((~known).float(), 3, 1, 1) > 0
edge[far] = 255
return edge
"""), 'only what is unknown itself'),
        (_marks('e = losses.binary_edges(target).long()\nreturn torch.where(target == 255, 255, e * 255).to(torch.uint8)'), 'a boundary is 1, not 255'),
        (_marks("""
e = losses.binary_edges(target)
e[(target == 0)] = 0
return e
"""), "the background's pixel of a pair"),
        (_marks("""
e = losses.binary_edges(target)
k = target != 255
w = F.max_pool2d((e == 1).float(), 3, 1, 1)
return torch.where(k, w.to(torch.uint8), 255)
"""), 'too wide'),
        (_marks("""
known = target != 255
edge = torch.zeros_like(known)
down = torch.zeros_like(known); right = torch.zeros_like(known)
d = (target[:, 1:] != target[:, :-1]) & known[:, 1:] & known[:, :-1]
r = (target[:, :, 1:] != target[:, :, :-1]) & known[:, :, 1:] & known[:, :, :-1]
down[:, 1:] |= d; down[:, :-1] |= d; right[:, :, 1:] |= r; right[:, :, :-1] |= r
return torch.where(known, (down & right).to(torch.uint8), 255)
"""), 'only corners are marked'),
        (_marks("""
known = target != 255
e = torch.zeros_like(target)
B, H, W = target.shape
for i in range(B):
    for y in range(1, H - 1):
        for x in range(1, W - 1):
            for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                o = target[i, y + dy, x + dx]
                if o != 255 and o != target[i, y, x]: e[i, y, x] = 1
return torch.where(known, e, 255).to(torch.uint8)
"""), 'first and last row'),
        (_marks("""
known = target != 255
gy, gx = torch.gradient(target.float(), dim=(1, 2))
return torch.where(known, ((gy != 0) | (gx != 0)).to(torch.uint8), 255)
"""), 'central differences'),
        (_marks("""
known = target != 255
e = losses.binary_edges(target) == 1
e[~known] = 255
return e.to(torch.uint8)
"""), 'not 1'),
    ],
    "fusion": [
        (_forward("""
edges.append(context)
maps = [F.interpolate(x, edges[0].shape[-2:], mode="bilinear") for x in edges]
return self.classify(self.mix(torch.cat(maps, 1)))
"""), 'changes its argument `edges`'),
        (_forward("""
with torch.no_grad():
    maps = [F.interpolate(x, edges[0].shape[-2:], mode="bilinear") for x in (*edges, context)]
    return self.classify(self.mix(torch.cat(maps, 1)))
"""), 'reaches the logits'),
        (_edit(_FUSION, (_MIX, 'nn.Sequential(nn.Conv2d(3 * edges + context, width, 1, bias=False), nn.BatchNorm2d(width), nn.LeakyReLU(0.01))')), 'ends in a BatchNorm'),
        (_edit(_FUSION, (_MIX, 'nn.Sequential(conv_abn(3 * edges + context, width))')), 'no further Sequential'),
        (_forward('maps = [F.interpolate(x, edges[0].shape[-2:], mode="bilinear") for x in (*edges, context)]\nreturn self.classify(F.dropout(self.mix(torch.cat(maps, 1)), 0.1, self.training))'), 'no dropout'),
        (_forward('maps = [F.interpolate(x, edges[0].shape[-2:], mode="area") for x in (*edges, context)]\nreturn self.classify(self.mix(torch.cat(maps, 1)))'), 'enlarged in steps'),
        (_forward('c = F.interpolate(context, edges[0].shape[-2:], mode="bilinear")\nreturn self.classify(self.mix(torch.cat([edges[0]] * 3 + [c], 1)))'), 'enters several times'),
        (_forward('maps = [F.interpolate(x, edges[0].shape[-2:], mode="bilinear") for x in (edges[1], edges[2], edges[0], context)]\nreturn self.classify(self.mix(torch.cat(maps, 1)))'), 'in another order'),
        (_forward('maps = [F.interpolate(x, edges[0].shape[:1:-1], mode="bilinear") for x in (*edges, context)]\nreturn self.classify(self.mix(torch.cat(maps, 1)))'), 'height and width'),
        (_edit(_FUSION, (_MIX, 'conv_abn(width, 3 * edges + context)')), 'what enters `mix`'),
        (_edit(_FUSION, (_MIX, 'conv_abn(2 * edges + context, width)')), '*three* maps'),
        (_forward('maps = [F.interpolate(x, edges[0].shape[-2:]) for x in (*edges, context)]\nreturn self.classify(F.leaky_relu(self.mix(torch.cat(maps, 1))))'), 'an activation more'),
    ],
    "fusion-loss": [
        (_loss('return ((1 + alpha * (edges == 1)) * cost).sum() / cost[0].numel()'), 'pixels of one image'),
        (_loss("""
p = logits.softmax(1)
k = target != 255
c = 1 - p.gather(1, target.where(k, 0)[:, None])[:, 0]
return ((1 + alpha * (edges == 1)) * c * k).sum() / k.sum().clamp_min(1)
"""), 'the logarithm is missing'),
        (_loss("""
k = target != 255
c = F.cross_entropy(logits, target.where(k, 0), reduction="none")
return ((1 + alpha * (edges == 1)) * c).sum() / k.sum().clamp_min(1)
"""), 'count as background'),
        (_loss("""
k = target != 255
y = F.one_hot(target.where(k, 0), logits.shape[1]).movedim(-1, 1).float()
c = F.binary_cross_entropy_with_logits(logits, y, reduction="none").sum(1) * k
return ((1 + alpha * (edges == 1)) * c).sum() / k.sum().clamp_min(1)
"""), 'yes or no of each class'),
        (_loss('c = F.cross_entropy(logits, edges.long(), ignore_index=255, reduction="none")\nreturn ((1 + alpha * (edges == 1)) * c).sum() / (target != 255).sum().clamp_min(1)'), 'taken for the classes'),
        (_loss('on, off = edges == 1, edges == 0\nreturn (1 + alpha) * cost[on].sum() / on.sum().clamp_min(1) + cost[off].sum() / off.sum().clamp_min(1)'), 'a mean of their own'),
        (_loss('on, off = edges == 1, edges == 0\nreturn ((1 + alpha) * cost[on].sum() / on.sum().clamp_min(1) + cost[off].sum() / off.sum().clamp_min(1)) / 2'), 'that is Eq. 3'),
        (_loss('return (cost + alpha * (edges == 1)).sum() / (target != 255).sum().clamp_min(1)'), 'added to the costs'),
        (_loss("""
w = torch.ones_like(target)
w[edges == 1] = 1 + alpha
return (w * cost).sum() / (target != 255).sum().clamp_min(1)
"""), 'α is rounded'),
        (_loss("""
w = torch.ones_like(edges)
w[edges == 1] += int(alpha)
return (w * cost).sum() / (target != 255).sum().clamp_min(1)
"""), 'the weights are bytes'),
        (_loss("""
cost = F.cross_entropy(logits, target, ignore_index=255, reduction='none')
if edges == 1:
    cost = cost * (1 + alpha)
return cost.sum() / (target != 255).sum()
"""), 'asked of each pixel'),
        (_loss('w = 1 + alpha * (edges == 1)\nreturn (w * cost).sum((1, 2)) / (target != 255).sum((1, 2)).clamp_min(1)'), 'one number for the batch'),
        (_loss('return (cost.sum() + (1 + alpha) * cost[edges == 1].sum()) / (target != 255).sum().clamp_min(1)'), '2 + α here'),
        (_loss('c = -logits.log_softmax(1).gather(1, target[:, None])[:, 0]\nreturn ((1 + alpha * (edges == 1)) * c).sum() / (target != 255).sum()'), '255 is no class'),
        (_loss('e = boundary(target)\nreturn ((1 + alpha * (e == 1)) * cost).sum() / (target != 255).sum().clamp_min(1)'), 'has no effect'),
        (_loss('return ((1 + alpha * (edges == 1)) * cost).sum() / (target != 255).sum().clamp_min(1) / (1 + alpha)'), 'by N alone'),
        (_loss("""
c = F.cross_entropy(logits, target, ignore_index=255, reduction="sum")
w = 1 + alpha * (edges == 1)
return (c * w).sum() / (target != 255).sum()
"""), 'added up before'),
        (_loss('w = torch.where(edges == 1, alpha, 1 - alpha)\nreturn (w * cost).sum() / (target != 255).sum().clamp_min(1)'), 'not α and 1 - α'),
        (_loss("""
k = target != 255
c = -logits.log_softmax(-1).gather(1, target.where(k, 0)[:, None])[:, 0]
return ((1 + alpha * (edges == 1)) * c * k).sum() / k.sum().clamp_min(1)
"""), 'a row of pixels'),
        (_loss('return ((1 + alpha * (edges == 1)) * cost).sum() / ((target != 255) & (target > 0)).sum().clamp_min(1)'), 'background is not counted'),
        (_loss('w = 1 + alpha * (edges > 0)\nreturn (w * cost).sum() / w.sum()'), '255 is no boundary'),
        (_loss('return 2 * ((1 + alpha * (edges == 1)) * cost).mean()'), 'λ₃ comes later'),
    ],
    "claims": [
        (_columns('return [i for i, m in enumerate(rows[name]) if not all(m > rows[r][i] * (1 + by) for r in rivals)]'), 'not a factor'),
        (_columns('return [i for i, m in enumerate(rows[name]) if not all(abs(m - rows[r][i]) > by for r in rivals)]'), 'leave `abs` out'),
        (_columns('return [rows[name].index(m) for i, m in enumerate(rows[name]) if not all(m > rows[r][i] + by for r in rivals)]'), 'finds the first of equal'),
        (_columns('return [i for i, (m, r) in enumerate(zip(rows[name], rivals)) if not m > rows[r][i] + by]'), 'counted together'),
        (_columns("""
found, ok = [], True
for i, m in enumerate(rows[name]):
    for r in rivals:
        if m <= rows[r][i] + by:
            ok = False
    if not ok:
        found.append(i)
return found
"""), 'begin each column anew'),
        (_columns("""
found = []
for i, m in enumerate(rows[name]):
    for r in rivals:
        ok = m > rows[r][i] + by
    if not ok:
        found.append(i)
return found
"""), 'no rival'),
        (_columns('return [i for i, m in enumerate(rows[name]) if not all(rows[r][i] > m + by for r in rivals)]'), 'changed places'),
        (_columns('return [i for i in range(1, len(rows[name])) if not all(rows[name][i] > rows[r][i] + by for r in rivals)]'), 'column 0 is left out'),
        (_columns("""
found, n = [], 0
for i, m in enumerate(rows[name]):
    if not all(m > rows[r][i] + by for r in rivals):
        found.append(n)
        n += 1
return found
"""), 'counted anew'),
        (_columns('return [r for r in rivals if not all(m > o + by for m, o in zip(rows[name], rows[r]))]'), 'a column is a str'),
        (_columns('return [i for i, m in enumerate(list(rows.values())[0]) if not all(m > rows[r][i] + by for r in rivals)]'), 'the row w is taken each time'),
        (_columns('return [i for i, m in enumerate(rows[name]) if not rivals or not m > max(rows[r][i] for r in rivals) + by]'), 'the list is empty'),
        (_columns('return [i for i, m in enumerate(rows[name]) if not all(int(m) > int(rows[r][i]) + by for r in rivals)]'), 'rounded'),
        (_columns('m = sum(rows[name]) / len(rows[name])\nreturn [i for i, x in enumerate(rows[name]) if not all(m > sum(rows[r]) / len(rows[r]) + by for r in rivals)]'), 'means are compared'),
        (_columns('return [sum(not m > rows[r][i] + by for r in rivals) for i, m in enumerate(rows[name])]'), 'numbers of rivals'),
        (_columns('return [i for i, m in enumerate(rows[name]) if not all(m - by > rows[r][i] + by for r in rivals)]'), 'counts twice'),
        (_columns("""
found = []
for i, m in enumerate(rows[name]):
    if not all(m > rows[r][i] + by for r in rivals):
        found.append(i)
    return found
"""), 'inside the loop'),
        (_columns('return [[i for i, m in enumerate(rows[name]) if not m > rows[r][i] + by] for r in rivals]'), 'a list for each rival'),
        (_columns('return [i for i, m in enumerate(rows[name]) if not all(m > rows[r][i] + by / 100 for r in rivals)]'), 'not in per cent'),
    ],
    "alpha": [
        (_share('b / ((1 + alpha) * b + 1 - b)'), 'weight 1 + α is missing'),
        (_share('(1 + alpha) * b / (alpha * b + 1 - b)'), 'below the bar a boundary weighs'),
        (_share('(1 + alpha) * b / ((1 + alpha) * b + 1 + b)'), 'not 1 + b'),
        (_share('(1 + alpha) * b // ((1 + alpha) * b + 1 - b)'), 'whole numbers'),
        (_share('(1 + alpha) * (1 - b) / ((1 + alpha) * (1 - b) + b)'), 'b and 1 - b'),
        (_share('(1 + alpha) * b / ((1 + alpha) * b + 1) - b'), 'brackets'),
        (_share('(1 + alpha) * b / ((1 + alpha) * (1 - b))'), '(1 + α)·(1 - b)'),
        (_share('(1 + alpha) * b / ((1 + alpha) * b + b)'), '`b` has no effect'),
        (_share('(1 + alpha) * b - (1 - b)'), 'subtracted'),
        (_inverse('(s * (1 - b) - 1) / (b * (1 - s))'), 'taken off above'),
        (_inverse('s * (1 - b) / b - 1'), '1 - s is missing'),
        (_inverse('(1 - b) / (b * (1 - s)) - 1'), 's is missing'),
        (_inverse('s / (b * (1 - s)) - 1'), 'the rest is left out above'),
        (_inverse('s * (1 - b) / (1 - s) - 1'), 'b is missing'),
        (_inverse('weight_share(b, s)'), 'its inverse'),
        (_inverse('200'), '200 is written in'),
        (_inverse('int(s * (1 - b) / (b * (1 - s)) - 1)'), 'no whole number'),
        (_inverse('s / b'), '1 is not taken off'),
        ("""
def weight_share(b, alpha):
    return (1 + alpha) * b / ((1 + alpha) * b + 1 - b)


def alpha_for(b, s):
    grid = np.linspace(-1, 1000, 100001)
    return float(grid[np.abs((1 + grid) * b / ((1 + grid) * b + 1 - b) - s).argmin()])
""", "nearly right"),
    ],
}  # fmt: skip
for _name, _more in _MORE_WRONG.items():
    WRONG[_name] += _more

RIGHT = {
    "boundary": [
        _BOUNDARY,
        """
def boundary(target):
    marks = torch.zeros(target.shape, dtype=torch.uint8)
    images, height, width = target.shape
    for n in range(images):
        for y in range(height):
            for x in range(width):
                here = target[n, y, x]
                if here == 255:
                    marks[n, y, x] = 255
                    continue
                for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                    if 0 <= v < height and 0 <= u < width:
                        there = target[n, v, u]
                        if there != 255 and there != here:
                            marks[n, y, x] = 1
    return marks
""",
        """
def boundary(target):
    framed = F.pad(target, (1, 1, 1, 1), value=255)
    edge = torch.zeros_like(target, dtype=torch.bool)
    for other in (framed[:, :-2, 1:-1], framed[:, 2:, 1:-1], framed[:, 1:-1, :-2], framed[:, 1:-1, 2:]):
        edge = edge | ((other != target) & (other != 255))
    return torch.where(target == 255, 255, edge.byte())
""",
        """
def boundary(target):
    known = target != 255
    edge = torch.zeros_like(known)
    for axis in (1, 2):
        change = target.diff(dim=axis) != 0
        n = change.shape[axis]
        change &= known.narrow(axis, 0, n) & known.narrow(axis, 1, n)
        edge.narrow(axis, 0, n).logical_or_(change)
        edge.narrow(axis, 1, n).logical_or_(change)
    marks = edge.to(torch.uint8)
    marks[~known] = 255
    return marks
""",
        "boundary = losses.binary_edges\n",
    ],
    "fusion": [
        _FUSION,
        """
class FusionBranch(nn.Module):
    def __init__(self, context, edges, num_classes, width):
        super().__init__()
        self.classify = nn.Conv2d(width, num_classes, kernel_size=1)
        self.mix = conv_abn(context + edges * 3, width)

    def forward(self, edges, context):
        fine, middle, coarse = edges
        up = nn.Upsample(size=fine.shape[2:], mode="bilinear")
        x = torch.cat([fine, up(middle), up(coarse), up(context)], 1)
        return self.classify(self.mix(x))
""",
        """
class FusionBranch(nn.Module):
    def __init__(self, context, edges, num_classes, width):
        super().__init__()
        self.mix = nn.Sequential(*conv_abn(edges + edges + edges + context, width))
        self.classify = nn.Conv2d(width, num_classes, (1, 1))

    def forward(self, edges, context):
        *_, height, width = edges[0].shape
        x = edges[0]
        for small in [*edges[1:], context]:
            large = F.interpolate(small, size=(height, width), mode="bilinear", align_corners=False)
            x = torch.cat((x, large), dim=-3)
        for layer in (*self.mix, self.classify):
            x = layer(x)
        return x
""",
    ],
    "fusion-loss": [
        _LOSS_RIGHT,
        """
def fusion_loss(logits, target, edges, alpha):
    known = target != 255
    log_p = logits.log_softmax(1)
    cost = -log_p.gather(1, target.where(known, 0)[:, None])[:, 0]
    w = torch.ones_like(cost)
    w[edges == 1] = 1 + alpha
    return (w * cost * known).sum() / max(int(known.sum()), 1)
""",
        """
def fusion_loss(logits, target, edges, alpha):
    plain = F.cross_entropy(logits, target, ignore_index=255, reduction="sum")
    on = target.masked_fill(edges != 1, 255)
    more = F.cross_entropy(logits, on, ignore_index=255, reduction="sum")
    return (plain + alpha * more) / (target != 255).sum().clamp(min=1)
""",
        """
def fusion_loss(*args):
    total, n = losses.boundary_weighted_cross_entropy(*args)
    return total / n.clamp_min(1)
""",
    ],
    "alpha": [
        _ALPHA.format(_SHARE, _INVERSE),
        _ALPHA.format("(1 + alpha) * b / (1 + alpha * b)", "(s - b) / (b * (1 - s))"),
        """
def weight_share(b, alpha):
    on, off = (1 + alpha) * b, 1 - b
    return on / (on + off)


def alpha_for(b, s):
    odds = s / (1 - s)
    return odds / (b / (1 - b)) - 1
""",
        """
def weight_share(b, alpha):
    return 1 / (1 + (1 - b) / (b * (1 + alpha)))


def alpha_for(b, s):
    low, high = -1.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if weight_share(b, middle) < s else (low, middle)
    return middle
""",
    ],
    "claims": [
        _CLAIMS,
        """
def not_above(rows, name, rivals, by=0.0):
    failed = set()
    for rival in rivals:
        for i, (mine, other) in enumerate(zip(rows[name], rows[rival])):
            if mine <= other + by:
                failed.add(i)
    return sorted(failed)
""",
        """
def not_above(rows, name, rivals, by=0.0):
    best = [max([rows[r][i] for r in rivals], default=float("-inf")) for i in range(len(rows[name]))]
    return [i for i, (mine, other) in enumerate(zip(rows[name], best)) if not mine > other + by]
""",
        """
def not_above(rows, name, rivals, by=0.0):
    mine = np.array(rows[name])
    fails = np.zeros(len(mine), bool)
    for rival in rivals:
        fails |= mine <= np.array(rows[rival]) + by
    return np.flatnonzero(fails).tolist()
""",
    ],
}

# Planted bugs that change nothing that is asked for: line, change, reason.
_ORDER = ("this and the next in the other order", "neither line needs what the other does")
_LABELS = "labels have no gradient"

EQUIVALENT = {
    "boundary": [
        ("edge = torch.zeros_like(known)", "torch.zeros_like(known) → torch.zeros_like(known).detach()", _LABELS),
        ("edge = torch.zeros_like(known)", *_ORDER),
        ("edge[:, 1:] |= down", *_ORDER),
        ("edge[:, :-1] |= down", *_ORDER),
        ("edge[..., 1:] |= right", *_ORDER),
        ("return torch.where(known, edge.to(torch.uint8), 255)", "255) → 255).detach()", _LABELS),
    ],
    "fusion": [
        ("self.mix = conv_abn(3 * edges + context, width)", *_ORDER),
        ("size = edges[0].shape[-2:]", "edges[0].shape[-2:] → edges[0].shape[2:]", "the same two of four dimensions"),
    ],
    "fusion-loss": [
        ('cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")  # (B, H, W)', *_ORDER),
    ],
}  # fmt: skip
