//! ProtocolVersion (RFC 6143 §7.1.1).

use crate::error::Error;
use crate::wire::{Read, Reader};

/// What the server greets with.
pub const GREETING: &[u8; 12] = b"RFB 003.008\n";

/// The version that both sides speak from here on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    V33,
    V37,
    V38,
}

/// Reads the client's 12 bytes, `RFB xxx.yyy\n`.
///
/// 3.4, 3.5 and 3.6 were never published and mean 3.3 (§7.1.1); everything from 3.8 on, Apple's 3.889
/// included, means 3.8. What is certainly no RFB is refused at its first wrong byte.
pub fn read(reader: &mut Reader<'_>) -> Read<Result<Version, Error>> {
    let begun = reader.rest();
    let matching = begun
        .iter()
        .zip(b"RFB ")
        .take_while(|(a, b)| a == b)
        .count();
    if matching < begun.len().min(4) {
        let shown = begun.get(..begun.len().min(16)).unwrap_or(begun);
        return Ok(Err(Error::NotRfb(
            String::from_utf8_lossy(shown).into_owned(),
        )));
    }
    let line: [u8; 12] = reader.array()?;
    let not_rfb = || Error::NotRfb(String::from_utf8_lossy(&line).into_owned());
    let [_, _, _, _, major @ .., b'\n'] = line else {
        return Ok(Err(not_rfb()));
    };
    let [a, b, c, b'.', x, y, z] = major else {
        return Ok(Err(not_rfb()));
    };
    let (Some(major), Some(minor)) = (number([a, b, c]), number([x, y, z])) else {
        return Ok(Err(not_rfb()));
    };
    Ok(match (major, minor) {
        (3, 3..=6) => Ok(Version::V33),
        (3, 7) => Ok(Version::V37),
        (3, 8..) => Ok(Version::V38),
        _ => Err(Error::Version { major, minor }),
    })
}

fn number(digits: [u8; 3]) -> Option<u16> {
    digits.iter().try_fold(0, |n, d| {
        d.is_ascii_digit().then(|| n * 10 + u16::from(d - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Short;

    fn parse(bytes: &[u8]) -> Read<Result<Version, Error>> {
        read(&mut Reader::new(bytes))
    }

    /// Checks 4 and 5.
    #[test]
    fn odd_versions_map_to_the_three_that_exist() {
        for (text, version) in [
            ("003.003", Version::V33),
            ("003.004", Version::V33),
            ("003.005", Version::V33),
            ("003.006", Version::V33),
            ("003.007", Version::V37),
            ("003.008", Version::V38),
            ("003.016", Version::V38),
            ("003.889", Version::V38),
        ] {
            assert_eq!(
                parse(format!("RFB {text}\n").as_bytes()),
                Ok(Ok(version)),
                "{text}"
            );
        }
        for (text, major, minor) in [("004.000", 4, 0), ("003.002", 3, 2), ("000.000", 0, 0)] {
            let expected = Err(Error::Version { major, minor });
            assert_eq!(parse(format!("RFB {text}\n").as_bytes()), Ok(expected));
        }
    }

    /// Check 6.
    #[test]
    fn what_is_not_rfb_is_refused_as_soon_as_it_shows() {
        for bytes in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"G",
            &[0; 12],
            b"RFB 00A.008\n",
            b"RFB 003.0080",
        ] {
            assert!(
                matches!(parse(bytes), Ok(Err(Error::NotRfb(_)))),
                "{bytes:?}"
            );
        }
        for n in 0..12 {
            assert_eq!(parse(&GREETING[..n]), Err(Short));
        }
    }
}
