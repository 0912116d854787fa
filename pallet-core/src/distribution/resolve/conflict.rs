//! Why no set of versions satisfies all requirements.

use std::fmt;

use semver::{Version, VersionReq};

use super::package::Package;

/// A plugin without a version that satisfies all requirements.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// The plugin.
    pub package: Package,
    /// All requirements of it.
    pub chains: Vec<Chain>,
    /// Its versions, lowest first.
    pub versions: Vec<Version>,
    /// The versions that do not work here, and why.
    pub unfit: Vec<(Version, String)>,
}

/// A requirement, and its origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// The root of the requirement: `pallet.toml`.
    pub by: String,
    /// The plugins from there to the requirement.
    pub path: Vec<(Package, Version)>,
    /// The acceptable versions.
    pub requirement: VersionReq,
}

/// Maximum number of versions in a message.
const LISTED: usize = 8;

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Conflict { package, chains, versions, unfit } = self;
        let chains: Vec<_> = chains.iter().map(|chain| chain.leading_to(&package.name)).collect();
        match chains.as_slice() {
            [only] => write!(f, "no version of {package} is suitable: {only}")?,
            all => write!(
                f,
                "no version of {package} satisfies all requirements: {}",
                all.join(", and ")
            )?,
        }
        match versions.len() {
            0 => f.write_str("; there is none")?,
            count => {
                let listed: Vec<_> = versions
                    .iter()
                    .skip(count.saturating_sub(LISTED))
                    .map(Version::to_string)
                    .collect();
                write!(
                    f,
                    "; there {} {}",
                    if count == 1 { "is" } else { "are" },
                    listed.join(", ")
                )?;
                if count > LISTED {
                    write!(f, " and {} older ones", count - LISTED)?;
                }
            }
        }
        for (version, why) in unfit {
            write!(f, "; {version} {why}")?;
        }
        if self.chains.len() > 1 {
            write!(f, "; require other versions of the plugins that lead to one of them")?;
        }
        Ok(())
    }
}

impl Chain {
    fn leading_to(&self, name: &str) -> String {
        let mut text = self.by.clone();
        for (package, version) in &self.path {
            text.push_str(&format!(" -> {} {version}", package.name));
        }
        format!("{text} -> {name} {}", self.requirement)
    }
}
