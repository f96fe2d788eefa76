import hashlib
import os
import sys
import unittest
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load
from copy_case import BIG, Case, sha

blocks = load("blocks")


class Sums(Case):
    def test_block_sizes(self):
        sizes = [blocks.block_size(1 << n) for n in range(16, 42)]
        self.assertEqual(sizes, sorted(sizes))
        self.assertEqual((sizes[0], blocks.block_size(1 << 30), blocks.block_size(1 << 34)), (2048, 1 << 15, 1 << 17))
        self.assertLessEqual((1 << 50) // blocks.block_size(1 << 50), 1 << 20)

    def test_each_block_and_the_whole(self):
        data = BIG + b"tail"
        fd = os.open(self.put(b"f", data), os.O_RDONLY)
        whole = hashlib.sha256()
        found = b"".join(blocks.sums(fd, len(data), 4096, whole))
        want = b""
        for at in range(0, len(data), 4096):
            part = data[at : at + 4096]
            want += zlib.adler32(part).to_bytes(4, "little") + sha(part)[:16]
        self.assertEqual(found, want)
        self.assertEqual(whole.digest(), sha(data))
        found, size = blocks.digest(fd, 1000)
        self.assertEqual((found.digest(), size), (sha(data[:1000]), 1000))
        os.close(fd)

    def test_holes_are_numbers(self):
        path = self.put(b"f")
        with open(path, "r+b") as file:
            file.seek(1 << 20)
            file.write(b"x" * 5000)
            file.truncate(3 << 20)
        fd = os.open(path, os.O_RDONLY)
        pieces = list(blocks.pieces(fd, 3 << 20))
        os.close(fd)
        content = b"".join(bytes(piece) if isinstance(piece, int) else piece for piece in pieces)
        self.assertEqual(content, self.get(b"f"))
        if os.stat(path).st_blocks < 1000:
            self.assertLess(sum(len(p) for p in pieces if isinstance(p, bytes)), 1 << 18)


if __name__ == "__main__":
    unittest.main()
