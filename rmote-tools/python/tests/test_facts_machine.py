import os
import socket
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load, need
from facts_case import Case, F

findings = load("findings")
hardware = load("facts_hardware")
network = load("facts_network")
storage = load("facts_storage")
system = load("facts_system")
LINUX = sys.platform == "linux"


class System(Case):
    def test_os_release_with_quotes_and_without_a_file(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"# x\nID=alpine\nNAME=\"Al \\\"p\\\" \\$5\"\n\nVERSION_ID='3.20'\nBROKEN\nPRETTY_NAME=\"caf\xe9\"\nEMPTY=\n")
            file.flush()
            found = findings.assignments(file.name)
        self.assertEqual(found["NAME"], 'Al "p" $5')
        self.assertEqual((found["ID"], found["VERSION_ID"], found["PRETTY_NAME"]), ("alpine", "3.20", "caf\\xe9"))
        self.assertEqual(findings.assignments("/nonexistent"), {})
        self.replace(system, "assignments", lambda path: {"ID": "rocky", "ID_LIKE": "rhel centos fedora"})
        self.assertEqual(system._os()["os"].id_like, ["rhel", "centos", "fedora"])
        self.replace(system, "assignments", lambda path: {})
        self.assertEqual(system._os(), {})

    def test_the_full_name_comes_from_files_and_no_server_is_asked(self):
        self.replace(socket, "getfqdn", None)
        self.replace(socket, "getaddrinfo", None)
        name = os.uname().nodename
        for hosts, full in (
            ("", None),
            ("127.0.0.1 localhost %s\n" % name, None),
            ("127.0.1.1 %s.lan %s # x\n" % (name, name), name + ".lan"),
            ("127.0.1.1 x # %s.lan %s\n" % (name, name), None),
            ("10.0.0.1 other.lan %s\n" % name, None),
        ):
            self.files(system, {"/etc/hosts": hosts})
            self.assertEqual(system._names().get("fqdn"), name if "." in name else full, hosts)

    def test_virtualization(self):
        dmi = "/sys/class/dmi/id/"
        for files, kind in (
            ({}, None),
            ({"/proc/cpuinfo": "flags\t: fpu vme\n"}, "none"),
            ({"/proc/cpuinfo": "flags\t: fpu hypervisor\n"}, "vm-other"),
            ({"/proc/cpuinfo": "Features\t: fp asimd\n"}, None),
            ({dmi + "sys_vendor": "QEMU\n", dmi + "product_name": "Standard PC\n"}, "qemu"),
            ({dmi + "sys_vendor": "Microsoft Corporation", dmi + "product_name": "Virtual Machine"}, "microsoft"),
            ({dmi + "sys_vendor": "Microsoft Corporation", dmi + "product_name": "Surface"}, None),
            ({dmi + "product_name": "VMware Virtual Platform"}, "vmware"),
            ({"/sys/hypervisor/type": "xen\n", "/proc/xen/capabilities": ""}, "xen"),
            ({"/sys/hypervisor/type": "xen\n", "/proc/xen/capabilities": "control_d\n"}, "none"),
            ({"/proc/device-tree/hypervisor/compatible": "linux,kvm"}, "kvm"),
        ):
            self.files(system, files)
            self.assertEqual(system._virtualization().get("virtualization"), kind, files)

    def test_musl(self):
        def unknown(name):
            raise ValueError("unrecognized configuration name")

        self.replace(os, "confstr", unknown)
        self.files(system, {"/proc/self/maps": "7f00-7f01 r-xp 00 00:0 1 /lib/ld-musl-x86_64.so.1\n"})
        self.assertEqual(system.python().libc, "musl")
        self.files(system, {})
        self.assertEqual((system.python().libc, system.python().error), (None, None))


