//! Plain (rfbproto "Plain subtype" of VeNCrypt): a name and a password in clear. Only over an encrypted stream.

use super::Login;
use super::secret::Secret;
use crate::error::Error;
use crate::wire::{Read, Reader};

/// A name or a password has no more bytes.
pub const LIMIT: u32 = 1024;

/// U32 length of the name, U32 length of the password, then both (UTF-8).
pub fn read(reader: &mut Reader<'_>) -> Read<Result<Login, Error>> {
    let (user, password) = (reader.u32()?, reader.u32()?);
    let longest = user.max(password);
    if longest > LIMIT {
        return Ok(Err(Error::LoginTooLong {
            length: longest,
            limit: LIMIT,
        }));
    }
    let user = reader.take(user as usize)?;
    let password = reader.take(password as usize)?;
    Ok(Ok(Login::Password {
        user: Some(String::from_utf8_lossy(user).into_owned()),
        password: Secret::new(password.to_vec()),
    }))
}
