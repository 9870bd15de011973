"""System calls that no lesson needs, refused: the kernel of the system is the last wall there is.

Namespaces decide what a process sees. A few calls reach round them or use up what nobody counts:
keyrings outlive a kernel and are shared by a whole login session, io_uring, bpf and the like are
where systems were broken into, and some sockets reach past a network namespace, such as a virtual
machine's to its host (vsock).

Memory is counted by what processes hold. So what is memory of no process is refused: files made by
`memfd_create`, System V segments, and anonymous memory that is shared, whose pages stay when they
are dropped by all, or when the process that filled them has gone; and pages that are put into a
pipe and unmapped. Shared files lie in /dev/shm and /tmp, which are small.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import sys

#: Refused with "not permitted"; each with its numbers on x86_64 and aarch64.
_REFUSED = {
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "memfd_secret": (447, 447),
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "shmget": (29, 194), "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180),
    "splice": (275, 76), "tee": (276, 77), "vmsplice": (278, 75), "kcmp": (312, 272),
    "inotify_init1": (294, 26), "inotify_add_watch": (254, 27), "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263), "sysinfo": (99, 179), "syslog": (103, 116),
    "quotactl": (179, 60), "quotactl_fd": (443, 443),
}  # fmt: skip
#: Refused as unknown, so that the C library and others do without them.
_UNKNOWN = {
    "memfd_create": (319, 279), "clone3": (435, 435), "openat2": (437, 437),
    "preadv2": (327, 286), "pwritev2": (328, 287), "mincore": (27, 232), "cachestat": (451, 451),
    "process_madvise": (440, 440), "io_setup": (206, 0), "io_submit": (209, 2),
    "mbind": (237, 235), "set_mempolicy": (238, 237), "get_mempolicy": (239, 236),
    "migrate_pages": (256, 238), "move_pages": (279, 239), "pidfd_open": (434, 434),
}  # fmt: skip
#: Done without doing anything: a kernel keeps to its core (`cores`), nobody else has its files,
#: what is written lies in memory; and libraries may ask.
_IGNORED = {
    "sched_setaffinity": (203, 122), "flock": (73, 32), "fadvise64": (221, 223),
    "readahead": (187, 213), "sync": (162, 81), "syncfs": (306, 267),
    "sync_file_range": (277, 84),
}  # fmt: skip
#: Only on x86_64: what came before calls of a similar name.
_OLD = {"inotify_init": 253, "modify_ldt": 154}
_CLONE, _PRCTL, _MMAP = (56, 220), (157, 167), (9, 222)
_FCNTL, _MADVISE, _IOCTL, _GETSOCKOPT = (72, 25), (28, 233), (16, 29), (55, 209)
#: Of fcntl: duplicates and flags; who gets signals; of pipes and of files in memory. Not leases,
#: watches of folders, hints about a file, nor who has a lock.
_FILE_COMMANDS = (0, 1, 2, 3, 4, 8, 9, 10, 11, 15, 16, 1030, 1031, 1032, 1033, 1034)
_LOCKS = (6, 7, 37, 38)  # F_SETLK and its like: done, as `flock` is
#: Advice that moves pages out of memory (COLD, PAGEOUT) or merges those of strangers (MERGEABLE).
_ADVICE = (12, 20, 21)
#: Of sockets: SO_COOKIE and SO_PEERPIDFD, whose numbers the whole machine counts.
_COUNTED = (57, 77)
_FILE_SYSTEMS_OWN = 0x6600  # type of ioctls such as those that give a file system a key
_SOCKET, _SOCKETPAIR = (41, 198), (53, 199)
_NEW_NAMESPACES = 0x7E021000  # and a descriptor of the new process, as of `pidfd_open`
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _FILTER_MODE = 1, 22, 2
_SHARED_ANONYMOUS = 0x21  # MAP_SHARED | MAP_ANONYMOUS; MAP_SHARED_VALIDATE has the first bit, too
#: Sockets that there may be: local ones, IP (in a network of its own), and the C library's way to
#: ask which addresses there are.
_FAMILIES = (1, 2, 10, 16)  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK

_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_NUMBER, _ARCHITECTURE, _ARGUMENT = 0, 4, 16  # offsets in what a filter is shown
_LOAD, _AND, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_NEWER = 452  # the first call that nobody has looked at here; x86_64's 32-bit ones are far above


class _Instruction(ctypes.Structure):
    _fields_ = [
        ("code", ctypes.c_uint16),
        ("jump_true", ctypes.c_uint8),
        ("jump_false", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    ]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction))]


def refuse_system_calls() -> bool:
    """Filter this process's system calls and its children's, for good.

    Returns:
        Whether there is a filter: not on processors that are not known here, or without seccomp.
    """
    if sys.platform != "linux" or platform.machine() not in _MACHINES:
        return False
    code = [_Instruction(*parts) for parts in _filter(*_MACHINES[platform.machine()])]
    program = _Program(len(code), (_Instruction * len(code))(*code))
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(_PR_SET_SECCOMP, _FILTER_MODE, ctypes.byref(program), 0, 0) == 0)


def _filter(machine: int, architecture: int) -> list[tuple[int, int, int, int]]:
    """Instructions: a code, how many to jump over when it is so and when it is not, a value."""
    unknown, refused = _ERROR | errno.ENOSYS, _ERROR | errno.EPERM
    code = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),  # 32-bit calls have other numbers
        (_RETURN, 0, 0, unknown),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _NEWER),
        (_RETURN, 0, 0, unknown),
    ]
    for calls, answer in ((_REFUSED, refused), (_UNKNOWN, unknown), (_IGNORED, _ERROR)):
        for numbers in calls.values():
            code += [(_EQUAL, 0, 1, numbers[machine]), (_RETURN, 0, 0, answer)]
    # A new namespace is not permitted; to die with its parent is not to be undone (nor is it an
    # error to try: libraries do).
    for call, test, value, answer in (
        (_CLONE, _ANY_BIT, _NEW_NAMESPACES, refused),
        (_PRCTL, _EQUAL, _PR_SET_PDEATHSIG, _ERROR),
    ):
        code += [
            (_EQUAL, 0, 4, call[machine]),
            (_LOAD, 0, 0, _ARGUMENT),
            (test, 0, 1, value),
            (_RETURN, 0, 0, answer),
            (_RETURN, 0, 0, _ALLOW),
        ]
    if machine == 0:
        for number in _OLD.values():
            code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, refused)]
    for call in (_SOCKET, _SOCKETPAIR):
        code += _by_argument(call[machine], 0, {_ALLOW: _FAMILIES}, errno.EAFNOSUPPORT)
    code += _by_argument(_FCNTL[machine], 1, {_ALLOW: _FILE_COMMANDS, _ERROR: _LOCKS}, errno.EINVAL)
    code += _by_argument(_MADVISE[machine], 2, {_ERROR | errno.EINVAL: _ADVICE}, None)
    code += _by_argument(_GETSOCKOPT[machine], 2, {_ERROR | errno.ENOPROTOOPT: _COUNTED}, None)
    code += [
        (_EQUAL, 0, 5, _IOCTL[machine]),
        (_LOAD, 0, 0, _ARGUMENT + 8),
        (_AND, 0, 0, 0xFF00),
        (_EQUAL, 0, 1, _FILE_SYSTEMS_OWN),
        (_RETURN, 0, 0, _ERROR | errno.ENOTTY),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code += [
        (_EQUAL, 0, 4, _MMAP[machine]),
        (_LOAD, 0, 0, _ARGUMENT + 3 * 8),
        (_AND, 0, 0, _SHARED_ANONYMOUS),
        (_EQUAL, 0, 1, _SHARED_ANONYMOUS),
        (_RETURN, 0, 0, refused),
    ]
    return [*code, (_RETURN, 0, 0, _ALLOW)]


def _by_argument(
    call: int, place: int, answers: dict[int, tuple[int, ...]], otherwise: int | None
) -> list[tuple[int, int, int, int]]:
    """Instructions that answer one call by the lower half of an argument of its.

    Args:
        call: its number.
        place: of the argument, from 0.
        answers: what is returned for which values.
        otherwise: the error for others; None when these are allowed.
    """
    code = [(_LOAD, 0, 0, _ARGUMENT + 8 * place)]
    for answer, values in answers.items():
        for value in values:
            code += [(_EQUAL, 0, 1, value), (_RETURN, 0, 0, answer)]
    code += [(_RETURN, 0, 0, _ALLOW if otherwise is None else _ERROR | otherwise)]
    return [(_EQUAL, 0, len(code), call), *code]
