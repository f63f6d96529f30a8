//! A machine made of files in a directory: by itself a Raspberry Pi 4 on which all is right.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rfb::geom::Size;
use rfbridge::{
    config::Settings,
    doctor::{Camera, Clock, Finding, Machine, Options, Report, Served, Watched, examine},
    identity::{Names, create},
    source::{Description, Wishes},
};
use tempfile::TempDir;

pub const CONFIG: &str = "etc/rfbridge/rfbridge.toml";
/// Of a configuration that has a certificate.
pub const ENCRYPTED: &str = "[security]\ncertificate = \"/etc/rfbridge/certificate.pem\"\nkey = \"/etc/rfbridge/key.pem\"\n";
pub const BOOT: &str = "boot/firmware/config.txt";
pub const GADGET: &str = "sys/kernel/config/usb_gadget/rfbridge";
pub const CONTROLLER: &str = "sys/class/udc/fe980000.usb";
pub const PORT: &str = "sys/firmware/devicetree/base/soc/usb@7e980000";
/// Of the dongle, below sys/devices.
pub const DONGLE: &str = "sys/devices/usb1/1-1/1-1.2";
/// The user that looks, by /proc/self/status; nobody's real one, so that modes count.
pub const USER: u32 = 4_000_001;

/// What a capture device answers.
pub struct FakeCamera {
    pub nodes: Vec<(PathBuf, Result<Description, String>)>,
    pub watched: Mutex<Option<Result<Watched, String>>>,
}

impl Camera for FakeCamera {
    fn describe(&self, node: &Path, _: Wishes) -> Result<Description, String> {
        let found = self.nodes.iter().find(|(path, _)| path == node);
        found.map_or(Err("no such device".into()), |(_, answer)| answer.clone())
    }

    fn watch(&self, _: &Path, _: Wishes, _: Duration) -> Result<Watched, String> {
        let mut watched = self.watched.lock().expect("no panic before");
        watched.take().expect("it is looked at once")
    }
}

pub fn dongle() -> Description {
    Description {
        modes: 12,
        offers: "MJPEG 1920x1080@30/25 1280x720@60; YUYV 640x480@30".into(),
        chosen: Ok("MJPEG 1920x1080@30".into()),
    }
}

pub fn watched() -> Watched {
    Watched {
        pictures: 90,
        damaged: 0,
        damage: None,
        per_second: 29.97,
        size: Size::new(1920, 1080),
        only_colour: None,
    }
}

/// A machine to be looked at, and to be broken before that.
pub struct Fake {
    pub directory: TempDir,
    pub camera: FakeCamera,
    pub clock: Clock,
    pub numbers: BTreeMap<PathBuf, (u32, u32)>,
    pub options: Options,
}

impl Fake {
    pub fn empty() -> Self {
        let fake = Self {
            directory: tempfile::tempdir().expect("a directory"),
            camera: FakeCamera {
                nodes: Vec::new(),
                watched: Mutex::new(Some(Ok(watched()))),
            },
            clock: Clock {
                now: UNIX_EPOCH + Duration::from_secs(1_800_000_000),
                not_before: UNIX_EPOCH + Duration::from_secs(1_790_000_000),
                is_synchronised: Some(true),
            },
            numbers: BTreeMap::new(),
            options: Options {
                config: None,
                capture: true,
                served: |words| {
                    let flag = words.iter().position(|word| word == "--listen");
                    let address = words.get(flag? + 1)?.parse().ok()?;
                    let flags = Settings {
                        listen: Some(vec![address]),
                        ..Settings::default()
                    };
                    Some(Served {
                        flags,
                        config: None,
                    })
                },
            },
        };
        fake.write("proc/self/status", &status(USER));
        fake.write(
            "etc/passwd",
            &format!("root:x:0:0::/root:/bin/sh\npi:x:{USER}:{USER}::/home/pi:/bin/sh\n"),
        );
        fake
    }

