"""What importing loads: nothing heavy before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = "{'torch', 'torchvision', 'accelerate', 'timm', 'matplotlib', 'cv2'}"


def loaded_after(code: str) -> set[str]:
    """Which heavy packages a fresh process has loaded after running `code`."""
    script = f"{code}\nimport sys\nprint(' '.join({HEAVY} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split()) if done.stdout.strip() else set()


@pytest.mark.parametrize(
    "code",
    [
        "import coursekit",
        "import coursekit.codabench",
        "import coursekit.grading",
        "from coursekit.cli import make_parser; make_parser()",
    ],
)
def test_light_imports(code: str) -> None:
    assert loaded_after(code) == set()


@pytest.mark.parametrize(
    "module",
    ["annotation", "data", "synthfaces", "labels", "codabench.validation", "labelling.server"],
)
def test_no_torch_where_none_is_needed(module: str) -> None:
    assert not loaded_after(f"import coursekit.{module}") & {"torch", "torchvision"}


def test_names_load_late_and_are_listed() -> None:
    assert "torch" in loaded_after("import coursekit; coursekit.create_model('unet')")
    import coursekit

    for name in coursekit.__all__:
        assert name in dir(coursekit)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        coursekit.nothing  # noqa: B018
