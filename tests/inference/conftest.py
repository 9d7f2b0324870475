"""What several modules of measuring ask for."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def alone():
    """Keep to this machine, and to one thread of it."""
    import huggingface_hub
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
        yield
    torch.set_num_threads(threads)
