"""pyproject.toml and environment.yml name the same things."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent

#: PyPI's name → conda-forge's, where they differ.
CONDA_NAMES = {
    "torch": "pytorch",
    "matplotlib": "matplotlib-base",
    "opencv-python-headless": "py-opencv",
}


def split(requirement: str) -> tuple[str, str]:
    """`"torch>=2.10"` → `("torch", ">=2.10")`."""
    match = re.match(r"([A-Za-z0-9_.-]+?)\s*([<>=!~].*)?$", requirement)
    assert match, requirement
    return match[1].lower().replace("_", "-"), (match[2] or "").replace(" ", "")


def test_same_packages_and_bounds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["abn"],
        *project["project"]["optional-dependencies"]["cluster"],
        *project["dependency-groups"]["dev"],
        f"python{project['project']['requires-python']}",
    ]
    wanted = {CONDA_NAMES.get(name, name): bound for name, bound in map(split, listed)}
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())
    found = dict(map(split, conda["dependencies"]))
    assert found.pop("pip") == ""  # installs the checkout itself
    assert found == wanted


def test_conda_forge_alone() -> None:
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert conda["channels"] == ["conda-forge", "nodefaults"]


@pytest.mark.parametrize("heading", ["dependencies = [", "dev = ["])
def test_every_dependency_has_its_reason(heading: str) -> None:
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    start = lines.index(heading)
    for line in lines[start + 1 : lines.index("]", start)]:
        assert "#" in line, line
