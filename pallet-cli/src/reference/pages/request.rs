//! The members of the request, from the documentation of the Starlark value.

use serde_json::{Map, Value, json};
use starlark::docs::{DocFunction, DocMember, DocString, DocType};

use crate::project::star::request::{ATTRIBUTES, RequestValue};
use crate::project::star::target::{OS_ATTRIBUTES, TARGET_ATTRIBUTES};
use crate::reference::entry::DocEntry;

/// All members, in their documented order.
pub(crate) fn request() -> Vec<DocEntry> {
    let members = DocType::from_starlark_value::<RequestValue>().members;
    let entry = |name: &&str| {
        let full = format!("request.{name}");
        match members.get(*name)? {
            DocMember::Property(property) => {
                Some(DocEntry::of_value(&full, &text(property.docs.as_ref()), fields(name)))
            }
            DocMember::Function(function) => Some(DocEntry::of_method(
                &full,
                &text(function.docs.as_ref()),
                parameters(function),
            )),
        }
    };
    ATTRIBUTES.iter().filter_map(entry).collect()
}

/// The documentation without the list of parameters.
fn text(docs: Option<&DocString>) -> String {
    let Some(docs) = docs else { return String::new() };
    let details = docs.details.as_deref().unwrap_or_default();
    let details = details.split("# Arguments").next().unwrap_or_default().trim();
    format!("{}\n\n{details}", docs.summary).trim().to_owned()
}

/// The attributes of a member.
fn fields(member: &str) -> Value {
    let table = |name: &str, known: &[(&str, &str, &str)]| -> Map<String, Value> {
        let listed = known.iter().map(|(attribute, takes, doc)| {
            (format!("{name}{attribute}"), json!({"x-takes": takes, "description": doc}))
        });
        listed.collect()
    };
    let properties = match member {
        "target" => {
            let own = table("", TARGET_ATTRIBUTES).into_iter().filter(|(name, _)| name != "os");
            own.chain(table("os.", OS_ATTRIBUTES)).collect()
        }
        _ => Map::new(),
    };
    json!({"type": "object", "properties": properties})
}

fn parameters(function: &DocFunction) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for parameter in function.params.regular_params() {
        let takes = match parameter.name.as_str() {
            "node" => "a target, or the id of one",
            "settings" => "a dict",
            _ => "a string",
        };
        let doc = text(parameter.docs.as_ref()).replace('\n', " ");
        properties.insert(parameter.name.clone(), json!({"x-takes": takes, "description": doc}));
        if parameter.default_value.is_none() {
            required.push(parameter.name.clone());
        }
    }
    json!({"type": "object", "properties": properties, "required": required})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_and_every_parameter_is_documented() {
        let members = request();
        assert_eq!(members.len(), ATTRIBUTES.len());
        for member in &members {
            assert!(!member.summary().is_empty(), "{}", member.name);
            for (name, _, _, doc) in member.parameters() {
                assert!(!doc.is_empty(), "{}: {name}", member.name);
            }
        }
    }
}
