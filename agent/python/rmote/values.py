"""All values to bytes; those from bytes that are rare; records and members of enums."""
import os
import sys

from rmote.wire import DEPTH, FLOAT, LIMIT, chunk, name, value_at

ITEMS = 1 << 22
TEXT = 1 << 26


class NotData(TypeError):
    """A value that cannot travel, with the path to it."""

    def __init__(self, reason):
        self.reason = reason
        self.path = []

    def __str__(self):
        return "result%s: %s" % ("".join(reversed(self.path)), self.reason)


class TooLarge(NotData, ValueError):
    """A value over one of the limits."""


class Record(dict):
    """Named fields, as a dataclass of another process has them."""

    def __init__(*args, **fields):
        self, self.type_name = args[:2]
        dict.__init__(self, *args[2:], **fields)

    def __getattr__(self, field):
        try:
            return self[field]
        except KeyError:
            raise AttributeError(field) from None

    def __repr__(self):
        return "%s(%s)" % (self.type_name, ", ".join("%s=%r" % item for item in self.items()))


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
        self.depth = self.items = 0

    def size(self, number):
        out = self.out
        while number > 127:
            out.append(number & 127 | 128)
            number >>= 7
        out.append(number)

    def check(self, more=0):
        if len(self.out) + more > self.limit:
            raise TooLarge("larger than the limit of %d bytes; return it in parts" % self.limit)

    def put(self, value):
        how = PUT.get(type(value))
        if how is None:
            how, value = adapt(value)
        how[0](self, how[1], value)

    def none(self, tag, value):
        self.out.append(tag)

    def bool(self, tag, value):
        self.out.append(tag)
        self.out.append(value)

    def int(self, tag, value):
        if -1 << 63 <= value < 1 << 63:
            self.out.append(tag)
            self.size(value << 1 ^ value >> 63)
        else:
            bits = (value if value >= 0 else ~value).bit_length()
            self.blob(3, value.to_bytes(bits // 8 + 1, "little", signed=True))

    def float(self, tag, value):
        self.out.append(tag)
        self.out += FLOAT.pack(value)

    def text(self, tag, value):
        """A text, or a name where the tag is 0."""
        try:
            data = value.encode()
        except UnicodeEncodeError:
            if not tag:
                raise NotData("a name is not UTF-8") from None
            tag, data = 6, value.encode("utf-8", "surrogatepass")
        if len(data) > TEXT:
            raise TooLarge("text larger than the limit of %d bytes; return bytes" % TEXT)
        self.blob(tag, data)

    def blob(self, tag, data):
        out, size = self.out, len(data)
        if tag:
            out.append(tag)
        if size < 128:
            out.append(size)
        else:
            self.check(size)
            self.size(size)
        out += data

    def view(self, tag, value):
        self.blob(tag, value.tobytes())

    def enter(self, tag, items):
        self.items += items
        if self.depth >= DEPTH:
            raise TooLarge("nested deeper than %d levels" % DEPTH)
        if self.items > ITEMS:
            raise TooLarge("more than %d items" % ITEMS)
        self.check()
        self.depth += 1
        self.out.append(tag)

    def leave(self, left):
        self.depth -= 1
        if left:
            raise NotData("its length is not what it says")

    def collection(self, tag, value):
        size = len(value)
        if size > 99 and hasattr(__spec__.loader, "table"):
            import rmote.columns
            if rmote.columns.write(self, tag, value):
                return
        self.enter(tag, size)
        self.size(size)
        index = 0
        try:
            for item in value:
                self.put(item)
                index += 1
        except NotData as error:
            error.path.append("[%d]" % index)
            raise
        self.leave(size - index)

    def map(self, tag, value):
        left = len(value)
        self.enter(tag, 2 * left)
        if tag == 12:
            self.text(0, value.type_name)
        self.size(left)
        key = None
        try:
            for key, item in value.items():
                if tag == 12:
                    self.text(0, key)
                else:
                    self.put(key)
                self.put(item)
                left -= 1
        except NotData as error:
            error.path.append(".%s" % key if isinstance(key, str) and key.isidentifier() else "[%.60r]" % (key,))
            raise
        self.leave(left)

    def member(self, tag, value):
        self.enter(tag, 1)
        self.text(0, value.type_name)
        self.text(0, value.name)
        self.put(value.value)
        self.leave(0)


PUT = {
    type(None): (Encoder.none, 0), bool: (Encoder.bool, 1), int: (Encoder.int, 2), float: (Encoder.float, 4),
    str: (Encoder.text, 5), bytes: (Encoder.blob, 7), bytearray: (Encoder.blob, 7), memoryview: (Encoder.view, 7),
    list: (Encoder.collection, 8), tuple: (Encoder.collection, 9), set: (Encoder.collection, 10),
    frozenset: (Encoder.collection, 10), dict: (Encoder.map, 11), Record: (Encoder.map, 12), Member: (Encoder.member, 13),
}


def adapt(value):
    """How to encode a value that is not of a plain type itself, and what to give to that."""
    kind = type(value)
    enum = sys.modules.get("enum")
    if enum and isinstance(value, enum.Enum):
        return PUT[Member], Member(kind.__name__, value.name or str(value), value.value)
    fields = None
    if hasattr(kind, "__dataclass_fields__"):
        fields = [(field, getattr(value, field)) for field in kind.__dataclass_fields__]
    elif isinstance(value, tuple) and hasattr(kind, "_fields"):
        fields = zip(kind._fields, value)
    elif kind.__name__ in ("CompletedProcess", "SimpleNamespace"):
        fields = vars(value)
    if fields is not None:
        return PUT[Record], Record(kind.__name__, fields)
    for base in PUT:
        if isinstance(value, base):
            return PUT[base], value
    if hasattr(kind, "__fspath__"):
        return adapt(os.fspath(value))
    raise NotData("%s is not data%s" % (kind.__name__, "; take it as a stream" * hasattr(kind, "__next__")))


def encode(value, limit=LIMIT):
    encoder = Encoder(limit)
    try:
        encoder.put(value)
    except RuntimeError as error:
        # A set or dict that another thread changes meanwhile.
        raise NotData(str(error)) from None
    if len(encoder.out) > limit:
        encoder.check()
    return encoder.out


def rare_at(tag, data, at, depth):
    """The value of a rare tag, as `value_at` gives it."""
    if tag == 3:
        number, at = chunk(data, at)
        return int.from_bytes(number, "little", signed=True), at
    if tag == 6:
        text, at = chunk(data, at)
        return text.decode("utf-8", "surrogatepass"), at
    if tag == 10:
        items, at = value_at(data, at, depth, 8)
        try:
            return set(items), at
        except TypeError:
            return set(map(freeze, items)), at
    if tag == 11:
        # Keys that are sets.
        items, at = value_at(data, at, depth, -11)
        return {freeze(key): item for key, item in items}, at
    if tag > 13:
        raise ValueError("unknown variant %d" % tag)
    type_name, at = name(data, at)
    if tag == 13:
        member, at = name(data, at)
        if depth >= DEPTH:
            raise ValueError("nested deeper than %d levels" % DEPTH)
        value, at = value_at(data, at, depth + 1)
        return Member(type_name, member, value), at
    items, at = value_at(data, at, depth, -12)
    return Record(type_name, items), at


def freeze(value):
    """A set as it must be inside a set or as a key."""
    if isinstance(value, set):
        return frozenset(value)
    return tuple(map(freeze, value)) if isinstance(value, tuple) else value
