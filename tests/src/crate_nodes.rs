//! Nodes for scenarios of crates and documents: with systemd, on images that have the packages
//! which scenarios install.

use std::sync::OnceLock;
use std::time::Duration;

use crate::image::bed_script;
use crate::{Process, Project, workspace};

/// The user's configuration with the service `nodes`. The first use builds the images.
fn config() -> &'static str {
    static CONFIG: OnceLock<String> = OnceLock::new();
    CONFIG.get_or_init(|| {
        let script = bed_script("crate-nodes.sh");
        Process::start(script, Duration::from_secs(1800)).wait().exits(0).stdout
    })
}

impl Project {
    /// Makes sandbox nodes with systemd the default: Debian 12 and 13, with the packages of all
    /// scenarios, in a network of their own without a way out. Each command has another network.
    /// What a killed `pallet-cli test` left is destroyed with this value.
    pub fn with_crate_nodes(self) -> Self {
        let separate = ["unshare", "--net", "--"].map(str::to_owned);
        let mut project = self.on_crate_nodes().prefixed(separate.into());
        let data = project.home().join(".local/share/pallet");
        let clean = bed_script("clean-trials.sh");
        let words = [clean.get_program(), workspace().cli().as_os_str(), data.as_os_str()];
        project.clean_up_with(&words.map(|word| word.to_str().unwrap()));
        project
    }

    /// The same in the network of this machine, so that commands find each other's nodes.
    pub fn on_crate_nodes(self) -> Self {
        self.write_home(".config/pallet/config.toml", config());
        self
    }
}
