"""Opens a TUN device as a given descriptor, and becomes a command: DESCRIPTOR DEVICE COMMAND...

In Python since the request for the device needs an ioctl, for which Rust has no safe call.
"""
import fcntl
import os
import struct
import sys

TUNSETIFF = 0x400454CA
IFF_TUN_WITHOUT_HEADER = 0x0001 | 0x1000

device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", sys.argv[2].encode(), IFF_TUN_WITHOUT_HEADER))
os.dup2(device, int(sys.argv[1]))
os.execvp(sys.argv[3], sys.argv[3:])
