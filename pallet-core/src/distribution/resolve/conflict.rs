//! Why there is no set of versions that everything agrees on.

use std::fmt;

use semver::{Version, VersionReq};

use super::package::Package;

/// A plugin of which no version satisfies all that require it.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// The plugin.
    pub package: Package,
    /// All that require it.
    pub chains: Vec<Chain>,
    /// The versions there are, lowest first.
    pub versions: Vec<Version>,
    /// The versions that cannot be used here, and why.
    pub unfit: Vec<(Version, String)>,
}

/// A requirement, and how it comes about.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// Who asked first: `pallet.toml`.
    pub by: String,
    /// What leads from there to the requirement.
    pub path: Vec<(Package, Version)>,
    /// Which versions will do.
    pub requirement: VersionReq,
}

/// So many versions are listed.
const LISTED: usize = 8;

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Conflict { package, chains, versions, unfit } = self;
        let chains: Vec<_> = chains.iter().map(|chain| chain.leading_to(&package.name)).collect();
        match chains.as_slice() {
            [only] => write!(f, "no version of {package} is suitable: {only}")?,
            all => write!(
                f,
                "no version of {package} satisfies all that require it: {}",
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
            write!(f, "; require other versions of what leads to one of them")?;
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
