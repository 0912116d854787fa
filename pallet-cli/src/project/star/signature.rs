//! The parameters of Pallet's functions. Calls are matched against them twice: by the static check,
//! and at run time.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use starlark::typing::{ParamIsRequired, ParamSpec, Ty};

use super::function_error::FunctionError;
use super::types::Kind;
use crate::diagnostic::{did_you_mean, did_you_mean_or_list};

/// The parameters of a function.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    /// The function's name as users write it: `nginx.site`.
    pub(crate) function: String,
    /// The documentation.
    pub(crate) doc: String,
    /// Its parameters, in order.
    pub(crate) parameters: Vec<Parameter>,
    /// The JSON schema that contains the schemas of the parameters.
    pub(crate) root: Json,
    /// Whether any other keyword is a phase.
    pub(crate) phases: bool,
    /// The result type.
    pub(crate) returns: Ty,
}

/// One parameter.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    /// Whether it may be positional; other parameters are keyword-only.
    pub(crate) positional: bool,
}

/// An argument of a call: its index among the positional or the named ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Argument {
    Positional(usize),
    Named(usize),
    /// The call as a whole.
    Call,
}

/// The result of matching arguments to parameters.
#[derive(Debug, Default)]
pub(crate) struct Matched {
    /// The arguments with the indices of their parameters.
    pub(crate) arguments: Vec<(Argument, usize)>,
    /// The keywords that are phases.
    pub(crate) phases: Vec<usize>,
    /// Superfluous arguments and missing parameters.
    pub(crate) problems: Vec<(Argument, FunctionError)>,
}

impl Signature {
    /// Matches a call with this number of positional arguments and these keywords. `open`: there
    /// may be more, from `*args` or `**kwargs`.
    pub(crate) fn matched(&self, positional: usize, named: &[&str], open: bool) -> Matched {
        let mut matched = Matched::default();
        let mut taken = BTreeSet::new();
        let mut places =
            self.parameters.iter().enumerate().filter(|(_, parameter)| parameter.positional);
        for index in 0..positional {
            match places.next() {
                Some((parameter, _)) => {
                    taken.insert(parameter);
                    matched.arguments.push((Argument::Positional(index), parameter));
                }
                None => {
                    matched.problems.push((Argument::Positional(index), self.too_many(positional)));
                    break;
                }
            }
        }
        for (index, name) in named.iter().enumerate() {
            match self.parameters.iter().position(|parameter| parameter.name == *name) {
                Some(parameter) if !taken.insert(parameter) => {
                    let complaint =
                        FunctionError::new(format!("{}: `{name}` is given twice", self.function));
                    matched.problems.push((Argument::Named(index), complaint));
                }
                Some(parameter) => matched.arguments.push((Argument::Named(index), parameter)),
                None if self.phases => matched.phases.push(index),
                None => matched.problems.push((Argument::Named(index), self.unknown(name))),
            }
        }
        if !open {
            let missing = self
                .parameters
                .iter()
                .enumerate()
                .filter(|(index, parameter)| parameter.required && !taken.contains(index));
            for (_, parameter) in missing {
                let complaint = FunctionError::new(format!(
                    "{}: `{}` is missing",
                    self.function, parameter.name
                ));
                let help = match parameter.kind {
                    Kind::Request => {
                        Some("the first argument is the request of the phase function".to_owned())
                    }
                    _ => None,
                };
                matched.problems.push((Argument::Call, complaint.help(help)));
            }
        }
        matched
    }

    /// The error about an unknown keyword.
    pub(crate) fn unknown(&self, name: &str) -> FunctionError {
        let known: Vec<&str> = self
            .parameters
            .iter()
            .map(|parameter| parameter.name.as_str())
            .filter(|name| *name != "request")
            .collect();
        FunctionError::new(format!("{} has no parameter `{name}`", self.function))
            .help(did_you_mean_or_list(name, &known, "it takes"))
    }

    /// The error about a phase that is not a function.
    pub(crate) fn no_phase(&self, name: &str, what: &str) -> FunctionError {
        let known = self.parameters.iter().map(|parameter| parameter.name.as_str());
        let help = did_you_mean(name, known).filter(|_| self.phases);
        let help = help.or_else(|| {
            self.phases.then(|| {
                "any other keyword is a phase, whose value must be a function of the request"
                    .to_owned()
            })
        });
        FunctionError::new(format!(
            "{}: the phase `{name}` must be a function, not {what}",
            self.function
        ))
        .help(help)
    }

    /// The error about a first argument that is not a request.
    pub(crate) fn no_request(&self, what: &str) -> FunctionError {
        FunctionError::new(format!(
            "{}: the first argument must be the request, not {what}",
            self.function
        ))
        .help("call it in a phase function and pass that function's first parameter".to_owned())
    }

    fn too_many(&self, given: usize) -> FunctionError {
        let takes: Vec<&str> = self
            .parameters
            .iter()
            .filter(|parameter| parameter.positional)
            .map(|parameter| parameter.name.as_str())
            .collect();
        let noun = if takes.len() == 1 { "argument" } else { "arguments" };
        let message = format!(
            "{} takes {} {noun} by position ({}), not {given}",
            self.function,
            takes.len(),
            takes.join(", ")
        );
        let keywords: Vec<&str> = self
            .parameters
            .iter()
            .filter(|parameter| !parameter.positional)
            .map(|parameter| parameter.name.as_str())
            .collect();
        FunctionError::new(message).help(
            (!keywords.is_empty()).then(|| format!("by keyword it takes {}", keywords.join(", "))),
        )
    }

    /// The type for Starlark's type check.
    pub(crate) fn ty(&self) -> Ty {
        let required = |parameter: &Parameter| {
            if parameter.required { ParamIsRequired::Yes } else { ParamIsRequired::No }
        };
        let one = |parameter: &Parameter| {
            let ty = parameter.kind.ty(&self.root);
            let ty = if parameter.required { ty } else { Ty::union2(ty, Ty::none()) };
            (parameter.name.as_str().into(), required(parameter), ty)
        };
        let (positional, named): (Vec<_>, Vec<_>) =
            self.parameters.iter().partition(|parameter| parameter.positional);
        let others = self.phases.then(Ty::any);
        match ParamSpec::new_parts(
            [],
            positional.into_iter().map(one),
            None,
            named.into_iter().map(one),
            others,
        ) {
            Ok(parameters) => Ty::function(parameters, self.returns.clone()),
            // only a schema with a duplicate parameter gets here; calls are then checked only at
            // run time
            Err(_) => Ty::any(),
        }
    }
}
