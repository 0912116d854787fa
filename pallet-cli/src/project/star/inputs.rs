//! The inputs of a session: pieces of code that are checked and evaluated one after the other.
//! Later inputs see the definitions of earlier ones.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use pallet_core::engine::{GroupSpec, PhaseError};
use starlark::PrintHandler;
use starlark::environment::{FrozenModule, Module};
use starlark::eval::{Evaluator, FileLoader};
use starlark::syntax::AstModule;
use starlark::syntax::ast::AstStmt;
use starlark::typing::{Interface, Ty};
use starlark::values::Value;

use super::check::check;
use super::complete::Name;
use super::crates::{Crate, find_crate, module_of};
use super::declared::Declarations;
use super::error::diagnose;
use super::eval_context::{EvalContext, SCOPED, SessionContext, place};
use super::function_error::FunctionError;
use super::guard::guard;
use super::inline::InlineScope;
use super::language::Language;
use super::limits::{Clock, bound};
use super::live::{PhaseCall, PhaseCalls};
use super::parse::{loads, parse};
use super::phase::{PhasePrint, phase_error};
use super::project_names::{bring_in, of_value};
use super::request::RequestValue;
use super::scope::{KnownName, assigned};
use super::spec_values::GroupValue;
use super::tokens::tokens;
use crate::diagnostic::{Diagnostic, Diagnostics, did_you_mean, did_you_mean_or_list};
use crate::project::{CrateCatalog, LoadedProject, MAIN, PrintSink};

/// The module that provides an input's names to the static check.
const SCOPE: &str = "@session";

/// The name of the last value.
const LAST: &str = "_";

/// What the inputs of a session need.
pub(crate) struct InputContext {
    /// The names that need no load, including those of the session.
    pub(crate) language: Language,
    /// The crates that an input can load.
    pub(crate) catalog: Arc<dyn CrateCatalog>,
    /// Calls the session's phase functions.
    pub(crate) live: PhaseCalls,
    /// Receives the output of inputs.
    pub(crate) print: PrintSink,
    /// Whether the evaluation should stop.
    pub(crate) stop: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// The inputs so far, as one module that is never frozen, so that its values stay mutable.
pub(crate) struct Inputs<'v, 'm> {
    module: &'m Module<'v>,
    workbench: &'m InputContext,
    context: &'m EvalContext,
    session: Rc<SessionContext>,
    print: InputPrint<'m>,
    /// The names of the project, including those of its groups.
    project: BTreeSet<String>,
    scope: InlineScope,
    /// Pallet's functions that inputs have loaded.
    loaded: HashMap<String, KnownName>,
    crates: RefCell<BTreeMap<String, Crate>>,
}

/// Runs `work` on the project, without inputs yet.
pub(crate) fn with_inputs<R>(
    workbench: &InputContext,
    project: &LoadedProject,
    work: impl FnOnce(&mut Inputs<'_, '_>) -> R,
) -> R {
    let declared = RefCell::new(Declarations::live(project.inline.run, workbench.live.clone()));
    let session = SessionContext {
        declared,
        phase: RefCell::default(),
        clock: Clock::default(),
        own: RefCell::default(),
    };
    let session = Rc::new(session);
    let context = EvalContext::Session(session.clone());
    Module::with_temp_heap(|module| {
        let mut inputs = Inputs {
            module: &module,
            workbench,
            context: &context,
            session,
            print: InputPrint { context: &context, sink: &workbench.print },
            project: BTreeSet::new(),
            scope: project.inline.clone(),
            loaded: HashMap::new(),
            crates: RefCell::default(),
        };
        inputs.take(project);
        work(&mut inputs)
    })
}

impl<'v, 'm> Inputs<'v, 'm> {
    /// Binds the project's names, also after a reload. Returns those that inputs have redefined.
    pub(crate) fn take(&mut self, project: &LoadedProject) -> Vec<String> {
        self.scope = project.inline.clone();
        self.crates.borrow_mut().clear();
        let names =
            bring_in(self.module, project, &|name| !self.session.own.borrow().contains(name));
        let hidden = names
            .iter()
            .filter(|name| self.session.own.borrow().contains(*name))
            .cloned()
            .collect();
        self.project = names;
        hidden
    }

