//! Which nodes of a fleet are asked for, as addresses say it.

use super::condition::NodeCondition;

/// Which nodes are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodesQuery {
    /// What their ids contain; empty is any.
    pub name: String,
    /// How they are; `None` is any.
    pub condition: Option<NodeCondition>,
    /// Their program; `None` is any, and an empty one is of those that name none.
    pub app: Option<String>,
    /// Their program's version; `None` is any, and an empty one is of those that name none.
    pub version: Option<String>,
    /// Which page, counted from 0. One behind the last is the last.
    pub page: usize,
}

/// What nodes do not say has another field than what they say, since they may say anything.
const UNNAMED: [(&str, &str); 2] = [("app", "no_app"), ("version", "no_version")];

impl NodesQuery {
    /// By the fields of an address, of the first page. A `state` that is none is any.
    pub fn of<'a>(field: impl Fn(&str) -> Option<&'a str>) -> Self {
        let [app, version] = UNNAMED.map(|(name, unnamed)| {
            let none = field(unnamed).map(|_| String::new());
            none.or_else(|| field(name).map(str::to_owned))
        });
        Self {
            name: field("name").unwrap_or_default().to_owned(),
            condition: field("state").and_then(NodeCondition::named),
            app,
            version,
            page: 0,
        }
    }

    /// The fields of an address that [`of`](Self::of) reads; none of what may be anything.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let of = |text: &Option<String>, (name, unnamed)| match text.as_deref()? {
            "" => Some((unnamed, "1".to_owned())),
            text => Some((name, text.to_owned())),
        };
        let [app, version] = UNNAMED;
        let fields = [
            (!self.name.is_empty()).then(|| ("name", self.name.clone())),
            self.condition.map(|condition| ("state", condition.as_str().to_owned())),
            of(&self.app, app),
            of(&self.version, version),
        ];
        fields.into_iter().flatten().collect()
    }
}
