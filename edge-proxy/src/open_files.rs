//! How many files and connections this process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit to the most that the system allows. Many systems start processes with 1024, which a few clients can use up.
pub(crate) fn raise_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // If that is refused, the limit stays as it is, and `dossier-edge check` says so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// `None`: any number.
pub(crate) fn limit() -> Option<usize> {
    usize::try_from(getrlimit(Resource::Nofile).current?).ok()
}
