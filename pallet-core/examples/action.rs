//! An action of the program's own, beside Pallet's: the state that it observes on a node, and the
//! change that it plans. On a sandbox node, as root.
#![allow(clippy::print_stdout, reason = "a program of its own")]

use pallet_core::engine::{Engine, GroupSpec, LiftOptions, ServerSpec};
use pallet_core::prelude::*;
use pallet_core::script::{Script, quote};

mod lab;

/// A line of text that says what a machine is used for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Purpose {
    /// The text, in a few words.
    text: String,
}

const FILE: &str = "/etc/purpose";

impl Purpose {
    /// A read-only command.
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
        // the script checks the state itself, since it may be unknown, and sets `change` if it
        // changes anything
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
        // the state after the change
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
