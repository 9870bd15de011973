"""Looks into a stranger's checkpoint or run.py without running it. A script, run by itself.

`python -I -S inspect_child.py checkpoint|source SECONDS MEGABYTES < FILE` prints one JSON object.

It is a process of its own because a few bytes of pickle can ask for gigabytes, and deep nesting can
exhaust the C stack: here that ends this process, under limits that it sets on itself before it
reads. It imports the standard library alone. The pickle is not run: every name in it is looked up
in the table below, which holds inert stand-ins for what a state_dict needs (the names that
`torch.load(weights_only=True)` allows for it), and any other name ends the reading.
"""

from __future__ import annotations

import ast
import io
import json
import pickle
import sys
import zipfile
from collections import OrderedDict
from contextlib import suppress
from importlib.util import decode_source

_MAX_PICKLE = 16 << 20
_MAX_TENSORS = 100_000
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C

_ITEM_SIZES = {
    "DoubleStorage": 8, "FloatStorage": 4, "HalfStorage": 2, "BFloat16Storage": 2,
    "LongStorage": 8, "IntStorage": 4, "ShortStorage": 2, "CharStorage": 1, "ByteStorage": 1,
    "BoolStorage": 1, "ComplexFloatStorage": 8, "ComplexDoubleStorage": 16, "UntypedStorage": 1,
}  # fmt: skip

_DTYPES = (
    "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool",
)  # fmt: skip


class Refused(Exception):
    """The file cannot be accepted; holds the kind of problem and a detail."""


class _Inert:
    """A pickle may ask to set any attribute of what it built; these have none that it may set."""

    def __setstate__(self, state: object) -> None:
        raise Refused("ckpt-code", "it changes a tensor after building it")


class Storage(_Inert):
    def __init__(self, key: str, location: str) -> None:
        self.key, self.location = key, location


class Tensor(_Inert):
    def __init__(self, storage: object, offset: object, shape: object, stride: object) -> None:
        if not isinstance(storage, Storage):
            raise Refused("ckpt-broken", "a tensor without a storage")
        if not (isinstance(shape, tuple) and isinstance(stride, tuple)):
            raise Refused("ckpt-broken", "a tensor without a shape")
        whole = all(type(n) is int and 0 <= n < 1 << 40 for n in (offset, *shape, *stride))
        if not whole or len(shape) > 16:
            raise Refused("ckpt-broken", "a tensor of impossible shape")
        self.storage, self.offset, self.shape, self.stride = storage, offset, shape, stride
        self.numel = 1
        for n in shape:
            self.numel *= n

    def place(self) -> tuple[object, ...]:
        """Two tensors in one place are one parameter under two names (tied weights)."""
        return (self.storage.key, self.offset, self.shape, self.stride)


class Value(_Inert):
    """A value of another kind than a tensor, such as a number of NumPy's: what it was made of."""

    parts: list[object]

    def __new__(cls, *parts: object) -> Value:  # pickle does not always call __init__
        self = super().__new__(cls)
        self.parts = list(parts)
        return self

    def __setstate__(self, state: object) -> None:
        self.parts.append(state)

    def __setitem__(self, key: object, value: object) -> None:
        self.parts.append(value)

    append = __setstate__


def _tensor(storage: object, offset: object, shape: object, stride: object, *_: object) -> Tensor:
    return Tensor(storage, offset, shape, stride)


def _parameter(data: object, *_: object) -> object:
    return data


def _inert(*_: object) -> None:
    return None


def _size(values: tuple[object, ...] = ()) -> tuple[object, ...]:
    return tuple(values)


_ALLOWED: dict[tuple[str, str], object] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch", "Size"): _size,
    ("torch", "device"): _inert,
    ("torch.storage", "UntypedStorage"): "UntypedStorage",
    **{("torch", name): name for name in (*_ITEM_SIZES, *_DTYPES)},
    **{("builtins", name): Value for name in ("set", "bytearray", "complex")},
    ("collections", "Counter"): Value,
    ("_codecs", "encode"): Value,
}

#: Other values that training loops keep beside the weights. Making one runs no code of the file.
_VALUES = {
    "argparse": ("Namespace",), "types": ("SimpleNamespace",),
    "builtins": ("frozenset", "list", "dict"),
    "collections": ("defaultdict", "deque"), "datetime": ("datetime", "date", "timedelta"),
    "numpy": ("dtype", "ndarray"),
    "numpy.core.multiarray": ("scalar", "_reconstruct"),
    "numpy._core.multiarray": ("scalar", "_reconstruct"),
    "pathlib": ("Path", "PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath"),
}  # fmt: skip


