"""What is kept of a cell's outputs, and what of them a replay compares."""

from __future__ import annotations

from coursekit.lessons.outputs import compared, normalise

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="


def shown(words: str) -> dict:
    data = {"image/png": PNG, "text/plain": words, "text/html": f'<img alt="{words}">'}
    return {"output_type": "display_data", "data": data, "metadata": {"image/png": {"alt": words}}}


TABLE = {"output_type": "display_data", "data": {"text/html": "<table>"}, "metadata": {}}


def test_a_picture_is_kept_once_with_its_words() -> None:
    cell = {"metadata": {}, "outputs": [shown("a face"), TABLE]}
    normalise(cell, "a lesson")
    picture, table = cell["outputs"]
    assert picture["data"] == {"image/png": PNG, "text/plain": ["a face"]}
    assert picture["metadata"] == {"image/png": {"alt": "a face"}}
    assert table["data"] == {"text/html": ["<table>"]}


def test_a_replay_compares_no_picture_but_that_there_is_one() -> None:
    noise = {"output_type": "stream", "name": "stderr", "text": "50 %"}
    (one,), (other,) = compared([shown("loss 0.5"), noise]), compared([shown("loss 0.6")])
    assert one["data"] == other["data"] == {"image/png": PNG}
    assert compared([TABLE]) == [TABLE] != compared([shown("loss 0.5")])
