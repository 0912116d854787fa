//! The differences between service managers: names, and the command that starts, stops or enables a
//! service. `library/services.sh` is the shell part.

use super::Script;
use crate::model::ServiceManager;

/// The kinds of systemd units.
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

/// The kind of systemd unit in a name; `None` if it has no such suffix.
pub fn unit_kind(name: &str) -> Option<&'static str> {
    KINDS.into_iter().find(|kind| name.ends_with(kind))
}

/// The systemd unit of a service: `nginx.service` for `nginx`. A name with a kind of its own stays
/// as it is.
pub fn unit(name: &str) -> String {
    if unit_kind(name).is_some() { name.to_owned() } else { format!("{name}.service") }
}

/// Whether this is a valid name for systemd and other service managers.
pub fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@:+\\".contains(&byte);
    let starts =
        |name: &str| name.starts_with('.') || (name.starts_with('-') && unit_kind(name).is_none());
    !name.is_empty() && !starts(name) && name.bytes().all(plain)
}

/// Brings a service to the state that `action` asks for (`start`, `stop`, `restart`, `reload`). If
/// `enabled` is given, also enables or disables its start at boot. If nothing on the node knows the
/// service, `command` is started as a plain process, which must then stay up for `seconds`.
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
