"""A folder for one test, and the tool for files."""
import os
import shutil
import stat
import tempfile
import unittest

from bootstrap import load

FS = load("fs").FileSystem
ROOT = os.geteuid() == 0


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = os.path.realpath(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.dir)
        self.addCleanup(os.umask, os.umask(0o022))

    def path(self, name="f"):
        return os.path.join(self.dir, name)

    def put(self, data, name="f", mode=None):
        with open(self.path(name), "wb") as file:
            file.write(data)
        if mode is not None:
            os.chmod(self.path(name), mode)
        return self.path(name)

    def get(self, name="f"):
        with open(self.path(name), "rb") as file:
            return file.read()

    def mode(self, name="f"):
        return stat.S_IMODE(os.stat(self.path(name)).st_mode)

    def assert_names(self, *names):
        self.assertEqual(sorted(os.listdir(self.dir)), sorted(names))

    def line(self, *args, **options):
        """Two runs: the second changes nothing, and a check before them tells the same and writes nothing."""
        path = args[0]
        before = self.get() if os.path.exists(path) else None
        checked = FS.line_in_file(*args, check=True, **options)
        self.assertEqual(self.get() if os.path.exists(path) else None, before)
        first = FS.line_in_file(*args, **options)
        self.assertEqual((checked.changed, checked.diff), (first.changed, first.diff))
        after = self.get()
        self.assertEqual(first.changed, after != before)
        second = FS.line_in_file(*args, **options)
        self.assertFalse(second.changed, (before, after, self.get(), options))
        self.assertEqual(second.diff, "")
        self.assertEqual(self.get(), after)
        return after
