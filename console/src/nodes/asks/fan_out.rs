//! One question to many nodes elsewhere: it is sent once for all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{BoxFuture, FutureExt, Shared};
use strata_cache::{AskError, AskTo, FleetClient};
use strata_report::{NodeId, Reply};

use super::asked_by::asked_by;

/// Answers of all, by node.
type Answers = Result<Arc<HashMap<NodeId, Reply>>, AskError>;

type Broadcast = Shared<BoxFuture<'static, Answers>>;

/// A question to several nodes. The first of them that is asked sends it to all, and the others take
/// their answers from there.
pub struct FanOut {
    n_asked: usize,
    /// By kind: what was asked of all, and their answers.
    begun: Mutex<HashMap<String, (String, Broadcast)>>,
}

impl FanOut {
    pub(in crate::nodes) fn new(n_asked: usize) -> Self {
        Self { n_asked, begun: Mutex::default() }
    }

    /// How many nodes are asked.
    pub(in crate::nodes) fn n_asked(&self) -> usize {
        self.n_asked
    }

    /// What one of the nodes answers, `None` within where it is silent. `None` where something else
    /// of this kind was asked of all: then the node has to be asked alone.
    pub(in crate::nodes) async fn ask(
        &self,
        (client, node): (&FleetClient, &str),
        (kind, body): (&str, &str),
    ) -> Option<Result<Option<Reply>, AskError>> {
        let answers = {
            let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
            let begin = || (body.to_owned(), broadcast(client, kind, body));
            let (asked, answers) = begun.entry(kind.to_owned()).or_insert_with(begin);
            (asked == body).then(|| answers.clone())?
        };
        Some(answers.await.map(|answers| answers.get(node).cloned()))
    }
}

fn broadcast(client: &FleetClient, kind: &str, body: &str) -> Broadcast {
    let (client, kind, body) = (client.clone(), kind.to_owned(), body.to_owned());
    let asked_by = asked_by();
    let asking = async move {
        let replies = client.ask(AskTo::All, &kind, &body, &asked_by).await?.replies;
        Ok(Arc::new(replies.into_iter().map(|reply| (reply.node.clone(), reply)).collect()))
    };
    asking.boxed().shared()
}

impl std::fmt::Debug for FanOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FanOut").field("n_asked", &self.n_asked).finish_non_exhaustive()
    }
}
