"""`coursekit doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coursekit.commands import command

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    command(subparsers, "doctor", "say what this machine has and lacks", "coursekit doctor", run)


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; 1 when something that the course needs is missing."""
    from coursekit.health import examine, line

    findings = examine()
    print(*map(line, findings), sep="\n")
    return int(any(finding.state == "missing" for finding in findings))
