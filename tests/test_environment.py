"""What sets the course up names the same things: pyproject.toml, environment.yml, containers."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from coursekit.cli import make_parser
from coursekit.lessons.outline import read_record

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


def _project() -> dict[str, Any]:
    content: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return content


def test_containers_hold_the_same_course() -> None:
    allowed = SpecifierSet(_project()["requires-python"])
    development = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    images = [development["image"], *(line.split()[1] for line in lines if line[:5] == "FROM ")]
    for image in images:
        assert image.rpartition(":")[2].removesuffix("-slim") in allowed, image
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    command = json.loads(next(line for line in lines if line[:4] == "CMD ").removeprefix("CMD "))
    assert command[:2] == ["make", "lab"]
    assert {"lab", "setup"} <= set(targets)
    assert development["postCreateCommand"] == "make setup"
    users = [line for line in lines if line.startswith(("USER", "RUN make"))]
    assert users[0] == "USER student"  # set up and started without rights
    assert len(users) == 2
    arguments = make_parser().parse_known_args(["lab", *command[2].partition("=")[2].split()])
    assert arguments[0].no_browser
    assert arguments[1] == ["--ip", "0.0.0.0"]


def test_binder_has_the_conda_environment() -> None:
    conda, build = ROOT / "environment.yml", ROOT / ".binder/postBuild"
    assert (ROOT / ".binder/environment.yml").read_text() == conda.read_text()
    assert os.access(build, os.X_OK)
    assert build.read_text().splitlines()[-1] in conda.read_text()  # the way that it names itself


def test_the_hub_s_page_says_what_was_measured() -> None:
    page = (ROOT / "docs/HUB.md").read_text(encoding="utf-8")
    measured = read_record(ROOT / "notebooks")
    for name, cost in measured.items():
        assert f"| {name} | {cost.seconds:g} | {cost.megabytes:,g} |" in page
    heaviest = max(cost.megabytes for cost in measured.values())
    assert f"kernel holds {heaviest:,g} MB" in page
    limit = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    assert limit["singleuser"]["memory"]["limit"] == "2G"
    assert heaviest + 300 < 2000
