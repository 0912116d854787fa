//! Ensures that a module of the kernel is loaded, now and at boot, or that it is not. No-op: it is,
//! and the files that are read at boot say so.

mod parameters;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::parameters::{ParameterValue, check_parameters, options, texts};
use super::change::joined;
use super::edit::{Edit, Missing};
use super::file_support::plan_delete;
use super::{Action, ActionError, Certainty, Change, Claims, Workspace};
use crate::model::{Capabilities, Known};
use crate::observe::{Attributes, NodeState, Observation, Reading};
use crate::script::{MODULES, Script};

/// Ensures that a module of the kernel is loaded now and at boot, that it is not, or that nothing
/// loads it by itself. Does nothing if that is so. A module that is built into the kernel counts as
/// loaded.
///
/// At boot, the node reads `/etc/modules-load.d/<name>.conf`, which Pallet writes. Parameters and
/// the blacklist are in `/etc/modprobe.d/pallet-<name>.conf`. In all of them, `-` in the name is
/// written `_`.
///
/// A node that may not load modules, such as a container, can only have what its kernel already
/// has: everything else is an error.
///
/// Example: `kernel_module(request, "br_netfilter")`
///
/// Example: `kernel_module(request, "zram", parameters = {"num_devices": 2}, reload = True)`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KernelModule {
    /// Name of the module, not an alias. `-` and `_` are the same.
    pub name: String,
    /// Parameters, for `loaded`. They take effect when the module is loaded next: see `reload`. A
    /// module that is built into the kernel takes none.
    #[serde(default, deserialize_with = "texts")]
    #[schemars(with = "BTreeMap<String, ParameterValue>")]
    pub parameters: BTreeMap<String, String>,
    /// If the parameters change, unload the module and load it again. That fails if the module is
    /// in use.
    #[serde(default)]
    pub reload: bool,
    /// Also load it at boot. `False` leaves `/etc/modules-load.d` as it is. Default: true.
    #[serde(default = "yes")]
    pub persist: bool,
    /// What to do.
    #[serde(default)]
    pub action: KernelModuleAction,
}

/// What to do with a module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KernelModuleAction {
    /// It is loaded, now and at boot.
    #[default]
    Loaded,
    /// It is not loaded, and not at boot. The kernel may still load it when something needs it.
    Absent,
    /// It is not loaded, and the kernel does not load it when a device appears. A command can still
    /// load it by its name.
    Blacklisted,
}

fn yes() -> bool {
    true
}

impl KernelModule {
    /// The module is loaded, now and at boot.
    pub fn new(name: impl Into<String>) -> Self {
        KernelModule {
            name: name.into(),
            parameters: BTreeMap::new(),
            reload: false,
            persist: true,
            action: KernelModuleAction::Loaded,
        }
    }

