//! What the template chooses, and how it explains the choice.

use super::*;
use crate::model::{HardwareSpec, Os, OsFamily, PackageManager, ServiceManager};

fn image(id: &str, os: &str, version: &str, arch: &str) -> Image {
    let family = OsFamily::of(os, "");
    let os = Os {
        id: os.to_owned(),
        version: version.to_owned(),
        family,
        arch: arch.to_owned(),
        package_manager: PackageManager::Apt,
        service_manager: ServiceManager::Systemd,
    };
    Image {
        id: id.to_owned(),
        name: format!("{id} image"),
        os: Some(os),
        login_user: Some("admin".to_owned()),
        min_disk: Some(8),
    }
}

fn hardware(id: &str, cores: u32, ram: u64, disk: Option<u64>, price: Option<f64>) -> Hardware {
    Hardware { id: id.to_owned(), cores, ram, disk, price, arch: vec!["x86_64".to_owned()] }
}

fn offers() -> Offers {
    Offers {
        images: vec![
            image("arm-12", "debian", "12", "aarch64"),
            image("deb-12", "debian", "12.4", "x86_64"),
            image("deb-11", "debian", "11", "x86_64"),
            image("rocky-9", "rocky", "9.4", "x86_64"),
            Image {
                id: "raw".to_owned(),
                name: "disk".to_owned(),
                os: None,
                login_user: None,
                min_disk: None,
            },
        ],
        hardware: vec![
            hardware("large", 8, 32_768, None, Some(0.4)),
            hardware("tiny", 1, 512, Some(4), Some(0.005)),
            hardware("medium", 2, 4096, None, Some(0.05)),
            hardware("odd", 2, 4096, None, Some(0.04)),
            hardware("unpriced", 2, 2048, None, None),
        ],
        locations: vec![Location { id: "a".to_owned(), name: "zone a".to_owned() }],
    }
}

fn spec(image: ImageSpec, hardware: HardwareSpec) -> NodeSpec {
    NodeSpec { image: Some(image), hardware: Some(hardware), ..NodeSpec::default() }
}

fn debian(version: &str) -> ImageSpec {
    ImageSpec {
        os_family: Some("debian".into()),
        os_version: Some(version.into()),
        arch: Some("x86_64".into()),
        ..ImageSpec::default()
    }
}

fn chosen(spec: &NodeSpec) -> (String, String) {
    let choice = offers().choose(spec).unwrap();
    (choice.image.unwrap().id, choice.hardware.unwrap().id)
}

#[test]
fn the_smallest_and_cheapest_wins() {
    let two = HardwareSpec { min_cores: Some(2), min_ram: Some(4000), ..HardwareSpec::default() };
    assert_eq!(chosen(&spec(debian("12"), two.clone())), ("deb-12".into(), "odd".into()));
    assert_eq!(chosen(&spec(debian(">=11, <12"), two.clone())).0, "deb-11");
    assert_eq!(chosen(&spec(debian("12"), HardwareSpec { fastest: Some(true), ..two })).1, "large");
    // a disk that is too small for the image
    assert_eq!(chosen(&spec(debian("12"), HardwareSpec::default())).1, "odd");
    // without any condition, the provider's first image wins, and hardware must match its
    // architecture
    let arm = offers().choose(&NodeSpec::default()).unwrap_err();
    assert!(arm.to_string().contains("arch is x86_64, the image's is aarch64"), "{arm}");
    let by_name = ImageSpec { image_name: Some("*ROCKY*".into()), ..ImageSpec::default() };
    assert_eq!(chosen(&spec(by_name, HardwareSpec::default())).0, "rocky-9");
    let by_id = ImageSpec {
        image_id: Some("raw".into()),
        os_family: Some("debian".into()),
        ..ImageSpec::default()
    };
    assert_eq!(chosen(&spec(by_id, HardwareSpec::default())), ("raw".into(), "tiny".into()));
    let user = ImageSpec { login_user: Some("root".into()), ..debian("12") };
    assert_eq!(
        offers()
            .choose(&spec(user, HardwareSpec::default()))
            .unwrap()
            .image
            .unwrap()
            .login_user
            .unwrap(),
        "root"
    );
}

#[test]
fn what_nothing_satisfies_names_the_nearest() {
    let error = offers().choose(&spec(debian("13"), HardwareSpec::default())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no image satisfies the node-spec; the nearest of 5: deb-12 (os_version is 12.4, not 13); \
         deb-11 (os_version is 11, not 13); raw (its system is not known)"
    );
    let huge = HardwareSpec { min_cores: Some(16), min_ram: Some(1024), ..HardwareSpec::default() };
    let error = offers().choose(&spec(debian("12"), huge)).unwrap_err();
    assert!(error.to_string().contains("odd (cores are 2, min_cores is 16)"), "{error}");
    let mut far = spec(debian("12"), HardwareSpec::default());
    far.location = Some(LocationSpec { location_id: Some("b".into()) });
    let error = offers().choose(&far).unwrap_err();
    assert!(error.to_string().ends_with("a (location_id is not b)"), "{error}");
}

#[test]
fn a_service_without_offers_decides_for_itself() {
    let choice = Offers::default()
        .choose(&spec(debian("13"), HardwareSpec { min_cores: Some(64), ..Default::default() }))
        .unwrap();
    assert_eq!(choice, Choice::default());
}

#[test]
fn every_candidate_is_explained() {
    let choice = offers().choose(&spec(debian("12"), HardwareSpec::default())).unwrap();
    let images: Vec<_> =
        choice.considered.iter().filter(|candidate| candidate.kind == OfferKind::Image).collect();
    assert_eq!(images.len(), 5);
    assert_eq!(
        (images[0].id.as_str(), images[0].chosen, images[0].fails.len()),
        ("deb-12", true, 0)
    );
    assert!(images[1..].iter().all(|candidate| !candidate.chosen && !candidate.fails.is_empty()));
}
