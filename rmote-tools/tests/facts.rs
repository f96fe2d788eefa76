//! Facts of this machine, of containers of several kinds, and of one with a mount that never answers.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

#[path = "../../rmote-transport/tests/docker/mod.rs"]
mod docker;

use docker::{Container, WORKSPACE};
use rmote_tools::{
    Docker, Facts, FactsOptions, Local, PackageFactsOptions, Section, Session, TimeLimit,
};

async fn facts(container: &Container) -> (Session, Facts) {
    let host = Session::connect(Docker::new(container.name()))
        .await
        .unwrap();
    let facts = Facts::new(&host);
    (host, facts)
}

#[tokio::test]
async fn every_section_of_this_machine_has_its_types() {
    let host = Session::connect(Local::new()).await.unwrap();
    let facts = Facts::new(&host);
    let all = facts.gather(Section::ALL).await.unwrap();
    let mut told = Vec::new();
    macro_rules! told {
        ($($section:ident)*) => {
            $(let section = all.$section.unwrap();
            told.push((stringify!($section), section.available, section.error));)*
        };
    }
    told!(system python cpu memory network storage packages service_manager users containers);
    assert_eq!(told.len(), Section::ALL.len());
    for ((name, available, error), section) in told.into_iter().zip(Section::ALL) {
        assert_eq!(name, section.name());
        assert_eq!(error, None, "{name}");
        let may_be_unknown = [Section::Packages, Section::ServiceManager].contains(&section);
        assert!(available || may_be_unknown, "{name}");
    }
    let some = facts
        .gather_with(
            [Section::Packages, Section::Cpu],
            FactsOptions::new().raw(true).timeout(5.0),
        )
        .await
        .unwrap();
    assert!(some.system.is_none() && some.cpu.unwrap().logical.unwrap() > 0);
    let refused = facts
        .storage_with(TimeLimit::new().timeout(0.0))
        .await
        .unwrap_err();
    assert!(refused.raised().unwrap().is("ValueError"));
    host.close().await.unwrap();
}

