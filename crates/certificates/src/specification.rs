//! What a certificate should be: checked, and written as the program on the node reads it.

use std::fmt::Write;
use std::net::IpAddr;

use pallet_core::prelude::*;

/// A kind of private key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "lowercase")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum KeyKind {
    /// Elliptic curve P-256.
    #[default]
    Ec256,
    /// Elliptic curve P-384.
    Ec384,
    /// RSA with 2048 bits.
    Rsa2048,
    /// RSA with 3072 bits.
    Rsa3072,
    /// RSA with 4096 bits.
    Rsa4096,
}

impl KeyKind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            KeyKind::Ec256 => "ec256",
            KeyKind::Ec384 => "ec384",
            KeyKind::Rsa2048 => "rsa2048",
            KeyKind::Rsa3072 => "rsa3072",
            KeyKind::Rsa4096 => "rsa4096",
        }
    }
}

/// Lines of a specification: keys and values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Specification(String);

impl Specification {
    /// With another line, unless the value is empty.
    pub(crate) fn with(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        let value = value.to_string();
        if !value.is_empty() {
            let _ = writeln!(self.0, "{key} {value}");
        }
        self
    }

    pub(crate) fn text(self) -> String {
        self.0
    }
}

/// Who reads the files of a certificate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Readers<'a> {
    pub(crate) group: Option<&'a str>,
    pub(crate) services: &'a [String],
    pub(crate) restarts: &'a [String],
}

impl Readers<'_> {
    /// Adds them to a specification.
    pub(crate) fn add(&self, specification: Specification) -> Result<Specification> {
        for service in self.services.iter().chain(self.restarts) {
            check_word("service", service)?;
        }
        let group = self.group.unwrap_or_default();
        if !group.is_empty() {
            check_word("group", group)?;
        }
        Ok(specification
            .with("group", group)
            .with("services", self.services.join(" "))
            .with("restarts", self.restarts.join(" ")))
    }
}

/// The names of a certificate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Subject {
    pub(crate) common_name: String,
    /// As openssl writes them: `DNS:web.example,IP:192.0.2.1`.
    pub(crate) alternatives: String,
}

impl Subject {
    /// What is declared for a node. Without names, the node's own; without addresses, its own.
    pub(crate) fn of(
        target: &Target,
        names: &[String],
        addresses: Option<&[String]>,
        common_name: Option<&str>,
    ) -> Result<Self> {
        let mut names = if names.is_empty() { vec![target.name.clone()] } else { names.to_vec() };
        let mut all = Vec::new();
        match addresses {
            Some(listed) => {
                for address in listed {
                    ensure!(
                        is_address(address),
                        "{address:?} is no IP address; host names belong in names"
                    );
                    all.push(address.clone());
                }
            }
            // providers may know a node by a host name
            None => match target.address.clone() {
                Some(address) if is_address(&address) => all.push(address),
                Some(name) if check_domain(&name).is_ok() && !names.contains(&name) => {
                    names.push(name)
                }
                _ => {}
            },
        }
        names.iter().try_for_each(|name| check_domain(name))?;
        let common_name = match common_name {
            Some(name) => name.to_owned(),
            None => names.first().filter(|name| name.len() <= 64).unwrap_or(&target.name).clone(),
        };
        check_common_name(&common_name)?;
        let parts: Vec<_> = names
            .iter()
            .map(|name| format!("DNS:{name}"))
            .chain(all.iter().map(|address| format!("IP:{address}")))
            .collect();
        Ok(Subject { common_name, alternatives: parts.join(",") })
    }
}

/// Whether it is an IP address, or that of a node that does not exist yet.
fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok() || text.ends_with(KNOWN_AFTER_APPLY)
}

/// Refuses what is no host name; the first label may be `*`.
pub(crate) fn check_domain(name: &str) -> Result<()> {
    let label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let rest = name.strip_prefix("*.").unwrap_or(name);
    ensure!(
        name.len() <= 253 && rest.split('.').all(label) && rest.parse::<IpAddr>().is_err(),
        "{name:?} cannot be a name in a certificate; write a host name, such as web.example.com"
    );
    Ok(())
}

/// Refuses what cannot be a common name as it is.
pub(crate) fn check_common_name(name: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.*@ ".contains(&byte);
    ensure!(
        (1..=64).contains(&name.len()) && name.bytes().all(good) && name.trim() == name,
        "{name:?} cannot be a common name; use at most 64 letters, digits, -, _, ., *, @ and spaces"
    );
    Ok(())
}

/// Refuses text that is more than one word.
pub(crate) fn check_word(what: &str, value: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@:".contains(&byte);
    ensure!(
        !value.is_empty() && value.bytes().all(good) && !value.starts_with('-'),
        "{value:?} cannot be a {what}; use letters, digits, -, _, ., : and @"
    );
    Ok(())
}

/// Refuses a lifetime that makes no sense.
pub(crate) fn check_days(days: u32, renew: u32, most: u32) -> Result<()> {
    ensure!((1..=most).contains(&days), "days must be 1 to {most}, not {days}");
    ensure!(renew < days, "renew must be less than days ({days}), not {renew}");
    Ok(())
}

/// Refuses a path that is not absolute, or more than one word of a line.
pub(crate) fn check_path(what: &str, path: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./+@:".contains(&byte);
    ensure!(
        path.starts_with('/') && path.bytes().all(good),
        "the {what} {path:?} must be an absolute path of letters, digits, -, _, ., +, @ and :"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(address: &str) -> Target {
        serde_json_target(address)
    }

    fn serde_json_target(address: &str) -> Target {
        let os = serde_value(&Os::named("debian 12", "x86_64"));
        Target::deserialize(json!({"id": "i", "name": "web-1", "group": "web",
            "address": address, "os": os}))
        .unwrap()
    }

    fn serde_value(value: &impl Serialize) -> Value {
        json!(value)
    }

    #[test]
    fn a_node_has_its_own_name_and_address() {
        let subject = Subject::of(&target("192.0.2.1"), &[], None, None).unwrap();
        assert_eq!(subject.common_name, "web-1");
        assert_eq!(subject.alternatives, "DNS:web-1,IP:192.0.2.1");
        let subject = Subject::of(&target("web.example"), &[], None, Some("web")).unwrap();
        assert_eq!(subject.alternatives, "DNS:web-1,DNS:web.example");
        assert_eq!(subject.common_name, "web");
    }

    #[test]
    fn what_would_end_a_line_is_refused() {
        for name in ["", "a b", "a,DNS:b", "a\nb", "a..b", "-a", "*", "a.*", "192.0.2.1", "$a"] {
            assert!(check_domain(name).is_err(), "{name:?}");
        }
        assert!(check_domain("*.example.com").is_ok() && check_domain("a_b.example").is_ok());
        for name in ["", " a", "a\nb", "a/b", "a=b", "a,b", "a+b"] {
            assert!(check_common_name(name).is_err(), "{name:?}");
        }
        assert!(check_path("webroot", "/srv/$(a)").is_err() && check_path("x", "srv").is_err());
        let addresses = ["a.example".to_owned()];
        let error = Subject::of(&target("192.0.2.1"), &[], Some(&addresses), None).unwrap_err();
        assert!(error.to_string().contains("is no IP address"), "{error}");
        assert!(check_days(30, 30, 100).is_err() && check_days(0, 0, 100).is_err());
    }
}
