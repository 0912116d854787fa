//! OpenBao, which has Vault's API.

use pallet_tests::{Bed, OpenBao, Programs, Project};

use super::{on_node, with_secrets};

const POLICY: &str = "path \"secret/data/app\" { capabilities = [\"read\"] }";

fn tables(bao: &OpenBao<'_>, more: &str) -> String {
    format!("[vault]\naddress = {:?}\nca_file = {:?}\n{more}\n", OpenBao::ADDRESS, bao.authority())
}

/// The project of an AppRole that may read `secret/app` and nothing else.
fn with_role(bed: &Bed, bao: &OpenBao<'_>) -> Project {
    let policy = bao.authority().with_file_name("policy.hcl");
    std::fs::write(&policy, POLICY).unwrap();
    bao.ask(&["policy", "write", "app", policy.to_str().unwrap()]);
    bao.ask(&["auth", "enable", "approle"]);
    bao.ask(&["write", "auth/approle/role/app", "token_policies=app", "token_ttl=1h"]);
    let role = bao.ask(&["read", "-field=role_id", "auth/approle/role/app/role-id"]).stdout;
    let words = ["write", "-f", "-field=secret_id", "auth/approle/role/app/secret-id"];
    let id = bao.ask(&words).stdout;
    let more =
        format!("approle = {{ role_id = {:?}, secret_id = {{ env = \"ID\" }} }}", role.trim());
    let secrets = [("app", "{ vault = \"secret/app\", key = \"password\" }")];
    with_secrets(bed, &secrets, &tables(bao, &more)).set("ID", id.trim())
}

#[test]
fn a_token_reads_every_engine() {
    let bed = Bed::of(1);
    let programs = Programs::installed();
    let bao = OpenBao::on(&bed, &programs);
    bao.ask(&["kv", "put", "secret/app/db", "password=one-5Zr8", "user=app"]);
    bao.ask(&["kv", "put", "secret/only", "a.b=two-9Qx1"]);
    bao.ask(&["secrets", "enable", "-version=1", "-path=team/old", "kv"]);
    bao.ask(&["kv", "put", "team/old/app", "password=three-7Hq3"]);
    let secrets = [
        ("one", "{ vault = \"secret/app/db\", key = \"password\" }"),
        ("again", "{ vault = \"secret/data/app/db\", key = \"user\" }"),
        ("two", "{ vault = \"secret/only\" }"),
        ("three", "{ vault = \"team/old/app\", key = \"password\" }"),
    ];
    let project = with_secrets(&bed, &secrets, &tables(&bao, "")).set("VAULT_TOKEN", OpenBao::ROOT);
    let told = project.run(&["lift"]).exits(0);
    for value in ["5Zr8", "9Qx1", "7Hq3", OpenBao::ROOT] {
        assert!(!told.to_string().contains(value), "{told}");
    }
    let values = ["one", "again", "two", "three"].map(|name| on_node(&bed, name));
    assert_eq!(values, ["one-5Zr8", "app", "two-9Qx1", "three-7Hq3"]);
    project.run(&["lift"]).exits(0).says("nothing to change");
    bao.ask(&["kv", "put", "secret/only", "a.b=four-4Wm6"]);
    project.run(&["lift", "--dry-run"]).exits(0).says("/srv/two").never_says("/srv/one");
    project.run(&["lift"]).exits(0);
    assert_eq!(on_node(&bed, "two"), "four-4Wm6");

    // the token that `vault login` keeps
    let project = project.unset("VAULT_TOKEN");
    let error = "there is no token for Vault at https://127.0.0.1:8200: set VAULT_TOKEN, log in";
    project.run(&["lift"]).exits(1).says(error);
    std::fs::write(project.home().join(".vault-token"), format!("{}\n", OpenBao::ROOT)).unwrap();
    project.run(&["lift"]).exits(0).says("nothing to change");
}

