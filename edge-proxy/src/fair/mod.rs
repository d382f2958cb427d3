//! Limited places, divided fairly between users and organizations.
//!
//! Whatever the edge has a limited number of is a set of [`Places`]: database connections, uploads, imports, bytes of
//! responses. Each place is taken on behalf of a [`Party`]: a user, in the user's organization or at an address.
//! Invariant: neither a user nor an organization has more places than its share, whatever the others use. So somebody who
//! takes everything that is offered leaves places for others.
//! Invariant: a kind of use that has fewer places than there are is a [`Places::part`]. Both are taken at once, so nobody holds a
//! place of the one while waiting for the other.
//! Invariant: a free place goes to the organization, and in it to the user, that has used least: places multiplied by time,
//! of which half is forgotten every ten seconds. One slow request counts as much as many quick ones.
//! Invariant: knows neither HTTP nor the database.

mod account;
mod full;
mod party;
mod places;
mod pool;

pub(crate) use full::{Full, Share};
pub(crate) use party::{Name, Party, network};
pub(crate) use places::{Limits, Place, Places};