class StateReader(pickle.Unpickler):
    """Reads tensors as their shapes, and refuses any name that a state_dict does not need."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, encoding="utf-8")
        self.storages: dict[str, tuple[str, int]] = {}
        self.values: set[str] = set()

    def find_class(self, module: str, name: str) -> object:
        module = "builtins" if module == "__builtin__" else module
        if name in _VALUES.get(module, ()):
            self.values.add(f"{module}.{name}")
            return Value
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise Refused("ckpt-code", f"it asks for {module}.{name}") from None

    def persistent_load(self, pid: object) -> Storage:
        if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage":
            raise Refused("ckpt-broken", "an unknown reference")
        _, type_name, key, location, numel = pid[:5]
        if type_name not in _ITEM_SIZES or type(numel) is not int or numel < 0:
            raise Refused("ckpt-broken", "a storage of unknown type")
        self.storages[str(key)] = (type_name, numel)
        return Storage(str(key), str(location))


def read_checkpoint(data: bytes) -> dict[str, object]:
    """What a checkpoint holds, without loading it."""
    if data[:4] == b"PK\x03\x04":
        content, kinds = _read_zip(data)
    elif data[8:9] == b"{":
        raise Refused("ckpt-broken", "it is a safetensors file; torch.load needs torch.save's")
    else:
        content, kinds = _read_legacy(data)
    if not isinstance(content, dict):
        raise Refused("ckpt-no-state-dict", f"it holds a {type(content).__name__}")
    if "state_dict" not in content:
        bare = any(isinstance(v, Tensor) for v in dict.values(content))
        keys = ", ".join(repr(k)[:40] for k in list(dict.keys(content))[:4])
        raise Refused(
            "ckpt-no-state-dict",
            "the weights lie at its top level" if bare else f"it has {keys or 'nothing'}",
        )
    state = dict.__getitem__(content, "state_dict")
    values = list(dict.values(state)) if isinstance(state, dict) else []
    if not any(isinstance(v, Tensor) for v in values):
        raise Refused("ckpt-no-state-dict", '"state_dict" holds no tensors')
    # By `dict.items`: a pickle can give an OrderedDict an attribute `items` that hides some.
    named = {k: v for k, v in dict.items(state) if isinstance(k, str) and isinstance(v, Tensor)}
    other = [v for k, v in dict.items(state) if k not in named]
    rest = [v for k, v in dict.items(content) if k != "state_dict"]
    outside = _count_outside([rest, other])
    return {**_count(named), "outside": outside, "values": sorted(kinds)}


def _read_zip(data: bytes) -> tuple[object, set[str]]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise Refused("ckpt-broken", str(error)) from None
    infos = {info.filename: info for info in archive.infolist()}
    if len(infos) != len(archive.infolist()):
        raise Refused("ckpt-broken", "two of its entries have one name")
    pickles = [name for name in infos if name.endswith("data.pkl") and name.count("/") <= 1]
    if any(name.endswith("constants.pkl") for name in infos):
        raise Refused("ckpt-code", "it is a TorchScript program")
    if len(pickles) != 1:
        raise Refused("ckpt-broken", "it is a zip, but torch.save did not write it")
    if infos[pickles[0]].file_size > _MAX_PICKLE or infos[pickles[0]].compress_type not in (0, 8):
        raise Refused("ckpt-broken", "its description is too large")
    try:
        reader = StateReader(io.BytesIO(archive.read(pickles[0])))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
        raise Refused("ckpt-broken", str(error)) from None
    content = _load(reader)
    folder = pickles[0].removesuffix("data.pkl")
    for key, (type_name, numel) in reader.storages.items():
        info = infos.get(f"{folder}data/{key}")
        if info is None or info.file_size < numel * _ITEM_SIZES[type_name]:
            raise Refused("ckpt-broken", f"the numbers of storage {key} are missing")
    return content, reader.values


def _read_legacy(data: bytes) -> tuple[object, set[str]]:
    """torch.save's form before 1.6: a magic number, a version, the system, then the content."""
    reader = StateReader(io.BytesIO(data))
    if _load(reader) != _LEGACY_MAGIC:
        raise Refused("ckpt-broken", "torch.save did not write it")
    _load(reader)
    _load(reader)
    content = _load(reader)
    if sum(n * _ITEM_SIZES[t] for t, n in reader.storages.values()) > len(data):
        raise Refused("ckpt-broken", "it is cut off")
    return content, reader.values


