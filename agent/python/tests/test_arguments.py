import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootstrap  # noqa: F401
from driver import Agent

from rmote.values import Member, Record

TOOL = """
import enum, pathlib, typing
from typing import Any, Dict, List, Optional, Set, Tuple, Union
from pathlib import Path

class Color(enum.Enum):
    RED = 1
    BLUE = "b"

class Pair(typing.NamedTuple):
    x: int
    y: Any = None

def show(value): return repr(value)
def paths(a: Path, *rest: Path, b: Path = None, **more): return [repr(x) for x in (a, rest, b, more)]
def maybe(a: Optional[Path] = None): return repr(a)
def text_or_path(a: Union[str, Path]): return repr(a)
def many(a: List[Path]): return repr(a)
def table(a: Dict[str, Path]): return repr(a)
def pair(a: Tuple[Path, str]): return repr(a)
def color(a: Color): return repr(a)
def colors(a: List[Color]): return repr(a)
def plain(a: int, b: str) -> Path: return repr((a, b))
def unknown(a: "Nothing.of.that.name"): return repr(a)
def named(a: Pair): return repr(a)
class T:
    def method(self, a: Path): return repr(a)
    @classmethod
    def of_class(cls, a: Path): return repr(a)
    @staticmethod
    def static(a: "Path"): return repr(a)
"""
DATACLASSES = """
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional

@dataclass
class Point:
    x: int
    where: Path = None

@dataclass
class Line:
    points: List[Point]
    label: str = ""

def show(value): return repr(value)
def point(value: Point): return repr(value)
def optional(value: Optional[Point]): return repr(value)
def table(value: Dict[str, Point]): return repr(value)
def union(value: 'Point | None'): return repr(value)
def back(value: Line): return value
"""


class Arguments(unittest.TestCase):
    def setUp(self):
        self.agent = Agent()
        self.addCleanup(self.agent.close)
        self.agent.load("t", TOOL)

    def test_paths(self):
        run = self.agent.run
        self.assertEqual(run("t:paths", "a", "b", "c", b="d", e="f"), ["PosixPath('a')", "(PosixPath('b'), PosixPath('c'))", "PosixPath('d')", "{'e': 'f'}"])
        self.assertEqual((run("t:maybe", "x"), run("t:maybe", None), run("t:maybe")), ("PosixPath('x')", "None", "None"))
        self.assertEqual(run("t:text_or_path", "x"), "'x'")
        self.assertEqual(run("t:many", ["x", "y"]), "[PosixPath('x'), PosixPath('y')]")
        self.assertEqual(run("t:table", {"k": "x"}), "{'k': PosixPath('x')}")
        self.assertEqual(run("t:pair", ("x", "y")), "(PosixPath('x'), 'y')")
        self.assertEqual(run("t:pair", ("x", "y", "z")), "('x', 'y', 'z')")
        for name in ("method", "of_class", "static"):
            self.assertEqual(run("t:T." + name, "x"), "PosixPath('x')")

    def test_enums(self):
        run = self.agent.run
        for value in ("RED", 1, Member("Color", "RED", 1), Member("Other", "RED", 1)):
            self.assertEqual(run("t:color", value), "<Color.RED: 1>")
        self.assertEqual(run("t:color", "b"), "<Color.BLUE: 'b'>")
        self.assertEqual(run("t:colors", ["RED", Member("Color", "BLUE", "b")]), "[<Color.RED: 1>, <Color.BLUE: 'b'>]")
        self.assertEqual(run("t:show", [Member("Color", "RED", 1)]), "[<Color.RED: 1>]")
        self.assertEqual(run("t:show", Member("Strange", "ONE", 1)), "Strange.ONE")
        self.assertEqual(run("t:show", Member("show", "ONE", 1)), "show.ONE")
        for value in ("GREEN", Member("Color", "GREEN", 1)):
            error = self.agent.fails("t:color", value)
            self.assertEqual(error.by, "agent")
            self.assertIn("GREEN", error.message)

    def test_no_change_to_what_needs_none(self):
        run = self.agent.run
        self.assertEqual(run("t:plain", 1, "x"), "(1, 'x')")
        self.assertEqual(run("t:plain", "1", b"x"), "('1', b'x')")
        self.assertEqual(run("t:unknown", ["x", (1, {2}), {"k": [None]}]), "['x', (1, {2}), {'k': [None]}]")
        self.assertEqual(run("t:show", [1, (2,), {3}, {4: {5: b"6"}}]), "[1, (2,), {3}, {4: {5: b'6'}}]")
        self.assertEqual(run("t:show", Record("Strange", x=1)), "Strange(x=1)")
        self.assertEqual(run("t:show", Record("show", x=1)), "show(x=1)")
        self.assertEqual(run("builtins.repr", [1, {"a": (2,)}]), "[1, {'a': (2,)}]")

    def test_named_tuples(self):
        self.assertEqual(self.agent.run("t:named", Record("Pair", x=1)), "Pair(x=1, y=None)")
        self.assertEqual(self.agent.run("t:named", {"x": 1, "y": 2}), "Pair(x=1, y=2)")
        self.assertEqual(self.agent.run("t:show", [Record("Pair", x=1, y=3)]), "[Pair(x=1, y=3)]")

    def test_dataclasses(self):
        if sys.version_info < (3, 7):
            return
        agent = self.agent
        agent.load("d", DATACLASSES)
        point = "Point(x=1, where=PosixPath('a'))"
        for value in (Record("Point", x=1, where="a"), {"x": 1, "where": "a"}, Record("Other", x=1, where="a")):
            for name in ("point", "optional", "union"):
                self.assertEqual(agent.run("d:" + name, value), point)
        self.assertEqual((agent.run("d:optional", None), agent.run("d:union", None)), ("None", "None"))
        self.assertEqual(agent.run("d:show", [Record("Point", x=1, where="a"), {"k": Record("Point", x=1, where="a")}]), "[%s, {'k': %s}]" % (point, point))
        self.assertEqual(agent.run("d:table", {"k": {"x": 1, "where": "a"}}), "{'k': %s}" % point)
        line = agent.run("d:back", Record("Line", points=[{"x": 1}, Record("Point", x=2)], label="l"))
        self.assertEqual((line.type_name, line["points"], line["label"]), ("Line", [Record("Point", x=1, where=None), Record("Point", x=2, where=None)], "l"))
        error = agent.fails("d:point", {"x": 1, "nope": 2})
        self.assertEqual((error.by, error.type), ("agent", "TypeError"))


if __name__ == "__main__":
    unittest.main()
