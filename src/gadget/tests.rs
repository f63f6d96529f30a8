//! The gadget over a kernel of the tests' own.

mod kernel;
mod media;

use std::{fs, os::unix::fs::symlink, path::Path, sync::atomic::Ordering};

use super::*;
use kernel::Machine;

fn names_of(profile: Profile) -> Vec<String> {
    let functions = profile.functions().iter();
    let mut names: Vec<_> = functions
        .map(|(function, _)| shape::name(*function))
        .collect();
    names.sort();
    names
}

#[test]
fn up_makes_each_profile_and_plugs_it_in() {
    for profile in Profile::ALL {
        let machine = Machine::new(&["b.usb", "a.usb"]);
        machine.up(Some(profile)).unwrap();
        assert_eq!(machine.read("UDC"), "a.usb");
        assert_eq!(machine.read("idVendor"), "0x1d6b");
        assert_eq!(machine.read("idProduct"), "0x0104");
        assert_eq!(machine.read("configs/c.1/bmAttributes"), "0xa0");
        let is_bios = profile == Profile::Bios;
        assert_eq!(
            machine.read("bcdUSB"),
            if is_bios { "0x0110" } else { "0x0200" }
        );
        assert_eq!(machine.read("max_speed") == "full-speed", is_bios);
        for (function, descriptor) in profile.functions() {
            let attribute = |name: &str| format!("functions/hid.{function}/{name}");
            assert_eq!(
                fs::read(machine.path(&attribute("report_desc"))).unwrap(),
                descriptor.report
            );
            let number = |name: &str| machine.read(&attribute(name)).parse::<usize>().unwrap();
            assert_eq!(number("report_length"), descriptor.report_length);
            assert_eq!(number("subclass"), usize::from(descriptor.subclass));
            assert_eq!(number("protocol"), usize::from(descriptor.protocol));
            assert_eq!(number("no_out_endpoint"), 1);
            let link = machine.path(&format!("configs/c.1/hid.{function}"));
            assert_eq!(
                fs::read_link(link).unwrap(),
                machine.path(&format!("functions/hid.{function}"))
            );
        }
        assert_eq!(
            configfs::names(&machine.path("functions")),
            names_of(profile)
        );
        let status = Status::read(&machine.fake.places);
        assert_eq!(status.profile, Some(profile.name()));
        assert_eq!(machine.gadget().down(false).unwrap(), Left::Nothing);
        assert!(machine.snapshot().is_empty());
    }
}

/// Some firmware repeats keys where there is more than it asked for, and some sees a boot keyboard only.
#[test]
fn complaints_10_11_firmware_gets_a_boot_keyboard_and_a_boot_mouse_and_nothing_else() {
    let machine = Machine::new(&["a.usb"]);
    machine.up(Some(Profile::Bios)).unwrap();
    let linked: Vec<_> = configfs::names(&machine.path("configs/c.1"))
        .into_iter()
        .filter(|name| name.contains('.'))
        .collect();
    assert_eq!(linked, ["hid.keyboard", "hid.relative"]);
    for (function, protocol, length) in [("keyboard", "1", "8"), ("relative", "2", "3")] {
        let read = |name: &str| machine.read(&format!("functions/hid.{function}/{name}"));
        assert_eq!(
            read("subclass"),
            "1",
            "{function}: it can speak the boot protocol"
        );
        assert_eq!(read("protocol"), protocol);
        assert_eq!(read("report_length"), length, "as HID 1.11, appendix B");
        assert_eq!(
            read("no_out_endpoint"),
            "1",
            "firmware sets LEDs by control requests"
        );
    }
}

#[test]
fn up_again_changes_nothing_and_plugs_in_what_is_out() {
    let machine = Machine::new(&["a.usb"]);
    machine.up(Some(Profile::Nvr)).unwrap();
    let before = machine.snapshot();
    let fake = machine.failing(0);
    Gadget::up_with(Box::new(fake.clone()), fake.places.clone(), None, None).unwrap();
    machine
        .with(machine.failing(0))
        .set_profile(Profile::Nvr)
        .unwrap();
    assert_eq!(fake.calls.load(Ordering::Relaxed), 0);

    fs::write(machine.path("UDC"), "\n").unwrap();
    machine.up(None).unwrap();
    assert_eq!(machine.snapshot(), before);
}

