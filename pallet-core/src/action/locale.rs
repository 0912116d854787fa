//! Ensures that locales are generated, and which ones are the default. No-op: `locale -a` lists
//! them, and the files say so.

mod files;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::files::{defaulted, listed};
use super::change::joined;
use super::edit::{Edit, Missing};
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{Capabilities, Known, OsFamily};
use crate::observe::{Attributes, FileState, NodeState, Observation, Reading};
use crate::script::locales::{DEBIAN_DEFAULTS, DEFAULTS, defaults, generation};
use crate::script::{Script, quote};

/// Ensures that locales are generated, and which ones programs use by default. Does nothing if
/// `locale -a` lists them and the files say so.
///
/// On Debian-family systems and Arch Linux, the locales stand in `/etc/locale.gen`, and
/// `locale-gen` generates them: on Debian it comes with `package("locales")`. On Red Hat and SUSE
/// systems, `localedef` generates them from the package glibc-locale-source or glibc-i18ndata,
/// unless a package such as glibc-langpack-de brings them. Alpine Linux has none to generate.
///
/// The defaults stand in `/etc/default/locale` on Debian before 13 and on Ubuntu, otherwise in
/// `/etc/locale.conf`. Other settings of the file are kept. They are for new sessions and for
/// services that start later.
///
/// Example: `locale(request, names = ["en_US.UTF-8"], lang = "de_DE.UTF-8", categories = {"LC_MESSAGES": "C.UTF-8"})`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Locale {
    /// Locales to generate, with their character sets: `de_DE.UTF-8`. Those of `lang` and
    /// `categories` are generated too.
    #[serde(default)]
    pub names: Vec<String>,
    /// Default locale: `LANG`.
    #[serde(default)]
    pub lang: Option<String>,
    /// Default locales of categories, such as `LC_TIME`, where they differ from `lang`.
    #[serde(default)]
    pub categories: BTreeMap<String, String>,
}

const GEN: &str = "/etc/locale.gen";
/// Where generated locales are.
const GENERATED: &str = "/usr/lib/locale";

const CATEGORIES: [&str; 12] = [
    "LC_ADDRESS",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_IDENTIFICATION",
    "LC_MEASUREMENT",
    "LC_MESSAGES",
    "LC_MONETARY",
    "LC_NAME",
    "LC_NUMERIC",
    "LC_PAPER",
    "LC_TELEPHONE",
    "LC_TIME",
];

/// Locales that every system has.
const BUILT_IN: [&str; 3] = ["C", "POSIX", "C.UTF-8"];

impl Locale {
    /// These locales are generated.
    pub fn generated<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Locale { names: names.into_iter().map(Into::into).collect(), ..Locale::default() }
    }

    /// This is the default locale.
    pub fn lang(mut self, name: impl Into<String>) -> Self {
        self.lang = Some(name.into());
        self
    }

    /// This is the default locale of a category, such as `LC_TIME`.
    pub fn category(mut self, category: impl Into<String>, name: impl Into<String>) -> Self {
        self.categories.insert(category.into(), name.into());
        self
    }

    /// The locales that must be generated.
    fn all(&self) -> Vec<&str> {
        let all: BTreeSet<&str> = self
            .names
            .iter()
            .chain(&self.lang)
            .chain(self.categories.values())
            .map(String::as_str)
            .collect();
        all.into_iter().filter(|name| !BUILT_IN.contains(name)).collect()
    }

    /// The settings of the file with the defaults.
    fn settings(&self) -> Vec<(&str, &str)> {
        let lang = self.lang.iter().map(|lang| ("LANG", lang.as_str()));
        let others = self.categories.iter().map(|(key, name)| (key.as_str(), name.as_str()));
        lang.chain(others).collect()
    }

    /// Prints the locales that the node lacks. The library's `missing_locales` looks in the same
    /// way: `locale -a` writes de_DE.UTF-8 as de_DE.utf8.
    fn reading(&self) -> String {
        let names: String = self.all().iter().map(|name| format!(" {}", quote(name))).collect();
        format!(
            "there=$(locale -a 2>/dev/null | tr A-Z a-z | tr -d -)\n\
             for name in{names}; do\n\
             is=$(printf %s \"$name\" | tr A-Z a-z | tr -d -)\n\
             printf '%s\\n' \"$there\" | grep -qxF \"$is\" || printf '%s\\n' \"$name\"\n\
             done"
        )
    }

    fn plan_generated(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let names = self.all();
        if names.is_empty() {
            return Ok(None);
        }
        let reading = self.reading();
        let lacks = match node.reading(&reading) {
            Known::Known(reading) => Some(reading.output.clone()),
            Known::Unknown => None,
        };
        let there = lacks.as_deref() == Some("");
        let generation = generation(&node.os);
        let generation = match generation {
            // whatever brought them
            Err(_) if there => return Ok(None),
            generation => generation.map_err(|error| ActionError::node(error.to_string()))?,
        };
        let mut listed = None;
        if generation.tool == "locale-gen" {
            listed = self.plan_listed(node, &names, there)?;
        }
        if there {
            return Ok(listed);
        }
        let words = ["generate_locales", generation.tool, generation.package];
        let script = Script::new().call(words.into_iter().chain(names));
        let generated = match lacks {
            Some(lacks) => {
                let diff: String = lacks.lines().map(|name| format!("+ locale {name}\n")).collect();
                Change::will("generate", script).with_diff(diff)
            }
            None => Change::may("ensure they are generated", script),
        };
        let of = Some(format!("{GENERATED}/"));
        node.set_reading(&reading, Reading { exit: 0, output: String::new(), of });
        Ok(joined([listed, Some(generated)]))
    }

    /// Plans the lines of /etc/locale.gen, which is not made where nothing needs it.
    fn plan_listed(
        &self,
        node: &mut NodeState,
        names: &[&str],
        there: bool,
    ) -> Result<Option<Change>, ActionError> {
        match node.file(GEN) {
            // all that there are
            Known::Known(FileState::Link { target }) if target.ends_with("/SUPPORTED") => {
                return Ok(None);
            }
            _ => {}
        }
        let missing = if there { Missing::Leave } else { Missing::Create };
        let edit = Edit::of(GEN, missing, Attributes::default());
        edit.plan(node, edit.call("ensure_listed_locales", names), |text| listed(text, names))
    }

    fn plan_defaults(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let settings = self.settings();
        if settings.is_empty() {
            return Ok(None);
        }
        let words: Vec<String> = settings.iter().map(|(key, is)| format!("{key}={is}")).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let is_link = |target: &str| ["../locale.conf", DEFAULTS].contains(&target);
        let path = match node.file(DEBIAN_DEFAULTS) {
            _ if node.os.family != OsFamily::Debian => Some(DEFAULTS),
            Known::Known(FileState::Absent) => Some(defaults(&node.os)),
            Known::Known(FileState::Link { target }) if is_link(target) => Some(DEFAULTS),
            Known::Known(_) => Some(DEBIAN_DEFAULTS),
            Known::Unknown => None,
        };
        if let Some(path) = path {
            let edit = Edit::of(path, Missing::Create, Attributes::default());
            let script = edit.call("ensure_default_locales", &words);
            return edit.plan(node, script, |text| defaulted(text, &settings));
        }
        // the node finds out which of the files it is
        let edit = Edit::of("$file", Missing::Create, Attributes::default());
        let script = edit.call("ensure_default_locales", &words);
        let mut unknown = NodeState::new(node.os.clone());
        let change = edit.plan(&mut unknown, script, |text| defaulted(text, &settings))?;
        let file = Script::new().call(["locale_file", defaults(&node.os)]);
        [DEBIAN_DEFAULTS, DEFAULTS].into_iter().for_each(|path| node.forget_files_below(path));
        Ok(change.map(|change| Change {
            script: file.raw(&change.script.as_str().replacen("'$file'", "\"$file\"", 1)),
            ..change
        }))
    }
}

