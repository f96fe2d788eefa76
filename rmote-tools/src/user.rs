//! Users and groups of the host, their keys and their rules of sudo.

use rmote_client::HostPath;
use serde::Deserialize;

use crate::change::Change;
use crate::content::Secret;

crate::tool! {
    /// Makes, changes and removes users and groups, their keys and their rules of sudo.
    ///
    /// What is not given stays as it is: a second call with the same arguments changes nothing. Names are of ASCII
    /// letters, digits and `_.-`, and no numbers. A user or group that LDAP or another name service has, but not the
    /// host's own files, is a `LookupError` where it would be changed. What a host lacks (useradd, visudo) is
    /// [`Unsupported`](crate::CallErrorKind::Unsupported).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rmote_tools::{Docker, Session, SudoerOptions, User, UserOptions};
    ///
    /// let host = Session::connect(Docker::new("web")).await?;
    /// let user = User::new(&host);
    /// let options = UserOptions::new().shell("/bin/bash").groups(["adm".to_owned()]);
    /// let deploy = user.present_with("deploy", options).await?;
    /// println!("{:?} lives in {}", deploy.uid, deploy.home.display());
    ///
    /// let key = std::fs::read_to_string("id_ed25519.pub")?;
    /// user.authorized_key("deploy", key).await?;
    /// let rule = SudoerOptions::new().commands(["/usr/bin/systemctl restart nginx".to_owned()]);
    /// user.sudoer_with("deploy", rule).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Command line
    ///
    /// ```sh
    /// rmote-cli call web01 User.present deploy shell=/bin/bash groups=adm,www-data check=true
    /// rmote-cli call web01 User.authorized_key deploy "$(cat id_ed25519.pub)"
    /// rmote-cli call web01 User.sudoer deploy commands='/usr/bin/systemctl restart nginx'
    /// rmote-cli call web01 User.absent deploy remove_home=true
    /// ```
    pub struct User = &crate::python::USER;

    /// Makes sure that a user exists, with what is given.
    ///
    /// A new one gets what `useradd` has as defaults, the group of its name as its primary one, and a home unless it
    /// is a system user. Of one that exists, all that differs is changed by one `usermod`. While it has processes, its
    /// number and home cannot be changed: an `OSError` with `EBUSY`, which names them.
    ///
    /// On hosts with SELinux a new home is labelled by `restorecon`; that was not tried on a real one.
    fn present(name: String) -> UserResult, present_with(UserOptions);

    /// Makes sure that there is no such user.
    ///
    /// The group of the same name goes too when nobody else is in it. Root is refused, and so is a user that has
    /// processes: an `OSError` with `EBUSY`, which names them.
    fn absent(name: String) -> Change, absent_with(UserAbsentOptions);

    /// Makes sure that a group exists, with the number that is given.
    ///
    /// When that changes, users keep the group as their primary one, and files keep the old number.
    fn group_present(name: String) -> GroupResult, group_present_with(GroupOptions);

    /// Makes sure that there is no such group; the primary group of a user is refused.
    fn group_absent(name: String) -> Change, group_absent_with(GroupAbsentOptions);

    /// Makes sure that a key may log in as a user.
    ///
    /// The key is one line of `~/.ssh/authorized_keys`: options, type, base64, comment. It is the same as another if
    /// type and base64 are: then it is not added, its comment stays, and its options stay unless some are given.
    ///
    /// Nothing that the user may have put there is followed: home, `.ssh` and the file must be no symbolic links and
    /// belong to nobody else. They get the modes 0700 and 0600.
    fn authorized_key(name: String, key: String) -> Change, authorized_key_with(AuthorizedKeyOptions);

    /// Makes these keys the only ones that may log in as a user, as [`authorized_key`](Self::authorized_key) does
    /// with one.
    fn authorized_keys(name: String, keys: Vec<String>) -> Change, authorized_keys_with(AuthorizedKeysOptions);

    /// Makes sure of a rule of sudo for a user, or a group `%name`: the file of that name in `/etc/sudoers.d`.
    ///
    /// It is checked by `visudo` where sudo does not read it, and takes its place as a whole. A name that sudo would
    /// skip as a file (with a dot) or read as something else (`ALL`) is refused.
    fn sudoer(name: String) -> Change, sudoer_with(SudoerOptions);
}

