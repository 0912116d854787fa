//! The functions of a session, with their implementations.

use std::fmt;
use std::sync::Arc;

use starlark::eval::Evaluator;
use starlark::values::Value;

use super::super::call::Call;
use super::super::state::Session;
use super::signature::signature;
use super::{
    admin_user, check, converge, explain, facts, help, lift, nodes, offers, run, services,
};
use crate::project::star::arguments::{BoundArguments, SessionFunction};
use crate::project::star::function::{HostBehavior, HostFunction};
use crate::project::star::signature::Signature;
use crate::verbs::{self, Verb};

/// The implementation of a function.
type Implementation = for<'c, 'v, 'a, 'e> fn(Call<'c, 'v, 'a, 'e>) -> starlark::Result<Value<'v>>;

/// The implementation of the function with this name.
fn implementation(name: &str) -> Option<Implementation> {
    Some(match name {
        "nodes" => nodes::nodes,
        "groups" => nodes::groups,
        "facts" => facts::facts,
        "converge" => converge::converge,
        "lift" => lift::lift,
        "down" => converge::down,
        "explain" => explain::explain,
        "explain_plan" => explain::explain_plan,
        "explain_session" => explain::explain_session,
        "run" => run::run,
        "run_script" => run::run_script,
        "drift" => lift::drift,
        "show_nodes" => nodes::show_nodes,
        "show_group" => nodes::show_group,
        "images" => offers::images,
        "hardware" => offers::hardware,
        "locations" => offers::locations,
        "providers" => services::providers,
        "services" => services::services,
        "compute_service" => services::compute_service,
        "use_service" => services::use_service,
        "with_admin_user" => admin_user::with_admin_user,
        "check" => check::check,
        "reload" => check::reload,
        "help" => help::help,
        _ => return None,
    })
}

/// All functions, bound to a session.
pub(in crate::session) fn functions(session: &Arc<Session>) -> Vec<HostFunction> {
    let bound = |verb: &&'static Verb| {
        let implementation = implementation(verb.name)?;
        let function = BoundFunction { session: session.clone(), verb, implementation };
        let behavior = HostBehavior::Session(Arc::new(function));
        Some(HostFunction::new(Arc::new(signature(verb)), behavior))
    };
    verbs::ALL.iter().filter_map(bound).collect()
}

/// A function with its session.
struct BoundFunction {
    session: Arc<Session>,
    verb: &'static Verb,
    implementation: Implementation,
}

impl fmt::Debug for BoundFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb.name)
    }
}

impl SessionFunction for BoundFunction {
    fn call<'v>(
        &self,
        signature: &Signature,
        bound: BoundArguments<'v>,
        evaluator: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        (self.implementation)(Call { session: &self.session, signature, bound, evaluator })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_is_implemented() {
        for verb in verbs::ALL {
            assert!(implementation(verb.name).is_some(), "{}", verb.name);
        }
    }
}
