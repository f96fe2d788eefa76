"""Reads values with columns, as the controller does. The agent itself never gets any."""
import struct

from rmote.values import Member, Record, freeze
from rmote.wire import name, value_at, varint

MAKE = {8: list, 9: tuple, 10: lambda items: set(map(freeze, items)), 14: list, 15: tuple}


def read(data):
    """The value of a payload whose outermost collection is a column."""
    if data[0] != 14:
        raise ValueError("no column")
    count, at = varint(data, 2)
    if count and data[at] == 17:
        items, at = [], at + 1
        while len(items) < count:
            size, at = varint(data, at)
            part, at = column(data, at, size)
            items += part
    else:
        items, at = column(data, at, count)
    if at != len(data) or len(items) != count:
        raise ValueError("not the end of the payload")
    return MAKE[data[1]](items)


def column(data, at, count):
    if not count:
        return [], at
    kind = data[at]
    at += 1
    if kind == 0:
        there = data[at:at + count]
        items, at = column(data, at + count, sum(there))
        items = iter(items)
        return [next(items) if is_there else None for is_there in there], at
    if kind == 1:
        return [[False, True][byte] for byte in data[at:at + count]], at + count
    if kind == 2:
        return numbers(data, at, count, {1: "b", 2: "h", 4: "i", 8: "q"})
    if kind == 4:
        return list(struct.unpack_from("<%dd" % count, data, at)), at + 8 * count
    if kind in (5, 7):
        parts, at = cut(data, at, count)
        return [part.decode() if kind == 5 else part for part in parts], at
    if kind in (8, 9, 10):
        sizes, at = lengths(data, at, count)
        items, at = column(data, at, sum(sizes))
        items = iter(items)
        return [MAKE[kind]([next(items) for _ in range(size)]) for size in sizes], at
    if kind in (14, 15):
        width, at = varint(data, at)
        columns = []
        for _ in range(width):
            items, at = column(data, at, count)
            columns.append(items)
        return list(map(MAKE[kind], zip(*columns))), at
    if kind in (11, 12):
        if kind == 12:
            title, at = name(data, at)
        width, at = varint(data, at)
        rows = [{} for _ in range(count)]
        for _ in range(width):
            key, at = name(data, at)
            items, at = column(data, at, count)
            for row, item in zip(rows, items):
                row[key] = item
        return [Record(title, row) for row in rows] if kind == 12 else rows, at
    if kind == 13:
        title, at = name(data, at)
        if data[at] != 5:
            raise ValueError("the names of members are no texts")
        names, at = column(data, at, count)
        items, at = column(data, at, count)
        return [Member(title, *member) for member in zip(names, items)], at
    if kind != 16:
        raise ValueError("unknown column %d" % kind)
    items = []
    for _ in range(count):
        item, at = value_at(data, at, 0)
        items.append(item)
    return items, at


def numbers(data, at, count, codes):
    width = data[at]
    at += 1
    return list(struct.unpack_from("<%d%s" % (count, codes[width]), data, at)), at + width * count


def lengths(data, at, count):
    return numbers(data, at, count, {1: "B", 2: "H", 4: "I"})


def cut(data, at, count):
    sizes, at = lengths(data, at, count)
    parts = []
    for size in sizes:
        parts.append(data[at:at + size])
        at += size
    return parts, at
