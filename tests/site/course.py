"""A small course, built: a lesson with a solution, a check, a hidden half, a picture and a quiz."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image

from coursekit.lessons.build import build
from coursekit.lessons.joined import joined
from coursekit.lessons.notebook import make_notebook, to_bytes
from coursekit.lessons.outline import read_outline
from tests.release.demo_course import LESSON, write_course

LIST = """\
[[lesson]]
name = "07_sums"
short = "Sums"
builds = "two times x"
"""
MORE = """
# %% picture tags=["folded"]
print("a figure")

# %% quiz [markdown]
# ### How much is twice one?
#
# - [x] Two
#   One and one.
# - [ ] One
#   That is once.

# %% [markdown]
# The words are in the [glossary](../GLOSSARY.md).
"""


def png() -> str:
    written = io.BytesIO()
    Image.new("RGBA", (40, 20), (200, 30, 30, 128)).save(written, "PNG")
    return base64.b64encode(written.getvalue()).decode()


def picture(alt: str = 'alt="a &lt;red&gt; field"') -> dict[str, object]:
    html = f'<img src="data:image/png;base64,{png()}" {alt} width="20">'
    return {"output_type": "display_data", "metadata": {},
            "data": {"text/html": html, "text/plain": "a field"}}  # fmt: skip


def write(root: Path, alt: str | None = None) -> Path:
    """A course's folder with this lesson, built as if it had been executed."""
    folder = write_course(root / "notebooks", course="", lesson=LESSON + MORE)
    (folder / "lessons.toml").write_text(LIST, encoding="utf-8")
    (root / "README.md").write_text("# Sums\n\nA course.\n\n## More\n", encoding="utf-8")
    build(folder, execute=False)
    outline = read_outline(folder)
    lesson = outline.lessons["07_sums"]
    notebook = make_notebook(joined(lesson.solved(), lesson, outline, {}))
    for cell in notebook["cells"]:
        if cell["id"] == "picture":
            cell["outputs"] = [picture() if alt is None else picture(alt)]
    (folder / "solved").mkdir()
    (folder / "solved" / "07_sums.ipynb").write_bytes(to_bytes(notebook))
    return root
