"""Homes of users: made whole, and entered without following what their users put there."""
import errno
import os
import stat

from rmote.tools.edit import NEW, TEMP

SKELETON = "/etc/skel"
LOGIN_DEFS = "/etc/login.defs"
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def enter(name, path, directory=None):
    """The handle of a directory that is no symbolic link; `path` is what errors call it."""
    try:
        return os.open(name, DIRECTORY, dir_fd=directory)
    except OSError as e:
        if e.errno in (errno.ELOOP, errno.ENOTDIR):
            raise OSError(e.errno, "refused: it is a symbolic link or no directory", path) from None
        raise OSError(e.errno, e.strerror, path) from None


def make_directory(name, path, directory):
    """Makes a directory, still ours alone, and enters it."""
    os.mkdir(name, 0o700, dir_fd=directory)
    fd = enter(name, path, directory)
    st = os.fstat(fd)
    # Whoever owns the directory around it can put another one in its place.
    if st.st_uid != os.geteuid() or stat.S_IMODE(st.st_mode) & 0o077 or os.listdir(fd):
        os.close(fd)
        raise OSError(errno.EEXIST, "refused: another directory has taken its place", path)
    return fd


def default_mode():
    """The mode of new homes on this host."""
    values = {}
    try:
        with open(LOGIN_DEFS, "rb") as file:
            for line in file.read().decode("utf-8", "replace").split("\n"):
                words = line.split()
                if len(words) == 2:
                    values[words[0]] = words[1]
    except FileNotFoundError:
        pass
    return int(values["HOME_MODE"], 8) if "HOME_MODE" in values else 0o777 & ~int(values.get("UMASK", "022"), 8)


def make(user, umask=None):
    """Makes a user's home with what the skeleton has; it is there as a whole or not at all."""
    parent, name = os.path.split(user.home)
    _make_parents(parent)
    around = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    temp = TEMP + os.urandom(8).hex()
    try:
        fd = make_directory(temp, user.home, around)
        try:
            if os.path.isdir(SKELETON):
                _copy(SKELETON, fd, user)
            os.fchown(fd, user.uid, user.gid)
            os.fchmod(fd, default_mode() if umask is None else 0o777 & ~umask)
            os.rename(temp, name, src_dir_fd=around, dst_dir_fd=around)
        except BaseException:
            _empty(fd)
            os.rmdir(temp, dir_fd=around)
            raise
        finally:
            os.close(fd)
    except OSError as e:
        raise OSError(e.errno, e.strerror, user.home) from None
    finally:
        os.close(around)
    _label(user.home)


def _make_parents(path):
    if not os.path.isdir(path):
        _make_parents(os.path.dirname(path))
        os.mkdir(path)
        # Whatever the agent's umask is: users have to pass through.
        os.chmod(path, 0o755)


def _copy(source, target, user):
    for name in os.listdir(source):
        path = os.path.join(source, name)
        st = os.lstat(path)
        if stat.S_ISLNK(st.st_mode):
            os.symlink(os.readlink(path), name, dir_fd=target)
            os.chown(name, user.uid, user.gid, dir_fd=target, follow_symlinks=False)
            continue
        if stat.S_ISDIR(st.st_mode):
            fd = make_directory(name, path, target)
        elif stat.S_ISREG(st.st_mode):
            fd = os.open(name, NEW, 0o600, dir_fd=target)
        else:
            continue
        try:
            if stat.S_ISDIR(st.st_mode):
                _copy(path, fd, user)
            else:
                with open(path, "rb") as old, open(fd, "wb", closefd=False) as new:
                    new.write(old.read())
            os.fchown(fd, user.uid, user.gid)
            os.fchmod(fd, stat.S_IMODE(st.st_mode))
        finally:
            os.close(fd)


def _empty(directory):
    """Removes what was made of a home."""
    for name in os.listdir(directory):
        if not stat.S_ISDIR(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=directory)
            continue
        fd = enter(name, name, directory)
        try:
            _empty(fd)
        finally:
            os.close(fd)
        os.rmdir(name, dir_fd=directory)


def _label(path):
    """Gives a new home its security labels, on a host that has them."""
    from rmote.tools import program

    if os.path.exists("/sys/fs/selinux/enforce") and program.find("restorecon"):
        program.run("restorecon", "-RF", "--", path)
