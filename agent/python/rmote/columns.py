"""Long lists as columns, so that C code does the work: docs/protocol.md, section 3, has their bytes."""
import _struct
import sys
from _operator import attrgetter, is_not, itemgetter
from itertools import chain, compress, repeat

from rmote import values
from rmote.values import Encoder, Member, Record, adapt

# PyPy's own loops write the plain form faster than it calls what is C code elsewhere.
PAYS = sys.implementation.name != "pypy"
NONE = type(None)
# Beside the kinds that bear the number of the variant of their items.
SOME, VALUES, PARTS = 0, 16, 17
# So many items are written before the next are looked at: what was read of them is still in the processor's cache.
PART = 4096
EVEN = {list: 14, tuple: 15}
UNEVEN = {list: 8, tuple: 9, set: 10, frozenset: 10}
# Longer ones are not cut into a column for each place.
WIDEST = 64
# The bytes of names that are written once and stand for one in each record.
Encoder.names = 0
# Whether the values of a column are being written, among which there are no columns.
Encoder.plain = False


class Plain(Exception):
    """These items have no column of their own kind."""


def write(encoder, tag, value):
    """Writes a collection as a column, or nothing and returns false: then the plain way has the result, or the error."""
    if type(value) not in UNEVEN or encoder.plain or not PAYS:
        return False
    before = len(encoder.out), encoder.depth, encoder.items, encoder.names
    try:
        items = list(value)
        encoder.enter(14, len(items))
        encoder.out.append(tag)
        encoder.size(len(items))
        if len(items) > PART:
            encoder.out.append(PARTS)
            for start in range(0, len(items), PART):
                part = items[start:start + PART]
                encoder.size(len(part))
                put(encoder, part, not start)
        else:
            put(encoder, items, True)
        encoder.check()
        encoder.depth -= 1
        return True
    except Exception:
        undo(encoder, *before)
        encoder.plain = False
        return False


def undo(encoder, size, depth, items, names):
    del encoder.out[size:]
    encoder.depth, encoder.items, encoder.names = depth, items, names


def put(encoder, items, begin=False):
    """Writes a column; at the beginning of all it has to be one of its own kind."""
    if not items:
        return
    kinds = set(map(type, items))
    if NONE in kinds:
        there = bytes(map(is_not, items, repeat(None)))
        encoder.out.append(SOME)
        encoder.out += there
        kinds.remove(NONE)
        items = list(compress(items, there))
        if not items:
            return
    kind = kinds.pop()
    before = len(encoder.out), encoder.depth, encoder.items, encoder.names
    try:
        if kinds:
            raise Plain
        (KINDS.get(kind) or like(kind))(encoder, kind, items)
        encoder.check()
    except (Plain, UnicodeEncodeError, _struct.error):
        if begin:
            raise
        undo(encoder, *before)
        encoder.out.append(VALUES)
        encoder.plain = True
        for item in items:
            encoder.put(item)
        encoder.plain = False


def like(kind):
    """How to write items that are of no plain type, in the order in which `adapt` asks."""
    enum = sys.modules.get("enum")
    if enum and issubclass(kind, enum.Enum):
        return members
    if hasattr(kind, "__dataclass_fields__"):
        return dataclasses
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return named_tuples
    if kind.__name__ in ("CompletedProcess", "SimpleNamespace"):
        return namespaces
    raise Plain


def bools(encoder, kind, items):
    encoder.out.append(1)
    encoder.out += bytes(items)


def ints(encoder, kind, items):
    bits = max(max(items), ~min(items)).bit_length()
    width = 1 if bits < 8 else 2 if bits < 16 else 4 if bits < 32 else 8
    numbers = _struct.pack("<%d%s" % (len(items), {1: "b", 2: "h", 4: "i", 8: "q"}[width]), *items)
    encoder.out += bytes((2, width))
    encoder.out += numbers


def floats(encoder, kind, items):
    encoder.out.append(4)
    encoder.out += _struct.pack("<%dd" % len(items), *items)


def texts(encoder, kind, items):
    joined = "".join(items)
    data = joined.encode()
    lengths = list(map(len, items))
    if len(data) != len(joined):
        lengths = list(map(len, map(str.encode, items)))
    if max(lengths) > values.TEXT:
        raise Plain
    encoder.out.append(5)
    sizes(encoder, lengths)
    encoder.out += data


