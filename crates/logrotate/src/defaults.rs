//! The defaults of all rules: `/etc/logrotate.conf`.

use std::fmt::Write;

use pallet_core::prelude::*;

use super::system::SYSTEMS;
use super::text::Frequency;

parameters! {
    /// Writes `/etc/logrotate.conf`: the defaults of all rules, which it includes from
    /// `/etc/logrotate.d`. `logrotate -d` checks all of it before it takes its place.
    ///
    /// Example: `logrotate.defaults(request, frequency = "daily", rotate = 14, compress = True)`
    pub(crate) struct Defaults {
        /// How often.
        #[serde(default = "weekly")]
        frequency: Frequency,
        /// The number of old files to keep.
        #[serde(default = "four")]
        rotate: u32,
        /// Compress old files.
        #[serde(default)]
        compress: bool,
        /// Name old files by their date.
        #[serde(default)]
        date_ext: bool,
    }
}

fn weekly() -> Frequency {
    Frequency::Weekly
}

fn four() -> u32 {
    4
}

pub(crate) fn defaults(request: &mut Request, defaults: Defaults) -> Result<()> {
    let system = SYSTEMS.row(&request.target()?.os)?;
    let mut out = "# written by pallet\n".to_owned();
    writeln!(out, "{}\nrotate {}", defaults.frequency.as_str(), defaults.rotate)?;
    if let Some(su) = system.su {
        writeln!(out, "su {su}")?;
    }
    out.push_str("create\n");
    for (name, on) in [("compress", defaults.compress), ("dateext", defaults.date_ext)] {
        if on {
            writeln!(out, "{name}")?;
        }
    }
    if let Some(taboo) = system.taboo {
        writeln!(out, "tabooext + {taboo}")?;
    }
    out.push_str("include /etc/logrotate.d\n");
    request.add(
        RemoteFile::content("/etc/logrotate.conf", out)
            .owner("root")
            .group("root")
            .mode(0o644)
            .verify("logrotate -d"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Logrotate;
    use super::*;

    #[test]
    fn each_system_has_its_own_defaults() {
        for (system, su, taboo) in [
            ("debian 12", "", ""),
            ("ubuntu 24.04", "su root adm\n", ""),
            ("arch", "", "tabooext + .pacorig .pacnew .pacsave\n"),
            ("alpine 3.20", "", "tabooext + .apk-new\n"),
        ] {
            let mut recorder = Recorder::<Logrotate>::on(system);
            recorder.call("defaults", json!({"compress": true})).unwrap();
            assert_eq!(
                recorder.actions()[0].arguments["content"],
                format!(
                    "# written by pallet\nweekly\nrotate 4\n{su}create\ncompress\n\
                     {taboo}include /etc/logrotate.d\n"
                )
            );
        }
    }
}
