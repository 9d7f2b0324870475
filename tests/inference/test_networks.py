"""dlib's files are read as they are, and damage is refused."""

from __future__ import annotations

import importlib.util
import random
import struct

import pytest

from castline.inference import networks, packages
from castline.schemas.errors import CastlineError, UnreadableFileError

np = pytest.importorskip("numpy")
if importlib.util.find_spec("face_recognition_models") is None:
    pytest.skip("face_recognition_models is not installed", allow_module_level=True)


@pytest.mark.parametrize(
    ("name", "count", "head", "first", "last"),
    [
        (packages.FACE_NETWORK, 29, (256, 128), (32, 3, 7, 7), (256, 256, 3, 3)),
        (packages.FACE_DETECTOR, 7, None, (16, 3, 5, 5), (1, 45, 9, 9)),
    ],
)
def test_the_layers_are_all_there(name, count, head, first, last):
    network = networks.read(packages.weights(name))
    assert len(network.convolutions) == count
    assert (network.head is None) if head is None else network.head.shape == head
    assert network.convolutions[0].weights.shape == first
    assert network.convolutions[-1].weights.shape == last
    assert all(np.isfinite(each.weights).all() for each in network.convolutions)


def _number(value: int) -> bytes:
    size = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def _tensor(values: list[float]) -> bytes:
    shape = b"".join(_number(side) for side in (len(values), 1, 1, 1))
    return _number(2) + shape + struct.pack(f"<{len(values)}f", *values)


def _text(name: str) -> bytes:
    return _number(len(name)) + name.encode()


def test_a_convolution_is_scaled_by_what_stands_behind_it(tmp_path):
    path = tmp_path / "small.dat"
    settings = b"".join(map(_number, (2, 1, 2, 3, 3, 1, 1)))
    path.write_bytes(
        b"head"
        + _text("con_4") + _tensor([1, 2, 3, 4, 10, 20]) + settings
        + _text("affine_") + _tensor([2, 3, 100, 200])
        + _text("fc_2") + _number(3) + _number(2) + _tensor([1, 2, 3, 4, 5, 6])
    )  # fmt: skip
    network = networks.read(path)
    (only,) = network.convolutions
    assert only.weights.tolist() == [[[[2, 4]]], [[[9, 12]]]]
    assert only.bias.tolist() == [120, 260]
    assert (only.stride, only.padding) == (3, 1)
    assert network.head.tolist() == [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\x01\x05con_4", b"\x01\x07affine_" + b"\x01" * 99]
)
def test_other_files_are_refused(data, tmp_path):
    path = tmp_path / "other.dat"
    path.write_bytes(data)
    with pytest.raises(UnreadableFileError, match=r"other\.dat: found"):
        networks.read(path)
    with pytest.raises(UnreadableFileError, match=r"No such file"):
        networks.read(tmp_path / "none.dat")


def test_damage_ends_in_a_line_or_in_a_network(tmp_path):
    whole = packages.weights(packages.FACE_DETECTOR).read_bytes()
    path = tmp_path / "damaged.dat"
    refused = 0
    for seed in range(300):
        chance = random.Random(seed)
        data = bytearray(whole[: chance.randrange(len(whole))] if seed % 2 else whole)
        for _ in range(chance.randrange(1, 40)):
            if data:
                # Near a layer's name, where its shape is, more often than among its weights.
                at = data.find(b"con_4", chance.randrange(len(data))) + chance.randrange(64)
                data[min(at, len(data) - 1)] = chance.randrange(256)
        path.write_bytes(data)
        try:
            networks.read(path)
        except CastlineError as error:
            assert len(str(error).splitlines()) == 1
            refused += 1
    assert refused > 50
