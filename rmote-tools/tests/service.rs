//! Services of real managers, in containers: systemd as the first process, `OpenRC`, and none.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

#[path = "../../rmote-transport/tests/docker/mod.rs"]
mod docker;

use docker::{Container, WORKSPACE};
use rmote_tools::{
    CallErrorKind, ConvergeOptions, DisableOptions, Docker, EnableOptions, FileSystem, Service,
    Session, StartOptions, StatusOptions, StopOptions, WriteOptions,
};

const UNIT: &str = "[Service]\nExecStart=/bin/sleep infinity\nExecReload=/bin/true\n\n[Install]\nWantedBy=multi-user.target\n";

async fn tools(container: &Container) -> (Session, FileSystem, Service) {
    let host = Session::connect(Docker::new(container.name()))
        .await
        .unwrap();
    let (fs, service) = (FileSystem::new(&host), Service::new(&host));
    (host, fs, service)
}

fn systemd() -> Option<Container> {
    Container::systemd("rmote-test:tools")
}

fn openrc() -> Option<Container> {
    let container = Container::run(
        "rmote-test:families",
        &["--init", WORKSPACE],
        &["sleep", "3600"],
    )?;
    // What its boot would have left; without it, it refuses.
    let (booted, output) = container.exec(&[
        "sh",
        "-c",
        "mkdir -p /run/openrc && touch /run/openrc/softlevel",
    ]);
    assert!(booted, "{output}");
    Some(container)
}

#[test]
fn systemd_keeps_every_rule() {
    if let Some(container) = systemd() {
        container.unittest("test_service");
    }
}

#[test]
fn systemd_keeps_them_for_broken_units_too() {
    if let Some(container) = systemd() {
        container.unittest("test_service_states");
    }
}

#[test]
fn openrc_keeps_every_rule() {
    if let Some(container) = openrc() {
        container.unittest("test_openrc");
    }
}

#[tokio::test]
async fn every_method_has_its_types() {
    let Some(container) = systemd() else { return };
    let (host, fs, service) = tools(&container).await;
    fs.write("/usr/lib/systemd/system/app.service", UNIT)
        .await
        .unwrap();

    let status = service.status("app").await.unwrap();
    assert_eq!(
        (status.name.as_str(), status.load.as_str()),
        ("app", "loaded")
    );
    assert_eq!(
        (status.active.as_str(), status.sub.as_str()),
        ("inactive", "dead")
    );
    assert_eq!(status.file_state, "disabled");
    assert!(!(status.started || status.enabled || status.masked || status.changed));
    let system = StatusOptions::new().user(false);
    assert_eq!(service.status_with("app", system).await.unwrap(), status);

    let check = StartOptions::new().check(true).settle(0.5).timeout(60.0);
    assert!(
        service
            .start_with("app", check.clone())
            .await
            .unwrap()
            .changed
    );
    assert_eq!(service.status("app").await.unwrap(), status);
    for changed in [true, false] {
        let status = service.start("app").await.unwrap();
        assert!(status.started && status.changed == changed);
    }
    assert!(
        service
            .restart_with("app", check.clone())
            .await
            .unwrap()
            .changed
    );
    assert!(service.restart("app").await.unwrap().changed);
    assert!(service.reload_with("app", check).await.unwrap().changed);
    assert!(service.reload("app").await.unwrap().started);

    let check = StopOptions::new().check(true).timeout(60.0);
    assert!(service.stop_with("app", check).await.unwrap().changed);
    for changed in [true, false] {
        let status = service.stop("app").await.unwrap();
        assert!(!status.started && status.changed == changed);
    }
    host.close().await.unwrap();
}

#[tokio::test]
async fn every_method_about_boot_has_its_types() {
    let Some(container) = systemd() else { return };
    let (host, fs, service) = tools(&container).await;
    fs.write("/usr/lib/systemd/system/app.service", UNIT)
        .await
        .unwrap();
    service.start("app").await.unwrap();

    let check = StopOptions::new().check(true).timeout(60.0);
    let now = EnableOptions::new().now(true);
    assert!(
        service
            .enable_with("app", now.clone().check(true))
            .await
            .unwrap()
            .changed
    );
    for changed in [true, false] {
        let status = service.enable("app").await.unwrap();
        assert!(status.enabled && status.changed == changed);
    }
    assert!(!service.enable_with("app", now).await.unwrap().changed);
    let now = DisableOptions::new().now(true);
    assert!(
        service
            .disable_with("app", now.clone().check(true))
            .await
            .unwrap()
            .changed
    );
    for changed in [true, false] {
        let status = service.disable("app").await.unwrap();
        assert!(!status.enabled && status.started && status.changed == changed);
    }
    assert!(
        service
            .mask_with("app", now.check(true))
            .await
            .unwrap()
            .masked
    );
    for changed in [true, false] {
        let status = service.mask("app").await.unwrap();
        assert!(status.masked && status.changed == changed);
    }
    assert!(
        !service
            .unmask_with("app", check.clone())
            .await
            .unwrap()
            .masked
    );
    for changed in [true, false] {
        let status = service.unmask("app").await.unwrap();
        assert!(!status.masked && status.changed == changed);
    }
    assert!(!service.daemon_reload_with(check).await.unwrap().changed);
    let reload = service.daemon_reload().await.unwrap();
    assert!(!reload.changed && reload.units.is_empty());
    host.close().await.unwrap();
}

