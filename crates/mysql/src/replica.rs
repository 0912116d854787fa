//! A replica: a server that follows the one of another node.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::grant::{Grant, grant};
use super::server::{self, FACILITY, PASSWORD, Settings, command};
use super::setting::render;
use super::sql::check_user;
use super::user::{User, user};

parameters! {
    /// Makes a user for replicas, with the privileges to copy the databases and to follow. Call it
    /// on the primary.
    ///
    /// The primary also needs options: `mysql.setting(request, {"log_bin": "binlog", "server_id":
    /// 1, "bind_address": "0.0.0.0"})`.
    ///
    /// Example: `mysql.replicator(request, "replicator", password = secret("replication"))`
    pub(crate) struct Replicator {
        /// The name of the user.
        name: String,
        /// The password: printable ASCII. Pass it as a secret.
        password: String,
        /// The machines of the replicas.
        #[serde(default = "any")]
        host: String,
    }

    /// Makes the server of this node a replica of another node's, by global transaction IDs
    /// (GTID). It becomes read-only.
    ///
    /// The primary is the only node of a group or with a role. Its databases, with its users, are
    /// copied once, by `mariadb-dump`, as soon as it lets the replica in; then the replica follows.
    /// A server that has databases of its own is refused.
    ///
    /// Example: `mysql.replica(request, group = "primary", user = "replicator", password = secret("replication"))`
    pub(crate) struct Replica {
        /// The group of the primary.
        #[serde(default)]
        group: Option<String>,
        /// The role of the primary.
        #[serde(default)]
        role: Option<String>,
        /// The user of `mysql.replicator`.
        user: String,
        /// Its password. Pass it as a secret.
        password: String,
        /// TCP port of the primary. Default: that of its `mysql.settings`, or 3306.
        #[serde(default)]
        port: Option<u16>,
        /// The number of this server, which no other server of the replication has. Default: made
        /// of its IPv4 address.
        #[serde(default)]
        server_id: Option<u32>,
        /// Seconds to wait until the primary lets the replica in.
        #[serde(default = "default_timeout")]
        timeout: u32,
    }
}

fn any() -> String {
    "%".to_owned()
}

fn default_timeout() -> u32 {
    300
}

/// What a replica needs to copy and to follow.
const PRIVILEGES: [&str; 9] = [
    "SELECT",
    "RELOAD",
    "LOCK TABLES",
    "SHOW VIEW",
    "EVENT",
    "TRIGGER",
    "PROCESS",
    "REPLICATION SLAVE",
    "BINLOG MONITOR",
];

pub(crate) fn replicator(request: &mut Request, replicator: Replicator) -> Result<()> {
    let Replicator { name, password, host } = replicator;
    let arguments = json!({"name": &name, "host": &host, "password": password});
    user(request, User::deserialize(arguments)?)?;
    let arguments = json!({"user": name, "host": host, "privileges": PRIVILEGES, "database": "*"});
    grant(request, Grant::deserialize(arguments)?)
}

pub(crate) fn replica(request: &mut Request, replica: Replica) -> Result<()> {
    check_user(&replica.user, "%")?;
    let plain = |character: char| character.is_ascii_graphic() && !"\"'\\#".contains(character);
    ensure!(
        replica.user.chars().all(plain),
        "{:?} cannot be the user of a replica: use letters, digits, -, _ and .",
        replica.user
    );
    ensure!(!replica.password.is_empty(), "the password of {} is empty", replica.user);
    ensure!((1..=3600).contains(&replica.timeout), "the timeout must be 1 to 3600 seconds");
    ensure!(replica.server_id != Some(0), "the server_id must be 1 or more");
    let (address, port) = primary(request, &replica)?;
    let target = request.target()?;
    let own = target.address.as_deref().unwrap_or(&target.name);
    let id = replica.server_id.unwrap_or_else(|| number(own));
    let settings = BTreeMap::from([
        ("server_id".to_owned(), json!(id)),
        ("read_only".to_owned(), json!(true)),
    ]);
    server::put(request)?;
    server::part(request, "replica", render(&settings)?)?;
    server::apply(request)?;
    let (port, timeout) = (port.to_string(), replica.timeout.to_string());
    let look = command(&["is-replica", &address, &port, &replica.user]);
    let run = command(&["replicate", &address, &port, &replica.user, &timeout]);
    request.add(
        ExecCheckedScript::new(format!("make this a replica of {address}"), run)
            .unless(look)
            .env(PASSWORD, replica.password),
    )
}

