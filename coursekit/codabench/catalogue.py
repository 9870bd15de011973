"""The kinds of problem that `validate` tells apart: severity, what is wrong, and the mend.

The order is the order in which they are told: first what explains the rest.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_ERROR, _WARNING = "error", "warning"

#: kind → (severity, what is wrong, what to do). "{folder}" and the like are never filled in here:
#: what depends on the zip comes as a detail in brackets.
KINDS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        # --- the zip itself ---
        "not-a-zip": (
            _ERROR, "is not a zip file",
            "make a .zip (not .rar, .7z or .tar.gz, and not by renaming one)",
        ),
        "broken-zip": (
            _ERROR, "the zip is damaged: its list of entries cannot be read",
            "zip again and upload the whole file; a copy may have been cut off",
        ),
        "empty-zip": (
            _ERROR, "the zip holds no file", "zip the masks themselves, then list it to see them",
        ),
        "too-many-entries": (
            _ERROR, "the zip lists far more entries than there can be masks",
            "put one mask for each image into it, and nothing else",
        ),
        "bomb": (
            _ERROR, "unpacks to far more than a submission can need, so it was not unpacked",
            "put only the masks (and solution/) into the zip",
        ),
        # --- entries that no honest tool writes ---
        "traversal": (
            _ERROR, "the name climbs out of the folder it is unpacked in ('..' or '.')",
            "zip from inside the folder, so that names are plain",
        ),
        "absolute-name": (
            _ERROR, "the name is absolute (a leading slash or a drive letter)",
            "zip from inside the folder, so that names are relative",
        ),
        "bad-name": (
            _ERROR, "the name is empty, too long or holds control characters",
            "name masks after their images and zip again",
        ),
        "symlink": (
            _ERROR, "is a symbolic link or another special file, not a file with content",
            "put the file itself into the zip (`zip` without --symlinks)",
        ),
        "encrypted": (
            _ERROR, "is encrypted; the scorer has no password", "zip again without a password",
        ),
        "compression": (
            _ERROR, "is packed by a method other than deflate",
            "choose the ordinary method (deflate) or none when you zip",
        ),
        "duplicate": (
            _ERROR, "stands in the zip more than once; which one counts is chance",
            "delete the zip and make it anew: adding to an old one keeps what was there",
        ),
        "corrupt-entry": (
            _ERROR, "cannot be unpacked: its content does not match its checksum or its length",
            "zip again and upload the whole file",
        ),
        "too-large": (
            _ERROR, "is far larger than such a file can be", "look at what was written there",
        ),
        # --- where things lie ---
        "wrapped-folder": (
            _ERROR, "the folder was zipped instead of its contents",
            "go into that folder and zip from there: `cd FOLDER && zip -r ../submission.zip .`",
        ),
        "macosx": (
            _ERROR, "macOS's Finder added a __MACOSX folder of its own notes",
            "run `zip -d submission.zip '__MACOSX*'`, or zip by `zip -r -X` in a terminal",
        ),
        "ds-store": (
            _ERROR, "is macOS's note about a folder, not a mask",
            "run `zip -d submission.zip '*.DS_Store' '*/._*'`",
        ),
        "thumbs-db": (
            _ERROR, "is Windows's note about a folder, not a mask", "delete it and zip again",
        ),
        "metadata": (
            _ERROR, "a file of this name makes the platform take the zip for a program",
            "delete it and zip again",
        ),
        "nested-zip": (
            _ERROR, "is an archive inside the zip; nobody unpacks it",
            "put its files into the zip, not the archive",
        ),
        "backslash": (
            _ERROR, "the name holds a backslash; on Linux that is a letter, not a folder",
            "zip with a tool that writes forward slashes (Explorer, 7-Zip, Python's zipfile)",
        ),
        "masks-folder-case": (
            _ERROR, "the folder must be called masks, in lower case", "rename it to masks",
        ),
        "masks-at-root": (
            _ERROR, "masks lie at the root; the codabench format has them in masks/",
            "make a folder masks, move them there and zip that folder, or choose --format flat",
        ),
        "masks-folder-in-flat": (
            _ERROR, "masks lie in masks/; the flat format has them at the root",
            "go into masks and zip from there, or choose --format codabench",
        ),
        "nested-folder": (
            _ERROR, "lies in a folder too deep", "move it beside the other masks",
        ),
        "look-alike": (
            _ERROR, "the name looks right but has letters of another alphabet or form",
            "name masks by code from the images' names (`Path(image).stem + '.png'`)",
        ),
        "extension-case": (
            _ERROR, "the ending must be .png in lower case", "rename it to end in .png",
        ),
        "wrong-extension": (
            _ERROR, "is not a PNG by its ending", "save class ids as .png; JPEG changes them",
        ),
        "stem-case": (
            _ERROR, "differs from an image's name in upper and lower case",
            "name masks exactly as their images",
        ),
        "padded-stem": (
            _ERROR, "differs from an image's name in leading zeros",
            "name masks exactly as their images: 7.png for 7.jpg, not 00007.png",
        ),
        "extra-mask": (
            _ERROR, "has no image of that name",
            "check that --images is the folder that was predicted, and leave the rest out",
        ),
        "unexpected-file": (
            _ERROR, "does not belong in a submission", "leave it out and zip again",
        ),
        "no-masks": (
            _ERROR, "no mask of any image is in the zip", "check --images, --format and the names",
        ),
        "missing-mask": (
            _ERROR, "no mask for these images", "predict every image of the folder, and zip again",
        ),
        # --- the masks ---
        "empty-file": (
            _ERROR, "has no content (0 bytes)",
            "write it again; the disk may have been full or the program cut off",
        ),
        "jpeg-renamed": (
            _ERROR, "is a JPEG with the ending .png; JPEG blurs class ids",
            "save the ids as PNG: Image.fromarray(ids.astype('uint8')).save('x.png')",
        ),
        "not-a-png": (_ERROR, "is not a PNG inside", "save the ids by Pillow as .png"),
        "truncated-png": (
            _ERROR, "the PNG is cut off or damaged", "write it again and zip again",
        ),
        "png-bomb": (
            _ERROR, "the PNG claims an enormous size, so it was not decoded",
            "save masks of 512 × 512 pixels",
        ),
        "rgb-mask": (
            _ERROR, 'has colours (RGB): read with .convert("P"), class 1 is 14, or 0 if grey',
            "save the (H, W) array of class ids itself: Image.fromarray(ids.astype('uint8'))",
        ),
        "rgba-mask": (
            _ERROR, "has colours and transparency (RGBA), not one channel of ids",
            "save the (H, W) array of class ids itself: Image.fromarray(ids.astype('uint8'))",
        ),
        "palette-reordered": (
            _ERROR, "has a palette in another order than the classes; the scorer takes its indices",
            "save the array of ids, and keep optimisers of PNGs away from masks",
        ),
        "la-mask": (
            _WARNING, 'has a second channel, transparency (LA), which .convert("P") drops',
            "save one channel: Image.fromarray(ids.astype('uint8'))",
        ),
        "palette-mask": (
            _WARNING, "has a palette (mode P, not L); the scorer of 2025 took the indices of such",
            "save np.asarray(mask) as it is; .convert(\"L\") would turn class 1 into 61",
        ),
        "16-bit-mask": (
            _WARNING, 'has 16 bits a pixel, which .convert("P") of recent Pillows reads rightly',
            "save as uint8: ids.astype('uint8'), not uint16 or int32",
        ),
        "low-bit-mask": (
            _ERROR, "has fewer than 8 bits a pixel, which readers stretch to 0 … 255",
            "save as uint8 in mode L; a bool array or mode 1 cannot hold 19 classes",
        ),
        "animated": (
            _WARNING, "is an animation (APNG), of which one picture counts", "save one still PNG",
        ),
        "wrong-size": (
            _ERROR, "is not 512 × 512",
            "resize the logits to 512 × 512 before the arg-max (ids: nearest neighbour only)",
        ),
        "palette-converted": (
            _ERROR, 'is a palette mask that went through .convert("L"): class 1 became 61',
            "take np.asarray(mask) of the palette mask, without convert",
        ),
        "ids-out-of-range": (
            _ERROR, "holds values above 18", "write class ids 0 … 18, not colours or 0 … 255",
        ),
        "interlaced": (
            _WARNING, "is interlaced; every reader here copes, but not every reader does",
            "save it again by Pillow",
        ),
        "transparent": (
            _WARNING, "marks a grey as transparent (tRNS), which some readers turn into LA",
            "save it again by Pillow",
        ),
        "all-background": (
            _WARNING, "is background alone", "look at it: was the right checkpoint loaded?",
        ),
        "identical-masks": (
            _WARNING, "all masks are the same", "look at a few: was each image predicted?",
        ),
        # --- solution/ ---
        "solution-in-flat": (
            _ERROR, "the flat format has no solution/ folder",
            "leave it out, or choose --format codabench",
        ),
        "solution-too-early": (
            _ERROR, "solution/ belongs to the final phase only", "leave it out until then",
        ),
        "solution-case": (_ERROR, "the folder must be called solution", "rename it"),
        "solution-missing-file": (
            _ERROR, "is missing; solution/ needs ckpt.pth, requirements.txt and run.py",
            "make the zip by `coursekit submit --final`",
        ),
        "solution-extra-file": (
            _WARNING, "is none of ckpt.pth, requirements.txt and run.py; 2025 scored one with more",
            "put everything that run.py needs into run.py itself",
        ),
        "solution-more-weights": (
            _WARNING, "may hold weights beside ckpt.pth, which were not counted",
            "the limit holds for all weights together, and one model is allowed",
        ),
        "ckpt-broken": (
            _ERROR, "is not a checkpoint that torch.load reads",
            "write it by torch.save({'state_dict': model.state_dict()}, 'ckpt.pth')",
        ),
        "ckpt-code": (
            _ERROR, "pickles more than tensors and plain values: loading it could run code",
            "save the weights, not the model: torch.save({'state_dict': model.state_dict()}, …)",
        ),
        "ckpt-no-state-dict": (
            _ERROR, "has no \"state_dict\" in which the weights lie",
            "write it by torch.save({'state_dict': model.state_dict()}, 'ckpt.pth')",
        ),
        "ckpt-unreadable": (
            _ERROR, "took more time or memory to look through than a checkpoint may",
            "write it by torch.save({'state_dict': model.state_dict()}, 'ckpt.pth')",
        ),
        "too-many-parameters": (
            _ERROR, "has too many parameters for this edition",
            "train a narrower model; the limit is strict and counts sum(p.numel())",
        ),
        "run-encoding": (_ERROR, "is not UTF-8 text", "save it as UTF-8"),
        "run-syntax": (
            _ERROR, "does not parse as Python", "run it once as the organisers will",
        ),
        "run-relative": (
            _ERROR, "imports from its own package (`from .x import …`), which a script has none of",
            "write `from x import …` for a module beside run.py",
        ),
        "requirements-encoding": (_ERROR, "is not UTF-8 text", "save it as UTF-8"),
        "requirements-syntax": (
            _ERROR, "has a line that is no requirement to pip, which then installs nothing",
            "list one package a line, such as torch==2.15.0",
        ),
        "requirements-bad-option": (
            _ERROR, "has an option that pip refuses in a file", "list packages only",
        ),
        "requirements-missing-file": (
            _ERROR, "names a file or folder that is not in solution/, so that pip stops",
            "name the package and its version instead, such as torch==2.15.0",
        ),
        "requirements-local": (
            _ERROR, "asks for a local version (from the + on), which PyPI does not have",
            "leave that out: torch==2.15.0 is the same version as torch==2.15.0+cu121",
        ),
        "requirements-name": (
            _ERROR, "names something that pip cannot install for Linux",
            "name packages as on pypi.org: often not the name that is imported",
        ),
        "requirements-hashes": (
            _ERROR, "has hashes, and lines without one or without ==; pip then refuses all",
            "give every line its == and its --hash, or none",
        ),
        "requirements-conflict": (
            _ERROR, "asks for two versions of one package", "name each package once",
        ),
        "requirements-stdlib": (
            _WARNING, "names a part of Python itself; PyPI has something else of that name",
            "leave the line out",
        ),
        "requirements-option": (
            _WARNING, "takes packages from another index; the platform may not reach it",
            "prefer versions that PyPI has",
        ),
        "requirements-url": (
            _WARNING, "takes a package from an address or a file, which may fail on the platform",
            "prefer versions that PyPI has, such as torch==2.15.0",
        ),
        "run-arguments": (
            _WARNING, "does not mention every argument that the organisers pass",
            "it is called as: python3 run.py --input X.jpg --output Y.png --weights ckpt.pth",
        ),
        "run-imports": (
            _WARNING, "imports what requirements.txt does not seem to bring",
            "add the package to requirements.txt, or drop the import",
        ),
        "ckpt-objects": (
            _WARNING, "holds values that torch.load refuses unless told weights_only=False",
            "save the weights alone, and plain numbers by float() and int()",
        ),
        "ckpt-extra": (
            _WARNING, "holds tensors beside \"state_dict\", which were not counted",
            "save the weights alone",
        ),
        "ckpt-buffers": (
            _WARNING, "has unusually many running statistics, which do not count as parameters",
            "an instructor should look at it",
        ),
        "ckpt-device": (
            _WARNING, "was saved on a GPU; torch.load without map_location then needs one",
            "save model.cpu().state_dict()",
        ),
    }
)  # fmt: skip
