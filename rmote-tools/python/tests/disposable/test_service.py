"""Service against a real systemd."""
import os
import shutil
import subprocess
import threading
import unittest

from bootstrap import load

FS = load("fs").FileSystem
manager = load("manager")
systemd = load("systemd")
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
        systemctl("daemon-reload")
        return name

    def forget(self, unit, path):
        for words in ("stop", "--", unit), ("unmask", unit), ("unmask", "--runtime", unit), ("disable", unit), ("reset-failed", unit):
            quietly("systemctl", *words)
        quietly("systemctl", "disable", "--runtime", unit)
        if os.path.lexists(path):
            os.unlink(path)
        quietly("systemctl", "daemon-reload")

    def write(self, path, text, mode=None):
        self.addCleanup(FS.absent, path)
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


class Plain(Case):
    def test_start_and_stop(self):
        self.unit("t-plain", STAYS + INSTALL)
        status = self.twice(S.start, "t-plain", expect=[True, False, False])
        self.assertEqual((status.name, status.load, status.active, status.sub), ("t-plain", "loaded", "active", "running"))
        status = self.twice(S.stop, "t-plain", expect=[False, False, False])
        self.assertEqual((status.active, status.sub), ("inactive", "dead"))

    def test_enable_and_disable(self):
        self.unit("t-enable", STAYS + INSTALL)
        self.assertEqual(self.twice(S.enable, "t-enable", expect=[False, True, False]).file_state, "enabled")
        self.assertEqual(self.twice(S.disable, "t-enable", expect=[False, False, False]).file_state, "disabled")
        self.twice(S.enable, "t-enable", now=True, expect=[True, True, False])
        self.twice(S.disable, "t-enable", now=True, expect=[False, False, False])

    def test_converge_leaves_alone_what_is_not_given(self):
        self.unit("t-converge", STAYS + INSTALL)
        self.assertFalse(S.converge("t-converge").changed)
        self.twice(S.converge, "t-converge", started=True, enabled=True, expect=[True, True, False])
        self.twice(S.converge, "t-converge", started=False, expect=[False, True, False])
        self.twice(S.converge, "t-converge", enabled=False, expect=[False, False, False])

    def test_restart_is_always_a_change_and_looks(self):
        self.unit("t-restart", STAYS)
        self.assertTrue(S.restart("t-restart", check=True).changed)
        self.assertFalse(S.status("t-restart").started)
        self.assertTrue(S.restart("t-restart").started)
        pid = shown("t-restart", "MainPID")
        status = S.restart("t-restart", check=True)
        self.assertEqual((status.changed, shown("t-restart", "MainPID")), (True, pid))
        status = S.restart("t-restart")
        self.assertTrue(status.changed and status.started)
        self.assertNotEqual(shown("t-restart", "MainPID"), pid)

    def test_reload(self):
        path = self.write("/run/t-reloads", "")
        self.unit("t-reload", STAYS + "ExecReload=/bin/sh -c 'echo x >> %s'\n" % path)
        self.refused("cannot reload: it is inactive", manager.ServiceError, S.reload, "t-reload", check=True)
        S.start("t-reload", settle=0)
        self.assertTrue(S.reload("t-reload", check=True).changed)
        self.assertEqual(FS.read_str(path), "")
        self.assertTrue(S.reload("t-reload", settle=0).changed)
        self.assertEqual(FS.read_str(path), "x\n")

    def test_reload_without_a_way_to(self):
        self.unit("t-noreload", STAYS)
        S.start("t-noreload", settle=0)
        for check in (True, False):
            self.refused("no ExecReload", manager.ServiceError, S.reload, "t-noreload", check=check)

    def test_reload_that_kills_is_an_error(self):
        self.unit("t-reloaddies", STAYS + "ExecReload=/bin/kill -9 $MAINPID\n")
        S.start("t-reloaddies", settle=0)
        self.refused("did not stay up after its reload", manager.ServiceError, S.reload, "t-reloaddies", settle=60)

    def test_templates_timers_sockets_and_targets(self):
        self.unit("t-tmpl@.service", STAYS + INSTALL)
        self.addCleanup(quietly, "systemctl", "disable", "--now", "t-tmpl@a")
        self.twice(S.converge, "t-tmpl@a", started=True, enabled=True, expect=[True, True, False])
        self.assertFalse(S.status("t-tmpl@b").started or S.status("t-tmpl@b").enabled)
        for method in METHODS:
            self.refused("a template needs an instance", ValueError, method, "t-tmpl@")
        self.unit("t-kind", "[Service]\nType=oneshot\nExecStart=/bin/true\n")
        self.unit("t-kind.timer", "[Timer]\nOnCalendar=2200-01-01\n[Install]\nWantedBy=timers.target\n")
        self.unit("t-kind.target", "[Unit]\nDescription=x\n")
        self.assertEqual(self.twice(S.enable, "t-kind.timer", now=True, expect=[True, True, False]).sub, "waiting")
        self.assertEqual(self.twice(S.start, "t-kind.target", expect=[True, False, False]).active, "active")
        self.unit("t-sock", STAYS)
        self.unit("t-sock.socket", "[Socket]\nListenStream=/run/t-sock\n[Install]\nWantedBy=sockets.target\n")
        self.assertEqual(self.twice(S.enable, "t-sock.socket", now=True, expect=[True, True, False]).sub, "listening")
        self.assertEqual(S.status("-.mount").sub, "mounted")


