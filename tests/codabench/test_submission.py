"""From a checkpoint and photographs to a zip, and the zip's own run.py."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import io
import json
import linecache
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from coursekit import MODEL_NAMES, count_parameters, create_model
from coursekit.checkpoint import Checkpoint, ModelInfo, load, save
from coursekit.codabench import submission as module
from coursekit.codabench import validate
from coursekit.codabench.inline import Inliner
from coursekit.codabench.solution import make_solution
from coursekit.codabench.submission import submit
from coursekit.commands import submission as commands
from coursekit.errors import CourseError
from coursekit.inference import predict_label_map
from coursekit.models import bspnet, decouple, dml_csr

SMALL = {
    "unet": {"widths": (4, 8, 8)},
    "deeplabv3plus": {"stages": ((4, 8), (8, 8)), "aspp": 8},
    "fastscnn": {"repeats": 1},
    "segformer": {"dims": (4, 8, 8, 16), "heads": (1, 2, 2, 4), "decoder": 8},
}


def write_checkpoint(path, name="fastscnn", labels="celebamask-hq", **overrides):
    torch.manual_seed(0)
    config = {"num_classes": 19, **overrides}
    info = ModelInfo(name, config, labels, 64, (0.5, 0.4, 0.3), (0.2, 0.25, 0.3))
    model = create_model(name, **config)
    # Running statistics that fit, and no bias towards a class: or all pixels come out alike.
    with torch.no_grad():
        for _ in range(20 if list(model.buffers()) else 0):
            model(torch.randn(4, 3, 64, 64))
        for parameter_name, parameter in model.named_parameters():
            if parameter_name.endswith("bias"):
                parameter.zero_()
    save(path, model, info)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint, and two photographs of other sizes than 512²."""
    folder = tmp_path_factory.mktemp("submission")
    write_checkpoint(folder / "model.safetensors", **SMALL["fastscnn"])
    (folder / "images").mkdir()
    random = np.random.default_rng(0)
    for stem, (height, width) in {"2": (96, 64), "10": (80, 80)}.items():
        coarse = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        photo = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        photo.save(folder / "images" / f"{stem}.jpg")
    return folder


def test_flat(folder, tmp_path):
    made = submit(folder / "model.safetensors", folder / "images", "flat", tmp_path / "a.zip")
    assert (made.masks, made.warnings) == (2, ())
    assert validate(made.path, folder / "images", "flat") == []
    loaded = load(folder / "model.safetensors")
    with zipfile.ZipFile(made.path) as archive:
        assert archive.namelist() == ["2.png", "10.png"]
        for stem in ("2", "10"):
            mask = Image.open(io.BytesIO(archive.read(f"{stem}.png")))
            assert (mask.mode, mask.size) == ("L", (512, 512))
            photo = np.array(Image.open(folder / "images" / f"{stem}.jpg"))
            expected = predict_label_map(loaded.model, photo, loaded.info, (512, 512))
            assert (np.asarray(mask) == expected).all()
            assert len(np.unique(expected)) > 1
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]


