//! The environment: values for a project's functions, merged from those of the user, the service,
//! the project and the command line.

use serde_json::{Map, Value};

/// Values that phase functions read, such as `proxy` or `mirror`.
pub type Environment = Map<String, Value>;

/// Merges `over` over `base`. Tables merge key by key, `roles` are united, `install_plugins` are
/// appended; for anything else the later value wins. A `null` changes nothing.
pub fn merge_environment(base: &mut Environment, over: Environment) {
    for (key, value) in over {
        match (key.as_str(), base.get_mut(&key), value) {
            (_, _, Value::Null) => {}
            ("roles", Some(Value::Array(old)), Value::Array(new)) => {
                for role in new {
                    if !old.contains(&role) {
                        old.push(role);
                    }
                }
            }
            ("install_plugins", Some(Value::Array(old)), Value::Array(new)) => old.extend(new),
            (_, Some(old), new) => deep_merge(old, new),
            (_, None, new) => {
                base.insert(key, new);
            }
        }
    }
}

/// Merges `over` over `base`: objects merge key by key, any other value except `null` replaces.
pub(crate) fn deep_merge(base: &mut Value, over: Value) {
    match (base, over) {
        (_, Value::Null) => {}
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                match base.get_mut(&key) {
                    Some(old) => deep_merge(old, value),
                    None => {
                        base.insert(key, value);
                    }
                }
            }
        }
        (base, over) => *base = over,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn later_scopes_win_key_by_key() {
        let mut base = object(json!({
            "proxy": "http://a", "mirror": {"debian": "m1", "alpine": "m2"}, "roles": ["a"],
        }));
        merge_environment(
            &mut base,
            object(json!({"mirror": {"debian": "m3"}, "roles": ["a", "b"], "proxy": null})),
        );
        assert_eq!(
            Value::Object(base),
            json!({
                "proxy": "http://a", "mirror": {"debian": "m3", "alpine": "m2"},
                "roles": ["a", "b"],
            })
        );
    }

    fn object(value: Value) -> Environment {
        match value {
            Value::Object(map) => map,
            other => panic!("not an object: {other}"),
        }
    }
}
