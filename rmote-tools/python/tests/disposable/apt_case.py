"""A host of apt for one test, and what is to be so of a package on it."""
import os
import subprocess
import unittest

from bootstrap import fails, load

import archive

Apt = load("apt").Apt


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # One archive for all tests of a container.
        if not os.path.exists(archive.ROOT):
            archive.make()
            archive.run("dpkg", "--add-architecture", "i386")

    def setUp(self):
        archive.reset()
        self.source()
        archive.run("apt-get", "update")

    def source(self, path=archive.ROOT):
        archive.put(archive.SOURCES + "/test.list", "deb [trusted=yes] file:%s stable main\n" % path)

    def version(self, name):
        """What dpkg itself says of a package."""
        words = "dpkg-query", "-W", "-f", "${db:Status-Status} ${Version} ${db:Status-Want}", name
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        status, version, want = (done.stdout.decode().split(" ") + ["", ""])[:3] if done.stdout else ("", "", "")
        if want == "hold":
            version += " held"
        return version if status == "installed" else status.replace("not-installed", "")

    def same(self, result, name, changed, before, version, held=False):
        self.assertEqual(
            (result["name"], result.changed, result.before, result.version, result.held),
            (name, changed, before, version, held),
        )

    def becomes(self, package, before, after, held=False, **options):
        """A package goes from one version to another: with check not at all, then once, and only once."""
        name = package["name"] if isinstance(package, dict) else package.partition("=")[0]
        there = self.version(name)
        self.same(Apt.package(package, check=True, **options), name, True, before, after, held)
        self.assertEqual(self.version(name), there)
        self.same(Apt.package(package, **options), name, True, before, after, held)
        self.same(Apt.package(package, check=True, **options), name, False, after, after, held)
        self.same(Apt.package(package, **options), name, False, after, after, held)
        self.assertEqual(self.version(name).replace("config-files", ""), after + (" held" if held else ""))

    def text(self, error, about, call, *args, **options):
        """That of an error: a class, or the kind of one that is about these packages."""
        if isinstance(error, str):
            return fails(self, error, about, call, *args, **options)
        with self.assertRaises(error) as caught:
            call(*args, **options)
        return str(caught.exception)

    def refused(self, error, *packages, about=(), said="", **options):
        """Neither with check nor without, and nothing is changed."""
        before = archive.run("dpkg-query", "-W", "-f", "${binary:Package} ${Status} ${Version}\n")
        texts = []
        for check in (True, False):
            texts.append(self.text(error, about, Apt.converge, *packages, check=check, **options))
            self.assertIn(said, texts[-1])
        after = archive.run("dpkg-query", "-W", "-f", "${binary:Package} ${Status} ${Version}\n")
        self.assertEqual(before, after)
        return texts[1]
