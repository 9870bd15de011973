"""From light to file: exposure, colour cast, blur, sensor noise, JPEG."""

from __future__ import annotations

import cv2
import numpy as np

from coursekit.synthfaces.canvas import Floats, Mask, blur, clamp
from coursekit.synthfaces.config import Style


def photograph(image: Floats, rng: np.random.Generator, style: Style) -> Mask:
    """Turn a rendered picture (size, size, 3), about [0, 1], into uint8 as a camera would."""
    size = image.shape[0]
    spread, camera = style.colour_spread, style.camera
    cast = np.exp(rng.normal(0, 0.06, 3) * spread)
    exposure = np.exp(rng.normal(0.0, 0.11) * spread)
    gamma = np.exp(rng.normal(-0.02, 0.14) * spread)
    contrast = np.exp(rng.normal(0.04, 0.14) * spread)
    saturation = np.exp(rng.normal(0.0, 0.2) * spread)
    if rng.random() < 0.025 * spread:
        saturation = 0.0
    soft = abs(rng.normal(0, 0.0016)) * camera
    if rng.random() < 0.12:
        soft += rng.uniform(0.002, 0.006) * camera
    grain = float(rng.gamma(1.3, 0.008)) * camera
    coarse, as_jpeg = rng.random() < 0.5, rng.random() < 0.6
    quality = int(clamp(rng.normal(80, 12) / max(camera, 0.5) ** 0.5, 25, 97))

    image *= (cast * exposure).astype(np.float32)
    np.clip(image, 0, 1.6, out=image)
    image /= 1 + np.maximum(image - 0.85, 0) * np.float32(0.6)  # highlights bend, not clip
    image = cv2.pow(image, gamma)
    grey = cv2.transform(image, np.full((1, 3), (1 - saturation) / 3))[..., None]
    image = np.float32(contrast * saturation) * image
    image += np.float32(contrast) * grey + np.float32(0.5 - 0.5 * contrast)
    image = blur(image, soft, size)
    if grain > 0:
        image += np.float32(grain) * _grain(rng, size, coarse)
    pixels = cv2.convertScaleAbs(np.clip(image, 0, 1, out=image), alpha=255)
    if camera > 0 and as_jpeg:
        _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
        pixels = np.ascontiguousarray(decoded[..., ::-1])  # type: ignore[index]
    return pixels


def _grain(rng: np.random.Generator, size: int, coarse: bool) -> Floats:
    """Sensor noise (size, size, 3) of unit spread; its draws are the last of the stream.

    The sum of two bytes is near enough to a normal distribution and five times as fast.
    """
    bytes_ = rng.integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    noise = cv2.add(bytes_[0], bytes_[1], dtype=cv2.CV_32F)
    noise -= np.float32(255)
    noise *= np.float32(1 / 104.5)
    return blur(noise, 0.7 / size, size) * np.float32(1.6) if coarse else noise
