import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load

apt = load("apt")
dpkg = load("dpkg")
program = load("program")
Apt = apt.Apt
AptRepository = load("apt_repository").AptRepository

SIMULATED = """\
The following packages will be upgraded:
  tiny
Inst tiny [1.0] (2.0 stable [all])
Inst multi:i386 [1:1.0~rc-1+b2] (1:1.0-1 Debian:12.5/stable, Debian-Security:12/stable [i386]) []
Remv gone [1.0]
Purg purged
Conf tiny (2.0 stable [all])
Conf half (3.0 stable [all])
"""


class Simulated(unittest.TestCase):
    def test_what_would_be(self):
        entry = dpkg.Entry
        before = dpkg.Packages("amd64", {
            ("tiny", "amd64"): entry("tiny", "all", "hold", "installed", "ok", "1.0"),
            ("multi", "amd64"): entry("multi", "amd64", "install", "installed", "ok", "1.0", "any-multi (= 1), b"),
            ("multi", "i386"): entry("multi", "i386", "install", "triggers-pending", "ok", "1:1.0~rc-1+b2"),
            ("gone", "amd64"): entry("gone", "amd64", "install", "installed", "ok", "1.0"),
            ("purged", "amd64"): entry("purged", "amd64", "deinstall", "config-files", "ok", "1.0"),
            ("half", "amd64"): entry("half", "amd64", "install", "half-configured", "ok", "3.0"),
            ("lost", "amd64"): entry("lost", "amd64", "install", "installed", "reinstreq", "1.0"),
        })
        self.assertEqual(before.broken(), ["half (half-configured)", "lost (reinstreq)"])
        self.assertEqual(before.providers("any-multi"), [("multi", "amd64")])
        self.assertTrue(before.foreign("multi") and not before.foreign("tiny"))
        after = before.after(SIMULATED)
        self.assertEqual(
            {after.text(key): after.state(key) for key in after.found},
            {
                "tiny": ("installed", "2.0", True),
                "multi": ("installed", "1.0", False),
                "multi:i386": ("installed", "1:1.0-1", False),
                "gone": ("config-files", "", False),
                "purged": ("not-installed", "", False),
                "half": ("installed", "3.0", False),
                "lost": ("reinstreq", "1.0", False),
            },
        )
        changed = ["gone", "half", "multi:i386", "tiny"]
        self.assertEqual([after.text(key) for key in before.differences(after)], changed)

    def test_names(self):
        packages = dpkg.Packages("amd64", {})
        for text in ("x", "x:amd64", "x:all", "x:native"):
            self.assertEqual(packages.key(text), ("x", "amd64"))
        self.assertEqual(packages.key("x:i386"), ("x", "i386"))
        self.assertEqual([packages.text(("x", one)) for one in ("amd64", "i386")], ["x", "x:i386"])


class Refused(unittest.TestCase):
    """Before anything is run: this machine need not have apt."""

    def setUp(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(os.rmdir, folder)
        self.addCleanup(setattr, program, "SYSTEM", program.SYSTEM)
        self.addCleanup(os.environ.__setitem__, "PATH", os.environ["PATH"])
        os.environ["PATH"] = program.SYSTEM = folder

    def refused(self, error, work, *arguments, **options):
        with self.assertRaises(error) as caught:
            work(*arguments, **options)
        return str(caught.exception)

    def test_names_states_and_options(self):
        for name in ("-y", "a*", "a b", "A", "", "a\n", "a-", "a:any b", "./a.deb", "a/b"):
            self.assertIn("a package", self.refused(ValueError, Apt.package, name))
            self.assertIn("a package", self.refused(ValueError, Apt.installed, name))
            self.assertIn("a package", self.refused(ValueError, Apt.unhold, name))
        self.refused(ValueError, Apt.package, "a=1*")
        self.refused(ValueError, Apt.package, "a", state="gone")
        self.refused(ValueError, Apt.converge, "a", {"name": "a", "state": "absent"})
        self.refused(TypeError, Apt.converge, {"name": "a", "colour": "red"})
        self.refused(TypeError, Apt.package, ["a", "b"])
        self.refused(ValueError, Apt.upgrade, conffiles="both")
        for number in (-1, "1", True, float("nan")):
            self.refused(ValueError, Apt.update, ttl=number)
            self.refused(ValueError, Apt.update, lock_timeout=number)
            self.refused(ValueError, Apt.converge, "a", timeout=number)

    def test_a_host_without_apt(self):
        calls = [
            lambda: Apt.update(),
            lambda: Apt.package("a"),
            lambda: Apt.converge("a", check=True),
            lambda: Apt.upgrade(),
            lambda: Apt.unhold("a"),
            lambda: Apt.installed(),
            lambda: AptRepository.present("a", ["file:/a"], ["./"], check=True),
        ]
        for call in calls:
            with self.assertRaises(program.Unsupported) as caught:
                call()
            self.assertIn(caught.exception.missing, ("apt-get", "apt-mark", "dpkg-query"))


if __name__ == "__main__":
    unittest.main()
