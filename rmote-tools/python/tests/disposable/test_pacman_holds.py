import os
import subprocess
import time
import unittest

from bootstrap import fails
from pacman_case import Host, Pacman, reset_conf, versions, want
from pacman_host import BASE, CONF, CUSTOM, HEAD, make, publish


class Held(Host):
    def conf(self):
        with open(CONF) as file:
            return file.read()

    def test_a_held_package_is_installed_and_not_upgraded(self):
        self.assertEqual(self.unchanged(self.results, want("alpha", "held"), check=True), [(True, "", "1.0-1", True)])
        self.assertEqual(self.results(want("alpha", "held")), [(True, "", "1.0-1", True)])
        self.assertEqual(self.conf(), HEAD.replace("[options]\n", "[options]\nIgnorePkg = alpha\n") + CUSTOM)
        self.newer()
        self.assertEqual(self.unchanged(self.results, want("alpha", "held")), [(False, "1.0-1", "1.0-1", True)])
        self.assertEqual(self.unchanged(Pacman.upgrade), [])
        # It is no pending upgrade, either.
        self.assertEqual(self.results("first", "alpha"), [(True, "", "1-1", False), (False, "1.0-1", "1.0-1", True)])

    def test_the_diff_is_of_what_is_edited_with_check_and_without(self):
        def diffs(call, *words, **options):
            """The lines that differ, for each package."""
            head = ["--- " + CONF, "+++ " + CONF]
            found = [one.diff.splitlines() for one in call(*words, **options)]
            self.assertEqual([lines[:2] for lines in found if lines], [head] * len(list(filter(None, found))))
            return [[line for line in lines[2:] if line[0] in "+-"] for lines in found]

        wants = want("alpha", "held"), want("first", "held"), "second"
        held = [["+IgnorePkg = alpha"], ["+IgnorePkg = first"], []]
        self.assertEqual(self.unchanged(diffs, Pacman.converge, *wants, check=True), held)
        self.assertEqual(diffs(Pacman.converge, *wants), held)
        self.assertEqual(diffs(Pacman.converge, *wants), [[], [], []])
        # That of a group has those of its members.
        gone = want("both", "absent")
        for check in (True, False):
            self.assertEqual(diffs(Pacman.converge, gone, change_held=True, check=check), [["-IgnorePkg = first"]])
        freed = [["-IgnorePkg = alpha"], []]
        self.assertEqual(self.unchanged(diffs, Pacman.unhold, "alpha", "first", check=True), freed)
        self.assertEqual(diffs(Pacman.unhold, "alpha", "first"), freed)
        self.assertEqual(diffs(Pacman.unhold, "alpha", "first"), [[], []])
        self.assertEqual(self.conf(), HEAD + CUSTOM)

    def test_a_held_version(self):
        self.assertEqual(self.results(want("alpha", "held", "1.0-1")), [(True, "", "1.0-1", True)])
        self.assertEqual(self.unchanged(self.results, want("alpha", "held", "1.0-1"))[0][0], False)

    def test_what_is_held_is_changed_only_if_that_is_asked_for(self):
        Pacman.converge(want("alpha", "held"), want("first", "held"))
        self.assertIn("IgnorePkg = alpha\nIgnorePkg = first\n", self.conf())
        # Nothing newer: nothing to refuse.
        self.assertFalse(self.unchanged(self.results, want("alpha", "latest"))[0][0])
        self.newer()
        for one in (want("alpha", "latest"), want("alpha", "absent"), "alpha=2.0-1"):
            text = fails(self, "held", ["alpha"], self.unchanged, Pacman.converge, "second", one)
            self.assertIn("package alpha is held in version 1.0-1", text)
        wants = want("alpha", "latest"), want("first", "absent")
        dry = self.unchanged(self.results, *wants, change_held=True, check=True)
        self.assertEqual(dry, [(True, "1.0-1", "2.0-1", True), (True, "1-1", "", False)])
        self.assertEqual(self.results(*wants, change_held=True), dry)
        self.assertEqual(self.conf(), HEAD.replace("[options]\n", "[options]\nIgnorePkg = alpha\n") + CUSTOM)
        self.assertEqual([one[0] for one in self.unchanged(self.results, *wants, change_held=True)], [False, False])

    def test_unhold(self):
        Pacman.package("alpha", state="held")
        self.assertEqual(self.unhold("alpha", "first", check=True), [(True, "1.0-1", "1.0-1"), (False, "", "")])
        self.assertIn("IgnorePkg", self.conf())
        self.assertEqual(self.unhold("alpha", "first"), [(True, "1.0-1", "1.0-1"), (False, "", "")])
        self.assertEqual(self.conf(), HEAD + CUSTOM)
        self.assertEqual(self.unhold("alpha"), [(False, "1.0-1", "1.0-1")])
        for name in ("-x", "a*"):
            with self.assertRaises(ValueError):
                Pacman.unhold(name)

    def unhold(self, *names, **options):
        return [(one.changed, one.before, one.version) for one in Pacman.unhold(*names, **options)]

    def test_lines_of_several_words_keep_the_others(self):
        reset_conf(HEAD.replace("[options]\n", "[options]\n  IgnorePkg=x alpha # y\n#IgnorePkg = z\n") + CUSTOM)
        self.unhold("alpha")
        self.assertIn("[options]\nIgnorePkg = x # y\n#IgnorePkg = z\n", self.conf())

    def test_an_ignored_package_is_not_pending(self):
        Pacman.package("alpha")
        reset_conf(HEAD.replace("[options]\n", "[options]\nIgnorePkg = al*\n") + CUSTOM)
        self.newer()
        self.assertEqual(self.results("first", "alpha"), [(True, "", "1-1", False), (False, "1.0-1", "1.0-1", True)])
        self.assertEqual(self.unchanged(self.results, want("alpha", "held")), [(False, "1.0-1", "1.0-1", True)])

    def test_a_hold_by_a_pattern_a_group_or_an_included_file_is_heeded_and_not_ended(self):
        Pacman.package("first")
        publish(make("first", "2-1", "group = both"))
        Pacman.update()
        with open("/etc/held.conf", "w") as file:
            file.write("IgnorePkg = first\n")
        for line in ("IgnorePkg = fir*", "IgnoreGroup = both", "Include = /etc/held.conf"):
            reset_conf(HEAD.replace("[options]\n", "[options]\n%s\n" % line) + CUSTOM)
            text = fails(self, "held", ["first"], self.unchanged, Pacman.package, "first", state="latest")
            self.assertIn("package first is held in version 1-1", text)
            text = fails(self, "held", ["first"], self.unchanged, Pacman.unhold, "first")
            self.assertIn("held by a pattern, a group or an included file", text)
            self.assertTrue(self.results("first")[0][3])
        got = Pacman.package("first", state="latest", change_held=True)
        self.assertEqual((got.changed, got.version, got.held), (True, "2-1", True))

    def test_groups_and_provided_names_cannot_be_held(self):
        for name in ("both", "vi"):
            fails(self, "unknown", [name], self.unchanged, Pacman.package, name, state="held")
        Pacman.converge("both", "vi")
        for name in ("both", "vi"):
            fails(self, "unknown", [name], self.unchanged, Pacman.package, name, state="held")


