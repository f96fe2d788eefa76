"""A folder for one test of a copy, and a receiver with what it is sent."""
import hashlib
import os
import shutil
import tempfile
import unittest

from bootstrap import load

receiver = load("receiver")
BIG = bytes(range(251)) * 1000


def sha(data):
    return hashlib.sha256(data).digest()


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = os.fsencode(os.path.realpath(tempfile.mkdtemp()))
        self.addCleanup(shutil.rmtree, self.dir)
        self.addCleanup(os.umask, os.umask(0o022))
        self.handles = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None

    def tearDown(self):
        if self.handles:
            self.assertEqual(len(os.listdir("/proc/self/fd")), self.handles, "handles left open")

    def path(self, name):
        return os.path.join(self.dir, name)

    def put(self, name, data=b"", mode=0o644, mtime=10 ** 18 + 1):
        if not os.path.isdir(os.path.dirname(self.path(name))):
            os.makedirs(os.path.dirname(self.path(name)))
        with open(self.path(name), "wb") as file:
            file.write(data)
        os.chmod(self.path(name), mode)
        os.utime(self.path(name), ns=(mtime, mtime))
        return self.path(name)

    def get(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def names(self, name=b"dst"):
        found = []
        for parent, directories, files in os.walk(self.path(name)):
            found += [os.path.relpath(os.path.join(parent, n), self.path(name)) for n in directories + files]
        return sorted(found)

    def receive(self, steps, to=b"dst", **options):
        """Runs a receiver against a generator that sees the answers so far."""
        answers = []
        options = dict({"modes": True, "times": True}, **options)
        for answer in receiver.receive(steps(answers), self.path(to), options):
            answers.append(answer)
        return answers

    def plain(self, entries, contents, to=b"dst", **options):
        """Sends entries and the content of those that are wanted; the codes and all else that was answered."""

        def steps(answers):
            yield "entries", 0, entries, {}, {}
            for id, code in enumerate(answers[0][2]):
                if code in "wubh" and not options.get("dry_run"):
                    data = contents[entries[id][0]]
                    yield "files", [(id, data, sha(data))]
            yield ("settle",)
            yield ("finish",)

        answers = self.receive(steps, to, **options)
        return answers[0][2], answers[1:]


def data(id, piece):
    return id.to_bytes(8, "little") + piece


def directory(path, mode=0o755, mtime=10 ** 18):
    return path, "directory", mode, mtime, 0, 0, 0, b""


def file(path, data=b"", mode=0o644, mtime=10 ** 18 + 1):
    return path, "file", mode, mtime, len(data), 0, 0, b""


def link(path, target):
    return path, "link", 0o777, 10 ** 18 + 2, len(target), 0, 0, target
