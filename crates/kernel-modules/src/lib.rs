//! Modules of the kernel: those that are loaded, with their parameters, and those that are not.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use pallet_core::prelude::*;

struct KernelModules;

impl ConfigCrate for KernelModules {
    const NAME: &'static str = "kernel-modules";
    const ABOUT: &'static str = "Modules of the kernel: loaded, with parameters, or blacklisted";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &["/sys/module/*", "/etc/modules-load.d/*.conf", "/etc/modprobe.d/pallet-*.conf"],
        packages: &["kmod"],
        commands: &["update-initramfs -u", "dracut -f", "mkinitcpio -P"],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] =
        &["debian", "ubuntu", "rocky", "opensuse-leap", "arch", "alpine"];

    fn functions() -> Vec<Function> {
        functions![loaded, unloaded, blacklisted]
    }
}

pallet_core::export_crate!(KernelModules);

/// The command that makes the first file system of the boot again, with the files of modprobe.
const INITRAMFS: SystemTable<Option<&str>> = SystemTable(&[
    ("debian", Some("update-initramfs -u")),
    ("red_hat", Some("dracut -f")),
    ("suse", Some("dracut -f")),
    ("arch", Some("mkinitcpio -P")),
    ("alpine", None),
]);

parameters! {
    /// Loads a module, now and at boot. A module that is built into the kernel counts as loaded.
    ///
    /// Example: `kernel_modules.loaded(request, "br_netfilter")`
    ///
    /// Example: `kernel_modules.loaded(request, "zram", parameters = {"num_devices": 2}, reload = True)`
    struct Load {
        /// The name of the module.
        name: String,
        /// Its parameters: texts, numbers, true or false.
        #[serde(default)]
        parameters: BTreeMap<String, Value>,
        /// If the parameters change, unload the module and load it again. That fails if it is in
        /// use.
        #[serde(default)]
        reload: bool,
        /// Also load it at boot.
        #[serde(default = "yes")]
        persist: bool,
    }

    /// Unloads a module, and does not load it at boot. The kernel may still load it when something
    /// needs it.
    ///
    /// Example: `kernel_modules.unloaded(request, "pcspkr")`
    struct Unload {
        /// The name of the module.
        name: String,
    }

    /// Unloads a module, and keeps the kernel from loading it when a device appears.
    ///
    /// Example: `kernel_modules.blacklisted(request, "nouveau", never = True, initramfs = True)`
    struct Blacklist {
        /// The name of the module.
        name: String,
        /// Refuse to load it by its name too, and for other modules.
        #[serde(default)]
        never: bool,
        /// Also for the first file system of the boot, which is made again if that changed.
        #[serde(default)]
        initramfs: bool,
    }
}

fn yes() -> bool {
    true
}

fn loaded(request: &mut Request, load: Load) -> Result<()> {
    check(&load.name)?;
    install(request)?;
    let mut module = KernelModule::new(&load.name);
    for (name, value) in &load.parameters {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Bool(on) => if *on { "1" } else { "0" }.to_owned(),
            Value::Number(number) => number.to_string(),
            other => bail!("the parameter {name} of {} cannot be {other}", load.name),
        };
        module = module.parameter(name, value);
    }
    if load.reload {
        module = module.reload();
    }
    if !load.persist {
        module = module.not_persistent();
    }
    request.add(module)
}

fn unloaded(request: &mut Request, unload: Unload) -> Result<()> {
    check(&unload.name)?;
    install(request)?;
    request.add(KernelModule::new(&unload.name).absent())
}

fn blacklisted(request: &mut Request, blacklist: Blacklist) -> Result<()> {
    let Blacklist { name, never, initramfs } = blacklist;
    check(&name)?;
    install(request)?;
    let flag = format!("kernel-modules-{name}");
    let changed = || Options::new().flag_on_change(flag.clone());
    request.add_with(KernelModule::new(&name).blacklisted(), changed())?;
    let path = format!("/etc/modprobe.d/pallet-{name}-never.conf");
    if never {
        let content = format!("# written by pallet\ninstall {name} /bin/false\n");
        let file = RemoteFile::content(path, content).owner("root").group("root").mode(0o644);
        request.add_with(file, changed())?;
    } else {
        request.add_with(File::at(path).absent(), changed())?;
    }
    if initramfs {
        let os = request.target()?.os;
        let command = INITRAMFS.row(&os)?.with_context(|| {
            format!("how {os} makes its initramfs is not known; omit `initramfs`")
        })?;
        let make = ExecCheckedScript::new("make the initramfs again", command);
        request.add_with(make, Options::new().if_flag(flag))?;
    }
    Ok(())
}

/// Small images have no modprobe.
fn install(request: &mut Request) -> Result<()> {
    request.add(Package::install("kmod"))
}

fn check(name: &str) -> Result<()> {
    check_file_name("a module", name)?;
    ensure!(!name.contains('.'), "{name:?} cannot name a module: leave .ko out");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_has_parameters_of_any_kind() {
        let mut recorder = Recorder::<KernelModules>::on("debian 12");
        let parameters = json!({"a": 2, "b": true, "c": "d"});
        recorder.call("loaded", json!({"name": "zram", "parameters": parameters})).unwrap();
        let action = recorder.actions().remove(1);
        assert_eq!(action.arguments["parameters"], json!({"a": "2", "b": "1", "c": "d"}));
        assert_eq!(action.arguments["action"], "loaded");
    }

    #[test]
    fn a_blacklisted_module_can_be_refused_altogether() {
        let mut recorder = Recorder::<KernelModules>::on("rocky 9");
        let arguments = json!({"name": "nouveau", "never": true, "initramfs": true});
        recorder.call("blacklisted", arguments).unwrap();
        let actions = recorder.actions();
        assert_eq!(actions[1].arguments["action"], "blacklisted");
        assert_eq!(
            actions[2].arguments["content"],
            "# written by pallet\ninstall nouveau /bin/false\n"
        );
        assert_eq!(actions[3].arguments["script"], "dracut -f");
    }

    #[test]
    fn what_is_no_module_is_refused() {
        for (function, arguments) in [
            ("loaded", json!({"name": "../a"})),
            ("loaded", json!({"name": "a.ko"})),
            ("loaded", json!({"name": "a", "parameters": {"b": [1]}})),
            ("unloaded", json!({"name": "a b"})),
        ] {
            let mut recorder = Recorder::<KernelModules>::on("debian 12");
            assert!(recorder.call(function, &arguments).is_err(), "{arguments}");
        }
        let mut recorder = Recorder::<KernelModules>::on("alpine 3.20");
        let error = recorder.call("blacklisted", json!({"name": "a", "initramfs": true}));
        assert!(error.unwrap_err().to_string().contains("omit `initramfs`"));
    }
}
