"""Hostname against the kernel, and with the files that docker mounts into a container."""
import os
import shutil
import subprocess
import unittest

from bootstrap import load

hostname = load("hostname")
H = hostname.Hostname
SYSTEMD = os.path.isdir("/run/systemd/system")


def put(path, text):
    with open(path, "w") as file:
        file.write(text)


def get(path):
    with open(path) as file:
        return file.read()


class Case(unittest.TestCase):
    def setUp(self):
        for path in (hostname.FILE, hostname.HOSTS):
            self.addCleanup(put, path, get(path))
        self.addCleanup(subprocess.check_call, ("hostname", H.get()))


class Name(Case):
    def test_kernel_and_file_become_the_name_where_the_file_is_mounted(self):
        self.assertTrue(os.path.ismount(hostname.FILE))
        for name in ("web01", "db.example.com"):
            checked = H.set(name, check=True)
            self.assertNotEqual(H.get(), name)
            result = H.set(name)
            self.assertEqual((result.changed, result["name"], result.in_place), (True, name, True))
            self.assertEqual(checked.diff, result.diff)
            self.assertEqual((os.uname().nodename, get(hostname.FILE)), (name, name + "\n"))
            again = H.set(name)
            self.assertEqual((again.changed, again.diff), (False, ""))
        if SYSTEMD:
            shown = subprocess.check_output(("hostnamectl",)).decode()
            self.assertIn("Static hostname: db.example.com\n", shown)
            self.assertNotIn("Transient", shown)

    def test_each_of_both_alone_is_mended(self):
        H.set("web01")
        subprocess.check_call(("hostname", "other"))
        self.assertTrue(H.set("web01").changed)
        self.assertEqual((H.get(), get(hostname.FILE)), ("web01", "web01\n"))
        put(hostname.FILE, "wrong\n")
        self.assertTrue(H.set("web01").changed)
        self.assertEqual((H.get(), get(hostname.FILE)), ("web01", "web01\n"))
        self.assertTrue(H.set("for-now", persist=False).changed)
        self.assertEqual((H.get(), get(hostname.FILE)), ("for-now", "web01\n"))

    def test_each_way_to_set_it(self):
        for way in (hostname._by_call, hostname._by_file, hostname._by_program):
            subprocess.check_call(("hostname", "before"))
            if way is hostname._by_file:
                subprocess.check_call(("mount", "-o", "remount,rw,bind", "/proc/sys"))
                self.addCleanup(subprocess.check_call, ("mount", "-o", "remount,ro,bind", "/proc/sys"))
            way("after")
            self.assertEqual(H.get(), "after", way)

    def test_a_user_may_not_and_nothing_is_changed(self):
        before = H.get(), get(hostname.FILE)
        self.addCleanup(os.seteuid, 0)
        os.seteuid(65534)
        for options in ({}, {"persist": False}, {"check": True}):
            with self.assertRaises(PermissionError):
                H.set("web01", **options)
        os.seteuid(0)
        self.assertEqual((H.get(), get(hostname.FILE)), before)


class Hosts(Case):
    def test_the_table_that_docker_mounts_is_written_in_place(self):
        self.assertTrue(os.path.ismount(hostname.HOSTS))
        before = get(hostname.HOSTS)
        change = H.hosts_entry("10.0.0.7", "db.lan", "db")
        self.assertEqual((change.changed, change.in_place), (True, True))
        self.assertFalse(H.hosts_entry("10.0.0.7", "db.lan", "db").changed)
        self.assertEqual(subprocess.check_output(("getent", "hosts", "db")).split(), [b"10.0.0.7", b"db.lan", b"db"])
        self.assertTrue(H.hosts_entry("10.0.0.7", absent=True).changed)
        self.assertFalse(H.hosts_entry("10.0.0.7", absent=True).changed)
        self.assertEqual(get(hostname.HOSTS), before)

    def test_a_table_that_is_not_mounted_is_replaced_at_once(self):
        subprocess.check_call(("umount", hostname.HOSTS))
        self.addCleanup(subprocess.check_call, ("mount", "--bind", "/dev/shm/hosts", hostname.HOSTS))
        shutil.copy(hostname.HOSTS, "/dev/shm/hosts")
        inode = os.stat(hostname.HOSTS).st_ino
        self.assertFalse(H.hosts_entry("10.0.0.7", "db").in_place)
        self.assertNotEqual(os.stat(hostname.HOSTS).st_ino, inode)


if __name__ == "__main__":
    unittest.main()
