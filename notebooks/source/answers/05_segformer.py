"""What to try on the checks of lesson 05."""

from __future__ import annotations


def _edit(code: str, *pairs: str) -> str:
    """The code with mistakes (or other ways) in it: old, new, old, new, …."""
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert old in code, old
        code = code.replace(old, new)
    return code


_ATTEND = """
def attend(query, key, value):
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
    return scores.softmax(dim=-1) @ value
"""

_BLOCKS = """
def attend_in_blocks(query, key, value, block):
    m = torch.full((*query.shape[:-1], 1), float("-inf"), dtype=query.dtype)
    l, o = torch.zeros_like(m), 0
    for i in range(0, key.shape[-2], block):
        k, v = key[..., i:i + block, :], value[..., i:i + block, :]
        s = query @ k.transpose(-2, -1) / query.shape[-1] ** 0.5
        new = torch.maximum(m, s.max(-1, keepdim=True).values)
        w = torch.exp(s - new)
        l = torch.exp(m - new) * l + w.sum(-1, keepdim=True)
        o = torch.exp(m - new) * o + w @ v
        m = new
    return o / l
"""

_EMBED = """
class OverlapPatchEmbedding(nn.Module):
    def __init__(self, in_channels, dim, kernel, stride):
        super().__init__()
        self.project = nn.Conv2d(in_channels, dim, kernel, stride=stride, padding=kernel // 2)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x):
        x = self.project(x)
        tokens = self.norm(to_tokens(x))
        return tokens, x.shape[-2:]
"""

_FFN = """
class MixFFN(nn.Module):
    def __init__(self, dim, expansion):
        super().__init__()
        self.widen = nn.Linear(dim, expansion * dim)
        self.depthwise = nn.Conv2d(expansion * dim, expansion * dim, 3, padding=1,
                                   groups=expansion * dim)
        self.narrow = nn.Linear(expansion * dim, dim)

    def forward(self, x, size):
        x = self.widen(x)
        x = to_map(x, size)
        x = self.depthwise(x)
        x = to_tokens(x)
        x = F.gelu(x)
        return self.narrow(x)
"""

_BLOCK = """
class Block(nn.Module):
    def __init__(self, dim, heads, expansion):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.ffn = MixFFN(dim, expansion)

    def forward(self, x, size):
        x = x + self.attention(self.norm1(x))
        x = x + self.ffn(self.norm2(x), size)
        return x
"""

_DECODER = """
class Decoder(nn.Module):
    def __init__(self, dims, width, num_classes):
        super().__init__()
        self.unify = nn.ModuleList([conv_bn_relu(dim, width) for dim in dims])
        self.fuse = conv_bn_relu(len(dims) * width, width)
        self.head = nn.Conv2d(width, num_classes, 1)

    def forward(self, features):
        size = features[0].shape[2:]
        parts = []
        for unify, x in zip(self.unify, features):
            x = unify(x)
            parts.append(F.interpolate(x, size=size, mode="bilinear"))
        x = self.fuse(torch.cat(parts, 1))
        return self.head(x)
"""

