//! As much of ASN.1's DER as RSA keys are written in (RFC 8017 appendix A.1, RFC 5280 §4.1, RFC 5208 §5).

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
/// rsaEncryption (1.2.840.113549.1.1.1) and its NULL.
const RSA: [u8; 15] = [
    SEQUENCE, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0,
];

/// A SubjectPublicKeyInfo of this RSA key; both numbers are big-endian, without zeros before them.
pub(super) fn public_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let key = value(SEQUENCE, &[&integer(modulus), &integer(exponent)]);
    value(SEQUENCE, &[&RSA, &value(BIT_STRING, &[&[0], &key])])
}

/// A PKCS #8 PrivateKeyInfo around an RSAPrivateKey.
pub(super) fn pkcs8(key: &[u8]) -> Vec<u8> {
    value(
        SEQUENCE,
        &[&[INTEGER, 1, 0], &RSA, &value(OCTET_STRING, &[key])],
    )
}

/// A positive number: one that begins with a high bit has a zero before it.
fn integer(number: &[u8]) -> Vec<u8> {
    let negative = number.first().is_none_or(|byte| byte & 0x80 != 0);
    let zero: &[u8] = if negative { &[0] } else { &[] };
    value(INTEGER, &[zero, number])
}

fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let bytes = length.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let mut out = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            out.push(0x80 | u8::try_from(bytes.len() - zeros).unwrap_or(0));
            out.extend(bytes.iter().skip(zeros));
        }
    }
    out.extend(parts.concat());
    out
}
