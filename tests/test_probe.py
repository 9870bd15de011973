"""Inputs come in, results go out, and nothing of what is expected is in a student's kernel."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from coursekit.probe import DEEPEST, FOLDER, SECRET, Probe, decode, encode


def as_text(value: Any) -> str:
    return json.dumps(encode(value), allow_nan=False)


def trip(value: Any) -> Any:
    return decode(json.loads(as_text(value)))


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 10**400, -2.5, "é\n", [1, [2, "a"]], (1, (None,)), {"a": 1, 2: [3]}, [], {}],
)
def test_plain_values_come_back(value: Any) -> None:
    back = trip(value)
    assert back == value and type(back) is type(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_lacks_come_back(value: float) -> None:
    np.testing.assert_equal(trip([value]), [value])


@pytest.mark.parametrize("dtype", ["u1", "i8", "?", "<f4", ">f8", "f2", "c8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_back_and_can_be_written_to(dtype: str, order: Any) -> None:
    array = np.asarray(np.arange(6).reshape(2, 3), dtype=dtype, order=order)
    back = trip({"it": array[:, ::-1]})["it"]
    np.testing.assert_array_equal(back, array[:, ::-1])
    assert back.dtype == array.dtype.newbyteorder("=")
    back[0, 0] = 0


def test_tensors_come_back_as_arrays() -> None:
    for tensor in (
        torch.arange(3.0, requires_grad=True),
        torch.nn.Parameter(torch.arange(3.0)),
        torch.arange(3).bfloat16(),
        np.float64(2) * torch.arange(3.0) / 2,
    ):
        np.testing.assert_array_equal(trip(tensor), [0, 1, 2])
    assert trip(np.float64(0.5)).shape == () and trip(np.int64(3)) == 3


@pytest.mark.parametrize("value", [object(), np.array(["a"]), np.array([None]), {"a": {1, 2}}])
def test_other_values_are_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="cannot be handed over"):
        encode(value)


def test_depth_is_limited_both_ways() -> None:
    nested: Any = 1
    for _ in range(DEEPEST):
        nested = [nested]
    assert trip(nested) == nested
    with pytest.raises(TypeError, match="nested deeper"):
        encode([nested])
    with pytest.raises(ValueError, match="nested deeper"):
        decode([nested])


@pytest.mark.parametrize(
    "value",
    [
        {}, {"$": "float", "is": "1e9"}, {"$": "tuple", "is": 3}, {"$": "pickle", "is": "gASV"},
        {"$": "dict", "is": [[1, 2, 3]]}, {"$": "array", "is": "AAAA"},
        {"$": "array", "is": base64.b64encode(b"\x93NUMPY\x02\x00").decode()},
    ],
)  # fmt: skip
def test_what_encode_never_writes_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        decode(value)


def test_number_keys_are_few_in_a_whole_record_whatever_their_hashes() -> None:
    alike = [[k * ((1 << 61) - 1), 0] for k in range(1001)]  # all of one hash
    assert len(decode({"$": "dict", "is": alike[:1000]})) == 1000
    halves = [{"$": "dict", "is": alike[:501]}, {"$": "dict", "is": alike[:500]}]
    for value in ({"$": "dict", "is": alike}, halves):
        with pytest.raises(ValueError, match="more than 1000 numbers as keys"):
            decode(value)
    with pytest.raises(TypeError, match="more than 1000 keys that are no strings"):
        encode(dict.fromkeys(range(1001)))
    words = {str(n): n for n in range(5000)}
    assert trip(words) == words


def test_an_array_claims_no_more_than_is_there() -> None:
    text = encode(np.zeros(4))["is"]
    content = base64.b64decode(text).replace(b"(4,)", b"(9,)")
    with pytest.raises(ValueError, match="does not fit"):
        decode({"$": "array", "is": base64.b64encode(content).decode()})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    return tmp_path


def test_a_student_gets_the_inputs_and_draws_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_: np.random.Generator) -> Any:
        raise AssertionError("drawn in a student's kernel")

    monkeypatch.setenv(SECRET, "s")
    reference = Probe("check-it")
    drawn = reference.given("x", lambda rng: torch.from_numpy(rng.random(3)))
    assert isinstance(drawn, np.ndarray)
    truth = reference.keep("y", lambda rng: rng.random(2))
    assert truth.shape == (2,)
    monkeypatch.delenv(SECRET)
    student = Probe("check-it")
    first = student.given("x", never)
    np.testing.assert_array_equal(first, drawn)
    first[:] = 0  # a careless answer harms nobody
    np.testing.assert_array_equal(student.given("x", never), drawn)
    assert student.keep("y", never) is None


def test_how_to_compare_stays_in_the_reference(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def record() -> dict[str, Any]:
        Probe("check-it").emit("x", 3, "words", close=0.5, miou=("y", 0.25), at_most=9)
        content: dict[str, Any] = json.loads((folder / "emitted/check-it/x.json").read_text())
        return content

    assert record() == {"value": 3}
    monkeypatch.setenv(SECRET, "s")
    assert record() == {
        "value": 3, "about": "words", "close": 0.5, "at_most": 9, "at_least": None,
        "miou": ["y", 0.25], "dtype": False, "shapes": False,
    }  # fmt: skip


def test_a_changed_argument_is_written_down(folder: Path) -> None:
    def answer(given: Any, spoil: bool) -> Any:
        if spoil:
            given[0] = 7
        return given

    def changed() -> Any:
        return json.loads((folder / "emitted/check-it/changed.json").read_text())["value"]

    probe, given = Probe("check-it"), np.zeros(2)
    assert probe.call(answer, given, False) is not given and changed() == []
    assert probe.call(answer, given, spoil=True)[0] == 7
    assert probe.call(answer, given, False)[0] == 0  # the author's own was not changed
    assert changed() == ["given"]


def test_what_turns_its_arguments_round_and_back_is_written_down(folder: Path) -> None:
    def last(given: Any) -> Any:
        given.reverse()
        return given[0]

    def scaled(given: Any) -> dict[str, Any]:
        given *= -1
        return {"sums": [given.sum()], "shape": given.shape}

    probe = Probe("check-it")
    for answer, given in ((last, [1, 2]), (scaled, np.ones(3)), (scaled, torch.ones(3))):
        probe.call(answer, given)
    probe.call(lambda given: {"sum": given.sum(), "none": None}, np.ones(2))
    found = json.loads((folder / "emitted/check-it/changed.json").read_text())["value"]
    assert found == ["something, at each call"] * 3


def test_what_spoils_its_arguments_and_denies_it_gives_another_result(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoils(given: Any) -> Any:
        found = given.sum()
        given[:] = 7
        return found

    class Counts:
        def __init__(self) -> None:
            self.calls = 0

        def add(self, given: Any) -> int:
            self.calls += 1
            return self.calls

    monkeypatch.setattr("coursekit.checks.copies.Handed.changed", lambda self: [])
    probe = Probe("check-it")
    assert probe.call(spoils, np.ones(2)) == 14
    assert probe.call(spoils, torch.ones(2)) == 14
    assert probe.call(lambda given: given.sum(), np.ones(2)) == 2
    with pytest.raises(IndexError):
        probe.call(lambda given: given.pop(), [1])
    counts = Counts()  # what remembers its calls is called once
    assert probe.call(counts.add, np.ones(2)) == probe.call(lambda c: c.add(1), counts) - 1 == 1


def test_a_large_network_gets_numbers_that_are_drawn_from_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(turned: bool) -> torch.nn.Module:
        parts = [("a", torch.nn.Conv2d(3, 4, 3)), ("b", torch.nn.BatchNorm2d(4))]
        network = torch.nn.Module()
        for name, part in parts[::-1] if turned else parts:
            network.add_module(name, part)
        return network

    monkeypatch.setenv(SECRET, "s")
    Probe("check-it").sow(ours := made(False), "sown")
    monkeypatch.delenv(SECRET)
    Probe("check-it").sow(theirs := made(True), "sown")  # in another order of parts
    assert len((folder / "given/check-it/sown.json").read_text()) < 60
    for key, value in ours.state_dict().items():
        assert torch.equal(value, theirs.state_dict()[key]), key
        assert value.float().std() > 0 if value.ndim else value == 1
        assert (value > 0).all() or value.ndim > 1


def test_what_admits_that_it_proves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Probe("check-it").admit("it is so")
    assert not (folder / "admitted").exists()
    monkeypatch.setenv(SECRET, "s")
    Probe("check-it").admit("it is so")
    assert json.loads((folder / "admitted/check-it/why.json").read_text()) == {"value": "it is so"}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (0.5, "float"), (np.float32(0.5), "float"), (torch.tensor(0.5), "tensor of numbers"),
        (1, "int"), (np.int64(1), "int"), (True, "bool"), (np.bool_(True), "bool"), ([1], "list"),
        (np.array(1, np.uint8), "array of whole numbers"), (None, "NoneType"),
        (torch.zeros(1, dtype=torch.bfloat16), "tensor of numbers"),
    ],
)  # fmt: skip
def test_what_a_value_is_counts_when_asked_for(folder: Path, value: Any, kind: str) -> None:
    Probe("check-it").emit("x", value, "words", kind=True)
    assert json.loads((folder / "emitted/check-it/x-kind.json").read_text()) == {"value": kind}


def test_inputs_depend_on_secret_check_and_name_and_not_on_the_order(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(secret: str, check: str, name: str) -> float:
        monkeypatch.setenv(SECRET, secret)
        return float(Probe(check).given(name, lambda rng: rng.random()))

    places = [("s", "a", "x"), ("t", "a", "x"), ("s", "b", "x"), ("s", "a", "y")]
    forward = [draw(*place) for place in places]
    assert len(set(forward)) == 4
    assert [draw(*place) for place in reversed(places)] == forward[::-1]


def network() -> torch.nn.Sequential:
    return torch.nn.Sequential(torch.nn.Conv2d(3, 400, 3), torch.nn.BatchNorm2d(400)).double()


@pytest.mark.parametrize("way", ["fill", "start"])
def test_a_student_s_network_gets_the_reference_s_numbers(
    way: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours = network(), network()
    monkeypatch.setenv(SECRET, "s")
    getattr(Probe("check-it"), way)(theirs, "weights")
    monkeypatch.delenv(SECRET)
    getattr(Probe("check-it"), way)(ours, "weights")
    for key, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[key], value, rtol=0, atol=0)
    other = torch.nn.Conv2d(3, 400, 3)
    with pytest.raises(RuntimeError, match="Missing key"):
        getattr(Probe("check-it"), way)(other, "weights")


def test_filled_numbers_show_and_started_ones_train(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET, "s")
    made = network()
    Probe("check-it").fill(made, "plain", mean=0.2)
    weight, bias, _, _, shift, spread, seen = made.state_dict().values()
    assert abs(weight.mean() - 0.2) < 0.02 and abs(weight.std() - (2 / 27) ** 0.5) < 0.02
    assert all(abs(each.mean() - 0.2) < 0.1 and each.std() > 0.2 for each in (bias, shift))
    assert 0.2 <= spread.min() < 0.3 < 1.9 < spread.max() <= 2 and seen == 3
    Probe("check-it").fill(made, "wide", spread=0.5)
    assert abs(made[0].weight.std() - 0.5) < 0.03
    Probe("check-it").start(made, "start", gain=1)
    weight, bias, scale, _, shift, spread, seen = made.state_dict().values()
    assert abs(weight.std() - 27**-0.5) < 0.01
    for each, exactly in ((bias, 0), (scale, 1), (shift, 0), (spread, 1), (seen, 0)):
        assert (each == exactly).all()


def test_a_short_training_shows_what_of_a_network_is_different(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained(*between: torch.nn.Module) -> dict[str, Any]:
        parts = torch.nn.Conv2d(3, 4, 3, padding=1), *between, torch.nn.Conv2d(4, 3, 1)
        made, probe = torch.nn.Sequential(*parts).double(), Probe("check-it")
        probe.start(made, "start")
        probe.train(made, (2, 10, 13))
        emitted = (folder / "emitted/check-it").glob("*.json")
        return {path.stem: decode(json.loads(path.read_text())["value"]) for path in emitted}

    monkeypatch.setenv(SECRET, "s")
    theirs = trained(torch.nn.ReLU())
    assert theirs.keys() == {"input", "gradients", "losses", "trained"}
    assert theirs["input"].shape == theirs["trained"].shape == (2, 3, 10, 13)
    assert [*theirs["gradients"]] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert theirs["losses"] == sorted(theirs["losses"], reverse=True)
    monkeypatch.delenv(SECRET)
    np.testing.assert_equal(trained(torch.nn.ReLU()), theirs)
    assert abs(trained(torch.nn.GELU())["losses"][3] - theirs["losses"][3]) > 0.01


def test_there_is_no_probe_outside_of_grading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER, raising=False)
    with pytest.raises(RuntimeError, match="when grading only"):
        Probe("check-it")


def test_no_torch_is_loaded() -> None:
    imports = "sys, coursekit.probe, coursekit.grading.verdict.compare"
    code = f"import {imports}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
