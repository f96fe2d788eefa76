import ast
import errno
import os
import random
import shutil
import socket
import stat
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import TOOLS, need
from file_case import FS, ROOT, Case


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
