# Compiles the agent for the interpreter that runs this, which is given to it as `-c` text. Arguments: what stands before the
# loader in a compiled bootstrap, the size of the plain bootstrap, and which modules of the rest are compiled with it. On
# standard input: that bootstrap, and the rest of the agent. On standard output: the compiled bootstrap.
import marshal
import sys
import zlib

first, size, wanted = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
given = sys.stdin.buffer.read()
core, rest = zlib.decompress(given[7:size]), zlib.decompress(given[size:]).split(b"\0")
parts = [b"rmote.loader", *core.split(b"\0")]
for name, source in zip(rest[::2], rest[1::2]):
    if name.decode() in wanted:
        parts += name, source
codes = {}
for name, source in zip(parts[::2], parts[1::2]):
    file = name.decode().replace(".", "/") + ".py"
    codes[file, zlib.crc32(source)] = marshal.dumps(compile(source, file, "exec", 0, True))
head = "%s\0%s\0%d\0" % (first, sys.version, len(core))
sys.stdout.buffer.write(b"#rmote\n" + zlib.compress(head.encode() + core + marshal.dumps(codes), 1))
