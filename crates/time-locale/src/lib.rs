//! Time zone, clock, locale and keyboard of a node.
#![forbid(unsafe_code)]

mod arguments;
mod chrony;
mod directives;
mod keyboard;
mod locale;
mod sources;
mod system;
mod timezone;

use chrony::chrony;
use keyboard::keyboard;
use locale::locale;
use pallet_core::prelude::*;
use timezone::timezone;

struct TimeLocale;

impl ConfigCrate for TimeLocale {
    const NAME: &'static str = "time-locale";
    const ABOUT: &'static str = "Time zone, clock, locale and keyboard";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/etc/chrony/chrony.conf",
            "/etc/chrony.conf",
            "/etc/default/chrony",
            "/etc/sysconfig",
            "/etc/sysconfig/chronyd",
            "/etc/systemd/system/chrony.service.d",
            "/etc/systemd/system/chrony.service.d/pallet.conf",
            "/etc/systemd/system/chronyd.service.d",
            "/etc/systemd/system/chronyd.service.d/pallet.conf",
            "/etc/default/keyboard",
            "/etc/vconsole.conf",
            "/etc/localtime",
            "/etc/timezone",
            "/etc/locale.gen",
            "/etc/default/locale",
            "/etc/locale.conf",
            "/usr/lib/locale",
            "/usr/lib/locale/**",
        ],
        packages: &[
            "chrony",
            "tzdata",
            "timezone",
            "locales",
            "glibc-langpack-*",
            "glibc-i18ndata",
            "keyboard-configuration",
            "console-setup",
        ],
        services: &["chrony", "chronyd", "systemd-timesyncd", "systemd-vconsole-setup"],
        commands: &[
            "chronyd -p -f",
            "systemctl daemon-reload",
            keyboard::CHECK,
            "setupcon --save-only --keyboard-only",
        ],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] =
        &["debian", "ubuntu", "rocky", "opensuse-leap", "arch"];

    fn functions() -> Vec<Function> {
        functions![timezone, locale, chrony, keyboard]
    }
}

pallet_core::export_crate!(TimeLocale);
