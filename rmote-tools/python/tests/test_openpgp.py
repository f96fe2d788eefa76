import base64
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load

openpgp = load("openpgp")
KEY = """-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawPbZhYJKwYBBAHaRw8BAQdAnfkViVFK1Ed+u8yuzi7eVrk692VELwbtHViR
lxSEcuC0F1Rlc3QgPHRlc3RAZXhhbXBsZS5vcmc+iJAEExYIADgWIQQODqJ2mLOE
42jBoPKj5iUooLUpQAUCawPbZgIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAK
CRCj5iUooLUpQDsuAQC7DtypqB70e/ssr8mPNt7aB6t23i0+bcAawC9OwTKnlQD/
Tq9ApU6NXCEb6tB9YK0dhiD4jRhTrEtXtyiGjbujrw0=
=PmLl
-----END PGP PUBLIC KEY BLOCK-----
"""


def binary():
    """The key without its armour and checksum."""
    return base64.b64decode("".join(KEY.split("\n")[2:-3]))


class PublicKey(unittest.TestCase):
    def test_both_forms(self):
        self.assertEqual(openpgp.public_key(KEY), (KEY.encode(), ".asc"))
        self.assertEqual(openpgp.public_key(KEY.encode()), (KEY.encode(), ".asc"))
        self.assertEqual(openpgp.public_key(binary()), (binary(), ".gpg"))
        self.assertEqual(openpgp.public_key(bytearray(binary() * 2)), (binary() * 2, ".gpg"))
        self.assertEqual(openpgp.packets(binary()), [6, 13, 2])

    def test_armour_is_made_plain(self):
        for text in (KEY.replace("\n", "\r\n"), "\n\n" + KEY + "\n", "\ufeff" + KEY, KEY.replace("\n\n", "\n  \n"), KEY[:-1]):
            self.assertEqual(openpgp.public_key(text), (KEY.encode(), ".asc"))
        # Newer programs leave the checksum out.
        lines = KEY.split("\n")
        plain = "\n".join(lines[:-3] + lines[-2:])
        self.assertEqual(openpgp.public_key(plain), (plain.encode(), ".asc"))

    def test_every_cut_is_found(self):
        whole = binary()
        ends = []
        for end in range(len(whole)):
            try:
                openpgp.public_key(whole[:end])
                ends.append(end)
            except ValueError:
                pass
        # Between packets nothing is missing that a program could see.
        self.assertEqual(ends, [2 + whole[1], 2 + whole[1] + 2 + whole[3 + whole[1]]])

    def test_every_changed_letter_of_armour_is_found(self):
        start = KEY.index("\n\n") + 2
        for at in range(start, KEY.index("=", start)):
            if KEY[at] != "\n":
                letter = "A" if KEY[at] != "A" else "B"
                with self.assertRaises(ValueError, msg=at):
                    openpgp.public_key(KEY[:at] + letter + KEY[at + 1 :])

    def test_lengths_in_all_forms(self):
        for length, head in (
            (191, b"\xc6\xbf"),
            (192, b"\xc6\xc0\x00"),
            (8383, b"\xc6\xdf\xff"),
            (8384, b"\xc6\xff\x00\x00\x20\xc0"),
            (255, b"\x98\xff"),
            (256, b"\x99\x01\x00"),
            (256, b"\x9a\x00\x00\x01\x00"),
        ):
            data = head + b"\xff" * length
            self.assertEqual(openpgp.packets(data), [6])
            for wrong in (data[:-1], data + b"\xff", head[:1], head[:2]):
                with self.assertRaises(ValueError):
                    openpgp.packets(wrong)

    def test_other_packets(self):
        for data, said in (
            (b"", "cut short"),
            (b"text", "no public key"),
            (b"\x94\x00", "private key"),
            (b"\xc5\x00", "private key"),
            (b"\xc6\x00\xc7\x00", "private key"),
            (b"\xcd\x00", "no public key"),
            (b"\xc6\x00\xcb\x00", "no public key"),
            (b"\x9b\x00", "no public key"),
            (b"\xc6\xe1\x00\x00", "no public key"),
        ):
            with self.assertRaises(ValueError, msg=data) as caught:
                openpgp.public_key(data)
            self.assertIn(said, str(caught.exception))


if __name__ == "__main__":
    unittest.main()