def blobs(encoder, kind, items):
    encoder.out.append(7)
    sizes(encoder, list(map(len, items)))
    encoder.out += b"".join(items)


def sizes(encoder, lengths):
    """How long each is, in as many bytes as the longest needs."""
    most = max(lengths)
    width = 1 if most < 1 << 8 else 2 if most < 1 << 16 else 4
    encoder.out.append(width)
    encoder.out += _struct.pack("<%d%s" % (len(lengths), {1: "B", 2: "H", 4: "I"}[width]), *lengths)


def lists(encoder, kind, items):
    """Lists, tuples or sets: where all have one length, a column for each place, else one for all their items."""
    lengths = list(map(len, items))
    width = max(lengths)
    even = kind in EVEN and 0 < min(lengths) == width <= min(len(items), WIDEST)
    encoder.enter((EVEN if even else UNEVEN)[kind], sum(lengths))
    flat = list(chain.from_iterable(items))
    if list(map(len, items)) != lengths:
        # Another thread is at it.
        raise Plain
    if even:
        encoder.size(width)
        for place in range(width):
            put(encoder, flat[place::width])
    else:
        sizes(encoder, lengths)
        put(encoder, flat)
    encoder.depth -= 1


def dicts(encoder, kind, items):
    if kind is Record:
        names = set(map(attrgetter("type_name"), items))
        if len(names) > 1:
            raise Plain
        records(encoder, names.pop(), items)
    else:
        records(encoder, None, items)


def namespaces(encoder, kind, items):
    records(encoder, kind.__name__, list(map(vars, items)))


def records(encoder, name, items):
    """Dicts with the same texts as keys, in the same order."""
    keys = list(items[0])
    if set(map(len, items)) != {len(keys)}:
        raise Plain
    every = list(chain.from_iterable(items))
    if set(map(type, every)) != {str} or every != keys * len(items):
        raise Plain
    del every
    columns(encoder, name, keys, items, itemgetter)


def dataclasses(encoder, kind, items):
    names = list(kind.__dataclass_fields__)
    if not all(map(str.isidentifier, names)):
        raise Plain
    columns(encoder, kind.__name__, names, items, attrgetter)


def named_tuples(encoder, kind, items):
    names = list(kind._fields)
    if kind.__iter__ != tuple.__iter__ or set(map(len, items)) != {len(names)}:
        raise Plain
    columns(encoder, kind.__name__, names, items, None)


def columns(encoder, name, names, items, getter):
    """Records of a name, or maps where there is none: a column for each of the names."""
    count, width = len(items), len(names)
    if not width:
        raise Plain
    encoder.enter(11 if name is None else 12, 2 * width * count)
    if name is not None:
        repeated(encoder, name, count)
    encoder.size(width)
    if getter:
        items = map(getter(*names), items)
    flat = list(chain.from_iterable(items) if width > 1 or not getter else items)
    for place, name in enumerate(names):
        repeated(encoder, name, count)
        put(encoder, flat[place::width])
    encoder.depth -= 1


def repeated(encoder, name, count):
    """Writes a name that stands for `count` of them."""
    before = len(encoder.out)
    encoder.text(0, name)
    encoder.names += (len(encoder.out) - before) * count
    if encoder.names > encoder.limit:
        raise values.TooLarge("names")


def members(encoder, kind, items):
    keys = list(map(id, items))
    # Each is asked once only.
    known = {key: item if kind is Member else adapt(item)[1] for key, item in dict(zip(keys, items)).items()}
    title, *others = {member.type_name for member in known.values()}
    names = [known[key].name for key in keys]
    if others or set(map(type, names)) != {str}:
        raise Plain
    encoder.enter(13, len(items))
    repeated(encoder, title, len(items))
    texts(encoder, str, names)
    put(encoder, [known[key].value for key in keys])
    encoder.depth -= 1


KINDS = {
    bool: bools, int: ints, float: floats, str: texts, bytes: blobs, list: lists, tuple: lists, set: lists, frozenset: lists, dict: dicts,
    Record: dicts, Member: members,
}
