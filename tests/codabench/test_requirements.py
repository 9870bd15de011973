"""requirements.txt as pip reads it, and as `submit` writes it."""

from __future__ import annotations

import codecs
import importlib.metadata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from coursekit.codabench.catalogue import KINDS
from coursekit.codabench.requirements import (
    Requirements,
    read_requirements,
    with_dependencies,
    write_requirements,
)
from coursekit.errors import CourseError

FILES = {
    "more.txt": b"timm==1.0\n-r deep/most.txt\n",
    "deep/most.txt": b"scipy\n-r most.txt\n-c ../limits.txt\n",
    "limits.txt": b"torch<3\n",
    "x-1.0-py3-none-any.whl": b"",
    "net/pyproject.toml": b"",
}


def read(text: str | bytes) -> Requirements:
    data = text.encode() if isinstance(text, str) else text
    return read_requirements(data, {"requirements.txt": data, **FILES}.get)


#: What pip 23 and 26 take, and the packages that it then installs.
TAKEN = [
    ("torch==2.5.1 \\\n    --hash=sha256:aa \\\n    --hash sha512:bb\n", "torch"),
    ("torch==2 --hash=sha256:a\npillow===11 \\\n  --hash=sha384:b # c\n", "torch pillow"),
    ("torch (>=2.1)\nPillow (>=9,<12) ; python_version >= '3.8'", "torch pillow"),
    ("torch[opt-einsum]>=2.1,!=2.2  # a comment", "torch"),
    ("# numpy\n\n  torch  ==  2.* \r\n#scipy \\\ntimm", "torch timm"),
    ("segmentation_models.pytorch~=0.3\nruamel.yaml", "segmentation-models-pytorch ruamel-yaml"),
    ("torch;sys_platform=='linux'\nnumpy;sys_platform=='win32'", "torch"),
    ("numpy<2 ; python_version < '3'\nnumpy>=2 ; python_version >= '3'", "numpy"),
    ("--pre\n--prefer-binary\n--no-binary=timm\n--trusted-host x\ntorch", "torch"),
    ("-i https://pypi.org/simple\n--extra-index-url=https://pypi.org/simple/\ntorch", "torch"),
    ("torch --config-settings a=b", "torch"),
    ("-r more.txt\n--requirement=more.txt\ntorch", "torch timm scipy"),
    ("scikit-image\nopencv-python\nsklearn==0.0", "scikit-image opencv-python sklearn"),
    ("torch==2.5.1\ntorch>=2", "torch"),
    (codecs.BOM_UTF16_LE + "torch\r\nnumpy".encode("utf-16-le"), "torch numpy"),
    ("# -*- coding: latin-1 -*-\ntorch # caf\xe9".encode("latin-1"), "torch"),
    ("\ufefftorch", "torch"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "packages"), TAKEN)
def test_what_pip_takes_has_no_problem(text: str | bytes, packages: str) -> None:
    found = read(text)
    assert found.problems == {}
    assert found.packages == set(packages.split())


#: What it may take, if the platform reaches the place.
DOUBTFUL = [
    ("requirements-option", "--extra-index-url https://a.b/cu121\ntorch==2.5.1+cu121"),
    ("requirements-option", "-f https://a.b/torch.html\ntorch==2.5.1+cu121"),
    ("requirements-option", "--no-index\ntorch"),
    ("requirements-url", "torch @ https://a.b/torch-2-py3-none-any.whl ; python_version > '3'"),
    ("requirements-url", "torch@git+https://a.b/torch@main"),
    ("requirements-url", "git+ssh://git@a.b/c.git#egg=c"),
    ("requirements-url", "-e git+https://a.b/c#egg=c"),
    ("requirements-url", "https://a.b/torch-2-py3-none-any.whl"),
    ("requirements-url", "./x-1.0-py3-none-any.whl"),
    ("requirements-url", "x-1.0-py3-none-any.whl"),
    ("requirements-url", "-e ./net[extra]"),
    ("requirements-stdlib", "argparse"),
]