WRONG = {
    "attention": [
        (_edit(_ATTEND, " / query.shape[-1] ** 0.5", ""), "not divided by the root of d"),
        (_edit(_ATTEND, "** 0.5", ""), "it is its root"),
        (_edit(_ATTEND, "/ query", "* query"), "multiplied by the root"),
        (_edit(_ATTEND, "query.shape[-1]", "key.shape[-2]"), "number of keys"),
        (_edit(_ATTEND, "query.shape[-1]", "query.shape[-2]"), "number of queries"),
        (_edit(_ATTEND, "dim=-1", "dim=-2"), "over the keys"),
        (_edit(_ATTEND, ".softmax(dim=-1)", ""), "no softmax"),
        (_edit(_ATTEND, " / query.shape[-1] ** 0.5", "",
               "softmax(dim=-1)", "softmax(dim=-1) / query.shape[-1] ** 0.5"), "after the softmax"),
        (_edit(_ATTEND, "transpose(-2, -1)", "transpose(0, 1)"), "last two dimensions"),
        (_edit(_ATTEND, "scores.softmax(dim=-1)", "(scores.exp() / scores.exp().sum(-1, True))"),
         "exp overflows"),
        (_edit(_ATTEND, "@ value", "@ value.detach()", "scores.soft", "scores.detach().soft"),
         "no gradient"),
    ],
    "online-softmax": [
        (_edit(_BLOCKS, "w = torch.exp(s - new)", "w = s.softmax(-1)",
               "torch.exp(m - new) * o", "o", "torch.exp(m - new) * l", "l"),
         "do not weigh the same"),
        (_edit(_BLOCKS, "w = torch.exp(s - new)", "w = s.softmax(-1)",
               "torch.exp(m - new) * o", "o", "return o / l", "return o"), "then their sum"),
        (_edit(_BLOCKS, "torch.exp(m - new) *", "1 *"), "old sums were not multiplied"),
        (_edit(_BLOCKS, "torch.exp(m - new) *", "torch.exp(new - m).nan_to_num(posinf=0) *"),
         "not what attend gives"),
        (_edit(_BLOCKS, "torch.exp(m - new) * o + w @ v", "w @ v",
               "torch.exp(m - new) * l + w.sum", "w.sum"), "only the last block"),
        (_edit(_BLOCKS, "    return o / l", "        return o / l"), "inside of the loop"),
        (_edit(_BLOCKS, "key.shape[-2], block", "key.shape[-2] // block * block, block"),
         "shorter block"),
        (_edit(_BLOCKS, " / query.shape[-1] ** 0.5", ""), "root of d"),
        (_edit(_BLOCKS, "s - new", "s", "torch.exp(m - new) *", "1 *"), "subtract the largest"),
        (_edit(_BLOCKS, 'torch.full((*query.shape[:-1], 1), float("-inf"), dtype=query.dtype)',
               "torch.zeros((*query.shape[:-1], 1), dtype=query.dtype)"), "minus infinity"),
        ("""
def attend_in_blocks(query, key, value, block):
    return attend(query, key, value)
""", "hold the scores"),
        ("""
def attend_in_blocks(query, key, value, block):
    s = [query @ k.transpose(-2, -1) / query.shape[-1] ** 0.5 for k in key.split(block, -2)]
    return torch.cat(s, -1).softmax(-1) @ value
""", "hold the scores"),
        (_edit(_BLOCKS, "return o / l", "return (o / l).half()"), "not what attend gives"),
    ],
    "overlapping-patches": [
        (_edit(_EMBED, ", padding=kernel // 2", ""), "nothing is padded"),
        (_edit(_EMBED, "dim, kernel, stride=stride, padding=kernel // 2", "dim, stride, stride"),
         "nothing overlaps"),
        (_edit(_EMBED, "nn.LayerNorm(dim)", "nn.BatchNorm2d(dim)",
               "self.norm(to_tokens(x))", "to_tokens(self.norm(x))"), "batch normalisation"),
        (_edit(_EMBED, "self.norm(to_tokens(x))", "to_tokens(x)"), "not normalised"),
        (_edit(_EMBED, "self.norm(to_tokens(x))", "self.norm(x)"), "channels last"),
        (_edit(_EMBED, "return tokens, x.shape[-2:]", "return tokens"), "give back (tokens, size)"),
        (_edit(_EMBED, "to_tokens(x)", "x.reshape(x.shape[0], -1, x.shape[1])"), "wrong order"),
        (_edit(_EMBED, "x.shape[-2:]", "(x.shape[-1], x.shape[-2])"), "height comes before"),
        (_edit(_EMBED, "x = self.project(x)", "size = x.shape[-2:]\n        x = self.project(x)",
               "return tokens, x.shape[-2:]", "return tokens, size"), "image's size"),
        (_edit(_EMBED, "padding=kernel // 2", "padding=kernel // 2, bias=False"), "with bias"),
        (_edit(_EMBED, "return tokens,", "return tokens.transpose(1, 2),"), "channels come last"),
    ],
    "mix-ffn": [
        (_edit(_FFN, ",\n                                   groups=expansion * dim", ""),
         "one kernel a channel"),
        (_edit(_FFN, "        x = F.gelu(x)\n", ""), "no GELU"),
        (_edit(_FFN, "        x = F.gelu(x)\n", "", "self.widen(x)", "F.gelu(self.widen(x))"),
         "before the convolution"),
        (_edit(_FFN, "self.widen(x)", "F.gelu(self.widen(x))"), "not: widen"),
        (_edit(_FFN, "F.gelu(x)", "F.relu(x)"), "ReLU"),
        (_edit(_FFN, "        x = self.depthwise(x)\n", ""), "never asked"),
        (_edit(_FFN, "self.narrow(x)", "F.gelu(self.narrow(x))"), "at the end"),
        (_edit(_FFN, "x = self.widen(x)", "y = x\n        x = self.widen(x)",
               "self.narrow(x)", "y + self.narrow(x)"), "stands in the block"),
        (_edit(_FFN, "to_map(x, size)", "to_map(x, size[::-1])"), "swapped"),
        (_edit(_FFN, "to_map(x, size)", "x.reshape(len(x), -1, *size)",
               "x = to_tokens(x)", "x = x.reshape(len(x), -1, x.shape[1])"), "wrong order"),
        (_edit(_FFN, "padding=1,", ""), "pad by 1"),
        (_edit(_FFN, "expansion * dim", "4 * dim"), "argument expansion"),
        (_edit(_FFN, "self.widen(x)", "self.widen(x).detach()"), "no gradient"),
        (_edit(_FFN, "F.gelu(x)", 'F.gelu(x, approximate="tanh")'), "not: widen"),
    ],
    "transformer-block": [
        (_edit(_BLOCK, "x + self.attention(self.norm1(x))", "self.norm1(x + self.attention(x))",
               "x + self.ffn(self.norm2(x), size)", "self.norm2(x + self.ffn(x, size))"),
         "post-norm"),
        (_edit(_BLOCK, "x + self.att", "self.att"), "attention's answer replaces"),
        (_edit(_BLOCK, "x + self.ffn", "self.ffn"), "Mix-FFN's answer replaces"),
        (_edit(_BLOCK, "self.norm2(x)", "self.norm1(x)"), "used twice"),
        (_edit(_BLOCK, "self.norm2(x)", "x"), "not normalised"),
        (_edit(_BLOCK, "self.attention(self.norm1(x))", "self.attention(x)"), "not normalised"),
        (_edit(_BLOCK, "x = x + self.attention(self.norm1(x))",
               "x = self.norm1(x)\n        x = x + self.attention(x)",
               "x = x + self.ffn(self.norm2(x), size)",
               "x = self.norm2(x)\n        x = x + self.ffn(x, size)"), "not the two steps"),
        (_edit(_BLOCK, "        x = x + self.ffn(self.norm2(x), size)\n", ""), "never asked"),
        (_edit(_BLOCK, "dim, heads)", "dim, 1)"), "number of heads"),
        (_edit(_BLOCK, "dim, expansion)", "dim, 4)"), "expansion"),
        (_edit(_BLOCK, "self.norm2 = nn.LayerNorm(dim)", "self.norm2 = self.norm1"), "one layer"),
        (_edit(_BLOCK, "x = x + self.att", "y = x + self.att",
               "x = x + self.ffn(self.norm2(x), size)", "x = y + self.ffn(self.norm2(x), size)"),
         "block's input"),
        (_edit(_BLOCK, "x = x + self.att", "y = x + self.att",
               "x = x + self.ffn(self.norm2(x), size)", "x = x + self.ffn(self.norm2(y), size)"),
         "is lost"),
        (_edit(_BLOCK, "x + self.attention(self.norm1(x))", "x + self.ffn(self.norm1(x), size)",
               "x + self.ffn(self.norm2(x), size)", "x + self.attention(self.norm2(x))"),
         "attention comes first"),
        (_edit(_BLOCK, "self.attention(self.norm1(x))", "self.attention(self.norm1(x)).detach()"),
         "no gradient"),
    ],
    "mlp-decoder": [
        (_edit(_DECODER, "nn.ModuleList([conv_bn_relu(dim, width) for dim in dims])",
               "[conv_bn_relu(dim, width) for dim in dims]"), "plain list"),
        (_edit(_DECODER, "torch.cat(parts, 1)", "torch.cat(parts[::-1], 1)"), "last stage stands"),
        (_edit(_DECODER, '"bilinear"', '"nearest"'), "blocks"),
        (_edit(_DECODER, '"bilinear"', '"bilinear", align_corners=True'), "align_corners"),
        (_edit(_DECODER, "len(dims) * width", "width", "torch.cat(parts, 1)", "sum(parts)"),
         "side by side"),
        (_edit(_DECODER, "            x = unify(x)\n", "",
               'F.interpolate(x, size=size, mode="bilinear")',
               'unify(F.interpolate(x, size=size, mode="bilinear"))'), "raised the maps first"),
        (_edit(_DECODER, "self.head(x)", "F.relu(self.head(x))"), "negative scores"),
        (_edit(_DECODER, "self.head(x)", "self.head(x).softmax(1)"), "probabilities"),
        (_edit(_DECODER, "features[0]", "features[-1]"), "last map"),
        (_edit(_DECODER, "torch.cat(parts, 1)", "torch.cat(parts, 2)"), "do not fit"),
        (_edit(_DECODER, "len(dims) * width", "4 * width"), "all stages"),
        (_edit(_DECODER, "num_classes, 1)", "19, 1)"), "num_classes"),
        (_edit(_DECODER, "self.fuse(torch.cat(parts, 1))", "self.fuse(torch.cat(parts, 1).detach())"),
         "no gradient reaches"),
        (_edit(_DECODER, "nn.ModuleList([conv_bn_relu(dim, width) for dim in dims])",
               "nn.ModuleList([nn.Conv2d(dim, width, 1) for dim in dims])"), "conv_bn_relu"),
    ],
}  # fmt: skip

