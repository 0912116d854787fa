//! A server that has the data of another one.

use pallet_core::prelude::*;

use super::program::{self, command, put};
use super::service;
use super::setting::Presence;
use super::settings::{primary, reach};

parameters! {
    /// Makes this node a replica of another one: of a node, or of the first node of a group, which
    /// itself stays the primary. So a whole group can call it.
    ///
    /// The primary must listen on an address that this node reaches, and both need the same
    /// password: `redis.setting(request, "bind", value = "* -::*")` and `redis.password`.
    ///
    /// Example: `redis.replica(request, group = "redis")`
    pub(crate) struct Replica {
        /// Name of the node that is the primary.
        #[serde(default)]
        of: Option<String>,
        /// Group whose first node is the primary.
        #[serde(default)]
        group: Option<String>,
        /// Sentinels may make another node the primary later: Pallet then sets the primary only
        /// once, and leaves what they make of it.
        #[serde(default)]
        sentinel: bool,
        /// Number of seconds to wait until the node has the data of its primary. Default: 60. 0
        /// does not wait.
        #[serde(default = "default_wait")]
        wait: u32,
        /// Whether it is a replica. `absent` makes it a primary.
        #[serde(default)]
        action: Presence,
    }
}

fn default_wait() -> u32 {
    60
}

pub(crate) fn replica(request: &mut Request, wanted: Replica) -> Result<()> {
    let Replica { of, group, sentinel, wait, action } = wanted;
    ensure!(wait <= 86_400, "wait must be at most 86400 seconds");
    let file = "replicaof.conf";
    if action == Presence::Absent {
        return put(request, file, None);
    }
    let target = request.target()?;
    let primary = primary(request, of.as_deref(), group.as_deref())?;
    if primary.id == target.id {
        ensure!(of.is_none(), "node {} cannot be a replica of itself", target.name);
        return put(request, file, None);
    }
    let (address, port) = reach(request, &primary)?;
    if sentinel {
        // not one of the settings, which would make it a replica again in each restart
        put(request, file, None)?;
        service::load(request)?;
        let arguments = ["follow", &address, &port.to_string()].map(str::to_owned);
        let mut look = arguments.clone();
        look[0] = "is-following".to_owned();
        let words = |words: &[String; 3]| command(&words.each_ref().map(String::as_str));
        request.add(
            ExecCheckedScript::new(format!("follow {}", primary.name), words(&arguments))
                .unless(words(&look)),
        )?;
    } else {
        put(request, file, Some(format!("replicaof {address} {port}\n")))?;
        service::load(request)?;
    }
    if wait == 0 {
        return Ok(());
    }
    request.add(WaitForCommand {
        timeout: wait,
        ..WaitForCommand::new(program::command(&["is-linked"]))
    })
}

#[cfg(test)]
mod tests {
    use super::super::Redis;
    use super::*;

    #[test]
    fn the_first_of_a_group_stays_the_primary() {
        let mut recorder = Recorder::<Redis>::on("debian 12");
        recorder.call("replica", json!({"group": "group"})).unwrap();
        let declared = recorder.declared();
        assert!(declared.contains(&"file /etc/pallet/redis/replicaof.conf".to_owned()));
        assert!(!declared.iter().any(|one| one.starts_with("wait_for")), "{declared:?}");
    }

    #[test]
    fn what_is_no_primary_is_refused() {
        for (arguments, said) in [
            (json!({}), "exactly one of"),
            (json!({"of": "x", "group": "y"}), "exactly one of"),
            (json!({"of": "x"}), "no node x"),
            (json!({"group": "y"}), "has no node"),
            (json!({"of": "node-1"}), "of itself"),
        ] {
            let error = Recorder::<Redis>::on("debian 12").call("replica", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
