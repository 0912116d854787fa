//! The Tomcat of each system, and where its instances are.

use pallet_core::prelude::*;

parameters! {
    /// Installs Tomcat, with the Java that it depends on. The package starts the instance that it
    /// brings, on port 8080.
    ///
    /// Example: `tomcat.install(request)`
    pub(crate) struct Install {
        /// Also install the applications `manager` and `host-manager`.
        #[serde(default)]
        admin: bool,
    }
}

/// The names of Tomcat in Debian's packages, which Ubuntu has too: they are also those of its
/// directories.
const NAMES: SystemTable<&str> = SystemTable(&[
    ("debian 11", "tomcat9"),
    ("ubuntu 20.04", "tomcat9"),
    ("ubuntu 22.04", "tomcat9"),
    ("debian", "tomcat10"),
]);

/// The Tomcat of the node: `tomcat10`.
pub(crate) fn tomcat(request: &Request) -> Result<&'static str> {
    Ok(NAMES.row(&request.target()?.os)?)
}

pub(crate) fn install(request: &mut Request, install: Install) -> Result<()> {
    let name = tomcat(request)?;
    request.add(Package::install(name))?;
    if install.admin { request.add(Package::install(format!("{name}-admin"))) } else { Ok(()) }
}

/// An instance: that of the package, or another one.
pub(crate) struct Place {
    /// What the package is called.
    pub(crate) tomcat: &'static str,
    /// What the service, and the ends of all directories, are called.
    pub(crate) name: String,
}

impl Place {
    /// The instance of this name; `None`: that of the package.
    pub(crate) fn of(request: &Request, instance: Option<&str>) -> Result<Self> {
        let tomcat = tomcat(request)?;
        let Some(instance) = instance else { return Ok(Place { tomcat, name: tomcat.to_owned() }) };
        check_file_name("an instance", instance)?;
        ensure!(!instance.contains('.'), "{instance:?} cannot name an instance: omit the `.`");
        Ok(Place { tomcat, name: format!("{tomcat}-{instance}") })
    }

    /// `CATALINA_BASE`.
    pub(crate) fn base(&self) -> String {
        format!("/var/lib/{}", self.name)
    }

    pub(crate) fn conf(&self) -> String {
        format!("/etc/{}", self.name)
    }

    pub(crate) fn webapps(&self) -> String {
        format!("{}/webapps", self.base())
    }

    /// The directory of what Pallet makes configuration files of.
    pub(crate) fn parts(&self) -> String {
        format!("{}/pallet", self.conf())
    }

    /// The flag that is set when a change needs a restart.
    pub(crate) fn changed(&self) -> Options {
        Options::new().flag_on_change(self.flag())
    }

    pub(crate) fn flag(&self) -> String {
        format!("{}-configuration", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Tomcat;
    use super::*;

    #[test]
    fn each_system_has_its_names() {
        for (system, package) in [("debian 13", "tomcat10"), ("ubuntu 22.04", "tomcat9")] {
            let mut recorder = Recorder::<Tomcat>::on(system);
            recorder.call("install", json!({"admin": true})).unwrap();
            let packages = [format!("package {package}"), format!("package {package}-admin")];
            assert_eq!(recorder.declared(), packages);
        }
        assert!(Recorder::<Tomcat>::on("rocky 9").call("install", json!({})).is_err());
    }
}
