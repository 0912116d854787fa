//! Rules: alerts, and series that are recorded.

use pallet_core::prelude::*;
use pallet_core::serde_json::Map;

use super::address::check_duration;
use super::component::{file, reload, service};
use super::server::DIRECTORY;
use super::system::system;
use super::yaml::{document, refuse_secrets};

parameters! {
    /// Adds rules to the server of this node, as a group in a file of their own. Call it after
    /// `prometheus.server`. `promtool` checks them before they take their place, and the server is
    /// reloaded if they changed.
    ///
    /// Example: `prometheus.rules(request, "nodes", rules = [{"alert": "NodeDown", "expr": "up == 0", "for": "5m", "labels": {"severity": "page"}}])`
    pub(crate) struct Rules {
        /// Names the group and its file: letters, digits, `-`, `_` and `.`.
        name: String,
        /// The rules, each a dict with `alert` or `record`, and `expr`; for alerts also `for`,
        /// `labels`, `annotations`.
        #[serde(default)]
        rules: Vec<Map<String, Value>>,
        /// How often they are evaluated. Default: the server's interval.
        #[serde(default)]
        interval: Option<String>,
        /// `create`, or `delete` the rules.
        #[serde(default)]
        action: Existence,
    }
}

pub(crate) fn rules(request: &mut Request, arguments: Rules) -> Result<()> {
    let system = system(request)?;
    let Rules { name, rules, interval, action } = arguments;
    check_file_name("rules", &name)?;
    let path = format!("{DIRECTORY}/rules.d/{name}.yml");
    let changed = Options::new().flag_on_change(reload(&system.server));
    if action == Existence::Delete {
        request.add_with(File::at(path).absent(), changed)?;
        return service(request, &system.server, true);
    }
    ensure!(!rules.is_empty(), "rules {name}: give at least one");
    for rule in &rules {
        let text = |key: &str| rule.get(key).is_some_and(Value::is_string);
        ensure!(
            text("expr") && (text("alert") != text("record")),
            "rules {name}: each rule needs `expr`, and either `alert` or `record`"
        );
    }
    let mut group = Map::new();
    group.insert("name".into(), name.into());
    if let Some(interval) = interval {
        check_duration("interval", &interval)?;
        group.insert("interval".into(), interval.into());
    }
    group.insert("rules".into(), json!(rules));
    let all = Map::from_iter([("groups".to_owned(), json!([group]))]);
    refuse_secrets("rules", &Value::Object(all.clone()))?;
    let file = file(path, document(&all), system.group).verify("promtool check rules");
    request.add_with(file, changed)?;
    service(request, &system.server, true)
}

#[cfg(test)]
mod tests {
    use super::super::Prometheus;
    use super::*;

    #[test]
    fn rules_are_a_group() {
        let mut recorder = Recorder::<Prometheus>::on("debian 12");
        let rules = json!([{"alert": "Down", "expr": "up == 0", "for": "5m"}]);
        recorder.call("rules", json!({"name": "nodes", "rules": rules})).unwrap();
        let file = recorder.actions().remove(0);
        assert_eq!(file.subject, "/etc/prometheus/rules.d/nodes.yml");
        assert_eq!(
            file.arguments["content"],
            "# written by pallet\ngroups:\n  - name: \"nodes\"\n    rules:\n      \
             - alert: \"Down\"\n        expr: \"up == 0\"\n        for: \"5m\"\n"
        );
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for (arguments, said) in [
            (json!({"name": "a"}), "at least one"),
            (json!({"name": "../a"}), "cannot name rules"),
            (json!({"name": "a", "rules": [{"expr": "up"}]}), "either `alert` or `record`"),
            (json!({"name": "a", "rules": [{"alert": "A"}]}), "needs `expr`"),
        ] {
            let error =
                Recorder::<Prometheus>::on("debian 12").call("rules", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
