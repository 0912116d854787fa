//! What differs between service managers: names, and the call that starts, stops or enables a service. The shell half is `library/services.sh`.

use super::Script;
use crate::model::ServiceManager;

/// The systemd unit that a service's name stands for: `nginx.service` for `nginx`, and what has a kind of its own as it is.
pub fn unit(name: &str) -> String {
    let kinds = [".service", ".socket", ".timer", ".path", ".mount", ".target"];
    if kinds.iter().any(|kind| name.ends_with(kind)) { name.to_owned() } else { format!("{name}.service") }
}

/// Brings a service to what `action` says (`start`, `stop`, `restart`, `reload`) and, if `enabled` is given, makes it start with the node or not.
/// `command` is started as a plain process where nothing on the node knows the service.
pub fn ensure(manager: ServiceManager, name: &str, action: &str, enabled: Option<bool>, command: Option<&str>) -> Script {
    let enabled = enabled.map_or("", |enabled| if enabled { "yes" } else { "no" });
    Script::new().call(["ensure_service", manager.as_str(), name, action, enabled, command.unwrap_or_default()])
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_without_a_kind_is_a_service() {
        assert_eq!(super::unit("nginx"), "nginx.service");
        assert_eq!(super::unit("apt-daily.timer"), "apt-daily.timer");
        assert_eq!(super::unit("php8.2-fpm"), "php8.2-fpm.service");
    }
}
