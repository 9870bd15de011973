"""Kernels that a stranger's code may run in.

    grader ── client ──socket── forkserver ──fork── supervisor ──fork── kernel
                              (in bubblewrap)  (namespaces, limits, watch)

`launch` finds out how well this machine can isolate kernels and starts the **fork server**: a
process that has imported what the lesson needs. For each kernel it forks a **supervisor**, which
goes into namespaces of its own, forks the **kernel** into them, watches what it uses, ends it, and
brings out what it emitted. `client` is the grader's end of a kernel; nbval and nbclient get at it
through `provisioner`.
"""
