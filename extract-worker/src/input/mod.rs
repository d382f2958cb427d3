//! The file's bytes: memory-mapped if they are sealed against changes, otherwise copied.

pub(crate) mod charset;
pub(crate) mod encoding;
pub(crate) mod percent;

use dossier_extract::protocol::Failure;
use memmap2::{Mmap, MmapOptions};
use rustix::fs::{SealFlags, fcntl_get_seals, fstat};
use std::io::{self, Read};
use std::ops::Deref;

/// The whole file.
#[derive(Debug)]
pub(crate) enum Input {
    Mapped(Mmap),
    Copied(Vec<u8>),
    /// All of it from there on.
    From(Box<Self>, usize),
}

impl Input {
    /// Takes the file from standard input. A sealed memory descriptor is mapped. Anything else could change or
    /// shrink while it is mapped, so it is read, up to the limit.
    pub(crate) fn open(limit: u64) -> Result<Self, Failure> {
        let stdin = io::stdin();
        let needed = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW;
        let sealed = fcntl_get_seals(&stdin).is_ok_and(|seals| seals.contains(needed));
        if !sealed {
            return Self::copy(stdin.lock(), limit);
        }
        let size = fstat(&stdin).map_err(|error| unreadable(&error))?.st_size.cast_unsigned();
        if size > limit {
            return Err(Failure::TooLarge { size });
        }
        if size == 0 {
            return Ok(Self::Copied(Vec::new()));
        }
        let length = usize::try_from(size).map_err(|error| unreadable(&error))?;
        // SAFETY: the seals, checked above, prevent everyone from changing or truncating the file.
        let mapped = unsafe { MmapOptions::new().len(length).populate().map_copy_read_only(&stdin) };
        mapped.map(Self::Mapped).map_err(|error| unreadable(&error))
    }

    /// The file without its first bytes.
    pub(crate) fn without(self, first: usize) -> Self {
        if first == 0 { self } else { Self::From(Box::new(self), first) }
    }

    fn copy(reader: impl Read, limit: u64) -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        reader.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
        let size = bytes.len() as u64;
        if size > limit { Err(Failure::TooLarge { size }) } else { Ok(Self::Copied(bytes)) }
    }
}

fn unreadable(error: &dyn std::error::Error) -> Failure {
    Failure::Malformed { reason: format!("the file cannot be read: {error}") }
}

impl Deref for Input {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Copied(bytes) => bytes,
            Self::From(whole, first) => whole.get(*first..).unwrap_or_default(),
        }
    }
}

impl AsRef<[u8]> for Input {
    fn as_ref(&self) -> &[u8] {
        self
    }
}
