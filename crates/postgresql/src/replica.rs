//! A replica: a cluster that follows the one of another node.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::cluster::{Cluster, FACILITY, Settings, USER};
use super::setting::render;
use super::sql::check_name;

parameters! {
    /// Makes the cluster of this node a replica of another node's: streaming replication.
    ///
    /// The primary is the only node of a group or with a role. Its data are copied once, by
    /// `pg_basebackup`, as soon as it lets the replica in; then the replica follows. On the
    /// primary, declare a role with `replication = True`, a rule of `hba` for the database
    /// `replication`, and `listen_addresses`.
    ///
    /// A cluster that has databases or tables of its own is never replaced.
    ///
    /// Example: `postgresql.replica(request, group = "primary", user = "replicator", password = secret("replication"))`
    pub(crate) struct Replica {
        /// The group of the primary.
        #[serde(default)]
        group: Option<String>,
        /// The role of the primary.
        #[serde(default)]
        role: Option<String>,
        /// The role of PostgreSQL to log in as.
        user: String,
        /// Its password: printable ASCII. Pass it as a secret.
        password: String,
        /// TCP port of the primary. Default: that of its `postgresql.settings`, or 5432.
        #[serde(default)]
        port: Option<u16>,
        /// Replication slot on the primary, which is created if it is missing: letters a-z, digits
        /// and `_`; empty: none. Default: the name of the node.
        #[serde(default)]
        slot: Option<String>,
        /// How TLS is used.
        #[serde(default)]
        sslmode: SslMode,
        /// Seconds to wait until the primary lets the replica in.
        #[serde(default = "default_timeout")]
        timeout: u32,
        /// The cluster. Default: `main`.
        #[serde(default)]
        instance: Option<String>,
    }
}

/// How TLS is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "kebab-case")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum SslMode {
    /// Never.
    Disable,
    /// If the primary has it.
    #[default]
    Prefer,
    /// Always.
    Require,
    /// Always, with a certificate of a known authority.
    VerifyCa,
    /// Always, with a certificate of a known authority for the primary's address.
    VerifyFull,
}

fn default_timeout() -> u32 {
    300
}

pub(crate) fn replica(request: &mut Request, replica: Replica) -> Result<()> {
    check_name("a role", &replica.user)?;
    ensure!(
        !replica.user.contains([':', '\\', '\'']),
        "{:?} cannot be the role of a replica: it has a character that a passfile cannot hold",
        replica.user
    );
    ensure!((1..=3600).contains(&replica.timeout), "the timeout must be 1 to 3600 seconds");
    ensure!(!replica.password.is_empty(), "the password of {} is empty", replica.user);
    let target = request.target()?;
    let slot = replica.slot.clone().unwrap_or_else(|| slot_of(&target.name));
    ensure!(
        slot.len() <= 63
            && slot
                .bytes()
                .all(|byte| { byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' }),
        "{slot:?} cannot name a slot: use a-z, 0-9 and _"
    );
    let cluster = Cluster::of(request, replica.instance.as_deref())?;
    let (address, port) = primary(request, &replica)?;
    let Value::String(sslmode) = json!(replica.sslmode) else { bail!("sslmode is no word") };
    let connection = format!(
        "host={address} port={port} user={} passfile={} application_name={} sslmode={sslmode}",
        value(&replica.user),
        value(&cluster.passfile()),
        value(&target.name),
    );
    let mut settings = BTreeMap::from([("primary_conninfo".to_owned(), json!(connection))]);
    if !slot.is_empty() {
        settings.insert("primary_slot_name".to_owned(), json!(slot));
    }
    cluster.put(request)?;
    request.add(
        ExecCheckedScript::new(
            format!("password of the replica {}", cluster.id),
            cluster.command("set-passfile", &[&replica.user]),
        )
        .unless(cluster.command("has-passfile", &[&replica.user]))
        .env("PALLET_PASSWORD", replica.password)
        .user(USER),
    )?;
    cluster.part(request, "replica.conf", render(&settings)?)?;
    cluster.apply(request)?;
    let timeout = replica.timeout.to_string();
    request.add(
        ExecCheckedScript::new(
            format!("copy the data of {address} to the replica {}", cluster.id),
            cluster.command("replicate", &[&connection, &slot, &timeout]),
        )
        .unless(cluster.command("is-replica", &[])),
    )
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
    let port = replica.port.or(settings.and_then(|settings| settings.port));
    Ok((address, port.unwrap_or(5432)))
}

/// A value in a connection string.
fn value(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A slot with the name of a node.
fn slot_of(node: &str) -> String {
    let letter = |character: char| match character.to_ascii_lowercase() {
        good @ ('a'..='z' | '0'..='9' | '_') => good,
        _ => '_',
    };
    node.chars().map(letter).take(63).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Postgresql;
    use super::*;

    #[test]
    fn a_slot_is_named_as_its_node() {
        assert_eq!(slot_of("Replica-1.known"), "replica_1_known");
    }

    #[test]
    fn a_value_stays_in_its_quotes() {
        assert_eq!(value("it's \\"), "'it\\'s \\\\'");
    }

    #[test]
    fn a_replica_needs_one_primary() {
        for (more, said) in [
            (json!({}), "exactly one of group and role"),
            (json!({"group": "group"}), "has no node"),
            (json!({"group": "group", "user": "a:b"}), "cannot be the role"),
            (json!({"group": "group", "slot": "a-b"}), "cannot name a slot"),
            (json!({"group": "group", "password": ""}), "is empty"),
            (json!({"group": "group", "timeout": 0}), "1 to 3600"),
        ] {
            let mut arguments = json!({"user": "r", "password": "x"});
            arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let error = Recorder::<Postgresql>::on("debian 12")
                .call("replica", arguments.clone())
                .unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
