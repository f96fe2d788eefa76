"""Service against a real systemd: what is wanted, and what is refused."""
import os
import shutil
import subprocess
import unittest

from units import Case, INSTALL, METHODS, OWN, STAYS, VENDOR, FS, S, Unsupported, manager, quietly, shown, systemctl


class Plain(Case):
    def test_start_and_stop(self):
        self.unit("t-plain", STAYS + INSTALL)
        status = self.twice(S.start, "t-plain", expect=[True, False, False])
        self.assertEqual((status["name"], status.load, status.active, status.sub), ("t-plain", "loaded", "active", "running"))
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
        self.unit("t-reloaddies", STAYS + "ExecReload=/bin/kill $MAINPID\n")
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
        self.unit("t-kind.timer", "[Timer]\nOnActiveSec=1000d\n[Install]\nWantedBy=timers.target\n")
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
        self.assertEqual((status["name"], status.enabled, status.file_state), ("t-alias", True, "enabled"))
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
