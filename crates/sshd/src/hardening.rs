//! A preset of settings for servers on the internet.

use pallet_core::prelude::*;

use super::file::{Presence, put, remove};
use super::keyword::one_line;

const NAME: &str = "40-pallet-hardening";

parameters! {
    /// Ensures settings for a server that everybody can reach: only keys log in, old algorithms are
    /// off, and connections that do nothing are closed.
    ///
    /// `sshd.setting` wins over it. It is checked like `sshd.setting`. Algorithms are taken off
    /// sshd's defaults, so what is new in a later version of sshd is used.
    ///
    /// Example: `sshd.hardening(request, root_login = "no")`
    pub(crate) struct Hardening {
        /// Whether root may log in.
        #[serde(default)]
        root_login: RootLogin,
        /// Let passwords log in.
        #[serde(default)]
        password_authentication: bool,
        /// Attempts per connection. An agent may try several keys.
        #[serde(default = "default_tries")]
        max_auth_tries: u32,
        /// Time to log in, in seconds.
        #[serde(default = "default_grace")]
        login_grace_time: u32,
        /// Ask a client that is silent for so many seconds whether it is still there.
        #[serde(default = "default_alive")]
        client_alive_interval: u32,
        /// Close the connection after so many questions without an answer.
        #[serde(default = "default_count")]
        client_alive_count_max: u32,
        /// Let clients forward ports. Jump hosts need it.
        #[serde(default = "yes")]
        tcp_forwarding: bool,
        /// Let clients forward their agent. `git_checkout` with `forward_agent` needs it.
        #[serde(default)]
        agent_forwarding: bool,
        /// Let clients forward graphical programs.
        #[serde(default)]
        x11_forwarding: bool,
        /// Path of a text on the node that is shown before a login.
        #[serde(default)]
        banner: Option<String>,
        /// Turn off old algorithms.
        #[serde(default = "yes")]
        algorithms: bool,
        /// Let it take its place although the admin user could not log in any more.
        #[serde(default)]
        force: bool,
        /// `present`, or `absent`: the settings are the system's again.
        #[serde(default)]
        action: Presence,
    }
}

/// Whether root may log in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", rename_all = "kebab-case")]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum RootLogin {
    /// With a key.
    #[default]
    ProhibitPassword,
    /// Never.
    No,
    /// Also with a password, if passwords log in.
    Yes,
}

fn yes() -> bool {
    true
}

fn default_tries() -> u32 {
    4
}

fn default_grace() -> u32 {
    30
}

fn default_alive() -> u32 {
    300
}

fn default_count() -> u32 {
    3
}

pub(crate) fn hardening(request: &mut Request, hardening: Hardening) -> Result<()> {
    if hardening.action == Presence::Absent {
        return remove(request, NAME);
    }
    ensure!(
        (1..=100).contains(&hardening.max_auth_tries),
        "max_auth_tries must be from 1 to 100, this is {}",
        hardening.max_auth_tries
    );
    let word = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let passwords = word(hardening.password_authentication);
    let root = match hardening.root_login {
        RootLogin::ProhibitPassword => "prohibit-password",
        RootLogin::No => "no",
        RootLogin::Yes => "yes",
    };
    let mut settings = vec![
        ("PermitRootLogin", root.to_owned()),
        ("PubkeyAuthentication", "yes".to_owned()),
        ("PasswordAuthentication", passwords.clone()),
        ("KbdInteractiveAuthentication", passwords),
        ("PermitEmptyPasswords", "no".to_owned()),
        ("HostbasedAuthentication", "no".to_owned()),
        ("IgnoreRhosts", "yes".to_owned()),
        ("PermitUserEnvironment", "no".to_owned()),
        ("StrictModes", "yes".to_owned()),
        ("MaxAuthTries", hardening.max_auth_tries.to_string()),
        ("LoginGraceTime", hardening.login_grace_time.to_string()),
        ("ClientAliveInterval", hardening.client_alive_interval.to_string()),
        ("ClientAliveCountMax", hardening.client_alive_count_max.to_string()),
        ("AllowTcpForwarding", word(hardening.tcp_forwarding)),
        ("AllowAgentForwarding", word(hardening.agent_forwarding)),
        ("X11Forwarding", word(hardening.x11_forwarding)),
        ("PermitTunnel", "no".to_owned()),
        ("GatewayPorts", "no".to_owned()),
        ("UseDNS", "no".to_owned()),
        ("LogLevel", "VERBOSE".to_owned()),
    ];
    if let Some(banner) = &hardening.banner {
        ensure!(banner.starts_with('/'), "the banner {banner:?} must be an absolute path");
        settings.push(("Banner", one_line("banner", banner)?.to_owned()));
    }
    if hardening.algorithms {
        settings.extend(
            [
                ("Ciphers", "-*-cbc,3des-*,arcfour*"),
                ("MACs", "-*sha1*,*md5*,umac-64*,hmac-ripemd*"),
                ("KexAlgorithms", "-*-sha1,diffie-hellman-group14-*"),
                ("HostKeyAlgorithms", "-ssh-rsa*,ssh-dss*"),
            ]
            .map(|(keyword, value)| (keyword, value.to_owned())),
        );
    }
    let lines: String =
        settings.iter().map(|(keyword, value)| format!("{keyword} {value}\n")).collect();
    put(request, NAME, &lines, hardening.force)
}

#[cfg(test)]
mod tests {
    use super::super::Sshd;
    use super::*;

    #[test]
    fn only_keys_log_in() {
        let mut recorder = Recorder::<Sshd>::on("debian 12");
        recorder.call("hardening", json!({"root_login": "no"})).unwrap();
        let content = recorder.actions()[3].arguments["content"].as_str().unwrap().to_owned();
        for line in [
            "PermitRootLogin no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "MaxAuthTries 4",
            "AllowAgentForwarding no",
            "Ciphers -*-cbc,3des-*,arcfour*",
        ] {
            assert!(content.lines().any(|one| one == line), "{line}");
        }
        for arguments in [json!({"max_auth_tries": 0}), json!({"banner": "x"})] {
            assert!(Recorder::<Sshd>::on("debian 12").call("hardening", &arguments).is_err());
        }
    }
}
