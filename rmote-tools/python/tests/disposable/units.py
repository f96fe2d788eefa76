"""What the tests of Service against a real systemd have in common."""
import os
import subprocess
import unittest

from bootstrap import load

FS = load("fs").FileSystem
manager = load("manager")
S = load("service").Service
Unsupported = load("program").Unsupported
OWN = "/etc/systemd/system"
VENDOR = "/usr/lib/systemd/system"
INSTALL = "[Install]\nWantedBy=multi-user.target\n"
STAYS = "[Service]\nExecStart=/bin/sleep infinity\n"
METHODS = S.status, S.start, S.stop, S.restart, S.reload, S.enable, S.disable, S.mask, S.unmask, S.converge
CHANGING = METHODS[1:]


def systemctl(*words):
    return subprocess.check_output(("systemctl",) + words, stderr=subprocess.STDOUT).decode()


def shown(unit, name):
    return systemctl("show", "--value", "-p", name, "--", unit).strip()


def quietly(*words):
    subprocess.call(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Case(unittest.TestCase):
    def unit(self, name, text, folder=OWN):
        """Installs a unit; at the end it is gone with all that was made of it."""
        unit = name if "." in name else name + ".service"
        self.addCleanup(self.forget, unit, os.path.join(folder, unit))
        FS.write(os.path.join(folder, unit), text)
        return name

    def forget(self, unit, path):
        # No reload of systemd, of which each takes its time: no two tests have units of one name.
        quietly("systemctl", "stop", "--", unit)
        quietly("systemctl", "reset-failed", "--", unit)
        FS.absent(path)
        for folder in (OWN, "/run/systemd/system"):
            for link in FS.glob(folder, "**/" + unit):
                FS.absent(link)

    def write(self, path, text, mode=None):
        self.addCleanup(FS.absent, path)
        FS.directory(os.path.dirname(path))
        FS.write(path, text, mode=mode)
        return path

    def fifo(self, path):
        os.mkfifo(path)
        self.addCleanup(os.unlink, path)
        return path

    def twice(self, method, name, *, expect, **options):
        """A check, a run and a second run: the first two say the same, the check does nothing, the second run neither."""
        before = S.status(name)
        checked = method(name, check=True, **options)
        self.assertEqual(S.status(name), before)
        first = method(name, **options)
        for status in (checked, first):
            self.assertTrue(status.changed, status)
            self.assertEqual([status.started, status.enabled, status.masked], expect, status)
        second = method(name, **options)
        self.assertFalse(second.changed, second)
        self.assertEqual(dict(second), dict(first, changed=False))
        self.assertFalse(method(name, check=True, **options).changed)
        self.assertEqual(S.status(name), second)
        return first

    def refused(self, what, error, method, *args, **options):
        with self.assertRaises(error) as caught:
            method(*args, **options)
        self.assertIn(what, str(caught.exception))
        return str(caught.exception)
