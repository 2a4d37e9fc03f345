//! Whose server it is.

/// What a server is called in errors, and the settings that people can mend.
pub(crate) struct Server {
    /// As it stands in a sentence.
    pub(crate) name: &'static str,
    /// The setting of its address.
    pub(crate) address: &'static str,
    /// The setting of the longest time for a request.
    pub(crate) time: &'static str,
}
