#!/bin/sh
# Build the optional inplace-abn where this machine can, and say in one line where it cannot.
# Its setup.py compiles for CUDA whenever torch is a CUDA build, GPU or not.
python=.venv/bin/python
log=.venv/inplace-abn.log

if $python -c 'import inplace_abn' 2>/dev/null; then
    echo "inplace-abn: built already"
    exit 0
fi
if ! command -v c++ >/dev/null; then
    echo "inplace-abn: no C++ compiler here, so its tests do not run (nothing else needs it)"
    exit 0
fi
if $python -c 'import sys, torch; sys.exit(torch.version.cuda is None)'; then
    if ! command -v nvcc >/dev/null; then
        echo "inplace-abn: torch is a CUDA build and there is no nvcc, so its tests do not run (nothing else needs it)"
        exit 0
    fi
    # Without a GPU nothing tells which one to compile for, and no driver package brings libcudart.
    TORCH_CUDA_ARCH_LIST=${TORCH_CUDA_ARCH_LIST:-8.0+PTX}
    runtime=$($python -c 'import glob, site
for root in site.getsitepackages():
    for path in sorted(glob.glob(root + "/nvidia/**/libcudart.so.*", recursive=True)):
        print(path)' | head -n 1)
    links=$(mktemp -d)
    trap 'rm -rf "$links"' EXIT
    [ -z "$runtime" ] || ln -s "$runtime" "$links/libcudart.so"
    LIBRARY_PATH=$links${LIBRARY_PATH:+:$LIBRARY_PATH}
    export TORCH_CUDA_ARCH_LIST LIBRARY_PATH
fi
# Python's own flags ask for debugging information, which takes a quarter of the time.
export CFLAGS="${CFLAGS:--g0}"
echo "inplace-abn: building (about two minutes, once)"
if .uv/bin/uv sync --locked --inexact --quiet --extra abn >"$log" 2>&1 && $python -c 'import inplace_abn' 2>>"$log"; then
    echo "inplace-abn: built"
else
    echo "inplace-abn: could not be built here (see $log), so its tests do not run (nothing else needs it)"
    # In CI the build must work: otherwise its tests would silently stop running.
    [ -z "${CI:-}" ] || exit 1
fi
