//! A crate in Starlark can do nothing but declare what it may declare.

use super::{MANIFEST, Shop};

#[test]
fn a_crate_may_do_what_it_declares_and_nothing_else() {
    let shop = Shop::new().by_path();
    let may = "[capabilities]\npaths = [\"/srv/page-*\"]\n";
    shop.write("crate.toml", &format!("{MANIFEST}{may}"));
    // its own templates are its own
    shop.configures("web.page(request, \"a\")");
    shop.project.run(&["lift", "--dry-run"]).exits(0).says("remote_file /srv/page-a");
    shop.project.run(&["doc", "web"]).exits(0).says("paths: /srv/page-*");
    shop.project.write("own.txt", "of the project\n");
    shop.project
        .write(".pallet/plugins/other/crate.toml", MANIFEST.replace("\"web\"", "\"other\""));
    shop.project.write(".pallet/plugins/other/crate.star", "def x(request):\n    pass\n");
    shop.project.write(".pallet/plugins/other/files/a", "of another crate\n");
    for (body, why) in [
        ("remote_file(request, \"/etc/shadow\", content = \"x\")", "it needs the path /etc/shadow"),
        ("package(request, \"nginx\")", "it needs the package nginx, and the crate declares no"),
        ("exec_script(request, \"id\")", "it needs the command id"),
        (
            "remote_file(request, \"/srv/page-x\", local_file = \"own.txt\")",
            "it needs the local file own.txt",
        ),
        (
            "remote_file(request, \"/srv/page-x\", local_file = \"@other/files/a\")",
            "it needs the local file @other/files/a",
        ),
        (
            "remote_file(request, \"/srv/page-x\", local_file = \"@web/../../etc/passwd\")",
            "leads out of its crate",
        ),
        ("locally(request, lambda request: directory(request, \"/srv/page-x\"))", "locally"),
    ] {
        shop.write("crate.star", &format!("def page(request, name: str):\n    {body}\n"));
        let output = shop.project.run(&["lift", "--dry-run"]);
        assert_ne!(output.code(), 0, "{body}: {output}");
        output.says(why);
    }
    // the caller's limits are not the crate's, nor the other way round
    shop.write("crate.star", "def page(request, name: str):\n    pass\n");
    shop.configures("web.page(request, \"a\"); directory(request, \"/etc/of-the-project\")");
    shop.project.run(&["lift", "--dry-run"]).exits(0).says("directory /etc/of-the-project");
}

/// A crate has the secrets that it is given, and files of its own: it can guess no placeholder, and
/// its templates include nothing of the project.
#[test]
fn a_crate_reads_no_secret_and_no_file_of_the_project() {
    let shop = Shop::new().by_path();
    shop.write("crate.toml", &format!("{MANIFEST}[capabilities]\npaths = [\"/srv/**\"]\n"));
    shop.project.write("one.txt", "hunter1\n");
    shop.project.write("two.txt", "hunter2\n");
    let config = std::fs::read_to_string(shop.project.directory().join("pallet.toml")).unwrap();
    let secrets = "[secrets]\none = { file = \"one.txt\" }\ntwo = { file = \"two.txt\" }\n";
    shop.project.write("pallet.toml", format!("{config}\n{secrets}"));
    shop.configures("web.page(request, secret(\"one\"))");
    let code = |body: &str| {
        shop.write("crate.star", &format!("def page(request, name: str):\n    {body}\n"));
    };
    code("remote_file(request, \"/srv/a\", content = name + \"\\n\", mode = \"0600\")");
    shop.project.run(&["lift", "--dry-run"]).exits(0).says("remote_file /srv/a");
    let write = |content: &str| format!("remote_file(request, \"/srv/a\", content = {content})");
    let forged = "\"\u{27e6}secret:\" + \"two\u{27e7}\"";
    for body in [
        write(forged),
        write("name.replace(\"one\", \"two\")"),
        format!("request.set_settings(\"web\", {{\"key\": {forged}}})"),
        format!(
            "with_action_options(request, lambda request: exec_script(request, \"id\"), \
             environment = {{\"A\": {forged}}})"
        ),
    ] {
        code(&body);
        let output = shop.project.run(&["lift", "--dry-run"]);
        assert_ne!(output.code(), 0, "{body}: {output}");
        output.says("uses the secret two, which the function was not given");
    }
    // nor does it let the project do it
    shop.write("crate.star", &format!("def page(request, name: str):\n    return {forged}\n"));
    shop.configures(
        "remote_file(request, \"/srv/a\", content = web.page(request, \"x\"), mode = \"0600\")",
    );
    let output = shop.project.run(&["lift", "--dry-run"]);
    assert_ne!(output.code(), 0, "{output}");
    output.says("its result is not allowed: it uses the secret two");

    code("remote_file(request, \"/srv/a\", template = \"@web/a.j2\")");
    shop.configures("web.page(request, \"x\")");
    for include in ["two.txt", "../two.txt", "/etc/hostname"] {
        shop.write("a.j2", &format!("{{% include \"{include}\" %}}\n"));
        let output = shop.project.run(&["explain", "app"]);
        output.never_says("hunter2");
        let output = shop.project.run(&["lift", "--dry-run"]);
        assert_ne!(output.code(), 0, "{include}: {output}");
        output.says("@web/a.j2");
    }
}

/// Whatever a crate calls is in this list: no files, no network, no clock, no processes, no chance.
#[test]
fn the_language_of_crates_has_nothing_but_data_and_actions() {
    let shop = Shop::new().by_path();
    shop.configures("web.page(request, \"a\")");
    for name in [
        "open",
        "read",
        "glob",
        "run_command",
        "eval",
        "import",
        "time",
        "now",
        "random",
        "env",
        "getenv",
        "http",
        "socket",
        "secret",
        "group_spec",
        "node_spec",
        "fact",
        "os",
        "sys",
        "native",
    ] {
        let code = format!("def page(request, name: str):\n    {name}(\"/etc/passwd\")\n");
        shop.write("crate.star", &code);
        let output = shop.project.run(&["check"]).exits(2);
        output.says(&format!("`{name}`")).says("@web/crate.star:2");
    }
    // neither by a loop that does not end
    shop.write(
        "crate.star",
        "def page(request, name: str):\n    for i in range(1 << 30):\n        pass\n",
    );
    let output = shop.project.run(&["lift", "--dry-run"]);
    assert_ne!(output.code(), 0, "{output}");
    output.says("was stopped after 10s");
}
