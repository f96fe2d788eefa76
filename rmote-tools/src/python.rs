//! The Python modules of this crate, and what each of them imports.

use rmote_client::{FAILURE, LOGS, Module, PROCESS};

macro_rules! module {
    ($name:literal $(, $needs:expr)*) => {
        Module::new(
            concat!("rmote.tools.", $name),
            concat!("rmote/tools/", $name, ".py"),
            include_bytes!(concat!(env!("OUT_DIR"), "/", $name)),
            &[$($needs),*],
        )
    };
}

// What copies are made of.
static BLOCKS: Module = module!("blocks");
static TREE: Module = module!("tree");
static INCOMING: Module = module!("incoming", &BLOCKS);
pub(crate) static RECEIVER: Module = module!("receiver", &BLOCKS, &INCOMING, &TREE);
pub(crate) static SENDER: Module = module!("sender", &BLOCKS, &TREE);

// What several tools use.
static EDIT: Module = module!("edit", PROCESS);
static PACKAGES: Module = module!("packages", PROCESS, &PROGRAM);
static PROGRAM: Module = module!("program", &EXEC, FAILURE);

// What the tools for pacman use.
static PACMAN_CONF: Module = module!("pacman_conf", &EDIT, &PACKAGES, &PROGRAM);
static ALPM: Module = module!("alpm", &PACKAGES, &PACMAN_CONF, &PROGRAM);
static PACMAN_HOLD: Module = module!("pacman_hold", &ALPM, &PACMAN_CONF);

// Package managers that have no tool of their own.
static APK: Module = module!("apk", FAILURE, &PACKAGES, &PROGRAM);
static DNF: Module = module!("dnf", FAILURE, &PACKAGES, &PROGRAM);

// What manages services.
static MANAGER: Module = module!("manager", &EXEC);
static OPENRC: Module = module!("openrc", &MANAGER, &PROGRAM);
static SYSTEMD: Module = module!("systemd", &MANAGER, &PROGRAM);

// What `user` is made of.
static ACCOUNTS: Module = module!("accounts", &PROGRAM);
static HOMES: Module = module!("homes", &EDIT, &PROGRAM);
static AUTHORIZED_KEYS: Module = module!("authorized_keys", &ACCOUNTS, &EDIT, &HOMES);
static SUDOERS: Module = module!("sudoers", &EDIT, &PROGRAM);
static USERMOD: Module = module!("usermod", &ACCOUNTS, &HOMES, &PROGRAM);

// What the tools for apt use.
static APT_GET: Module = module!("apt_get", &EDIT, &PACKAGES);
static DPKG: Module = module!("dpkg", &APT_GET);
static OPENPGP: Module = module!("openpgp");

// What facts are made of.
static FINDINGS: Module = module!("findings");
static FACTS_CONTAINERS: Module = module!("facts_containers", &FINDINGS);
static FACTS_HARDWARE: Module = module!("facts_hardware", &FINDINGS);
static FACTS_NETWORK: Module = module!("facts_network", &FINDINGS);
static FACTS_PACKAGES: Module = module!("facts_packages", &FINDINGS, &PROGRAM);
static FACTS_SERVICES: Module = module!("facts_services", &FINDINGS, &PROGRAM);
static FACTS_STORAGE: Module = module!("facts_storage", &FINDINGS);
static FACTS_SYSTEM: Module = module!("facts_system", &FINDINGS);
static FACTS_USERS: Module = module!("facts_users", &FINDINGS);

pub(crate) static CHILD: Module = module!("child", PROCESS);

// Tools.
pub(crate) static APT: Module = module!("apt", &APT_GET, &DPKG, &PACKAGES, &PROGRAM);
pub(crate) static APT_REPOSITORY: Module = module!(
    "apt_repository",
    PROCESS,
    &APT_GET,
    &EDIT,
    &OPENPGP,
    &PROGRAM
);
pub(crate) static EXEC: Module = module!("exec", PROCESS);
pub(crate) static FACTS: Module = module!(
    "facts",
    &FACTS_CONTAINERS,
    &FACTS_HARDWARE,
    &FACTS_NETWORK,
    &FACTS_PACKAGES,
    &FACTS_SERVICES,
    &FACTS_STORAGE,
    &FACTS_SYSTEM,
    &FACTS_USERS
);
pub(crate) static FILE_SYSTEM: Module = module!("fs", &EDIT);
pub(crate) static LOGGER: Module = module!("logger", LOGS);
pub(crate) static PACKAGE: Module =
    module!("package", FAILURE, &APK, &APT, &DNF, &PACMAN, &PROGRAM);
pub(crate) static PACMAN: Module = module!(
    "pacman",
    &ALPM,
    &PACKAGES,
    &PACMAN_CONF,
    &PACMAN_HOLD,
    &PROGRAM
);
pub(crate) static PACMAN_REPOSITORY: Module = module!("pacman_repository", &PACMAN_CONF, &PROGRAM);
pub(crate) static QUIT: Module = module!("quit");
pub(crate) static SERVICE: Module = module!("service", FAILURE, &OPENRC, &SYSTEMD);
pub(crate) static USER: Module = module!(
    "user",
    &ACCOUNTS,
    &AUTHORIZED_KEYS,
    &EDIT,
    &PROGRAM,
    &SUDOERS,
    &USERMOD
);
pub(crate) static TEMPLATE: Module = module!("template", &FILE_SYSTEM, rmote_client::TEMPLATE);
pub(crate) static HOSTNAME: Module = module!("hostname", &EDIT, &PROGRAM);
pub(crate) static SYSCTL: Module = module!("sysctl", &EDIT, &PROGRAM);

/// What tools of users may import beside the tools themselves.
pub(crate) static SHARED: &[&Module] = &[&CHILD, &EDIT, &PACKAGES, &PROGRAM];
