//! Checks a service's options against the schema of its provider.

use serde_json::{Map, Value};

use super::Service;
use crate::diagnostic::{Diagnostic, Diagnostics, did_you_mean_or_list};
use crate::project::schema::{Problem, Schema};

/// Checks a provider's options. If the schema is `null`, the provider has not declared any.
pub(crate) fn check_options(schema: &Value, options: &Map<String, Value>) -> Vec<Problem> {
    if schema.is_null() {
        Vec::new()
    } else {
        Schema::closed(schema).check(&Value::Object(options.clone()))
    }
}

impl Service {
    /// The error about a provider that cannot be used, at the place that names it. `error` is from
    /// loading it; `installed` lists the available providers.
    pub(crate) fn without_provider(&self, error: &str, installed: &[&str]) -> Diagnostic {
        let place = self.places.get("provider").or_else(|| self.places.get("")).cloned();
        if installed.contains(&self.provider.as_str()) {
            return Diagnostic::error(error).at(place);
        }
        let suggestion = did_you_mean_or_list(&self.provider, installed, "there are");
        let suggestion = suggestion
            .or_else(|| Some("no provider is installed; see `pallet-cli providers`".to_owned()));
        Diagnostic::error(format!("there is no provider `{}`", self.provider))
            .at(place)
            .suggest(suggestion)
    }

    /// Checks the options of this service, with their places in pallet.toml.
    pub(crate) fn check(&self, schema: &Value) -> Diagnostics {
        let problems = check_options(schema, &self.options).into_iter();
        let diagnostics = problems.map(|problem| {
            let mut path: Vec<&str> = problem
                .path
                .iter()
                .chain(problem.unknown_key.as_ref())
                .map(String::as_str)
                .collect();
            let mut place = None;
            while place.is_none() && !path.is_empty() {
                place = self.places.get(&path.join("."));
                path.pop();
            }
            let place = place.or_else(|| self.places.get("")).cloned();
            let message = match &problem.unknown_key {
                Some(key) if problem.path.is_empty() => {
                    format!("provider {} has no option `{key}`", self.provider)
                }
                _ => format!("provider {}: {}", self.provider, problem.sentence("")),
            };
            Diagnostic::error(message).at(place).suggest(problem.suggestion)
        });
        Diagnostics(diagnostics.collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::project::config::{ConfigText, read};
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn an_option_that_the_provider_does_not_have() {
        let text = "[services.lab]\nprovider = \"docker\"\nsokcet = \"/run/docker.sock\"\n\
            pull = \"yes\"\n";
        let (config, found) =
            read(&ConfigText { file: "pallet.toml", text, ..ConfigText::default() });
        assert_eq!(found.0, []);
        let schema = json!({
            "type": "object",
            "properties": {"socket": {"type": "string"}, "pull": {"type": "boolean"}},
        });
        expect![[r#"
            error: provider docker has no option `sokcet`
             --> pallet.toml:3:1
              |
            3 | sokcet = "/run/docker.sock"
              | ^^^^^^
              = help: did you mean `socket`?

            error: provider docker: `pull` must be true or false, not the string "yes"
             --> pallet.toml:4:1
              |
            4 | pull = "yes"
              | ^^^^
        "#]]
        .assert_eq(&config.services["lab"].check(&schema).render(false));
    }

    #[test]
    fn a_provider_that_there_is_not() {
        let text = "[services.lab]\ntoken = 1\nprovider = \"sandbx\"\n";
        let (config, _) = read(&ConfigText { file: "pallet.toml", text, ..ConfigText::default() });
        let lab = &config.services["lab"];
        expect![[r#"
            error: there is no provider `sandbx`
             --> pallet.toml:3:1
              |
            3 | provider = "sandbx"
              | ^^^^^^^^
              = help: did you mean `sandbox`?
        "#]]
        .assert_eq(&lab.without_provider("missing", &["docker", "sandbox"]).render(false));
        assert_eq!(
            lab.without_provider("", &[]).one_line(),
            "there is no provider `sandbx`; no provider is installed; see `pallet-cli providers`"
        );
        assert_eq!(
            lab.without_provider("it was built for another interface", &["sandbx"]).one_line(),
            "it was built for another interface"
        );
    }
}
