"""Frames and plain values to and from bytes, as docs/protocol.md has them; the rest of the values is in `values`."""
import _struct

DEPTH = 128
LIMIT = 1 << 27
HEAD = _struct.Struct("<IBBI")
FLOAT = _struct.Struct("<d")
# Lists, tuples, maps, and the pairs of maps and records.
COMMON = {8, 9, 11, -11, -12}


# What encodes what is not frequent, once there was some.
encode_any = None


def encode(value, limit=LIMIT):
    kind = type(value)
    try:
        if value is None:
            return b"\0"
        if kind is int and 0 <= value < 1 << 62:
            value <<= 1
            data = bytearray(b"\2")
            while value > 127:
                data.append(value & 127 | 128)
                value >>= 7
            data.append(value)
            return data
        if kind is bool:
            return b"\1\1" if value else b"\1\0"
        if kind is str:
            data = value.encode()
            if len(data) < 128:
                return bytes((5, len(data))) + data
    except UnicodeEncodeError:
        pass
    global encode_any
    if not encode_any:
        from rmote.values import encode as encode_any
    return encode_any(value, limit)


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
    size = data[at]
    at += 1
    if size > 127:
        size, at = varint(data, at - 1)
    end = at + size
    if end > len(data):
        raise IndexError
    return data[at:end], end


def name(data, at):
    text, at = chunk(data, at)
    return text.decode(), at


def value_at(data, at, depth, tag=None):
    """The value that begins here, and where it ends. With a tag, what follows that; -11 and -12 give a map's or record's pairs."""
    if tag is None:
        tag = data[at]
        at += 1
    if tag == 5:
        return name(data, at)
    if tag == 2:
        number = data[at]
        at += 1
        if number > 127:
            number, at = varint(data, at - 1)
        return number >> 1 ^ -(number & 1), at
    if tag == 7:
        return chunk(data, at)
    if tag == 0:
        return None, at
    if tag == 1:
        return data[at] == 1, at + 1
    if tag == 4:
        return FLOAT.unpack_from(data, at)[0], at + 8
    if tag not in COMMON:
        from rmote.values import rare_at
        return rare_at(tag, data, at, depth)
    if depth >= DEPTH:
        raise ValueError("nested deeper than %d levels" % DEPTH)
    depth += 1
    start = at
    count = data[at]
    at += 1
    if count > 127:
        count, at = varint(data, at - 1)
    if count > len(data) - at:
        raise IndexError
    items = []
    for _ in range(count):
        if tag == 11 or tag < 0:
            key, at = name(data, at) if tag == -12 else value_at(data, at, depth)
            item, at = value_at(data, at, depth)
            items.append((key, item))
        else:
            item, at = value_at(data, at, depth)
            items.append(item)
    if tag == 9:
        return tuple(items), at
    if tag == 11:
        try:
            return dict(items), at
        except TypeError:
            from rmote.values import rare_at
            return rare_at(tag, data, start, depth - 1)
    return items, at


def request(data):
    """The parts of a call, by a short way if it has no deadline and no streams."""
    try:
        at = 4 + data[3]
        if data[:3] == b"\t\4\5" and data[at:at + 2] == b"\2\0" and at < 132:
            name = data[4:at].decode()
            args, at = value_at(data, at + 2, 1)
            kwargs, at = value_at(data, at, 1)
            if at == len(data):
                return name, 0, args, kwargs
    except IndexError:
        pass
    return decode(data)


def decode(data):
    try:
        value, at = value_at(data, 0, 0)
    except (IndexError, _struct.error):
        raise ValueError("value is cut off") from None
    if at != len(data):
        raise ValueError("%d bytes after the value" % (len(data) - at))
    return value
