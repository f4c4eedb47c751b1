use leptos::prelude::document;
use leptos::wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Node};

/// Gives `place` the content that `html` describes, and leaves alone what is so already: what
/// somebody has focused, opened, scrolled or marked stays as it is.
pub(super) fn show(place: &Element, html: &str) -> Result<(), JsValue> {
    let wanted = document().create_element("div")?;
    wanted.set_inner_html(html);
    morph_children(place, &wanted)
}

fn morph_children(old: &Node, new: &Node) -> Result<(), JsValue> {
    let mut place = old.first_child();
    while let Some(wanted) = new.first_child() {
        match take_like(old, place.as_ref(), &wanted)? {
            Some(like) => {
                morph(&like, &wanted)?;
                new.remove_child(&wanted)?;
                place = like.next_sibling();
            }
            None => {
                // Moves it over, out of what is wanted still.
                old.insert_before(&wanted, place.as_ref())?;
            }
        }
    }
    while let Some(surplus) = place {
        place = surplus.next_sibling();
        old.remove_child(&surplus)?;
    }
    Ok(())
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
