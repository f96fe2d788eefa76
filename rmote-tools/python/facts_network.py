"""Network interfaces of the host, its routes and name servers."""
import os
import socket
import struct

from rmote.tools.findings import lines, names, number, section, text, word
from rmote.values import Record

FIELDS = "interfaces", "routes", "gateway", "gateway6", "nameservers", "search"
STATES = "unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"
SCOPES = {0: "global", 200: "site", 253: "link", 254: "host"}
CLASS = "/sys/class/net"
# Of routing netlink: questions, answers and attributes.
GETLINK, NEWLINK, GETADDR, NEWADDR, ERROR, DONE = 18, 16, 22, 20, 2, 3
LINK_ADDRESS, LINK_NAME, LINK_MTU, LINK_STATE = 1, 3, 4, 16
ADDR_ADDRESS, ADDR_LOCAL = 1, 2
FAMILIES = {getattr(socket, "AF_INET", None): "ipv4", getattr(socket, "AF_INET6", None): "ipv6"}


def network():
    return section("NetworkFacts", FIELDS, _interfaces, _routes, _resolver)


def _interfaces():
    try:
        found = _asked()
    except (OSError, AttributeError):
        # Not Linux, or something that only looks like it.
        found = _read()
    return {"interfaces": found}


def _interface(name, mac, mtu, state):
    speed = None
    try:
        speed = number(os.path.join(CLASS, name, "speed"))
    except ValueError:
        pass
    return Record(
        "Interface",
        name=name,
        state=state,
        mac=mac if mac and mac.strip("0:") else None,
        mtu=mtu,
        # -1 where it is down or has none.
        speed=speed if speed and speed > 0 else None,
        addresses=[],
    )


def _address(family, address, prefix, scope):
    # Scopes have numbers of their own up to 255.
    return Record("Address", address=address, prefix=prefix, family=family, scope=SCOPES.get(scope, str(scope)))


def _asked():
    """The interfaces as the kernel tells them through netlink, which is where `ip` has them from."""
    found = {}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
        kernel.settimeout(2)
        kernel.bind((0, 0))
        for message in _dump(kernel, GETLINK, NEWLINK, 16):
            index = struct.unpack_from("=i", message, 4)[0]
            known = _attributes(message, 16)
            mtu = struct.unpack("=I", known[LINK_MTU])[0] if LINK_MTU in known else None
            mac = ":".join("%02x" % byte for byte in known.get(LINK_ADDRESS, b""))
            state = known.get(LINK_STATE, b"\0")[0]
            name = known[LINK_NAME].rstrip(b"\0").decode("utf-8", "backslashreplace")
            found[index] = _interface(name, mac, mtu, STATES[state] if state < len(STATES) else None)
        for message in _dump(kernel, GETADDR, NEWADDR, 8):
            family, prefix, _, scope, index = struct.unpack_from("=BBBBI", message)
            known = _attributes(message, 8)
            # Of a point-to-point link, the address is the other side's.
            raw = known.get(ADDR_LOCAL) or known.get(ADDR_ADDRESS)
            if index in found and family in FAMILIES and raw:
                address = socket.inet_ntop(family, raw)
                found[index].addresses.append(_address(FAMILIES[family], address, prefix, scope))
    return [found[index] for index in sorted(found)]


def _dump(kernel, question, kind, size):
    """Asks for all things of a kind; gives the messages without their headers."""
    # A request for a dump, with an empty message of the kind.
    kernel.send(struct.pack("=IHHII", 16 + size, question, 0x301, 1, 0) + bytes(size))
    while True:
        data = kernel.recv(1 << 18)
        while len(data) >= 16:
            length, got = struct.unpack_from("=IH", data)
            if got == DONE:
                return
            if got == ERROR or length < 16:
                raise OSError("netlink does not answer")
            if got == kind:
                yield data[16:length]
            data = data[length + 3 & ~3 :]


def _attributes(message, at):
    found = {}
    while at + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, at)
        if length < 4:
            break
        # Two bits say how the value is to be read.
        found[kind & 0x3FFF] = message[at + 4 : at + length]
        at += length + 3 & ~3
    return found


