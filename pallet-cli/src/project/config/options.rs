//! A service's options, checked against the schema of its provider.

use serde_json::{Map, Value};

use super::Service;
use crate::project::diagnostic::{Diagnostic, Diagnostics};
use crate::project::schema::{Problem, Schema};

/// What is wrong with a provider's options. `null` for a schema says that the provider does not tell.
pub(crate) fn check_options(schema: &Value, options: &Map<String, Value>) -> Vec<Problem> {
    if schema.is_null() { Vec::new() } else { Schema::closed(schema).check(&Value::Object(options.clone())) }
}

impl Service {
    /// What is wrong with the options of this service, with their places in pallet.toml.
    pub(crate) fn check(&self, schema: &Value) -> Diagnostics {
        let problems = check_options(schema, &self.options).into_iter();
        let diagnostics = problems.map(|problem| {
            let key = problem.path.first().or(problem.unknown_key.as_ref()).map_or("", String::as_str);
            let place = self.places.get(key).or_else(|| self.places.get("")).cloned();
            let message = match &problem.unknown_key {
                Some(key) if problem.path.is_empty() => format!("provider {} has no option `{key}`", self.provider),
                _ => format!("provider {}: {}", self.provider, problem.sentence("")),
            };
            Diagnostic::error(message).at(place).suggest(problem.suggestion)
        });
        Diagnostics(diagnostics.collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::project::config::{Source, read};
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn an_option_that_the_provider_does_not_have() {
        let text = "[services.lab]\nprovider = \"docker\"\nsokcet = \"/run/docker.sock\"\npull = \"yes\"\n";
        let (config, found) = read(&Source { file: "pallet.toml", text, ..Source::default() });
        assert_eq!(found.0, []);
        let schema = json!({"type": "object", "properties": {"socket": {"type": "string"}, "pull": {"type": "boolean"}}});
        expect![[r#"
            error: provider docker: `pull` must be true or false, not the string "yes"
             --> pallet.toml:4:1
              |
            4 | pull = "yes"
              | ^^^^

            error: provider docker has no option `sokcet`
             --> pallet.toml:3:1
              |
            3 | sokcet = "/run/docker.sock"
              | ^^^^^^
              = help: did you mean `socket`?
        "#]]
        .assert_eq(&config.services["lab"].check(&schema).render(false));
    }
}
