"""What is refused of users, keys and rules of sudo, and what is understood; nothing is changed."""
import os
import sys
import unittest
from unittest import mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load

User = load("user").User
accounts, keys, program, sudoers = map(load, ("accounts", "authorized_keys", "program", "sudoers"))
field_of = load("usermod").field_of

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0dD7eCUQHGqiY1mNL3PqCF9tcRhtvxQTPAR+v0VA8h"


class Case(unittest.TestCase):
    def refused(self, kind, call, *args, **options):
        with self.assertRaises(kind, msg="%r %r" % (args, options)) as caught:
            call(*args, check=True, **options)
        return str(caught.exception)


class Users(Case):
    def test_names_that_are_options_or_paths(self):
        for name in ("-D", "--help", "a/b", "../x", "", "a b", "a\n", "1000", "a:b", "a,b", "x" * 33, ".", "+x", "ä", None, b"a"):
            for call in User.present, User.absent, User.group_present, User.group_absent:
                self.refused(ValueError, call, name)
            self.refused(ValueError, User.authorized_key, name, ED25519)
        for name in ("www-data", "_apt", "j.doe", "4dm1n", "HOST$", "x" * 32):
            accounts.check_name("user", name)

    def test_values_that_would_make_fields_or_lines(self):
        for options in (
            {"comment": "a\nroot2::0:0::/:/bin/sh"},
            {"comment": "a:b"},
            {"home": "/a:b"},
            {"home": "relative"},
            {"home": "/a/../etc"},
            {"home": ""},
            {"shell": "-x"},
            {"shell": "/bin/sh\n"},
            {"umask": 0o1000},
            {"uid": -1},
            {"uid": 1 << 32},
            {"gid": -1},
            {"gid": "-x"},
        ):
            self.refused(ValueError, User.present, "root", **options)
        for options in ({"groups": "adm"}, {"uid": "0"}, {"uid": True}, {"comment": 1}, {"home": b"/"}):
            self.refused(TypeError, User.present, "root", **options)
        self.refused(ValueError, User.group_present, "root", gid=-1)

    def test_a_password_must_be_a_hash_and_is_not_shown(self):
        for plain in ("hunter2", "a$b", "$6$salt$hunter2:0:0", "$6$salt$x\nhunter2:y", "$6$salt$ hunter2", "", "!", "$6$salthunter2", b"$6$a$b"):
            self.assertNotIn("hunter2", self.refused(ValueError, User.present, "root", password=plain))
        for right in ("$6$salt$./aZ", "$y$j9T$salt$hash", "$2b$12$salthash", "$argon2id$v=19$m=1,t=2$s$h", "*", None):
            accounts.check_hash(right)

    def test_the_field_of_a_password(self):
        for field, password, locked, after in (
            ("!", None, None, "!"),
            ("!", "$h", None, "$h"),
            ("!!", "$h", None, "$h"),
            ("!*", "$h", None, "$h"),
            ("!$h", "$i", None, "!$i"),
            ("!$h", "$i", False, "$i"),
            ("!!$h", None, True, "!!$h"),
            ("!!$h", None, False, "$h"),
            ("!", None, False, "*"),
            ("*", None, False, "*"),
            ("*", None, True, "!*"),
            ("", None, True, "!"),
            ("", None, False, ""),
            ("$h", "$h", None, "$h"),
            ("$h", "$i", True, "!$i"),
        ):
            self.assertEqual(field_of(field, password, locked), after, (field, password, locked))

    def test_dates(self):
        for date, day in (("1970-01-02", 1), ("2031-05-06", 22405), ("never", -1)):
            self.assertEqual((accounts.day_of(date), accounts.date_of(day)), (day, date))
        for wrong in ("tomorrow", "2030-13-01", "1970-01-01", "2030-1-1", "", "2030-01-02\n", 20000, None):
            with self.assertRaises(ValueError):
                accounts.day_of(wrong)

    def test_what_only_another_name_service_has_is_not_changed(self):
        # A file without root stands in for a name service with more than the file.
        with mock.patch.object(accounts, "PASSWD", "/dev/null"), mock.patch.object(accounts, "GROUP", "/dev/null"):
            for call in User.present, User.absent:
                self.assertIn("another name service", self.refused(LookupError, call, "root"))

    def test_groups_that_only_another_name_service_has_are_not_changed(self):
        import grp

        name = grp.getgrgid(0).gr_name
        with mock.patch.object(accounts, "GROUP", "/dev/null"):
            for call in User.group_present, User.group_absent:
                self.assertIn("another name service", self.refused(LookupError, call, name))
            self.assertIn("another name service", self.refused(LookupError, User.present, "root", groups=[name]))

    def test_what_is_not_given_is_not_asked_for(self):
        with mock.patch.object(program, "find", lambda name: None):
            root = User.present("root", check=True)
        self.assertEqual((root.changed, root.diff, root.uid, root.gid), (False, "", 0, 0))

    def test_a_host_without_the_tools(self):
        with mock.patch.object(program, "find", lambda name: None), mock.patch.object(accounts, "users", lambda: []):
            with self.assertRaises(program.Unsupported) as caught:
                User.present("nobody-of-that-name", check=True)
        self.assertEqual(caught.exception.missing, "useradd")

    def test_lines_of_the_files_that_are_no_accounts(self):
        import tempfile

        with tempfile.NamedTemporaryFile() as file:
            file.write(b"# x\n+nis::::::\n\nshort:x\nname:x:one:1:::\nnul\xff:x:7:8:g\xc3\xa9:/h:/s\n")
            file.flush()
            with mock.patch.object(accounts, "PASSWD", file.name):
                found = accounts.users()
        self.assertEqual([(user.name, user.uid, user.comment) for user in found], [("nul\udcff", 7, "gé")])

    def test_steps(self):
        done = []

        def fail():
            raise ValueError("why")

        with self.assertRaises(RuntimeError) as caught:
            accounts.run_steps([("a", lambda: done.append(1)), ("b", fail), ("c", lambda: done.append(3))])
        self.assertEqual((str(caught.exception), done), ("done: a; not done: b; c: why", [1]))
        with self.assertRaises(ValueError):
            accounts.run_steps([("b", fail)])


