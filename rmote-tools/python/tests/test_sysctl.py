import os
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load

sysctl = load("sysctl")
S = sysctl.Sysctl
Unsupported = load("program").Unsupported


class Case(unittest.TestCase):
    """A tree of files in the place of the kernel: it takes any value as it is."""

    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir)
        self.addCleanup(setattr, sysctl, "PROC", sysctl.PROC)
        self.addCleanup(setattr, sysctl, "FOLDER", sysctl.FOLDER)
        sysctl.PROC = os.path.join(self.dir, "proc")
        sysctl.FOLDER = os.path.join(self.dir, "sysctl.d")
        os.mkdir(sysctl.FOLDER)
        self.kernel("net/ipv4/ip_forward", "0\n")
        self.kernel("net/ipv4/tcp_rmem", "4096\t131072\t6291456\n")
        self.kernel("net/ipv4/conf/eth0.100/forwarding", "0\n")

    def kernel(self, path, value=None):
        path = os.path.join(sysctl.PROC, path)
        if value is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(value)
        with open(path) as file:
            return file.read().rstrip("\n")

    def file(self, content=None, name="99-rmote.conf"):
        path = os.path.join(sysctl.FOLDER, name)
        if content is not None:
            with open(path, "wb") as file:
                file.write(content)
        if not os.path.exists(path):
            return None
        with open(path, "rb") as file:
            return file.read()

    def twice(self, key, value, **options):
        """A check, a run and a second run, which changes nothing."""
        before = self.file()
        checked = S.present(key, value, check=True, **options)
        self.assertEqual(self.file(), before)
        first = S.present(key, value, **options)
        self.assertEqual(checked, first)
        second = S.present(key, value, **options)
        self.assertEqual((second.changed, second.diff), (False, ""))
        return first


class Keys(Case):
    def test_dots_and_slashes_part_keys_and_dots_in_names_of_interfaces_are_kept(self):
        for key in ("net.ipv4.conf.eth0/100.forwarding", "net/ipv4/conf/eth0.100/forwarding"):
            self.assertEqual(S.get(key), "0")
        result = self.twice("net.ipv4.conf.eth0/100.forwarding", 1)
        self.assertEqual(result.key, "net.ipv4.conf.eth0/100.forwarding")
        self.assertEqual(self.kernel("net/ipv4/conf/eth0.100/forwarding"), "1")
        self.assertFalse(S.present("net/ipv4/conf/eth0.100/forwarding", 1).changed)
        self.assertEqual(self.file(), b"net.ipv4.conf.eth0/100.forwarding = 1\n")

    def test_a_key_that_leads_out_of_the_kernels_tree_is_refused(self):
        with open(os.path.join(self.dir, "hostname"), "w") as file:
            file.write("secret")
        for key in (
            "../hostname", "../../etc/hostname", "/etc/hostname", "net/../../hostname", "net/./ipv4", "net..ipv4", "",
            ".", "net.", "net/ipv4/../ipv4/ip_forward", "net.ipv4.//hostname", "a\nb", "a b", "-w", "net.ipv4.*", "a=b",
            "a#b", "net\0", "net./.ipv4",
        ):
            for call in (S.get, S.absent, lambda key: S.present(key, "1")):
                with self.assertRaises(ValueError, msg=repr(key)):
                    call(key)
        self.assertIsNone(self.file())
        with self.assertRaises(TypeError):
            S.get(1)

    def test_a_key_that_the_kernel_does_not_have_is_an_error_before_anything_is_written(self):
        for key in ("net.ipv4.ip_froward", "net.ipv4", "net.ipv4.ip_forward.x"):
            for check in (False, True):
                with self.assertRaises(LookupError, msg=key):
                    S.converge({"net.ipv4.ip_forward": 1, key: 1}, check=check)
            with self.assertRaises(LookupError):
                S.get(key)
        self.assertEqual((self.file(), self.kernel("net/ipv4/ip_forward")), (None, "0"))

    def test_without_runtime_a_key_may_be_unknown(self):
        result = self.twice("net.netfilter.nf_conntrack_max", 1, runtime=False)
        self.assertEqual((result.value, result.changed), (None, True))
        self.assertEqual(self.file(), b"net.netfilter.nf_conntrack_max = 1\n")

    def test_no_proc_sys_is_unsupported(self):
        sysctl.PROC = os.path.join(self.dir, "none")
        for call in (lambda: S.get("kernel.x"), lambda: S.present("kernel.x", 1)):
            with self.assertRaises(Unsupported):
                call()
        self.assertIsNone(self.file())


