//! Stages: what differs between development, production and the like.

use pallet_tests::{Bed, Project};
use serde_json::Value;

use crate::rollout::text;

const DECLARED: &str = r#"
def configure(request):
    remote_file(request, "/srv/greeting", content = request.environment.greeting + "\n")

web = group_spec("web", count = 1, phases = {"configure": configure})
db = group_spec("db", count = 1)
"#;

/// A project whose two stages have a node each.
fn project(bed: &Bed) -> Project {
    let mut config = format!(
        "default_service = \"dev\"\n[project]\nname = \"shop\"\n[admin_user]\nname = \"root\"\n\
         identity_files = [{:?}]\n[environment]\ngreeting = \"hello\"\n\
         proxy = {{ host = \"none\" }}\n",
        bed.key()
    );
    for (number, service) in ["dev", "prod"].into_iter().enumerate() {
        config.push_str(&format!(
            "[services.{service}]\nprovider = \"node-list\"\n\
             environment = {{ greeting = \"service\" }}\n\
             [services.{service}.nodes.web-1]\ngroup = \"web\"\nhost = \"{}\"\n",
            bed.address(number + 1)
        ));
    }
    config.push_str(
        "[stages.dev]\nservice = \"dev\"\n[stages.prod]\nservice = \"prod\"\nconfirm = true\n\
         counts = { web = 6 }\nprotect = [\"db\"]\n\
         environment = { greeting = \"prod\", proxy = { port = 3128 } }\n",
    );
    Project::on_bed(bed, &[("pallet.toml", &config), ("pallet.star", DECLARED)])
}

#[test]
fn a_stage_has_its_own_service_and_values() {
    let bed = Bed::of(2);
    let project = project(&bed);
    project.run(&["lift", "--stage", "dev"]).exits(0).says("stage dev, service dev");
    assert_eq!(text(&bed, 1, "/srv/greeting"), "hello\n");
    // a stage can demand to be named
    let refused = project.run(&["lift", "--stage", "prod"]).exits(2);
    refused.says("this changes stage prod; use --confirm-stage prod");
    let other = ["lift", "--stage", "prod", "--confirm-stage", "dev"];
    project.run(&other).exits(2).says("the stage in use is prod");
    let without = project.run(&["lift", "--confirm-stage", "prod"]).exits(2);
    without.says("no stage is in use; add --stage prod");
    let failed = project.run(&["lift", "--stage", "dev", "-e", "exec_script(request, \"exit 7\")"]);
    failed.exits(1).says("project --stage dev history show ");
    for command in ["run --all --stage prod -- true", "ssh --stage prod web-1 -- true"] {
        let words: Vec<_> = command.split(' ').collect();
        project.run(&words).exits(2).says("this changes stage prod");
    }
    let run = project.run(&["run", "--all", "--stage", "dev", "--", "true"]);
    run.exits(0).says("stage dev, service dev");
    assert_eq!(text(&bed, 2, "/srv/greeting"), "");
    project.run(&["lift", "-n", "--stage", "prod"]).exits(0).says("1 would change");
    let confirmed = ["lift", "--stage", "prod", "--confirm-stage", "prod"];
    project.run(&confirmed).exits(0);
    assert_eq!(text(&bed, 2, "/srv/greeting"), "prod\n");
    assert_eq!(text(&bed, 1, "/srv/greeting"), "hello\n");
    // each has a journal of its own, and counts
    project.run(&["history", "--stage", "prod"]).exits(0).says("--confirm-stage prod");
    project.run(&["history", "--stage", "dev"]).exits(0).never_says("--confirm-stage");
    project.run(&["history"]).exits(0).says("no operations yet");
    project.run(&["check", "--stage", "prod"]).exits(0).says("web: 6 nodes");
    // which nodes it protects is only known with its groups
    project.edit("pallet.star", "web = ", "web = = ");
    let down = ["down", "--yes", "--stage", "prod", "--confirm-stage", "prod"];
    project.run(&down).exits(2).says("stage prod protects nodes").says("not known without");
    project.edit("pallet.star", "web = = ", "web = ");
    let project = project.set("PALLET_STAGE", "dev");
    project.run(&["lift", "-n"]).exits(0).says("stage dev, service dev");
}

#[test]
fn the_origin_of_each_value_is_shown() {
    let bed = Bed::of(2);
    let project = project(&bed);
    let all = project.run(&["environment", "--stage", "prod"]).exits(0);
    all.says("greeting    prod   [stages.prod.environment], pallet.toml:")
        .says("proxy.host  none   [environment], pallet.toml:9");
    let of = ["environment", "greeting", "--stage", "prod", "--env", "greeting=hi"];
    let one = project.run(&of).exits(0);
    let order = ["hi", "prod", "hello", "service"].map(|value| one.stdout.find(value).unwrap());
    assert!(order.is_sorted(), "{one}");
    one.says("(overridden)").never_says("proxy");
    let json = project.run(&["environment", "--output", "json"]).exits(0);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["greeting"]["value"], "hello");
    assert_eq!(json["greeting"]["scopes"].as_array().unwrap().len(), 2);
    let wrong = project.run(&["environment", "greetin"]).exits(2);
    wrong.says("the environment has no key greetin; did you mean `greeting`?");
}

#[test]
fn stages_are_compared() {
    let bed = Bed::of(2);
    let project = project(&bed);
    let mut differ = project.run(&["diff-stages", "dev", "prod"]).exits(0);
    for line in [
        "confirm                   false      true",
        "count of web              1          6",
        "environment.greeting      hello      prod",
        "environment.proxy.port    -          3128",
        "project                   shop-dev   shop-prod",
        "protect db                false      true",
        "service                   dev        prod",
    ] {
        differ = differ.says(line);
    }
    differ.never_says("proxy.host");
    project.run(&["diff-stages", "dev", "dev"]).exits(0).says("do not differ");
    let unknown = project.run(&["diff-stages", "dev", "prd"]).exits(2);
    unknown.says("there is no stage `prd`").says("did you mean `prod`?");
    for (added, problem) in [
        ("[stages.x]\ncounts = { wbe = 1 }\n", "stage `x`: there is no group `wbe`"),
        ("[stages.x]\nprotect = [\"dbs\"]\n", "stage `x`: there is no group `dbs`"),
        ("[stages.x]\nservice = \"lab\"\n", "there is no service `lab`"),
        ("[stages.x]\nconfirms = true\n", "unknown key `confirms` in `stages.x`"),
        ("[stages.x]\ncounts = { web = -1 }\n", "`web` must be a whole number of nodes"),
        ("[stages.Prod]\n", "\"Prod\" cannot name a stage"),
    ] {
        let config = std::fs::read_to_string(project.directory().join("pallet.toml")).unwrap();
        project.write("pallet.toml", format!("{config}{added}"));
        project.run(&["check", "--stage", "x"]).exits(2).says(problem).says("pallet.toml:");
        // without a stage, all are checked
        project.run(&["check"]).exits(2).says(problem).says("pallet.toml:");
        project.write("pallet.toml", config);
    }
}
