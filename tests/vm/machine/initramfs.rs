//! The machine's file system: the image's folder, the programs under test and the libraries that these need, packed
//! as the kernel unpacks it at boot (cpio, "newc": the kernel's Documentation/driver-api/early-userspace/buffer-format).

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

const DIRECTORY: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;

/// Writes the archive: `root` as it is, and each of `programs` at its place with its libraries.
pub fn write(root: &Path, programs: &[(&Path, &str)], to: &Path) -> io::Result<()> {
    let mut archive = Archive {
        out: io::BufWriter::new(fs::File::create(to)?),
        directories: vec![PathBuf::from("/")],
        entries: 0,
    };
    archive.folder(root, Path::new("/"))?;
    for (program, place) in programs {
        archive.file(&fs::read(program)?, Path::new(place))?;
        for library in libraries(program)? {
            archive.file(&fs::read(&library)?, &library)?;
        }
    }
    archive.entry("TRAILER!!!", 0, &[])?;
    archive.out.flush()
}

struct Archive<W> {
    out: W,
    /// Those that were written; files need theirs to be there before them.
    directories: Vec<PathBuf>,
    entries: u32,
}

impl<W: Write> Archive<W> {
    fn folder(&mut self, folder: &Path, place: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let place = place.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                self.folder(&entry.path(), &place)?;
            } else {
                self.file(&fs::read(entry.path())?, &place)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, bytes: &[u8], place: &Path) -> io::Result<()> {
        let parents: Vec<_> = place.ancestors().skip(1).map(Path::to_owned).collect();
        for parent in parents.into_iter().rev() {
            if !self.directories.contains(&parent) {
                self.entry(&name(&parent), DIRECTORY, &[])?;
                self.directories.push(parent);
            }
        }
        self.entry(&name(place), PROGRAM, bytes)
    }

    fn entry(&mut self, name: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
        self.entries += 1;
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        let name_length = u32::try_from(name.len() + 1).map_err(io::Error::other)?;
        // inode, mode, uid, gid, links, time, size, device (2), special device (2), name's size, checksum
        let numbers = [
            self.entries,
            mode,
            0,
            0,
            1,
            0,
            length,
            0,
            0,
            0,
            0,
            name_length,
            0,
        ];
        let mut header = String::from("070701");
        for number in numbers {
            header += &format!("{number:08x}");
        }
        header += name;
        header.push('\0');
        self.padded(header.as_bytes())?;
        self.padded(bytes)
    }

    /// Everything begins at a multiple of four.
    fn padded(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.out
            .write_all(&[0; 3][..bytes.len().next_multiple_of(4) - bytes.len()])
    }
}

/// Without the leading slash.
fn name(place: &Path) -> String {
    place.to_string_lossy().trim_start_matches('/').to_owned()
}

/// What the loader loads for a program, by its own word.
fn libraries(program: &Path) -> io::Result<Vec<PathBuf>> {
    debug_assert!(fs::metadata(program)?.permissions().mode() & 0o111 != 0);
    let output = Command::new("ldd").arg(program).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    // `libc.so.6 => /lib/…/libc.so.6 (0x…)` or, the loader itself, `/lib64/ld-linux… (0x…)`.
    let paths = text.lines().filter_map(|line| {
        let path = line.split_whitespace().find(|word| word.starts_with('/'))?;
        Some(PathBuf::from(path))
    });
    Ok(paths.collect())
}
