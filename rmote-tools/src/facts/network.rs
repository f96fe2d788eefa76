//! Interfaces, routes and name servers.

use serde::Deserialize;

/// What is known of the network.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct NetworkFacts {
    /// Interfaces. Where the kernel cannot be asked through netlink, each has one IPv4 address at most.
    pub interfaces: Option<Vec<Interface>>,
    /// Routes of the main table.
    pub routes: Option<Vec<Route>>,
    /// The gateway of the IPv4 route that is the default.
    pub gateway: Option<String>,
    /// The gateway of the IPv6 route that is the default.
    pub gateway6: Option<String>,
    /// Name servers, as `/etc/resolv.conf` has them.
    pub nameservers: Option<Vec<String>>,
    /// Domains in which names are looked for.
    pub search: Option<Vec<String>>,
    /// Whether anything of this section is known.
    pub available: bool,
    /// What went wrong; what could be told all the same is there.
    pub error: Option<String>,
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its state, in the words of the kernel: `up`, `down`, `unknown` and so on.
    pub state: Option<String>,
    /// Its hardware address, unless it is all zero.
    pub mac: Option<String>,
    /// The size of the largest packet.
    pub mtu: Option<u32>,
    /// Its speed in megabits a second.
    pub speed: Option<u32>,
    /// Its addresses.
    pub addresses: Vec<Address>,
}

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Address {
    /// The address.
    pub address: String,
    /// How many of its bits are those of the network.
    pub prefix: u8,
    /// `ipv4` or `ipv6`.
    pub family: String,
    /// Where it is valid: `global`, `site`, `link`, `host`, or a number.
    pub scope: String,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Route {
    /// Where to: `default`, or an address and how many of its bits count.
    pub destination: String,
    /// Through which other host.
    pub gateway: Option<String>,
    /// Through which interface.
    pub interface: String,
    /// The lowest of several routes is used.
    pub metric: u32,
    /// `ipv4` or `ipv6`.
    pub family: String,
}
