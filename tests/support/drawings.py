"""Picture files of every kind, good and hostile, for tests."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image, ImageChops, ImageCms

PLACE = b"51 deg 30' 26.00\" N"
"""A place that must never reach a network."""
RED, GREEN, BLUE, WHITE = (220, 20, 20), (20, 200, 20), (20, 20, 220), (255, 255, 255)


def saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    """The picture as a file."""
    target = BytesIO()
    picture.save(target, format=form, **options)
    return target.getvalue()


def opened(data: bytes) -> Image.Image:
    """A file as a picture, wholly decoded."""
    with Image.open(BytesIO(data)) as picture:
        picture.load()
        return picture


def plain(width: int = 64, height: int = 48, colour: tuple[int, ...] = RED) -> Image.Image:
    """One colour."""
    return Image.new("RGBA" if len(colour) == 4 else "RGB", (width, height), colour)


def corners(width: int = 64, height: int = 48) -> Image.Image:
    """Red at the top left, green at the top right, blue at the bottom left, white at the bottom right."""
    picture = Image.new("RGB", (width, height), RED)
    half_width, half_height = width // 2, height // 2
    picture.paste(GREEN, (half_width, 0, width, half_height))
    picture.paste(BLUE, (0, half_height, half_width, height))
    picture.paste(WHITE, (half_width, half_height, width, height))
    return picture


def photograph(width: int = 1200, height: int = 900, *, noise: float = 40) -> Image.Image:
    """Soft shapes under noise, which no encoder packs well."""
    soft = Image.effect_mandelbrot((120, 90), (-2.2, -1.3, 1.2, 1.3), 60).resize((width, height))
    layers = [Image.effect_noise((width, height), noise) for _ in range(3)]
    return Image.merge("RGB", [ImageChops.add(soft, layer, scale=2) for layer in layers])


def camera_file(picture: Image.Image, *, orientation: int = 1, **options: Any) -> bytes:
    """A JPEG with what cameras note: which way up, who made it, and where."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "A camera"
    exif.get_ifd(0x8825)[29] = PLACE.decode()
    return saved(picture, "JPEG", exif=exif, comment=PLACE, **options)


def swapped_profile() -> bytes:
    """A colour profile in which red means blue and the other way round."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    count = struct.unpack(">I", srgb[128:132])[0]
    entries = [srgb[132 + 12 * n : 144 + 12 * n] for n in range(count)]
    names = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}
    table = b"".join(names.get(entry[:4], entry[:4]) + entry[4:] for entry in entries)
    return (srgb[:132] + table + srgb[132 + 12 * count :]).replace(
        "sRGB".encode("utf-16-be"), "swap".encode("utf-16-be")
    )


def chunk(kind: bytes, body: bytes) -> bytes:
    """A part of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def claiming_png(width: int, height: int) -> bytes:
    """A small PNG that claims to be as large as you like."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0" * 1000)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def moving_gif(frames: int = 3) -> bytes:
    """Red at first, then other colours."""
    later = [Image.new("P", (40, 30), n) for n in range(1, frames)]
    return saved(plain(40, 30).quantize(4), "GIF", save_all=True, append_images=later, duration=100)
