import os
import shutil
import socket
import struct
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load, need

findings = load("findings")
F = load("facts").Facts
SECTIONS = load("facts").SECTIONS
containers = load("facts_containers")
hardware = load("facts_hardware")
network = load("facts_network")
packages = load("facts_packages")
services = load("facts_services")
storage = load("facts_storage")
system = load("facts_system")
users = load("facts_users")
LINUX = sys.platform == "linux"


class Case(unittest.TestCase):
    def files(self, module, files):
        """Replaces what a module reads by files of a host that is not here."""
        known = {"text": files.get, "lines": lambda path: (files.get(path) or "").split("\n")}
        known["word"] = lambda path: (files.get(path) or "").strip() or None
        known["number"] = lambda path: int(files[path]) if path in files else None
        for name, replacement in known.items():
            if hasattr(module, name):
                self.replace(module, name, replacement)

    def replace(self, module, name, replacement):
        self.addCleanup(setattr, module, name, getattr(module, name))
        setattr(module, name, replacement)


class Gather(Case):
    def test_all_sections_of_this_host(self):
        facts = F.gather()
        self.assertEqual(list(facts), list(SECTIONS))
        for name, section in facts.items():
            self.assertIsNone(section.error, name)
            self.assertIs(section.available, any(v is not None for k, v in section.items() if k not in ("available", "error")))
        for name in ("system", "python", "cpu", "memory", "users"):
            self.assertTrue(facts[name].available, name)
        self.assertEqual(facts.python.version, "%d.%d.%d" % sys.version_info[:3])
        self.assertEqual(facts.python.bits, struct.calcsize("P") * 8)
        self.assertEqual(facts.system.hostname, socket.gethostname())
        self.assertGreater(facts.memory.total, 0)
        self.assertGreater(facts.cpu.logical, 0)
        self.assertIsNone(facts.packages.packages)

    def test_only_what_was_asked_for(self):
        facts = F.gather("cpu", "packages", raw=True)
        self.assertEqual([name for name in SECTIONS if facts[name]], ["cpu", "packages"])
        if facts.packages.count:
            self.assertEqual(len(facts.packages.packages), facts.packages.count)

    def test_wrong_arguments_are_refused(self):
        for call in (
            lambda: F.gather("cpu", "no-such"),
            lambda: F.gather("_check"),
            lambda: F.gather(timeout=0),
            lambda: F.storage(timeout=-1),
        ):
            with self.assertRaises(ValueError):
                call()

    def test_a_section_that_fails_leaves_the_others_and_its_own_rest(self):
        def broken():
            raise ValueError("broken \udcff")

        self.replace(hardware, "_meminfo", broken)
        self.replace(hardware, "_processors", broken)
        facts = F.gather("cpu", "memory", "system")
        self.assertEqual(facts.memory.error, "ValueError: broken \\udcff")
        self.assertGreater(facts.memory.total, 0)
        self.assertEqual((facts.memory.available_bytes, facts.memory.available), (None, True))
        self.assertEqual(facts.cpu.error, "ValueError: broken \\udcff")
        self.assertGreater(facts.cpu.logical, 0)
        self.assertIsNone(facts.system.error)
        self.assertEqual(findings.section("X", ("a",), broken), {"a": None, "available": False, "error": facts.memory.error})

    def test_what_is_empty_is_told_from_what_is_not_known(self):
        self.assertEqual(findings.section("X", ("a",), lambda: {"a": []}).available, True)
        self.assertEqual(findings.section("X", ("a",), lambda: {}).available, False)

    def run_alone(self, code):
        """What a program prints that has imported nothing but the tool."""
        import subprocess

        start = (
            "import types, sys; sys.modules['unittest'] = types.ModuleType('unittest'); sys.path.insert(0, %r)\n"
            "from bootstrap import load; F = load('facts').Facts\n"
        )
        here = os.path.dirname(os.path.abspath(__file__))
        return subprocess.check_output([sys.executable, "-S", "-c", start % here + code]).decode().strip()

    def test_a_section_whose_module_cannot_be_imported_leaves_the_others(self):
        code = "sys.modules['socket'] = None; f = F.gather('cpu', 'network'); print(f.cpu.available, dict(f.network))"
        told = self.run_alone(code)
        self.assertTrue(told.startswith("True {'available': False, 'error': "), told)
        self.assertIn("socket", told)

    def test_no_section_imports_what_it_does_not_need(self):
        code = (
            "before = set(sys.modules); assert 'subprocess' not in before\n"
            "F.gather('system', 'python', 'cpu', 'memory', 'users')\n"
            "print(sorted(n for n in set(sys.modules) - before if n in ('subprocess', 'threading', 'socket', 'asyncio')))"
        )
        self.assertEqual(self.run_alone(code), "[]")


