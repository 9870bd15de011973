"""Linux namespaces, mounts and capabilities, by their system calls (see their man pages).

Python 3.11 has none of them in `os`, and a forked process cannot go into a sandbox that only
starts programs, as bubblewrap does. Everything here acts on the calling process.
"""

from __future__ import annotations

import ctypes
import os
import platform
import stat
from pathlib import Path

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
_MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x20, 0x1000, 0x4000, 0x40000
_MS_NOATIME, _MS_NODIRATIME, _MS_RELATIME = 0x400, 0x800, 1 << 21
_MNT_DETACH = 2
_NEW_MOUNT, _NEW_UTS, _NEW_IPC = 0x20000, 0x4000000, 0x8000000
_NEW_USER, _NEW_PID, _NEW_NET = 0x10000000, 0x20000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
_CAPABILITY_VERSION_3 = 0x20080522
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

#: Who the kernel is inside.
INSIDE_ID = 1000


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def become(identity: int) -> None:
    """Give up being root for this user and group, keeping the right to make namespaces."""
    os.setgroups([])
    os.setresgid(identity, identity, identity)
    os.setresuid(identity, identity, identity)
    _libc().prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)  # else /proc/self/uid_map belongs to root


def private_mounts() -> None:
    """As root: from here on, mounts are this process's own."""
    _call(_libc().unshare(_NEW_MOUNT), "unshare")
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)


def leave_the_world() -> None:
    """Into new user, mount, network, IPC and host-name namespaces; children get new process ids.

    Raises:
        OSError: where the system does not allow it to this user.
    """
    user, group = os.getuid(), os.getgid()
    kinds = _NEW_USER | _NEW_MOUNT | _NEW_PID | _NEW_NET | _NEW_IPC | _NEW_UTS
    _call(_libc().unshare(kinds), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{INSIDE_ID} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{INSIDE_ID} {group} 1")
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)


def mount_tmpfs(target: str, size: int, mode: int = 0o755) -> None:
    """A file system in memory, of at most `size` bytes."""
    options = f"size={size},mode={mode:o},nr_inodes={max(2048, size >> 14)}"
    _mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, options)


def mount_proc(target: str) -> None:
    """The processes of this pid namespace."""
    _mount("proc", target, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)


def bind(source: str, target: str, *, writable: bool = False) -> None:
    """Show `source`, a folder or file, at `target`, with what is mounted below it."""
    _mount(source, target, None, _MS_BIND | _MS_REC)
    if writable:
        return
    for mounted in _mounts_below(target):
        make_read_only(mounted)


def make_read_only(target: str) -> None:
    """Make what is mounted at `target` read-only, for everyone in this mount namespace."""
    flags = os.statvfs(target).f_flag
    kept = flags & (MS_NOEXEC | _MS_NOATIME | _MS_NODIRATIME)
    kept |= _MS_RELATIME if flags & 0x1000 else 0  # ST_RELATIME is another bit than MS_RELATIME
    nodev = 0 if stat.S_ISCHR(Path(target).stat().st_mode) else MS_NODEV
    _mount(None, target, None, _MS_REMOUNT | _MS_BIND | MS_RDONLY | MS_NOSUID | nodev | kept)


def enter_root(folder: str) -> None:
    """Make `folder` the root, for everyone in this mount namespace, and forget the old one."""
    os.chdir(folder)
    number = _SYS_PIVOT_ROOT[platform.machine()]
    _call(_libc().syscall(number, b".", b"."), "pivot_root")
    _call(_libc().umount2(b".", _MNT_DETACH), "umount of the old root")
    os.chdir("/")


def die_with_parent() -> None:
    """Be killed when the parent process ends."""
    _libc().prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0)


def drop_capabilities() -> None:
    """Give up every capability, now and for every program that is started later."""
    libc = _libc()
    for capability in range(64):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # numbers above the last one just fail
    _call(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _call(libc.capset(header, nothing), "capset")


def forbid_more_namespaces() -> None:
    """Let nobody in this user namespace make another, where the system has a knob for it."""
    try:
        Path("/proc/sys/user/max_user_namespaces").write_text("0")
    except OSError:
        return


def _mount(
    source: str | None, target: str, kind: str | None, flags: int, options: str | None = None
) -> None:
    arguments = [None if a is None else os.fsencode(a) for a in (source, target, kind, options)]
    result = _libc().mount(*arguments[:3], ctypes.c_ulong(flags), arguments[3])
    _call(result, f"mount of {target}")


def _mounts_below(target: str) -> list[str]:
    """Mount points at and below a path; in mountinfo's fifth field spaces are written \\040."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [line.split()[4].encode().decode("unicode_escape") for line in lines]
    return sorted({p for p in points if p == target or p.startswith(target + "/")})
