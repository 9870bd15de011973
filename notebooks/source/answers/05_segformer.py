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
        (_edit(_ATTEND, "query.shape[-1] ** 0.5", "(2 * query.shape[-1]) ** 0.5"), "the scores are 0.707 times"),
        (_edit(_ATTEND, "@ value", "@ F.normalize(value, dim=-1)"), "the weights are right"),
        (_edit(_ATTEND, "@ value", "@ value / value.shape[-2]"), "must sum to 1 over the keys"),
        (_edit(_ATTEND, "softmax(dim=-1)", "softmax(dim=-1).softmax(dim=-1)"), "look at the scores"),
        (_edit(_ATTEND, "scores.softmax(dim=-1)", "(scores / scores.sum(-1, keepdim=True))"), "they need a softmax"),
        (_edit(_ATTEND, "key.transpose(-2, -1)", "key.reshape(*key.shape[:-2], key.shape[-1], key.shape[-2])"), "is not transpose"),
        (_edit(_ATTEND, "scores.softmax", "scores.tril().softmax"), "some keys are left out"),
        (_edit(_ATTEND, "scores.softmax", "scores.masked_fill(~torch.ones_like(scores).tril().bool(), -torch.inf).softmax"), "some keys are left out"),
        (_edit(_ATTEND, "scores.softmax(dim=-1)", "F.one_hot(scores.argmax(-1), scores.shape[-1]).to(value.dtype)"), "one key takes all"),
        (_edit(_ATTEND, "query @ key.transpose(-2, -1)", 'torch.einsum("bhnd,bhmd->bhnm", query, key)'), "count from the back"),
        (_edit(_ATTEND, "    scores", "    b, h, n, d = query.shape\n    scores"), "count from the back"),
        (_edit(_ATTEND, "scores.softmax(dim=-1)", "(scores - scores.max()).exp() / (scores - scores.max()).exp().sum(-1, keepdim=True)"), "large scores"),
        (_edit(_ATTEND, "** 0.5", "** -0.5"), "multiplied by the root"),
        (_edit(_ATTEND, "scores.softmax(dim=-1)", "scores.sigmoid()"), "that is a sigmoid"),
        (_edit(_ATTEND, "scores.softmax(dim=-1) @", "scores.softmax(dim=-1).transpose(-2, -1) @"), "weights @ value"),
        (_edit(_ATTEND, "query @ key.transpose(-2, -1)", "torch.bmm(query, key.transpose(-2, -1))"), "any number of dimensions"),
        (_edit(_ATTEND, ".softmax(dim=-1)", ".log_softmax(dim=-1)"), "logarithms"),
        (_edit(_ATTEND, "query.shape[-1]", "query.shape[1]"), "number of heads"),
        (_edit(_ATTEND, "scores.softmax(dim=-1)", "(scores - scores.max()).exp() / (scores - scores.max()).exp().sum()"), "all weights together"),
        (_edit(_ATTEND, "** 0.5", "** 2"), "d²"),
        (_edit(_ATTEND, "@ value", "@ value, scores"), "as long as a value"),
        (_edit(_ATTEND, " / query.shape[-1] ** 0.5", ""), "not divided by the root of d"),
        (_edit(_ATTEND, "** 0.5", ""), "it is its root"),
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
        (_edit(_ATTEND, "query @", "query.detach() @"), "no gradient reaches the query"),
        (_edit(_ATTEND, "@ key", "@ key.detach()"), "no gradient reaches the key"),
        (_edit(_ATTEND, "query.shape[-1]", "value.shape[-1]"), "not of a value"),
        (_edit(_ATTEND, "query.shape[-1] ** 0.5", "3"), "of another d"),
        (_edit(_ATTEND, "dim=-1", "dim=1"), "over the heads"),
        (_edit(_ATTEND, "dim=-1", "dim=0"), "over the images"),
        (_edit(_ATTEND, ".softmax(dim=-1)", ".exp()"), "divide by their sum"),
        (_edit(_ATTEND, " @ value", ""), "multiply them by the values"),
        (_edit(_ATTEND, ".transpose(-2, -1)", ""), "last two dimensions"),
        (_edit(_ATTEND, "    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5",
               "    query /= query.shape[-1] ** 0.5\n    scores = query @ key.transpose(-2, -1)"),
         "changes its argument `query`"),
        (_edit(_ATTEND, "return", "attended ="), "gives None"),
        (_edit(_ATTEND, "@ value", "@ values"), "nothing is called `values` here"),
        (_edit(_ATTEND, "scores.soft", "scores.float().soft", "@ value", "@ value.float()"),
         "float32, expected: torch.float64"),
        ("""
def attend(query, key, value):
    return F.scaled_dot_product_attention(query, key, value)
""", "write the equation"),
        ("""
from torch.nn.functional import scaled_dot_product_attention as attend_fast
def attend(query, key, value):
    return attend_fast(query, key, value)
""", "write the equation"),
    ],
    "online-softmax": [
        (_edit(_BLOCKS, "torch.maximum", "torch.minimum"), "no minimum"),
        (_edit(_BLOCKS, "w @ v", "w @ k"), "as long as a value"),
        (_edit(_BLOCKS, "range(0, key.shape[-2], block)", "range(0, key.shape[-2] - 1, block)"), "the last key is left out"),
        (_edit(_BLOCKS, "w = torch.exp(s - new)", "w = torch.softmax(s, -1)"), "no softmax of its own"),
        (_edit(_BLOCKS, "query.shape[-1] ** 0.5", "query.shape[-2] ** 0.5"), "already with all keys in one block"),
        (_edit(_BLOCKS, "range(0, key", "range(1, key"), "some keys get no weight"),
        (_edit(_BLOCKS, "query.shape[-1] ** 0.5", "block ** 0.5"), "not of a block"),
        (_edit(_BLOCKS, "query.shape[-1] ** 0.5", "k.shape[-2] ** 0.5"), "not of a block"),
        (_edit(_BLOCKS, "key.shape[-2], block)", "key.shape[-2])"), "count several times"),
        (_edit(_BLOCKS, "w @ v\n", "w @ v\n        o = o / l\n", "return o / l", "return o"), "divided in every round"),
        (_edit(_BLOCKS, "w.sum(-1", "w.mean(-1"), "it is no mean"),
        (_edit(_BLOCKS, "return o / l", "return o / key.shape[-2]"), "not by the number of keys"),
        (_edit(_BLOCKS, "return o / l", "return o * l"), "the weights: divide"),
        (_edit(_BLOCKS, "torch.exp(m - new) * l + w", "l + torch.exp(m - new) * w", "torch.exp(m - new) * o + w @ v", "o + torch.exp(m - new) * (w @ v)"), "not the new block's"),
        (_edit(_BLOCKS, "i:i + block", "i:block"), "it ends at start + block"),
        (_edit(_BLOCKS, "torch.exp(m - new)", "(m - new)"), "left out"),
        (_edit(_BLOCKS, "s.max(-1, keepdim=True).values", "s.max()"), "of each query"),
        (_edit(_BLOCKS, "for i in range(0, key.shape[-2], block):\n", "for k, v in zip(key.split(block), value.split(block)):\n", "        k, v = key[..., i:i + block, :], value[..., i:i + block, :]\n", ""), "cut in dimension -2"),
        (_edit(_BLOCKS, "s.max(-1, keepdim=True).values", "s.amax(-1)"), "keepdim=True"),
        (_edit(_BLOCKS, "key.shape[-2], block", "query.shape[-2], block"), "keys are missing"),
        (_edit(_BLOCKS, "key.shape[-2], block", "key.shape[2], block"), "from the back"),
        (_edit(_BLOCKS, "torch.maximum(m,", "max(m, "), "torch.maximum"),
        (_edit(_BLOCKS, "key[..., i:i + block, :], value[..., i:i + block, :]", "key[..., i:i + block], value[..., i:i + block]"), "start:stop"),
        (_edit(_BLOCKS, "torch.exp(s - new)", "torch.exp(s - m)"), "the old m"),
        (_edit(_BLOCKS, "torch.maximum(m, s.max(-1, keepdim=True).values)", "s.max(-1, keepdim=True).values"), "large scores"),
        (_edit(_BLOCKS, "w = torch.exp(s - new)", "w = s.softmax(-1)",
               "torch.exp(m - new) * o", "o", "torch.exp(m - new) * l", "l"),
         "do not weigh the same"),
        (_edit(_BLOCKS, "w = torch.exp(s - new)", "w = s.softmax(-1)",
               "torch.exp(m - new) * o", "o", "return o / l", "return o"), "then their sum"),
        (_edit(_BLOCKS, "torch.exp(m - new) *", "1 *"), "old sums were not multiplied"),
        (_edit(_BLOCKS, "torch.exp(m - new) *", "torch.exp(new - m).nan_to_num(posinf=0) *"),
         "what a block leaves to the next"),
        (_edit(_BLOCKS, "torch.exp(m - new) *", "torch.exp(new - m) *"), "turned round"),
        (_edit(_BLOCKS, 'float("-inf")', "-1e4"), "from minus infinity on"),
        ("""
def attend_in_blocks(query, key, value, block):
    return torch.cat([attend(q, key, value) for q in query.split(block, -2)], -2)
""", "hold the scores"),
        (_edit(_BLOCKS, "        m = new\n", ""), "set m to m' at the end"),
        (_edit(_BLOCKS, "torch.exp(m - new) * o", "o"), "o needs it, too"),
        (_edit(_BLOCKS, "torch.exp(m - new) * l", "l"), "ℓ needs it, too"),
        (_edit(_BLOCKS, "        w = torch", "        m = new\n        w = torch"),
         "old sums were not multiplied"),
        (_edit(_BLOCKS, "return o / l", "return o"), "o is a sum, not a mean"),
        (_edit(_BLOCKS, "** 0.5", ""), "it is its root"),
        (_edit(_BLOCKS, "    l, o =", "    block = 4\n    l, o ="), "use the argument `block`"),
        (_edit(_BLOCKS, "    m =", "    key /= query.shape[-1] ** 0.5\n    m =",
               " / query.shape[-1] ** 0.5\n        new", "\n        new"),
         "changes its argument `key`"),
        (_edit(_BLOCKS, "m = torch.full", "query = query[..., :, :] if query.ndim > 2 else query[None]"
               "\n    m = torch.full"), "without batch and heads"),
        (_edit(_BLOCKS, "torch.zeros_like(m), 0", "torch.zeros(*m.shape), torch.zeros(*m.shape)",
               "dtype=query.dtype", "dtype=torch.float32",
               "return o / l", "return (o / l).float()"), "float32, expected: torch.float64"),
        (_edit(_BLOCKS, "keepdim=True).values", "keepdim=True)"), "take `.values`, or amax"),
        ("""
def attend_in_blocks(query, key, value, block):
    return F.scaled_dot_product_attention(query, key, value)
""", "block by block yourself"),
        (_edit(_BLOCKS, "torch.exp(m - new) * o + w @ v", "w @ v",
               "torch.exp(m - new) * l + w.sum", "w.sum"), "only the last block"),
        (_edit(_BLOCKS, "    return o / l", "        return o / l"), "after the loop"),
        (_edit(_BLOCKS, "key.shape[-2], block", "key.shape[-2] // block * block, block"),
         "shorter block"),
        (_edit(_BLOCKS, " / query.shape[-1] ** 0.5", ""), "root of d"),
        (_edit(_BLOCKS, "s - new", "s", "torch.exp(m - new) *", "1 *"), "subtract the largest"),
        (_edit(_BLOCKS, 'torch.full((*query.shape[:-1], 1), float("-inf"), dtype=query.dtype)',
               "torch.zeros((*query.shape[:-1], 1), dtype=query.dtype)"), "minus infinity"),
        ("""
def attend_in_blocks(query, key, value, block):
    s = [query @ k.transpose(-2, -1) / query.shape[-1] ** 0.5 for k in key.split(block, -2)]
    return torch.cat(s, -1).softmax(-1) @ value
""", "hold the scores"),
        (_edit(_BLOCKS, "return o / l", "return (o / l).half()"), "float16, expected: torch.float32"),
    ],
    "overlapping-patches": [
        (_edit(_EMBED, "        x = self.project(x)\n", ""), "goes through self.project first"),
        (_edit(_EMBED, "return tokens, x.shape[-2:]", "return tokens, tokens.shape[1:]"), "that is the tokens' shape"),
        (_edit(_EMBED, "padding=kernel // 2", "padding=kernel - stride"), "by half a kernel, 2"),
        (_edit(_EMBED, "nn.LayerNorm(dim)", "nn.LayerNorm(in_channels)"), "over the channels of a token"),
        (_edit(_EMBED, "to_tokens(x))", "to_tokens(x).softmax(-1))"), "up to `norm`"),
        (_edit(_EMBED, "to_tokens(x)", "to_tokens(x.transpose(2, 3))"), "column by column"),
        (_edit(_EMBED, "self.norm(to_tokens(x))", "F.gelu(self.norm(to_tokens(x)))"), "no activation here"),
        (_edit(_EMBED, "self.norm(to_tokens(x))", "self.norm(F.relu(to_tokens(x)))"), "no activation here"),
        (_edit(_EMBED, "self.norm(to_tokens(x))", "F.normalize(to_tokens(x), dim=-1)"), "have length 1"),
        (_edit(_EMBED, "kernel // 2", "kernel // 2 + 1"), "half a kernel, 3"),
        (_edit(_EMBED, "kernel, stride=stride,", "kernel, "), "goes on by `stride`"),
        (_edit(_EMBED, "return tokens, x.shape[-2:]", "return x.shape[-2:], tokens"), "tokens come first"),
        (_edit(_EMBED, "self.norm(to_tokens(x))", "self.norm(self.norm(to_tokens(x)))"), "normalised twice"),
        (_edit(_EMBED, "self.norm(to_tokens(x))", "F.relu(self.norm(to_tokens(x)))"), "a ReLU cuts"),
        (_edit(_EMBED, "padding=kernel // 2", "padding=\"same\""), "half a kernel"),
        (_edit(_EMBED, "self.norm(to_tokens(x))", "to_tokens(x) + self.norm(to_tokens(x))"), "added to normalised"),
        (_edit(_EMBED, ", padding=kernel // 2", ""), "pads by half a kernel"),
        (_edit(_EMBED, "dim, kernel, stride=stride, padding=kernel // 2", "dim, stride, stride"),
         "nothing overlaps"),
        (_edit(_EMBED, "nn.LayerNorm(dim)", "nn.BatchNorm2d(dim)",
               "self.norm(to_tokens(x))", "to_tokens(self.norm(x))"), "batch normalisation"),
        (_edit(_EMBED, "self.norm(to_tokens(x))", "to_tokens(x)"), "not normalised"),
        (_edit(_EMBED, "self.norm(to_tokens(x))", "self.norm(x)"), "channels last"),
        (_edit(_EMBED, "return tokens, x.shape[-2:]", "return tokens"), "expected: 2 things"),
        (_edit(_EMBED, "to_tokens(x)", "x.reshape(x.shape[0], -1, x.shape[1])"), "wrong order"),
        (_edit(_EMBED, "x.shape[-2:]", "(x.shape[-1], x.shape[-2])"), "height comes before"),
        (_edit(_EMBED, "x = self.project(x)", "size = x.shape[-2:]\n        x = self.project(x)",
               "return tokens, x.shape[-2:]", "return tokens, size"), "image's size"),
        (_edit(_EMBED, "padding=kernel // 2", "padding=kernel // 2, bias=False"), "the bias of project is missing"),
        (_edit(_EMBED, "return tokens,", "return tokens.transpose(1, 2),"), "channels come last"),
        (_edit(_EMBED, "kernel // 2", "3"), "by half a kernel, 2"),
        (_edit(_EMBED, "stride=stride", "stride=4"), "goes on by `stride`, 2"),
        (_edit(_EMBED, "dim, kernel, stride=stride, padding=kernel // 2",
               "dim, 7, stride=4, padding=3"), "kernels of 5×5"),
        (_edit(_EMBED, "Conv2d(in_channels", "Conv2d(3"), "5 → 6"),
        (_edit(_EMBED, "kernel // 2)", 'kernel // 2, padding_mode="reflect")'), "pads with zeros"),
        (_edit(_EMBED, "padding=kernel // 2", "padding=2 * (kernel // 2), dilation=2"), "no gaps in its kernel"),
        (_edit(_EMBED, "padding=kernel // 2", "padding=kernel / 2"), "a size is a float"),
        (_edit(_EMBED, "nn.LayerNorm(dim)", "nn.GroupNorm(1, dim)",
               "self.norm(to_tokens(x))", "to_tokens(self.norm(x))"), "GroupNorm, expected: a LayerNorm"),
        (_edit(_EMBED, "nn.LayerNorm(dim)", "nn.LayerNorm(dim, eps=1e-6)"), "eps of the norm"),
        (_edit(_EMBED, "nn.LayerNorm(dim)", "nn.LayerNorm(dim, elementwise_affine=False)"),
         "a LayerNorm(dim)"),
        (_edit(_EMBED, "self.norm(to_tokens(x))", "F.layer_norm(to_tokens(x), (x.shape[1],))"),
         "call self.norm"),
        (_edit(_EMBED, "self.project(x)", "self.project(x.detach())"), "detach nothing"),
        (_edit(_EMBED, "x.shape[-2:]", "x.shape[-2] * x.shape[-1]"), "is an int"),
        (_edit(_EMBED, "x.shape[-2:]", "(x.shape[-2] / 1, x.shape[-1] / 1)"), "expected: an int"),
        (_edit(_EMBED, "x.shape[-2:]", "torch.tensor(x.shape[-2:])"), "expected: a tuple or a list"),
        (_edit(_EMBED, "        super().__init__()\n", ""), "`super().__init__()` is missing"),
        (_edit(_EMBED, "def forward", "def forwards"), "no `forward`"),
        (_edit(_EMBED, "        x = self.project(x)", "        x -= x.mean()\n        x = self.project(x)"),
         "changes its argument `x`"),
    ],
    "mix-ffn": [
        (_edit(_FFN, "self.depthwise(x)", "self.depthwise(F.relu(x))"), "up to `depthwise`"),
        (_edit(_FFN, "padding=1", "padding=1, stride=2"), "depthwise strides"),
        (_edit(_FFN, "return self.narrow(x)", "return self.narrow(x).softmax(-1)"), "what comes after that"),
        (_edit(_FFN, "x = self.depthwise(x)", "x = x + self.depthwise(x)"), "only the whole block has a sum"),
        (_edit(_FFN, "F.gelu", "torch.tanh"), "another activation"),
        (_edit(_FFN, "self.narrow(x)", "self.narrow(F.layer_norm(x, x.shape[-1:]))"), "leave it out here"),
        (_edit(_FFN, "self.widen(x)", "self.widen(F.layer_norm(x, x.shape[-1:]))"), "leave it out here"),
        (_edit(_FFN, "x = to_tokens(x)\n", "x = to_tokens(self.depthwise(x))\n"), "called twice"),
        (_edit(_FFN, "return self.narrow(x)", "return to_map(self.narrow(x), size)"), "not a map"),
        (_edit(_FFN, "x, size)", "x)"), "takes the tokens and the size"),
        (_edit(_FFN, "F.gelu(x)", "x * torch.sigmoid(1.702 * x)"), "an approximation"),
        (_edit(_FFN, "F.gelu", "F.silu"), "SiLU"),
        (_edit(_FFN, "x = F.gelu(x)", "x = F.dropout(F.gelu(x), 0.1)"), "no dropout"),
        (_edit(_FFN, "        x = self.widen(x)\n", ""), "widen first"),
        (_edit(_FFN, "        x = F.gelu(x)\n", "", "self.narrow(x)", "F.gelu(self.narrow(x))"), "before narrow"),
        (_edit(_FFN, "return self.narrow(x)", "return x"), "narrow it"),
        (_edit(_FFN, "F.gelu(x)", "torch.sigmoid(x)"), "sigmoid"),
        (_edit(_FFN, "F.gelu(x)", "F.gelu(F.gelu(x))"), "two GELUs"),
        (_edit(_FFN, ",\n                                   groups=expansion * dim", ""),
         "one kernel a channel"),
        (_edit(_FFN, "        x = F.gelu(x)\n", ""), "no GELU"),
        (_edit(_FFN, "        x = F.gelu(x)\n", "", "self.widen(x)", "F.gelu(self.widen(x))"),
         "before the convolution"),
        (_edit(_FFN, "self.widen(x)", "F.gelu(self.widen(x))"), "one behind it will do"),
        (_edit(_FFN, "F.gelu(x)", "F.relu(x)"), "ReLU"),
        (_edit(_FFN, "        x = self.depthwise(x)\n", ""), "never called"),
        (_edit(_FFN, "self.narrow(x)", "F.gelu(self.narrow(x))"), "at the end"),
        (_edit(_FFN, "x = self.widen(x)", "y = x\n        x = self.widen(x)",
               "self.narrow(x)", "y + self.narrow(x)"), "stands in the block"),
        (_edit(_FFN, "to_map(x, size)", "to_map(x, size[::-1])"), "swapped"),
        (_edit(_FFN, "to_map(x, size)", "x.reshape(len(x), -1, *size)",
               "x = to_tokens(x)", "x = x.reshape(len(x), -1, x.shape[1])"), "wrong order"),
        (_edit(_FFN, "padding=1,", ""), "pad by 1"),
        (_edit(_FFN, "expansion * dim", "4 * dim"), "argument expansion"),
        (_edit(_FFN, "self.widen(x)", "self.widen(x).detach()"), "no gradient"),
        (_edit(_FFN, "F.gelu(x)", 'F.gelu(x, approximate="tanh")'), "approximation"),
        (_edit(_FFN, "padding=1", "padding=2, dilation=2"), "zeros around"),
        (_edit(_FFN, "padding=1", 'padding=1, padding_mode="reflect"'), "zeros around"),
        (_edit(_FFN, "groups=expansion * dim", "groups=dim"), "*wide* channels"),
        (_edit(_FFN, "nn.Linear(expansion * dim, dim)", "nn.Linear(expansion * dim, dim, bias=False)"),
         "biases at their default"),
        (_edit(_FFN, "self.narrow = nn.Linear(expansion * dim, dim)",
               "self.narrow = nn.Conv1d(expansion * dim, dim, 1)"), "Conv1d, expected: a Linear"),
        (_edit(_FFN, "        x = to_tokens(x)\n", ""), "channels last"),
        (_edit(_FFN, "        x = to_map(x, size)\n", ""), "wants a map"),
        (_edit(_FFN, "to_map(x, size)", "to_map(x, (5, 6))"), "argument `size`"),
        (_edit(_FFN, "to_map(x, size)", "to_map(x, (int(x.shape[1] ** 0.5),) * 2)"),
         "use the argument"),
        (_edit(_FFN, "        x = self.widen(x)\n",
               "        x = to_map(x, size)\n        x = self.widen(x)\n"), "channels last"),
        (_edit(_FFN, "self.widen(x)", "self.widen(x.detach())"), "no gradient"),
        (_edit(_FFN, "x = F.gelu(x)", "F.gelu(x)"), "no GELU"),
        (_edit(_FFN, "        x = self.widen(x)", "        x += 1\n        x = self.widen(x)"),
         "changes its argument `x`"),
        (_edit(_FFN, "return self.narrow(x)", "self.narrow(x)"), "gives None"),
        (_edit(_FFN, "        x = F.gelu(x)\n", "        x = F.gelu(x) + wide\n",
               "x = self.widen(x)", "x = wide = self.widen(x)"), "only the whole block has a sum"),
    ],
    "transformer-block": [
        (_edit(_BLOCK, "x + self.attention(self.norm1(x))", "(x + self.attention(self.norm1(x))) / 2"), "up to `norm2`"),
        (_edit(_BLOCK, "self.norm2(x), size)", "self.norm2(x), size[::-1])"), "up to `ffn`"),
        (_edit(_BLOCK, "return x", "return self.norm1(x)"), "`norm1` is called 2 times"),
        (_edit(_BLOCK, "self.norm1(x))", "self.norm1(x), size)"), "takes the tokens alone"),
        (_edit(_BLOCK, "self.norm2(x), size", "size, self.norm2(x)"), "tokens come first"),
        (_edit(_BLOCK, "self.ffn(self.norm2(x), size)", "self.norm2(self.ffn(x, size))"), "Mix-FFN's answer is normalised"),
        (_edit(_BLOCK, "self.attention(self.norm1(x))", "self.norm1(self.attention(x))"), "attention's answer is normalised"),
        (_edit(_BLOCK, "x + self.attention(self.norm1(x))", "self.norm1(x + self.attention(x))"), "first sum is normalised"),
        (_edit(_BLOCK, "x + self.ffn(self.norm2(x), size)", "self.norm2(x + self.ffn(x, size))"), "second sum is normalised"),
        (_edit(_BLOCK, "x = x + self.attention", "x = 2 * x + self.attention"), "count twice"),
        (_edit(_BLOCK, "x + self.attention", "x * self.attention"), "is multiplied"),
        (_edit(_BLOCK, "self.ffn(self.norm2(x), size)", "F.gelu(self.ffn(self.norm2(x), size))"), "it has its own"),
        (_edit(_BLOCK, "self.attention(self.norm1(x))", "F.dropout(self.attention(self.norm1(x)), 0.1)"), "no dropout"),
        (_edit(_BLOCK, "return x", "return to_map(x, size)"), "give tokens back"),
        (_edit(_BLOCK, "x + self.ffn(self.norm2(x), size)", "torch.cat([x, self.ffn(self.norm2(x), size)], -1)"), "give tokens back"),
        (_edit(_BLOCK, "self.attention(self.norm1(x))", "self.norm1(self.attention(x))", "self.ffn(self.norm2(x), size)", "self.norm2(self.ffn(x, size))"), "the answers are normalised"),
        (_edit(_BLOCK, "x, size):", "x):"), "the tokens and the size"),
        (_edit(_BLOCK, "x + self.attention", "x - self.attention"), "subtracted"),
        (_edit(_BLOCK, "return x", "return F.layer_norm(x, x.shape[-1:])"), "at the end"),
        (_edit(_BLOCK, "self.ffn(self.norm2(x), size)", "self.attention(self.norm2(x))"), "attention comes twice"),
        (_edit(_BLOCK, "MixFFN(dim, expansion)", "MixFFN(expansion, dim)"), "dim first"),
        (_edit(_BLOCK, "x = x + self.ffn(self.norm2(x), size)", "x = self.norm2(x)\n        x = x + self.ffn(x, size)"), "not to normalised ones"),
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
               "x = self.norm2(x)\n        x = x + self.ffn(x, size)"), "not to normalised ones"),
        (_edit(_BLOCK, "        x = x + self.ffn(self.norm2(x), size)\n", ""), "never called"),
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
         "no gradient reaches norm1.weight"),
        (_edit(_BLOCK, "return x", "return x, size"), "a tuple of 2, expected: a tensor"),
        (_edit(_BLOCK, "self.norm1(", "self.other(", "self.norm2(", "self.norm1(",
               "self.other(", "self.norm2("), "changed places"),
        (_edit(_BLOCK, "        x = x + self.attention", "        x += self.attention"),
         "changes its argument `x`"),
        (_edit(_BLOCK, "x + self.attention(self.norm1(x))", "self.attention(self.norm1(x))",
               "x + self.ffn(self.norm2(x), size)", "self.ffn(self.norm2(x), size)"),
         "nothing is added"),
        (_edit(_BLOCK, "self.attention(self.norm1(x))", "self.attention(x)",
               "self.ffn(self.norm2(x), size)", "self.ffn(x, size)"), "nothing is normalised"),
        (_edit(_BLOCK, "        x = x + self.attention(self.norm1(x))\n", ""),
         "attention is never called"),
        (_edit(_BLOCK, "x + self.attention(self.norm1(x))",
               "x.detach() + self.attention(self.norm1(x))"), "another gradient"),
        (_edit(_BLOCK, "self.norm2(x), size)", "self.norm2(x))"), "wants the size, too"),
        (_edit(_BLOCK, "nn.LayerNorm(dim)", "nn.BatchNorm1d(dim)"), "expected: a LayerNorm"),
        (_edit(_BLOCK, "Attention(dim, heads)", "nn.MultiheadAttention(dim, heads)"),
         "expected: an Attention"),
        (_edit(_BLOCK, "dim, expansion)", "dim, 3)"), "the expansion"),
        (_edit(_BLOCK, "LayerNorm(dim)", "LayerNorm(8)"), "two LayerNorm(dim)"),
        (_edit(_BLOCK, "LayerNorm(dim)", "LayerNorm(dim, 1e-6)"), "eps of the norms"),
        (_edit(_BLOCK, "LayerNorm(dim)", "LayerNorm(dim, bias=False)"), "two LayerNorm(dim)"),
    ],
    "mlp-decoder": [
        (_edit(_DECODER, "conv_bn_relu(dim, width)", "conv_bn_relu(dims, width)"), "where one number is due"),
        (_edit(_DECODER, "return self.head(x)", "return self.head(x).argmax(1)"), "leave the arg-max out"),
        (_edit(_DECODER, "return self.head(x)", "return self.head(x + parts[0])"), "up to `head`"),
        (_edit(_DECODER, "torch.cat(parts, 1)", "torch.stack(parts, 2).flatten(1, 2)"), "up to `fuse`"),
        (_edit(_DECODER, "self.head(x)", "self.head(x).sigmoid()"), "probabilities"),
        (_edit(_DECODER, "return self.head(x)", "return F.interpolate(self.head(x), scale_factor=4, mode=\"bilinear\")"), "enlarged four times"),
        (_edit(_DECODER, "self.head(x)", "self.head(F.dropout(x, 0.1, self.training))"), "no dropout"),
        (_edit(_DECODER, "\"bilinear\"", "\"area\""), "mode area"),
        (_edit(_DECODER, "torch.cat(parts, 1)", "torch.stack(parts, 1)"), "torch.cat"),
        (_edit(_DECODER, "features[0].shape[2:]", "features[0].shape[2:][::-1]"), "changed places"),
        (_edit(_DECODER, "nn.ModuleList([conv_bn_relu(dim, width) for dim in dims])",
               "[conv_bn_relu(dim, width) for dim in dims]"), "plain list"),
        (_edit(_DECODER, "torch.cat(parts, 1)", "torch.cat(parts[::-1], 1)"), "last stage stands"),
        (_edit(_DECODER, '"bilinear"', '"nearest"'), "blocks"),
        (_edit(_DECODER, '"bilinear"', '"bilinear", align_corners=True'), "align_corners"),
        (_edit(_DECODER, "len(dims) * width", "width", "torch.cat(parts, 1)", "sum(parts)"),
         "side by side"),
        (_edit(_DECODER, "            x = unify(x)\n", "",
               'F.interpolate(x, size=size, mode="bilinear")',
               'unify(F.interpolate(x, size=size, mode="bilinear"))'), "upsampled the maps first"),
        (_edit(_DECODER, "self.head(x)", "F.relu(self.head(x))"), "negative scores"),
        (_edit(_DECODER, "features[0]", "features[-1]"), "last map"),
        (_edit(_DECODER, "torch.cat(parts, 1)", "torch.cat(parts, 2)"), "side by side in dimension 1"),
        (_edit(_DECODER, "len(dims) * width", "4 * width"), "all stages"),
        (_edit(_DECODER, "num_classes, 1)", "19, 1)"), "num_classes"),
        (_edit(_DECODER, "self.fuse(torch.cat(parts, 1))", "self.fuse(torch.cat(parts, 1).detach())"),
         "no gradient reaches"),
        (_edit(_DECODER, "nn.ModuleList([conv_bn_relu(dim, width) for dim in dims])",
               "nn.ModuleList([nn.Conv2d(dim, width, 1) for dim in dims])"), "is a conv_bn_relu"),
        (_edit(_DECODER, "conv_bn_relu(dim, width) for",
               "nn.Sequential(nn.Conv2d(dim, width, 1), nn.BatchNorm2d(width)) for"),
         "it ends in a ReLU"),
        (_edit(_DECODER, "conv_bn_relu(dim, width) for",
               "nn.Sequential(nn.Conv2d(dim, width, 1), nn.BatchNorm2d(width), nn.GELU()) for"),
         "it ends in a ReLU"),
        (_edit(_DECODER, "conv_bn_relu(dim, width) for",
               "nn.Sequential(nn.Conv2d(dim, width, 1), nn.ReLU(), nn.BatchNorm2d(width)) for"),
         "is a conv_bn_relu"),
        (_edit(_DECODER, "self.fuse = conv_bn_relu(len(dims) * width, width)",
               "self.fuse = nn.Conv2d(len(dims) * width, width, 1)"), "fuse is a conv_bn_relu"),
        (_edit(_DECODER, "num_classes, 1)", "num_classes, 3, padding=1)"), "1×1 convolution with bias"),
        (_edit(_DECODER, "num_classes, 1)", "num_classes, 1, bias=False)"), "with bias"),
        (_edit(_DECODER, "nn.ModuleList([conv_bn_relu(dim, width) for dim in dims])",
               "nn.Conv2d(dims[0], width, 1)"), "a module for each stage"),
        (_edit(_DECODER, "conv_bn_relu(dim, width) for dim in dims",
               "conv_bn_relu(dims[0], width) for _ in dims"), "unify[1] is a conv_bn_relu, 6 → 5"),
        (_edit(_DECODER, "zip(self.unify, features)", "zip(self.unify, features[::-1])"),
         "unify[n] takes map number n"),
        (_edit(_DECODER, '"bilinear"', '"bicubic"'), "that is bicubic"),
        (_edit(_DECODER, "F.interpolate(x, size=size,",
               "F.interpolate(x, scale_factor=size[0] // x.shape[2],"), "upsample each to the size"),
        (_edit(_DECODER, "        size =", "        features.reverse()\n        size ="),
         "unify[n] takes map number n"),
        (_edit(_DECODER, "zip(self.unify, features)", "zip(self.unify, [features.pop(0) for _ in features * 1])"),
         "changes its argument `features`"),
        (_edit(_DECODER, "self.head(x)", "self.head(x).log_softmax(1)"), "log-probabilities"),
        (_edit(_DECODER, "unify(x)", "unify(x.detach())"), "no gradient reaches"),
        (_edit(_DECODER, "x = self.fuse(torch.cat(parts, 1))", "x = torch.cat(parts, 1)"),
         "fuse takes all of them"),
        (_edit(_DECODER, "return self.head(x)", "self.head(x)"), "gives None"),
        (_edit(_DECODER, "shape[2:]", "shape"), "takes the height and width alone"),
    ],
}  # fmt: skip

