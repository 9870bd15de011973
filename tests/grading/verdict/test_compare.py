"""Comparing what was emitted: what counts, what does not, and what a stranger may put there."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit import metrics
from coursekit.errors import CourseError
from coursekit.grading.verdict import compare as module
from coursekit.grading.verdict.compare import compare, emissions, predictable
from coursekit.probe import DEEPEST, FOLDER, SECRET, Probe, encode

CHECK = "check-it"
Emit = Callable[..., tuple[str, tuple[str, ...]]]


class Kernels:
    """A reference kernel and a student's, one after the other in this process."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reference, self.student = folder / "reference", folder / "student"
        self._monkeypatch = monkeypatch

    def probe(self, folder: Path, secret: str | None) -> Probe:
        folder.mkdir(exist_ok=True)
        self._monkeypatch.setenv(FOLDER, str(folder))
        if secret is None:
            self._monkeypatch.delenv(SECRET, raising=False)
        else:
            self._monkeypatch.setenv(SECRET, secret)
        return Probe(CHECK)

    def judge(self, expected: Any, got: Any, **how: Any) -> tuple[str, tuple[str, ...]]:
        self.probe(self.reference, "s").emit("it", expected, "the sum", **how)
        self.probe(self.student, None).emit("it", got, "ignored")
        return compare(self.reference, self.student, CHECK)

    def file(self, name: str = "it") -> Path:
        path = self.student / "emitted" / CHECK / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def judge_file(self, content: bytes | str) -> tuple[str, tuple[str, ...]]:
        self.probe(self.reference, "s").emit("it", [1.5, 2.5], "the sum")
        self.file().write_bytes(content if isinstance(content, bytes) else content.encode())
        return compare(self.reference, self.student, CHECK)


@pytest.fixture
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernels:
    return Kernels(tmp_path, monkeypatch)


PASSED: tuple[str, tuple[str, ...]] = ("passed", ())
F = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (2, 2.0),
        (2, np.array(2)),
        (np.float32(0.1), 0.1),
        ([1, 2, 3], (1, 2, 3)),
        ([1, 2, 3], np.array([1, 2, 3], dtype=np.uint8)),
        (F, [1, 2, 3]),
        (F, F * (1 + 1e-6)),
        (np.array([1.0, np.nan, np.inf]), [1.0, np.nan, np.inf]),
        (True, np.array(True)),
        (torch.tensor([[1.5]]), [[1.5]]),
        ((F, [F, "a"]), [F, (F, "a")]),
        ([F, F[:2], None], [F, F[:2], None]),
        ({"a": F, 1: "b"}, {1: "b", "a": [1, 2, 3]}),
        (10**30, 10**30),
        ([], np.zeros(0)),
        (torch.tensor([1.5]).bfloat16(), [1.5]),
        (F + 1j, F + 1j),
    ],
)
def test_equal_results_pass(kernels: Kernels, expected: Any, got: Any) -> None:
    assert kernels.judge(expected, got) == PASSED


@pytest.mark.parametrize(
    ("expected", "got", "category"),
    [
        (2, 3, "wrong values"),
        (2, 2.0001, "wrong values"),
        (2, 2.00000001, "wrong values"),
        (2.0, 2.0001, "wrong values"),
        (2, "2", "has another type"),
        (2, None, "has another type"),
        (None, 2, "has another type"),
        (2, [2], "has another shape"),
        (True, False, "wrong values"),
        (F, F[None], "has another shape"),
        (F, F[:2], "has another shape"),
        (F, F[::-1], "wrong values"),
        (F, F + 0.1j, "has another type"),
        (F, [1, 2, None], "has another type"),
        (F, [1.0, np.nan, 3.0], "not a finite number where one is expected"),
        (F, [1.0, np.inf, 3.0], "not a finite number where one is expected"),
        ([1.0, np.nan], [1.0, 2.0], "wrong values"),
        ([np.inf], [-np.inf], "wrong values"),
        ("a", "b", "wrong values"),
        (["a", 1], ["a", 2], "wrong values"),
        (["a", 1], ["a"], "has another shape"),
        (["a", 1], "a1", "has another type"),
        ({"a": 1}, {"b": 1}, "has another shape"),
        ({"a": 1}, {"a": 1, "b": 1}, "has another shape"),
        ({"a": 1}, {"a": 2}, "wrong values"),
        ({"a": 1}, [1], "has another type"),
        (10**30, 10**30 + 1, "wrong values"),
        (10**30, 1.0, "wrong values"),
        (1, 10**30, "wrong values"),
        (F, [10**30, 2, 3], "wrong values"),
        (np.arange(3), [0, 1, 2.5], "wrong values"),
    ],
)
def test_other_results_do_not(kernels: Kernels, expected: Any, got: Any, category: str) -> None:
    assert kernels.judge(expected, got) == ("wrong", (f"the sum: {category}",))


