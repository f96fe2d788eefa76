import ast
import errno
import os
import random
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import TOOLS, load, need

edit = load("edit")
edit = load("edit")
fs = load("fs")
FS = fs.FileSystem
ROOT = os.geteuid() == 0


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = os.path.realpath(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.dir)
        self.addCleanup(os.umask, os.umask(0o022))

    def path(self, name="f"):
        return os.path.join(self.dir, name)

    def put(self, data, name="f", mode=None):
        with open(self.path(name), "wb") as file:
            file.write(data)
        if mode is not None:
            os.chmod(self.path(name), mode)
        return self.path(name)

    def get(self, name="f"):
        with open(self.path(name), "rb") as file:
            return file.read()

    def mode(self, name="f"):
        return stat.S_IMODE(os.stat(self.path(name)).st_mode)

    def assert_names(self, *names):
        self.assertEqual(sorted(os.listdir(self.dir)), sorted(names))

    def line(self, *args, **options):
        """Two runs: the second changes nothing, and a check before them tells the same and writes nothing."""
        path = args[0]
        before = self.get() if os.path.exists(path) else None
        checked = FS.line_in_file(*args, check=True, **options)
        self.assertEqual(self.get() if os.path.exists(path) else None, before)
        first = FS.line_in_file(*args, **options)
        self.assertEqual((checked.changed, checked.diff), (first.changed, first.diff))
        after = self.get()
        self.assertEqual(first.changed, after != before)
        second = FS.line_in_file(*args, **options)
        self.assertFalse(second.changed, (before, after, self.get(), options))
        self.assertEqual(second.diff, "")
        self.assertEqual(self.get(), after)
        return after


class Read(Case):
    def test_bytes_and_ranges(self):
        path = self.put(b"0123456789")
        self.assertEqual(FS.read_bytes(path), b"0123456789")
        self.assertEqual(FS.read_bytes(path, offset=3), b"3456789")
        self.assertEqual(FS.read_bytes(path, offset=3, length=2), b"34")
        self.assertEqual(FS.read_bytes(path, length=1 << 50), b"0123456789")
        self.assertEqual(FS.read_bytes(path, offset=99, length=1), b"")
        self.assertEqual(FS.read_bytes(path, length=0), b"")
        for options in ({"offset": -1}, {"length": -1}):
            with self.assertRaises(ValueError):
                FS.read_bytes(path, **options)

    def test_file_without_a_size(self):
        need(self, os.path.exists("/proc/self/status"), "no /proc")
        self.assertIn(b"Pid:", FS.read_bytes("/proc/self/status"))
        self.assertEqual(FS.read_bytes("/dev/zero", length=3), b"\0\0\0")

    def test_str_keeps_line_ends_and_is_strict(self):
        path = self.put("a\r\nb\rc\n\u2028\u00e4".encode())
        self.assertEqual(FS.read_str(path), "a\r\nb\rc\n\u2028\u00e4")
        self.put(b"secret \xff")
        with self.assertRaises(UnicodeError) as caught:
            FS.read_str(path)
        self.assertIn("at byte 7", str(caught.exception))
        self.assertNotIn("secret", repr(caught.exception.args))
        self.assertEqual(FS.read_str(path, encoding="latin-1"), "secret \u00ff")

    def test_missing(self):
        with self.assertRaises(FileNotFoundError) as caught:
            FS.read_bytes(self.path())
        self.assertEqual(caught.exception.filename, self.path())