class Values(Case):
    def test_values_are_compared_by_their_fields(self):
        self.assertEqual(S.get("net.ipv4.tcp_rmem"), "4096 131072 6291456")
        self.file(b"net.ipv4.tcp_rmem=4096\t131072   6291456\n")
        for value in ("4096 131072 6291456", "4096\t131072\t6291456", " 4096  131072 6291456 "):
            self.assertFalse(S.present("net.ipv4.tcp_rmem", value).changed, value)
        result = self.twice("net.ipv4.tcp_rmem", "4096 131072 1")
        self.assertEqual(result.value, "4096 131072 1")
        self.assertIn("- net.ipv4.tcp_rmem = 4096 131072 6291456\n+ net.ipv4.tcp_rmem = 4096 131072 1\n", result.diff)

    def test_bad_values_are_refused(self):
        for value in ("", " ", "1\nkernel.x=1", "1\0", "1\r"):
            with self.assertRaises(ValueError, msg=repr(value)):
                S.present("net.ipv4.ip_forward", value)
        for value in (None, [1], b"1", 1.5):
            with self.assertRaises(TypeError, msg=repr(value)):
                S.present("net.ipv4.ip_forward", value)
        self.assertEqual((self.file(), self.kernel("net/ipv4/ip_forward")), (None, "0"))
        S.present("net.ipv4.ip_forward", True)
        self.assertEqual(self.kernel("net/ipv4/ip_forward"), "1")


class File(Case):
    def test_comments_lines_with_semicolons_and_the_order_stay(self):
        text = (
            b"# routers\n; net.ipv4.ip_forward = 7\n\n-net.ipv4.ip_forward=0\n  net/ipv4/ip_forward =  0  \n"
            b"vm.swappiness = 10 # a part of the value\nnot a setting"
        )
        self.file(text)
        result = self.twice("net.ipv4.ip_forward", "1")
        self.assertEqual(self.file(), text.replace(b"ip_forward =  0  ", b"ip_forward =  1  "))
        self.assertIn("-  net/ipv4/ip_forward =  0  \n+  net/ipv4/ip_forward =  1  \n", result.diff)
        self.twice("net.ipv4.tcp_rmem", "1 2 3")
        self.assertTrue(self.file().endswith(b"not a setting\nnet.ipv4.tcp_rmem = 1 2 3\n"))

    def test_the_last_of_several_lines_counts(self):
        self.file(b"net.ipv4.ip_forward = 1\nnet.ipv4.ip_forward = 0\n")
        self.assertTrue(self.twice("net.ipv4.ip_forward", 1).changed)
        self.assertEqual(self.file(), b"net.ipv4.ip_forward = 1\nnet.ipv4.ip_forward = 1\n")

    def test_names_of_files_that_lead_elsewhere_are_refused(self):
        for name in ("../x.conf", "/etc/x.conf", "x", "a/b.conf", ".conf", ".x.conf", "-x.conf", "x.conf\n", "", None):
            for call in (
                lambda: S.present("net.ipv4.ip_forward", 1, name=name),
                lambda: S.absent("net.ipv4.ip_forward", name=name),
            ):
                with self.assertRaises(ValueError, msg=repr(name)):
                    call()
        self.assertEqual(sorted(os.listdir(self.dir)), ["proc", "sysctl.d"])
        self.assertEqual(self.kernel("net/ipv4/ip_forward"), "0")
        S.present("net.ipv4.ip_forward", 1, name="50-router.conf")
        self.assertEqual(os.listdir(sysctl.FOLDER), ["50-router.conf"])

    def test_a_folder_that_is_missing_is_made(self):
        os.rmdir(sysctl.FOLDER)
        self.assertTrue(self.twice("net.ipv4.ip_forward", 1).changed)

    def test_absent_removes_the_lines_and_leaves_the_kernel_alone(self):
        self.assertFalse(S.absent("net.ipv4.ip_forward").changed)
        self.assertIsNone(self.file())
        self.file(b"# kept\nnet.ipv4.ip_forward = 1\nvm.x = 1\nnet/ipv4/ip_forward=2\n")
        checked = S.absent("net.ipv4.ip_forward", check=True)
        result = S.absent("net.ipv4.ip_forward")
        self.assertEqual(checked, result)
        self.assertEqual((result.changed, result.value), (True, "0"))
        self.assertEqual(self.file(), b"# kept\nvm.x = 1\n")
        self.assertFalse(S.absent("net.ipv4.ip_forward").changed)
        self.assertIsNone(S.absent("gone.from.kernel").value)