class Ask(Case):
    def test_a_statvfs_that_blocks_for_ever_is_given_up_and_not_asked_again(self):
        """It is replaced by one that blocks; a real mount is in `disposable/test_facts_dead_mount.py`."""
        need(self, os.path.exists("/proc/self/mountinfo"), "no /proc")
        gate = threading.Event()
        asked = []
        real = os.statvfs

        def blocks(path):
            if path == "/":
                asked.append(path)
                gate.wait()
            return real(path)

        self.replace(os, "statvfs", blocks)
        for _ in range(3):
            section = F.storage(timeout=0.05)
            mounts = {mount.path: mount for mount in section.mounts}
            self.assertIn("did not tell its size within 0.05 s", mounts["/"].error)
            self.assertIsNone(mounts["/"].size)
        self.assertEqual(asked, ["/"])
        thread, = findings.stuck.values()
        gate.set()
        thread.join()
        mounts = {mount.path: mount for mount in F.storage().mounts}
        self.assertIsNone(mounts["/"].error)
        self.assertGreater(mounts["/"].size, 0)
        self.assertEqual(findings.stuck, {})

    def test_answers_errors_and_silence(self):
        gate = threading.Event()
        self.addCleanup(gate.set)

        def fails():
            raise OSError(5, "broken")

        answers = findings.ask({"a": lambda: 1, "b": fails, "c": gate.wait}, 0.05)
        self.assertEqual((answers["a"], answers["b"].errno, sorted(answers)), (1, 5, ["a", "b"]))
        thread = findings.stuck.pop("c")
        gate.set()
        thread.join()


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


class Packages(Case):
    def test_dpkg(self):
        status = "".join(
            "Package: %s\nStatus: %s\nArchitecture: amd64\nVersion: 1:%s-1\nDescription: x\n Version: 9\n\n" % package
            for package in (
                ("a", "install ok installed", "1"), ("held", "hold ok installed", "2"), ("gone", "deinstall ok config-files", "3"),
                ("waits", "install ok triggers-pending", "4"), ("half", "install reinstreq half-installed", "5"),
            )
        )
        self.files(packages, {packages.DPKG: status})
        facts = F.packages(raw=True)
        self.assertEqual((facts.manager, facts.count), ("apt", 3))
        self.assertEqual([package["name"] for package in facts.packages], ["a", "held", "waits"])
        self.assertEqual(facts.packages[1], {"name": "held", "version": "1:2-1", "architecture": "amd64"})
        self.assertIsNone(F.packages().packages)

    def test_apk(self):
        text = "C:Q1x\nP:musl\nV:1.2.5-r0\nA:x86_64\n\nC:Q1y\nP:busybox\nV:1.36.1-r29\nA:x86_64\n\n"
        self.files(packages, {packages.APK[0]: text})
        facts = F.packages(raw=True)
        self.assertEqual((facts.manager, facts.count), ("apk", 2))
        self.assertEqual(facts.packages[1], {"name": "musl", "version": "1.2.5-r0", "architecture": "x86_64"})

    def test_pacman(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.replace(packages, "PACMAN", folder)
        self.replace(packages, "DPKG", "/nonexistent")
        self.replace(packages, "APK", ())
        for name in ("bash", "zlib"):
            os.mkdir(os.path.join(folder, name + "-1-1"))
            with open(os.path.join(folder, name + "-1-1", "desc"), "w") as file:
                file.write("%%NAME%%\n%s\n\n%%VERSION%%\n1-1\n\n%%ARCH%%\nx86_64\n\n%%DEPENDS%%\na\nb\n\n" % name)
        open(os.path.join(folder, "ALPM_DB_VERSION"), "w").close()
        facts = F.packages(raw=True)
        self.assertEqual((facts.manager, facts.count), ("pacman", 2))
        self.assertEqual(facts.packages[0], {"name": "bash", "version": "1-1", "architecture": "x86_64"})

    def test_rpm_is_asked_only_where_it_has_a_database(self):
        self.files(packages, {})
        self.replace(packages, "PACMAN", "/nonexistent")
        self.replace(packages, "program", lambda name: "/usr/bin/" + name if name in ("rpm", "zypper") else None)
        self.replace(packages, "RPM", ())
        self.assertEqual(F.packages(), {"manager": None, "count": None, "packages": None, "available": False, "error": None})
        self.replace(packages, "RPM", ("/",))
        program = load("program")
        # The program is replaced: no host with packages of RPM is here.
        self.replace(program, "output", lambda *argv, **options: "bash\t5.2-1\tx86_64\ngpg-pubkey\t1-2\t(none)\n")
        facts = F.packages(raw=True)
        self.assertEqual((facts.manager, facts.count, facts.packages[0].version), ("zypper", 1, "5.2-1"))


class Services(Case):
    def test_none_and_not_known(self):
        self.replace(services, "_runs_systemd", lambda: False)
        for first, manager in (("sh", "none"), ("docker-init", "none"), ("init", None), ("runit", None), (None, None)):
            self.files(services, {"/proc/1/comm": first or ""})
            self.assertEqual(F.service_manager().manager, manager, first)
        self.files(services, {"/run/openrc/softlevel": "default\n", "/proc/1/comm": "init", "/libexec/rc/version": "0.54\n"})
        facts = F.service_manager()
        self.assertEqual((facts.manager, facts.version, facts.state), ("openrc", "0.54", "default"))

    def test_a_systemd_that_does_not_answer_is_an_error_of_this_section(self):
        self.replace(services, "_runs_systemd", lambda: True)
        self.replace(services, "program", lambda name: "/bin/false")
        facts = F.service_manager()
        self.assertEqual((facts.manager, facts.state), ("systemd", None))
        self.assertIn("CommandFailed", facts.error)


class Users(Case):
    def test_accounts_and_groups(self):
        self.files(users, {"/etc/passwd": "root:x:0:0:r:/root:/bin/sh\n+::::::\nbroken\nx:x:a:0:::\ny:x:4294967296:0:::\nz:x:\u00b2:0:::\n", "/etc/group": "a:x:1:b,c\nd:x:2:\n+:::\n"})
        facts = F.users()
        self.assertIsNone(facts.error)
        self.assertEqual(
            facts.accounts, [{"name": "root", "uid": 0, "gid": 0, "comment": "r", "home": "/root", "shell": "/bin/sh"}]
        )
        self.assertEqual([group.members for group in facts.groups], [["b", "c"], []])
        self.files(users, {})
        self.assertEqual((F.users().accounts, F.users().groups), (None, None))

    def record(self, size, kind, pid, user, since):
        _, layout, time_layout, at = [known for known in users.LAYOUTS if known[0] == size][0]
        data = bytearray(size)
        struct.pack_into(layout, data, 0, kind, pid, b"pts/0", user, b"10.0.0.9")
        struct.pack_into(time_layout, data, at, since)
        return bytes(data)

    def test_logins_of_both_layouts(self):
        for size in (384, 400):
            data = self.record(size, 2, 0, b"reboot", 5) + self.record(size, 7, os.getpid(), b"ann", 1700000000)
            found = list(users._records(data))
            self.assertEqual(
                found,
                [{"user": "ann", "terminal": "pts/0", "host": "10.0.0.9", "since": 1700000000, "pid": os.getpid()}],
            )

    def test_logins_that_broke_off_are_left_out(self):
        import subprocess

        child = subprocess.Popen(["true"])
        child.wait()
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.record(384, 7, os.getpid(), b"ann", 1) + self.record(384, 7, child.pid, b"bob", 1))
            file.flush()
            self.replace(users, "UTMP", (file.name,))
            self.assertEqual([login.user for login in F.users().logins], ["ann"])

    def test_no_list_of_logins_an_empty_one_and_a_broken_one(self):
        self.replace(users, "UTMP", ("/nonexistent",))
        self.assertIsNone(F.users().logins)
        with tempfile.NamedTemporaryFile() as file:
            self.replace(users, "UTMP", (file.name,))
            self.assertEqual(F.users().logins, [])
            file.write(b"x" * 100)
            file.flush()
            facts = F.users()
            self.assertIsNone(facts.logins)
            self.assertIn("unknown form", facts.error)
            self.assertTrue(facts.accounts)