    /// Checks an input without evaluating it.
    pub(crate) fn check(&self, file: &str, code: &str) -> Result<(), Diagnostics> {
        let ast = parse(file, code.to_owned())?;
        let mut own = HashMap::new();
        assigned(ast.statement(), &mut own);
        let visible = self.visible();
        // `_` is used only if the input mentions it
        let says_last = tokens(code).iter().any(|token| token.text(code) == LAST);
        let given: Vec<&String> = visible
            .iter()
            .filter(|name| !own.contains_key(*name) && (says_last || *name != LAST))
            .collect();
        let of = |name: &str| {
            if self.session.own.borrow().contains(name) {
                None
            } else {
                self.scope.interface.get(name).cloned()
            }
        };
        let types = given.iter().map(|name| ((*name).clone(), of(name).unwrap_or_else(Ty::any)));
        let mut interfaces = HashMap::from([(SCOPE.to_owned(), Interface::new(types.collect()))]);
        let mut known = self.known();
        self.loads(&ast, &mut known, &mut interfaces)?;
        // the first line loads the names that the code uses; it is not counted in places
        let loaded: String = given.iter().map(|name| format!(", {name:?}")).collect();
        let source = if given.is_empty() {
            format!("\n{code}")
        } else {
            format!("load({SCOPE:?}{loaded})\n{code}")
        };
        let ast = parse(&format!("{SCOPED}{file}"), source)?;
        let (found, _) = check(&ast, &self.workbench.language.globals, known, &interfaces);
        let found = found
            .into_iter()
            .map(|diagnostic| with_suggestion(diagnostic, &visible))
            .collect::<Vec<_>>();
        if found.is_empty() { Ok(()) } else { Err(Diagnostics(found)) }
    }

    /// Evaluates a checked input, and returns the value of its last expression, or None.
    pub(crate) fn evaluate(&mut self, file: &str, code: &str) -> Result<Value<'v>, Diagnostics> {
        let ast = parse(file, code.to_owned())?;
        let mut names = HashMap::new();
        assigned(ast.statement(), &mut names);
        self.loaded.retain(|name, _| !names.contains_key(name));
        self.take_loads(ast.statement(), &mut names);
        let run = self.scope.run;
        let loader = InputLoader { crates: &self.crates };
        let session = self.session.clone();
        session.own.borrow_mut().extend(names.into_keys());
        let mut evaluator = Evaluator::new(self.module);
        evaluator.extra = Some(self.context);
        evaluator.set_print_handler(&self.print);
        evaluator.set_loader(&loader);
        session.clock.begin(run.limits);
        session.phase.take();
        evaluator.set_check_cancelled(Box::new(|| session.clock.stop((self.workbench.stop)())));
        let result = bound(&mut evaluator).map_err(starlark::Error::from);
        let result = result.and_then(|()| {
            guard(&mut evaluator, |evaluator| {
                evaluator.eval_module(ast, &self.workbench.language.globals)
            })
        });
        drop(evaluator);
        match result {
            Ok(value) => {
                if !value.is_none() {
                    self.module.set(LAST, value);
                    session.own.borrow_mut().insert(LAST.to_owned());
                }
                Ok(value)
            }
            Err(error) => Err(diagnose(&error, "the input", run.limits, None).into()),
        }
    }

    /// The names that an input can use, with their meanings.
    pub(crate) fn names(&self) -> BTreeMap<String, Name> {
        let known = self.known();
        let globals = self.workbench.language.globals.names().map(|name| name.as_str().to_owned());
        let own = self.visible().into_iter().map(|name| {
            let name_of = known
                .get(&name)
                .map(Name::known)
                .or_else(|| Some(of_value(self.module.get(&name)?)));
            (name, name_of.unwrap_or_default())
        });
        let globals = globals.map(|name| {
            let name_of = known.get(&name).map(Name::known).unwrap_or_default();
            (name, name_of)
        });
        globals.chain(own).collect()
    }

    fn visible(&self) -> BTreeSet<String> {
        // if an error prevented an assignment, the name has no value
        self.project
            .union(&self.session.own.borrow())
            .filter(|name| self.module.get(name).is_some())
            .cloned()
            .collect()
    }

    /// What the static check knows about the names.
    fn known(&self) -> HashMap<String, KnownName> {
        let mut known = self.workbench.language.known();
        known.extend(self.scope.known.clone());
        known.retain(|name, _| {
            !self.session.own.borrow().contains(name)
                && (!self.project.contains(name) || self.scope.known.contains_key(name))
        });
        known.extend(self.loaded.clone());
        known
    }

    /// Resolves the load statements of an input.
    fn loads(
        &self,
        ast: &AstModule,
        known: &mut HashMap<String, KnownName>,
        interfaces: &mut HashMap<String, Interface>,
    ) -> Result<(), Diagnostics> {
        for load in loads(ast.statement()) {
            let module = load.module.node.as_str();
            let at = |span| place(&ast.file_span(span));
            let Some(name) = module.strip_prefix('@') else {
                let message = format!("`{module}` cannot be loaded here");
                let help = format!("load it in {MAIN}, whose names are available here");
                return Err(Diagnostic::error(message)
                    .at(at(load.module.span))
                    .suggest(help)
                    .into());
            };
            let found = self
                .config_crate(name)
                .map_err(|diagnostic| diagnostic.at(at(load.module.span)))?;
            for one in &load.args {
                let names = found.names();
                if !names.contains(&one.their.node.as_str()) {
                    let suggestion = did_you_mean_or_list(&one.their.node, &names, "it has");
                    let message = format!("{module} has no `{}`", one.their.node);
                    return Err(Diagnostic::error(message)
                        .at(at(one.their.span))
                        .suggest(suggestion)
                        .into());
                }
                known.remove(&one.local.node.ident);
                known.extend(
                    found.known(&one.their.node).map(|found| (one.local.node.ident.clone(), found)),
                );
            }
            interfaces.insert(module.to_owned(), found.interface.clone());
        }
        Ok(())
    }

