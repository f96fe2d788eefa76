"""Sums of a file and of its blocks."""
import errno
import hashlib
import os
import zlib

PART = 1 << 17
# Content travels in pieces of this size: with a number before it one fits a frame.
PIECE = 120 << 10
# Files from this size on are compared block by block.
DELTA = 1 << 16
ZEROS = bytes(PART)

Digest = hashlib.sha256
# PyPy has none.
SEEK_DATA = getattr(os, "SEEK_DATA", None)


def read(fd, size, offset):
    """Exactly that many bytes, or what there is before the end."""
    data = os.pread(fd, size, offset)
    while data and len(data) < size:
        more = os.pread(fd, size - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data


def digest(fd, size=None):
    """The sum of a file's first bytes, still open for more, and how many there were."""
    found = Digest()
    at = 0
    while size is None or at < size:
        data = os.pread(fd, PART if size is None else min(PART, size - at), at)
        if not data:
            break
        found.update(data)
        at += len(data)
    return found, at


def block_size(size):
    """About the square root of the size, a power of two; bigger where the sums would get too many."""
    block = 1 << 11
    while block * block < size and block < 1 << 17 or size // block >= 1 << 20:
        block <<= 1
    return block


def sums(fd, size, block, whole=None):
    """The sums of a file's blocks, some at a time: four bytes that roll and sixteen that are sure for each.

    The last block may be short. `whole` takes up all that was read.
    """
    at = 0
    out = []
    while at < size:
        data = read(fd, min(max(block, PART), size - at), at)
        if not data:
            break
        if whole:
            whole.update(data)
        view = memoryview(data)
        for begin in range(0, len(data), block):
            part = view[begin : begin + block]
            out.append(zlib.adler32(part).to_bytes(4, "little"))
            out.append(Digest(part).digest()[:16])
        at += len(data)
        if len(out) > 6000:
            yield b"".join(out)
            out = []
    if out:
        yield b"".join(out)


def pieces(fd, size, offset=0):
    """The content of a file from an offset on: bytes, and numbers for runs of zeros that take no space on the disk."""
    sparse = os.fstat(fd).st_blocks * 512 < size
    hole = 0
    while offset < size:
        if sparse and SEEK_DATA is not None:
            try:
                data = min(os.lseek(fd, offset, SEEK_DATA), size)
            except OSError as e:
                # No data behind this point, or a file system that cannot say.
                data = size if e.errno == errno.ENXIO else offset
            hole += data - offset
            offset = data
        part = os.pread(fd, min(PIECE - offset % PIECE, size - offset), offset)
        if not part:
            # Past the last data, or the file was cut meanwhile.
            break
        offset += len(part)
        if sparse and part == ZEROS[: len(part)]:
            hole += len(part)
            continue
        if hole:
            yield hole
            hole = 0
        yield part
    if hole:
        yield hole