def _load(reader: StateReader) -> object:
    try:
        return reader.load()
    except (Refused, MemoryError):
        raise
    # A hostile pickle can raise anything: what it raises is only ever reported.
    except Exception as error:
        raise Refused("ckpt-broken", f"{type(error).__name__}: {error}"[:200]) from None


def _count(state: dict[str, Tensor]) -> dict[str, object]:
    """Parameters and buffers of a state_dict.

    A state_dict does not say which of its tensors are parameters. The buffers that the course's
    models have are those of batch normalisation, which have fixed names; they are told apart by
    name and by shape. Every other tensor counts as a parameter, so the count can only be too high.
    """
    parameters = buffers = 0
    seen: set[tuple[object, ...]] = set()
    for name, tensor in state.items():
        if _is_buffer(name, tensor, state):
            buffers += tensor.numel
        elif tensor.place() not in seen:
            seen.add(tensor.place())
            parameters += tensor.numel
    on_gpu = any(not t.storage.location.startswith("cpu") for t in state.values())
    return {"parameters": parameters, "buffers": buffers, "tensors": len(state), "gpu": on_gpu}


def _is_buffer(name: str, tensor: Tensor, state: dict[str, Tensor]) -> bool:
    prefix, _, leaf = name.rpartition(".")
    prefix += "." if prefix else ""
    if leaf == "num_batches_tracked":
        return tensor.numel == 1 and f"{prefix}running_mean" in state
    if leaf not in ("running_mean", "running_var") or len(tensor.shape) != 1:
        return False
    beside = [state.get(prefix + other) for other in ("running_mean", "running_var", "weight")]
    return all(t is None or t.shape == tensor.shape for t in beside) and None not in beside[:2]


def _count_outside(content: object) -> int:
    """Numbers in tensors anywhere in nested dicts and lists, each container looked at once."""
    total = 0
    stack, seen = [content], set[int]()
    while stack and len(seen) < _MAX_TENSORS:
        item = stack.pop()
        if id(item) in seen:
            continue
        if isinstance(item, Tensor):
            seen.add(id(item))
            total += item.numel
        elif isinstance(item, dict):
            seen.add(id(item))
            stack.extend(dict.values(item))
        elif isinstance(item, (list, tuple, Value)):
            seen.add(id(item))
            stack.extend(item.parts if isinstance(item, Value) else item)
    return total


def read_source(data: bytes) -> dict[str, object]:
    """The imports and the string constants of a Python file, which is parsed and not run."""
    try:
        text = decode_source(data)  # a line about the coding counts
    except (UnicodeDecodeError, LookupError, SyntaxError) as error:
        raise Refused("run-encoding", str(error)) from None
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        where = f"line {line}: " if line else ""
        python = f"to Python {sys.version_info[0]}.{sys.version_info[1]}"
        raise Refused("run-syntax", f"{where}{getattr(error, 'msg', error)}, {python}") from None
    imports, strings = set[str](), set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imports.add(node.module.split(".")[0])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            strings.add(node.value[:40])
    foreign = sorted(imports - sys.stdlib_module_names)
    relative = [n.lineno for n in tree.body if isinstance(n, ast.ImportFrom) and n.level]
    return {
        "relative": relative[:1],
        "imports": [name[:60] for name in foreign[:50]],
        "arguments": [a for a in ("--input", "--output", "--weights") if a in strings],
    }


def _limit_self(seconds: int, megabytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows: the parent's clock is the only limit
        return
    for name, value in (
        ("RLIMIT_AS", megabytes << 20), ("RLIMIT_CPU", seconds), ("RLIMIT_FSIZE", 1 << 20),
        ("RLIMIT_CORE", 0),
    ):  # fmt: skip
        # macOS has no RLIMIT_AS to speak of; the other limits still hold there.
        with suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, name), (value, value))


def main(argv: list[str]) -> None:
    what, seconds, megabytes = argv[0], int(argv[1]), int(argv[2])
    _limit_self(seconds, megabytes)
    reader = {"checkpoint": read_checkpoint, "source": read_source}[what]
    try:
        result = reader(sys.stdin.buffer.read())
    except Refused as refusal:
        result = {"problem": refusal.args[0], "detail": refusal.args[1]}
    except MemoryError:
        kind = "ckpt-unreadable" if what == "checkpoint" else "run-syntax"
        result = {"problem": kind, "detail": "it needs too much memory"}
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