#[test]
fn complaint_11_another_profile_is_another_device_with_another_release() {
    let machine = Machine::new(&["a.usb"]);
    machine.up(None).unwrap();
    let mut releases = Vec::new();
    for profile in [
        Profile::Bios,
        Profile::Nvr,
        Profile::Mac,
        Profile::Full,
        Profile::Bios,
    ] {
        machine.gadget().set_profile(profile).unwrap();
        assert_eq!(machine.read("UDC"), "a.usb");
        assert_eq!(
            configfs::names(&machine.path("functions")),
            names_of(profile)
        );
        assert_eq!(
            Status::read(&machine.fake.places).profile,
            Some(profile.name())
        );
        releases.push(machine.read("bcdDevice"));
    }
    assert_eq!(releases.remove(4), releases[0]);
    releases.sort();
    releases.dedup();
    assert_eq!(releases.len(), 4);
}

#[test]
fn functions_of_others_stay_behind_ours_and_keep_their_attributes() {
    let machine = Machine::new(&["a.usb"]);
    machine.up(None).unwrap();
    fs::write(machine.path("UDC"), "\n").unwrap();
    machine.add_other("acm.usb0");
    fs::write(machine.path("functions/acm.usb0/port_num"), "7\n").unwrap();
    machine.up(None).unwrap();
    let with_other = machine.read("bcdDevice");
    machine.gadget().set_profile(Profile::Bios).unwrap();
    assert_ne!(machine.read("bcdDevice"), with_other);
    let mut names = names_of(Profile::Bios);
    names.insert(0, "acm.usb0".to_owned());
    assert_eq!(configfs::names(&machine.path("functions")), names);
    assert!(machine.path("configs/c.1/acm.usb0").is_symlink());
    assert_eq!(machine.read("functions/acm.usb0/port_num"), "7");
    assert_eq!(Status::read(&machine.fake.places).others, ["acm.usb0"]);

    // Ours go, theirs stay plugged in; then ours come back.
    let left = machine.gadget().down(false).unwrap();
    assert_eq!(left, Left::Others(vec!["acm.usb0".to_owned()]));
    assert_eq!(configfs::names(&machine.path("functions")), ["acm.usb0"]);
    assert_eq!(machine.read("UDC"), "a.usb");
    machine.up(None).unwrap();
    assert_eq!(Status::read(&machine.fake.places).profile, Some("full"));
    assert_eq!(machine.read("bcdDevice"), with_other);
    assert_eq!(machine.gadget().down(true).unwrap(), Left::Nothing);
    assert!(machine.snapshot().is_empty());
}

#[test]
fn down_takes_apart_what_is_half_made() {
    // Each state in which a program that was killed may have left it.
    for number in 0..80 {
        let machine = Machine::new(&["a.usb"]);
        let fake = machine.failing(number);
        let gadget = Gadget::at(Box::new(fake.clone()), fake.places.clone());
        let made = gadget.directory.make("").and_then(|()| {
            let drive = Drive {
                kind: Kind::Cdrom,
                read_only: true,
                file: None,
            };
            Shape::new(Some(Profile::Full), Some(drive), Vec::new()).make(&gadget.directory)
        });
        if made.is_ok() {
            assert!(number > 40, "{number} calls are too few");
            return;
        }
        if machine.path("").exists() {
            machine.gadget().down(false).unwrap();
        }
        assert!(machine.snapshot().is_empty(), "call {number}");
    }
    panic!("more than 80 calls");
}