    /// A Raspberry Pi 4 with an MS2109, a gadget, and rfbridge that serves.
    pub fn perfect() -> Self {
        let mut fake = Self::empty();
        fake.write(
            "sys/firmware/devicetree/base/model",
            "Raspberry Pi 4 Model B Rev 1.4\0",
        );
        fake.write(&format!("{PORT}/compatible"), "brcm,bcm2835-usb\0");
        fake.write(&format!("{PORT}/dr_mode"), "peripheral\0");
        fake.write(
            BOOT,
            "[cm4]\notg_mode=1\n[all]\ndtoverlay=dwc2,dr_mode=peripheral\n",
        );
        fake.write("proc/sys/kernel/osrelease", "6.12.1-rpi\n");
        fake.write("proc/modules", "dwc2 200704 0 - Live 0x0\nlibcomposite 81920 9 usb_f_hid, Live 0x0\nusb_f_hid 24576 6 - Live 0x0\n");
        fake.write(
            "lib/modules/6.12.1-rpi/modules.builtin",
            "kernel/fs/configfs/configfs.ko\n",
        );
        fake.write("lib/modules/6.12.1-rpi/modules.dep", "kernel/drivers/usb/gadget/libcomposite.ko.xz:\nkernel/drivers/usb/gadget/function/usb_f_hid.ko.xz: kernel/x.ko.xz\nkernel/drivers/usb/dwc2/dwc2.ko.xz:\n");
        fake.write(
            "proc/mounts",
            "configfs /sys/kernel/config configfs rw 0 0\n",
        );
        for (name, text) in [
            ("state", "configured"),
            ("current_speed", "high-speed"),
            ("maximum_speed", "high-speed"),
            ("srp", ""),
        ] {
            fake.write(&format!("{CONTROLLER}/{name}"), text);
        }
        fake.mode(&format!("{CONTROLLER}/srp"), 0o222);
        fake.write("sys/bus/platform/drivers/dwc2/uevent", "");
        fake.write(&format!("{CONTROLLER}/device/gadget.0/suspended"), "0\n");
        fake.link(
            &format!("{CONTROLLER}/device/driver"),
            "../../../../bus/platform/drivers/dwc2",
        );
        fake.write(&format!("{GADGET}/UDC"), "fe980000.usb\n");
        fake.write(&format!("{GADGET}/configs/c.1/bmAttributes"), "0xa0\n");
        for (minor, (name, protocol, length)) in
            (0..).zip([("keyboard", 1, 8), ("absolute", 0, 7), ("relative", 2, 5)])
        {
            let function = format!("{GADGET}/functions/hid.{name}");
            fake.write(&format!("{function}/dev"), &format!("236:{minor}\n"));
            fake.write(&format!("{function}/protocol"), &format!("{protocol}\n"));
            fake.write(&format!("{function}/report_length"), &format!("{length}\n"));
            fake.write(&format!("{function}/no_out_endpoint"), "1\n");
            fake.write(&format!("dev/hidg{minor}"), "");
            fake.mode(&format!("dev/hidg{minor}"), 0o666);
            fake.numbers
                .insert(format!("/dev/hidg{minor}").into(), (236, minor));
        }
        fake.write("dev/video0", "");
        fake.write("dev/video1", "");
        fake.mode("dev/video0", 0o666);
        for (name, text) in [
            ("idVendor", "534d"),
            ("idProduct", "2109"),
            ("product", "USB Video"),
            ("speed", "480"),
            ("version", " 2.00"),
            ("busnum", "1"),
        ] {
            fake.write(&format!("{DONGLE}/{name}"), &format!("{text}\n"));
        }
        fake.write(&format!("{DONGLE}/1-1.2:1.0/bInterfaceClass"), "0e\n");
        for node in ["video0", "video1"] {
            fake.write(
                &format!("sys/class/video4linux/{node}/name"),
                "USB Video: USB Video\n",
            );
            fake.link(
                &format!("sys/class/video4linux/{node}/device"),
                "../../../devices/usb1/1-1/1-1.2/1-1.2:1.0",
            );
        }
        let second = Description {
            modes: 0,
            offers: String::new(),
            chosen: Err("nothing".into()),
        };
        fake.camera.nodes = vec![
            ("/dev/video0".into(), Ok(dongle())),
            ("/dev/video1".into(), Ok(second)),
        ];
        fake.write("sys/class/hwmon/hwmon0/name", "cpu_thermal\n");
        fake.write("sys/class/hwmon/hwmon1/name", "rpi_volt\n");
        fake.write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0\n");
        fake.write("sys/class/thermal/thermal_zone0/temp", "48200\n");
        fake.write(CONFIG, &format!("listen = [\"0.0.0.0:5900\"]\n{ENCRYPTED}"));
        let (certificate, key) = certificate();
        fake.write("etc/rfbridge/certificate.pem", certificate);
        fake.write("etc/rfbridge/key.pem", key);
        fake.mode("etc/rfbridge/key.pem", 0o640);
        fake.write(
            "etc/systemd/system/rfbridge.service",
            "[Service]\nLoadCredential=rfbridge-password:/etc/rfbridge/password\n",
        );
        fake.write("etc/systemd/system/rfbridge-gadget.service", "[Service]\n");
        fake.write("etc/rfbridge/password", "swordfsh\n");
        fake.mode("etc/rfbridge/password", 0o600);
        fake.process(700, "rfbridge", &["rfbridge", "serve"], &["socket:[4711]"]);
        // 0.0.0.0:5900 listens.
        fake.write("proc/net/tcp", "  sl  local_address\n   0: 00000000:170C 00000000:0000 0A 00000000:00000000 00:00000000 00000000 999 0 4711 1 0\n");
        fake.write("usr/share/X11/xkb/symbols/us", "");
        fake
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("a file");
    }