class Whole(Case):
    def test_converge_tells_each_key_and_a_key_given_twice_is_refused(self):
        params = {"net.ipv4.ip_forward": 1, "net.ipv4.tcp_rmem": "4096 131072 6291456", "net.ipv4.conf.eth0/100.forwarding": 0}
        self.file(b"net.ipv4.tcp_rmem = 4096 131072 6291456\n")
        checked = S.converge(params, check=True)
        results = S.converge(params)
        self.assertEqual(checked, results)
        self.assertEqual([result.changed for result in results], [True, False, True])
        self.assertNotIn("eth0", results[0].diff)
        self.assertIn("+net.ipv4.conf.eth0/100.forwarding = 0", results[2].diff)
        self.assertFalse(any(result.changed for result in S.converge(params)))
        with self.assertRaises(ValueError):
            S.converge({"net.ipv4.ip_forward": 1, "net/ipv4/ip_forward": 0})
        self.assertEqual(S.converge({}), [])

    def test_only_one_of_both(self):
        S.present("net.ipv4.ip_forward", 1, persist=False)
        self.assertEqual((self.file(), self.kernel("net/ipv4/ip_forward")), (None, "1"))
        result = S.present("net.ipv4.ip_forward", 0, runtime=False)
        self.assertEqual((result.value, self.kernel("net/ipv4/ip_forward")), ("1", "1"))
        self.assertEqual(self.file(), b"net.ipv4.ip_forward = 0\n")
        with self.assertRaises(ValueError):
            S.present("net.ipv4.ip_forward", 0, runtime=False, persist=False)

    def test_what_was_set_is_set_back_when_the_file_cannot_be_written(self):
        def fails(path, edit):
            raise OSError(28, "No space left on device", path)

        self.addCleanup(setattr, sysctl, "_persist", sysctl._persist)
        sysctl._persist = fails
        with self.assertRaises(sysctl.SysctlError) as caught:
            S.present("net.ipv4.ip_forward", 1)
        for part in ("No space left", "net.ipv4.ip_forward was set back to 0", "99-rmote.conf is as before"):
            self.assertIn(part, str(caught.exception))
        self.assertEqual(self.kernel("net/ipv4/ip_forward"), "0")

    def test_a_key_that_nobody_may_set_is_an_error_before_anything_is_written(self):
        os.chmod(os.path.join(sysctl.PROC, "net/ipv4/ip_forward"), 0o444)
        for check in (True, False):
            with self.assertRaises(PermissionError):
                S.converge({"net.ipv4.tcp_rmem": "1 2 3", "net.ipv4.ip_forward": 1}, check=check)
        self.assertEqual((self.file(), self.kernel("net/ipv4/tcp_rmem")), (None, "4096\t131072\t6291456"))


if __name__ == "__main__":
    unittest.main()
