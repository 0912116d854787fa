//! Who may connect, from where, and how they prove who they are: `pg_hba.conf`.

use std::collections::BTreeMap;
use std::fmt::Write;

use pallet_core::prelude::*;

use super::cluster::{Cluster, USER};

parameters! {
    /// Sets the rules by which clients may connect: the whole `pg_hba.conf`, in order. The first
    /// rule that fits a connection decides; where none fits, it is refused.
    ///
    /// Two rules come first, which let the system's user `postgres` in over the unix socket. The
    /// server checks the rules before it is told to use them. If it refuses one, the old rules
    /// stay, and the operation fails on this node.
    ///
    /// Example: `postgresql.hba(request, [{"type": "hostssl", "databases": ["app"], "users": ["app"], "group": "web"}])`
    pub(crate) struct Hba {
        /// The rules, each a table: `type`, `databases`, `users`, `address` or `group` or `role`,
        /// `method`, `options`.
        rules: Vec<Rule>,
        /// The cluster. Default: `main`.
        #[serde(default)]
        instance: Option<String>,
    }

    /// One rule.
    pub(crate) struct Rule {
        /// The kind of connection.
        #[serde(default, rename = "type")]
        kind: Kind,
        /// Databases, or `all`, `sameuser`, `samerole`, `replication`. Default: `all`.
        #[serde(default = "all")]
        databases: Vec<String>,
        /// Roles, or `all`, or `+ROLE` for the members of a role. Default: `all`.
        #[serde(default = "all")]
        users: Vec<String>,
        /// Where clients are: a network such as `10.0.0.0/8`, an address, a host name, `.DOMAIN`,
        /// `samehost`, `samenet` or `all`.
        #[serde(default)]
        address: Option<String>,
        /// The group whose nodes are the clients.
        #[serde(default)]
        group: Option<String>,
        /// The role whose nodes are the clients.
        #[serde(default)]
        role: Option<String>,
        /// How clients prove who they are.
        #[serde(default)]
        method: Method,
        /// Options of the method, such as `{"map": "admins"}`.
        #[serde(default)]
        options: BTreeMap<String, String>,
    }
}

/// The kind of connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "lowercase")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Kind {
    /// Over the unix socket.
    Local,
    /// TCP, with or without TLS.
    #[default]
    Host,
    /// TCP with TLS.
    HostSsl,
    /// TCP without TLS.
    HostNoSsl,
    /// TCP with encryption by GSSAPI.
    HostGssEnc,
    /// TCP without encryption by GSSAPI.
    HostNoGssEnc,
}

/// How clients prove who they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "kebab-case")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Method {
    /// By password.
    #[default]
    #[serde(rename = "scram-sha-256")]
    ScramSha256,
    /// By password, also of roles that have an old MD5 password.
    Md5,
    /// By the user of the operating system, over the unix socket.
    Peer,
    /// By a TLS certificate.
    Cert,
    /// By an ident server.
    Ident,
    Ldap,
    Pam,
    Radius,
    Gss,
    /// Nobody asks.
    Trust,
    /// The connection is refused.
    Reject,
}

fn all() -> Vec<String> {
    vec!["all".to_owned()]
}

pub(crate) fn hba(request: &mut Request, hba: Hba) -> Result<()> {
    let content = render(request, &hba.rules)?;
    let cluster = Cluster::of(request, hba.instance.as_deref())?;
    cluster.put(request)?;
    cluster.part(request, "hba", content)?;
    cluster.apply(request)
}

fn render(request: &Request, rules: &[Rule]) -> Result<String> {
    let mut out = format!(
        "# written by pallet: changes here are lost\nlocal all {USER} peer\n\
         local replication {USER} peer\n"
    );
    for (number, rule) in rules.iter().enumerate() {
        let context = || format!("rule {} of pg_hba.conf", number + 1);
        let databases = list("database", &rule.databases).with_context(context)?;
        let users = list("role", &rule.users).with_context(context)?;
        let method = method(rule).with_context(context)?;
        for address in addresses(request, rule).with_context(context)? {
            writeln!(out, "{} {databases} {users}{address} {method}", word(rule.kind)?)?;
        }
    }
    Ok(out)
}

/// The word of a variant, as its name is serialized.
fn word(value: impl Serialize) -> Result<String> {
    match json!(value) {
        Value::String(word) => Ok(word),
        other => bail!("{other} is no word"),
    }
}

fn method(rule: &Rule) -> Result<String> {
    let local = rule.kind == Kind::Local;
    ensure!(
        local || rule.method != Method::Peer,
        "the method peer is for connections of type local"
    );
    ensure!(
        !local || !matches!(rule.method, Method::Cert | Method::Gss | Method::Ident),
        "this method is not for connections of type local"
    );
    let mut out = word(rule.method)?;
    for (name, value) in &rule.options {
        ensure!(
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
            "{name:?} is no option of a method"
        );
        let option = format!("{name}={value}");
        write!(out, " {}", token("the option", &option)?)?;
    }
    Ok(out)
}