class Glob(Case):
    def setUp(self):
        Case.setUp(self)
        for name in ("a/b/c", "a/d", ".hidden/x"):
            os.makedirs(self.path(name))
        for name in ("top.txt", ".dot.txt", "a/one.txt", "a/b/two.txt", "a/b/c/three.txt", "[x].txt"):
            self.put(b"", name)
        os.symlink("a", self.path("link"))
        os.symlink("nowhere", self.path("dangling"))
        os.symlink("..", self.path("a/up"))

    def glob(self, pattern):
        found = FS.glob(self.dir, pattern)
        self.assertEqual(found, sorted(set(found)))
        return [os.path.relpath(path, self.dir) for path in found]

    def test_star_matches_dot_files_and_dangling_links(self):
        names = [".dot.txt", ".hidden", "[x].txt", "a", "dangling", "link", "top.txt"]
        self.assertEqual(self.glob("*"), names)
        self.assertEqual(self.glob("*.txt"), [".dot.txt", "[x].txt", "top.txt"])
        self.assertEqual(self.glob("dangling"), ["dangling"])
        self.assertEqual(self.glob("[[]x].txt"), ["[x].txt"])
        self.assertEqual(self.glob("[!a]*/x"), [".hidden/x"])

    def test_plain_parts_and_links(self):
        self.assertEqual(self.glob("a/./b//two.txt"), ["a/b/two.txt"])
        self.assertEqual(self.glob("link/*.txt"), ["link/one.txt"])
        self.assertEqual(self.glob("*/one.txt"), ["a/one.txt", "link/one.txt"])
        self.assertEqual(self.glob("top.txt/x"), [])
        self.assertEqual(self.glob("top.txt/*"), [])

    def test_recursion_follows_no_links(self):
        self.assertEqual(self.glob("**/*.txt"), sorted(
            [".dot.txt", "[x].txt", "top.txt", "a/one.txt", "a/b/two.txt", "a/b/c/three.txt"]))
        self.assertEqual(self.glob("a/**/c"), ["a/b/c"])
        self.assertEqual(self.glob("**/**/three.txt"), ["a/b/c/three.txt"])
        self.assertEqual(self.glob("a/**/b/**/*.txt"), ["a/b/c/three.txt", "a/b/two.txt"])
        self.assertEqual(self.glob("**"), [".", ".hidden", ".hidden/x", "a", "a/b", "a/b/c", "a/d"])
        self.assertEqual(self.glob("*/"), [".hidden", "a", "link"])

    def test_missing_directory_is_empty(self):
        for pattern in ("*", "**", "**/x", "x", "x/*"):
            self.assertEqual(FS.glob(self.path("missing"), pattern), [])

    def test_bad_patterns(self):
        for pattern in ("", "/etc/*", "../*", "a/../b", "a**", "**x/y", "."):
            with self.assertRaises(ValueError, msg=pattern):
                FS.glob(self.dir, pattern)

    def test_names_that_are_not_utf8(self):
        raw = os.path.join(os.fsencode(self.dir), b"raw\xff.bin")
        try:
            open(raw, "wb").close()
        except OSError as error:
            need(self, False, "file system refuses the name: %s" % error)
        (found,) = FS.glob(self.dir, "raw*.bin")
        self.assertEqual(os.fsencode(found), raw)
        self.assertTrue(FS.stat(found).is_file)
        self.assertTrue(FS.absent(found).changed)


class Line(Case):
    def test_appends_once(self):
        self.assertEqual(self.line(self.put(b"a\n"), "b"), b"a\nb\n")

    def test_present_line(self):
        self.assertEqual(self.line(self.put(b"a\nb"), "b"), b"a\nb")

    def test_regexp_without_a_match_appends_once(self):
        self.assertEqual(self.line(self.put(b"a\n"), "b=1", regexp="^x="), b"a\nb=1\n")

    def test_first_of_two_matches_and_a_line_that_does_not_match(self):
        self.assertEqual(self.line(self.put(b"#x=1\n#x=2\n"), "x=3", regexp="^#x="), b"x=3\n#x=2\n")

    def test_all_matches(self):
        self.assertEqual(self.line(self.put(b"#x=1\nk\n#x=2"), "x=3", regexp="^#x=", match="all"), b"x=3\nk\nx=3")

    def test_regexp_searches(self):
        self.assertEqual(self.line(self.put(b"  key = 1\n"), "key = 2", regexp=r"key\s*="), b"key = 2\n")
        self.assertEqual(self.line(self.put("größe\n".encode()), "x", regexp=r"^gr\w+e$"), b"x\n")

    def test_new_file_ends_in_a_newline(self):
        self.assertEqual(self.line(self.path(), "a", create=True), b"a\n")
        self.assertEqual(self.mode(), 0o644)

    def test_missing_final_newline_is_added_when_appending(self):
        path = self.put(b"a=1")
        self.assertEqual(FS.line_in_file(path, "b", check=True).diff, (
            "--- {0}\n+++ {0}\n@@ -1 +1,2 @@\n-a=1\n\\ No newline at end of file\n+a=1\n+b\n").format(path))
        self.assertEqual(self.line(path, "b"), b"a=1\nb\n")

    def test_replaced_last_line_stays_without_newline(self):
        self.assertEqual(self.line(self.put(b"k\na=1"), "a=2", regexp="^a="), b"k\na=2")

    def test_crlf_is_kept_a_line(self):
        self.assertEqual(self.line(self.put(b"a\r\nb\nc\r\n"), "x", regexp="^[bc]$", match="all"), b"a\r\nx\nx\r\n")
        self.assertEqual(self.line(self.put(b"a\r\n"), "b"), b"a\r\nb\r\n")
        self.assertEqual(self.line(self.put(b"a\r\nb"), "c"), b"a\r\nb\r\nc\r\n")
        self.assertEqual(self.line(self.put(b"a\r\nb\r\n"), "b"), b"a\r\nb\r\n")

    def test_only_newline_ends_a_line(self):
        data = "a\x0cb\u2028c\x0bd\x85e\x1cf\rg\n".encode() + b"\xff\n"
        self.assertEqual(self.line(self.put(data), "x"), data + b"x\n")

    def test_other_encodings_survive(self):
        self.assertEqual(self.line(self.put(b"caf\xe9=1\nb\xff\n"), "b", regexp="^b"), b"caf\xe9=1\nb\n")
        self.assertEqual(self.line(self.put(b"x\xe9\n"), "y\udce9", regexp="\udce9"), b"y\xe9\n")

    def test_mistakes_touch_nothing(self):
        path = self.path()
        for error, options in (
            (ValueError, {"regexp": "("}), (ValueError, {"match": "last"}), (LookupError, {"owner": "no-such-user"}),
            (LookupError, {"group": "no-such-group"}), (ValueError, {"mode": 0o10000}), (ValueError, {"validate": ["true"]}),
        ):
            with self.assertRaises(error, msg=options):
                FS.line_in_file(path, "a", create=True, **options)
        for line in ("a\nb", "a\n", "a\r"):
            with self.assertRaises(ValueError):
                FS.line_in_file(path, line, create=True)
        self.assert_names()

    def test_strip_is_a_choice(self):
        self.assertEqual(self.line(self.put(b"  a: 1\n"), "a: 1"), b"  a: 1\na: 1\n")
        self.assertEqual(self.line(self.put(b"  a: 1\n"), "a: 1", strip=True), b"  a: 1\n")
        self.assertEqual(self.line(self.put(b"  a: 1\n"), "a: 1", strip=True, regexp="a:", match="all"), b"  a: 1\n")

    def test_missing_file_without_create(self):
        with self.assertRaises(FileNotFoundError) as caught:
            FS.line_in_file(self.path(), "a")
        self.assertEqual(caught.exception.filename, self.path())
        self.assert_names()

    def test_empty_line(self):
        self.assertEqual(self.line(self.put(b"a\nb"), "", regexp="b"), b"a\n\n")
        self.assertEqual(self.line(self.put(b""), ""), b"\n")

    def test_two_runs_of_anything(self):
        self.addCleanup(setattr, os, "fsync", os.fsync)
        os.fsync = lambda fd: None
        chance = random.Random(7)
        words = ["", "a", "b", " a", "#a", "ab", "a ", "\u00e4"]
        for _ in range(4000):
            lines = [chance.choice(words) for _ in range(chance.randrange(5))]
            ends = [chance.choice(["\n", "\n", "\r\n"]) for _ in lines]
            data = "".join(line + end for line, end in zip(lines, ends))
            if chance.random() < 0.4:
                data = data.rstrip("\n")
            before = data.encode()
            options = {"match": chance.choice(["first", "all"]), "strip": chance.random() < 0.3}
            if chance.random() < 0.7:
                options["regexp"] = chance.choice(["a", "^a", "b$", "^$", "^#?a", "x", "", "."])
            line = chance.choice(words)
            after = self.line(self.put(before), line, **options)
            bodies = [part[:-1] if part.endswith(b"\r") else part for part in after.split(b"\n")]
            if options["strip"]:
                self.assertIn(line.strip().encode(), [body.strip() for body in bodies])
            else:
                self.assertIn(line.encode(), bodies)
            grown = after.count(b"\n") - before.count(b"\n")
            self.assertIn(grown, (0, 1, 2), (before, after))


