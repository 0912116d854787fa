//! Explanations of nodes that do not exist, word for word.

use std::sync::Arc;

use super::*;
use crate::action::{ExecScript, Options, Package, RemoteFile, Service, User};
use crate::engine::testing::nowhere;
use crate::engine::{ServerSpec, Vault};
use crate::plugin::Request;
use crate::transport::Secret;

fn configure(request: &mut Request) -> anyhow::Result<()> {
    request.add(Package::install("nginx"))?;
    request.add(Package::install("curl"))?;
    let password = format!("password = {}\n", request.secret("db"));
    request.add_with(
        RemoteFile::content("/etc/app.conf", password).mode(0o600),
        Options::new().flag_on_change("app"),
    )?;
    request.plan_when("test -e /etc/old", |request| request.add(ExecScript::new("rm /etc/old")))?;
    request.plan_when_not("test -e /etc/old", |request| {
        request.add(ExecScript::new("touch /etc/new"))
    })?;
    request.add_with(Service::restart("nginx"), Options::new().if_flag("app"))?;
    request.add_with(Service::restart("other"), Options::new().if_flag("nobody-sets-it"))
}

/// The actions in short: certainty, summary or reason, and script.
fn short(phase: &ExplainedPhase) -> String {
    let line = |action: &ExplainedAction| {
        let certainty =
            action.certainty.map_or("nothing".to_owned(), |certainty| format!("{certainty:?}"));
        let observes: Vec<_> = action
            .observes
            .iter()
            .map(|observed| {
                format!("{}: {}", observed.what, observed.found.as_deref().unwrap_or("?"))
            })
            .collect();
        let conditions: Vec<_> = action
            .conditions
            .iter()
            .map(|condition| {
                format!(
                    "{} unless={} holds={:?}",
                    condition.command, condition.unless, condition.holds
                )
            })
            .collect();
        format!(
            "{} {} [{certainty}] {}{}\n  {}\n  observes {}\n  with {} {}\n{}",
            action.action,
            action.subject,
            action.summary,
            action.reason.as_ref().map(|reason| format!(" because {reason}")).unwrap_or_default(),
            action.arguments,
            observes.join("; "),
            action.together_with.join("; "),
            conditions.join("; "),
            action.script.lines().map(|line| format!("    | {line}\n")).collect::<String>()
        )
    };
    phase
        .actions
        .iter()
        .map(line)
        .collect::<Vec<_>>()
        .join("")
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

async fn explained(server: ServerSpec, os: &str) -> Explanation {
    let vault = Vault::new(|name| Ok(Secret::new(format!("$6$the-value-of-{name}"))));
    let engine = Engine::new(EngineConfig {
        vault: Arc::new(vault),
        ..EngineConfig::new("test", nowhere())
    });
    let group = GroupSpec::new("web", Some(2), server).unwrap();
    let options = ExplainOptions {
        os: Some(Os::of_name(os, "x86_64").unwrap()),
        ..ExplainOptions::default()
    };
    let mut explanations = engine.explain(&[group], &options).await.unwrap();
    assert_eq!(explanations.len(), 1);
    explanations.remove(0)
}

#[tokio::test]
async fn each_action_with_all_that_is_to_be_known_of_it() {
    let explanation = explained(ServerSpec::new().phase("configure", configure), "debian 12").await;
    assert!(explanation.predicted && explanation.error.is_none());
    assert_eq!((explanation.node.as_str(), explanation.phases.len()), ("web-1", 1));
    expect_test::expect![[r#"
        package nginx [Will] install
          {"name":"nginx"}
          observes package nginx: not installed
          with package curl
            | package_transaction apt --install nginx curl
        package curl [Will] install
          {"name":"curl"}
          observes package curl: not installed
          with package nginx
            | package_transaction apt --install nginx curl
        remote_file /etc/app.conf [May] ensure file
          {"path":"/etc/app.conf","content":"password = ⟦secret:db⟧\n","mode":"0600"}
          observes file /etc: ?; file /etc/app.conf: ?
          with
            | require_kind /etc/app.conf 'file link'
            | content() { printf %s 'password = ⟦secret:db⟧
            | '; }
            | ensure_content /etc/app.conf ca3382b09314107ef4b2f4fbd60c52a72bbfed7f4e486edd5b9addb59b9b9303 '' '' 0600 ''
        exec_script rm /etc/old [May] run
          {"script":"rm /etc/old"}
          observes command test -e /etc/old: ?
          with  test -e /etc/old unless=false holds=None
            | if [ -n "$when_0" ]; then
            | printf '{ :\n%s\n} </dev/null\n' 'rm /etc/old' | sh -e
            | changed
            | fi
        exec_script touch /etc/new [May] run
          {"script":"touch /etc/new"}
          observes command test -e /etc/old: ?
          with  test -e /etc/old unless=true holds=None
            | if [ -n "$when_1" ]; then
            | printf '{ :\n%s\n} </dev/null\n' 'touch /etc/new' | sh -e
            | changed
            | fi
        service nginx [May] restart
          {"name":"nginx","action":"restart"}
          observes service nginx: ?
          with
            | if [ -e "$flags"/app ]; then
            | ensure_service systemd nginx restart '' ''
            | fi
        service other [nothing] nothing to do because nothing before it sets the flag nobody-sets-it
          {"name":"other","action":"restart"}
          observes service other: ?
          with
    "#]]
    .assert_eq(&short(&explanation.phases[0]));
    // each part is in the script unchanged
    let phase = &explanation.phases[0];
    for action in &phase.actions {
        assert!(phase.script.contains(&action.script), "{}", action.script);
    }
    assert!(!serde_json::to_string(&explanation).unwrap().contains("the-value"));
}

#[tokio::test]
async fn the_system_decides() {
    let packages = |request: &mut Request| request.add(Package::install("nginx"));
    for (os, script) in [
        ("debian 12", "package_transaction apt --install nginx\n"),
        ("rocky 9", "package_transaction dnf --install nginx\n"),
        ("opensuse", "package_transaction zypper --install nginx\n"),
        ("arch", "package_transaction pacman --install nginx\n"),
        ("alpine", "package_transaction apk --install nginx\n"),
    ] {
        let explanation = explained(ServerSpec::new().phase("configure", packages), os).await;
        assert_eq!(explanation.phases[0].actions[0].script, script, "{os}");
    }
    let error = Os::of_name("plan9", "").unwrap_err().to_string();
    assert!(
        error.contains("\"plan9\" is not known")
            && error.contains("debian")
            && error.contains("alpine"),
        "{error}"
    );
    assert!(Os::of_name("debian 12; rm", "").is_err());
}

#[tokio::test]
async fn a_secret_that_must_have_a_form_of_its_own_is_withheld() {
    let user = |request: &mut Request| {
        let hash = request.secret("hash");
        request.add(User::new("app").password(hash))
    };
    let explanation = explained(ServerSpec::new().phase("configure", user), "debian 12").await;
    let action = &explanation.phases[0].actions[0];
    assert!(action.script.contains("holds secrets and is not shown"), "{action:?}");
    assert_eq!(action.arguments["password"], "⟦secret:hash⟧");
    assert!(!serde_json::to_string(&explanation).unwrap().contains("the-value"));
}

#[tokio::test]
async fn what_stands_before_a_failure_is_explained() {
    let fails = |request: &mut Request| {
        request.add(Package::install("nginx"))?;
        anyhow::bail!("not today")
    };
    let explanation = explained(
        ServerSpec::new().phase("settings", configure).phase("configure", fails),
        "debian 12",
    )
    .await;
    let error = explanation.error.expect("it fails");
    assert_eq!((error.message.as_str(), error.phase.as_deref()), ("not today", Some("configure")));
}

#[tokio::test]
async fn names_are_groups_or_nodes() {
    let engine = Engine::new(EngineConfig::new("test", nowhere()));
    let groups = ["web", "db"].map(|name| {
        GroupSpec::new(name, None, ServerSpec::new().phase("configure", configure)).unwrap()
    });
    let options = ExplainOptions::default();
    let nodes = |explanations: Vec<Explanation>| {
        explanations.into_iter().map(|explained| explained.node).collect::<Vec<_>>()
    };
    assert_eq!(
        nodes(
            engine
                .explain_selected(&groups, &Selection::of(["web", "db"]).unwrap(), &options)
                .await
                .unwrap()
        ),
        ["web-1", "db-1"]
    );
    assert_eq!(
        nodes(engine.explain_selected(&groups, &Selection::default(), &options).await.unwrap()),
        ["db-1", "web-1"]
    );
    let error = engine
        .explain_selected(&groups, &Selection::of(["wbe"]).unwrap(), &options)
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(error, "there is no node, group or role wbe; did you mean `web`?");
    let system = engine
        .explain_selected(&groups, &Selection::of(["web"]).unwrap(), &options)
        .await
        .unwrap()
        .remove(0);
    assert!(
        system.os.is_some_and(|os| os.id == "debian")
            && system.os_reason.starts_with("nothing says which"),
        "{}",
        system.os_reason
    );
}
