"""Rules of sudo with the real visudo and sudo."""
import os
import stat
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from accounts_case import Case, User, sh
from bootstrap import load

program, sudoers = map(load, ("program", "sudoers"))

class Sudo(Case):
    def setUp(self):
        Case.setUp(self)
        self.addCleanup(sh, "cd /etc/sudoers.d && rm -f deploy %web other")
        User.present("deploy", shell="/bin/bash")

    def may(self, command):
        """What sudo says to the user, who has no password."""
        full = "su deploy -c 'sudo -n %s' 2>&1" % command
        done = subprocess.run(["sh", "-c", full], stdout=subprocess.PIPE, universal_newlines=True)
        if done.returncode:
            self.assertIn("a password is required", done.stdout)
        return done.returncode == 0

    def test_a_rule_for_all(self):
        self.assertFalse(self.may("id"))
        made = self.twice(User.sudoer, "deploy")
        self.assertIn("+deploy ALL=(ALL) NOPASSWD: ALL\n", made.diff)
        st = os.stat("/etc/sudoers.d/deploy")
        self.assertEqual((stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid), (0o440, 0, 0))
        self.assertTrue(self.may("id") and self.may("-u games id"))
        self.assertIn("(ALL) NOPASSWD: ALL", sh("sudo -l -U deploy"))
        self.twice(User.sudoer, "deploy", nopasswd=False)
        self.assertFalse(self.may("id"))
        self.assertIn("(ALL) ALL", sh("sudo -l -U deploy"))
        self.twice(User.sudoer, "deploy", absent=True)
        self.assertIn("not allowed", sh("sudo -l -U deploy"))

    def test_rules_for_commands(self):
        self.twice(User.sudoer, "deploy", commands=["/usr/bin/id", "/bin/echo a,b:c=d #x u@h 10%", '/bin/true ""'])
        self.assertTrue(self.may("id") and self.may("id -u"))
        self.assertTrue(self.may('/bin/echo a,b:c=d "#x" u@h 10%'))
        self.assertFalse(self.may("/bin/echo a") or self.may("whoami"))
        self.assertTrue(self.may("/bin/true"))
        self.assertFalse(self.may("/bin/true 1"))

    def test_as_whom(self):
        self.twice(User.sudoer, "deploy", runas="games:users", commands=["/usr/bin/id"])
        self.assertTrue(self.may("-u games id") and self.may("-u games -g users id"))
        self.assertFalse(self.may("id"))
        self.twice(User.sudoer, "deploy", runas=":users")
        self.assertTrue(self.may("-g users id"))

    def test_groups(self):
        User.group_present("web")
        User.present("deploy", groups=["web"])
        self.twice(User.sudoer, "%web")
        self.assertTrue(self.may("id"))

    def test_what_visudo_does_not_accept_takes_no_place(self):
        User.sudoer("deploy")
        with mock.patch.object(sudoers, "line", lambda *_: "deploy ALL=(ALL NOPASSWD: ALL\n"):
            for name in "deploy", "other":
                self.assertIn("validate: exit code 1", self.refused(ValueError, User.sudoer, name))
        self.assertEqual([name for name in os.listdir("/etc") if name.startswith(".rmote")], [])

    def test_sudo_sees_no_file_before_it_is_checked(self):
        import rmote.process as process

        seen = []

        def run(argv, **options):
            if argv[0].endswith("visudo"):
                st = os.stat(argv[-1])
                seen.append((os.path.dirname(argv[-1]), stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid, os.path.exists("/etc/sudoers.d/deploy")))
            return actual(argv, **options)

        actual = process.run
        old = os.umask(0)
        self.addCleanup(os.umask, old)
        with mock.patch.object(process, "run", run):
            User.sudoer("deploy")
        self.assertEqual(seen, [("/etc", 0o440, 0, 0, False)])

    def test_a_host_whose_sudo_reads_no_such_files(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"root ALL=(ALL) ALL\n# see @includedir /etc/sudoers.d\n")
            file.flush()
            with mock.patch.object(sudoers, "SUDOERS", file.name):
                self.assertIn("sudo would not read", self.refused(program.Unsupported, User.sudoer, "deploy"))


if __name__ == "__main__":
    unittest.main()
