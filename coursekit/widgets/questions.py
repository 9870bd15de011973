"""A lesson's quiz, with a button for each choice."""

from __future__ import annotations

import importlib.util
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coursekit.lessons.quiz import Choice, Question


def quiz(sealed: str) -> Any:
    """A lesson's questions: a button for each choice, and below what speaks for or against it.

    Args:
        sealed: the quiz's source, as `coursekit.lessons.quiz.seal` wrote it.

    Returns:
        An ipywidgets box to be shown as the last line of a cell. Without ipywidgets: the questions
        as text, in which each choice can be unfolded.
    """
    from coursekit.lessons.quiz import folded, read_quiz, unseal

    questions = read_quiz(unseal(sealed))
    if importlib.util.find_spec("ipywidgets") is None:
        from IPython.display import Markdown

        return Markdown(folded(questions))
    import ipywidgets

    asked = [_question(number, each) for number, each in enumerate(questions, 1)]
    return ipywidgets.VBox(asked, layout=ipywidgets.Layout(max_width="44rem"))


def _question(number: int, question: Question) -> Any:
    """One question of a quiz: its text, its choices, and a place for what a choice leads to."""
    import ipywidgets

    from coursekit.lessons.quiz import html_of, verdict

    whole = ipywidgets.Layout(width="auto", max_width="100%", margin="2px")
    said = ipywidgets.HTML(layout=whole).add_class("coursekit-verdict")
    rows = [ipywidgets.HTML(f"<b>{number}. {html_of(question.text)}</b>", layout=whole)]
    narrow = ipywidgets.Layout(width="3.6rem", flex="0 0 auto")
    for letter, choice in zip(ascii_uppercase, question.choices, strict=False):
        spoken = f"Question {number}, {letter}: {choice.text}"
        button = ipywidgets.Button(description=letter, tooltip=spoken, layout=narrow)

        def choose(pressed: Any, choice: Choice = choice, letter: str = letter) -> None:
            pressed.description = f"{letter} {'✓' if choice.right else '✗'}"
            pressed.button_style = "success" if choice.right else "warning"
            # A screen reader reads out what appears in a status.
            said.value = f'<div role="status">{letter}: {html_of(verdict(choice))}</div>'

        button.on_click(choose)
        text = ipywidgets.HTML(html_of(choice.text), layout=ipywidgets.Layout(flex="1 1 auto"))
        rows.append(ipywidgets.HBox([button, text], layout=whole))
    return ipywidgets.VBox([*rows, said], layout=ipywidgets.Layout(margin="0 0 1rem 0"))