    /// With a parameter.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.insert(name.into(), value.into());
        self
    }

    /// Unload it and load it again if its parameters change.
    pub fn reload(mut self) -> Self {
        self.reload = true;
        self
    }

    /// Only until the next reboot.
    pub fn not_persistent(mut self) -> Self {
        self.persist = false;
        self
    }

    /// The module must not be loaded.
    pub fn absent(mut self) -> Self {
        self.action = KernelModuleAction::Absent;
        self
    }

    /// The module must not be loaded, and not load by itself.
    pub fn blacklisted(mut self) -> Self {
        self.action = KernelModuleAction::Blacklisted;
        self
    }

    /// The name as the kernel writes it.
    fn module(&self) -> String {
        self.name.replace('-', "_")
    }

    fn boot_file(&self) -> String {
        format!("/etc/modules-load.d/{}.conf", self.module())
    }

    fn options_file(&self) -> String {
        format!("/etc/modprobe.d/pallet-{}.conf", self.module())
    }

    fn is_wanted(&self) -> bool {
        self.action == KernelModuleAction::Loaded
    }

    /// The content of the file for modprobe; empty: there is none.
    fn options(&self) -> String {
        match self.action {
            KernelModuleAction::Loaded => options(&self.module(), &self.parameters),
            KernelModuleAction::Absent => String::new(),
            KernelModuleAction::Blacklisted => format!("blacklist {}\n", self.module()),
        }
    }

    /// Prints whether it is loaded.
    fn state(&self) -> String {
        format!("{MODULES}module_state {}\nprintf %s \"$state\"", self.module())
    }

    /// Prints why it cannot be loaded or unloaded.
    fn obstacle(&self) -> String {
        match self.action {
            KernelModuleAction::Loaded => format!("{MODULES}module_lacks {}", self.module()),
            _ => format!("{MODULES}may_not_change_modules"),
        }
    }

    /// The words of the library's functions that look for other files about the module, if any can
    /// be in the way.
    fn others(&self) -> Option<[String; 3]> {
        let words = |how: &str, ours| Some([how.to_owned(), self.module(), ours]);
        match self.action {
            KernelModuleAction::Loaded if self.persist => words("blacklist", self.options_file()),
            KernelModuleAction::Absent => words("boot", self.boot_file()),
            _ => None,
        }
    }

    /// Prints the other files about the module, and what directory they are in.
    fn told(words: &[String; 3]) -> (&'static str, String) {
        let call = Script::new()
            .call(std::iter::once("told_of_module").chain(words.iter().map(String::as_str)));
        let directory =
            if words[0] == "boot" { "/etc/modules-load.d/" } else { "/etc/modprobe.d/" };
        (directory, format!("{MODULES}{}", call.as_str()))
    }

    /// Refuses what another file undoes at boot; if that is unknown, returns the check for the
    /// node.
    fn plan_others(&self, node: &NodeState) -> Result<Option<Script>, ActionError> {
        let Some(words) = self.others() else { return Ok(None) };
        match node.reading(&Self::told(&words).1) {
            Known::Known(Reading { output, .. }) => {
                let Some(file) = output.lines().next() else { return Ok(None) };
                let module = &words[1];
                Err(ActionError::node(if self.is_wanted() {
                    format!(
                        "{file} blacklists the kernel module {module}, so it would not be loaded \
                         when the node starts; remove it there before"
                    )
                } else {
                    format!(
                        "{file} loads the kernel module {module} when the node starts; remove it \
                         there before"
                    )
                }))
            }
            Known::Unknown => Ok(Some(Script::new().call(
                std::iter::once("require_module_files").chain(words.iter().map(String::as_str)),
            ))),
        }
    }

    /// Refuses a module that is built in where that cannot be; if it is unknown, returns the check
    /// for the node.
    fn plan_built_in(&self, node: &NodeState) -> Result<Option<Script>, ActionError> {
        if self.is_wanted() && self.parameters.is_empty() {
            return Ok(None);
        }
        match node.reading(&self.state()) {
            Known::Known(Reading { output, .. }) if output == "built-in" => {
                Err(ActionError::node(format!(
                    "{} is built into the kernel of this node: it cannot be unloaded, and takes \
                     its parameters from the kernel's command line alone",
                    self.module()
                )))
            }
            Known::Known(_) => Ok(None),
            Known::Unknown => Ok(Some(Script::new().call(["require_no_builtin", &self.module()]))),
        }
    }

    /// Plans to load or unload it. `again`: it is unloaded before.
    fn plan_state(&self, node: &mut NodeState, again: bool) -> Result<Option<Change>, ActionError> {
        let (module, reading) = (self.module(), self.state());
        let (function, after, summary) = match self.is_wanted() {
            true => ("ensure_module", "loaded", "load"),
            false => ("ensure_no_module", "missing", "unload"),
        };
        let script = Script::new().call([function, &module]);
        let change = match node.reading(&reading) {
            Known::Known(Reading { output, .. }) if again && output == "loaded" => {
                Change::will("load again", script)
            }
            Known::Known(Reading { output, .. })
                if output == after || self.is_wanted() && output == "built-in" =>
            {
                return Ok(None);
            }
            Known::Known(_) => Change::will(summary, script),
            Known::Unknown => Change::may(summary, script),
        };
        if let Known::Known(Reading { output, .. }) = node.reading(&self.obstacle())
            && !output.is_empty()
            && change.certainty == Certainty::Will
        {
            return Err(ActionError::node(format!(
                "this node cannot {} the kernel module {module}: {output}",
                if self.is_wanted() { "load" } else { "unload" }
            )));
        }
        if self.is_wanted() && change.certainty == Certainty::May {
            // it may be built in
            node.forget_reading(&reading);
        } else {
            let output = after.to_owned();
            node.set_reading(&reading, Reading { exit: 0, output, of: None });
        }
        // devices and settings come and go with it
        ["/dev", "/sys"].iter().for_each(|path| node.forget_files_below(path));
        if self.is_wanted() {
            node.forget_missing_settings();
        } else {
            node.forget_files_below("/proc/sys");
        }
        Ok(Some(change))
    }

    /// Plans that a file has this content, or does not exist if that is empty.
    fn plan_file(
        node: &mut NodeState,
        path: &str,
        content: &str,
    ) -> Result<Option<Change>, ActionError> {
        if content.is_empty() {
            return Ok(plan_delete(node, path));
        }
        let root = || Some("root".to_owned());
        let attributes = Attributes { owner: root(), group: root(), mode: Some(0o644) };
        Edit::of(path, Missing::Create, attributes).plan_whole(node, content)
    }

    fn observe_file(wanted: &mut Observation, path: &str, content: &str) {
        if content.is_empty() {
            wanted.text(path);
        } else {
            Edit::of(path, Missing::Create, Attributes::default()).observe_whole(wanted, content);
        }
    }

    fn boot_content(&self) -> String {
        if self.is_wanted() { format!("{}\n", self.module()) } else { String::new() }
    }
}

