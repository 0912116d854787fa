//! The table of all kinds of things that can be observed, and what is made of it: what is asked of
//! a node, and what is known of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ObserveError;
use super::answer::Answer;
use super::kind::{Kind, KindDescription};
use super::kinds::{
    command, file, group, package, package_changes, package_lists, reading, records, service, user,
};
use crate::model::Os;
use crate::script::Script;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kinds:ident: $kind:ty,)*) => {
        /// Everything that a phase's actions ask of one node, each thing once. It is asked in one
        /// script, in one round trip.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct Observation {
            $($(#[doc = $doc])+ pub $kinds: <$kind as Kind>::Questions,)*
        }

        impl Observation {
            /// Asks for all that `other` asks for as well.
            pub fn extend(&mut self, other: Observation) {
                $(<$kind>::ask(&mut self.$kinds, other.$kinds);)*
            }

            /// Adds what answers all questions to the observing script.
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

        /// What is known of one node. A thing that is not in it is unknown.
        ///
        /// Planning folds over the actions in order: each reads this state, says what to change,
        /// and brings the state to what will then be true.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub struct NodeState {
            /// The operating system.
            pub os: Os,
            /// Who scripts run as: new files are this user's.
            pub user: String,
            /// What was changed by hand is overwritten.
            #[serde(default)]
            pub overwrite_changes: bool,
            $(#[serde(default)] pub(crate) $kinds: $kind,)*
        }

        impl NodeState {
            /// A node of which nothing is known but its system.
            pub fn new(os: Os) -> Self {
                NodeState {
                    os,
                    user: "root".to_owned(),
                    overwrite_changes: false,
                    $($kinds: Default::default(),)*
                }
            }

            /// Takes in the answers to all questions.
            pub(super) fn read(
                &mut self,
                wanted: &Observation,
                answers: &[Answer<'_>],
            ) -> Result<(), ObserveError> {
                $(self.$kinds.read(&wanted.$kinds, answers, &self.os)?;)*
                Ok(())
            }

            /// Keeps only what `other` knows just the same: after a change that may or may not be
            /// made.
            pub fn keep_what_agrees(&mut self, other: &NodeState) {
                $(self.$kinds.keep_what_agrees(&other.$kinds);)*
            }

            /// Adds what `newer` knows, which replaces what was known before.
            pub fn learn(&mut self, newer: NodeState) {
                self.os = newer.os;
                self.user = newer.user;
                $(self.$kinds.learn(newer.$kinds);)*
            }

            /// Where `observed` is not what this state predicted, one line each. What this state
            /// does not know it does not predict.
            pub fn contradictions(&self, observed: &NodeState) -> Vec<String> {
                let mut found = Vec::new();
                $(found.extend(self.$kinds.contradictions(&observed.$kinds));)*
                found
            }

            /// What is asked and what is known of it, in words. `outputs`: also digests of contents
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
    /// Paths, links not followed.
    files: file::Files,
    /// Packages, as the node's package manager names them.
    packages: package::Packages,
    /// Packages to be installed or removed: which others come or go along is wanted.
    package_changes: package_changes::PackageChanges,
    /// Whether the age of the package manager's lists is wanted.
    package_lists: package_lists::PackageLists,
    /// Services, and for each the command line that tells its process where no service manager
    /// knows it (empty: none).
    services: service::Services,
    /// Login names.
    users: user::Users,
    /// Group names.
    groups: group::Groups,
    /// Shell commands that only look: their exit codes are wanted.
    commands: command::Commands,
    /// Shell commands that only look: their output is wanted.
    readings: reading::Readings,
    /// Whether all that Pallet recorded on the node is wanted: what it wrote, and which actions it
    /// applied.
    records: records::Records,
}
