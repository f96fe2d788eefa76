"""Keys of users, who may do in their homes what they like."""
import os
import stat
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from accounts_case import ED25519, Case, User, read, sh, write
from bootstrap import load

accounts, keys = map(load, ("accounts", "authorized_keys"))

class Keys(Case):
    def setUp(self):
        Case.setUp(self)
        User.present("deploy", shell="/bin/bash")
        self.uid = accounts.user("deploy").uid
        self.file = "/home/deploy/.ssh/authorized_keys"

    def stored(self, text):
        sh("install -d -m 700 -o deploy -g deploy /home/deploy/.ssh")
        write(self.file, text.encode())
        sh("chown deploy: %s; chmod 600 %s" % (self.file, self.file))

    def generated(self, kind):
        folder = tempfile.mkdtemp()
        self.addCleanup(sh, "rm -r " + folder)
        sh("ssh-keygen -q -t %s -N '' -C 'who@where' -f %s/key" % (kind, folder))
        return read(folder + "/key.pub").decode()

    def test_a_first_key_makes_what_it_needs(self):
        old = os.umask(0)
        self.addCleanup(os.umask, old)
        made = self.twice(User.authorized_key, "deploy", ED25519 + " me@home\n")
        self.assertIn("+%s me@home\n" % ED25519, made.diff)
        self.assertEqual(read(self.file).decode(), ED25519 + " me@home\n")
        for path, mode in (("/home/deploy/.ssh", 0o700), (self.file, 0o600)):
            st = os.stat(path)
            self.assertEqual((stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid), (mode, self.uid, accounts.user("deploy").gid))
        self.assertEqual(os.listdir("/home/deploy/.ssh"), ["authorized_keys"])

    def test_keys_of_all_kinds_are_told_apart(self):
        found = [self.generated(kind) for kind in ("rsa", "ecdsa", "ed25519")]
        for key in found:
            self.twice(User.authorized_key, "deploy", key)
        self.assertEqual(read(self.file).decode(), "".join(found))
        self.twice(User.authorized_key, "deploy", found[1], absent=True)
        self.assertEqual(read(self.file).decode(), found[0] + found[2])

    def test_the_same_key_with_another_comment_is_not_added(self):
        self.stored(ED25519 + " old\n")
        for key in (ED25519 + " new", ED25519, "  " + ED25519.replace(" ", "\t") + "  x\n"):
            self.assertFalse(User.authorized_key("deploy", key).changed)

    def test_options_stay_unless_some_are_given(self):
        line = 'from="10.0.0.0/8",command="echo \\"a b\\" # c" %s c\n' % ED25519
        self.stored(line)
        self.assertFalse(User.authorized_key("deploy", ED25519).changed)
        self.assertFalse(User.authorized_key("deploy", line).changed)
        self.twice(User.authorized_key, "deploy", "restrict " + ED25519)
        self.assertEqual(read(self.file).decode(), "restrict %s\n" % ED25519)
        # A line without them would let in whom they keep out.
        self.stored("%s\n%s" % (ED25519, line))
        self.twice(User.authorized_key, "deploy", line)
        self.assertEqual(read(self.file).decode(), line)

    def test_a_last_line_without_its_end_is_not_glued_to(self):
        other = self.generated("ecdsa")
        self.stored("# mine\n\n" + other.rstrip())
        self.twice(User.authorized_key, "deploy", ED25519)
        self.assertEqual(read(self.file).decode(), "# mine\n\n%s%s\n" % (other, ED25519))

    def test_exclusive(self):
        other = self.generated("ecdsa")
        self.stored("# mine\n%s1024 35 123 old\ngarbage\n%s c\n" % (other, ED25519))
        self.twice(User.authorized_key, "deploy", ED25519, exclusive=True)
        self.assertEqual(read(self.file).decode(), "# mine\n%s c\n" % ED25519)
        self.twice(User.authorized_keys, "deploy", [other, ED25519])
        self.assertEqual(read(self.file).decode(), "# mine\n%s c\n%s" % (ED25519, other))
        self.twice(User.authorized_keys, "deploy", [])
        self.assertEqual(read(self.file), b"# mine\n")
        self.refused(TypeError, User.authorized_keys, "deploy", ED25519)

    def test_removal(self):
        self.assertFalse(User.authorized_key("deploy", ED25519, absent=True).changed)
        self.assertFalse(os.path.exists("/home/deploy/.ssh"))
        self.stored("# a\n%s x\n# b\n%s y" % (ED25519, ED25519))
        self.twice(User.authorized_key, "deploy", ED25519, absent=True)
        self.assertEqual(read(self.file), b"# a\n# b\n")
        self.refused(ValueError, User.authorized_key, "deploy", ED25519, absent=True, exclusive=True)

    def test_modes_are_put_right(self):
        self.stored(ED25519 + "\n")
        sh("chmod 775 /home/deploy/.ssh; chmod 644 " + self.file)
        self.twice(User.authorized_key, "deploy", ED25519)
        self.assertEqual([stat.S_IMODE(os.stat(path).st_mode) for path in ("/home/deploy/.ssh", self.file)], [0o700, 0o600])

    def test_no_link_of_the_user_is_followed(self):
        sh("mkdir /srv/roots; echo secret > /srv/roots/authorized_keys; chmod 600 /srv/roots/authorized_keys")
        before = sh("stat -c '%n %u %a %i' /srv/roots /srv/roots/*")
        links = (
            "ln -s /srv/roots .ssh",
            "mkdir .ssh; chown deploy .ssh; ln -s /srv/roots/authorized_keys .ssh/authorized_keys",
            "mkdir .ssh; chown deploy .ssh; ln -s /srv/roots/new .ssh/authorized_keys",
            "mkdir .ssh; chown deploy .ssh; ln /srv/roots/authorized_keys .ssh/authorized_keys",
            "mkdir .ssh; chown deploy .ssh; mkfifo -m 644 .ssh/authorized_keys",
            "mkdir .ssh; chown deploy .ssh; mkdir .ssh/authorized_keys",
            "touch .ssh",
            "mkdir .ssh",
        )
        for link in links:
            sh("cd /home/deploy; " + link)
            for options in ({}, {"check": True}, {"absent": True}, {"exclusive": True}):
                text = self.refused(OSError, User.authorized_key, "deploy", ED25519, **options)
                self.assertIn("refused: it ", text, link)
                self.assertNotIn("secret", text)
            self.assertEqual(sh("stat -c '%n %u %a %i' /srv/roots /srv/roots/*"), before)
            sh("rm -rf /home/deploy/.ssh")
        sh("rm -r /home/deploy; ln -s /srv/roots /home/deploy")
        self.assertIn("symbolic link", self.refused(OSError, User.authorized_key, "deploy", ED25519))
        sh("rm /home/deploy; mkdir /home/deploy; chown nobody /home/deploy")
        self.assertIn("belongs to uid", self.refused(OSError, User.authorized_key, "deploy", ED25519))

    def test_a_directory_that_the_user_puts_in_the_place_of_a_new_one(self):
        sh("mkdir /srv/roots; touch /srv/roots/file")
        make = os.mkdir

        def swapped(name, *args, **options):
            make(name, *args, **options)
            sh("rmdir /home/deploy/.ssh; mv /srv/roots /home/deploy/.ssh")

        with mock.patch("os.mkdir", swapped):
            self.assertRaises(OSError, User.authorized_key, "deploy", ED25519)
        self.assertEqual(sh("cd /home/deploy; stat -c %u .ssh .ssh/file").split(), ["0", "0"])

    def test_a_link_that_takes_the_place_of_the_directory_later(self):
        self.stored("")
        sh("mkdir /srv/roots")
        parse = keys.edited

        def swapped(*args):
            sh("cd /home/deploy; mv .ssh gone; ln -s /srv/roots .ssh")
            return parse(*args)

        with mock.patch.object(keys, "edited", swapped):
            User.authorized_key("deploy", ED25519)
        self.assertEqual(os.listdir("/srv/roots"), [])
        self.assertEqual(os.listdir("/home/deploy/gone"), ["authorized_keys"])

    def test_a_file_that_cannot_be_written_leaves_the_old_one(self):
        self.stored("# old\n")
        with mock.patch("os.fsync", side_effect=OSError(28, "No space left on device")):
            with self.assertRaises(OSError) as caught:
                User.authorized_key("deploy", ED25519)
        self.assertEqual((caught.exception.errno, caught.exception.filename), (28, self.file))
        self.assertEqual((read(self.file), os.listdir("/home/deploy/.ssh")), (b"# old\n", ["authorized_keys"]))

    def test_sshd_reads_what_is_written(self):
        # ssh-keygen reads the file as sshd does.
        User.authorized_key("deploy", 'restrict,command="date +\\"%%s\\"" %s me' % ED25519)
        self.assertIn("256 SHA256:", sh("ssh-keygen -lf " + self.file))

    def test_keys_at_the_same_time_are_all_there(self):
        from threading import Thread

        found = [self.generated("ed25519") for _ in range(8)]
        threads = [Thread(target=User.authorized_key, args=("deploy", key)) for key in found]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(read(self.file).decode().splitlines(True)), sorted(found))


if __name__ == "__main__":
    unittest.main()
