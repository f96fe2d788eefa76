"""What the tests of users, keys and rules of sudo share."""
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load

User = load("user").User
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0dD7eCUQHGqiY1mNL3PqCF9tcRhtvxQTPAR+v0VA8h"
# A hash need not be of any password.
HASH = "$6$saltsalt$hash"


def sh(command, check=True):
    done = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    if check and done.returncode:
        raise AssertionError("%s: %d: %s" % (command, done.returncode, done.stdout))
    return done.stdout


def row(path, name):
    with open(path) as file:
        return next((line.rstrip("\n").split(":") for line in file if line.startswith(name + ":")), None)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def state():
    """Everything that these tools change."""
    return [read("/etc/" + name) for name in ("passwd", "group", "shadow", "gshadow")] + [
        sh("ls -lRn --time-style=full-iso /home /srv /etc/sudoers.d")
    ]


class Case(unittest.TestCase):
    def setUp(self):
        self.addCleanup(sh, "userdel -f -r deploy; groupdel deploy; groupdel web; rm -rf /home/* /srv/*", False)

    def twice(self, call, *args, **options):
        """A call with `check` changes nothing and tells what the call then does; the second call changes nothing."""
        before = state()
        told = call(*args, check=True, **options)
        self.assertEqual(state(), before)
        first = call(*args, **options)
        self.assertTrue(first.changed)
        self.assertEqual((told.changed, told.diff), (first.changed, first.diff))
        after = state()
        second = call(*args, **options)
        self.assertEqual((second.changed, second.diff), (False, ""))
        self.assertEqual(state(), after)
        return first

    def refused(self, kind, call, *args, **options):
        before = state()
        with self.assertRaises(kind) as caught:
            call(*args, **options)
        self.assertEqual(state(), before)
        return str(caught.exception)
