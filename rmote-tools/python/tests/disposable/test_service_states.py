"""Service against a real systemd: units that are slow, changed or broken."""
import os
import shutil
import threading
import unittest

from units import Case, CHANGING, INSTALL, METHODS, OWN, STAYS, FS, S, manager, quietly, shown, systemctl


class States(Case):
    def test_activating_is_neither_started_nor_stopped(self):
        self.unit("t-slow", "[Service]\nType=notify\nExecStart=/bin/sleep infinity\n")
        systemctl("start", "--no-block", "t-slow")
        status = S.status("t-slow")
        self.assertEqual((status.started, status.active, status.sub), (False, "activating", "start"))
        self.assertTrue(S.start("t-slow", check=True).changed)
        self.twice(S.stop, "t-slow", expect=[False, False, False])

    def test_start_joins_a_start_that_is_on_its_way(self):
        path = self.fifo("/run/t-join")
        self.unit("t-join", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'read x < %s'\n" % path)
        systemctl("start", "--no-block", "t-join")
        self.assertEqual(S.status("t-join").active, "activating")
        found = []
        thread = threading.Thread(target=lambda: found.append(S.start("t-join")))
        thread.start()
        with open(path, "w") as file:
            file.write("x\n")
        thread.join()
        self.assertEqual((found[0].started, found[0].sub), (True, "exited"))

    def test_a_start_that_takes_too_long(self):
        self.unit("t-late", "[Service]\nType=notify\nExecStart=/bin/sleep infinity\n" + INSTALL)
        self.refused(
            "t-late.service: start is not done after 0.2 s, and goes on: it is activating (start)",
            manager.ServiceTimedOut, S.start, "t-late", timeout=0.2)
        self.assertTrue(issubclass(manager.ServiceTimedOut, TimeoutError))
        self.assertEqual(S.status("t-late").active, "activating")

    def test_reloading_is_started(self):
        path = self.fifo("/run/t-reloading")
        self.unit("t-reloading", STAYS + "ExecReload=/bin/sh -c 'read x < %s'\n" % path)
        S.start("t-reloading", settle=0)
        systemctl("reload", "--no-block", "t-reloading")
        status = S.status("t-reloading")
        self.assertEqual((status.started, status.active), (True, "reloading"))
        self.assertFalse(S.start("t-reloading").changed)
        self.assertTrue(S.stop("t-reloading", check=True).changed)
        with open(path, "w") as file:
            file.write("x\n")

    def test_failed_is_stopped_and_says_so(self):
        self.unit("t-failed", "[Service]\nType=oneshot\nExecStart=/bin/false\n")
        quietly("systemctl", "start", "t-failed")
        status = S.status("t-failed")
        self.assertEqual((status.started, status.active), (False, "failed"))
        self.assertFalse(S.stop("t-failed").changed)
        self.assertTrue(S.start("t-failed", check=True).changed)

    def test_a_crash_loop_is_stopped(self):
        self.unit("t-loop", "[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=1000\n")
        self.refused("activating (auto-restart)", manager.ServiceError, S.start, "t-loop", settle=60)
        self.twice(S.stop, "t-loop", expect=[False, False, False])

    def test_a_unit_whose_file_is_gone_can_be_stopped(self):
        self.unit("t-gone", STAYS)
        S.start("t-gone")
        os.unlink(OWN + "/t-gone.service")
        systemctl("daemon-reload")
        status = S.status("t-gone")
        self.assertEqual((status.load, status.started), ("not-found", True))
        status = S.stop("t-gone")
        self.assertEqual((status.changed, status.load, status.started), (True, "not-found", False))
        self.refused("no such service", manager.NoSuchService, S.stop, "t-gone")

    def test_unknown_units_are_errors_everywhere(self):
        for method in METHODS:
            self.refused("systemd has no unit t-unknown.service", manager.NoSuchService, method, "t-unknown")
        for method in CHANGING:
            self.refused("no such service", LookupError, method, "t-unknown.timer", check=True)
        self.refused("no such service", RuntimeError, S.converge, "t-unknown", started=False, enabled=False)
        self.assertFalse(os.path.lexists(OWN + "/t-unknown.service"))

    def test_a_unit_that_cannot_be_loaded(self):
        self.unit("t-bad", "[Service]\nExecStart=no-path/x\n")
        self.assertEqual(S.status("t-bad").load, "bad-setting")
        self.refused("bad-setting", manager.ServiceError, S.start, "t-bad")
        self.assertFalse(S.stop("t-bad").changed)


class Verified(Case):
    def test_a_unit_that_dies_at_once(self):
        self.unit("t-dies", "[Service]\nExecStart=/bin/sh -c 'echo the reason >&2; exit 3'\n")
        for method in (S.start, S.restart):
            text = self.refused("t-dies.service did not stay up after its " + method.__name__, manager.ServiceError, method, "t-dies", settle=60)
            self.assertIn("it is failed, static, result exit-code", text)
            self.assertIn("the reason", text)

    def test_a_unit_that_dies_a_moment_later(self):
        self.unit("t-dieslater", "[Service]\nExecStart=/bin/sh -c 'sleep 0.3; echo no port; exit 3'\n")
        self.assertIn("no port", self.refused("did not stay up", manager.ServiceError, S.start, "t-dieslater", settle=60))

    def test_one_that_dies_and_is_restarted_meanwhile(self):
        self.unit("t-comesback", "[Service]\nExecStart=/bin/sh -c 'sleep 0.3; exit 3'\nRestart=always\nRestartSec=0\n")
        self.refused("did not stay up", manager.ServiceError, S.start, "t-comesback", settle=60)

    def test_without_pidfd(self):
        kept = os.pidfd_open
        self.addCleanup(setattr, os, "pidfd_open", kept)
        del os.pidfd_open
        self.unit("t-nopidfd", "[Service]\nExecStart=/bin/sh -c 'sleep 0.3; exit 3'\n")
        self.refused("did not stay up", manager.ServiceError, S.start, "t-nopidfd", settle=60)
        self.unit("t-nopidfd2", STAYS)
        self.assertTrue(S.start("t-nopidfd2", settle=0.1).started)

    def test_only_the_log_of_this_start_is_shown(self):
        path = self.write("/run/t-log", "first\n")
        self.unit("t-log", "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'cat %s; for i in 1 2 3 4 5 6 7 8 9; do echo line; done; exit 1'\n" % path)
        self.assertIn("line", self.refused("exit code 1", manager.ServiceError, S.start, "t-log"))
        FS.write(path, "second\n")
        self.assertNotIn("first", self.refused("exit code 1", manager.ServiceError, S.start, "t-log"))

    def test_without_journalctl(self):
        path = shutil.which("journalctl")
        os.rename(path, path + ".away")
        self.addCleanup(os.rename, path + ".away", path)
        self.unit("t-nojournal", "[Service]\nExecStart=/bin/false\n")
        text = self.refused("did not stay up", manager.ServiceError, S.start, "t-nojournal", settle=60)
        self.assertIn("status=1/FAILURE", text)

    def test_without_a_journal(self):
        self.addCleanup(quietly, "systemctl", "start", "systemd-journald.socket", "systemd-journald-dev-log.socket", "systemd-journald")
        kept = self.write("/run/systemd/journald.conf.d/none.conf", "[Journal]\nStorage=none\n")
        self.addCleanup(quietly, "systemctl", "restart", "systemd-journald")
        self.addCleanup(FS.absent, kept)
        systemctl("restart", "systemd-journald")
        self.unit("t-nojournald", "[Service]\nExecStart=/bin/false\n")
        text = self.refused("did not stay up", manager.ServiceError, S.start, "t-nojournald", settle=60)
        self.assertIn("status=1/FAILURE", text)

    def test_what_ends_as_it_should(self):
        path = self.write("/run/t-count", "")
        self.unit("t-once", "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo x >> %s'\n" % path)
        for runs in (1, 2):
            status = S.start("t-once")
            self.assertEqual((status.changed, status.started, status.active), (True, False, "inactive"))
            self.assertEqual(FS.read_str(path), "x\n" * runs)
        self.unit("t-remain", "[Service]\nExecStart=/bin/true\nRemainAfterExit=yes\n")
        self.assertEqual(self.twice(S.start, "t-remain", expect=[True, False, False]).sub, "exited")
        self.unit("t-remainlate", "[Service]\nExecStart=/bin/sleep 0.3\nRemainAfterExit=yes\n")
        self.assertEqual(S.start("t-remainlate", settle=60).sub, "exited")
        self.unit("t-leaves", "[Service]\nExecStart=/bin/true\n")
        self.refused("it is inactive (dead)", manager.ServiceError, S.start, "t-leaves", settle=60)

    def test_a_condition_that_is_not_met(self):
        self.unit("t-condition", "[Unit]\nConditionPathExists=/nowhere\n" + STAYS)
        self.assertIn("ConditionPathExists", self.refused("did not stay up", manager.ServiceError, S.start, "t-condition"))

    def test_an_error_says_what_was_done_before(self):
        self.unit("t-partway", "[Service]\nExecStart=/bin/false\n" + INSTALL)
        text = self.refused("did not stay up", manager.ServiceError, S.converge, "t-partway", started=True, enabled=True, settle=60)
        self.assertIn("(done before: enable)", text)
        self.assertTrue(S.status("t-partway").enabled)


class DaemonReload(Case):
    def change(self, name, text):
        """Changes a file behind systemd's back."""
        path = "%s/%s.service" % (OWN, name)
        FS.write(path, text)
        self.assertEqual(shown(name, "NeedDaemonReload"), "yes")

    def test_by_itself_before_a_restart_and_a_start(self):
        self.unit("t-changed", STAYS)
        S.start("t-changed", settle=0)
        self.change("t-changed", "[Service]\nExecStart=/bin/sleep 4711\n")
        # Nothing to do, nothing done.
        self.assertFalse(S.start("t-changed").changed)
        S.restart("t-changed", check=True)
        self.assertEqual(shown("t-changed", "NeedDaemonReload"), "yes")
        S.restart("t-changed", settle=0)
        self.assertIn("4711", shown("t-changed", "ExecStart"))
        with open("/proc/%s/cmdline" % shown("t-changed", "MainPID")) as file:
            self.assertIn("4711", file.read())
        S.stop("t-changed")
        # Kept in memory by a unit that runs and names it.
        self.unit("t-keeps", "[Unit]\nAfter=t-changed.service\n" + STAYS)
        S.start("t-keeps", settle=0)
        self.change("t-changed", "[Service]\nExecStart=/bin/sleep 4712\n")
        S.start("t-changed", settle=0)
        self.assertIn("4712", shown("t-changed", "ExecStart"))

    def test_by_itself_before_enable_and_reload(self):
        self.unit("t-newinstall", STAYS)
        S.start("t-newinstall", settle=0)
        self.assertEqual(S.status("t-newinstall").file_state, "static")
        self.change("t-newinstall", STAYS + "ExecReload=/bin/true\n" + INSTALL)
        self.assertTrue(S.reload("t-newinstall", check=True).changed)
        self.twice(S.enable, "t-newinstall", expect=[True, True, False])
        self.assertEqual(shown("t-newinstall", "NeedDaemonReload"), "no")
        self.change("t-newinstall", STAYS + "ExecReload=/bin/true\n#\n" + INSTALL)
        S.reload("t-newinstall", settle=0)
        self.assertEqual(shown("t-newinstall", "NeedDaemonReload"), "no")

    def test_on_its_own(self):
        self.unit("t-daemon", STAYS)
        S.start("t-daemon", settle=0)
        self.assertFalse(S.daemon_reload().changed)
        self.change("t-daemon", STAYS + "#\n")
        for check in (True, False):
            answer = S.daemon_reload(check=check)
            self.assertEqual((answer.changed, answer.units), (True, ["t-daemon.service"]))
        self.assertEqual(dict(S.daemon_reload()), {"changed": False, "units": []})


if __name__ == "__main__":
    unittest.main()