class Lock(Host):
    def setUp(self):
        Host.setUp(self)
        # Another pacman that holds its lock, until what it fetches comes.
        os.path.exists("/srv/fifo") or os.mkfifo("/srv/fifo")
        reset_conf(HEAD + "XferCommand = /bin/sh -c 'cat /srv/fifo; false'\n" + CUSTOM)
        self.other = subprocess.Popen(["pacman", "-Sy"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.end)
        # It opens the pipe when it has the lock.
        self.pipe = open("/srv/fifo", "wb")
        reset_conf(HEAD + CUSTOM)

    def end(self):
        self.pipe.close()
        self.other.wait()

    def test_a_lock_that_is_not_freed_in_time_names_who_has_it(self):
        text = fails(self, "locked", [], Pacman.package, "alpha", lock_timeout=0)
        self.assertIn("process %d (pacman -Sy) has %s/db.lck" % (self.other.pid, BASE), text)
        self.assertEqual(versions(), {})

    def test_a_lock_that_is_freed_is_waited_for(self):
        waits = []

        def sleep(seconds):
            waits.append(seconds)
            self.end()

        old, time.sleep = time.sleep, sleep
        self.addCleanup(setattr, time, "sleep", old)
        self.assertTrue(Pacman.package("alpha").changed)
        self.assertEqual(len(waits), 1)

    def test_a_lock_that_was_left_behind_is_told_from_one_that_is_held(self):
        self.other.kill()
        self.end()
        self.assertTrue(os.path.exists(BASE + "/db.lck"))
        text = fails(self, "locked", [], Pacman.package, "alpha", lock_timeout=0)
        self.assertIn("no process that can be seen from here has %s/db.lck open" % BASE, text)

    def test_questions_do_not_need_the_lock(self):
        self.assertTrue(self.unchanged(Pacman.package, "alpha", check=True, lock_timeout=0).changed)


if __name__ == "__main__":
    unittest.main()
