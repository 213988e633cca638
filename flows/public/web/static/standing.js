// Where a total stands, on a page without a server: by the same answers and the same words as with one.
"use strict";
{
  const form = document.querySelector("form[data-standing]");
  const given = JSON.parse(form.dataset.standing);
  const field = form.elements.total;
  const error = document.getElementById("total-error");
  const answer = document.querySelector(".answer");
  const chart = document.querySelector('svg[aria-labelledby="distribution"]');

  const points = (total) => {
    const text = `${Math.floor(Math.abs(total) / 100)}.${String(Math.abs(total) % 100).padStart(2, "0")}`;
    return total < 0 ? `\u2212${text}` : text;
  };

  // a total in hundredths, or what is wrong with the text
  const typed = (text) => {
    const narrow = text.replace(/[\uff01-\uff5e]/g, (one) => String.fromCharCode(one.charCodeAt(0) - 0xfee0));
    const plain = narrow.replace(/\u2212/g, "-").trim().replace(/分$/, "").trim();
    if (!plain) return "empty";
    const found = /^([+-]?)([0-9]{1,9})(?:\.([0-9]{0,9}))?$/.exec(plain);
    if (!found) return "letters";
    const part = (found[3] || "").replace(/0+$/, "");
    if (part.length > 2) return "decimals";
    const total = Number(found[2]) * 100 + Number(part.padEnd(2, "0"));
    if (total > given.most) return "range";
    return found[1] === "-" ? -total : total;
  };

  const said = (total) => {
    const gap = total - given.line;
    let name, place;
    if (gap >= 0) {
      name = gap ? "above" : "equal";
      place = 1 + given.totals.filter(([each]) => each > total).reduce((sum, [, people]) => sum + people, 0);
    } else {
      const [, about = null] = given.answers.findLast(([low]) => total >= low) || [];
      name = about === null ? "no_place" : about ? "about" : "first";
      place = about;
    }
    const values = { total: points(total), gap: points(Math.abs(gap)), place: (place || 0).toLocaleString("en-US") };
    return given.said[name].replace(/\{(\w+)\}/g, (_, one) => values[one]);
  };

  const drawn = (name, attributes, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    element.setAttribute("class", "you");
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text) element.textContent = text;
    chart.append(element);
  };

  const mark = (total) => {
    for (const each of chart.querySelectorAll(".you")) each.remove();
    const [low, high] = given.ends;
    const at = (100 * (Math.min(Math.max(total, low), high) - low)) / (high - low);
    drawn("line", { x1: `${at}%`, x2: `${at}%`, y1: 40, y2: given.base });
    const roomy = at >= given.edge && at < 101 - given.edge;
    const side = (roomy ? total < given.line : at > 50) ? { dx: -8, "text-anchor": "end" } : { dx: 8 };
    drawn("text", { x: `${at}%`, y: 52, ...side }, `您 ${points(total)}`);
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const total = typed(field.value);
    const wrong = typeof total === "string";
    error.hidden = !wrong;
    error.lastElementChild.textContent = wrong ? given.wrong[total] : "";
    field.parentElement.classList.toggle("wrong", wrong);
    field.setAttribute("aria-describedby", wrong ? "total-hint total-error" : "total-hint");
    if (wrong) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    answer.hidden = wrong;
    if (wrong) return field.focus();
    answer.textContent = said(total);
    if (chart) mark(total);
  });
  form.hidden = false;
}
