//! JAVA_HOME.

use pallet_core::prelude::*;

use super::system::{Kind, java};

parameters! {
    /// Returns `JAVA_HOME` of a Java that `java.install` installs on this node, for units and
    /// configuration files.
    ///
    /// Example: `java.home(request, version = 21)`
    pub(crate) struct Home {
        /// Version. Default: that of the distribution.
        #[serde(default)]
        version: Option<u32>,
        /// `jre` or `jdk`.
        #[serde(default)]
        kind: Kind,
    }

    /// Sets `JAVA_HOME` for logins, in `/etc/environment` and `/etc/profile.d/java.sh`.
    ///
    /// Services do not read these files: pass them `java.home`.
    ///
    /// Example: `java.environment(request, version = 21, kind = "jdk")`
    pub(crate) struct Environment {
        /// Version. Default: that of the distribution.
        #[serde(default)]
        version: Option<u32>,
        /// `jre` or `jdk`.
        #[serde(default)]
        kind: Kind,
        /// Directory to set instead.
        #[serde(default)]
        home: Option<String>,
    }
}

pub(crate) fn home(request: &mut Request, home: Home) -> Result<String> {
    let os = request.target()?.os;
    Ok(java(&os, home.version, home.kind, true)?.home)
}

pub(crate) fn environment(request: &mut Request, environment: Environment) -> Result<()> {
    let Environment { version, kind, home } = environment;
    let home = match home {
        Some(home) => {
            ensure!(version.is_none(), "give either version or home");
            let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./+".contains(&byte);
            ensure!(
                home.starts_with('/') && home.bytes().all(good),
                "the home {home:?} must be an absolute path without spaces"
            );
            home
        }
        None => java(&request.target()?.os, version, kind, true)?.home,
    };
    // PAM reads it, and it is no script
    let line = LineInFile::new("/etc/environment", format!("JAVA_HOME={home}"));
    request.add(line.matching("^JAVA_HOME=").create().mode(0o644))?;
    let text = format!("# written by pallet\nexport JAVA_HOME={home}\n");
    let file = RemoteFile::content("/etc/profile.d/java.sh", text);
    request.add(file.owner("root").group("root").mode(0o644))
}

#[cfg(test)]
mod tests {
    use super::super::Java;
    use super::*;

    #[test]
    fn the_home_is_known_and_set() {
        let mut recorder = Recorder::<Java>::on("debian 12");
        let home = recorder.call("home", json!({})).unwrap();
        assert_eq!(home, "/usr/lib/jvm/java-17-openjdk-amd64");
        recorder.call("environment", json!({"home": "/opt/jdk"})).unwrap();
        let actions = recorder.actions();
        assert_eq!(actions[0].arguments["line"], "JAVA_HOME=/opt/jdk");
        let text = "# written by pallet\nexport JAVA_HOME=/opt/jdk\n";
        assert_eq!(actions[1].arguments["content"], text);
    }

    #[test]
    fn bad_arguments_are_refused() {
        for arguments in [
            json!({"home": "opt"}),
            json!({"home": "/opt/$(reboot)"}),
            json!({"home": "/opt", "version": 17}),
            json!({"version": 6}),
        ] {
            let mut recorder = Recorder::<Java>::on("debian 12");
            assert!(recorder.call("environment", &arguments).is_err(), "{arguments}");
        }
    }
}
