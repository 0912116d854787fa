//! Traces for a collector of OpenTelemetry: OTLP over HTTP, in JSON.
//!
//! The IDs follow from the operation's, so sending a trace twice changes nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail, ensure};
use pallet_core::model::digest;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::trace::{Period, Trace};
use crate::http::{Http, one_line};
use crate::process::ProcessEnv;
use crate::project::config::Otlp;

/// How many spans are sent at once.
const BATCH: usize = 1000;

/// Why there may be no permission.
const WITHHELD: &str = "; OTEL_EXPORTER_OTLP_HEADERS are only for the server of \
                        OTEL_EXPORTER_OTLP_ENDPOINT";

/// Sends the spans of an operation.
pub(super) fn send(otlp: &Otlp, project: &str, trace: &Trace) -> anyhow::Result<()> {
    let url = match otlp {
        Otlp::At(url) => format!("{url}/v1/traces"),
        Otlp::Environment => from_environment()?,
    };
    // the headers of the environment often have a token, and a project names any server
    let own = from_environment().is_ok_and(|known| is_same_server(&known, &url));
    let given = headers()?;
    let withheld = !own && !given.is_empty();
    let headers = if own { given } else { Vec::new() };
    let mut all = vec![("content-type", "application/json")];
    all.extend(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let (http, resource) = (Http::new(None)?, resource());
    for spans in spans(project, trace, variable("TRACEPARENT").as_deref()).chunks(BATCH) {
        let scope = json!({"name": "pallet", "version": env!("CARGO_PKG_VERSION")});
        let body = json!({"resourceSpans": [{
            "resource": {"attributes": resource},
            "scopeSpans": [{"scope": scope, "spans": spans}],
        }]});
        // neither the URL nor the answer is shown: both may contain a token
        let sent = http.send("POST", &url, &all, Some(body.to_string().as_bytes()));
        let answer = sent.context("cannot send the trace to the collector")?;
        let status = answer.status;
        let why = if withheld { WITHHELD } else { "" };
        ensure!(
            (200..300).contains(&status),
            "the collector refuses the trace: status {status}{why}"
        );
        let answer: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let part = &answer["partialSuccess"];
        let rejected = part["rejectedSpans"].as_str().map(str::to_owned);
        let rejected = rejected.unwrap_or_else(|| part["rejectedSpans"].to_string());
        if !matches!(rejected.as_str(), "null" | "0") {
            bail!("the collector rejects {} spans of the trace", one_line(&rejected));
        }
    }
    Ok(())
}

fn variable(name: &str) -> Option<String> {
    ProcessEnv::variable(name).filter(|value| !value.is_empty())
}

fn from_environment() -> anyhow::Result<String> {
    if let Some(url) = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
        return Ok(url);
    }
    let url = variable("OTEL_EXPORTER_OTLP_ENDPOINT").context(
        "the collector is not known: set OTEL_EXPORTER_OTLP_ENDPOINT, or a URL as `otlp` of \
         [telemetry]",
    )?;
    Ok(format!("{}/v1/traces", url.trim_end_matches('/')))
}

/// Whether these URLs have the same scheme, host and port.
fn is_same_server(one: &str, other: &str) -> bool {
    let server = |url: &str| {
        let url: ureq::http::Uri = url.parse().ok()?;
        let port = if url.scheme_str()? == "https" { 443 } else { 80 };
        let host = url.host()?.to_ascii_lowercase();
        Some((url.scheme_str()?.to_owned(), host, url.port_u16().unwrap_or(port)))
    };
    server(one).is_some_and(|one| server(other) == Some(one))
}

/// `KEY=VALUE,KEY=VALUE`, percent-encoded.
fn pairs(text: &str) -> Vec<(String, String)> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    let decoded = |text: &str| percent_decode_str(text.trim()).decode_utf8_lossy().into_owned();
    pairs.map(|(key, value)| (decoded(key), decoded(value))).collect()
}

fn headers() -> anyhow::Result<Vec<(String, String)>> {
    let text = variable("OTEL_EXPORTER_OTLP_TRACES_HEADERS")
        .or_else(|| variable("OTEL_EXPORTER_OTLP_HEADERS"))
        .unwrap_or_default();
    let pairs = pairs(&text);
    let good = |text: &str| !text.contains(|c: char| c.is_control());
    ensure!(
        pairs.iter().all(|(name, value)| good(name) && good(value)),
        "OTEL_EXPORTER_OTLP_HEADERS has control characters"
    );
    Ok(pairs)
}

