import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load

manager = load("manager")
openrc = load("openrc")
systemd = load("systemd")
service = load("service")
Case = unittest.TestCase


class Imaginary(manager.Manager):
    """A manager of one service that is what it is told, or is not."""

    def __init__(self, stubborn=False, **options):
        manager.Manager.__init__(self, **options)
        self.taken = []
        self.stubborn = stubborn
        self.state = manager.State()
        self.state.id, self.state.active, self.state.stopped = "x", "inactive", True

    def look(self, name, known=False):
        return self.state

    def take(self, step, state):
        self.taken.append(step)
        if self.stubborn:
            return
        if step in ("start", "stop"):
            state.started, state.stopped = step == "start", step == "stop"
        elif step in ("enable", "disable"):
            state.enabled = step == "enable"
        else:
            state.masked = step == "mask"


class Steps(Case):
    def test_order(self):
        one = Imaginary()
        self.assertTrue(one.converge("x", True, True, False).changed)
        one.converge("x", False, False, True)
        one.converge("x", True, True, False)
        self.assertEqual(one.taken, ["enable", "start", "disable", "stop", "mask", "unmask", "enable", "start"])
        self.assertFalse(one.converge("x", True, True, False).changed)

    def test_no_step_is_taken_twice(self):
        one = Imaginary(stubborn=True)
        with self.assertRaises(manager.ServiceError) as caught:
            one.converge("x", None, True)
        self.assertEqual((one.taken, str(caught.exception)), (["enable"], "x did not become as wanted: it is inactive\n(done before: enable)"))

    def test_check_takes_none(self):
        one = Imaginary(check=True)
        answer = one.converge("x", True, True)
        self.assertEqual((answer.changed, answer.started, answer.enabled, answer.masked, one.taken), (True, True, True, False, []))
        with self.assertRaises(ValueError):
            one.converge("x", True, None, True)


class Refusals(Case):
    def test_errors_are_what_callers_catch(self):
        for error, bases in (
            (manager.NoSuchService, (RuntimeError, LookupError)), (manager.ServiceTimedOut, (RuntimeError, TimeoutError)),
        ):
            for base in bases + (manager.ServiceError,):
                self.assertIsInstance(error("the text"), base)
            self.assertEqual(str(error("the text")), "the text")

    def test_names(self):
        import re

        for pattern, good, bad in (
            (systemd.NAME, ("ssh", "getty@tty1", "a.timer", "dev-disk-by\\x2dx.swap", "-.mount", "a:b_c.d"), ("-x", "-.mountx", "a/b", "a*", "é", "")),
            (openrc.NAME, ("sshd", "net.eth0", "a+b"), ("-x", "a/b", ".x", "a b", "")),
        ):
            for name in good:
                self.assertTrue(re.match("(?:%s)\\Z" % pattern, name), name)
            for name in bad:
                self.assertFalse(re.match("(?:%s)\\Z" % pattern, name), name)


class Also(Case):
    def test_other_units_of_an_install_section(self):
        text = "[Unit]\nAlso=no\n[Install]\n# Also=no\nAlso = a.service  b.socket\nAlso=c@%i.service \\\n d.timer e@.service\nAlias=no\n"
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(text)
            file.flush()
            self.assertEqual(systemd.Systemd.also(file.name), ["a.service", "b.socket", "d.timer"])
            file.write("Also=\nAlso=e.path\n")
            file.flush()
            self.assertEqual(systemd.Systemd.also(file.name), ["e.path"])


class Wait(Case):
    """Python has no pidfd before 3.9: both ways are tried where there are two."""

    def both_ways(self, pid, seconds):
        systemd._wait(pid, seconds)
        kept = getattr(os, "pidfd_open", None)
        if kept:
            del os.pidfd_open
            try:
                systemd._wait(pid, seconds)
            finally:
                os.pidfd_open = kept

    def test_the_end_of_a_process(self):
        child = subprocess.Popen(["sleep", "0.1"])
        self.addCleanup(child.wait)
        if hasattr(os, "pidfd_open"):
            systemd._wait(child.pid, 60)
            self.assertIsNotNone(child.poll())
        child.wait()
        self.both_ways(child.pid, 60)

    def test_no_longer_than_it_may(self):
        child = subprocess.Popen(["sleep", "1000"])
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        self.both_ways(child.pid, 0.01)
        self.assertIsNone(child.poll())


if __name__ == "__main__":
    unittest.main()
