use leptos::prelude::document;
use leptos::wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Node};

use crate::parts::is_alive;
use crate::ui::TimeSlice;

/// Gives `place` the content that `html` describes, and leaves alone what is so already: what
/// somebody has focused, opened, scrolled or marked stays as it is.
pub(super) fn show(place: &Element, html: &str) -> Result<(), JsValue> {
    morph_children(place, &*parsed(html)?)
}

/// As [`show`], where a long page frame is done card by card and the browser may answer in between,
/// as long as the page is wanted.
pub(super) async fn show_by_card(
    place: &Element,
    html: &str,
    is_wanted: impl Fn() -> bool,
) -> Result<(), JsValue> {
    let parsed = parsed(html)?;
    let mut turn = TimeSlice::begin();
    let mut frames = Siblings::of(place, &parsed);
    while let Some((old, new)) = frames.next()? {
        let (Some(old), Some(new)) = (old.dyn_ref::<Element>(), new.dyn_ref::<Element>()) else {
            morph(&old, &new)?;
            continue;
        };
        let mut cards = Siblings::of(old, new);
        while let Some((old, new)) = cards.next()? {
            morph(&old, &new)?;
            turn.yield_if_long().await;
            if !is_wanted() {
                return Ok(());
            }
        }
        // They say when the page frame is drawn again, so they go with it whole.
        morph_attributes(old, new)?;
    }
    Ok(())
}

// The page's name stands before it.
fn parsed(html: &str) -> Result<Element, JsValue> {
    let wanted = document().create_element("div")?;
    wanted.set_inner_html(html);
    if let Some(title) = wanted.first_element_child().filter(|first| first.tag_name() == "TITLE") {
        document().set_title(&title.text_content().unwrap_or_default());
        title.remove();
    }
    Ok(wanted)
}

fn morph_children(old: &Node, new: &Node) -> Result<(), JsValue> {
    let mut siblings = Siblings::of(old, new);
    while let Some((old, new)) = siblings.next()? {
        morph(&old, &new)?;
    }
    Ok(())
}

/// The children of what is there beside those that are wanted.
struct Siblings<'a> {
    old: &'a Node,
    new: &'a Node,
    /// The first that is there and was not looked at.
    place: Option<Node>,
}

impl<'a> Siblings<'a> {
    fn of(old: &'a Node, new: &'a Node) -> Self {
        Self { old, new, place: old.first_child() }
    }

    /// The next that is there and may become a wanted one. What is only wanted is put in, and what
    /// is only there goes.
    fn next(&mut self) -> Result<Option<(Node, Node)>, JsValue> {
        while let Some(wanted) = self.new.first_child() {
            if let Some(like) = take_like(self.old, self.place.as_ref(), &wanted)? {
                self.new.remove_child(&wanted)?;
                self.place = like.next_sibling();
                return Ok(Some((like, wanted)));
            }
            // Moves it over, out of what is wanted still.
            self.old.insert_before(&wanted, self.place.as_ref())?;
        }
        while let Some(surplus) = self.place.take() {
            self.place = surplus.next_sibling();
            self.old.remove_child(&surplus)?;
        }
        Ok(None)
    }
}

// What is there already and may become the wanted node. What has an id is found by it, wherever it
// stands among its siblings, and put into its place.
fn take_like(old: &Node, place: Option<&Node>, wanted: &Node) -> Result<Option<Node>, JsValue> {
    let id = id(wanted);
    if id.is_empty() {
        let like = |node: &&Node| {
            node.node_type() == wanted.node_type()
                && node.node_name() == wanted.node_name()
                && self::id(node).is_empty()
        };
        return Ok(place.filter(like).cloned());
    }
    let found = document().get_element_by_id(&id).map(Node::from);
    let Some(found) = found.filter(|found| found.parent_node().as_ref() == Some(old)) else {
        return Ok(None);
    };
    if Some(&found) != place {
        old.insert_before(&found, place)?;
    }
    Ok(Some(found))
}

fn id(node: &Node) -> String {
    // The property is not asked: a form with a field named "id" answers it with the field.
    node.dyn_ref::<Element>().and_then(|element| element.get_attribute("id")).unwrap_or_default()
}

fn morph(old: &Node, new: &Node) -> Result<(), JsValue> {
    // Most of a drawing is as it was, which the browser sees in one call.
    if old.is_equal_node(Some(new)) {
        return Ok(());
    }
    match (old.dyn_ref::<Element>(), new.dyn_ref::<Element>()) {
        // It is drawn here, and changes each second.
        (Some(old), Some(_)) if is_alive(old) => Ok(()),
        (Some(old), Some(new)) => {
            morph_attributes(old, new)?;
            morph_children(old, new)
        }
        _ => {
            if old.node_value() != new.node_value() {
                old.set_node_value(new.node_value().as_deref());
            }
            Ok(())
        }
    }
}

fn morph_attributes(old: &Element, new: &Element) -> Result<(), JsValue> {
    for name in names(new) {
        let wanted = new.get_attribute(&name).unwrap_or_default();
        if old.get_attribute(&name).as_ref() != Some(&wanted) {
            old.set_attribute(&name, &wanted)?;
        }
    }
    for name in names(old) {
        // What a person opened stays open.
        if name != "open" && !new.has_attribute(&name) {
            old.remove_attribute(&name)?;
        }
    }
    Ok(())
}

fn names(element: &Element) -> Vec<String> {
    element.get_attribute_names().iter().filter_map(|name| name.as_string()).collect()
}
