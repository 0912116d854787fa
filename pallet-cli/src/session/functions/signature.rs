//! The signature of a verb's function.

use serde_json::{Map, Value as Json, json};
use starlark::typing::Ty;

use crate::project::star::signature::{Parameter, Signature};
use crate::project::star::types::Kind;
use crate::verbs::{self, ParameterType, Verb, VerbParameter};

/// The signatures of all functions, in the order of help.
pub(crate) fn signatures() -> Vec<Signature> {
    verbs::ALL.iter().map(|verb| signature(verb)).collect()
}

/// The signature of a verb's function.
pub(super) fn signature(verb: &Verb) -> Signature {
    let command = verb.command();
    let documented = verb.parameters.iter().map(|one| {
        let doc = verb.parameter_doc(command.as_ref(), one);
        (one.name.to_owned(), json!({"description": doc}))
    });
    let docs: Map<String, Json> = documented.collect();
    Signature {
        function: verb.name.to_owned(),
        doc: verb.doc(command.as_ref()),
        parameters: verb.parameters.iter().map(parameter).collect(),
        root: json!({"properties": docs}),
        phases: false,
        returns: Ty::any(),
    }
}

fn parameter(parameter: &VerbParameter) -> Parameter {
    let kind = match parameter.takes {
        ParameterType::Targets => Kind::Targets,
        ParameterType::Counts => Kind::Counts,
        ParameterType::Phases => Kind::PhaseChoices,
        ParameterType::Service => Kind::Service,
        ParameterType::Flag => Kind::Data(json!({"type": "boolean"})),
        ParameterType::Number => Kind::Data(json!({"type": "integer", "minimum": 0})),
        ParameterType::Text => Kind::Data(json!({"type": "string"})),
        ParameterType::Any(what) => Kind::Any(what),
    };
    Parameter {
        name: parameter.name.to_owned(),
        kind,
        required: parameter.required,
        positional: parameter.positional,
    }
}
