import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load

packages = load("packages")


class Record:
    def __init__(self, **fields):
        self.__dict__.update(fields)


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
