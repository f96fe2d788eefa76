"""Service against a real OpenRC, told that it has booted this container."""
import os
import unittest

from bootstrap import load

FS = load("fs").FileSystem
manager = load("manager")
program = load("program")
S = load("service").Service
BOOTED = "/run/openrc/softlevel"
STAYS = "#!/sbin/openrc-run\ncommand=/bin/sleep\ncommand_args=infinity\ncommand_background=yes\npidfile=/run/${RC_SVCNAME}.pid\n"
METHODS = S.status, S.start, S.stop, S.restart, S.reload, S.enable, S.disable, S.mask, S.unmask, S.converge


class Case(unittest.TestCase):
    def setUp(self):
        FS.directory("/run/openrc")
        FS.write(BOOTED, "default\n")

    def script(self, name, text):
        path = "/etc/init.d/" + name
        FS.write(path, text, mode=0o755)
        self.addCleanup(FS.absent, path)
        self.addCleanup(program.run, "rc-update", "--all", "--", "del", name, ok=None)
        self.addCleanup(program.run, "rc-service", "--", name, "stop", ok=None)

    def twice(self, method, name, *, expect, **options):
        before = S.status(name)
        checked = method(name, check=True, **options)
        self.assertEqual(S.status(name), before)
        first = method(name, **options)
        for status in (checked, first):
            self.assertTrue(status.changed, status)
            self.assertEqual([status.started, status.enabled, status.masked], expect + [False], status)
        second = method(name, **options)
        self.assertFalse(second.changed, second)
        self.assertEqual(dict(second), dict(first, changed=False))
        self.assertFalse(method(name, check=True, **options).changed)
        return first

    def refused(self, what, error, method, *args, **options):
        with self.assertRaises(error) as caught:
            method(*args, **options)
        self.assertIn(what, str(caught.exception))
        return str(caught.exception)


class OpenRC(Case):
    def test_start_and_stop(self):
        self.script("t-plain", STAYS)
        status = self.twice(S.start, "t-plain", expect=[True, False])
        self.assertEqual((status["name"], status.load, status.active), ("t-plain", "loaded", "started"))
        pid = int(FS.read_str("/run/t-plain.pid"))
        os.kill(pid, 0)
        self.assertTrue(S.restart("t-plain", check=True).changed)
        self.assertEqual(int(FS.read_str("/run/t-plain.pid")), pid)
        self.assertTrue(S.restart("t-plain").changed)
        self.assertNotEqual(int(FS.read_str("/run/t-plain.pid")), pid)
        self.assertEqual(self.twice(S.stop, "t-plain", expect=[False, False]).active, "stopped")

    def test_enable_and_disable(self):
        self.script("t-enable", STAYS)
        self.assertEqual(self.twice(S.enable, "t-enable", expect=[False, True]).file_state, "default")
        self.twice(S.disable, "t-enable", expect=[False, False])
        self.twice(S.enable, "t-enable", now=True, expect=[True, True])
        self.twice(S.disable, "t-enable", now=True, expect=[False, False])
        # It leaves all runlevels, and one is enough to be enabled.
        for level in ("boot", "sysinit"):
            program.run("rc-update", "--", "add", "t-enable", level)
        self.assertEqual(S.enable("t-enable").changed, False)
        self.assertEqual(sorted(S.status("t-enable").file_state.split()), ["boot", "sysinit"])
        self.twice(S.disable, "t-enable", expect=[False, False])

    def test_converge_twice(self):
        FS.write("/etc/init.d/t-app", STAYS, mode=0o755)
        self.script("t-app", STAYS)
        self.twice(S.converge, "t-app", started=True, enabled=True, expect=[True, True])
        self.assertFalse(S.converge("t-app").changed)
        self.twice(S.converge, "t-app", started=False, enabled=False, masked=False, expect=[False, False])

    def test_reload(self):
        self.addCleanup(FS.absent, "/run/t-reloads")
        text = STAYS + 'extra_started_commands="reload"\nreload() { echo x >> /run/t-reloads; }\n'
        self.script("t-reload", text)
        self.refused("cannot reload: it is stopped", manager.ServiceError, S.reload, "t-reload")
        S.start("t-reload")
        self.assertTrue(S.reload("t-reload", check=True).changed)
        self.assertTrue(S.reload("t-reload").changed)
        self.assertEqual(FS.read_str("/run/t-reloads"), "x\n")
        self.script("t-noreload", STAYS)
        S.start("t-noreload")
        self.refused("unknown function", manager.ServiceError, S.reload, "t-noreload")

    def test_a_start_that_fails(self):
        self.script("t-fails", '#!/sbin/openrc-run\nstart() { eerror "the reason"; return 1; }\n')
        text = self.refused("the reason", manager.ServiceError, S.converge, "t-fails", started=True, enabled=True)
        self.assertIn("it is stopped, default\n(done before: enable)", text)

    def test_a_start_that_takes_too_long(self):
        self.script("t-late", "#!/sbin/openrc-run\nstart() { sleep 1000; }\n")
        self.refused("start is not done after 0.5 s, and was ended: it is ", manager.ServiceTimedOut, S.start, "t-late", timeout=0.5)

    def test_a_script_that_says_itself_how_it_is(self):
        self.addCleanup(FS.absent, "/run/t-own")
        self.script("t-own", "#!/sbin/openrc-run\nstart() { :; }\nstatus() { return $(cat /run/t-own); }\n")
        for code, active in (("0", "started"), ("1", "stopped"), ("8", "starting"), ("32", "crashed"), ("99", "unknown (status 99)")):
            FS.write("/run/t-own", code)
            status = S.status("t-own")
            self.assertEqual((status.started, status.active), (code == "0", active))
            self.assertEqual(S.stop("t-own", check=True).changed, active != "stopped")
        FS.write("/run/t-own", "32")
        self.refused("did not stay up after its start", manager.ServiceError, S.start, "t-own")

    def test_unknown_services_are_errors_everywhere(self):
        for method in METHODS:
            self.refused("OpenRC has no init script t-unknown", manager.NoSuchService, method, "t-unknown")
        self.refused("no such service", LookupError, S.converge, "t-unknown", started=False, enabled=False, check=True)

    def test_names(self):
        for name in ("-l", "--list", "", "a b", "../x", "a\nb", None):
            for method in METHODS:
                with self.assertRaises(ValueError, msg=repr(name)):
                    method(name)

    def test_what_openrc_cannot(self):
        self.script("t-cannot", STAYS)
        for check in (True, False):
            self.refused("cannot be masked", program.Unsupported, S.mask, "t-cannot", check=check)
            self.refused("of users", program.Unsupported, S.start, "t-cannot", user=True, check=check)
        self.assertFalse(S.unmask("t-cannot").changed)
        self.assertFalse(S.daemon_reload().changed)

    def test_where_openrc_did_not_boot(self):
        self.script("t-unbooted", STAYS)
        os.unlink(BOOTED)
        for method in METHODS:
            self.refused("neither does OpenRC", program.Unsupported, method, "t-unbooted")
        FS.write(BOOTED, "default\n")


if __name__ == "__main__":
    unittest.main()
