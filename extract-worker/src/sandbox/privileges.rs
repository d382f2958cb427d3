//! Further layers, applied where the host allows them: none of them is required, and each is reported.
//!
//! Invariant: called while this process has one thread, because user namespaces and credentials belong to threads.

use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use rustix::thread::{
    CapabilitySet, CapabilitySets, Gid, Uid, UnshareFlags, set_capabilities, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid, unshare_unsafe,
};
use std::{fs, io};

/// The user and group `nobody` on Linux: the ids that a user namespace shows for everyone whom it does not know.
const NOBODY: u32 = 65_534;

/// A layer, and why it is not active if it is not.
pub(super) type Outcome = (&'static str, Result<(), String>);

/// Applies every layer that the host allows.
pub(super) fn give_up() -> [Outcome; 3] {
    let oom = said(prefer_for_oom());
    // Root needs no user namespace, in which it could not become another user.
    let others = UnshareFlags::NEWNET | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS;
    let as_root = unshare(others);
    let user = become_nobody();
    let namespaces =
        as_root.or_else(|_| unshare(others | UnshareFlags::NEWUSER)).and_then(|()| drop_capabilities());
    [
        ("first to be killed when memory runs out", oom),
        ("namespaces", said(namespaces)),
        ("user of its own", user),
    ]
}

fn said(outcome: io::Result<()>) -> Result<(), String> {
    outcome.map_err(|error| error.to_string())
}

/// If the host runs out of memory, the kernel kills this process before the server that started it.
fn prefer_for_oom() -> io::Result<()> {
    fs::write("/proc/self/oom_score_adj", "1000")
}

/// New namespaces see no network interface and no System V memory of the host. Without privileges they need a user
/// namespace.
fn unshare(namespaces: UnshareFlags) -> io::Result<()> {
    // SAFETY: this process has one thread, and none of these flags takes its descriptors away.
    Ok(unsafe { unshare_unsafe(namespaces) }?)
}

/// Becomes a user that owns nothing. Only root may.
fn become_nobody() -> Result<(), String> {
    if !rustix::process::geteuid().is_root() {
        return Err("only root can change the user".to_owned());
    }
    let parent = getppid();
    let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    said((|| {
        set_thread_groups(&[])?;
        set_thread_res_gid(group, group, group)?;
        set_thread_res_uid(user, user, user)?;
        // A change of user forgets that this process dies with its parent.
        set_parent_process_death_signal(Some(Signal::KILL))?;
        if getppid() == parent { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::ESRCH)) }
    })())
}

/// A user namespace gives its first process every capability over it.
fn drop_capabilities() -> io::Result<()> {
    let none = CapabilitySet::empty();
    Ok(set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?)
}
