//! Inline code of the command line (`-e`): statements that can use `request` and everything that
//! pallet.star defines or loads.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use pallet_core::engine::{Phase, PhaseError, PhaseFunction};
use pallet_core::plugin::Request;
use starlark::environment::{FrozenModule, Module};
use starlark::eval::{Evaluator, FileLoader};
use starlark::syntax::AstModule;
use starlark::syntax::ast::{AstExpr, AstStmt, Expr};
use starlark::typing::{Interface, Ty};

use super::check::check;
use super::crates::{Crate, module_of};
use super::error::diagnose;
use super::eval_context::{EvalContext, SCOPED, place};
use super::guard::{self, with_room};
use super::language::{Language, dialect};
use super::parse::{loads, parse};
use super::phase::{PhasePrint, phase_error};
use super::request::RequestValue;
use super::scope::{KnownName, assigned};
use super::slot::RunSettings;
use crate::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use crate::process::processor_time::of_thread;
use crate::project::MAIN;

/// The name of the code in messages.
const FILE: &str = "-e";

/// The module that provides the code's names.
const SCOPE: &str = "@pallet.star";

/// What inline code can use.
#[derive(Clone)]
pub(crate) struct InlineScope {
    pub(crate) language: Language,
    pub(crate) main: FrozenModule,
    pub(crate) interface: Interface,
    pub(crate) crates: BTreeMap<String, Crate>,
    pub(crate) known: HashMap<String, KnownName>,
    pub(crate) run: RunSettings,
}

impl InlineScope {
    /// A scope without names of a project.
    pub(crate) fn nothing(language: Language, run: RunSettings) -> Result<Self, Diagnostic> {
        let main = Module::with_temp_heap(|module| {
            module.freeze().map_err(|error| Diagnostic::error(format!("{error:?}")))
        })?;
        let interface = Interface::new(HashMap::new());
        Ok(InlineScope {
            language,
            main,
            interface,
            crates: BTreeMap::new(),
            known: HashMap::new(),
            run,
        })
    }

    /// Turns the code into a phase.
    pub(crate) fn phase(&self, code: &str) -> Result<Phase, Diagnostics> {
        with_room(|| self.checked(code))?
    }

    fn checked(&self, code: &str) -> Result<Phase, Diagnostics> {
        let ast = parse(FILE, code.to_owned())?;
        let names = self.names_in(ast.statement());
        let mut known = self.known.clone();
        let types = names
            .iter()
            .map(|name| (name.clone(), self.interface.get(name).cloned().unwrap_or_else(Ty::any)));
        let mut interfaces = HashMap::from([(SCOPE.to_owned(), Interface::new(types.collect()))]);
        for load in loads(ast.statement()) {
            let module = load.module.node.as_str();
            match module.strip_prefix('@').and_then(|name| self.crates.get(name)) {
                Some(found) => {
                    known.extend(load.args.iter().filter_map(|one| {
                        Some((one.local.node.ident.clone(), found.known(&one.their.node)?))
                    }));
                    interfaces.insert(module.to_owned(), found.interface.clone());
                }
                None => {
                    let place = place(&ast.file_span(load.module.span));
                    let message = format!("`{module}` cannot be loaded here");
                    return Err(Diagnostic::error(message)
                        .at(place)
                        .suggest(format!("load it in {}", MAIN))
                        .into());
                }
            }
        }
        // the first line loads the names that the code uses; it is not counted in places
        let loaded: String = names.iter().map(|name| format!(", {name:?}")).collect();
        let source = format!("load({SCOPE:?}{loaded})\n{code}");
        let ast = parse(&scoped(), source.clone())?;
        let (found, _) = check(&ast, &self.language.globals, known, &interfaces);
        if !found.is_empty() {
            return Err(Diagnostics(
                found.into_iter().map(|diagnostic| self.with_suggestion(diagnostic)).collect(),
            ));
        }
        Ok(Phase::new(Inline { scope: Arc::new(self.clone()), source }))
    }

