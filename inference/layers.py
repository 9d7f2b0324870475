"""The convolutions of a network, to be run in torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from castline.inference.networks import Network
from castline.inference.packages import require_torch

MEAN = (122.782, 117.001, 104.298)
"""Of red, green and blue; dlib's input layers subtract it, and divide by `SCALE`."""
SCALE = 256


@dataclass(frozen=True)
class Layer:
    """One convolution, its weights in the order that CPUs like (channels last)."""

    weights: Any
    bias: Any
    stride: int
    padding: int

    @property
    def side(self) -> int:
        """Return how wide the window is, in pixels of what goes in."""
        return int(self.weights.shape[-1])

    def run(self, x: Any) -> Any:
        """Return what comes out for a batch, images x channels x height x width."""
        from torch.nn import functional

        return functional.conv2d(
            x, self.weights, self.bias, stride=self.stride, padding=self.padding
        )


def layers_of(network: Network) -> list[Layer]:
    """Return the layers of a network as it was read.

    Raises `MissingDependencyError` without torch.
    """
    torch = require_torch()
    return [
        Layer(
            torch.from_numpy(each.weights.copy()).contiguous(memory_format=torch.channels_last),
            torch.from_numpy(each.bias.copy()),
            each.stride,
            each.padding,
        )
        for each in network.convolutions
    ]


def batch_of(pictures: Any) -> Any:
    """Return pictures, images x height x width x RGB, as dlib's networks take them."""
    import torch

    stacked = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    stacked = (stacked - torch.tensor(MEAN)[:, None, None]) / SCALE
    return stacked.contiguous(memory_format=torch.channels_last)
