"""What to try on the checks of lesson 10."""

from __future__ import annotations


def _edit(code: str, old: str, new: str) -> str:
    """The code with a mistake (or another way) in it."""
    assert old in code, old
    return code.replace(old, new)


_EDGES = """
def category_edges(target, num_classes, sides="both", width=1):
    own = torch.stack([target == c for c in range(num_classes)], dim=1)
    known = (target != 255).unsqueeze(1)
    near = spread(own, width) if sides == "both" else own
    edge = near & spread(known & ~own, width)
    return torch.where(known, edge.to(torch.uint8), 255)


def binary_edges(target, sides="both", width=1):
    edges = category_edges(target, NUM, sides=sides, width=width)
    return edges[:, 1:].amax(1)
"""

_HEADS = """
class EdgeHeads(nn.Module):
    def __init__(self, channels, num_classes, width=256):
        super().__init__()
        self.reduce = nn.ModuleList([conv_abn(c, width) for c in channels])
        self.shared = nn.Conv2d(width, num_classes, 3, padding=1)
        self.binary = nn.Conv2d(3 * num_classes, 2, 1)
        self.category = nn.Conv2d(3 * num_classes, num_classes, 1)

    def forward(self, c2, c3, c4):
        size = c2.shape[-2:]
        maps = []
        for reduce, x in zip(self.reduce, (c2, c3, c4)):
            x = self.shared(reduce(x))
            maps.append(F.interpolate(x, size, mode="bilinear"))
        x = torch.cat(maps, dim=1)
        return self.binary(x), self.category(x)
"""

_BALANCED = """
def balanced(cost, edges):
    known, edge = edges != 255, edges == 1
    n1 = edge.sum()
    n0 = known.sum() - n1
    weight = torch.where(edge, n0, n1) * known / (n0 + n1).clamp_min(1)
    total = weight.sum()
    return (weight * cost).sum() / torch.where(total > 0, total, torch.ones_like(total))


def binary_edge_loss(logits, edges):
    cost = F.cross_entropy(logits, edges.long(), ignore_index=255, reduction="none")
    return balanced(cost, edges)


def category_edge_loss(logits, edges):
    truth = (edges == 1).float()
    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    return balanced(cost, edges)
"""
_RATIO = "(weight * cost).sum() / torch.where(total > 0, total, torch.ones_like(total))"

_BINARY = """
def binary_edge_attention(logits, target, edges):
    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")
    edge = (edges == 1).float()
    b = edge.sum(dim=(1, 2))
    sums = (cost * edge).sum(dim=(1, 2))
    return {0}
"""
_EQ3 = _BINARY.format("(sums / b.clamp(min=1)).mean()")

_CATEGORY = """
def category_edge_attention(logits, target, edges, weights=None):
    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")
    edge = (edges == 1).float()
    c = edge.sum(dim=(2, 3))
    sums = (cost[:, None] * edge).sum(dim=(2, 3))
    w = torch.ones(logits.shape[1]) if weights is None else weights
    return {0}
"""
_EQ4 = _CATEGORY.format("(w * sums / c.clamp(min=1)).mean()")

_DECOUPLE = """
def decouple(network):
    config = replace(network.config, edge_heads="none")
    with torch.device("meta"):
        small = type(network)(config)
    state = network.state_dict()
    wanted = {key: state[key] for key in small.state_dict()}
    small.load_state_dict(wanted, assign=True)
    small.train(network.training)
    return small
"""

