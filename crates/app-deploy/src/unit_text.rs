//! The text of a systemd unit.

use super::names::{environment_file, home};
use super::unit_arguments::{Hardening, Restart, Unit, UnitType};

/// What `basic` forbids.
const BASIC: &[&str] = &["NoNewPrivileges=yes", "RestrictSUIDSGID=yes", "PrivateTmp=yes"];

/// What `strict` forbids beside that.
const STRICT: &[&str] = &[
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateDevices=yes",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "LockPersonality=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "SystemCallArchitectures=native",
];

pub(crate) fn render(unit: &Unit, user: &str) -> String {
    let Unit { name, .. } = unit;
    let home = home(name);
    let mut out = vec!["# written by pallet".to_owned(), "[Unit]".to_owned()];
    let line = |key: &str, value: &str| format!("{key}={value}");
    let description = unit.description.clone().unwrap_or_else(|| format!("Application {name}"));
    out.push(line("Description", &description));
    out.push(line("Wants", "network-online.target"));
    let after = ["network-online.target"].into_iter().chain(unit.after.iter().map(String::as_str));
    out.push(line("After", &after.collect::<Vec<_>>().join(" ")));
    out.extend(["".to_owned(), "[Service]".to_owned()]);
    let kind = match unit.r#type {
        UnitType::Exec => "exec",
        UnitType::Simple => "simple",
        UnitType::Notify => "notify",
        UnitType::Forking => "forking",
    };
    out.push(line("Type", kind));
    out.push(line("User", user));
    out.extend(unit.group.iter().map(|group| line("Group", group)));
    let directory = unit.directory.clone().unwrap_or_else(|| format!("{home}/current"));
    out.push(line("WorkingDirectory", &directory));
    out.push(line("EnvironmentFile", &format!("-{}", environment_file(name))));
    out.extend(unit.before_start.iter().map(|command| line("ExecStartPre", command)));
    out.push(line("ExecStart", &unit.command));
    out.extend(unit.reload.iter().map(|command| line("ExecReload", command)));
    let restart = match unit.restart {
        Restart::OnFailure => "on-failure",
        Restart::Always => "always",
        Restart::No => "no",
    };
    out.push(line("Restart", restart));
    out.push(line("RestartSec", &unit.restart_seconds.to_string()));
    out.push(line("TimeoutStopSec", &unit.stop_seconds.to_string()));
    out.push(line("UMask", "0027"));
    out.extend(unit.open_files.iter().map(|number| line("LimitNOFILE", &number.to_string())));
    out.extend(unit.memory.iter().map(|memory| line("MemoryMax", memory)));
    let hardened = unit.hardening != Hardening::Off;
    if hardened {
        out.extend(BASIC.iter().map(|setting| (*setting).to_owned()));
        let capabilities = if unit.privileged_ports { "CAP_NET_BIND_SERVICE" } else { "" };
        out.push(line("CapabilityBoundingSet", capabilities));
    }
    if unit.privileged_ports {
        out.push(line("AmbientCapabilities", "CAP_NET_BIND_SERVICE"));
    }
    if unit.hardening == Hardening::Strict {
        out.extend(STRICT.iter().map(|setting| (*setting).to_owned()));
        // a minus: if it is there
        let shared = format!("{home}/shared");
        let paths = [&shared].into_iter().chain(&unit.writable);
        out.extend(paths.map(|path| line("ReadWritePaths", &format!("-{path}"))));
    }
    out.extend(unit.service.iter().map(|(key, value)| line(key, value)));
    out.extend(["".to_owned(), "[Install]".to_owned(), line("WantedBy", "multi-user.target")]);
    out.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use pallet_core::prelude::*;

    fn text(more: Value) -> String {
        let mut all = json!({"name": "hello", "command": "/bin/hello --port 80"});
        for (key, value) in more.as_object().unwrap() {
            all[key] = value.clone();
        }
        render(&Unit::deserialize(all).unwrap(), "hello")
    }

    #[test]
    fn a_unit_is_hardened_unless_told_otherwise() {
        let strict = text(json!({"writable": ["/var/cache/hello"]}));
        for line in [
            "User=hello",
            "WorkingDirectory=/srv/hello/current",
            "EnvironmentFile=-/etc/app-deploy/hello.env",
            "ExecStart=/bin/hello --port 80",
            "Restart=on-failure",
            "NoNewPrivileges=yes",
            "CapabilityBoundingSet=",
            "ProtectSystem=strict",
            "ReadWritePaths=-/srv/hello/shared",
            "ReadWritePaths=-/var/cache/hello",
        ] {
            assert!(strict.lines().any(|one| one == line), "{line}\n{strict}");
        }
        let basic = text(json!({"hardening": "basic", "privileged_ports": true}));
        assert!(basic.contains("\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\n"), "{basic}");
        assert!(!basic.contains("ProtectSystem"), "{basic}");
        let off = text(json!({"hardening": "off", "service": {"Nice": "5"}}));
        assert!(!off.contains("NoNewPrivileges") && off.contains("\nNice=5\n\n[Install]"), "{off}");
    }
}
