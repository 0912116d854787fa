//! Keystores with a certificate and its key.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::program::{check_alias, check_path, run};

parameters! {
    /// Ensures a keystore (PKCS12) with a certificate and its key, which are PEM files on the node.
    ///
    /// It is made anew if the certificate, the chain, the alias, or the password changed. It takes
    /// its place atomically, with its owner and mode. A key that does not belong to the certificate
    /// is an error, and the keystore stays as it is. Set `flag` to restart what reads it.
    ///
    /// Example: `java.keystore(request, "/etc/ssl/app.p12", "/etc/ssl/certs/app.pem", "/etc/ssl/private/app.key", secret("keystore"), group = "app")`
    pub(crate) struct Keystore {
        /// Absolute path of the keystore. Its directory must belong to root.
        path: String,
        /// Absolute path of the certificate. Further certificates in that file are its chain.
        certificate: String,
        /// Absolute path of the key.
        key: String,
        /// Password of the keystore, at least 6 characters. Pass it as a secret.
        password: String,
        /// Password of the key, if it has one.
        #[serde(default)]
        key_password: Option<String>,
        /// Absolute path of the certificates of authorities that belong to the chain.
        #[serde(default)]
        chain: Option<String>,
        /// Alias of the entry.
        #[serde(default = "server")]
        alias: String,
        /// Owner.
        #[serde(default = "root")]
        owner: String,
        /// Group.
        #[serde(default = "root")]
        group: String,
        /// Permissions in octal.
        #[serde(default = "private")]
        mode: String,
        /// Flag to set if it changes.
        #[serde(default)]
        flag: Option<String>,
    }
}

fn server() -> String {
    "server".to_owned()
}

fn root() -> String {
    "root".to_owned()
}

fn private() -> String {
    "0640".to_owned()
}

pub(crate) fn keystore(request: &mut Request, keystore: Keystore) -> Result<()> {
    let Keystore { path, .. } = &keystore;
    for (what, path) in [
        ("keystore", Some(path)),
        ("certificate", Some(&keystore.certificate)),
        ("key", Some(&keystore.key)),
        ("chain", keystore.chain.as_ref()),
    ] {
        path.map_or(Ok(()), |path| check_path(what, path))?;
    }
    check_alias(&keystore.alias)?;
    ensure!(keystore.password.chars().count() >= 6, "the password of {path} is too short");
    for account in [&keystore.owner, &keystore.group] {
        check_file_name("an owner", account)?;
    }
    let octal = |byte: u8| (b'0'..=b'7').contains(&byte);
    ensure!(
        (3..=4).contains(&keystore.mode.len()) && keystore.mode.bytes().all(octal),
        "the mode {:?} is not octal, such as \"0640\"",
        keystore.mode
    );
    request.add(Package::install("openssl"))?;
    let settings = BTreeMap::from([
        ("JAVA_STORE", path.clone()),
        ("JAVA_CERTIFICATE", keystore.certificate.clone()),
        ("JAVA_KEY", keystore.key.clone()),
        ("JAVA_CHAIN", keystore.chain.clone().unwrap_or_default()),
        ("JAVA_PASSWORD", keystore.password.clone()),
        ("JAVA_KEY_PASSWORD", keystore.key_password.clone().unwrap_or_default()),
        ("JAVA_ALIAS", keystore.alias.clone()),
        ("JAVA_OWNER", format!("{}:{}", keystore.owner, keystore.group)),
        ("JAVA_MODE", keystore.mode.trim_start_matches('0').to_owned()),
    ]);
    let options = keystore.flag.iter().fold(Options::new(), |all, flag| all.flag_on_change(flag));
    run(request, format!("make {path}"), ("keystore", "has-keystore"), settings, options)
}

#[cfg(test)]
mod tests {
    use super::super::Java;
    use super::*;

    fn with(more: Value) -> Value {
        let mut all = json!({
            "path": "/etc/app.p12", "certificate": "/etc/a.pem", "key": "/etc/a.key",
            "password": "⟦secret:store⟧"
        });
        for (key, value) in more.as_object().unwrap() {
            all[key] = value.clone();
        }
        all
    }

    #[test]
    fn the_password_is_no_argument() {
        let mut recorder = Recorder::<Java>::on("debian 12");
        recorder.call("keystore", with(json!({"flag": "app"}))).unwrap();
        let last = recorder.actions().pop().unwrap();
        assert_eq!(last.arguments["script"], "sh /usr/local/lib/pallet/java keystore");
        assert_eq!(last.arguments["environment"]["JAVA_PASSWORD"], "⟦secret:store⟧");
        assert_eq!(last.arguments["environment"]["JAVA_MODE"], "640");
        assert_eq!(last.options.flag_on_change.as_deref(), Some("app"));
    }

    #[test]
    fn bad_arguments_are_refused() {
        for (more, said) in [
            (json!({"path": "app.p12"}), "absolute path"),
            (json!({"key": "/etc/../a"}), "absolute path"),
            (json!({"alias": "A b"}), "the alias"),
            (json!({"password": "short"}), "too short"),
            (json!({"mode": "rw"}), "not octal"),
            (json!({"owner": "a:b"}), "cannot name an owner"),
        ] {
            let mut recorder = Recorder::<Java>::on("debian 12");
            let error = recorder.call("keystore", with(more.clone())).unwrap_err().to_string();
            assert!(error.contains(said), "{more}: {error}");
        }
    }
}
