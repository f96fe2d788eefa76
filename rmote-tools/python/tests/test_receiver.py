import errno
import os
import stat
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load, need
from copy_case import BIG, Case, data, directory, file, link, sha

blocks, incoming = map(load, ("blocks", "incoming"))
ROOT = os.geteuid() == 0


class Receive(Case):
    def test_a_tree_with_its_attributes(self):
        entries = [
            directory(b"", 0o750), directory(b"ro", 0o555), file(b"ro/f", b"data", 0o640), file(b"empty", b"", 0o600),
            file(b"caf\xe9\n", b"x", 0o755), link(b"l", b"/no/where\xff"), directory(b"none"),
        ]
        codes, answers = self.plain(entries, {b"ro/f": b"data", b"empty": b"", b"caf\xe9\n": b"x"}, sync=True)
        self.assertEqual(codes, "nnwwwnn")
        self.assertEqual(answers, [("settled", [2, 3, 4], [], []), ("idle",), ("finished", [])])
        self.assertEqual(self.names(), sorted(e[0] for e in entries[1:]))
        for path, kind, mode, mtime, *_ in entries:
            st = os.lstat(self.path(b"dst/" + path))
            self.assertEqual(st.st_mtime_ns, mtime)
            if kind != "link":
                self.assertEqual(stat.S_IMODE(st.st_mode), mode)
        self.assertEqual((self.get(b"dst/ro/f"), os.readlink(self.path(b"dst/l"))), (b"data", b"/no/where\xff"))
        self.addCleanup(os.chmod, self.path(b"dst/ro"), 0o755)
        # The second time there is nothing to do.
        self.assertEqual(self.plain(entries, {})[0], "=======")
        os.chmod(self.path(b"dst/empty"), 0o644)
        os.utime(self.path(b"dst/caf\xe9\n"), ns=(1, 1))
        self.assertEqual(self.plain(entries, {b"caf\xe9\n": b"y"})[0], "===au==")
        self.assertEqual(self.get(b"dst/caf\xe9\n"), b"y")

    def test_a_wrong_sum_is_asked_for_again(self):
        def steps(answers):
            yield "entries", 0, [directory(b""), file(b"f", b"right")], {}, {}
            yield "files", [(1, b"wrong", sha(b"right"))]
            self.assertEqual(answers[-1], ("again", 1))
            self.assertEqual(self.names(), [])
            yield "files", [(1, b"right", sha(b"right"))]
            yield ("settle",)
            yield ("finish",)

        self.receive(steps)
        self.assertEqual((self.names(), self.get(b"dst/f")), ([b"f"], b"right"))

    def test_nothing_stays_of_a_broken_transfer_but_a_part(self):
        size = 2 << 20

        def steps(answers):
            yield "entries", 0, [directory(b""), file(b"small", b"data"), file(b"big", bytes(4 << 20)), file(b"done", b"d")], {}, {}
            yield "files", [(3, b"d", sha(b"d"))]
            yield data(1, b"da")
            yield data(2, b"x" * size)
            raise OSError("the link broke")

        with self.assertRaises(OSError):
            self.receive(steps, resume=1 << 20)
        (part,) = self.names()
        self.assertEqual(len(self.get(b"dst/" + part)), size)
        self.assertEqual(stat.S_IMODE(os.stat(self.path(b"dst/" + part)).st_mode), 0o600)
        whole = b"x" * size + b"y" * size

        def again(answers):
            yield "entries", 0, [directory(b""), file(b"big", whole)], {}, {}
            self.assertEqual(answers[0][2][1], "b")
            yield "basis", 1
            self.assertEqual(answers[1:], [("basis", 1, size, sha(b"x" * size), 0, 0), ("summed", 1)])
            yield "resume", 1, True
            yield data(1, b"y" * size)
            yield "end", 1, sha(whole)
            yield ("settle",)
            yield ("finish",)

        self.receive(again, resume=1 << 20)
        self.assertEqual((self.names(), self.get(b"dst/big")), ([b"big"], whole))

    def test_a_part_that_does_not_fit_is_begun_anew(self):
        name = incoming.part_name(b"big", 3 << 20, 10 ** 18 + 1)
        for mode in (0o600, 0o644):
            self.put(b"dst/" + name, b"z" * (1 << 20), mode)
            whole = b"x" * (3 << 20)

            def steps(answers):
                yield "entries", 0, [directory(b""), file(b"big", whole)], {}, {}
                yield "basis", 1
                # What others may write to is not trusted.
                self.assertEqual(answers[1][2], 1 << 20 if mode == 0o600 else 0)
                yield "resume", 1, False
                yield data(1, whole)
                yield "end", 1, sha(whole)
                yield ("settle",)
                yield ("finish",)

            self.receive(steps, resume=1 << 20)
            self.assertEqual((self.names(), self.get(b"dst/big")), ([b"big"], whole))
            os.unlink(self.path(b"dst/big"))

    def test_copies_from_the_old_file(self):
        self.put(b"dst/f", BIG)
        new = BIG[5000:200000] + b"new" + BIG[:70000]

        def steps(answers):
            yield "entries", 0, [directory(b""), file(b"f", new, mtime=5)], {}, {}
            self.assertEqual(answers[0][2][1], "b")
            yield "basis", 1
            fd = os.open(self.path(b"dst/f"), os.O_RDONLY)
            self.assertEqual(b"".join(a[2] for a in answers if a[0] == "sums"), b"".join(blocks.sums(fd, len(BIG), 2048)))
            os.close(fd)
            yield "copy", 1, 5000, 195000
            yield data(1, b"new")
            yield "copy", 1, 0, 70000
            yield "end", 1, sha(new)
            yield ("settle",)
            yield ("finish",)

        self.receive(steps)
        self.assertEqual(self.get(b"dst/f"), new)

    def test_holes_stay_holes(self):
        size = 8 << 20

        def steps(answers):
            yield "entries", 0, [directory(b""), file(b"f", bytes(size))], {}, {}
            yield data(1, b"x")
            yield "hole", 1, size - 1
            yield "end", 1, sha(b"x" + bytes(size - 1))
            yield ("settle",)
            yield ("finish",)

        self.receive(steps)
        self.assertEqual(self.get(b"dst/f"), b"x" + bytes(size - 1))
        self.assertLess(os.stat(self.path(b"dst/f")).st_blocks * 512, size // 4)

    def test_a_link_does_not_lead_out(self):
        outside = self.path(b"outside")
        os.mkdir(outside)
        entries = [directory(b""), link(b"a", outside), directory(b"a"), file(b"a/f", b"x"), file(b"b", b"x")]
        os.mkdir(self.path(b"dst"))
        os.symlink(os.path.join(outside, b"f"), self.path(b"dst/b"))
        codes, answers = self.plain(entries, {b"a/f": b"x", b"b": b"x"})
        self.assertEqual(codes[2:], "fww")
        self.assertEqual(os.listdir(outside), [])
        failed = [id for answer in answers if answer[0] == "settled" for id, _, _ in answer[3]]
        self.assertEqual(failed, [3])
        # A link where the file comes is replaced.
        self.assertFalse(os.path.islink(self.path(b"dst/b")))

    def test_what_is_in_the_way(self):
        self.put(b"dst/dir/inner")
        self.put(b"dst/file")
        self.put(b"dst/kept/secret.key")
        self.put(b"dst/kept/other")
        entries = [directory(b""), file(b"dir", b"1"), directory(b"file"), link(b"kept", b"x")]
        contents = {b"dir": b"1"}
        before = self.names()
        self.assertEqual(self.plain(entries, contents)[0][1:], "fff")
        self.assertEqual(self.names(), before)
        codes, answers = self.plain(entries, contents, delete=True, excludes=[(rb"^(?:/?|.*/)[^/]*\.key$", False)])
        self.assertEqual(codes[1:], "wnf")
        self.assertEqual(self.get(b"dst/dir"), b"1")
        self.assertTrue(os.path.isdir(self.path(b"dst/file")))
        self.assertEqual(self.names(), [b"dir", b"file", b"kept", b"kept/secret.key"])

    def test_dry_run_changes_nothing(self):
        entries = [directory(b""), directory(b"d"), file(b"d/f", b"x"), file(b"g", b"x"), link(b"l", b"x"), file(b"h", b"")]
        self.assertEqual(self.plain(entries, {}, dry_run=True)[0], "nnwwnw")
        self.assertFalse(os.path.exists(self.path(b"dst")))
        self.put(b"dst/g", b"y", mtime=3)
        self.put(b"dst/h", mode=0o600)
        before = os.stat(self.path(b"dst"))
        self.assertEqual(self.plain(entries, {}, dry_run=True)[0], "anwuna")
        self.assertEqual((os.stat(self.path(b"dst")), self.get(b"dst/g")), (before, b"y"))

    def test_modes_and_times_may_be_left_alone(self):
        self.put(b"dst/f", b"1", 0o600)
        entries = [directory(b"", 0o777), file(b"f", b"2", 0o666, mtime=5), file(b"g", b"2", 0o666, mtime=5)]
        os.chmod(self.path(b"dst"), 0o755)
        self.plain(entries, {b"f": b"2", b"g": b"2"}, modes=False, times=False)
        modes = [stat.S_IMODE(os.stat(self.path(name)).st_mode) for name in (b"dst", b"dst/f", b"dst/g")]
        self.assertEqual(modes[:1] + modes[2:], [0o755, 0o644])
        self.assertEqual(modes[1], 0o600)
        self.assertGreater(os.stat(self.path(b"dst/f")).st_mtime, 10)

    def test_checksums_decide(self):
        self.put(b"dst/same", b"abc", mtime=1)
        self.put(b"dst/other", b"abd")
        entries = [directory(b""), file(b"same", b"abc"), file(b"other", b"abc")]
        inode = os.stat(self.path(b"dst/same")).st_ino

        def steps(answers):
            yield "entries", 0, entries, {}, {}
            self.assertEqual((answers[0][2][1:], answers[0][4]), ("hh", {1: sha(b"abc"), 2: sha(b"abd")}))
            yield "keep", 1
            yield "files", [(2, b"abc", sha(b"abc"))]
            yield ("settle",)
            yield ("finish",)

        self.receive(steps, checksum=True)
        st = os.stat(self.path(b"dst/same"))
        self.assertEqual((st.st_ino, st.st_mtime_ns, self.get(b"dst/other")), (inode, 10 ** 18 + 1, b"abc"))

    def test_one_file_to_a_path_or_into_a_directory(self):
        entries = [file(b"", b"x")]
        self.plain(entries, {b"": b"x"}, b"f")
        self.assertEqual(self.get(b"f"), b"x")
        os.mkdir(self.path(b"d"))
        with self.assertRaises(IsADirectoryError):
            self.plain(entries, {b"": b"x"}, b"d")
        self.plain(entries, {b"": b"x"}, b"d", into=True, name=b"name")
        self.assertEqual(self.get(b"d/name"), b"x")
        for missing in (b"no/f", b"no/"):
            with self.assertRaises(OSError):
                self.plain(entries, {b"": b"x"}, missing)
        with self.assertRaises(NotADirectoryError):
            self.plain([directory(b"")], {}, b"f")
        # Through a link, as the user named it.
        os.symlink(b"f", self.path(b"l"))
        self.plain([file(b"", b"through")], {b"": b"through"}, b"l")
        self.assertTrue(os.path.islink(self.path(b"l")))
        self.assertEqual(self.get(b"f"), b"through")
        self.assertEqual(self.names(b"."), [b"d", b"d/name", b"f", b"l"])

    def test_delete_keeps_directories_that_are_not_empty(self):
        for name in (b"gone/a", b"gone/b", b"half/x", b"half/keep.key"):
            self.put(b"dst/" + name)

        def steps(answers):
            yield "entries", 0, [directory(b"")], {}, {}
            yield ("list",)
            names = [path for answer in answers if answer[0] == "names" for path, _ in answer[1]]
            self.assertEqual(names, [b"gone", b"half", b"gone/a", b"gone/b", b"half/x"])
            yield "delete", sorted(names, reverse=True)
            self.assertEqual(answers[-1], ("deleted", [b"half"], []))
            yield ("finish",)

        self.receive(steps, delete=True, excludes=[(rb"^(?:/?|.*/)[^/]*\.key$", False)])
        self.assertEqual(self.names(), [b"half", b"half/keep.key"])

    def test_a_full_disk_is_one_files_failure(self):
        need(self, ROOT and sys.platform == "linux", "only root can mount a small file system")
        os.mkdir(self.path(b"dst"))
        mounted = os.system("mount -t tmpfs -o size=1m tmpfs " + os.fsdecode(self.path(b"dst"))) == 0
        need(self, mounted, "a container may not mount")
        self.addCleanup(os.system, "umount " + os.fsdecode(self.path(b"dst")))
        data = b"x" * (2 << 20)
        entries = [directory(b""), file(b"big", data), file(b"small", b"x")]
        _, answers = self.plain(entries, {b"big": data, b"small": b"x"}, sync=True)
        failures = [failure for answer in answers if answer[0] == "settled" for failure in answer[3]]
        self.assertEqual([(id, number) for id, number, _ in failures], [(1, errno.ENOSPC)])
        self.assertEqual(self.names(), [b"small"])

    def test_a_mounted_file_is_written_in_place(self):
        need(self, ROOT and sys.platform == "linux", "only root can mount a file")
        self.put(b"dst/f", b"old content")
        self.put(b"below", b"old content")
        path = os.fsdecode(self.path(b"dst/f"))
        mounted = os.system("mount --bind %s %s" % (os.fsdecode(self.path(b"below")), path)) == 0
        need(self, mounted, "a container may not mount")
        self.addCleanup(os.system, "umount " + path)
        _, answers = self.plain([directory(b""), file(b"f", b"new", 0o600)], {b"f": b"new"}, sync=True)
        self.assertEqual(answers[0], ("settled", [1], [1], []))
        self.assertEqual((self.get(b"below"), os.stat(self.path(b"below")).st_mtime_ns), (b"new", 10 ** 18 + 1))
        self.assertEqual(self.names(), [b"f"])


if __name__ == "__main__":
    unittest.main()
