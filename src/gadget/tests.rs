use super::*;

struct Machine {
    root: tempfile::TempDir,
}

impl Machine {
    fn new(controllers: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        for directory in ["gadgets", "udc", "dev"] {
            fs::create_dir(root.path().join(directory)).unwrap();
        }
        for controller in controllers {
            fs::create_dir(root.path().join("udc").join(controller)).unwrap();
        }
        Self { root }
    }

    fn places(&self) -> Places {
        Places {
            gadgets: self.root.path().join("gadgets"),
            controllers: self.root.path().join("udc"),
            devices: self.root.path().join("dev"),
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join("gadgets/rfbridge").join(path)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// configfs removes an object's attributes with it; plain directories need help.
    fn remove_attributes(&self) {
        fn visit(directory: &Path) {
            for entry in fs::read_dir(directory).unwrap().flatten() {
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    visit(&entry.path());
                } else if kind.is_file() && entry.file_name() != "UDC" {
                    fs::remove_file(entry.path()).unwrap();
                }
            }
        }
        visit(&self.path(""));
    }
}

#[test]
fn up_declares_the_three_functions_and_binds_the_first_controller() {
    let machine = Machine::new(&["b.usb", "a.usb"]);
    Gadget::up(machine.places(), None).unwrap();
    assert_eq!(machine.read("UDC"), "a.usb");
    assert_eq!(machine.read("idVendor"), "0x1d6b");
    assert_eq!(machine.read("idProduct"), "0x0104");
    assert_eq!(machine.read("configs/c.1/bmAttributes"), "0xa0");
    for function in FUNCTIONS {
        let attribute = |name: &str| machine.path(&format!("functions/hid.{function}/{name}"));
        let descriptor = function.descriptor();
        assert_eq!(
            fs::read(attribute("report_desc")).unwrap(),
            descriptor.report
        );
        let number = |name: &str| {
            fs::read_to_string(attribute(name))
                .unwrap()
                .parse::<usize>()
                .unwrap()
        };
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
    assert!(matches!(
        Gadget::up(machine.places(), None),
        Err(GadgetError::Exists(_))
    ));
}

#[test]
fn what_is_missing_is_named() {
    let machine = Machine::new(&[]);
    assert!(matches!(
        Gadget::up(machine.places(), None),
        Err(GadgetError::NoController(_))
    ));
    assert!(!machine.path("").exists());
    let machine = Machine::new(&["a.usb"]);
    let error = Gadget::up(machine.places(), Some("z.usb"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("z.usb") && error.contains("a.usb"),
        "{error}"
    );
    fs::remove_dir(machine.root.path().join("gadgets")).unwrap();
    assert!(matches!(
        Gadget::up(machine.places(), None),
        Err(GadgetError::NoConfigfs(_))
    ));
}

#[test]
fn down_unbinds_and_unlinks_before_it_removes() {
    let machine = Machine::new(&["a.usb"]);
    let gadget = Gadget::up(machine.places(), Some("a.usb")).unwrap();
    let made = [
        "configs/c.1/strings/0x409",
        "configs/c.1",
        "functions/hid.relative",
        "functions/hid.absolute",
        "functions/hid.keyboard",
        "strings/0x409",
        "",
    ];
    assert_eq!(
        gadget.made_directories(),
        made.map(|path| machine.path(path))
    );
    machine.remove_attributes();
    // Here the configuration's `strings` does not go with it, so this is as far as plain directories let it come.
    let error = gadget.down().unwrap_err().to_string();
    assert!(
        error.contains("cannot remove") && error.contains("configs/c.1"),
        "{error}"
    );
    assert_eq!(machine.read("UDC"), "\n");
    assert!(!machine.path("configs/c.1/strings/0x409").exists());
    for function in FUNCTIONS {
        assert!(
            !machine
                .path(&format!("configs/c.1/hid.{function}"))
                .is_symlink()
        );
    }
}

#[test]
fn an_error_names_what_could_not_be_made() {
    let machine = Machine::new(&["a.usb"]);
    let places = Places {
        // Nothing can be made there.
        gadgets: "/proc/self".into(),
        ..machine.places()
    };
    assert!(matches!(
        Gadget::up(places, None),
        Err(GadgetError::Io { .. })
    ));
    assert!(Gadget::existing(machine.places()).is_none());
}
