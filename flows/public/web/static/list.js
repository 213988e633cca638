// Quicker with a script, and nothing more: what is found follows while one types or chooses.
// The page is the server's; of it what was found is shown, and what is wrong with a field.
"use strict";
(() => {
  const form = document.getElementById("ask");
  let timer = 0;
  let asking = null;

  function address() {
    const asked = [...new FormData(form)].filter(([, value]) => value.trim());
    return `${form.getAttribute("action").split("#")[0]}?${new URLSearchParams(asked)}`;
  }

  function take(page) {
    const hits = document.getElementById("hits");
    const said = page.getElementById("hits").innerHTML;
    if (hits.innerHTML !== said) hits.innerHTML = said;
    document.getElementById("found").replaceWith(page.getElementById("found"));
    for (const there of page.querySelectorAll(".errors")) {
      document.getElementById(there.id).innerHTML = there.innerHTML;
    }
    for (const there of page.querySelectorAll(".ask input")) {
      const here = document.getElementById(there.id);
      for (const name of ["aria-invalid", "aria-describedby"]) {
        if (there.hasAttribute(name)) here.setAttribute(name, there.getAttribute(name));
        else here.removeAttribute(name);
      }
    }
  }

  async function look() {
    if (asking) asking.abort();
    asking = new AbortController();
    const where = address();
    try {
      const answer = await fetch(where, { signal: asking.signal });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      take(page);
      document.title = page.title;
      history.replaceState(null, "", where);
    } catch {
      // whoever typed on is answered next time, and the button works without this
    }
  }

  form.addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(look, event.target.matches("select") ? 0 : 250);
  });
})();
