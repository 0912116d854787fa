//! Networks of containers.

use std::collections::BTreeMap;

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::check::{check_line, check_name};
use super::options::pairs;
use super::program::{command, private};

parameters! {
    /// Ensures a network. If its declaration changes, it is created again, which fails while a
    /// container is connected to it.
    ///
    /// Example: `docker.network(request, "app", subnet = "172.30.0.0/24")`
    pub(crate) struct Network {
        /// Its name.
        name: String,
        /// Its driver: `bridge`, `macvlan`, ...
        #[serde(default = "bridge")]
        driver: String,
        /// Its subnet: `172.30.0.0/24`. Default: one that Docker chooses.
        #[serde(default)]
        subnet: Option<String>,
        /// The gateway in the subnet.
        #[serde(default)]
        gateway: Option<String>,
        /// No way out.
        #[serde(default)]
        internal: bool,
        /// IPv6 too.
        #[serde(default)]
        ipv6: bool,
        /// Options of the driver.
        #[serde(default)]
        options: BTreeMap<String, String>,
        /// `create`, or `delete` the network.
        #[serde(default)]
        action: Existence,
    }
}

fn bridge() -> String {
    "bridge".to_owned()
}

pub(crate) fn network(request: &mut Request, network: Network) -> Result<()> {
    let name = &network.name;
    check_name("a network", name)?;
    ensure!(
        !["bridge", "host", "none"].contains(&name.as_str()),
        "the network {name} is Docker's own"
    );
    if network.action == Existence::Delete {
        let remove = format!("docker network rm {}", quote(name));
        let script = ExecCheckedScript::new(format!("remove the network {name}"), remove)
            .only_if(format!("docker network inspect {}", quote(name)));
        return request.add(script);
    }
    let mut words = vec![format!("--driver={}", network.driver)];
    for (option, value) in [("subnet", &network.subnet), ("gateway", &network.gateway)] {
        words.extend(value.as_ref().map(|value| format!("--{option}={value}")));
    }
    for (option, on) in [("internal", network.internal), ("ipv6", network.ipv6)] {
        words.extend(on.then(|| format!("--{option}")));
    }
    words.extend(pairs("opt", &network.options)?);
    words.iter().try_for_each(|word| check_line("option", word))?;
    private(request, "networks", name, words.join("\n") + "\n")?;
    request.add(
        ExecCheckedScript::new(format!("create the network {name}"), command(&["network", name]))
            .unless(command(&["is-network", name])),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Docker;
    use super::*;

    #[test]
    fn a_network_has_its_options() {
        let mut recorder = Recorder::<Docker>::on("debian 12");
        let arguments = json!({"name": "app", "subnet": "172.30.0.0/24", "internal": true,
            "options": {"com.docker.network.bridge.name": "app0"}});
        recorder.call("network", arguments).unwrap();
        assert_eq!(
            recorder.actions()[1].arguments["content"],
            "--driver=bridge\n--subnet=172.30.0.0/24\n--internal\n\
             --opt=com.docker.network.bridge.name=app0\n"
        );
        assert!(recorder.call("network", json!({"name": "host"})).is_err());
        assert!(recorder.call("network", json!({"name": "a", "subnet": "x\ny"})).is_err());
    }
}
