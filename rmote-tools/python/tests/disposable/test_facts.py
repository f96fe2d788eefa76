"""Facts in a container with systemd: as an ordinary user, without /proc, without programs."""
import json
import os
import subprocess
import sys
import unittest

from bootstrap import load

F = load("facts").Facts
NETWORK = load("facts_network")
ASK = """
import json, os, sys
sys.path.insert(0, os.getcwd())
%s
from bootstrap import load
print(json.dumps(load("facts").Facts.gather(timeout=10)))
"""


def gathered(prefix=(), before="", **options):
    argv = list(prefix) + [sys.executable, "-c", ASK % before]
    return json.loads(subprocess.check_output(argv, **options).decode())


def shown(*argv):
    return subprocess.check_output(argv).decode().split()


class Facts(unittest.TestCase):
    def test_an_ordinary_user_sees_the_same(self):
        def forgotten(facts):
            # What changes by itself, and who asks.
            for section, name in (("system", "uptime"), ("cpu", "load"), ("memory", None), ("storage", None)):
                facts[section].pop(name, None) if name else facts.pop(section)
            return facts

        user = gathered(before="os.setgid(65534); os.setuid(65534)")
        self.assertEqual([section["error"] for section in user.values()], [None] * 10)
        self.assertEqual(forgotten(user), forgotten(gathered()))

    def test_without_proc_there_is_less_and_nothing_fails(self):
        prefix = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh")
        facts = gathered(prefix)
        self.assertEqual([section["error"] for section in facts.values()], [None] * 10)
        known = [name for name, section in facts.items() if section["available"]]
        for name in ("system", "python", "cpu", "memory", "network", "storage", "packages", "users"):
            self.assertIn(name, known)
        self.assertEqual(facts["system"]["init"], None)
        self.assertEqual((facts["storage"]["mounts"], facts["memory"]["free"]), (None, None))
        self.assertGreater(facts["memory"]["total"], 0)
        self.assertGreater(facts["system"]["uptime"], 0)

    def test_without_sys_and_without_netlink_the_interfaces_are_still_there(self):
        prefix = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /sys && exec "$@"', "sh")
        before = "import socket; del socket.AF_NETLINK"
        for facts in (gathered(prefix), gathered(prefix, before)):
            self.assertEqual([section["error"] for section in facts.values()], [None] * 10)
            link = {i["name"]: i for i in facts["network"]["interfaces"]}["lo"]
            self.assertEqual(link["addresses"][0]["address"], "127.0.0.1")
            self.assertIsNone(facts["storage"]["devices"])

    def test_no_program_is_needed_but_for_the_state_of_systemd(self):
        empty = gathered(before="import os; os.environ['PATH'] = '/nonexistent'")
        self.assertEqual(empty["service_manager"]["state"], "running")
        prefix = ("unshare", "-m", "sh", "-c", 'mount --bind /usr/bin/true /usr/bin/systemctl && exec "$@"', "sh")
        facts = gathered(prefix)
        self.assertEqual((facts["service_manager"]["manager"], facts["service_manager"]["state"]), ("systemd", None))

    def test_the_hosts_own_programs_say_the_same(self):
        facts = F.gather(raw=True)
        self.assertEqual([facts.system.kernel_release], shown("uname", "-r"))
        self.assertEqual([str(facts.cpu.logical)], shown("getconf", "_NPROCESSORS_ONLN"))
        self.assertEqual(str(facts.memory.total >> 10), shown("free", "-k")[7])
        listed = shown("dpkg-query", "-W", "-f", "${Package} ${Version} ${Architecture}\\n")
        own = [word for package in facts.packages.packages for word in package.values()]
        self.assertEqual(sorted(own), sorted(listed))
        version = subprocess.check_output(("systemctl", "show", "--value", "-p", "Version")).decode().strip()
        self.assertEqual(facts.service_manager.version, version)
        size, used, free = shown("df", "-B1", "--output=size,used,avail", "/dev/shm")[3:]
        mount, = [mount for mount in facts.storage.mounts if mount.path == "/dev/shm"]
        self.assertEqual([mount.size, mount.used, mount.free], [int(size), int(used), int(free)])
        names = [account["name"] for account in facts.users.accounts]
        listed = subprocess.check_output(("getent", "passwd")).decode().splitlines()
        self.assertEqual(names, [line.split(":")[0] for line in listed])

    def test_what_the_kernel_is_told_of_the_network_is_seen(self):
        import fcntl
        import socket
        import struct

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            # A bridge, with an address and switched on.
            fcntl.ioctl(link, 0x89A0, b"br0\0")
            try:
                def request(number, *rest):
                    fcntl.ioctl(link, number, struct.pack("16s24s", b"br0", b"".join(rest)))

                for number, address in ((0x8916, "10.9.8.7"), (0x891C, "255.255.240.0")):
                    request(number, struct.pack("=HH4s", socket.AF_INET, 0, socket.inet_aton(address)))
                request(0x8922, struct.pack("=i", 1400))
                request(0x8914, struct.pack("=h", 0x41))
                for interfaces in (NETWORK._asked(), NETWORK._read()):
                    bridge, = [interface for interface in interfaces if interface["name"] == "br0"]
                    self.assertEqual(bridge.mtu, 1400)
                    self.assertEqual(len(bridge.mac), 17)
                    four = {"address": "10.9.8.7", "prefix": 20, "family": "ipv4", "scope": "global"}
                    self.assertEqual(bridge.addresses[0], four)
                routes = F.network().routes
                self.assertIn(("10.9.0.0/20", "br0"), [(route.destination, route.interface) for route in routes])
            finally:
                request(0x8914, struct.pack("=h", 0))
                fcntl.ioctl(link, 0x89A1, b"br0\0")


if __name__ == "__main__":
    unittest.main()
