//! The time zone.

use pallet_core::prelude::*;

parameters! {
    /// Sets the time zone. Programs that run keep the old one until they are restarted.
    ///
    /// Example: `time_locale.timezone(request, "Europe/Berlin")`
    pub(crate) struct TimezoneArguments {
        /// The name of the zone: `Europe/Berlin`, `UTC`.
        name: String,
    }
}

/// Packages with the zones.
const PACKAGES: SystemTable<&str> = SystemTable(&[
    ("debian", "tzdata"),
    ("red_hat", "tzdata"),
    ("suse", "timezone"),
    ("arch", "tzdata"),
    ("alpine", "tzdata"),
]);

pub(crate) fn timezone(request: &mut Request, timezone: TimezoneArguments) -> Result<()> {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_+/".contains(c);
    let name = timezone.name;
    ensure!(
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(good),
        "{name:?} is no time zone: write it as Europe/Berlin"
    );
    request.add(Package::install(*PACKAGES.row(&request.target()?.os)?))?;
    request.add(Timezone::new(name))
}

#[cfg(test)]
mod tests {
    use super::super::TimeLocale;
    use super::*;

    #[test]
    fn the_zones_are_installed_first() {
        let mut recorder = Recorder::<TimeLocale>::on("debian 12");
        recorder.call("timezone", json!({"name": "Europe/Berlin"})).unwrap();
        assert_eq!(recorder.declared(), ["package tzdata", "timezone Europe/Berlin"]);
        for name in ["", "../etc/shadow", "Europe Berlin"] {
            assert!(recorder.call("timezone", json!({"name": name})).is_err(), "{name}");
        }
    }
}
