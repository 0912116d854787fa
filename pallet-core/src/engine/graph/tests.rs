//! Tests of graphs: their data, and how they are drawn.

use serde_json::json;

use super::*;
use crate::engine::{EngineConfig, GroupSpec, ServerSpec};
use crate::model::{HardwareSpec, ImageSpec};
use crate::plugin::Request;

fn two_groups() -> Graph {
    let phase = |name: &str, actions, does| GraphPhase {
        name: name.into(),
        default: name != "restart",
        actions,
        does,
        error: None,
    };
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let web = GraphGroup {
        name: "web".into(),
        count: Some(2),
        node_spec: "debian 12, 2 cores".into(),
        roles: names(&["web"]),
        phases: vec![
            phase(
                "configure",
                3,
                Does {
                    calls: names(&["nginx.site"]),
                    reads: names(&["database"]),
                    ..Does::default()
                },
            ),
            phase("restart", 1, Does::default()),
        ],
    };
    let settings = phase("settings", 0, Does { writes: names(&["database"]), ..Does::default() });
    let db =
        GraphGroup { name: "d<b>|\"\\&".into(), phases: vec![settings], ..GraphGroup::default() };
    let site = GraphFunction {
        name: "nginx.site".into(),
        does: Does { calls: names(&["nginx.install"]), ..Does::default() },
    };
    let install = GraphFunction { name: "nginx.install".into(), does: Does::default() };
    Graph { groups: vec![web, db], functions: vec![install, site] }
}

#[test]
fn dot_is_what_graphviz_reads() {
    expect_test::expect![[r##"
        digraph pallet {
          rankdir=LR;
          node [fontname="sans-serif", fontsize=12, shape=box];
          edge [fontname="sans-serif", fontsize=10];
          g0 [shape=record, style=filled, fillcolor="#e8f0fe", label="web x 2\ndebian 12, 2 cores\nroles: web|<p0> configure: 3 actions|<p1> restart (when asked for): 1 action"];
          g1 [shape=record, style=filled, fillcolor="#e8f0fe", label="d\<b\>\|\"\\&|<p0> settings"];
          f0 [style=filled, fillcolor="#e6f4ea", label="nginx.install"];
          f1 [style=filled, fillcolor="#e6f4ea", label="nginx.site"];
          s0 [shape=ellipse, style=filled, fillcolor="#fef7e0", label="database"];
          g0:p0 -> f1;
          g0:p0 -> s0 [dir=back, style=dashed, color="#b06000", label="reads"];
          g1:p0 -> s0 [color="#b06000", label="writes"];
          f1 -> f0;
        }
    "##]]
    .assert_eq(&two_groups().dot());
}

#[test]
fn a_picture_is_well_formed_and_the_same_each_time() {
    let picture = two_groups().svg();
    assert_eq!(picture, two_groups().svg());
    assert!(picture.starts_with("<?xml") && picture.trim_end().ends_with("</svg>"));
    assert!(picture.contains(">d&lt;b&gt;|\"\\&amp;</text>"), "{picture}");
    // every element is closed, and text never opens another one
    let tags = |open: &str| picture.matches(open).count();
    assert_eq!(
        (tags("<text"), tags("<g "), tags("<svg")),
        (tags("</text>"), tags("</g>"), tags("</svg>"))
    );
    assert!(Graph::default().svg().contains("</svg>"), "nothing can be drawn too");
}

#[test]
fn any_graph_can_be_drawn() {
    // all kinds of graphs: functions that call each other in cycles, groups without phases, many
    // and few boxes
    let name = |kind: &str, number: usize| format!("{kind}{number}");
    for groups in [0, 1, 2, 5, 20] {
        for functions in [0, 1, 3, 12] {
            for seed in 0..6 {
                let pick =
                    |from: usize, salt: usize| (from * 7 + salt * 13 + seed * 5) % functions.max(1);
                let does = |from: usize| Does {
                    calls: (0..functions.min(seed))
                        .map(|salt| name("crate.f", pick(from, salt)))
                        .collect(),
                    writes: (0..from % 3).map(|salt| name("s", salt)).collect(),
                    reads: (0..(from + seed) % 3).map(|salt| name("s", salt + 1)).collect(),
                };
                let phase = |number| GraphPhase {
                    name: name("p", number),
                    does: does(number),
                    ..GraphPhase::default()
                };
                let phases = |group: usize| (0..group % 4).map(phase).collect::<Vec<_>>();
                let group = |number| GraphGroup {
                    name: name("g", number),
                    phases: phases(number),
                    ..GraphGroup::default()
                };
                let function =
                    |number| GraphFunction { name: name("crate.f", number), does: does(number) };
                let graph = Graph {
                    groups: (0..groups).map(group).collect(),
                    functions: (0..functions).map(function).collect(),
                };
                assert!(
                    graph.svg().contains("</svg>"),
                    "{groups} groups, {functions} functions, {seed}"
                );
            }
        }
    }
}

fn writes(request: &mut Request) -> anyhow::Result<()> {
    request.set_settings("database", json!({"host": "db-1"}))
}

fn reads(request: &mut Request) -> anyhow::Result<()> {
    let _: Option<serde_json::Value> = request.settings_of("db-1", "database")?;
    request.add(crate::action::Directory::at("/srv"))?;
    request.add(crate::action::Directory::at("/srv/app"))
}

fn fails(_: &mut Request) -> anyhow::Result<()> {
    anyhow::bail!("not today")
}

#[tokio::test]
async fn what_functions_do_is_seen() {
    let server = ServerSpec::new()
        .phase("settings", writes)
        .phase("restart", fails)
        .phase("configure", reads)
        .role("db");
    let spec = NodeSpec {
        image: Some(ImageSpec {
            os_family: Some("debian".into()),
            os_version: Some(">=11".into()),
            ..ImageSpec::default()
        }),
        hardware: Some(HardwareSpec {
            min_cores: Some(1),
            min_ram: Some(512),
            ..HardwareSpec::default()
        }),
        ..NodeSpec::default()
    };
    let groups = [
        GroupSpec::new("db", Some(3), server.node_spec(spec)).unwrap(),
        GroupSpec::new("empty", None, ServerSpec::new()).unwrap(),
    ];
    let engine = Engine::new(EngineConfig::new("test", crate::engine::testing::nowhere()));
    let os = Os::of_name("debian 12", "x86_64").unwrap();
    let graph = engine.graph(&groups, Some(&os)).await.unwrap();
    expect_test::expect![[r##"
        digraph pallet {
          rankdir=LR;
          node [fontname="sans-serif", fontsize=12, shape=box];
          edge [fontname="sans-serif", fontsize=10];
          g0 [shape=record, style=filled, fillcolor="#e8f0fe", label="db x 3\ndebian \>=11, 1 core, 512 MiB\nroles: db|<p0> settings|<p1> configure: 2 actions|<p2> restart (when asked for) fails here"];
          g1 [shape=record, style=filled, fillcolor="#e8f0fe", label="empty"];
          s0 [shape=ellipse, style=filled, fillcolor="#fef7e0", label="database"];
          g0:p0 -> s0 [color="#b06000", label="writes"];
          g0:p1 -> s0 [dir=back, style=dashed, color="#b06000", label="reads"];
        }
    "##]]
    .assert_eq(&graph.dot());
    assert_eq!(graph.groups[0].phases[2].error.as_deref(), Some("not today"));
}
