import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load

package = load("package")
Package = package.Package


class Manager(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "os-release")
        self.there = set()
        find = package.program.find
        package.program.find = lambda name: "/usr/bin/" + name if name in self.there else None
        self.addCleanup(setattr, package.program, "find", find)

    def manager(self, text, *there):
        self.there = set(there)
        with open(self.path, "w") as file:
            file.write(text)
        return package._manager(self.path)

    def test_by_what_the_host_is_and_is_like(self):
        everything = "apt-get", "pacman", "dnf", "apk"
        for text, manager in (
            ("ID=debian\n", "apt"),
            ('NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n', "apt"),
            ("ID=raspbian\nID_LIKE='debian'\n", "apt"),
            ("ID=arch\n", "pacman"),
            ("ID=endeavouros\nID_LIKE=arch\n", "pacman"),
            ("ID=fedora\n", "dnf"),
            ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "dnf"),
            ("# x\n\nID=Alpine\nbroken\n", "apk"),
        ):
            self.assertEqual(self.manager(text, *everything), manager, text)

    def test_by_the_programs_that_are_there(self):
        self.assertEqual(self.manager("ID=own\n", "pacman"), "pacman")
        self.assertEqual(self.manager("", "dnf", "apk"), "dnf")
        os.unlink(self.path)
        self.assertEqual(package._manager(self.path), "dnf")

    def test_what_is_missing_is_named(self):
        with self.assertRaises(NotImplementedError) as caught:
            self.manager("ID=own\n")
        self.assertEqual(caught.exception.missing, "package manager")
        with self.assertRaises(NotImplementedError) as caught:
            self.manager("ID=arch\n", "apt-get")
        self.assertEqual(caught.exception.missing, "pacman")

    def test_the_caller_may_name_it(self):
        for name in ("apt", "pacman", "dnf", "apk"):
            with self.assertRaises(NotImplementedError) as caught:
                Package.present("x", manager=name)
            self.assertEqual(caught.exception.missing, package.MANAGERS[name][0])
        for name in ("yum", "os", "../apt"):
            with self.assertRaises(ValueError):
                Package.present("x", manager=name)


class Arguments(unittest.TestCase):
    def test_only_converge_takes_packages_with_a_state_of_their_own(self):
        for call in (Package.present, Package.absent, Package.latest, Package.held):
            for item in ({"name": "a", "state": "absent"}, ["a"], None):
                with self.assertRaises(TypeError):
                    call(item)


if __name__ == "__main__":
    unittest.main()
