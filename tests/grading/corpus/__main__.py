"""`python -m tests.grading.corpus`: grade the whole corpus, and say what was not as expected."""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from tests.grading.corpus.kinds import Entry
from tests.grading.corpus.play import (
    ATTACKS,
    COLD_TIMEOUTS,
    ENTRIES,
    TIMEOUTS,
    Outcome,
    grader,
    play,
)


def main() -> int:
    """Grade, print a line for each entry, and count."""
    parser = argparse.ArgumentParser(prog="python -m tests.grading.corpus", description=__doc__)
    parser.add_argument("--sandbox", default="auto", choices=("auto", "bubblewrap", "unshare"))
    parser.add_argument("--cold", action="store_true", help="a kernel that nothing was forked from")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="entries to grade")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write what came here")
    parser.add_argument(
        "--same-as", type=Path, metavar="FILE", help="what --json wrote of another run (warm, cold)"
    )
    arguments = parser.parse_args()
    entries = [e for e in ENTRIES if not arguments.only or e.name in arguments.only]
    timeouts = COLD_TIMEOUTS if arguments.cold else TIMEOUTS
    started = time.monotonic()
    with grader(arguments.sandbox, timeouts, cold=arguments.cold) as place:

        def one(entry: Entry) -> Outcome:
            try:
                outcome = play(place, entry, timeouts)
            # The corpus's own accidents are wrong verdicts, too; the others go on.
            except Exception as error:
                wrong = (f"{type(error).__name__}: {error}",)
                outcome = Outcome(entry.name, "", "", (), 0.0, wrong)
            print(_line(outcome), flush=True)
            return outcome

        with ThreadPoolExecutor(arguments.workers) as pool:
            outcomes = list(pool.map(one, entries))
    good = sum(not outcome.wrong for outcome in outcomes)
    attacks = sum(entry in ATTACKS for entry in entries)
    print(
        f"{good} of {len(outcomes)} as expected "
        f"({attacks} attacks, {len(entries) - attacks} honest; {time.monotonic() - started:.0f} s)"
    )
    others = _others(outcomes, arguments.same_as) if arguments.same_as else []
    for line in others:
        print(line)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(o) for o in outcomes], indent=1))
    return 0 if good == len(outcomes) and not others else 1


def _others(outcomes: list[Outcome], path: Path) -> list[str]:
    """Entries that passed other exercises than in another run."""
    before = {outcome["name"]: outcome["passed"] for outcome in json.loads(path.read_text())}
    both = [outcome for outcome in outcomes if outcome.name in before]
    lines = [
        f"{o.name}: passed {' '.join(o.passed)} here, {' '.join(before[o.name])} there"
        for o in both
        if list(o.passed) != before[o.name]
    ]
    print(f"{len(both) - len(lines)} of {len(both)} as in {path}")
    return lines


def _line(outcome: Outcome) -> str:
    mark = "WRONG" if outcome.wrong else "ok"
    text = (
        f"{mark:<6}{outcome.name:<24}{outcome.seconds:6.1f} s  {outcome.expected:<28} {outcome.got}"
    )
    return "\n".join([text, *(f"      {line}" for line in outcome.wrong)])


if __name__ == "__main__":
    sys.exit(main())
