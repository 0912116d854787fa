//! The table of all kinds of things that can be observed, and the two types built from it: the
//! questions to a node, and its known state.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ObserveError;
use super::answer::Answer;
use super::kind::{Kind, KindDescription};
use super::kinds::{
    command, file, group, package, package_changes, package_lists, reading, records, service, user,
};
use crate::model::{Details, Os};
use crate::script::Script;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kinds:ident: $kind:ty,)*) => {
        /// All questions that a phase's actions ask of one node, without duplicates. They are asked
        /// in one script, in one round trip.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct Observation {
            $($(#[doc = $doc])+ pub $kinds: <$kind as Kind>::Questions,)*
        }

        impl Observation {
            /// Adds the questions of `other`.
            pub fn extend(&mut self, other: Observation) {
                $(<$kind>::ask(&mut self.$kinds, other.$kinds);)*
            }

            /// Adds the commands that answer all questions to the observing script.
            pub(super) fn script(&self, mut script: Script) -> Script {
                let mut known = BTreeSet::new();
                $(
                    for function in <$kind>::functions(&self.$kinds) {
                        if known.insert(function) {
                            script = script.raw(function);
                        }
                    }
                    script = <$kind>::script(&self.$kinds, script);
                )*
                script
            }
        }

        /// The known state of one node. Anything not in it is unknown.
        ///
        /// Planning folds over the actions in order: each reads this state, returns its change, and
        /// updates the state to what it will be after the change.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub struct NodeState {
            /// The operating system.
            pub os: Os,
            /// The user that scripts run as, and that owns new files.
            pub user: String,
            /// Overwrite changes made by hand.
            #[serde(default)]
            pub overwrite_changes: bool,
            $(#[serde(default)] pub(crate) $kinds: $kind,)*
        }

        impl NodeState {
            /// A node of which only the system is known.
            pub fn new(os: Os) -> Self {
                NodeState {
                    os,
                    user: "root".to_owned(),
                    overwrite_changes: false,
                    $($kinds: Default::default(),)*
                }
            }

            /// Reads the answers to all questions.
            pub(super) fn read(
                &mut self,
                wanted: &Observation,
                answers: &[Answer<'_>],
            ) -> Result<(), ObserveError> {
                $(self.$kinds.read(&wanted.$kinds, answers, &self.os)?;)*
                Ok(())
            }

            /// Keeps only what is the same in `other`: used after a change that may or may not be
            /// made.
            pub fn keep_what_agrees(&mut self, other: &NodeState) {
                $(self.$kinds.keep_what_agrees(&other.$kinds);)*
            }

            /// Adds the state in `newer`, which overrides older state.
            pub fn learn(&mut self, newer: NodeState) {
                self.os = newer.os;
                self.user = newer.user;
                $(self.$kinds.learn(newer.$kinds);)*
            }

            /// Where `observed` differs from this predicted state, one line each. Unknown state
            /// predicts nothing.
            pub fn contradictions(&self, observed: &NodeState) -> Vec<String> {
                let mut found = Vec::new();
                $(found.extend(self.$kinds.contradictions(&observed.$kinds));)*
                found
            }

            /// Describes the questions and their answers in words. `outputs`: also include digests
            /// and the output of commands, which may reveal a secret.
            pub fn describe(&self, wanted: &Observation, outputs: bool) -> Vec<KindDescription> {
                let mut found = Vec::new();
                $(found.extend(self.$kinds.describe(&wanted.$kinds, outputs));)*
                found
            }
        }
    };
}

kinds! {
    /// Paths; links are not followed.
    files: file::Files,
    /// Packages, as the node's package manager names them.
    packages: package::Packages,
    /// Packages to install or remove: which others change along with them.
    package_changes: package_changes::PackageChanges,
    /// Whether to ask for the age of the package lists.
    package_lists: package_lists::PackageLists,
    /// Services, each with the command line of its plain process, in case no service manager knows
    /// it; empty: none.
    services: service::Services,
    /// Login names.
    users: user::Users,
    /// Group names.
    groups: group::Groups,
    /// Read-only shell commands, for their exit codes.
    commands: command::Commands,
    /// Read-only shell commands, for their output.
    readings: reading::Readings,
    /// Whether to ask for all of Pallet's records on the node: what it wrote, and which actions it
    /// applied.
    records: records::Records,
    /// Facts that are only read if a function wants to know them.
    details: Details,
}
