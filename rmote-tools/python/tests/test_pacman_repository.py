import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load

PacmanRepository = load("pacman_repository").PacmanRepository
conf = load("pacman_conf")

# What must stay is here: comments behind and between, odd spaces, empty lines, what pacman does not know.
FULL = b"""# pacman.conf

[options]
HoldPkg     = pacman glibc
# [custom] is no section here


Architecture = auto


# The first.
[core]
Include = /etc/pacman.d/mirrorlist

  [custom]  # mine
# From us.
Usage = Sync Search
  Server=file:///srv/a
#Server = file:///srv/no
Server = file:///srv/b # not a comment
Include = /etc/more

# The last,
# which is off.
#[extra]
#Include = /etc/pacman.d/mirrorlist
"""


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "pacman.conf")
        # What pacman itself says of the result is asked where pacman is: in test_pacman_repository of the disposable ones.
        find = conf.program.find
        conf.program.find = lambda name: None
        self.addCleanup(setattr, conf.program, "find", find)

    def put(self, data):
        with open(self.path, "wb") as file:
            file.write(data)

    def get(self):
        with open(self.path, "rb") as file:
            return file.read()

    def present(self, *words, **options):
        change = PacmanRepository.present(*words, path=self.path, **options)
        self.assertFalse(PacmanRepository.present(*words, path=self.path, **options).changed)
        return change

    def absent(self, name):
        change = PacmanRepository.absent(name, path=self.path)
        self.assertFalse(PacmanRepository.absent(name, path=self.path).changed)
        return change


class Present(Case):
    def test_a_new_repository_asks_for_signatures_and_comes_last(self):
        self.put(b"[options]\n\n[core]\nInclude = /etc/mirrors\n")
        change = self.present("custom", ["https://a/$repo/$arch", "https://b/"])
        text = "[custom]\nSigLevel = Required DatabaseOptional\nServer = https://a/$repo/$arch\nServer = https://b/\n"
        self.assertEqual(self.get().decode(), "[options]\n\n[core]\nInclude = /etc/mirrors\n\n" + text)
        self.assertIn("+[custom]\n", change.diff)

    def test_all_that_can_be_said(self):
        self.put(b"[options]\n")
        self.present("custom", ["file:///a"], sig_level="Never", usage="Sync", include=["/etc/mirrors"])
        text = b"[options]\n\n[custom]\nSigLevel = Never\nUsage = Sync\nServer = file:///a\nInclude = /etc/mirrors\n"
        self.assertEqual(self.get(), text)
        self.present("custom", [], include=["/etc/mirrors", "/etc/others"], usage="All", sig_level="Required")
        text = b"[options]\n\n[custom]\nSigLevel = Required\nUsage = All\nInclude = /etc/mirrors\nInclude = /etc/others\n"
        self.assertEqual(self.get(), text)

    def test_a_header_with_spaces_and_a_comment_is_found_and_no_second_section_made(self):
        self.put(FULL)
        self.present("custom", ["file:///srv/a"])
        data = self.get()
        self.assertEqual(data.count(b"\n[custom]\n"), 1)
        # pacman itself takes such a line for no header.
        self.assertIn(b"# mine\n[custom]\n# From us.\n", data)
        self.assertEqual(data.replace(b"# mine\n[custom]\n", b"  [custom]  # mine\n"), FULL.replace(
            b"Server = file:///srv/b # not a comment\n", b""))

    def test_comments_and_other_lines_of_the_section_and_all_around_it_stay(self):
        self.put(FULL.replace(b"  [custom]  # mine", b"[custom]"))
        self.present("custom", ["file:///srv/c", "file:///srv/d", "file:///srv/e"])
        lines = b"Server = file:///srv/c\n#Server = file:///srv/no\nServer = file:///srv/d\nServer = file:///srv/e\n"
        old = b"  Server=file:///srv/a\n#Server = file:///srv/no\nServer = file:///srv/b # not a comment\n"
        self.assertEqual(self.get(), FULL.replace(b"  [custom]  # mine", b"[custom]").replace(old, lines))

    def test_the_same_again_changes_no_byte(self):
        data = FULL.replace(b"  [custom]  # mine", b"[custom]")
        self.put(data)
        self.assertFalse(self.present("custom", ["file:///srv/a", "file:///srv/b # not a comment"]).changed)
        self.assertEqual(self.get(), data)

    def test_the_signature_level_of_a_section_stays_unless_it_is_named(self):
        self.put(b"[custom]\nServer = a\nSigLevel = Optional\nSigLevel = TrustAll\n")
        self.present("custom", ["b"])
        self.assertEqual(self.get(), b"[custom]\nServer = b\nSigLevel = Optional\nSigLevel = TrustAll\n")
        self.present("custom", ["b"], sig_level="Required")
        self.assertEqual(self.get(), b"[custom]\nServer = b\nSigLevel = Required\n")

    def test_check_writes_nothing(self):
        self.put(FULL)
        change = PacmanRepository.present("custom", ["x"], path=self.path, check=True)
        self.assertTrue(change.changed and "+Server = x\n" in change.diff)
        self.assertTrue(PacmanRepository.absent("custom", path=self.path, check=True).changed)
        self.assertEqual(self.get(), FULL)

    def test_a_backup(self):
        self.put(FULL)
        change = PacmanRepository.present("custom", ["x"], path=self.path, backup=True)
        with open(change.backup, "rb") as file:
            self.assertEqual(file.read(), FULL)

    def test_line_ends_and_a_missing_last_one(self):
        self.put(b"[options]\r\n[core]\r\nServer = x")
        self.present("custom", ["y"])
        new = b"\r\n\r\n[custom]\r\nSigLevel = Required DatabaseOptional\r\nServer = y\r\n"
        self.assertEqual(self.get(), b"[options]\r\n[core]\r\nServer = x" + new)

    def test_bytes_that_are_no_text_stay(self):
        self.put(b"# caf\xe9 \x0c \xe2\x80\xa8 x\n[options]\n")
        self.present("custom", ["y"])
        self.assertTrue(self.get().startswith(b"# caf\xe9 \x0c \xe2\x80\xa8 x\n[options]\n\n[custom]\n"))

    def test_two_sections_of_one_name_are_named_as_what_they_are(self):
        self.put(b"[options]\n[custom]\nServer = a\n[custom]\nServer = b\n")
        with self.assertRaises(ValueError) as caught:
            self.present("custom", ["c"])
        self.assertIn("2 sections [custom]", str(caught.exception))
        self.absent("custom")
        self.assertEqual(self.get(), b"[options]\n")

    def test_a_missing_file_is_an_error(self):
        with self.assertRaises(FileNotFoundError):
            self.present("custom", ["x"])