@pytest.mark.parametrize(
    ("how", "got", "category"),
    [
        ({"close": 0.01}, F + 0.015, ""),
        ({"close": 0.01}, F + 0.03, "wrong values"),
        ({"close": 0.5, "dtype": True}, F, ""),
        ({"dtype": True}, F.astype(np.float32), "has another type"),
        ({"dtype": True}, [1.0, 2.0, 3.0], "has another type"),
        ({"dtype": True}, F.astype(">f8"), ""),
        ({"dtype": True}, F[:2], "has another shape"),
    ],
)
def test_how_close_and_of_which_type(
    kernels: Kernels, how: dict[str, Any], got: Any, category: str
) -> None:
    reasons = (f"the sum: {category}",) if category else ()
    assert kernels.judge(F, got, **how)[1] == reasons


def test_types_count_inside_of_a_tuple(kernels: Kernels) -> None:
    expected = (F, [F.astype(np.uint8), 3, "a"])
    assert kernels.judge(expected, expected, dtype=True) == PASSED
    assert kernels.judge(expected, (F, [F, 3, "a"]), dtype=True)[0] == "wrong"
    assert kernels.judge(expected, (F, [F, 3, "a"])) == PASSED


def test_a_tolerance_may_be_given_for_whole_numbers(kernels: Kernels) -> None:
    image = np.full((4, 4), 100, dtype=np.uint8)
    assert kernels.judge(image, image + 1, close=1.0) == PASSED
    assert kernels.judge(image, image - 1, close=1.0) == PASSED  # no wrapping round below 0
    assert kernels.judge(image * 0, image * 0 + 255, close=1.0)[0] == "wrong"


@pytest.mark.parametrize(
    ("got", "category"),
    [
        (10, ""),
        (10.0, ""),
        (np.array(9.5), ""),
        (np.float32(10), ""),
        (10.01, "above the limit"),
        (4.9, "below the threshold"),
        (10**400, "above the limit"),
        (True, "has another type"),
        (np.array(True), "has another type"),
        (np.array([7]), "has another type"),
        (None, "has another type"),
        ("7", "has another type"),
        (float("nan"), "not a finite number where one is expected"),
        (float("-inf"), "not a finite number where one is expected"),
        (np.array(np.nan), "not a finite number where one is expected"),
    ],
)
def test_limits(kernels: Kernels, got: Any, category: str) -> None:
    reasons = (f"the sum: {category}",) if category else ()
    assert kernels.judge(7, got, at_most=10, at_least=5)[1] == reasons


class TestMaps:
    @pytest.fixture
    def truth(self) -> np.ndarray[Any, Any]:
        rng = np.random.default_rng(0)
        return rng.choice(np.array([0, 1, 3, 255], dtype=np.uint8), (2, 8, 9))

    def judge(self, kernels: Kernels, truth: Any, got: Any, least: float) -> tuple[str, ...]:
        probe = kernels.probe(kernels.reference, "s")
        probe.keep("truth", lambda rng: truth)
        probe.emit("it", np.zeros(1), "the maps", miou=("truth", least))
        kernels.probe(kernels.student, None).emit("it", got, "")
        return compare(kernels.reference, kernels.student, CHECK)[1]

    def test_the_score_is_that_of_the_metrics(self, kernels: Kernels, truth: Any) -> None:
        got = np.where(np.random.default_rng(1).random(truth.shape) < 0.3, 2, truth)
        got[truth == 255] = 7  # not looked at
        matrix = metrics.confusion_matrix(
            torch.from_numpy(got), torch.from_numpy(truth.astype(int)), 9
        )
        score = metrics.mean_iou(matrix)
        assert 0.2 < score < 0.8
        assert self.judge(kernels, truth, got, score - 1e-9) == ()
        assert self.judge(kernels, truth, got, score + 1e-9) == ("the maps: below the threshold",)

    @pytest.mark.parametrize(
        ("change", "category"),
        [
            (lambda t: t[0], "has another shape"),
            (lambda t: "0", "has another type"),
            (lambda t: t == 1, "has another type"),
            (lambda t: t.astype(int) - 1, "wrong values"),
            (lambda t: t.astype(int) * 2**40, "wrong values"),
            (lambda t: t + 0.5, "wrong values"),
            (lambda t: t * np.nan, "not a finite number where one is expected"),
            (lambda t: t * 0, "below the threshold"),
        ],
    )
    def test_what_is_no_good_map(
        self, kernels: Kernels, truth: Any, change: Callable[[Any], Any], category: str
    ) -> None:
        assert self.judge(kernels, truth, change(truth), 0.9) == (f"the maps: {category}",)

    def test_lists_and_floats_are_maps(self, kernels: Kernels, truth: Any) -> None:
        assert self.judge(kernels, truth, truth.astype(float).tolist(), 1.0) == ()


