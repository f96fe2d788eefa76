"""The same calls with three package managers, each with a repository of its own."""
import hashlib
import os
import shutil
import subprocess
import unittest

from bootstrap import fails, load
import pacman_host
import test_dnf

Package = load("package").Package


class Pacman:
    name = "pacman"
    old, new = "1.0-1", "2.0-1"
    hold = True

    def setup(self):
        pacman_host.reset()
        pacman_host.publish(pacman_host.make("alpha", "1.0-1"), pacman_host.make("beta", "1.0-1", "depend = alpha"))

    def renew(self):
        pacman_host.publish(pacman_host.make("alpha", "2.0-1"))

    def spoil(self):
        gone = pacman_host.make("gone", "1.0-1")
        pacman_host.publish(gone, pacman_host.make("lost", "1.0-1", "depend = nowhere"))
        os.unlink(gone)


class Dnf:
    name = "dnf"
    old, new = "1.0-1", "2.0-1"
    hold = False

    def setup(self):
        for folder in (test_dnf.REPO, "/var/cache/dnf"):
            shutil.rmtree(folder, ignore_errors=True)
        os.makedirs("/etc/yum.repos.d", exist_ok=True)
        with open("/etc/yum.repos.d/local.repo", "w") as file:
            file.write(test_dnf.CONF)
        test_dnf.publish(test_dnf.build("alpha", "1.0"), test_dnf.build("beta", "1.0", "Requires: alpha"))

    def renew(self):
        test_dnf.publish(test_dnf.build("alpha", "2.0"))

    def spoil(self):
        test_dnf.publish(test_dnf.build("gone", "1.0"), test_dnf.build("lost", "1.0", "Requires: nowhere"))
        os.unlink(test_dnf.REPO + "/gone-1.0-1.noarch.rpm")


class Apt:
    # By what the host is.
    name = None
    old, new = "1.0", "2.0"
    hold = True
    root = "/srv/deb"

    def setup(self):
        shutil.rmtree(self.root, ignore_errors=True)
        os.makedirs(self.root)
        with open("/etc/apt/sources.list", "w") as file:
            file.write("deb [trusted=yes] file:%s ./\n" % self.root)
        self.packages = ""
        self.add("alpha", "1.0")
        self.add("beta", "1.0", "Depends: alpha\n")

    def renew(self):
        self.add("alpha", "2.0")

    def spoil(self):
        """A package that needs what is nowhere, and one whose file is gone."""
        self.add("gone", "1.0")
        self.add("lost", "1.0", "Depends: nowhere\n")
        os.unlink(self.root + "/gone_1.0_all.deb")

    def add(self, name, version, more=""):
        folder = "/srv/debs/%s-%s" % (name, version)
        os.makedirs(folder + "/DEBIAN", exist_ok=True)
        control = "Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: x <x@example.com>\nDescription: x\n" % (name, version)
        with open(folder + "/DEBIAN/control", "w") as file:
            file.write(control + more)
        path = "%s/%s_%s_all.deb" % (self.root, name, version)
        subprocess.run(["dpkg-deb", "--build", folder, path], check=True, stdout=subprocess.DEVNULL)
        with open(path, "rb") as file:
            data = file.read()
        place = "Filename: ./%s\nSize: %d\nSHA256: %s\n\n" % (os.path.basename(path), len(data), hashlib.sha256(data).hexdigest())
        self.packages += control + more + place
        with open(self.root + "/Packages", "w") as file:
            file.write(self.packages)


class Same(unittest.TestCase):
    def play(self, backend):
        backend.setup()
        old, new, options = backend.old, backend.new, {"manager": backend.name}

        def results(call, *packages, **more):
            return [(one["name"], one.changed, one.before, one.version) for one in call(*packages, **dict(options, **more))]

        def twice(call, *packages, **more):
            dry = results(call, *packages, check=True, **more)
            done = results(call, *packages, **more)
            self.assertEqual(dry, done)
            again = results(call, *packages, **more)
            self.assertEqual([one[1] for one in again], [False] * len(packages))
            self.assertEqual([one[3] for one in again], [one[3] for one in done])
            return done

        self.assertTrue(Package.update(**options))
        self.assertEqual(twice(Package.present, "beta", "alpha"), [("beta", True, "", old), ("alpha", True, "", old)])
        backend.renew()
        Package.update(**options)
        self.assertEqual(results(Package.present, "alpha"), [("alpha", False, old, old)])
        if backend.hold:
            held = Package.held("alpha", **options)
            self.assertEqual([(one.changed, one.held) for one in held], [(True, True)])
            self.assertFalse(Package.held("alpha", **options)[0].changed)
            text = fails(self, "held", ["alpha"], Package.latest, "alpha", **options)
            self.assertIn("package alpha is held in version " + old, text)
        else:
            with self.assertRaises(NotImplementedError):
                Package.held("alpha", **options)
        self.assertEqual(twice(Package.latest, "alpha", change_held=True), [("alpha", True, old, new)])
        fails(self, "unknown", ["no-such"], Package.present, "alpha", "no-such", **options)
        fails(self, "no-version", ["alpha"], Package.present, "alpha=7.0-1", change_held=True, **options)
        backend.spoil()
        Package.update(**options)
        self.assertIn("nowhere", fails(self, "conflict", ["lost"], Package.present, "lost", **options))
        fails(self, "download", ["gone"], Package.present, "gone", **options)
        gone = {"name": "beta", "state": "absent"}
        done = twice(Package.converge, "alpha=" + new, gone, change_held=True)
        self.assertEqual(done, [("alpha", False, new, new), ("beta", True, old, "")])
        self.assertEqual(twice(Package.absent, "alpha", "beta", change_held=True), [("alpha", True, new, ""), ("beta", False, "", "")])
        for call in (Package.present, Package.latest):
            with self.assertRaises(ValueError):
                call("-x", **options)

    def test_apt(self):
        self.play(Apt())

    def test_dnf(self):
        self.play(Dnf())

    def test_pacman(self):
        self.play(Pacman())


if __name__ == "__main__":
    unittest.main()