class Containers(Case):
    def test_kinds(self):
        self.replace(os.path, "exists", lambda path: False)
        for files, kind in (
            ({}, None),
            ({"/proc/1/environ": "A=b\0container=lxc\0"}, "lxc"),
            ({"/run/systemd/container": "systemd-nspawn\n"}, "systemd-nspawn"),
            ({"/proc/1/cgroup": "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-1.scope\n"}, "kubernetes"),
            ({"/proc/1/cgroup": "0::/machine.slice/libpod-1.scope/container\n"}, "podman"),
            ({"/proc/1/cgroup": "1:cpu:/docker/1\n0::/\n"}, "docker"),
            ({"/proc/1/cgroup": "0::/init.scope\n"}, None),
            ({"/proc/sys/kernel/osrelease": "5.15-microsoft-standard-WSL2\n"}, "wsl"),
        ):
            self.files(containers, files)
            self.assertEqual(containers._kind(), kind, files)

    def test_a_machine_made_of_a_containers_files_is_none(self):
        self.replace(containers, "_kind", lambda: "docker")
        self.replace(os, "readlink", lambda path: containers.FIRST[path.rpartition("/")[2]])
        self.assertEqual(containers._inside(), {"inside": False, "kind": None})
        self.replace(os, "readlink", lambda path: "pid:[1]")
        self.assertEqual(containers._inside(), {"inside": True, "kind": "docker"})

        def fails(path):
            raise OSError(2, "no /proc")

        self.replace(os, "readlink", fails)
        self.replace(containers, "_kind", lambda: None)
        self.assertEqual(containers._inside(), {"inside": None, "kind": None})

    def test_engines_are_not_guessed_when_programs_cannot_be_looked_for(self):
        self.replace(os.path, "exists", lambda path: False)
        self.replace(containers, "ask", lambda questions, seconds: {})
        self.assertEqual(containers._engines(1), {"engines": None})
        self.replace(containers, "ask", lambda questions, seconds: {"programs": {"podman": "/usr/bin/podman"}})
        engine, = containers._engines(1)["engines"]
        self.assertEqual(engine, {"name": "podman", "program": "/usr/bin/podman", "socket": None})


if __name__ == "__main__":
    unittest.main()