class Enabling(Case):
    def test_disable_of_a_static_unit_changes_nothing(self):
        self.unit("t-static", STAYS)
        for check in (True, False):
            status = S.disable("t-static", check=check)
            self.assertEqual((status.changed, status.enabled, status.file_state), (False, False, "static"))
            self.refused("no [Install] section", manager.ServiceError, S.enable, "t-static", check=check)
            self.refused("cannot be enabled", manager.ServiceError, S.converge, "t-static", started=True, enabled=True, check=check)
        # Nothing was done before that was found.
        self.assertFalse(S.status("t-static").started)

    def test_indirect_units_stand_for_others(self):
        self.unit("t-other", STAYS + INSTALL)
        self.unit("t-third", STAYS + INSTALL)
        self.unit("t-indirect", STAYS + "[Install]\nAlso=t-other.service \\\n  t-third.service\n")
        self.assertEqual(S.status("t-indirect").file_state, "indirect")
        self.twice(S.enable, "t-indirect", expect=[False, True, False])
        self.assertTrue(S.status("t-other").enabled and S.status("t-third").enabled)
        self.twice(S.disable, "t-indirect", expect=[False, False, False])
        self.assertFalse(S.status("t-other").enabled or S.status("t-third").enabled)
        # One of two: neither enabled nor disabled.
        S.enable("t-other")
        self.assertFalse(S.status("t-indirect").enabled)
        self.twice(S.disable, "t-indirect", expect=[False, False, False])
        S.enable("t-other")
        self.twice(S.enable, "t-indirect", expect=[False, True, False])

    def test_an_alias_is_its_unit(self):
        self.unit("t-real", STAYS + INSTALL + "Alias=t-alias.service\n")
        self.refused("no such service", manager.NoSuchService, S.status, "t-alias")
        S.enable("t-real")
        status = S.status("t-alias")
        self.assertEqual((status.name, status.enabled, status.file_state), ("t-alias", True, "enabled"))
        self.assertFalse(S.enable("t-alias").changed)
        self.twice(S.start, "t-alias", expect=[True, True, False])
        self.assertTrue(S.status("t-real").started)
        self.assertTrue(S.converge("t-alias", started=False, enabled=False).changed)
        self.assertEqual(S.status("t-real").file_state, "disabled")

    def test_enabled_until_the_next_boot(self):
        self.unit("t-runtime", STAYS + INSTALL)
        systemctl("enable", "--runtime", "t-runtime")
        self.assertEqual((S.status("t-runtime").enabled, S.status("t-runtime").file_state), (True, "enabled-runtime"))
        self.assertEqual(self.twice(S.enable, "t-runtime", expect=[False, True, False]).file_state, "enabled")
        # Both kinds go.
        self.assertEqual(self.twice(S.disable, "t-runtime", expect=[False, False, False]).file_state, "disabled")
        systemctl("enable", "--runtime", "t-runtime")
        self.twice(S.disable, "t-runtime", expect=[False, False, False])

    def test_what_a_generator_enables_cannot_be_disabled(self):
        self.unit("t-genlink", STAYS + INSTALL, VENDOR)
        generator = "#!/bin/sh\nmkdir -p $1/multi-user.target.wants\nln -s %s/t-genlink.service $1/multi-user.target.wants/\n"
        self.write("/etc/systemd/system-generators/t-genlink", generator % VENDOR, mode=0o755)
        systemctl("daemon-reload")
        self.assertEqual(S.status("t-genlink").file_state, "enabled-runtime")
        self.refused("did not become as wanted: it is inactive (dead), enabled-runtime", manager.ServiceError, S.disable, "t-genlink")

    def test_generated_units(self):
        text = "#!/bin/sh\nprintf '[Service]\\nExecStart=/bin/sleep infinity\\n' > $1/t-generated.service\n"
        self.write("/etc/systemd/system-generators/t-generated", text, mode=0o755)
        self.addCleanup(quietly, "systemctl", "stop", "t-generated")
        systemctl("daemon-reload")
        self.assertEqual(S.status("t-generated").file_state, "generated")
        self.refused("cannot be enabled: a generator made it", manager.ServiceError, S.enable, "t-generated")
        self.refused("cannot be disabled: a generator made it", manager.ServiceError, S.disable, "t-generated")
        self.twice(S.start, "t-generated", expect=[True, False, False])

    def test_init_scripts_are_enabled_and_disabled(self):
        script = "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: t-script\n# Required-Start:\n# Required-Stop:\n"
        script += "# Default-Start: 2 3 4 5\n# Default-Stop: 0 1 6\n# Short-Description: x\n### END INIT INFO\n"
        self.write("/etc/init.d/t-script", script, mode=0o755)
        self.addCleanup(quietly, "update-rc.d", "-f", "t-script", "remove")
        systemctl("daemon-reload")
        self.assertEqual(self.twice(S.enable, "t-script", expect=[False, True, False]).file_state, "generated")
        self.twice(S.disable, "t-script", expect=[False, False, False])

    def test_linked_units(self):
        self.write("/opt/t-linked.service", STAYS + INSTALL)
        systemctl("link", "/opt/t-linked.service")
        self.addCleanup(quietly, "systemctl", "disable", "t-linked")
        for check in (True, False):
            status = S.disable("t-linked", check=check)
            # systemctl disable would have removed the link, and with it the unit.
            self.assertEqual((status.changed, status.load, status.file_state), (False, "loaded", "linked"))
        self.twice(S.enable, "t-linked", expect=[False, True, False])

    def test_transient_units(self):
        systemctl("is-system-running", "--wait")
        subprocess.check_call(["systemd-run", "--quiet", "--unit=t-transient", "sleep", "infinity"])
        self.addCleanup(quietly, "systemctl", "stop", "t-transient")
        self.refused("it is transient", manager.ServiceError, S.enable, "t-transient")
        self.assertFalse(S.disable("t-transient").changed)
        self.assertTrue(S.stop("t-transient", check=True).changed)


