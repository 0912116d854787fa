//! Tests of what a release declares.

use super::super::AppDeploy;
use super::*;

fn recorded(arguments: Value) -> Recorder<AppDeploy> {
    let mut recorder = Recorder::<AppDeploy>::on("debian 12");
    recorder.call("release", arguments).unwrap();
    recorder
}

fn refused(arguments: Value) -> String {
    let mut recorder = Recorder::<AppDeploy>::on("debian 12");
    recorder.call("release", arguments).unwrap_err().to_string()
}

#[test]
fn an_archive_is_deployed_unless_it_serves() {
    let recorder = recorded(json!({
        "name": "hello", "version": "1.2", "archive": "hello.tar.gz",
        "shared": ["log"], "health_url": "http://localhost:8080/", "owner": "build"
    }));
    let actions = recorder.actions();
    let find = |name: &str, subject: &str| {
        let is = |action: &&RecordedAction| action.name == name && action.subject == subject;
        actions.iter().find(is).unwrap_or_else(|| panic!("{:?}", recorder.declared())).clone()
    };
    let unpacked = find("remote_directory", "/srv/hello/releases/1.2");
    assert_eq!(unpacked.arguments["owner"], "build");
    let forget = find("exec_checked_script", "note that release 1.2 of hello is new");
    assert_eq!(forget.options.if_flag, unpacked.options.flag_on_change);
    let deploy = find("exec_checked_script", "deploy release 1.2 of hello");
    let look = "sh /usr/local/lib/pallet/app-deploy is-deployed hello 1.2";
    assert_eq!(deploy.arguments["unless"], look);
    assert_eq!(deploy.arguments["environment"]["APP_SHARED"], "log");
    let restart = find("exec_checked_script", "restart hello");
    assert_eq!(restart.options.if_flag.as_deref(), Some("app-deploy-hello"));
    assert_eq!(restart.arguments["only_if"], look);
    find("directory", "/srv/hello/shared/log");
    find("service", "hello");
}

#[test]
fn a_repository_is_checked_out_apart() {
    let recorder = recorded(json!({
        "name": "hello", "version": "v1", "repository": "https://example.com/hello.git",
        "service": ""
    }));
    let declared = recorder.declared();
    assert!(declared.contains(&"git_checkout /srv/hello/repository".to_owned()), "{declared:?}");
    assert!(!declared.iter().any(|action| action.starts_with("service ")), "{declared:?}");
}

#[test]
fn bad_arguments_are_refused() {
    let with = |more: Value| {
        let mut all = json!({"name": "hello", "version": "1", "archive": "a.tar"});
        for (key, value) in more.as_object().unwrap() {
            all[key] = value.clone();
        }
        all
    };
    for (arguments, said) in [
        (json!({"name": "hello", "version": "1"}), "exactly one of"),
        (with(json!({"url": "https://example.com/a"})), "exactly one of"),
        (with(json!({"archive": null, "url": "https://example.com/a"})), "needs its sha256"),
        (with(json!({"sha256": "00"})), "is for url"),
        (with(json!({"revision": "v1"})), "is for repository"),
        (with(json!({"name": "../etc"})), "cannot name an application"),
        (with(json!({"version": "a/b"})), "cannot name a release"),
        (with(json!({"shared": ["../../etc"]})), "cannot be shared"),
        (with(json!({"build": "a\nb"})), "must be one line"),
        (with(json!({"keep": 0})), "1 to 100"),
        (with(json!({"timeout": 0})), "1 to 3600"),
        (with(json!({"health_url": "file:///etc/passwd"})), "is not a URL"),
        (with(json!({"health_url": "http://a\"\noutput=/etc/x"})), "is not a URL"),
    ] {
        let error = refused(arguments.clone());
        assert!(error.contains(said), "{arguments}: {error}");
    }
}

#[test]
fn service_and_user_have_the_name_of_the_application() {
    let deploy = |more: Value| {
        let mut all = json!({"name": "hello", "version": "1", "archive": "a.tar"});
        for (key, value) in more.as_object().unwrap() {
            all[key] = value.clone();
        }
        let actions = recorded(all).actions();
        let deploy = actions.iter().find(|action| action.subject.starts_with("deploy ")).unwrap();
        let said = |name: &str| deploy.arguments["environment"][name].as_str().unwrap().to_owned();
        (said("APP_SERVICE"), said("APP_USER"))
    };
    let words = |service: &str, user: &str| (service.to_owned(), user.to_owned());
    assert_eq!(deploy(json!({})), words("hello", "hello"));
    assert_eq!(deploy(json!({"service": "puma", "user": "web"})), words("puma", "web"));
    assert_eq!(deploy(json!({"service": ""})), words("", "root"));
}