def _read():
    """The interfaces without netlink: from files, and a question each for the first IPv4 address."""
    listed = names(CLASS) or [line.partition(":")[0].strip() for line in lines("/proc/net/dev")[2:] if ":" in line]
    if not listed and hasattr(socket, "if_nameindex"):
        listed = [name for _, name in socket.if_nameindex()]
    if not listed:
        return None
    found = {}
    for name in listed:
        folder = os.path.join(CLASS, name)
        # Some files in there are no interfaces.
        if not os.path.isdir(CLASS) or os.path.isdir(folder):
            state = word(folder + "/operstate")
            found[name] = _interface(name, word(folder + "/address"), number(folder + "/mtu"), state)
    for name in found:
        known = _first_ipv4(name)
        if known:
            found[name].addresses.append(_address("ipv4", *known))
    for line in lines("/proc/net/if_inet6"):
        words = line.split()
        if len(words) == 6 and words[5] in found:
            address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(words[0]))
            scope = {0x20: 253, 0x10: 254, 0x40: 200}.get(int(words[3], 16) & 0xF0, 0)
            found[words[5]].addresses.append(_address("ipv6", address, int(words[2], 16), scope))
    return list(found.values())


def _first_ipv4(name):
    if os.uname().sysname != "Linux":
        return None
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        question = struct.pack("16s24x", os.fsencode(name))
        try:
            # SIOCGIFADDR and SIOCGIFNETMASK.
            address, mask = (fcntl.ioctl(asked, number, question)[20:24] for number in (0x8915, 0x891B))
        except OSError:
            return None
    scope = 254 if address[0] == 127 else 0
    return socket.inet_ntoa(address), bin(int.from_bytes(mask, "big")).count("1"), scope


def _routes():
    four, six = text("/proc/net/route"), text("/proc/net/ipv6_route")
    if four is None and six is None:
        return {}
    routes = list(_routes_ipv4(four or "")) + list(_routes_ipv6(six or ""))
    known = {"routes": routes}
    for family, field in (("ipv4", "gateway"), ("ipv6", "gateway6")):
        ways = [r for r in routes if r.family == family and r.destination == "default" and r.gateway]
        if ways:
            known[field] = min(ways, key=lambda route: route.metric).gateway
    return known


def _route(family, address, prefix, gateway, interface, metric):
    destination = "%s/%d" % (address, prefix) if prefix else "default"
    return Record(
        "Route", destination=destination, gateway=gateway, interface=interface, metric=metric, family=family
    )


def _routes_ipv4(table):
    for line in table.split("\n")[1:]:
        words = line.split()
        # Those that are up and lead somewhere.
        if len(words) > 7 and int(words[3], 16) & 0x201 == 1:
            # As they are in memory.
            address, gateway, mask = (struct.pack("=I", int(words[i], 16)) for i in (1, 2, 7))
            prefix = bin(int.from_bytes(mask, "big")).count("1")
            way = socket.inet_ntoa(gateway) if any(gateway) else None
            yield _route("ipv4", socket.inet_ntoa(address), prefix, way, words[0], int(words[6]))


def _routes_ipv6(table):
    for line in table.split("\n"):
        words = line.split()
        # Up, no dead end, not the host itself, no group.
        if len(words) == 10 and int(words[8], 16) & 0x80100201 == 1 and words[0][:2] != "ff":
            address, gateway = (socket.inet_ntop(socket.AF_INET6, bytes.fromhex(words[i])) for i in (0, 4))
            way = gateway if gateway != "::" else None
            yield _route("ipv6", address, int(words[1], 16), way, words[9], int(words[5], 16))


def _resolver():
    resolv = text("/etc/resolv.conf")
    if resolv is None:
        return {}
    known = {"nameservers": [], "search": []}
    for line in resolv.split("\n"):
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver":
            known["nameservers"].append(words[1])
        elif len(words) > 1 and words[0] in ("search", "domain"):
            # The last one counts.
            known["search"] = words[1:]
    return known
