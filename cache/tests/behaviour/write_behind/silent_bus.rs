//! A node that does not hear other nodes' writes.

use strata_testing::{DIRECTIONS, Line, Proxy};

use super::durable::patient;
use super::table::Table;
use crate::support::ways::{LONG, node_behind, onlooker};
use crate::support::{Redis, eventually};

#[tokio::test]
async fn while_the_bus_is_silent_an_own_value_hides_no_newer_one_of_another_node() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let (here, there) = (node_behind(&proxy, LONG).await, onlooker(&redis).await);
    let table = Table::held();
    let writes = patient(&here).durable(table.rows()).unwrap();
    let elsewhere = patient(&there).durable(table.rows()).unwrap();
    writes.write(1, "older".into()).await.unwrap();
    assert_eq!(table.value(&writes, 1).await, "older");
    proxy.hold(&[Line::Bus], &DIRECTIONS).await;
    eventually("the bus is silent", async || !here.report().bus.connected).await;
    elsewhere.write(1, "newer".into()).await.unwrap();
    eventually("it is read", async || table.value(&writes, 1).await == "newer").await;
}
