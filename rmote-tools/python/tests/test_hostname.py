import os
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load

hostname = load("hostname")
H = hostname.Hostname


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir)
        for name in ("HOSTS", "FILE"):
            self.addCleanup(setattr, hostname, name, getattr(hostname, name))
            setattr(hostname, name, os.path.join(self.dir, name))

    def hosts(self, content=None):
        if content is not None:
            with open(hostname.HOSTS, "wb") as file:
                file.write(content)
        with open(hostname.HOSTS, "rb") as file:
            return file.read()

    def file(self, content=None):
        if content is not None:
            with open(hostname.FILE, "wb") as file:
                file.write(content)
        with open(hostname.FILE, "rb") as file:
            return file.read()

    def entry(self, before, *args, **options):
        """A check, a run and a second one, which changes nothing; gives what the file holds then."""
        self.hosts(before)
        checked = H.hosts_entry(*args, check=True, **options)
        self.assertEqual(self.hosts(), before)
        first = H.hosts_entry(*args, **options)
        self.assertEqual(checked, first)
        after = self.hosts()
        self.assertEqual((first.changed, bool(first.diff)), (after != before,) * 2)
        self.assertFalse(H.hosts_entry(*args, **options).changed, after)
        self.assertEqual(self.hosts(), after)
        return after


class Hosts(Case):
    def test_a_new_line_and_missing_names(self):
        text = b"127.0.0.1\tlocalhost\n"
        self.assertEqual(self.entry(text, "10.0.0.7", "db.lan", "db"), text + b"10.0.0.7\tdb.lan db\n")
        self.assertEqual(self.entry(b"", "10.0.0.7", "db", "db"), b"10.0.0.7\tdb\n")
        self.assertEqual(self.entry(b"# no end", "::1", "a"), b"# no end\n::1\ta\n")
        self.assertEqual(self.entry(text, "127.0.0.1", "Localhost"), text)
        self.assertEqual(self.entry(text, "127.0.0.1", "web"), b"127.0.0.1\tlocalhost web\n")

    def test_comments_behind_names_are_kept(self):
        text = b"10.0.0.7  db  # the old one, db2\n"
        self.assertEqual(self.entry(text, "10.0.0.7", "db2"), b"10.0.0.7  db db2  # the old one, db2\n")
        self.assertEqual(self.entry(text, "10.0.0.7", "new", exclusive=True), b"10.0.0.7 new  # the old one, db2\n")
        more = b"10.0.0.7  a  b\tc # x\n"
        self.assertEqual(self.entry(more, "10.0.0.7", "b", absent=True), b"10.0.0.7  a\tc # x\n")
        self.assertEqual(self.entry(b"#10.0.0.7 a\n", "10.0.0.7", "a"), b"#10.0.0.7 a\n10.0.0.7\ta\n")

    def test_all_lines_of_an_address_are_seen(self):
        text = b"10.0.0.7 a\n10.0.0.8 x\n 10.0.0.7 b # second\n10.0.0.70 b\n"
        self.assertEqual(self.entry(text, "10.0.0.7", "a", "b"), text)
        self.assertEqual(self.entry(text, "10.0.0.7", "b", "c"), text.replace(b"7 a", b"7 a c"))
        gone = self.entry(text, "10.0.0.7", "a", exclusive=True)
        self.assertEqual(gone, b"10.0.0.7 a\n10.0.0.8 x\n10.0.0.70 b\n")
        self.assertEqual(self.entry(text, "10.0.0.7", absent=True), b"10.0.0.8 x\n10.0.0.70 b\n")
        self.assertEqual(self.entry(text, "10.0.0.7", "b", "a", absent=True), b"10.0.0.8 x\n10.0.0.70 b\n")
        self.assertEqual(self.entry(text, "10.0.0.9", absent=True), text)

    def test_addresses_are_the_same_however_they_are_written(self):
        text = b"0:0:0:0:0:0:0:1 localhost\nfe80::1%eth0 router\n"
        self.assertEqual(self.entry(text, "::1", "localhost"), text)
        self.assertEqual(self.entry(text, "FE80::1%eth0", "router"), text)
        self.assertNotEqual(self.entry(text, "fe80::1%eth1", "router"), text)

    def test_an_exclusive_name_moves_from_other_addresses_of_its_kind(self):
        text = b"127.0.1.1 web01 web\n::1 web01\n10.0.0.5 db\n"
        moved = self.entry(text, "10.0.0.5", "web01", "db", exclusive=True)
        self.assertEqual(moved, b"127.0.1.1 web\n::1 web01\n10.0.0.5 db web01\n")
        self.assertEqual(self.entry(text, "10.0.0.5", "web01"), text.replace(b"db", b"db web01"))

    def test_line_ends_and_bytes_that_are_no_text_stay(self):
        text = b"10.0.0.7 a # caf\xe9\r\nbroken\n\n\f\n"
        self.assertEqual(self.entry(text, "10.0.0.7", "b"), b"10.0.0.7 a b # caf\xe9\r\nbroken\n\n\f\n")

    def test_newlines_and_other_bad_names_and_addresses_are_refused(self):
        self.hosts(b"")
        for names in (
            ["a\n10.0.0.1 evil"], ["a b"], ["a#b"], ["-a"], ["a-"], [""], ["a..b"], ["a."], ["."], ["a" * 64], ["a\0"],
            [".".join(["a" * 60] * 5)], ["caf\xe9"], [b"a"], [None], [],
        ):
            with self.assertRaises(ValueError, msg=repr(names)):
                H.hosts_entry("10.0.0.1", *names)
        for address in ("10.0.0.1\n", "10.0.0", "web01", "", "::1%a\nb", "fe80::1%", "010.0.0.1 a", "1.2.3.4 5"):
            with self.assertRaises(ValueError, msg=repr(address)):
                H.hosts_entry(address, "a")
        with self.assertRaises(TypeError):
            H.hosts_entry(1, "a")
        with self.assertRaises(ValueError):
            H.hosts_entry("10.0.0.1", "a", absent=True, exclusive=True)
        self.assertEqual(self.hosts(), b"")