#[test]
fn a_role_reads_what_it_may() {
    let bed = Bed::of(1);
    let programs = Programs::installed();
    let bao = OpenBao::on(&bed, &programs);
    bao.ask(&["kv", "put", "secret/app", "password=one-5Zr8"]);
    bao.ask(&["kv", "put", "secret/other", "password=two-9Qx1"]);
    let project = with_role(&bed, &bao);
    project.run(&["check"]).exits(0);
    project.run(&["lift"]).exits(0).never_says("5Zr8");
    assert_eq!(on_node(&bed, "app"), "one-5Zr8");

    let place = "vault = \"secret/app\", key = \"password\"";
    for (wrong, error) in [
        (
            "vault = \"secret/other\", key = \"password\"",
            "secret app: cannot read secret/other in Vault at https://127.0.0.1:8200: \
             1 error occurred: * permission denied (status 403); may this token read it?",
        ),
        (
            "vault = \"secret/app\", key = \"pasword\"",
            "secret app: cannot use secret/app in Vault at https://127.0.0.1:8200: it has no key \
             `pasword`; did you mean `password`?",
        ),
        ("vault = \"app\"", "\"app\" is not a path in Vault; write it as `vault kv get` takes it"),
    ] {
        project.edit("pallet.toml", place, wrong);
        project.run(&["lift"]).exits(1).says(error);
        project.edit("pallet.toml", wrong, place);
    }
    let project = project.set("ID", "wrong-3Bv7");
    let error = "cannot log in to Vault at https://127.0.0.1:8200 with the AppRole: invalid role";
    project.run(&["lift"]).exits(1).says(error).never_says("3Bv7");
    project.edit("pallet.toml", "ca_file", "#");
    project.run(&["lift"]).exits(1).says("cannot ask Vault at https://127.0.0.1:8200: ");
    drop(bao);
    project.run(&["lift"]).exits(1).says(": nothing listens there");
}

#[test]
fn a_long_session_notices_a_rotation() {
    let bed = Bed::of(1);
    let programs = Programs::installed();
    let bao = OpenBao::on(&bed, &programs);
    bao.ask(&["kv", "put", "secret/app", "password=one-5Zr8"]);
    let project = with_role(&bed, &bao);
    let at_once = "{ vault = \"secret/app\", key = \"password\", ttl = \"0s\" }";
    project.edit("pallet.toml", "[secrets]", &format!("[secrets]\nnow = {at_once}"));
    project.edit(
        "pallet.star",
        "\napp =",
        "    remote_file(request, \"/srv/now\", content = secret(\"now\"))\n\napp =",
    );
    let mut terminal = project.repl(&[]);
    let shown = terminal.enter("lift(app)");
    assert!(shown.contains("1 changed"), "{shown}");
    bao.ask(&["kv", "put", "secret/app", "password=two-9Qx1"]);
    let shown = terminal.enter("lift(app)");
    assert!(shown.contains("/srv/now") && !shown.contains("/srv/app"), "{shown}");
    assert_eq!([on_node(&bed, "app"), on_node(&bed, "now")], ["one-5Zr8", "two-9Qx1"]);
    // the old value is still a secret
    let shown = terminal.enter("run(app, \"echo one-5Z''r8 two-9Q''x1\").nodes[0].stdout");
    assert!(shown.ends_with("\"*** ***\\n\""), "{shown}");
}

#[test]
fn a_check_asks_no_server() {
    let bed = Bed::of(1);
    let secrets = [
        ("app", "{ vault = \"secret/app\" }"),
        ("file", "{ sops = \"none.yaml\", key = \"a\" }"),
        ("aws", "{ aws_secret = \"prod/db\" }"),
    ];
    let project = with_secrets(&bed, &secrets, "");
    let found = project.run(&["check"]).exits(2);
    let found = found.says(
        "secret `app`: the address of Vault is not known: set `address` of [vault] in pallet.toml, \
         or VAULT_ADDR\n --> pallet.toml:4:1",
    );
    found.says("secret `file`: cannot read the sops file ").never_says("aws");
    project.edit(
        "pallet.toml",
        "secret_ttl",
        "vault.address = \"https://127.0.0.1:1\"\nsecret_ttl",
    );
    project.write("none.yaml", "a: 1\n");
    project.run(&["check"]).exits(0);
}
