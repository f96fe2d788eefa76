//! A container of docker, podman or anything with the same command line.

use std::ffi::OsString;

use async_trait::async_trait;

use crate::child::spawn;
use crate::clean::clean_line;
use crate::error::SpawnError;
use crate::fault::Family;
use crate::link::{Link, Transport};
use crate::name::{NameKind, check_name};

/// Runs the program in a running container: `docker exec -i CONTAINER …`.
///
/// # Examples
///
/// ```
/// use rmote_transport::{Docker, Transport};
///
/// let database = Docker::new("test-db").user("postgres").env("PGAPPNAME", "audit");
/// assert_eq!(database.target(), "docker://postgres@test-db");
/// ```
#[derive(Debug, Clone)]
pub struct Docker {
    program: String,
    scheme: &'static str,
    container: String,
    user: Option<String>,
    workdir: Option<String>,
    env: Vec<(String, String)>,
}

impl Docker {
    /// A container by name or id. A bad name is reported by [`start`](Transport::start).
    pub fn new(container: impl Into<String>) -> Self {
        Self {
            program: "docker".into(),
            scheme: "docker",
            container: container.into(),
            user: None,
            workdir: None,
            env: Vec::new(),
        }
    }

    /// The same for podman.
    pub fn podman(container: impl Into<String>) -> Self {
        Self {
            program: "podman".into(),
            scheme: "podman",
            ..Self::new(container)
        }
    }

    /// The local program; defaults to `docker`, or `podman` for [`Docker::podman`].
    pub fn program(mut self, program: impl Into<String>) -> Self {
        self.program = program.into();
        self
    }

    /// The user (name or id, perhaps with a group); defaults to the container's own.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// The working directory; defaults to the container's own.
    pub fn workdir(mut self, path: impl Into<String>) -> Self {
        self.workdir = Some(path.into());
        self
    }

    /// Adds a variable to the program's environment. Other users of this machine can see it in the list of processes.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    pub(crate) fn argument_vector(&self, argv: &[String]) -> Result<Vec<OsString>, SpawnError> {
        let refused = |source| SpawnError::Target {
            target: self.target(),
            source,
        };
        check_name(NameKind::Container, &self.container).map_err(refused)?;
        if let Some(user) = &self.user {
            check_name(NameKind::ContainerUser, user).map_err(refused)?;
        }
        if argv.is_empty() {
            return Err(SpawnError::NoProgram {
                target: self.target(),
            });
        }
        let mut words: Vec<OsString> =
            vec![self.program.clone().into(), "exec".into(), "-i".into()];
        words.extend(self.user.iter().map(|user| format!("--user={user}").into()));
        words.extend(
            self.workdir
                .iter()
                .map(|path| format!("--workdir={path}").into()),
        );
        words.extend(
            self.env
                .iter()
                .map(|(name, value)| format!("--env={name}={value}").into()),
        );
        words.push("--".into());
        words.push(self.container.clone().into());
        words.extend(argv.iter().map(Into::into));
        Ok(words)
    }
}

#[async_trait]
impl Transport for Docker {
    fn target(&self) -> String {
        let user = self
            .user
            .as_ref()
            .map(|user| format!("{user}@"))
            .unwrap_or_default();
        clean_line(&format!("{}://{user}{}", self.scheme, self.container))
    }

    async fn start(&self, argv: &[String]) -> Result<Link, SpawnError> {
        spawn(
            &self.target(),
            Family::Container,
            &self.argument_vector(argv)?,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn argument_vector_has_all_parts() {
        let docker = Docker::podman("db.1")
            .user("0:0")
            .workdir("-x")
            .env("A", "b c")
            .env("-e", "");
        let vector = docker
            .argument_vector(&["python3".into(), "-c".into()])
            .unwrap();
        let expected = [
            "podman",
            "exec",
            "-i",
            "--user=0:0",
            "--workdir=-x",
            "--env=A=b c",
            "--env=-e=",
            "--",
            "db.1",
            "python3",
            "-c",
        ];
        assert_eq!(vector, expected);
        assert_eq!(docker.target(), "podman://0:0@db.1");
    }

    #[test]
    fn bad_names_are_refused() {
        for name in ["", "-it", "a b", "a/b", "a\n", "ü"] {
            let result = Docker::new(name).argument_vector(&["true".into()]);
            assert!(matches!(result, Err(SpawnError::Target { .. })), "{name:?}");
        }
        assert!(
            Docker::new("a")
                .user("-x")
                .argument_vector(&["true".into()])
                .is_err()
        );
        assert!(Docker::new("a").argument_vector(&[]).is_err());
    }
}
