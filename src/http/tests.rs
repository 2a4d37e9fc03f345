//! The whole door, without a socket.
