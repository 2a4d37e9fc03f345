//! The host server as others meet it: the real program, over real sockets.

#[path = "server/abuse.rs"]
mod abuse;
#[path = "server/access.rs"]
mod access;
#[path = "server/closed.rs"]
mod closed;
#[path = "server/description.rs"]
mod description;
#[path = "server/echo.rs"]
mod echo;
#[path = "server/in_step.rs"]
mod in_step;
#[path = "server/issuer.rs"]
mod issuer;
#[path = "server/life.rs"]
mod life;
#[path = "server/limits.rs"]
mod limits;
#[path = "server/process.rs"]
mod process;
#[path = "server/stopping.rs"]
mod stopping;
#[path = "server/telling.rs"]
mod telling;
