//! All verbs.

use super::verb::Verb;
use super::{converge, explain, facts, lift, nodes, offers, project, run, services};

/// All verbs, in the order of help.
pub(crate) const ALL: &[&Verb] = &[
    &nodes::NODES,
    &nodes::GROUPS,
    &facts::FACTS,
    &converge::CONVERGE,
    &lift::LIFT,
    &converge::DOWN,
    &explain::EXPLAIN,
    &explain::EXPLAIN_PLAN,
    &explain::EXPLAIN_SESSION,
    &run::RUN,
    &run::RUN_SCRIPT,
    &lift::DRIFT,
    &nodes::SHOW_NODES,
    &nodes::SHOW_GROUP,
    &offers::IMAGES,
    &offers::HARDWARE,
    &offers::LOCATIONS,
    &services::PROVIDERS,
    &services::SERVICES,
    &services::COMPUTE_SERVICE,
    &services::USE_SERVICE,
    &project::WITH_ADMIN_USER,
    &project::CHECK,
    &project::RELOAD,
    &project::HELP,
];

#[cfg(test)]
mod tests {
    use super::ALL;
    use crate::verbs::selection::NARROWING;
    use crate::verbs::verb::{Text, command};
    use crate::verbs::{Converge, Lift};

    #[test]
    fn what_was_asked_can_be_asked_again() {
        fn again<A: clap::Args + serde::Serialize + serde::de::DeserializeOwned>(words: &[&str]) {
            let matches = command::<A>("x").try_get_matches_from(words).unwrap();
            let asked = serde_json::to_value(A::from_arg_matches(&matches).unwrap()).unwrap();
            let read: A = serde_json::from_value(asked.clone()).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), asked);
        }
        let options = ["--phase", "p", "-e", "f()", "--parallel", "3", "--timeout", "60"];
        again::<Lift>(&[&["lift", "web", "--overwrite-changes"], &options[..]].concat());
        again::<Converge>(&[&["converge", "web=3", "db", "--yes"], &options[..]].concat());
    }

    #[test]
    fn documents_every_function() {
        for verb in ALL {
            let command = verb.command();
            let doc = verb.doc(command.as_ref());
            assert!(doc.contains(". ") || doc.contains(".\n"), "{}: {doc}", verb.name);
            assert!(
                doc.contains(&format!("Example: `{}(", verb.name))
                    || doc.contains(&format!("{}(", verb.name)),
                "{}: {doc}",
                verb.name
            );
            for parameter in verb.parameters {
                let doc = verb.parameter_doc(command.as_ref(), parameter);
                assert!(doc.len() > 5, "{}: {}", verb.name, parameter.name);
            }
        }
    }

    #[test]
    fn command_and_function_have_the_same_parameters() {
        for verb in ALL {
            let Some(command) = verb.command() else { continue };
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                let shared = verb.parameters.iter().any(|parameter| {
                    matches!(parameter.doc, Text::Argument(known) if known == id)
                        || parameter.name == id
                });
                let summary = matches!(verb.summary, Text::Argument(known) if known == id);
                let marked = verb.command_only.contains(&id) || NARROWING.contains(&id);
                assert!(
                    shared != marked || (summary && marked),
                    "{}: {id} is either a parameter or marked as the command's",
                    verb.name
                );
            }
            for id in verb.command_only {
                let known = command.get_arguments().any(|argument| argument.get_id() == *id);
                assert!(known, "{}: there is no argument {id}", verb.name);
            }
        }
    }
}