class Keys(Case):
    def test_what_is_no_key(self):
        kind, blob = ED25519.split()
        for key in (
            "",
            "# " + ED25519,
            ED25519 + "\n" + ED25519,
            ED25519 + " a\rb",
            ED25519 + " \0",
            kind,
            blob,
            "%s %s" % (kind, blob[:-4]),
            "%s %s=" % (kind, blob),
            "%s AAAA" % kind,
            "%s hunter2" % kind,
            "ssh-rsa " + blob,
            'command="x %s' % ED25519,
            "a b " + ED25519,
            "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2",
        ):
            self.assertNotIn("hunter2", self.refused(ValueError, User.authorized_key, "root", key))
        for key in None, b"x", 1:
            self.refused(TypeError, User.authorized_key, "root", key)
        self.refused(TypeError, User.authorized_keys, "root", ED25519)
        self.refused(ValueError, User.authorized_key, "root", ED25519, absent=True, exclusive=True)
        self.refused(LookupError, User.authorized_key, "nobody-of-that-name", ED25519)

    def test_options_are_told_from_the_key(self):
        for options in ("", "restrict", 'from="a b",command="x \\"y z\\" #"', 'environment="A=ssh-ed25519 AAAA",no-pty'):
            parsed = keys.parse(("%s\t%s me and you" % (options, ED25519)).encode())
            self.assertEqual((parsed[0].decode(), parsed[1]), (options, b"ssh-ed25519"))

    def test_content(self):
        key, other = ED25519.encode(), ED25519.replace("J0d", "J0e").encode()

        def edited(old, *lines, **options):
            lines = [keys.check(line.decode()) for line in lines]
            return keys.edited(old, lines, options.get("exclusive", False), options.get("absent", False))

        self.assertEqual(edited(b"", key), key + b"\n")
        self.assertEqual(edited(b"", key, key + b" twice"), key + b" twice\n")
        for same in (key, key + b" c", b"restrict " + key, key + b"\r\n", b" " + key + b"\n\n"):
            self.assertEqual(edited(same, key), same)
        self.assertEqual(edited(b"# c", key), b"# c\n" + key + b"\n")
        self.assertEqual(edited(other + b"\r\n# \xff\n\nx", key), other + b"\r\n# \xff\n\nx\n" + key + b"\n")
        self.assertEqual(edited(other + b"\n# \xff\n\nx\n" + key, key, exclusive=True), b"# \xff\n\n" + key + b"\n")
        self.assertEqual(edited(key + b"\n" + other, key, absent=True), other + b"\n")
        self.assertEqual(edited(other, key, absent=True), other)
        self.assertEqual(edited(key, key, absent=True), b"")
        self.assertEqual(edited(b"# x", exclusive=True), b"# x")

    def test_long_lines_of_quotes_take_no_time(self):
        keys.parse(b'a="' + b'\\"' * 100000)
        keys.parse(b"ssh-rsa " + b"A" * 100000)


