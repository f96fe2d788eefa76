//! The Python modules of this crate, and what each of them imports.

use rmote_client::{FAILURE, Module, PROCESS};

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
static PACKAGES: Module = module!("packages");
static PROGRAM: Module = module!("program", &EXEC, FAILURE);

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
pub(crate) static HOSTNAME: Module = module!("hostname", &EDIT, &PROGRAM);
pub(crate) static SYSCTL: Module = module!("sysctl", &EDIT, &PROGRAM);

/// What tools of users may import beside the tools themselves.
pub(crate) static SHARED: &[&Module] = &[&CHILD, &EDIT, &PACKAGES, &PROGRAM];