def test_what_is_missing(kernels: Kernels) -> None:
    reference = kernels.probe(kernels.reference, "s")
    reference.emit("a", 1, "the first")
    reference.emit("b", 2, "the second")
    student = kernels.probe(kernels.student, None)
    assert compare(kernels.reference, kernels.student, CHECK) == ("not-run", ())
    student.emit("c", 2, "of my own")
    assert compare(kernels.reference, kernels.student, CHECK) == ("not-run", ())
    student.emit("a", 1, "mine")
    missing = ("wrong", ("the second: is missing",))
    assert compare(kernels.reference, kernels.student, CHECK) == missing


def test_a_reason_is_given_once(kernels: Kernels) -> None:
    for name in "ab":
        kernels.probe(kernels.reference, "s").emit(name, 1, "the sum")
        kernels.probe(kernels.student, None).emit(name, 2, "the sum")
    wrong = ("wrong", ("the sum: wrong values",))
    assert compare(kernels.reference, kernels.student, CHECK) == wrong


ARRAY = encode(np.array([1.5, 2.5]))["is"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe{",
        '{"value": [1.5, 2.5]}'.encode("utf-16"),
        "[1.5, 2.5]",
        '{"value": [1.5, NaN]}',
        '{"value": [1.5, -Infinity]}',
        '{"about": "x", "at_most": 9}',
        '{"value": {"$": "array"}}',
        '{"value": {"$": "array", "is": "no base64"}}',
        '{"value": {"$": "array", "is": ""}}',
        '{"value": {"$": "object", "is": []}}',
        '{"value": {"$": "dict", "is": [[1]]}}',
        '{"value": {"$": "dict", "is": [[[1], 2]]}}',
        '{"value": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"value": ' + "[" * (DEEPEST + 2) + "]" * (DEEPEST + 2) + "}",
        '{"value": ' + "9" * 5000 + "}",
    ],
    ids=lambda content: str(content[:30]),
)
def test_what_is_no_record_is_wrong(kernels: Kernels, content: bytes | str) -> None:
    assert kernels.judge_file(content) == ("wrong", ("the sum: cannot be read",))


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '|O', 'fortran_order': False, 'shape': (2,), }",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (2000000000000,), }",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -2), }",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (0, 10**9), }",
        b"{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (2,), }",
        b"{'descr': '|V8', 'fortran_order': False, 'shape': (2,), }",
        b"{'descr': '<M8[s]', 'fortran_order': False, 'shape': (2,), }",
        b"__import__('os').abort()",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (2L,), }",
    ],
)
def test_forged_array_headers_are_wrong(kernels: Kernels, header: bytes) -> None:
    import base64

    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(16)
    forged = json.dumps({"value": {"$": "array", "is": base64.b64encode(content).decode()}})
    assert kernels.judge_file(forged) == ("wrong", ("the sum: cannot be read",))


def test_only_the_reference_says_how_to_compare(kernels: Kernels) -> None:
    forged = {"value": [9, 9], "close": 1e9, "about": "x", "miou": None, "at_most": 10}
    assert kernels.judge_file(json.dumps(forged)) == ("wrong", ("the sum: wrong values",))


