// Where the server asks for a key: it is sent once, and the server keeps it in a cookie that no script can read.
import { $ } from "./dom.js";
import { t } from "./language.js";

let ready = false;

export function openDoor() {
  const dialog = $("#door");
  if (!ready) mount(dialog);
  ready = true;
  if (!dialog.open) dialog.showModal();
}

function mount(dialog) {
  const field = $("#door-key"),
    message = $("#door-said");
  dialog.addEventListener("click", (e) => {
    if (e.target.closest("[data-close]")) dialog.close();
  });
  $("#door-form").addEventListener("submit", async (e) => {
    e.preventDefault();
    message.textContent = "";
    const res = await fetch("/v1/session", {
      method: "POST",
      body: JSON.stringify({ key: field.value.trim() }),
      headers: { "content-type": "application/json" },
      credentials: "same-origin",
    }).catch(() => null);
    if (res?.ok) return location.reload();
    field.select();
    message.textContent =
      res?.status === 401
        ? t("This key opens nothing; ask for another.")
        : t("The server did not take it; try again.");
  });
}
