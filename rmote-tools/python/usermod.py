"""What has to be changed of a user, and how the host's own tools are told."""
import os

from rmote.tools import accounts, homes, program


class Plan:
    """The way from a user as it is, or None, to what is wanted: a diff, and steps to be done in order.

    Making it changes nothing and finds all mistakes that can be found. What is wanted is None where nothing is.
    """

    def __init__(self, name, system):
        self.name, self.system = name, system
        self.old = accounts.user(name)
        self.now = dict(vars(self.old)) if self.old else {"uid": None, "gid": None, "comment": ""}
        self.argv, self.steps = [], []
        self.diff = "" if self.old else "+ user %s\n" % name
        if not self.old:
            self.useradd = program.need("useradd", "users are made with it")
            defaults = dict(line.partition("=")[::2] for line in program.output(self.useradd, "-D").split("\n"))
            self.now["home"] = os.path.join(defaults.get("HOME", "/home"), name)
            self.now["shell"] = defaults.get("SHELL", "")

    def changes(self, what, old, new):
        for mark, value in ("-", old), ("+", new):
            if value is not None and (mark == "+" or self.old):
                self.diff += ("%s %s %s" % (mark, what, value)).rstrip() + "\n"

    def attribute(self, what, flag, new):
        old = self.now[what]
        if new is not None and (not self.old or new != old):
            self.changes(what, old, new)
            self.argv += [flag, str(new)]
            self.now[what] = new

    def uid(self, uid):
        import pwd

        if uid not in (None, self.now["uid"]):
            try:
                raise ValueError("uid %d is that of user %s" % (uid, pwd.getpwuid(uid).pw_name))
            except KeyError:
                pass
        self.attribute("uid", "-u", uid)

    def gid(self, gid):
        if gid is None and not self.old:
            # Else useradd would refuse to make the group of that name.
            own = accounts.group(self.name)
            gid = own and own.gid
        self.attribute("gid", "-g", gid)

    def groups(self, names, append):
        """The further groups; the primary one is not missing among them."""
        if names is None:
            return
        wanted = set()
        for name in names:
            group = accounts.group(accounts.check_name("group", name))
            if not group:
                raise LookupError("no such group: %s" % name)
            if group.gid != self.now["gid"]:
                wanted.add(name)
        old = {group.name for group in accounts.groups() if self.name in group.members and group.gid != self.now["gid"]}
        new = old | wanted if append else wanted
        if new != old or wanted and not self.old:
            self.changes("groups", ",".join(sorted(old)), ",".join(sorted(new)))
            self.argv += ["-a"] * bool(self.old and append) + ["-G", ",".join(sorted(wanted))]

    def shadow(self, password, locked, day):
        """Password, lock and end. A hash goes to a standard input; what shows is only whether it is another."""
        if (password, locked, day) == (None, None, None):
            return
        field, ends = accounts.shadow(self.name) if self.old else ("!", None)
        if day not in (None, ends):
            self.changes("expires", ends and accounts.date_of(ends), accounts.date_of(day))
            self.argv += ["-e", str(day) if day > 0 else ""]
        new = field_of(field, password, locked)
        if new == field:
            return
        if new.lstrip("!") != field.lstrip("!"):
            self.changes("password", "(hidden)", "(hidden)")
        if self.old and (new[:1] == "!") != (field[:1] == "!"):
            self.diff += "%s locked\n" % "-+"[new[:1] == "!"]
        # Not by chpasswd where it can be: the password would count as a new one.
        if self.old and new == "!" + field:
            self.argv.append("-L")
        elif self.old and field == "!" + new:
            self.argv.append("-U")
        else:
            chpasswd = program.need("chpasswd", "passwords are set with it")
            line = "%s:%s\n" % (self.name, new)
            self.steps.append(("password set", lambda: accounts.run(self.name, chpasswd, "-e", input=line)))

    def home(self, home, create, move, umask):
        there = self.now["home"]
        moved = bool(move and self.old and home not in (None, there))
        self.attribute("home", "-d", home)
        self.argv += ["-m"] * moved
        home = self.now["home"]
        if create is None:
            create = not self.old and not self.system
        if create and not os.path.isdir(home) and not (moved and os.path.isdir(there)):
            self.diff += "+ %s/\n" % home
            self.steps.append(("home made", lambda: homes.make(accounts.user(self.name), umask)))

    def run(self):
        """Does it: first that one command which makes or changes the user."""
        if not self.old:
            argv = [self.useradd, "--no-create-home"] + ["--system"] * self.system + self.argv
            self.steps.insert(0, ("user made", lambda: program.run(*argv + ["--", self.name])))
        elif self.argv:
            argv = [program.need("usermod", "users are changed with it")] + self.argv
            self.steps.insert(0, ("user changed", lambda: accounts.run(self.name, *argv + ["--", self.name])))
        accounts.run_steps(self.steps)
        self.now = vars(accounts.user(self.name))


def field_of(field, password, locked):
    """The password field as it is wanted: `!` before it locks, `*` is opened by no password."""
    bare = field.lstrip("!")
    lock = field[:1] == "!" if locked is None else locked
    if password is not None:
        # One that had none was not locked by anybody.
        if locked is None and bare in ("", "*"):
            lock = False
        bare = password
    elif lock == (field[:1] == "!"):
        return field
    elif not lock and not bare:
        bare = "*"
    return "!" + bare if lock else bare