WRONG = {
    "edge-labels": [
        (_edit(_EDGES, "edges[:, 1:].amax(1)", "edges[1:].amax(1)"), "`[1:]` leaves an image out"),
        (_edit(_EDGES, "edges[:, 1:].amax(1)", "edges[:, 1:].amax(-1)"), "the union goes over the classes"),
        (_edit(_EDGES, "known & ~own", "~known & ~own"), "*known* and of another class"),
        (_edit(_EDGES, "spread(known & ~own, width)", "spread(known & ~own, 1)"), "spread of the others"),
        (_edit(_EDGES, "target == c", "target >= c"), "a map is of one class"),
        (_edit(_EDGES, "edges[:, 1:].amax(1)", "edges[:, 1:].max(1)"), "`max` gives two things"),
        (_edit(_EDGES, "edges[:, 1:].amax(1)", "edges[:, 2:].amax(1)"), "class 1 is left out"),
        (_edit(_EDGES, "(target != 255).unsqueeze(1)", "target != 255"), "maps meet as (B, 1, H, W)"),
        (_edit(_EDGES, "sides=sides, width=width", "width, sides"), "by their names"),
        (_edit(_EDGES, "    edges = category_edges(target, NUM",
               "    target = torch.where(target == 255, 255, target.clamp_max(1))\n"
               "    edges = category_edges(target, NUM"), "outline of the whole face"),
        (_edit(_EDGES, "spread(own, width) if", "own if"), 'these are the edges for "inner"'),
        (_edit(_EDGES, 'if sides == "both" else own', ""), 'these are the edges for "both"'),
        (_edit(_EDGES, "spread(known & ~own, width)", "spread(~own, width)"), "pixels of 255 make edges"),
        (_edit(_EDGES, "torch.where(known, edge.to(torch.uint8), 255)", "edge.to(torch.uint8)"), "should be 255, too"),
        (
            _edit(_EDGES, "torch.where(known, edge.to(torch.uint8), 255)", "edge.to(torch.uint8) * known"),
            "should be 255, too",
        ),
        (
            _edit(_EDGES, "torch.where(known, edge.to(torch.uint8), 255)", "torch.where(known, edge.long(), 255)"),
            "expected: torch.uint8",
        ),
        (_edit(_EDGES, "torch.where(known, edge.to(torch.uint8), 255)", "edge"), "should be 255, too"),
        (_edit(_EDGES, "own, width)", "own)"), "`width` has no effect"),
        (_edit(_EDGES, "range(num_classes)", "range(19)"), "a map for each class"),
        (_edit(_EDGES, "range(num_classes)", "range(1, num_classes)"), "a map for each class"),
        (_edit(_EDGES, "~own", "1 - own"), "the opposite of a bool"),
        (
            _edit(_EDGES, "near & spread(known & ~own, width)",
                  "own & spread(known & ~own, width)\n    edge = spread(edge, width) if sides == 'both' else edge"),
            "reach too far into the class",
        ),
        (_edit(_EDGES, "spread(own, width)", "spread(own.numpy(), width)"), "TypeError"),
        (_edit(_EDGES, "spread(own, width) if", "spread(own, width) & ~own if"), "outside of the class"),
        (_edit(_EDGES, "near & spread(known & ~own, width)", "near"), "all pixels near the class"),
        (
            """
def category_edges(target, num_classes, sides="both", width=1):
    def dilate(x):
        return F.max_pool2d(x.float(), 2 * width + 1, 1, width) > 0
    own = F.one_hot(target.where(target != 255, 0), num_classes).movedim(-1, 1).bool()
    known = (target != 255)[:, None]
    own = own & known
    near = dilate(own) if sides == "both" else own
    return torch.where(known, (near & dilate(known & ~own)).byte(), 255)


def binary_edges(target, sides="both", width=1):
    return category_edges(target, NUM, sides, width)[:, 1:].amax(1)
""",
            "diagonal neighbours",
        ),
        (
            _edit(_EDGES, "    edge = near &", "    outside = F.pad(known & ~own, (width,) * 4, value=True)\n"
                  "    far = spread(outside, width)[..., width:-width, width:-width]\n    edge = near & far | near &"),
            "the frame of the picture",
        ),
        (
            """
def category_edges(target, num_classes, sides="both", width=1):
    own = F.one_hot(target, num_classes).movedim(-1, 1).bool()
    return (spread(own, width) & spread(~own, width)).byte()


def binary_edges(target, sides="both", width=1):
    return category_edges(target, NUM, sides, width).amax(1)
""",
            "one_hot knows no 255",
        ),
        (
            _edit(_EDGES, "    own = torch.stack", "    target[target == 255] = 0\n    own = torch.stack"),
            "changes its argument `target`",
        ),
        (_edit(_EDGES, "    return torch.where", "    torch.where"), "`return`"),
        (_edit(_EDGES, "edge.to(torch.uint8), 255)", "edge.to(torch.uint8), 255).numpy()"), "expected: a tensor"),
        (_edit(_EDGES, "edges[:, 1:].amax(1)", "edges.amax(1)"), "leave class 0 out"),
        (_edit(_EDGES, "edges[:, 1:].amax(1)", "edges[:, 1:].sum(1)"), "a union, no sum"),
        (_edit(_EDGES, "edges[:, 1:].amax(1)", "edges[:, 1:].any(1)"), "should be 255, too"),
        (_edit(_EDGES, "edges[:, 1:].amax(1)", "edges[:, 1:].amin(1)"), "*one* part is enough"),
        (_edit(_EDGES, "edges[:, 1:].amax(1)", "edges[:, 1:]"), "each part has a map of its own still: their"),
        (_edit(_EDGES, "NUM, sides=sides, width=width", "NUM, width=width"), "`sides` is not handed on"),
        (_edit(_EDGES, "NUM, sides=sides, width=width", "NUM, 'inner', width=width"), "the other `sides`"),
        (_edit(_EDGES, "NUM, sides=sides, width=width", "NUM, sides=sides"), "`width` has no effect"),
        (_edit(_EDGES, "edges[:, 1:].amax(1)", "edges[:, 1:].amax(1).long()"), "expected: torch.uint8"),
        (_edit(_EDGES, "NUM, sides", "int(target[target != 255].max()) + 1, sides"), "RuntimeError"),
        ('\ndef category_edges(target, num_classes, sides="both", width=1):\n    own = torch.stack([target == c for c in range(num_classes)], dim=1)\n    known = (target != 255).unsqueeze(1)\n    near = spread(own, width) if sides == "both" else own\n    edge = near | spread(known & ~own, width)\n    return torch.where(known, edge.to(torch.uint8), 255)\n\n\ndef binary_edges(target, sides="both", width=1):\n    edges = category_edges(target, NUM, sides=sides, width=width)\n    return edges[:, 1:].amax(1)\n', 'near the class *and* near another, not or: `&`'),
        ('\ndef category_edges(target, num_classes, sides="both", width=1):\n    own = torch.stack([target == c for c in range(num_classes)], dim=1)\n    known = (target != 255).unsqueeze(1)\n    near = spread(own, width) if sides == "both" else own\n    edge = spread(known & ~own, width)\n    return torch.where(known, edge.to(torch.uint8), 255)\n\n\ndef binary_edges(target, sides="both", width=1):\n    edges = category_edges(target, NUM, sides=sides, width=width)\n    return edges[:, 1:].amax(1)\n', 'these are all pixels near another class: the class itself mu'),
        ('\ndef category_edges(target, num_classes, sides="both", width=1):\n    own = torch.stack([target == c for c in range(num_classes)], dim=1)\n    known = (target != 255).unsqueeze(1)\n    near = spread(own, width) if sides == "both" else own\n    edge = near & ~spread(known & ~own, width)\n    return torch.where(known, edge.to(torch.uint8), 255)\n\n\ndef binary_edges(target, sides="both", width=1):\n    edges = category_edges(target, NUM, sides=sides, width=width)\n    return edges[:, 1:].amax(1)\n', 'these are the pixels far from every other class: no `~` befo'),
        ('\ndef category_edges(target, num_classes, sides="both", width=1):\n    own = torch.stack([target == c for c in range(num_classes)], dim=1)\n    known = (target != 255).unsqueeze(1)\n    near = spread(own, 2 * width) if sides == "both" else own\n    edge = near & spread(known & ~own, width)\n    return torch.where(known, edge.to(torch.uint8), 255)\n\n\ndef binary_edges(target, sides="both", width=1):\n    edges = category_edges(target, NUM, sides=sides, width=width)\n    return edges[:, 1:].amax(1)\n', 'the class reaches `width` steps, not twice as far'),
        ('\ndef category_edges(target, num_classes, sides="both", width=1):\n    own = torch.stack([target == c for c in range(num_classes)], dim=1)\n    known = (target != 255).unsqueeze(1)\n    near = spread(own, width) if sides == "both" else own\n    edge = near & spread(known & ~own, width)\n    return edge.to(torch.uint8).masked_fill(known, 255)\n\n\ndef binary_edges(target, sides="both", width=1):\n    edges = category_edges(target, NUM, sides=sides, width=width)\n    return edges[:, 1:].amax(1)\n', 'known and unknown have changed places: `torch.where(known, e'),
        ('\ndef category_edges(target, num_classes, sides="both", width=1):\n    own = torch.stack([target == c for c in range(num_classes)], dim=1)\n    known = (target != 255).unsqueeze(1)\n    near = spread(own, width) if sides == "both" else own\n    edge = near & spread(known & ~own, width)\n    return torch.where(known, 1 - edge.to(torch.uint8), 255)\n\n\ndef binary_edges(target, sides="both", width=1):\n    edges = category_edges(target, NUM, sides=sides, width=width)\n    return edges[:, 1:].amax(1)\n', '0 and 1 have changed places: 1 is an edge'),
        ('\ndef category_edges(target, num_classes, sides="both", width=1):\n    own = torch.stack([target == c for c in range(num_classes)], dim=1)\n    known = (target != 255).unsqueeze(1)\n    near = spread(own, width) if sides == "both" else own\n    edge = near & spread(known & ~own, width)\n    return torch.where(known, edge.to(torch.uint8), 255)\n\n\ndef binary_edges(target, sides="both", width=1):\n    edges = category_edges(target, NUM, sides=sides, width=width)\n    return edges[:, 1:].argmax(1)\n', '`argmax` says *which* part, not whether: `amax`'),
        ('\ndef category_edges(target, num_classes, sides="both", width=1):\n    own = torch.stack([target == c for c in range(num_classes)], dim=1)\n    known = (target != 255).unsqueeze(1)\n    near = spread(own, width) if sides == "both" else own\n    edge = near & spread(known & ~own, width)\n    return torch.where(known, edge.to(torch.uint8), 255)\n\n\ndef binary_edges(target, sides="both", width=1):\n    edges = category_edges(target, NUM, sides=sides, width=width)\n    return edges[:, 1:].prod(1)\n', 'a product asks for an edge of all parts: one is enough'),
        ('\ndef category_edges(target, num_classes, sides="both", width=1):\n    own = torch.stack([target == c for c in range(num_classes)], dim=1)\n    known = (target != 255).unsqueeze(1)\n    near = spread(own, width) if sides == "both" else own\n    edge = near & spread(known & ~own, width)\n    return torch.where(known, edge.to(torch.uint8), 255)\n\n\ndef binary_edges(target, sides="both", width=1):\n    edges = category_edges(target, NUM, sides=sides, width=width)\n    return edges[:, 1:].float().mean(1).round().to(torch.uint8)\n', 'a pixel on the edge of *one* part is enough'),
        ('\ndef category_edges(target, num_classes, sides="both", width=1):\n    own = torch.stack([target == c for c in range(num_classes)], dim=1)\n    known = (target != 255).unsqueeze(1)\n    near = spread(own, width) if sides == "both" else own\n    edge = near & spread(known & ~own, width)\n    return torch.where(known, edge.to(torch.uint8), 255)\n\n\ndef binary_edges(target, sides="both", width=1):\n    edges = category_edges(target, num_classes, sides=sides, width=width)\n    return edges[:, 1:].amax(1)\n', 'the data have `NUM` classes: category_edges(target, NUM, …)'),
    ],
    "edge-heads": [
        (_edit(_HEADS, "            x = self.shared", "            y = self.shared"), "here all three come as they are"),
        (_edit(_HEADS, "self.binary(x), self.category(x)", "self.binary(x.relu()), self.category(x.relu())"),
         "comes between"),
        (_edit(_HEADS, "3, padding=1)", "3, padding=1, padding_mode='reflect')"), "pads with zeros"),
        (_edit(_HEADS, "(c2, c3, c4)):", "(c4, c3, c2)):"), "reads its own depth"),
        (_edit(_HEADS, "dim=1", "dim=0"), "in the batch"),
        (_edit(_HEADS, "torch.cat(maps, dim=1)", "torch.stack(maps, dim=1)"), "side by side"),
        (_edit(_HEADS, "self.binary(x), self.category(x)", "self.category(x), self.binary(x)"),
         "in their place, binary first"),
        (_edit(_HEADS, "nn.ModuleList([conv_abn(c, width) for c in channels])", "[conv_abn(c, width) for c in channels]"),
         "nn.ModuleList"),
        (_edit(_HEADS, "        super().__init__()\n", ""), "`super().__init__()` is missing"),
        (
            _edit(_edit(_HEADS, "nn.Conv2d(width, num_classes, 3, padding=1)",
                        "nn.ModuleList(nn.Conv2d(width, num_classes, 3, padding=1) for _ in channels)"),
                  "self.shared(reduce(x))", "reduce(x)"),
            "*one* 3×3 convolution",
        ),
        (_edit(_HEADS, "nn.Conv2d(width, num_classes, 3, padding=1)", "nn.Conv2d(width, width, 3, padding=1)"),
         "not `width` of them"),
        (_edit(_HEADS, "nn.Conv2d(width, num_classes, 3, padding=1)", "nn.Conv2d(width, num_classes, 3)"),
         "the 3×3 pads by 1"),
        (_edit(_HEADS, "3, padding=1)", "3, padding=1, bias=False)"), "self.shared has a bias"),
        (_edit(_HEADS, "3, padding=1)", "1)"), "here it is 1×1"),
        (_edit(_HEADS, "nn.Conv2d(3 * num_classes, 2, 1)", "nn.Conv2d(3 * num_classes, 1, 1)"), "two logits"),
        (_edit(_HEADS, "nn.Conv2d(3 * num_classes, 2, 1)", "nn.Conv2d(num_classes, 2, 1)"), "all three depths"),
        (_edit(_HEADS, "(3 * num_classes, num_classes, 1)", "(num_classes, num_classes, 1)"), "all three depths"),
        (_edit(_HEADS, "nn.Conv2d(3 * num_classes, 2, 1)", "nn.Conv2d(33, 2, 1)"), "look at self.binary"),
        (_edit(_HEADS, "(3 * num_classes, num_classes, 1)", "(3 * num_classes, 11, 1)"), "look at self.category"),
        (_edit(_HEADS, "conv_abn(c, width)", "conv_abn(c, 256)"), "is conv_abn(6, 5)"),
        (_edit(_HEADS, "conv_abn(c, width)", "nn.Conv2d(c, width, 1)"), "is conv_abn(6, 5)"),
        (_edit(_HEADS, "conv_abn(c, width)", "conv_abn(c, width, 3)"), "no third argument"),
        (_edit(_HEADS, "conv_abn(c, width)", "conv_abn(c, width, bias=True)"), "no more"),
        (_edit(_HEADS, "        self.binary = nn.Conv2d(3 * num_classes, 2, 1)\n", ""), "there is no self.binary"),
        (_edit(_HEADS, "self.category = ", "self.extra = nn.Linear(2, 2)\n        self.category = "), "no more"),
        (_edit(_HEADS, ', mode="bilinear"', ""), "enlarged in steps"),
        (_edit(_HEADS, 'mode="bilinear"', 'mode="bilinear", align_corners=True'), "align_corners"),
        (
            _edit(_edit(_HEADS, "x = self.shared(reduce(x))", "x = reduce(x)"),
                  'F.interpolate(x, size, mode="bilinear")', 'self.shared(F.interpolate(x, size, mode="bilinear"))'),
            "you enlarge first",
        ),
        (_edit(_HEADS, "torch.cat(maps, dim=1)", "torch.cat(maps[::-1], dim=1)"), "begin with C2"),
        (_edit(_HEADS, "self.shared(reduce(x))", "self.shared(reduce(x)).relu()"), "a ReLU after the 3×3"),
        (_edit(_HEADS, 'F.interpolate(x, size, mode="bilinear")', "x"), "enlarge all to c2's"),
        (_edit(_HEADS, "self.binary(x), self.category(x)", "self.category(x), self.binary(x)"), "the binary edges come out in their place"),
        (_edit(_HEADS, "self.binary(x), self.category(x)", "self.binary(x)"), "both logits are given back"),
        (_edit(_HEADS, "self.binary(x), self.category(x)", "self.binary(x).softmax(1), self.category(x)"),
         "nothing follows"),
        (_edit(_HEADS, "self.binary(x), self.category(x)", "self.binary(x), self.category(x).sigmoid()"),
         "nothing follows"),
        (_edit(_HEADS, "self.binary(x), self.category(x)", "self.binary(x.detach()), self.category(x.detach())"),
         "another gradient reaches c2"),
        (_edit(_HEADS, "reduce(x)", "reduce(x.detach())"), "another gradient reaches c2"),
        (_edit(_HEADS, "torch.cat(maps, dim=1)", "torch.cat(*maps, dim=1)"), "torch.cat"),
        (_edit(_HEADS, "torch.cat(maps, dim=1)", "sum(maps)"), "or their sum"),
        (_edit(_HEADS, "size = c2.shape[-2:]", "size = c2.shape"), ".shape[-2:]"),
        (_edit(_HEADS, "        return self.binary", "        self.binary"), "`return`"),
        (_edit(_HEADS, "size = c2.shape[-2:]", "size = c3.shape[-2:]"), "at the size of c2"),
        ('\nclass EdgeHeads(nn.Module):\n    def __init__(self, channels, num_classes, width=256):\n        super().__init__()\n        self.reduce = nn.ModuleList([conv_abn(channels[0], width) for c in channels])\n        self.shared = nn.Conv2d(width, num_classes, 3, padding=1)\n        self.binary = nn.Conv2d(3 * num_classes, 2, 1)\n        self.category = nn.Conv2d(3 * num_classes, num_classes, 1)\n\n    def forward(self, c2, c3, c4):\n        size = c2.shape[-2:]\n        maps = []\n        for reduce, x in zip(self.reduce, (c2, c3, c4)):\n            x = self.shared(reduce(x))\n            maps.append(F.interpolate(x, size, mode="bilinear"))\n        x = torch.cat(maps, dim=1)\n        return self.binary(x), self.category(x)\n', 'reduce[1] is conv_abn(8, 5)'),
        ('\nclass EdgeHeads(nn.Module):\n    def __init__(self, channels, num_classes, width=256):\n        super().__init__()\n        self.reduce = nn.ModuleList([conv_abn(c, width) for c in channels])\n        self.shared = nn.Conv2d(width, num_classes, 3, padding=1)\n        self.binary = nn.Conv2d(3 * num_classes, 2, 1, bias=False)\n        self.category = nn.Conv2d(3 * num_classes, num_classes, 1)\n\n    def forward(self, c2, c3, c4):\n        size = c2.shape[-2:]\n        maps = []\n        for reduce, x in zip(self.reduce, (c2, c3, c4)):\n            x = self.shared(reduce(x))\n            maps.append(F.interpolate(x, size, mode="bilinear"))\n        x = torch.cat(maps, dim=1)\n        return self.binary(x), self.category(x)\n', 'self.binary has a bias'),
        ('\nclass EdgeHeads(nn.Module):\n    def __init__(self, channels, num_classes, width=256):\n        super().__init__()\n        self.reduce = nn.ModuleList([conv_abn(c, width) for c in channels])\n        self.shared = nn.Conv2d(width, num_classes, 3, padding=1)\n        self.binary = nn.Conv2d(3 * num_classes, 2, 1)\n        self.categories = nn.Conv2d(3 * num_classes, num_classes, 1)\n\n    def forward(self, c2, c3, c4):\n        size = c2.shape[-2:]\n        maps = []\n        for reduce, x in zip(self.reduce, (c2, c3, c4)):\n            x = self.shared(reduce(x))\n            maps.append(F.interpolate(x, size, mode="bilinear"))\n        x = torch.cat(maps, dim=1)\n        return self.binary(x), self.categories(x)\n', 'there is no self.category'),
        ('\nclass EdgeHeads(nn.Module):\n    def __init__(self, channels, num_classes, width=256):\n        super().__init__()\n        self.reduce = nn.ModuleList([conv_abn(c, width) for c in channels])\n        self.shared = nn.Conv2d(width, num_classes, 3, padding=1)\n        self.binary = nn.Conv2d(3 * num_classes, 2, 1)\n        self.category = nn.Conv2d(3 * num_classes, num_classes, 1)\n\n    def forward(self, c2, c3, c4):\n        size = c2.shape[-2:]\n        maps = []\n        for reduce, x in zip(self.reduce, (c2, c3, c4)):\n            x = self.shared(reduce(x))\n            maps.append(F.interpolate(x, size, mode="bicubic"))\n        x = torch.cat(maps, dim=1)\n        return self.binary(x), self.category(x)\n', 'enlarge bilinearly, not bicubically'),
        ('\nclass EdgeHeads(nn.Module):\n    def __init__(self, channels, num_classes, width=256):\n        super().__init__()\n        self.reduce = nn.ModuleList([conv_abn(c, width) for c in channels])\n        self.shared = nn.Conv2d(width, num_classes, 3, padding=1)\n        self.binary = nn.Conv2d(3 * num_classes, 2, 1)\n        self.category = nn.Conv2d(3 * num_classes, num_classes, 1)\n\n    def forward(self, c2, c3, c4):\n        size = c2.shape[-2:]\n        maps = []\n        for reduce, x in zip(self.reduce, (c2, c3, c4)):\n            x = self.shared(reduce(x))\n            maps.append(F.interpolate(x, size, mode="area"))\n        x = torch.cat(maps, dim=1)\n        return self.binary(x), self.category(x)\n', 'that is a mean over areas: `mode="bilinear"`'),
        ('\nclass EdgeHeads(nn.Module):\n    def __init__(self, channels, num_classes, width=256):\n        super().__init__()\n        self.reduce = nn.ModuleList([conv_abn(c, width) for c in channels])\n        self.shared = nn.Conv2d(width, num_classes, 3, padding=1)\n        self.binary = nn.Conv2d(3 * num_classes, 2, 1)\n        self.category = nn.Conv2d(3 * num_classes, num_classes, 1)\n\n    def forward(self, c2, c3, c4):\n        size = c2.shape[-2:]\n        maps = []\n        for reduce, x in zip(self.reduce, (c2, c3, c4)):\n            x = self.shared(self.reduce(x))\n            maps.append(F.interpolate(x, size, mode="bilinear"))\n        x = torch.cat(maps, dim=1)\n        return self.binary(x), self.category(x)\n', 'a ModuleList is not called: call each of its parts'),
        ('\nclass EdgeHeads(nn.Module):\n    def __init__(self, channels, num_classes, width=256):\n        super().__init__()\n        self.reduce = nn.ModuleList([conv_abn(c, width) for c in channels])\n        self.shared = nn.Conv2d(width, num_classes, 3, padding=1)\n        self.binary = nn.Conv2d(3 * num_classes, 2, 1)\n        self.category = nn.Conv2d(3 * num_classes, num_classes, 1)\n\n    def forward(self, c2, c3, c4):\n        size = c2.shape[-2:]\n        maps = []\n        for reduce, x in zip(self.reduce, (c2, c3, c4)):\n            x = self.shared(reduce(x).relu())\n            maps.append(F.interpolate(x, size, mode="bilinear"))\n        x = torch.cat(maps, dim=1)\n        return self.binary(x), self.category(x)\n', 'there is a ReLU before the 3×3: ABN brings its own activatio'),
    ],
    "balanced-loss": [
        (_edit(_BALANCED, "n1 = edge.sum()", "n1 = edge.sum((-2, -1), keepdim=True)").replace("known.sum() -", "known.sum((-2, -1), keepdim=True) -"),
         "not of each image by itself"),
        (_edit(_BALANCED, "weight * cost)", "weight * cost**2)"), "each as it is"),
        (_edit(_BALANCED, "n0 = known.sum() - n1", "n0 = known.sum()"), "the pixels off the edge"),
        (_edit(_BALANCED, _RATIO, "(weight * cost).sum() / (total + 0.01)"), "with nothing added"),
        (_edit(_BALANCED, "ignore_index=255, red", "ignore_index=255, label_smoothing=0.1, red"),
         "the costs of single pixels"),
        (_edit(_BALANCED, "F.binary_cross_entropy_with_logits(logits,",
               "F.binary_cross_entropy(logits.sigmoid(),"), "rounded to 0 or 1"),
        (_edit(_BALANCED, "truth = (edges == 1)", "truth = (edges != 1)"), "turned round"),
        (_edit(_BALANCED, "(edges == 1).float()", "edges == 1"), "are floats of the logits' shape"),
        (_edit(_BALANCED, "    total = weight.sum()",
               "    total = weight.sum()\n    if total == 0:\n        return 0.0"),
         "must come out of the logits"),
        (_edit(_BALANCED, "    total = weight.sum()", "    total = weight.sum()\n    if total == 0:\n"
               "        return torch.tensor(0.0, requires_grad=True)"), "must come out of the logits"),
        (_edit(_BALANCED, _RATIO, "((weight * cost).sum() / total).nan_to_num()"), "gradient is NaN"),
        (_edit(_BALANCED, _RATIO, f"({_RATIO}).detach()"), "has no gradient"),
        (_edit(_BALANCED, f"return {_RATIO}", "return cost[known].mean()"), "plain cross-entropy"),
        (_edit(_BALANCED, "torch.where(edge, n0, n1)", "torch.where(edge, n1, n0)"), "the other's share"),
        (_edit(_BALANCED, f"return {_RATIO}", "return (weight * cost).sum() / known.sum()"), "sum of the weights"),
        (_edit(_BALANCED, f"return {_RATIO}", "return (weight * cost).mean()"), "sum of the weights"),
        (_edit(_BALANCED, f"return {_RATIO}", "return (weight * cost).sum()"), "this is a sum"),
        (_edit(_BALANCED, f"return {_RATIO}", "return cost[edge].mean() + cost[known & ~edge].mean()"), "twice the weighted mean"),
        (_edit(_BALANCED, f"return {_RATIO}", "return (cost[edge].mean() + cost[known & ~edge].mean()) / 2"), "is not a number"),
        (_edit(_BALANCED, f"return {_RATIO}", "return (weight * cost).sum() / total"), "is not a number"),
        (_edit(_BALANCED, f"return {_RATIO}", "return cost[edge].mean()"), "only the edge pixels"),
        (_edit(_BALANCED, "n0 = known.sum() - n1", "n0 = edges.numel() - n1"), "counted in the shares"),
        (
            _edit(_edit(_BALANCED, "known, edge = edges != 255, edges == 1", "known, edge = edges >= 0, edges == 1"),
                  "edges.long(), ignore_index=255", "(edges == 1).long()"),
            "taken for `no edge`",
        ),
        (_edit(_BALANCED, "edges.long(), ignore_index=255", "edges.long()"), "255 is no class"),
        (_edit(_BALANCED, "edges.long(),", "edges,"), "int64"),
        (
            _edit(_BALANCED, "def balanced(", "def of_image(") + """

def balanced(cost, edges):
    return torch.stack([of_image(a, b) for a, b in zip(cost, edges)]).mean()
""",
            "each image is balanced by itself",
        ),
        (
            _edit(_BALANCED, "    return balanced(cost, edges)\n\n\ndef category", "    return balanced(cost, edges).item()\n\n\ndef category"),
            "is a float, expected: a tensor",
        ),
        (_edit(_BALANCED, f"return {_RATIO}", "return torch.where(total > 0, (weight * cost).sum() / total, torch.zeros(()))"),
         "its gradient is NaN"),
        (_edit(_BALANCED, f"return {_RATIO}", f"return {_RATIO} if total > 0 else torch.zeros(())"), "come out of the logits"),
        (_edit(_BALANCED, "    known, edge", "    cost = cost.detach()\n    known, edge"), "has no gradient"),
        (
            _edit(_BALANCED, "    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits, truth,",
                  "    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits.sigmoid(), truth,"),
            "taken twice",
        ),
        (
            _edit(_BALANCED, "    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction=\"none\")",
                  "    p = logits.softmax(1)\n    cost = -torch.where(edges == 1, p, 1 - p).log()"),
            "a softmax over the classes",
        ),
        (
            _edit(_BALANCED, "    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction=\"none\")",
                  "    p = logits.sigmoid()\n    cost = -torch.where(edges == 1, p, 1 - p).log()"),
            "large logits cost infinity",
        ),
        (
            _edit(_BALANCED, "    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction=\"none\")\n    return balanced(cost, edges)",
                  "    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction=\"none\")\n"
                  "    return sum(balanced(cost[:, j], edges[:, j]) for j in range(cost.shape[1])) / cost.shape[1]"),
            "each class's map is balanced by itself",
        ),
        (
            _edit(_BALANCED, "    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction=\"none\")",
                  "    cost = F.binary_cross_entropy_with_logits(logits, edges, reduction=\"none\")"),
            "floats of the logits' shape",
        ),
        (
            _edit(_BALANCED, "    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction=\"none\")\n    return balanced(cost, edges)",
                  "    ratio = (edges == 0).sum() / (edges == 1).sum()\n"
                  "    return F.binary_cross_entropy_with_logits(logits, truth, pos_weight=ratio)"),
            "`pos_weight` weighs edges alone",
        ),
        (
            _edit(_BALANCED, "    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction=\"none\")\n    return balanced(cost, edges)",
                  "    n1, n0 = (edges == 1).sum(), (edges == 0).sum()\n"
                  "    w = torch.where(edges == 1, n0, n1) / (n0 + n1) * (edges != 255)\n"
                  "    return F.binary_cross_entropy_with_logits(logits, truth, weight=w)"),
            "not by the number of pixels",
        ),
        (_edit(_BALANCED, "    truth = ", "    logits *= 1.5\n    truth = "), "changes its argument `logits`"),
        (_edit(_BALANCED, "    known, edge", "    edges[edges == 255] = 0\n    known, edge"), "changes its argument `edges`"),
        (_edit(_BALANCED, f"    return {_RATIO}", "    total"), "`return`"),
        ('\ndef balanced(cost, edges):\n    known, edge = edges != 255, edges == 1\n    n1 = edge.sum()\n    n0 = known.sum() - n1\n    weight = torch.where(edge, n0 / n1, 1) * known\n    total = weight.sum()\n    return (weight * cost).sum() / torch.where(total > 0, total, torch.ones_like(total))\n\n\ndef binary_edge_loss(logits, edges):\n    cost = F.cross_entropy(logits, edges.long(), ignore_index=255, reduction="none")\n    return balanced(cost, edges)\n\n\ndef category_edge_loss(logits, edges):\n    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")\n    return balanced(cost, edges)\n', 'binary_edge_loss of no edge should be 0: all weights are 0'),
        ('\ndef balanced(cost, edges):\n    known, edge = edges != 255, edges == 1\n    n1 = edge.sum()\n    n0 = known.sum() - n1\n    weight = torch.where(edge, n0, n1) ** 2 * known / (n0 + n1).clamp_min(1)\n    total = weight.sum()\n    return (weight * cost).sum() / torch.where(total > 0, total, torch.ones_like(total))\n\n\ndef binary_edge_loss(logits, edges):\n    cost = F.cross_entropy(logits, edges.long(), ignore_index=255, reduction="none")\n    return balanced(cost, edges)\n\n\ndef category_edge_loss(logits, edges):\n    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")\n    return balanced(cost, edges)\n', 'the weights are shares, as they are: no square, no root'),
        ('\ndef balanced(cost, edges):\n    known, edge = edges != 255, edges == 1\n    n1 = edge.sum()\n    n0 = known.sum() - n1\n    weight = torch.where(edge, n0, n1) / (n0 + n1).clamp_min(1)\n    total = weight.sum()\n    return (weight * cost).sum() / torch.where(total > 0, total, torch.ones_like(total))\n\n\ndef binary_edge_loss(logits, edges):\n    cost = F.cross_entropy(logits, edges.long(), ignore_index=255, reduction="none")\n    return balanced(cost, edges)\n\n\ndef category_edge_loss(logits, edges):\n    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")\n    return balanced(cost, edges)\n', 'pixels of 255 have a weight: multiply the weights by `known`'),
        ('\ndef balanced(cost, edges):\n    known, edge = edges != 255, edges == 1\n    n1 = edges.sum()\n    n0 = known.sum() - n1\n    weight = torch.where(edge, n0, n1) * known / (n0 + n1).clamp_min(1)\n    total = weight.sum()\n    return (weight * cost).sum() / torch.where(total > 0, total, torch.ones_like(total))\n\n\ndef binary_edge_loss(logits, edges):\n    cost = F.cross_entropy(logits, edges.long(), ignore_index=255, reduction="none")\n    return balanced(cost, edges)\n\n\ndef category_edge_loss(logits, edges):\n    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")\n    return balanced(cost, edges)\n', 'n₁ is the number of pixels with `edges == 1`: a sum of edges'),
        ('\ndef balanced(cost, edges):\n    known, edge = edges != 255, edges == 1\n    n1 = edge.sum()\n    n0 = known.sum() - n1\n    weight = torch.where(edge, n0, n1) * known / (n0 + n1).clamp_min(1)\n    total = weight.sum()\n    return cost[known & ~edge].mean()\n\n\ndef binary_edge_loss(logits, edges):\n    cost = F.cross_entropy(logits, edges.long(), ignore_index=255, reduction="none")\n    return balanced(cost, edges)\n\n\ndef category_edge_loss(logits, edges):\n    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")\n    return balanced(cost, edges)\n', 'only the pixels off the edge have a weight: the edges, too, '),
        ('\ndef balanced(cost, edges):\n    known, edge = edges != 255, edges == 1\n    n1 = edge.sum()\n    n0 = known.sum() - n1\n    weight = torch.where(edge, n0, n1) * known / (n0 + n1).clamp_min(1)\n    total = weight.sum()\n    return (cost[edge].sum() + cost[known & ~edge].sum()) / 2\n\n\ndef binary_edge_loss(logits, edges):\n    cost = F.cross_entropy(logits, edges.long(), ignore_index=255, reduction="none")\n    return balanced(cost, edges)\n\n\ndef category_edge_loss(logits, edges):\n    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")\n    return balanced(cost, edges)\n', "half of each kind's *mean*, not of its sum"),
        ('\ndef balanced(cost, edges):\n    known, edge = edges != 255, edges == 1\n    n1 = edge.sum()\n    n0 = known.sum() - n1\n    weight = torch.where(edge, n0, n1) * known / (n0 + n1).clamp_min(1)\n    total = weight.sum()\n    return weight * cost / total\n\n\ndef binary_edge_loss(logits, edges):\n    cost = F.cross_entropy(logits, edges.long(), ignore_index=255, reduction="none")\n    return balanced(cost, edges)\n\n\ndef category_edge_loss(logits, edges):\n    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")\n    return balanced(cost, edges)\n', 'one number for each pixel: take the sum'),
        ('\ndef balanced(cost, edges):\n    known, edge = edges != 255, edges == 1\n    n1 = edge.sum()\n    n0 = known.sum() - n1\n    weight = torch.where(edge, n0, n1) * known / (n0 + n1).clamp_min(1)\n    total = weight.sum()\n    return -(weight * cost).sum() / total.clamp_min(1e-9)\n\n\ndef binary_edge_loss(logits, edges):\n    cost = F.cross_entropy(logits, edges.long(), ignore_index=255, reduction="none")\n    return balanced(cost, edges)\n\n\ndef category_edge_loss(logits, edges):\n    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")\n    return balanced(cost, edges)\n', 'the sign is turned'),
        ('\ndef balanced(cost, edges):\n    known, edge = edges != 255, edges == 1\n    n1 = edge.sum()\n    n0 = known.sum() - n1\n    weight = torch.where(edge, n0, n1) * known / (n0 + n1).clamp_min(1)\n    total = weight.sum()\n    return (weight * cost).sum() / torch.where(total > 0, total, torch.ones_like(total))\n\n\ndef binary_edge_loss(logits, edges):\n    cost = F.cross_entropy(logits, edges.long(), ignore_index=255, reduction="sum")\n    return balanced(cost, edges)\n\n\ndef category_edge_loss(logits, edges):\n    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")\n    return balanced(cost, edges)\n', 'one cost for each pixel is needed: `reduction="none"`'),
        ('\ndef balanced(cost, edges):\n    known, edge = edges != 255, edges == 1\n    n1 = edge.sum()\n    n0 = known.sum() - n1\n    weight = torch.where(edge, n0, n1) * known / (n0 + n1).clamp_min(1)\n    total = weight.sum()\n    return (weight * cost).sum() / torch.where(total > 0, total, torch.ones_like(total))\n\n\ndef binary_edge_loss(logits, edges):\n    cost = F.nll_loss(logits, edges.long(), ignore_index=255, reduction="none")\n    return balanced(cost, edges)\n\n\ndef category_edge_loss(logits, edges):\n    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")\n    return balanced(cost, edges)\n', 'nll_loss wants logarithms: `F.cross_entropy` takes logits'),
        ('\ndef balanced(cost, edges):\n    known, edge = edges != 255, edges == 1\n    n1 = edge.sum()\n    n0 = known.sum() - n1\n    weight = torch.where(edge, n0, n1) * known / (n0 + n1).clamp_min(1)\n    total = weight.sum()\n    return (weight * cost).sum() / torch.where(total > 0, total, torch.ones_like(total))\n\n\ndef binary_edge_loss(logits, edges):\n    cost = F.nll_loss(logits.softmax(1), edges.long(), ignore_index=255, reduction="none")\n    return balanced(cost, edges)\n\n\ndef category_edge_loss(logits, edges):\n    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")\n    return balanced(cost, edges)\n', 'nll_loss wants logarithms, `log_softmax`, not `softmax`'),
        ('\ndef balanced(cost, edges):\n    known, edge = edges != 255, edges == 1\n    n1 = edge.sum()\n    n0 = known.sum() - n1\n    weight = torch.where(edge, n0, n1) * known / (n0 + n1).clamp_min(1)\n    total = weight.sum()\n    return (weight * cost).sum() / torch.where(total > 0, total, torch.ones_like(total))\n\n\ndef binary_edge_loss(logits, edges):\n    cost = F.binary_cross_entropy_with_logits(logits[:, 1], (edges == 1).float(), reduction="none")\n    return balanced(cost, edges)\n\n\ndef category_edge_loss(logits, edges):\n    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")\n    return balanced(cost, edges)\n', 'two logits a pixel, and one softmax over both: `F.cross_entr'),
        ('\ndef balanced(cost, edges):\n    known, edge = edges != 255, edges == 1\n    n1 = edge.sum()\n    n0 = known.sum() - n1\n    weight = torch.where(edge, n0, n1) * known / (n0 + n1).clamp_min(1)\n    total = weight.sum()\n    return (weight * cost).sum() / torch.where(total > 0, total, torch.ones_like(total))\n\n\ndef binary_edge_loss(logits, edges):\n    cost = F.cross_entropy(logits, edges.long(), ignore_index=255, reduction="none")\n    return balanced(cost, edges)\n\n\ndef category_edge_loss(logits, edges):\n    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits, truth, weight=truth, reduction="none")\n    return balanced(cost, edges)\n', 'a no costs nothing here: no `weight` inside, `balanced` weig'),
        ('\ndef balanced(cost, edges):\n    known, edge = edges != 255, edges == 1\n    n1 = edge.sum()\n    n0 = known.sum() - n1\n    weight = torch.where(edge, n0, n1) * known / (n0 + n1).clamp_min(1)\n    total = weight.sum()\n    return (weight * cost).sum() / torch.where(total > 0, total, torch.ones_like(total))\n\n\ndef binary_edge_loss(logits, edges):\n    cost = F.cross_entropy(logits, edges.long(), ignore_index=255, reduction="none")\n    return balanced(cost, edges)\n\n\ndef category_edge_loss(logits, edges):\n    truth = (edges == 1).float()\n    cost = F.cross_entropy(logits, truth, reduction=\'none\')[:, None].expand_as(logits)\n    return balanced(cost, edges)\n', 'a yes or no for each class: `F.binary_cross_entropy_with_log'),
        ('\ndef balanced(cost, edges):\n    known, edge = edges != 255, edges == 1\n    n1 = edge.sum()\n    n0 = known.sum() - n1\n    weight = torch.where(edge, n0, n1) * known / (n0 + n1).clamp_min(1)\n    total = weight.sum()\n    return (weight * cost).sum() / torch.where(total > 0, total, torch.ones_like(total))\n\n\ndef binary_edge_loss(logits, edges):\n    cost = F.cross_entropy(logits, edges.long(), ignore_index=255, reduction="none")\n    return balanced(cost, edges)\n\n\ndef category_edge_loss(logits, edges):\n    truth = (edges == 1).float()\n    cost = F.mse_loss(logits.sigmoid(), truth, reduction=\'none\')\n    return balanced(cost, edges)\n', 'squares are no cross-entropy: `F.binary_cross_entropy_with_l'),
        ('\ndef balanced(cost, edges):\n    known, edge = edges != 255, edges == 1\n    n1 = edge.sum()\n    n0 = known.sum() - n1\n    weight = torch.where(edge, n0, n1) * known / (n0 + n1).clamp_min(1)\n    total = weight.sum()\n    return (weight * cost).sum() / torch.where(total > 0, total, torch.ones_like(total))\n\n\ndef binary_edge_loss(logits, edges):\n    cost = F.cross_entropy(logits, edges.long(), ignore_index=255, reduction="none")\n    return balanced(cost, edges)\n\n\ndef category_edge_loss(logits, edges):\n    truth = (edges == 1).float()\n    cost = F.softplus(-logits)\n    return balanced(cost, edges)\n', 'this is the cost of yes everywhere: off the edge the target '),
        ('\ndef balanced(cost, edges):\n    known, edge = edges != 255, edges == 1\n    n1 = edge.sum()\n    n0 = known.sum() - n1\n    weight = torch.where(edge, n0, n1) * known / (n0 + n1).clamp_min(1)\n    total = weight.sum()\n    return (weight * cost).sum() / torch.where(total > 0, total, torch.ones_like(total))\n\n\ndef binary_edge_loss(logits, edges):\n    cost = F.cross_entropy(logits, edges.long(), ignore_index=255, reduction="none")\n    return balanced(cost, edges)\n\n\ndef category_edge_loss(logits, edges):\n    truth = edges.float() / 255\n    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")\n    return balanced(cost, edges)\n', 'the targets are `edges == 1`, not edges / 255'),
        ('\ndef balanced(cost, edges):\n    known, edge = edges != 255, edges == 1\n    n1 = edge.sum()\n    n0 = known.sum() - n1\n    weight = torch.where(edge, n0, n1) * known / (n0 + n1).clamp_min(1)\n    total = weight.sum()\n    return (weight * cost).sum() / torch.where(total > 0, total, torch.ones_like(total))\n\n\ndef binary_edge_loss(logits, edges):\n    cost = F.cross_entropy(logits, edges.long(), ignore_index=255, reduction="none")\n    return balanced(cost, edges) / 2\n\n\ndef category_edge_loss(logits, edges):\n    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")\n    return balanced(cost, edges)\n', 'this is half of the weighted mean: both losses are given bac'),
        ('\ndef balanced(cost, edges):\n    known, edge = edges != 255, edges == 1\n    n1 = edge.sum()\n    n0 = known.sum() - n1\n    weight = torch.where(edge, n0, n1) * known / (n0 + n1).clamp_min(1)\n    total = weight.sum()\n    return (weight * cost).sum() / torch.where(total > 0, total, torch.ones_like(total))\n\n\ndef binary_edge_loss(logits, edges):\n    cost = F.cross_entropy(logits, edges.long(), ignore_index=255, reduction="none")\n    return balanced(cost, edges)\n\n\ndef category_edge_loss(logits, edges):\n    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")\n    return balanced(cost[:, 1:], edges[:, 1:])\n', "the background's map counts, too"),
        ('\ndef balanced(cost, edges):\n    known, edge = edges != 255, edges == 1\n    n1 = edge.sum()\n    n0 = known.sum() - n1\n    weight = torch.where(edge, n0, n1) * known / (n0 + n1).clamp_min(1)\n    total = weight.sum()\n    return (weight * cost).sum() / torch.where(total > 0, total, torch.ones_like(total))\n\n\ndef binary_edge_loss(logits, edges):\n    cost = F.cross_entropy(logits, edges.long(), ignore_index=255, reduction="none")\n    return balanced(cost, edges)\n\n\ndef category_edge_loss(logits, edges):\n    truth = (edges == 1).float()\n    cost = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")\n    return balanced(cost, edges) * logits.shape[1]\n', 'this is C times the weighted mean: nothing is multiplied'),
    ],
    "binary-attention": [
        (_edit(_EQ3, "b = edge.sum(dim=(1, 2))", "b = edge.sum(dim=(1, 2), keepdim=True)"), "without `keepdim`"),
        (_BINARY.format("(sums / b.max()).mean()"), "not by the largest"),
        (_EQ3.replace("b = edge.sum", "b = edges.sum"), "where edges are 255"),
        (_BINARY.format("(sums / b).nan_to_num().mean()"), "the gradient is NaN"),
        (_BINARY.format("(sums / (b + 1)).mean()"), "not by b_i + 1"),
        (_BINARY.format("4 * (sums / b.clamp(min=1)).mean()"), "comes later"),
        (_EQ3.replace("(1, 2)", "2"), "each row of pixels"),
        (_EQ3.replace("(1, 2)", "(0, 1)"), "the first dimension is the images"),
        (_BINARY.format("cost.mean() + (sums / b.clamp(min=1)).mean()"), "is added later"),
        ("""
def binary_edge_attention(logits, target, edges):
    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")
    total = 0.0
    for one, edge in zip(cost, edges == 1):
        if edge.any():
            total = total + one[edge].mean()
    return total / len(cost)
""", "must come out of the logits"),
        (_BINARY.format("sums.sum() / b.sum()"), "each image's own b_i"),
        (_BINARY.format("sums.sum() / b.sum() / len(b)"), "as in the public code"),
        (_BINARY.format("(sums / b).mean()"), "0 is divided by 0"),
        (_BINARY.format("(cost * edge).mean()"), "number of *edge* pixels"),
        (_BINARY.format("(sums / b.clamp(min=1)).sum()"), "the sum over the images"),
        (_BINARY.format("(sums / b)[b > 0].mean()"), "they count in N"),
        (_BINARY.format("sums / b.clamp(min=1)"), "take their mean"),
        (_BINARY.format("sums.mean()"), "divide each image's sum by b_i"),
        (_BINARY.format("cost[target != 255].mean()"), "plain cross-entropy"),
        (_edit(_EQ3, "(edges == 1).float()", "edges.float()"), "255"),
        (_edit(_EQ3, "(edges == 1).float()", "(edges > 0).float()"), "255"),
        (_edit(_EQ3, "    b =", "    cost = cost * target\n    b ="), "an id is a name"),
        (_edit(_EQ3, ", ignore_index=255", ""), "255 is no class"),
        (_edit(_EQ3, ', reduction="none"', ""), "one cost for all pixels together"),
        (_edit(_EQ3, "    edge = ", "    cost = cost.detach()\n    edge = "), "no gradient"),
        (_BINARY.format("float((sums / b.clamp(min=1)).mean())"), "is a float, expected: a tensor"),
        (_BINARY.format("(sums / b.clamp(min=1)).mean() if b.any() else torch.zeros(())"), "come out of the logits"),
        (_edit(_EQ3, "    cost = ", "    target[target == 255] = 0\n    cost = "), "changes its argument `target`"),
        (_edit(_EQ3, "    return ", "    loss = "), "`return`"),
        ('\ndef binary_edge_attention(logits, target, edges):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    b = edge.sum(dim=(1, 2))\n    sums = (cost * edge).sum(dim=(1, 2))\n    return (sums * b).mean()\n', 'divide by b_i: you multiply'),
        ('\ndef binary_edge_attention(logits, target, edges):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    b = edge.sum(dim=(1, 2))\n    sums = (cost * edge).sum(dim=(1, 2))\n    return (sums / b.clamp(min=1)).mean() / len(b)\n', '1/N stands there twice: a mean is one already'),
        ('\ndef binary_edge_attention(logits, target, edges):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    b = edge.sum(dim=(1, 2))\n    sums = (cost * edge).sum(dim=(1, 2))\n    return (sums / b.clamp(min=1)).max()\n', "this is one image's loss: take the mean of all"),
        ('\ndef binary_edge_attention(logits, target, edges):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    b = edge.sum(dim=(1, 2))\n    sums = (cost * edge).sum(dim=(1, 2))\n    return sums.sum()\n', "this is the sum over all edge pixels: divide each image's by"),
        ('\ndef binary_edge_attention(logits, target, edges):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    b = edge.sum(dim=(1, 2))\n    sums = (cost * edge).sum(dim=(1, 2))\n    return (cost.mean((1, 2)) / b.clamp(min=1)).mean()\n', 'keep the costs on the edge, `cost * edge`, and sum them: you'),
        ('\ndef binary_edge_attention(logits, target, edges):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    b = edge.sum(dim=(1, 2))\n    sums = (cost * edge).sum(dim=(1, 2))\n    return ((cost * (1 - edge)).sum((1, 2)) / (1 - edge).sum((1, 2))).mean()\n', 'these are the pixels off the edge: `edges == 1` are on it'),
        ('\ndef binary_edge_attention(logits, target, edges):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    b = edge.sum(dim=(1, 2))\n    sums = (cost * edge).sum(dim=(1, 2))\n    return (sums / b.sum().clamp(min=1)).mean() * len(b) if False else (sums.sum() / b.mean().clamp(min=1))\n', "b_i is one image's number: you divide by the mean of all"),
        ('\ndef binary_edge_attention(logits, target, edges):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    b = edge.sum(dim=(1, 2))\n    sums = (cost * edge).sum(dim=(1, 2))\n    return (cost * edge / b.clamp(min=1)[:, None, None]).mean()\n', 'sum over the pixels, and take a mean over the images alone'),
        ('\ndef binary_edge_attention(logits, target, edges):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    b = edge.sum(dim=(1, 2))\n    sums = (cost * edge).sum(dim=(1, 2))\n    return (cost * edge / b.clamp(min=1)).sum((1, 2)).mean()\n', 'costs and edges are'),
        ('\ndef binary_edge_attention(logits, target, edges):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    b = edge.sum(dim=(1, 2))\n    sums = (cost * edge).sum(dim=(1, 2))\n    return cost[edge].mean()\n', 'a mask is of bools,'),
        ('\ndef binary_edge_attention(logits, target, edges):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    b = edge.sum(dim=1)\n    sums = (cost * edge).sum(dim=1)\n    return (sums / b.clamp(min=1)).mean()\n', 'each column of pixels has a mean of its own here: sum over'),
        ('\ndef binary_edge_attention(logits, target, edges):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = spread(edges == 1).float()\n    b = edge.sum(dim=(1, 2))\n    sums = (cost * edge).sum(dim=(1, 2))\n    return (sums / b.clamp(min=1)).mean()\n', '`edges` are as wide as they should be: do not spread them'),
        ('\ndef binary_edge_attention(logits, target, edges):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (binary_edges(target) == 1).float()\n    b = edge.sum(dim=(1, 2))\n    sums = (cost * edge).sum(dim=(1, 2))\n    return (sums / b.clamp(min=1)).mean()\n', 'the edges are given: do not make them anew'),
        ('\ndef binary_edge_attention(logits, target, edges):\n    cost = F.cross_entropy(logits, edges.long(), ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    b = edge.sum(dim=(1, 2))\n    sums = (cost * edge).sum(dim=(1, 2))\n    return (sums / b.clamp(min=1)).mean()\n', 'the cost is of the *parsing*: the target is `target`, not th'),
        ('\ndef binary_edge_attention(logits, target, edges):\n    cost = F.cross_entropy(logits.softmax(1), target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    b = edge.sum(dim=(1, 2))\n    sums = (cost * edge).sum(dim=(1, 2))\n    return (sums / b.clamp(min=1)).mean()\n', 'the costs are `F.cross_entropy` of the logits: one log_softm'),
        ("def binary_edge_attention(logits, target, edges):\n    return balanced(F.cross_entropy(logits, target, ignore_index=255, reduction='none'), edges)\n", "nothing is balanced here: the mean of the edge pixels' costs"),
    ],
    "category-attention": [
        (_CATEGORY.format("(w.sqrt() * sums / c.clamp(min=1)).mean()"), "under a root"),
        (_CATEGORY.format("(w * sums / c.clamp(min=1)).sum(1).max()"), "look at the costs, and at the mean"),
        (_CATEGORY.format("(w * sums / c).nan_to_num().mean()"), "the gradient is NaN"),
        (_CATEGORY.format("(w * sums / c.clamp(min=1))[:, 1:].mean()"), "the background's edges count"),
        (_CATEGORY.format("((w * sums / c.clamp(min=1)).sum(1) / (c > 0).sum(1).clamp(min=1)).mean()"),
         "are left out of the mean"),
        (_edit(_EQ4, "if weights is None else weights", "if not weights else weights"),
         "ask `if weights is None`"),
        (_edit(_EQ4, "(edges == 1).float()",
               "((edges == 1) & (target[:, None] == torch.arange(4)[:, None, None])).float()"),
         "both sides of an edge"),
        (_CATEGORY.format("(w * sums).sum() / c.sum()"), "each class has its own c_ij"),
        (_CATEGORY.format("(w * sums / c.sum(1, keepdim=True)).mean()"), "each class has its own c_ij"),
        (
            _edit(_CATEGORY.format("(cost[:, None] * edge * target[:, None]).sum() / c.sum()"), "    w =", "    v ="),
            "integer label map is the weight",
        ),
        (
            _edit(_EQ4, "(cost[:, None] * edge)", "(cost[:, None] * target[:, None] * edge)"),
            "integer label map is the weight",
        ),
        (_CATEGORY.format("(w * sums / c).mean()"), "makes 0 / 0"),
        (_CATEGORY.format("(cost * (edges == 1).any(1) * target).sum() / edge.sum()"), "integer label map is the weight"),
        (_CATEGORY.format("cost[(edges == 1).any(1)].mean()"), "a mean of its own"),
        (_CATEGORY.format("(w * sums.sum(0) / c.sum(0))[c.sum(0) > 0].mean()"), "counted over the batch"),
        (_CATEGORY.format("(w * sums / c)[c > 0].mean()"), "classes without an edge are left out"),
        (_CATEGORY.format("(w * sums / c.clamp(min=1)).sum(1).mean()"), "1/C is missing"),
        (_CATEGORY.format("(w * sums / c.clamp(min=1)).sum(0).mean()"), "1/N is missing"),
        (_CATEGORY.format("(w * sums / c.clamp(min=1)).sum()"), "1/(NC) is missing"),
        (_CATEGORY.format("w * sums / c.clamp(min=1)"), "take the mean"),
        (_CATEGORY.format("(sums / c.clamp(min=1)).mean()"), "the weights have no effect"),
        (_CATEGORY.format("(w * sums / c.clamp(min=1)).sum() / w.sum() / len(c)"), "divides by C"),
        (_CATEGORY.format("(w * sums).mean()"), "divided by c_ij"),
        (_edit(_EQ4, "(edges == 1).float()", "edges.float()"), "255 is no weight"),
        (_edit(_EQ4, "(edges == 1).float()", "(edges > 0).float()"), "255 is no weight"),
        (_edit(_EQ4, "cost[:, None]", "cost"), "lies over all edges"),
        (_edit(_EQ4, ", ignore_index=255", ""), "255 is no class"),
        (_edit(_EQ4, "    edge = ", "    cost = cost.detach()\n    edge = "), "no gradient"),
        (_CATEGORY.format("float((w * sums / c.clamp(min=1)).mean())"), "is a float, expected: a tensor"),
        (_CATEGORY.format("(w * sums / c.clamp(min=1)).mean() if c.any() else torch.zeros(())"), "come out of the logits"),
        (_edit(_EQ4, "weights is None else weights", "weights is None else weights.mul_(2)"), "changes its argument `weights`"),
        (_edit(_EQ4, "torch.ones(logits.shape[1]) if weights is None else weights", "weights"),
         "w_j can be None"),
        (_edit(_EQ4, "    return ", "    loss = "), "`return`"),
        ('\ndef category_edge_attention(logits, target, edges, weights=None):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    c = edge.sum(dim=(2, 3))\n    sums = (cost[:, None] * edge).sum(dim=(2, 3))\n    w = torch.ones(logits.shape[1]) if weights is None else weights\n    return (w * sums / (c + 1)).mean()\n', 'divide by c_ij, not by c_ij + 1: `clamp_min(1)` changes 0 al'),
        ('\ndef category_edge_attention(logits, target, edges, weights=None):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    c = edge.sum(dim=(2, 3))\n    sums = (cost[:, None] * edge).sum(dim=(2, 3))\n    w = torch.ones(logits.shape[1]) if weights is None else weights\n    return (sums / c.clamp(min=1) / w).mean()\n', 'multiply by w_j: you divide'),
        ('\ndef category_edge_attention(logits, target, edges, weights=None):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    c = edge.sum(dim=(2, 3))\n    sums = (cost[:, None] * edge).sum(dim=(2, 3))\n    w = torch.ones(logits.shape[1]) if weights is None else weights\n    return (w * sums / (w * c).clamp(min=1)).mean()\n', 'w_j stands above alone: c_ij is a plain number of pixels'),
        ('\ndef category_edge_attention(logits, target, edges, weights=None):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    c = edge.sum(dim=(2, 3))\n    sums = (cost[:, None] * edge).sum(dim=(2, 3))\n    w = torch.ones(logits.shape[1]) if weights is None else weights\n    return (w ** 2 * sums / c.clamp(min=1)).mean()\n', 'w_j counts once: you multiply by it twice'),
        ('\ndef category_edge_attention(logits, target, edges, weights=None):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    c = edge.sum(dim=(2, 3))\n    sums = (cost[:, None] * edge).sum(dim=(2, 3))\n    w = torch.ones(logits.shape[1]) if weights is None else weights\n    return (w + sums / c.clamp(min=1)).mean()\n', 'multiply by w_j: you add it'),
        ('\ndef category_edge_attention(logits, target, edges, weights=None):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    c = edge.sum(dim=(2, 3))\n    sums = (cost[:, None] * edge).sum(dim=(2, 3))\n    w = torch.ones(logits.shape[1]) if weights is None else weights\n    return (w * sums / cost[0].numel()).mean()\n', 'divide by c_ij, the number of edge pixels, not by all pixels'),
        ('\ndef category_edge_attention(logits, target, edges, weights=None):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    c = edge.sum(dim=(2, 3))\n    sums = (cost[:, None] * edge).sum(dim=(2, 3))\n    w = torch.ones(logits.shape[1]) if weights is None else weights\n    return (w * sums / c.clamp(min=1)).amax(1).mean()\n', 'the mean over the classes, not the largest'),
        ('\ndef category_edge_attention(logits, target, edges, weights=None):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    c = edge.sum(dim=(2, 3))\n    sums = (cost[:, None] * edge).sum(dim=(2, 3))\n    w = torch.ones(logits.shape[1]) if weights is None else weights\n    return (w * sums / c.clamp(min=1)).sum() / w.numel() ** 2\n', 'the mean over images and classes is taken already: nothing m'),
        ('\ndef category_edge_attention(logits, target, edges, weights=None):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    c = edge.sum(dim=(2, 3))\n    sums = (cost[:, None] * edge).sum(dim=(2, 3))\n    w = torch.ones(logits.shape[1]) if weights is None else weights\n    return (w * sums / c.clamp(min=1)).mean() + cost.mean()\n', 'Eq. 4 alone is asked for: the plain cross-entropy is added l'),
        ('\ndef category_edge_attention(logits, target, edges, weights=None):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    c = edge.sum(dim=(2, 3))\n    sums = (cost[:, None] * edge).sum(dim=(2, 3))\n    w = torch.ones(logits.shape[1]) if weights is None else weights\n    return (w.softmax(0) * sums / c.clamp(min=1)).mean()\n', 'the weights are used as they are: their sum need not be 1'),
        ('\ndef category_edge_attention(logits, target, edges, weights=None):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    c = edge.sum(dim=(2, 3))\n    sums = (-logits.log_softmax(1) * edge).sum(dim=(2, 3))\n    w = torch.ones(logits.shape[1]) if weights is None else weights\n    return (w * sums / c.clamp(min=1)).mean()\n', "the cost is that of the pixel's true class, for every map: `"),
        ('\ndef category_edge_attention(logits, target, edges, weights=None):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges != 1).float()\n    c = edge.sum(dim=(2, 3))\n    sums = (cost[:, None] * edge).sum(dim=(2, 3))\n    w = torch.ones(logits.shape[1]) if weights is None else weights\n    return (w * sums / c.clamp(min=1)).mean()\n', 'these are the pixels off the edge: `edges == 1` are on it'),
        ('\ndef category_edge_attention(logits, target, edges, weights=None):\n    cost = F.cross_entropy(logits.softmax(1), target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    c = edge.sum(dim=(2, 3))\n    sums = (cost[:, None] * edge).sum(dim=(2, 3))\n    w = torch.ones(logits.shape[1]) if weights is None else weights\n    return (w * sums / c.clamp(min=1)).mean()\n', 'the costs are `F.cross_entropy` of the logits: one log_softm'),
        ('\ndef category_edge_attention(logits, target, edges, weights=None):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none", weight=weights)\n    edge = (edges == 1).float()\n    c = edge.sum(dim=(2, 3))\n    sums = (cost[:, None] * edge).sum(dim=(2, 3))\n    w = torch.ones(logits.shape[1]) if weights is None else weights\n    return (w * sums / c.clamp(min=1)).mean()\n', "w_j belongs to the edge's class j, not to the pixel's own: n"),
        ('\ndef category_edge_attention(logits, target, edges, weights=None):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="mean")\n    edge = (edges == 1).float()\n    c = edge.sum(dim=(2, 3))\n    sums = (cost[:, None] * edge).sum(dim=(2, 3))\n    w = torch.ones(logits.shape[1]) if weights is None else weights\n    return (w * sums / c.clamp(min=1)).mean()\n', 'one cost for all pixels together: `reduction="none"` keeps t'),
        ('\ndef category_edge_attention(logits, target, edges, weights=None):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")\n    edge = (edges == 1).float()\n    c = edge.sum(dim=(2, 3))\n    sums = (cost[:, None] * edge).sum(dim=(2, 3))\n    w = torch.arange(logits.shape[1])\n    return (w * sums / c.clamp(min=1)).mean()\n', 'without weights each w_j is 1: an id is a name, not a number'),
    ],
    "decouple": [
        (_edit(_DECOUPLE, "    small.load", "    return small.load"), "the keys that did not fit"),
        ("""
def decouple(network):
    with torch.device("meta"):
        small = type(network)(replace(network.config, edge_heads="none"))
    network.load_state_dict(small.state_dict(), strict=False, assign=True)
    return small
""", "changes its argument `network`"),
        (_edit(_DECOUPLE, "small.train(network.training)", "small.training = network.training"), "sets them all"),
        (_edit(_DECOUPLE, ", assign=True", ""), "stayed on the meta device"),
        ("""
def decouple(network):
    small = type(network)(replace(network.config, edge_heads="none"))
    for name, part in network.named_children():
        if name != "edge_heads":
            setattr(small, name, part)
    return small.train(network.training)
""", "both networks hold the same modules"),
        (
            """
def decouple(network):
    network.edge_heads = None
    return network.eval()
""",
            "changes its argument `network`",
        ),
        (
            """
def decouple(network):
    network.config.edge_heads = "none"
    return type(network)(network.config)
""",
            "the configuration is frozen",
        ),
        (
            """
def decouple(network):
    return type(network)(replace(network.config, edge_heads="none")).train(network.training)
""",
            "were all weights",
        ),
        (
            """
def decouple(network):
    small = type(network)(replace(network.config, edge_heads="none"))
    small.load_state_dict(network.state_dict())
    return small.eval()
""",
            "none of the edge heads",
        ),
        (
            """
def decouple(network):
    small = type(network)(replace(network.config, edge_heads="none"))
    small.load_state_dict(network.state_dict(), strict=False)
    return small.train(network.training)
""",
            "nothing to copy",
        ),
        (_edit(_DECOUPLE, "    small.train(network.training)\n", ""), "small.train(network.training)"),
        (_edit(_DECOUPLE, "small.train(network.training)", "network.eval()\n    small.eval()"), "in another mode now"),
        (_edit(_DECOUPLE, 'edge_heads="none"', 'edge_heads="binary"'), ""),
        (
            _edit(_DECOUPLE, "    small.load_state_dict(wanted, assign=True)\n",
                  "    small = small.to_empty(device=\"cpu\")\n    small.load_state_dict(wanted)\n"),
            "nothing to copy",
        ),
        (
            _edit(_DECOUPLE, "for key in small.state_dict()}", "for key, _ in small.named_parameters()}"),
            "all the keys that it wants",
        ),
        (_edit(_DECOUPLE, "small.train(network.training)", "small.train(network.training).requires_grad_(False)"), "have lost `requires_grad`"),
        (_edit(_DECOUPLE, "    return small\n", "    small\n"), "`return`"),
        (_edit(_DECOUPLE, "    return small\n", "    return small.state_dict()\n"), "these are weights: return the network that"),
        (
            """
def decouple(network):
    import copy
    return copy.deepcopy(network)
""",
            "it still has edge heads",
        ),
        (
            """
def decouple(network):
    import copy
    small = copy.deepcopy(network)
    small.edge_heads = None
    return small
""",
            "it still has edge heads",
        ),
        (
            """
def decouple(network):
    small = create_model("dml_csr", network.config.num_classes, edge_heads="none")
    small.load_state_dict(network.state_dict(), strict=False, assign=True)
    return small.train(network.training)
""",
            "it has other sizes",
        ),
        ('\ndef decouple(network):\n    config = replace(network.config, edge_heads=None)\n    with torch.device("meta"):\n        small = type(network)(config)\n    state = network.state_dict()\n    wanted = {key: state[key] for key in small.state_dict()}\n    small.load_state_dict(wanted, assign=True)\n    small.train(network.training)\n    return small\n', 'without edge heads the field says "none", a word'),
        ('\ndef decouple(network):\n    config = replace(network.config, edges="none")\n    with torch.device("meta"):\n        small = type(network)(config)\n    state = network.state_dict()\n    wanted = {key: state[key] for key in small.state_dict()}\n    small.load_state_dict(wanted, assign=True)\n    small.train(network.training)\n    return small\n', 'a configuration makes a network: `type(network)(replace(netw'),
        ('\ndef decouple(network):\n    config = replace(network.config, edge_heads="none")\n    with torch.device("meta"):\n        small = type(network)(config)\n    state = network.state_dict()\n    wanted = {key: state[key] for key in small.state_dict}\n    small.load_state_dict(wanted, assign=True)\n    small.train(network.training)\n    return small\n', '`state_dict()` is a function: call it'),
        ('\ndef decouple(network):\n    config = replace(network.config, edge_heads="none")\n    with torch.device("meta"):\n        small = type(network)(config)\n    state = dict(network.named_parameters())\n    wanted = {key: state[key] for key in small.state_dict()}\n    small.load_state_dict(wanted, assign=True)\n    small.train(network.training)\n    return small\n', 'running statistics are no parameters: take all of `network.s'),
        ('\ndef decouple(network):\n    config = replace(network.config, edge_heads="none")\n    with torch.device("meta"):\n        small = type(network)(config)\n    state = network.state_dict()\n    wanted = {key: state[key] for key in small.state_dict()}\n    small.load_state_dict(wanted, assign=True)\n    small.train(network.training)\n    return network\n', 'the training network was changed: make a new one'),
        ('\ndef decouple(network):\n    config = replace(network.config, edge_heads="none")\n    with torch.device("meta"):\n        small = type(network)(config)\n    state = network.state_dict()\n    wanted = {key: state[key].half() for key in small.state_dict()}\n    small.load_state_dict(wanted, assign=True)\n    small.train(network.training)\n    return small\n', 'its weights are of another type: hand the tensors on as they'),
        ('def decouple(network):\n    return nn.Sequential(network.encoder, network.context, network.head)\n', 'build the network from its class and configuration, not from'),
    ],
}  # fmt: skip

