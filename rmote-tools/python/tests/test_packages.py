import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load

packages = load("packages")


class Record:
    def __init__(self, **fields):
        self.__dict__.update(fields)


class Failures(unittest.TestCase):
    def test_a_command_that_is_cut_off_was_interrupted(self):
        for script, options in (("kill $$", {}), ("exec sleep 1000", {"timeout": 0.01})):
            with self.assertRaises(packages.PackageError) as caught:
                packages.run([("locked", "")], "sh", "-c", script, **options)
            self.assertEqual(caught.exception.kind, "interrupted")
            self.assertEqual("timed out" in str(caught.exception), bool(options))

    def test_what_is_in_the_way_is_found_among_progress_on_either_output(self):
        with self.assertRaises(packages.PackageError) as caught:
            script = "echo working...; echo a needs b; echo 'x [###]'; echo b needs c >&2; exit 3"
            packages.run([("held", "^c"), ("conflict", "needs", "^(.) needs", "(c)$"), ("other", "")], "sh", "-c", script)
        error = caught.exception
        self.assertEqual((error.kind, error.packages), ("conflict", ["a", "b", "c"]))
        self.assertEqual(error.said, "a needs b\nb needs c")
        self.assertEqual(str(error), "sh -c '%s': exit code 3\n%s" % (script.replace("'", "'\"'\"'"), error.said))

    def test_steps_that_were_taken_before_one_that_fails_are_told(self):
        def fail(error):
            raise error

        for error in (packages.PackageError("held", "no"), OSError(28, "disk full")):
            with self.assertRaises(packages.PackageError) as caught:
                packages.in_turn([("one", list), ("two", list), ("three", lambda: fail(error)), ("four", self.fail)])
            self.assertIn(str(error).split("\n")[0], str(caught.exception))
            self.assertIn("\nbefore that was done: one; two", str(caught.exception))
            with self.assertRaises(type(error)) as caught:
                packages.in_turn([("one", lambda: fail(error))])
            self.assertIs(caught.exception, error)


class Wanted(unittest.TestCase):
    def wanted(self, *items, **options):
        return [(one.name, one.state, one.version) for one in packages.wanted(items, **options)]

    def test_texts_maps_and_records(self):
        self.assertEqual(
            self.wanted("a", "b=1=2", {"name": "c", "state": "held", "version": "3"}, Record(name="d", state="absent")),
            [("a", "present", ""), ("b", "present", "1=2"), ("c", "held", "3"), ("d", "absent", "")],
        )
        self.assertEqual(self.wanted("a", {"name": "b"}, state="latest"), [("a", "latest", ""), ("b", "latest", "")])

    def test_the_same_twice(self):
        self.assertEqual(self.wanted("a", "a"), [("a", "present", "")])
        with self.assertRaises(ValueError):
            self.wanted("a", {"name": "a", "state": "absent"})

    def test_what_makes_no_sense(self):
        for item in ({"name": "a", "state": "gone"}, {"name": "a", "state": "absent", "version": "1"}):
            with self.assertRaises(ValueError):
                self.wanted(item)
        for item in ({"name": 1}, {"name": "a", "version": 1}, {"name": "a", "color": "red"}):
            with self.assertRaises(TypeError):
                self.wanted(item)


if __name__ == "__main__":
    unittest.main()
