"""Values to and from bytes, as docs/protocol.md has them."""
import os
import struct
import sys

DEPTH = 128
ITEMS = 1 << 22
TEXT = 1 << 26
HEAD = struct.Struct("<IBBI")
FLOAT = struct.Struct("<d")


class NotData(TypeError):
    """A value that cannot travel, with the path to it."""

    def __init__(self, reason):
        self.reason = reason
        self.path = []

    def __str__(self):
        path = "".join(reversed(self.path))
        if len(path) > 400:
            path = path[:200] + "..." + path[-200:]
        return "result%s: %s" % (path, self.reason)


class TooLarge(NotData, ValueError):
    """A value over one of the limits."""


class Record(dict):
    """Named fields, as a dataclass of another process has them."""

    def __init__(*args, **fields):
        self, self.name = args[:2]
        dict.__init__(self, *args[2:], **fields)

    def __getattr__(self, field):
        try:
            return self[field]
        except KeyError:
            raise AttributeError(field) from None

    def __repr__(self):
        return "%s(%s)" % (self.name, ", ".join("%s=%r" % item for item in self.items()))


class Member:
    """A member of an enum of another process."""

    def __init__(self, type_name, name, value):
        self.type_name, self.name, self.value = type_name, name, value

    def __eq__(self, other):
        return isinstance(other, Member) and self.__dict__ == other.__dict__

    def __hash__(self):
        return hash((self.type_name, self.name))

    def __repr__(self):
        return "%s.%s" % (self.type_name, self.name)