class Masks(Case):
    def test_mask_and_unmask(self):
        self.unit("t-mask", STAYS + INSTALL, VENDOR)
        status = self.twice(S.mask, "t-mask", expect=[False, False, True])
        self.assertEqual((status.load, status.file_state), ("masked", "masked"))
        for method in (S.start, S.restart, S.reload, S.enable):
            for check in (True, False):
                self.refused("t-mask.service is masked", manager.ServiceError, method, "t-mask", check=check)
        self.assertFalse(S.disable("t-mask").changed)
        self.assertFalse(S.stop("t-mask").changed)
        self.twice(S.unmask, "t-mask", expect=[False, False, False])

    def test_mask_of_what_runs(self):
        self.unit("t-maskrun", STAYS, VENDOR)
        S.start("t-maskrun")
        status = self.twice(S.mask, "t-maskrun", expect=[True, False, True])
        self.assertFalse(S.start("t-maskrun").changed)
        self.twice(S.mask, "t-maskrun", now=True, expect=[False, False, True])
        self.assertEqual(status.active, "active")

    def test_converge_with_masks(self):
        self.unit("t-maskall", STAYS + INSTALL, VENDOR)
        up, down = dict(masked=False, started=True, enabled=True), dict(masked=True, started=False, enabled=False)
        self.twice(S.converge, "t-maskall", expect=[True, True, False], **up)
        self.twice(S.converge, "t-maskall", expect=[False, False, True], **down)
        self.twice(S.converge, "t-maskall", expect=[True, True, False], **up)
        for bad in (dict(masked=True, started=True), dict(masked=True, enabled=True)):
            self.refused("can be neither", ValueError, S.converge, "t-maskall", **bad)
        # What a mask hides shows when it is gone.
        S.stop("t-maskall")
        systemctl("mask", "t-maskall")
        self.assertFalse(S.status("t-maskall").enabled)
        status = S.converge("t-maskall", masked=False, enabled=False)
        self.assertEqual((status.changed, status.file_state), (True, "disabled"))

    def test_masked_until_the_next_boot(self):
        self.unit("t-maskruntime", STAYS, VENDOR)
        systemctl("mask", "--runtime", "t-maskruntime")
        self.assertEqual(S.status("t-maskruntime").file_state, "masked-runtime")
        self.refused("is masked", manager.ServiceError, S.start, "t-maskruntime")
        self.twice(S.unmask, "t-maskruntime", expect=[False, False, False])

    def test_a_unit_where_its_mask_would_be(self):
        self.unit("t-maskown", STAYS)
        for check in (True, False):
            self.refused("is where its mask would be", manager.ServiceError, S.mask, "t-maskown", now=True, check=check)

    def test_unmask_of_what_never_was(self):
        systemctl("mask", "t-never.service")
        status = S.unmask("t-never")
        self.assertEqual((status.changed, status.masked, status.load), (True, False, "not-found"))
        systemctl("mask", "t-never.service")
        text = self.refused("no unit file", manager.ServiceError, S.converge, "t-never", masked=False, enabled=True)
        self.assertIn("(done before: unmask)", text)


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
        text = self.refused(
            "t-late.service: start is not done after 0.2 s, and goes on: it is activating (start)",
            manager.ServiceTimedOut, S.converge, "t-late", started=True, enabled=True, timeout=0.2)
        self.assertIn("(done before: enable)", text)
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


