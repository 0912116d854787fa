//! What is installed, and what the lock and the configuration contain.

use pallet_core::distribution::repository::Repository;
use pallet_tests::{OciRegistry, REGISTRY_PASSWORD, REGISTRY_USER, RegistryOptions};

use super::*;

#[test]
fn a_clean_home_installs_a_plugin_and_runs_its_function() {
    let registry = OciRegistry::start();
    let key = key();
    let prefix = registry.source("acme");
    Plugin::new("greet", "1.0.0").publish(&prefix, Some(&key));
    let newest = Plugin::new("greet", "1.2.0").may(json!({"paths": ["/srv/**"]}));
    let published = newest.publish(&prefix, Some(&key));
    Plugin::new("greet", "2.0.0-rc.1").publish(&prefix, Some(&key));

    let project = project(&[&key]);
    let source = registry.source("acme/crate/greet");
    let output = project.run(&["install", &source]).exits(0);
    output
        .says("+ greet 1.2.0 from oci://")
        .says("may do: paths /srv/**")
        .says("signed by key:")
        .says("1 plugin is installed");
    let toml = read(&project, "pallet.toml");
    assert!(toml.starts_with("# a project\n"), "{toml}");
    assert!(
        toml.contains(&format!(
            "[plugins]\n\
        greet = {{ version = \"1.2.0\", source = \"{source}\" }}\n"
        )),
        "{toml}"
    );
    let lock = read(&project, "pallet.lock");
    for word in [
        "requirement = \"^1.2.0\"",
        &format!("index = \"{}\"", published.index),
        &key.public().to_line(),
        "\"x86_64-unknown-linux-gnu\" = { manifest",
    ] {
        assert!(lock.contains(word), "no {word} in\n{lock}");
    }

    // the registry is no longer needed
    drop(registry);
    project.run(&["install"]).exits(0).says("nothing to do");
    project.run(&["install", "--locked", "--offline"]).exits(0);
    assert_eq!(read(&project, "pallet.lock"), lock);
    project.write(
        "pallet.star",
        "load(\"@greet\", \"greet\")\n\ndef configure(request):\n    greet.hello(request, path = \
         \"/srv/hello\")\n\n\
         group_spec(\"web\", count = 1, phases = {\"configure\": configure})\n",
    );
    project.run(&["check"]).exits(0).says("the project is valid");
    project
        .run(&["crates"])
        .exits(0)
        .says("SIGNER")
        .says(&source)
        .says("signed by key:")
        .says("bundled with pallet-cli");
    project.edit("pallet.star", "path", "pth");
    project.run(&["check"]).exits(2).says("pth");
    project.edit("pallet.star", "pth = ", "path = ");
    project.run(&["converge", "--dry-run"]).exits(0).says("/srv/hello");
}

#[test]
fn what_plugins_require_comes_with_them_and_goes_with_them() {
    let (_directory, source) = layout();
    for plugin in [
        Plugin::new("site", "1.0.0").requires("pages", "^1"),
        Plugin::new("pages", "1.0.0"),
        Plugin::new("pages", "1.4.0").requires("base", "^3"),
        Plugin::new("pages", "2.0.0"),
        Plugin::new("base", "3.0.1"),
    ] {
        plugin.publish(&source, Some(&key()));
    }
    let project = project(&[]);
    refuses(
        &project,
        &["install", &format!("{source}#crate/site")],
        &["is signed by key:", "which is not trusted", "--accept-signer FILE"],
    );
    let (_directory, source) = layout();
    let key = key();
    for plugin in [
        Plugin::new("site", "1.0.0").requires("pages", "^1"),
        Plugin::new("pages", "1.4.0").requires("base", "^3"),
        Plugin::new("pages", "2.0.0"),
        Plugin::new("base", "3.0.1"),
    ] {
        plugin.publish(&source, Some(&key));
    }
    let project = super::project(&[&key]);
    project
        .run(&["install", &format!("{source}#crate/site")])
        .exits(0)
        .says("3 plugins are installed");
    assert_eq!(versions(&project), ["base 3.0.1", "pages 1.4.0", "site 1.0.0"]);
    project.run(&["check"]).exits(0);
    refuses(
        &project,
        &["uninstall", "pages"],
        &["does not require pages directly", "site 1.0.0 requires it"],
    );
    project.run(&["uninstall", "site"]).exits(0).says("- site 1.0.0").says("- base 3.0.1");
    assert_eq!(versions(&project), Vec::<String>::new());
    assert!(!read(&project, "pallet.toml").contains("site"));
    project.run(&["gc"]).exits(0).says("3 removed");
    assert_eq!(stored(&project).len(), 0);
}

