//! Options of the Java machine that runs Tomcat.

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::system::Place;

parameters! {
    /// Sets the options of the Java machine that runs Tomcat, in `/etc/default`.
    ///
    /// Call `tomcat.service` last, which restarts Tomcat if they changed.
    ///
    /// Example: `tomcat.jvm(request, "-Xmx1g -XX:+ExitOnOutOfMemoryError")`
    pub(crate) struct Jvm {
        /// Options, all of them but `-Djava.awt.headless=true`.
        options: String,
        /// `JAVA_HOME`, such as `java.home(request, version = 21)` returns it. Default: Debian's
        /// The Java that runs Tomcat.
        #[serde(default)]
        home: Option<String>,
        /// Instance. Default: that of the package.
        #[serde(default)]
        instance: Option<String>,
    }
}

pub(crate) fn jvm(request: &mut Request, jvm: Jvm) -> Result<()> {
    let place = Place::of(request, jvm.instance.as_deref())?;
    for text in [Some(&jvm.options), jvm.home.as_ref()].into_iter().flatten() {
        ensure!(!text.contains(char::is_control), "the options {text:?} must be one line");
    }
    let file = format!("/etc/default/{}", place.name);
    let options = format!("-Djava.awt.headless=true {}", jvm.options.trim());
    let line = LineInFile::new(&file, format!("JAVA_OPTS={}", quote(&options)));
    request.add_with(line.matching("^JAVA_OPTS=").create().mode(0o644), place.changed())?;
    let line = match &jvm.home {
        Some(home) => {
            ensure!(home.starts_with('/'), "the home {home:?} must be an absolute path");
            let line = LineInFile::new(&file, format!("JAVA_HOME={}", quote(home)));
            line.matching("^JAVA_HOME=").create().mode(0o644)
        }
        None => LineInFile::none_matching(&file, "^JAVA_HOME="),
    };
    request.add_with(line, place.changed())
}

#[cfg(test)]
mod tests {
    use super::super::Tomcat;
    use super::*;

    #[test]
    fn options_are_one_word_of_the_shell() {
        let mut recorder = Recorder::<Tomcat>::on("debian 12");
        let arguments = json!({"options": "-Xmx1g $(reboot)", "home": "/opt/jdk"});
        recorder.call("jvm", arguments).unwrap();
        let actions = recorder.actions();
        let line = "JAVA_OPTS='-Djava.awt.headless=true -Xmx1g $(reboot)'";
        assert_eq!(actions[0].arguments["line"], line);
        assert_eq!(actions[1].arguments["line"], "JAVA_HOME=/opt/jdk");
        let bad = json!({"options": "a\nb"});
        assert!(recorder.call("jvm", bad).is_err());
    }
}
