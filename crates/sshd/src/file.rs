//! The files of sshd's configuration: parts in `/etc/ssh/sshd_config.d`, each of which sshd must
//! accept together with all others before it takes its place.
//!
//! sshd takes the first value of a keyword, so the names of the files decide which one wins.

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::service::CHANGED;

const PROGRAM: &str = "/usr/local/lib/pallet/sshd-configuration";
const PARTS: &str = "/etc/ssh/sshd_config.d";

/// Whether something is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum Presence {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

/// Writes one part, and sets the flag that reloads sshd if it changed.
pub(crate) fn put(request: &mut Request, name: &str, text: &str, force: bool) -> Result<()> {
    let name = format!("{name}.conf");
    let admin = request.admin_user()?;
    let (keys, force) = (word(!admin.public_keys.is_empty()), word(force));
    // without a configured admin user, Pallet is root on the node
    let user = if admin.name.is_empty() { "root" } else { &admin.name };
    let program = RemoteFile::content(PROGRAM, include_str!("sshd-configuration.sh"));
    request.add(Directory::at("/usr/local/lib/pallet"))?;
    request.add(program.owner("root").group("root").mode(0o755))?;
    request.add(Directory::at(PARTS))?;
    request.add_with(
        RemoteFile::content(format!("{PARTS}/{name}"), format!("# written by pallet\n{text}"))
            .owner("root")
            .group("root")
            .mode(0o600)
            .verify(format!("sh {PROGRAM} check {} {} {keys} {force}", quote(&name), quote(user))),
        Options::new().flag_on_change(CHANGED),
    )?;
    request.add_with(
        ExecCheckedScript::new(format!("include {PARTS}"), format!("sh {PROGRAM} include")).unless(
            format!(
                "grep -Eiqs '^[[:space:]]*Include[[:space:]].*{PARTS}/' /etc/ssh/sshd_config \
                 /usr/etc/ssh/sshd_config"
            ),
        ),
        Options::new().flag_on_change(CHANGED),
    )
}

/// Deletes one part, and sets the flag if it was there.
pub(crate) fn remove(request: &mut Request, name: &str) -> Result<()> {
    let file = File::at(format!("{PARTS}/{name}.conf")).absent();
    request.add_with(file, Options::new().flag_on_change(CHANGED))
}

fn word(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}
