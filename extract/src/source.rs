//! A file's bytes in a sealed memory descriptor, so nothing can change them while a parser maps them.

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd};

/// The bytes of one file: immutable, ready to be passed to a worker.
#[derive(Debug)]
pub struct Source {
    file: File,
    len: u64,
}

impl Source {
    /// Copies `bytes` into a new source.
    pub fn from_bytes(bytes: &[u8]) -> io::Result<Self> {
        let mut file = Self::empty()?;
        file.write_all(bytes)?;
        Self::seal(file)
    }

    /// Copies at most `limit + 1` bytes from `reader` into a new source. The extra byte lets a caller tell a
    /// file over the limit from one exactly at the limit without holding all of it.
    pub fn from_reader(reader: impl Read, limit: u64) -> io::Result<Self> {
        let mut file = Self::empty()?;
        io::copy(&mut reader.take(limit.saturating_add(1)), &mut file)?;
        Self::seal(file)
    }

    /// An unsealed descriptor to fill chunk by chunk; [`Source::seal`] turns it into a source.
    pub fn empty() -> io::Result<File> {
        Ok(File::from(memfd_create("dossier-source", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?))
    }

    /// Seals a descriptor made by [`Source::empty`] against any further change.
    pub fn seal(mut file: File) -> io::Result<Self> {
        fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
        let len = file.metadata()?.len();
        file.rewind()?;
        Ok(Self { file, len })
    }

    /// Size in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the source is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl AsFd for Source {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
