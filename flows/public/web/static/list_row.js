// A row opens wherever one presses it, and not only at its total.
"use strict";
document.addEventListener("click", (event) => {
  const row = event.target.closest(".list tbody tr");
  if (!row || event.target.closest("details, a") || String(getSelection())) return;
  const more = row.querySelector("details");
  more.open = !more.open;
});
