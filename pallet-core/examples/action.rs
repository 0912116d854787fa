//! An action of the program's own, beside those of Pallet: what it must know of a node, and the
//! change that it makes of that. On a sandbox node, as root.
#![allow(clippy::print_stdout, reason = "a program of its own")]

use pallet_core::engine::{Engine, GroupSpec, LiftOptions, ServerSpec};
use pallet_core::prelude::*;
use pallet_core::script::{Script, quote};

mod lab;

/// The name that a machine says it is used for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Purpose {
    /// What it is used for, in a few words.
    text: String,
}

const FILE: &str = "/etc/purpose";

impl Purpose {
    /// Only looks.
    fn reading() -> String {
        format!("cat {FILE} 2>/dev/null")
    }
}

impl Action for Purpose {
    const NAME: &'static str = "purpose";

    fn subject(&self) -> String {
        self.text.clone()
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.path(FILE);
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.reading_of(FILE, &Self::reading());
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        // it is right for a node of which nothing is known, too, and says `changed` where it
        // changes something
        let text = quote(&self.text);
        let script = Script::new().raw(&format!(
            "if [ \"$({})\" != {text} ]; then\n\
                printf '%s\\n' {text} >{FILE}\nchanged\nfi",
            Self::reading()
        ));
        let change = match node.reading(&Self::reading()) {
            Known::Known(reading) if reading.output == self.text => return Ok(None),
            Known::Known(reading) => Change::will("set", script)
                .with_diff(format!("- {}\n+ {}\n", reading.output, self.text)),
            Known::Unknown => Change::may("set", script),
        };
        // what will then be true
        node.set_reading(
            &Self::reading(),
            Reading { exit: 0, output: self.text.clone(), of: Some(FILE.to_owned()) },
        );
        Ok(Some(change))
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let config = lab::config("action-example")?.with_action::<Purpose>();
    let engine = Engine::new(config).on_event(|event| println!("{event}"));
    let purpose = |request: &mut Request| request.add(Purpose { text: "to try things".into() });
    let groups = [GroupSpec::new("web", Some(1), ServerSpec::new().phase("configure", purpose))?];
    println!(
        "first: {}",
        engine
            .converge(&groups, &LiftOptions::default(), |_| Ok(true))
            .await?
            .context("nobody agreed")?
    );
    println!("again: {}", engine.lift(&groups, &LiftOptions::default()).await?);
    engine.down(&groups, &LiftOptions::default(), |_| Ok(true)).await?;
    Ok(())
}
