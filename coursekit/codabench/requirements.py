"""requirements.txt: written; and read as pip does, which takes some and certainly refuses others.

Nothing is asked of an index, so whether a package has such a version is not known here.
"""

from __future__ import annotations

import argparse
import codecs
import posixpath
import re
import shlex
import sys
from dataclasses import dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from coursekit.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: Modules whose package has another name; the first is the one to recommend.
_PACKAGES = {
    "cv2": (
        "opencv-python-headless", "opencv-python", "opencv-contrib-python",
        "opencv-contrib-python-headless",
    ),
    "dateutil": ("python-dateutil",),
    "PIL": ("pillow", "pillow-simd"),
    "skimage": ("scikit-image",),
    "sklearn": ("scikit-learn", "sklearn"),
    "skvideo": ("sk-video",),
    "yaml": ("pyyaml",),
}  # fmt: skip

#: Names with which pip stops, though they look right: nothing of that name is on PyPI for Linux,
#: or a placeholder that only fails.
_NOWHERE: dict[str, str] = {
    "coursekit": "what PyPI has under that name is something else; run.py must do without",
    "opencv": "the package is opencv-python-headless",
    "pytorch": "the package is torch",
    "pywin32": 'that is for Windows; add ; sys_platform == "win32"',
    **{
        canonicalize_name(module): f"the package is {packages[0]}"
        for module, packages in _PACKAGES.items()
    },
}

#: Packages whose modules are imported by dotted names, which is not how pip knows them.
_WITH_MODULES = ("matplotlib", "numpy", "scipy", "torch", "torchvision")

#: Names of the standard library that PyPI has as well: old copies, or something else.
_ALSO_ON_PYPI = """
    antigravity argparse ast asyncio chunk configparser contextvars dataclasses datetime dis email
    enum functools graphlib hmac html http importlib ipaddress logging mailbox modulefinder
    multiprocessing pathlib readline resource secrets selectors ssl statistics token typing uuid
    wave wsgiref
"""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),  # as PowerShell writes
)  # fmt: skip
_COMMENT = re.compile(r"(^|\s)#.*$")
_ENCODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.MULTILINE)
_ADDRESS = re.compile(r"(?:(?:git|hg|svn|bzr)(?:\+\w+)?|https?|ftp)://|git\+\w+@", re.IGNORECASE)
_ARCHIVE = re.compile(r"\.(whl|zip|tar|tgz|tbz|txz|tlz|tar\.(gz|bz2|xz|lz|lzma))$", re.IGNORECASE)
_LISTED = 3  # lines of one kind that a message names

# A file may be a stranger's: no real one has more.
_MOST_LINES, _MOST_FILES, _MOST_OPTIONS, _LONGEST = 2000, 20, 1000, 1000


@dataclass(frozen=True)
class _Pinned:
    where: str
    requirement: Requirement
    hashed: bool


@dataclass
class Requirements:
    """What a requirements.txt asks for.

    Attributes:
        packages: their names, normalised, those alone that Linux needs.
        problems: kind (see `catalogue.KINDS`) → the lines that have it.
    """

    packages: set[str] = field(default_factory=set)
    problems: dict[str, list[str]] = field(default_factory=dict)

    def found(self) -> Iterator[tuple[str, str]]:
        """(kind, detail) pairs, one for each kind."""
        for kind, lines in self.problems.items():
            more = len(lines) - _LISTED
            yield kind, "; ".join(lines[:_LISTED]) + (f"; and {more} more" if more > 0 else "")

    def lack(self, modules: Iterable[str]) -> list[str]:
        """Modules that the packages, and what those need, do not seem to bring."""
        there = with_dependencies(self.packages)
        wanted = {m: map(canonicalize_name, _PACKAGES.get(m, (m,))) for m in modules}
        return [module for module, packages in wanted.items() if there.isdisjoint(packages)]


def read_requirements(data: bytes, beside: Callable[[str], bytes | None]) -> Requirements:
    """Read a requirements.txt line by line, as pip does.

    Args:
        data: the whole file.
        beside: the content of a file by its path from the folder where pip runs, or None when
            there is none; "requirements.txt" is the file itself.
    """
    reader = _Reader(beside)
    reader.file("requirements.txt", data)
    reader.finish()
    return reader.result


