# Stands before the loader in a bootstrap that was compiled for one build of Python, and gives the loader a `compile` that
# knows what was compiled. Another build, as after an upgrade, compiles the sources, which are there too.
def unpack():
    import marshal
    import sys
    import zlib
    from builtins import compile as make
    global blob, compile
    _, version, size, blob = blob.split(b"\0", 3)
    codes = marshal.loads(blob[int(size):]) if version == sys.version.encode() else {}
    blob = blob[:int(size)]

    def compile(source, file, *how):
        code = codes.pop((file, zlib.crc32(source)), None)
        return marshal.loads(code) if code else make(source, file, *how)


unpack()
exec(compile(blob[:blob.index(b"\0")], "rmote/loader.py", "exec"), globals())
