// Who is signed in, for every page below.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { useData } from "./live";
import type { List, Role, User } from "./types";

export const SessionContext = createContext<User | null>(null);
export function useUser(): User {
  return useContext(SessionContext) ?? { login: "", name: "", roles: [] };
}
export const may = (user: User, ...roles: Role[]): boolean => roles.some((role) => user.roles.includes(role));

// The people who can own something. Reading the list may be denied; then a name is typed by hand.
export function useLogins(): string[] {
  const user = useUser();
  const { data } = useData<List<User>>("/v1/users");
  const logins = (data?.items ?? []).filter(({ disabled }) => !disabled).map(({ login }) => login);
  return logins.includes(user.login) ? logins : [user.login, ...logins];
}
