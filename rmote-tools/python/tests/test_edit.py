import errno
import os
import random
import shutil
import stat
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load, need
from file_case import FS, ROOT, Case

edit = load("edit")


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


if __name__ == "__main__":
    unittest.main()
