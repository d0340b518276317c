// Runs before the first paint, so that a page never flashes in the wrong colours. The choice is kept in this
// browser only: "light", "dark", or nothing for what the system says.
const kept = (() => {
  try {
    return localStorage.getItem("tocsin.theme");
  } catch {
    return null; // storage switched off: follow the system
  }
})();
if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
export {};
