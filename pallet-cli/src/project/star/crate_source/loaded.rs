//! A crate in Starlark that was loaded: calls of its functions.

use std::collections::BTreeMap;
use std::sync::Arc;

use pallet_core::model::{Manifest, did_you_mean};
use pallet_core::plugin::{ErrorKind, PluginError, Request, RequestHost};
use pallet_core::plugins::source::{Description, SourceCrate};
use serde_json::Value as Json;
use starlark::environment::FrozenModule;
use starlark::values::OwnedFrozenValue;

use super::functions::CrateFunction;
use crate::diagnostic::{Diagnostic, did_you_mean_or_list};
use crate::project::schema::Schema;
use crate::project::star::call::{Argument, Call};
use crate::project::star::error::diagnose;
use crate::project::star::eval_context::EvalContext;
use crate::project::star::function_error::FunctionError;
use crate::project::star::guard::with_room;
use crate::project::star::phase::PhasePrint;
use crate::project::star::plain_data::to_json;
use crate::project::star::slot::RunSettings;

/// A crate that was loaded.
pub(super) struct LoadedSource {
    manifest: Manifest,
    functions: BTreeMap<String, Function>,
    run: RunSettings,
}

struct Function {
    value: OwnedFrozenValue,
    parameters: Json,
    floats: Vec<String>,
}

impl LoadedSource {
    /// Takes the functions of an evaluated main module.
    pub(super) fn new(
        description: &Description,
        functions: Vec<CrateFunction>,
        main: &FrozenModule,
        run: RunSettings,
    ) -> Result<Self, Diagnostic> {
        let summary = description.summary();
        let mut manifest = Manifest {
            name: summary.name,
            version: summary.version.to_string(),
            about: description.about.clone(),
            functions: Vec::new(),
            options: Json::Null,
            capabilities: summary.capabilities,
            systems: summary.systems,
        };
        let mut callable = BTreeMap::new();
        for CrateFunction { manifest: function, floats } in functions {
            let value = main.get(&function.name).map_err(|error| {
                Diagnostic::error(format!("`{}` cannot be used: {error}", function.name))
            })?;
            let parameters = function.parameters.clone();
            callable.insert(function.name.clone(), Function { value, parameters, floats });
            manifest.functions.push(function);
        }
        Ok(LoadedSource { manifest, functions: callable, run })
    }

    fn function(&self, name: &str) -> Result<&Function, PluginError> {
        self.functions.get(name).ok_or_else(|| {
            let message = format!("crate {} has no function `{name}`", self.manifest.name);
            let names: Vec<&str> = self.functions.keys().map(String::as_str).collect();
            let help = did_you_mean(name, names.iter().copied())
                .unwrap_or_else(|| format!("it has {}", names.join(", ")));
            PluginError::new(ErrorKind::NotFound, message).with_help(help)
        })
    }
}

impl Function {
    /// The arguments of a call, checked: other crates' calls were not checked before.
    fn arguments(
        &self,
        name: &str,
        arguments: &Json,
    ) -> Result<Vec<(String, Argument)>, PluginError> {
        let invalid = |message: String| {
            PluginError::new(ErrorKind::InvalidInput, format!("{name}: {message}"))
        };
        let Json::Object(given) = arguments else {
            return Err(invalid(format!("arguments must be an object, these are {arguments}")));
        };
        let schema = Schema::new(&self.parameters);
        let known: BTreeMap<&str, Schema<'_>> = schema.properties().collect();
        let missing =
            known.keys().find(|name| schema.requires(name) && !given.contains_key(**name));
        if let Some(missing) = missing {
            return Err(invalid(format!("`{missing}` is missing")));
        }
        for (name, value) in given {
            let Some(schema) = known.get(name.as_str()) else {
                let names: Vec<&str> = known.keys().copied().collect();
                let help = did_you_mean_or_list(name, &names, "it takes").unwrap_or_default();
                return Err(invalid(format!("there is no parameter `{name}`")).with_help(help));
            };
            if let Some(problem) = schema.check(value).into_iter().next() {
                let error = invalid(problem.sentence(name));
                return Err(error.with_help(problem.suggestion.unwrap_or_default()));
            }
        }
        let argument = |name: &String, value: &Json| match value.as_f64() {
            Some(number) if self.floats.contains(name) => Argument::Float(number),
            _ => Argument::Plain(value.clone()),
        };
        Ok(given.iter().map(|(name, value)| (name.clone(), argument(name, value))).collect())
    }
}

impl SourceCrate for LoadedSource {
    fn manifest(&self) -> Manifest {
        self.manifest.clone()
    }

    fn call(
        &self,
        host: Arc<dyn RequestHost>,
        name: &str,
        arguments: &Json,
    ) -> Result<Json, PluginError> {
        let function = self.function(name)?;
        let named = function.arguments(name, arguments)?;
        let request = Request::new(host);
        let print = PhasePrint(request.clone());
        let limits = self.run.limits;
        let what = format!("{}.{name}", self.manifest.name);
        let result = with_room(|| {
            let context = EvalContext::Phase { declared: None };
            let call =
                Call { request: &request, context: &context, print: &print, limits, named: &named };
            let answer = call.run(&function.value, |value| {
                to_json(value).map_err(|complaint| {
                    let message = format!("{what} returns what {}", complaint.message);
                    starlark::Error::from(FunctionError { message, ..complaint })
                })
            });
            answer.map_err(|error| diagnose(&error, &what, limits, None))
        });
        result.flatten().map_err(|found| {
            let place = found.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
            let error = PluginError::new(ErrorKind::Failed, format!("{place}{}", found.message));
            match found.suggestion {
                Some(help) => error.with_help(help),
                None => error,
            }
        })
    }
}
