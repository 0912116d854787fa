//! What a machine is: memory, disks, network and the like.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Facts about a machine that every observation reads, since they cost nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// Its own host name.
    pub hostname: String,
    /// Processor cores.
    pub cores: u32,
    /// Memory, in MiB.
    pub memory: u64,
    /// Swap space, in MiB.
    pub swap: u64,
    /// The release of the kernel: `6.1.0-13-amd64`.
    pub kernel: String,
    /// What it runs in: `none`, `kvm`, `vmware`, `docker`, `container`, ...; empty: unknown.
    pub virtualization: String,
    /// The ID in `/etc/machine-id`; empty if there is none.
    pub machine_id: String,
    /// `enforcing`, `permissive` or `disabled`.
    pub selinux: String,
    /// The name of its first process: `systemd`.
    pub init: String,
}

/// Facts that are only read if a function wants to know them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// When it was started.
    BootTime,
    /// Disks.
    Disks,
    /// The fully qualified name.
    Fqdn,
    /// File systems.
    Mounts,
    /// Interfaces and default routes.
    Network,
    /// The time zone.
    TimeZone,
    /// Who is logged in.
    Users,
    /// One that only a newer Pallet knows.
    #[serde(other)]
    Unknown,
}

impl Detail {
    /// All of them.
    pub const ALL: [Detail; 7] = [
        Detail::BootTime,
        Detail::Disks,
        Detail::Fqdn,
        Detail::Mounts,
        Detail::Network,
        Detail::TimeZone,
        Detail::Users,
    ];
}

/// The values of those facts; `None`: not asked, or the node does not exist yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// When it was started, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot_time: Option<u64>,
    /// Its disks, without loop devices and the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disks: Option<Vec<Disk>>,
    /// Its name with the domain, from `/etc/hosts`; without one, its host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fqdn: Option<String>,
    /// Its file systems.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mounts: Option<Vec<FileSystem>>,
    /// Its network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// Its time zone: `Europe/Berlin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The names of the users who are logged in, each once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<BTreeSet<String>>,
}

/// A disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// The name of its device: `sda`, `nvme0n1`.
    pub name: String,
    /// Its size, in MiB.
    pub size: u64,
    /// It has spinning plates.
    #[serde(default)]
    pub rotational: bool,
}

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSystem {
    /// The directory that it is mounted on.
    pub path: String,
    /// What is mounted: `/dev/sda1`, `server:/export`.
    pub device: String,
    /// The type of the file system: `ext4`.
    pub kind: String,
    /// Its size, in MiB; `None` for a file system of another machine, which is not asked.
    pub size: Option<u64>,
    /// How much of it is free for users, in MiB.
    pub free: Option<u64>,
}

/// The network of a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    /// Its interfaces, without the loopback.
    pub interfaces: Vec<Interface>,
    /// The default routes, for IPv4 and IPv6.
    pub default_routes: Vec<DefaultRoute>,
}

/// A network interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Interface {
    /// Its name: `eth0`.
    pub name: String,
    /// Its hardware address: `52:54:00:12:34:56`; empty if it has none.
    pub mac: String,
    /// It is up.
    pub up: bool,
    /// The largest packet that it sends, in bytes.
    pub mtu: u32,
    /// Its addresses, with the lengths of their prefixes: `192.0.2.10/24`.
    pub addresses: Vec<String>,
}

/// Where packets go that no other route is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultRoute {
    /// The address of the gateway; `None`: the network itself.
    pub gateway: Option<String>,
    /// The interface.
    pub interface: String,
}

impl Details {
    /// Whether this one is known.
    pub fn has(&self, detail: Detail) -> bool {
        match detail {
            Detail::BootTime => self.boot_time.is_some(),
            Detail::Disks => self.disks.is_some(),
            Detail::Fqdn => self.fqdn.is_some(),
            Detail::Mounts => self.mounts.is_some(),
            Detail::Network => self.network.is_some(),
            Detail::TimeZone => self.time_zone.is_some(),
            Detail::Users => self.users.is_some(),
            Detail::Unknown => false,
        }
    }

    /// Only these.
    pub fn only<'a>(&self, details: impl IntoIterator<Item = &'a Detail>) -> Details {
        let mut only = Details::default();
        for detail in details {
            match detail {
                Detail::BootTime => only.boot_time = self.boot_time,
                Detail::Disks => only.disks.clone_from(&self.disks),
                Detail::Fqdn => only.fqdn.clone_from(&self.fqdn),
                Detail::Mounts => only.mounts.clone_from(&self.mounts),
                Detail::Network => only.network.clone_from(&self.network),
                Detail::TimeZone => only.time_zone.clone_from(&self.time_zone),
                Detail::Users => only.users.clone_from(&self.users),
                Detail::Unknown => {}
            }
        }
        only
    }

    /// Adds those of `newer`, which win.
    pub fn learn(&mut self, newer: Details) {
        let Details { boot_time, disks, fqdn, mounts, network, time_zone, users } = newer;
        self.boot_time = boot_time.or(self.boot_time.take());
        self.disks = disks.or(self.disks.take());
        self.fqdn = fqdn.or(self.fqdn.take());
        self.mounts = mounts.or(self.mounts.take());
        self.network = network.or(self.network.take());
        self.time_zone = time_zone.or(self.time_zone.take());
        self.users = users.or(self.users.take());
    }
}
