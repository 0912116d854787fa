//! Traces, numbers and notices of operations on nodes with real sshd. The collector and the
//! webhooks are a stand-in; what it receives and what is written is read by OpenTelemetry's and
//! Prometheus's own libraries.

use std::collections::BTreeMap;
use std::time::Duration;

use pallet_tests::{Bed, Collector, Process, Programs, Project};
use serde_json::Value;

use crate::lift::project;

const SECRET: &str = "hunter2-5Zr8";

const APP: &str = r#"
def settings(request):
    pass

def configure(request):
    remote_file(request, "/srv/app", content = secret("app") + "\n")
    directory(request, "/srv/data")
    if request.target.name == "node2":
        exec_script(request, "echo " + secret("app") + " '<!channel>' >&2; exit 3")

app = group_spec("app", phases = {"settings": settings, "configure": configure})
"#;

/// A project of two nodes, the second of which fails.
fn telling(bed: &Bed, tables: &str) -> Project {
    let project = project(bed, 2, "root", APP).set("APP_PASSWORD", SECRET);
    let tables = format!(
        "[project]\nname = \"shop\"\n\n{tables}\n\n\
         [secrets]\napp = {{ env = \"APP_PASSWORD\" }}\n\n[admin_user]"
    );
    project.edit("pallet.toml", "[admin_user]", &tables);
    project
}

/// The attributes of a span.
fn attributes(span: &Value) -> BTreeMap<&str, &Value> {
    let all = span["attributes"].as_array().unwrap().iter();
    all.map(|one| {
        let value = one["value"].as_object().unwrap().values().next().unwrap();
        (one["key"].as_str().unwrap(), value)
    })
    .collect()
}

/// Has a Python with the libraries of OpenTelemetry and Prometheus check something.
fn python(bed: &Bed, programs: &Programs, script: &str, argument: &str) -> String {
    let command = programs.command(bed, &["python", "-c", script, argument]);
    Process::start(command, Duration::from_secs(60)).wait().exits(0).stdout
}

