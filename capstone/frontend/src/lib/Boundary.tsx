import { Component, type ReactNode } from "react";

/** A page that broke says so, and can be loaded again. */
export class Boundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  render() {
    if (!this.state.broken) return this.props.children;
    return (
      <main className="page">
        <div className="notice notice-error" role="alert">
          <p>Something in this page broke.</p>
          <button type="button" className="button" onClick={() => location.reload()}>Load it again</button>
        </div>
      </main>
    );
  }
}