#[test]
fn a_conflict_explains_itself_with_both_paths() {
    let (_directory, source) = layout();
    let key = key();
    for plugin in [
        Plugin::new("shop", "2.0.0").requires("web", "^2"),
        Plugin::new("site", "1.0.0").requires("pages", "^1"),
        Plugin::new("pages", "1.3.0").requires("web", "^1"),
        Plugin::new("web", "1.0.0"),
        Plugin::new("web", "2.0.0"),
    ] {
        plugin.publish(&source, Some(&key));
    }
    let project = project(&[&key]);
    project.run(&["install", &format!("{source}#crate/shop")]).exits(0);
    refuses(
        &project,
        &["install", &format!("{source}#crate/site")],
        &[
            "no version of crate web",
            "pallet.toml -> shop 2.0.0 -> web ^2",
            "the command line -> site 1.0.0 -> pages 1.3.0 -> web ^1",
            "there are 1.0.0, 2.0.0",
        ],
    );
}

#[test]
fn what_is_locked_stays_until_it_is_updated() {
    let (_directory, source) = layout();
    let key = key();
    Plugin::new("greet", "1.0.0")
        .may(json!({"paths": ["/srv/**"], "packages": ["nginx"]}))
        .publish(&source, Some(&key));
    Plugin::new("other", "1.0.0").publish(&source, Some(&key));
    let project = project(&[&key]);
    project
        .run(&["install", &format!("{source}#crate/greet@1"), &format!("{source}#crate/other")])
        .exits(0);
    project.run(&["outdated"]).exits(0).says("are up to date");
    Plugin::new("greet", "1.1.0")
        .may(json!({"paths": ["/srv/**", "/etc/ssh/**"], "packages": ["nginx"]}))
        .publish(&source, Some(&key));
    Plugin::new("greet", "2.0.0").publish(&source, Some(&key));
    Plugin::new("other", "1.0.1").publish(&source, Some(&key));
    project.run(&["install"]).exits(0).says("nothing to do");
    let newer = project.run(&["outdated", "--output", "json"]).exits(0);
    let newer: Value = serde_json::from_str(&newer.stdout).unwrap();
    assert_eq!(
        (&newer[0]["locked"], &newer[0]["compatible"], &newer[0]["latest"]),
        (&json!("1.0.0"), &json!("1.1.0"), &json!("2.0.0"))
    );

    refuses(&project, &["update", "gret"], &["no plugin gret is locked", "did you mean `greet`?"]);
    project
        .run(&["update", "greet", "--dry-run"])
        .exits(0)
        .says("greet 1.0.0 -> 1.1.0")
        .says("dry run");
    assert_eq!(versions(&project), ["greet 1.0.0", "other 1.0.0"]);
    let updated = project.run(&["update", "greet"]).exits(0);
    updated
        .says("~ greet 1.0.0 -> 1.1.0")
        .says("may now do: path /etc/ssh/**")
        .never_says("may now do: path /srv")
        .never_says("nginx");
    assert_eq!(versions(&project), ["greet 1.1.0", "other 1.0.0"]);
    project
        .run(&["install", &format!("{source}#crate/greet@2")])
        .exits(0)
        .says("may now do: everything");
    project.run(&["update"]).exits(0);
    assert_eq!(versions(&project), ["greet 2.0.0", "other 1.0.1"]);
    assert!(
        read(&project, "pallet.toml").contains("greet = { version = \"^2\""),
        "{}",
        read(&project, "pallet.toml")
    );
}

#[test]
fn locked_refuses_changes() {
    let (_directory, source) = layout();
    let key = key();
    Plugin::new("greet", "1.0.0").publish(&source, Some(&key));
    Plugin::new("greet", "2.0.0").publish(&source, Some(&key));
    let project = project(&[&key]);
    refuses(
        &project,
        &["install", "--locked"],
        &["there is no", "pallet.lock", "`pallet-cli install` writes it"],
    );
    project.run(&["install", &format!("{source}#crate/greet@1")]).exits(0);
    project.run(&["install", "--locked"]).exits(0);
    project.edit("pallet.toml", "\"^1\"", "\"^2\"");
    refuses(&project, &["install", "--locked"], &["--locked was used", "greet ^2"]);
    project.run(&["verify"]).exits(2).says("does not match").says("greet ^2");
    project.run(&["install"]).exits(0).says("greet 1.0.0 -> 2.0.0");
    project.run(&["install", "--locked"]).exits(0);
    project.run(&["verify"]).exits(0).says("greet 2.0.0: good");
}

