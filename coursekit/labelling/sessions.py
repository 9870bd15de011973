"""What a page can ask for, in a browser or in a notebook: one method each, JSON in and out."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.annotation import label_map
from coursekit.data.images import read_image
from coursekit.errors import CourseError
from coursekit.files import write_text
from coursekit.labelling import checking, drawing
from coursekit.labelling.photos import RECORDS, Photos, find_photos
from coursekit.labelling.proposals import Network, Proposal, follow, mean_face
from coursekit.labelling.recent import Recent
from coursekit.labelling.records import KEPT, Conflict, Held, Records, Row
from coursekit.labelling.training import Training
from coursekit.labels import LAPA
from coursekit.landmarks import LANDMARK_GROUPS, LANDMARK_NAMES

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from coursekit.annotation.regions import Network as Parser

# Decoded photographs that are kept, and proposals.
_IMAGES, _PROPOSALS = 4, 512
_THREADS = 8  # that read records
_FILE = "the landmark file"


class Session:
    """The photographs of a folder, and everything that a page does with them.

    Any thread may call it.

    Args:
        photos: of a folder.
        network: proposes points; None for the mean face, until one was trained here.
        parser: finds hair and skin; None for label maps without hair.
        device: where networks run.
    """

    def __init__(
        self,
        photos: Photos,
        network: Network | None = None,
        parser: Parser | None = None,
        device: str = "cpu",
    ) -> None:
        self.photos, self.parser, self.device = photos, parser, device
        if network is None and photos.model.is_file():
            network = Network(photos.model, device)
        self.network = network
        self.records = Records(photos)
        self.training = Training(photos, self._trained)
        self._images: Recent[NDArray[np.uint8]] = Recent(_IMAGES)
        self._proposals: Recent[Proposal] = Recent(_PROPOSALS)
        self._regions: Recent[tuple[checking.Points, NDArray[np.uint8]]] = Recent(_IMAGES)
        self.rows = self._read_rows()
        self._methods: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "open": self._open, "picture": self._picture, "image": self._image, "at": self._at,
            "draw": self._draw, "regions": self._layers, "follow": self._follow,
            "propose": self._propose, "keep": self._keep, "save": self._save,
            "rows": lambda said: self._told_rows(), "train": self._train,
            "training": lambda said: self.training.told(), "cancel": self._cancel,
        }  # fmt: skip

    @classmethod
    def of(
        cls,
        folder: str | os.PathLike[str],
        checkpoint: str | os.PathLike[str] | None = None,
        parsing: str | os.PathLike[str] | None = None,
        device: str = "cpu",
    ) -> Session:
        """A session on a folder, its networks loaded and tried.

        Raises:
            CourseError: see `find_photos`; and when a checkpoint is none, or another network's.
        """
        photos = find_photos(folder)
        network = None if checkpoint is None else Network(Path(checkpoint), device)
        if network is not None:
            network.check()
        parser = None
        if parsing is not None:
            from coursekit.annotation import regions

            parser = regions.network(parsing, device)
        return cls(photos, network, parser, device)

    def call(self, method: str, said: Mapping[str, Any]) -> Any:
        """Do what a page asks for.

        Returns:
            Something for JSON, or bytes.

        Raises:
            CourseError: with what the page shows; `Conflict` when somebody else was faster.
        """
        if method not in self._methods:
            raise CourseError(f"{method!r:.40} is nothing that the tool does")
        return self._methods[method](said)

    def close(self) -> None:
        """End what still runs."""
        self.training.cancel()

    # -- what there is

    def _open(self, said: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "folder": str(self.photos.root),
            "at": self._where(),
            "left_out": list(self.photos.left_out),
            "groups": {name: list(points) for name, points in LANDMARK_GROUPS.items()},
            "names": list(LANDMARK_NAMES),
            "colours": drawing.colours(),
            "titles": dict(zip(LAPA.names, LAPA.titles, strict=True)),
            "parsing": self.parser is not None,
            "proposer": "the mean face" if self.network is None else str(self.network.path),
            "training": self.training.told(),
            **self._told_rows(),
        }

    def _told_rows(self) -> dict[str, Any]:
        return {
            "pictures": [
                [name, row.state, row.moved, row.drags, round(row.seconds)]
                for name, row in self.rows.items()
            ]
        }

    def _read_rows(self) -> dict[str, Row]:
        """The rows of all pictures; those without a file need no look."""
        known = {
            path.stem
            for place in (self.photos.record("x").parent, self.photos.landmarks("x").parent)
            for path in place.iterdir()
        }
        names = [name for name in self.photos.photos if name in known]
        with ThreadPoolExecutor(_THREADS) as pool:
            found = dict(zip(names, pool.map(self._row, names), strict=True))
        return {name: found.get(name, Row("new")) for name in self.photos.photos}

    def _row(self, name: str) -> Row:
        try:
            return Row.of(self.records.read(name))
        except CourseError:  # said when it is opened
            return Row("file")

    def _where(self) -> str:
        """The picture at which the hand stopped; else the first that is not saved."""
        names = [name for name, row in self.rows.items() if row.state in ("new", "draft")]
        first = next(iter(names or self.photos.photos))
        with suppress(OSError, ValueError, TypeError, KeyError):
            at = json.loads(self._place().read_text("utf-8"))["at"]
            return at if at in self.photos.photos else first
        return first

    def _place(self) -> Path:
        return self.photos.root / RECORDS / ".at"

    def _at(self, said: Mapping[str, Any]) -> dict[str, Any]:
        name = self._name(said)
        with suppress(CourseError):  # a full disk: points are what matters
            write_text(self._place(), json.dumps({"at": name}) + "\n")
        return {}

    # -- a picture

    def _name(self, said: Mapping[str, Any]) -> str:
        name = said.get("name")
        if not isinstance(name, str) or name not in self.photos.photos:
            raise CourseError(f"{name!r:.60} is none of the photographs; open the page anew")
        return name

    def _state(self, name: str) -> str:
        """Changes when a photograph is replaced: what was kept of the one before counts no more."""
        with suppress(OSError):
            found = self.photos.photos[name].stat()
            return f"{found.st_mtime_ns} {found.st_size} {found.st_ino} {name}"
        return name

    def image(self, name: str) -> NDArray[np.uint8]:
        """A photograph, decoded."""
        return self._images.get(self._state(name), lambda: read_image(self.photos.photos[name]))

    def _image(self, said: Mapping[str, Any]) -> bytes:
        return drawing.picture(self.image(self._name(said)))

    def _picture(self, said: Mapping[str, Any]) -> dict[str, Any]:
        name = self._name(said)
        state, image = self._state(name), self.image(name)
        height, width = image.shape[:2]
        held = self._held(name, image)
        self.rows[name] = Row.of(held)
        messages = [held.message]
        proposal = Proposal(np.zeros((0, 2)), np.zeros(0, np.float32), "")
        if held.edit is None and held.points is not None:
            proposal = Proposal(held.points, np.ones(len(held.points), np.float32), _FILE)
        elif not held.saved:
            proposal, told = self._proposed(name, image)
            messages.append(told)
        edit = held.edit
        points = np.round(proposal.points if edit is None else edit.points, 3)
        return {
            "name": name,
            "file": self.photos.photos[name].name,
            "photo": state,
            "width": width,
            "height": height,
            "points": _rounded(points),
            "proposed": _rounded(points if edit is None else edit.proposed),
            "hidden": [] if edit is None else list(edit.hidden),
            "touched": [] if edit is None else list(edit.touched),
            "sure": np.round(proposal.sure, 3).tolist(),
            "source": checking.line(proposal.source if edit is None else edit.source),
            "drags": 0 if edit is None else edit.drags,
            "seconds": 0 if edit is None else edit.seconds,
            "window": "" if edit is None else edit.window,
            "tag": held.tag,
            "state": Row.of(held).state,
            "message": " ".join(filter(None, messages)),
            "paths": drawing.paths(points),
        }

    def _held(self, name: str, image: NDArray[np.uint8]) -> Held:
        """What is on disk; a landmark file that is no face of its photograph counts as none.

        Points of the photograph at another size are scaled with it, and are not saved then.
        """
        held = self.records.read(name)
        height, width = image.shape[:2]
        if held.edit is not None and not held.edit.fits(width, height):
            told = held.edit.misfit(self.photos.photos[name].name, width, height)
            told = f"{held.message} {told}. They are scaled with it: look at them, and save anew"
            edit = held.edit.resized(width, height)
            return replace(held, edit=edit, saved=False, message=told.strip())
        if held.edit is None and held.points is not None:
            try:
                checking.face(held.points, image.shape[:2], str(self.photos.landmarks(name)))
            except CourseError as error:
                told = f"{held.message} {error}. Its points are not shown. {KEPT}".strip()
                return replace(held, points=None, message=told)
        return held

    def _proposed(self, name: str, image: NDArray[np.uint8]) -> tuple[Proposal, str]:
        """What the network says, or the mean face with the reason."""
        if self.network is None:
            return mean_face(*image.shape[:2]), ""
        network = self.network
        try:
            return self._proposals.get(self._state(name), lambda: network.propose(image)), ""
        except CourseError as error:
            return mean_face(*image.shape[:2]), f"{error}. The mean face is shown"

    def _propose(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Points anew: the network's, the mean face's, or those of another picture."""
        name = self._name(said)
        image, wanted = self.image(name), said.get("of")
        if wanted == "network":
            proposal, told = self._proposed(name, image)
            if self.network is None:
                told = "There is no network yet: this is the mean face. Save some, and train it"
        elif wanted == "mean":
            proposal, told = mean_face(*image.shape[:2]), ""
        else:
            other = self._name({"name": wanted})
            held = self._held(other, self.image(other))
            points = held.points if held.edit is None else held.edit.points
            if points is None:
                raise CourseError(f"{other} has no points yet; label it first")
            there = self.image(other).shape
            scale = np.array([image.shape[1] / there[1], image.shape[0] / there[0]])
            points = (points + 0.5) * scale - 0.5
            proposal = Proposal(points, np.zeros(len(points), np.float32), f"as {other:.60}")
            told = ""
        return {
            "points": _rounded(proposal.points),
            "sure": np.round(proposal.sure, 3).tolist(),
            "source": checking.line(proposal.source),
            "message": told,
        }

    def _draw(self, said: Mapping[str, Any]) -> dict[str, Any]:
        return {"paths": drawing.paths(checking.points(said.get("points")))}

    def _follow(self, said: Mapping[str, Any]) -> dict[str, Any]:
        start, now = checking.points(said.get("base")), checking.points(said.get("points"))
        moved = checking.indices(said.get("moved"))
        points = follow(start, moved, now[list(moved)])
        return {"points": _rounded(points), "paths": drawing.paths(points)}

    def _found(self, name: str, points: checking.Points) -> NDArray[np.uint8] | None:
        """Hair and skin of a picture; they depend on the points only in which face it is.

        So they are looked for anew when the points have gone to another place, as from the mean
        face to a face at the side.
        """
        if self.parser is None:
            return None
        from coursekit.annotation.regions import segment

        parser = self.parser

        def look() -> tuple[checking.Points, NDArray[np.uint8]]:
            return points, segment(self.image(name), points, parser, parser)

        state = self._state(name)
        seen, found = self._regions.get(state, look)
        if _apart(seen, points):
            self._regions.forget(state)
            _, found = self._regions.get(state, look)
        return found

    def _layers(self, said: Mapping[str, Any]) -> dict[str, Any]:
        name, points = self._name(said), checking.points(said.get("points"))
        found = self._found(name, points)
        if found is None:
            return {}
        data = "data:image/png;base64,"
        return {
            what: data + base64.b64encode(png).decode("ascii")
            for what, png in drawing.layers(found).items()
        }

    # -- what the hand has done

    def _keep(self, said: Mapping[str, Any]) -> dict[str, Any]:
        name = self._name(said)
        return self._kept(name, self.records.keep(name, checking.edit(said), _tag(said)))

    def _save(self, said: Mapping[str, Any]) -> dict[str, Any]:
        name, edit = self._name(said), checking.edit(said)
        height, width = self.image(name).shape[:2]
        if not edit.fits(width, height):
            told = edit.misfit(self.photos.photos[name].name, width, height)
            raise CourseError(f"{told}, which are kept. Go to another picture and back")
        points = checking.face(edit.points, (height, width), name)
        message = ""
        try:
            found = self._found(name, points)
        except CourseError as error:
            found, message = None, f"Saved without hair: {error}"
        drawn = label_map(points, height, width, regions=found, name=name)
        held = self.records.save(name, edit, _tag(said), drawn)
        return {**self._kept(name, held), "message": message}

    def _kept(self, name: str, held: Held) -> dict[str, Any]:
        row = self.rows[name] = Row.of(held)
        return {"tag": held.tag, "state": row.state, "moved": row.moved}

    # -- training

    def _train(self, said: Mapping[str, Any]) -> dict[str, Any]:
        saved = [name for name, row in self.rows.items() if row.state in ("saved", "file")]
        self.training.start(saved, None if self.network is None else self.network.path)
        return self.training.told()

    def _cancel(self, said: Mapping[str, Any]) -> dict[str, Any]:
        self.training.cancel()
        return self.training.told()

    def _trained(self) -> None:
        """A network was trained: what the old one said is forgotten."""
        self.network = Network(self.photos.model, self.device)
        self._proposals.clear()


def _apart(one: checking.Points, other: checking.Points) -> bool:
    """Whether the boxes of two faces share less than half of what they cover."""
    low, high = np.stack([one.min(0), other.min(0)]), np.stack([one.max(0), other.max(0)])
    shared = float((high.min(0) - low.max(0)).clip(0).prod())
    return 2 * shared < float((high - low).prod(1).sum()) - shared


def _tag(said: Mapping[str, Any]) -> str:
    tag = said.get("tag")
    if not isinstance(tag, str):
        raise Conflict("the page does not say what it has seen; open it anew")
    return tag


def _rounded(points: checking.Points) -> list[list[float]]:
    rounded: list[list[float]] = np.round(points, 3).tolist()
    return rounded
