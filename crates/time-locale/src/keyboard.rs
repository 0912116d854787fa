//! The keyboard of the console and of X.

use pallet_core::prelude::*;

use super::system::{Keyboard, system};

/// Makes a keymap of what the file says, as console-setup does.
pub(crate) const CHECK: &str = "sh -c '. \"$1\" && \
     ckbcomp -model \"$XKBMODEL\" -layout \"$XKBLAYOUT\" \
     -variant \"$XKBVARIANT\" -option \"$XKBOPTIONS\" >/dev/null' check";

/// The flag that is set when the keyboard changed.
const CHANGED: &str = "time-locale-keyboard";

parameters! {
    /// Sets the layout of the keyboard, which the console has after the next boot.
    ///
    /// Example: `time_locale.keyboard(request, "de", variant = "nodeadkeys")`
    pub(crate) struct KeyboardArguments {
        /// The layout: `de`, or several with commas: `us,ru`.
        layout: String,
        /// The variant of the layout, such as `nodeadkeys`.
        #[serde(default)]
        variant: String,
        /// The model.
        #[serde(default = "pc105")]
        model: String,
        /// Options, such as `ctrl:nocaps`.
        #[serde(default)]
        options: Vec<String>,
        /// The keymap of the console, where systemd sets it. Default: the layout.
        #[serde(default)]
        keymap: Option<String>,
    }
}

fn pc105() -> String {
    "pc105".to_owned()
}

pub(crate) fn keyboard(request: &mut Request, keyboard: KeyboardArguments) -> Result<()> {
    let system = system(request)?;
    let KeyboardArguments { layout, variant, model, options, keymap } = keyboard;
    let options = options.join(",");
    let keymap = keymap.unwrap_or_else(|| layout.clone());
    for (what, word) in [
        ("layout", &layout),
        ("variant", &variant),
        ("model", &model),
        ("options", &options),
        ("keymap", &keymap),
    ] {
        let good = |c: char| c.is_ascii_alphanumeric() || "-_,:()+.".contains(c);
        let empty = word.is_empty() && ["variant", "options"].contains(&what);
        ensure!(
            empty || (!word.is_empty() && word.chars().all(good)),
            "the {what} {word:?} of the keyboard is none"
        );
    }
    let changed = || Options::new().flag_on_change(CHANGED);
    let file = |path: &str, content: String| {
        RemoteFile::content(path, content).owner("root").group("root").mode(0o644)
    };
    let variables = format!(
        "XKBMODEL=\"{model}\"\nXKBLAYOUT=\"{layout}\"\nXKBVARIANT=\"{variant}\"\n\
         XKBOPTIONS=\"{options}\"\n"
    );
    match system.keyboard {
        Keyboard::ConsoleSetup => {
            let content = format!("# written by pallet\n{variables}BACKSPACE=\"guess\"\n");
            request.add(Package::install("keyboard-configuration"))?;
            request.add(Package::install("console-setup"))?;
            request.add_with(file("/etc/default/keyboard", content).verify(CHECK), changed())?;
            let save = ExecCheckedScript::new(
                "save the keymap for the next boot",
                "setupcon --save-only --keyboard-only",
            );
            request.add_with(save, Options::new().if_flag(CHANGED))
        }
        Keyboard::Vconsole => {
            for line in std::iter::once(format!("KEYMAP={keymap}"))
                .chain(variables.lines().map(str::to_owned))
            {
                let name = line.split('=').next().unwrap_or_default();
                let matching = format!("^{name}=");
                let line = LineInFile::new("/etc/vconsole.conf", &line).matching(matching).create();
                request.add_with(line, changed())?;
            }
            request.add_with(
                Service::restart("systemd-vconsole-setup"),
                Options::new().if_flag(CHANGED),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::TimeLocale;
    use super::*;

    #[test]
    fn each_system_has_its_own_file() {
        let arguments = json!({"layout": "de", "variant": "nodeadkeys", "options": ["a:b"]});
        let mut recorder = Recorder::<TimeLocale>::on("debian 12");
        recorder.call("keyboard", &arguments).unwrap();
        assert_eq!(
            recorder.actions()[2].arguments["content"],
            "# written by pallet\nXKBMODEL=\"pc105\"\nXKBLAYOUT=\"de\"\n\
             XKBVARIANT=\"nodeadkeys\"\nXKBOPTIONS=\"a:b\"\nBACKSPACE=\"guess\"\n"
        );
        let mut recorder = Recorder::<TimeLocale>::on("rocky 9");
        recorder.call("keyboard", &arguments).unwrap();
        assert_eq!(recorder.declared()[0], "line_in_file /etc/vconsole.conf: KEYMAP=de");
        for (layout, variant) in [("", ""), ("a b", ""), ("de", "\"; id")] {
            let wrong = json!({"layout": layout, "variant": variant});
            assert!(recorder.call("keyboard", wrong).is_err(), "{layout} {variant}");
        }
    }
}