impl Action for KernelModule {
    const NAME: &'static str = "kernel_module";

    fn subject(&self) -> String {
        self.name.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let wrong = |message: String| Err(ActionError::arguments(Self::NAME, message));
        if self.name.is_empty() || !self.name.bytes().all(plain) || self.name.starts_with('-') {
            return wrong(format!(
                "{:?} is not the name of a module: letters, digits, - and _",
                self.name
            ));
        }
        if !self.is_wanted() && (!self.parameters.is_empty() || self.reload) {
            return wrong(format!("{} has parameters only when it is loaded", self.name));
        }
        check_parameters(&self.parameters).or_else(wrong)
    }

    fn claims(&self, claims: &mut Claims) {
        let (module, options) = (self.module(), self.options());
        claims.value(format!("whether {module} is loaded"), "", self.is_wanted().to_string());
        let files = [
            (self.options_file(), options, true),
            (self.boot_file(), self.boot_content(), self.persist || !self.is_wanted()),
        ];
        for (path, content, _) in files.into_iter().filter(|(.., claimed)| *claimed) {
            if content.is_empty() {
                claims.path(&path, "nothing");
            } else {
                claims.value(format!("the content of {path}"), "", &content);
                claims.path(&path, "a file");
                claims.part(&path, move |text| text == content);
            }
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.path(&format!("/sys/module/{}", self.module()));
        needed.path(&self.options_file());
        if self.persist || !self.is_wanted() {
            needed.path(&self.boot_file());
        }
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.reading(&self.state());
        wanted.reading(&self.obstacle());
        if let Some(words) = self.others() {
            let (directory, told) = Self::told(&words);
            wanted.reading_of(directory, &told);
        }
        Self::observe_file(wanted, &self.options_file(), &self.options());
        if self.persist || !self.is_wanted() {
            Self::observe_file(wanted, &self.boot_file(), &self.boot_content());
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let checks = [self.plan_built_in(node)?, self.plan_others(node)?];
        let (path, text) = (self.options_file(), self.options());
        let others = self.others().map(|words| Self::told(&words));
        let known = others.and_then(|(_, told)| match node.reading(&told).cloned() {
            Known::Known(reading) => Some((told, reading)),
            Known::Unknown => None,
        });
        let options = Self::plan_file(node, &path, &text)?;
        let mut before = Script::new();
        let missing = |reading: &&Reading| reading.output == "missing";
        let again = self.reload
            && self.is_wanted()
            && options.is_some()
            && !node.reading(&self.state()).known().is_some_and(missing);
        if again {
            before = before.call(["unload_for_options", &self.module(), &path, &text]);
        }
        let boot = |node: &mut NodeState| match self.persist || !self.is_wanted() {
            true => Self::plan_file(node, &self.boot_file(), &self.boot_content()),
            false => Ok(None),
        };
        // a module that cannot be loaded gets no file for boot, and one that is unloaded must not
        // come back at once
        let changes = if self.is_wanted() {
            let state = self.plan_state(node, again)?;
            [options, state, boot(node)?]
        } else {
            let boot = boot(node)?;
            [options, boot, self.plan_state(node, false)?]
        };
        // the files that were written are not those of others
        if let Some((told, reading)) = known {
            node.set_reading(&told, reading);
        }
        let Some(change) = joined(changes) else { return Ok(None) };
        let checks = checks.into_iter().flatten().fold(Script::new(), Script::and);
        let script = checks.and(before).and(change.script.clone());
        Ok(Some(Change { script, ..change }))
    }
}

#[cfg(test)]
mod tests;