#[test]
fn whatever_fails_all_is_as_it_was() {
    type Change = fn(&Machine, &Gadget) -> Result<(), GadgetError>;
    let changes: [(&str, Change); 4] = [
        ("profile", |_, gadget| gadget.set_profile(Profile::Bios)),
        ("another controller", |machine, _| {
            machine.up_on(None, Some("b.usb")).map(drop)
        }),
        ("insert", |machine, gadget| {
            gadget.insert(&Image::open(&machine.root.path().join("i.iso"), None, false).unwrap())
        }),
        ("remove", |_, gadget| gadget.remove_drive().map(drop)),
    ];
    for (what, change) in changes {
        for number in 0.. {
            let mut machine = Machine::new(&["a.usb", "b.usb"]);
            machine.image("i.iso", 1 << 20);
            machine.up(Some(Profile::Full)).unwrap();
            fs::write(machine.path("UDC"), "\n").unwrap();
            machine.add_other("acm.usb0");
            machine.up(None).unwrap();
            if what == "remove" {
                let image = machine.image("disk", 1 << 20);
                machine
                    .gadget()
                    .insert(&Image::open(&image, None, false).unwrap())
                    .unwrap();
            }
            let before = machine.snapshot();
            machine.fake = machine.failing(number);
            if change(&machine, &machine.gadget()).is_ok() {
                assert!(number > 10, "{what}: only {number} calls");
                assert_ne!(machine.snapshot(), before, "{what}");
                break;
            }
            assert_eq!(machine.snapshot(), before, "{what}: call {number}");
        }
    }
    // A new gadget is gone again.
    for number in 0.. {
        let mut machine = Machine::new(&["a.usb"]);
        machine.fake = machine.failing(number);
        if machine.up(None).is_ok() {
            assert!(number > 30);
            break;
        }
        assert!(machine.snapshot().is_empty(), "call {number}");
    }
}

#[test]
fn who_has_the_controller_is_named_with_what_to_do() {
    let machine = Machine::new(&["a.usb"]);
    machine.add_gadget("g1", &[], "a.usb");
    let error = machine.up(None).unwrap_err().to_string();
    assert!(
        error.contains("`g1`") && error.contains("g1/UDC"),
        "{error}"
    );
    assert!(!machine.path("").exists());
    // The next one is free.
    let machine = Machine::new(&["a.usb", "b.usb"]);
    machine.add_gadget("g1", &[], "a.usb");
    machine.up(None).unwrap();
    assert_eq!(machine.read("UDC"), "b.usb");
    // An older gadget driver, which is a module.
    let machine = Machine::new(&["a.usb"]);
    fs::write(machine.root.path().join("udc/a.usb/function"), "g_ether\n").unwrap();
    let error = machine.up(None).unwrap_err().to_string();
    assert!(error.contains("rmmod g_ether"), "{error}");
}

#[test]
fn what_is_missing_is_named() {
    let machine = Machine::new(&[]);
    assert!(matches!(
        machine.up(None),
        Err(GadgetError::NoController(_))
    ));
    assert!(!machine.path("").exists());
    let machine = Machine::new(&["a.usb"]);
    let error = machine.up_on(None, Some("z.usb")).unwrap_err().to_string();
    assert!(
        error.contains("z.usb") && error.contains("a.usb"),
        "{error}"
    );
    let existing =
        Gadget::existing_with(Box::new(machine.fake.clone()), machine.fake.places.clone());
    assert!(
        existing
            .unwrap_err()
            .to_string()
            .contains("rfbridge gadget up")
    );
    let status = Status::read(&machine.fake.places);
    assert!(!status.exists && status.problems[0].contains("rfbridge gadget up"));
    fs::remove_dir(machine.root.path().join("gadgets")).unwrap();
    assert!(matches!(machine.up(None), Err(GadgetError::NoConfigfs(_))));
}

#[test]
fn an_error_says_that_root_is_needed() {
    let places = Places {
        // Nothing can be made there, by nobody.
        gadgets: "/proc/self".into(),
        ..Machine::new(&["a.usb"]).fake.places
    };
    assert!(matches!(
        Gadget::up(places, None, None),
        Err(GadgetError::NoController(_) | GadgetError::Io { .. })
    ));
    let denied = io::Error::from_raw_os_error(libc::EACCES);
    let error = configfs::failed("create", Path::new("/x"))(denied).to_string();
    assert!(error.contains("only root"), "{error}");
}

