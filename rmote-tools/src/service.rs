//! Services of the host.

use serde::Deserialize;

crate::tool! {
    /// Starts, stops and enables services, of systemd in full and of `OpenRC` in part.
    ///
    /// The host is asked who manages its services: systemd where it is the first process, else `OpenRC` where it runs,
    /// else [`CallErrorKind::Unsupported`](crate::CallErrorKind::Unsupported). A name without a type is a service:
    /// `nginx`, `getty@tty1`, `backup.timer`.
    ///
    /// What a call answers was looked up after it. A service that the host does not have is an error (`NoSuchService`,
    /// also for [`stop`](Self::stop)), so is one that did not become what was asked for: `ServiceError`, with the last
    /// lines of its log. A job that takes longer than `timeout` goes on (that of `OpenRC` is ended), the call ends with
    /// `ServiceTimedOut`, which is a `TimeoutError`. Unit files that changed are reloaded before they are used.
    ///
    /// Of `OpenRC`, masks, services of users and `settle` are missing: its own status is believed. Debian's `OpenRC` 0.45
    /// was tried; its `supervise-daemon`, what it does about crashed services, and Alpine were not.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rmote_tools::{ConvergeOptions, FileSystem, Service, Session, Ssh};
    ///
    /// let host = Session::connect(Ssh::new("web01")).await?;
    /// let (fs, service) = (FileSystem::new(&host), Service::new(&host));
    /// let unit = "[Service]\nExecStart=/opt/app/run\n\n[Install]\nWantedBy=multi-user.target\n";
    /// let file = fs.write("/etc/systemd/system/app.service", unit).await?;
    /// let up = ConvergeOptions::new().started(true).enabled(true);
    /// let app = service.converge_with("app", up).await?;
    /// if file.changed && !app.changed {
    ///     service.restart("app").await?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Command line
    ///
    /// ```sh
    /// rmote-cli call web01 Service.status nginx
    /// rmote-cli call web01 Service.converge nginx started:=true enabled:=true
    /// rmote-cli call web01 Service.restart nginx timeout:=30
    /// ```
    pub struct Service = &crate::python::SERVICE;

    /// Tells how a service is.
    [idempotent] fn status(name: String) -> ServiceStatus, status_with(StatusOptions);

    /// Makes sure that a service is started.
    ///
    /// One that does its work and ends (`Type=oneshot`) runs each time, and is not [started](ServiceStatus::started)
    /// afterwards.
    fn start(name: String) -> ServiceStatus, start_with(StartOptions);

    /// Makes sure that a service is stopped, also one that is just starting.
    fn stop(name: String) -> ServiceStatus, stop_with(StopOptions);

    /// Restarts a service, or starts it; always a change.
    fn restart(name: String) -> ServiceStatus, restart_with(StartOptions);

    /// Has a started service read its configuration again; always a change.
    fn reload(name: String) -> ServiceStatus, reload_with(StartOptions);

    /// Makes sure that a service starts at boot.
    ///
    /// To be enabled until the next boot is not enough. A unit that cannot be enabled (static, generated, transient,
    /// masked) is an error. Where a unit stands for others (indirect), those are meant. `OpenRC` gets a service that is
    /// in no runlevel into `default`.
    fn enable(name: String) -> ServiceStatus, enable_with(EnableOptions);

    /// Makes sure that a service does not start at boot by itself.
    ///
    /// A static unit is so already, also when others pull it in. Under `OpenRC` it leaves all runlevels.
    fn disable(name: String) -> ServiceStatus, disable_with(DisableOptions);

    /// Makes sure that nothing can start a unit.
    fn mask(name: String) -> ServiceStatus, mask_with(DisableOptions);

    /// Makes sure that a unit is not masked. What was masked may not exist: [`ServiceStatus::load`] says so.
    fn unmask(name: String) -> ServiceStatus, unmask_with(StopOptions);

    /// Has systemd read all unit files again. Nothing to do under `OpenRC`.
    fn daemon_reload() -> DaemonReload, daemon_reload_with(StopOptions);

    /// Makes a service what the options say, and leaves the rest as it is.
    ///
    /// In this order: unmask, enable or disable, start or stop, mask. An error tells which of them were done before.
    fn converge(name: String) -> ServiceStatus, converge_with(ConvergeOptions);
}

