//! What an operator is told about hosts that share a database.

mod locked;