RIGHT = {
    "attention": [
        _edit(_ATTEND, "** 0.5", "** (1 / 2)", "@ value", ".matmul(value)"),
        """
def attend(query, key, value):
    d = query.size(-1)
    scores = torch.matmul(query, key.movedim(-1, -2)).div(np.sqrt(d))
    return torch.einsum('...nm,...mc->...nc', torch.softmax(scores, -1), value)
""",
        """
def attend(query, key, value):
    scores = (query * query.shape[-1] ** -0.25) @ (key * key.shape[-1] ** -0.25).mT
    weights = torch.exp(scores - scores.logsumexp(-1, keepdim=True))
    return weights @ value
""",
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
        """
def attend(query, key, value):
    query = query.clone()
    query /= query.shape[-1] ** 0.5
    return torch.softmax(query @ key.swapaxes(-1, -2), dim=query.ndim - 1) @ value
""",
    ],
    "online-softmax": [
        _edit(_BLOCKS, "torch.maximum(m, s.max(-1, keepdim=True).values)", "torch.cat([m, s], -1).amax(-1, keepdim=True)"),
        _edit(_BLOCKS, "for i in range(0, key.shape[-2], block):", "import math\n    for n in range(math.ceil(key.shape[-2] / block)):\n        i = n * block"),
        _edit(_BLOCKS, "torch.zeros_like(m), 0", "0.0, 0.0", "torch.exp(m - new) * o + w @ v", "w @ v + o * (m - new).exp()"),
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
        """
def attend_in_blocks(query, key, value, block):
    query = query / query.shape[-1] ** 0.5
    m = torch.tensor(float("-inf"))
    total = mixed = 0
    while key.shape[-2]:
        s = query @ key[..., :block, :].mT
        higher = torch.maximum(m, s.amax(-1, keepdim=True))
        both = torch.exp(s - higher) @ torch.cat([torch.ones_like(value[..., :block, :1]),
                                                  value[..., :block, :]], -1)
        shrink = torch.exp(m - higher)
        total, mixed, m = shrink * total + both[..., :1], shrink * mixed + both[..., 1:], higher
        key, value = key[..., block:, :], value[..., block:, :]
    return mixed / total
""",
    ],
    "overlapping-patches": [
        _edit(_EMBED, "nn.Conv2d(in_channels, dim, kernel, stride=stride, padding=kernel // 2)", "nn.Conv2d(in_channels=in_channels, out_channels=dim, kernel_size=(kernel, kernel), stride=(stride, stride), padding=(kernel // 2, kernel // 2))"),
        _edit(_EMBED, "x.shape[-2:]", "tuple(x.shape[-2:])", "self.norm(to_tokens(x))", "F.layer_norm(to_tokens(x), (x.shape[1],), self.norm.weight, self.norm.bias)"),
        _edit(_EMBED, "to_tokens(x)", "x.flatten(start_dim=2).permute(0, 2, 1).contiguous()"),
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
        _edit(_EMBED, "tokens = self.norm(to_tokens(x))",
              "tokens = self.norm(torch.einsum('bchw->bhwc', x)).reshape(len(x), -1, x.shape[1])",
              "return tokens, x.shape[-2:]", "return [tokens, tuple(x.shape[2:])]"),
    ],
    "mix-ffn": [
        _edit(_FFN, "x = to_tokens(x)\n        x = F.gelu(x)", "x = to_tokens(F.gelu(x))"),
        _edit(_FFN, "to_map(x, size)", "x.mT.reshape(x.shape[0], x.shape[2], size[0], size[1])"),
        _edit(_FFN, "F.gelu(x)", "nn.functional.gelu(x)", "padding=1,", "padding=(1, 1), stride=1, "),
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
        _edit(_BLOCK, "x = x + self.ffn(self.norm2(x), size)\n        return x", "return torch.add(x, self.ffn(self.norm2(x), size))"),
        _edit(_BLOCK, "x = x + self.attention(self.norm1(x))", "h = self.norm1(x)\n        h = self.attention(h)\n        x = x + h"),
        _edit(_BLOCK, "nn.LayerNorm(dim)", "nn.LayerNorm((dim,))"),
        _BLOCK,
        _edit(_BLOCK, "x = x + self.ffn(self.norm2(x), size)\n        return x",
              "skip = x\n        x = self.ffn(self.norm2(x), size)\n        return skip + x"),
        _edit(_BLOCK, "x = x + self.attention(self.norm1(x))",
              "x = self.attention(self.norm1(x)) + x", "self.norm2(x), size)", "self.norm2(x), size=size)"),
    ],
    "mlp-decoder": [
        _edit(_DECODER, "nn.ModuleList([conv_bn_relu(dim, width) for dim in dims])", "nn.ModuleList()\n        for dim in dims:\n            self.unify.append(conv_bn_relu(dim, width))"),
        _edit(_DECODER, "nn.ModuleList([conv_bn_relu(dim, width) for dim in dims])", "nn.Sequential(*[conv_bn_relu(dim, width) for dim in dims])"),
        _edit(_DECODER, "mode=\"bilinear\")", "mode=\"bilinear\", antialias=False)", "torch.cat(parts, 1)", "torch.cat(tuple(parts), dim=1).relu()"),
        _DECODER,
        _edit(_DECODER, 'F.interpolate(x, size=size, mode="bilinear")',
              'F.interpolate(x, size, mode="bilinear", align_corners=False)'),
        _edit(_DECODER, "parts.append(F.interpolate(x, size=size, mode=\"bilinear\"))",
              "x = x if x.shape[2:] == size else F.interpolate(x, tuple(size), mode=\"bilinear\")\n"
              "            parts += [x]", "torch.cat(parts, 1)", "torch.cat(parts, dim=-3)"),
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
