import { type FormEvent, useEffect, useRef, useState } from "react";
import { deleteUser, getDemoUsers, getUser } from "../api/client";
import { plural } from "../lib/format";
import { UserIcon } from "../lib/icons";
import { useLoad } from "../lib/useLoad";
import { useSession } from "./SessionProvider";

/** Who the reader is, what is stored of them, and in a demonstration a picker of users. */
export function UserMenu() {
  const { session } = useSession();
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useCloser(box, () => setOpen(false));
  return (
    <div className="menu" ref={box}>
      <button type="button" className="menu-button" aria-expanded={open} aria-controls="user-menu"
        onClick={() => setOpen(!open)}>
        <UserIcon />
        <span className="menu-user"><span className="visually-hidden">User </span>{shortName(session.user_id)}</span>
      </button>
      {open && (
        <div className="menu-panel" id="user-menu">
          {session.demo && <Picker done={() => setOpen(false)} />}
          <Stored />
        </div>
      )}
    </div>
  );
}

/** A visitor's random id is of no use to read. */
const shortName = (user: string) => (user.startsWith("web-") ? "You" : user);

function useCloser(box: React.RefObject<HTMLElement | null>, close: () => void) {
  useEffect(() => {
    const outside = (event: MouseEvent) => box.current?.contains(event.target as Node) || close();
    const escape = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || !box.current?.querySelector("[aria-expanded=true]")) return;
      close();
      box.current.querySelector("button")?.focus();
    };
    document.addEventListener("click", outside);
    document.addEventListener("keydown", escape);
    return () => {
      document.removeEventListener("click", outside);
      document.removeEventListener("keydown", escape);
    };
  });
}

function Picker({ done }: { done: () => void }) {
  const { session, become } = useSession();
  const [error, setError] = useState("");
  const users = useLoad("demo-users", getDemoUsers);
  const choose = (user: string | null) =>
    become(user).then(done, (problem: Error) => setError(problem.message));
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const user = String(new FormData(event.currentTarget).get("user")).trim();
    if (user) choose(user);
  };
  return (
    <section aria-label="Choose a user">
      <h2>Read as</h2>
      <ul className="users">
        <li><button type="button" className="user" onClick={() => choose(null)}>
          <strong>A new user</strong><span>cold start</span>
        </button></li>
        {users.value?.map(({ user_id, clicks }) => (
          <li key={user_id}>
            <button type="button" className="user" aria-current={user_id === session.user_id || undefined}
              onClick={() => choose(user_id)}>
              <strong>{user_id}</strong><span>{plural(clicks, "click")}</span>
            </button>
          </li>
        ))}
      </ul>
      <form className="row" onSubmit={submit}>
        <label className="visually-hidden" htmlFor="user-id">User ID</label>
        <input id="user-id" name="user" placeholder="User ID" pattern="[^\s\/]{1,80}" autoComplete="off" />
        <button type="submit" className="button">Switch</button>
      </form>
      {error && <p role="alert" className="error">{error}</p>}
    </section>
  );
}

function Stored() {
  const { session, become } = useSession();
  const [asked, setAsked] = useState(false);
  const [error, setError] = useState("");
  const stored = useLoad(session.user_id, (signal) => getUser(session.user_id, signal));
  const remove = () =>
    deleteUser(session).then(() => become(null)).catch((problem: Error) => setError(problem.message));
  return (
    <section aria-label="Your data">
      <h2>Stored about this user</h2>
      <p className="quiet">
        {stored.value
          ? `${plural(stored.value.events.length, "event")}, ${plural(stored.value.lists.length, "recommended list")}` +
            (stored.value.in_training_data ? ", and a history in the training data." : ".")
          : stored.error?.message ?? "Loading…"}
      </p>
      {asked
        ? <button type="button" className="button button-danger" onClick={remove}>Really delete all of it</button>
        : <button type="button" className="button" onClick={() => setAsked(true)}>Delete it…</button>}
      {error && <p role="alert" className="error">{error}</p>}
    </section>
  );
}