RIGHT = {
    "attention": [
        _ATTEND,
        """
def attend(query, key, value):
    scores = torch.einsum("...nd,...md->...nm", query, key) / query.size(-1) ** 0.5
    scores = scores - scores.amax(dim=-1, keepdim=True)
    weights = scores.exp()
    return torch.matmul(weights / weights.sum(-1, keepdim=True), value)
""",
        """
def attend(query, key, value):
    return F.softmax(query * query.shape[-1] ** -0.5 @ key.mT, -1) @ value
""",
    ],
    "online-softmax": [
        _BLOCKS,
        """
def attend_in_blocks(query, key, value, block):
    m = torch.full_like(query[..., :1], -torch.inf)
    l = torch.zeros_like(m)
    o = query.new_zeros(*query.shape[:-1], value.shape[-1])
    for k, v in zip(key.split(block, dim=-2), value.split(block, dim=-2)):
        s = torch.einsum("...nd,...md->...nm", query, k) / query.shape[-1] ** 0.5
        new = torch.max(m, s.max(dim=-1, keepdim=True)[0])
        l.mul_((m - new).exp())
        o.mul_((m - new).exp())
        w = (s - new).exp()
        l += w.sum(-1, keepdim=True)
        o += w @ v
        m = new
    return o / l
""",
        """
def attend_in_blocks(query, key, value, block):
    out, logs = None, None
    for k, v in zip(key.split(block, dim=-2), value.split(block, dim=-2)):
        s = query @ k.transpose(-1, -2) / query.shape[-1] ** 0.5
        here, own = s.softmax(-1) @ v, s.logsumexp(-1, keepdim=True)
        if out is None:
            out, logs = here, own
            continue
        both = torch.logaddexp(logs, own)
        out = out * (logs - both).exp() + here * (own - both).exp()
        logs = both
    return out
""",
    ],
    "overlapping-patches": [
        _EMBED,
        """
class OverlapPatchEmbedding(nn.Module):
    def __init__(self, in_channels, dim, kernel, stride):
        super().__init__()
        self.norm = nn.LayerNorm([dim])
        self.project = nn.Conv2d(in_channels, dim, kernel, stride, padding=(kernel - 1) // 2)

    def forward(self, x):
        x = self.project(x).permute(0, 2, 3, 1)
        return self.norm(x).flatten(1, 2), [x.shape[1], x.shape[2]]
""",
    ],
    "mix-ffn": [
        _FFN,
        """
class MixFFN(nn.Module):
    def __init__(self, dim, expansion):
        super().__init__()
        wide = dim * expansion
        self.widen = nn.Linear(dim, wide)
        self.depthwise = nn.Conv2d(wide, wide, 3, padding="same", groups=wide)
        self.act = nn.GELU()
        self.narrow = nn.Linear(wide, dim)

    def forward(self, x, size):
        x = self.widen(x).transpose(1, 2).reshape(len(x), -1, *size)
        x = self.act(self.depthwise(x))
        return self.narrow(x.permute(0, 2, 3, 1).flatten(1, 2))
""",
    ],
    "transformer-block": [
        _BLOCK,
        _edit(_BLOCK, "x = x + self.ffn(self.norm2(x), size)\n        return x",
              "skip = x\n        x = self.ffn(self.norm2(x), size)\n        return skip + x"),
    ],
    "mlp-decoder": [
        _DECODER,
        _edit(_DECODER, 'F.interpolate(x, size=size, mode="bilinear")',
              'F.interpolate(x, size, mode="bilinear", align_corners=False)'),
    ],
}  # fmt: skip

