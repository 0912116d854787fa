//! AWS Secrets Manager and Systems Manager, as moto has them.

use std::time::Duration;

use pallet_tests::{Bed, Process, Programs, SecretServer};

use super::{on_node, with_secrets};

const PORT: &str = "5000";
const ENDPOINT: &str = "http://127.0.0.1:5000";

/// Makes secrets; the arguments are calls of boto3.
const MAKE: &str = r#"
import boto3, sys
def client(name, region = "eu-west-1"):
    return boto3.client(name, endpoint_url = "http://127.0.0.1:5000", region_name = region)
exec(sys.argv[1])
"#;

fn make(bed: &Bed, programs: &Programs, calls: &str) {
    let mut command = programs.command(bed, &["python", "-c", MAKE, calls]);
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    Process::start(command, Duration::from_secs(60)).wait().exits(0);
}

fn moto(bed: &Bed, programs: &Programs) -> SecretServer {
    let server = programs.command(bed, &["moto_server", "-H", "127.0.0.1", "-p", PORT]);
    let connect = format!("import socket; socket.create_connection((\"127.0.0.1\", {PORT}))");
    SecretServer::start(server, || programs.command(bed, &["python", "-c", &connect]))
}

#[test]
fn secrets_and_parameters_are_found() {
    let bed = Bed::of(1);
    let programs = Programs::installed();
    let server = moto(&bed, &programs);
    make(
        &bed,
        &programs,
        "s = client('secretsmanager')\n\
         s.create_secret(Name = 'prod/db', SecretString = '{\"password\": \"one-5Zr8\"}')\n\
         s.create_secret(Name = 'bytes', SecretBinary = b'two-9Qx1')\n\
         p = client('ssm')\n\
         p.put_parameter(Name = '/prod/db', Value = 'three-7Hq3', Type = 'SecureString')\n\
         client('ssm', 'us-east-1').put_parameter(Name = '/a', Value = 'far', Type = 'String')",
    );
    let secrets = [
        ("one", "{ aws_secret = \"prod/db\", key = \"password\" }"),
        ("two", "{ aws_secret = \"bytes\" }"),
        ("three", "{ ssm = \"/prod/db\" }"),
        ("four", "{ ssm = \"/a\", region = \"us-east-1\" }"),
    ];
    let project = with_secrets(&bed, &secrets, "")
        .set("AWS_ACCESS_KEY_ID", "test-4Wm6")
        .set("AWS_SECRET_ACCESS_KEY", "test-6Tn8")
        .set("AWS_EC2_METADATA_DISABLED", "true")
        .set("AWS_ENDPOINT_URL", ENDPOINT);
    project.run(&["lift"]).exits(1).says("secret one: ").says("there is no region: set `region`");
    let project = project.set("AWS_REGION", "eu-west-1");
    project.run(&["check"]).exits(0);
    project.run(&["lift"]).exits(0).never_says("5Zr8");
    let values = ["one", "two", "three", "four"].map(|name| on_node(&bed, name));
    assert_eq!(values, ["one-5Zr8", "two-9Qx1", "three-7Hq3", "far"]);
    assert!(server.log().contains("POST / HTTP"), "{}", server.log());
    make(
        &bed,
        &programs,
        "client('ssm').put_parameter(Name = '/prod/db', Value = 'new', Overwrite = True)",
    );
    project.run(&["lift"]).exits(0).says("/srv/three").never_says("/srv/one");
    assert_eq!(on_node(&bed, "three"), "new");

    let change = |from: &str, to: &str| project.edit("pallet.toml", from, to);
    change("aws_secret = \"prod/db\"", "aws_secret = \"prod/none\"");
    let error = "secret one: cannot look up prod/none in AWS Secrets Manager in eu-west-1: it is \
        not there; is the region right?";
    project.run(&["lift"]).exits(1).says(error);
    drop(server);
    let error = "cannot ask http://127.0.0.1:5000: nothing listens there";
    project.run(&["lift"]).exits(1).says(error).never_says("6Tn8").never_says("4Wm6");
}

#[test]
fn profiles_name_endpoints_and_credentials() {
    let bed = Bed::of(1);
    let programs = Programs::installed();
    let _server = moto(&bed, &programs);
    let calls = "client('ssm').put_parameter(Name = '/a', Value = 'one-5Zr8', Type = 'String')";
    make(&bed, &programs, calls);
    let secrets = [("app", "{ ssm = \"/a\", profile = \"prod\" }")];
    let project = with_secrets(&bed, &secrets, "").set("AWS_EC2_METADATA_DISABLED", "true");
    let error = "there are no credentials of profile prod; set AWS_ACCESS_KEY_ID";
    let project = project.set("AWS_REGION", "eu-west-1");
    project.run(&["lift"]).exits(1).says(error);
    let project = project.unset("AWS_REGION");
    std::fs::create_dir(project.home().join(".aws")).unwrap();
    let config = format!(
        "[profile prod]\nregion = eu-west-1\nservices = near\n\
         [services near]\nssm =\n  endpoint_url = {ENDPOINT}\n"
    );
    std::fs::write(project.home().join(".aws/config"), config).unwrap();
    let keys = "[prod]\naws_access_key_id = test\naws_secret_access_key = test\n";
    std::fs::write(project.home().join(".aws/credentials"), keys).unwrap();
    project.run(&["lift"]).exits(0);
    assert_eq!(on_node(&bed, "app"), "one-5Zr8");
}
