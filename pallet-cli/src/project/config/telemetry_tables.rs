//! The types of the tables of what is told about operations.

use std::path::PathBuf;

use pallet_core::schemars::JsonSchema;

use super::secret_tables::Secret;

/// Traces and numbers of operations. Nothing is sent or written if this table is omitted.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) struct TelemetryConfig {
    /// Send a trace of each operation to a collector of OpenTelemetry, by OTLP over HTTP:
    /// `"http://127.0.0.1:4318"`. `true` stands for the collector in `OTEL_EXPORTER_OTLP_ENDPOINT`.
    #[schemars(extend("x-takes" = "a string or true"))]
    #[schemars(with = "Option<String>")]
    pub(crate) otlp: Option<Otlp>,
    /// Write the numbers of the last operation to this file, in the text format of Prometheus. For
    /// node_exporter, the file is in its directory for text files, and its name ends with `.prom`.
    pub(crate) prometheus: Option<PathBuf>,
}

/// A collector of traces.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(feature = "telemetry"), allow(dead_code, reason = "nothing is sent there"))]
pub(crate) enum Otlp {
    /// The one that the environment names.
    Environment,
    /// The one with this URL.
    At(String),
}

/// Whom to tell that an operation has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OnFinish {
    pub(crate) to: Recipient,
    /// Whether it is told of every operation, or only of those that failed or changed something.
    pub(crate) when: Vec<When>,
}

/// A recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recipient {
    /// A shell command.
    Command(String),
    /// A URL.
    Webhook(Url),
    /// A webhook of Slack, or of a chat that takes the same messages.
    Slack(Secret),
}

/// A URL, or where it is found if it is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(feature = "telemetry"), allow(dead_code, reason = "nothing is sent there"))]
pub(crate) enum Url {
    Plain(String),
    Secret(Secret),
}

/// A kind of end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Always,
    Failed,
    Changed,
}

/// An entry of `[[on_finish]]` as a table.
#[derive(JsonSchema)]
#[schemars(crate = "pallet_core::schemars")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct OnFinishTable {
    /// A shell command, which gets the summary in JSON as its standard input.
    command: Option<String>,
    /// A URL, or a reference to a secret, to which the summary is sent in JSON.
    #[schemars(extend("x-takes" = "a string or a reference to a secret"))]
    webhook: Option<String>,
    /// A reference to a secret: the URL of an incoming webhook of Slack.
    #[schemars(extend("x-takes" = "a reference to a secret"))]
    slack: Option<String>,
    /// `always`, `failed`, `changed`. Default: `["always"]`.
    when: Option<Vec<String>>,
}

impl OnFinish {
    /// The secret in its URL.
    pub(crate) fn secret(&self) -> Option<&Secret> {
        match &self.to {
            Recipient::Slack(secret) | Recipient::Webhook(Url::Secret(secret)) => Some(secret),
            Recipient::Command(_) | Recipient::Webhook(Url::Plain(_)) => None,
        }
    }
}

impl TelemetryConfig {
    pub(super) fn merged(self, over: TelemetryConfig) -> TelemetryConfig {
        TelemetryConfig {
            otlp: over.otlp.or(self.otlp),
            prometheus: over.prometheus.or(self.prometheus),
        }
    }
}
