"""Sysctl against the kernel, in a network of the container's own."""
import fcntl
import os
import socket
import subprocess
import unittest

from bootstrap import load

sysctl = load("sysctl")
S = sysctl.Sysctl
Unsupported = load("program").Unsupported
FORWARD = "net.ipv4.ip_forward"
PORTS = "net.ipv4.ip_local_port_range"
FILE = "/etc/sysctl.d/99-rmote.conf"


def mount(*options):
    subprocess.check_call(("mount",) + options)


def kernel(key):
    return subprocess.check_output(("sysctl", "-n", key)).decode().strip()


def read(path=FILE):
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return None


class Case(unittest.TestCase):
    def setUp(self):
        mount("-o", "remount,rw,bind", "/proc/sys")
        self.addCleanup(mount, "-o", "remount,ro,bind", "/proc/sys")
        self.addCleanup(lambda: os.path.exists(FILE) and os.unlink(FILE))
        for key in (FORWARD, PORTS):
            self.addCleanup(subprocess.check_output, ("sysctl", "-w", "%s=%s" % (key, kernel(key))))
        S.present(FORWARD, 0, persist=False)


class Read(unittest.TestCase):
    def test_where_proc_sys_is_read_only_a_change_is_unsupported_and_nothing_is_written(self):
        value = S.get(FORWARD)
        for check in (True, False):
            with self.assertRaises(Unsupported) as caught:
                S.present(FORWARD, 1 - int(value), check=check)
            self.assertIn("/proc/sys", caught.exception.missing)
        self.assertIsNone(read())
        # What is so already needs no writing there.
        self.addCleanup(os.unlink, FILE)
        self.assertTrue(S.present(FORWARD, value).changed)
        self.assertFalse(S.present(FORWARD, value).changed)
        self.assertTrue(S.present(FORWARD, 1 - int(value), runtime=False).changed)


class Change(Case):
    def test_several_fields_with_the_kernels_tabs_are_the_same_value(self):
        self.assertIn("\t", kernel(PORTS))
        self.assertTrue(S.present(PORTS, "32000 60000").changed)
        self.assertEqual(kernel(PORTS), "32000\t60000")
        self.assertFalse(S.present(PORTS, "32000 60000").changed)
        self.assertFalse(S.present(PORTS, "32000\t60000").changed)
        self.assertEqual(read(), "%s = 32000 60000\n" % PORTS)

    def test_what_was_written_is_what_sysctl_reads_at_boot(self):
        key = "net.ipv4.conf.lo.forwarding"
        S.converge({FORWARD: 1, key: 1})
        S.converge({FORWARD: 0, key: 0}, persist=False)
        self.assertEqual((kernel(FORWARD), kernel(key)), ("0", "0"))
        subprocess.check_output(("sysctl", "-p", FILE))
        self.assertEqual((kernel(FORWARD), kernel(key)), ("1", "1"))
        subprocess.check_output(("/lib/systemd/systemd-sysctl", FILE))

    def test_an_interface_with_a_dot_in_its_name(self):
        link = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.addCleanup(link.close)
        # SIOCBRADDBR and SIOCBRDELBR: a bridge may have any name.
        name = b"br0.100\0"
        fcntl.ioctl(link, 0x89A0, name)
        self.addCleanup(fcntl.ioctl, link, 0x89A1, name)
        for key in ("net.ipv4.conf.br0/100.forwarding", "net/ipv4/conf/br0.100/forwarding"):
            self.assertTrue(S.present(key, 1).changed)
            self.assertFalse(S.present(key, 1).changed)
            self.assertEqual(kernel("net/ipv4/conf/br0.100/forwarding"), "1")
            S.present(key, 0, persist=False)
            subprocess.check_output(("sysctl", "-p", FILE))
            self.assertEqual(S.get(key), "1")
            self.assertTrue(S.absent(key).changed)
            S.present(key, 0, persist=False)

    def test_a_value_that_the_kernel_refuses_changes_nothing(self):
        for value in ("60000 32000", "many"):
            with self.assertRaises(sysctl.SysctlError) as caught:
                S.converge({FORWARD: 1, PORTS: value})
            self.assertIn("refuses the value '%s'" % value, str(caught.exception))
            self.assertIn("net.ipv4.ip_forward was set back to 0", str(caught.exception))
            self.assertEqual((S.get(FORWARD), read()), ("0", None))

    def test_a_value_that_the_kernel_takes_as_another_one_is_an_error(self):
        before = S.get("net.ipv4.ip_default_ttl")
        with self.assertRaises(sysctl.SysctlError) as caught:
            S.present("net.ipv4.ip_default_ttl", "0100")
        self.assertIn("'0100'", str(caught.exception))
        self.assertEqual((S.get("net.ipv4.ip_default_ttl"), read()), (before, None))

    def test_a_key_that_nobody_may_set(self):
        for check in (True, False):
            with self.assertRaises(PermissionError):
                S.converge({FORWARD: 1, "kernel.osrelease": "9"}, check=check)
        self.assertEqual((S.get(FORWARD), read()), ("0", None))

    def test_a_file_that_cannot_be_written_is_found_before_the_kernel_is_changed(self):
        mount("--bind", "/etc/sysctl.d", "/etc/sysctl.d")
        self.addCleanup(subprocess.check_call, ("umount", "/etc/sysctl.d"))
        mount("-o", "remount,ro,bind", "/etc/sysctl.d")
        for check in (True, False):
            with self.assertRaises(PermissionError):
                S.present(FORWARD, 1, check=check)
        self.assertEqual(S.get(FORWARD), "0")

    def test_what_was_set_is_set_back_when_the_disk_is_full(self):
        mount("-t", "tmpfs", "-o", "size=4k", "tmpfs", "/etc/sysctl.d")
        self.addCleanup(subprocess.check_call, ("umount", "/etc/sysctl.d"))
        with open("/etc/sysctl.d/full", "wb") as file:
            file.write(b"x" * 4096)
        with self.assertRaises(sysctl.SysctlError) as caught:
            S.present(FORWARD, 1)
        for part in ("No space left on device", "was set back to 0", "is as before"):
            self.assertIn(part, str(caught.exception))
        self.assertEqual((S.get(FORWARD), os.listdir("/etc/sysctl.d")), ("0", ["full"]))

    def test_a_link_to_the_main_file_is_followed(self):
        self.assertTrue(os.path.islink("/etc/sysctl.d/99-sysctl.conf"))
        before = read("/etc/sysctl.conf")
        self.addCleanup(load("fs").FileSystem.write, "/etc/sysctl.conf", before)
        # Debian's file has it as a comment.
        self.assertIn("\n#net.ipv4.ip_forward=1\n", before)
        self.assertTrue(S.present(FORWARD, 1, name="99-sysctl.conf").changed)
        self.assertEqual(read("/etc/sysctl.conf"), before + "net.ipv4.ip_forward = 1\n")
        self.assertTrue(os.path.islink("/etc/sysctl.d/99-sysctl.conf"))
        self.assertTrue(S.absent(FORWARD, name="99-sysctl.conf").changed)
        self.assertEqual(read("/etc/sysctl.conf"), before)


if __name__ == "__main__":
    unittest.main()
