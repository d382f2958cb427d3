//! Sessions and their live status.

use super::{Operation, SESSIONS, text};
use crate::openapi::records::{SessionChanges, SessionNews, SessionWithContext, Sessions};
use crate::resources::sessions::{DeleteQuery, ListQuery, NewSession};

fn session(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(SESSIONS, id, summary)
}

pub(crate) fn list() -> Operation {
    session("listSessions", "List sessions, newest first")
        .query::<ListQuery>()
        .returns::<Sessions>(200, "A page of sessions, or of the trash.")
}

pub(crate) fn create() -> Operation {
    session("createSession", "Create a session")
        .body::<NewSession>()
        .returns::<SessionWithContext>(201, "The new session.")
        .refuses(&[404, 409])
}

pub(crate) fn read() -> Operation {
    session("readSession", "Read a session with its context")
        .returns::<SessionWithContext>(200, "The session.")
}

pub(crate) fn update() -> Operation {
    session("updateSession", "Change a session")
        .body::<SessionChanges>()
        .returns::<SessionWithContext>(200, "The changed session.")
}

pub(crate) fn delete() -> Operation {
    session("deleteSession", "Move a session to the trash")
        .describe("It can be restored until `purge_at`, unless it is deleted permanently.")
        .query::<DeleteQuery>()
        .returns_nothing(204, "It is deleted.", &[])
}

pub(crate) fn restore() -> Operation {
    session("restoreSession", "Restore a session from the trash")
        .returns::<SessionWithContext>(200, "The session as it was.")
        .refuses(&[409])
}

pub(crate) fn events() -> Operation {
    session("watchSession", "Follow what happens in a session")
        .describe(
            "A stream of server-sent events (`session`, `context`, `document`, `upload`, `end`), or with `Accept: application/json` \
             what has changed since `Last-Event-ID`, at once.",
        )
        .header("Last-Event-ID", "The last id that the client has received.", false, text())
        .follows::<SessionNews>(200, "What has changed: a stream, or one object.")
}
