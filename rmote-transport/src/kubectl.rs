//! A container of a Kubernetes pod.

use std::ffi::OsString;

use async_trait::async_trait;

use crate::child::spawn;
use crate::clean::clean_line;
use crate::error::SpawnError;
use crate::fault::Family;
use crate::link::{Link, Transport};
use crate::name::{NameKind, check_name};

/// Runs the program in a pod: `kubectl exec -i -n NAMESPACE POD -c CONTAINER -- …`.
///
/// The current context of the user's configuration decides on the cluster.
#[derive(Debug, Clone)]
pub struct Kubectl {
    program: String,
    namespace: String,
    pod: String,
    container: Option<String>,
}

impl Kubectl {
    /// A container of a pod; `None` takes the pod's default one. Bad names are reported by
    /// [`start`](Transport::start).
    pub fn new(
        namespace: impl Into<String>,
        pod: impl Into<String>,
        container: Option<&str>,
    ) -> Self {
        Self {
            program: "kubectl".into(),
            namespace: namespace.into(),
            pod: pod.into(),
            container: container.map(Into::into),
        }
    }

    /// The local program; defaults to `kubectl`.
    pub fn program(mut self, program: impl Into<String>) -> Self {
        self.program = program.into();
        self
    }

    pub(crate) fn argument_vector(&self, argv: &[String]) -> Result<Vec<OsString>, SpawnError> {
        // kubectl reads options after the pod's name as well, so the check of the names is the only guard.
        for name in [&self.namespace, &self.pod]
            .into_iter()
            .chain(&self.container)
        {
            check_name(NameKind::Kubernetes, name).map_err(|source| SpawnError::Target {
                target: self.target(),
                source,
            })?;
        }
        if argv.is_empty() {
            return Err(SpawnError::NoProgram {
                target: self.target(),
            });
        }
        let mut words: Vec<OsString> = vec![self.program.clone().into()];
        words.extend(["exec", "-i", "-n", &self.namespace, &self.pod].map(Into::into));
        if let Some(container) = &self.container {
            words.extend(["-c", container].map(Into::into));
        }
        words.push("--".into());
        words.extend(argv.iter().map(Into::into));
        Ok(words)
    }
}

#[async_trait]
impl Transport for Kubectl {
    fn target(&self) -> String {
        let container = self
            .container
            .as_ref()
            .map(|name| format!("/{name}"))
            .unwrap_or_default();
        clean_line(&format!(
            "kubectl://{}/{}{container}",
            self.namespace, self.pod
        ))
    }

    async fn start(&self, argv: &[String]) -> Result<Link, SpawnError> {
        spawn(
            &self.target(),
            Family::Kubectl,
            &self.argument_vector(argv)?,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn argument_vector_has_all_parts() {
        let argv = ["python3".to_string(), "-c".into()];
        let pod = Kubectl::new("prod", "web-0", Some("app"));
        let expected = [
            "kubectl", "exec", "-i", "-n", "prod", "web-0", "-c", "app", "--", "python3", "-c",
        ];
        assert_eq!(pod.argument_vector(&argv).unwrap(), expected);
        assert_eq!(pod.target(), "kubectl://prod/web-0/app");
        let expected = [
            "kubectl", "exec", "-i", "-n", "prod", "web-0", "--", "python3", "-c",
        ];
        assert_eq!(
            Kubectl::new("prod", "web-0", None)
                .argument_vector(&argv)
                .unwrap(),
            expected
        );
    }

    #[test]
    fn bad_names_are_refused() {
        for name in ["", "-n", "a b", "a/b", "a\n"] {
            let argv = ["true".to_string()];
            assert!(
                Kubectl::new(name, "pod", None)
                    .argument_vector(&argv)
                    .is_err(),
                "{name:?}"
            );
            assert!(
                Kubectl::new("ns", name, None)
                    .argument_vector(&argv)
                    .is_err(),
                "{name:?}"
            );
            assert!(
                Kubectl::new("ns", "pod", Some(name))
                    .argument_vector(&argv)
                    .is_err(),
                "{name:?}"
            );
        }
    }
}
