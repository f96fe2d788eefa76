//! A host set up with all tools, twice: the second run finds nothing to change.

use rmote_tools::{
    Apt, AptRepository, AptSourceOptions, ConvergeOptions, DirectoryOptions, Docker, FileSystem,
    GroupOptions, Hostname, LineOptions, LocalTemplate, Package, Secret, Service, Session,
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

/// What crypt makes of some word.
const PASSWORD: &str = "$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/";

/// What was done, and whether that changed anything.
type Steps = Vec<(&'static str, bool)>;

type Done = Result<Steps, Box<dyn std::error::Error>>;

async fn system(host: &Session) -> Done {
    let (name, kernel) = (Hostname::new(host), Sysctl::new(host));
    let options = SysctlOptions::new().name("90-shop.conf").runtime(false);
    let setting = kernel.present_with("net.core.somaxconn", "1024", options);
    Ok(vec![
        ("name", name.set("shop").await?.changed),
        (
            "hosts",
            name.hosts_entry("10.0.0.7", ["db", "db.example.org"])
                .await?
                .changed,
        ),
        ("sysctl", setting.await?.changed),
    ])
}

async fn users(host: &Session) -> Done {
    let user = User::new(host);
    let group = GroupOptions::new().system(true);
    let own = UserOptions::new()
        .system(true)
        .gid("shop")
        .shell("/usr/sbin/nologin");
    let person = UserOptions::new()
        .groups(["shop".to_owned(), "adm".to_owned()])
        .shell("/bin/bash")
        .password(Secret::from(PASSWORD));
    let rule = SudoerOptions::new().commands(["/usr/bin/systemctl restart shop".to_owned()]);
    Ok(vec![
        (
            "group",
            user.group_present_with("shop", group).await?.changed,
        ),
        (
            "user of the service",
            user.present_with("shop", own).await?.changed,
        ),
        ("user", user.present_with("deploy", person).await?.changed),
        ("key", user.authorized_key("deploy", KEY).await?.changed),
        ("sudo", user.sudoer_with("deploy", rule).await?.changed),
    ])
}

async fn packages(host: &Session) -> Done {
    let (uris, suites) = (["file:/srv/archive".to_owned()], ["./".to_owned()]);
    let options = AptSourceOptions::new().trusted(true);
    let source = AptRepository::new(host)
        .present_with("shop", uris, suites, options)
        .await?;
    let apt = Apt::new(host);
    if source.update_needed {
        apt.update().await?;
    }
    let mut steps = vec![("source", source.changed)];
    let wanted = [
        Wanted::present("shop").version("1.0"),
        Wanted::held("tools"),
        Wanted::absent("telnet"),
    ];
    let results = apt.converge(wanted).await?;
    steps.extend(results.iter().map(|package| ("package", package.changed)));
    let results = Package::new(host).present(["tools".to_owned()]).await?;
    steps.extend(
        results
            .iter()
            .map(|package| ("the same package", package.changed)),
    );
    Ok(steps)
}

async fn service(host: &Session) -> Done {
    let (fs, service) = (FileSystem::new(host), Service::new(host));
    let options = DirectoryOptions::new().mode(0o750_u32).group("shop");
    let folder = fs.directory_with("/etc/shop", options).await?;
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
    let options = LineOptions::new().regexp("^#?CART=");
    let entry = fs
        .line_in_file_with("/etc/shop/shop.conf", "CART=1", options)
        .await?;
    let link = fs.symlink("/etc/shop.conf", "shop/shop.conf").await?;
    let unit = fs.write("/etc/systemd/system/shop.service", UNIT).await?;
    let options = ConvergeOptions::new().started(true).enabled(true);
    let state = service.converge_with("shop", options).await?;
    if unit.changed || conf.changed {
        service.restart("shop").await?;
    }
    Ok(vec![
        ("directory", folder.changed),
        ("template", conf.changed),
        ("line", entry.changed),
        ("link", link.changed),
        ("absent", fs.absent("/etc/motd").await?.changed),
        ("unit", unit.changed),
        ("service", state.changed),
    ])
}

/// The host as it is to be.
async fn play(host: &Session) -> Done {
    Ok([
        system(host).await?,
        users(host).await?,
        packages(host).await?,
        service(host).await?,
    ]
    .concat())
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
