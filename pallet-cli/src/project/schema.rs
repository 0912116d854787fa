//! Checks a value against a JSON schema made by `schemars`, with messages in terms of the user's
//! input.

mod problem;
mod words;

use serde_json::{Map, Value, json};

use self::problem::{not_a_choice, not_defined};
use self::words::{in_words, in_words_many, type_of};
use crate::diagnostic::did_you_mean_or_list;

pub(crate) use self::problem::{DEFINED_IN, Problem};
pub(crate) use self::words::shown;

/// The schema of one value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema<'a> {
    /// The whole schema, with its `$defs`.
    root: &'a Value,
    node: &'a Value,
    /// Whether objects may have only the listed properties, even if the schema does not say so.
    closed: bool,
}

impl<'a> Schema<'a> {
    /// A whole schema.
    pub(crate) fn new(root: &'a Value) -> Self {
        Schema { root, node: root, closed: false }
    }

    /// A whole schema whose objects may have only the listed properties.
    pub(crate) fn closed(root: &'a Value) -> Self {
        Schema { closed: true, ..Self::new(root) }
    }

    /// The schema of a part.
    pub(crate) fn part(self, node: &'a Value) -> Self {
        Schema { node, ..self }.resolved()
    }

    fn resolved(self) -> Self {
        let mut node = self.node;
        // a recursive definition would never end
        for _ in 0..16 {
            let Some(pointer) = node
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|reference| reference.strip_prefix('#'))
            else {
                break;
            };
            let Some(definition) = self.root.pointer(pointer) else { break };
            node = definition;
        }
        Schema { node, ..self }
    }

    /// The properties of an object, in order.
    pub(crate) fn properties(self) -> impl Iterator<Item = (&'a str, Schema<'a>)> {
        let properties = self.resolved().node.get("properties").and_then(Value::as_object);
        properties.into_iter().flatten().map(move |(name, node)| (name.as_str(), self.part(node)))
    }

    /// The schema of the tables in a table with arbitrary keys: `nodes.NAME.group`.
    pub(crate) fn named_table(self) -> Option<Value> {
        let schema = self.resolved();
        let mut tables = schema.alternatives().into_iter().flatten().chain([schema]);
        tables.find_map(|one| one.part(one.node.get("additionalProperties")?).table())
    }

    /// The schema of a table with fixed keys, which may be optional. If there are several
    /// alternatives, it has the keys of all of them.
    pub(crate) fn table(self) -> Option<Value> {
        let schema = self.resolved();
        let tables = schema.alternatives().into_iter().flatten().chain([schema]);
        let tables: Vec<_> =
            tables.filter(|one| one.node.get("properties").is_some()).map(|one| one.node).collect();
        if let [table] = tables[..] {
            return Some(table.clone());
        }
        let mut properties = Map::new();
        for table in tables {
            for (key, node) in table["properties"].as_object().into_iter().flatten() {
                let mut node = node.clone();
                // the description of an enum variant is beside its only key
                if let (None, Some(doc)) = (node.get("description"), table.get("description")) {
                    node["description"] = doc.clone();
                }
                properties.insert(key.clone(), node);
            }
        }
        (!properties.is_empty()).then(|| json!({"type": "object", "properties": properties}))
    }

    /// Whether an object must have this key.
    pub(crate) fn requires(self, key: &str) -> bool {
        self.resolved()
            .node
            .get("required")
            .and_then(Value::as_array)
            .is_some_and(|keys| keys.iter().any(|required| required == key))
    }

    /// The names of the allowed types.
    pub(crate) fn types(self) -> Vec<&'a str> {
        let mut types = match self.node.get("type") {
            Some(Value::String(name)) => vec![name.as_str()],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => self.alternatives().into_iter().flatten().flat_map(Schema::types).collect(),
        };
        if types.is_empty() {
            let choices = self
                .node
                .get("enum")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .chain(self.node.get("const"));
            types = choices.map(type_of).collect();
        }
        types.dedup();
        types
    }

    /// The schema of an array's items.
    pub(crate) fn items(self) -> Option<Schema<'a>> {
        self.node.get("items").map(|items| self.part(items))
    }

    fn alternatives(self) -> Option<Vec<Schema<'a>>> {
        let schemas = self.node.get("anyOf").or_else(|| self.node.get("oneOf"))?.as_array()?;
        Some(schemas.iter().map(|node| self.part(node)).collect())
    }

    /// The allowed values, if the schema lists them.
    pub(crate) fn choices(self) -> Option<Vec<&'a Value>> {
        if let Some(values) = self.node.get("enum").and_then(Value::as_array) {
            return Some(values.iter().collect());
        }
        if let Some(value) = self.node.get("const") {
            return Some(vec![value]);
        }
        let alternatives = self.alternatives()?;
        let choices: Option<Vec<_>> = alternatives
            .into_iter()
            .filter(|one| one.types() != ["null"])
            .map(Schema::choices)
            .collect();
        choices.map(|choices| choices.into_iter().flatten().collect())
    }

    /// Checks a value.
    pub(crate) fn check(self, value: &Value) -> Vec<Problem> {
        let schema = self.resolved();
        if schema.node.is_boolean() || (value.is_null() && schema.types().contains(&"null")) {
            return Vec::new();
        }
        if let Some(choices) = schema.choices() {
            return match schema.node.get(DEFINED_IN).and_then(Value::as_str) {
                _ if choices.contains(&value) => Vec::new(),
                Some(place) => vec![not_defined(place, &choices, value)],
                None => vec![not_a_choice(&choices, value)],
            };
        }
        let mut problems = schema.check_alternatives(value);
        for part in schema.node.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            problems.extend(schema.part(part).check(value));
        }
        if let Some(problem) = schema.check_type(value) {
            problems.push(problem);
            return problems;
        }
        match value {
            Value::Number(_) => problems.extend(schema.check_range(value)),
            Value::Array(items) => {
                let schema = schema.items();
                for (index, item) in items.iter().enumerate() {
                    let found = schema.map(|schema| schema.check(item)).unwrap_or_default();
                    problems
                        .extend(found.into_iter().map(|problem| problem.below(&index.to_string())));
                }
            }
            Value::Object(object) => problems.extend(schema.check_object(object)),
            _ => {}
        }
        problems
    }

    fn check_alternatives(self, value: &Value) -> Vec<Problem> {
        let Some(alternatives) = self.alternatives() else { return Vec::new() };
        let of_type: Vec<_> =
            alternatives.iter().filter(|one| one.check_type(value).is_none()).collect();
        let found: Vec<_> = of_type.iter().map(|one| one.check(value)).collect();
        if found.iter().any(Vec::is_empty) {
            return Vec::new();
        }
        // the alternative with the fewest problems is probably the one that was meant
        found.into_iter().min_by_key(Vec::len).unwrap_or_else(|| vec![self.wrong_type(value)])
    }

    fn check_type(self, value: &Value) -> Option<Problem> {
        let types = self.types();
        let fits = |name: &&str| match *name {
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            name => name == type_of(value),
        };
        (!types.is_empty() && !types.iter().any(fits)).then(|| self.wrong_type(value))
    }

    fn wrong_type(self, value: &Value) -> Problem {
        Problem::new(format!("must be {}, not {}", self.expected(), shown(value)))
    }

    /// The allowed values or types, in words.
    pub(crate) fn allowed(self) -> String {
        let schema = self.resolved();
        if let Some(choices) = schema.choices() {
            return choices.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        }
        match schema.alternatives() {
            Some(alternatives) => {
                let mut words: Vec<String> = alternatives
                    .into_iter()
                    .filter(|one| one.types() != ["null"])
                    .map(Schema::allowed)
                    .collect();
                words.dedup();
                words.join(" or ")
            }
            None if schema.types().is_empty() => "any value".to_owned(),
            None => schema.expected(),
        }
    }

    /// The allowed types, in words.
    pub(crate) fn expected(self) -> String {
        let mut words: Vec<String> = self
            .types()
            .into_iter()
            .filter(|name| *name != "null")
            .map(|name| in_words(name).to_owned())
            .collect();
        if let ([word], Some(items)) = (words.as_mut_slice(), self.items())
            && word == "a list"
            && let [item] = items.types()[..]
        {
            *word = format!("a list of {}", in_words_many(item));
        }
        words.dedup();
        words.join(" or ")
    }

    fn check_range(self, value: &Value) -> Option<Problem> {
        let number = value.as_f64()?;
        let bound = |name: &str| self.node.get(name).and_then(Value::as_f64);
        let by_format = match self.node.get("format").and_then(Value::as_str) {
            Some("uint8") => Some(f64::from(u8::MAX)),
            Some("uint16") => Some(f64::from(u16::MAX)),
            Some("uint32") => Some(f64::from(u32::MAX)),
            Some("int32") => Some(f64::from(i32::MAX)),
            _ => None,
        };
        let (least, mut most) = (bound("minimum"), bound("maximum").or(by_format));
        if least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most) {
            return None;
        }
        if bound("maximum").is_none() && least.is_some_and(|least| number < least) {
            most = None;
        }
        Some(Problem::new(match (least, most) {
            (Some(least), Some(most)) => format!("must be {least} to {most}, not {value}"),
            (Some(least), None) => format!("must be at least {least}, not {value}"),
            (_, most) => format!("must be at most {}, not {value}", most.unwrap_or_default()),
        }))
    }

    fn check_object(self, object: &Map<String, Value>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let known: Vec<&str> = self.properties().map(|(name, _)| name).collect();
        let rest = self.node.get("additionalProperties");
        let closed = rest == Some(&Value::Bool(false))
            || (self.closed && rest.is_none() && self.node.get("properties").is_some());
        for (key, value) in object {
            let node = self.node.get("properties").and_then(|properties| properties.get(key));
            match node.or(rest.filter(|_| !closed)) {
                Some(node) => problems.extend(
                    self.part(node).check(value).into_iter().map(|problem| problem.below(key)),
                ),
                None if closed => problems.push(Problem {
                    unknown_key: Some(key.clone()),
                    suggestion: did_you_mean_or_list(key, &known, "there are"),
                    ..Problem::new(format!("has no key `{key}`"))
                }),
                None => {}
            }
        }
        let missing = known.iter().filter(|key| self.requires(key) && !object.contains_key(**key));
        problems.extend(missing.map(|key| Problem::new(format!("lacks the key `{key}`"))));
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use pallet_core::model::NodeSpec;
    use pallet_core::schemars::schema_for;
    use serde_json::json;

    fn check(schema: &Value, value: &Value, expected: Expect) {
        let found = Schema::closed(schema).check(value);
        let line = |problem: &Problem| {
            format!("{}; {}\n", problem.sentence(""), problem.suggestion.as_deref().unwrap_or("-"))
        };
        expected.assert_eq(&found.iter().map(line).collect::<String>());
    }

    #[test]
    fn a_node_spec_says_what_is_wrong_with_it() {
        let schema = schema_for!(NodeSpec).to_value();
        check(
            &schema,
            &json!({
                "image": {"os_family": "debian"}, "hardware": {"min_cores": 2},
                "provider": {"ec2": {"x": 1}},
            }),
            expect![""],
        );
        check(
            &schema,
            &json!({
                "image": {"os_famly": "debian"}, "hardware": {"min_cores": "2", "min_ram": -1},
                "network": {"inbound_ports": [70000]},
            }),
            expect![[r#"
                `image` has no key `os_famly`; did you mean `os_family`?
                `hardware.min_cores` must be an integer, not the string "2"; -
                `hardware.min_ram` must be at least 0, not -1; -
                `network.inbound_ports.0` must be 0 to 65535, not 70000; -
            "#]],
        );
        check(
            &schema,
            &json!({"image": "debian"}),
            expect![[r#"
            `image` must be a table of keys and values, not the string "debian"; -
            `image` must be a table of keys and values, not the string "debian"; -
        "#]],
        );
    }

    #[test]
    fn enumerations_are_listed() {
        let schema = json!({
            "properties": {"action": {"oneOf": [{"const": "create"}, {"const": "delete"}]}},
            "required": ["action", "path"],
        });
        check(
            &schema,
            &json!({"action": "remove", "path": 1}),
            expect![[r#"
                `action` must be "create" or "delete", not the string "remove"; did you mean "delete"?
                has no key `path`; there are action
            "#]],
        );
    }
}