class Refusals(Case):
    def test_names(self):
        for name in ("-H", "--version", "-", "", "a b", "a/b", "../x", "*", "t?", "a\nb", "a;b", "x" * 300, None, 3, b"ssh", ["ssh"]):
            for method in METHODS:
                with self.assertRaises(ValueError, msg=repr(name)):
                    method(name)

    def test_values(self):
        for bad in (dict(started="true"), dict(enabled=2), dict(masked="no")):
            self.refused("True, False or None", TypeError, S.converge, "t-x", **bad)
        for bad in (dict(timeout=0), dict(timeout=-1), dict(settle=-1)):
            self.refused("seconds", ValueError, S.start, "t-x", **bad)

    def test_a_systemctl_that_does_not_ask_systemd(self):
        os.environ["SYSTEMD_OFFLINE"] = "1"
        self.addCleanup(os.environ.pop, "SYSTEMD_OFFLINE")
        for method in METHODS:
            self.refused("this host has no systemd: ", Unsupported, method, "dbus")

    def test_no_systemctl(self):
        path = shutil.which("systemctl")
        os.rename(path, path + ".away")
        self.addCleanup(os.rename, path + ".away", path)
        self.refused("this host has no systemctl: ", Unsupported, S.status, "dbus")

    def test_other_languages(self):
        kept = {name: os.environ.get(name) for name in ("LANG", "LC_ALL", "LANGUAGE")}
        os.environ.update(LANG="de_DE.UTF-8", LC_ALL="de_DE.UTF-8", LANGUAGE="de")
        self.addCleanup(lambda: [os.environ.pop(n, None) if v is None else os.environ.update({n: v}) for n, v in kept.items()])
        self.unit("t-lang", STAYS)
        self.twice(S.start, "t-lang", expect=[True, False, False])


class Users(Case):
    """A real manager of a user; only PAM's part in starting it is replaced, which the image lacks."""

    def test_units_of_a_user(self):
        self.refused("this host has no systemd --user: no manager runs for user number 0", Unsupported, S.status, "dbus", user=True)
        text = "[Service]\nPAMName=\nEnvironment=XDG_RUNTIME_DIR=/run/user/%i\n"
        self.write(OWN + "/user@.service.d/pam.conf", text)
        systemctl("daemon-reload")
        systemctl("start", "user@0")
        self.addCleanup(quietly, "systemctl", "stop", "user@0")
        folder = os.path.expanduser("~/.config/systemd/user")
        self.addCleanup(shutil.rmtree, folder)
        FS.directory(folder)
        FS.write(folder + "/t-own.service", STAYS + "[Install]\nWantedBy=default.target\n")
        FS.write(folder + "/t-owndies.service", "[Service]\nExecStart=/bin/sh -c 'echo my reason; exit 1'\n")
        self.refused("no such service", manager.NoSuchService, S.status, "t-own")
        status = S.converge("t-own", started=True, enabled=True, user=True)
        self.assertTrue(status.changed and status.started and status.enabled)
        self.assertFalse(S.converge("t-own", started=True, enabled=True, user=True).changed)
        self.assertTrue(os.path.islink(folder + "/default.target.wants/t-own.service"))
        self.refused("is where its mask would be", manager.ServiceError, S.mask, "t-own", user=True)
        self.assertIn("my reason", self.refused("did not stay up", manager.ServiceError, S.start, "t-owndies", user=True, settle=60))
        self.assertTrue(S.converge("t-own", started=False, enabled=False, user=True).changed)
        self.assertFalse(S.daemon_reload(user=True).changed)


class Playbook(Case):
    def test_a_second_run_changes_nothing(self):
        self.addCleanup(self.forget, "t-app.service", OWN + "/t-app.service")

        def run(text):
            file = FS.write(OWN + "/t-app.service", text)
            app = S.converge("t-app", started=True, enabled=True)
            self.assertTrue(app.started and app.enabled)
            again = file.changed and not app.changed and S.restart("t-app").changed
            return file.changed, app.changed, again

        self.assertEqual(run(STAYS + INSTALL), (True, True, False))
        self.assertEqual(run(STAYS + INSTALL), (False, False, False))
        self.assertEqual(run("[Service]\nExecStart=/bin/sleep 4713\n" + INSTALL), (True, False, True))
        self.assertIn("4713", shown("t-app", "ExecStart"))
        self.assertEqual(run("[Service]\nExecStart=/bin/sleep 4713\n" + INSTALL), (False, False, False))


if __name__ == "__main__":
    unittest.main()
