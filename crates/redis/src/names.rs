//! What differs between systems, and between Redis and Valkey: packages, services, paths.

use pallet_core::prelude::*;

/// Which server it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "lowercase")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Kind {
    /// Redis.
    Redis,
    /// Valkey, which goes on from Redis 7.2.
    Valkey,
}

/// The names of one server on one system.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) package: &'static str,
    pub(crate) service: &'static str,
    /// The server's file of settings, which it may also write itself.
    pub(crate) config: &'static str,
    /// The directory of what Pallet writes.
    pub(crate) parts: &'static str,
    /// The program that is the server.
    pub(crate) server: &'static str,
    /// The program that talks to it.
    pub(crate) client: &'static str,
    /// The group that runs it.
    pub(crate) group: &'static str,
    pub(crate) sentinel_package: &'static str,
    pub(crate) sentinel: &'static str,
    pub(crate) sentinel_config: &'static str,
}

const REDIS_DEBIAN: Names = Names {
    package: "redis-server",
    service: "redis-server",
    sentinel_package: "redis-sentinel",
    ..REDIS_RED_HAT
};

const REDIS_RED_HAT: Names = Names {
    package: "redis",
    service: "redis",
    config: "/etc/redis/redis.conf",
    parts: "/etc/pallet/redis",
    server: "redis-server",
    client: "redis-cli",
    group: "redis",
    sentinel_package: "redis",
    sentinel: "redis-sentinel",
    sentinel_config: "/etc/redis/sentinel.conf",
};

const VALKEY: Names = Names {
    package: "valkey",
    service: "valkey",
    config: "/etc/valkey/valkey.conf",
    parts: "/etc/pallet/valkey",
    server: "valkey-server",
    client: "valkey-cli",
    group: "valkey",
    sentinel_package: "valkey",
    sentinel: "valkey-sentinel",
    sentinel_config: "/etc/valkey/sentinel.conf",
};

const VALKEY_DEBIAN: Names = Names {
    package: "valkey-server",
    service: "valkey-server",
    sentinel_package: "valkey-sentinel",
    ..VALKEY
};

const REDIS: SystemTable<Names> = SystemTable(&[
    ("debian", REDIS_DEBIAN),
    (
        "rocky 8",
        Names {
            config: "/etc/redis.conf",
            sentinel_config: "/etc/redis-sentinel.conf",
            ..REDIS_RED_HAT
        },
    ),
    ("rocky 9", REDIS_RED_HAT),
    ("almalinux 9", REDIS_RED_HAT),
    ("rhel 9", REDIS_RED_HAT),
    ("centos 9", REDIS_RED_HAT),
]);

const VALKEYS: SystemTable<Names> = SystemTable(&[
    ("debian 13", VALKEY_DEBIAN),
    ("ubuntu 25", VALKEY_DEBIAN),
    ("ubuntu 26", VALKEY_DEBIAN),
    ("fedora", VALKEY),
    ("rocky 10", VALKEY),
    ("almalinux 10", VALKEY),
    ("rhel 10", VALKEY),
    ("centos 10", VALKEY),
    ("arch", VALKEY),
]);

/// The names on a system: those of the server that is wanted, otherwise of Redis where the system
/// has it, and of Valkey elsewhere.
pub(crate) fn names(os: &Os, wanted: Option<Kind>) -> Result<&'static Names> {
    match wanted {
        Some(Kind::Redis) => REDIS.row(os).context("Redis"),
        Some(Kind::Valkey) => VALKEYS.row(os).context("Valkey"),
        None => REDIS.row(os).or_else(|error| VALKEYS.row(os).map_err(|_| error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_has_what_it_packages() {
        let named = |system: &str, wanted| {
            names(&Os::named(system, "x86_64"), wanted).map(|names| names.package)
        };
        assert_eq!(named("debian 12", None).unwrap(), "redis-server");
        assert_eq!(named("debian 13", None).unwrap(), "redis-server");
        assert_eq!(named("debian 13", Some(Kind::Valkey)).unwrap(), "valkey-server");
        assert_eq!(named("arch", None).unwrap(), "valkey");
        assert_eq!(named("rocky 9.4", None).unwrap(), "redis");
        let error = named("debian 12", Some(Kind::Valkey)).unwrap_err();
        assert!(format!("{error:#}").contains("Valkey: debian 12"), "{error:#}");
        assert!(named("alpine", None).is_err());
    }
}
