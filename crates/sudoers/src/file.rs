//! The files in `/etc/sudoers.d`, each of which visudo must accept before it takes its place.

use pallet_core::prelude::*;

use super::syntax::{check_alias, command, one_line, words};

parameters! {
    /// Installs sudo.
    ///
    /// Example: `sudoers.install(request)`
    pub(crate) struct Install {}

    /// Ensures a name for several users, hosts, commands or target users.
    ///
    /// Example: `sudoers.alias(request, "SERVICES", kind = "command", members = ["/usr/bin/systemctl restart app"])`
    pub(crate) struct Alias {
        /// Name: upper case letters, digits and `_`.
        name: String,
        /// What it stands for.
        kind: AliasKind,
        /// Members.
        #[serde(default)]
        members: Vec<String>,
        /// `present` or `absent`.
        #[serde(default)]
        action: Presence,
    }
}

/// What an alias stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum AliasKind {
    /// Users who run sudo.
    User,
    /// Users as whom commands are run.
    Runas,
    /// Hosts.
    Host,
    /// Commands.
    Command,
}

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

pub(crate) fn install(request: &mut Request, _: Install) -> Result<()> {
    request.add(Package::install("sudo"))
}

pub(crate) fn alias(request: &mut Request, alias: Alias) -> Result<()> {
    let Alias { name, kind, members, action } = alias;
    check_alias(&name)?;
    // aliases are read before what uses them
    let path = path("00-pallet-alias", &name.to_ascii_lowercase())?;
    if action == Presence::Absent {
        ensure!(members.is_empty(), "the alias {name} is to be absent; omit its members");
        return remove(request, path);
    }
    ensure!(!members.is_empty(), "the alias {name} has no members");
    let (word, members) = match kind {
        AliasKind::User => ("User_Alias", words("member", &members)?),
        AliasKind::Runas => ("Runas_Alias", words("member", &members)?),
        AliasKind::Host => ("Host_Alias", words("member", &members)?),
        AliasKind::Command => {
            let commands: Result<Vec<_>> = members.iter().map(|one| command(one)).collect();
            ("Cmnd_Alias", commands?.join(", "))
        }
    };
    put(request, path, &format!("{word} {name} = {members}\n"))
}

/// The path of a file. sudo ignores files whose name has a dot in it.
pub(crate) fn path(start: &str, name: &str) -> Result<String> {
    check_file_name("a file of sudo", name)?;
    Ok(format!("/etc/sudoers.d/{start}-{}", name.replace('.', "_")))
}

/// Writes a file.
pub(crate) fn put(request: &mut Request, path: String, text: &str) -> Result<()> {
    one_line("a rule", text.trim_end().replace('\n', " ").as_str())?;
    request.add(Directory::at("/etc/sudoers.d").owner("root").group("root").mode(0o750))?;
    request.add(
        RemoteFile::content(path, format!("# written by pallet\n{text}"))
            .owner("root")
            .group("root")
            .mode(0o440)
            .verify("visudo -cf"),
    )
}

/// Deletes a file.
pub(crate) fn remove(request: &mut Request, path: String) -> Result<()> {
    request.add(File::at(path).absent())
}

#[cfg(test)]
mod tests {
    use super::super::Sudoers;
    use super::*;

    #[test]
    fn an_alias_is_a_file_that_is_read_first() {
        let mut recorder = Recorder::<Sudoers>::on("debian 12");
        recorder
            .call(
                "alias",
                json!({"name": "SERVICES", "kind": "command", "members": ["/bin/a b,c", "/bin/d"]}),
            )
            .unwrap();
        let file = &recorder.actions()[1];
        assert_eq!(file.subject, "/etc/sudoers.d/00-pallet-alias-services");
        assert_eq!(
            file.arguments["content"],
            "# written by pallet\nCmnd_Alias SERVICES = /bin/a b\\,c, /bin/d\n"
        );
        assert_eq!(
            (&file.arguments["mode"], &file.arguments["verify"]),
            (&json!("0440"), &json!("visudo -cf"))
        );
    }

    #[test]
    fn what_makes_no_alias_is_refused() {
        for arguments in [
            json!({"name": "a", "kind": "user", "members": ["b"]}),
            json!({"name": "ALL", "kind": "user", "members": ["b"]}),
            json!({"name": "A", "kind": "user", "members": []}),
            json!({"name": "A", "kind": "user", "members": ["b\nc ALL=(ALL) ALL"]}),
            json!({"name": "A", "kind": "command", "members": ["sh"]}),
        ] {
            let result = Recorder::<Sudoers>::on("debian 12").call("alias", &arguments);
            assert!(result.is_err(), "{arguments}");
        }
    }
}
