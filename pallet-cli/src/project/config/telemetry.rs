//! Reads the tables of what is told about operations: `[telemetry]` and `[[on_finish]]`.

use toml::Spanned;
use toml::de::DeValue;

use super::keys::keys;
use super::read::Reader;
use super::telemetry_tables::{
    OnFinish, OnFinishTable, Otlp, Recipient, TelemetryConfig, Url, When,
};
use super::value::items;

impl Reader<'_> {
    pub(super) fn telemetry(&mut self, value: &Spanned<DeValue<'_>>) -> TelemetryConfig {
        let mut telemetry = TelemetryConfig::default();
        for (key, span, value) in self.table("telemetry", value) {
            match (key, value.get_ref().as_bool(), value.get_ref().as_str()) {
                ("otlp", Some(true), _) => telemetry.otlp = Some(Otlp::Environment),
                ("otlp", Some(false), _) => telemetry.otlp = None,
                ("otlp", _, Some(url)) if is_url(url) => {
                    telemetry.otlp = Some(Otlp::At(url.trim_end_matches('/').to_owned()));
                }
                ("otlp", ..) => {
                    self.error(value.span(), "`otlp` must be the URL of a collector, or true");
                }
                ("prometheus", ..) => {
                    telemetry.prometheus = self.string(key, value).map(|path| self.path(&path));
                }
                _ => self.unknown(span, key, "telemetry", &keys::<TelemetryConfig>()),
            }
        }
        telemetry
    }

    pub(super) fn on_finish(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<OnFinish> {
        let Some(entries) = value.get_ref().as_array() else {
            self.wrong(value, "on_finish", "a list of tables: write [[on_finish]]");
            return Vec::new();
        };
        // a line may contain a URL that is a secret
        self.hiding("on_finish", |reader| {
            entries.iter().filter_map(|entry| reader.recipient(entry)).collect()
        })
    }

    fn recipient(&mut self, value: &Spanned<DeValue<'_>>) -> Option<OnFinish> {
        let (mut to, mut when) = (Vec::new(), vec![When::Always]);
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(value, "on_finish", "a list of tables: write [[on_finish]]");
            return None;
        };
        for (key, span, value) in items(table) {
            match key {
                "command" => to.push(Recipient::Command(self.string(key, value)?)),
                "webhook" => match value.get_ref().as_str() {
                    Some(url) if is_url(url) => {
                        to.push(Recipient::Webhook(Url::Plain(url.to_owned())));
                    }
                    Some(_) => {
                        self.error(value.span(), "`webhook` must begin with https:// or http://");
                        return None;
                    }
                    None => {
                        let secret = self.secret(key, value)?;
                        to.push(Recipient::Webhook(Url::Secret(secret)));
                    }
                },
                "slack" => to.push(Recipient::Slack(self.secret(key, value)?)),
                "when" => {
                    let words = self.strings(key, value);
                    let known = words.iter().map(|word| match word.as_str() {
                        "always" => Some(When::Always),
                        "failed" => Some(When::Failed),
                        "changed" => Some(When::Changed),
                        _ => None,
                    });
                    let Some(known) = known.collect() else {
                        self.error(value.span(), "`when` must be of always, failed and changed");
                        return None;
                    };
                    when = known;
                }
                _ => {
                    self.unknown(span, key, "on_finish", &keys::<OnFinishTable>());
                    return None;
                }
            }
        }
        if to.len() != 1 {
            let message = "[[on_finish]] must have one of `command`, `webhook` and `slack`";
            self.error(value.span(), message);
        }
        to.pop().map(|to| OnFinish { to, when })
    }
}

fn is_url(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::config::{ConfigText, read};

    #[test]
    fn recipients_are_read_and_mistakes_never_show_them() {
        let text = r#"
[telemetry]
otlp = true
prometheus = "pallet.prom"

[[on_finish]]
command = "notify"
when = ["failed", "changed"]

[[on_finish]]
webhook = "https://example.org/hook"

[[on_finish]]
slack = { env = "SLACK" }
"#;
        let (config, found) =
            read(&ConfigText { file: "pallet.toml", text, ..ConfigText::default() });
        assert_eq!(found.0, []);
        assert_eq!(config.telemetry.otlp, Some(Otlp::Environment));
        assert_eq!(config.on_finish.len(), 3);
        assert_eq!(config.on_finish[0].when, [When::Failed, When::Changed]);

        let text = "[[on_finish]]\nslack = \"https://hunter2\"\n[[on_finish]]\nwebhook = \
            \"hunter2\"\n[[on_finish]]\ncommand = \"hunter2\"\nslack = { env = \"A\" }\n\
            [[on_finish]]\ncommand = \"hunter2\"\nwhen = [\"hunter2\"]\n[telemetry]\notlp = 1\n";
        let (_, found) = read(&ConfigText { file: "pallet.toml", text, ..ConfigText::default() });
        let shown = found.render(false);
        for wanted in [
            "`slack` must say where the secret is found",
            "`webhook` must begin with https:// or http://",
            "[[on_finish]] must have one of `command`, `webhook` and `slack`",
            "`when` must be of always, failed and changed",
            "`otlp` must be the URL of a collector, or true",
        ] {
            assert!(shown.contains(wanted), "{wanted}: {shown}");
        }
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
