"""What `solution/run.py` does around the network; its source is inlined there.

Photographs are read, and masks written, by the functions that `coursekit submit` and every other
command use, so that the masks in the zip are those that the organisers compute again.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import torch
from PIL import Image

from coursekit.data.images import read_image
from coursekit.inference import predict_label_map

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def write_mask(label_map: NDArray[np.uint8], target: str | BinaryIO) -> None:
    """Class ids (H, W) as a PNG of one channel, mode L."""
    Image.fromarray(label_map).save(target, format="PNG")


def run(make_model: Callable[[], torch.nn.Module], settings: Any, mask_size: int) -> None:
    """Predict one mask, as the command line asks."""
    parser = argparse.ArgumentParser(description="Parse the face in one photograph.")
    parser.add_argument("--input", required=True, help="the photograph")
    parser.add_argument("--output", required=True, help="the mask to write, a PNG")
    parser.add_argument("--weights", required=True, help="ckpt.pth")
    arguments = parser.parse_args()
    model = make_model()
    # On the CPU, whatever the machine has: a GPU rounds otherwise, and the masks must be equal.
    checkpoint = torch.load(arguments.weights, map_location="cpu", weights_only=True)
    model.load_state_dict(checkpoint["state_dict"])
    size = (mask_size, mask_size)
    mask = predict_label_map(model.eval(), read_image(arguments.input), settings, size)
    write_mask(mask, arguments.output)
