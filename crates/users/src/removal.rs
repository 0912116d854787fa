//! Removes people, with all that they left running.

use pallet_core::prelude::*;

use super::account::{check_name, lock_command};
use super::names::SPOOLS;

parameters! {
    /// Removes a person: the account is locked, so that nobody logs in meanwhile; crontab, jobs of
    /// `at` and files of sudo are deleted; all processes are ended; and the account is removed.
    ///
    /// The files of sudo are `/etc/sudoers.d/NAME` and `/etc/sudoers.d/pallet-NAME`. Other rules
    /// that name the person hold for nobody then.
    ///
    /// Example: `users.remove(request, "bob", remove_home = True)`
    pub(crate) struct Remove {
        /// Login name.
        pub(crate) name: String,
        /// Also delete the home directory and the mail.
        #[serde(default)]
        pub(crate) remove_home: bool,
    }
}

pub(crate) fn remove(request: &mut Request, arguments: Remove) -> Result<()> {
    let Remove { name, remove_home } = arguments;
    check_name("user", &name)?;
    let admin = request.admin_user()?.name;
    ensure!(
        name != "root" && name != admin,
        "{name} administers the nodes, and cannot be removed; configure another admin user before"
    );
    let spools = SPOOLS.row(&request.target()?.os)?;
    request.add(
        ExecCheckedScript::new(format!("lock {name}"), lock_command(&name))
            .only_if(format!("id -u -- {name}")),
    )?;
    let of_at = format!("find {} -type f -user {name}", spools.at);
    request.add(
        ExecCheckedScript::new(
            format!("delete {name}'s jobs of at"),
            format!("{of_at} -exec rm -f -- {{}} +"),
        )
        .only_if(format!("{of_at} | grep -q .")),
    )?;
    let sudo = name.replace('.', "_");
    for path in [
        format!("{}/{name}", spools.crontabs),
        // systemd would start the user's services at boot
        format!("/var/lib/systemd/linger/{name}"),
        format!("/etc/sudoers.d/{name}"),
        format!("/etc/sudoers.d/pallet-{sudo}"),
    ] {
        request.add(File::at(path).absent())?;
    }
    request.add(User::deserialize(json!({
        "name": name,
        "action": "remove",
        "remove_home": remove_home,
        "force": true,
    }))?)
}

#[cfg(test)]
mod tests {
    use super::super::Users;
    use super::*;

    #[test]
    fn nothing_of_a_person_stays() {
        let mut recorder = Recorder::<Users>::on("debian 12");
        recorder.call("remove", json!({"name": "ann.b", "remove_home": true})).unwrap();
        assert_eq!(
            recorder.declared(),
            [
                "exec_checked_script lock ann.b",
                "exec_checked_script delete ann.b's jobs of at",
                "file /var/spool/cron/crontabs/ann.b",
                "file /var/lib/systemd/linger/ann.b",
                "file /etc/sudoers.d/ann.b",
                "file /etc/sudoers.d/pallet-ann_b",
                "user ann.b"
            ]
        );
        assert_eq!(recorder.actions()[6].arguments["force"], true);
    }

    #[test]
    fn whoever_administers_stays() {
        let admin = AdminUser { name: "ops".into(), ..AdminUser::default() };
        for name in ["root", "ops"] {
            let mut recorder = Recorder::<Users>::on("debian 12").admin_user(admin.clone());
            let error = recorder.call("remove", json!({"name": name})).unwrap_err();
            assert!(error.to_string().contains("administers the nodes"), "{error}");
        }
    }
}
