//! The properties that somebody can see who comes in through a door: one suite, through the door for agents (its
//! sessions take turns between the two eras of the protocol) and through the one for programs.
#![expect(clippy::duplicate_mod, reason = "one suite through both doors")]

#[path = "."]
mod through_mcp {
    type Guest = crate::support::visitor::AgentGuest;

    #[path = "properties/doors.rs"]
    mod doors;
}

#[path = "."]
mod through_rest {
    type Guest = crate::support::visitor::RestGuest;

    #[path = "properties/doors.rs"]
    mod doors;
}
