//! The system's locale, which many images lack: generates it, and makes it the default for
//! sessions.

use pallet_core::prelude::*;
use pallet_core::script::quote;

/// Makes the environment's `locale` the system's locale: `de_DE.UTF-8`. Does nothing if it is not
/// set.
pub(crate) fn locale(request: &mut Request) -> Result<()> {
    let environment = request.environment()?;
    let Some(locale) = environment.get("locale") else { return Ok(()) };
    let locale =
        String::deserialize(locale).context("the environment's `locale` must be a text")?;
    let plain = |character: char| character.is_ascii_alphanumeric() || "_.@-".contains(character);
    ensure!(
        !locale.is_empty() && locale.chars().all(plain),
        "the environment's `locale` {locale:?} is none: write it as de_DE.UTF-8"
    );
    let os = request.target()?.os;
    if !is_built_in(&locale) {
        generate(request, &os, &locale)?;
    }
    let file =
        if os.family == OsFamily::Debian { "/etc/default/locale" } else { "/etc/locale.conf" };
    request.add(
        RemoteFile::content(file, format!("LANG={locale}\n"))
            .owner("root")
            .group("root")
            .mode(0o644),
    )
}

fn generate(request: &mut Request, os: &Os, locale: &str) -> Result<()> {
    let language = locale.split(['_', '.', '@']).next().unwrap_or_default();
    match os.family {
        OsFamily::Debian => request.add(Package::install("locales"))?,
        OsFamily::RedHat => {
            return request.add(Package::install(format!("glibc-langpack-{language}")));
        }
        OsFamily::Suse => return request.add(Package::install("glibc-locale")),
        OsFamily::Arch => {}
        OsFamily::Alpine | OsFamily::Unknown => {
            bail!(
                "how {os} gets the locale {locale} is not known; leave the environment's \
                `locale` away"
            )
        }
    }
    // `locale -a` writes de_DE.UTF-8 as de_DE.utf8
    let told = locale.to_ascii_lowercase().replace('-', "");
    let line = quote(&format!("{locale} {}", charset(locale)));
    let script = format!(
        "grep -qxF {line} /etc/locale.gen 2>/dev/null || echo {line} >> /etc/locale.gen; locale-gen"
    );
    let there = format!("locale -a | tr A-Z a-z | tr -d - | grep -qxF {}", quote(&told));
    request.add(ExecCheckedScript::new("generate the locale", script).unless(there))
}

/// The character set, as an entry in locale.gen needs it.
fn charset(locale: &str) -> &str {
    let named =
        locale.split_once('.').map(|(_, charset)| charset.split('@').next().unwrap_or_default());
    named.unwrap_or("ISO-8859-1")
}

/// Whether the C library supports it without any files.
fn is_built_in(locale: &str) -> bool {
    ["C", "POSIX", "C.UTF-8"].contains(&locale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_character_set_is_part_of_the_name() {
        assert_eq!(charset("de_DE.UTF-8"), "UTF-8");
        assert_eq!(charset("de_DE.ISO-8859-15@euro"), "ISO-8859-15");
        assert_eq!(charset("de_DE"), "ISO-8859-1");
        assert!(is_built_in("C.UTF-8") && !is_built_in("de_DE.UTF-8"));
    }
}
