"""From light to file: exposure, colour cast, blur, sensor noise, JPEG."""

from __future__ import annotations

import cv2
import numpy as np

from coursekit.synthfaces.canvas import Floats, Mask, blur
from coursekit.synthfaces.config import Style


def photograph(image: Floats, rng: np.random.Generator, style: Style) -> Mask:
    """Turn a rendered picture (size, size, 3), about [0, 1], into uint8 as a camera would."""
    size = image.shape[0]
    spread, camera = style.colour_spread, style.camera
    cast = np.exp(rng.normal(0, 0.06, 3) * spread)
    exposure = np.exp(rng.normal(0.02, 0.16) * spread)
    gamma = np.exp(rng.normal(-0.02, 0.14) * spread)
    contrast = np.exp(rng.normal(0.04, 0.14) * spread)
    saturation = np.exp(rng.normal(0.0, 0.2) * spread)
    if rng.random() < 0.025 * spread:
        saturation = 0.0
    image = np.clip(image * (cast * exposure).astype(np.float32), 0, 1.6)
    image = image / (1 + np.maximum(image - 0.85, 0) * 0.6)  # highlights bend, they do not clip
    image = np.power(image, np.float32(gamma))
    grey = image.mean(axis=2, keepdims=True)
    image = grey + np.float32(saturation) * (image - grey)
    image = 0.5 + np.float32(contrast) * (image - 0.5)
    soft = abs(rng.normal(0, 0.0016)) * camera
    if rng.random() < 0.12:
        soft += rng.uniform(0.002, 0.006) * camera
    image = blur(image, soft, size)
    grain = float(rng.gamma(1.3, 0.008)) * camera
    coarse, as_jpeg = rng.random() < 0.5, rng.random() < 0.6
    quality = int(np.clip(rng.normal(80, 12) / max(camera, 0.5) ** 0.5, 25, 97))
    if grain > 0:  # the last draws of the stream, because their number depends on the size
        noise = rng.standard_normal((size, size, 3), dtype=np.float32)
        image = image + np.float32(grain) * (
            blur(noise, 0.7 / size, size) * 1.6 if coarse else noise
        )
    pixels = np.clip(np.round(image * 255), 0, 255).astype(np.uint8)
    if camera > 0 and as_jpeg:
        _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        pixels = np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
    return pixels
