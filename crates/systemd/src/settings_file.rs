//! The settings of a part of systemd, such as journald: one file, and a restart if it changed.

use pallet_core::prelude::*;

use super::text;

/// Writes `/etc/systemd/NAME.conf.d/pallet.conf`, and restarts the service if it changed. systemd
/// has no checker for these files; it ignores what it does not know, so `settings` are checked
/// before.
pub(crate) fn put(
    request: &mut Request,
    name: &str,
    section: &str,
    settings: Value,
    service: &str,
) -> Result<()> {
    let what = format!("{name}.conf");
    let mut sections = json!({});
    sections[section] = settings;
    let text = text::of(&what, None, Some(&sections))?;
    let directory = format!("/etc/systemd/{what}.d");
    let flag = format!("systemd {what}");
    let file = RemoteFile::content(format!("{directory}/pallet.conf"), text);
    request.add(Directory::at(&directory))?;
    request.add_with(
        file.owner("root").group("root").mode(0o644),
        Options::new().flag_on_change(&flag),
    )?;
    request.add_with(Service::restart(service), Options::new().if_flag(&flag))
}

/// Refuses what is no size: `500M`.
pub(crate) fn size(what: &str, value: &str) -> Result<()> {
    let number = value.trim_end_matches(['K', 'M', 'G', 'T']);
    ensure!(
        value.len() - number.len() <= 1
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit()),
        "{what} {value:?} is not a size: write a number of bytes, or with K, M, G or T: 500M"
    );
    Ok(())
}

/// Refuses what is no time span: `1h 30min`.
pub(crate) fn time_span(what: &str, value: &str) -> Result<()> {
    const UNITS: [&str; 28] = [
        "us", "usec", "ms", "msec", "s", "sec", "second", "seconds", "m", "min", "minute",
        "minutes", "h", "hr", "hour", "hours", "d", "day", "days", "w", "week", "weeks", "month",
        "months", "M", "y", "year", "years",
    ];
    let is_part = |part: &str| {
        let unit = part.trim_start_matches(|digit: char| digit.is_ascii_digit());
        unit.len() < part.len() && (unit.is_empty() || UNITS.contains(&unit))
    };
    ensure!(
        !value.trim().is_empty() && value.split_whitespace().all(is_part),
        "{what} {value:?} is not a time span: write 30s, 2h, 7days, 1month"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_time_spans() {
        for good in ["0", "500M", "2G", "4096"] {
            assert!(size("size", good).is_ok(), "{good}");
        }
        for bad in ["", "M", "5MM", "5 M", "5m", "-1", "1.5G"] {
            assert!(size("size", bad).is_err(), "{bad}");
        }
        for good in ["30s", "1h 30min", "7days", "1month", "0", "90"] {
            assert!(time_span("retention", good).is_ok(), "{good}");
        }
        for bad in ["", "s", "7 d x", "week", "5parsecs", "1h\nStorage=none"] {
            assert!(time_span("retention", bad).is_err(), "{bad}");
        }
    }
}
