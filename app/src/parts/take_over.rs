use std::cell::RefCell;
use std::rc::Rc;

use leptos::mount::{UnmountHandle, mount_to};
use leptos::prelude::*;
use leptos::tachys::view::any_view::AnyViewState;
use leptos::wasm_bindgen::{JsCast, JsValue};
use web_sys::js_sys::{Function, Reflect};
use web_sys::{Element, Event, HtmlElement};

use super::list;
use crate::ui::yield_to_browser;

/// What says of a part's element that the program draws it.
const ALIVE: &str = "data-alive";

/// Owns the live parts: what stands in their context, and those that are mounted.
#[derive(Clone)]
pub(crate) struct PartOwner {
    owner: Owner,
    /// Where it may put parts in the drawn ones' places.
    within: &'static str,
    /// Which of them it may not.
    but: &'static str,
    mounted: Rc<RefCell<Vec<MountedPart>>>,
}

/// A part and its element. It ends when this is dropped.
struct MountedPart {
    element: HtmlElement,
    _view: UnmountHandle<AnyViewState>,
}

impl PartOwner {
    /// Owns nothing yet. What `owner` provides is what the parts find.
    pub(crate) fn new(owner: Owner) -> Self {
        Self { owner, within: "", but: "", mounted: Rc::default() }
    }

    /// Leaves those standing that show numbers, since the numbers could not be read.
    pub(crate) fn without_numbers(self) -> Self {
        Self { within: ".top-bar ", ..self }
    }

    /// Leaves the visitor's part standing, since who that is could not be read.
    pub(crate) fn without_visitor(self) -> Self {
        Self { but: ":not([data-part=visitor])", ..self }
    }

    /// Mounts what the server drew of this page, each part apart from the page, and then puts all of
    /// them in the drawn ones' places at once. The browser may draw and answer before that. A part
    /// that cannot take over leaves the drawn one standing, and the page says so.
    pub(crate) async fn take_over(&self) {
        // What has left the page has no use for numbers.
        self.mounted.borrow_mut().retain(|part| part.element.is_connected());
        let mut made = Vec::new();
        let mut all_live = true;
        for drawn in self.drawn() {
            yield_to_browser().await;
            match self.mount(&drawn) {
                Some(part) => made.push((drawn, part)),
                None => all_live = false,
            }
        }
        for (drawn, part) in made {
            // Somebody has gone to another page meanwhile.
            if !drawn.is_connected() {
                continue;
            }
            match swap(&drawn, &part.element) {
                Ok(_) => self.mounted.borrow_mut().push(part),
                Err(_) => all_live = false,
            }
        }
        tell(if all_live { "strata-parts-live" } else { "strata-parts-still" });
    }

    fn drawn(&self) -> Vec<Element> {
        let wanted = [self.within, "[data-part]:not([data-alive])", self.but].concat();
        let Ok(found) = document().query_selector_all(&wanted) else { return Vec::new() };
        (0..found.length()).filter_map(|i| found.item(i)?.dyn_into().ok()).collect()
    }

    fn mount(&self, drawn: &Element) -> Option<MountedPart> {
        let part = list::find(&drawn.get_attribute("data-part")?)?;
        // Its class and its name are the drawn one's.
        let element = drawn.clone_node().ok()?.dyn_into::<HtmlElement>().ok()?;
        element.set_attribute(ALIVE, "").ok()?;
        let place = element.clone();
        let view = self.owner.with(|| mount_to(place, part.view));
        Some(MountedPart { element, _view: view })
    }
}

/// Whether the program draws an element by itself.
pub(crate) fn is_alive(element: &Element) -> bool {
    element.has_attribute(ALIVE)
}

/// Whether the program draws every part of the page by itself.
pub(crate) fn all_live() -> bool {
    document()
        .query_selector("#page [data-part]:not([data-alive])")
        .is_ok_and(|part| part.is_none())
}

/// Has the page's own script put a part in the drawn one's place, with all that somebody has typed,
/// focused, opened, scrolled or marked in it.
fn swap(drawn: &Element, alive: &Element) -> Result<JsValue, JsValue> {
    let swap = Reflect::get(&window(), &JsValue::from_str("strataSwap"))?.dyn_into::<Function>()?;
    swap.call2(&JsValue::NULL, drawn, alive)
}

fn tell(name: &str) {
    // Where it cannot be told, the parts still stand as they do.
    if let Ok(event) = Event::new(name) {
        let _ = window().dispatch_event(&event);
    }
}
