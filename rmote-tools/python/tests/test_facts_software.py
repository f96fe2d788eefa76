import os
import shutil
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load
from facts_case import Case, F

containers = load("facts_containers")
packages = load("facts_packages")
services = load("facts_services")
users = load("facts_users")


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
