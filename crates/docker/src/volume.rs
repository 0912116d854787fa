//! Volumes.

use std::collections::BTreeMap;

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::check::check_name;
use super::options::pairs;

parameters! {
    /// Ensures a volume. One that is there stays as it is, whatever its options: it has data.
    ///
    /// Example: `docker.volume(request, "data")`
    pub(crate) struct Volume {
        /// Its name.
        name: String,
        /// Its driver.
        #[serde(default = "local")]
        driver: String,
        /// Options of the driver, of a new volume.
        #[serde(default)]
        options: BTreeMap<String, String>,
        /// `create`, or `delete` the volume with its data.
        #[serde(default)]
        action: Existence,
    }
}

fn local() -> String {
    "local".to_owned()
}

pub(crate) fn volume(request: &mut Request, volume: Volume) -> Result<()> {
    let name = &volume.name;
    check_name("a volume", name)?;
    check_name("a driver", &volume.driver)?;
    let there = format!("docker volume inspect {name}");
    if volume.action == Existence::Delete {
        let remove = format!("docker volume rm {name}");
        let script = ExecCheckedScript::new(format!("remove the volume {name}"), remove);
        return request.add(script.only_if(there));
    }
    let mut words = vec![format!("--driver={}", volume.driver)];
    words.extend(pairs("opt", &volume.options)?);
    let words: Vec<_> = words.iter().map(|word| quote(word)).collect();
    request.add(
        ExecCheckedScript::new(
            format!("create the volume {name}"),
            format!("docker volume create {} {name}", words.join(" ")),
        )
        .unless(there),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Docker;
    use super::*;

    #[test]
    fn a_volume_is_created_once() {
        let mut recorder = Recorder::<Docker>::on("debian 12");
        let options = json!({"type": "nfs", "o": "addr=a,rw"});
        recorder.call("volume", json!({"name": "data", "options": options})).unwrap();
        let action = recorder.actions().remove(0);
        assert_eq!(
            action.arguments["script"],
            "docker volume create --driver=local --opt=o=addr=a,rw --opt=type=nfs data"
        );
        assert_eq!(action.arguments["unless"], "docker volume inspect data");
    }
}
