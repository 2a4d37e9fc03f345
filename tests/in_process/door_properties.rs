//! The properties that a client of a door can see: one suite, through MCP (whose sessions alternate between the two
//! eras of the protocol) and through REST. Fewer cases than without a door: what doors add to the runtime is little.
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
