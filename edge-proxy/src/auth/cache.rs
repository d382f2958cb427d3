//! Tokens that have been verified, so that the next request with the same one costs a look-up.

use super::Claims;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// A bounded memory of verified tokens. Who reads it still checks the expiry.
pub(super) struct TokenCache {
    tokens: RwLock<HashMap<Box<str>, Claims>>,
    size: usize,
}

impl TokenCache {
    pub(super) fn new(size: usize) -> Self {
        Self { tokens: RwLock::default(), size }
    }

    pub(super) fn get(&self, token: &str) -> Option<Claims> {
        self.tokens.read().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    /// Remembers `token`. A full cache first forgets what has expired, then everything: rare, and simpler
    /// than keeping an order that every request would have to write.
    pub(super) fn insert(&self, token: &str, claims: &Claims, now: u64) {
        if self.size == 0 {
            return;
        }
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= self.size {
            tokens.retain(|_, claims| !claims.expired(now, 0));
            if tokens.len() >= self.size {
                tokens.clear();
            }
        }
        tokens.insert(token.into(), claims.clone());
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.tokens.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Forgets everything: a key has been withdrawn.
    pub(super) fn clear(&self) {
        self.tokens.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
