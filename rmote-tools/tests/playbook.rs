//! A host set up with all tools, twice: the second run finds nothing to change, and a check before the first says the same
//! as that.

use rmote_tools::{
    Apt, AptRepository, ConvergeOptions, DirectoryOptions, Docker, FileSystem, GroupOptions,
    Hostname, LineOptions, LocalTemplate, Package, Secret, Service, Session, SourceOptions,
    SudoerOptions, Sysctl, SysctlOptions, User, UserOptions, Values, Wanted, WriteOptions,
};

#[path = "../../rmote-transport/tests/docker/mod.rs"]
mod docker;

use docker::Container;

/// Two packages, one of which brings a service, in a repository without a list of its files.
const ARCHIVE: &str = r"
set -e
mkdir -p /srv/archive && cd /srv/archive
for name in shop tools; do
    mkdir -p $name/DEBIAN $name/usr/share/$name
    touch $name/usr/share/$name/file
    printf 'Package: %s\nVersion: 1.0\nArchitecture: all\nMaintainer: a <a@example.org>\nDescription: for a test\n' \
        $name > $name/DEBIAN/control
    dpkg-deb -b $name $name.deb > /dev/null
done
apt-ftparchive packages . > Packages
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
";

const UNIT: &str = "[Service]\nEnvironmentFile=/etc/shop/shop.conf\nExecStart=/bin/sleep infinity\nUser=shop\n\
                    [Install]\nWantedBy=multi-user.target\n";
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFAEeb9C0pYEFkFBQ0yqRSR4o7m1gbkzTSyqgLnv5x3v deploy";

/// What was done, and whether that changed anything.
type Steps = Vec<(&'static str, bool)>;

/// The host as it is to be.
async fn play(host: &Session) -> Result<Steps, Box<dyn std::error::Error>> {
    let (fs, user, service) = (FileSystem::new(host), User::new(host), Service::new(host));
    let mut steps = Steps::new();
    let mut step = |what, changed| steps.push((what, changed));

    step("name", Hostname::new(host).set("shop").await?.changed);
    let hosts = Hostname::new(host);
    step(
        "hosts",
        hosts
            .hosts_entry("10.0.0.7", ["db", "db.example.org"])
            .await?
            .changed,
    );
    let kernel = Sysctl::new(host);
    let options = SysctlOptions::new().name("90-shop").runtime(false);
    step(
        "sysctl",
        kernel
            .present_with("net.core.somaxconn", "1024", options)
            .await?
            .changed,
    );

    let options = GroupOptions::new().system(true);
    step(
        "group",
        user.group_present_with("shop", options).await?.changed,
    );
    let options = UserOptions::new()
        .system(true)
        .gid("shop")
        .shell("/usr/sbin/nologin");
    step(
        "user of the service",
        user.present_with("shop", options).await?.changed,
    );
    let options = UserOptions::new()
        .groups(["shop".to_owned(), "adm".to_owned()])
        .shell("/bin/bash")
        .password(Secret::from("$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/"));
    step("user", user.present_with("deploy", options).await?.changed);
    step("key", user.authorized_key("deploy", KEY).await?.changed);
    let options = SudoerOptions::new().commands(["/usr/bin/systemctl restart shop".to_owned()]);
    step("sudo", user.sudoer_with("deploy", options).await?.changed);

    let options = SourceOptions::new().trusted(true);
    let source = AptRepository::new(host)
        .present_with(
            "shop",
            ["file:/srv/archive".to_owned()],
            ["./".to_owned()],
            options,
        )
        .await?;
    step("source", source.changed);
    let apt = Apt::new(host);
    if source.update_needed {
        apt.update().await?;
    }
    let packages = [
        Wanted::present("shop").version("1.0"),
        Wanted::held("tools"),
        Wanted::absent("telnet"),
    ];
    for package in apt.converge(packages).await? {
        step("package", package.changed);
    }
    for package in Package::new(host).present(["tools".to_owned()]).await? {
        step("the same package", package.changed);
    }

    let options = DirectoryOptions::new().mode(0o750_u32).group("shop");
    step(
        "directory",
        fs.directory_with("/etc/shop", options).await?.changed,
    );
    let template =
        LocalTemplate::new("{% for name in names %}\n{{ name | upper }}=1\n{% endfor %}\n")?;
    let values = Values::new().set("names", &["cart", "stock"]);
    let options = WriteOptions::new()
        .mode(0o640_u32)
        .group("shop")
        .secret(true);
    let conf = fs
        .template_with(&template, "/etc/shop/shop.conf", values, options)
        .await?;
    step("template", conf.changed);
    let options = LineOptions::new().regexp("^#?CART=").backup(false);
    step(
        "line",
        fs.line_in_file_with("/etc/shop/shop.conf", "CART=1", options)
            .await?
            .changed,
    );
    step(
        "link",
        fs.symlink("/etc/shop.conf", "shop/shop.conf")
            .await?
            .changed,
    );
    step("absent", fs.absent("/etc/motd").await?.changed);
    let unit = fs
        .write("/etc/systemd/system/shop.service", UNIT)
        .await?
        .changed;
    step("unit", unit);
    let options = ConvergeOptions::new().started(true).enabled(true);
    step(
        "service",
        service.converge_with("shop", options).await?.changed,
    );
    if unit || conf.changed {
        service.restart("shop").await?;
    }
    Ok(steps)
}

#[tokio::test]
async fn the_second_run_changes_nothing() {
    let Some(container) = Container::systemd("rmote-test:tools") else {
        return;
    };
    let (made, said) = container.exec(&["sh", "-c", ARCHIVE]);
    assert!(made, "{said}");
    let host = Session::connect(Docker::new(container.name()))
        .await
        .unwrap();
    let first = play(&host).await.unwrap();
    let unchanged: Vec<_> = first.iter().filter(|step| !step.1).collect();
    // The package that is to be absent never was there, and one is asked for twice.
    let names: Vec<_> = unchanged.iter().map(|step| step.0).collect();
    assert_eq!(names, ["package", "the same package", "line"], "{first:?}");
    let again = play(&host).await.unwrap();
    assert_eq!(again.len(), first.len());
    let changed: Vec<_> = again.iter().filter(|step| step.1).collect();
    assert!(changed.is_empty(), "{changed:?}");
    // A new session, as the next day's run would be.
    host.close().await.unwrap();
    let host = Session::connect(Docker::new(container.name()))
        .await
        .unwrap();
    assert!(play(&host).await.unwrap().iter().all(|step| !step.1));
    host.close().await.unwrap();
}
