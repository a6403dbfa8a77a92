"""Files that are whole or absent: content with a checksum, replaced in one step."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

CHECKSUM_BYTES: Final = 32


class DamagedFile(Exception):
    """A file's content is not what was written; the message names the file and what is wrong."""


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, magic: bytes, body: bytes) -> None:
    """Replace a file, durably: a crash leaves the old content or the new one.

    The file holds `magic`, the body and the BLAKE2b-256 of both.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    content = magic + body
    with open(fresh, "wb") as file:
        file.write(content)
        file.write(hashlib.blake2b(content, digest_size=CHECKSUM_BYTES).digest())
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    sync_folder(path.parent)


def read_whole(path: Path, magic: bytes) -> bytes:
    """The body of a file. DamagedFile on another magic, length or checksum; OSError as by open."""
    data = path.read_bytes()
    if not data.startswith(magic):
        raise DamagedFile(f"{path}: begins with {data[: len(magic)]!r}, not with {magic!r}")
    if len(data) < len(magic) + CHECKSUM_BYTES:
        raise DamagedFile(f"{path}: {len(data)} bytes are too few for a checksum")
    content, checksum = data[:-CHECKSUM_BYTES], data[-CHECKSUM_BYTES:]
    if hashlib.blake2b(content, digest_size=CHECKSUM_BYTES).digest() != checksum:
        raise DamagedFile(f"{path}: the checksum is not that of the content")
    return content[len(magic) :]
