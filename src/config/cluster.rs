//! Variables that begin as ours do and are not: Kubernetes tells every container the addresses of the services beside it,
//! in variables that begin with the service's name, which may be `afterword`.

/// The ends of their names, after the port's number: `…_PORT_8080_TCP_ADDR`.
const OF_A_PORT: [&str; 4] = ["", "_PROTO", "_PORT", "_ADDR"];
const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];

/// Whether the variable is one of those. *Source:* <https://kubernetes.io/docs/concepts/services-networking/service/>.
pub(super) fn is_of_a_service(name: &str, text: &str) -> bool {
    let is_address = || PROTOCOLS.iter().any(|protocol| text.starts_with(&format!("{}://", protocol.to_lowercase())));
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || (name.ends_with("_PORT") && is_address())
        || name.match_indices("_PORT_").any(|(at, word)| is_number_and_protocol(&name[at + word.len()..]))
}

/// `8080_TCP`, `8080_TCP_ADDR` and the like.
fn is_number_and_protocol(rest: &str) -> bool {
    let Some((number, rest)) = rest.split_once('_') else { return false };
    let protocol = PROTOCOLS.iter().find_map(|protocol| rest.strip_prefix(protocol));
    number.parse::<u16>().is_ok() && protocol.is_some_and(|rest| OF_A_PORT.contains(&rest))
}

#[cfg(test)]
mod tests {
    use super::is_of_a_service;

    #[test]
    fn the_addresses_of_services_are_told_from_settings() {
        for (name, text) in [
            ("AFTERWORD_SERVICE_HOST", "10.0.0.7"),
            ("AFTERWORD_SERVICE_PORT", "8080"),
            ("AFTERWORD_SERVICE_PORT_HTTP", "8080"),
            ("AFTERWORD_PORT", "tcp://10.0.0.7:8080"),
            ("AFTERWORD_PORT_8080_TCP", "tcp://10.0.0.7:8080"),
            ("AFTERWORD_PORT_8080_TCP_PROTO", "tcp"),
            ("AFTERWORD_PORT_8080_TCP_PORT", "8080"),
            ("AFTERWORD_PORT_8080_TCP_ADDR", "10.0.0.7"),
            ("AFTERWORD_SERVER_PORT", "udp://10.0.0.7:8080"),
        ] {
            assert!(is_of_a_service(name, text), "{name}");
        }
        // Slips of the pen, which are told.
        for (name, text) in [
            ("AFTERWORD_PORT", "8080"),
            ("AFTERWORD_SERVER_PORT", "8080"),
            ("AFTERWORD_SERVER__BIND", "tcp://10.0.0.7:8080"),
            ("AFTERWORD_PORT_MANY_TCP", "1"),
        ] {
            assert!(!is_of_a_service(name, text), "{name}");
        }
    }
}
