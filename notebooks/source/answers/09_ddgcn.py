"""What to try on the checks of lesson 09."""

from __future__ import annotations

_PROJECTION = """
class Projection(nn.Sequential):
    def __init__(self, channels):
        super().__init__(*(conv_abn(channels, channels, 3, 2, groups=channels) for _ in range(3)))
"""

_RELATE = """
def relate(query, key, value):
    weights = (query @ value.mT).softmax(dim=-1)
    return key.mT @ weights
"""

_SPATIAL = """
class SpatialGraph(SpatialGraphParts):
    def forward(self, x):
        q, k, v = self.query(x).flatten(2), self.key(x).flatten(2), self.value(x).flatten(2)
        m = relate(q, k, v)
        m = self.update(m.mT)
        return self.extend(m.unflatten(2, x.shape[-2:]))
"""

_FEATURE = """
class FeatureGraph(nn.Module):
    def __init__(self, channels):
        super().__init__()
        states, nodes = channels // 2, channels // 4
        self.phi = conv_abn(channels, states)
        self.theta = conv_abn(channels, nodes)
        self.adjacency = node_abn(nodes)
        self.update = node_abn(states)
        self.extend = conv_abn(states, channels)

    def forward(self, x):
        phi, theta = self.phi(x).flatten(2), self.theta(x).flatten(2)
        z = phi @ theta.mT
        z = self.adjacency(z.mT).mT + z
        z = self.update(z)
        y = z @ theta
        return self.extend(y.unflatten(2, x.shape[-2:]))
"""

_MERGE = """
class DDGCN(DDGCNParts):
    def merged(self, x):
        size = x.shape[-2:]
        x_l = self.projection(x)
        h_s, h_f = self.spatial(x_l), self.feature(x)
        if self.merge == "paper":
            up = F.interpolate(h_s, size, mode="bilinear")
            return torch.cat([x, self.lambda_ * up, self.gamma * h_f], dim=1)
        s = self.lambda_ * h_s + x_l
        s = F.interpolate(s, size, mode="bilinear")
        g = self.gamma * h_f + x
        return torch.cat([x * s + x, g], dim=1)


def at_start(block, x):
    if block.merge == "paper":
        nothing = torch.zeros_like(x)
        return torch.cat([x, nothing, nothing], dim=1)
    x_l = block.projection(x)
    up = F.interpolate(x_l, x.shape[-2:], mode="bilinear")
    return torch.cat([x * up + x, x], dim=1)
"""

_COUNT = """
def readings(target, rest, in_channels=2048, channels=512):
    found = []
    for conva in (1, 3):
        for merge in ("paper", "code"):
            with torch.device("meta"):
                block = DDGCN(in_channels, channels, conva=conva, merge=merge)
            if rest + count_parameters(block) == target:
                found.append((conva, merge))
    return found
"""


def _edit(code: str, old: str, new: str) -> str:
    """The code with a mistake (or another way) in it."""
    assert old in code, old
    return code.replace(old, new)


def _relation(gives: str) -> str:
    return f"def relate(query, key, value):\n    return {gives}\n"