def test_no_link_is_followed_and_no_pipe_waited_for(kernels: Kernels, tmp_path: Path) -> None:
    good = tmp_path / "good.json"
    good.write_text('{"value": [1.5, 2.5]}')
    assert kernels.judge_file(good.read_bytes()) == PASSED
    unreadable = ("wrong", ("the sum: cannot be read",))

    def again() -> tuple[str, tuple[str, ...]]:
        return compare(kernels.reference, kernels.student, CHECK)

    path = kernels.file()
    path.unlink()
    path.symlink_to(good)
    assert again() == unreadable
    path.unlink()
    os.mkfifo(path)
    assert again() == unreadable
    path.unlink()
    path.mkdir()
    assert again() == unreadable
    path.rmdir()
    path.symlink_to("/dev/zero")
    assert again() == unreadable
    folder = path.parent
    path.unlink()
    folder.rename(tmp_path / "moved")
    (tmp_path / "moved" / path.name).write_bytes(good.read_bytes())
    folder.symlink_to(tmp_path / "moved")
    assert again() == unreadable
    folder.unlink()
    folder.parent.rmdir()
    folder.parent.symlink_to(tmp_path)
    assert again() == unreadable


def test_a_gigabyte_is_not_read(kernels: Kernels) -> None:
    kernels.probe(kernels.reference, "s").emit("it", [1.5, 2.5], "the sum")
    with kernels.file().open("wb") as file:
        file.truncate(2**30)  # a hole: it takes no room
    tracemalloc.start()
    try:
        status, _ = compare(kernels.reference, kernels.student, CHECK)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert status == "wrong" and peak < 3 * module.MOST_BYTES


@pytest.mark.parametrize("item", ["{}", "[]", "1", '""'])
def test_many_items_are_not_parsed(kernels: Kernels, item: str) -> None:
    content = '{"value": [' + ",".join([item] * (module.MOST_ITEMS + 1)) + "]}"
    assert kernels.judge_file(content) == ("wrong", ("the sum: cannot be read",))


def test_a_list_of_strings_is_never_an_array(kernels: Kernels) -> None:
    # As an array each item would take the room of the longest.
    items = ["a" * 1_000_000] + ["b"] * 100_000
    wrong = ("wrong", ("the sum: has another type",))
    assert kernels.judge_file(json.dumps({"value": items})) == wrong


_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
    | st.sampled_from([F, F[None], F > 2, F.astype(np.float16), F + 1j, np.array(3), np.zeros(0)])
)  # fmt: skip
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.integers(0, 3) | st.text(max_size=1), inner, max_size=2)
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(expected=_VALUES, got=_VALUES, dtype=st.booleans(), close=st.none() | st.just(1e-3))
def test_any_two_values_can_be_compared(
    tmp_path_factory: pytest.TempPathFactory, expected: Any, got: Any, dtype: bool, close: Any
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        kernels = Kernels(tmp_path_factory.mktemp("probe"), monkeypatch)
        assert kernels.judge(expected, expected, dtype=dtype, close=close) == PASSED
        status, _ = kernels.judge(expected, got, dtype=dtype, close=close)
        assert status in ("passed", "wrong")
        assert kernels.judge(1, got, at_most=3)[0] in ("passed", "wrong")


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=60) | st.text(alphabet='{}[]":,$isvalue10-.', max_size=60))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes | str
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        kernels = Kernels(tmp_path_factory.mktemp("probe"), monkeypatch)
        assert kernels.judge_file(content)[0] == "wrong"


def test_a_reference_that_is_not_in_order_is_refused(kernels: Kernels) -> None:
    with pytest.raises(CourseError, match=r"check-it: its hidden half emitted nothing"):
        compare(kernels.reference, kernels.student, CHECK)
    kernels.probe(kernels.reference, None).emit("it", 1, "by a student")
    with pytest.raises(CourseError, match="not written by a reference kernel"):
        compare(kernels.reference, kernels.student, CHECK)


def test_what_can_be_forged(kernels: Kernels, tmp_path: Path) -> None:
    folders = tmp_path / "one", tmp_path / "two"
    for secret, folder in zip(("a", "b"), folders, strict=True):
        probe = kernels.probe(folder, secret)
        drawn = probe.given("x", lambda rng: rng.random(3))
        truth = probe.keep("truth", lambda rng: rng.integers(0, 3, (9, 9)))
        probe.emit("drawn", 2 * drawn, "drawn")
        probe.emit("constant", np.arange(3), "the same each time")
        probe.emit("small", drawn.sum(), "a limit", at_most=1000)
        probe.emit("maps", truth, "a truth that differs", miou=("truth", 0.9))
    assert emissions(folders[0], CHECK) == ("constant", "drawn", "maps", "small")
    assert predictable(*folders, CHECK) == ("constant", "small")