#[tokio::test]
async fn errors_say_what_they_are() {
    let Some(container) = systemd() else { return };
    let (host, fs, service) = tools(&container).await;
    let unknown = service.stop("no-such-unit").await.unwrap_err();
    let raised = unknown.raised().unwrap();
    assert!(raised.is("NoSuchService") && raised.is("LookupError") && raised.is("RuntimeError"));

    let unit = "[Service]\nType=notify\nExecStart=/bin/sleep infinity\n";
    fs.write("/etc/systemd/system/slow.service", unit)
        .await
        .unwrap();
    let limit = StartOptions::new().timeout(0.2);
    let late = service.start_with("slow", limit).await.unwrap_err();
    assert!(late.raised().unwrap().is("TimeoutError"));
    assert!(late.to_string().contains("activating (start)"), "{late}");

    let unit = "[Service]\nExecStart=/bin/sh -c 'echo the reason; exit 3'\n";
    fs.write("/etc/systemd/system/dies.service", unit)
        .await
        .unwrap();
    let options = StartOptions::new().settle(60.0);
    let died = service.start_with("dies", options).await.unwrap_err();
    assert!(died.raised().unwrap().is("ServiceError"));
    assert!(died.to_string().contains("the reason"), "{died}");
    host.close().await.unwrap();
}

/// Installs a service and has it run, as a user's program would; whether anything changed.
async fn playbook(fs: &FileSystem, service: &Service, path: &str, text: &str) -> bool {
    let options = WriteOptions::new().mode(0o755_u32);
    let file = fs.write_with(path, text, options).await.unwrap();
    let up = ConvergeOptions::new()
        .started(true)
        .enabled(true)
        .masked(false);
    let checked = service.converge_with("app", up.clone().check(true)).await;
    let app = service.converge_with("app", up).await.unwrap();
    assert!(app.started && app.enabled && !app.masked, "{app:?}");
    assert_eq!(checked.unwrap().changed, app.changed);
    assert!(!service.converge("app").await.unwrap().changed);
    file.changed || app.changed
}

#[tokio::test]
async fn a_second_run_changes_nothing_under_systemd() {
    let Some(container) = systemd() else { return };
    let (host, fs, service) = tools(&container).await;
    for changed in [true, false] {
        let path = "/etc/systemd/system/app.service";
        assert_eq!(playbook(&fs, &service, path, UNIT).await, changed);
    }
    host.close().await.unwrap();
}

#[tokio::test]
async fn a_second_run_changes_nothing_under_openrc() {
    let Some(container) = openrc() else { return };
    let (host, fs, service) = tools(&container).await;
    let script = "#!/sbin/openrc-run\ncommand=/bin/sleep\ncommand_args=infinity\ncommand_background=yes\npidfile=/run/app.pid\n";
    for changed in [true, false] {
        assert_eq!(
            playbook(&fs, &service, "/etc/init.d/app", script).await,
            changed
        );
    }
    let status = service.status("app").await.unwrap();
    assert_eq!(
        (status.active.as_str(), status.file_state.as_str()),
        ("started", "default")
    );
    let mask = service.mask("app").await.unwrap_err();
    assert_eq!(mask.missing(), Some("systemd"), "{mask}");
    host.close().await.unwrap();
}

#[tokio::test]
async fn a_host_without_a_manager_cannot() {
    // systemctl is there, systemd does not run; neither does OpenRC, which the other has.
    for image in [
        "rmote-test:tools",
        "rmote-test:families",
        "rmote-test:bookworm",
    ] {
        let Some(container) = Container::start(image) else {
            return;
        };
        let (host, _, service) = tools(&container).await;
        let off = ConvergeOptions::new().started(false).enabled(false);
        for error in [
            service.status("dbus").await.unwrap_err(),
            service.stop("dbus").await.unwrap_err(),
            service.converge_with("dbus", off).await.unwrap_err(),
        ] {
            assert!(
                matches!(error.kind, CallErrorKind::Unsupported { .. }),
                "{error}"
            );
            assert_eq!(error.missing(), Some("systemd"), "{error}");
            assert!(error.to_string().contains("/run/systemd/system"), "{error}");
        }
        host.close().await.unwrap();
    }
}
