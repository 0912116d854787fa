//! The options of a service in pallet.toml.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pallet_core::schemars::JsonSchema;
use pallet_core::serde::{Deserialize, Serialize};

pallet_core::parameters! {
    /// Virtual machines on this machine.
    pub(crate) struct Options {
        /// The images for nodes, by name.
        pub(crate) images: BTreeMap<String, ImageOptions>,
        /// The machine types, by name. Default: `small` (1 core, 1 GiB), `medium` (2 cores, 2 GiB)
        /// and `large` (4 cores, 4 GiB).
        #[serde(default)]
        pub(crate) hardware: BTreeMap<String, Size>,
        /// The QEMU program: a name, or a path relative to the project. Its name determines the
        /// architecture.
        #[serde(default)]
        pub(crate) program: Option<PathBuf>,
        /// The accelerator: `kvm`, `tcg` (emulation, slow), or `auto`: KVM if it works.
        #[serde(default)]
        pub(crate) accel: Accel,
        /// The private IPv4 network of each machine, such as `10.0.2.0/24`. Set it if QEMU's
        /// default is in use.
        #[serde(default)]
        pub(crate) network: Option<String>,
        /// Block connections from machines to anything. Connections to them still work.
        #[serde(default)]
        pub(crate) restrict: bool,
        /// More arguments for the program, such as `["-bios", "/usr/share/ovmf/OVMF.fd"]`.
        #[serde(default)]
        pub(crate) arguments: Vec<String>,
        /// Seconds until the sshd of a machine must answer.
        #[serde(default = "default_timeout")]
        pub(crate) timeout: u64
    }

    /// An image: a disk with an operating system and cloud-init on it.
    pub(crate) struct ImageOptions {
        /// The disk: a file in the format qcow2 or raw, relative to the project. It is never
        /// written to.
        pub(crate) path: PathBuf,
        /// The system on it: `debian 12`.
        #[serde(default)]
        pub(crate) os: Option<String>,
        /// The login user of a new node until it is bootstrapped. Default: cloud-init creates the
        /// admin user.
        #[serde(default)]
        pub(crate) login_user: Option<String>,
        /// A kernel to boot instead of the disk's boot loader.
        #[serde(default)]
        pub(crate) kernel: Option<PathBuf>,
        /// The kernel's initial RAM disk.
        #[serde(default)]
        pub(crate) initrd: Option<PathBuf>,
        /// The kernel's command line. Default: `root=/dev/vda rw console=ttyS0`.
        #[serde(default)]
        pub(crate) append: Option<String>
    }

    /// A machine type.
    pub(crate) struct Size {
        /// Processor cores.
        pub(crate) cores: u32,
        /// Memory, in MiB.
        pub(crate) ram: u64
    }
}

/// How a machine's processors run, as the user wants it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Accel {
    /// With KVM if that works here, otherwise in emulation.
    #[default]
    Auto,
    /// With KVM.
    Kvm,
    /// In emulation.
    Tcg,
}

fn default_timeout() -> u64 {
    600
}
