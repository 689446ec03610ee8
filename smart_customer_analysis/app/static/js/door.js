// Where the server asks for a key: it is sent once, and the server keeps it in a cookie that no script can read.
import { $ } from "./dom.js";

export function watchDoor() {
  const dialog = $("#door"),
    field = $("#door-key"),
    said = $("#door-said");
  document.addEventListener("sca:key", () => {
    if (!dialog.open) dialog.showModal();
  });
  dialog.addEventListener("click", (e) => {
    if (e.target.closest("[data-close]")) dialog.close();
  });
  $("#door-form").addEventListener("submit", async (e) => {
    e.preventDefault();
    said.textContent = "";
    const res = await fetch("/v1/session", {
      method: "POST",
      body: JSON.stringify({ key: field.value.trim() }),
      headers: { "content-type": "application/json" },
      credentials: "same-origin",
    }).catch(() => null);
    if (res?.ok) return location.reload();
    field.select();
    said.textContent =
      res?.status === 401
        ? "This key opens nothing; ask for another."
        : "The server did not take it; try again.";
  });
}
