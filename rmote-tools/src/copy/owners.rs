//! Users and groups by name.

use std::collections::HashMap;

use nix::unistd::{Gid, Group, Uid, User};

/// Names of numbers, each looked up once.
#[derive(Debug, Default)]
pub(crate) struct Names {
    users: HashMap<u32, Option<String>>,
    groups: HashMap<u32, Option<String>>,
}

impl Names {
    /// The names of a user and a group, where they have not been asked for before.
    pub(crate) fn new_of(&mut self, uid: u32, gid: u32) -> (Option<String>, Option<String>) {
        let user = || {
            User::from_uid(Uid::from_raw(uid))
                .ok()
                .flatten()
                .map(|user| user.name)
        };
        let group = || {
            Group::from_gid(Gid::from_raw(gid))
                .ok()
                .flatten()
                .map(|group| group.name)
        };
        (
            new(&mut self.users, uid, user),
            new(&mut self.groups, gid, group),
        )
    }
}

fn new(
    known: &mut HashMap<u32, Option<String>>,
    number: u32,
    look_up: impl FnOnce() -> Option<String>,
) -> Option<String> {
    if known.contains_key(&number) {
        return None;
    }
    known.entry(number).or_insert_with(look_up).clone()
}

/// Numbers of this machine for those of a host.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    users: HashMap<u32, u32>,
    groups: HashMap<u32, u32>,
}

impl Numbers {
    /// Learns what the host calls its numbers.
    pub(crate) fn learn(&mut self, users: HashMap<u32, String>, groups: HashMap<u32, String>) {
        for (number, name) in users {
            if let Ok(Some(user)) = User::from_name(&name) {
                self.users.insert(number, user.uid.as_raw());
            }
        }
        for (number, name) in groups {
            if let Ok(Some(group)) = Group::from_name(&name) {
                self.groups.insert(number, group.gid.as_raw());
            }
        }
    }

    /// The numbers here, by name where there is the name, else the same.
    pub(crate) fn here(&self, uid: u32, gid: u32) -> (u32, u32) {
        let user = self.users.get(&uid).copied().unwrap_or(uid);
        (user, self.groups.get(&gid).copied().unwrap_or(gid))
    }
}
