//! Images and the drive that they are put into.

use std::{fs, os::unix::fs::symlink, path::Path, sync::atomic::Ordering};

use super::{
    super::*,
    kernel::{Fake, Machine, refused},
};

#[test]
fn an_image_goes_in_and_out_and_the_drive_with_another_kind_is_another_drive() {
    let machine = Machine::new(&["a.usb"]);
    machine.up(None).unwrap();
    let plain = machine.read("bcdDevice");
    let (iso, disk) = (
        machine.image("i.iso", 1 << 20),
        machine.image("disk", 1 << 20),
    );
    let open = |path: &Path, kind, writable| Image::open(path, kind, writable).unwrap();

    machine.gadget().insert(&open(&iso, None, false)).unwrap();
    assert_ne!(machine.read("bcdDevice"), plain);
    assert_eq!(machine.read("UDC"), "a.usb");
    let unit = |name: &str| machine.read(&format!("functions/mass_storage.media/lun.0/{name}"));
    assert_eq!((unit("cdrom").as_str(), unit("ro").as_str()), ("1", "1"));
    assert_eq!(Path::new(&unit("file")), iso.canonicalize().unwrap());
    assert!(machine.path("configs/c.1/mass_storage.media").is_symlink());
    // The same again is nothing new; another one does not push it out.
    machine
        .with(machine.failing(0))
        .insert(&open(&iso, None, false))
        .unwrap();
    let error = machine
        .gadget()
        .insert(&open(&disk, None, false))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("i.iso") && error.contains("media eject"),
        "{error}"
    );
    let status = MediaStatus::read(&machine.fake.places);
    assert_eq!(
        (status.kind, status.size, status.read_only),
        (Some(Kind::Cdrom), Some(1 << 20), Some(true))
    );

    assert_eq!(
        machine.gadget().eject().unwrap(),
        Some(iso.canonicalize().unwrap())
    );
    assert_eq!(machine.gadget().eject().unwrap(), None);
    assert!(MediaStatus::read(&machine.fake.places).drive);
    // Another image of the same kind does not unplug anything: three calls.
    let fake = machine.failing(usize::MAX);
    machine
        .with(fake.clone())
        .insert(&open(&disk, Some(Kind::Cdrom), false))
        .unwrap();
    assert_eq!(fake.calls.load(Ordering::Relaxed), 3);
    machine.gadget().eject().unwrap();

    machine.gadget().insert(&open(&disk, None, true)).unwrap();
    assert_eq!((unit("cdrom").as_str(), unit("ro").as_str()), ("0", "0"));
    // It stays through a change of profile, and goes when it is taken away.
    machine.gadget().set_profile(Profile::Mac).unwrap();
    assert_eq!(Path::new(&unit("file")), disk.canonicalize().unwrap());
    assert!(machine.gadget().remove_drive().unwrap());
    assert!(!machine.gadget().remove_drive().unwrap());
    assert!(!machine.path("functions/mass_storage.media").exists());
    assert_eq!(Status::read(&machine.fake.places).profile, Some("mac"));
}

#[test]
fn an_older_kernel_ejects_a_locked_image_by_unplugging() {
    /// Without `forced_eject`; the target locks the drive while it is plugged in.
    #[derive(Debug)]
    struct Locked(Fake);
    impl Calls for Locked {
        fn make_directory(&self, path: &Path) -> io::Result<()> {
            self.0.make_directory(path)
        }
        fn remove_directory(&self, path: &Path) -> io::Result<()> {
            self.0.remove_directory(path)
        }
        fn link(&self, target: &Path, link: &Path) -> io::Result<()> {
            self.0.link(target, link)
        }
        fn unlink(&self, link: &Path) -> io::Result<()> {
            self.0.unlink(link)
        }
        fn write(&self, path: &Path, value: &[u8]) -> io::Result<()> {
            let is_plugged = self.0.places.controller().is_some();
            if path.ends_with("lun.0/file") && is_plugged {
                return refused(libc::EBUSY);
            }
            self.0.write(path, value)
        }
    }
    let machine = Machine::new(&["a.usb"]);
    machine.up(None).unwrap();
    let image = machine.image("disk", 1 << 20);
    machine
        .gadget()
        .insert(&Image::open(&image, None, false).unwrap())
        .unwrap();
    fs::remove_file(machine.path("functions/mass_storage.media/lun.0/forced_eject")).unwrap();
    let locked = Box::new(Locked(machine.fake.clone()));
    let gadget = Gadget::existing_with(locked, machine.fake.places.clone()).unwrap();
    assert_eq!(gadget.eject().unwrap(), Some(image.canonicalize().unwrap()));
    assert_eq!(machine.read("UDC"), "a.usb");
    let status = MediaStatus::read(&machine.fake.places);
    assert!(status.drive && !status.inserted);
}

#[test]
fn images_are_looked_at_before_anything_is_done() {
    let machine = Machine::new(&[]);
    let error =
        |path: &Path, kind, writable| Image::open(path, kind, writable).unwrap_err().to_string();
    let missing = error(&machine.root.path().join("missing"), None, false);
    assert!(
        missing.contains("missing") && missing.contains("check the path"),
        "{missing}"
    );
    assert!(error(machine.root.path(), None, false).contains("neither a file nor a block device"));
    assert!(error(Path::new("/dev/null"), None, false).contains("neither"));
    assert!(error(&machine.image("empty", 0), None, false).contains("512 at least"));
    assert!(error(&machine.image("small.iso", 2048), None, false).contains("614400 at least"));
    let large = machine.image("large", 0);
    fs::File::options()
        .write(true)
        .open(&large)
        .unwrap()
        .set_len((1 << 41) + 512)
        .unwrap();
    assert!(error(&large, None, false).contains("2 TiB"));

    // What it is, by its name, by its content, or because it is to be written to.
    let open = |path: &Path, kind, writable| Image::open(path, kind, writable).unwrap();
    let iso = machine.image("A.ISO", 1 << 20);
    assert_eq!(open(&iso, None, false).kind, Kind::Cdrom);
    assert_eq!(open(&iso, None, true).kind, Kind::Disk);
    assert_eq!(open(&iso, Some(Kind::Disk), false).kind, Kind::Disk);
    let mut bytes = vec![0; 1 << 20];
    bytes[32769..32774].copy_from_slice(b"CD001");
    let unnamed = machine.root.path().join("unnamed");
    fs::write(&unnamed, &bytes).unwrap();
    assert_eq!(open(&unnamed, None, false).kind, Kind::Cdrom);
    assert_eq!(
        open(&machine.image("disk", 512), None, false).kind,
        Kind::Disk
    );
    // A link is followed, so what the kernel shows is what was asked for.
    let link = machine.root.path().join("link");
    symlink(&iso, &link).unwrap();
    assert_eq!(open(&link, None, false).path, iso.canonicalize().unwrap());
    let odd = open(&machine.image("odd", 1000), None, false);
    assert!(odd.notes()[0].contains("last 488 bytes"));
}