    /// Suggests a name: Starlark knows only the names that the code uses, and a misspelt one may be
    /// any other name of the project.
    fn with_suggestion(&self, diagnostic: Diagnostic) -> Diagnostic {
        let Some(name) = diagnostic.unknown_name() else { return diagnostic };
        let own: Vec<&str> = self.main.names().map(|name| name.as_str()).collect();
        let there = own.into_iter().chain(self.known.keys().map(String::as_str)).chain(["request"]);
        let suggestion = did_you_mean(name, there);
        diagnostic.suggest(suggestion)
    }

    /// The names that the code reads and does not bind itself.
    fn names_in(&self, code: &AstStmt) -> BTreeSet<String> {
        let (mut read, mut own) = (BTreeSet::from(["request".to_owned()]), HashMap::new());
        code.visit_expr(|expression| identifiers(expression, &mut read));
        assigned(code, &mut own);
        let there: BTreeSet<&str> =
            self.main.names().map(|name| name.as_str()).chain(["request"]).collect();
        read.retain(|name| there.contains(name.as_str()) && !own.contains_key(name));
        read
    }
}

/// The names that an expression reads.
pub(crate) fn identifiers(expression: &AstExpr, names: &mut BTreeSet<String>) {
    if let Expr::Identifier(name) = &expression.node {
        names.insert(name.node.ident.clone());
    }
    expression.visit_expr(|inner| identifiers(inner, names));
}

/// The file name of the text with the extra first line.
fn scoped() -> String {
    format!("{SCOPED}{FILE}")
}

/// Inline code as a phase function.
struct Inline {
    scope: Arc<InlineScope>,
    source: String,
}

impl PhaseFunction for Inline {
    fn call(&self, request: &mut Request) -> Result<(), PhaseError> {
        let run = self.scope.run;
        let request: &Request = request;
        let result = with_room(|| {
            let begun = of_thread();
            self.evaluate(request).map_err(|error| PhaseError {
                timed_out: of_thread().saturating_sub(begun) > run.limits.time,
                ..phase_error(&diagnose(&error, "the code of -e", run.limits, None), run.colour)
            })
        });
        result.unwrap_or_else(|error| Err(phase_error(&error, run.colour)))
    }
}

impl Inline {
    fn evaluate(&self, request: &Request) -> starlark::Result<()> {
        let ast = AstModule::parse(&scoped(), self.source.clone(), &dialect())?;
        let scope = Module::with_temp_heap(|module| {
            for name in self.scope.main.names() {
                let value = self.scope.main.get(name.as_str())?;
                module.set(name.as_str(), module.heap().access_owned_frozen_value(&value));
            }
            let value = module.heap().alloc(RequestValue { request: request.clone() });
            module.set("request", value);
            module.freeze().map_err(|error| anyhow::anyhow!("{error:?}"))
        })?;
        let (context, print) = (EvalContext::Phase { declared: None }, PhasePrint(request.clone()));
        let loader = InlineLoader { scope, crates: &self.scope.crates };
        Module::with_temp_heap(|module| {
            let mut evaluator = Evaluator::new(&module);
            evaluator.extra = Some(&context);
            evaluator.set_print_handler(&print);
            evaluator.set_loader(&loader);
            guard::evaluate(&mut evaluator, self.scope.run.limits, |evaluator| {
                evaluator.eval_module(ast, &self.scope.language.globals)
            })
            .map(drop)
        })
    }
}

struct InlineLoader<'a> {
    scope: FrozenModule,
    crates: &'a BTreeMap<String, Crate>,
}

impl FileLoader for InlineLoader<'_> {
    fn load(&self, path: &str) -> starlark::Result<FrozenModule> {
        if path == SCOPE { Ok(self.scope.clone()) } else { module_of(self.crates, path) }
    }
}
