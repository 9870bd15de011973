"""Who is drawn: every choice about one person, made before a pixel is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from coursekit.synthfaces.canvas import Floats, Points
from coursekit.synthfaces.config import Style
from coursekit.synthfaces.geometry import Head, draw_head
from coursekit.synthfaces.hair import Hair, draw_hair
from coursekit.synthfaces.skin import Light, Palette, draw_light, draw_palette
from coursekit.synthfaces.worn import (
    Body,
    Glasses,
    draw_body,
    draw_earrings,
    draw_glasses,
    draw_hat,
)

#: What few people wear.
RARE = ("hat", "glasses", "necklace", "earrings")
#: Gives the random stream of a part by its name.
Streams = Callable[[str], np.random.Generator]


@dataclass(frozen=True)
class Person:
    """Everything that decides how one person looks, before a pixel is drawn."""

    head: Head
    hair: Hair
    body: Body
    glasses: Glasses | None
    hat: tuple[str, list[Points]] | None
    earrings: dict[str, tuple[Points, float]]
    palette: Palette
    light: Light
    beard: str | None
    softness: float


@dataclass
class Lit:
    """Pictures that several parts share: lit skin, the light, its gloss."""

    skin: Floats
    light: Floats
    level: float
    grain: Floats


def draw_person(
    streams: Streams,
    style: Style,
    luck: Mapping[str, float],
    light: Light | None = None,
    place: Points | None = None,
) -> Person:
    """Draw a person from one random stream for each part.

    Args:
        streams: gives the stream of a part by name.
        style: the distribution.
        luck: for each of `RARE`, a number in [0, 1) that decides whether it is worn.
        light: the lamp; drawn when None.
        place: a (2, 3) affine map of the frame that moves the head elsewhere.
    """
    trait = streams("person")
    softness = float(
        np.clip(
            trait.choice([trait.normal(0.12, 0.1), trait.normal(0.88, 0.1)], p=[0.4, 0.6]), 0, 1
        )
    )
    head = draw_head(
        streams("shape"), streams("expression"), streams("pose"), style, softness, place
    )
    hair = draw_hair(streams("hair"), head, style, softness)
    beard = None
    if softness < 0.5 and trait.random() < style.beard_share * 2:
        beard = str(
            trait.choice(["stubble", "full", "goatee", "moustache"], p=[0.45, 0.28, 0.15, 0.12])
        )
    return Person(
        head,
        hair,
        draw_body(streams("body"), luck["necklace"], head, style, softness),
        draw_glasses(streams("glasses"), luck["glasses"], head, style),
        draw_hat(streams("hat"), luck["hat"], head, style),
        draw_earrings(streams("earrings"), luck["earrings"], head, style, softness),
        draw_palette(streams("palette"), style, softness),
        draw_light(streams("light"), style) if light is None else light,
        beard,
        softness,
    )
