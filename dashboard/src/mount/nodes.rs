use std::collections::HashSet;

use strata_cache::Node;

use super::MountError;

/// Each node once. What one of them is asked is done on the Redis of all.
///
/// # Errors
/// Where they are not of one namespace, or use several Redis.
pub(super) fn distinct(nodes: Vec<Node>) -> Result<Vec<Node>, MountError> {
    let Some(first) = nodes.first() else { return Ok(nodes) };
    for other in &nodes {
        if other.namespace() != first.namespace() {
            let (first, other) = (first.namespace().to_owned(), other.namespace().to_owned());
            return Err(MountError::Namespaces { first, other });
        }
        if same_place(other) != same_place(first) {
            return Err(MountError::Redis { first: place(first), other: place(other) });
        }
    }
    let mut known = HashSet::new();
    Ok(nodes.into_iter().filter(|node| known.insert(node.id().to_owned())).collect())
}

/// Where a node's Redis is, alike for all names of this machine.
fn same_place(node: &Node) -> Option<String> {
    node.redis_address().map(|address| without_names_of_this_machine(&address))
}

/// The hosts of an address stand between `/`, `,` or its ends and a port.
fn without_names_of_this_machine(address: &str) -> String {
    const HERE: [&str; 2] = ["localhost", "[::1]"];
    let hosts = address.split_inclusive(['/', ',']);
    let one = |part: &str| {
        let lower = part.to_ascii_lowercase();
        let rest = HERE.iter().find_map(|name| lower.strip_prefix(name));
        match rest.filter(|rest| rest.starts_with(':')) {
            Some(rest) => format!("127.0.0.1{rest}"),
            None => part.to_owned(),
        }
    };
    hosts.map(one).collect()
}

/// A node, and where its Redis is.
fn place(node: &Node) -> String {
    match node.redis_address() {
        Some(redis) => format!("{} ({redis})", node.id()),
        None => format!("{} (no Redis)", node.id()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_redis_of_this_machine_is_the_same_by_each_of_its_names() {
        let here = without_names_of_this_machine("redis://127.0.0.1:6379");
        for name in ["redis://localhost:6379", "redis://LocalHost:6379", "redis://[::1]:6379"] {
            assert_eq!(without_names_of_this_machine(name), here);
        }
        for other in [
            "redis://127.0.0.1:6380",
            "rediss://127.0.0.1:6379",
            "redis://127.0.0.1:6379, database 2",
            "redis://localhost.example:6379",
            "unix:///localhost:6379",
        ] {
            assert_ne!(without_names_of_this_machine(other), here);
        }
        let several = "redis+sentinel://localhost:1,[::1]:2/localhost";
        let alike = "redis+sentinel://127.0.0.1:1,127.0.0.1:2/localhost";
        assert_eq!(without_names_of_this_machine(several), alike);
    }
}