class Sudo(Case):
    def test_names_that_sudo_would_skip_or_read_as_something_else(self):
        for name in (
            "a.b", "deploy~", "../x", "a/b", "x\nevil ALL=(ALL) NOPASSWD: ALL", "a b", "a,b", "#0", "#include", "@x", "+x", "!x",
            "%", "%%x", "%#0", "", "ALL", "ADMINS", "README", "%ALL", "Defaults", "User_Alias", "Cmnd_Alias", "-x", "a=b", "a:b",
            "a(b", 'a"b', "a\\b", "a\0", "1000",
        ):  # fmt: skip
            self.refused(ValueError, User.sudoer, name)
            self.refused(ValueError, User.sudoer, name, absent=True)

    def test_commands_that_would_mean_something_else(self):
        for command in (
            "", "id", "ALL", "sudoedit /etc/x", "./id", "/usr/bin/../x", "/usr/bin/", "!/bin/sh", "/bin/*", "/bin/cat /var/log/*",
            "/bin/x\n", "/bin/x\ty", "/bin/x  y", "/bin/x ", "/bin/x ^.*$", "/bin/x a\\", "/bin/x (", '/bin/x "a"', '/bin/x "" a',
            "/bin/x ä", "/bin/x [a]", "/bin/x ?", "/bin/x\0", "/bin/x !y",
        ):  # fmt: skip
            self.refused(ValueError, User.sudoer, "deploy", commands=["/usr/bin/id", command])
        self.refused(ValueError, User.sudoer, "deploy", commands=[])
        for options in ({"commands": "/usr/bin/id"}, {"commands": [1]}, {"runas": 0}):
            self.refused(TypeError, User.sudoer, "deploy", **options)

    def test_runas_that_would_mean_something_else(self):
        for runas in ("", ":", "a:", "a:b:c", "%web", "a,b", "a)", "a b", "#0", "root) NOPASSWD: ALL", "a\n", "OPS", "!root", "-x"):
            self.refused(ValueError, User.sudoer, "deploy", runas=runas)

    def test_lines(self):
        for args, line in (
            ((True, None, None), "deploy ALL=(ALL) NOPASSWD: ALL\n"),
            ((False, None, "ALL:ALL"), "deploy ALL=(ALL:ALL) ALL\n"),
            ((True, ["/a b,c=d:#e", '/f ""'], ":g"), 'deploy ALL=(:g) NOPASSWD: /a b\\,c\\=d\\:\\#e, /f ""\n'),
        ):
            self.assertEqual(sudoers.line("deploy", *args), line)


if __name__ == "__main__":
    unittest.main()
