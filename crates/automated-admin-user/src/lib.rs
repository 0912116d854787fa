//! The admin user on every node: an account, the ssh keys that may log in to it, and sudo without a
//! password.
//!
//! Pallet runs it as the bootstrap of nodes that it made and whose group has no `bootstrap` phase.
#![forbid(unsafe_code)]

mod locale;

use pallet_core::action::user::UserAction;
use pallet_core::prelude::*;

struct AutomatedAdminUser;

impl ConfigCrate for AutomatedAdminUser {
    const NAME: &'static str = "automated-admin-user";
    const ABOUT: &'static str = "The admin user on every node: account, ssh keys, sudo";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/etc/sudoers.d/pallet-*",
            "/home/*/**",
            "/etc/default/locale",
            "/etc/locale.conf",
        ],
        packages: &["sudo", "bash", "shadow", "locales", "glibc-langpack-*", "glibc-locale"],
        // the admin user may have any name
        users: &["*"],
        commands: &[
            "visudo -cf",
            "printf %s * >> /etc/resolv.conf",
            "grep -q * /etc/resolv.conf",
            "grep -qxF * /etc/locale.gen 2>/dev/null || echo * >> /etc/locale.gen; locale-gen",
            "locale -a | tr A-Z a-z | tr -d - | grep -qxF *",
        ],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] = &["debian", "ubuntu", "rocky"];

    fn functions() -> Vec<Function> {
        functions![automated_admin_user]
    }
}

pallet_core::export_crate!(AutomatedAdminUser);

parameters! {
    /// Makes the admin user: an account with a home directory, your public keys in its
    /// authorized_keys, and sudo without a password.
    ///
    /// Keys that are there already stay. The sudoers file is checked by visudo before it is put in
    /// place. For `root` only the keys are set. An image that knows no name server gets those of
    /// the environment's `name_servers`, and one that lacks the environment's `locale` generates it
    /// and has it from then on.
    ///
    /// Example: `server_spec(phases = {"bootstrap": automated_admin_user})`
    struct AdminUserArguments {
        /// The login name; otherwise the project's admin user.
        #[serde(default)]
        username: Option<String>,
        /// Public keys, each a line of an authorized_keys file; otherwise the project's admin
        /// user's.
        #[serde(default)]
        public_keys: Option<Vec<String>>,
    }
}

fn automated_admin_user(request: &mut Request, arguments: AdminUserArguments) -> Result<()> {
    let admin = request.admin_user()?;
    let name = arguments.username.unwrap_or(admin.name);
    let keys = arguments.public_keys.unwrap_or(admin.public_keys);
    let plain = |character: char| character.is_ascii_alphanumeric() || "_-.".contains(character);
    ensure!(
        name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
            && name.chars().all(plain),
        "{name:?} cannot be a user's name: use a-z, 0-9, `_`, `-` and `.`, and begin with a letter"
    );
    name_servers(request)?;
    if name != "root" {
        request.add(PackageManager::update())?;
        request.add(Package::install("sudo"))?;
        let alpine = request.target()?.os.family == OsFamily::Alpine;
        if alpine {
            // the shell, and the programs that unlock an account
            request.add(Package::install("bash"))?;
            request.add(Package::install("shadow"))?;
        }
        let user = User::new(&name).home(format!("/home/{name}"));
        request.add(user.create_home(true).shell("/bin/bash"))?;
        if alpine {
            // a new account is locked, and sshd without PAM lets nobody in to one that is
            request.add(User::new(&name).action(UserAction::Unlock))?;
        }
    }
    locale::locale(request)?;
    authorize(request, &name, &keys)?;
    if name != "root" {
        let rule = format!(
            "{name} ALL=(ALL:ALL) NOPASSWD: ALL\n\
            Defaults:{name} env_keep += \"SSH_AUTH_SOCK\"\n"
        );
        // sudo ignores files in this directory whose name contains a dot
        let path = format!("/etc/sudoers.d/pallet-{}", name.replace('.', "_"));
        request.add(
            RemoteFile::content(path, rule)
                .owner("root")
                .group("root")
                .mode(0o440)
                .verify("visudo -cf"),
        )?;
    }
    Ok(())
}