/// The number of a server: its IPv4 address, or a digest of its name.
fn number(address: &str) -> u32 {
    let number = match address.parse::<std::net::Ipv4Addr>() {
        Ok(address) => address.to_bits(),
        // FNV-1a
        Err(_) => address.bytes().fold(0x811c_9dc5, |digest: u32, byte| {
            (digest ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        }),
    };
    // small numbers are those that people choose
    number.max(1000)
}

/// The address and the port of the primary.
fn primary(request: &Request, replica: &Replica) -> Result<(String, u16)> {
    let own = request.target()?.id;
    let wanted = |target: &&Target| match (&replica.group, &replica.role) {
        (Some(group), None) => target.group == *group,
        (None, Some(role)) => target.roles.contains(role),
        _ => false,
    };
    ensure!(
        replica.group.is_some() != replica.role.is_some(),
        "a replica has one primary: give exactly one of group and role"
    );
    let targets = request.targets()?;
    let found: Vec<_> = targets.iter().filter(wanted).filter(|target| target.id != own).collect();
    let [primary] = found.as_slice() else {
        let names: Vec<_> = found.iter().map(|target| target.name.as_str()).collect();
        let names = if names.is_empty() { "no node".to_owned() } else { names.join(", ") };
        bail!("a replica has one primary, but the group or role that is given has {names}")
    };
    let Some(address) = primary.address.clone() else {
        bail!("node {} has no address that a replica could reach", primary.name)
    };
    let good = |character: char| character.is_ascii_alphanumeric() || "-_.:%".contains(character);
    ensure!(address.chars().all(good), "the address {address:?} of {} is odd", primary.name);
    let settings: Option<Settings> = request.settings_of(&primary.id, FACILITY)?;
    let port = replica.port.or(settings.map(|settings| settings.port));
    Ok((address, port.unwrap_or(3306)))
}

#[cfg(test)]
mod tests {
    use super::super::Mysql;
    use super::*;

    #[test]
    fn servers_have_numbers_of_their_own() {
        assert_eq!(number("10.213.0.2"), 0x0ad5_0002);
        assert_ne!(number("web-1"), number("web-2"));
        assert!(number("0.0.0.1") >= 1000);
    }

    #[test]
    fn a_replicator_may_follow() {
        let mut recorder = Recorder::<Mysql>::on("debian 12");
        recorder.call("replicator", json!({"name": "r", "password": "x"})).unwrap();
        let last = recorder.actions().pop().unwrap();
        let script = last.arguments["script"].as_str().unwrap();
        assert!(script.contains("REPLICATION SLAVE, BINLOG MONITOR on *.* to"), "{script}");
    }

    #[test]
    fn a_replica_needs_one_primary() {
        for (more, said) in [
            (json!({}), "exactly one of group and role"),
            (json!({"group": "group"}), "has no node"),
            (json!({"group": "group", "user": "a'b"}), "cannot be the user"),
            (json!({"group": "group", "password": ""}), "is empty"),
            (json!({"group": "group", "timeout": 0}), "1 to 3600"),
            (json!({"group": "group", "server_id": 0}), "1 or more"),
        ] {
            let mut arguments = json!({"user": "r", "password": "x"});
            arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let error =
                Recorder::<Mysql>::on("debian 12").call("replica", arguments.clone()).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
