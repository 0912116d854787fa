//! A rolling change loses no request: each web server is taken out of its balancer before it is
//! restarted, and put back in afterwards.

mod load;

use std::fmt::Write;

use pallet_tests::{Bed, Init, Project};

use self::load::{Answers, Load};

const DECLARATIONS: &str = include_str!("rolling/pallet.star");
const WAVES: &str = include_str!("rolling/waves.star");
const SERVER: &str = include_str!("rolling/serve.pl");

/// The web nodes of the bed; node 1 is their balancer.
const WEB: std::ops::RangeInclusive<usize> = 2..=5;

/// A balancer, and four web servers that answer slowly.
fn project(bed: &Bed, groups: &str) -> Project {
    let mut config = format!(
        "[admin_user]\nname = \"root\"\nidentity_files = [{:?}]\n\n[services.bed]\n\
         provider = \"node-list\"\n",
        bed.key()
    );
    let nodes = WEB.map(|node| ("web", node)).chain([("balancer", 1)]);
    for (group, node) in nodes {
        write!(
            config,
            "\n[[services.bed.nodes]]\nname = \"{group}-{node}\"\nhost = {:?}\n\
             group = \"{group}\"\n",
            bed.address(node)
        )
        .unwrap();
    }
    let declarations = format!("{DECLARATIONS}{groups}");
    Project::on_bed(
        bed,
        &[("pallet.toml", &config), ("pallet.star", &declarations), ("serve.pl", SERVER)],
    )
}

fn load(bed: &Bed) -> Load {
    Load::start(bed, &format!("{}:80", bed.address(1)), 12)
}

#[track_caller]
fn nothing_was_lost(answers: &Answers) {
    let number: usize = answers.good.values().sum();
    let lost = answers.bad.iter().take(5).collect::<Vec<_>>();
    assert!(lost.is_empty() && number >= 50, "{number} answered, lost: {lost:?}");
}

/// Its balancer has a phase for each server that drains it, and one that puts it back in.
fn with_phases(bed: &Bed, with: &str, balancer: &str) -> Project {
    let mut phases = String::new();
    for node in WEB {
        for function in ["drain", "undrain"] {
            write!(
                phases,
                ", \"{function}-{node}\": lambda request: \
                 {balancer}.{function}(request, \"app\", server = \"web-{node}\")"
            )
            .unwrap();
        }
    }
    project(
        bed,
        &format!(
            "\ngroup_spec(\"web\", phases = {{\"configure\": web}})\n\
             group_spec(\"balancer\", phases = {{\"configure\": {with}{phases}}})\n"
        ),
    )
}

/// Drains, restarts and puts back each server by hand; then restarts one that was not drained.
fn by_hand(with: &str, balancer: &str) {
    let bed = Bed::with(5, Init::Systemd);
    let project = with_phases(&bed, with, balancer);
    project.run(&["lift"]).exits(0);
    let clients = load(&bed);
    clients.goes_on(50);
    for node in WEB {
        let phase = |function: &str| {
            let name = format!("{function}-{node}");
            project.run(&["lift", "balancer", "--phase", &name]).exits(0)
        };
        phase("drain").says(&format!("drain web-{node} in app: run"));
        phase("drain").says("nothing to change");
        // an ordinary lift of the balancer leaves it drained
        project.run(&["lift", "balancer"]).exits(0).says("nothing to change");
        bed.ssh(node, "systemctl restart app").exits(0);
        clients.goes_on(50);
        phase("undrain").says(&format!("undrain web-{node} in app: run"));
        phase("undrain").says("nothing to change");
        clients.goes_on(50);
    }
    nothing_was_lost(&clients.stop());

    let clients = load(&bed);
    clients.goes_on(50);
    for node in WEB {
        bed.ssh(node, "systemctl restart app").exits(0);
        clients.goes_on(50);
    }
    let answers = clients.stop();
    assert!(!answers.bad.is_empty(), "a restart without a drain lost nothing: {answers:?}");
}

#[test]
fn haproxy_drains_servers_that_are_restarted() {
    by_hand("with_haproxy", "haproxy");
}

#[test]
fn nginx_drains_servers_that_are_restarted() {
    by_hand("with_nginx", "nginx");
}

#[test]
fn haproxy_waits_for_a_server_that_begins_to_answer_and_keeps_the_last_one() {
    let bed = Bed::with(5, Init::Systemd);
    let project = with_phases(&bed, "with_haproxy", "haproxy");
    project.run(&["lift"]).exits(0);
    for node in 3..=5 {
        bed.ssh(node, "systemctl stop app").exits(0);
    }
    let count = "echo 'show stat' | socat - /run/haproxy/admin.sock | grep -c 'app,web-.*,DOWN,'";
    bed.ssh(1, &format!("until {count} | grep -qx 3; do sleep 0.1; done")).exits(0);
    let drain = || project.run(&["lift", "balancer", "--phase", "drain-2"]);
    drain().exits(1).says("without web-2, no server of app would be up");
    bed.ssh(5, "systemctl start app").exits(0);
    drain().exits(0).says("drain web-2 in app: run");
}

/// A rolling lift that changes and restarts all web servers, with phases that drain them; then one
/// without those phases.
fn in_waves(with: &str, balancer: &str) {
    let bed = Bed::with(5, Init::Systemd);
    let groups = WAVES.replace("CRATE", balancer).replace("CONFIGURE", with);
    let project = project(&bed, &groups);
    project.run(&["lift"]).exits(0);

    project.edit("serve.pl", "version one", "version two");
    let clients = load(&bed);
    clients.goes_on(50);
    project.run(&["lift", "web", "--waves", "1,50%,100%"]).exits(0);
    clients.goes_on(50);
    let answers = clients.stop();
    nothing_was_lost(&answers);
    assert!(answers.good.contains_key("version one.") && answers.good.contains_key("version two."));
    // all are back in, and all are new
    let clients = load(&bed);
    clients.goes_on(50);
    let answers = clients.stop();
    nothing_was_lost(&answers);
    assert_eq!(answers.good.keys().collect::<Vec<_>>(), ["version two."]);
    project.run(&["lift"]).exits(0).says("nothing to change");

    project.edit("serve.pl", "version two", "version three");
    project.edit("pallet.star", ", \"drain\": drain, \"undrain\": undrain", "");
    let clients = load(&bed);
    clients.goes_on(50);
    project.run(&["lift", "web", "--waves", "1,50%,100%"]).exits(0);
    clients.goes_on(50);
    let answers = clients.stop();
    assert!(!answers.bad.is_empty(), "a lift without drains lost nothing: {answers:?}");
}

#[test]
fn a_rolling_lift_behind_haproxy_loses_no_request() {
    in_waves("with_haproxy", "haproxy");
}

#[test]
fn a_rolling_lift_behind_nginx_loses_no_request() {
    in_waves("with_nginx", "nginx");
}
