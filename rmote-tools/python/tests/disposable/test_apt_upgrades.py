from bootstrap import fails, load

import os
import unittest

import archive
from apt_case import Apt, Case

apt_get = load("apt_get")


class Upgrades(Case):
    def test_all_that_are_not_held(self):
        Apt.converge("tiny=1.0", "multi=1.0", "multi:i386=1.0", {"name": "other", "state": "held", "version": "1.0"}, "grown=1.0")
        wanted = [("multi", "1.0", "2.0"), ("multi:i386", "1.0", "2.0"), ("tiny", "1.0", "2.0")]
        for check in (True, False):
            done = Apt.upgrade(check=check)
            self.assertEqual([(one["name"], one.before, one.version) for one in done if one["name"] != "grown"], wanted)
            self.assertTrue(all(one.changed for one in done))
        self.assertEqual(Apt.upgrade(), [])
        self.assertEqual((self.version("tiny"), self.version("other")), ("2.0", "1.0 held"))

    def test_in_full(self):
        Apt.package("grown=1.0")
        self.assertEqual(Apt.upgrade(), [])
        for check in (True, False):
            done = Apt.upgrade(full=True, check=check)
            self.assertEqual([(one["name"], one.before, one.version) for one in done], [("grown", "1.0", "2.0"), ("other", "", "2.0")])
        self.assertEqual(Apt.upgrade(full=True), [])

    def test_configuration(self):
        Apt.package("conf=1.0")
        archive.put("/etc/conf.conf", "edited\n")
        Apt.upgrade(conffiles="new")
        with open("/etc/conf.conf") as file:
            self.assertEqual(file.read(), "version 2\n")


class Updates(Case):
    def test_once_for_as_long_as_ttl_says(self):
        self.assertTrue(Apt.update(ttl=3600, check=True))
        self.assertTrue(Apt.update(ttl=3600))
        self.assertFalse(Apt.update(ttl=3600))
        self.assertFalse(Apt.update(ttl=3600, check=True))
        self.assertTrue(Apt.update(ttl=0))
        os.utime(apt_get.STAMP, (0, 0))
        self.assertTrue(Apt.update(ttl=3600))
        self.assertTrue(Apt.update())

    def test_changed_sources_keys_and_architectures_end_it(self):
        Apt.update()
        for path in (archive.SOURCES + "/new.list", archive.KEYS + "/new.asc", "/etc/apt/sources.list", "/etc/apt/trusted.gpg.d/new.asc"):
            self.addCleanup(lambda path=path: os.path.exists(path) and os.unlink(path))
            archive.put("/tmp/new", "")
            os.utime("/tmp/new", (0, 0))
            os.rename("/tmp/new", path)
            self.assertTrue(Apt.update(ttl=3600), path)
            self.assertFalse(Apt.update(ttl=3600), path)
            os.unlink(path)
            # A file that is gone is seen where its folder is looked at.
            self.assertEqual(Apt.update(ttl=3600), path != "/etc/apt/sources.list")
        archive.run("dpkg", "--add-architecture", "arm64")
        self.addCleanup(archive.run, "dpkg", "--remove-architecture", "arm64")
        self.assertTrue(Apt.update(ttl=3600))

    def test_lists_that_are_gone_end_it(self):
        Apt.update()
        archive.run("sh", "-c", "rm -rf /var/lib/apt/lists/*")
        self.assertTrue(Apt.update(ttl=3600))
        self.assertFalse(Apt.update(ttl=3600))

    def test_lists_that_cannot_be_fetched_are_an_error_each_time(self):
        Apt.update()
        self.source("/srv/nowhere")
        for _ in range(2):
            self.assertIn("/srv/nowhere", fails(self, "download", [], Apt.update, ttl=3600))
        self.assertEqual(os.listdir(os.path.dirname(apt_get.STAMP)), [os.path.basename(apt_get.STAMP)])

    def test_unknown_packages_where_the_lists_are_old(self):
        Apt.update()
        self.refused("unknown", "nosuch", about=["nosuch"], said="in no list of packages")
        self.source()
        self.refused("unknown", "nosuch", about=["nosuch"], said="Apt.update")


if __name__ == "__main__":
    unittest.main()
