// Puts a live part in the place of the one that the server drew. What somebody has typed, focused,
// opened, scrolled or marked in it goes over to it.
"use strict";
/** Whether it is a popover that stands open. Browsers without popovers refuse the selector itself. */
function strataIsOpen(element) {
  return "popover" in HTMLElement.prototype && element.matches(":popover-open");
}

function strataSwap(drawn, alive) {
  /** The element of the other part that stands where this one does in its own. */
  function counterpart(element) {
    const path = [];
    for (let at = element; at !== drawn; at = at.parentElement) {
      path.unshift([...at.parentElement.children].indexOf(at));
    }
    const found = path.reduce((at, i) => at?.children[i], alive);
    if (found?.nodeName === element.nodeName && found.id === element.id) return found;
    return element.id === "" ? null : alive.querySelector(`#${CSS.escape(element.id)}`);
  }

  function isChanged(field) {
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field instanceof HTMLSelectElement) return field.selectedIndex > 0 || field.options[0]?.selected === false;
    return field.value !== field.defaultValue;
  }

  /** What is to be done once the live part stands there. */
  const after = [];
  const active = drawn.contains(document.activeElement) ? document.activeElement : null;
  const selection = markedText(drawn);
  for (const element of drawn.querySelectorAll("*")) {
    const { scrollTop, scrollLeft } = element;
    const isTyped = element.matches("input, textarea, select") && isChanged(element);
    const isOpen = element.matches("details[open]");
    const isShown = strataIsOpen(element);
    if (!isTyped && !isOpen && !isShown && element !== active && scrollTop === 0 && scrollLeft === 0) continue;
    const other = counterpart(element);
    if (!other) continue;
    if (isTyped) {
      other.value = element.value;
      other.checked = element.checked;
    }
    if (isOpen) other.open = true;
    after.push(() => {
      if (isShown) other.showPopover();
      other.scrollTo(scrollLeft, scrollTop);
      if (element === active) focus(other);
    });
  }
  // The browser forgets where a field was marked once it is gone.
  const { selectionStart, selectionEnd, selectionDirection } = active ?? {};

  function focus(other) {
    other.focus({ preventScroll: true });
    // Some kinds of fields have no marks.
    if (typeof selectionStart === "number") other.setSelectionRange(selectionStart, selectionEnd, selectionDirection);
  }

  drawn.replaceWith(alive);
  for (const act of after) {
    try {
      act();
    } catch (error) {
      // It lives all the same.
      console.warn(error);
    }
  }
  if (selection !== undefined) mark(alive, selection);

  /** Where the marked text of a part begins and ends, in signs of its text. */
  function markedText(part) {
    const marked = getSelection();
    if (marked === null || marked.isCollapsed || marked.rangeCount === 0) return undefined;
    const range = marked.getRangeAt(0);
    if (!part.contains(range.startContainer) || !part.contains(range.endContainer)) return undefined;
    const before = document.createRange();
    before.selectNodeContents(part);
    before.setEnd(range.startContainer, range.startOffset);
    const begin = before.toString().length;
    return [begin, begin + range.toString().length];
  }

  function mark(part, [begin, end]) {
    const range = document.createRange();
    const texts = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
    let n = 0;
    let isBegun = false;
    while (texts.nextNode()) {
      const { currentNode: text } = texts;
      if (!isBegun && n + text.length > begin) {
        range.setStart(text, begin - n);
        isBegun = true;
      }
      if (isBegun && n + text.length >= end) {
        range.setEnd(text, end - n);
        const marked = getSelection();
        marked.removeAllRanges();
        marked.addRange(range);
        return;
      }
      n += text.length;
    }
  }
}
