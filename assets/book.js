/* Repairs of the pages, made when everything has loaded. */

/* The widget manager speaks to MathJax 2; the pages carry MathJax 3. */
window.addEventListener("DOMContentLoaded", () => {
  const mathjax = window.MathJax;
  if (!mathjax || mathjax.Hub) return;
  mathjax.Hub = {
    Queue: (...calls) => {
      for (const call of calls) {
        const element = Array.isArray(call) ? call[2] : null;
        if (element) mathjax.startup.promise.then(() => mathjax.typesetPromise([element]));
      }
    },
  };
});

/* What is scrolled sideways is scrolled by keyboard, too: wide tables, code, formulas. */
window.addEventListener("load", async () => {
  await window.MathJax?.startup?.promise;
  const boxes = ".cell_output .output.text_html, .pst-scrollable-table-container, pre, div.math > mjx-container";
  const reach = (box) => {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0; else box.removeAttribute("tabindex");
  };
  const watch = new ResizeObserver((changes) => changes.forEach((change) => reach(change.target)));
  document.querySelectorAll(boxes).forEach((box) => watch.observe(box));
});

/* Names for what the theme and the widget manager leave without one, or name by other words than they show. */
window.addEventListener("load", () => {
  for (const field of document.querySelectorAll(".search-button-field")) field.removeAttribute("aria-label");
  for (const list of document.querySelectorAll(".citation-list")) list.removeAttribute("role"); // links lie between its entries
  const silence = (button) => { // its icons, drawn when it pleases their maker: the button around them has a name
    for (const icon of button.querySelectorAll("svg[aria-labelledby], svg:not([aria-hidden='true'])")) {
      icon.setAttribute("aria-hidden", "true");
      icon.removeAttribute("aria-labelledby");
      icon.querySelector("title")?.remove();
    }
  };
  for (const button of document.querySelectorAll(".theme-switch-button")) {
    silence(button);
    new MutationObserver(() => silence(button)).observe(button, { childList: true, subtree: true });
  }
  const name = (handle) => {
    let row = handle;
    while (row && !row.querySelector(".widget-readout")) row = row.parentElement;
    if (!row) return; // not drawn yet
    const [label, readout] = [".widget-label", ".widget-readout"].map((part) => row.querySelector(part).textContent);
    for (const [attribute, words] of [["aria-label", label], ["aria-valuetext", readout]])
      if (handle.getAttribute(attribute) !== words) handle.setAttribute(attribute, words);
  };
  const watch = new MutationObserver(() => document.querySelectorAll(".picture-slider .noUi-handle").forEach(name));
  for (const view of document.querySelectorAll('script[type="application/vnd.jupyter.widget-view+json"]'))
    watch.observe(view.parentElement, { childList: true, subtree: true, attributeFilter: ["aria-valuetext"] });
  document.querySelectorAll(".picture-slider .noUi-handle").forEach(name);
});

/* The search reads excerpts from the pages it found, which a browser forbids to a page opened as a file. */
if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
