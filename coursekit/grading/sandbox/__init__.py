"""Kernels that a stranger's code may run in.

    grader ── provisioner ──socket── zygote ──fork── keeper ──fork── kernel
                                     (in bubblewrap)  (namespaces, limits, watch)

`launch` finds out what this machine can do and starts the **zygote**: a process that has imported
what the lesson needs. For each kernel it forks a **keeper** (`supervisor.py`), which goes into
namespaces of its own, forks the **kernel** (`kernel.py`) into them, watches what it uses, ends it,
and brings out what it emitted. nbval and nbclient start kernels through `provisioner`.
"""
