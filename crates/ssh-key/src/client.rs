//! How ssh connects to hosts, for all users or for one.

use pallet_core::prelude::*;

use super::home::{put_directory, ssh_directory};

parameters! {
    /// Ensures how ssh connects to hosts: for all users of the node in
    /// `/etc/ssh/ssh_config.d/50-pallet-NAME.conf`, or for one user in `~/.ssh/config`, which then
    /// holds nothing else.
    ///
    /// ssh takes the first value of a keyword, so special hosts come before general ones. ssh must
    /// accept the file before it takes its place.
    ///
    /// Example: `ssh_key.client(request, {"*.internal": {"ProxyJump": "gate.example.com", "User": "ops"}})`
    pub(crate) struct Client {
        /// For each host, or pattern such as `*.internal`: keywords with their values. A list
        /// repeats its keyword.
        #[schemars(with = "std::collections::BTreeMap<String, Keywords>")]
        hosts: Value,
        /// Login name of a user. Default: for all users.
        #[serde(default)]
        user: Option<String>,
        /// Names the file, so that there can be several. Not for a user.
        #[serde(default)]
        name: Option<String>,
        /// Home directory of the user. Default: `/home/USER`, or `/root`.
        #[serde(default)]
        home: Option<String>,
    }
}

/// Keywords with their values.
type Keywords = std::collections::BTreeMap<String, Words>;

/// A value, or several.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", untagged)]
#[schemars(crate = "::pallet_core::schemars")]
enum Words {
    Text(String),
    Number(i64),
    Switch(bool),
    Several(Vec<String>),
}

pub(crate) fn client(request: &mut Request, client: Client) -> Result<()> {
    let text = render(&client.hosts)?;
    let verify = "ssh -G localhost -F";
    if let Some(user) = &client.user {
        ensure!(client.name.is_none(), "the file of a user is ~/.ssh/config; omit name");
        let directory = ssh_directory(user, client.home.as_deref())?;
        put_directory(request, user, &directory)?;
        let file = RemoteFile::content(format!("{directory}/config"), text);
        return request.add(file.owner(user).mode(0o600).verify(verify));
    }
    let name = client.name.as_deref().unwrap_or("client");
    check_file_name("a file of ssh", name)?;
    let directory = "/etc/ssh/ssh_config.d";
    request.add(Directory::at(directory))?;
    let file = RemoteFile::content(format!("{directory}/50-pallet-{name}.conf"), text);
    request.add(file.owner("root").group("root").mode(0o644).verify(verify))
}

fn render(hosts: &Value) -> Result<String> {
    let hosts = hosts.as_object().context("hosts must be a dict")?;
    ensure!(!hosts.is_empty(), "no host is given");
    let mut out = "# written by pallet\n".to_owned();
    for (host, keywords) in hosts {
        ensure!(
            !host.trim().is_empty() && !host.chars().any(char::is_control) && !host.contains('"'),
            "{host:?} cannot be a host"
        );
        out.push_str(&format!("Host {host}\n"));
        let keywords = keywords.as_object().context("each host must have a dict of keywords")?;
        for (keyword, value) in keywords {
            let good = !keyword.is_empty()
                && keyword.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && !["host", "match", "include"].contains(&keyword.to_ascii_lowercase().as_str());
            ensure!(good, "{keyword:?} cannot be a keyword of a host");
            let values = match value {
                Value::Array(values) => values.as_slice(),
                value => std::slice::from_ref(value),
            };
            for value in values {
                out.push_str(&format!("    {keyword} {}\n", word(keyword, value)?));
            }
        }
    }
    Ok(out)
}

fn word(keyword: &str, value: &Value) -> Result<String> {
    Ok(match value {
        Value::String(text) => {
            ensure!(
                !text.trim().is_empty() && !text.chars().any(char::is_control),
                "{keyword} must be one line without control characters, this is {text:?}"
            );
            text.clone()
        }
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        _ => bail!("{keyword} must be text, a number, true or false, or a list of texts"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::SshKey;
    use super::*;

    #[test]
    fn hosts_keep_their_order() {
        let mut recorder = Recorder::<SshKey>::on("debian 12");
        let hosts = json!({
            "web-1": {"User": "app", "Port": 2222, "IdentityFile": ["~/.ssh/a", "~/.ssh/b"]},
            "*": {"ForwardAgent": false},
        });
        recorder.call("client", json!({"hosts": hosts, "user": "ann"})).unwrap();
        let file = &recorder.actions()[1];
        assert_eq!(file.subject, "/home/ann/.ssh/config");
        assert_eq!(
            file.arguments["content"],
            "# written by pallet\nHost web-1\n    User app\n    Port 2222\n    \
             IdentityFile ~/.ssh/a\n    IdentityFile ~/.ssh/b\nHost *\n    ForwardAgent no\n"
        );
    }

    #[test]
    fn what_would_add_lines_is_refused() {
        for hosts in [
            json!({}),
            json!({"a\nb": {"User": "c"}}),
            json!({"a": {"User": "c\nProxyCommand x"}}),
            json!({"a": {"Match": "all"}}),
            json!({"a": {"User name": "c"}}),
            json!({"a": "b"}),
        ] {
            let result =
                Recorder::<SshKey>::on("debian 12").call("client", json!({"hosts": hosts}));
            assert!(result.is_err(), "{hosts}");
        }
    }
}
