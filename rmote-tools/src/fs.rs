//! Files of the host.

use std::path::Path;

use bytes::Bytes;
use rmote_client::HostPath;
use serde::{Deserialize, Serialize, Serializer};

use crate::change::Change;
use crate::content::Content;
use crate::copy::Transfer;
use crate::local_template::{LocalTemplate, TemplateError};
use crate::values::Values;

crate::tool! {
    /// Reads, writes and looks at files of the host.
    ///
    /// What changes something is idempotent and says whether it did. Files are replaced as a whole: written beside the
    /// old one, synced, renamed; where that cannot be (a bind mount) they are written in place, and
    /// [`Change::in_place`] says so.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rmote_tools::{FileSystem, Local, Session, WriteOptions};
    ///
    /// let host = Session::connect(Local::new()).await?;
    /// let fs = FileSystem::new(&host);
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("motd");
    /// # let path = path.to_str().unwrap();
    /// let change = fs.write_with(path, "welcome\n", WriteOptions::new().mode(0o600_u32)).await?;
    /// assert!(change.changed);
    /// assert_eq!(fs.read_str(path).await?, "welcome\n");
    /// assert!(!fs.write(path, "welcome\n").await?.changed);
    /// # Ok(()) }
    /// ```
    ///
    /// # Command line
    ///
    /// ```sh
    /// rmote-cli call web01 FileSystem.read_str /etc/hostname
    /// rmote-cli call web01 FileSystem.line_in_file /etc/hosts '10.0.0.7 db' regexp='\sdb$' check=true
    /// rmote-cli call web01 FileSystem.write /etc/motd Welcome mode=644 backup=true
    /// ```
    pub struct FileSystem = &crate::python::FILE_SYSTEM;

    /// Reads a file as bytes.
    [idempotent] fn read_bytes(path: HostPath) -> Bytes, read_bytes_with(ReadOptions);

    /// Reads a file as text. Line ends stay as they are.
    [idempotent] fn read_str(path: HostPath) -> String, read_str_with(TextOptions);

    /// Lists the paths below a directory that match a pattern, sorted.
    ///
    /// `*` and `?` match dot files too, `**` is any number of directories and follows no symbolic links. A directory
    /// that is missing has no matches; an absolute pattern is an error.
    [idempotent] fn glob(path: HostPath, pattern: String) -> Vec<HostPath>;

    /// Makes sure that a line is in a file.
    fn line_in_file(path: HostPath, line: String) -> Change, line_in_file_with(LineOptions);

    /// Makes sure that a file has this content.
    fn write(path: HostPath, content: Content) -> Change, write_with(WriteOptions);

    /// Makes sure that a directory exists.
    fn directory(path: HostPath) -> Change, directory_with(DirectoryOptions);

    /// Makes sure that a symbolic link exists and points to the target.
    fn symlink(path: HostPath, target: HostPath) -> Change, symlink_with(SymlinkOptions);

    /// Makes sure that nothing exists at a path.
    fn absent(path: HostPath) -> Change, absent_with(AbsentOptions);

    /// Looks at a path. One that does not exist is no error: [`Stat::exists`] says so.
    [idempotent] fn stat(path: HostPath) -> Stat, stat_with(StatOptions);
}

impl FileSystem {
    /// Makes sure that a file holds what a template renders to: here, so that of the values the host sees no more.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rmote_tools::{FileSystem, Local, LocalTemplate, Secret, Session, Values, WriteOptions};
    ///
    /// let host = Session::connect(Local::new()).await?;
    /// let fs = FileSystem::new(&host);
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("app.conf");
    /// # let path = path.as_path();
    /// let template = LocalTemplate::new("user = {{ user }}\npassword = {{ password }}\n")?;
    /// let values = Values::new().set("user", &"shop").set("password", &Secret::from("hunter2"));
    /// let options = WriteOptions::new().mode(0o600_u32).secret(true);
    /// let change = fs.template_with(&template, path, values.clone(), options.clone()).await?;
    /// assert!(change.changed && !change.diff.contains("hunter2"));
    /// assert!(!fs.template_with(&template, path, values, options).await?.changed);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The template failed, and nothing was asked of the host; or the host could not write the file.
    ///
    /// # Cancel safety
    ///
    /// As that of [`write`](Self::write).
    pub async fn template(
        &self,
        template: &LocalTemplate,
        path: impl Into<HostPath>,
        values: impl Into<Values>,
    ) -> Result<Change, TemplateError> {
        let options = WriteOptions::new();
        self.template_with(template, path, values, options).await
    }

    /// [`template`](Self::template), with options. `secret` also withholds what errors of the template say of the values.
    ///
    /// # Errors
    ///
    /// The template failed, and nothing was asked of the host; or the host could not write the file.
    ///
    /// # Cancel safety
    ///
    /// As that of [`write`](Self::write).
    pub async fn template_with(
        &self,
        template: &LocalTemplate,
        path: impl Into<HostPath>,
        values: impl Into<Values>,
        options: WriteOptions,
    ) -> Result<Change, TemplateError> {
        let text = if options.secret == Some(true) {
            template.clone().secret(true).render(values)?
        } else {
            template.render(values)?
        };
        Ok(self.write_with(path, text, options).await?)
    }

