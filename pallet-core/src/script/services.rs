//! What differs between service managers: names, and the call that starts, stops or enables a
//! service. The shell half is `library/services.sh`.

use super::Script;
use crate::model::ServiceManager;

/// The kinds of systemd's units.
const KINDS: [&str; 11] = [
    ".service",
    ".socket",
    ".device",
    ".mount",
    ".automount",
    ".swap",
    ".target",
    ".path",
    ".timer",
    ".slice",
    ".scope",
];

/// The kind of systemd unit that a name says, if it says one.
pub fn unit_kind(name: &str) -> Option<&'static str> {
    KINDS.into_iter().find(|kind| name.ends_with(kind))
}

/// The systemd unit that a service's name stands for: `nginx.service` for `nginx`, and what has a
/// kind of its own as it is.
pub fn unit(name: &str) -> String {
    if unit_kind(name).is_some() { name.to_owned() } else { format!("{name}.service") }
}

/// Whether systemd, or what else runs services, could know this name.
pub fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@:+\\".contains(&byte);
    let starts =
        |name: &str| name.starts_with('.') || (name.starts_with('-') && unit_kind(name).is_none());
    !name.is_empty() && !starts(name) && name.bytes().all(plain)
}

/// Brings a service to what `action` says (`start`, `stop`, `restart`, `reload`) and, if `enabled`
/// is given, makes it start with the node or not. `command` is started as a plain process where
/// nothing on the node knows the service. It must stay up for `seconds` then.
pub fn ensure(
    manager: ServiceManager,
    name: &str,
    action: &str,
    enabled: Option<bool>,
    command: Option<&str>,
    seconds: Option<u32>,
) -> Script {
    let enabled = enabled.map_or("", |enabled| if enabled { "yes" } else { "no" });
    let words =
        ["ensure_service", manager.as_str(), name, action, enabled, command.unwrap_or_default()];
    Script::new().call(
        words.into_iter().map(str::to_owned).chain(seconds.map(|seconds| seconds.to_string())),
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_without_a_kind_is_a_service() {
        assert_eq!(super::unit("nginx"), "nginx.service");
        assert_eq!(super::unit("apt-daily.timer"), "apt-daily.timer");
        assert_eq!(super::unit("php8.2-fpm"), "php8.2-fpm.service");
    }

    #[test]
    fn the_shell_knows_the_same_kinds() {
        let arm =
            crate::script::UNIT.lines().find_map(|line| line.trim().strip_suffix(") unit=$1 ;;"));
        let shell: Vec<_> = arm.expect("it is there").split(" | ").collect();
        assert_eq!(shell, super::KINDS.map(|kind| format!("*{kind}")));
    }

    #[test]
    fn fault_14_every_kind_and_name_of_systemd_is_known() {
        for kind in [
            "service",
            "socket",
            "device",
            "mount",
            "automount",
            "swap",
            "target",
            "path",
            "timer",
            "slice",
            "scope",
        ] {
            let name = format!("srv-my\\x2ddata.{kind}");
            assert_eq!(super::unit(&name), name);
            assert!(super::is_name(&name), "{name}");
        }
        for name in [
            "-.mount",
            "-.slice",
            "getty@tty1",
            "user@1000.service",
            "a:b+c_d",
            "dev-disk-by\\x2duuid-1.swap",
        ] {
            assert!(super::is_name(name), "{name}");
        }
        for name in ["", "-x", ".x", "../x", "a b", "a/b", "a\nb", "x'"] {
            assert!(!super::is_name(name), "{name}");
        }
    }
}
