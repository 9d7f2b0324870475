"""dlib's trained networks as arrays, read from the files that its packages ship.

dlib writes a network from its input to its output, each layer as its name, its parameters and its
settings (`serialize` in dlib/dnn/layers.h). So the layers that hold parameters stand in the file
in the order in which they are run, and each can be found by its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from castline.schemas.errors import UnreadableFileError

MAX_BYTES = 256 << 20

# A string is its length, itself a number, and its bytes.
_NAME = re.compile(rb"\x01(?:\x05(con_4)|\x07(affine_)|\x07(bn_con2)|\x04(fc_2))")
_MAX_SIDE = 1 << 20
_NEGATIVE = 0x80
_SPECIAL = 32000  # exponents from here on are infinity and NaN


@dataclass(frozen=True)
class Convolution:
    """A convolution with the scaling behind it folded in."""

    weights: Any
    """Float32 array, filters x channels x height x width."""
    bias: Any
    """Float32 array, one a filter."""
    stride: int
    padding: int
    """Zeros on every side of the input."""
    is_scaled: bool = False
    """Whether a layer of scales stood behind it."""


@dataclass(frozen=True)
class Network:
    """The layers of a network that hold parameters, in the order in which they are run."""

    convolutions: tuple[Convolution, ...]
    head: Any = None
    """Float32 matrix of the last layer without bias, inputs x outputs, where there is one."""


def read(path: Path) -> Network:
    """Read a network from dlib's file.

    Raises `UnreadableFileError` for what is no such file.
    """
    try:
        is_fit = path.stat().st_size <= MAX_BYTES and path.is_file()
        data = path.read_bytes() if is_fit else b""
    except OSError as error:
        raise UnreadableFileError(f"{path}: {error.strerror}") from None
    convolutions: list[Convolution] = []
    head = None
    try:
        import numpy as np

        for name, scan in _layers(data):
            if name == "con_4":
                convolutions.append(scan.convolution())
            elif name == "fc_2":
                head = scan.matrix()
            else:
                scales = scan.affine() if name == "affine_" else scan.batch_norm()
                convolutions[-1] = _scaled(convolutions[-1], *scales)
        values = [a for each in convolutions for a in (each.weights, each.bias)]
        if not all(np.isfinite(array).all() for array in values):
            raise ValueError("a weight that is no finite number")
    except (IndexError, ValueError, OverflowError) as error:
        raise UnreadableFileError(f"{path}: found damage in a dlib network: {error}") from None
    if not convolutions:
        raise UnreadableFileError(f"{path}: found no dlib network")
    return Network(tuple(convolutions), head)


def _layers(data: bytes) -> Iterator[tuple[str, _Scan]]:
    at = 0
    while match := _NAME.search(data, at):
        scan = _Scan(data, match.end())
        yield match[match.lastindex or 0].decode(), scan
        at = scan.at


def _scaled(layer: Convolution, scale: Any, offset: Any) -> Convolution:
    if layer.is_scaled or scale.shape != layer.bias.shape:
        raise ValueError("scales that belong to no convolution")
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):  # whether it is finite is seen at the end
        weights = layer.weights * scale[:, None, None, None]
        bias = layer.bias * scale + offset
    return Convolution(weights, bias, layer.stride, layer.padding, is_scaled=True)


class _Scan:
    """A way through the bytes of a network."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self.at = at

    def convolution(self) -> Convolution:
        """Read what follows the name of a convolution: weights and biases as one, then shape."""
        values = self._tensor().ravel()
        filters, height, width, down, across, above, beside = (self._integer() for _ in range(7))
        if not 0 < filters < values.size or down != across or above != beside:
            raise ValueError("a convolution of an unknown kind")
        weights = values[:-filters].reshape(filters, -1, height, width)
        return Convolution(weights, values[-filters:], down, above)

    def affine(self) -> tuple[Any, Any]:
        """Read the scales and offsets of an affine layer."""
        scale, offset = self._halves()
        return scale, offset

    def batch_norm(self) -> tuple[Any, Any]:
        """Read a layer of batch normalisation as the scales and offsets that it is at rest."""
        import numpy as np

        gamma, beta = self._halves()
        for _ in range(2):  # the shapes of gamma and beta
            for _ in range(5):
                self._integer()
        _, _, mean, variance = (self._tensor().ravel() for _ in range(4))
        self._integer(), self._integer()  # updates, and the window of the running figures
        *_, epsilon = (self._number() for _ in range(5))
        with np.errstate(all="ignore"):  # as in `_scaled`
            scale = gamma / np.sqrt(variance + np.float32(epsilon))
            return scale, beta - scale * mean

    def matrix(self) -> Any:
        """Read the weights of a fully connected layer without bias."""
        outputs, inputs = self._integer(), self._integer()
        return self._tensor().reshape(inputs, outputs)

    def _halves(self) -> tuple[Any, Any]:
        values = self._tensor().ravel()
        half = values.size // 2
        return values[:half], values[half:]

    def _tensor(self) -> Any:
        import numpy as np

        if self._integer() != 2:
            raise ValueError("a tensor of an unknown version")
        shape = [self._integer() for _ in range(4)]
        if not all(0 <= side <= _MAX_SIDE for side in shape):
            raise ValueError("a tensor of no size")
        count = shape[0] * shape[1] * shape[2] * shape[3]
        start, self.at = self.at, self.at + 4 * count
        if self.at > len(self._data):
            raise ValueError("a tensor beyond the end")
        return np.frombuffer(self._data, "<f4", count, start).reshape(shape)

    def _number(self) -> float:
        mantissa, exponent = self._integer(), self._integer()
        if abs(exponent) >= _SPECIAL:
            raise ValueError("a number that is none")
        return float(mantissa) * 2.0**exponent

    def _integer(self) -> int:
        """Read a number: how many bytes it has and its sign, then the bytes, lowest first."""
        head = self._data[self.at]
        end = self.at + 1 + (head & 0x0F)
        if end > len(self._data):
            raise ValueError("a number beyond the end")
        value = int.from_bytes(self._data[self.at + 1 : end], "little")
        self.at = end
        return -value if head & _NEGATIVE else value
