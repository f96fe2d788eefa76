import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load
from copy_case import Case

tree = load("tree")


class Handles(Case):
    def test_walk_goes_from_outside_in_and_follows_no_link(self):
        self.put(b"t/a/b/c")
        self.put(b"t/a\xff\n")
        os.symlink(b"/etc", self.path(b"t/link"))
        t = tree.Tree(self.path(b"t"))
        self.assertEqual([path for path, _ in t.walk()], [b"a", b"a\xff\n", b"link", b"a/b", b"a/b/c"])
        for inner in (b"link", b"link/ssh"):
            with self.assertRaises(OSError):
                t.directory(inner)
        self.assertIsNone(t.find(b"link/passwd"))
        t.close()

    def test_more_directories_than_handles(self):
        for i in range(3 * tree.HANDLES):
            self.put(b"t/%d/%d/f" % (i, i))
        t = tree.Tree(self.path(b"t"))
        for i in range(3 * tree.HANDLES):
            self.assertTrue(t.find(b"%d/%d/f" % (i, i)))
            self.assertLessEqual(len(t.handles), tree.HANDLES + 2)
        t.close()

    def test_what_takes_a_files_place_is_not_opened(self):
        self.put(b"t/f")
        t = tree.Tree(self.path(b"t"))
        for make in (os.mkfifo, lambda path: os.symlink("/etc/passwd", path)):
            os.unlink(self.path(b"t/f"))
            make(self.path(b"t/f"))
            with self.assertRaises(OSError):
                t.open(b"f")
        t.close()

    def test_excludes(self):
        excluded = tree.matcher([(rb"^(?:/?|.*/)[^/]*\.o$", False), (b"^build$", True)])
        self.assertTrue(excluded(b"a\n/x.o", False) and excluded(b"x.o", True) and excluded(b"build", True))
        self.assertFalse(excluded(b"build", False) or excluded(b"a.o\n", False) or excluded(b"build\n", True))
        self.assertIsNone(tree.matcher([]))


if __name__ == "__main__":
    unittest.main()
