//! Packages that stay at their version.

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::system::{Held, SYSTEMS};

/// What dpkg is to do with a package.
const DPKG: &str = r"dpkg-query -W -f '${db:Status-Want}\n'";

parameters! {
    /// Holds installed packages at their versions: no upgrade, also none by hand, changes them
    /// until they are released.
    ///
    /// Example: `package_policy.hold(request, ["postgresql-15", "linux-image-amd64"])`
    pub(crate) struct Hold {
        /// Names of packages. They must be installed.
        packages: Vec<String>,
        /// `hold`, or `release` the packages.
        #[serde(default)]
        action: HoldAction,
    }
}

/// What to do with packages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum HoldAction {
    /// They stay at their versions.
    #[default]
    Hold,
    /// They are upgraded like others.
    Release,
}

pub(crate) fn hold(request: &mut Request, arguments: Hold) -> Result<()> {
    let system = SYSTEMS.row(&request.target()?.os)?;
    ensure!(!arguments.packages.is_empty(), "hold: name at least one package");
    arguments.packages.iter().try_for_each(|package| check_package(package))?;
    if let Some(package) = system.package {
        request.add(Package::install(package))?;
    }
    for package in &arguments.packages {
        let name = quote(package);
        let held = match system.is_held {
            Held::Dpkg => format!("{DPKG} {name} | grep -qx hold"),
            Held::Line(before, after, file) => {
                let literal = package.replace('.', "\\.").replace('+', "\\+");
                format!("grep -Eqs {} {file}", quote(&format!("{before}{literal}{after}")))
            }
        };
        request.add(match arguments.action {
            HoldAction::Hold => {
                ExecCheckedScript::new(format!("hold {package}"), format!("{} {name}", system.hold))
                    .unless(held)
            }
            HoldAction::Release => ExecCheckedScript::new(
                format!("release {package}"),
                format!("{} {name}", system.release),
            )
            .only_if(held),
        })?;
    }
    Ok(())
}

/// Refuses what is no name of a package.
pub(crate) fn check_package(name: &str) -> Result<()> {
    let good = |c: char| c.is_ascii_alphanumeric() || "+-._:".contains(c);
    ensure!(
        name.starts_with(|first: char| first.is_ascii_alphanumeric()) && name.chars().all(good),
        "{name:?} cannot name a package"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::PackagePolicy;
    use super::*;

    fn declared(system: &str, arguments: Value) -> Vec<RecordedAction> {
        let mut recorder = Recorder::<PackagePolicy>::on(system);
        recorder.call("hold", arguments).unwrap();
        recorder.actions()
    }

    #[test]
    fn each_system_holds_in_its_own_way() {
        let actions = declared("debian 12", json!({"packages": ["libstdc++6"]}));
        assert_eq!(actions[0].arguments["script"], "apt-mark hold libstdc++6");
        assert_eq!(
            actions[0].arguments["unless"],
            r"dpkg-query -W -f '${db:Status-Want}\n' libstdc++6 | grep -qx hold"
        );
        let actions = declared("rocky 9", json!({"packages": ["a.b+"], "action": "release"}));
        assert_eq!(actions[0].subject, "python3-dnf-plugin-versionlock");
        assert_eq!(
            actions[1].arguments["only_if"],
            "grep -Eqs '^!?a\\.b\\+-[0-9]+:' /etc/dnf/plugins/versionlock.list"
        );
        let actions = declared("opensuse-leap 15.6", json!({"packages": ["a"]}));
        assert_eq!(actions[0].arguments["script"], "zypper --non-interactive addlock a");
    }

    #[test]
    fn what_is_no_package_is_refused() {
        for (packages, said) in [
            (json!([]), "at least one"),
            (json!(["-a"]), "cannot name"),
            (json!(["a b"]), "cannot"),
        ] {
            let error = Recorder::<PackagePolicy>::on("debian 12")
                .call("hold", json!({"packages": packages}))
                .unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
        let error = Recorder::<PackagePolicy>::on("arch")
            .call("hold", json!({"packages": ["a"]}))
            .unwrap_err();
        assert!(error.to_string().contains("is not supported"), "{error}");
    }
}
