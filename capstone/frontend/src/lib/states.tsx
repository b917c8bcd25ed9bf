import type { ReactNode } from "react";

/** An error with what can be done about it. */
export function Problem({ error, retry }: { error: Error; retry?: () => void }) {
  return (
    <div className="notice notice-error" role="alert">
      <p>{error.message}</p>
      {retry && <button type="button" className="button" onClick={retry}>Try again</button>}
    </div>
  );
}

/** Nothing to show, and why. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="notice">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Grey shapes of the size of what loads. */
export function Skeletons({ count, className }: { count: number; className: string }) {
  return (
    <div className={className} aria-hidden="true">
      {Array.from({ length: count }, (_, n) => <div key={n} className="skeleton" />)}
    </div>
  );
}

/** A category in its colour. */
export function Category({ name, hue }: { name: string; hue: number }) {
  return <span className="category" style={{ "--hue": hue } as React.CSSProperties}>{name}</span>;
}