/// The addresses of a rule, each with a space before it.
fn addresses(request: &Request, rule: &Rule) -> Result<Vec<String>> {
    let given = (&rule.address, &rule.group, &rule.role);
    if rule.kind == Kind::Local {
        ensure!(
            given == (&None, &None, &None),
            "connections of type local have no address; omit address, group and role"
        );
        return Ok(vec![String::new()]);
    }
    let nodes = |wanted: &dyn Fn(&Target) -> bool| -> Result<Vec<String>> {
        let mut addresses = Vec::new();
        for target in request.targets()?.iter().filter(|target| wanted(target)) {
            if let Some(address) = &target.address {
                addresses.push(format!(" {}", network(address)?));
            }
        }
        addresses.sort();
        Ok(addresses)
    };
    match given {
        (Some(address), None, None) => Ok(vec![format!(" {}", network(address)?)]),
        (None, Some(group), None) => nodes(&|target| target.group == *group),
        (None, None, Some(role)) => nodes(&|target| target.roles.contains(role)),
        _ => bail!("give exactly one of address, group and role"),
    }
}

/// An address as pg_hba.conf has it: with the length of its network.
fn network(address: &str) -> Result<String> {
    if let Ok(address) = address.parse::<std::net::IpAddr>() {
        return Ok(format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 }));
    }
    if let Some((network, length)) = address.split_once('/') {
        let network: Option<std::net::IpAddr> = network.parse().ok();
        let most = network.map(|network| if network.is_ipv4() { 32 } else { 128 });
        let length: Option<u8> = length.parse().ok();
        ensure!(
            most.zip(length).is_some_and(|(most, length)| length <= most),
            "{address:?} is no network; write it like 10.0.0.0/8"
        );
        return Ok(address.to_owned());
    }
    let good = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    ensure!(
        !address.is_empty() && address.chars().all(good) && !address.starts_with('-'),
        "{address:?} is no address: give a network, an address or a host name"
    );
    Ok(address.to_owned())
}

fn list(what: &str, names: &[String]) -> Result<String> {
    ensure!(!names.is_empty(), "a rule without a {what} never fits; name one, or all");
    let tokens: Result<Vec<_>> = names.iter().map(|name| token(what, name)).collect();
    Ok(tokens?.join(","))
}

/// A word of a line. Keywords are words without quotes.
fn token(what: &str, text: &str) -> Result<String> {
    ensure!(
        !text.is_empty()
            && !text.chars().any(|character| character.is_control() || character == '"'),
        "the {what} {text:?} cannot stand in pg_hba.conf"
    );
    ensure!(
        !text.starts_with('@') && !text.starts_with('/'),
        "the {what} {text:?} would be read from a file or as a pattern; name it"
    );
    let plain = |character: char| character.is_ascii_alphanumeric() || "+_-.=".contains(character);
    Ok(if text.chars().all(plain) { text.to_owned() } else { format!("\"{text}\"") })
}

#[cfg(test)]
mod tests {
    use super::super::Postgresql;
    use super::*;

    fn rendered(rules: Value) -> Result<String, PluginError> {
        let mut recorder = Recorder::<Postgresql>::on("debian 12");
        recorder.call("hba", json!({"rules": rules}))?;
        let path = "/etc/pallet/postgresql/15-main/hba";
        let file = recorder.actions().into_iter().find(|file| file.subject == path).unwrap();
        Ok(file.arguments["content"].as_str().unwrap().to_owned())
    }

    #[test]
    fn rules_stand_in_order() {
        let rules = json!([
            {"type": "hostssl", "databases": ["app", "my db"], "users": ["+staff"],
             "address": "10.0.0.0/8", "method": "cert", "options": {"map": "a b"}},
            {"users": ["app"], "group": "group"},
            {"address": "2001:db8::1", "method": "reject"},
            {"type": "local", "method": "peer"},
        ]);
        assert_eq!(
            rendered(rules).unwrap(),
            "# written by pallet: changes here are lost\n\
             local all postgres peer\n\
             local replication postgres peer\n\
             hostssl app,\"my db\" +staff 10.0.0.0/8 cert \"map=a b\"\n\
             host all app 192.0.2.1/32 scram-sha-256\n\
             host all all 2001:db8::1/128 reject\n\
             local all all peer\n"
        );
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for (rule, said) in [
            (json!({}), "exactly one of"),
            (json!({"address": "all", "group": "web"}), "exactly one of"),
            (json!({"address": "10.0.0.0/33"}), "no network"),
            (json!({"address": "all trust\nhost all all all"}), "is no address"),
            (json!({"address": "all", "users": ["a\" trust"]}), "cannot stand in"),
            (json!({"address": "all", "users": ["a\nb"]}), "cannot stand in"),
            (json!({"address": "all", "users": ["@/etc/passwd"]}), "from a file"),
            (json!({"address": "all", "databases": []}), "never fits"),
            (json!({"address": "all", "method": "peer"}), "type local"),
            (json!({"address": "all", "method": "none"}), "unknown variant"),
            (json!({"address": "all", "user": "a"}), "unknown field"),
            (json!({"type": "local", "address": "all"}), "have no address"),
            (json!({"address": "all", "options": {"a b": "c"}}), "is no option"),
        ] {
            let error = rendered(json!([rule])).unwrap_err();
            assert!(format!("{error:#}").contains(said), "{rule}: {error}");
        }
    }
}
