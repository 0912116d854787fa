//! Which version of a package apt prefers: a file of `/etc/apt/preferences.d`.

use pallet_core::model;
use pallet_core::prelude::*;

/// Reads preferences as apt does, from the file that is checked alone. apt only warns of what it
/// does not understand, for each package again.
pub(crate) const CHECK: &str = "sh -c 'wrong=$(apt-cache -o \"Dir::Etc::Preferences=$1\" \
     -o Dir::Etc::PreferencesParts=/dev/null policy 2>&1 >/dev/null | \
     grep -E \"^(E:|W: (Invalid|Did not understand))\" | sort -u); \
     [ -z \"$wrong\" ] || { echo \"$wrong\"; exit 1; }' check";

parameters! {
    /// Sets which versions of packages apt prefers, in a file of `/etc/apt/preferences.d`, which
    /// apt checks before it takes its place. apt only.
    ///
    /// Example: `package_policy.pin(request, "postgresql", packages = ["postgresql-*"], version = "15.*")`
    ///
    /// Example: `package_policy.pin(request, "backports", packages = ["*"], release = "n=bookworm-backports", priority = 100)`
    pub(crate) struct Pin {
        /// Names the file: letters, digits, `-` and `_`.
        name: String,
        /// The packages, by name, with `*` where there are several, or as `/EXPRESSION/`.
        #[serde(default)]
        packages: Vec<String>,
        /// Prefer this version. `*` matches any text.
        #[serde(default)]
        version: Option<String>,
        /// Prefer this release: `n=bookworm-backports`, `a=stable,l=Debian`.
        #[serde(default)]
        release: Option<String>,
        /// Prefer this host of a repository: `apt.example.com`.
        #[serde(default)]
        origin: Option<String>,
        /// The priority. From 1000 on, a newer version is replaced; below 0, none is installed;
        /// other versions have 500.
        #[serde(default = "default_priority")]
        priority: i16,
        /// A line that explains it.
        #[serde(default)]
        explanation: Option<String>,
        /// `create`, or `delete` the pin.
        #[serde(default)]
        action: Existence,
    }
}

fn default_priority() -> i16 {
    1001
}

pub(crate) fn pin(request: &mut Request, pin: Pin) -> Result<()> {
    let os = request.target()?.os;
    ensure!(
        os.package_manager == model::PackageManager::Apt,
        "package-policy.pin needs apt, and {os} has {}",
        os.package_manager.as_str()
    );
    check_file_name("a pin", &pin.name)?;
    // apt ignores files with other names
    ensure!(!pin.name.contains('.'), "{:?} cannot name a pin: leave the dot out", pin.name);
    let path = format!("/etc/apt/preferences.d/{}.pref", pin.name);
    if pin.action == Existence::Delete {
        return request.add(File::at(path).absent());
    }
    let content = render(&pin)?;
    request.add(Directory::at("/etc/apt/preferences.d"))?;
    request.add(
        RemoteFile::content(path, content).owner("root").group("root").mode(0o644).verify(CHECK),
    )
}

fn render(pin: &Pin) -> Result<String> {
    let Pin { name, packages, version, release, origin, priority, explanation, .. } = pin;
    ensure!(!packages.is_empty(), "pin {name}: name at least one package");
    let line = |what: &str, text: &str| {
        ensure!(
            !text.trim().is_empty() && !text.contains(|c: char| c.is_control()),
            "pin {name}: the {what} {text:?} is not one line"
        );
        Ok(())
    };
    for package in packages {
        line("package", package)?;
        let one = !package.contains(char::is_whitespace);
        ensure!(one, "pin {name}: {package:?} is more than one package; list each");
    }
    let chosen = match (version, release, origin) {
        (Some(version), None, None) => format!("version {version}"),
        (None, Some(release), None) => format!("release {release}"),
        (None, None, Some(origin)) => format!("origin \"{origin}\""),
        _ => bail!("pin {name}: give exactly one of version, release and origin"),
    };
    line("choice", &chosen)?;
    ensure!(
        !origin.as_deref().unwrap_or_default().contains('"'),
        "pin {name}: the origin is a host, without quotes"
    );
    ensure!(*priority != 0, "pin {name}: apt has no priority 0");
    let mut out = "Explanation: written by pallet\n".to_owned();
    if let Some(explanation) = explanation {
        line("explanation", explanation)?;
        out.push_str(&format!("Explanation: {explanation}\n"));
    }
    out.push_str(&format!(
        "Package: {}\nPin: {chosen}\nPin-Priority: {priority}\n",
        packages.join(" ")
    ));
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::PackagePolicy;
    use super::*;

    #[test]
    fn a_pin_is_a_record_of_preferences() {
        let mut recorder = Recorder::<PackagePolicy>::on("debian 12");
        let arguments = json!({"name": "web", "packages": ["nginx", "nginx-*"],
            "origin": "apt.example.com", "priority": 700, "explanation": "ours"});
        recorder.call("pin", arguments).unwrap();
        assert_eq!(
            recorder.actions()[1].arguments["content"],
            "Explanation: written by pallet\nExplanation: ours\nPackage: nginx nginx-*\n\
             Pin: origin \"apt.example.com\"\nPin-Priority: 700\n"
        );
    }

    #[test]
    fn what_is_no_pin_is_refused() {
        let one = json!(["a"]);
        for (system, arguments, said) in [
            ("debian 12", json!({"name": "a", "version": "1"}), "at least one package"),
            ("debian 12", json!({"name": "a", "packages": one}), "exactly one of"),
            ("debian 12", json!({"name": "a.b", "packages": one}), "leave the dot out"),
            ("debian 12", json!({"name": "a", "packages": ["a b"], "version": "1"}), "list each"),
            (
                "debian 12",
                json!({"name": "a", "packages": one, "version": "1\nPin: x"}),
                "is not one line",
            ),
            (
                "debian 12",
                json!({"name": "a", "packages": one, "version": "1", "priority": 0}),
                "priority 0",
            ),
            ("rocky 9", json!({"name": "a", "packages": one, "version": "1"}), "needs apt"),
        ] {
            let error = Recorder::<PackagePolicy>::on(system).call("pin", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
