"""Users and groups with the real tools of Debian."""
import os
import stat
import subprocess
import sys
import unittest
from unittest import mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from accounts_case import ED25519, HASH, Case, User, read, row, sh, state, write
from bootstrap import load

accounts, homes, program = map(load, ("accounts", "homes", "program"))

OTHER = "$6$saltsalt$other"

class Present(Case):
    def test_a_new_user_gets_what_the_host_has_as_defaults(self):
        made = self.twice(User.present, "deploy")
        self.assertEqual((made.home, made.shell), ("/home/deploy", "/bin/sh"))
        entry = row("/etc/passwd", "deploy")
        self.assertEqual((made.uid, made.gid), (int(entry[2]), int(entry[3])))
        self.assertEqual(entry[3], row("/etc/group", "deploy")[2])
        st = os.stat("/home/deploy")
        self.assertEqual((st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode)), (made.uid, made.gid, 0o755))
        self.assertEqual(read("/home/deploy/.profile"), read("/etc/skel/.profile"))
        self.assertEqual(os.stat("/home/deploy/.profile").st_uid, made.uid)

    def test_everything_at_once(self):
        options = dict(
            uid=4000, gid="users", comment="De Ploy, x", home="/srv/deep/deploy/", shell="/bin/bash", groups=["adm", "users"],
            password=HASH, expires="2031-05-06", umask=0o077,
        )
        made = self.twice(User.present, "deploy", **options)
        self.assertEqual(row("/etc/passwd", "deploy")[2:], ["4000", "100", "De Ploy, x", "/srv/deep/deploy", "/bin/bash"])
        self.assertEqual(row("/etc/shadow", "deploy")[1:2] + row("/etc/shadow", "deploy")[7:8], [HASH, "22405"])
        self.assertEqual(sh("id -Gn deploy").split(), ["users", "adm"])
        self.assertEqual([stat.S_IMODE(os.stat(path).st_mode) for path in ("/srv/deep", "/srv/deep/deploy")], [0o755, 0o700])
        self.assertNotIn("saltsalt", made.diff)

    def test_what_is_not_given_stays_even_of_root(self):
        self.assertFalse(User.present("root").changed)
        sh("useradd -m -s /usr/sbin/nologin -c Old -G adm deploy")
        self.assertFalse(User.present("deploy").changed)
        self.assertFalse(User.present("deploy", comment="Old", groups=[]).changed)
        self.twice(User.present, "deploy", comment="New")
        self.assertEqual(row("/etc/passwd", "deploy")[4:], ["New", "/home/deploy", "/usr/sbin/nologin"])
        self.twice(User.present, "deploy", comment="")
        self.assertEqual(sh("id -Gn deploy").split(), ["deploy", "adm"])

    def test_uid_and_gid_of_an_existing_user_are_changed_by_one_usermod(self):
        User.present("deploy")
        with mock.patch.object(program, "run", wraps=program.run) as run:
            User.present("deploy", uid=4001, gid=100, shell="/bin/bash", groups=["adm"])
        self.assertEqual(
            [call[0] for call in run.call_args_list],
            [("/usr/sbin/usermod", "-u", "4001", "-g", "100", "-s", "/bin/bash", "-a", "-G", "adm", "--", "deploy")],
        )
        self.assertEqual(row("/etc/passwd", "deploy")[2:4], ["4001", "100"])
        self.assertEqual(os.stat("/home/deploy/.profile").st_uid, 4001)
        self.assertFalse(User.present("deploy", uid=4001, gid="100", shell="/bin/bash", groups=["adm"]).changed)

    def test_the_primary_group_is_not_missing_among_the_groups(self):
        self.twice(User.present, "deploy", groups=["users", "adm"], gid="users")
        self.assertFalse(User.present("deploy", groups=["users"], append_groups=True).changed)
        self.assertFalse(User.present("deploy", groups=["users", "adm"], append_groups=False).changed)
        self.twice(User.present, "deploy", groups=["users", "mail"])
        self.twice(User.present, "deploy", groups=["users", "mail"], append_groups=False)
        self.assertEqual(sh("id -Gn deploy").split(), ["users", "mail"])
        self.twice(User.present, "deploy", groups=[], append_groups=False)
        self.assertEqual(sh("id -Gn deploy").split(), ["users"])

    def test_a_new_user_joins_the_group_of_its_name(self):
        User.group_present("deploy", gid=4003)
        self.assertEqual(self.twice(User.present, "deploy", groups=["deploy"]).gid, 4003)

    def test_a_system_user(self):
        made = self.twice(User.present, "deploy", system=True)
        self.assertLess(made.uid, 1000)
        self.assertFalse(os.path.exists("/home/deploy"))

    def test_a_missing_home_of_an_existing_user_is_made(self):
        User.present("deploy", create_home=False)
        self.assertFalse(os.path.exists("/home/deploy"))
        self.assertFalse(User.present("deploy").changed)
        os.makedirs("/etc/skel/folder")
        self.addCleanup(sh, "rm -r /etc/skel/folder")
        os.symlink("/etc/shadow", "/etc/skel/folder/link")
        write("/etc/skel/folder/run", b"#!/bin/sh\n")
        os.chmod("/etc/skel/folder/run", 0o750)
        owner = os.stat("/etc/shadow").st_uid
        self.twice(User.present, "deploy", create_home=True)
        made = accounts.user("deploy")
        for path in ("", "/.bashrc", "/folder", "/folder/run", "/folder/link"):
            st = os.lstat("/home/deploy" + path)
            self.assertEqual((st.st_uid, st.st_gid), (made.uid, made.gid), path)
        self.assertEqual(stat.S_IMODE(os.stat("/home/deploy/folder/run").st_mode), 0o750)
        self.assertEqual((os.readlink("/home/deploy/folder/link"), os.stat("/etc/shadow").st_uid), ("/etc/shadow", owner))
        self.assertEqual(os.listdir("/home"), ["deploy"])

    def test_a_home_that_cannot_be_made_whole_is_not_made(self):
        User.present("deploy", create_home=False)
        os.makedirs("/etc/skel/folder/deep")
        self.addCleanup(sh, "rm -r /etc/skel/folder")
        write("/home/deploy", b"in its place")
        with self.assertRaises(OSError) as caught:
            User.present("deploy", create_home=True)
        self.assertEqual(caught.exception.filename, "/home/deploy")
        self.assertEqual(os.listdir("/home"), ["deploy"])
        with self.assertRaises(RuntimeError) as caught:
            User.present("deploy", create_home=True, comment="c")
        self.assertIn("done: user changed; not done: home made: ", str(caught.exception))

    def test_a_home_in_the_place_of_which_its_user_puts_another_directory(self):
        User.present("deploy", create_home=False)
        sh("mkdir /srv/deploy /srv/roots; touch /srv/roots/file; chown deploy: /srv/deploy; usermod -d /srv/deploy/home deploy")
        make = os.mkdir

        def swapped(name, *args, **options):
            make(name, *args, **options)
            if str(name).startswith(".rmote-"):
                sh("cd /srv/deploy && rmdir .rmote-* && mv /srv/roots %s" % name)

        with mock.patch("os.mkdir", swapped):
            with self.assertRaises(OSError) as caught:
                User.present("deploy", create_home=True)
        self.assertIn("refused", str(caught.exception))
        self.assertEqual(sh("stat -c %u /srv/deploy/.rmote-*/file /srv/deploy/.rmote-*").split(), ["0", "0"])

    def test_a_home_is_moved(self):
        User.present("deploy")
        write("/home/deploy/mine", b"x")
        self.twice(User.present, "deploy", home="/srv/deploy", move_home=True, create_home=True)
        self.assertEqual((os.listdir("/home"), read("/srv/deploy/mine")), ([], b"x"))
        self.twice(User.present, "deploy", home="/home/deploy", create_home=True)
        self.assertFalse(os.path.exists("/home/deploy/mine"))

    def test_password_and_lock(self):
        User.present("deploy")
        field = lambda: row("/etc/shadow", "deploy")[1]
        self.assertEqual(field(), "!")
        for options, after in (
            ({"password": HASH}, HASH),
            ({"locked": True}, "!" + HASH),
            ({"password": OTHER}, "!" + OTHER),
            ({"locked": False}, OTHER),
            ({"password": HASH, "locked": True}, "!" + HASH),
            ({"password": "*", "locked": False}, "*"),
            ({"locked": True}, "!*"),
            ({"locked": False}, "*"),
        ):
            made = self.twice(User.present, "deploy", **options)
            self.assertEqual(field(), after, options)
            self.assertNotIn("$6$", made.diff)
        # As other programs lock, and as a new user is.
        for before, after in (("!!" + HASH, HASH), ("!", "*"), ("!!", "*")):
            sh("echo 'deploy:%s' | chpasswd -e" % before)
            self.assertFalse(User.present("deploy", locked=True).changed)
            self.twice(User.present, "deploy", locked=False)
            self.assertEqual(field(), after)

    def test_a_lock_leaves_the_age_of_the_password(self):
        User.present("deploy", password=HASH)
        sh("chage -d 2020-01-01 deploy")
        User.present("deploy", locked=True, expires="2040-01-01")
        User.present("deploy", locked=False)
        self.assertEqual(row("/etc/shadow", "deploy")[1:3], [HASH, "18262"])

    def test_a_password_is_in_no_command_line_and_no_error(self):
        with mock.patch.object(program, "run", wraps=program.run) as run:
            User.present("deploy", password=HASH)
        words = [word for call in run.call_args_list for word in call[0]]
        self.assertIn("/usr/sbin/chpasswd", words)
        self.assertFalse([word for word in words if "salt" in word])
        with mock.patch.object(accounts, "run", lambda name, *argv, **_: program.run("false")):
            with self.assertRaises(Exception) as caught:
                User.present("deploy", password=OTHER)
        self.assertNotIn("salt", repr(caught.exception) + str(caught.exception))
        for plain in ("hunter2", "a$b", "$6$salt$x:0:0", "$6$salt$x\nroot:y", "$6$salt$ x", "", "!"):
            text = self.refused(ValueError, User.present, "deploy", password=plain)
            self.assertFalse(plain and plain != "!" and plain in text, text)

    def test_expiry(self):
        self.twice(User.present, "deploy", expires="2030-01-02")
        self.assertIn("Jan 02, 2030", sh("chage -l deploy"))
        self.twice(User.present, "deploy", expires="never")
        self.assertEqual(row("/etc/shadow", "deploy")[7], "")
        for wrong in ("tomorrow", "2030-13-01", "1970-01-01", "2030-1-1", "", "2030-01-02\n"):
            self.refused(ValueError, User.present, "deploy", expires=wrong)

    def test_a_user_that_has_processes(self):
        User.present("deploy")
        uid = accounts.user("deploy").uid
        child = subprocess.Popen(["sleep", "1000"], preexec_fn=lambda: os.setuid(uid))
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        for call, options in ((User.present, {"uid": 4002}), (User.absent, {"remove_home": True})):
            text = self.refused(OSError, call, "deploy", **options)
            self.assertIn("changes nothing while user deploy has processes: %d (sleep)" % child.pid, text)
        self.twice(User.present, "deploy", comment="can be changed")

    def test_numbers_and_groups_that_cannot_be(self):
        User.present("deploy")
        self.assertIn("uid 0 is that of user root", self.refused(ValueError, User.present, "deploy", uid=0))
        self.assertIn("no such group: gone", self.refused(LookupError, User.present, "deploy", groups=["gone"]))
        for gid in ("gone", 54321, "54321"):
            self.refused(LookupError, User.present, "deploy", gid=gid)
        with mock.patch.object(accounts, "GROUP", "/dev/null"):
            self.assertIn("another name service", self.refused(LookupError, User.present, "deploy", groups=["adm"]))

    def test_an_error_in_the_middle_says_where_it_stopped(self):
        with mock.patch.object(homes, "make", side_effect=OSError("no space")):
            with self.assertRaises(RuntimeError) as caught:
                User.present("deploy", password=HASH)
        self.assertEqual(str(caught.exception), "done: user made; password set; not done: home made: no space")
        self.twice(User.present, "deploy", create_home=True)


