"""Large results: the same data as in peers/host_functions.py."""
from dataclasses import dataclass
from typing import Optional


@dataclass
class Entry:
    id: int
    name: str
    path: str
    size: int
    mtime: float
    active: bool
    owner: Optional[str]


def make(n):
    """Makes what the others give, so that this is not measured."""
    global RECORDS, DICTS, PATHS
    RECORDS = [
        Entry(
            i,
            "file-%06d.txt" % i,
            "/srv/data/%03d/file-%06d.txt" % (i % 1000, i),
            i * 37 % 1000003,
            1.7e9 + i / 8,
            i % 3 == 0,
            None if i % 5 == 0 else "user%d" % (i % 50),
        )
        for i in range(n)
    ]
    DICTS = [vars(record).copy() for record in RECORDS]
    PATHS = [record.path for record in RECORDS]


def records():
    return RECORDS


def dicts():
    return DICTS


def paths():
    return PATHS
