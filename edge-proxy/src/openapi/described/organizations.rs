//! Organizations, their members, and invitations.

use super::{ORGANIZATIONS, Operation};
use crate::openapi::records::{
    ErasureReceipt, Invitations, Member, Members, Organization, Organizations, Usage,
};
use crate::resources::organizations::{ListQuery, MembersQuery, Named, NewMember, NewRole};

fn organization(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(ORGANIZATIONS, id, summary)
}

pub(crate) fn list() -> Operation {
    organization("listOrganizations", "List the caller's organizations")
        .query::<ListQuery>()
        .returns::<Organizations>(200, "A page of organizations.")
}

pub(crate) fn create() -> Operation {
    organization("createOrganization", "Create an organization")
        .describe("The caller becomes its owner.")
        .body::<Named>()
        .returns::<Organization>(201, "The new organization.")
        .refuses(&[409])
}

pub(crate) fn read() -> Operation {
    organization("readOrganization", "Read an organization").returns::<Organization>(200, "The organization.")
}

pub(crate) fn rename() -> Operation {
    organization("renameOrganization", "Rename an organization")
        .body::<Named>()
        .returns::<Organization>(200, "The renamed organization.")
        .refuses(&[409])
}

pub(crate) fn forget() -> Operation {
    organization("eraseOrganization", "Erase an organization with everything in it")
        .describe("Owners only. Nothing of it can be restored.")
        .returns::<ErasureReceipt>(200, "What was erased.")
        .refuses(&[409])
}

pub(crate) fn usage() -> Operation {
    organization("readUsage", "Read what an organization stores and uses")
        .returns::<Usage>(200, "The usage, and the quotas.")
}

pub(crate) fn members() -> Operation {
    organization("listMembers", "List members and invited users")
        .query::<MembersQuery>()
        .returns::<Members>(200, "A page of members.")
        .refuses(&[409])
}

pub(crate) fn add_member() -> Operation {
    organization("inviteMember", "Invite a user")
        .describe("The membership begins when the user accepts, or at once if a service adds the user.")
        .body::<NewMember>()
        .returns::<Member>(201, "The invited user.")
        .refuses(&[409])
}

pub(crate) fn set_role() -> Operation {
    organization("setRole", "Change the role of a member")
        .body::<NewRole>()
        .returns::<Member>(200, "The member.")
        .refuses(&[409])
}

pub(crate) fn remove_member() -> Operation {
    organization("removeMember", "Remove a member, or an invitation")
        .returns_nothing(204, "The user is removed.", &[])
        .refuses(&[409])
}

pub(crate) fn invitations() -> Operation {
    organization("listInvitations", "List the organizations that the caller is invited to")
        .returns::<Invitations>(200, "The invitations.")
}

pub(crate) fn accept_invitation() -> Operation {
    organization("acceptInvitation", "Accept an invitation")
        .describe("The id is that of the organization.")
        .returns::<Member>(200, "The membership.")
        .refuses(&[409])
}

pub(crate) fn decline_invitation() -> Operation {
    organization("declineInvitation", "Decline an invitation")
        .describe("The id is that of the organization.")
        .returns_nothing(204, "The invitation is removed.", &[])
        .refuses(&[409])
}