    /// Copies a file or a tree of this machine to the host. See [`Transfer`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rmote_tools::{FileSystem, Local, Session};
    ///
    /// let host = Session::connect(Local::new()).await?;
    /// let fs = FileSystem::new(&host);
    /// # let dir = tempfile::tempdir()?;
    /// # let remote = dir.path().join("tools");
    /// # let remote = remote.as_path();
    /// let summary = fs.copy_to("src", remote).exclude("*.tmp").delete(true).run().await?;
    /// assert!(summary.files > 0);
    /// # Ok(()) }
    /// ```
    pub fn copy_to(&self, local: impl AsRef<Path>, remote: impl Into<HostPath>) -> Transfer {
        Transfer::new(
            self.tool.session().clone(),
            true,
            local.as_ref(),
            remote.into(),
        )
    }

    /// Copies a file or a tree of the host to this machine. See [`Transfer`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rmote_tools::{FileSystem, Local, Session};
    ///
    /// let host = Session::connect(Local::new()).await?;
    /// let fs = FileSystem::new(&host);
    /// # let dir = tempfile::tempdir()?;
    /// # let local = dir.path();
    /// let summary = fs.copy_from("/etc/passwd", local).into_directory(true).run().await?;
    /// assert_eq!(summary.files, 1);
    /// # Ok(()) }
    /// ```
    pub fn copy_from(&self, remote: impl Into<HostPath>, local: impl AsRef<Path>) -> Transfer {
        Transfer::new(
            self.tool.session().clone(),
            false,
            local.as_ref(),
            remote.into(),
        )
    }
}

crate::options! {
    /// Which part of a file to read.
    pub struct ReadOptions {
        /// The first byte; defaults to 0.
        offset: u64,
        /// How many bytes at most; defaults to all.
        length: u64,
    }
}

crate::options! {
    /// How to read a text.
    pub struct TextOptions {
        /// The encoding, as Python names it; defaults to `utf-8`.
        encoding: String,
    }
}

crate::options! {
    /// How to make sure of a line.
    pub struct LineOptions {
        /// A regular expression of Python's: a line in which it is found becomes the new line.
        regexp: String,
        /// Whether white space around lines is ignored when they are compared; defaults to no.
        strip: bool,
        /// Whether a missing file is made; defaults to no, an error.
        create: bool,
        /// Which of several lines that match is replaced; defaults to the first.
        which = "match": Match,
        /// The mode of the file; defaults to that of the file that is there, 0o644 less the umask for a new one.
        mode: u32,
        /// The owner, a name or a number; defaults to that of the file that is there.
        owner: String,
        /// The group, a name or a number; defaults to that of the file that is there.
        group: String,
        /// Whether the old file is kept beside the new one; defaults to no.
        backup: bool,
        /// A command that must accept the new file before it takes its place, `{}` being its path.
        validate: String,
        /// Whether only to say what would change; defaults to no.
        check: bool,
        /// Whether the diff is withheld; defaults to no.
        secret: bool,
    }
}

crate::options! {
    /// How to write a file.
    pub struct WriteOptions {
        /// The mode of the file; defaults to that of the file that is there, 0o644 less the umask for a new one.
        mode: u32,
        /// The owner, a name or a number; defaults to that of the file that is there.
        owner: String,
        /// The group, a name or a number; defaults to that of the file that is there.
        group: String,
        /// Whether the old file is kept beside the new one; defaults to no.
        backup: bool,
        /// A command that must accept the new file before it takes its place, `{}` being its path.
        validate: String,
        /// Whether only to say what would change; defaults to no.
        check: bool,
        /// Whether the diff is withheld; defaults to no.
        secret: bool,
    }
}

crate::options! {
    /// How to make a directory.
    pub struct DirectoryOptions {
        /// The mode; defaults to that of the directory that is there, 0o755 less the umask for a new one.
        mode: u32,
        /// The owner, a name or a number; defaults to that of the directory that is there.
        owner: String,
        /// The group, a name or a number; defaults to that of the directory that is there.
        group: String,
        /// Whether missing parents are made; defaults to yes.
        parents: bool,
        /// Whether only to say what would change; defaults to no.
        check: bool,
    }
}

crate::options! {
    /// How to make a symbolic link.
    pub struct SymlinkOptions {
        /// Whether a file or another link in its place is replaced; defaults to no, an error.
        force: bool,
        /// Whether only to say what would change; defaults to no.
        check: bool,
    }
}

crate::options! {
    /// How to remove.
    pub struct AbsentOptions {
        /// Whether a directory is removed with all that is in it; defaults to no, an error.
        recursive: bool,
        /// Whether only to say what would change; defaults to no.
        check: bool,
    }
}

crate::options! {
    /// How to look at a path.
    pub struct StatOptions {
        /// Whether to look at what a symbolic link points to; defaults to no.
        follow: bool,
    }
}

/// Which of several lines that match is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Match {
    /// Every line.
    All,
    /// The first line, unless the wanted one is there already.
    First,
}

impl Serialize for Match {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::All => "all",
            Self::First => "first",
        })
    }
}

/// What is known of a path.
#[expect(
    clippy::struct_excessive_bools,
    reason = "it is what stat tells, not a state"
)]
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Stat {
    /// The path that was asked for.
    pub path: HostPath,
    /// Whether anything is there. If not, all else is zero and empty.
    pub exists: bool,
    /// The size in bytes.
    pub size: u64,
    /// The permission bits, such as `0o644`.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// When its content last changed, in seconds since 1970.
    pub mtime: f64,
    /// Whether it is a regular file.
    pub is_file: bool,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Whether it is a symbolic link.
    pub is_symlink: bool,
    /// Where it points, if it is a symbolic link.
    pub link_target: Option<HostPath>,
}