class Hardware(Case):
    def test_processors_of_other_machines(self):
        x86 = "".join(
            "processor\t: %d\nmodel name\t: Xeon\nphysical id\t: %d\ncore id\t: %d\nflags\t: fpu vme\n\n" % (n, n // 4, n // 2 % 2)
            for n in range(8)
        )
        self.files(hardware, {"/proc/cpuinfo": x86})
        found = hardware._processors()
        self.assertEqual(found, {"physical": 4, "sockets": 2, "model": "Xeon", "flags": ["fpu", "vme"]})
        self.files(hardware, {"/proc/cpuinfo": "processor\t: 0\nBogoMIPS\t: 50\nFeatures\t: fp asimd\n\nprocessor\t: 1\n"})
        self.assertEqual(hardware._processors(), {"model": None, "flags": ["fp", "asimd"]})
        self.files(hardware, {"/proc/cpuinfo": "processor\t: 0\ncpu\t\t: POWER9, altivec supported\n"})
        self.assertEqual(hardware._processors()["model"], "POWER9, altivec supported")

    def test_cores_with_and_without_packages(self):
        self.assertEqual(hardware._cores({(0, 0), (0, 1), (1, 0)}), {"physical": 3, "sockets": 2})
        self.assertEqual(hardware._cores({(-1, 0), (-1, 1)}), {})
        self.assertEqual(hardware._cores(set()), {})

    def test_memory_of_an_old_kernel_and_without_proc(self):
        self.files(hardware, {"/proc/meminfo": "MemTotal:  16 kB\nMemFree: 8 kB\nHugePages_Total: 0\n"})
        facts = F.memory()
        self.assertEqual((facts.total, facts.free, facts.available_bytes, facts.swap_total), (16384, 8192, None, None))
        self.files(hardware, {})
        facts = F.memory()
        self.assertEqual((facts.free, facts.error), (None, None))
        self.assertGreater(facts.total, 0)


class Network(Case):
    def test_netlink_and_files_tell_the_same_of_the_loopback(self):
        need(self, LINUX and os.path.isdir("/sys/class/net"), "no /sys/class/net")
        asked, read = (
            {interface["name"]: interface for interface in way()} for way in (network._asked, network._read)
        )
        self.assertEqual(sorted(asked), sorted(read))
        self.assertEqual(asked["lo"], read["lo"])
        self.assertIn({"address": "127.0.0.1", "prefix": 8, "family": "ipv4", "scope": "host"}, asked["lo"].addresses)

    def test_without_netlink(self):
        need(self, LINUX and os.path.isdir("/sys/class/net"), "no /sys/class/net")

        def refuses():
            raise PermissionError(13, "refused")

        self.replace(network, "_asked", refuses)
        facts = F.network()
        self.assertIsNone(facts.error)
        self.assertIn("lo", [interface["name"] for interface in facts.interfaces])

    def test_routes(self):
        order = (lambda text: text) if sys.byteorder == "big" else lambda text: bytes(reversed(bytes.fromhex(text))).hex()
        four = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n" + "".join(
            "%s\t%s\t%s\t%s\t0\t0\t%d\t%s\t0\t0\t0\n" % (name, order(to), order(way), flags, metric, order(mask))
            for name, to, way, flags, metric, mask in (
                ("eth1", "00000000", "0a000102", "0003", 100, "00000000"),
                ("eth0", "00000000", "0a000001", "0003", 10, "00000000"),
                ("eth0", "0a000000", "00000000", "0001", 0, "ffffff00"),
                ("*", "0a090000", "00000000", "0200", 0, "ffff0000"),
            )
        )
        zero = "0" * 32
        six = "".join(
            "%s %02x %s 00 %s %08x 00000001 00000000 %08x %8s\n" % (to, prefix, zero, way, metric, flags, name)
            for to, prefix, way, metric, flags, name in (
                ("20010db8" + "0" * 24, 0x40, zero, 256, 1, "eth0"),
                (zero, 0, "fe80" + "0" * 27 + "1", 1024, 3, "eth0"),
                (zero, 0, zero, 0xFFFFFFFF, 0x200200, "lo"),
                ("0" * 31 + "1", 0x80, zero, 0, 0x80200001, "lo"),
                ("ff" + "0" * 30, 8, zero, 256, 1, "eth0"),
            )
        )
        self.files(network, {"/proc/net/route": four, "/proc/net/ipv6_route": six})
        found = network._routes()
        self.assertEqual((found["gateway"], found["gateway6"]), ("10.0.0.1", "fe80::1"))
        self.assertEqual(
            [(route.destination, route.gateway, route.interface) for route in found["routes"]],
            [
                ("default", "10.0.1.2", "eth1"), ("default", "10.0.0.1", "eth0"), ("10.0.0.0/24", None, "eth0"),
                ("2001:db8::/64", None, "eth0"), ("default", "fe80::1", "eth0"),
            ],
        )
        self.files(network, {})
        self.assertEqual((network._routes(), network._resolver()), ({}, {}))

    def test_name_servers(self):
        text = "# nameserver 9.9.9.9\nnameserver 10.0.0.1\nnameserver fe80::1%eth0\ndomain a\nsearch lan example.com\noptions x\nnameserver\n"
        self.files(network, {"/etc/resolv.conf": text})
        self.assertEqual(network._resolver(), {"nameservers": ["10.0.0.1", "fe80::1%eth0"], "search": ["lan", "example.com"]})
        self.files(network, {"/etc/resolv.conf": ""})
        self.assertEqual(network._resolver(), {"nameservers": [], "search": []})


class Storage(Case):
    def test_mounts_that_are_asked_and_mounts_that_are_not(self):
        table = (
            "1 0 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
            "2 1 0:5 / /proc rw - proc proc rw\n"
            "3 1 0:9 / /auto rw - autofs /etc/auto rw\n"
            "4 1 8:1 /x /mnt/a\\040b ro,nodev shared:1 - ext4 /dev/sda1 rw\n"
            "5 1 0:7 / /net/\\303\\251 rw - nfs4 server:/x rw\n"
            "6 1 0:8 / /net/\\303\\251 rw - nfs4 server:/y rw\n"
        )
        asked = []

        def ask(questions, seconds):
            asked.extend(questions)
            return {name: (100, 60, 40) if name[2] == "/" else PermissionError(13, "Permission denied") for name in questions}

        self.files(storage, {"/proc/self/mountinfo": table})
        self.replace(storage, "ask", ask)
        mounts = storage._mounts(1)["mounts"]
        self.assertEqual([mount.path for mount in mounts], ["/", "/mnt/a b", "/net/\xe9"])
        self.assertEqual([mount.size for mount in mounts], [100, 100, None])
        self.assertEqual([mount.read_only for mount in mounts], [False, True, False])
        self.assertEqual((mounts[2].error, mounts[2].device), ("Permission denied", "server:/y"))
        self.assertEqual([name[2] for name in asked], ["/", "/net/\xe9"])
        # As s3fs does.
        self.replace(storage, "ask", lambda questions, seconds: {name: (1 << 64, -1, 5) for name in questions})
        mount = storage._mounts(1)["mounts"][0]
        self.assertEqual((mount.size, mount.used, mount.free), (None, None, 5))
        self.files(storage, {})
        self.assertEqual(storage._mounts(1), {})


if __name__ == "__main__":
    unittest.main()
