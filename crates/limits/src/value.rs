//! A limit: what is limited, and to what.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

/// Limits by what they limit: `nofile`.
pub(crate) type Table = BTreeMap<String, Limit>;

/// A limit: one value for both, or the soft limit, which users may change, and the hard one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", untagged)]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Limit {
    /// A soft and a hard limit.
    Pair {
        /// The limit that applies, and that users may change up to the hard one.
        #[serde(default)]
        soft: Option<Amount>,
        /// The limit that only root may raise.
        #[serde(default)]
        hard: Option<Amount>,
    },
    /// One value for both.
    Both(Amount),
}

/// A number, or `unlimited`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", untagged)]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Amount {
    /// A number, in the unit of the limit.
    Number(i64),
    /// `unlimited`.
    Text(String),
}

/// What can be limited: the name in limits.conf, in system.conf of systemd, and how systemd counts
/// what limits.conf counts as 1.
pub(crate) const ITEMS: &[(&str, Option<(&str, i64)>)] = &[
    ("as", Some(("AS", 1024))),
    ("core", Some(("CORE", 1024))),
    ("cpu", Some(("CPU", 60))),
    ("data", Some(("DATA", 1024))),
    ("fsize", Some(("FSIZE", 1024))),
    ("locks", Some(("LOCKS", 1))),
    ("maxlogins", None),
    ("maxsyslogins", None),
    ("memlock", Some(("MEMLOCK", 1024))),
    ("msgqueue", Some(("MSGQUEUE", 1))),
    ("nice", Some(("NICE", 1))),
    ("nofile", Some(("NOFILE", 1))),
    ("nproc", Some(("NPROC", 1))),
    ("priority", None),
    ("rss", Some(("RSS", 1024))),
    ("rtprio", Some(("RTPRIO", 1))),
    ("sigpending", Some(("SIGPENDING", 1))),
    ("stack", Some(("STACK", 1024))),
];

/// The row of an item.
pub(crate) fn item(name: &str) -> Result<&'static (&'static str, Option<(&'static str, i64)>)> {
    ITEMS.iter().find(|(known, _)| *known == name).with_context(|| {
        let names: Vec<_> = ITEMS.iter().map(|(name, _)| *name).collect();
        format!("{name:?} cannot be limited; there are {}", names.join(", "))
    })
}

impl Limit {
    /// The soft and the hard limit, `None` where there is none; each `None` inside is unlimited.
    pub(crate) fn parts(&self, item: &str) -> Result<[Option<Option<i64>>; 2]> {
        let number = |amount: &Amount| match amount {
            Amount::Text(text) if text == "unlimited" => Ok(None),
            Amount::Number(number) if *number >= 0 => Ok(Some(*number)),
            Amount::Number(number) if ["nice", "priority"].contains(&item) && *number >= -20 => {
                Ok(Some(*number))
            }
            Amount::Number(number) => bail!("the limit {item} cannot be {number}"),
            Amount::Text(text) => {
                bail!("the limit {item} cannot be {text:?}: give a number, or \"unlimited\"")
            }
        };
        let [soft, hard] = match self {
            Limit::Both(amount) => [Some(amount), Some(amount)],
            Limit::Pair { soft, hard } => [soft.as_ref(), hard.as_ref()],
        };
        ensure!(soft.is_some() || hard.is_some(), "the limit {item} needs soft, hard or both");
        let parts = [soft.map(number).transpose()?, hard.map(number).transpose()?];
        if let [Some(soft), Some(hard)] = parts {
            let (soft, hard) = (soft.unwrap_or(i64::MAX), hard.unwrap_or(i64::MAX));
            ensure!(soft <= hard, "the soft limit {item} is higher than the hard one");
        }
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(item: &str, limit: Value) -> Result<[Option<Option<i64>>; 2]> {
        serde_json::from_value::<Limit>(limit)?.parts(item)
    }

    use pallet_core::serde_json;

    #[test]
    fn a_limit_is_one_value_or_two() {
        assert_eq!(parts("nofile", json!(5)).unwrap(), [Some(Some(5)); 2]);
        assert_eq!(parts("nofile", json!({"hard": "unlimited"})).unwrap(), [None, Some(None)]);
        assert_eq!(parts("nice", json!(-20)).unwrap(), [Some(Some(-20)); 2]);
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for (limit, said) in [
            (json!(-1), "cannot be -1"),
            (json!("many"), "a number, or"),
            (json!({}), "needs soft, hard or both"),
            (json!({"soft": 2, "hard": 1}), "higher than"),
            (json!({"soft": "unlimited", "hard": 1}), "higher than"),
        ] {
            let error = parts("nofile", limit.clone()).unwrap_err().to_string();
            assert!(error.contains(said), "{limit}: {error}");
        }
        assert!(item("files").unwrap_err().to_string().contains("there are as, core"));
    }
}