/// What sends the trace: this program.
fn resource() -> Vec<Value> {
    let given = pairs(&variable("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default());
    let name = variable("OTEL_SERVICE_NAME")
        .or_else(|| given.iter().find(|(key, _)| key == "service.name").map(|it| it.1.clone()))
        .unwrap_or_else(|| "pallet".to_owned());
    let more = given.iter().filter(|(key, _)| key != "service.name");
    std::iter::once(attribute("service.name", name.into()))
        .chain(more.map(|(key, value)| attribute(key, value.as_str().into())))
        .collect()
}

fn attribute(key: &str, value: Value) -> Value {
    let value = match value {
        Value::Bool(value) => json!({"boolValue": value}),
        // 64-bit integers are strings in the JSON of protocol buffers
        Value::Number(value) => json!({"intValue": value.to_string()}),
        Value::String(value) => json!({"stringValue": value}),
        other => json!({"stringValue": other.to_string()}),
    };
    json!({"key": key, "value": value})
}

/// All spans: the operation, its nodes, their phases, and the actions of these.
fn spans(project: &str, trace: &Trace, parent: Option<&str>) -> Vec<Value> {
    let parent = parent.and_then(parent_of);
    let (trace_id, above) = match &parent {
        Some((trace_id, span)) => (trace_id.clone(), Some(span.clone())),
        None => (trace.id.replace('-', ""), None),
    };
    let id = |path: &[&str]| {
        digest([&[&*trace.id], path].concat().join("\0").as_bytes())[..16].to_owned()
    };
    let span = |id: &str,
                above: Option<&str>,
                name: &str,
                time: Period,
                error: Option<&str>,
                about: Value| {
        let about = about.as_object().cloned().unwrap_or_default();
        let about: Vec<_> = about.into_iter().map(|(key, value)| attribute(&key, value)).collect();
        let mut span = json!({
            "traceId": trace_id,
            "spanId": id,
            "name": name,
            "kind": 1,
            "startTimeUnixNano": nanoseconds(time.begin),
            "endTimeUnixNano": nanoseconds(time.end.max(time.begin)),
            "attributes": about,
        });
        if let Some(above) = above {
            span["parentSpanId"] = above.into();
        }
        if let Some(error) = error {
            span["status"] = json!({"code": 2, "message": error});
        }
        span
    };

    let totals = trace.totals.unwrap_or_default();
    let error = match (totals.ok, totals.cancelled, trace.totals) {
        (true, ..) => None,
        (_, true, _) => Some("stopped before the end".to_owned()),
        (.., Some(_)) => Some(format!("{} nodes failed", totals.failed)),
        (.., None) => Some("failed".to_owned()),
    };
    let root = id(&[]);
    let about = json!({
        "pallet.operation": trace.id, "pallet.project": project, "pallet.dry_run": trace.dry_run,
        "pallet.nodes.changed": totals.changed, "pallet.nodes.unchanged": totals.unchanged,
        "pallet.nodes.failed": totals.failed, "pallet.nodes.not_reached": totals.not_reached,
        "pallet.nodes.created": totals.created, "pallet.nodes.destroyed": totals.destroyed,
        "pallet.actions.omitted": trace.left_out,
    });
    let kind = trace.kind.to_string();
    let mut all = vec![span(&root, above.as_deref(), &kind, trace.time, error.as_deref(), about)];
    for (name, node) in &trace.nodes {
        let node_id = id(&[name]);
        let error = node.error.as_ref().map(|error| error.message.as_str());
        let about = json!({
            "pallet.node": name, "pallet.group": node.group, "pallet.changed": node.changed,
        });
        all.push(span(&node_id, Some(&root), &format!("node {name}"), node.time, error, about));
        for phase in &node.phases {
            let phase_id = id(&[name, &phase.phase]);
            let about = json!({"pallet.node": name, "pallet.phase": phase.phase});
            let title = format!("phase {}", phase.phase);
            let error = phase.error.as_deref();
            all.push(span(&phase_id, Some(&node_id), &title, phase.time, error, about));
            for (number, action) in phase.actions.iter().enumerate() {
                let action_id = id(&[name, &phase.phase, &number.to_string()]);
                let about = json!({
                    "pallet.node": name, "pallet.phase": phase.phase,
                    "pallet.action": action.action, "pallet.changed": action.changed,
                });
                let (title, error) = (&action.action, action.error.as_deref());
                all.push(span(&action_id, Some(&phase_id), title, action.time, error, about));
            }
        }
    }
    all
}

/// The trace and the span that this operation is a part of: `00-TRACE-SPAN-FLAGS`.
fn parent_of(text: &str) -> Option<(String, String)> {
    let [version, trace, span, flags] = text.trim().split('-').collect::<Vec<_>>()[..] else {
        return None;
    };
    let good = |text: &str, length: usize| {
        text.len() == length
            && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let some = |text: &str| text.bytes().any(|byte| byte != b'0');
    let all = good(version, 2) && good(trace, 32) && good(span, 16) && good(flags, 2);
    (all && version != "ff" && some(trace) && some(span))
        .then(|| (trace.to_owned(), span.to_owned()))
}

fn nanoseconds(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_what_w3c_says() {
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        let good = format!("00-{trace}-{span}-01");
        assert_eq!(parent_of(&good), Some((trace.to_owned(), span.to_owned())));
        for bad in [
            "",
            "00-x-y-01",
            &format!("ff-{trace}-{span}-01"),
            &format!("00-{}-{span}-01", "0".repeat(32)),
            &format!("00-{}-{span}-01", trace.to_uppercase()),
        ] {
            assert_eq!(parent_of(bad), None, "{bad}");
        }
        for (one, other, same) in [
            ("https://otel.example.com/a", "https://Otel.example.com:443/v1/traces", true),
            ("https://otel.example.com", "http://otel.example.com", false),
            ("https://otel.example.com", "https://otel.example.com.evil.net", false),
            ("https://otel.example.com", "https://otel.example.com@evil.net", false),
            ("http://127.0.0.1:4318", "http://127.0.0.1:4319", false),
            ("otel", "otel", false),
        ] {
            assert_eq!(is_same_server(one, other), same, "{one} {other}");
        }
        let expected = [("a".to_owned(), "b c".to_owned()), ("d".to_owned(), "e=f".to_owned())];
        assert_eq!(pairs("a=b%20c, d=e=f,g"), expected);
    }
}