RIGHT = {
    "edge-labels": [
        _EDGES,
        """
def category_edges(target, num_classes, sides="both", width=1):
    known = target != 255
    maps = torch.zeros(len(target), num_classes, *target.shape[1:], dtype=torch.uint8)
    for c in range(num_classes):
        own = target == c
        other = known & (target != c)
        edge = spread(other, width) & (own if sides == "inner" else spread(own, width))
        maps[:, c][edge] = 1
        maps[:, c][~known] = 255
    return maps


def binary_edges(target, sides="both", width=1):
    edges = category_edges(target, NUM, sides, width)
    union = (edges[:, 1:] == 1).any(1).to(torch.uint8)
    union[target == 255] = 255
    return union
""",
        """
category_edges, binary_edges = losses.category_edges, losses.binary_edges
""",
        "def category_edges(target, num_classes, sides='both', width=1):\n    out = []\n    known = target < 255\n    for c in range(num_classes):\n        own = target.eq(c)\n        other = known.logical_and(own.logical_not())\n        near = own if sides == 'inner' else spread(own, width)\n        e = torch.logical_and(near, spread(other, width)).byte()\n        e[~known] = 255\n        out.append(e)\n    return torch.stack(out, 1)\n\ndef binary_edges(target, sides='both', width=1):\n    e = category_edges(target, NUM, sides, width)[:, 1:]\n    return e.max(1).values\n",
    ],
    "edge-heads": [
        _HEADS,
        """
class EdgeHeads(nn.Module):
    def __init__(self, channels, num_classes, width=256):
        super().__init__()
        a, b, c = channels
        self.reduce = nn.ModuleList([conv_abn(a, width), conv_abn(b, width), conv_abn(c, width)])
        self.shared = nn.Conv2d(width, num_classes, kernel_size=3, padding="same")
        self.category = nn.Conv2d(num_classes * 3, num_classes, kernel_size=1)
        self.binary = nn.Conv2d(num_classes * 3, 2, kernel_size=1)

    def forward(self, c2, c3, c4):
        one = self.shared(self.reduce[0](c2))
        up = nn.Upsample(size=one.shape[2:], mode="bilinear")
        two = up(self.shared(self.reduce[1](c3)))
        three = up(self.shared(self.reduce[2](c4)))
        every = torch.cat((one, two, three), 1)
        return [self.binary(every), self.category(every)]
""",
        """
from functools import partial
from coursekit.models import edge_heads
EdgeHeads = partial(edge_heads.EdgeHeads, layer=conv_abn)
""",
        "class EdgeHeads(nn.Module):\n    def __init__(self, channels, num_classes, width=256):\n        super().__init__()\n        self.binary = nn.Conv2d(len(channels) * num_classes, 2, 1)\n        self.reduce = nn.ModuleList()\n        for c in channels:\n            self.reduce.append(conv_abn(c, width))\n        self.category = nn.Conv2d(len(channels) * num_classes, num_classes, 1)\n        self.shared = nn.Conv2d(width, num_classes, 3, 1, 1)\n    def forward(self, *features):\n        up = lambda i: F.interpolate(self.shared(self.reduce[i](features[i])), features[0].shape[2:], mode='bilinear', align_corners=False)\n        x = torch.hstack([up(i) for i in range(3)])\n        return self.binary(x), self.category(x)\n",
    ],
    "balanced-loss": [
        _BALANCED,
        _edit(_BALANCED, "(edges == 1).float()", "edges.float()"),
        """
def binary_edge_loss(logits, edges):
    n1, n0 = (edges == 1).sum(), (edges == 0).sum()
    weight = torch.stack([n1, n0]) / (n0 + n1).clamp(min=1)
    if n1 == 0 or n0 == 0:
        return 0 * logits.sum()
    return F.cross_entropy(logits, edges.long(), weight, ignore_index=255)


def category_edge_loss(logits, edges):
    on, off = edges == 1, edges == 0
    if not on.any() or not off.any():
        return 0 * logits.sum()
    return (F.softplus(-logits[on]).mean() + F.softplus(logits[off]).mean()) / 2
""",
        """
binary_edge_loss, category_edge_loss = losses.binary_edge_loss, losses.category_edge_loss
""",
        "def balanced(cost, edges):\n    on, off = edges == 1, edges == 0\n    both = on.any() & off.any()\n    a = (cost * on).sum() / on.sum().clamp_min(1)\n    b = (cost * off).sum() / off.sum().clamp_min(1)\n    return (a + b) / 2 * both\n\ndef binary_edge_loss(logits, edges):\n    return balanced(-logits.log_softmax(1).gather(1, (edges == 1).long()[:, None])[:, 0], edges)\n\ndef category_edge_loss(logits, edges):\n    sign = torch.where(edges == 1, -1.0, 1.0)\n    return balanced(F.softplus(sign * logits), edges)\n",
    ],
    "binary-attention": [
        _EQ3,
        """
def binary_edge_attention(logits, target, edges):
    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")
    total = 0 * logits.sum()
    for image, edge in zip(cost, edges == 1):
        if edge.any():
            total = total + image[edge].mean()
    return total / len(logits)
""",
        "binary_edge_attention = losses.binary_edge_attention\n",
        "def binary_edge_attention(logits, target, edges):\n    t = torch.where(edges == 1, target, 255)\n    total = F.cross_entropy(logits, t, ignore_index=255, reduction='none').flatten(1).sum(1)\n    return (total / (edges == 1).flatten(1).sum(1).clamp(1)).sum() / logits.size(0)\n",
    ],
    "category-attention": [
        _EQ4,
        """
def category_edge_attention(logits, target, edges, weights=None):
    n, classes = logits.shape[:2]
    cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")
    total = 0 * logits.sum()
    for i in range(n):
        for j in range(classes):
            edge = edges[i, j] == 1
            if edge.any():
                w = 1 if weights is None else weights[j]
                total = total + w * cost[i][edge].mean()
    return total / (n * classes)
""",
        "category_edge_attention = losses.category_edge_attention\n",
        "def category_edge_attention(logits, target, edges, weights=None):\n    cost = F.cross_entropy(logits, target, ignore_index=255, reduction='none')\n    e = (edges == 1).to(cost)\n    share = e / e.sum((2, 3), keepdim=True).clamp(min=1)\n    per = torch.einsum('bhw,bchw->bc', cost, share)\n    return (per if weights is None else per @ torch.diag(weights)).mean()\n",
    ],
    "decouple": [
        _DECOUPLE,
        """
def decouple(network):
    import copy
    small = create_model("dml_csr", network.config.num_classes, edge_heads="none", **{
        name: value for name, value in vars(network.config).items()
        if name not in ("num_classes", "edge_heads")
    })
    small.train(network.training)
    state = {k: v for k, v in network.state_dict().items() if not k.startswith("edge_heads")}
    small.load_state_dict(copy.deepcopy(state), assign=True)
    return small
""",
        """
def decouple(network):
    import copy
    small = copy.copy(network)
    small._modules = dict(network._modules)
    small.config = replace(network.config, edge_heads="none")
    small.edge_heads = None
    return copy.deepcopy(small)
""",
        "def decouple(network):\n    import copy\n    small = copy.deepcopy(network)\n    small.config = replace(network.config, edge_heads='none')\n    small.edge_heads = None\n    return small\n",
    ],
}

