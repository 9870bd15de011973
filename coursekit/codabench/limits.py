"""How much of a zip is read before it is refused: a real one stays far below each of these."""

from __future__ import annotations

#: Files and folders in the zip, and bytes of their list, all of which zipfile holds in memory.
MOST_ENTRIES = 20_000
LONGEST_LIST = 8 << 20
#: Bytes of everything, unpacked.
MOST_UNPACKED = 512 << 20
#: Unpacked over packed size, for an entry of over a megabyte.
MOST_RATIO = 100.0
#: Bytes of one PNG; 512² ids take at most 257 KiB even when nothing compresses.
LARGEST_MASK = 1 << 20
#: Bytes of `solution/ckpt.pth`; the limit's weights take 8 MB as float32.
LARGEST_CHECKPOINT = 64 << 20
#: Bytes of `run.py` and of `requirements.txt`.
LARGEST_TEXT = 256 << 10
#: That a PNG's header may claim before it counts as a bomb.
MOST_PIXELS = 4096 * 4096
#: For the process that looks into the checkpoint.
SECONDS = 20.0