    pub fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).expect("a mode");
    }

    pub fn link(&self, path: &str, target: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        symlink(target, path).expect("a link");
    }

    /// Removes a file or a whole directory.
    pub fn remove(&self, path: &str) {
        let path = self.path(path);
        if path.is_dir() {
            fs::remove_dir_all(path).expect("it was there");
        } else {
            fs::remove_file(path).expect("it was there");
        }
    }

    pub fn process(&self, pid: u32, name: &str, words: &[&str], files: &[&str]) {
        self.write(&format!("proc/{pid}/comm"), &format!("{name}\n"));
        self.write(&format!("proc/{pid}/status"), &status(USER));
        self.write(&format!("proc/{pid}/cmdline"), &(words.join("\0") + "\0"));
        for (number, file) in files.iter().enumerate() {
            self.link(&format!("proc/{pid}/fd/{number}"), file);
        }
    }

    pub fn examine(self) -> Seen {
        let machine = Machine {
            root: self.directory.path().to_owned(),
            credentials: None,
            clock: self.clock,
            camera: Box::new(self.camera),
            numbers: self.numbers,
        };
        let before = contents(self.directory.path());
        let report = examine(&machine, &self.options, &|_| ());
        assert!(
            before == contents(self.directory.path()),
            "nothing is changed"
        );
        Seen { report }
    }
}

/// What the kernel says of a process of this user, who is in the group of the files that tests make, and in video.
pub fn status(user: u32) -> String {
    let four = format!("{user}\t{user}\t{user}\t{user}");
    let file = tempfile::tempfile().and_then(|file| file.metadata());
    let group = file.expect("a file").gid();
    format!("Name:\tx\nUid:\t{four}\nGid:\t{four}\nGroups:\t44 {group} \n")
}

/// A certificate and its key in PEM form.
fn certificate() -> &'static (String, String) {
    static MADE: OnceLock<(String, String)> = OnceLock::new();
    MADE.get_or_init(|| {
        let directory = tempfile::tempdir().expect("a directory");
        let [certificate, key] = ["certificate", "key"].map(|name| directory.path().join(name));
        let names = Names(vec!["kvm".to_owned()]);
        create(&certificate, &key, &names, false).expect("a certificate");
        let text = |path| fs::read_to_string(path).expect("a file");
        (text(certificate), text(key))
    })
}

/// What the doctor says of a machine.
pub struct Seen {
    pub report: Report,
}

impl Seen {
    pub fn finding(&self, id: &str) -> &Finding {
        let mut findings = self.report.findings.iter();
        findings
            .find(|finding| finding.id == id)
            .unwrap_or_else(|| panic!("no finding {id}"))
    }
}

/// Every file, its bytes, mode and time of change.
fn contents(directory: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u32, SystemTime)> {
    let mut all = BTreeMap::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(path) = waiting.pop() {
        let metadata = fs::symlink_metadata(&path).expect("it is there");
        let bytes = if metadata.is_dir() {
            waiting.extend(
                fs::read_dir(&path)
                    .expect("a directory")
                    .flatten()
                    .map(|entry| entry.path()),
            );
            Vec::new()
        } else if metadata.is_symlink() {
            fs::read_link(&path)
                .expect("a link")
                .into_os_string()
                .into_encoded_bytes()
        } else {
            fs::read(&path).expect("a file")
        };
        let time = metadata.modified().expect("a time");
        all.insert(path, (bytes, metadata.permissions().mode(), time));
    }
    all
}
