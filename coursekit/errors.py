"""One error for what a user can mend: it says what is wrong, where, and what to do."""

from __future__ import annotations


class CourseError(ValueError):
    """Something outside the program is wrong: a folder, a file, an argument.

    The command line prints its message without a traceback and exits with 2; so the message must
    name the file or the argument, what is wrong with it, and the mend.
    """