#[test]
fn endpoints_are_counted_before_anything_is_changed() {
    let machine = Machine::new(&["a.usb"]);
    machine.driver("a.usb", "dwc2");
    // 4 of ours, 3 + 3 of others: one too many.
    machine.up(None).unwrap();
    fs::write(machine.path("UDC"), "\n").unwrap();
    machine.add_other("acm.usb0");
    machine.add_other("acm.usb1");
    let before = machine.snapshot();
    let error = machine.up(None).unwrap_err().to_string();
    assert!(
        error.contains("10 endpoints") && error.contains("has 9") && error.contains("acm.usb1 3"),
        "{error}"
    );
    assert_eq!(machine.snapshot(), before);
    machine.up(Some(Profile::Nvr)).unwrap();
    let before = machine.snapshot();
    // The drive is two more.
    let image = machine.image("disk", 512);
    let error = machine
        .gadget()
        .insert(&Image::open(&image, None, false).unwrap())
        .unwrap_err();
    assert!(
        matches!(error, GadgetError::Endpoints { needs: 11, .. }),
        "{error}"
    );
    assert_eq!(machine.snapshot(), before);
}

#[test]
fn the_kernels_numbers_for_hid_functions_are_counted() {
    let machine = Machine::new(&["a.usb", "b.usb"]);
    machine.add_gadget("g1", &["hid.usb0", "hid.usb1"], "b.usb");
    let error = machine.up(None).unwrap_err().to_string();
    assert!(
        error.contains("g1/hid.usb0, g1/hid.usb1") && error.contains("2 left"),
        "{error}"
    );
    assert!(!machine.path("").exists());
    machine.up(Some(Profile::Bios)).unwrap();
}

#[test]
fn the_status_says_what_is_wrong_and_what_to_do() {
    let machine = Machine::new(&["a.usb"]);
    let udc = machine.root.path().join("udc/a.usb");
    let status = || Status::read(&machine.fake.places);
    machine.up(Some(Profile::Bios)).unwrap();
    for (function, _) in Profile::Bios.functions() {
        // A character device that every machine has stands for the node.
        fs::write(
            machine.path(&format!("functions/hid.{function}/dev")),
            "1:3\n",
        )
        .unwrap();
    }
    symlink("/dev/null", machine.root.path().join("dev/hidg0")).unwrap();
    fs::write(udc.join("state"), "configured\n").unwrap();
    fs::write(udc.join("current_speed"), "full-speed\n").unwrap();
    let good = status();
    assert!(good.problems.is_empty(), "{:?}", good.problems);
    let text = good.to_string();
    for line in [
        "gadget    bios, plugged into a.usb",
        "target    configured, full-speed",
        "reports of 3 bytes",
    ] {
        assert!(text.contains(line), "{text}");
    }
    let json: serde_json::Value = serde_json::from_str(&good.to_json()).unwrap();
    assert_eq!(json["profile"], "bios");
    assert_eq!(json["functions"][1]["report_length"], 3);
    assert_eq!(json["media"]["drive"], false);

    for (state, word) in [("not attached\n", "cable"), ("suspended\n", "asleep")] {
        fs::write(udc.join("state"), state).unwrap();
        assert!(
            status().problems[0].contains(word),
            "{:?}",
            status().problems
        );
    }
    fs::write(udc.join("state"), "configured\n").unwrap();
    fs::remove_file(machine.root.path().join("dev/hidg0")).unwrap();
    assert!(status().problems[0].contains("no device node for keyboard"));
    fs::write(machine.path("UDC"), "\n").unwrap();
    assert!(status().problems[0].contains("not plugged"));
    fs::write(machine.path("functions/hid.keyboard/report_desc"), "other").unwrap();
    assert!(status().problems[1].contains("gadget profile full"));
}
