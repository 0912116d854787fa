//! A sentinel: it watches a primary, tells clients which node that is, and makes a replica the
//! primary if it fails.

use pallet_core::prelude::*;

use super::program::{SENTINEL_PORT, command, install};
use super::settings::{primary, reach};

/// The flag that is set when the sentinel's file changed.
const CHANGED: &str = "redis-sentinel";

parameters! {
    /// Runs a sentinel on this node, which watches the primary of a group.
    ///
    /// Run three or more, on different nodes. It listens on TCP port 26379. Which node is the
    /// primary is declared once; afterwards the sentinels decide.
    ///
    /// Example: `redis.sentinel(request, "main", group = "redis", quorum = 2, password = secret("redis-password"))`
    pub(crate) struct Sentinel {
        /// Name of the primary, by which clients ask for it.
        name: String,
        /// Group whose first node is the primary, as in `redis.replica`.
        #[serde(default)]
        group: Option<String>,
        /// Name of the node that is the primary.
        #[serde(default)]
        of: Option<String>,
        /// Password of the primary and its replicas, without spaces, quotes and backslashes.
        #[serde(default)]
        password: Option<String>,
        /// Number of sentinels that must agree that the primary fails. Default: 2.
        #[serde(default = "default_quorum")]
        quorum: u32,
        /// Addresses to listen on, with spaces between. Default: all.
        #[serde(default = "default_listen")]
        listen: String,
        /// Number of milliseconds without an answer after which a node fails. Default: 30000.
        #[serde(default = "default_down")]
        down_after: u32,
        /// Number of milliseconds after which a failover is tried again. Default: 180000.
        #[serde(default = "default_failover")]
        failover_timeout: u32,
        /// Number of replicas that follow a new primary at the same time. Default: 1.
        #[serde(default = "default_parallel")]
        parallel_syncs: u32,
    }
}

fn default_quorum() -> u32 {
    2
}

/// All addresses, which is the default of the server.
const ALL: &str = "* -::*";

fn default_listen() -> String {
    ALL.to_owned()
}

fn default_down() -> u32 {
    30_000
}

fn default_failover() -> u32 {
    180_000
}

fn default_parallel() -> u32 {
    1
}

pub(crate) fn sentinel(request: &mut Request, wanted: Sentinel) -> Result<()> {
    let Sentinel { name, group, of, password, quorum, listen, .. } = wanted;
    check_file_name("a primary", &name)?;
    for (what, number) in [
        ("quorum", quorum),
        ("down_after", wanted.down_after),
        ("failover_timeout", wanted.failover_timeout),
        ("parallel_syncs", wanted.parallel_syncs),
    ] {
        ensure!(number > 0, "sentinel {name}: {what} must be at least 1");
    }
    let good = |character: char| character.is_ascii_alphanumeric() || "-*.: ".contains(character);
    ensure!(
        !listen.trim().is_empty() && listen.chars().all(good),
        "sentinel {name}: {listen:?} are no addresses to listen on"
    );
    if let Some(password) = &password {
        ensure!(
            !password.is_empty()
                && !password.contains(|one: char| one.is_whitespace() || "\"'\\".contains(one)),
            "sentinel {name}: the password cannot have spaces, quotes or backslashes"
        );
    }
    let primary = primary(request, of.as_deref(), group.as_deref())?;
    let (address, port) = reach(request, &primary)?;
    ensure!(
        address.parse::<std::net::IpAddr>().is_ok() || address.ends_with(KNOWN_AFTER_APPLY),
        "sentinel {name}: node {} is known by the name {address}; a sentinel needs an IP address",
        primary.name
    );
    let names = super::settings::own(request)?.names;
    request.add(Package::install(names.sentinel_package))?;
    install(request)?;
    // sentinels write the rest of their file themselves
    let changed = || Options::new().flag_on_change(CHANGED);
    let set = |key: &str, value: &str| {
        let line = LineInFile::new(names.sentinel_config, format!("{key} {value}"));
        line.matching(format!("^{key} "))
    };
    request.add_with(set("port", &SENTINEL_PORT.to_string()), changed())?;
    request.add_with(set("protected-mode", "no"), changed())?;
    // what is the default, sentinels remove
    let bind = match listen.trim() {
        ALL => LineInFile::none_matching(names.sentinel_config, "^bind "),
        listen => set("bind", listen),
    };
    request.add_with(bind, changed())?;
    request.add(Service::start(names.sentinel).enabled(true))?;
    request.add_with(Service::restart(names.sentinel), Options::new().if_flag(CHANGED))?;
    let file = format!("{}/sentinel-{name}", names.parts);
    match password {
        Some(password) => request.add(
            RemoteFile::content(file, format!("{password}\n"))
                .owner("root")
                .group("root")
                .mode(0o600)
                .max_versions(0),
        )?,
        None => request.add(File::at(file).absent())?,
    }
    let words = [
        name.clone(),
        address,
        port.to_string(),
        quorum.to_string(),
        wanted.down_after.to_string(),
        wanted.failover_timeout.to_string(),
        wanted.parallel_syncs.to_string(),
    ];
    let call = |verb: &str| {
        let mut all = vec![verb];
        all.extend(words.iter().map(String::as_str));
        command(&all)
    };
    request.add(
        ExecCheckedScript::new(format!("watch {name}"), call("watch")).unless(call("is-watched")),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Redis;
    use super::*;

    #[test]
    fn it_watches_the_first_of_a_group() {
        let mut recorder = Recorder::<Redis>::on("debian 12");
        let wanted = json!({"name": "main", "group": "group", "password": "⟦secret:r⟧"});
        recorder.call("sentinel", wanted).unwrap();
        let action = recorder.actions().pop().unwrap();
        let program = "sh /usr/local/lib/pallet/redis-settings";
        let words = "main 192.0.2.1 6379 2 30000 180000 1";
        assert_eq!(action.arguments["script"], format!("{program} watch {words}"));
        assert_eq!(action.arguments["unless"], format!("{program} is-watched {words}"));
    }

    #[test]
    fn what_is_no_sentinel_is_refused() {
        for (arguments, said) in [
            (json!({"name": "a b", "group": "group"}), "cannot name a primary"),
            (json!({"name": "a"}), "exactly one of"),
            (json!({"name": "a", "group": "group", "quorum": 0}), "at least 1"),
            (json!({"name": "a", "group": "group", "listen": "a\nb"}), "no addresses"),
            (json!({"name": "a", "group": "group", "password": "a\"b"}), "cannot have spaces"),
        ] {
            let error =
                Recorder::<Redis>::on("debian 12").call("sentinel", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
