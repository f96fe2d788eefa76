"""Calls cancelled at random. As a program, `test_storm.py storm SECONDS`, it does so for that long."""
import os
import random
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cancel_case import MARKS, Case, start
from driver import Raised

TOOL = MARKS + '''
def lines(n):
    for x in range(n): print("line %d" % x)
    return n

def sizes(n):
    total = 0
    for _ in range(n):
        with open(sys.executable, "rb") as file: total += len(file.read(10))
    return total

def sleeps(n):
    for _ in range(n): time.sleep(0.001)
    return n

def record(n):
    import logging
    for x in range(n): logging.getLogger("storm").warning("record %d", x)
    return n

def fails(n):
    try:
        count(n)
    finally:
        raise ValueError(n)

def stubborn(n):
    for _ in range(20):
        try:
            return count(n)
        except BaseException:
            pass

def numbers(n):
    for x in range(n): yield x
    return n

async def waits_async(n):
    import asyncio
    for _ in range(n % 50): await asyncio.sleep(0.001)
    return n
'''

EXPECTED = {
    "count": lambda n: sum(range(n)),
    "lines": lambda n: n,
    "sizes": lambda n: 10 * n,
    "sleeps": lambda n: n,
    "record": lambda n: n,
    "stubborn": lambda n: sum(range(n)),
    "waits_async": lambda n: n,
    "numbers": lambda n: n,
    "fails": None,
}
SIZES = {"count": 500000, "lines": 500, "sizes": 1000, "sleeps": 50, "record": 300, "stubborn": 500000, "waits_async": 1000, "numbers": 2000, "fails": 500000}


def storm(agent, calls, seconds=None, seed=None):
    """Cancels calls at random while others run; what is not cancelled must be right, and so must be every frame."""
    chance = random.Random(seed)
    end = time.monotonic() + (seconds or 0)
    flying, told = {}, set()
    counts = {"cancelled": 0, "finished first": 0, "untouched": 0}

    def check(id):
        name, size = flying.pop(id)
        try:
            value = agent.result(id)
        except Raised as error:
            if id in told and error.by == "cancelled":
                counts["cancelled"] += 1
                return
            assert name == "fails" and (error.by, error.type, error.given) == ("function", "ValueError", [size]), error
        else:
            assert value == EXPECTED[name](size), (name, size, value)
            if name == "lines" and id not in told:
                assert agent.printed(id) == b"".join(b"line %d\n" % x for x in range(size))
            if name == "numbers":
                assert agent.items.pop(id, []) == list(range(size))
        del agent.returned[id]
        agent.outputs.pop((id, 1), None)
        counts["finished first" if id in told else "untouched"] += 1

    number = 0
    while number < calls if seconds is None else time.monotonic() < end:
        number += 1
        name = chance.choice(sorted(EXPECTED))
        size = chance.randrange(SIZES[name])
        call = agent.stream if name == "numbers" else agent.call
        flying[call("t:" + name, size, deadline=chance.choice((0, 0, 0, 60000)))] = name, size
        for _ in range(chance.randrange(3)):
            agent.call("t:count", 3)
            flying[agent.last] = "count", 3
        if chance.random() < 0.6:
            id = chance.choice(sorted(flying)[-4:])
            told.add(id)
            agent.cancel(id)
        while len(flying) > 20:
            check(chance.choice(sorted(flying)))
        del agent.logs[:], agent.order[:]
    for id in sorted(flying):
        check(id)
    assert agent.run("t:count", 4) == 6
    assert counts["untouched"], counts
    return counts


class Cancel(Case):
    tool = TOOL

    def test_storm(self):
        storm(self.agent, 400)


if __name__ == "__main__":
    if sys.argv[1:2] == ["storm"]:
        seed = random.randrange(1 << 32)
        agent = start(TOOL)
        try:
            print(sys.version.split()[0], "seed", seed, storm(agent, 0, float(sys.argv[2]), seed), flush=True)
        finally:
            agent.close()
    else:
        unittest.main()
