//! Verified tokens, so that the next request with the same token costs only a lookup.

use super::Claims;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// A bounded cache of verified tokens. Its reader must still check the expiry.
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

    /// Adds `token`. A full cache first drops expired tokens, then everything. This is rare, and simpler than an order that
    /// every request would have to update.
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

    /// Drops everything, because a key may have been withdrawn.
    pub(super) fn clear(&self) {
        self.tokens.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