#[tokio::test]
async fn a_debian_host_with_systemd() {
    let Some(container) = Container::systemd("rmote-test:tools") else {
        return;
    };
    container.unittest("test_facts");
    let (host, facts) = facts(&container).await;
    let system = facts.system().await.unwrap();
    let os = system.os.unwrap();
    assert_eq!(os.id.as_deref(), Some("debian"));
    assert_eq!(os.version_codename.as_deref(), Some("bookworm"));
    assert_eq!(system.init.as_deref(), Some("systemd"));
    assert_eq!(system.timezone.as_deref(), Some("Etc/UTC"));
    assert!(system.boot_time.unwrap() > 0 && system.uptime.unwrap() > 0.0);
    let python = facts.python().await.unwrap();
    assert_eq!(python.implementation.as_deref(), Some("cpython"));
    assert!(python.libc.unwrap().starts_with("glibc "));
    assert!(facts.cpu().await.unwrap().logical.unwrap() > 0);
    let memory = facts.memory().await.unwrap();
    assert!(memory.total > memory.available_bytes && memory.available_bytes > Some(0));
    let network = facts.network().await.unwrap();
    let interfaces = network.interfaces.unwrap();
    assert_eq!(interfaces[0].name, "lo");
    assert_eq!(interfaces[0].addresses[0].address, "127.0.0.1");
    let storage = facts.storage().await.unwrap();
    let mounts = storage.mounts.unwrap();
    let root = mounts
        .iter()
        .find(|mount| mount.path.as_path() == "/")
        .unwrap();
    assert!(root.r#type == "overlay" && !root.read_only && root.size.unwrap() > 0);
    let packages = facts
        .packages_with(PackageFactsOptions::new().raw(true))
        .await
        .unwrap();
    assert_eq!(packages.manager.as_deref(), Some("apt"));
    let listed = packages.packages.unwrap();
    assert_eq!(packages.count, Some(listed.len() as u64));
    let apt = listed.iter().find(|package| package.name == "apt").unwrap();
    let (_, version) = container.exec(&["dpkg-query", "-W", "-f", "${Version}", "apt"]);
    assert_eq!(apt.version, version);
    let manager = facts.service_manager().await.unwrap();
    assert_eq!(manager.manager.as_deref(), Some("systemd"));
    assert!(manager.version.unwrap().starts_with("252"));
    assert!(["running", "degraded"].contains(&manager.state.unwrap().as_str()));
    let users = facts.users().await.unwrap();
    let accounts = users.accounts.unwrap();
    assert_eq!((accounts[0].name.as_str(), accounts[0].uid), ("root", 0));
    let containers = facts.containers().await.unwrap();
    assert_eq!(containers.inside, Some(true));
    assert_eq!(containers.kind.as_deref(), Some("docker"));
    assert_eq!(containers.engines.unwrap(), []);
    host.close().await.unwrap();
}

#[tokio::test]
async fn a_mount_that_never_answers_hangs_nothing() {
    let options = [
        "--init",
        "--cap-add=SYS_ADMIN",
        "--device=/dev/fuse",
        "--security-opt=seccomp=unconfined",
        "--security-opt=apparmor=unconfined",
        WORKSPACE,
    ];
    let Some(container) = Container::run("rmote-test:tools", &options, &["sleep", "3600"]) else {
        return;
    };
    container.unittest("test_facts_dead_mount");
    // A file system whose server holds the kernel's questions and answers none.
    let mount = "
import ctypes, os, time
fd = os.open('/dev/fuse', os.O_RDWR)
options = b'fd=%d,rootmode=40000,user_id=0,group_id=0' % fd
assert ctypes.CDLL(None).mount(b'dead', b'/mnt', b'fuse', 0, options) == 0
if os.fork():
    os._exit(0)
os.setsid()
null = os.open('/dev/null', os.O_RDWR)
for number in range(3):
    os.dup2(null, number)
time.sleep(3600)
";
    let (mounted, printed) = container.exec(&["python3", "-c", mount]);
    assert!(mounted, "{printed}");
    let (host, facts) = facts(&container).await;
    for _ in 0..3 {
        let options = FactsOptions::new().timeout(0.2);
        let all = facts.gather_with(Section::ALL, options).await.unwrap();
        let mounts = all.storage.unwrap().mounts.unwrap();
        let dead = mounts
            .iter()
            .find(|mount| mount.path.as_path() == "/mnt")
            .unwrap();
        assert_eq!(dead.size, None);
        assert!(dead.error.as_deref().unwrap().contains("within 0.2 s"));
        let root = mounts
            .iter()
            .find(|mount| mount.path.as_path() == "/")
            .unwrap();
        assert!(root.size.is_some() && root.error.is_none(), "{root:?}");
        assert!(all.containers.unwrap().engines.is_some());
    }
    // Also the end of the session waits for no thread that hangs. What is left is the server of the mount.
    host.close().await.unwrap();
    let processes = container.processes();
    assert_eq!(processes.matches("python3").count(), 1, "{processes}");
}

#[tokio::test]
async fn hosts_of_other_families_and_pythons() {
    let options = ["--init", WORKSPACE];
    for image in [
        "rmote-test:families",
        "rmote-test:bullseye",
        "rmote-test:trixie",
        "rmote-test:sid",
    ] {
        let Some(container) = Container::run(image, &options, &["sleep", "3600"]) else {
            continue;
        };
        let (host, facts) = facts(&container).await;
        let all = facts.gather(Section::ALL).await.unwrap();
        let manager = all.packages.unwrap().manager;
        assert_eq!(manager.as_deref(), Some("apt"), "{image}");
        let manager = all.service_manager.unwrap().manager;
        assert_eq!(manager.as_deref(), Some("none"), "{image}");
        let os = all.system.unwrap().os.unwrap();
        assert_eq!(os.id.as_deref(), Some("debian"), "{image}");
        host.close().await.unwrap();
        if image == "rmote-test:families" {
            container.unittest("test_facts_families");
        }
    }
}
