# What `python3 -c` runs first. Arguments: this text, the mark with its halves swapped, the size of what follows on
# standard input, the versions found so far, the text of -c, and the interpreters not yet tried. Python 2 must parse it.
# It travels as one shell word, each newline as a tilde: no tilde, quote, backslash or exclamation mark in here.
import os, sys
a = sys.argv
mark = a[2][16:] + a[2][:16]
def say(status, text, code):
    os.write(1, (mark + status + text + chr(10)).encode())
    os._exit(code)
v = sys.version_info
found = a[4] + "%d.%d.%d " % v[:3]
if v < (3, 6):
    if a[6:]:
        os.execvp(a[6], [a[6], "-ESsc", a[5], a[1], a[2], a[3], found] + a[5:6] + a[7:])
    say("O", found, 96)
if os.isatty(0):
    say("T", "", 95)
n = int(a[3])
b = b""
while len(b) < n:
    try:
        c = os.read(0, n - len(b))
    except BlockingIOError:
        import select
        select.select([0], [], [])
        continue
    if not c:
        say("E", "", 94)
    b += c
import zlib
b = zlib.decompress(b[7:])
m = type(sys)("rmote.loader")
m.blob = b
sys.modules[m.__name__] = m
os.write(1, (mark + "P").encode())
exec(compile(b[:b.index(b"%c" % 0)], "rmote/loader.py", "exec"), m.__dict__)