/// Some images have no name servers, and without them no package can be installed.
fn name_servers(request: &mut Request) -> Result<()> {
    let environment = request.environment()?;
    let Some(servers) = environment.get("name_servers") else { return Ok(()) };
    let servers = Vec::<std::net::IpAddr>::deserialize(servers)
        .context("the environment's `name_servers` must be a list of addresses")?;
    let lines: String = servers.iter().map(|server| format!("nameserver {server}\n")).collect();
    let script = format!("printf %s {} >> /etc/resolv.conf", pallet_core::script::quote(&lines));
    request.add(
        ExecCheckedScript::new("name the name servers", script)
            .unless("grep -q '^[[:space:]]*nameserver' /etc/resolv.conf"),
    )
}

/// Lets each key in once. Other keys of the user stay.
fn authorize(request: &mut Request, name: &str, keys: &[String]) -> Result<()> {
    let mut lines: Vec<&str> = Vec::new();
    for key in keys {
        let key = key.trim();
        ensure!(
            !key.is_empty() && !key.contains('\n'),
            "a public key must be one line, this is {key:?}"
        );
        if !lines.contains(&key) {
            lines.push(key);
        }
    }
    if lines.is_empty() {
        return Ok(());
    }
    request.add(AuthorizedKey::deserialize(json!({"user": name, "key": lines}))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me";

    fn admin(name: &str, keys: &[&str]) -> AdminUser {
        let public_keys = keys.iter().map(|key| (*key).to_owned()).collect();
        AdminUser { name: name.into(), public_keys, no_sudo: false }
    }

    #[test]
    fn the_project_s_admin_user_gets_an_account_with_keys_and_sudo() {
        let mut recorder =
            Recorder::<AutomatedAdminUser>::on("debian 12").admin_user(admin("a.b", &[KEY, KEY]));
        recorder.call("automated_admin_user", json!({})).unwrap();
        assert_eq!(
            recorder.declared(),
            [
                "package_manager update",
                "package sudo",
                "user a.b",
                "authorized_key a.b: me",
                // sudo ignores files whose name has a dot
                "remote_file /etc/sudoers.d/pallet-a_b"
            ]
        );
        assert_eq!(recorder.actions()[3].arguments["key"], json!([KEY]));
        assert_eq!(recorder.actions()[4].arguments["verify"], "visudo -cf");
    }

    #[test]
    fn alpine_lets_the_user_in() {
        let mut recorder =
            Recorder::<AutomatedAdminUser>::on("alpine 3.20").admin_user(admin("ops", &[KEY]));
        recorder.call("automated_admin_user", json!({})).unwrap();
        let actions = recorder.actions();
        assert!(actions.iter().any(|one| one.subject == "bash"));
        let users: Vec<_> = actions.iter().filter(|one| one.subject == "ops").collect();
        assert_eq!(users[0].arguments["shell"], "/bin/bash");
        assert_eq!(users[1].arguments["action"], "unlock");
    }

    #[test]
    fn root_only_gets_keys() {
        let mut recorder =
            Recorder::<AutomatedAdminUser>::on("debian 12").admin_user(admin("root", &[KEY]));
        recorder.call("automated_admin_user", json!({})).unwrap();
        assert_eq!(recorder.declared(), ["authorized_key root: me"]);
    }

    #[test]
    fn what_is_no_name_or_key_is_refused() {
        for arguments in [
            json!({"username": "a ALL=(ALL) ALL\nb"}),
            json!({"username": "A"}),
            json!({"public_keys": ["ssh-rsa AAAA\nssh-rsa AAAB"]}),
            json!({"public_keys": [""]}),
        ] {
            let mut recorder =
                Recorder::<AutomatedAdminUser>::on("debian 12").admin_user(admin("ops", &[]));
            assert!(recorder.call("automated_admin_user", &arguments).is_err(), "{arguments}");
        }
    }
}
