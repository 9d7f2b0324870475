"""Small media for tests, made when a test runs."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction

NTSC_24 = Fraction(24000, 1001)


def make_movie(path, frames=24, rate=NTSC_24, codec="mpeg4", tags=None, sound=False, **options):
    """Write a grey movie of 64 x 48."""
    import av

    if path.suffix in (".mp4", ".mov"):
        options.setdefault("movflags", "use_metadata_tags")
    with av.open(str(path), "w", options=options) as container:
        container.metadata.update(tags or {})
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=48000) if sound else None
        for number in range(frames):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([number * 5 % 255]) * plane.buffer_size)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if audio is not None:
            container.mux(audio.encode(_silence(4800)))
            container.mux(audio.encode())
    return path


def make_sound(path, samples=12000):
    """Write silence at 48 kHz."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48000)
        container.mux(stream.encode(_silence(samples)))
        container.mux(stream.encode())
    return path


def make_png(path, texts=(), size=(4, 3), after=(), chunks=b""):
    """Write a PNG with text chunks before and after its pixels."""
    width, height = size
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    data = b"\x89PNG\r\n\x1a\n"
    data += chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) + chunks
    data += b"".join(map(text_chunk, dict(texts).items()))
    data += chunk(b"IDAT", rows)
    data += b"".join(map(text_chunk, dict(after).items())) + chunk(b"IEND", b"")
    path.write_bytes(data)
    return path


def text_chunk(item):
    """Return a text as an iTXt chunk."""
    key, text = item
    return chunk(b"iTXt", key.encode("latin-1") + b"\0\0\0\0\0" + text.encode())


def chunk(name, data):
    """Return a PNG chunk."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def make_exr(path, attributes=(), window=(0, 0, 1919, 1079)):
    """Write the header of an OpenEXR file; the readers under test look no further."""
    data = b"\x76\x2f\x31\x01\x02\0\0\0"
    box = struct.pack("<4i", *window)
    for name, kind, value in (("displayWindow", "box2i", box), *attributes):
        data += name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value))
        data += value
    path.write_bytes(data + b"\0")
    return path


def make_dpx(path, order=">", size=(2048, 1556), timecode=0x01021013, rate=24.0, aspect=(1, 1)):
    """Write the 2,048 bytes of a DPX header."""
    head = bytearray(b"\xff" * 2048)
    head[:4] = b"SDPX" if order == ">" else b"XPDS"
    struct.pack_into(f"{order}II", head, 772, *size)
    struct.pack_into(f"{order}II", head, 1628, *aspect)
    struct.pack_into(f"{order}I", head, 1920, timecode)
    struct.pack_into(f"{order}f", head, 1940, rate)
    path.write_bytes(bytes(head))
    return path


def _silence(samples):
    import av

    frame = av.AudioFrame("s16", "mono", samples)
    frame.sample_rate = 48000
    for plane in frame.planes:
        plane.update(b"\0" * plane.buffer_size)
    return frame
