// Quicker with a script, and nothing more: months are counted while one types, points follow a moment later.
// Every rule is the server's; here a month is only counted.
"use strict";
(() => {
  const form = document.getElementById("form");
  const [lastYear, lastMonth] = form.dataset.last.split("-").map(Number);
  const last = lastYear * 12 + lastMonth - 1;
  let timer = 0;
  let asking = null;

  // a day or month however it is set: 201001, 20100101, 2010-1, 2010年1月1日
  function read(text) {
    const bare = text.trim();
    const found = /^(\d{4})(\d{2})(\d{2})?$/.exec(bare) ||
      /^(\d{4})\D(\d{1,2})(?:\D(\d{1,2}))?\D?$/.exec(bare);
    if (!found || found[2] < 1 || found[2] > 12) return null;
    return { month: Number(found[1]) * 12 + Number(found[2]) - 1, day: Number(found[3] || 1) };
  }

  function count(row) {
    const place = row.querySelector(".count");
    const from = document.getElementById(row.dataset.from);
    const to = document.getElementById(row.dataset.to);
    if (!place || !from || !to) return;
    const first = read(from.value);
    const end = to.value.trim() ? read(to.value) : { month: last };
    let text = "";
    if (first && end) {
      const all = Math.max(end.month - first.month - (first.day > 1 ? 1 : 0) + 1, 0);
      const beyond = Math.min(Math.max(end.month - last, 0), all);
      const day = new Date(Date.UTC(lastYear, lastMonth, 0)).getUTCDate();
      text = `共 ${all} 个月` +
        (beyond ? `，其中 ${beyond} 个月在${lastYear}年${lastMonth}月${day}日之后，已扣除` : "");
    }
    if (place.textContent !== text) place.textContent = text;
  }

  // of a home that is one's own nothing has to be registered
  function registered(row) {
    const kind = row.querySelector("select[name$='.kind']");
    const how = row.querySelector("select[name$='.registered']");
    const day = row.querySelector("input[name$='.registered_on']");
    if (!kind || !how || !day) return;
    how.closest(".field").hidden = kind.value === "own";
    day.closest(".field").hidden = kind.value === "own" || how.value !== "later";
  }

  function look() {
    for (const row of form.querySelectorAll(".row")) {
      if (row.dataset.from) count(row);
      registered(row);
    }
  }

  async function score() {
    const points = document.getElementById("points");
    if (!points) return;
    if (asking) asking.abort();
    asking = new AbortController();
    const data = new FormData(form);
    data.set("go", "look");
    try {
      const answer = await fetch(form.action, { method: "POST", body: data, signal: asking.signal });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const id of ["points", "choice"]) {
        const now = document.getElementById(id);
        const then = page.getElementById(id);
        if (now && then) now.innerHTML = then.innerHTML;
      }
    } catch {
      // whoever typed on is answered next time
    }
  }

  form.addEventListener("input", () => {
    look();
    clearTimeout(timer);
    timer = setTimeout(score, 600);
  });
  look();
})();
