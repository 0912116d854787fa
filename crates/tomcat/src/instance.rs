//! Further instances of Tomcat.

use pallet_core::action::service_script::ServiceImpl;
use pallet_core::prelude::*;

use super::system::Place;

parameters! {
    /// Ensures a further instance of Tomcat, with its own process, configuration and applications.
    ///
    /// Its directories are `/etc/tomcat10-NAME`, `/var/lib/tomcat10-NAME` and
    /// `/var/log/tomcat10-NAME`, its service is `tomcat10-NAME`. It needs a connector with a port
    /// of its own: pass `instance` to the other functions.
    ///
    /// Example: `tomcat.instance(request, "shop")`
    pub(crate) struct Instance {
        /// Name of the instance.
        name: String,
    }
}

/// The files of the package that an instance begins with.
const FILES: &[&str] = &[
    "catalina.properties",
    "context.xml",
    "jaspic-providers.xml",
    "logging.properties",
    "web.xml",
];

pub(crate) fn instance(request: &mut Request, instance: Instance) -> Result<()> {
    let place = Place::of(request, Some(&instance.name))?;
    let Place { tomcat, name } = &place;
    let (base, conf) = (place.base(), place.conf());
    let of_root = |path: String| Directory::at(path).owner("root").group("tomcat").mode(0o750);
    let of_tomcat = |path: String| Directory::at(path).owner("tomcat").group("tomcat").mode(0o750);
    request.add(of_root(base.clone()))?;
    request.add(of_root(conf.clone()))?;
    request.add(of_root(format!("{conf}/Catalina")))?;
    request.add(of_root(format!("{conf}/Catalina/localhost")))?;
    request.add(of_tomcat(format!("{base}/webapps")))?;
    request.add(of_tomcat(format!("/var/log/{name}")))?;
    request.add(of_tomcat(format!("/var/cache/{name}")))?;
    for (link, target) in [
        ("conf", conf.clone()),
        ("logs", format!("/var/log/{name}")),
        ("work", format!("/var/cache/{name}")),
    ] {
        request.add(SymbolicLink::new(format!("{base}/{link}"), target))?;
    }
    for file in FILES {
        let copy =
            RemoteFile::copy(format!("{conf}/{file}"), format!("/usr/share/{tomcat}/etc/{file}"));
        let copy = copy.owner("root").group("tomcat").mode(0o640);
        request.add_with(copy, place.changed())?;
    }
    let defaults = LineInFile::new(
        format!("/etc/default/{name}"),
        "# read by the shell that starts the instance",
    );
    request.add(defaults.create().mode(0o644))?;
    let unit = ServiceScript::content(name, unit(&place)).service_impl(ServiceImpl::Systemd);
    request.add_with(unit, place.changed())
}

fn unit(place: &Place) -> String {
    let Place { tomcat, name } = place;
    let base = place.base();
    format!(
        "# written by pallet\n\
         [Unit]\n\
         Description=Apache Tomcat, instance {name}\n\
         After=network.target\n\
         RequiresMountsFor={base} /var/log/{name}\n\n\
         [Service]\n\
         Environment=CATALINA_HOME=/usr/share/{tomcat}\n\
         Environment=CATALINA_BASE={base}\n\
         Environment=CATALINA_TMPDIR=/tmp\n\
         Environment=JAVA_OPTS=-Djava.awt.headless=true\n\
         Type=simple\n\
         ExecStart=/bin/sh -c '. /etc/default/{name} && \
         . /usr/libexec/{tomcat}/tomcat-locate-java.sh && export JAVA_OPTS && cd {base} && \
         exec /usr/share/{tomcat}/bin/catalina.sh run'\n\
         SuccessExitStatus=143\n\
         Restart=on-abort\n\
         SyslogIdentifier={name}\n\
         User=tomcat\n\
         Group=tomcat\n\
         PrivateTmp=yes\n\
         AmbientCapabilities=CAP_NET_BIND_SERVICE\n\
         NoNewPrivileges=true\n\
         ProtectSystem=strict\n\
         ReadWritePaths={base}/webapps /var/log/{name} /var/cache/{name}\n\n\
         [Install]\n\
         WantedBy=multi-user.target\n",
    )
}

#[cfg(test)]
mod tests {
    use super::super::Tomcat;
    use super::*;

    #[test]
    fn an_instance_is_a_unit_with_directories() {
        let mut recorder = Recorder::<Tomcat>::on("debian 13");
        recorder.call("instance", json!({"name": "shop"})).unwrap();
        let actions = recorder.actions();
        let unit = actions.last().unwrap();
        assert_eq!(unit.subject, "tomcat10-shop");
        let text = unit.arguments["content"].as_str().unwrap();
        assert!(text.contains("\nEnvironment=CATALINA_BASE=/var/lib/tomcat10-shop\n"), "{text}");
        assert!(text.contains("\nUser=tomcat\n"), "{text}");
        assert!(recorder.call("instance", json!({"name": "a b"})).is_err());
    }
}
