//! Single settings, and settings for some users or addresses only.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::file::{Presence, put, remove};
use super::keyword::{Setting, lines, one_line};

parameters! {
    /// Ensures a setting of sshd. Call `sshd.service` after all settings.
    ///
    /// The file is `/etc/ssh/sshd_config.d/10-pallet-KEYWORD.conf`, which wins over all settings of
    /// the system, of `sshd.hardening` and of `sshd.allow`. sshd must accept the whole
    /// configuration before the file takes its place, and the admin user must still be able to log
    /// in.
    ///
    /// Example: `sshd.setting(request, "MaxAuthTries", value = 3)`
    ///
    /// Example: `sshd.setting(request, "ListenAddress", value = ["10.0.0.1", "127.0.0.1"])`
    pub(crate) struct SettingArguments {
        /// Keyword, as in `man sshd_config`.
        keyword: String,
        /// Value: text, a number, true or false, or a list of values.
        #[serde(default)]
        value: Option<Setting>,
        /// Let it take its place although the admin user could not log in any more.
        #[serde(default)]
        force: bool,
        /// `present`, or `absent`: the setting is the system's again.
        #[serde(default)]
        action: Presence,
    }

    /// Ensures settings that apply only to some users, groups or addresses: a `Match` block.
    ///
    /// Settings of `sshd.setting`, `sshd.allow` and `sshd.hardening` come before those of a `Match`
    /// block only if they are in such a block themselves. It is checked like `sshd.setting`.
    ///
    /// Example: `sshd.match_block(request, "sftp", criteria = "Group sftp", settings = {"ChrootDirectory": "/srv/sftp/%u", "ForceCommand": "internal-sftp", "AllowTcpForwarding": False})`
    pub(crate) struct MatchBlock {
        /// Names its file: letters, digits, `-` and `_`.
        name: String,
        /// Criteria: `User ann,bob`, `Group sftp Address 10.0.0.0/8`.
        #[serde(default)]
        criteria: String,
        /// Settings: keywords with their values.
        #[serde(default)]
        settings: BTreeMap<String, Setting>,
        /// Let it take its place although the admin user could not log in any more.
        #[serde(default)]
        force: bool,
        /// `present` or `absent`.
        #[serde(default)]
        action: Presence,
    }
}

pub(crate) fn setting(request: &mut Request, setting: SettingArguments) -> Result<()> {
    let keyword = &setting.keyword;
    let name = format!("10-pallet-{}", keyword.to_ascii_lowercase());
    check_file_name("a setting", keyword)?;
    match (&setting.value, setting.action) {
        (Some(value), Presence::Present) => {
            let text = lines(keyword, value)?;
            put(request, &name, &text, setting.force)
        }
        (None, Presence::Absent) => remove(request, &name),
        (None, Presence::Present) => bail!("{keyword} has no value; give one"),
        (Some(_), Presence::Absent) => bail!("{keyword} is to be absent; omit its value"),
    }
}

pub(crate) fn match_block(request: &mut Request, block: MatchBlock) -> Result<()> {
    check_file_name("a match block", &block.name)?;
    let name = format!("90-pallet-match-{}", block.name);
    if block.action == Presence::Absent {
        return remove(request, &name);
    }
    one_line("criteria", &block.criteria)?;
    ensure!(!block.settings.is_empty(), "the match block {} has no settings", block.name);
    let mut text = format!("Match {}\n", block.criteria.trim());
    for (keyword, value) in &block.settings {
        for line in lines(keyword, value)?.lines() {
            text.push_str(&format!("    {line}\n"));
        }
    }
    put(request, &name, &text, block.force)
}

#[cfg(test)]
mod tests {
    use super::super::Sshd;
    use super::*;

    #[test]
    fn a_setting_is_checked_before_it_takes_its_place() {
        let admin = AdminUser {
            name: "ops".into(),
            public_keys: vec!["ssh-ed25519 AAAA".into()],
            no_sudo: false,
        };
        let mut recorder = Recorder::<Sshd>::on("debian 12").admin_user(admin);
        recorder.call("setting", json!({"keyword": "MaxAuthTries", "value": 3})).unwrap();
        let file = &recorder.actions()[3];
        assert_eq!(file.subject, "/etc/ssh/sshd_config.d/10-pallet-maxauthtries.conf");
        assert_eq!(file.arguments["content"], "# written by pallet\nMaxAuthTries 3\n");
        assert_eq!(
            file.arguments["verify"],
            "sh /usr/local/lib/pallet/sshd-configuration check 10-pallet-maxauthtries.conf ops yes \
             no"
        );
        recorder.call("service", json!({})).unwrap();
        assert_eq!(recorder.declared()[5..], ["service ssh", "service ssh"]);
        assert_eq!(recorder.actions()[6].options.if_flag, file.options.flag_on_change);
    }

    #[test]
    fn a_match_block_is_a_file_of_its_own() {
        let mut recorder = Recorder::<Sshd>::on("rocky 9");
        let settings = json!({"ForceCommand": "internal-sftp", "X11Forwarding": false});
        let block = json!({"name": "sftp", "criteria": "Group sftp", "settings": settings});
        recorder.call("match_block", block).unwrap();
        assert_eq!(
            recorder.actions()[3].arguments["content"],
            "# written by pallet\nMatch Group sftp\n    ForceCommand internal-sftp\n    \
             X11Forwarding no\n"
        );
        recorder.call("service", json!({})).unwrap();
        assert_eq!(recorder.declared()[5], "service sshd");
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        for (function, arguments, said) in [
            ("setting", json!({"keyword": "Port"}), "has no value"),
            ("setting", json!({"keyword": "Match", "value": "User a"}), "is no setting"),
            ("setting", json!({"keyword": "../a", "value": 1}), "cannot name a setting"),
            (
                "setting",
                json!({"keyword": "Port", "value": 1, "action": "absent"}),
                "omit its value",
            ),
            ("match_block", json!({"name": "a", "criteria": "User a"}), "has no settings"),
            (
                "match_block",
                json!({"name": "a", "criteria": "User a\nPermitRootLogin yes",
                    "settings": {"Banner": "none"}}),
                "one line",
            ),
        ] {
            let error = Recorder::<Sshd>::on("debian 12").call(function, &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