crate::options! {
    /// What a user is to be like.
    pub struct UserOptions {
        /// The number; defaults to the one it has, the next free one for a new user.
        uid: u32,
        /// The primary group, a name or a number; defaults to the one it has, that of its name for a new user.
        gid: String,
        /// The comment, such as a full name; defaults to the one it has.
        comment: String,
        /// The home; defaults to the one it has.
        home: HostPath,
        /// The shell; defaults to the one it has, to that of `useradd` for a new user.
        shell: HostPath,
        /// The further groups that it is to be in, which must exist; the primary one may be among them.
        groups: Vec<String>,
        /// Whether it stays in other groups, too; defaults to yes.
        append_groups: bool,
        /// Whether a new user is a system user; defaults to no.
        system: bool,
        /// Whether a missing home is made from the skeleton; defaults to yes for new users that are no system users.
        create_home: bool,
        /// Whether the old home is moved to the new one; defaults to no.
        move_home: bool,
        /// The password as a crypt hash, or `*` for none; defaults to the one it has, none for a new user.
        password: Secret,
        /// Whether no password is accepted; keys still are. Defaults to what it is.
        locked: bool,
        /// The last day of the account as YYYY-MM-DD, or `never`; defaults to the one it has.
        expires: String,
        /// What the mode of a home made now leaves out, such as `0o077`; defaults to what the host has.
        umask: u32,
        /// Whether only to say what would change; defaults to no.
        check: bool,
    }
}

crate::options! {
    /// How to remove a user.
    pub struct UserAbsentOptions {
        /// Whether home and mail are removed with all that is in them; defaults to no.
        remove_home: bool,
        /// Whether only to say what would change; defaults to no.
        check: bool,
    }
}

crate::options! {
    /// What a group is to be like.
    pub struct GroupOptions {
        /// The number; defaults to the one it has, the next free one for a new group.
        gid: u32,
        /// Whether a new group is a system group; defaults to no.
        system: bool,
        /// Whether only to say what would change; defaults to no.
        check: bool,
    }
}

crate::options! {
    /// How to remove a group.
    pub struct GroupAbsentOptions {
        /// Whether only to say what would change; defaults to no.
        check: bool,
    }
}

crate::options! {
    /// How to edit a user's keys.
    pub struct AuthorizedKeyOptions {
        /// Whether all other keys are removed; defaults to no.
        exclusive: bool,
        /// Whether the key is removed instead; defaults to no.
        absent: bool,
        /// Whether only to say what would change; defaults to no.
        check: bool,
    }
}

crate::options! {
    /// How to replace a user's keys.
    pub struct AuthorizedKeysOptions {
        /// Whether only to say what would change; defaults to no.
        check: bool,
    }
}

crate::options! {
    /// What a rule of sudo allows.
    pub struct SudoerOptions {
        /// Whether no password is asked for; defaults to yes.
        nopasswd: bool,
        /// The commands, absolute paths: alone with any arguments, with exactly those that follow, or with none where
        /// `""` follows. Wildcards are refused. Defaults to all commands.
        commands: Vec<String>,
        /// As whom they run: `user`, `user:group`, `:group`; defaults to any user.
        runas: String,
        /// Whether the rule is removed instead; defaults to no.
        absent: bool,
        /// Whether only to say what would change; defaults to no.
        check: bool,
    }
}

/// A user as it is now, or with `check` would be.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct UserResult {
    /// The name.
    pub name: String,
    /// Whether anything is different now.
    pub changed: bool,
    /// What, as lines of a diff; a password is hidden.
    pub diff: String,
    /// The number; none for a user that `check` did not make.
    pub uid: Option<u32>,
    /// The number of the primary group; none for one that `check` did not make.
    pub gid: Option<u32>,
    /// The home, whether it is there or not.
    pub home: HostPath,
    /// The shell; empty where the host leaves it to login.
    pub shell: HostPath,
}

/// A group as it is now, or with `check` would be.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct GroupResult {
    /// The name.
    pub name: String,
    /// Whether anything is different now.
    pub changed: bool,
    /// What, as lines of a diff.
    pub diff: String,
    /// The number; none for a group that `check` did not make.
    pub gid: Option<u32>,
}
