import errno
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load
from copy_case import BIG, Case, sha

sender = load("sender")


class Send(Case):
    def send(self, script, root=b"src", **options):
        """Runs a sender; `script` gets each batch or idle and gives what to ask for, or None at the end."""
        got = []
        asked = []

        def messages():
            while asked:
                request = asked.pop(0)
                if request is None:
                    return
                yield request

        for item in sender.send(messages(), self.path(root), options):
            got.append(item)
            if item[0] in ("entries", "idle"):
                asked.append(script(item, got))
        return got

    def test_a_tree_and_its_content(self):
        self.put(b"src/a", b"small", 0o640)
        self.put(b"src/d/big", BIG)
        self.put(b"src/skip.o", b"x")
        os.symlink(b"a", self.path(b"src/l"))
        os.mkfifo(self.path(b"src/pipe"))

        def script(item, got):
            if item[0] == "idle":
                return None
            return [("whole", id, entry[0]) for id, entry in enumerate(item[2]) if entry[1] == "file"]

        got = self.send(script, excludes=[(rb"^(?:/?|.*/)[^/]*\.o$", False)])
        entries = got[0][2]
        kinds = {entry[0]: entry[1] for entry in entries}
        self.assertEqual(
            kinds, {b"": "directory", b"a": "file", b"d": "directory", b"l": "link", b"pipe": "special", b"d/big": "file"}
        )
        by_name = {entry[0]: (id, entry) for id, entry in enumerate(entries)}
        self.assertEqual(by_name[b"a"][1][2:5], (0o640, 10 ** 18 + 1, 5))
        self.assertEqual(by_name[b"l"][1][7], b"a")
        files = [f for item in got if item[0] == "files" for f in item[1]]
        self.assertEqual(files, [(by_name[b"a"][0], b"small", sha(b"small"))])
        data = b"".join(item[8:] for item in got if type(item) is bytes)
        self.assertEqual((data, got[-3 if got[-2][0] == "files" else -2][2]), (BIG, sha(BIG)))

    def test_sums_and_ranges(self):
        self.put(b"src", BIG)
        script = iter([[("sums", 0, b"")], [("ranges", 0, b"", [(5, 10), (200000, 51000)])], None])
        got = self.send(lambda item, got: next(script))
        kinds = [item[0] if type(item) is tuple else int.from_bytes(item[:8], "little") for item in got]
        self.assertEqual(kinds, ["entries", "basis", "sums", "summed", "idle", 0, 0, "end", "idle"])
        self.assertEqual((got[1][2:], got[3][2]), ((len(BIG), 2048), sha(BIG)))
        self.assertEqual([item[8:] for item in got if type(item) is bytes], [BIG[5:15], BIG[200000:]])

    def test_the_rest_of_a_part(self):
        self.put(b"src", BIG)
        for part, same in ((BIG[:1000], True), (b"x" * 1000, False), (BIG + b"x", False)):
            script = iter([[("rest", 0, b"", len(part), sha(part))], None])
            got = self.send(lambda item, got: next(script))
            self.assertEqual(got[1], ("resume", 0, same))
            data = b"".join(item[8:] for item in got if type(item) is bytes)
            self.assertEqual((data, got[-2]), (BIG[1000:] if same else BIG, ("end", 0, sha(BIG))))

    def test_failures_are_told_apart(self):
        self.put(b"src/f", b"x")
        self.put(b"src/g", b"x")
        script = iter([[("whole", 1, b"f"), ("whole", 7, b"gone"), ("hash", 2, b"g")], None])
        got = self.send(lambda item, got: next(script))
        self.assertEqual(got[1][:3], ("failed", 7, errno.ENOENT))
        self.assertIn(("hash", 2, sha(b"x")), got)
        self.assertIn(("files", [(1, b"x", sha(b"x"))]), got)
        with self.assertRaises(FileNotFoundError):
            self.send(lambda item, got: None, b"nothing")

    def test_more_files_than_a_batch(self):
        for i in range(sender.BATCH * 2):
            self.put(b"src/%03d" % i)
        got = self.send(lambda item, got: None if item[0] == "idle" else [])
        self.assertEqual([len(item[2]) for item in got if item[0] == "entries"], [sender.BATCH, sender.BATCH, 1])
        self.assertEqual([item[1] for item in got if item[0] == "entries"], [0, sender.BATCH, 2 * sender.BATCH])
        self.assertEqual(got[-1], ("idle",))


if __name__ == "__main__":
    unittest.main()
