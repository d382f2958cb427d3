//! Limits of the edge that contradict each other, or the limits of its process.

use crate::config::Config;
use crate::fair::Limits;
use crate::open_files;

/// Descriptors for other purposes than connections of clients: files, pipes of workers, sockets.
const OTHER_FILES: usize = 128;

/// One sentence per contradiction.
pub(super) fn conflicts(config: &Config) -> Vec<String> {
    let database = &config.database;
    let connections = Limits {
        total: database.pool_size,
        per_user: database.per_user,
        per_organization: database.per_organization,
        waiting: 0,
    };
    let mut found: Vec<String> = [
        ("DATABASE_USER_CONNECTIONS", "DATABASE_ORGANIZATION_CONNECTIONS", "DATABASE_POOL_SIZE", connections),
        (
            "UPLOAD_USER_CONCURRENCY",
            "UPLOAD_ORGANIZATION_CONCURRENCY",
            "UPLOAD_CONCURRENCY",
            config.upload.places,
        ),
        (
            "IMPORT_USER_CONCURRENCY",
            "IMPORT_ORGANIZATION_CONCURRENCY",
            "IMPORT_CONCURRENCY",
            config.transfer.imports,
        ),
    ]
    .into_iter()
    .flat_map(|(user, organization, total, limits)| {
        let Limits { per_user, per_organization, total: all, .. } = limits;
        [
            exceeds((user, per_user), (organization, per_organization)),
            exceeds((organization, per_organization), (total, all)),
        ]
    })
    .flatten()
    .collect();
    if let Some(uploads) = config.upload.connections {
        found.extend(exceeds(("UPLOAD_CONNECTIONS", uploads), ("DATABASE_POOL_SIZE", database.pool_size)));
    }
    let listener = &config.listener;
    found.extend(exceeds(
        ("CONNECTIONS_PER_ADDRESS", listener.per_address),
        ("MAX_CONNECTIONS", listener.max_connections),
    ));
    let needed = listener.max_connections + database.pool_size + config.transfer.writers.total + OTHER_FILES;
    if let Some(most) = open_files::limit().filter(|most| *most < needed) {
        found.push(format!(
            "MAX_CONNECTIONS is {}, but the process may open only {most} files (ulimit -n, LimitNOFILE)",
            listener.max_connections
        ));
    }
    found
}

/// A limit that never applies, because another one is lower.
fn exceeds(limit: (&str, usize), other: (&str, usize)) -> Option<String> {
    (limit.1 > other.1).then(|| format!("{} is {}, but {} is only {}", limit.0, limit.1, other.0, other.1))
}
