"""What the validator says of solution/, whose checkpoint and program it never runs."""

from __future__ import annotations

import io
import os
import pickle
import tempfile
import warnings
import zipfile
from argparse import Namespace
from collections import Counter, OrderedDict, defaultdict
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from coursekit import count_parameters, create_model
from coursekit.codabench import CODABENCH, is_valid, limits, validate
from coursekit.codabench.inspect_child import Refused, read_checkpoint

from .zips import good, write_zip

RUN = b"import argparse\n# --x\nA = ['--input', '--output', '--weights']\nimport torch, PIL\n"
REQUIREMENTS = b"torch==2.15.0\npillow>=11,<14 ; python_version >= '3.11'  # reads images\n"


def saved(content, **options) -> bytes:
    out = io.BytesIO()
    torch.save(content, out, **options)
    return out.getvalue()


ONE = torch.ones(1)
BIG = bytes(limits.LARGEST_TEXT + 1)
CKPT = saved({"state_dict": nn.Linear(2, 3).state_dict()})


def check(tmp_path, images, final=None, **files):
    """Validate a good zip with the given solution files; None leaves one out."""
    entries = {"ckpt.pth": CKPT, "requirements.txt": REQUIREMENTS, "run.py": RUN}
    entries |= {name.replace("_", "."): data for name, data in files.items()}
    solution = {f"solution/{k}": v for k, v in entries.items() if v is not None}
    path = write_zip(tmp_path / "a.zip", {**good(), **solution})
    return {p.kind: p for p in validate(path, images, "codabench", final=final)}


def test_a_good_solution_has_no_problem(tmp_path, images):
    assert check(tmp_path, images, final=True) == {}


#: Exists if a hostile pickle was run.
MARK = Path(tempfile.gettempdir()) / "coursekit-was-here"


class Evil:
    def __reduce__(self):
        return os.system, (f"touch {MARK}",)