class Order(Case):
    CORE = b"[options]\n\n# The first.\n[core]\nInclude = /etc/mirrors\n"
    NEW = b"[custom]\nSigLevel = Required DatabaseOptional\nServer = x\n\n"

    def test_a_new_one_stands_before_another_and_the_comment_over_that(self):
        self.put(self.CORE)
        self.present("custom", ["x"], before="core")
        self.assertEqual(self.get(), self.CORE.replace(b"# The", self.NEW + b"# The"))
        self.absent("custom")
        self.assertEqual(self.get(), self.CORE)

    def test_one_that_stands_behind_is_moved(self):
        self.put(self.CORE + b"\n[custom]\n# Mine.\nServer = x")
        self.assertTrue(self.present("custom", ["x"], before="core").changed)
        self.assertEqual(self.get(), self.CORE.replace(b"# The", b"[custom]\n# Mine.\nServer = x\n\n# The"))

    def test_one_that_stands_before_stays(self):
        data = b"[custom]\nServer = x\n[other]\nServer = y\n" + self.CORE
        self.put(data)
        self.assertFalse(self.present("custom", ["x"], before="core").changed)
        self.assertEqual(self.get(), data)

    def test_what_is_not_there_is_an_error(self):
        self.put(self.CORE)
        with self.assertRaises(ValueError) as caught:
            self.present("custom", ["x"], before="none")
        self.assertIn("no repository none", str(caught.exception))
        with self.assertRaises(ValueError):
            self.present("custom", ["x"], before="custom")
        self.assertEqual(self.get(), self.CORE)


class Absent(Case):
    def test_what_is_around_stays(self):
        self.put(FULL)
        self.absent("custom")
        start = FULL.index(b"  [custom]")
        self.assertEqual(self.get(), FULL[:start] + FULL[FULL.index(b"# The last,") :])

    def test_present_and_absent_leave_the_file_as_it_was(self):
        for data in (FULL, b"[options]\n", b"", b"[options]\n\n\n", b"# x\n\n\n[options]\nColor\n"):
            self.put(data)
            self.present("new", ["x"])
            self.absent("new")
            self.assertEqual(self.get(), data)

    def test_one_that_is_not_there(self):
        self.put(FULL)
        self.assertFalse(self.absent("extra").changed)
        self.assertEqual(self.get(), FULL)


class Refused(Case):
    def test_names(self):
        self.put(FULL)
        for name in ("options", "local", "", "a]", "a\n[b]", "../a", "a b", "-a", ".a", "a/b", None, "\xe9"):
            with self.assertRaises(ValueError, msg=repr(name)):
                self.present(name, ["x"])
            with self.assertRaises(ValueError, msg=repr(name)):
                self.absent(name)
            with self.assertRaises(ValueError, msg=repr(name)):
                self.present("a", ["x"], before=name or "")
        self.assertEqual(self.get(), FULL)

    def test_values_that_would_be_lines(self):
        self.put(FULL)
        for value in ("x\n[options]", "x\r", "", " x", "x ", "\0"):
            for options in ({"servers": [value]}, {"include": [value]}, {"sig_level": value}, {"usage": value}):
                words = dict({"servers": ["x"]}, **options)
                with self.assertRaises(ValueError, msg=repr(options)):
                    PacmanRepository.present("custom", path=self.path, **words)
        self.assertEqual(self.get(), FULL)

    def test_a_text_is_no_list(self):
        for options in ({"servers": "x"}, {"servers": [], "include": "x"}):
            with self.assertRaises(TypeError):
                PacmanRepository.present("custom", path=self.path, **options)
        with self.assertRaises(ValueError):
            PacmanRepository.present("custom", [], path=self.path)

    def test_fingerprints_that_are_short(self):
        for fingerprint in ("2B13693793473BAC", "", "-x", "g" * 40, "A" * 41, None, "../x"):
            with self.assertRaises(ValueError, msg=repr(fingerprint)):
                PacmanRepository.trust(fingerprint)


if __name__ == "__main__":
    unittest.main()