def write_requirements(modules: Iterable[str]) -> str:
    """A requirements.txt with the installed versions of what brings these modules.

    Its first line says which Python these versions need.

    Args:
        modules: top-level modules, none of the standard library.

    Raises:
        CourseError: when a module is of no installed package.
    """
    installed = metadata.packages_distributions()
    versions: dict[str, str] = {}
    least: dict[str, Version] = {}
    for module in modules:
        if module not in installed:
            raise CourseError(
                f"the network imports {module}, which is no installed package; put what it takes "
                "from there into the network's own file"
            )
        package = min(map(canonicalize_name, installed[module]))
        # "+cpu" names a build that PyPI does not have; the version is the same.
        versions[package] = metadata.version(package).partition("+")[0]
        about = metadata.metadata(package)
        bounds = SpecifierSet("".join(about.get_all("Requires-Python") or []))
        lower = [Version(b.version) for b in bounds if b.operator in (">=", "~=")]
        least[package] = max(lower, default=Version("3"))
    needed = max(least.values())
    those = ", ".join(f"{p} {versions[p]}" for p in sorted(least) if least[p] == needed)
    pins = "".join(f"{package}=={version}\n" for package, version in sorted(versions.items()))
    return f"# needs Python {needed} or newer because of {those}\n{pins}"


def with_dependencies(packages: Iterable[str]) -> set[str]:
    """Packages, and those that they need, as far as they are installed here and so known."""
    known: set[str] = set()
    waiting = [canonicalize_name(package) for package in packages]
    while waiting:
        package = waiting.pop()
        if package in known:
            continue
        known.add(package)
        try:
            needed = [Requirement(text) for text in metadata.requires(package) or ()]
        except metadata.PackageNotFoundError:
            continue
        waiting += [canonicalize_name(r.name) for r in needed if _needed_on_linux(r)]
    return known


def _needed_on_linux(requirement: Requirement) -> bool:
    linux = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "extra": ""}
    return requirement.marker is None or requirement.marker.evaluate({**linux})


class _OptionError(Exception):
    """pip has no such option, or not with such a value."""


class _Options(argparse.ArgumentParser):
    """The options that pip knows in a file, by the names that they have there."""

    def __init__(self) -> None:
        super().__init__(add_help=False, exit_on_error=False)
        for names in (
            "-r --requirement", "-c --constraint", "-e --editable", "-i --index-url --pypi-url",
            "--extra-index-url", "-f --find-links", "--trusted-host", "--no-binary",
            "--only-binary", "--use-feature", "--hash", "--global-option", "-C --config-settings",
        ):  # fmt: skip
            self.add_argument(*names.split(), action="append", default=[])
        for name in ("--no-index", "--pre", "--prefer-binary", "--require-hashes"):
            self.add_argument(name, action="store_true")

    def error(self, message: str) -> None:  # type: ignore[override]
        raise _OptionError(message)

    def read(self, text: str) -> argparse.Namespace:
        try:
            words = shlex.split(text)
            if len(words) > _MOST_OPTIONS:
                raise _OptionError(f"{len(words)} words")
            found, unknown = self.parse_known_args(words)
        except (argparse.ArgumentError, ValueError) as error:
            raise _OptionError(str(error)) from error
        for word in unknown:  # a word without a dash is passed over
            if word.startswith("-"):
                raise _OptionError(f"pip has no option {word} in a file")
        for value in found.hash:
            if not re.fullmatch(r"(sha256|sha384|sha512):\w+", value):
                raise _OptionError("--hash takes sha256:…, sha384:… or sha512:…")
        return found


