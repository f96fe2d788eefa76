"""Facts of other package managers and of OpenRC, beside those of Debian."""
import os
import subprocess
import tempfile
import unittest

from bootstrap import load

F = load("facts").Facts
packages = load("facts_packages")
SPEC = """Name: hello
Epoch: 2
Version: 1.5
Release: 3
Summary: x
License: x
BuildArch: noarch
%description
x
%files
"""
INFO = "pkgname = hello\npkgver = 2:1.5-3\npkgdesc = x\narch = any\nsize = 0\n"


def quietly(*words, **options):
    subprocess.check_output(words, stderr=subprocess.STDOUT, **options)


class Families(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = folder.name

    def file(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def without(self, *names):
        """Hides databases, as if the host had only the others."""
        for name in names:
            value = getattr(packages, name)
            self.addCleanup(setattr, packages, name, value)
            setattr(packages, name, "/nonexistent" if isinstance(value, str) else ())

    def test_tools_of_other_families_do_not_make_it_another_host(self):
        self.assertEqual(F.packages().manager, "apt")

    def test_packages_of_pacman(self):
        self.file(".PKGINFO", INFO)
        quietly("tar", "-cf", "hello.pkg.tar", ".PKGINFO", cwd=self.dir)
        quietly("pacman", "-U", "--noconfirm", os.path.join(self.dir, "hello.pkg.tar"))
        self.without("DPKG", "APK")
        facts = F.packages(raw=True)
        self.assertEqual((facts.manager, facts.count), ("pacman", 1))
        self.assertEqual(facts.packages, [{"name": "hello", "version": "2:1.5-3", "architecture": "any"}])

    def test_packages_of_rpm(self):
        quietly("rpmbuild", "-bb", "--define", "_rpmdir " + self.dir, self.file("hello.spec", SPEC))
        quietly("rpm", "-i", "--nodeps", os.path.join(self.dir, "noarch", "hello-1.5-3.noarch.rpm"))
        self.without("DPKG", "APK", "PACMAN")
        # Where Debian's rpm has it; those of other hosts are known.
        self.without("RPM")
        packages.RPM = (os.path.expanduser("~/.rpmdb"),)
        facts = F.packages(raw=True)
        self.assertIsNone(facts.error)
        self.assertEqual((facts.manager, facts.count), ("dnf", 1))
        self.assertEqual(facts.packages, [{"name": "hello", "version": "2:1.5-3", "architecture": "noarch"}])

    def test_openrc_before_and_after_it_has_come_up(self):
        self.assertEqual(F.service_manager().manager, "none")
        subprocess.call(("openrc", "default"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        facts = F.service_manager()
        version = subprocess.check_output(("openrc", "--version")).decode().split()[-1]
        self.assertEqual((facts.manager, facts.version, facts.state), ("openrc", version, "default"))


if __name__ == "__main__":
    unittest.main()
