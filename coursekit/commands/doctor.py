"""`coursekit doctor`."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.commands import command
from coursekit.files import home_folder, why_refused

if TYPE_CHECKING:
    import argparse

_PACKAGES = (
    "numpy", "pillow", "opencv-python-headless", "matplotlib", "torch", "torchvision", "accelerate",
    "safetensors", "segmentation-models-pytorch", "timm", "jupyterlab", "ipywidgets", "nbval",
)  # fmt: skip


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    command(subparsers, "doctor", "say what this machine has and lacks", "coursekit doctor", run)


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; 1 when something that the course needs is missing."""
    missing = []
    print(f"python {platform.python_version()} on {platform.system()} {platform.machine()}, "
          f"{os.cpu_count()} cores")  # fmt: skip
    for name in _PACKAGES:
        try:
            print(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
            print(f"{name}: MISSING; run `make setup`")
    if "torch" not in missing:
        _print_torch()
    try:
        importlib.import_module("inplace_abn")
        print("inplace-abn: built (optional)")
    except ImportError:
        print("inplace-abn: not built (optional; nothing that a student runs needs it)")
    free = shutil.disk_usage(".").free / 2**30
    print(f"disk: {free:.0f} GiB free here")
    for what, folder in (("home", home_folder()), ("TMPDIR", Path(tempfile.gettempdir()))):
        refused = why_refused(folder)
        print(f"{what}: {folder}, {refused or 'can be written'}")
    return 1 if missing else 0


def _print_torch() -> None:
    import torch

    if torch.cuda.is_available():
        for i in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(i)
            print(f"GPU {i}: {properties.name}, {properties.total_memory / 2**30:.0f} GiB")
    else:
        print("GPU: none; the quick tier needs none")
    print(f"threads: {torch.get_num_threads()}")
