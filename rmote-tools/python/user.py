"""Users and groups of the host, the keys that log in as them, and what they may do with sudo."""
import errno

from rmote.tools import accounts, authorized_keys, program, sudoers
from rmote.tools.edit import record
from rmote.tools.usermod import Plan
from rmote.values import Record


def _result(kind, name, diff, fields):
    done = record(diff)
    return Record(kind, name=name, changed=done.changed, diff=done.diff, **fields)


class User:
    """Makes, changes and removes users and groups, their keys and their rules of sudo.

    What is not given stays as it is. With `check` nothing is changed, and the answer is as it would be, as far as
    can be told. Names are of ASCII letters, digits and `_.-`, and no numbers. A user or group that LDAP or another
    name service has, but not this host's own files, is a `LookupError` where it would be changed. What a host lacks
    (useradd, visudo) is `Unsupported`.
    """

    @staticmethod
    def present(
        name,
        *,
        uid=None,
        gid=None,
        comment=None,
        home=None,
        shell=None,
        groups=None,
        append_groups=True,
        system=False,
        create_home=None,
        move_home=False,
        password=None,
        locked=None,
        expires=None,
        umask=None,
        check=False
    ):
        """Makes sure that a user exists, with what is given; what is not stays as it is, or as `useradd` has it.

        `gid` is the number or name of the primary group; without it a new user gets the group of its name. `groups`
        are further ones, which must exist: they are added, or without `append_groups` the only ones. `system` is
        for new users. With `create_home` a missing home is made from the skeleton, with a mode by `umask` or the
        host's default: by default for new users that are no system users. With `move_home` the old home is moved to
        `home`. `password` is a crypt hash and shown nowhere, or "*" for none; `locked` whether passwords are refused
        (keys are not); `expires` a date YYYY-MM-DD or "never".

        Gives a `UserResult`; with `check`, uid and gid of a new user are None unless given. While a user has
        processes, uid and home cannot be changed: an `OSError` with `EBUSY`, which names them. On a host with SELinux
        `restorecon` labels a new home; that was not tried on a real one.
        """
        accounts.check_name("user", name)
        if uid is not None:
            accounts.check_id("uid", uid)
        if comment is not None:
            accounts.check_text("comment", comment)
        home = None if home is None else accounts.check_path("home", home)
        shell = None if shell is None else accounts.check_path("shell", shell)
        accounts.check_list("groups", groups)
        accounts.check_hash(password)
        if umask is not None and not 0 <= umask <= 0o777:
            raise ValueError("umask %o is not between 0 and 777" % umask)
        day = None if expires is None else accounts.day_of(expires)

        plan = Plan(name, bool(system))
        plan.uid(uid)
        plan.gid(None if gid is None else accounts.gid_of(gid))
        plan.attribute("comment", "-c", comment)
        plan.attribute("shell", "-s", shell)
        plan.groups(groups, append_groups)
        plan.shadow(password, locked, day)
        plan.home(home, create_home, move_home, umask)
        if not check:
            plan.run()
        return _result("UserResult", name, plan.diff, {field: plan.now[field] for field in ("uid", "gid", "home", "shell")})

    @staticmethod
    def absent(name, *, remove_home=False, check=False):
        """Makes sure that there is no such user; with `remove_home` home and mail go too.

        The group of the same name goes when nobody else is in it. Root is refused. While the user has processes
        nothing is done: an `OSError` with `EBUSY`, which names them.
        """
        import os

        old = accounts.user(accounts.check_name("user", name))
        if not old:
            return record("")
        if not old.uid:
            raise ValueError("user %s is refused: it is root" % name)
        gone = remove_home and os.path.isdir(old.home)
        diff = "- user %s\n" % name + ("- %s/\n" % old.home if gone else "")
        userdel = program.need("userdel", "users are removed with it")
        if check:
            return record(diff)
        try:
            accounts.run(name, userdel, *["--remove"] * bool(remove_home) + ["--", name])
        except program.CommandFailed as e:
            # 12: it could not remove the home, or there was none.
            if e.returncode != 12 or accounts.user(name):
                raise
            if gone and os.path.isdir(old.home):
                raise RuntimeError("done: user %s removed; not done: home removed: %s" % (name, e)) from e
        return record(diff)

    @staticmethod
    def group_present(name, *, gid=None, system=False, check=False):
        """Makes sure that a group exists, with this number.

        When the number of a group changes, its users keep it as their primary one; files keep the old number.
        Gives a `GroupResult`; with `check`, the gid of a new group is None unless given.
        """
        import grp

        accounts.check_name("group", name)
        if gid is not None:
            accounts.check_id("gid", gid)
        old = accounts.group(name)
        now = old.gid if old else None
        if gid not in (None, now):
            try:
                raise ValueError("gid %d is that of group %s" % (gid, grp.getgrgid(gid).gr_name))
            except KeyError:
                pass
        diff = "" if old else "+ group %s\n" % name
        if gid not in (None, now):
            diff += ("- gid %d\n" % now if old else "") + "+ gid %d\n" % gid
        if diff:
            tool = program.need("groupmod" if old else "groupadd", "groups are made and changed with it")
            words = ["--gid", str(gid)] if gid is not None else []
            words += ["--system"] if system and not old else []
            if not check:
                program.run(tool, *words + ["--", name])
                gid = accounts.group(name).gid
        return _result("GroupResult", name, diff, {"gid": now if gid is None else gid})

    @staticmethod
    def group_absent(name, *, check=False):
        """Makes sure that there is no such group; the primary group of a user is refused."""
        old = accounts.group(accounts.check_name("group", name))
        if not old:
            return record("")
        if not old.gid:
            raise ValueError("group %s is refused: it is root's" % name)
        members = [user.name for user in accounts.users() if user.gid == old.gid]
        if members:
            raise OSError(errno.EBUSY, "group %s is the primary group of %s" % (name, ", ".join(members[:5])))
        groupdel = program.need("groupdel", "groups are removed with it")
        if not check:
            program.run(groupdel, "--", name)
        return record("- group %s\n" % name)

    @staticmethod
    def authorized_key(name, key, *, exclusive=False, absent=False, check=False):
        """Makes sure that a key may log in as a user, or with `absent` that it may not.

        `key` is one line of `~/.ssh/authorized_keys`: options, type, base64, comment. The same key is the one of the
        same type and base64: it is not added twice, its comment stays, its options stay unless some are given. With
        `exclusive` all others are removed; comments stay. The user must exist, in any name service.

        Neither home, `.ssh` nor the file may be a symbolic link or belong to another user. They get the modes 0700 and
        0600.
        """
        return authorized_keys.change(name, [key], exclusive, absent, check)

    @staticmethod
    def authorized_keys(name, keys, *, check=False):
        """Makes a list of keys the only ones that may log in as a user, as `authorized_key` does with one."""
        accounts.check_list("keys", keys)
        return authorized_keys.change(name, keys, exclusive=True, check_only=check)

    @staticmethod
    def sudoer(name, *, nopasswd=True, commands=None, runas=None, absent=False, check=False):
        """Makes sure of a rule of sudo for a user, or a group `%name`: the file of that name in `/etc/sudoers.d`.

        It allows all commands, or those of `commands`: absolute paths, alone with any arguments, with exactly those that
        follow, or with none where `""` follows. They mean themselves: wildcards are refused. They run as `runas`: a
        user, `user:group` or `:group`; default is any user. Names that sudo would skip or read as something else are
        refused, as is what visudo does not accept. With `absent` the file is removed.
        """
        return sudoers.change(name, nopasswd, commands, runas, absent, check)