class _Reader:
    """Goes through a file and those that it names."""

    def __init__(self, beside: Callable[[str], bytes | None]) -> None:
        self.result = Requirements()
        self._beside = beside
        self._options = _Options()
        self._pinned: list[_Pinned] = []
        self._seen = {"requirements.txt"}
        self._lines = 0
        self._local: list[str] = []
        self._other_index = self._hashes = False

    def _note(self, kind: str, line: str) -> None:
        self.result.problems.setdefault(kind, []).append(line)

    def file(self, name: str, data: bytes) -> None:
        """Read a file; `name` is its path from where pip runs."""
        try:
            text = _decoded(data)
        except (UnicodeDecodeError, LookupError) as error:
            self._note("requirements-encoding", f"{name}: {error}")
            return
        for number, line in _joined(text.splitlines()):
            if line := _COMMENT.sub("", line).strip():
                where = f"line {number}" if name == "requirements.txt" else f"{name} line {number}"
                self._lines += 1
                if self._lines > _MOST_LINES:
                    self._note("requirements-syntax", f"{where} (over {_MOST_LINES} lines)")
                    return
                self._line(f"{where}: {line[:80]}", line, posixpath.dirname(name))

    def _line(self, where: str, line: str, folder: str) -> None:
        words = line.split(" ")
        count = next((i for i, word in enumerate(words) if word.startswith("-")), len(words))
        try:
            options = self._options.read(" ".join(words[count:]))
        except _OptionError as error:
            self._note("requirements-bad-option", f"{where} ({error})")
            return
        if count:  # pip minds no other option on such a line
            self._requirement(where, " ".join(words[:count]), bool(options.hash))
        else:
            self._own_line(where, options, folder)

    def _own_line(self, where: str, options: argparse.Namespace, folder: str) -> None:
        """A line of options alone."""
        self._hashes |= options.require_hashes
        indexes = options.index_url + options.extra_index_url + options.find_links
        others = [index for index in indexes if "//pypi.org/" not in index]
        self._other_index |= bool(others)
        if others or options.no_index:
            self._note("requirements-option", where)
        for path in options.editable:
            self._place(where, path)
        for path in options.requirement + options.constraint:
            if _ADDRESS.match(path):
                self._note("requirements-url", where)
                continue
            path = posixpath.normpath(posixpath.join(folder, path))
            data = self._beside(path)
            if data is None:
                self._note("requirements-missing-file", where)
            elif len(self._seen) > _MOST_FILES:
                self._note("requirements-bad-option", f"{where} (over {_MOST_FILES} files)")
            elif path not in self._seen and path not in options.constraint:
                self._seen.add(path)
                self.file(path, data)

    def _requirement(self, where: str, text: str, hashed: bool) -> None:
        path = text.partition(" ;")[0].partition("[")[0].strip()
        name = path.partition("@")[0]
        is_path = name.startswith(".") or not {"/", "\\"}.isdisjoint(name)
        if _ADDRESS.match(text) or is_path or (name == path and _ARCHIVE.search(path)):
            self._place(where, path)
            return
        try:
            if len(text) > _LONGEST:
                raise ValueError(f"{len(text)} letters")
            requirement = Requirement(text)
            needed = _needed_on_linux(requirement)
        except (ValueError, RecursionError) as error:
            self._note("requirements-syntax", f"{where} ({str(error).partition(chr(10))[0]})")
            return
        name = canonicalize_name(requirement.name)
        if needed:
            self.result.packages.add(name)
        if requirement.url:
            self._place(where, requirement.url)
        elif needed:
            self._named(where, name, requirement)
            self._pinned.append(_Pinned(where, requirement, hashed))

    def _place(self, where: str, place: str) -> None:
        """A package from an address, an archive or a folder."""
        path = posixpath.normpath(place.removeprefix("file:").partition("[")[0])
        there = [path, f"{path}/pyproject.toml", f"{path}/setup.py"]
        if _ADDRESS.match(place) or any(self._beside(path) is not None for path in there):
            self._note("requirements-url", where)
        else:
            self._note("requirements-missing-file", where)

    def _named(self, where: str, name: str, requirement: Requirement) -> None:
        """A package by its name and version."""
        module = name.replace("-", "_")
        above = requirement.name.partition(".")[0]
        # The placeholder's first versions brought scikit-learn.
        placeholder = name == "sklearn" and str(requirement.specifier).startswith("==0.0")
        if name in _NOWHERE and not placeholder:
            self._note("requirements-name", f"{where}: {_NOWHERE[name]}")
        elif above != requirement.name and (
            above in sys.stdlib_module_names or above in _PACKAGES or above in _WITH_MODULES
        ):
            self._note("requirements-name", f"{where}: a module of {above}, no package")
        elif module in sys.stdlib_module_names:
            kind = "requirements-stdlib" if module in _ALSO_ON_PYPI.split() else "requirements-name"
            self._note(kind, f"{where}: a part of Python itself")
        if any(s.operator in ("==", "===") and "+" in s.version for s in requirement.specifier):
            self._local.append(where)

    def finish(self) -> None:
        """What only all lines together tell."""
        if self._local and not self._other_index:
            self.result.problems["requirements-local"] = self._local
        if self._hashes or any(pinned.hashed for pinned in self._pinned):
            for pinned in self._pinned:
                exact = [s.operator in ("==", "===") for s in pinned.requirement.specifier]
                if not pinned.hashed or exact != [True]:
                    self._note("requirements-hashes", pinned.where)
        together: dict[str, list[_Pinned]] = {}
        for pinned in self._pinned:
            together.setdefault(canonicalize_name(pinned.requirement.name), []).append(pinned)
        for several in together.values():
            every = {spec for pinned in several for spec in pinned.requirement.specifier}
            pins = [s.version for s in every if s.operator == "==" and not s.version.endswith(".*")]
            if pins and not any(
                all(s.contains(pin, prereleases=True) for s in every) for pin in pins
            ):
                self._note("requirements-conflict", several[-1].where)


def _decoded(data: bytes) -> str:
    """pip minds a byte-order mark, then a line about the coding, else it is UTF-8."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding)
    said = _ENCODING.search(b"\n".join(data.split(b"\n")[:2]))
    return data.decode(said[1].decode("ascii") if said else "utf-8")


def _joined(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; one that ends in a backslash goes on in the next."""
    first, parts = 0, list[str]()
    for number, line in enumerate(lines, 1):
        comment = line.lstrip().startswith("#")
        first = first if parts else number
        if line.endswith("\\") and not comment:
            parts.append(line.strip("\\"))
            continue
        yield first, "".join([*parts, " " * comment, line])
        parts = []
    if parts:
        yield first, "".join(parts)