#[test]
fn an_operation_is_a_trace() {
    let bed = Bed::of(2);
    let programs = Programs::installed();
    let collector = Collector::on(&bed);
    let project = telling(&bed, &format!("[telemetry]\notlp = {:?}", collector.url("")))
        .set("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20tok")
        .set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", collector.url("/own"))
        .set("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")
        .set("OTEL_SERVICE_NAME", "shop-deploy");
    project.run(&["lift"]).exits(1).never_says("warning");
    let traces = collector.bodies("/v1/traces");
    let [trace] = &traces[..] else { panic!("{traces:#?}") };
    assert!(!trace.to_string().contains(SECRET), "{trace:#}");
    let head = &collector.received()[0].head;
    assert!(head.contains("authorization: bearer tok\n"), "{head}");
    let resource = &trace["resourceSpans"][0]["resource"];
    let resource = attributes(resource);
    assert_eq!(resource["service.name"], "shop-deploy");
    assert_eq!(resource["deployment.environment"], "test");

    // each span, by its ID
    let spans = trace["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    let by_id: BTreeMap<_, _> = spans.iter().map(|span| (span["spanId"].as_str(), span)).collect();
    assert_eq!(by_id.len(), spans.len());
    let path = |span: &Value| {
        let (mut names, mut span) = (vec![span["name"].as_str().unwrap().to_owned()], span);
        while let Some(parent) = span["parentSpanId"].as_str() {
            span = by_id[&Some(parent)];
            names.insert(0, span["name"].as_str().unwrap().to_owned());
        }
        names.join(" / ")
    };
    let failed = |span: &&Value| span["status"]["code"] == 2;
    let all: BTreeMap<_, _> = spans.iter().map(|span| (path(span), span)).collect();
    for wanted in [
        "lift",
        "lift / node node1",
        "lift / node node1 / phase configure",
        "lift / node node1 / phase configure / remote_file /srv/app",
        "lift / node node2 / phase configure / directory /srv/data",
    ] {
        assert!(all.contains_key(wanted), "{wanted}: {:#?}", all.keys());
    }
    let bad: Vec<_> = all.iter().filter(|(_, span)| failed(span)).map(|(path, _)| path).collect();
    assert_eq!(bad.len(), 4, "the operation, the node, the phase and the action: {bad:?}");
    let told = attributes(all["lift"]);
    assert_eq!(
        (told["pallet.project"], told["pallet.nodes.failed"]),
        (&"shop".into(), &"1".into())
    );
    let id = told["pallet.operation"].as_str().unwrap().replace('-', "");
    assert!(spans.iter().all(|span| span["traceId"] == id.as_str()), "{trace:#}");
    let told = attributes(all["lift / node node1"]);
    assert_eq!((told["pallet.group"], told["pallet.changed"]), (&"app".into(), &true.into()));

    // OpenTelemetry's own library reads it, and knows every field
    let read = r#"
import sys
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
request = json_format.Parse(sys.argv[1], ExportTraceServiceRequest())
spans = request.resource_spans[0].scope_spans[0].spans
assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in spans)
print(len(spans), sum(span.status.code == 2 for span in spans))
"#;
    let counted = python(&bed, &programs, read, &trace.to_string());
    assert_eq!(counted.trim(), format!("{} 4", spans.len()));

    // the collector of the environment, and a part of a larger trace
    let project = project.unset("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    project.edit("pallet.toml", &format!("otlp = {:?}", collector.url("")), "otlp = true");
    project
        .run(&["lift", "--dry-run"])
        .says("warning: [telemetry] otlp: the collector is not known");
    let project = project
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url("/otel"))
        .set("TRACEPARENT", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    project.run(&["lift", "--dry-run"]).never_says("warning: [telemetry]");
    let dry = &collector.bodies("/otel/v1/traces")[0]["resourceSpans"][0]["scopeSpans"][0];
    assert_eq!(dry["spans"][0]["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(dry["spans"][0]["parentSpanId"], "00f067aa0ba902b7");
    assert_eq!(attributes(&dry["spans"][0])["pallet.dry_run"], &Value::Bool(true));

    // a collector that is not there changes nothing
    let project = project.set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
    let error =
        "warning: [telemetry] otlp: cannot send the trace to the collector: nothing listens";
    project.run(&["run", "app", "--", "true"]).exits(0).says(error);
}

#[test]
fn the_last_operation_has_numbers() {
    let bed = Bed::of(2);
    let programs = Programs::installed();
    let project = telling(&bed, "[telemetry]\nprometheus = \"metrics/pallet.prom\"");
    let file = project.directory().join("metrics/pallet.prom");
    project.run(&["lift", "--dry-run"]);
    assert!(!file.exists(), "a dry run is not the last operation");
    project.run(&["lift"]).exits(1);
    let read = r#"
import sys
from prometheus_client.parser import text_string_to_metric_families
for family in text_string_to_metric_families(open(sys.argv[1]).read()):
    assert family.type == "gauge" and family.documentation, family
    for sample in family.samples:
        assert sample.labels["project"] == "shop", sample
        name = sample.name.removeprefix("pallet_last_operation_")
        print(name, sample.labels["kind"], sample.labels.get("result"), sample.value)
"#;
    let numbers = || python(&bed, &programs, read, file.to_str().unwrap());
    let shown = numbers();
    for line in [
        "success lift None 0",
        "cancelled lift None 0",
        "nodes lift changed 1",
        "nodes lift failed 1",
        "nodes lift not_reached 0",
        "changes lift None 4",
    ] {
        assert!(shown.lines().any(|known| known == line), "{line}: {shown}");
    }
    project.run(&["run", "app", "--", "true"]).exits(0);
    assert!(numbers().contains("success run None 1"), "{}", numbers());
    project.edit("pallet.toml", "metrics/pallet.prom", "pallet.star/x.prom");
    let error = "warning: [telemetry] prometheus: cannot write ";
    project.run(&["run", "app", "--", "true"]).exits(0).says(error);
}

#[test]
fn commands_and_webhooks_are_told() {
    let bed = Bed::of(2);
    let collector = Collector::on(&bed);
    let tables = format!(
        "[[on_finish]]\ncommand = \"cat > told; env | grep ^PALLET_ | sort >> told; echo noise\"\n\
         when = [\"failed\"]\n\n\
         [[on_finish]]\nwebhook = {:?}\n\n\
         [[on_finish]]\nslack = {{ env = \"CHAT\" }}\nwhen = [\"changed\"]\n\n\
         [[on_finish]]\nwebhook = {{ file = \"hook\" }}\nwhen = [\"failed\"]\n\n\
         [[on_finish]]\ncommand = \"exit 3\"\nwhen = [\"failed\"]\n",
        collector.url("/hook")
    );
    let project = telling(&bed, &tables).set("CHAT", collector.url("/chat/tok-9Qx1"));
    let error = "warning: on_finish: no notice can be sent: cannot read the secret ";
    project.run(&["check"]).exits(0).says(error);
    project.write("hook", collector.url("/refused"));
    project.run(&["check"]).exits(0).never_says("on_finish");
    let shown = project.run(&["lift"]).exits(1).never_says("9Qx1").never_says("/refused");
    assert!(!shown.stdout.contains("noise") && shown.to_string().contains("noise"), "{shown}");
    shown
        .says("warning: on_finish: the command \"exit 3\": it failed: exit status: 3")
        .says("warning: on_finish: webhook: it is refused: status 500");
    let told = std::fs::read_to_string(project.directory().join("told")).unwrap();
    let (summary, variables) = told.split_once('\n').unwrap();
    let summary: Value = serde_json::from_str(summary).unwrap();
    assert_eq!(collector.bodies("/hook"), std::slice::from_ref(&summary));
    assert_eq!((&summary["project"], &summary["result"]), (&"shop".into(), &"failed".into()));
    assert_eq!(
        (&summary["totals"]["changed"], &summary["totals"]["failed"]),
        (&1.into(), &1.into())
    );
    assert_eq!(summary["failed"][0]["node"], "node2");
    assert_eq!(summary["failed"][0]["phase"], "configure");
    assert!(!told.contains(SECRET), "{told}");
    let id = summary["operation"].as_str().unwrap();
    assert_eq!(
        variables,
        format!(
            "PALLET_KIND=lift\nPALLET_OPERATION={id}\nPALLET_PROJECT=shop\nPALLET_RESULT=failed\n"
        )
    );
    let chat = &collector.bodies("/chat/tok-9qx1")[0];
    let text = chat["text"].as_str().unwrap();
    let wanted = "failed; nodes: 1 changed, 1 failed (";
    assert!(text.starts_with("lift of shop by tester on ") && text.contains(wanted), "{text}");

    // nothing failed, and nothing changed
    std::fs::remove_file(project.directory().join("told")).unwrap();
    project.run(&["run", "app", "--", "true"]).exits(0).never_says("warning");
    assert_eq!((collector.bodies("/hook").len(), collector.bodies("/chat/tok-9qx1").len()), (2, 1));
    assert!(!project.directory().join("told").exists());

    // each operation of a session
    project.write("twice.star", "run(app, \"true\")\nrun(app, \"true\")\n");
    let script = project.directory().join("twice.star");
    project.run(&["run", script.to_str().unwrap()]).exits(0);
    assert_eq!(collector.bodies("/hook").len(), 4);
}

#[test]
fn ctrl_c_ends_a_wait_for_a_command() {
    let bed = Bed::of(2);
    let command = "echo begins to notify; sleep 3600";
    let project = telling(&bed, &format!("[[on_finish]]\ncommand = {command:?}"));
    let mut running = project.start(&["run", "app", "--", "true"]);
    running.wait_for("begins to notify");
    running.interrupt();
    running.wait().exits(0).says("it was interrupted");
}
