//! Placeholders for secrets, where the value must not appear: in the project, in crates, in
//! settings.

use std::collections::BTreeSet;

use serde_json::Value;

/// The placeholder for the secret `name`. The engine replaces it by the value only in the arguments
/// of actions.
pub fn secret_placeholder(name: &str) -> String {
    format!("{OPEN}{name}{CLOSE}")
}

const OPEN: &str = "⟦secret:";
const CLOSE: &str = "⟧";
/// Every placeholder begins with it.
const MARK: char = '⟦';

/// Replaces every placeholder in `text`; `value` returns the value for a name. `None` if there are
/// no placeholders.
pub fn replace_secrets<E>(
    text: &str,
    mut value: impl FnMut(&str) -> Result<String, E>,
) -> Result<Option<String>, E> {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(OPEN) {
        let Some((name, behind)) = behind.split_once(CLOSE) else { break };
        replaced.push_str(before);
        replaced.push_str(&value(name)?);
        rest = behind;
    }
    if rest.len() == text.len() {
        return Ok(None);
    }
    replaced.push_str(rest);
    Ok(Some(replaced))
}

/// The names of all secrets whose placeholders are in a value.
pub fn secret_names(value: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    match value {
        Value::String(text) => {
            let noted = |name: &str| {
                names.insert(name.to_owned());
                Ok::<_, std::convert::Infallible>(String::new())
            };
            let _ = replace_secrets(text, noted);
        }
        Value::Array(items) => items.iter().for_each(|item| names.extend(secret_names(item))),
        Value::Object(fields) => fields.values().for_each(|item| names.extend(secret_names(item))),
        _ => {}
    }
    names
}

/// Takes the placeholders out of what a node says of itself: it may want a secret to be written
/// to it.
pub fn defuse_placeholders(value: &mut Value) {
    match value {
        Value::String(text) if text.contains(MARK) => *text = text.replace(MARK, "["),
        Value::Array(items) => items.iter_mut().for_each(defuse_placeholders),
        Value::Object(fields) => fields.values_mut().for_each(defuse_placeholders),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_node_names_no_secrets() {
        let mut told =
            json!({ "os": { "version": secret_placeholder("db") }, "list": ["⟦⟦secret"] });
        defuse_placeholders(&mut told);
        assert_eq!(told, json!({ "os": { "version": "[secret:db⟧" }, "list": ["[[secret"] }));
    }

    #[test]
    fn placeholders_are_found_in_all_values() {
        let both = format!("{}{}", secret_placeholder("a"), secret_placeholder("b"));
        let value = json!({ "x": [1, both], "y": { "z": secret_placeholder("c") }, "w": "a" });
        assert_eq!(secret_names(&value), ["a", "b", "c"].map(str::to_owned).into());
    }

    #[test]
    fn placeholders_are_replaced_wherever_they_stand() {
        let text =
            format!("user={}\npassword={}!", secret_placeholder("a"), secret_placeholder("b.c"));
        let value = |name: &str| if name == "gone" { Err(()) } else { Ok(name.to_uppercase()) };
        assert_eq!(replace_secrets(&text, value), Ok(Some("user=A\npassword=B.C!".to_owned())));
        assert_eq!(replace_secrets("⟦secret: and no end", value), Ok(None));
        assert_eq!(replace_secrets(&secret_placeholder("gone"), value), Err(()));
    }
}