#: What it certainly refuses, and what the message must name.
REFUSED = [
    ("requirements-local", "torch==2.5.1+cu121", "line 1"),
    ("requirements-local", "numpy\ntorch === 2.5.1+cpu", "line 2"),
    ("requirements-local", "-i https://pypi.org/simple\ntorch==2.5.1+cpu", "line 2"),
    # On such a line pip passes the option over.
    ("requirements-local", "torch==2.5.1+cpu --index-url https://a.b", "line 1"),
    ("requirements-name", "cv2", "opencv-python-headless"),
    ("requirements-name", "PIL>=9", "pillow"),
    ("requirements-name", "skimage", "scikit-image"),
    ("requirements-name", "sklearn", "scikit-learn"),
    ("requirements-name", "sklearn==1.5", "scikit-learn"),
    ("requirements-name", "yaml", "pyyaml"),
    ("requirements-name", "torch.nn", "a module of torch"),
    ("requirements-name", "os.path", "a module of os"),
    ("requirements-name", "skimage.io>=0.2", "a module of skimage"),
    ("requirements-name", "pytorch", "torch"),
    ("requirements-name", "coursekit", "run.py must do without"),
    ("requirements-name", "os\nsys\njson", "line 3: json: a part of Python"),
    ("requirements-name", "a\n" + "os\n" * 5, "and 2 more"),
    ("requirements-name", "pywin32==306", "for Windows"),
    ("requirements-hashes", "torch==2.5.1 --hash=sha256:a\nnumpy==2", "line 2"),
    ("requirements-hashes", "torch>=2.5.1 --hash=sha256:a", "line 1"),
    ("requirements-hashes", "--require-hashes\ntorch==2.5.1", "line 2"),
    ("requirements-conflict", "torch==2.5.1\ntorch==2.6", "line 2"),
    ("requirements-conflict", "torch==2.5.1\ntorch>=2.6", "line 2"),
    ("requirements-missing-file", "-r other.txt", "line 1"),
    ("requirements-missing-file", "-c other.txt", "line 1"),
    ("requirements-missing-file", "-e .", "line 1"),
    ("requirements-missing-file", "./wheels/torch.whl", "line 1"),
    ("requirements-missing-file", "C:\\Users\\me\\torch-2-py3-none-any.whl", "line 1"),
    ("requirements-missing-file", "numpy @ file:///home/conda/numpy-1.26.tar.gz", "line 1"),
    ("requirements-bad-option", "--user", "--user"),
    ("requirements-bad-option", "torch -U", "-U"),
    ("requirements-bad-option", "-r", "expected one argument"),
    ("requirements-bad-option", "torch==2 --hash=md5:a", "sha256"),
    ("requirements-bad-option", "torch --hash='sha256:a", "quotation"),
    ("requirements-syntax", "torch=2.5.1", "line 1"),
    ("requirements-syntax", "torch=2.5.1=py311_0", "line 1"),
    ("requirements-syntax", "torch =! 2", "line 1"),
    ("requirements-syntax", "torch numpy", "line 1"),
    ("requirements-syntax", "pip install torch", "line 1"),
    ("requirements-syntax", "torch>=2.5.1+cu121", "Local version"),
    ("requirements-syntax", "torch ; python_versio < '3'", "marker"),
    ("requirements-syntax", "torch \\\n# comment\n>=2", "line 3"),
    ("requirements-encoding", b"\xff\xff", "requirements.txt"),
    ("requirements-encoding", b"# coding: no-such\ntorch", "no-such"),
]


@pytest.mark.parametrize(("kind", "text"), DOUBTFUL)
def test_what_may_fail_is_a_warning(kind: str, text: str) -> None:
    assert list(read(text).problems) == [kind]
    assert KINDS[kind][0] == "warning"


@pytest.mark.parametrize(("kind", "text", "word"), REFUSED)
def test_what_pip_refuses_is_an_error(kind: str, text: str | bytes, word: str) -> None:
    found = dict(read(text).found())
    assert KINDS[kind][0] == "error"
    assert word in found.pop(kind)
    assert all(KINDS[other][0] == "warning" for other in found)


PIECES = [
    "torch",
    "==1.0",
    ">=2",
    " ",
    "\n",
    "\\\n",
    "#",
    "--hash=",
    "-r",
    "-e",
    "@",
    "[",
    "(",
    ";",
    "'",
]
PIECES += [
    "os_name",
    "python_version",
    "~=",
    "<",
    "and",
    "file:",
    "git+",
    "://",
    "+cpu",
    "*",
    "\x85",
    "é",
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_any_text_can_be_read(pieces: list[str]) -> None:
    for kind, detail in read("".join(pieces)).found():
        assert kind in KINDS
        assert detail


@pytest.mark.parametrize(
    "text",
    [
        "a==1\n" * 40_000,
        "a" + "".join(f",==1.{'0' * i}" for i in range(500)),
        "a ; " + "(" * 900 + "os_name == 'x'" + ")" * 900,
        "a " + "--pre " * 40_000,
        " " * 200_000 + "#\n" + "a\\\n" * 50_000,
        "-r 0.txt",
        "a==" + "9" * 900,
    ],
)
def test_a_strangers_file_ends_soon(text: str) -> None:
    """Each would need minutes, or more stack than there is, if it were read without bounds."""
    data = text.encode()
    files = {f"{i}.txt": f"-r {i + 1}.txt".encode() for i in range(3000)}
    read_requirements(data, {"requirements.txt": data, **files}.get)


def test_what_packages_bring() -> None:
    assert {"torch", "numpy", "pillow"} <= with_dependencies(["torchvision"])
    asked = read("torchvision\nOpenCV_Python\nscikit-image")
    there = ["torch", "PIL", "cv2", "skimage", "numpy"]
    assert asked.lack([*there, "sklearn", "timm"]) == ["sklearn", "timm"]


def test_what_is_written_says_which_python_it_needs() -> None:
    """And names packages, not modules; without what PyPI does not have."""
    text = write_requirements(["PIL", "cv2", "torch"])
    comment, *pins = text.splitlines()
    assert read(text).problems == {}
    asked = [Requirement(pin) for pin in pins]
    assert [r.name for r in asked] == ["opencv-python-headless", "pillow", "torch"]
    needed = comment.split()[3]
    older = f"3.{int(needed.split('.')[1]) - 1}.99"
    for requirement in asked:
        python = SpecifierSet(importlib.metadata.metadata(requirement.name)["Requires-Python"])
        version = next(iter(requirement.specifier)).version
        assert "+" not in version
        assert python.contains(needed)
        assert (f"{requirement.name} {version}" in comment) is not python.contains(older)
    with pytest.raises(CourseError, match="imports my_blocks, which is no installed package"):
        write_requirements(["my_blocks"])
