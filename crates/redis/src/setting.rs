//! One setting of the server.

use pallet_core::prelude::*;

use super::program::put;

parameters! {
    /// Sets one of the server's settings, as they are in its `redis.conf`.
    ///
    /// The server itself checks all settings before they are put in place: one that it refuses
    /// changes nothing. `redis.service` loads them: without a restart where the server can.
    ///
    /// Example: `redis.setting(request, "maxmemory", value = "512mb")`
    ///
    /// Example: `redis.setting(request, "bind", value = "* -::*")`
    pub(crate) struct Setting {
        /// Name of the setting: `maxmemory`.
        name: String,
        /// Value, as in the file of settings. Default with `action = "absent"`: none.
        #[serde(default)]
        value: Option<String>,
        /// Values of a setting with several lines, such as `save`, instead of `value`.
        #[serde(default)]
        values: Vec<String>,
        /// Whether it is set. `absent` leaves it to the server's own file.
        #[serde(default)]
        action: Presence,
    }
}

/// Whether something is set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "lowercase")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Presence {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

/// Settings that other functions set.
const OTHERS: [(&str, &str); 6] = [
    ("requirepass", "redis.password"),
    ("masterauth", "redis.password"),
    ("replicaof", "redis.replica"),
    ("slaveof", "redis.replica"),
    ("port", "redis.settings"),
    ("include", "redis.setting for each line"),
];

pub(crate) fn setting(request: &mut Request, wanted: Setting) -> Result<()> {
    let Setting { name, value, values, action } = wanted;
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    ensure!(
        (1..=60).contains(&name.len()) && name.bytes().all(good) && !name.starts_with('-'),
        "{name:?} cannot be a setting; use its name in redis.conf, such as maxmemory-policy"
    );
    if let Some((_, function)) = OTHERS.iter().find(|(other, _)| *other == name) {
        bail!("the setting {name} is not for redis.setting; use {function}");
    }
    let file = format!("{name}.conf");
    if action == Presence::Absent {
        ensure!(
            value.is_none() && values.is_empty(),
            "setting {name}: omit the value of no setting"
        );
        return put(request, &file, None);
    }
    let lines = match (value, values.is_empty()) {
        (Some(value), true) => vec![value],
        (None, false) => values,
        _ => bail!("setting {name}: give exactly one of value and values"),
    };
    let mut content = String::new();
    for line in lines {
        ensure!(
            !line.trim().is_empty() && !line.chars().any(char::is_control),
            "the value {line:?} of the setting {name} must be one line; write \"\" as '\"\"'"
        );
        content.push_str(&format!("{name} {}\n", line.trim()));
    }
    put(request, &file, Some(content))
}

#[cfg(test)]
mod tests {
    use super::super::Redis;
    use super::*;

    #[test]
    fn a_setting_is_checked_and_put_together() {
        let mut recorder = Recorder::<Redis>::on("debian 12");
        recorder.call("setting", json!({"name": "maxmemory", "value": "64mb"})).unwrap();
        assert_eq!(
            recorder.declared(),
            [
                "directory /usr/local/lib/pallet",
                "remote_file /usr/local/lib/pallet/redis-settings",
                "directory /etc/pallet/redis",
                "remote_file /etc/pallet/redis/maxmemory.conf",
                "exec_checked_script put the settings together",
            ]
        );
        let file = &recorder.actions()[3].arguments;
        assert_eq!(file["content"], "maxmemory 64mb\n");
        assert_eq!(file["verify"], "sh /usr/local/lib/pallet/redis-settings check maxmemory.conf");
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        for (arguments, said) in [
            (json!({"name": "a b", "value": "1"}), "cannot be a setting"),
            (json!({"name": "../a", "value": "1"}), "cannot be a setting"),
            (json!({"name": "maxmemory"}), "exactly one of"),
            (json!({"name": "maxmemory", "value": "1", "values": ["2"]}), "exactly one of"),
            (json!({"name": "maxmemory", "value": "1\nrequirepass a"}), "must be one line"),
            (json!({"name": "maxmemory", "value": " "}), "must be one line"),
            (json!({"name": "requirepass", "value": "a"}), "use redis.password"),
            (json!({"name": "save", "value": "a", "action": "absent"}), "omit the value"),
        ] {
            let error = Recorder::<Redis>::on("debian 12").call("setting", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
