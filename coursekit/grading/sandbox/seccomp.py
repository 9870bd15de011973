"""System calls that no lesson needs, refused: the kernel of the system is the last wall there is.

Namespaces decide what a process sees. A few calls reach round them or use up what nobody counts:
keyrings outlive a kernel and are shared by a whole login session, io_uring, bpf and the like are
where systems were broken into, and some sockets reach past a network namespace, such as a virtual
machine's to its host (vsock).

Memory is counted by what processes hold. So what is memory of no process is refused: files made by
`memfd_create`, System V segments, and anonymous memory that is shared, whose pages stay when they
are dropped by all, or when the process that filled them has gone. Shared files lie in /dev/shm and
/tmp, which are small.
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
}  # fmt: skip
#: Refused as unknown, so that the C library does without them.
_UNKNOWN = {"memfd_create": (319, 279), "clone3": (435, 435)}
#: Done without doing anything: a kernel keeps to its core (`cores`), and libraries may ask.
_IGNORED = {"sched_setaffinity": (203, 122)}
_CLONE, _PRCTL, _MMAP = (56, 220), (157, 167), (9, 222)
_SOCKET, _SOCKETPAIR = (41, 198), (53, 199)
_NEW_NAMESPACES = 0x7E020000
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _FILTER_MODE = 1, 22, 2
_SHARED_ANONYMOUS = 0x21  # MAP_SHARED | MAP_ANONYMOUS; MAP_SHARED_VALIDATE has the first bit, too
#: Sockets that there may be: local ones, IP (in a network of its own), and the C library's way to
#: ask which addresses there are.
_FAMILIES = (1, 2, 10, 16)  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK

_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_NUMBER, _ARCHITECTURE, _ARGUMENT = 0, 4, 16  # offsets in what a filter is shown
_LOAD, _AND, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_X32 = 0x40000000


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
        (_AT_LEAST, 0, 1, _X32),
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
    for call in (_SOCKET, _SOCKETPAIR):
        code += [(_EQUAL, 0, 3 + len(_FAMILIES), call[machine]), (_LOAD, 0, 0, _ARGUMENT)]
        code += [(_EQUAL, len(_FAMILIES) - i, 0, kind) for i, kind in enumerate(_FAMILIES)]
        code += [(_RETURN, 0, 0, _ERROR | errno.EAFNOSUPPORT), (_RETURN, 0, 0, _ALLOW)]
    code += [
        (_EQUAL, 0, 4, _MMAP[machine]),
        (_LOAD, 0, 0, _ARGUMENT + 3 * 8),
        (_AND, 0, 0, _SHARED_ANONYMOUS),
        (_EQUAL, 0, 1, _SHARED_ANONYMOUS),
        (_RETURN, 0, 0, refused),
    ]
    return [*code, (_RETURN, 0, 0, _ALLOW)]