#[test]
fn a_project_with_a_lock_sees_no_other_plugins() {
    let (_directory, source) = layout();
    let key = key();
    Plugin::new("greet", "1.0.0").publish(&source, Some(&key));
    let project = project(&[&key]);
    let plugins = project.directory().join(".pallet/plugins");
    std::fs::create_dir_all(&plugins).unwrap();
    Plugin::new("stray", "1.0.0").library(&plugins);
    Plugin::new("greet", "9.0.0").library(&plugins);
    project.run(&["crates"]).exits(0).says("stray").says("9.0.0");
    project.run(&["install", &format!("{source}#crate/greet")]).exits(0);
    project.run(&["crates"]).exits(0).never_says("stray").never_says("9.0.0").says("1.0.0");
    let project = project.set("PALLET_PLUGIN_PATH", &plugins);
    project
        .run(&["crates"])
        .exits(0)
        .says("stray")
        .never_says("9.0.0")
        .says("libpallet_crate_greet.so is not used because greet is locked");
}

#[test]
fn plugins_of_a_user_are_there_where_no_project_has_a_lock() {
    let (_directory, source) = layout();
    let key = key();
    Plugin::new("greet", "1.0.0").publish(&source, Some(&key));
    let project = project(&[&key]);
    let configuration = project.home().join(".config/pallet");
    std::fs::create_dir_all(&configuration).unwrap();
    std::fs::write(configuration.join("config.toml"), trust(&[&key])).unwrap();
    let home = project.home().to_owned();
    project
        .run_in(&home, &["install", &format!("{source}#crate/greet")])
        .exits(0)
        .says("no project found");
    assert!(
        std::fs::read_to_string(configuration.join("config.toml")).unwrap().contains("greet = {")
    );
    assert!(configuration.join("pallet.lock").exists() && read(&project, "pallet.lock").is_empty());
    project.run(&["crates"]).exits(0).says("greet");
    project.run(&["check"]).exits(0);
    project.run(&["list"]).exits(0).says("no plugin is locked");
    project.run(&["list", "--global"]).exits(0).says("greet");
}

#[test]
fn a_name_is_found_at_the_configured_registry() {
    let (directory, source) = layout();
    let key = key();
    Plugin::new("greet", "1.0.0").publish(&source, Some(&key));
    let project = project(&[&key]);
    refuses(
        &project,
        &["install", "greet"],
        &["greet is not an existing file", "set `registry` in pallet.toml"],
    );
    project.write("pallet.toml", format!("registry = \"{source}\"\n{}", trust(&[&key])));
    refuses(&project, &["install", "gret"], &["there is no plugin gret at", "crate/gret"]);
    project.run(&["search"]).exits(0).says("greet").says("1.0.0");
    project.run(&["search", "nothing"]).exits(0).says("no plugins found");
    project.run(&["install", "greet"]).exits(0);
    assert_eq!(
        locked(&project)[0]["source"],
        format!("layout:{}#crate/greet", directory.path().join("plugins").display())
    );
    // a hand-written requirement without a source comes from there too
    project.write(
        "pallet.toml",
        format!("registry = \"{source}\"\n{}[plugins]\ngreet = \"1\"\n", trust(&[&key])),
    );
    project.run(&["install"]).exits(0);
    project.run(&["install", "--locked"]).exits(0);
}

#[test]
fn a_registry_that_wants_a_password_and_speaks_tls() {
    let registry = OciRegistry::start_with(RegistryOptions { password: true, tls: true });
    let key = key();
    let project = project(&[&key]);
    let source = registry.source("acme/crate/greet");
    let authority = registry.authority();
    let install = ["install", &source, "--ca-file", authority.to_str().unwrap()];
    refuses(&project, &["install", &source], &[&registry.host(), "--ca-file"]);
    refuses(&project, &install, &["requires credentials", "docker login"]);

    let mut encode = Command::new("sh");
    encode.args([
        "-c",
        "printf %s \"$1\" | base64 -w0",
        "sh",
        &format!("{REGISTRY_USER}:{REGISTRY_PASSWORD}"),
    ]);
    let auth = Process::start(encode, Duration::from_secs(10)).wait().exits(0).stdout;
    let config = project.home().join(".docker/config.json");
    std::fs::create_dir(config.parent().unwrap()).unwrap();
    std::fs::write(
        &config,
        json!({ "auths": { registry.host(): { "auth": auth.trim() } } }).to_string(),
    )
    .unwrap();
    let access = Access {
        credentials: vec![config],
        certificates: vec![authority.clone()],
        ..Access::default()
    };
    let release = Plugin::new("greet", "1.0.0").release();
    block_on(async {
        let repository: Box<dyn Repository> =
            open(&source.parse().unwrap(), &access).await.unwrap();
        Publishing::plan(&*repository, &release, Some(&key))
            .await
            .unwrap()
            .run(&*repository, &|_| ())
            .await
            .unwrap()
    });
    project.run(&install).exits(0).says("+ greet 1.0.0");
    project.run(&["verify", "--ca-file", authority.to_str().unwrap()]).exits(0);
    project
        .run(&["search", "--in", &registry.source(""), "--ca-file", authority.to_str().unwrap()])
        .exits(0)
        .says("greet");
}