class Encoder:
    """Appends values to `out`, a bytearray, within the limits."""

    def __init__(self, limit):
        self.out = bytearray()
        self.limit = limit
        self.depth = 0
        self.items = 0

    def size(self, number):
        out = self.out
        while number > 127:
            out.append(number & 127 | 128)
            number >>= 7
        out.append(number)

    def blob(self, tag, data):
        if len(self.out) + len(data) > self.limit:
            raise TooLarge("larger than the limit of %d bytes; return it in parts" % self.limit)
        if tag is not None:
            self.out.append(tag)
        self.size(len(data))
        self.out += data

    def put(self, value):
        put = PUT.get(type(value))
        if put is None:
            put, value = adapt(value)
        put(self, value)

    def none(self, value):
        self.out.append(0)

    def bool(self, value):
        self.out.append(1)
        self.out.append(value)

    def int(self, value):
        if -1 << 63 <= value < 1 << 63:
            self.out.append(2)
            self.size(value << 1 ^ value >> 63)
        else:
            bits = (value if value >= 0 else ~value).bit_length()
            self.blob(3, value.to_bytes(bits // 8 + 1, "little", signed=True))

    def float(self, value):
        self.out.append(4)
        self.out += FLOAT.pack(value)

    def text(self, value):
        try:
            tag, data = 5, value.encode()
        except UnicodeEncodeError:
            tag, data = 6, value.encode("utf-8", "surrogatepass")
        if len(data) > TEXT:
            raise TooLarge("text of %d bytes is larger than the limit of %d; return bytes" % (len(data), TEXT))
        self.blob(tag, data)

    def bytes(self, value):
        if isinstance(value, memoryview):
            value = value.cast("B") if value.contiguous else value.tobytes()
        self.blob(7, value)

    def list(self, value):
        self.collection(8, value)

    def tuple(self, value):
        self.collection(9, value)

    def set(self, value):
        self.collection(10, value)

    def enter(self, tag, count):
        if self.depth >= DEPTH:
            raise TooLarge("nested deeper than %d levels" % DEPTH)
        self.items += count
        if self.items > ITEMS:
            raise TooLarge("more than %d items" % ITEMS)
        if len(self.out) > self.limit:
            raise TooLarge("larger than the limit of %d bytes; return it in parts" % self.limit)
        self.out.append(tag)

    def collection(self, tag, value):
        self.enter(tag, len(value))
        self.size(len(value))
        self.depth += 1
        index = 0
        try:
            for item in value:
                self.put(item)
                index += 1
        except NotData as error:
            error.path.append("[%d]" % index)
            raise
        self.depth -= 1

    def map(self, value):
        self.enter(11, 2 * len(value))
        self.size(len(value))
        self.depth += 1
        key = None
        try:
            for key, item in value.items():
                self.put(key)
                self.put(item)
        except NotData as error:
            error.path.append(".%s" % key if isinstance(key, str) and key.isidentifier() else "[%s]" % brief(key))
            raise
        self.depth -= 1

    def record(self, value):
        self.enter(12, 2 * len(value))
        self.blob(None, value.name.encode())
        self.size(len(value))
        self.depth += 1
        field = None
        try:
            for field, item in value.items():
                self.blob(None, field.encode())
                self.put(item)
        except NotData as error:
            error.path.append(".%s" % field)
            raise
        self.depth -= 1

    def member(self, value):
        self.enter(13, 1)
        self.blob(None, value.type_name.encode())
        self.blob(None, value.name.encode())
        self.depth += 1
        self.put(value.value)
        self.depth -= 1


PUT = {
    type(None): Encoder.none, bool: Encoder.bool, int: Encoder.int, float: Encoder.float, str: Encoder.text,
    bytes: Encoder.bytes, bytearray: Encoder.bytes, memoryview: Encoder.bytes, list: Encoder.list,
    tuple: Encoder.tuple, set: Encoder.set, frozenset: Encoder.set, dict: Encoder.map, Record: Encoder.record,
    Member: Encoder.member,
}


def brief(value):
    try:
        text = repr(value)
    except Exception:
        text = "?"
    return text if len(text) < 60 else text[:57] + "..."


def adapt(value):
    """How to encode a value that is not of a plain type itself: the method, and what to give it."""
    kind = type(value)
    enum = sys.modules.get("enum")
    if enum and isinstance(value, enum.Enum):
        return Encoder.member, Member(kind.__name__, value.name or str(value), value.value)
    if hasattr(kind, "__dataclass_fields__"):
        return Encoder.record, Record(kind.__name__, [(f, getattr(value, f)) for f in kind.__dataclass_fields__])
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return Encoder.record, Record(kind.__name__, zip(kind._fields, value))
    for base in (int, str, float, bytes, bytearray, list, tuple, set, frozenset, dict):
        if isinstance(value, base):
            return PUT[base], value
    if hasattr(kind, "__fspath__"):
        value = os.fspath(value)
        return PUT[type(value)], value
    if kind.__name__ in ("CompletedProcess", "SimpleNamespace"):
        return Encoder.record, Record(kind.__name__, vars(value))
    raise NotData("%s is not data" % kind.__name__)


def encode(value, limit=1 << 27):
    encoder = Encoder(limit)
    try:
        encoder.put(value)
    except RuntimeError as error:
        # A set or dict that another thread changes meanwhile.
        raise NotData(str(error)) from None
    if len(encoder.out) > limit:
        raise TooLarge("larger than the limit of %d bytes; return it in parts" % limit)
    return encoder.out


def varint(data, at):
    value = data[at]
    at += 1
    if value > 127:
        value &= 127
        shift = 7
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                break
            shift += 7
    return value, at


def chunk(data, at):
    size, at = varint(data, at)
    end = at + size
    if end > len(data):
        raise IndexError
    return data[at:end], end


def name(data, at):
    text, at = chunk(data, at)
    return text.decode(), at


def value_at(data, at, depth):
    tag = data[at]
    at += 1
    if tag == 5:
        return name(data, at)
    if tag == 2:
        number, at = varint(data, at)
        return number >> 1 ^ -(number & 1), at
    if tag == 7:
        return chunk(data, at)
    if tag == 0:
        return None, at
    if tag == 1:
        return data[at] == 1, at + 1
    if tag == 4:
        return FLOAT.unpack_from(data, at)[0], at + 8
    if tag == 3:
        number, at = chunk(data, at)
        return int.from_bytes(number, "little", signed=True), at
    if tag == 6:
        text, at = chunk(data, at)
        return text.decode("utf-8", "surrogatepass"), at
    if depth >= DEPTH:
        raise ValueError("nested deeper than %d levels" % DEPTH)
    depth += 1
    if tag == 13:
        type_name, at = name(data, at)
        member, at = name(data, at)
        value, at = value_at(data, at, depth)
        return Member(type_name, member, value), at
    record_name = None
    if tag == 12:
        record_name, at = name(data, at)
    count, at = varint(data, at)
    items = []
    if tag == 11 or tag == 12:
        read_key = value_at if tag == 11 else field_at
        for _ in range(count):
            key, at = read_key(data, at, depth)
            item, at = value_at(data, at, depth)
            items.append((key, item))
        if tag == 12:
            return Record(record_name, items), at
        try:
            return dict(items), at
        except TypeError:
            return {freeze(key): item for key, item in items}, at
    for _ in range(count):
        item, at = value_at(data, at, depth)
        items.append(item)
    if tag == 8:
        return items, at
    if tag == 9:
        return tuple(items), at
    if tag == 10:
        try:
            return set(items), at
        except TypeError:
            return set(map(freeze, items)), at
    raise ValueError("unknown variant %d" % tag)


def field_at(data, at, depth):
    return name(data, at)


def freeze(value):
    """A set as it must be inside a set or as a key."""
    if isinstance(value, set):
        return frozenset(value)
    return tuple(map(freeze, value)) if isinstance(value, tuple) else value


def decode(data):
    try:
        value, at = value_at(data, 0, 0)
    except (IndexError, struct.error):
        raise ValueError("value is cut off") from None
    if at != len(data):
        raise ValueError("%d bytes after the value" % (len(data) - at))
    return value