def pickled_in_zip(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", data)
    return out.getvalue()


def without_numbers() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(CKPT)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            new.writestr(info, b"" if "/data/" in info.filename else old.read(info))
    return out.getvalue()


# Asks for a memo of two thousand million entries in six bytes.
MEMO_BOMB = b"\x80\x02" + b"Nr\xff\xff\xff\x7f."


@pytest.mark.parametrize(
    ("kind", "name", "data", "word"),
    [
        ("solution-missing-file", "run_py", None, "solution/run.py"),
        ("empty-file", "ckpt_pth", b"", "solution/ckpt.pth"),
        ("ckpt-code", "ckpt_pth", saved({"state_dict": Evil()}), "system"),
        ("ckpt-code", "ckpt_pth", saved(nn.Linear(2, 2)), "torch.nn.modules.linear.Linear"),
        ("ckpt-code", "ckpt_pth", pickle.dumps(Evil(), 2), "system"),
        ("ckpt-no-state-dict", "ckpt_pth", saved(nn.Linear(2, 2).state_dict()), "top level"),
        ("ckpt-no-state-dict", "ckpt_pth", saved({"model": {}}), "'model'"),
        ("ckpt-no-state-dict", "ckpt_pth", saved({"state_dict": {"a": 1}}), "no tensors"),
        ("ckpt-no-state-dict", "ckpt_pth", saved([1, 2]), "list"),
        ("ckpt-broken", "ckpt_pth", CKPT[:-100], "ckpt.pth"),
        ("ckpt-broken", "ckpt_pth", b"\x80\x02garbage", "ckpt.pth"),
        ("ckpt-broken", "ckpt_pth", pickled_in_zip(b"("), "ckpt.pth"),
        ("ckpt-broken", "ckpt_pth", without_numbers(), "missing"),
        ("ckpt-broken", "ckpt_pth", b"\x40" + bytes(7) + b'{"a":1}', "safetensors"),
        ("run-syntax", "run_py", b"def f(:\n", "line 1"),
        ("run-syntax", "run_py", b"print 'python 2'\n", "line 1"),
        ("run-syntax", "run_py", b"(" * 100_000, "run.py"),
        ("run-encoding", "run_py", b"x = '\xff'", "UTF-8"),
        ("empty-file", "run_py", b"\n", "run.py"),
        ("run-relative", "run_py", RUN + b"from .model import Net\n", "line 5"),
        ("requirements-local", "requirements_txt", b"torch==2.5.1+cu121", "line 1"),
    ],
)
def test_each_broken_solution_has_its_own_message(tmp_path, images, kind, name, data, word):
    problems = check(tmp_path, images, final=True, **{name: data})
    assert kind in problems, problems
    assert word in str(problems[kind])
    assert not is_valid(problems.values())
    assert not MARK.exists()


@pytest.mark.parametrize("data", [pickled_in_zip(MEMO_BOMB), MEMO_BOMB])
def test_a_pickle_that_asks_for_gigabytes_ends_its_own_process(tmp_path, images, data):
    problems = check(tmp_path, images, ckpt_pth=data)
    assert {"ckpt-unreadable", "ckpt-broken"} & set(problems)


def test_time_to_look_into_a_checkpoint_is_bounded(tmp_path, images, monkeypatch):
    path = write_zip(
        tmp_path / "a.zip",
        {**good(), **{f"solution/{k}": v for k, v in [("ckpt.pth", CKPT), ("run.py", RUN)]}},
    )
    monkeypatch.setattr(limits, "SECONDS", 0.001)
    kinds = {p.kind for p in validate(path, images, "codabench")}
    assert {"ckpt-unreadable", "run-syntax", "solution-missing-file"} <= kinds


@pytest.mark.parametrize(
    ("kind", "name", "data"),
    [
        ("run-arguments", "run_py", b"import argparse\n"),
        ("run-imports", "run_py", RUN + b"import coursekit\n"),
        ("requirements-option", "requirements_txt", b"--pre\n-f https://x.y\n" + REQUIREMENTS),
        ("solution-extra-file", "model_py", b"class Net: pass\n"),
        ("ckpt-objects", "ckpt_pth", saved({"state_dict": {"a": ONE}, "best": np.float64(0.5)})),
        ("ckpt-objects", "ckpt_pth", saved({"state_dict": {"a": ONE}, "args": Namespace(lr=0.1)})),
        (
            "ckpt-extra",
            "ckpt_pth",
            saved({"state_dict": {"a": ONE}, "ema": ONE}),
        ),
    ],
)
def test_what_only_looks_odd_is_a_warning(tmp_path, images, kind, name, data):
    problems = check(tmp_path, images, **{name: data})
    assert list(problems) == [kind]
    assert is_valid(problems.values())


def test_a_second_module_is_the_submissions_own(tmp_path, images):
    run = RUN + b"from model import Net\nimport parts.blocks\n"
    more = {"solution/parts/blocks.py": b"", "solution/more.pth": b"x", "solution/big.py": BIG}
    entries = {"ckpt.pth": CKPT, "requirements.txt": b"-r more.txt\n", "run.py": run}
    entries |= {"model.py": b"", "more.txt": REQUIREMENTS}
    solution = {f"solution/{name}": data for name, data in entries.items()} | more
    path = write_zip(tmp_path / "a.zip", {**good(), **solution})
    problems = {p.kind: p for p in validate(path, images, "codabench", final=True)}
    assert set(problems) == {"solution-extra-file", "solution-more-weights"}
    assert is_valid(problems.values())
    assert problems["solution-more-weights"].count == 2


@pytest.mark.parametrize(
    "source",
    [
        "# -*- coding: latin-1 -*-\nx = '\xe9'\n".encode("latin-1"),
        b"\xef\xbb\xbfimport torch\r\n",
    ],
)
def test_run_py_is_read_as_python_reads_it(tmp_path, images, source):
    assert set(check(tmp_path, images, run_py=source)) == {"run-arguments"}


def test_phases(tmp_path, images):
    assert "solution-too-early" in check(tmp_path, images, final=False)
    nothing = {"ckpt_pth": None, "run_py": None, "requirements_txt": None}
    assert check(tmp_path, images, final=None, **nothing) == {}
    assert check(tmp_path, images, final=True, **nothing)["solution-missing-file"].count == 3


def test_the_limit_is_strict(tmp_path, images):
    def kinds(count):
        data = saved({"state_dict": {"w": torch.empty(count, dtype=torch.uint8)}})
        path = write_zip(tmp_path / "a.zip", {**good(), "solution/ckpt.pth": data})
        problems = validate(path, images, "codabench")
        return {p.kind: p.message for p in problems}

    assert "too-many-parameters" not in kinds(CODABENCH.limit - 1)
    assert f"{CODABENCH.limit:,}" in kinds(CODABENCH.limit)["too-many-parameters"]


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 4, bias=False)
        self.b = nn.Linear(4, 4, bias=False)
        self.b.weight = self.a.weight
        self.norm = nn.BatchNorm1d(4)
        self.plain = nn.BatchNorm1d(4, affine=False)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    "model",
    [create_model("unet"), create_model("fastscnn"), Tied(), nn.Linear(3, 3).to(torch.bfloat16)],
    ids=lambda m: type(m).__name__,
)
def test_counts_agree_with_torch(model, legacy):
    data = saved(
        {"state_dict": model.state_dict(), "epoch": 3, "info": {"mean": (0.5, 0.5)}},
        _use_new_zipfile_serialization=not legacy,
    )
    found = read_checkpoint(data)
    loaded = torch.load(io.BytesIO(data), weights_only=True)["state_dict"]
    assert found["parameters"] == count_parameters(model)
    assert found["buffers"] == sum(b.numel() for b in model.buffers())
    assert found["tensors"] == len(loaded)
    assert found["outside"] == 0
    assert not found["gpu"]


