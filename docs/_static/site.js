// A copy button on every code block, and a filter over the table of symbols.
document.addEventListener("DOMContentLoaded", () => {
  for (const block of document.querySelectorAll("div.highlight")) {
    const button = document.createElement("button");
    button.className = "copy";
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(block.querySelector("pre").textContent);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    block.append(button);
  }
  const table = document.querySelector(".symbols table");
  if (!table) return;
  const input = document.createElement("input");
  input.className = "filter";
  input.type = "search";
  input.placeholder = "Filter symbols";
  input.setAttribute("aria-label", "Filter symbols");
  const said = document.createElement("p");
  said.setAttribute("aria-live", "polite");
  input.addEventListener("input", () => {
    const wanted = input.value.toLowerCase();
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
      shown += !row.hidden;
    }
    said.textContent = shown ? `${shown} of ${table.tBodies[0].rows.length} symbols` : "No symbol matches.";
  });
  table.before(input, said);
});