impl Action for Locale {
    const NAME: &'static str = "locale";

    fn subject(&self) -> String {
        let settings = self.settings().into_iter().map(|(key, is)| format!("{key}={is}"));
        self.names.iter().cloned().chain(settings).collect::<Vec<_>>().join(" ")
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        let wrong = |message: String| Err(ActionError::arguments(Self::NAME, message));
        let mut all = self.names.iter().chain(&self.lang).chain(self.categories.values());
        if let Some(name) = all.find(|name| !is_locale(name)) {
            return wrong(format!(
                "{name:?} is not a locale with its character set, such as de_DE.UTF-8"
            ));
        }
        if let Some(key) = self.categories.keys().find(|key| !CATEGORIES.contains(&key.as_str())) {
            return wrong(format!("{key:?} is none of the categories {}", CATEGORIES.join(", ")));
        }
        if self.names.is_empty() && self.settings().is_empty() {
            return wrong("there is no locale; give names, lang or categories".to_owned());
        }
        Ok(())
    }

    fn claims(&self, claims: &mut Claims) {
        for (key, is) in self.settings() {
            claims.value(format!("the default {key}"), "", is);
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        if !self.all().is_empty() {
            needed.path(GEN);
            needed.below(GENERATED);
        }
        if !self.settings().is_empty() {
            [DEBIAN_DEFAULTS, DEFAULTS].into_iter().for_each(|path| needed.path(path));
        }
    }

    fn observe(&self, wanted: &mut Observation) {
        // which of the files it will be depends on the system
        if !self.all().is_empty() {
            wanted.reading_of(&format!("{GENERATED}/"), &self.reading());
            wanted.text(GEN);
        }
        if !self.settings().is_empty() {
            wanted.text(DEBIAN_DEFAULTS);
            wanted.text(DEFAULTS);
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let generated = self.plan_generated(node)?;
        Ok(joined([generated, self.plan_defaults(node)?]))
    }
}

/// Whether this is the name of a locale: a language, a territory, a character set, a modifier.
fn is_locale(name: &str) -> bool {
    if BUILT_IN.contains(&name) {
        return true;
    }
    let (name, modifier) = name.split_once('@').unwrap_or((name, "x"));
    let Some((language, charset)) = name.split_once('.') else { return false };
    let (language, territory) = language.split_once('_').unwrap_or((language, "XX"));
    let all = |text: &str, plain: fn(&u8) -> bool| {
        !text.is_empty() && text.bytes().all(|byte| plain(&byte))
    };
    all(language, u8::is_ascii_lowercase)
        && all(territory, u8::is_ascii_uppercase)
        && all(charset, |byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        && all(modifier, u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests;
