//! The locale: the language and the customs of programs.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

parameters! {
    /// Makes a locale the system's, and generates it, for new sessions and for services that start
    /// later.
    ///
    /// Example: `time_locale.locale(request, "de_DE.UTF-8", categories = {"LC_MESSAGES": "C.UTF-8"}, also = ["fr_FR.UTF-8"])`
    pub(crate) struct LocaleArguments {
        /// The locale, with its character set: `de_DE.UTF-8`.
        locale: String,
        /// Other locales for categories such as `LC_TIME`.
        #[serde(default)]
        categories: BTreeMap<String, String>,
        /// More locales to generate, which users can choose.
        #[serde(default)]
        also: Vec<String>,
    }
}

/// What brings the sources of locales, or each language.
enum Source {
    Package(&'static str),
    /// A package for each language: what stands before its name.
    Language(&'static str),
    Nothing,
}

const SOURCES: SystemTable<Source> = SystemTable(&[
    ("debian", Source::Package("locales")),
    ("red_hat", Source::Language("glibc-langpack-")),
    ("suse", Source::Package("glibc-i18ndata")),
    ("arch", Source::Nothing),
]);

pub(crate) fn locale(request: &mut Request, arguments: LocaleArguments) -> Result<()> {
    let LocaleArguments { locale, categories, also } = arguments;
    let all: Vec<&String> = [&locale].into_iter().chain(categories.values()).chain(&also).collect();
    for name in &all {
        let good = |c: char| c.is_ascii_alphanumeric() || "_.@-".contains(c);
        ensure!(
            name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(good),
            "{name:?} is no locale: write it as de_DE.UTF-8"
        );
    }
    match SOURCES.row(&request.target()?.os)? {
        Source::Package(package) => request.add(Package::install(*package))?,
        Source::Language(prefix) => {
            let language = |name: &str| name.split(['_', '.', '@']).next().map(str::to_owned);
            let mut languages: Vec<_> = all.iter().filter_map(|name| language(name)).collect();
            languages.retain(|language| !["C", "POSIX"].contains(&language.as_str()));
            languages.sort();
            languages.dedup();
            for language in languages {
                request.add(Package::install(format!("{prefix}{language}")))?;
            }
        }
        Source::Nothing => {}
    }
    let mut wanted = Locale::generated(also).lang(locale);
    for (category, name) in categories {
        wanted = wanted.category(category, name);
    }
    request.add(wanted)
}

#[cfg(test)]
mod tests {
    use super::super::TimeLocale;
    use super::*;

    #[test]
    fn the_sources_are_installed_first() {
        let arguments = json!({"locale": "de_DE.UTF-8", "categories": {"LC_TIME": "C.UTF-8"},
            "also": ["fr_FR.UTF-8", "de_AT.UTF-8"]});
        for (system, packages) in [
            ("debian 12", vec!["package locales"]),
            ("rocky 9", vec!["package glibc-langpack-de", "package glibc-langpack-fr"]),
            ("arch", vec![]),
        ] {
            let mut recorder = Recorder::<TimeLocale>::on(system);
            recorder.call("locale", &arguments).unwrap();
            let declared = recorder.declared();
            assert_eq!(declared[..declared.len() - 1], packages, "{system}");
            let action = recorder.actions().pop().unwrap();
            assert_eq!(action.arguments["lang"], "de_DE.UTF-8");
            assert_eq!(action.arguments["categories"], json!({"LC_TIME": "C.UTF-8"}));
        }
        for locale in ["", "de DE", "de\nLANG=x"] {
            let mut recorder = Recorder::<TimeLocale>::on("debian 12");
            assert!(recorder.call("locale", json!({"locale": locale})).is_err(), "{locale:?}");
        }
    }
}
