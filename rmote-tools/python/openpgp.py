"""Public keys of OpenPGP, looked at as closely as it takes to know that they are some."""
BEGIN = b"-----BEGIN PGP "
HEAD = BEGIN + b"PUBLIC KEY BLOCK-----"
END = b"-----END PGP PUBLIC KEY BLOCK-----"
KEY, USER, SUBKEY, SECRETS = 6, 13, 14, (5, 7)
# Signatures, trust, marker, user names and attributes, padding, subkeys, and what is private or experimental.
OTHERS = (2, 10, 12, USER, SUBKEY, 17, 21, 60, 61, 62, 63)


def public_key(data):
    """Checks the keys in a file, and gives the file as apt wants it, with the ending of its name.

    Armoured ones are made to begin with their first line and to have plain line ends. What is no key, or not all of it,
    is a `ValueError` that does not show it: it may be a secret one.
    """
    data = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else bytes(memoryview(data))
    if BEGIN not in data:
        packets(data)
        return data, ".gpg"
    text = data.replace(b"\r\n", b"\n")
    if text[:3] == b"\xef\xbb\xbf":
        text = text[3:]
    text = b"\n".join(line.rstrip() for line in text.strip().split(b"\n")) + b"\n"
    if b"PRIVATE KEY BLOCK" in text:
        raise ValueError("this is a private key, which no other host should have")
    if not text.startswith(HEAD) or not text.endswith(END + b"\n"):
        raise ValueError("a key is one armoured block, or binary, with nothing before and behind it")
    if text.count(BEGIN) > 1:
        raise ValueError("apt reads the first of several armoured blocks only: each goes into a file of its own")
    packets(_dearmoured(text))
    return text, ".asc"


def _dearmoured(text):
    import base64
    import binascii

    lines = text.split(b"\n")[1:-2]
    if b"" not in lines:
        raise ValueError("an armoured key has an empty line before its data")
    lines = lines[lines.index(b"") + 1 :]
    check = lines.pop()[1:] if lines and lines[-1][:1] == b"=" else None
    try:
        body = base64.b64decode(b"".join(lines), validate=True)
        if check is not None and _crc24(body) != int.from_bytes(base64.b64decode(check, validate=True), "big"):
            raise ValueError("the checksum of the armoured key is wrong: it was cut or changed")
    except binascii.Error:
        raise ValueError("the armoured key is no base64") from None
    return body


def _crc24(data):
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc = crc << 1 ^ (0x1864CFB if crc & 0x800000 else 0)
    return crc


def packets(data):
    """The kinds of the packets of which a binary key is made: the first is a key."""
    found = []
    at = 0
    while at < len(data):
        kind, at = _packet(data, at)
        found.append(kind)
        if kind in SECRETS:
            raise ValueError("this is a private key, which no other host should have")
        if kind not in OTHERS and kind != KEY or found[0] != KEY:
            raise ValueError("this is no public key of OpenPGP")
    if at != len(data) or not found:
        raise ValueError("the key is cut short")
    return found


def _packet(data, at):
    """The kind of the packet at an index, and where the next one begins."""
    head = data[at]
    if not head & 0x80:
        raise ValueError("this is no public key of OpenPGP")
    at += 1
    if not head & 0x40:
        size = 1 << (head & 3)
        if size == 8:
            raise ValueError("this is no public key of OpenPGP")
        return head >> 2 & 15, at + size + int.from_bytes(data[at : at + size], "big")
    first = data[at] if at < len(data) else 0
    if first < 192:
        length, size = first, 1
    elif first < 224:
        length, size = (first - 192 << 8) + 192 + int.from_bytes(data[at + 1 : at + 2], "big"), 2
    elif first == 255:
        length, size = int.from_bytes(data[at + 1 : at + 5], "big"), 5
    else:
        raise ValueError("this is no public key of OpenPGP")
    return head & 63, at + size + length
