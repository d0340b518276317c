// Times as people read them: local, short, and with the exact UTC time one hover away.

const two = (n: number): string => String(n).padStart(2, "0");

export function utc(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  return `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())} ` +
    `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} UTC`;
}

export function local(time: string, now: number = Date.now()): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  const today = new Date(now);
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (date.toDateString() === today.toDateString()) return `today ${clock}`;
  const yesterday = new Date(now - 86_400_000);
  if (date.toDateString() === yesterday.toDateString()) return `yesterday ${clock}`;
  const month = date.toLocaleString("en-GB", { month: "short" });
  const year = date.getFullYear() === today.getFullYear() ? "" : ` ${date.getFullYear()}`;
  return `${date.getDate()} ${month}${year}, ${clock}`;
}

// A length of time in its two largest units: "2 d 4 h", "31 h 12 min", "42 min 10 s". Under two days hours are
// counted on, because that is how a 72-hour clock is spoken of.
export function span(milliseconds: number): string {
  const seconds = Math.floor(Math.abs(milliseconds) / 1000);
  const days = Math.floor(seconds / 86_400);
  if (days >= 4) return `${days} days`;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (hours >= 72) return `${days} d ${hours % 24} h`;
  if (hours >= 1) return `${hours} h ${minutes} min`;
  if (minutes >= 1) return `${minutes} min ${seconds % 60} s`;
  return `${seconds} s`;
}

export function ago(time: string, now: number): string {
  const passed = now - new Date(time).getTime();
  if (Number.isNaN(passed)) return time;
  if (passed < 5000 && passed > -5000) return "just now";
  return passed < 0 ? `in ${span(passed)}` : `${span(passed).replace(/ \d+ s$/, "")} ago`;
}

// For <input type="datetime-local">, and back to RFC 3339.
export function toInput(time: string | null): string {
  if (!time) return "";
  const date = new Date(time);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}
export function fromInput(value: string): string | undefined {
  if (!value) return undefined;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString().replace(/\.\d{3}Z$/, "Z");
}
