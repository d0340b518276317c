// Whether single letters are shortcuts: a person may switch them off (WCAG 2.1.4).
export function shortcutsOn(): boolean {
  try {
    return localStorage.getItem("tocsin.keys") !== "off";
  } catch {
    return true;
  }
}
