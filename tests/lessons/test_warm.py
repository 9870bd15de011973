"""A forked kernel is as any other, but that torch is there already."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_client.manager import start_new_kernel

from coursekit.lessons import warm

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(not warm.is_possible(), reason="forks need Linux")


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any, Path]]:
    folder = tmp_path_factory.mktemp("warm")
    warm.write_kernel_spec(folder)
    (folder / "work").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder))
        environment = {**os.environ, "ONLY_HERE": "yes", "IPYTHONDIR": str(folder / "ipython")}
        manager, client = start_new_kernel(
            kernel_name=warm.KERNEL_NAME, cwd=str(folder / "work"), env=environment
        )
        yield manager, client, folder / "work"
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        assert not manager.is_alive()
        assert not Path(manager.ip).parent.exists()


def said(client: Any, code: str) -> str:
    """What a cell prints, or the exception that it ends with."""
    texts: list[str] = []

    def keep(message: dict[str, Any]) -> None:
        content = message["content"]
        if message["msg_type"] in ("stream", "error"):
            texts.append(content.get("text") or content["ename"])

    client.execute_interactive(code, timeout=60, output_hook=keep)
    return "".join(texts).strip()


def test_torch_is_there_and_nothing_of_the_course(kernel: tuple[Any, Any, Path]) -> None:
    names = "('torch', 'torch._dynamo', 'coursekit.models', 'matplotlib.pyplot')"
    loaded = f"[n for n in {names} if n in s]"
    code = f"import sys; s = sys.modules; print({loaded}, 'torch' in globals())"
    assert said(kernel[1], code) == "['torch', 'torch._dynamo'] False"


def test_it_has_the_environment_the_folder_and_the_backend(kernel: tuple[Any, Any, Path]) -> None:
    code = "import os, matplotlib.pyplot as p; print(os.environ['ONLY_HERE'], os.getcwd(), "
    code += "p.get_backend()[-6:], __name__)"
    assert said(kernel[1], code) == f"yes {kernel[2]} inline __main__"


def test_no_other_process_can_have_its_ports(kernel: tuple[Any, Any, Path]) -> None:
    manager, client, _ = kernel
    assert (manager.transport, client.transport) == ("ipc", "ipc")
    assert Path(manager.ip).parent.is_dir()


def test_it_computes_learns_and_starts_processes(kernel: tuple[Any, Any, Path]) -> None:
    code = """
    import torch
    from torch.utils.data import DataLoader
    layer = torch.nn.Conv2d(3, 4, 3)
    optimiser = torch.optim.SGD(layer.parameters(), 0.1)
    for images in DataLoader(torch.ones(4, 3, 8, 8), 2, num_workers=1):
        layer(images).sum().backward(); optimiser.step()
    print(tuple(images.shape))
    """
    assert said(kernel[1], code) == "(2, 3, 8, 8)"


def test_it_can_be_interrupted_and_restarted(kernel: tuple[Any, Any, Path]) -> None:
    manager, client, _ = kernel
    asked = client.execute("kept = 1\nprint('begun', flush=True)\nwhile True: pass")
    while client.get_iopub_msg(timeout=60)["content"].get("text") != "begun\n":
        pass
    manager.interrupt_kernel()
    answer = client.get_shell_msg(timeout=60)
    assert answer["parent_header"]["msg_id"] == asked
    assert answer["content"]["ename"] == "KeyboardInterrupt"
    manager.restart_kernel(now=True)
    client.wait_for_ready(timeout=60)
    assert said(client, "kept") == "NameError"
