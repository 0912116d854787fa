//! systemd itself: that it runs on the node, and reading its files again.

use pallet_core::prelude::*;

/// Refuses a node whose services are not run by systemd.
pub(crate) fn require(request: &Request) -> Result<()> {
    let target = request.target()?;
    ensure!(
        target.os.service_manager == ServiceManager::Systemd,
        "{} is not run by systemd, but by {}; declare its services without this crate",
        target.name,
        target.os.service_manager.as_str()
    );
    Ok(())
}

/// Reads the files of all units again, if the flag is set.
pub(crate) fn reload(request: &mut Request, flag: &str) -> Result<()> {
    // what Pallet knows of services does not change by that
    let reload = ExecCheckedScript::new("read the units again", "systemctl daemon-reload");
    request.add_with(reload.only_looks(), Options::new().if_flag(flag))
}

/// The full name of a unit: `web.service` for `web`.
pub(crate) fn unit_name(name: &str) -> Result<String> {
    const KINDS: [&str; 9] =
        ["service", "socket", "timer", "path", "mount", "automount", "swap", "target", "slice"];
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@:\\".contains(&byte);
    ensure!(
        !name.is_empty()
            && name.len() <= 200
            && name.bytes().all(good)
            && !name.starts_with(['-', '.', '@']),
        "{name:?} cannot name a unit: use at most 200 letters, digits, -, _, ., : and @, and begin \
         with a letter or a digit"
    );
    let kind = name.rsplit_once('.').map_or("", |(_, kind)| kind);
    Ok(if KINDS.contains(&kind) { name.to_owned() } else { format!("{name}.service") })
}

/// Whether it is a template, of which only instances run: `app@.service`.
pub(crate) fn is_template(unit: &str) -> bool {
    unit.contains("@.")
}

/// The file of a unit.
pub(crate) fn unit_path(unit: &str) -> String {
    format!("/etc/systemd/system/{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_a_service_unless_its_name_says_otherwise() {
        for (name, unit) in [
            ("web", "web.service"),
            ("php8.2-fpm", "php8.2-fpm.service"),
            ("app@", "app@.service"),
            ("a.timer", "a.timer"),
        ] {
            assert_eq!(unit_name(name).unwrap(), unit);
        }
        for bad in ["", "../a", "a b", "-a", "a/b.service", "a\n", "ä", "@a"] {
            assert!(unit_name(bad).is_err(), "{bad:?}");
        }
    }
}