WRONG = {
    "node-projection": [
        (_edit(_PROJECTION, "super().__init__(*(conv_abn(channels, channels, 3, 2, groups=channels)"
               " for _ in range(3)))", "pass"), "`super().__init__()` is missing"),
        (_edit(_PROJECTION, "super().__init__(*", "return nn.Sequential(*"), "give the steps to"),
        (_edit(_PROJECTION, "super().__init__(*(conv_abn(channels, channels, 3, 2, groups=channels)"
               " for _ in range(3)))", "super().__init__()\n" + "".join(
                   f"        self.step{i} = conv_abn(channels, channels, 3, 2, groups=channels)\n"
                   for i in range(3))), "it numbers them"),
        (_edit(_PROJECTION, ", groups=channels", ""), "`groups` makes it depthwise"),
        (_edit(_PROJECTION, "3, 2, groups", "3, groups"), "the stride is missing"),
        (_edit(_PROJECTION, "range(3)", "range(2)"), "three steps, `conv_abn` each"),
        (_edit(_PROJECTION, "groups=channels", "groups=channels, bias=True"), "the bias is of no use"),
        (_edit(_PROJECTION, "channels, 3, 2", "channels, 5, 2"), "3×3, one kernel a channel"),
        (_edit(_PROJECTION, "channels, 3, 2", "channels, 1, 2"), "left at its default of 1"),
        (_edit(_PROJECTION, "groups=channels", "groups=2"), "one kernel a channel"),
        (_edit(_PROJECTION, "groups=channels", "groups=64"), "`groups` is the number of channels"),
        (_edit(_PROJECTION, "(channels, channels, 3, 2, groups=channels)", "(6, 6, 3, 2, groups=6)"),
         "3×3, one kernel a channel"),
        (_edit(_PROJECTION, "*(conv_abn", "*[nn.AvgPool2d(2)] * 3, *(conv_abn"), "three steps"),
        (_edit(_PROJECTION, "*(conv_abn(channels, channels, 3, 2, groups=channels)",
               "*(nn.AvgPool2d(2)"), "is an AvgPool2d"),
        (_edit(_PROJECTION, "*(conv_abn(channels, channels, 3, 2, groups=channels)",
               "*(nn.Conv2d(channels, channels, 3, 2, 1, groups=channels)"), "is a Conv2d"),
        (_edit(_PROJECTION, "*(conv_abn(channels, channels, 3, 2, groups=channels)",
               "*(nn.Sequential(nn.Conv2d(channels, channels, 3, 2, groups=channels, bias=False),"
               " ABN(channels))"), "pad by half a kernel"),
        (_edit(_PROJECTION, "*(conv_abn(channels, channels, 3, 2, groups=channels)",
               "*(nn.Sequential(nn.Conv2d(channels, channels, 3, 2, 1, groups=channels, bias=False),"
               " nn.BatchNorm2d(channels))"), "a step is a `conv_abn`"),
        (_edit(_PROJECTION, "*(conv_abn(channels, channels, 3, 2, groups=channels)",
               "*(nn.Sequential(nn.Conv2d(channels, channels, 3, 2, 1, groups=channels, bias=False),"
               " ABN(channels, slope=1.0))"), "slope of ABN at its default"),
        (_edit(_PROJECTION, "*(conv_abn(channels, channels, 3, 2, groups=channels)",
               "*(nn.Sequential(nn.Conv2d(channels, channels, 3, 2, 1, groups=channels, bias=False,"
               " padding_mode='replicate'), ABN(channels))"), "leave `padding_mode` at its default"),
        (_edit(_PROJECTION, "*(conv_abn(channels, channels, 3, 2, groups=channels)",
               "*(nn.Sequential(nn.Conv2d(channels, channels, 3, 2, 1, groups=channels, bias=False),"
               " ABN(channels, momentum=0.5))"), "settings of ABN"),
        (_edit(_PROJECTION, "*(conv_abn(channels, channels, 3, 2, groups=channels) for _ in range(3))",
               "[conv_abn(channels, channels, 3, 2, groups=channels) for _ in range(3)]"),
         "not in a list"),
        (_edit(_PROJECTION, "*(conv_abn(channels, channels, 3, 2, groups=channels) for _ in range(3))",
               "*[conv_abn(channels, channels, 3, 2, groups=channels)] * 3"), "one step, three times"),
        (_edit(_PROJECTION, "super().__init__(*(conv_abn", "self.steps = nn.Sequential(*(conv_abn"),
         "`super().__init__()` is missing"),
        ('\nclass Projection(nn.Sequential):\n    def __init__(self, channels):\n        super().__init__(conv_abn(channels, channels, 3, 2, groups=channels), conv_abn(channels, channels, 3, 2, groups=channels), conv_abn(channels, channels, 3, 2))\n', 'every channel mixes all channels: `groups` makes it'),
        ('\nclass Projection(nn.Sequential):\n    def __init__(self, channels):\n        super().__init__(conv_abn(channels, channels, 3, 2, groups=channels), *(conv_abn(channels, channels, 3, groups=channels) for _ in range(2)))\n', 'the stride is missing or another: each of the three steps'),
        ('\nclass Projection(nn.Sequential):\n    def __init__(self, channels):\n        super().__init__(conv_abn(channels, channels, 3, 8, groups=channels), *(conv_abn(channels, channels, 3, groups=channels) for _ in range(2)))\n', 'the stride is missing or another: each of the three steps'),
        (_edit(_PROJECTION, "channels, 3, 2", "channels, 2, 2"), 'expected: 3×3, one kernel a channel'),
        ('\nclass Projection(nn.Sequential):\n    def __init__(self, channels):\n        super().__init__(conv_abn(channels, 2*channels, 3, 2, groups=channels), conv_abn(2*channels, 4*channels, 3, 2, groups=2*channels), conv_abn(4*channels, 8*channels, 3, 2, groups=4*channels))\n', 'expected: 3×3, one kernel a channel'),
        (_edit(_PROJECTION, "groups=channels", "groups=channels // 2"), 'expected: 3×3, one kernel a channel'),
        ('\nclass Projection(nn.Sequential):\n    def __init__(self, channels):\n        super().__init__(nn.Sequential(conv_abn(channels, channels, 3, 2, groups=channels),conv_abn(channels, channels, 3, 2, groups=channels),conv_abn(channels, channels, 3, 2, groups=channels)))\n', 'expected: three steps, `conv_abn` each, one by one to'),
        ('\nclass Projection(nn.Sequential):\n    def __init__(self, channels):\n        super().__init__(conv_abn(channels, channels, 3, 2, groups=channels),conv_abn(channels, channels, 3, 2, groups=channels),conv_abn(channels, channels, 3, 2, groups=channels), nn.ReLU())\n', 'expected: three steps, `conv_abn` each, one by one to'),
        (_edit(_PROJECTION, "3, 2, groups=channels", "3, 2, channels"), 'name what is not first: `groups=channels`'),
        (_edit(_PROJECTION, "(*(conv", "((conv"), 'takes its modules out, one by one'),
        ('\nclass Projection(nn.Sequential):\n    def __init__(self, channels):\n        super().__init__()\n        self.steps = [conv_abn(channels, channels, 3, 2, groups=channels) for _ in range(3)]\n', 'expected: three steps, `conv_abn` each, one by one to'),
        (_edit(_PROJECTION, "channels, 3, 2, groups", "channels, stride=2, groups"), "left at its default of 1"),
        (_edit(_PROJECTION, "channels, channels, 3", "channels, channels // 2, 3"), "each step keeps the channels"),
        (_edit(_PROJECTION, "groups=", "group="), "`conv_abn` takes channels, kernel and stride"),
        (_edit(_PROJECTION, "3, 2, groups", "3, 2, padding=1, groups"), "and pads by itself"),
        (_PROJECTION + "\n    def forward(self, x):\n        return F.adaptive_avg_pool2d(x, 8)\n", "write no `forward`"),
        (_PROJECTION + "\n    def forward(self, x):\n        return self[2](self[1](self[0](x))).relu()\n", "write no `forward`"),
        (_edit(_PROJECTION, "conv_abn(channels, channels, 3, 2, groups=channels)",
               "nn.Sequential(nn.Conv2d(channels, channels, 3, 2, 2, 2, channels, False), ABN(channels))"),
         "leave `dilation` at its default"),
    ],
    "spatial-relation": [
        (_edit(_RELATE, "value.mT", "value.T"), "the images stay first"),
        (_edit(_RELATE, "key.mT @", "key @"), "one matrix is not turned"),
        (_edit(_RELATE, ".softmax(dim=-1)\n    return key.mT @ weights",
               "\n    return (key.mT @ weights).softmax(dim=-1)"), "of QVᵀ alone"),
        (_edit(_RELATE, "key.mT @ weights", "key.mT @ ((w := query @ value.mT) / w.sum(-1, True))"),
         "takes `exp` first"),
        (_edit(_RELATE, "value.mT", "value.reshape(len(key), -1, key.shape[1])"), "reshape cuts up"),
        ("def relate(query, key, value):\n    return (query.mT @ key / 2).softmax(-1) @ value.mT\n",
         "this is lesson 05's"),
        (_edit(_RELATE, "dim=-1", "dim=1"), "along columns"),
        (_edit(_RELATE, "dim=-1", "dim=0"), "over the images"),
        (_edit(_RELATE, "dim=-1", "dim=-2"), "along columns"),
        (_edit(_RELATE, ".softmax(dim=-1)", ""), "there is no softmax"),
        (_edit(_RELATE, ".softmax(dim=-1)", ".exp()"), "divides by their sum"),
        (_edit(_RELATE, ".softmax(dim=-1)", ".sigmoid()"), "that is a sigmoid"),
        (_edit(_RELATE, ".softmax(dim=-1)", ".log_softmax(dim=-1)"), "logarithms of the weights"),
        (_edit(_RELATE, "value.mT)", "value.mT / query.shape[1] ** 0.5)"), "divided by a root"),
        (_edit(_RELATE, "value.mT)", "value.mT / query.shape[-1] ** 0.5)"), "divided by a root"),
        (_edit(_RELATE, "@ weights", "@ weights.mT"), "the weights are turned round"),
        (_edit(_RELATE, "query @ value.mT", "value @ query.mT"), "the queries come first"),
        (_edit(_RELATE, "query @ value.mT", "query @ key.mT"), "meet the values, not the keys"),
        (_edit(_edit(_RELATE, "query @ value.mT", "key @ value.mT"), "key.mT @", "query.mT @"),
         "queries and keys have changed places"),
        (_edit(_edit(_RELATE, "query @ value.mT", "query @ key.mT"), "key.mT @", "value.mT @"),
         "keys and values have changed places"),
        (_edit(_RELATE, "key.mT @ weights", "(key.mT @ weights).mT"), "M turned round"),
        (_edit(_RELATE, "key.mT @ weights", "weights @ key"), "M is Kᵀ times the weights,"),
        (_edit(_RELATE, "key.mT @ weights", "weights.mT @ key"), "a row for each node"),
        (_edit(_RELATE, "key.mT @ weights", "weights"), "the keys are still to be multiplied"),
        (_edit(_RELATE, "key.mT", "key.reshape(len(key), -1, key.shape[1])"), "reshape cuts up"),
        ("def relate(query, key, value):\n    return (query.mT @ key).softmax(-1) @ value.mT\n",
         "this is lesson 05's"),
        (_edit(_RELATE, "value.mT", "value"), "one matrix is not turned: `value.mT` after the"),
        (_edit(_RELATE, "key.mT", "key"), "one matrix is not turned: `value.mT` after the"),
        (_edit(_RELATE, "value.mT", "value.T"), "the images stay first: `.mT` turns the last two"),
        (_edit(_RELATE, "    return key.mT @ weights", "    key.mT @ weights"), "end in a `return`"),
        (_edit(_RELATE, "query @", "query.detach() @"), "no gradient reaches the query"),
        (_edit(_RELATE, "key.mT @", "key.detach().mT @"), "no gradient reaches the key"),
        (_edit(_RELATE, "@ weights", "@ weights.detach()"), "no gradient reaches the query"),
        (_edit(_RELATE, "key.mT @ weights", "(key.mT @ weights).detach()"), "no gradient"),
        (_edit(_RELATE, "    weights", "    query -= query.mean()\n    weights"),
         "changes its argument `query`"),
        (_edit(_RELATE, "(query @ value.mT).softmax(dim=-1)",
               "(query @ value.mT).exp()\n    weights = weights / weights.sum(-1, keepdim=True)"),
         "exp overflows"),
        (_edit(_RELATE, "key.mT @ weights", "(key.mT @ weights).float()"), "float64"),
        (_edit(_RELATE, "key.mT @ weights", "(key.mT @ weights).tolist()"), "expected: a tensor"),
        ('def relate(query, key, value):\n    return query.mT @ (query @ value.mT).softmax(-1)\n', 'Q, K and V stand in other places than in the equation,'),
        ('def relate(query, key, value):\n    return value.mT @ (query @ value.mT).softmax(-1)\n', 'Q, K and V stand in other places than in the equation,'),
        ('def relate(query, key, value):\n    return key.mT @ (key @ value.mT).softmax(-1)\n', 'Q, K and V stand in other places than in the equation,'),
        ('def relate(query, key, value):\n    return F.scaled_dot_product_attention(query, key, value)\n', "this is softmax(QKᵀ) V, as in lesson 05: the"),
        ('def relate(query, key, value):\n    return F.scaled_dot_product_attention(query.mT, key.mT, value.mT)\n', "this is lesson 05's: here channels meet, not nodes"),
        ('def relate(query, key, value):\n    return key.mT @ (query @ value.mT / query.shape[-1]).softmax(-1)\n', 'nothing is divided by a root or a number'),
        ('def relate(query, key, value):\n    return key.mT @ (query @ value.mT).softmax(-1).softmax(-1)\n', 'one softmax is enough'),
        ('def relate(query, key, value):\n    return key.softmax(-1).mT @ (query @ value.mT).softmax(-1)\n', 'only QVᵀ has a softmax'),
        ('def relate(query, key, value):\n    return key * (query * value).softmax(-1)\n', 'a row for each node, a column for each channel'),
        ("def relate(query, key, value):\n    return torch.einsum('bil,bjl->ij', query, value).softmax(-1).T @ key\n", 'a row for each node, a column for each channel'),
        ('def relate(query, key, value):\n    return torch.from_numpy((key.mT @ (query @ value.mT).softmax(-1)).detach().numpy())\n', 'what comes out has no gradient: detach nothing'),
        ('def relate(query, key, value):\n    return [k.T @ (q @ v.T).softmax(-1) for q, k, v in zip(query, key, value)]\n', 'your answer is a list, expected: a tensor'),
        ('def relate(query, key, value):\n    return key.mT @ (query @ value.mT).softmax(-1) + query.mT\n', 'nothing is added'),
        (_relation('(query.mT @ value).softmax(-1) @ key'), 'Expected size'),
        (_relation('key.mT @ (query.mT @ value).softmax(-1)'), "the weights are QVᵀ, channels × channels,"),
        (_relation('(query.mT @ value).softmax(-1) @ key.mT'), "this is lesson 05's"),
        (_relation('(key @ (query.mT @ value).softmax(-1)).mT'), "this is lesson 05's"),
        (_relation('key.mT @ F.normalize(query @ value.mT, p=1, dim=-1)'), 'takes `exp` first'),
        (_relation('key.mT @ (query @ value.mT).relu()'), 'that is a ReLU'),
        (_relation('key.mT @ (query @ value.mT).tanh()'), 'that is a tanh'),
        (_relation('key.mT @ (query @ value.mT).softmax'), '`softmax` is called'),
        (_relation('key.mT @ (query @ value.mT).softmax()'), 'along which dimension?'),
        (_relation('key.mT @ (-(query @ value.mT)).softmax(-1)'), 'the sign is turned'),
        (_relation('key.mT @ (query @ value.mT).softmax(-1).sqrt()'), 'nothing follows the softmax'),
        (_relation('key.mT @ query.softmax(-1) @ value.mT'), 'not of Q or V by itself'),
        (_relation('key.mT @ (query.softmax(-1) @ value.softmax(-1).mT)'), 'not of Q or V by itself'),
        (_relation('key.mT @ (query - query.mean(-1, keepdim=True)) @ value.mT'), 'rows do not sum to 1'),
        (_relation('key.mT @ ((query - query.mean(-1, keepdim=True)) @ value.mT).softmax(-1)'), 'not centred'),
        (_relation('key.mT @ (F.normalize(query, dim=-1) @ F.normalize(value, dim=-1).mT).softmax(-1)'), 'not normalised'),
        (_relation('key[:1].mT @ (query @ value.mT).softmax(-1)'), 'the images are mixed'),
        (_relation('key.mT @ (query @ value.mT).softmax(-1).mean(0)'), 'the images are mixed'),
        (_relation('key.mT @ F.dropout((query @ value.mT).softmax(-1), 0.1)'), 'leave chance out'),
        (_relation('(key.mT @ (query @ value.mT).softmax(-1)).relu()'), 'no ReLU at the end'),
        (_relation('key.mT @ (query @ value.mT).softmax(-1) / key.shape[-1]'), 'divided by a root or a number'),
        (_relation('key.mT @ ((query @ value.mT).softmax(-1) + (value @ query.mT).softmax(-1)) / 2'), 'they are not softmax(QVᵀ)'),
        (_relation('key.mT @ ((query @ value.mT) * ~torch.eye(key.shape[1], dtype=bool)).softmax(-1)'), 'itself, too'),
    ],
    "spatial-graph": [
        (_edit(_SPATIAL, "self.query", "query"), "`query` belongs to `self`"),
        (_edit(_SPATIAL, "relate(q", "self.relate(q"), "a function of its own"),
        (_edit(_SPATIAL, "x.shape[-2:]))", "x.shape[-2:])) + self.value(x)"), "nothing is added to H_S"),
        (_edit(_SPATIAL, "self.value(x)", "self.key(x)"), "is used twice"),
        (_edit(_SPATIAL, ".flatten(2)", ".flatten(1)"), "`.flatten(2)` makes them"),
        (_edit(_SPATIAL, "self.query(x).flatten(2)", "self.query(x).view(len(x), 256, -1)[:, :6]"),
         "take sizes from"),
        (_edit(_SPATIAL, "        m = self.update(m.mT)", "        m = m.mT"),
         "the states are never updated"),
        (_edit(_SPATIAL, "self.update(m.mT)", "self.update(m)"), "turn M round"),
        (_edit(_SPATIAL, "m.mT", "m.reshape(len(m), -1, m.shape[1])"), "reshape cuts M up"),
        (_edit(_SPATIAL, "self.update(m.mT)", "self.update(m.mT) + m.mT"), "nothing is added here"),
        (_edit(_SPATIAL, "return self.extend(m.unflatten(2, x.shape[-2:]))",
               "return self.extend(m.unflatten(2, x.shape[-2:])) + x"), "X_l is added later"),
        (_edit(_SPATIAL, "x.shape[-2:]))", "(x.shape[3], x.shape[2])))"),
         "height and width are swapped"),
        (_edit(_SPATIAL, "x.shape[-2:]))", "(5, 4)))"), "the last dimension becomes height and width,"),
        (_edit(_SPATIAL, "relate(q, k, v)", "relate(k, q, v)"), "in another order"),
        (_edit(_SPATIAL, "relate(q, k, v)", "relate(q, v, k)"), "in another order"),
        (_edit(_SPATIAL, "self.extend(", "self.extend[0]("), "the ABN of `extend`"),
        (_edit(_SPATIAL, "self.update(", "self.update[0]("), "the ABN of `update`"),
        (_edit(_SPATIAL, "self.update(m.mT)", "self.update(m.mT).relu()"),
         "no ReLU between `update`"),
        (_edit(_SPATIAL, "self.update(m.mT)", "self.update(m.mT.relu())"), "no ReLU before"),
        (_edit(_SPATIAL, "x.shape[-2:]))", "x.shape[-2:])).relu()"), "no ReLU"),
        (_edit(_SPATIAL, "self.extend(m.unflatten(2, x.shape[-2:]))", "m"),
         "put them back into a map"),
        (_edit(_SPATIAL, "self.extend(m.unflatten(2, x.shape[-2:]))",
               "m.unflatten(2, x.shape[-2:])"), "`extend` is left out"),
        (_edit(_SPATIAL, "self.query(x).flatten(2)", "self.query(x)"), "`.flatten(2)` makes them"),
        (_edit(_SPATIAL, "self.extend(m.unflatten(2, x.shape[-2:]))",
               "self.extend(m).unflatten(2, x.shape[-2:])"), "`extend` takes a map"),
        (_edit(_SPATIAL, ".flatten(2)", ""), "`.flatten(2)` makes them"),
        (_edit(_SPATIAL, "m.unflatten(2, x.shape[-2:])", "m.view(x.shape)"), "take sizes from"),
        (_edit(_SPATIAL, "self.key(x)", "self.key(x.detach())").replace("self.query(x)", "self.query("
         "x.detach())").replace("self.value(x)", "self.value(x.detach())"), "no gradient reaches the input"),
        (_edit(_SPATIAL, "relate(q, k, v)", "relate(q, k, v).detach()"), "no gradient reaches the input"),
        (_edit(_SPATIAL, "relate(q, k, v)", "relate(q, k, v.detach())"),
         "no gradient reaches value"),
        (_edit(_SPATIAL, "        q, k", "        x.relu_()\n        q, k"), "changes its argument `x`"),
        (_edit(_SPATIAL, "return self.extend", "self.extend"), "end in a `return`"),
        (_edit(_SPATIAL, "def forward", "def foward"), "it has no `forward`"),
        (_edit(_SPATIAL, "q, k, v = self.query(x)", "q, k, v = self.key(x)"), "is used twice"),
        (_edit(_SPATIAL, "self.extend(", "self.scale * self.extend("), "has no attribute 'scale'"),
        (_edit(_SPATIAL, "        m = relate(q, k, v)\n",
               "        m = (q.mT @ k).softmax(-1) @ v.mT\n"), "use your `relate`"),
        (_edit(_SPATIAL, "q, k, v = self.query(x).flatten(2), self.key(x).flatten(2), self.value(x).flatten(2)", "q, k, v = (F.relu(p(x)).flatten(2) for p in (self.query, self.key, self.value))"), 'Q, K and V are 1×1 convolutions alone'),
        (_edit(_SPATIAL, "self.update(m.mT)", "self.update(self.update(m.mT))"), '`update` is called once'),
        (_edit(_SPATIAL, "x.shape[-2:]))", "x.shape[-2:])) * x"), 'H_S alone is asked for: nothing is multiplied here'),
        (_edit(_SPATIAL, "self.update(m.mT)", "self.update(m.mT).mT"), 'do not turn what `update` gives'),
        (_edit(_SPATIAL, "self.key(x).flatten(2)", "self.key(x)"), '`relate` takes matrices, (B, c, l): `.flatten(2)` makes'),
        (_edit(_SPATIAL, "self.key(x)", "self.key(self.query(x))"), '`query`, `key` and `value` are each called with x, and'),
        (_edit(_SPATIAL, "relate(q, k, v)", "relate(x.flatten(2), x.flatten(2), x.flatten(2))"), '`query`, `key` and `value` are each called with x, and'),
        (_edit(_SPATIAL, "relate(q, k, v)", "relate(q.mT, k.mT, v.mT)"), 'turn M round'),
        (_edit(_SPATIAL, "relate(q, k, v)", "relate(q, k, v) / q.shape[-1]"), 'nothing is divided by the number of nodes'),
        (_edit(_SPATIAL, 'relate(q, k, v)', 'relate(q, k, v).softmax(-1)'), 'no softmax before `update`'),
        (_edit(_SPATIAL, 'self.update(m.mT)', 'self.update(m.mT).sigmoid()'), 'no sigmoid between'),
        (_edit(_SPATIAL, 'self.update(m.mT)', 'self.update(q)'), '`relate` is left out'),
        (_edit(_SPATIAL, 'self.update(m.mT)', 'self.update(m.mT) * m.mT'), 'nothing is multiplied here'),
        (_edit(_SPATIAL, 'self.update(m.mT)', 'self.update(m.mT + k)'), 'nothing is added here'),
        (_edit(_SPATIAL, 'self.update(m.mT)', 'self.update[1](m.mT)'), 'the convolution of `update`'),
        (_edit(_SPATIAL, 'self.update(m.mT)', 'self.update(m.mT.mean(-1, keepdim=True)).expand_as(m.mT)'), 'no mean is taken'),
        (_edit(_SPATIAL, 'self.extend(m.unflatten(2, x.shape[-2:]))', 'self.extend(self.extend(m.unflatten(2, x.shape[-2:])))'), '`extend` is called once'),
        (_edit(_SPATIAL, 'x.shape[-2:]))', 'x.shape[-2:])) + self.extend(v.unflatten(2, x.shape[-2:]))'), 'nothing is added here'),
        (_edit(_SPATIAL, 'm.unflatten(2, x.shape[-2:])', 'm.mT.reshape(len(x), -1, *x.shape[2:])'), 'goes back to a map'),
        (_edit(_SPATIAL, '.flatten(2)', '.flatten(2).softmax(-1)'), 'no softmax after `query`, `key` and `value`'),
        (_edit(_SPATIAL, 'relate(q, k, v)', 'relate(q.relu(), k, v)'), 'no ReLU after `query`'),
        (_edit(_SPATIAL, 'x.shape[-2:]))', 'x.shape[-2:])).sigmoid()'), 'no sigmoid at the end'),
        (_edit(_SPATIAL, 'relate(q, k, v)', 'relate(self.query, self.key, self.value)'), 'call the parts'),
        (_edit(_SPATIAL, 'relate(q, k, v)', 'relate(q, k)'), '`relate` takes three'),
        (_edit(_SPATIAL, 'self.query(x)', 'self.query(x.relu())'), 'up to `query` something is different'),
        (_edit(_SPATIAL, 'self.update(m.mT)', 'F.dropout(self.update(m.mT), 0.2)'), 'leave chance out'),
        (_edit(_SPATIAL, 'x.shape[-2:]))', 'x.shape[-2:])) * 0.1'), 'what comes after that is different'),
        (_edit(_SPATIAL, 'm.unflatten(2, x.shape[-2:])', 'm.unflatten(2, x.shape[-2:]).flip(-1)'), 'up to `extend` something is different'),
        (_edit(_SPATIAL, 'self.query(x)', 'self.query(F.avg_pool2d(x, 3, 1, 1))'), 'up to `query`'),
        (_edit(_SPATIAL, 'relate(q, k, v)', 'relate(F.normalize(q, dim=1), F.normalize(k, dim=1), v)'), 'up to `update`'),
    ],
    "feature-graph": [
        (_edit(_FEATURE, "z = self.adjacency(z.mT).mT + z", "z += self.adjacency(z.mT).mT"),
         "needs what you overwrite"),
        (_edit(_FEATURE, "        z = self.update(z)", "        z = self.update(z) + z"),
         "Z is added once"),
        (_edit(_FEATURE, "self.theta(x).flatten(2)", "self.theta(x).flatten(2).softmax(1)"),
         "Θ has no softmax"),
        (_edit(_FEATURE, "phi @ theta.mT", "phi @ theta.softmax(2).mT"), "Θ has no softmax"),
        (_edit(_FEATURE, "self.extend(y.unflatten(2, x.shape[-2:]))",
               "y.unflatten(2, x.shape[-2:])"), "`extend` is left out"),
        (_edit(_FEATURE, "states, nodes = channels // 2, channels // 4",
               "states, nodes = channels // 4, channels // 2"), "phi and theta have changed places"),
        (_edit(_FEATURE, "states, nodes = channels // 2, channels // 4", "states, nodes = 256, 128"),
         "not as wide as in the table"),
        (_edit(_FEATURE, "states, nodes = channels // 2, channels // 4",
               "states, nodes = channels / 2, channels / 4"), "divide whole numbers by `//`"),
        (_edit(_FEATURE, "node_abn(nodes)", "node_abn(states)").replace(
            "self.update = node_abn(states)", "self.update = node_abn(nodes)"),
         "adjacency links nodes"),
        (_edit(_FEATURE, "self.adjacency = node_abn(nodes)",
               "self.adjacency = nn.Conv1d(nodes, nodes, 1)"), "self.adjacency is a Conv1d"),
        (_edit(_FEATURE, "conv_abn(channels, states)", "conv_abn(channels, states, bias=True)"),
         "a bias is of no use"),
        (_edit(_FEATURE, "conv_abn(channels, states)", "conv_abn(channels, states, 3)"),
         "not as wide"),
        (_edit(_FEATURE, "self.theta =", "self.Theta =").replace("self.theta(", "self.Theta("),
         "there is no self.theta"),
        (_edit(_FEATURE, "        super().__init__()\n", ""), "`super().__init__()` is missing"),
        (_edit(_FEATURE, "        super().__init__()\n",
               "        super().__init__()\n        self.gamma = nn.Parameter(torch.zeros(1))\n"),
         "the table's five"),
        (_edit(_FEATURE, "self.adjacency(z.mT).mT + z", "self.adjacency(z.mT).mT"),
         "the old states are lost"),
        (_edit(_FEATURE, "        z = self.adjacency(z.mT).mT + z\n", ""),
         "`adjacency` is left out"),
        (_edit(_FEATURE, "        z = self.update(z)\n", ""), "the states are never updated"),
        (_edit(_FEATURE, "self.update(z)", "self.update(z) + phi @ theta.mT"),
         "Z is added once, before"),
        (_edit(_FEATURE, "self.adjacency(z.mT).mT + z\n        z = self.update(z)",
               "self.update(self.adjacency(z.mT).mT) + z"), "before `update`, not after"),
        (_edit(_FEATURE, "        z = self.adjacency(z.mT).mT + z\n        z = self.update(z)\n",
               "        z = self.update(z)\n        z = self.adjacency(z.mT).mT + z\n"),
         "first along the links"),
        (_edit(_FEATURE, "self.adjacency(z.mT).mT + z",
               "self.adjacency(z.reshape(len(z), -1, z.shape[1])).reshape(z.shape) + z"),
         "reshape cuts Z up"),
        (_edit(_FEATURE, "self.adjacency(z.mT).mT + z",
               "self.adjacency(z.mT).reshape(z.shape) + z"), "turn it back by `.mT`"),
        (_edit(_FEATURE, "self.adjacency(z.mT).mT", "self.adjacency(z)"),
         "nodes and states have changed places"),
        (_edit(_FEATURE, "phi @ theta.mT", "phi @ theta.mT / theta.shape[-1]"), "number of places"),
        (_edit(_FEATURE, ".mT + z", ".mT + z\n        z = z.relu()"), "no ReLU between"),
        (_edit(_FEATURE, "self.update(z)", "self.update(z).relu()"), "no ReLU after `update`"),
        (_edit(_FEATURE, ".mT + z", ".mT - z"), "not taken away"),
        (_edit(_FEATURE, "x.shape[-2:]))", "x.shape[-2:])) + x"), "X is added later"),
        (_edit(_FEATURE, "x.shape[-2:]))", "x.shape[-2:])).relu()"), "no ReLU at the end"),
        (_edit(_FEATURE, "x.shape[-2:]))", "(5, 3)))"), "the last dimension becomes height and width,"),
        (_edit(_FEATURE, "self.extend(y.unflatten(2, x.shape[-2:]))", "y"),
         "put them back into a map"),
        (_edit(_FEATURE, "self.extend(y.unflatten(2, x.shape[-2:]))",
               "self.extend(y).unflatten(2, x.shape[-2:])"), "`extend` takes a map"),
        (_edit(_FEATURE, ".flatten(2)", ""), "do not fit"),
        (_edit(_FEATURE, "z = phi @ theta.mT", "z = phi.mT @ theta"), "the matrices do not fit"),
        (_edit(_FEATURE, "z = phi @ theta.mT", "z = theta @ phi.mT"), "have changed places"),
        (_edit(_FEATURE, "z @ theta", "z.detach() @ theta"), "no gradient reaches adjacency"),
        (_edit(_FEATURE, "z @ theta", "z @ theta.detach()"), "another gradient"),
        (_edit(_FEATURE, "        return self", "        self"), "end in a `return`"),
        (_edit(_FEATURE, "        phi, theta", "        x /= 2\n        phi, theta"),
         "changes its argument `x`"),
        (_edit(_FEATURE, "z @ theta", "z @ phi"), 'the matrices do not fit: Z is Φ Θᵀ, of (B, C/2, L) and (B,'),
        (_edit(_FEATURE, "self.adjacency = node_abn(nodes)", "self.adjacency = conv_abn(nodes, nodes)"), "self.adjacency is made by another helper than the table's"),
        (_edit(_FEATURE, "conv_abn(states, channels)", "conv_abn(nodes, channels)"), 'self.extend: not as wide as in the table'),
        (_edit(_FEATURE, "        z = self.adjacency(z.mT).mT + z\n", "        z = self.adjacency(z.mT).mT + z\n        z = self.adjacency(z.mT).mT + z\n"), '`adjacency` is called once'),
        (_edit(_FEATURE, "self.phi(x).flatten(2)", "self.phi(x).flatten(2).softmax(2)"), 'Θ has no softmax, nor has Φ: ABN alone makes them'),
        (_edit(_FEATURE, "self.theta(x).flatten(2)", "self.theta(x).flatten(2).sigmoid()"), 'Θ has no sigmoid, nor has Φ: ABN alone makes them'),
        (_edit(_FEATURE, "conv_abn(states, channels)", "conv_abn(states, channels, 3)"), 'self.extend: not as wide as in the table'),
        (_edit(_FEATURE, "self.adjacency(z.mT).mT + z", "(self.adjacency(z.mT).mT + z) / 2"), 'nothing is divided: Z and what the links bring are added'),
        (_edit(_FEATURE, "z = phi @ theta.mT", "z = phi @ theta.mT / phi.shape[1] ** 0.5"), 'nothing is divided by the number of places, nor by a root'),
        (_edit(_FEATURE, "x.shape[-2:]", "(x.shape[3], x.shape[2])"), 'height and width are swapped'),
        (_edit(_FEATURE, "        z = self.adjacency(z.mT).mT + z\n        z = self.update(z)", "        a = self.adjacency(z.mT).mT\n        z = self.update(a) + a"), 'the old states are lost: Z is added to what the links'),
        (_edit(_FEATURE, "self.adjacency(z.mT).mT + z", "z - self.adjacency(z.mT).mT"), 'Z is added to what the links bring, not taken away'),
        (_edit(_FEATURE, 'channels // 2, channels // 4', 'channels // 2, channels // 2'), 'self.theta: not as wide'),
        (_edit(_FEATURE, 'self.update = node_abn(states)', 'self.update = self.adjacency'), 'self.update: not as wide'),
        (_edit(_FEATURE, 'z = phi @ theta.mT', 'z = (phi @ theta.mT).softmax(-1)'), 'no softmax on Z'),
        (_edit(_FEATURE, 'y = z @ theta', 'y = z @ theta / theta.shape[1]'), 'nothing is divided'),
        (_edit(_FEATURE, 'y = z @ theta', 'y = z @ theta + phi'), 'Φ has done its work'),
        (_edit(_FEATURE, 'y = z @ theta', 'y = phi'), 'the graph is left out'),
        (_edit(_FEATURE, 'self.adjacency(z.mT).mT + z', 'self.adjacency((z + z).mT).mT'), 'the old states are lost'),
        (_edit(_FEATURE, 'self.adjacency(z.mT).mT', 'self.adjacency[0](z.mT).mT'), 'the ABN of `adjacency`'),
        (_edit(_FEATURE, 'self.update(z)', 'self.update[0](z)'), 'the ABN of `update`'),
        (_edit(_FEATURE, 'self.extend(y', 'self.extend[0](y'), 'the ABN of `extend`'),
        (_edit(_FEATURE, 'self.phi(x)', 'self.phi[0](x)'), 'the ABN of `phi`'),
        (_edit(_FEATURE, 'self.theta(x)', 'self.theta[0](x)'), 'the ABN of `theta`'),
        (_edit(_FEATURE, '.mT + z', '.mT * z'), 'not multiplied'),
        (_edit(_FEATURE, 'self.adjacency(z.mT).mT + z', '(self.adjacency(z.mT) + z).mT'), 'turned to each other'),
        (_edit(_FEATURE, 'self.update(z)', 'self.update(self.update(z))'), '`update` is called once'),
        (_edit(_FEATURE, 'self.theta(x)', 'self.theta(self.phi(x))'), 'both take X'),
        (_edit(_FEATURE, 'self.theta(x)', 'self.phi(x)'), '`theta` the others'),
        (_edit(_FEATURE, 'self.theta(x).flatten(2)', 'F.normalize(self.theta(x).flatten(2), dim=1)'), 'Θ has no normalisation'),
        (_edit(_FEATURE, 'x.shape[-2:]))', 'x.shape[-2:])) * x'), 'nothing is multiplied here'),
        (_edit(_FEATURE, 'y.unflatten(2, x.shape[-2:])', 'y.mT.reshape(len(x), -1, *x.shape[2:])'), 'goes back to a map'),
        (_edit(_FEATURE, 'y.unflatten(2, x.shape[-2:])', 'y.reshape(x.shape)'), 'R has C/2 channels'),
        (_edit(_FEATURE, 'self.adjacency(z.mT).mT + z', 'z + 0.5 * self.adjacency(z.mT).mT'), 'up to `update` something is different'),
        (_edit(_FEATURE, 'phi @ theta.mT', 'phi.softmax(2) @ theta.softmax(1).mT'), 'up to `adjacency` something is different'),
    ],
    "dynamic-merge": [
        (_edit(_MERGE, '"paper"', '"Paper"'), "this is the other reading"),
        (_edit(_MERGE, "[x * s + x, g]", "[x * s, x, g]"), "is one part, a sum"),
        (_edit(_MERGE, "self.feature(x)",
               'F.interpolate(self.feature(x_l), size, mode="bilinear")'), "the feature graph works on X"),
        (_edit(_MERGE, "[x * up + x, x]", "[x, x * up + x]"), "in another order"),
        (_edit(_MERGE, 'x.shape[-2:], mode="bilinear"', "x.shape[-2:]"), "as in `merged`"),
        (_edit(_MERGE, "[x, self.lambda_ * up, self.gamma * h_f]", "[x, up, h_f]"),
         "λ and γ are left out"),
        (_edit(_MERGE, "self.lambda_ * up, self.gamma * h_f", "self.gamma * up, self.lambda_ * h_f"),
         "λ belongs to H_S"),
        (_edit(_MERGE, "self.gamma * h_f]", "h_f]"), "γ is left out"),
        (_edit(_MERGE, "self.lambda_ * up", "up"), "λ is left out"),
        (_edit(_MERGE, "[x, self.lambda_ * up, self.gamma * h_f]",
               "[self.lambda_ * up, self.gamma * h_f, x]"), "another order"),
        (_edit(_MERGE, "[x, self.lambda_ * up, self.gamma * h_f], dim=1",
               "[x + self.lambda_ * up + self.gamma * h_f], dim=1"), "no sum and no product"),
        (_edit(_MERGE, "[x, self.lambda_ * up, self.gamma * h_f]",
               "[x * (self.lambda_ * up) * (self.gamma * h_f)]"), "no sum and no product"),
        (_edit(_MERGE, "x * s + x", "x * s"), "X · up(S) + X: the sum is missing"),
        (_edit(_MERGE, "self.gamma * h_f + x", "self.gamma * h_f"), "G is γ H_F + X"),
        (_edit(_MERGE, "self.lambda_ * h_s + x_l", "self.lambda_ * h_s"), "S is λ H_S + X_l"),
        (_edit(_MERGE, "self.lambda_ * h_s + x_l", "h_s + x_l"), "λ is left out"),
        (_edit(_MERGE, "self.gamma * h_f + x", "h_f + x"), "γ is left out"),
        (_edit(_MERGE, "[x * s + x, g]", "[g, x * s + x]"), "another order"),
        (_edit(_MERGE, "[x * s + x, g]", "[x + s, g]"), "multiplied, then X is added"),
        (_edit(_MERGE, 's, size, mode="bilinear"', 's, scale_factor=8, mode="bilinear"'),
         "the sizes do not fit"),
        (_edit(_MERGE, "self.lambda_ * h_s", "self.lam * h_s"), "has no attribute 'lam'"),
        (_edit(_MERGE, 's, size, mode="bilinear"', "s, size"), "nearest neighbours give blocks"),
        (_edit(_MERGE, 'h_s, size, mode="bilinear"', "h_s, size"), "nearest neighbours"),
        (_edit(_MERGE, 'size, mode="bilinear")', 'size, mode="bilinear", align_corners=True)'),
         "align_corners"),
        (_edit(_MERGE, "        s = F.interpolate(s, size, mode=\"bilinear\")\n", ""),
         "the sizes do not fit"),
        (_edit(_MERGE, "self.spatial(x_l), self.feature(x)", "self.spatial(x), self.feature(x)"),
         "works on X_l, not on X"),
        (_edit(_MERGE, "[x * s + x, g], dim=1", "[x * s + x, g]"), "dim=1"),
        (_edit(_MERGE, "        return torch.cat([x * s + x, g], dim=1)",
               "        return self.reduce(torch.cat([x * s + x, g], dim=1))"),
         "`reduce` comes later"),
        (_edit(_MERGE, 'if self.merge == "paper":', 'if self.merge == "code":'),
         "this is the other reading: is the name spelt"),
        (_edit(_MERGE, "h_s, h_f = self.spatial(x_l), self.feature(x)",
               "h_s, h_f = self.spatial(x_l).detach(), self.feature(x)"),
         "no gradient reaches projection"),
        (_edit(_MERGE, "self.gamma * h_f + x\n", "float(self.gamma) * h_f + x\n"),
         "no gradient reaches gamma"),
        (_edit(_MERGE, "        size = x", "        x.relu_()\n        size = x"),
         "changes its argument `x`"),
        (_edit(_MERGE, "        return torch.cat([x * s + x, g], dim=1)\n",
               "        torch.cat([x * s + x, g], dim=1)\n"), "end in a `return`"),
        (_edit(_MERGE, "[x, nothing, nothing]", "[x, x, x]"), "beside X stand zeros, not X again"),
        (_edit(_MERGE, "torch.cat([x, nothing, nothing], dim=1)", "x"), "zeros stand beside X"),
        (_edit(_MERGE, "[x * up + x, x]", "[x, x]"), "X_l still multiplies X"),
        (_edit(_MERGE, "[x * up + x, x]", "[2 * x, x]"), "X_l still multiplies X"),
        (_edit(_MERGE, "[x * up + x, x]", "[x * up + x, torch.zeros_like(x)]"), "it is X, not 0"),
        (_edit(_MERGE, "[x * up + x, x]", "[x * up, x]"), "the sum is missing"),
        (_edit(_MERGE, "[x * up + x, x]", "[x + up, x]"), "multiplied, then X is added"),
        (_edit(_MERGE, "[x * up + x, x]", "[x * x_l + x, x]"), "enlarge X_l"),
        (_edit(_MERGE, 'if block.merge == "paper":\n        nothing',
               'return block.merged(x)\n    if block.merge == "paper":\n        nothing'),
         "you asked a graph"),
        (_edit(_MERGE, "    nothing = torch.zeros_like(x)",
               "    nothing = 0 * block.feature(x)"), "you asked a graph"),
        (_edit(_MERGE, "self.lambda_ * h_s + x_l", "self.lambda_ * (h_s + x_l)"), 'λ multiplies H_S alone, not X_l'),
        (_edit(_MERGE, "self.gamma * h_f + x", "self.gamma * (h_f + x)"), 'γ multiplies H_F alone, not X'),
        (_edit(_MERGE, "[x * s + x, g]", "[x * s + g]"), 'Y of "code" has 2 times the channels of X (concatenated:'),
        (_edit(_MERGE, "[x * s + x, g]", "[x * s + g, g]"), 'G stands beside the first part, not in it'),
        (_edit(_MERGE, "[x * s + x, g]", "[x, x * s + x, g]"), 'X is laid beside once'),
        (_edit(_MERGE, "[x * s + x, g]", "[s, g]"), 'the first part is X · up(S) + X, not up(S) alone'),
        (_edit(_MERGE, "[x, self.lambda_ * up, self.gamma * h_f]", "[x, self.lambda_ * up + x, self.gamma * h_f + x]"), '⊙ is concatenation: Eq. 1 lays maps side by side, there is'),
        (_edit(_MERGE, "[x, self.lambda_ * up, self.gamma * h_f]", "[self.lambda_ * up, x, self.gamma * h_f]"), 'the parts stand in another order'),
        (_edit(_MERGE, "size = x.shape[-2:]", "size = (x.shape[3], x.shape[2])"), "height and width, in this order: `x.shape[-2:]`"),
        (_edit(_MERGE,'mode="bilinear")\n        g','mode="bicubic")\n        g'), 'enlarge bilinearly, not bicubically'),
        (_edit(_MERGE, "size = x.shape[-2:]", "size = x.shape"), '`F.interpolate` takes the height and width alone:'),
        ("class DDGCN(DDGCNParts):\n    def merged(self, x):\n        return self.gamma * x\n\ndef at_start(block, x):\n    return x\n", 'Y of "paper" has 3 times the channels of X (concatenated:'),
        (_edit(_MERGE,'if block.merge == "paper":','if block.merge == "code":'), '"paper": this is the other reading: is the name'),
        (_edit(_MERGE, "torch.zeros_like(x)\n        return torch.cat([x, nothing", "torch.ones_like(x)\n        return torch.cat([x, nothing"), '"paper": γ and λ are 0: beside X stand zeros, not ones'),
        (_edit(_MERGE,'def at_start(block, x):\n','def at_start(block, x):\n    block.lambda_.data.zero_()\n    return block.merged(x)\n'), 'changes its argument `block`'),
        (_edit(_MERGE, "nothing = torch.zeros_like(x)", "nothing = torch.zeros(x.shape[1:])"), '`torch.zeros_like(x)` has the batch, too'),
        (_edit(_MERGE, "[x, nothing, nothing]", "[x, nothing]"), 'zeros stand beside X twice'),
        (_edit(_MERGE, "    x_l = block.projection(x)\n    up", "    x_l = block.projection(block.conva(x))\n    up"), '`x` is X already: `conva` comes before'),
        (_edit(_MERGE, "    up = F.interpolate(x_l, x.shape[-2:], mode=\"bilinear\")", "    up = F.interpolate(x_l, x.shape[-2:], mode=\"bilinear\", align_corners=True)"), '"code": leave align_corners at its default'),
        (_edit(_MERGE, "[x * up + x, x]", "[x, up]"), '"code": X · up(S) + X comes first, then G, which is X'),
        (_edit(_MERGE, "[x * up + x, x]", "[up, x]"), '"code": the first part is X · up(S) + X, not S'),
        (_edit(_MERGE, 'self.gamma * h_f + x', 'self.gamma + h_f + x'), 'γ multiplies H_F, it is not added'),
        (_edit(_MERGE, 'self.lambda_ * h_s + x_l', '(1 - self.lambda_) * x_l + self.lambda_ * h_s'), 'X_l stays whole'),
        (_edit(_MERGE, 'self.lambda_ * h_s + x_l', 'self.lambda_.sigmoid() * h_s + x_l'), 'no sigmoid'),
        (_edit(_MERGE, 'self.lambda_ * h_s + x_l', 'self.lambda_ * h_s * x_l'), 'a sum, no product'),
        (_edit(_MERGE, 'self.gamma * h_f + x', 'self.gamma * x + h_f'), 'γ multiplies H_F, not X'),
        (_edit(_MERGE, 'self.lambda_ * h_s + x_l', 'self.gamma * h_s + x_l'), 'λ belongs to H_S'),
        (_edit(_MERGE, '[x * s + x, g]', '[x * (s + x), g]'), 'not X · (X + up(S))'),
        (_edit(_MERGE, '[x * s + x, g]', '[x @ s + x, g]'), '`*`, not `@`'),
        (_edit(_MERGE, '[x * s + x, g]', '[x * s + s, g]'), 'not X · up(S) + up(S)'),
        (_edit(_MERGE, '[x * s + x, g]', '[x * s + x, x * g + x]'), 'not X · G + X'),
        (_edit(_MERGE, '[x * s + x, g]', '[x * s.sigmoid() + x, g]'), 'no sigmoid in this equation'),
        (_edit(_MERGE, '[x * s + x, g]', '[x / s + x, g]'), 'not as expected in Y'),
        (_edit(_MERGE, '[x, self.lambda_ * up, self.gamma * h_f]', '[x, x * up, x * h_f]'), 'no sum and no product'),
        (_edit(_MERGE, '[x, self.lambda_ * up, self.gamma * h_f]', '[x, self.lambda_ + up, self.gamma + h_f]'), 'λ up(H_S) and the part γ H_F'),
        (_edit(_MERGE, '[x, self.lambda_ * up, self.gamma * h_f]', '[self.lambda_ * x, up, h_f]'), 'X itself has no gate'),
        (_edit(_MERGE, 'self.spatial(x_l), self.feature(x)', 'self.spatial(x_l), self.feature(self.spatial(x))'), 'works on X, not on H_S'),
        (_edit(_MERGE, 'self.spatial(x_l), self.feature(x)', 'self.feature(x_l), self.spatial(x)'), 'H_S is what `spatial` gives'),
        (_edit(_MERGE, 'self.spatial(x_l), self.feature(x)', 'self.spatial, self.feature'), 'call the parts'),
        (_edit(_MERGE, 'x_l = self.projection(x)\n        h', 'x = self.conva(x)\n        x_l = self.projection(x)\n        h'), '`conva` comes before'),
        (_edit(_MERGE, '[x * up + x, x]', '[x * up + x, 2 * x]'), 'it is X, once'),
        (_edit(_MERGE, '[x * up + x, x]', '[x * up + up, x]'), 'X is added, once'),
        (_edit(_MERGE, '[x * up + x, x]', '[x * up + x, up]'), 'and nothing else'),
        (_edit(_MERGE, '[x * up + x, x]', '[torch.zeros_like(x), x]'), 'takes the graph away, not X'),
        (_edit(_MERGE, '[x, nothing, nothing]', '[nothing, nothing, x]'), 'X stands first'),
        (_edit(_MERGE, '[x, nothing, nothing]', '[nothing, nothing, nothing]'), 'X itself stands first'),
        (_edit(_MERGE, '[x, nothing, nothing]', '[x, 0, 0]'), '0 is no tensor'),
        (_edit(_MERGE, '[x, nothing, nothing]', '[x, block.lambda_ * x, nothing]'), 'a graph or a gate'),
        (_edit(_MERGE, '    x_l = block.projection(x)\n    up', '    x_l = self.projection(x)\n    up'), 'this is no method'),
        (_edit(_MERGE, '    x_l = block.projection(x)\n    up', '    x_l = Projection(x.shape[1])(x)\n    up'), 'make none anew'),
        (_edit(_MERGE, '    x_l = block.projection(x)\n    up', '    x_l = F.avg_pool2d(x, 8)\n    up'), 'not as expected in Y'),
    ],
    "count-readings": [
        (_edit(_COUNT, '("paper", "code")', '("code")'), "a loop takes its letters"),
        (_edit(_COUNT, "== target", "is target"), "`is` asks whether"),
        (_edit(_COUNT, "rest + count_parameters(block)", "count_parameters(block)"),
         "add `rest`"),
        (_edit(_COUNT, "if rest + count_parameters(block) == target:", "if True:"),
         "compare its count"),
        (_edit(_COUNT, 'with torch.device("meta"):', "if True:"), "built in memory"),
        (_edit(_COUNT, "DDGCN(in_channels, channels,", "DDGCN(2048, 512,"), "a rest of"),
        (_edit(_COUNT, "== target", "== 59_669_549"), "a rest of"),
        (_edit(_COUNT, "    return found", "    return found[0]"), "a list"),
        (_edit(_COUNT, "    return found", "    return found[:1] or found[0]"), "IndexError"),
        (_edit(_COUNT, "    return found", "                return found"), "end in a `return`"),
        (_edit(_COUNT, "found.append((conva, merge))", "found.append(merge)"), "a reading is a str"),
        (_edit(_COUNT, "found.append((conva, merge))", "found.append((merge, conva))"),
         "in this order"),
        (_edit(_COUNT, "(1, 3)", "(1,)"), "a rest of"),
        (_edit(_COUNT, "found = []", "found = None"), "begin with an empty one"),
        (_edit(_COUNT, "found.append((conva, merge))", "found += (conva, merge)"),
         "a reading is an int"),
        (_edit(_COUNT, "count_parameters(block) == target",
               "sum(t.numel() for t in block.state_dict().values()) == target"),
         "no buffers"),
        ('def readings(target, rest, in_channels=2048, channels=512):\n    return [(1, "code")]\n',
         "a rest of"),
        (_edit(_COUNT, "== target", ">= target"), 'every reading is in the list: compare its count with the'),
        (_edit(_COUNT, "== target", "<= target"), "expected: those with exactly the target's number, `==`"),
        (_edit(_COUNT, "return found", "return set(found)"), 'your answer is a set, expected: a list'),
        (_edit(_COUNT, "return found", "return tuple(found)"), 'your answer is a tuple of 1, expected: a list'),
        (_edit(_COUNT, "found.append((conva, merge))", "found.append((conva, merge, count_parameters(block)))"), "a reading is two things"),
        (_edit(_COUNT, "rest + count_parameters(block) == target", "abs(rest + count_parameters(block) - target) < 10_000"), "expected: those with exactly the target's number, `==`"),
        (_edit(_COUNT, "DDGCN(in_channels, channels,", "DDGCN(channels, in_channels,"), "no reading fits: `in_channels` comes first,"),
        (_edit(_COUNT, "rest + count_parameters(block)", "count_parameters(block) - rest"), 'not taken away'),
        (_edit(_COUNT, ", merge=merge)", ")"), 'DDGCN is built without `merge=merge`: two readings are the'),
        (_edit(_COUNT, " conva=conva,", ""), 'DDGCN is built without `conva=conva`: two readings are the'),
        (_edit(_COUNT, "                found.append((conva, merge))\n    return found", "                return [(conva, merge)]\n"), 'your answer gives None: does every way through it end in a'),
        (_edit(_COUNT, "found.append((conva, merge))", "found.append([conva, merge])"), 'a reading is a list, expected: a tuple'),
        (_edit(_COUNT, "found.append((conva, merge))", "found.append((f'{conva}x{conva}', merge))"), "conva in a reading is a str"),
        (_edit(_COUNT, '(1, 3)', '(1, 2, 3)'), 'a kernel of 2 is in none'),
        (_edit(_COUNT, '(1, 3)', 'range(1, 3)'), "(3, 'code') is never found"),
        (_edit(_COUNT, '== target', '!= target'), 'do *not* fit'),
        (_edit(_COUNT, '== target', '< target'), 'compare by `==`'),
        (_edit(_COUNT, 'count_parameters(block)', 'count_parameters(DDGCN)'), 'not the class'),
        (_edit(_COUNT, '("paper", "code")', '("Paper", "Code")'), 'spelt "paper" and "code"'),
        (_edit(_COUNT, '("paper", "code")', '("paper",)'), 'is never tried'),
        (_edit(_COUNT, 'found.append((conva, merge))', 'found.append(conva, merge)'), 'append one thing'),
        (_edit(_COUNT, 'found.append((conva, merge))', "found.append((1, 'code'))"), 'whatever the target'),
        (_edit(_COUNT, '    return found', '            return found'), 'is never tried'),
        (_edit(_COUNT, 'DDGCN(in_channels, channels, conva=conva, merge=merge)', 'DDGCN(conva, merge)'), 'in_channels and channels first'),
        (_edit(_COUNT, 'conva=conva', 'conva=3'), 'is never tried'),
        (_edit(_COUNT, '== target', '== 59_669_549 '), 'numbers are written in'),
    ],
}  # fmt: skip