class Others(Case):
    def test_a_user_is_removed(self):
        User.present("deploy")
        self.twice(User.absent, "deploy")
        self.assertTrue(os.path.exists("/home/deploy"))
        self.assertIsNone(row("/etc/group", "deploy"))
        sh("rm -r /home/deploy")
        User.present("deploy")
        self.assertIn("- /home/deploy/", self.twice(User.absent, "deploy", remove_home=True).diff)
        self.assertFalse(os.path.exists("/home/deploy"))
        User.present("deploy", create_home=False)
        self.twice(User.absent, "deploy", remove_home=True)
        self.assertIn("root", self.refused(ValueError, User.absent, "root"))

    def test_a_home_of_another_is_not_removed_and_that_is_said(self):
        User.present("deploy")
        sh("chown root /home/deploy")
        with self.assertRaises(RuntimeError) as caught:
            User.absent("deploy", remove_home=True)
        self.assertIn("done: user deploy removed; not done: home removed: ", str(caught.exception))

    def test_groups(self):
        made = self.twice(User.group_present, "web")
        self.assertEqual(made.gid, int(row("/etc/group", "web")[2]))
        self.twice(User.group_present, "web", gid=4100)
        self.assertEqual(row("/etc/group", "web")[2], "4100")
        self.assertFalse(User.group_present("web").changed)
        self.assertIn("gid 0 is that of group root", self.refused(ValueError, User.group_present, "web", gid=0))
        User.present("deploy", gid="web", create_home=False)
        self.twice(User.group_present, "web", gid=4101)
        self.assertEqual(row("/etc/passwd", "deploy")[3], "4101")
        self.assertIn("primary group of deploy", self.refused(OSError, User.group_absent, "web"))
        User.absent("deploy")
        self.twice(User.group_absent, "web")
        self.assertLess(self.twice(User.group_present, "web", system=True).gid, 1000)
        self.refused(ValueError, User.group_absent, "root")

    def test_a_host_without_the_tools(self):
        User.present("deploy")
        with mock.patch.object(program, "find", lambda name: None):
            for lacking, call, args, options in (
                ("useradd", User.present, ["web"], {}),
                ("usermod", User.present, ["deploy"], {"comment": "x"}),
                ("chpasswd", User.present, ["deploy"], {"password": HASH}),
                ("userdel", User.absent, ["deploy"], {}),
                ("groupadd", User.group_present, ["web"], {}),
                ("groupmod", User.group_present, ["deploy"], {"gid": 4200}),
                ("visudo", User.sudoer, ["deploy"], {}),
            ):
                before = state()
                with self.assertRaises(program.Unsupported) as caught:
                    call(*args, **options)
                self.assertEqual((caught.exception.missing, state()), (lacking, before))
            self.assertFalse(User.present("deploy").changed)


class Playbook(Case):
    def test_the_second_run_changes_nothing(self):
        def run():
            return [
                User.group_present("web", gid=4300),
                User.group_present("deploy"),
                User.present(
                    "deploy", shell="/bin/bash", groups=["web", "deploy", "adm"], comment="Deploys", password=HASH, expires="2035-01-01", create_home=True
                ),
                User.authorized_key("deploy", ED25519 + " ci"),
                User.sudoer("deploy", commands=["/usr/bin/systemctl restart app"]),
                User.sudoer("%web", nopasswd=False),
            ]

        self.addCleanup(sh, "rm -f /etc/sudoers.d/deploy /etc/sudoers.d/%web")
        self.assertEqual([done.changed for done in run()], [True] * 6)
        after = state()
        self.assertEqual([(done.changed, done.diff) for done in run()], [(False, "")] * 6)
        self.assertEqual(state(), after)
        removed = [
            User.sudoer("deploy", absent=True), User.sudoer("%web", absent=True), User.absent("deploy", remove_home=True), User.group_absent("web"),
        ]
        self.assertTrue(all(done.changed for done in removed))


if __name__ == "__main__":
    unittest.main()
