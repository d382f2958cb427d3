//! Microsoft's compound files: old Office formats, and new ones under a password.

/// The media type of an Office file under a password.
pub(crate) const ENCRYPTED_OFFICE: &str = "application/vnd.ms-office.encrypted";

const SIGNATURE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// Whether this is an Office file under a password.
pub(crate) fn is_encrypted_office(bytes: &[u8]) -> bool {
    media_type(bytes) == Some(ENCRYPTED_OFFICE)
}

/// The media type of a compound file; `None` for any other file.
pub(crate) fn media_type(bytes: &[u8]) -> Option<&'static str> {
    if !bytes.starts_with(SIGNATURE) {
        return None;
    }
    let contains = |name: &str| {
        let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        memchr::memmem::find(bytes, &wide).is_some()
    };
    Some(if contains("EncryptedPackage") {
        ENCRYPTED_OFFICE
    } else if contains("WordDocument") {
        "application/msword"
    } else if contains("Workbook") {
        "application/vnd.ms-excel"
    } else if contains("PowerPoint Document") {
        "application/vnd.ms-powerpoint"
    } else {
        "application/x-ole-storage"
    })
}