RIGHT = {
    "node-projection": [
        _PROJECTION,
        """
class Projection(nn.Sequential):
    def __init__(self, channels):
        steps = []
        for _ in range(3):
            conv = nn.Conv2d(channels, channels, 3, 2, 1, groups=channels, bias=False)
            steps.append(nn.Sequential(conv, ABN(channels)))
        super().__init__(*steps)
""",
        """
class Projection(nn.Sequential):
    def __init__(self, channels: int) -> None:
        super().__init__()
        for number in range(3):
            self.append(conv_abn(channels, channels, kernel=3, stride=2, groups=channels))
""",
        '\nclass Projection(nn.Sequential):\n    def __init__(self, channels):\n        super().__init__()\n        for i in range(3):\n            self.add_module(str(i), conv_abn(channels, channels, 3, 2, groups=channels))\n',
    ],
    "spatial-relation": [
        _RELATE,
        """
def relate(query, key, value):
    return torch.einsum("bil,bij->blj", key, torch.einsum("bil,bjl->bij", query, value).softmax(2))
""",
        """
def relate(query, key, value):
    scores = torch.bmm(query, value.permute(0, 2, 1))
    scores = scores - scores.amax(-1, keepdim=True)
    weights = scores.exp() / scores.exp().sum(-1, keepdim=True)
    return torch.bmm(key.transpose(1, 2), weights)
""",
        'def relate(query, key, value):\n    return torch.stack([k.T @ F.softmax(q @ v.T, 1) for q, k, v in zip(query, key, value)])\n',
        'def relate(query, key, value):\n    return torch.matmul(torch.softmax(torch.matmul(query, value.transpose(-2, -1)), -1).mT, key).mT\n',
    ],
    "spatial-graph": [
        _SPATIAL,
        """
class SpatialGraph(SpatialGraphParts):
    def forward(self, x):
        b, _, h, w = x.shape
        q, k, v = (part(x).view(b, -1, h * w) for part in (self.query, self.key, self.value))
        states = self.update(relate(q, k, v).transpose(1, 2))
        return self.extend(states.reshape(b, -1, h, w))
""",
        _edit(_SPATIAL, "m.unflatten(2, x.shape[-2:])", "m.view(len(x), -1, x.size(2), x.size(3))"),
        _edit(_SPATIAL, "        m = self.update(m.mT)\n", "        conv, norm = self.update\n        m = norm(conv(m.permute(0, 2, 1)))\n"),
    ],
    "feature-graph": [
        _FEATURE,
        """
class FeatureGraph(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.theta, self.phi = conv_abn(channels, channels // 4), conv_abn(channels, channels // 2)
        self.adjacency, self.update = node_abn(channels // 4), node_abn(channels // 2)
        self.extend = conv_abn(channels // 2, channels)

    def forward(self, x):
        where = self.theta(x).flatten(2)
        nodes = where @ self.phi(x).flatten(2).transpose(1, 2)
        nodes = nodes + self.adjacency(nodes)
        y = torch.bmm(self.update(nodes.permute(0, 2, 1)), where)
        return self.extend(y.view(len(x), -1, *x.shape[2:]))
""",
        _edit(_FEATURE, "z = phi @ theta.mT", "z = torch.einsum('bsl,bnl->bsn', phi, theta)"),
        _edit(_FEATURE, "self.adjacency(z.mT).mT + z", "(self.adjacency(z.mT) + z.mT).mT"),
    ],
    "dynamic-merge": [
        _MERGE,
        """
class DDGCN(DDGCNParts):
    def merged(self, x):
        def up(maps):
            return nn.Upsample(size=tuple(x.shape[2:]), mode="bilinear")(maps)

        small = self.projection(x)
        if self.merge == "code":
            s = up(small + self.lambda_ * self.spatial(small))
            return torch.hstack([x + s * x, x + self.gamma * self.feature(x)])
        return torch.hstack([x, up(self.lambda_ * self.spatial(small)), self.feature(x) * self.gamma])


def at_start(block, x):
    n, c, h, w = x.shape
    if block.merge == "code":
        s = F.interpolate(block.projection(x), (h, w), mode="bilinear", align_corners=False)
        return torch.cat((x * (s + 1), x), 1)
    return torch.cat((x, x.new_zeros(n, 2 * c, h, w)), 1)
""",
        _edit(_MERGE,'        s = self.lambda_ * h_s + x_l\n        s = F.interpolate(s, size, mode="bilinear")','        s = self.lambda_ * F.interpolate(h_s, size, mode="bilinear") + F.interpolate(x_l, size, mode="bilinear")'),
        _edit(_MERGE, "x * s + x", "x * (1 + s)"),
    ],
    "count-readings": [
        _COUNT,
        """
def readings(target, rest, in_channels=2048, channels=512):
    with torch.device("meta"):
        sizes = {
            (conva, merge): sum(p.numel() for p in DDGCN(in_channels, channels, conva, merge).parameters())
            for conva in (3, 1)
            for merge in ("code", "paper")
        }
    return [pair for pair, size in sizes.items() if size == target - rest]
""",
        _edit(_COUNT, "if rest + count_parameters(block) == target", "if not target - rest - count_parameters(block)"),
        _edit(_COUNT, "rest + count_parameters(block) == target", "count_parameters(block) == target - rest"),
        _edit(_COUNT, "found.append((conva, merge))", "found.append((conva, merge))\n                break"),
    ],
}  # fmt: skip

