//! Tests of the service with answers in EC2's format.

use super::*;
use crate::api::server::Server;

const NONE: &str = "<R><reservationSet/><securityGroupInfo/><vpcSet/><subnetSet/><keySet/></R>";

fn service(server: &Server) -> Ec2 {
    let options = serde_json::from_value(json!({})).unwrap();
    let admin_user = AdminUser { name: "ops".into(), ..AdminUser::default() };
    let context = ServiceContext {
        project: "shop".into(),
        service: "aws".into(),
        admin_user,
        ..ServiceContext::default()
    };
    Ec2 { options, context, api: server.api(), hardware: Mutex::default() }
}

fn instance(id: &str, state: &str, name: &str, project: &str) -> String {
    format!(
        "<item><instancesSet><item><instanceId>{id}</instanceId><instanceState><code>16</code>\
         <name>{state}</name></instanceState>\
         <launchTime>2024-01-02T03:04:05.000Z</launchTime><ipAddress>192.0.2.7</ipAddress>\
         <privateIpAddress>10.0.0.7</privateIpAddress>\
         <stateReason><code>Server.X</code><message>Server.InternalError: no \
         volume</message></stateReason>\
         <tagSet><item><key>pallet-project</key><value>{project}</value></item><item><key>\
         pallet-group</key><value>web</value></item>\
         <item><key>pallet-name</key><value>{name}</value></item><item><key>pallet-image-user</key>\
         <value>admin</value></item><item><key>pallet-host-key</key><value>ssh-ed25519 \
         AAAA</value></item></tagSet></item></instancesSet></item>"
    )
}

fn reservations(instances: &[String]) -> String {
    format!(
        "<DescribeInstancesResponse><reservationSet>{}</reservationSet>\
         </DescribeInstancesResponse>",
        instances.concat()
    )
}

fn launched(id: &str) -> String {
    let state = "<instanceState><name>pending</name></instanceState>";
    format!(
        "<RunInstancesResponse><instancesSet><item><instanceId>{id}</instanceId>{state}</item>\
         </instancesSet></RunInstancesResponse>"
    )
}

fn error(code: &str) -> String {
    format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>because</Message></Error></Errors>\
         </Response>"
    )
}

const GROUP: &str = "<R><securityGroupInfo><item><groupId>sg-1</groupId><groupName>\
    pallet-shop-web</groupName>\
    <ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort>\
    <ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges>\
    <ipv6Ranges><item><cidrIpv6>::/0</cidrIpv6></item></ipv6Ranges></item></ipPermissions>\
    <tagSet><item><key>pallet-project</key><value>shop</value></item></tagSet></item>\
    </securityGroupInfo></R>";