# Planted bugs that change nothing that is asked for: line, change, reason.
_ORDER = ("this and the next in the other order", "neither line needs what the other does")
_LABELS = "labels have no gradient"
_SUM = "a sum over dimensions knows no order"
_COUNTS = "counts have no gradient"

EQUIVALENT = {
    "edge-labels": [
        (
            "own = target[:, None] == torch.arange(num_classes, device=target.device)[:, None, None]",
            *_ORDER,
        ),
        (
            "own = target[:, None] == torch.arange(num_classes, device=target.device)[:, None, None]",
            "torch.arange(num_classes, device=target.device)[:, → torch.arange(num_classes)[:,",
            "the checks run on a CPU",
        ),
        ("known = (target != 255)[:, None]  # (B, 1, H, W)", *_ORDER),
        ("return torch.where(known, edge.to(torch.uint8), 255)", "255) → 255).detach()", _LABELS),
        (
            "edges = category_edges(target, NUM, sides=sides, width=width)  # (B, C, H, W)",
            "width=width) → width=width).detach()",
            _LABELS,
        ),
        ("return edges[:, 1:].amax(1)", "1:].amax(1) → 1:].amax(1).detach()", _LABELS),
    ],
    "edge-heads": [
        ("self.reduce = nn.ModuleList(conv_abn(entry, width) for entry in channels)", *_ORDER),
        ("self.shared = nn.Conv2d(width, num_classes, 3, padding=1)", *_ORDER),
        ("self.binary = nn.Conv2d(3 * num_classes, 2, 1)", *_ORDER),
        (
            "for reduce, features in zip(self.reduce, (c2, c3, c4), strict=True):",
            "c4), strict=True): → c4)):",
            "three maps and three layers need no watching",
        ),
        (
            "for reduce, features in zip(self.reduce, (c2, c3, c4), strict=True):",
            "strict=True): → strict=False):",
            "three maps and three layers need no watching",
        ),
        (
            'maps.append(F.interpolate(x, c2.shape[-2:], mode="bilinear"))  # (B, C, h, w)',
            "c2.shape[-2:], → c2.shape[2:],",
            "the same two of four dimensions",
        ),
    ],
    "balanced-loss": [
        ("truth = (edges == 1).to(logits)", "1).to(logits) → 1).to(logits).detach()", _LABELS),
        (
            "known, edge = edges != 255, edges == 1",
            "1) → 0)",
            "the two kinds change places, and each has the other's share again",
        ),
        (
            "share = edge.sum() / known.sum().clamp_min(1)",
            "known.sum().clamp_min(1) → known.sum().clamp_min(2)",
            "of a single pixel nothing is balanced: 0",
        ),
        ("total = weight.sum()", "weight.sum() → weight.sum().detach()", _COUNTS),
        (
            "return (weight * cost).sum() / torch.where(total > 0, total, 1)",
            "0, → 1,",
            "the smallest sum of weights above 0 is 1",
        ),
        (
            "return (weight * cost).sum() / torch.where(total > 0, total, 1)",
            "1) → 2)",
            "0 divided by anything",
        ),
    ],
    "binary-attention": [
        (
            'cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")  # (B, H, W)',
            *_ORDER,
        ),
        ("b = edge.sum((1, 2))  # (B,)", "2)) → 2)).detach()", _COUNTS),
        ("b = edge.sum((1, 2))  # (B,)", "edge.sum((1, 2)) → edge.sum((2, 1))", _SUM),
        (
            "return ((cost * edge).sum((1, 2)) / b.clamp_min(1)).mean()",
            "edge).sum((1, 2)) → edge).sum((2, 1))",
            _SUM,
        ),
    ],
    "category-attention": [
        (
            'cost = F.cross_entropy(logits, target, ignore_index=255, reduction="none")  # (B, H, W)',
            *_ORDER,
        ),
        ("c = edge.sum((2, 3))  # (B, C)", "3)) → 3)).detach()", _COUNTS),
        ("c = edge.sum((2, 3))  # (B, C)", "edge.sum((2, 3)) → edge.sum((3, 2))", _SUM),
        (
            "means = (cost[:, None] * edge).sum((2, 3)) / c.clamp_min(1)  # (B, C)",
            "edge).sum((2, 3)) → edge).sum((3, 2))",
            _SUM,
        ),
    ],
}