class Write(Case):
    def test_new_changed_unchanged(self):
        path = self.path()
        first = FS.write(path, "a\n")
        self.assertEqual(dict(first), dict(
            changed=True, diff="--- {0}\n+++ {0}\n@@ -0,0 +1 @@\n+a\n".format(path), backup=None, in_place=False))
        inode = os.stat(path).st_ino
        self.assertFalse(FS.write(path, b"a\n").changed)
        self.assertEqual(os.stat(path).st_ino, inode)
        self.assertTrue(FS.write(path, "b\u00e4\udcff").changed)
        self.assertEqual(self.get(), "b\u00e4".encode() + b"\xff")
        self.assert_names("f")

    def test_empty_new_file_is_a_change(self):
        self.assertTrue(FS.write(self.path(), "", check=True).changed)
        self.assertTrue(FS.write(self.path(), "").changed)
        self.assertFalse(FS.write(self.path(), "").changed)

    def test_content_must_be_text_or_bytes(self):
        for content in (5, None, ["a"]):
            with self.assertRaises(TypeError):
                FS.write(self.path(), content)
        self.assert_names()

    def test_modes(self):
        path = self.put(b"old", mode=0o600)
        FS.write(path, "new")
        self.assertEqual(self.mode(), 0o600)
        for umask, mode in ((0o022, 0o644), (0o077, 0o600), (0, 0o644)):
            os.umask(umask)
            os.unlink(path)
            FS.write(path, "new")
            self.assertEqual(self.mode(), mode)
        for umask in (0o077, 0):
            os.umask(umask)
            os.unlink(path)
            FS.write(path, "new", mode=0o664)
            self.assertEqual(self.mode(), 0o664)
        changed = FS.write(path, "new", mode=0o640)
        self.assertEqual((changed.changed, changed.diff), (True, "- mode 0664\n+ mode 0640\n"))
        self.assertEqual(self.mode(), 0o640)
        self.assertFalse(FS.write(path, "new", mode=0o640).changed)
        FS.write(path, "newer", mode=0o4750)
        self.assertEqual(self.mode(), 0o4750)

    def test_content_is_never_more_open_than_the_file(self):
        path = self.put(b"old", mode=0o600)
        seen = []
        true_write = os.write

        def spy(fd, data):
            seen.append(stat.S_IMODE(os.fstat(fd).st_mode))
            return true_write(fd, data)

        os.write = spy
        try:
            FS.write(path, "secret")
            FS.write(self.path("g"), "secret", mode=0o400)
        finally:
            os.write = true_write
        self.assertEqual(seen, [0o600, 0o400])

    def test_owner(self):
        need(self, ROOT, "needs root")
        path = self.put(b"old", mode=0o640)
        os.chown(path, 12, 34)
        FS.write(path, "new")
        st = os.stat(path)
        self.assertEqual((st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode)), (12, 34, 0o640))
        change = FS.write(path, "new", owner=56, check=True)
        self.assertEqual(change.diff, "- owner 12\n+ owner 56\n")
        FS.write(path, "newer", owner="root")
        FS.write(path, "newer", group=78)
        self.assertEqual((os.stat(path).st_uid, os.stat(path).st_gid), (0, 78))
        self.assertFalse(FS.write(path, "newer", owner=0, group=78).changed)

    def test_an_owner_may_be_a_number_in_text(self):
        need(self, ROOT, "needs root")
        path = self.put(b"old")
        # No user has these numbers as a name.
        change = FS.write(path, "new", owner="54321", group="54322")
        st = os.stat(path)
        self.assertEqual((change.changed, st.st_uid, st.st_gid), (True, 54321, 54322))
        self.assertFalse(FS.write(path, "new", owner="54321", group="54322").changed)
        for bad in "-1", "1x", "", "\u00b2":
            with self.assertRaises(LookupError):
                FS.write(path, "newer", owner=bad)

    def test_unprivileged_writer_keeps_anothers_owner(self):
        need(self, ROOT, "needs root")
        os.chmod(self.dir, 0o777)
        path = self.put(b"old", mode=0o666)
        pid = os.fork()
        if not pid:
            code = 1
            try:
                os.setgroups([])
                os.setgid(4321)
                os.setuid(4321)
                code = 0 if FS.write(path, "new").in_place else 2
            finally:
                os._exit(code)
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        self.assertEqual((self.get(), os.stat(path).st_uid), (b"new", 0))
        self.assert_names("f")

    def test_extended_attributes_stay(self):
        path = self.put(b"old")
        try:
            os.setxattr(path, "user.rmote", b"1")
        except (OSError, AttributeError):
            need(self, False, "no extended attributes here")
        FS.write(path, "new")
        self.assertEqual(os.getxattr(path, "user.rmote"), b"1")

    def test_symbolic_links(self):
        self.put(b"old", "target")
        os.symlink("target", self.path())
        self.assertTrue(FS.write(self.path(), "new").changed)
        self.assertTrue(os.path.islink(self.path()))
        self.assertEqual(self.get("target"), b"new")
        os.unlink(self.path("target"))
        with self.assertRaises(FileNotFoundError) as caught:
            FS.write(self.path(), "new")
        self.assertIn("dangling symbolic link to 'target'", str(caught.exception))
        self.assert_names("f")
        os.symlink("loop", self.path("loop"))
        with self.assertRaises(OSError) as caught:
            FS.write(self.path("loop"), "new")
        self.assertEqual(caught.exception.errno, errno.ELOOP)

    def test_only_regular_files(self):
        with self.assertRaises(IsADirectoryError):
            FS.write(self.dir, "x")
        os.mkfifo(self.path())
        with self.assertRaises(OSError) as caught:
            FS.write(self.path(), "x")
        self.assertEqual(caught.exception.filename, self.path())
        with self.assertRaises(FileNotFoundError):
            FS.write(self.path("no/f"), "x")
        with self.assertRaises(FileNotFoundError):
            FS.write(self.path("no/f"), "x", check=True)
        with self.assertRaises(ValueError):
            FS.write(self.path("a\0b"), "x")

    def test_check_writes_nothing(self):
        self.assertTrue(FS.write(self.path(), "x", check=True, backup=True, validate="false {}").changed)
        self.assert_names()

    def test_backup(self):
        path = self.put(b"old", mode=0o600)
        backups = []
        for content in ("new", "newer"):
            change = FS.write(path, content, backup=True)
            self.assertRegex(os.path.basename(change.backup), r"^f\.\d{8}T\d{6}\.\d{6}Z~$")
            backups.append(os.path.basename(change.backup))
        self.assertEqual([self.get(name) for name in backups], [b"old", b"new"])
        self.assertEqual(self.mode(backups[0]), 0o600)
        self.assert_names("f", *backups)
        self.assertIsNone(FS.write(path, "newer", backup=True).backup)
        self.assertIsNone(FS.write(path, "newer", mode=0o640, backup=True).backup)
        self.assertIsNone(FS.write(self.path("g"), "new", backup=True).backup)

    def test_validate(self):
        path = self.put(b"old")
        seen = self.path("seen")
        FS.write(path, "new", validate=["/bin/sh", "-c", 'cat "$1" > "$2"; test -f "$1"', "sh", "{}", seen])
        self.assertEqual((self.get(), self.get("seen")), (b"new", b"new"))
        FS.write(path, "newer", validate="grep -q newer %s")
        FS.write(path, "new{}", validate="grep -q new {}")
        for validate in ("echo bad syntax >&2; false {}", ["/bin/sh", "-c", "echo bad syntax; exit 3", "{}"]):
            with self.assertRaises(ValueError) as caught:
                FS.write(path, "broken", validate=validate, backup=True)
            self.assertIn("bad syntax", str(caught.exception))
            self.assertIn("exit code", str(caught.exception))
        with self.assertRaises(ValueError) as caught:
            FS.write(path, "broken", validate="kill -9 $$; true {}")
        self.assertIn("SIGKILL", str(caught.exception))
        with self.assertRaises(FileNotFoundError) as caught:
            FS.write(path, "broken", validate=["no-such-program", "{}"])
        self.assertEqual(caught.exception.filename, "no-such-program")
        self.assertEqual(self.get(), b"new{}")
        self.assert_names("f", "seen")

    def test_a_new_file_is_made_in_another_folder(self):
        os.mkdir(self.path("etc"))
        os.mkdir(self.path("etc/d"))
        seen = self.path("seen")
        look = ["/bin/sh", "-c", 'dirname "$1" > "$2"; ls "$3" >> "$2"', "sh", "{}", seen, self.path("etc/d")]
        for content, before in (b"new", b""), (b"newer", b"f\n"):
            done = edit.change(self.path("etc/d/f"), lambda old: content, folder=self.path("etc"), validate=look)
            self.assertEqual((done.changed, done.in_place, self.get("etc/d/f")), (True, False, content))
            self.assertEqual(self.get("seen"), self.path("etc").encode() + b"\n" + before)
        with self.assertRaises(ValueError):
            edit.change(self.path("etc/d/f"), lambda old: b"", folder=self.path("etc"), validate=["false", "{}"])
        self.assertEqual((os.listdir(self.path("etc")), os.listdir(self.path("etc/d"))), (["d"], ["f"]))

    def test_validate_quotes_the_path(self):
        os.mkdir(self.path("a b'c"))
        FS.write(self.path("a b'c/f"), "x", validate="test -f {}")

    def test_failed_rename_leaves_nothing(self):
        path = self.put(b"old")
        true_rename = os.rename

        def broken(*_):
            raise PermissionError(errno.EPERM, "no", "temp")

        os.rename = broken
        try:
            with self.assertRaises(PermissionError):
                FS.write(path, "new", backup=True)
        finally:
            os.rename = true_rename
        self.assertEqual(self.get(), b"old")
        self.assert_names("f")

    def test_unwritable_directory_names_the_path(self):
        need(self, os.path.isdir("/proc/self/fd"), "no /proc")
        with self.assertRaises(OSError) as caught:
            FS.write("/proc/self/rmote-test", "x")
        self.assertEqual(caught.exception.filename, "/proc/self/rmote-test")

    def test_long_names(self):
        name = "n" * 255
        self.assertTrue(FS.write(self.path(name), "x").changed)
        self.assertTrue(FS.symlink(self.path("l" * 255), "x").changed)
        self.assertTrue(FS.symlink(self.path("l" * 255), "y").changed)

    def mounted(self, *args):
        need(self, ROOT and shutil.which("mount"), "needs root and mount")
        done = subprocess.Popen(("mount",) + args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = done.communicate()[0]
        need(self, done.returncode == 0, "mount: %r" % text)
        self.addCleanup(subprocess.call, ["umount", args[-1]])

    def test_full_disk(self):
        os.mkdir(self.path("tiny"))
        self.mounted("-t", "tmpfs", "-o", "size=64k", "tmpfs", self.path("tiny"))
        path = self.put(b"old\n" * 1000, "tiny/f")
        for options in ({}, {"backup": True}):
            with self.assertRaises(OSError) as caught:
                FS.write(path, "x" * 200000, **options)
            self.assertEqual((caught.exception.errno, caught.exception.filename), (errno.ENOSPC, path))
            self.assertEqual(self.get("tiny/f"), b"old\n" * 1000)
            self.assertEqual(os.listdir(self.path("tiny")), ["f"])
        self.put(b"x" * 40000, "tiny/g")
        # There is room for the new content, but not for the backup.
        with self.assertRaises(OSError):
            FS.write(self.path("tiny/g"), "y" * 8000, backup=True)
        self.assertEqual(sorted(os.listdir(self.path("tiny"))), ["f", "g"])

    def test_file_that_is_mounted(self):
        path = self.put(b"old, and long", mode=0o600)
        self.mounted("--bind", path, path)
        for content in ("new", "newer and much longer than it was"):
            change = FS.write(path, content, backup=True)
            self.assertTrue(change.changed and change.in_place)
            self.assertEqual(self.get(), content.encode())
        self.assertTrue(FS.line_in_file(path, "line", mode=0o640).in_place)
        self.assertEqual(self.mode(), 0o640)
        self.assertFalse(any(name.startswith(".") for name in os.listdir(self.dir)))
        with self.assertRaises(OSError) as caught:
            FS.absent(path)
        self.assertEqual(caught.exception.errno, errno.EBUSY)

    def test_full_disk_in_place(self):
        os.mkdir(self.path("tiny"))
        self.mounted("-t", "tmpfs", "-o", "size=64k", "tmpfs", self.path("tiny"))
        path = self.put(b"old", "tiny/f")
        true_rename = os.rename

        def busy(*_):
            # The space that the temporary file had goes to another one.
            self.put(b"", "tiny/g")
            with self.assertRaises(OSError):
                self.put(b"x" * 100000, "tiny/g")
            raise OSError(errno.EBUSY, "busy", "temp")

        os.rename = busy
        try:
            with self.assertRaises(OSError) as caught:
                FS.write(path, "y" * 30000)
        finally:
            os.rename = true_rename
        self.assertEqual((caught.exception.errno, caught.exception.filename), (errno.ENOSPC, path))
        self.assertEqual(self.get("tiny/f"), b"old")

    def test_absent_refuses_mount_points(self):
        os.makedirs(self.path("a/b c/d"))
        os.mkdir(self.path("src"))
        self.put(b"", "src/precious")
        self.mounted("--bind", self.path("src"), self.path("a/b c/d"))
        for name in ("a", "a/b c", "a/b c/d", "a/b c/d/"):
            with self.assertRaises(OSError) as caught:
                FS.absent(self.path(name), recursive=True)
            self.assertEqual(caught.exception.errno, errno.EBUSY)
        self.assert_names("a", "src")
        self.assertEqual(os.listdir(self.path("src")), ["precious"])


class Diff(Case):
    def test_context_and_line_numbers_are_those_of_diff(self):
        need(self, shutil.which("patch"), "no patch program")
        chance = random.Random(3)
        for _ in range(60):
            old = [chance.choice("abcdefg") * 3 for _ in range(chance.randrange(40))]
            new = list(old)
            for _ in range(chance.randrange(4)):
                at = chance.randrange(len(new) + 1)
                new[at : at + chance.randrange(3)] = [chance.choice("xyz")] * chance.randrange(3)
            old, new = ("\n".join(x) + chance.choice(["", "\n"]) for x in (old, new))
            path = self.put(old.encode())
            diff = FS.write(path, new, check=True).diff
            self.assertEqual(bool(diff), old != new)
            if diff:
                done = subprocess.Popen(["patch", "-s", "--posix", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                text = done.communicate(diff.encode())[0]
                # A hunk that had to be searched for has a wrong line number.
                self.assertEqual((done.returncode, text), (0, b""), diff)
                self.assertEqual(self.get(), new.encode() if new != "\n" else b"\n")

    def test_long_files_with_a_small_change(self):
        path = self.put(b"".join(b"line %d\n" % i for i in range(100000)))
        diff = FS.line_in_file(path, "changed", regexp="^line 70000$", check=True).diff
        self.assertEqual(diff.split("\n")[2:], [
            "@@ -69998,7 +69998,7 @@", " line 69997", " line 69998", " line 69999", "-line 70000", "+changed",
            " line 70001", " line 70002", " line 70003", ""])

    def test_limits(self):
        path = self.put(b"")
        diff = FS.write(path, "x" * 100000, check=True).diff
        self.assertLess(len(diff), edit.DIFF + 100)
        self.assertIn("cut", diff)
        diff = FS.write(path, "x\n" * 100000, check=True).diff
        self.assertEqual(diff, "(0 lines become 100000: too many for a diff)\n")

    def test_binary_and_other_encodings(self):
        self.assertEqual(FS.write(self.path(), b"a\0b", check=True).diff, "(binary content: 0 bytes become 3)\n")
        self.assertIn("+caf\\xe9\n", FS.write(self.path(), b"caf\xe9\n", check=True).diff)
        path = self.path("\udcff")
        FS.write(path, "x").diff.encode()
        self.assertTrue(FS.absent(path).diff.encode())

    def test_secret(self):
        self.put(b"password=old\n", mode=0o600)
        for change in (
            FS.line_in_file(self.path(), "password=new", regexp="^password", secret=True, check=True),
            FS.write(self.path(), "password=new\n", secret=True, check=True),
            FS.write(self.path("g"), "password=new\n", secret=True),
        ):
            self.assertTrue(change.changed)
            self.assertEqual(change.diff, "(content hidden)\n")
        self.assertEqual(FS.write(self.path(), "password=old\n", secret=True).diff, "")

    def test_huge_file_is_refused(self):
        path = self.put(b"")
        os.truncate(path, edit.SIZE + 1)
        with self.assertRaises(OSError) as caught:
            FS.write(path, "x")
        self.assertEqual(caught.exception.errno, errno.EFBIG)


class Directory(Case):
    def test_parents_modes_and_idempotency(self):
        path = self.path("a/b/c")
        checked = FS.directory(path, check=True)
        self.assert_names()
        change = FS.directory(path, mode=0o2770)
        self.assertEqual(checked.diff, change.diff)
        self.assertEqual(change.diff, "+ {0}/a/\n+ {0}/a/b/\n+ {0}/a/b/c/\n".format(self.dir))
        self.assertEqual([self.mode(name) for name in ("a", "a/b", "a/b/c")], [0o755, 0o755, 0o2770])
        self.assertFalse(FS.directory(path + "//").changed)
        self.assertFalse(FS.directory(path, mode=0o2770).changed)
        self.assertEqual(FS.directory(path, mode=0o700).diff, "- mode 2770\n+ mode 0700\n")
        self.assertEqual(self.mode("a/b/c"), 0o700)
        with self.assertRaises(FileNotFoundError):
            FS.directory(self.path("x/y"), parents=False)
        self.assertTrue(FS.directory(self.path("x"), parents=False).changed)

    def test_relative_path(self):
        before = os.getcwd()
        os.chdir(self.dir)
        try:
            self.assertTrue(FS.directory("r/s").changed)
            self.assertTrue(FS.symlink("l", "r").changed)
            self.assertTrue(FS.write("w", "x").changed)
            self.assertEqual(FS.glob("r", "*"), ["r/s"])
            self.assertTrue(FS.absent("r", recursive=True).changed)
        finally:
            os.chdir(before)

    def test_umask_and_owner(self):
        need(self, ROOT, "needs root")
        os.umask(0o077)
        FS.directory(self.path("a/b"), owner=12, group=34)
        st = os.stat(self.path("a/b"))
        self.assertEqual((st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode)), (12, 34, 0o700))
        self.assertEqual(os.stat(self.path("a")).st_uid, 0)
        self.assertFalse(FS.directory(self.path("a/b"), owner=12).changed)

    def test_not_a_directory(self):
        path = self.put(b"x", mode=0o600)
        for check in (False, True):
            with self.assertRaises(FileExistsError) as caught:
                FS.directory(path, mode=0o755, check=check)
            self.assertEqual(caught.exception.filename, path)
            with self.assertRaises(NotADirectoryError):
                FS.directory(path + "/x", check=check)
        self.assertEqual((self.mode(), self.get()), (0o600, b"x"))
        os.symlink("nowhere", self.path("dangling"))
        with self.assertRaises(FileExistsError):
            FS.directory(self.path("dangling"))
        with self.assertRaises(LookupError):
            FS.directory(self.path("new"), owner="no-such-user")
        with self.assertRaises(ValueError):
            FS.directory("")
        self.assertFalse(FS.directory("/").changed)
        self.assert_names("f", "dangling")


class Symlink(Case):
    def test_make_keep_replace(self):
        path = self.path("l")
        self.assertTrue(FS.symlink(path, "a", check=True).changed)
        self.assert_names()
        self.assertEqual(FS.symlink(path, "a").diff, "+ %s -> a\n" % path)
        self.assertFalse(FS.symlink(path, "a").changed)
        self.assertTrue(FS.symlink(path, "b", check=True).changed)
        self.assertEqual(FS.symlink(path, "b").diff, "- {0} -> a\n+ {0} -> b\n".format(path))
        self.assertEqual(os.readlink(path), "b")
        os.mkdir(self.path("b"))
        # A link to a directory: the link changes, nothing appears inside.
        self.assertTrue(FS.symlink(path + "/", "c").changed)
        self.assertEqual(os.listdir(self.path("b")), [])
        self.assert_names("l", "b")

    def test_files_and_directories_are_safe(self):
        path = self.put(b"precious")
        for check in (False, True):
            with self.assertRaises(FileExistsError):
                FS.symlink(path, "a", check=check)
            with self.assertRaises(FileExistsError):
                FS.symlink(self.dir, "a", force=True, check=check)
        self.assertEqual(self.get(), b"precious")
        self.assertTrue(FS.symlink(path, "a", force=True).changed)
        self.assertEqual(os.readlink(path), "a")
        with self.assertRaises(FileNotFoundError):
            FS.symlink(self.path("no/l"), "a", check=True)
        with self.assertRaises(FileNotFoundError):
            FS.symlink(self.path("x"), "")
        self.assert_names("f")


class Absent(Case):
    def test_kinds(self):
        path = self.path()
        self.assertFalse(FS.absent(path).changed)
        self.put(b"")
        self.assertFalse(FS.absent(path + "/x").changed)
        self.assertTrue(FS.absent(path, check=True).changed)
        self.assertTrue(FS.absent(path).changed)
        os.mkfifo(path)
        self.assertTrue(FS.absent(path).changed)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            self.assertTrue(FS.absent(path).changed)
        os.mkdir(path)
        self.assertEqual(FS.absent(path + "/").diff, "- %s/\n" % path)
        self.assert_names()

    def test_device(self):
        need(self, ROOT, "needs root")
        try:
            os.mknod(self.path(), stat.S_IFCHR | 0o600, os.makedev(1, 3))
        except OSError as error:
            need(self, False, "mknod: %s" % error)
        self.assertTrue(FS.absent(self.path(), recursive=True).changed)

    def test_links_are_not_followed(self):
        os.makedirs(self.path("d/sub"))
        self.put(b"", "d/precious")
        os.symlink("d", self.path("l"))
        os.mkdir(self.path("e"))
        os.symlink("../d", self.path("e/l"))
        for name in ("l/", "e"):
            self.assertTrue(FS.absent(self.path(name), recursive=True).changed)
        self.assert_names("d")
        self.assertTrue(os.path.exists(self.path("d/precious")))

    def test_directory_must_be_empty(self):
        self.put(b"")
        for check in (False, True):
            with self.assertRaises(OSError) as caught:
                FS.absent(self.dir, check=check)
            self.assertEqual((caught.exception.errno, caught.exception.filename), (errno.ENOTEMPTY, self.dir))
        self.assertTrue(FS.absent(self.dir, recursive=True, check=True).changed)
        self.assert_names("f")

    def test_refusals(self):
        for path in ("", "/", "//", "/.", "/..", ".", self.dir + "/..", self.dir + "/."):
            for check in (True, False):
                with self.assertRaises(ValueError, msg=path):
                    FS.absent(path, recursive=True, check=check)
        need(self, os.path.ismount("/proc"), "no /proc")
        with self.assertRaises(OSError):
            FS.absent("/proc", recursive=True, check=True)

    def test_swapped_directory(self):
        need(self, shutil.rmtree.avoids_symlink_attacks, "this Python's rmtree is not safe")
        os.makedirs(self.path("d"))
        os.makedirs(self.path("precious/x"))
        true_lstat = os.lstat
        done = []

        def swap(path, **options):
            st = true_lstat(path, **options)
            if path == self.path("d") and not done:
                done.append(1)
                os.rmdir(path)
                os.symlink("precious", path)
            return st

        os.lstat = swap
        try:
            with self.assertRaises(OSError):
                FS.absent(self.path("d"), recursive=True)
        finally:
            os.lstat = true_lstat
        self.assertEqual(os.listdir(self.path("precious")), ["x"])


class Stat(Case):
    def test_kinds(self):
        path = self.put(b"abc", mode=0o4640)
        st = FS.stat(path)
        self.assertEqual(st.type_name, "Stat")
        self.assertEqual(
            (st.path, st.exists, st.size, st.mode, st.uid, st.gid), (path, True, 3, 0o4640, os.geteuid(), os.stat(path).st_gid))
        self.assertEqual((st.is_file, st.is_dir, st.is_symlink, st.link_target), (True, False, False, None))
        self.assertEqual(st.mtime, os.stat(path).st_mtime)
        os.symlink("f", self.path("l"))
        st = FS.stat(self.path("l"))
        self.assertEqual((st.is_file, st.is_symlink, st.link_target), (False, True, "f"))
        self.assertTrue(FS.stat(self.path("l"), follow=True).is_file)
        self.assertTrue(FS.stat(self.dir).is_dir)

    def test_missing(self):
        os.symlink("nowhere", self.path("l"))
        self.put(b"")
        for path, follow in ((self.path("no"), False), (self.path("f/x"), False), (self.path("l"), True)):
            st = FS.stat(path, follow=follow)
            self.assertEqual(dict(st), dict(
                path=path, exists=False, size=0, mode=0, uid=0, gid=0, mtime=0.0, is_file=False, is_dir=False,
                is_symlink=False, link_target=None))


class Source(unittest.TestCase):
    def test_syntax_of_the_oldest_python(self):
        if sys.version_info < (3, 8):
            return
        for name in os.listdir(TOOLS):
            if name.endswith(".py"):
                with open(os.path.join(TOOLS, name), encoding="utf-8") as file:
                    ast.parse(file.read(), name, feature_version=(3, 6))

    def test_no_costly_import(self):
        code = "import sys; sys.path[:0] = %r; import bootstrap; before = set(sys.modules); bootstrap.load('fs');" % [
            os.path.dirname(os.path.abspath(__file__))]
        code += "print(sorted(set(sys.modules) - before - {'rmote', 'rmote.tools', 'rmote.tools.fs', 'rmote.tools.edit', 'rmote.values', 'rmote.wire'}))"
        out = subprocess.check_output([sys.executable, "-c", code])
        self.assertLessEqual(set(ast.literal_eval(out.decode())), {"_struct", "errno"})


if __name__ == "__main__":
    unittest.main()
