"""What is kept of a cell's outputs, and what of them a replay compares."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from coursekit.lessons.outputs import MOST_PICTURE, compared, complaints, normalise

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="


def shown(words: str) -> dict:
    picture = f'<img src="data:image/png;base64,{PNG}" alt="{words}">'
    data = {"image/png": PNG, "text/plain": words, "text/html": picture}
    return {"output_type": "display_data", "data": data, "metadata": {"image/png": {"alt": words}}}


TABLE = {"output_type": "display_data", "data": {"text/html": "<table>"}, "metadata": {}}


def test_a_picture_is_kept_once_with_its_words() -> None:
    cell = {"metadata": {}, "outputs": [shown("a face"), TABLE]}
    normalise(cell, "a lesson")
    picture, table = cell["outputs"]
    html = [f'<img src="data:image/png;base64,{PNG}" alt="a face">']
    assert picture["data"] == {"text/html": html, "text/plain": ["a face"]}
    assert picture["metadata"] == {} and complaints(cell) == []
    assert table["data"] == {"text/html": ["<table>"]}


def test_a_large_picture_is_made_small_in_its_page() -> None:
    written = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)
    Image.fromarray(pixels).save(written, "PNG")
    large, output = base64.b64encode(written.getvalue()).decode(), shown("noise for 20 s")
    output["data"]["image/png"] = large
    output["data"]["text/html"] = output["data"]["text/html"].replace(PNG, large)
    cell = {"metadata": {}, "outputs": [output]}
    normalise(cell, "a lesson")
    (html,) = cell["outputs"][0]["data"]["text/html"]
    kept = base64.b64decode(html.partition("base64,")[2].partition('"')[0])
    assert len(kept) < MOST_PICTURE < len(large) and html.endswith('" alt="noise for 20 s">')
    assert len(complaints(cell)) == 2  # in the words of both


def test_a_replay_compares_no_picture_but_that_there_is_one() -> None:
    noise = {"output_type": "stream", "name": "stderr", "text": "50 %"}
    stored = {"metadata": {}, "outputs": [shown("loss 0.6")]}
    normalise(stored, "a lesson")
    (one,), (other,) = compared([shown("loss 0.5"), noise]), compared(stored["outputs"])
    assert one["data"] == other["data"] == {"picture": "is there"}
    assert compared([TABLE]) == [TABLE]