def test_values_beside_the_weights_are_told_as_torch_does():
    """What `weights_only` takes is no problem; nothing of it counts as weights."""
    plain = {"seen": Counter("ab"), "of": {1, 2}, "loss": 0.5, "at": complex(1, 2)}
    other = {"at": Path("x"), "when": datetime(2025, 1, 1), "of": defaultdict(list, a=[1])}
    other |= {"lr": np.float32(1), "history": np.ones(3), "more": Namespace(a=ONE)}
    for values in (plain, other):
        data = saved({"state_dict": {"w": ONE}, "values": values})
        found = read_checkpoint(data)
        assert (found["parameters"], found["outside"]) == (1, values is other)
        if values is plain:
            torch.load(io.BytesIO(data), weights_only=True)
            assert not found["values"]
        else:
            with pytest.raises(pickle.UnpicklingError):
                torch.load(io.BytesIO(data), weights_only=True)
            assert {"pathlib.PosixPath", "argparse.Namespace"} <= set(found["values"])
    with pytest.raises(Refused, match="no tensors"):
        read_checkpoint(saved({"state_dict": Namespace(w=ONE)}))


def test_parameters_cannot_pass_as_statistics():
    state = {
        "x.running_mean": torch.zeros(500),  # no running_var beside it
        "y.running_mean": torch.zeros(5),
        "y.running_var": torch.zeros(700),  # of another shape
        "z.running_mean": torch.zeros(2, 2),  # not one number a channel
        "z.running_var": torch.zeros(2, 2),
        "w.num_batches_tracked": torch.zeros(9),
    }
    assert read_checkpoint(saved({"state_dict": state}))["buffers"] == 0
    many = {"n.running_mean": torch.zeros(9000), "n.running_var": torch.zeros(9000)}
    assert read_checkpoint(saved({"state_dict": many}))["parameters"] == 0


def test_hidden_statistics_are_told(tmp_path, images):
    many = {"n.running_mean": torch.zeros(9000), "n.running_var": torch.zeros(9000)}
    problems = check(tmp_path, images, ckpt_pth=saved({"state_dict": many}))
    assert "18,000" in problems["ckpt-buffers"].message


class Renamed:
    """Pickles as an OrderedDict that was given attributes after it was built."""

    def __reduce__(self):
        return OrderedDict, (), {"items": list, "values": list}


def test_a_pickle_cannot_change_how_it_is_counted():
    with pytest.raises(Refused):
        read_checkpoint(saved({"state_dict": Renamed()}))

    class Shrunk:
        def __reduce__(self):
            arguments = (torch.zeros(3), (), False, OrderedDict())
            return torch._utils._rebuild_parameter, arguments[:3], {"numel": 0}

    with pytest.raises(Refused):
        read_checkpoint(saved({"state_dict": {"w": Shrunk()}}))


def test_two_descriptions_in_one_checkpoint_are_refused():
    out = io.BytesIO(CKPT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(out, "a") as archive:
            archive.writestr(archive.namelist()[0], b"N.")
    with pytest.raises(Refused, match="one name"):
        read_checkpoint(out.getvalue())
