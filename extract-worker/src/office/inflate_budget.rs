//! A budget for decompressed bytes, shared by all parts of a file.

use dossier_extract::protocol::Failure;
use std::cell::Cell;
use std::io::{self, Read};

/// How many bytes the parts of one file may still decompress to.
#[derive(Debug)]
pub(crate) struct InflateBudget {
    left: Cell<u64>,
    exceeded: Cell<bool>,
}

impl InflateBudget {
    pub(crate) fn new(bytes: u64) -> Self {
        Self { left: Cell::new(bytes), exceeded: Cell::new(false) }
    }

    /// A reader that counts bytes and fails when the budget is exhausted.
    pub(crate) fn meter<R: Read>(&self, inner: R) -> Metered<'_, R> {
        Metered { inner, budget: self }
    }

    /// Fails if the budget was exhausted: that is a limit, not damage to the file.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.exceeded.get() {
            Err(Failure::LimitExceeded { limit: "inflate_bytes".to_owned() })
        } else {
            Ok(())
        }
    }
}

/// A reader with a budget.
#[derive(Debug)]
pub(crate) struct Metered<'b, R> {
    inner: R,
    budget: &'b InflateBudget,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let Some(left) = self.budget.left.get().checked_sub(count as u64) else {
            self.budget.exceeded.set(true);
            return Err(io::Error::other("inflates to more than the limit"));
        };
        self.budget.left.set(left);
        Ok(count)
    }
}