class Name(Case):
    def test_bad_names_are_refused(self):
        self.file(b"old\n")
        for name in (
            "", "-a", "a-", "a_b", "a b", "a\n", "a.", ".a", "a..b", "a/b", "a" * 64, ("a" * 40 + ".") + "b" * 40, "1.2.3.4",
            "caf\xe9", None, b"a", "a;b", "localhost\0",
        ):
            for check in (True, False):
                with self.assertRaises(ValueError, msg=repr(name)):
                    H.set(name, check=check)
        self.assertEqual(self.file(), b"old\n")
        for name in ("a", "A1", "web-01.example.com", "a" * 63, "123"):
            hostname._check(name)

    def test_the_file_alone(self):
        for before, after in (
            (b"old\n", b"web01\n"),
            (b"old", b"web01\n"),
            (b"", b"web01\n"),
            (b"# ours\n\nold\n", b"# ours\n\nweb01\n"),
            (b"# ours", b"# ours\nweb01\n"),
            (b"  web01  \n", b"  web01  \n"),
            (b"web01", b"web01"),
        ):
            self.file(before)
            checked = H.set("web01", runtime=False, check=True)
            self.assertEqual(self.file(), before)
            first = H.set("web01", runtime=False)
            self.assertEqual((checked, first.changed), (first, before != after), before)
            self.assertEqual(self.file(), after)
            self.assertFalse(H.set("web01", runtime=False).changed)
        os.unlink(hostname.FILE)
        self.assertTrue(H.set("web01", runtime=False).changed)
        self.assertEqual(self.file(), b"web01\n")
        with self.assertRaises(ValueError):
            H.set("web01", runtime=False, persist=False)

    def test_a_wrong_file_is_mended_where_the_kernel_has_the_name(self):
        name = H.get()
        self.file(b"wrong\n")
        result = H.set(name)
        self.assertEqual((result.changed, result["name"]), (True, name))
        self.assertEqual(self.file().decode(), name + "\n")
        self.assertFalse(H.set(name).changed)

    def test_a_host_that_lets_nobody_set_it_keeps_its_file(self):
        """The kernel is replaced by one that refuses."""

        def refuses(name):
            raise PermissionError(1, "Operation not permitted")

        for way in ("_by_systemd", "_by_call", "_by_file", "_by_program"):
            self.addCleanup(setattr, hostname, way, getattr(hostname, way))
            setattr(hostname, way, refuses)
        self.addCleanup(setattr, hostname, "_check_right", hostname._check_right)
        hostname._check_right = lambda old: None
        self.file(b"old\n")
        with self.assertRaises((hostname.Unsupported, PermissionError)):
            H.set("another-name")
        self.assertEqual(self.file(), b"old\n")
        os.unlink(hostname.FILE)
        with self.assertRaises((hostname.Unsupported, PermissionError)):
            H.set("another-name")
        self.assertEqual(os.listdir(self.dir), [])


if __name__ == "__main__":
    unittest.main()