    fn take_loads(&mut self, statement: &AstStmt, names: &mut HashMap<String, bool>) {
        for load in loads(statement) {
            let found = load
                .module
                .node
                .strip_prefix('@')
                .and_then(|name| self.crates.borrow().get(name).cloned());
            for one in &load.args {
                names.insert(one.local.node.ident.clone(), false);
                let known = found.as_ref().and_then(|found| found.known(&one.their.node));
                self.loaded.extend(known.map(|known| (one.local.node.ident.clone(), known)));
            }
        }
    }

    fn config_crate(&self, name: &str) -> Result<Crate, Diagnostic> {
        let known = self.crates.borrow().get(name).or_else(|| self.scope.crates.get(name)).cloned();
        if let Some(known) = known {
            self.crates.borrow_mut().insert(name.to_owned(), known.clone());
            return Ok(known);
        }
        let made = find_crate(self.workbench.catalog.as_ref(), name)?;
        self.crates.borrow_mut().insert(name.to_owned(), made.clone());
        Ok(made)
    }
}

/// The groups that inputs have bound to names.
pub(crate) fn own_groups(evaluator: &Evaluator<'_, '_, '_>) -> Vec<GroupSpec> {
    let Some(EvalContext::Session(session)) = EvalContext::of(evaluator) else { return Vec::new() };
    let own = session.own.borrow();
    let values =
        own.iter().filter(|name| *name != LAST).filter_map(|name| evaluator.module().get(name));
    values
        .filter_map(|value| GroupValue::of(value).map(|group| group.groups.clone()))
        .flatten()
        .collect()
}

/// Suggests a name for an unknown one.
fn with_suggestion(diagnostic: Diagnostic, visible: &BTreeSet<String>) -> Diagnostic {
    match diagnostic.unknown_name().filter(|_| diagnostic.suggestion.is_none()).and_then(|name| {
        did_you_mean(name, visible.iter().map(String::as_str).filter(|name| *name != LAST))
    }) {
        Some(suggestion) => diagnostic.suggest(suggestion),
        None => diagnostic,
    }
}

/// Calls a phase function of the session, on the thread that evaluates inputs.
pub(crate) fn call_phase(call: PhaseCall, evaluator: &mut Evaluator<'_, '_, '_>) {
    let slot = call.slot;
    let Some(EvalContext::Session(session)) = EvalContext::of(evaluator) else { return };
    session.clock.begin(slot.run.limits);
    session.phase.replace(Some((
        slot.declared.as_ref().map(|place| place.location()),
        call.request.clone(),
    )));
    let request = evaluator.heap().alloc(RequestValue { request: call.request });
    let result = match evaluator.module().get(&slot.variable) {
        Some(function) => evaluator.eval_function(function, &[request], &[]).map(drop),
        None => {
            Err(FunctionError::new(format!("the phase `{}` no longer exists", slot.phase)).into())
        }
    };
    session.phase.take();
    let timed_out = session.clock.is_over();
    session.clock.pause();
    let what = format!("the function of phase `{}`", slot.phase);
    let result = result.map_err(|error| {
        let diagnostic = diagnose(&error, &what, slot.run.limits, slot.declared.clone());
        PhaseError { timed_out, ..phase_error(&diagnostic, slot.run.colour) }
    });
    // fails only if nobody waits any more
    let _ = call.answer.send(result);
}

/// Prints the output of inputs. Output of a phase function is reported for its node.
struct InputPrint<'a> {
    context: &'a EvalContext,
    sink: &'a PrintSink,
}

impl PrintHandler for InputPrint<'_> {
    fn println(&self, text: &str) -> starlark::Result<()> {
        if let EvalContext::Session(session) = self.context
            && let Some((_, request)) = session.phase.borrow().as_ref()
        {
            return PhasePrint(request.clone()).println(text);
        }
        (self.sink)(text);
        Ok(())
    }
}

struct InputLoader<'a> {
    crates: &'a RefCell<BTreeMap<String, Crate>>,
}

impl FileLoader for InputLoader<'_> {
    fn load(&self, path: &str) -> starlark::Result<FrozenModule> {
        module_of(&self.crates.borrow(), path)
    }
}