_SWAPPED = "this and the next in the other order"
_FREE = "neither line needs what the other does"
_VALUES = "only the values of the forward pass are asked for"

# Planted bugs that change nothing that is asked for: line, change, reason.
EQUIVALENT = {
    "attention": [
        (
            "scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5  # (…, N, M)",
            "key.transpose(-2, -1) → key.transpose(-1, -2)",
            "two dimensions change places, in either order",
        ),
    ],
    "online-softmax": [
        ("scale = query.shape[-1] ** -0.5", _SWAPPED, _FREE),
        (
            "highest = query.new_full((*query.shape[:-1], 1), -torch.inf)  # (…, N, 1)",
            "-torch.inf) → -torch.inf).detach()",
            "a constant has no gradient",
        ),
        (
            "highest = query.new_full((*query.shape[:-1], 1), -torch.inf)  # (…, N, 1)",
            _SWAPPED,
            _FREE,
        ),
        (
            "highest = query.new_full((*query.shape[:-1], 1), -torch.inf)  # (…, N, 1)",
            "query.new_full((*query.shape[:-1], 1), → query.new_full((1,),",
            "one minus infinity is repeated for all queries",
        ),
        (
            "highest = query.new_full((*query.shape[:-1], 1), -torch.inf)  # (…, N, 1)",
            "query.new_full((*query.shape[:-1], → query.new_full((*query.shape[:-0],",
            "one minus infinity is repeated for all queries",
        ),
        (
            "scores = query @ keys.transpose(-2, -1) * scale  # (…, N, block)",
            "keys.transpose(-2, -1) → keys.transpose(-1, -2)",
            "two dimensions change places, in either order",
        ),
        (
            "new = torch.maximum(highest, scores.amax(-1, keepdim=True))",
            "keepdim=True)) → keepdim=True)).detach()",
            _VALUES,
        ),
        (
            "new = torch.maximum(highest, scores.amax(-1, keepdim=True))",
            (
                "torch.maximum(highest, scores.amax(-1, keepdim=True)) → "
                "torch.maximum(scores.amax(-1, keepdim=True), highest)"
            ),
            "the larger of two, in either order",
        ),
        ("total = shrink * total + weights.sum(-1, keepdim=True)", _SWAPPED, _FREE),
        ("mixed = shrink * mixed + weights @ values", _SWAPPED, _FREE),
        ("return mixed / total", "mixed / total → (mixed / total).detach()", _VALUES),
    ],
    "overlapping-patches": [
        (
            "self.project = nn.Conv2d(in_channels, dim, kernel, stride, kernel // 2)",
            _SWAPPED,
            _FREE,
        ),
        (
            "return self.norm(to_tokens(x)), (x.shape[-2], x.shape[-1])",
            "(x.shape[-2], → (x.shape[2],",
            "of four dimensions the third is the last but one",
        ),
    ],
    "mix-ffn": [
        ("self.widen = nn.Linear(dim, hidden)", _SWAPPED, _FREE),
        (
            "self.depthwise = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden)",
            _SWAPPED,
            _FREE,
        ),
    ],
    "transformer-block": [
        ("self.norm1 = nn.LayerNorm(dim)", _SWAPPED, _FREE),
        ("self.attention = Attention(dim, heads)", _SWAPPED, _FREE),
        ("self.norm2 = nn.LayerNorm(dim)", _SWAPPED, _FREE),
    ],
    "mlp-decoder": [
        (
            "self.unify = nn.ModuleList(conv_bn_relu(dim, width) for dim in dims)",
            _SWAPPED,
            _FREE,
        ),
        ("self.fuse = conv_bn_relu(width * len(dims), width)", _SWAPPED, _FREE),
        (
            "size = features[0].shape[-2:]",
            "features[0].shape[-2:] → features[0].shape[2:]",
            "of four dimensions the last two begin at the third",
        ),
        (
            "for unify, x in zip(self.unify, features, strict=True)",
            "features, strict=True)] → features)]",
            "both have one item for each stage",
        ),
        (
            "for unify, x in zip(self.unify, features, strict=True)",
            "strict=True)] → strict=False)]",
            "both have one item for each stage",
        ),
    ],
}
