// Hash routes: "#/alerts/ID?tab=people". The server sees none of it, so a link to a page never leaks into its log.
import { useEffect, useState } from "preact/hooks";

export interface Route {
  parts: string[];
  query: URLSearchParams;
}

export function parse(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter(Boolean).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part; // a stray % typed by hand
    }
  });
  return { parts, query: new URLSearchParams(search) };
}

export function go(path: string, replace = false): void {
  if (replace) {
    history.replaceState(null, "", `#${path}`);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else location.hash = path;
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parse(location.hash));
  useEffect(() => {
    const changed = (): void => setRoute(parse(location.hash));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}

// Sets one value in the query of the present route without a new step in the browser's history.
export function setQuery(name: string, value: string): void {
  const { parts, query } = parse(location.hash);
  if (value) query.set(name, value);
  else query.delete(name);
  const search = query.toString();
  go(`/${parts.map(encodeURIComponent).join("/")}${search ? `?${search}` : ""}`, true);
}
