// Search, filters, order and pages of the list where no server answers: the whole table is in the page.
// What one asks stands behind the # of the address, by the names and in the values the server knows.
"use strict";
(() => {
  const form = document.getElementById("ask");
  const table = document.querySelector(".list");
  const body = table.tBodies[0];
  const hits = document.getElementById("hits");
  const nav = document.getElementById("pages");
  const fields = [...form.elements].filter((each) => each.name);
  const untouched = { sort: "serial", size: "50" };
  const dots = /[.•‧∙⋅・●․◦⸱]/g;
  const unseen = /[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]/g;
  const points = /^(-?)(\d{1,14})(?:\.(\d{0,2}))?分?$/;
  const year = /^(\d{4})年?$/;
  let page = 1;

  const narrow = (text) => text.normalize("NFKC").replace(/\s/g, "");
  // capitals first: what has two small forms, and what is two letters as a capital, is then one
  const folded = (text) =>
    narrow(text.normalize("NFKC").toUpperCase().toLowerCase()).replace(unseen, "").replace(dots, "·");
  const number = (value) => value.toLocaleString("en");

  function hundredths(text) {
    const found = points.exec(narrow(text));
    return found ? Number(`${found[1]}${found[2]}${(found[3] || "").padEnd(2, "0")}`) : null;
  }
  function ofYear(text) {
    const found = year.exec(narrow(text));
    return found ? Number(found[1]) : null;
  }

  // the places of the rows in an order that the server worked out; equal texts are equal
  function ranks(order, column) {
    const found = new Int32Array(rows.length);
    let before = null;
    let rank = -1;
    for (const place of order.split(" ").map(Number)) {
      if (rows[place][column] !== before) rank += 1;
      before = rows[place][column];
      found[place] = rank;
    }
    return found;
  }

  const rows = [...body.rows].map((row, place) => {
    const [serial, name, born, employer, total] = [...row.cells].map((cell) => cell.firstChild);
    const [, bornYear, bornMonth] = /(\d+)年(\d+)月/.exec(born.data);
    const points = total.firstChild.textContent.replace("\u2212", "-");
    return {
      row, place, name: name ? name.data : "", employer: employer.data,
      year: Number(bornYear), born: bornYear * 12 + Number(bornMonth),
      total: Number(points.replace(".", "")),
      text: [serial.data, name ? name.data : "", employer.data === "—" ? "" : employer.data].map(folded).join("\n"),
    };
  });
  const keys = {
    serial: (each) => each.place,
    born: (each) => each.born,
    total: (each) => each.total,
  };
  for (const column of ["name", "employer"]) {
    const rank = ranks(table.dataset[column], column);
    keys[column] = (each) => rank[each.place];
  }

  // --- what one asks ---

  function read() {
    const asked = {};
    const faults = {};
    for (const field of fields) {
      const text = field.value.trim();
      asked[field.name] = text;
      if (!text || !field.dataset.fault) continue;
      const value = field.name.startsWith("points") ? hundredths(text) : ofYear(text);
      if (value === null) faults[field.name] = field.dataset.fault;
      asked[field.name] = value;
    }
    for (const name of ["points", "born"]) {
      const [from, to] = [asked[`${name}_from`], asked[`${name}_to`]];
      if (typeof from === "number" && typeof to === "number" && from > to) {
        faults[`${name}_to`] = form.dataset.turned;
      }
    }
    return [asked, faults];
  }

  function found(asked) {
    const needle = folded(asked.q);
    const within = (value, name) =>
      (typeof asked[`${name}_from`] !== "number" || value >= asked[`${name}_from`]) &&
      (typeof asked[`${name}_to`] !== "number" || value <= asked[`${name}_to`]);
    const chosen = rows.filter((each) =>
      each.text.includes(needle) && within(each.total, "points") && within(each.year, "born"));
    const key = keys[asked.sort.replace("-", "")];
    const way = asked.sort.startsWith("-") ? -1 : 1;
    return chosen.sort((one, other) => way * (key(one) - key(other)) || one.place - other.place);
  }

  // --- what is shown ---

  function showFaults(faults) {
    for (const field of fields.filter((each) => each.dataset.fault)) {
      const id = `${field.name}-error`;
      const place = field.closest(".field").querySelector(".errors");
      document.getElementById(id)?.remove();
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
      if (!faults[field.name]) continue;
      const error = document.createElement("p");
      error.className = "error";
      error.id = id;
      error.textContent = faults[field.name];
      place.append(error);
      field.setAttribute("aria-invalid", "true");
      field.setAttribute("aria-describedby", id);
    }
  }

  function link(to, text, current) {
    const item = document.createElement("li");
    const anchor = document.createElement("a");
    anchor.href = address(to);
    anchor.textContent = text;
    if (text === String(to)) anchor.setAttribute("aria-label", `第 ${to} 页`);
    if (current) anchor.setAttribute("aria-current", "page");
    item.append(anchor);
    return item;
  }

  function showPages(pages) {
    const near = [1, page - 2, page - 1, page, page + 1, page + 2, pages];
    const named = [...new Set(near)].filter((each) => each >= 1 && each <= pages);
    const items = page > 1 ? [link(page - 1, "上一页")] : [];
    let before = 0;
    for (const each of named) {
      if (each - before > 1) {
        const left = document.createElement("li");
        left.textContent = "…";
        left.setAttribute("aria-hidden", "true");
        items.push(left);
      }
      items.push(link(each, String(each), each === page));
      before = each;
    }
    if (page < pages) items.push(link(page + 1, "下一页"));
    nav.hidden = pages === 1;
    nav.firstElementChild.replaceChildren(...items);
  }

  // what is looked for, as paper says it
  function inWords(faults) {
    const value = (name) =>
      faults[name] && faults[name] !== form.dataset.turned ? "" : form.elements[name].value.trim();
    const parts = value("q") ? [`搜索：${value("q")}`] : [];
    for (const [name, title] of [["points", "总积分"], ["born", "出生年份"]]) {
      const [from, to] = [value(`${name}_from`), value(`${name}_to`)];
      if (from && to) parts.push(`${title}：${from} 至 ${to}`);
      else if (from || to) parts.push(`${title}：${from || to} ${from ? "及以上" : "及以下"}`);
    }
    return parts.join("；");
  }

  function say(...texts) {
    for (const [place, text] of texts.entries()) {
      if (hits.children[place].textContent !== text) hits.children[place].textContent = text;
    }
  }

  function show() {
    const [asked, faults] = read();
    const all = found(asked);
    const size = Number(asked.size) || Math.max(all.length, 1);
    const pages = Math.max(Math.ceil(all.length / size), 1);
    page = Math.min(Math.max(page, 1), pages);
    const part = all.slice((page - 1) * size, page * size);
    body.replaceChildren(...part.map((each) => each.row));
    showFaults(faults);
    showPages(pages);
    const first = (page - 1) * size;
    say(all.length ? `${inWords(faults) ? "查到" : "共"} ${number(all.length)} 人` : "没有查到",
      pages > 1 ? `第 ${number(first + 1)} 至 ${number(first + part.length)} 人` : "");
    const conditions = document.getElementById("conditions");
    conditions.textContent = inWords(faults);
    conditions.hidden = !conditions.textContent;
    table.hidden = !all.length;
    document.getElementById("nobody").hidden = Boolean(all.length);
    for (const head of table.tHead.rows[0].cells) {
      const way = { [head.dataset.column]: "ascending", [`-${head.dataset.column}`]: "descending" };
      head.setAttribute("aria-sort", way[asked.sort] || "none");
      head.firstElementChild.href = address(1, turned(head.dataset.column, asked.sort));
    }
    return all;
  }

  // --- the address ---

  // links, not buttons: of a head that is repeated on paper Chromium prints links alone
  function turned(column, sort) {
    const down = sort === column || (sort !== `-${column}` && column === "total");
    return down ? `-${column}` : column;
  }

  function address(to, sort = form.elements.sort.value) {
    const asked = new URLSearchParams();
    for (const field of fields) {
      const text = field.name === "sort" ? sort : field.value.trim();
      if (text && text !== untouched[field.name]) asked.set(field.name, text);
    }
    if (to > 1) asked.set("page", to);
    return `#${asked}`;
  }

  function go() {
    const asked = new URLSearchParams(location.hash.slice(1));
    for (const field of fields) {
      field.value = asked.get(field.name) ?? untouched[field.name] ?? "";
      if (field.matches("select") && !field.value) field.value = untouched[field.name];
    }
    page = Number.parseInt(asked.get("page"), 10) || 1;
    show();
  }

  function ask() {
    page = 1;
    show();
    try {
      history.replaceState(null, "", address(1));
    } catch {
      // some browsers let no file change its address: then it is not kept
    }
  }

  for (const head of table.tHead.rows[0].cells) {
    const turn = document.createElement("a");
    turn.append(...head.childNodes);
    head.append(turn);
  }
  form.addEventListener("input", ask);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  document.getElementById("found").addEventListener("click", (event) => {
    const clear = event.target.closest("#nobody a");
    if (clear) event.preventDefault();
    if (clear) location.hash = "";
    if (event.target.closest("#pages a")) hits.focus(); // the link is gone when the page has turned
  });
  document.getElementById("clear").addEventListener("click", (event) => {
    event.preventDefault();
    form.reset();
    ask();
  });
  addEventListener("hashchange", go);
  addEventListener("beforeprint", () => body.replaceChildren(...found(read()[0]).map((each) => each.row)));
  addEventListener("afterprint", show);
  go();
  table.classList.add("ready");
})();