_SAME_TWO = "with four dimensions these are the same two"
_NO_ORDER = "names count, their order does not"
_NOTHING_LEARNT = "a prediction is compared, and nothing is learnt through it"

# Planted bugs that change nothing that is asked for: line, change, reason.
EQUIVALENT = {
    "spatial-graph": [
        ("return self.extend(m.unflatten(2, x.shape[-2:]))  # (B, C, h', w')",
         "x.shape[-2:])) → x.shape[2:]))", _SAME_TWO),
    ],
    "feature-graph": [
        *((line, "this and the next in the other order", _NO_ORDER) for line in (
            "self.phi = conv_abn(channels, states)",
            "self.theta = conv_abn(channels, nodes)",
            "self.adjacency = node_abn(nodes)",
            "self.update = node_abn(states)",
        )),
        ("return self.extend(r.unflatten(2, x.shape[-2:]))  # (B, C, h, w)",
         "x.shape[-2:])) → x.shape[2:]))", _SAME_TWO),
    ],
    "dynamic-merge": [
        ('h_s = F.interpolate(h_s, x.shape[-2:], mode="bilinear")  # (B, C, h, w)',
         "x.shape[-2:], → x.shape[2:],", _SAME_TWO),
        ('s = F.interpolate(self.lambda_ * h_s + x_l, x.shape[-2:], mode="bilinear")',
         "x.shape[-2:], → x.shape[2:],", _SAME_TWO),
        ('up = F.interpolate(block.projection(x), x.shape[-2:], mode="bilinear")',
         "x.shape[-2:], → x.shape[2:],", _SAME_TWO),
        ("return torch.cat([x, torch.zeros_like(x), torch.zeros_like(x)], dim=1)",
         "dim=1) → dim=1).detach()", _NOTHING_LEARNT),
        ('up = F.interpolate(block.projection(x), x.shape[-2:], mode="bilinear")',
         "mode='bilinear') → mode='bilinear').detach()", _NOTHING_LEARNT),
        ("return torch.cat([x * up + x, x], dim=1)", "dim=1) → dim=1).detach()", _NOTHING_LEARNT),
    ],
    "count-readings": [
        ("for conva in (1, 3):", "(1, 3): → (3, 1):", "only one reading fits a number"),
        ('for merge in ("paper", "code"):', "('paper', 'code'): → ('code', 'paper'):",
         "only one reading fits a number"),
    ],
}  # fmt: skip