fn wish(names: &[&str]) -> RunNodes {
    let image = Image {
        id: "ami-1".into(),
        name: "x".into(),
        os: None,
        login_user: Some("admin".into()),
        min_disk: Some(8),
    };
    RunNodes {
        group: "web".into(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        image: Some(image),
        spec: NodeSpec {
            tags: BTreeMap::from([("team".to_owned(), "shop".to_owned())]),
            ..NodeSpec::default()
        },
        hardware: Some(Hardware { id: "t3.nano".into(), ..Hardware::default() }),
        token: "shop/web".into(),
        ..RunNodes::default()
    }
}

fn failure(created: &Created) -> String {
    let Created::Failed(error) = created else { panic!("{created:?}") };
    error.to_string()
}

/// The requests before a node is created: the project's nodes, its terminated nodes, the default
/// VPC, the group.
fn prelude() -> Vec<(u16, String)> {
    vec![
        (200, NONE.to_owned()),
        (200, NONE.to_owned()),
        (200, NONE.to_owned()),
        (200, GROUP.to_owned()),
    ]
}

#[test]
fn an_instance_is_a_node_with_its_host_key() {
    let strange = instance("i-9", "running", "web-9", "shop-2");
    let answer = reservations(&[
        instance("i-1", "running", "web-1", "shop"),
        instance("i-2", "stopped", "web-2", "shop"),
        strange,
    ]);
    let server = Server::answering([(200, answer)]);
    let nodes = service(&server).nodes().unwrap();
    assert_eq!(nodes.len(), 2);
    let node = &nodes[0];
    let Connection::Ssh(ssh) = &node.connection else { panic!("{node:?}") };
    assert_eq!(
        (ssh.host.as_str(), ssh.host_keys.as_slice()),
        ("192.0.2.7", ["ssh-ed25519 AAAA".to_owned()].as_slice())
    );
    assert_eq!(
        (node.group.as_deref(), node.image_user.as_deref(), node.created),
        (Some("web"), Some("admin"), 1_704_164_645)
    );
    assert_eq!((node.status, nodes[1].status), (NodeStatus::Running, NodeStatus::Stopped));
    let server =
        Server::answering([(200, reservations(&[instance("i-1", "pending", "web-1", "shop")]))]);
    assert_eq!(service(&server).nodes().unwrap()[0].status, NodeStatus::Starting);
}

#[test]
fn a_used_token_makes_way_for_the_next_and_no_capacity_fails_one_node() {
    let running = reservations(&[instance("i-1", "running", "web-1", "shop")]);
    let more =
        [(400, error("IdempotentInstanceTerminated")), (200, launched("i-1")), (200, running)];
    let server = Server::answering(prelude().into_iter().chain(more));
    let created = service(&server).run_nodes(&wish(&["web-1"])).unwrap();
    assert!(matches!(&created[0], Created::Node(node) if node.id == "i-1"), "{created:?}");
    let sent = server.requests();
    let token = |request: &String| request.split("ClientToken=").nth(1).unwrap()[..64].to_owned();
    assert_ne!(token(&sent[4]), token(&sent[5]), "the next generation");
    assert!(
        sent[5].contains("SecurityGroupId.1=sg-1") && sent[5].contains("InstanceType=t3.nano"),
        "{}",
        sent[5]
    );
    assert!(
        sent[5].contains("Value=web-1")
            && sent[5].contains("pallet-host-key")
            && sent[5].contains("Key=team"),
        "{}",
        sent[5]
    );

    let server = Server::answering(
        prelude().into_iter().chain([(500, error("InsufficientInstanceCapacity"))]),
    );
    let text = failure(&service(&server).run_nodes(&wish(&["web-1"])).unwrap()[0]);
    assert!(
        text.contains("ec2 in eu-west-1 has no capacity for this instance type")
            && text.contains("another location"),
        "{text}"
    );
    assert_eq!(
        server.actions().len(),
        5,
        "it is not tried again, and there is nothing to terminate"
    );
}

#[test]
fn tokens_that_are_known_to_be_used_up_are_not_tried() {
    let gone = |generation: u32| {
        let tag =
            format!("<tagSet><item><key>pallet-generation</key><value>{generation}</value></item>");
        instance(&format!("i-{generation}"), "terminated", "web-1", "shop")
            .replace("<tagSet>", &tag)
    };
    let past = (200, reservations(&[gone(7), gone(70), gone(69)]));
    let running = reservations(&[instance("i-1", "running", "web-1", "shop")]);
    let mut answers = prelude();
    answers[1] = past;
    answers.extend([(200, launched("i-1")), (200, running)]);
    let server = Server::answering(answers);
    let created = service(&server).run_nodes(&wish(&["web-1"])).unwrap();
    assert!(matches!(&created[0], Created::Node(_)), "{created:?}");
    assert!(
        server.requests()[4].contains("Key=pallet-generation&")
            && server.requests()[4].contains("Value=71"),
        "{}",
        server.requests()[4]
    );
}

#[test]
fn ports_that_are_no_longer_declared_are_closed() {
    let rule = |port: u16| {
        format!(
            "<item><ipProtocol>tcp</ipProtocol><fromPort>{port}</fromPort><toPort>{port}</toPort>\
             <ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges>\
             <ipv6Ranges><item><cidrIpv6>::/0</cidrIpv6></item></ipv6Ranges></item>"
        )
    };
    let group =
        GROUP.replace("<ipPermissions>", &format!("<ipPermissions>{}{}", rule(80), rule(8080)));
    let done = || (200, NONE.to_owned());
    let server = Server::answering([done(), (200, group), done(), done(), done(), done()]);
    let network = NetworkSpec { inbound_ports: vec![80, 443], ..NetworkSpec::default() };
    let nobody =
        RunNodes { spec: NodeSpec { network: Some(network), ..NodeSpec::default() }, ..wish(&[]) };
    assert_eq!(service(&server).run_nodes(&nobody).unwrap(), []);
    let actions: Vec<_> =
        server.requests().iter().skip(2).map(|request| request.replace("%3A", ":")).collect();
    let of = |action: &str, port: u16| {
        actions
            .iter()
            .filter(|sent| sent.contains(action) && sent.contains(&format!("FromPort={port}&")))
            .count()
    };
    assert_eq!(
        (
            of("AuthorizeSecurityGroupIngress", 443),
            of("RevokeSecurityGroupIngress", 8080),
            actions.len()
        ),
        (2, 2, 4),
        "{actions:?}"
    );
}

#[test]
fn what_a_killed_process_made_is_taken_over() {
    let state = |state| reservations(&[instance("i-1", state, "web-1", "shop")]);
    let more = [
        (400, error("IdempotentParameterMismatch")),
        (200, state("pending")),
        (200, state("running")),
    ];
    let server = Server::answering(prelude().into_iter().chain(more));
    let created = service(&server).run_nodes(&wish(&["web-1"])).unwrap();
    assert!(matches!(&created[0], Created::Node(node) if node.id == "i-1"), "{created:?}");
    assert!(server.requests()[5].contains("Filter.1.Name=client-token"));
}

#[test]
fn a_node_that_dies_while_it_starts_is_terminated_and_says_why() {
    let dead = reservations(&[instance("i-1", "terminated", "web-1", "shop")]);
    let server = Server::answering(prelude().into_iter().chain([
        (200, launched("i-1")),
        (200, dead),
        (200, NONE.to_owned()),
    ]));
    let text = failure(&service(&server).run_nodes(&wish(&["web-1"])).unwrap()[0]);
    assert_eq!(text, "web-1 (i-1) was terminated: Server.InternalError: no volume");
    assert_eq!(server.actions().last().unwrap(), "TerminateInstances");
}

#[test]
fn a_stopped_node_is_started_and_one_of_another_group_is_not_touched() {
    let stopped = reservations(&[instance("i-1", "stopped", "web-1", "shop")]);
    let running = reservations(&[instance("i-1", "running", "web-1", "shop")]);
    let server = Server::answering([
        (200, stopped.clone()),
        (200, stopped),
        (200, NONE.to_owned()),
        (200, running.clone()),
    ]);
    let created = service(&server).run_nodes(&wish(&["web-1"])).unwrap();
    assert!(matches!(&created[0], Created::Node(_)), "{created:?}");
    assert_eq!(
        server.actions(),
        ["DescribeInstances", "DescribeInstances", "StartInstances", "DescribeInstances"]
    );

    let server = Server::answering([(200, running)]);
    let other = RunNodes { group: "db".into(), ..wish(&["web-1"]) };
    let text = failure(&service(&server).run_nodes(&other).unwrap()[0]);
    assert!(text.contains("of group web, not db"), "{text}");
}

#[test]
fn only_the_projects_own_instances_are_terminated() {
    let mine = instance("i-1", "running", "web-1", "shop");
    let server = Server::answering([
        (200, reservations(&[mine, instance("i-2", "running", "x", "other")])),
        (200, NONE.to_owned()),
    ]);
    service(&server).destroy_nodes(&["i-1".into(), "i-2".into(), "i-3".into()]).unwrap();
    let sent = server.requests();
    assert!(
        sent[1].ends_with("Action=TerminateInstances&Version=2016-11-15&InstanceId.1=i-1"),
        "{}",
        sent[1]
    );
    let server =
        Server::answering([(200, reservations(&[instance("i-2", "running", "x", "other")]))]);
    service(&server).destroy_nodes(&["i-2".into()]).unwrap();
    assert_eq!(server.actions(), ["DescribeInstances"]);
}

fn lease_group(id: &str, token: &str, until: u64) -> String {
    format!(
        "<R><vpcSet/><securityGroupInfo><item><groupId>{id}</groupId><groupName>\
         pallet-lease-shop</groupName><tagSet>\
         <item><key>pallet-lease</key><value>yes</value></item><item><key>pallet-lease-token</key>\
         <value>{token}</value></item>\
         <item><key>pallet-lease-holder</key><value>ada</value></item><item><key>\
         pallet-lease-until</key><value>{until}</value></item>\
         </tagSet></item></securityGroupInfo></R>"
    )
}

#[test]
fn one_holds_the_lease_until_its_time() {
    let later = unix_time() + 1000;
    let lease = |token: &str, holder: &str, until: u64| -> Lease {
        serde_json::from_value(json!({ "token": token, "holder": holder, "until": until })).unwrap()
    };
    let wanted = lease("mine", "bob", unix_time() + 60);
    let duplicate = || (400, error("InvalidGroup.Duplicate"));
    let take = |answers: Vec<(u16, String)>| {
        let server = Server::answering(answers);
        let answer = service(&server).take_lease(&wanted).unwrap();
        (answer, server.actions())
    };
    let vpcs = || {
        let vpc = |id: &str, default: bool| {
            format!("<item><vpcId>{id}</vpcId><isDefault>{default}</isDefault></item>")
        };
        (200, format!("<R><vpcSet>{}{}</vpcSet></R>", vpc("vpc-1", false), vpc("vpc-2", true)))
    };
    assert_eq!(
        take(vec![vpcs(), (200, NONE.to_owned())]),
        (None, vec!["DescribeVpcs".to_owned(), "CreateSecurityGroup".to_owned()])
    );

    let (answer, _) = take(vec![vpcs(), duplicate(), (200, lease_group("sg-1", "theirs", later))]);
    assert_eq!(answer, Some(lease("theirs", "ada", later)));

    let renewal = vec![
        vpcs(),
        duplicate(),
        (200, lease_group("sg-1", "mine", later)),
        (200, NONE.to_owned()),
    ];
    let (answer, actions) = take(renewal);
    assert_eq!((answer, actions.last().map(String::as_str)), (None, Some("CreateTags")));

    // expired: deleted by its id; if two processes do this, the slower one finds the lease of the
    // faster one
    let (answer, actions) = take(vec![
        vpcs(),
        duplicate(),
        (200, lease_group("sg-1", "theirs", 1)),
        (400, error("InvalidGroup.NotFound")),
        duplicate(),
        (200, lease_group("sg-2", "quicker", later)),
    ]);
    assert_eq!(answer.unwrap().token, "quicker");
    assert_eq!(actions[3], "DeleteSecurityGroup");

    let server = Server::answering([vpcs(), (200, lease_group("sg-2", "theirs", later))]);
    service(&server).release_lease("mine").unwrap();
    assert_eq!(server.actions().len(), 2, "another's lease stays");
    assert!(server.requests()[1].contains("vpc-2"), "the default one");
}

#[test]
fn the_lease_needs_no_default_vpc() {
    let vpcs = |ids: &[&str]| {
        let items: String = ids
            .iter()
            .map(|id| format!("<item><vpcId>{id}</vpcId><isDefault>false</isDefault></item>"))
            .collect();
        (200, format!("<R><vpcSet>{items}</vpcSet></R>"))
    };
    let wanted = Lease { token: "mine".into(), until: unix_time() + 60, ..Lease::default() };
    for order in [["vpc-2", "vpc-1"], ["vpc-1", "vpc-2"]] {
        let server = Server::answering([vpcs(&order), (200, NONE.to_owned())]);
        assert_eq!(service(&server).take_lease(&wanted).unwrap(), None);
        assert!(
            server.requests()[1].contains("VpcId=vpc-1"),
            "everybody looks in the same one: {}",
            server.requests()[1]
        );
    }
    let server = Server::answering([vpcs(&[])]);
    let error = PluginError::from(service(&server).take_lease(&wanted).unwrap_err());
    assert!(error.to_string().contains("has no VPC in this region"), "{error}");
}

fn image(name: &str, arch: &str, created: &str) -> String {
    format!(
        "<item><imageId>ami-{created}</imageId><name>{name}</name><architecture>\
         {arch}</architecture><creationDate>{created}T00:00:00.000Z</creationDate>\
         <imageType>machine</imageType><rootDeviceType>ebs</rootDeviceType><rootDeviceName>\
         /dev/xvda</rootDeviceName>\
         <blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs><volumeSize>\
         8</volumeSize></ebs></item></blockDeviceMapping></item>"
    )
}

#[test]
fn images_are_listed_by_system_version_and_date() {
    let all = [
        image("debian-11-amd64-20250101-1", "x86_64", "2025-01-01"),
        image("debian-12-amd64-20240101-1", "x86_64", "2024-01-01"),
        image("debian-12-amd64-20240601-1", "x86_64", "2024-06-01"),
        image("debian-12-arm64-20240701-1", "arm64", "2024-07-01"),
        image(
            "ubuntu/images/hvm-ssd-gp3/ubuntu-oracular-24.10-amd64-server-20250701",
            "x86_64",
            "2025-07-01",
        ),
        image(
            "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20250702",
            "x86_64",
            "2025-07-02",
        ),
        image("my own", "x86_64", "2025-08-01"),
    ];
    let server = Server::answering(
        [
            format!("<R><imagesSet>{}</imagesSet></R>", all.concat()),
            "<R><imagesSet/></R>".to_owned(),
        ]
        .map(|body| (200, body)),
    );
    let ec2 = service(&server);
    let spec = ImageSpec { os_family: Some("debian".into()), ..ImageSpec::default() };
    let images = ec2.images(&spec).unwrap();
    let ids: Vec<_> = images.iter().map(|image| image.id.trim_start_matches("ami-")).collect();
    assert_eq!(
        ids,
        [
            "2024-06-01",
            "2024-01-01",
            "2024-07-01",
            "2025-01-01",
            "2025-07-02",
            "2025-07-01",
            "2025-08-01"
        ]
    );
    assert_eq!((images[0].login_user.as_deref(), images[0].min_disk), (Some("admin"), Some(8)));
    assert!(images[6].os.is_none() && images[6].login_user.is_none());
    let sent = &server.requests()[0];
    assert!(sent.contains("Value.1=debian-%2A-%2A-%2A") && !sent.contains("Rocky"), "{sent}");

    let error = PluginError::from(
        ec2.images(&ImageSpec { image_name: Some("Rocky-9-*".into()), ..ImageSpec::default() })
            .unwrap_err(),
    );
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(
        error.to_string().contains("ec2 in eu-west-1 has no image whose name matches Rocky-9-*"),
        "{error}"
    );
}

#[test]
fn kinds_of_machines_are_asked_for_once() {
    let kind = |name: &str, arch: &str| {
        format!(
            "<item><instanceType>{name}</instanceType><bareMetal>false</bareMetal><vCpuInfo>\
             <defaultVCpus>2</defaultVCpus></vCpuInfo>\
             <memoryInfo><sizeInMiB>512</sizeInMiB></memoryInfo><processorInfo>\
             <supportedArchitectures><item>{arch}</item></supportedArchitectures></processorInfo>\
             </item>"
        )
    };
    let kinds =
        [kind("t4g.nano", "arm64"), kind("mac1", "x86_64_mac"), kind("t3.nano", "x86_64")].concat();
    let server =
        Server::answering([(200, format!("<R><instanceTypeSet>{kinds}</instanceTypeSet></R>"))]);
    let ec2 = service(&server);
    let hardware = ec2.hardware().unwrap();
    assert_eq!(ec2.hardware().unwrap(), hardware);
    let shown: Vec<_> = hardware
        .iter()
        .map(|kind| format!("{} {} {} {}", kind.id, kind.cores, kind.ram, kind.arch.join(" ")))
        .collect();
    assert_eq!(shown, ["t4g.nano 2 512 aarch64", "t3.nano 2 512 x86_64"]);
}

#[test]
fn what_is_wrong_in_the_files_is_named() {
    let connect = |options: Value| {
        let context = ServiceContext {
            project: "shop".into(),
            service: "aws".into(),
            ..ServiceContext::default()
        };
        let error = Ec2::connect(serde_json::from_value(options).unwrap(), context).err().unwrap();
        PluginError::from(error).to_string()
    };
    assert!(
        connect(json!({ "region": "eu-west-1.evil.example/" }))
            .contains("services.aws.region: `eu-west-1.evil.example/`")
    );
    assert!(
        connect(json!({ "endpoint": "localhost" }))
            .contains("services.aws.endpoint: `localhost` is not a URL")
    );
    assert!(connect(json!({ "owners": [] })).contains("without an owner"));
    assert!(serde_json::from_value::<Options>(json!({ "regoin": "x" })).is_err());
    let mut spec = NodeSpec::default();
    let own = json!({ "spot": true });
    spec.provider.insert("ec2".into(), own.as_object().unwrap().clone());
    assert!(
        options::NodeOptions::of(&spec).unwrap_err().to_string().contains("unknown field `spot`")
    );
    for tag in ["Name", "aws:cloudformation:stack-name"] {
        let spec = NodeSpec {
            tags: BTreeMap::from([(tag.to_owned(), "x".to_owned())]),
            ..NodeSpec::default()
        };
        assert!(options::NodeOptions::of(&spec).unwrap_err().to_string().contains(tag));
    }
}

#[test]
fn clean_up_takes_groups_and_keys_of_the_project_and_leaves_the_lease() {
    let groups = format!(
        "<R><securityGroupInfo>{}{}</securityGroupInfo></R>",
        "<item><groupId>sg-1</groupId><groupName>a</groupName><tagSet><item><key>\
         pallet-project</key><value>shop</value></item></tagSet></item>",
        "<item><groupId>sg-2</groupId><groupName>b</groupName><tagSet><item><key>\
         pallet-project</key><value>shop</value></item>\
         <item><key>pallet-lease</key><value>yes</value></item></tagSet></item>"
    );
    let keys = "<R><keySet><item><keyName>pallet-shop-1</keyName><tagSet><item><key>\
        pallet-project</key><value>shop</value></item></tagSet></item></keySet></R>";
    let answers = [
        (200, groups),
        (400, error("DependencyViolation")),
        (200, NONE.to_owned()),
        (200, keys.to_owned()),
        (200, NONE.to_owned()),
    ];
    let server = Server::answering(answers);
    service(&server).clean_up().unwrap();
    let expected = [
        "DescribeSecurityGroups",
        "DeleteSecurityGroup",
        "DeleteSecurityGroup",
        "DescribeKeyPairs",
        "DeleteKeyPair",
    ];
    assert_eq!(server.actions(), expected);
    assert!(server.requests()[2].ends_with("GroupId=sg-1"));
}