crate::options! {
    /// Which service to look at.
    pub struct StatusOptions {
        /// Whether it is a unit of the user who the agent runs as; defaults to no, the system's.
        user: bool,
    }
}

crate::options! {
    /// How to start, restart or reload a service.
    pub struct StartOptions {
        /// Whether only to say what would change; defaults to no.
        check: bool,
        /// Whether it is a unit of the user who the agent runs as; defaults to no, the system's.
        user: bool,
        /// How many seconds the main process must live, where a start does not tell whether it succeeded (`Type=simple`, `exec` and `idle`), and after a reload; defaults to 1.
        settle: f64,
        /// How many seconds each job may take before the call gives up; defaults to no limit but the manager's own.
        timeout: f64,
    }
}

crate::options! {
    /// How to stop or unmask a service, or to reload the manager.
    pub struct StopOptions {
        /// Whether only to say what would change; defaults to no.
        check: bool,
        /// Whether it is a unit of the user who the agent runs as; defaults to no, the system's.
        user: bool,
        /// How many seconds each job may take before the call gives up; defaults to no limit but the manager's own.
        timeout: f64,
    }
}

crate::options! {
    /// How to enable a service.
    pub struct EnableOptions {
        /// Whether it is started as well; defaults to no.
        now: bool,
        /// Whether only to say what would change; defaults to no.
        check: bool,
        /// Whether it is a unit of the user who the agent runs as; defaults to no, the system's.
        user: bool,
        /// As in [`StartOptions`].
        settle: f64,
        /// How many seconds each job may take before the call gives up; defaults to no limit but the manager's own.
        timeout: f64,
    }
}

crate::options! {
    /// How to disable or mask a service.
    pub struct DisableOptions {
        /// Whether it is stopped as well; defaults to no.
        now: bool,
        /// Whether only to say what would change; defaults to no.
        check: bool,
        /// Whether it is a unit of the user who the agent runs as; defaults to no, the system's.
        user: bool,
        /// How many seconds each job may take before the call gives up; defaults to no limit but the manager's own.
        timeout: f64,
    }
}

crate::options! {
    /// What to make of a service. What is not set stays as it is.
    pub struct ConvergeOptions {
        /// Whether it is to be started, or stopped.
        started: bool,
        /// Whether it is to start at boot.
        enabled: bool,
        /// Whether it is to be masked.
        masked: bool,
        /// Whether only to say what would change; defaults to no.
        check: bool,
        /// Whether it is a unit of the user who the agent runs as; defaults to no, the system's.
        user: bool,
        /// As in [`StartOptions`].
        settle: f64,
        /// How many seconds each job may take before the call gives up; defaults to no limit but the manager's own.
        timeout: f64,
    }
}

/// How a service is.
///
/// With `check` the first fields are as they would be, as far as can be told, and the manager's words as they are.
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent of each other"
)]
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ServiceStatus {
    /// Its name, as it was asked for.
    pub name: String,
    /// Whether it is up; not while it is still starting.
    pub started: bool,
    /// Whether it starts at boot, because it was enabled (of a static unit nobody can say).
    pub enabled: bool,
    /// Whether it is masked.
    pub masked: bool,
    /// Whether the call changed something.
    pub changed: bool,
    /// What systemd says of its unit file: `loaded`, `masked`, `not-found`, `bad-setting`, `error`.
    pub load: String,
    /// What the manager says of its state: of systemd `active`, `inactive`, `failed`, `activating`, `deactivating`,
    /// `reloading`; of `OpenRC` `started`, `stopped`, `crashed` and so on.
    pub active: String,
    /// What systemd says in detail, such as `running`, `exited`, `auto-restart`, `waiting`.
    pub sub: String,
    /// What systemd says of its being enabled: `enabled`, `disabled`, `static`, `indirect`, `generated`,
    /// `enabled-runtime`, `masked` and so on; of `OpenRC` the runlevels it is in.
    pub file_state: String,
}

/// What came of a reload of the manager.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct DaemonReload {
    /// Whether units that systemd had loaded have other files now.
    pub changed: bool,
    /// Which ones.
    pub units: Vec<String>,
}
