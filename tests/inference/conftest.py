"""What several modules of measuring ask for."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def alone():
    """Keep to this machine, one thread of it, and to float32 whatever else its CPU has."""
    import huggingface_hub
    import torch

    from castline.inference.embed import checkpoint

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
        patch.setattr(checkpoint, "has_bfloat16", lambda: False)
        yield
    torch.set_num_threads(threads)