def test_final_runs_alone_and_gives_the_same_masks(folder, tmp_path):
    path = tmp_path / "final.zip"
    submit(folder / "model.safetensors", folder / "images", "codabench", path, final=True)
    assert validate(path, folder / "images", "codabench", final=True) == []
    away = tmp_path / "away"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(away)
    assert sorted(p.name for p in (away / "solution").iterdir()) == [
        "ckpt.pth", "requirements.txt", "run.py",
    ]  # fmt: skip
    # Isolated, and with coursekit made impossible to import.
    code = (
        "import runpy, sys; sys.modules['coursekit'] = None\n"
        "runpy.run_path('run.py', run_name='__main__')\n"
    )
    image = folder / "images" / "10.jpg"
    done = subprocess.run(
        [
            sys.executable, "-W", "error", "-I", "-c", code, "--input", str(image),
            "--output", str(away / "10.png"), "--weights", "ckpt.pth",
        ],
        cwd=away / "solution", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    again, mask = Image.open(away / "10.png"), Image.open(away / "masks" / "10.png")
    assert again.mode == "L"
    assert (np.asarray(again) == np.asarray(mask)).all()
    assert (away / "10.png").read_bytes() == (away / "masks" / "10.png").read_bytes()


OWN = """
from __future__ import annotations

import torch
from torch import nn
{more}
WIDTH = 6


def block(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, channels, 3, padding=1), nn.ReLU())


class Mine(nn.Module):
    def __init__(self, num_classes: int = 19) -> None:
        super().__init__()
        self.block, self.head = block(WIDTH), nn.Conv2d(WIDTH, num_classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.block(x))
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Makes a network of a student's own in a module of its own, and a `Checkpoint` of it."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(more=""):
        (tmp_path / "my_network.py").write_text(OWN.format(more=more))
        torch.manual_seed(0)
        network = importlib.import_module("my_network").Mine(19).eval()
        info = ModelInfo("mine", {"num_classes": 19}, "celebamask-hq", 64, (0.5,) * 3, (0.2,) * 3)
        return Checkpoint(network, info)

    yield make
    sys.modules.pop("my_network", None)


@pytest.mark.parametrize(("form", "final"), [("flat", False), ("codabench", True)])
def test_a_network_of_ones_own(folder, tmp_path, own, form, final):
    checkpoint = own()
    made = submit(checkpoint, folder / "images", form, tmp_path / "a.zip", final=final)
    assert made.parameters == sum(p.numel() for p in checkpoint.model.parameters())
    assert made.warnings == ()
    assert validate(made.path, folder / "images", form, final=final or None) == []
    with zipfile.ZipFile(made.path) as archive:
        photo = np.array(Image.open(folder / "images" / "10.jpg"))
        expected = predict_label_map(checkpoint.model, photo, checkpoint.info, (512, 512))
        inside = archive.read("masks/10.png" if final else "10.png")
        assert (np.asarray(Image.open(io.BytesIO(inside))) == expected).all()


def test_a_network_of_ones_own_must_fit(folder, tmp_path, own):
    out = tmp_path / "a.zip"
    checkpoint = own()
    checkpoint.model.train()
    with pytest.raises(CourseError, match=r"Mine: is in training mode; call \.eval\(\)"):
        submit(checkpoint, folder / "images", "flat", out)
    checkpoint.model.eval().more = torch.nn.Linear(1500, 1500)
    with pytest.raises(CourseError, match="Mine: mine has 2,251,801 .* Train a narrower one, or"):
        submit(checkpoint, folder / "images", "flat", out)
    assert not out.exists()


def test_a_network_without_a_file_cannot_be_handed_in_whole(folder, tmp_path, own):
    checkpoint = own()
    type(checkpoint.model).__module__ = "builtins"
    with pytest.raises(CourseError, match=r"Mine: its source .* file of its own"):
        submit(checkpoint, folder / "images", "codabench", tmp_path / "a.zip", final=True)
    assert not (tmp_path / "a.zip").exists()


def test_a_network_that_is_in_two_files_cannot_be_handed_in_whole(folder, tmp_path, own):
    (tmp_path / "my_blocks.py").write_text("WIDTH = 6\n")
    checkpoint = own("from my_blocks import WIDTH as MORE\nWIDER = MORE\n")
    source = (tmp_path / "my_network.py").read_text().replace("WIDTH = 6", "WIDTH = WIDER")
    (tmp_path / "my_network.py").write_text(source)
    linecache.clearcache()
    with pytest.raises(CourseError, match=r"imports my_blocks, which is no installed package"):
        submit(checkpoint, folder / "images", "codabench", tmp_path / "a.zip", final=True)


def test_the_same_inputs_give_the_same_bytes(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_try_solution", lambda *_: None)
    paths = [tmp_path / "a.zip", tmp_path / "b" / "other.zip"]
    for path in paths:
        submit(folder / "model.safetensors", folder / "images", "codabench", path, final=True)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_edge_heads_are_not_handed_in(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_try_solution", lambda *_: None)
    path = write_checkpoint(tmp_path / "dml_csr.safetensors", "dml_csr", **dml_csr.SMALL)
    made = submit(path, folder / "images", "codabench", tmp_path / "a.zip", final=True)
    assert made.parameters == 810_949  # 822,186 in training
    loaded = load(path)
    with zipfile.ZipFile(made.path) as archive:
        weights = torch.load(io.BytesIO(archive.read("solution/ckpt.pth")), weights_only=True)
        assert "edge_heads='none'" in archive.read("solution/run.py").decode()
        mask = np.asarray(Image.open(io.BytesIO(archive.read("masks/10.png"))))
    assert not any("edge" in key for key in weights["state_dict"])
    photo = np.array(Image.open(folder / "images" / "10.jpg"))
    assert (mask == predict_label_map(loaded.model, photo, loaded.info, (512, 512))).all()


def test_a_package_that_must_be_compiled_is_not_handed_in():
    model = create_model("dml_csr", **dml_csr.SMALL)
    model.config = dataclasses.replace(model.config, abn="package")
    info = ModelInfo("dml_csr", {"num_classes": 19}, "celebamask-hq", 64, (0.5,) * 3, (0.2,) * 3)
    with pytest.raises(CourseError, match="of abn='inplace', whose keys are the same"):
        make_solution(Checkpoint(model, info))


def test_a_large_network_is_refused_by_its_count_at_inference(folder, tmp_path):
    wide = {**dml_csr.SMALL, "context_channels": 256, "edge_channels": 64}
    model = create_model("dml_csr", **wide)
    info = ModelInfo(
        "dml_csr", {"num_classes": 19, **wide}, "celebamask-hq", 64, (0.5,) * 3, (1,) * 3
    )
    save(path := tmp_path / "wide.safetensors", model, info)
    lean = decouple(model)
    with pytest.raises(CourseError, match=f"has {count_parameters(lean):,} parameters"):
        submit(path, folder / "images", "flat", tmp_path / "a.zip")


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_run_py_builds_every_model_from_its_own_source(name):
    torch.manual_seed(0)
    small = {"dml_csr": dml_csr.SMALL, "eagrnet": dml_csr.SMALL, "bspnet": bspnet.SMALL}
    settings = small.get(name, {})  # whole, the large ones have 240 MB
    model = create_model(name, **settings).eval()
    config = {"num_classes": 19, **settings}
    info = ModelInfo(name, config, "celebamask-hq", 64, (0.5,) * 3, (0.2,) * 3)
    files = make_solution(Checkpoint(model, info))
    source = files["run.py"].decode()
    assert "import coursekit" not in source
    assert "from coursekit." not in source
    assert "jaxtyping" not in source
    space = {"__name__": "alone"}
    sys.modules["alone"] = type(sys)("alone")  # dataclasses look up the module of a class
    try:
        exec(compile(source, "run.py", "exec"), space)
    finally:
        del sys.modules["alone"]
    built = space["make_model"]()
    weights = torch.load(io.BytesIO(files["ckpt.pth"]), weights_only=True)["state_dict"]
    built.load_state_dict(weights)
    photo = np.random.default_rng(0).integers(0, 256, (70, 50, 3), dtype=np.uint8)
    alone = space["predict_label_map"](built.eval(), photo, space["SETTINGS"], (96, 96))
    assert (alone == predict_label_map(model, photo, info, (96, 96))).all()


def test_requirements_are_plain_pins(folder):
    files = make_solution(load(folder / "model.safetensors"))
    comment, *lines = files["requirements.txt"].decode().splitlines()
    assert comment.startswith("# needs Python 3.")
    assert [line.split("==")[0] for line in lines] == ["numpy", "pillow", "torch"]
    assert not any("+" in line for line in lines)


def test_inliner_refuses_what_it_cannot_put_into_one_file():
    with pytest.raises(ValueError, match="import inside a function"):
        Inliner().need("coursekit.codabench.submission", "submit")


# --- the limit of parameters ---------------------------------------------------------------------


def test_the_default_unet_is_too_large_for_the_2025_final_phase(folder, tmp_path):
    checkpoint = write_checkpoint(tmp_path / "unet.safetensors", "unet")
    with pytest.raises(CourseError) as raised:
        submit(checkpoint, folder / "images", "codabench", tmp_path / "a.zip", final=True)
    for word in ("1,941,411", "1,821,085", "widths=(15, 30, 60, 120, 240)", "1,706,464"):
        assert word in str(raised.value)
    assert not (tmp_path / "a.zip").exists()


def test_in_the_development_phase_the_limit_is_a_warning(folder, tmp_path):
    checkpoint = write_checkpoint(tmp_path / "unet.safetensors", "unet")
    made = submit(checkpoint, folder / "images", "codabench", tmp_path / "a.zip")
    assert len(made.warnings) >= 1
    assert "final phase will refuse" in made.warnings[0]


def test_the_flat_limit_is_an_error(folder, tmp_path):
    checkpoint = write_checkpoint(
        tmp_path / "unet.safetensors", "unet", widths=(17, 34, 68, 136, 272)
    )
    with pytest.raises(CourseError, match="2,000,000"):
        submit(checkpoint, folder / "images", "flat", tmp_path / "a.zip")


# --- bad input -----------------------------------------------------------------------------------


def test_another_label_set_is_refused(folder, tmp_path):
    checkpoint = write_checkpoint(tmp_path / "lapa.safetensors", labels="lapa", num_classes=11)
    with pytest.raises(CourseError, match="lapa"):
        submit(checkpoint, folder / "images", "flat", tmp_path / "a.zip")


@pytest.mark.parametrize("content", [b"", b"no image", b"\xff\xd8\xff\xe0" + bytes(50)])
def test_a_broken_photograph_is_named_and_nothing_is_left(folder, tmp_path, content):
    images = tmp_path / "images"
    images.mkdir()
    (images / "1.jpg").write_bytes((folder / "images" / "2.jpg").read_bytes())
    for name in ("3.jpg", "4.jpg"):
        (images / name).write_bytes(content)
    out = tmp_path / "out" / "a.zip"
    with pytest.raises(CourseError, match=r"3\.jpg: cannot be decoded.*\n  1 more .*4\.jpg"):
        submit(folder / "model.safetensors", images, "flat", out)
    assert not out.parent.exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_an_interruption_keeps_the_old_zip(folder, tmp_path, monkeypatch, error):
    out = tmp_path / "a.zip"
    out.write_bytes(b"the old one")

    def stop(*_):
        raise error

    monkeypatch.setattr(module, "new_entry", stop)
    with pytest.raises((KeyboardInterrupt, CourseError)):
        submit(folder / "model.safetensors", folder / "images", "flat", out)
    assert out.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("form", "out", "final", "word"),
    [
        ("flat", "a.zip", True, "--final"),
        ("flat", "a.tar", False, r"\.zip"),
        ("x", "a.zip", 0, "x"),
    ],
)
def test_bad_arguments(folder, tmp_path, form, out, final, word):
    with pytest.raises(CourseError, match=word):
        submit(folder / "none", folder / "images", form, tmp_path / out, final=final)


# --- the command line ----------------------------------------------------------------------------


def main(arguments):
    """The command line with these commands alone."""
    parser = argparse.ArgumentParser(prog="coursekit")
    commands.add_parser(parser.add_subparsers(required=True))
    parsed = parser.parse_args(arguments)
    return parsed.handler(parsed)


def test_commands_from_checkpoint_to_score(folder, tmp_path, capsys):
    out, images = str(tmp_path / "s.zip"), str(folder / "images")
    checkpoint = str(folder / "model.safetensors")
    arguments = ["--images", images, "--format", "codabench"]
    assert main(["submit", "--checkpoint", checkpoint, *arguments, "--out", out]) == 0
    assert out in capsys.readouterr().out
    assert main(["validate", out, *arguments]) == 0
    assert ": valid" in capsys.readouterr().out
    assert main(["validate", out, *arguments, "--final"]) == 1
    shown = capsys.readouterr().out
    assert "solution-missing-file" in shown
    assert "not valid" in shown
    with zipfile.ZipFile(out) as archive:
        archive.extractall(tmp_path)
    scoring = ["score", out, "--truth", str(tmp_path / "masks"), "--format", "codabench"]
    assert main([*scoring, "--json", "--out", str(tmp_path / "scores.json")]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores == json.loads((tmp_path / "scores.json").read_text())
    assert scores["score"] > 0.999
    assert main(scoring) == 0
    shown = capsys.readouterr().out
    assert "* per_image_f_truth" in shown
    assert "neck_l" in shown


def test_commands_on_bad_input_name_it(tmp_path):
    for command in (
        ["validate", "none.zip", "--images", str(tmp_path), "--format", "flat"],
        ["score", "none.zip", "--truth", str(tmp_path), "--format", "flat"],
    ):
        with pytest.raises(CourseError, match=tmp_path.name):
            main(command)


@pytest.mark.parametrize("command", ["submit", "validate", "score"])
def test_help_has_an_example(command, capsys):
    with pytest.raises(SystemExit) as raised:
        main([command, "--help"])
    assert raised.value.code == 0
    assert f"example:\n  coursekit {command}" in capsys.readouterr().out
